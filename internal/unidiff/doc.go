// Package unidiff makes, reads and applies unified diffs as jsdiff does, the
// package with which npm makes the output of "npm diff" and applies patches.
//
// A Line is a text with its line break; the last one of a file may lack it. A
// Hunk is a run of lines that go, come or stay, and where it was. A File is what
// a patch says of one file: two names and hunks.
//
// Of the many shortest ways from one text to another Diff finds jsdiff's, so
// that the hunks are the same. Apply allows no fuzz: what a hunk expects has to be
// there, though it may be at another line.
//
// A patch is a stranger's text: Parse and Apply take any and give an error or a
// result. The package neither reads nor writes files and gives no meaning to names.
package unidiff
