package config

import (
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// table is a JavaScript object with null prototype: canonical array indexes
// come first in ascending order, then the other keys as they were first set.
type table struct {
	keys   []string
	values map[string]Value
	hosts  int // how many keys belong to a host, and so begin with "//"
}

func (t *table) get(key string) (Value, bool) {
	if t == nil {
		return Value{}, false
	}
	v, ok := t.values[key]
	return v, ok
}

func (t *table) set(key string, v Value) {
	if _, ok := t.values[key]; !ok {
		if t.values == nil {
			t.values = make(map[string]Value)
		}
		t.keys = append(t.keys, key)
		if strings.HasPrefix(key, "//") {
			t.hosts++
		}
	}
	t.values[key] = v
}

func (t *table) delete(key string) {
	if t == nil {
		return
	}
	if _, ok := t.values[key]; ok {
		delete(t.values, key)
		if strings.HasPrefix(key, "//") {
			t.hosts--
		}
		t.keys = slices.DeleteFunc(t.keys, func(k string) bool { return k == key })
	}
}

// forHosts says whether a key of the table belongs to a host.
func (t *table) forHosts() bool { return t != nil && t.hosts > 0 }

func (t *table) orderedKeys() []string {
	if t == nil {
		return nil
	}
	keys := slices.Clone(t.keys)
	slices.SortStableFunc(keys, func(a, b string) int {
		i, aIs := arrayIndex(a)
		j, bIs := arrayIndex(b)
		switch {
		case aIs && bIs && i != j:
			if i < j {
				return -1
			}
			return 1
		case aIs && !bIs:
			return -1
		case bIs && !aIs:
			return 1
		}
		return 0
	})
	return keys
}

// arrayIndex reports whether JavaScript sorts key before the other keys.
func arrayIndex(key string) (uint64, bool) {
	if key == "" || len(key) > 10 || key[0] == '0' && len(key) > 1 {
		return 0, false
	}
	var n uint64
	for i := range len(key) {
		if key[i] < '0' || key[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(key[i]-'0')
	}
	return n, n < 1<<32-1
}

// parseINI reads an .npmrc as npm's ini package does (ini lib/ini.js, decode).
// It never fails: what is not understood is text.
func parseINI(text string) *table {
	out := &table{}
	p := out
	var sections []string
	for len(text) > 0 {
		var line string
		if i := strings.IndexAny(text, "\r\n"); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			line, text = text, ""
		}
		trimmed := strings.TrimLeftFunc(line, js.Space)
		if trimmed == "" || trimmed[0] == ';' || trimmed[0] == '#' {
			continue
		}
		if name, ok := sectionName(line); ok {
			key := unquote(name).String()
			if key == "__proto__" {
				p = &table{} // read, and forgotten
				continue
			}
			v, _ := out.get(key)
			if v.kind != Object {
				// npm reuses whatever truthy value stands there, and what is set
				// on a primitive is lost.
				if v.Truthy() && v.kind != List {
					p = &table{}
					continue
				}
				v = Value{kind: Object, obj: &table{}}
				out.set(key, v)
				sections = append(sections, key)
			}
			p = v.obj
			continue
		}
		rawKey, rawValue, hasValue := strings.Cut(line, "=")
		if rawKey == "" || strings.ContainsAny(rawValue, "\u2028\u2029") {
			continue // npm's pattern for "key = value" does not match
		}
		key := unquote(rawKey).String()
		isList := len(key) > 2 && strings.HasSuffix(key, "[]")
		if isList {
			key = key[:len(key)-2]
		}
		if key == "__proto__" {
			continue
		}
		value := NewBool(true)
		if hasValue {
			value = unquote(rawValue)
			if value.kind == String {
				switch value.str {
				case "true", "false":
					value = NewBool(value.str == "true")
				case "null":
					value = Value{kind: Null}
				}
			}
		}
		old, had := p.get(key)
		switch {
		case isList && !had:
			old = Value{kind: List}
		case isList && old.kind != List:
			old = NewList(old)
		}
		if old.kind == List {
			old.list = append(old.list, value)
			value = old
		}
		p.set(key, value)
	}
	nestSections(out, sections)
	return out
}

// sectionName returns the text of a "[section]" line, which must fill it but
// for space after the bracket.
func sectionName(line string) (string, bool) {
	if line[0] != '[' {
		return "", false
	}
	end := strings.IndexByte(line, ']')
	if end < 0 || strings.TrimRightFunc(line[end+1:], js.Space) != "" {
		return "", false
	}
	return line[1:end], true
}

// nestSections turns {a: {}, "a.b": {}} into {a: {b: {}}}.
func nestSections(out *table, sections []string) {
	for _, section := range sections {
		v, ok := out.get(section)
		if !ok || v.kind != Object {
			continue
		}
		parts := splitSections(section)
		last := strings.ReplaceAll(parts[len(parts)-1], `\.`, ".")
		p := out
		for _, part := range parts[:len(parts)-1] {
			if part == "__proto__" {
				continue
			}
			inner, _ := p.get(part)
			if inner.kind != Object {
				inner = Value{kind: Object, obj: &table{}}
				p.set(part, inner)
			}
			p = inner.obj
		}
		if p == out && last == parts[len(parts)-1] {
			continue
		}
		p.set(last, v)
		out.delete(section)
	}
}

func splitSections(s string) []string {
	var parts []string
	start := 0
	for i := range len(s) {
		if s[i] == '.' && (i == 0 || s[i-1] != '\\') {
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

func isQuoted(s string) bool {
	return strings.HasPrefix(s, `"`) && strings.HasSuffix(s, `"`) ||
		strings.HasPrefix(s, "'") && strings.HasSuffix(s, "'")
}

// unquote reads a key or value as ini's unsafe does. Text in quotes is parsed
// as JSON; single quotes are taken off first, so that '"a"' is a. Outside
// quotes an unescaped ; or # begins a comment.
func unquote(s string) Value {
	s = js.Trim(s)
	if isQuoted(s) {
		if s[0] == '\'' {
			if len(s) < 2 {
				return NewString("")
			}
			s = s[1 : len(s)-1]
		}
		if v, ok := parseJSON(s); ok {
			return v
		}
		return NewString(s)
	}
	if !strings.ContainsAny(s, `;#\`) {
		return NewString(s)
	}
	var b strings.Builder
	escaped := false
	for i := range len(s) {
		c := s[i]
		switch {
		case escaped:
			if c != '\\' && c != ';' && c != '#' {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
			escaped = false
		case c == ';' || c == '#':
			return NewString(js.Trim(b.String()))
		case c == '\\':
			escaped = true
		default:
			b.WriteByte(c)
		}
	}
	if escaped {
		b.WriteByte('\\')
	}
	return NewString(js.Trim(b.String()))
}

// formatINI writes t as npm's ini package does (encode).
func formatINI(t *table, section string, eol string) string {
	var out strings.Builder
	var children []string
	for _, key := range t.orderedKeys() {
		v, _ := t.get(key)
		switch v.kind {
		case List:
			for _, item := range v.list {
				out.WriteString(quote(NewString(key + "[]")))
				out.WriteByte('=')
				out.WriteString(quote(item))
				out.WriteString(eol)
			}
		case Object:
			children = append(children, key)
		default:
			out.WriteString(quote(NewString(key)))
			out.WriteByte('=')
			out.WriteString(quote(v))
			out.WriteString(eol)
		}
	}
	text := out.String()
	if section != "" && text != "" {
		text = "[" + quote(NewString(section)) + "]" + eol + text
	}
	for _, key := range children {
		name := strings.Join(splitSections(key), `\.`)
		if section != "" {
			name = section + "." + name
		}
		v, _ := t.get(key)
		child := formatINI(v.obj, name, eol)
		if text != "" && child != "" {
			text += eol
		}
		text += child
	}
	return text
}

// quote writes one key or value as ini's safe does.
func quote(v Value) string {
	if v.kind != String {
		if v.kind == Undefined {
			return "undefined"
		}
		return v.JSON()
	}
	s := v.str
	if strings.ContainsAny(s, "=\r\n") || strings.HasPrefix(s, "[") || len(s) > 1 && isQuoted(s) || s != js.Trim(s) {
		return v.JSON()
	}
	s = strings.ReplaceAll(s, ";", `\;`)
	return strings.ReplaceAll(s, "#", `\#`)
}
