package config

import (
	"math"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// expand replaces ${NAME} in s by the variable's value, and ${NAME?} by nothing
// if it is not set; ${NAME} of a variable that is not set stays. An odd number
// of backslashes before the $ makes it plain text, and every pair of them is
// one (@npmcli/config lib/env-replace.js). used, if not nil, is told each name
// that was replaced.
func expand(s string, env func(string) (string, bool), used func(name string)) string {
	if !strings.Contains(s, "${") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		start := i
		for i < len(s) && s[i] == '\\' {
			i++
		}
		slashes := i - start
		name, optional, end := variable(s, i)
		if end < 0 {
			b.WriteString(s[start:i])
			if i < len(s) && slashes == 0 {
				b.WriteByte(s[i])
				i++
			}
			continue
		}
		if slashes%2 == 1 {
			b.WriteString(s[start+(slashes+1)/2 : end])
			i = end
			continue
		}
		b.WriteString(s[start+slashes/2 : i])
		value, ok := env(name)
		switch {
		case ok:
			b.WriteString(value)
			if used != nil {
				used(name)
			}
		case !optional:
			b.WriteString("${" + name + "}")
		}
		i = end
	}
	return b.String()
}

// variable reads ${NAME} or ${NAME?} at s[i:]; end is -1 if there is none.
func variable(s string, i int) (name string, optional bool, end int) {
	if !strings.HasPrefix(s[i:], "${") {
		return "", false, -1
	}
	n := strings.IndexAny(s[i+2:], "${}?")
	if n <= 0 {
		return "", false, -1
	}
	name = s[i+2 : i+2+n]
	rest := s[i+2+n:]
	switch {
	case rest[0] == '}':
		return name, false, i + 2 + n + 1
	case strings.HasPrefix(rest, "?}"):
		return name, true, i + 2 + n + 2
	}
	return "", false, -1
}

// parseField gives text the best type that key allows (@npmcli/config
// lib/parse-field.js). Values that are not text stay as they are.
func (c *Config) parseField(v Value, key string, element bool, used func(string)) Value {
	if v.kind != String && v.kind != List {
		return v
	}
	def := Lookup(key)
	isPath := def.Allows(TypePath)
	isString := isPath || def.Allows(TypeString)
	isNumber := def.Allows(TypeNumber)
	isList := !element && def.Allows(TypeArray)
	if v.kind == List {
		if !isList {
			return v
		}
		items := make([]Value, len(v.list))
		for i, item := range v.list {
			items[i] = c.parseField(item, key, true, used)
		}
		return Value{kind: List, list: items}
	}
	s := js.Trim(v.str)
	if isList {
		// Lists come out of the environment with an empty line between items,
		// because certificates have line breaks.
		return c.parseField(NewStrings(strings.Split(s, "\n\n")...), key, false, used)
	}
	if def.Allows(TypeBoolean) && !isString && s == "" {
		return yes
	}
	if !isString && !isNumber {
		switch s {
		case "true":
			return yes
		case "false":
			return no
		case "null":
			return null
		case "undefined":
			return Value{}
		}
	}
	s = expand(s, c.getenv, used)
	if def.Allows(TypeDate) {
		return newDate(parseDate(s))
	}
	if isPath {
		s = c.resolvePath(s)
	}
	if def.Allows(TypeUmask) {
		if n, ok := parseUmask(s); ok {
			return NewNumber(n)
		}
		return NewString(s)
	}
	if isNumber {
		if n := js.Number(s); !math.IsNaN(n) {
			return NewNumber(n)
		}
	}
	return NewString(s)
}

// resolvePath makes s absolute; ~/ is the home directory.
func (c *Config) resolvePath(s string) string {
	if c.home != "" && len(s) >= 2 && s[0] == '~' && (s[1] == '/' || c.windows && s[1] == '\\') {
		return filepath.Join(c.home, s[2:])
	}
	return c.abs(s)
}

func (c *Config) abs(s string) string {
	if filepath.IsAbs(s) {
		return filepath.Clean(s)
	}
	return filepath.Join(c.cwd, s)
}

// parseUmask reads 022, 0o22 (octal) and 18 (decimal).
func parseUmask(s string) (float64, bool) {
	base := 10.0
	if strings.HasPrefix(s, "0") && len(s) > 1 {
		base = 8
		s = strings.TrimPrefix(s[1:], "o")
	} else if s == "" || s == "0" {
		return 0, false // npm's pattern wants a digit after the 0
	}
	if s == "" {
		return 0, false
	}
	n := 0.0
	for i := range len(s) {
		d := js.Hex(s[i])
		if d < 0 || d >= int(base) {
			return 0, false
		}
		n = n*base + float64(d)
	}
	return n, true
}
