package config

import (
	"math"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/js"
)

// Kind says what a Value holds. The zero Kind is Undefined.
type Kind uint8

// The kinds of values, JavaScript's.
const (
	Undefined Kind = iota
	Null
	Bool
	Number
	String
	Date
	List
	Object // only a section of an .npmrc, which no key allows
)

// Value is the value of one key. The zero Value is undefined. A Value is
// read-only once it is returned.
type Value struct {
	kind Kind
	str  string  // String: the text
	num  float64 // Number; Bool: 1 is true; Date: milliseconds since 1970, NaN when invalid
	list []Value
	obj  *table
}

// NewString returns a text as a Value.
func NewString(s string) Value { return Value{kind: String, str: s} }

// NewBool returns true or false as a Value.
func NewBool(b bool) Value {
	if b {
		return Value{kind: Bool, num: 1}
	}
	return Value{kind: Bool}
}

// NewNumber returns n as a Value.
func NewNumber(n float64) Value { return Value{kind: Number, num: n} }

// NewList returns a list of items.
func NewList(items ...Value) Value { return Value{kind: List, list: items} }

// NewStrings returns a list of strings.
func NewStrings(items ...string) Value {
	list := make([]Value, len(items))
	for i, s := range items {
		list[i] = NewString(s)
	}
	return Value{kind: List, list: list}
}

func newDate(ms float64) Value { return Value{kind: Date, num: ms} }

// Kind returns what v holds.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null or undefined.
func (v Value) IsNull() bool { return v.kind == Null || v.kind == Undefined }

// Items returns the elements of a list.
func (v Value) Items() []Value { return v.list }

// Truthy reports whether JavaScript takes v for true.
func (v Value) Truthy() bool {
	switch v.kind {
	case Bool:
		return v.num != 0
	case Number:
		return v.num != 0 && !math.IsNaN(v.num)
	case String:
		return v.str != ""
	case Date, List, Object:
		return true
	}
	return false
}

// Time returns a date's time.
func (v Value) Time() (time.Time, bool) {
	if v.kind != Date || math.IsNaN(v.num) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(v.num)).UTC(), true
}

// String returns v as JavaScript's String(v) does; a list is joined by commas.
func (v Value) String() string {
	switch v.kind {
	case Null:
		return "null"
	case Bool:
		if v.num != 0 {
			return "true"
		}
		return "false"
	case Number:
		return js.FormatNumber(v.num)
	case String:
		return v.str
	case Date:
		return formatDate(v.num)
	case List:
		parts := make([]string, len(v.list))
		for i, e := range v.list {
			if !e.IsNull() {
				parts[i] = e.String()
			}
		}
		return strings.Join(parts, ",")
	case Object:
		return "[object Object]"
	}
	return "undefined"
}

// JSON returns v as JSON.stringify(v) does, without white space. Undefined is
// "".
func (v Value) JSON() string {
	if v.kind == Undefined {
		return ""
	}
	return string(v.appendJSON(nil, "", ""))
}

// AppendJSON appends v as JSON.stringify(v, null, indent) would, where prefix
// is the indentation that v itself stands at.
func (v Value) AppendJSON(dst []byte, prefix, indent string) []byte {
	return v.appendJSON(dst, prefix, indent)
}

func (v Value) appendJSON(dst []byte, prefix, indent string) []byte {
	switch v.kind {
	case Bool:
		return append(dst, v.String()...)
	case Number:
		if math.IsInf(v.num, 0) || math.IsNaN(v.num) {
			return append(dst, "null"...)
		}
		return append(dst, js.FormatNumber(v.num)...)
	case String:
		return appendQuoted(dst, v.str)
	case Date:
		if math.IsNaN(v.num) {
			return append(dst, "null"...)
		}
		return appendQuoted(dst, time.UnixMilli(int64(v.num)).UTC().Format("2006-01-02T15:04:05.000Z"))
	case List:
		return appendContainer(dst, '[', ']', len(v.list), prefix, indent, func(dst []byte, i int, inner string) []byte {
			return v.list[i].appendJSON(dst, inner, indent)
		})
	case Object:
		keys := v.obj.orderedKeys()
		return appendContainer(dst, '{', '}', len(keys), prefix, indent, func(dst []byte, i int, inner string) []byte {
			dst = append(appendQuoted(dst, keys[i]), ':')
			if indent != "" {
				dst = append(dst, ' ')
			}
			val, _ := v.obj.get(keys[i])
			return val.appendJSON(dst, inner, indent)
		})
	}
	return append(dst, "null"...)
}

func appendContainer(dst []byte, open, end byte, n int, prefix, indent string, item func([]byte, int, string) []byte) []byte {
	dst = append(dst, open)
	inner := prefix + indent
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		if indent != "" {
			dst = append(append(dst, '\n'), inner...)
		}
		dst = item(dst, i, inner)
	}
	if n > 0 && indent != "" {
		dst = append(append(dst, '\n'), prefix...)
	}
	return append(dst, end)
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s as JSON.stringify writes it. Bytes that are not UTF-8
// become U+FFFD, as they do when node reads a file.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r == '\b':
			dst = append(dst, '\\', 'b')
		case r == '\f':
			dst = append(dst, '\\', 'f')
		case r < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, '"')
}

// same reports whether a === b in JavaScript, where lists are equal only to
// themselves and so never here.
func same(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case Undefined, Null:
		return true
	case Bool, Number:
		return a.num == b.num
	case String:
		return a.str == b.str
	}
	return false
}
