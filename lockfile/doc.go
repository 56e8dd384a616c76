// Package lockfile reads and writes package-lock.json, npm-shrinkwrap.json and
// the hidden lockfile node_modules/.package-lock.json, byte for byte as npm
// does (npm: @npmcli/arborist lib/shrinkwrap.js).
//
// A Lockfile is the contract between the stages: the resolver makes one, fetch
// and the linker read it, what is wanted and what is installed have this same
// type. Each of its Packages stands at a Location. Parse reads the text of a
// lock, Load finds and reads a project's, Encode writes one.
//
// Versions 2, 3 and 4 of the format have an entry for each location in
// "packages". Version 1 has only "dependencies", a tree that lacks most of
// what a manifest says; Inflate makes packages of it. Version 2 has both, and
// the tree, whose entries are LegacyEntries, is for old readers alone.
//
// A YarnLock is the lock of another program that may stand beside npm's: it
// pins versions where there is no lock of npm's, and is kept up to date.
//
// The package knows no registry and no node_modules. A lock is a stranger's
// text: one that is malformed gives a ParseError, and is never overwritten
// here.
package lockfile
