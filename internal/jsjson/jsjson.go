// Package jsjson reads and writes JSON the way JavaScript does.
//
// An object keeps the order of its keys: canonical array indexes ("0", "42")
// first and ascending, then the others in the order they were written. A key
// given twice keeps its first place and its last value. Strings are written
// as JSON.stringify writes them. Locations of errors are lines and columns.
//
// The package knows nothing of package.json or of lockfiles.
package jsjson

// Kind says what a Value holds. The zero Kind is Undefined: no value at all.
type Kind uint8

const (
	Undefined Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// Raw is the text of one valid JSON value, not yet decoded, as it stood in
// its document; empty means undefined.
type Raw string

// Member is one key of an object and its value.
type Member struct {
	Key   string
	Value Value
}

// Value is one JSON value. The zero Value is undefined. A Value is read-only
// once it is shared.
type Value struct {
	kind    Kind
	text    string // String: decoded; Number: as written; Bool: "true" or ""
	items   []Value
	members []Member
}
