package jsjson

import (
	"math"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// Kind says what a Value holds. The zero Kind is Undefined: no value at all.
type Kind uint8

// The kinds of values.
const (
	Undefined Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String is the kind's name as messages say it.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Number:
		return "a number"
	case String:
		return "a string"
	case Array:
		return "an array"
	case Object:
		return "an object"
	}
	return "nothing"
}

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

// NewString gives the string s.
func NewString(s string) Value { return Value{kind: String, text: s} }

// NewBool gives true or false.
func NewBool(b bool) Value {
	if b {
		return Value{kind: Bool, text: "true"}
	}
	return Value{kind: Bool}
}

// NewNumber gives the number f; what is not finite becomes null, as it does in
// JSON.stringify.
func NewNumber(f float64) Value {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return NewNull()
	}
	return Value{kind: Number, text: js.FormatNumber(f)}
}

// NewNull gives null.
func NewNull() Value { return Value{kind: Null} }

// NewArray gives the array of items, which it takes over.
func NewArray(items ...Value) Value { return Value{kind: Array, items: items} }

// NewObject gives the object of members, which it takes over and puts into
// JavaScript's order: of a key given twice the first place and the last value.
func NewObject(members ...Member) Value {
	return Value{kind: Object, members: orderMembers(members)}
}

// Kind says what v holds.
func (v Value) Kind() Kind { return v.kind }

// IsString says whether v is a string.
func (v Value) IsString() bool { return v.kind == String }

// IsObject says whether v is an object and not an array.
func (v Value) IsObject() bool { return v.kind == Object }

// IsArray says whether v is an array.
func (v Value) IsArray() bool { return v.kind == Array }

// IsUndefined says whether there is no value.
func (v Value) IsUndefined() bool { return v.kind == Undefined }

// Str gives a string's text, and "" for any other kind.
func (v Value) Str() string {
	if v.kind == String {
		return v.text
	}
	return ""
}

// Bool gives a boolean's value, and false for any other kind.
func (v Value) Bool() bool { return v.kind == Bool && v.text != "" }

// Num gives a number's value, and 0 for any other kind. A number too large for
// float64 is infinite, as in JavaScript.
func (v Value) Num() float64 {
	if v.kind != Number {
		return 0
	}
	f, _ := strconv.ParseFloat(v.text, 64)
	return f
}

// Truthy says whether JavaScript's if takes v.
func (v Value) Truthy() bool {
	switch v.kind {
	case Bool, String:
		return v.text != ""
	case Number:
		return v.Num() != 0
	case Array, Object:
		return true
	}
	return false
}

// Items gives an array's items; not to be changed.
func (v Value) Items() []Value { return v.items }

// Members gives an object's members in JavaScript's order; not to be changed.
func (v Value) Members() []Member { return v.members }

// Len is the number of an array's items or an object's members.
func (v Value) Len() int { return len(v.items) + len(v.members) }

// Get gives the member called key, undefined where v is no object or has none.
func (v Value) Get(key string) Value {
	for i := range v.members {
		if v.members[i].Key == key {
			return v.members[i].Value
		}
	}
	return Value{}
}

// Has says whether v is an object with a member called key.
func (v Value) Has(key string) bool {
	for i := range v.members {
		if v.members[i].Key == key {
			return true
		}
	}
	return false
}

// Index gives the item at i, undefined where there is none.
func (v Value) Index(i int) Value {
	if i < 0 || i >= len(v.items) {
		return Value{}
	}
	return v.items[i]
}

// With gives a copy of the object v in which key has the given value: in its
// old place, or last (before the names where key is an index). What is no
// object counts as an empty one. Setting undefined removes the key.
func (v Value) With(key string, value Value) Value {
	if value.kind == Undefined {
		return v.Without(key)
	}
	members := make([]Member, len(v.members), len(v.members)+1)
	copy(members, v.members)
	for i := range members {
		if members[i].Key == key {
			members[i].Value = value
			return Value{kind: Object, members: members}
		}
	}
	return NewObject(append(members, Member{key, value})...)
}

// Without gives a copy of the object v that has no member called key.
func (v Value) Without(key string) Value {
	if !v.Has(key) {
		return v
	}
	members := make([]Member, 0, len(v.members))
	for _, m := range v.members {
		if m.Key != key {
			members = append(members, m)
		}
	}
	return Value{kind: Object, members: members}
}

// Raw gives v's text on one line, "" for undefined.
func (v Value) Raw() Raw {
	if v.kind == Undefined {
		return ""
	}
	return Raw(Append(nil, v, "", ""))
}

// Text gives what JavaScript's String(v) gives: a string itself, a number as
// it prints, the items of an array joined with commas.
func (v Value) Text() string {
	switch v.kind {
	case Undefined:
		return "undefined"
	case Null:
		return "null"
	case Bool:
		return strconv.FormatBool(v.Bool())
	case Number:
		return js.FormatNumber(v.Num())
	case String:
		return v.text
	case Array:
		var b strings.Builder
		for i, item := range v.items {
			if i > 0 {
				b.WriteByte(',')
			}
			if item.kind != Null {
				b.WriteString(item.Text())
			}
		}
		return b.String()
	}
	return "[object Object]"
}

// Equal says whether a and b are the same value; the order of keys counts for
// nothing.
func Equal(a, b Value) bool {
	if a.kind != b.kind || len(a.items) != len(b.items) || len(a.members) != len(b.members) {
		return false
	}
	switch a.kind {
	case Number:
		return a.text == b.text || a.Num() == b.Num()
	case Bool, String:
		return a.text == b.text
	case Array:
		for i := range a.items {
			if !Equal(a.items[i], b.items[i]) {
				return false
			}
		}
	case Object:
		for i, m := range a.members {
			other := b.members[i]
			if other.Key != m.Key {
				if !b.Has(m.Key) {
					return false
				}
				other.Value = b.Get(m.Key)
			}
			if !Equal(m.Value, other.Value) {
				return false
			}
		}
	}
	return true
}
