// Package jsjson reads and writes JSON the way JavaScript does.
//
// An object keeps the order of its keys: canonical array indexes ("0", "42")
// first and ascending, then the others in the order they were written. A key
// given twice keeps its first place and its last value. Strings are written
// as JSON.stringify writes them. Locations of errors are lines and columns.
//
// A Value is a whole decoded tree; Parse makes one. A Raw is the text of one
// value that nobody had to decode yet. A Scanner pulls one token after the
// other out of a document and is what typed decoders are made of.
//
// Text in memory is UTF-8. A lone surrogate, which JavaScript allows in a
// string and JSON can write as \ud800, is kept as its three-byte generalised
// encoding (WTF-8) and written as an escape again. Bytes that are not UTF-8
// become U+FFFD, as they do when node reads a file as text.
//
// The package knows nothing of package.json or of lockfiles.
package jsjson
