// Package manifest holds what a package says of itself: package.json, the
// manifest of a version in a packument, and the metadata part of a lockfile
// entry, all in one normalised form, the Manifest (npm: @npmcli/package-json).
//
// A File is a package.json on disk that is to be edited: it keeps the order of
// the keys, the indent and the line breaks, and is written as npm writes it.
// Fix and Prepare make of its content what is published.
//
// It refuses to know where a manifest came from and what is done with it. What
// strangers get wrong in a package.json is dropped the way npm drops it; only
// text that is no JSON object is an error.
package manifest
