// Package linker lays out node_modules.
//
// A Plan is the difference between two lockfiles, what is installed and what is
// wanted; making one touches no disk. Apply carries it out and can take it
// back: what has to go is first moved aside, and removed only when everything
// else is in its place. A Journal in node_modules names what Apply is about to
// write; one found by a later run tells what a killed run may have left half
// done, and Heal removes just that.
//
// The package asks for a package's files through the interface Files and does
// not know where they come from; it runs no script.
package linker
