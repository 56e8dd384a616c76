package config

import (
	"math"
	"net"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/weburl"
)

// clean coerces the value of key to one of its types, as nopt's clean does. ok
// is false if nothing is left of it; bad are the values that were refused.
func (c *Config) clean(key string, v Value) (cleaned Value, ok bool, bad []Value) {
	return c.cleanAs(Lookup(key), v)
}

func (c *Config) cleanAs(def *Definition, v Value) (cleaned Value, ok bool, bad []Value) {
	values := []Value{v}
	if v.kind == List {
		values = v.list
	}
	kept := make([]Value, 0, len(values))
	for _, item := range values {
		item = convert(def, item)
		if def == nil {
			kept = append(kept, item)
			continue
		}
		// --no-x is null where null is allowed and false is not.
		if same(item, no) && def.Allows(TypeNull) && !def.Allows(TypeFalse) && !def.Allows(TypeBoolean) {
			item = null
		}
		if accepted, ok := c.accept(def, item); ok {
			kept = append(kept, accepted)
		} else {
			bad = append(bad, item)
		}
	}
	if len(kept) == 0 && def != nil && !def.Allows(TypeArray) {
		return Value{}, false, bad
	}
	if v.kind == List {
		return Value{kind: List, list: kept}, true, bad
	}
	if len(kept) == 0 {
		return Value{}, true, bad // the key stays, without a value
	}
	return kept[0], true, bad
}

// convert reads text that means true, false, null, a number or a date.
func convert(def *Definition, v Value) Value {
	if v.kind != String {
		return v
	}
	s := js.Trim(v.str)
	switch {
	case s == "null" && (def == nil || def.Allows(TypeNull)):
		return null
	case s == "true" && (def == nil || def.Allows(TypeBoolean)):
		return yes
	case s == "false" && (def == nil || def.Allows(TypeBoolean) || def.Allows(TypeFalse)):
		return no
	}
	if def.Allows(TypeNumber) {
		if n := js.Number(s); !math.IsNaN(n) {
			return NewNumber(n)
		}
	}
	if def.Allows(TypeDate) {
		if ms := parseDate(s); !math.IsNaN(ms) {
			return newDate(ms)
		}
	}
	return NewString(s)
}

// accept returns v as the first of def's types that takes it.
func (c *Config) accept(def *Definition, v Value) (Value, bool) {
	for _, t := range def.Types {
		if t.Kind == TypeArray {
			continue
		}
		if accepted, ok := c.acceptAs(t, v); ok {
			return accepted, true
		}
	}
	return Value{}, false
}

func (c *Config) acceptAs(t Type, v Value) (Value, bool) {
	switch t.Kind {
	case TypeString:
		return NewString(v.String()), true
	case TypeBoolean:
		if v.kind == String {
			if n := js.Number(v.str); !math.IsNaN(n) {
				return NewBool(n != 0), true
			}
			return NewBool(v.str != "null" && v.str != "false"), true
		}
		return NewBool(v.Truthy()), true
	case TypeNumber:
		n := v.number()
		return NewNumber(n), !math.IsNaN(n)
	case TypePath:
		if v.kind != String {
			return Value{}, false
		}
		return NewString(c.resolvePath(v.str)), true
	case TypeURL:
		u, ok := weburl.Parse(v.String())
		return NewString(u.String()), ok
	case TypeDate:
		switch v.kind {
		case Date:
			return v, !math.IsNaN(v.num)
		case Number, String:
			ms := parseDate(v.String())
			return newDate(ms), !math.IsNaN(ms)
		}
		return Value{}, false
	case TypeSemver:
		if v.kind != String {
			return Value{}, false
		}
		version, err := nodesemver.Parse(v.str, false)
		if err != nil {
			return Value{}, false
		}
		return NewString(version.String()), true
	case TypeUmask:
		switch v.kind {
		case String:
			n, ok := parseUmask(v.str)
			return NewNumber(n), ok
		case Number:
			n := math.Floor(v.num)
			return NewNumber(n), n >= 0 && n <= 511
		}
		return Value{}, false
	case TypeNull:
		return v, v.kind == Null
	case TypeFalse:
		return v, same(v, no)
	case TypeLiteral:
		return v, v.kind == String && v.str == t.Literal
	case TypeLiteralNum:
		return v, v.kind == Number && js.FormatNumber(v.num) == t.Literal
	case TypeLocalAddress:
		return v, v.kind == String && slices.Contains(localAddresses(), v.str)
	}
	return Value{}, false
}

// number is JavaScript's Number(v).
func (v Value) number() float64 {
	switch v.kind {
	case Bool, Number, Date:
		return v.num
	case Null:
		return 0
	case String, List:
		return js.Number(v.String())
	}
	return math.NaN()
}

// localAddresses lists the addresses of this machine's interfaces.
func localAddresses() []string {
	var out []string
	addrs, _ := net.InterfaceAddrs() // without them none is local
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			out = append(out, n.IP.String())
		}
	}
	return out
}

// mustBe says what def allows, as npm's warning does.
func (def *Definition) mustBe() string {
	only := TypeKind(0)
	if len(def.Types) > 1 {
		// A URL or path among others is explained alone.
		switch {
		case def.Allows(TypeURL):
			only = TypeURL
		case def.Allows(TypePath):
			only = TypePath
		}
	}
	var words []string
	for _, t := range def.Types {
		if t.Kind == TypeArray || only != 0 && t.Kind != only {
			continue
		}
		if t.Kind == TypeLocalAddress {
			words = append(words, localAddresses()...)
		} else if word := t.explain(); !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	keyword := ""
	multiple := only == 0 && def.Allows(TypeArray)
	switch {
	case len(words) == 1 && multiple:
		keyword = " one or more"
	case len(words) > 1 && multiple:
		keyword = " one or more of:"
	case len(words) > 1:
		keyword = " one of:"
	}
	return "Must be" + keyword + " " + strings.Join(words, ", ")
}

func (t Type) explain() string {
	switch t.Kind {
	case TypeSemver:
		return "full valid SemVer string"
	case TypeUmask:
		return "octal number in range 0o000..0o777 (0..511)"
	case TypeURL:
		return `full url with "http://"`
	case TypePath:
		return "valid filesystem path"
	case TypeNumber:
		return "numeric value"
	case TypeBoolean:
		return "boolean value (true or false)"
	case TypeDate:
		return "valid Date string"
	case TypeLiteral:
		return t.Literal
	}
	return t.name()
}
