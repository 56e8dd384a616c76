package config

import (
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// UnknownFlagError says that flags or keys are not npm's. Its Code is
// EUNKNOWNCONFIG.
type UnknownFlagError struct {
	Message string
	// Keys are the unknown flags and keys, without dashes, but for those that
	// Message has a word for.
	Keys []string
}

func (e *UnknownFlagError) Error() string { return e.Message }

// Code returns npm's code for the error.
func (e *UnknownFlagError) Code() string { return "EUNKNOWNCONFIG" }

// wordyShorthands are the words that stand for other flags, in npm's order;
// one-letter flags come from the definitions as well. They work on the command
// line only (@npmcli/config lib/definitions/index.js).
var wordyShorthands = [...]struct {
	name string
	to   []string
}{
	{"enjoy-by", []string{"--before"}},
	{"d", []string{"--loglevel", "info"}},
	{"dd", []string{"--loglevel", "verbose"}},
	{"ddd", []string{"--loglevel", "silly"}},
	{"quiet", []string{"--loglevel", "warn"}},
	{"q", []string{"--loglevel", "warn"}},
	{"s", []string{"--loglevel", "silent"}},
	{"silent", []string{"--loglevel", "silent"}},
	{"verbose", []string{"--loglevel", "verbose"}},
	{"desc", []string{"--description"}},
	{"help", []string{"--usage"}},
	{"local", []string{"--no-global"}},
	{"n", []string{"--no-yes"}},
	{"no", []string{"--no-yes"}},
	{"porcelain", []string{"--parseable"}},
	{"readonly", []string{"--read-only"}},
	{"reg", []string{"--registry"}},
	{"iwr", []string{"--include-workspace-root"}},
	{"ws", []string{"--workspaces"}},
}

// Shorthands returns the words that stand for other flags, and what they stand
// for: "help" is "--usage".
func Shorthands() map[string][]string {
	m := make(map[string][]string, len(wordyShorthands)+24)
	for _, s := range wordyShorthands {
		m[s.name] = s.to
	}
	for i := range definitions {
		d := &definitions[i]
		for j := range len(d.Short) {
			m[d.Short[j:j+1]] = []string{"--" + d.Key}
		}
	}
	return m
}

func shorthand(name string) []string {
	for i := range wordyShorthands {
		if wordyShorthands[i].name == name {
			return wordyShorthands[i].to
		}
	}
	if len(name) != 1 {
		return nil
	}
	for i := range definitions {
		if strings.Contains(definitions[i].Short, name) {
			return []string{"--" + definitions[i].Key}
		}
	}
	return nil
}

// arguments is a command line taken apart.
type arguments struct {
	flags      table
	words      []string // command and positional arguments, in order
	afterDash  int      // index in words of the first one after "--", or -1
	unexpected []hanging
}

// hanging is a word after an unknown flag: it may have been meant as its value.
type hanging struct{ flag, word string }

// parseArgs takes args apart as nopt does with npm's types (nopt lib/nopt-lib.js,
// parse).
//
// A flag may stand anywhere. A boolean takes the next word only if it is "true"
// or "false"; other flags take it unless it looks like a flag. An unknown flag
// is kept and counts as boolean. An abbreviated flag is an error, as in npm 12.
// lookup and shorthand know the flags.
func parseArgs(args []string, lookup func(string) *Definition, shorthand func(string) []string) (arguments, error) {
	out := arguments{afterDash: -1}
	// Expansions push words back in front of what is left to read.
	rest := append([]string(nil), args...)
	for len(rest) > 0 {
		arg := rest[0]
		if len(arg) >= 2 && strings.Trim(arg, "-") == "" {
			out.afterDash = len(out.words)
			out.words = append(out.words, rest[1:]...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			out.words = append(out.words, arg)
			rest = rest[1:]
			continue
		}
		if dashed := arg[1:]; dashed[0] != '-' && len(dashed) > 1 && shorthand(dashed) != nil {
			return out, &UnknownFlagError{
				Message: arg + " is not a valid single-hyphen cli flag. Did you mean -" + arg + "?",
			}
		}
		hadEq := false
		if i := strings.IndexByte(arg, '='); i >= 0 {
			hadEq = true
			value := arg[i+1:]
			arg = arg[:i]
			rest = append([]string{arg, value}, rest[1:]...)
		}
		expansion, err := expandShorthand(arg, lookup, shorthand)
		if err != nil {
			return out, err
		}
		if expansion != nil {
			rest = append(append([]string(nil), expansion...), rest[1:]...)
			continue
		}
		name := strings.TrimLeft(arg, "-")
		negated, hasNo := false, false
		for len(name) >= 3 && strings.EqualFold(name[:3], "no-") {
			negated, hasNo = !negated, true
			name = name[3:]
		}
		def := lookup(name)
		if def == nil {
			if long := unabbreviate(name); long != "" {
				return out, abbreviated(name, long)
			}
		}
		rest = out.flag(name, def, negated, hasNo, hadEq, rest)
	}
	return out, nil
}

// flag records one flag whose name is rest[0], with or without a value that
// follows, and returns what is left to read.
func (a *arguments) flag(name string, def *Definition, negated, hasNo, hadEq bool, rest []string) []string {
	next, hasNext := "", len(rest) > 1
	if hasNext {
		next = rest[1]
	}
	typeList := def != nil && len(def.Types) > 1
	isList := typeList && def.Allows(TypeArray)
	if def == nil {
		// An unknown flag given twice becomes a list.
		if old, ok := a.flags.get(name); ok {
			if old.kind != List {
				a.flags.set(name, NewList(old))
			}
			isList = true
		}
		if !hadEq && next != "" && next[0] != '-' && next != "true" && next != "false" {
			a.unexpected = append(a.unexpected, hanging{name, next})
		}
	}
	put := func(v Value) {
		if isList {
			old, _ := a.flags.get(name)
			v = Value{kind: List, list: append(old.list, v)}
		}
		a.flags.set(name, v)
	}
	isBool := hasNo || def.IsBoolean() || def == nil && !hadEq ||
		hasNext && next == "false" && typeList && def.Allows(TypeNull)
	if isBool {
		v := NewBool(!negated)
		used := 1
		if hasNext && (next == "true" || next == "false") {
			v = NewBool((next == "true") != negated)
			used, hasNext, next = 2, false, ""
		}
		if typeList && hasNext && next != "" {
			switch {
			case def.allowsLiteral(next):
				v, used = NewString(next), 2
			case next == "null" && def.Allows(TypeNull):
				v, used = null, 2
			case !isLongFlag(next) && def.Allows(TypeNumber) && !math.IsNaN(js.Number(next)):
				v, used = NewNumber(js.Number(next)), 2
			case !isShortFlag(next) && def.Allows(TypeString):
				v, used = NewString(next), 2
			}
		}
		put(v)
		return rest[used:]
	}
	used := 2
	if def != nil && len(def.Types) == 1 && def.Types[0].Kind == TypeString {
		switch {
		case !hasNext:
			hasNext = true
		case isLongFlag(next) || isShortFlag(next):
			next, used = "", 1
		}
	}
	if hasNext && len(next) >= 2 && strings.Trim(next, "-") == "" {
		hasNext, used = false, used-1
	}
	if hasNext {
		put(NewString(next))
	} else {
		put(NewBool(true))
	}
	return rest[min(max(used, 1), len(rest)):]
}

// isLongFlag is nopt's /^-{2,}[^-]/, isShortFlag its /^-[^-]/.
func isLongFlag(s string) bool {
	t := strings.TrimLeft(s, "-")
	return len(s)-len(t) >= 2 && t != ""
}

func isShortFlag(s string) bool { return len(s) > 1 && s[0] == '-' && s[1] != '-' }

// expandShorthand returns what arg stands for, or nil (nopt's resolveShort).
func expandShorthand(arg string, lookup func(string) *Definition, shorthand func(string) []string) ([]string, error) {
	name := strings.TrimLeft(arg, "-")
	if lookup(name) != nil {
		return nil, nil
	}
	if name == "" {
		return []string{}, nil // "--=x" is x
	}
	if to := shorthand(name); to != nil {
		return to, nil
	}
	// One-letter flags may be written as one word, -gD.
	var all []string
	for i := range len(name) {
		to := shorthand(name[i : i+1])
		if to == nil {
			all = nil
			break
		}
		all = append(all, to...)
	}
	if all != nil {
		return all, nil
	}
	if unabbreviate(name) != "" {
		return nil, nil // reported by the caller
	}
	long := ""
	for i := range wordyShorthands {
		if name != "" && strings.HasPrefix(wordyShorthands[i].name, name) {
			if long != "" {
				return nil, nil
			}
			long = wordyShorthands[i].name
		}
	}
	if long != "" {
		return nil, abbreviated(name, long)
	}
	return nil, nil
}

// unabbreviate returns the only key that begins with name, or "".
func unabbreviate(name string) string {
	if name == "" {
		return ""
	}
	i := sort.Search(len(definitions), func(i int) bool { return definitions[i].Key >= name })
	if i == len(definitions) || !strings.HasPrefix(definitions[i].Key, name) {
		return ""
	}
	if i+1 < len(definitions) && strings.HasPrefix(definitions[i+1].Key, name) {
		return ""
	}
	return definitions[i].Key
}

func abbreviated(short, long string) error {
	return &UnknownFlagError{Message: `Invalid abbreviated flag "--` + short + `". Did you mean "--` + long + `"?`}
}

// CommandFlags reads the flags that only this command has, described by defs,
// and the words after the first skip, which name the command. Flags that are not
// given have their default. A flag and its alias, or two aliases, must not both
// be given. It replaces CheckUnknown: other unknown flags are an error.
//
// The values of these flags are not words of the command, as they are for
// Args, which does not know that the flags take values.
func (c *Config) CommandFlags(defs []Definition, skip int) (flags map[string]Value, words []string, err error) {
	own := func(name string) *Definition {
		for i := range defs {
			if defs[i].Key == name || slices.Contains(defs[i].Aliases, name) {
				return &defs[i]
			}
		}
		return nil
	}
	parsed, err := parseArgs(c.env.Args, func(name string) *Definition {
		if def := own(name); def != nil {
			return def
		}
		return Lookup(name)
	}, func(name string) []string {
		for i := range defs {
			if len(name) == 1 && strings.Contains(defs[i].Short, name) {
				return []string{"--" + defs[i].Key}
			}
		}
		return shorthand(name)
	})
	if err != nil {
		return nil, nil, err
	}
	flags = make(map[string]Value, len(defs))
	var allowed []string
	for i := range defs {
		def := &defs[i]
		allowed = append(append(allowed, def.Key), def.Aliases...)
		allowed = append(allowed, strings.Split(def.Short, "")...)
		flags[def.Key] = def.Default
		var given []string
		for _, name := range append([]string{def.Key}, def.Aliases...) {
			v, ok := parsed.flags.get(name)
			if !ok {
				continue
			}
			given = append(given, "--"+name)
			v, ok, bad := c.cleanAs(def, v)
			for _, b := range bad {
				c.warn("warn", "invalid config", name+"="+shown(name, b)+" set in command line options")
				c.warn("warn", "invalid config", def.mustBe())
			}
			if ok {
				flags[def.Key] = v
			}
		}
		if len(given) > 1 {
			return nil, nil, &Error{Message: "Please provide only one of " + strings.Join(given, " or ")}
		}
	}
	words = parsed.words[min(skip, len(parsed.words)):]
	// A word that was a flag's value after all needs no warning.
	c.warnings = slices.DeleteFunc(c.warnings, func(w Warning) bool {
		return w.Word != "" && !slices.Contains(words, w.Word)
	})
	return flags, words, c.CheckUnknown(allowed...)
}
