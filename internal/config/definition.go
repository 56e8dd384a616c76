package config

import (
	"sort"
	"strings"
)

// TypeKind names one kind of value that a key allows.
type TypeKind uint8

// The kinds of types, those of nopt and @npmcli/config's type-defs.js. The
// order of a definition's types matters: the first that accepts a value decides
// what becomes of it.
const (
	TypeString       TypeKind = iota + 1
	TypeBoolean               // accepts everything
	TypeNumber                // what JavaScript's Number() understands
	TypePath                  // made absolute against the working directory; ~/ is the home directory
	TypeURL                   // normalised as new URL(x).href
	TypeDate                  // what Date.parse understands
	TypeSemver                // a full version
	TypeUmask                 // octal, or decimal when it starts with 1-9
	TypeArray                 // may be given several times
	TypeNull                  // null, also as --no-key
	TypeFalse                 // the literal false
	TypeLiteral               // the string Literal
	TypeLiteralNum            // the number Literal
	TypeLocalAddress          // an address of one of this machine's interfaces
)

// Type is one alternative of what a key allows.
type Type struct {
	Kind    TypeKind
	Literal string
}

// Definition describes one key of the configuration.
type Definition struct {
	Key         string
	Types       []Type
	Default     Value    // before ~ is expanded; some defaults depend on the environment, see Config.Get
	Short       string   // one-letter flags, one letter each
	Hint        string   // what stands for the value in usage lines: "<number>"
	Aliases     []string // other long flags, of a command's own definitions only
	Exclusive   []string // keys that must not be set as well
	Deprecated  string   // what to use instead; a deprecated key is never exported
	NoEnv       bool     // not exported to child processes
	Since       int      // npm's major version that brought it, 0 when older than 12
	Gone        bool     // no longer known to npm 12, still accepted
	Own         bool     // ibid's own: npm does not know it
	Description string   // one or two sentences
	DefaultText string   // the default in words, where the value does not say it

	order int // place in npm's own table, which decides on ties
}

// Allows reports whether one of d's types is of kind k.
func (d *Definition) Allows(k TypeKind) bool {
	if d == nil {
		return false
	}
	for _, t := range d.Types {
		if t.Kind == k {
			return true
		}
	}
	return false
}

// IsBoolean reports whether the flag may stand alone and be negated.
func (d *Definition) IsBoolean() bool { return d.Allows(TypeBoolean) }

func (d *Definition) allowsLiteral(s string) bool {
	if d == nil {
		return false
	}
	for _, t := range d.Types {
		if t.Kind == TypeLiteral && t.Literal == s {
			return true
		}
	}
	return false
}

// Lookup returns the definition of key, or nil.
func Lookup(key string) *Definition {
	i := sort.Search(len(definitions), func(i int) bool { return definitions[i].Key >= key })
	if i < len(definitions) && definitions[i].Key == key {
		return &definitions[i]
	}
	return nil
}

// Definitions returns every definition, sorted by key. The caller must not
// change them.
func Definitions() []Definition { return definitions[:] }

// Usage returns the flag as a usage line shows it: "-D|--save-dev",
// "--no-save", "--omit <dev|optional|peer> [--omit <dev|optional|peer> ...]".
// It follows describeUsage in @npmcli/config's definition.js.
func (d *Definition) Usage() string {
	switch d.Key {
	case "color":
		return "--color|--no-color|--color always"
	case "save":
		return "-S|--save|--no-save|--save-prod|--save-dev|--save-optional|--save-peer|--save-bundle"
	}
	short := ""
	if d.Short != "" {
		short = "-" + strings.Join(strings.Split(d.Short, ""), ",") + "|"
	}
	if len(d.Types) == 1 && d.Types[0].Kind != TypeLiteral {
		switch {
		case d.Types[0].Kind != TypeBoolean:
			return short + "--" + d.Key + " " + d.hint()
		case same(d.Default, yes):
			return short + "--no-" + d.Key
		}
		return short + "--" + d.Key
	}
	usage := short + "--" + d.Key
	var literals []string
	generic, multiple, boolean := false, false, false
	for _, t := range d.Types {
		switch t.Kind {
		case TypeNull:
		case TypeArray:
			multiple = true
		case TypeBoolean:
			boolean = true
		case TypeLiteral:
			literals = append(literals, t.Literal)
		default:
			generic = true
		}
	}
	if !generic && len(literals) == 0 {
		return usage
	}
	description := d.hint()
	if !generic {
		kept := literals[:0]
		for _, l := range literals {
			if l != "" {
				kept = append(kept, l)
			}
		}
		description = "<" + strings.Join(kept, "|") + ">"
	}
	if boolean {
		usage = "--no-" + d.Key + "|" + usage
	}
	usage += " " + description
	if multiple {
		return usage + " [" + usage + " ...]"
	}
	return usage
}

func (d *Definition) hint() string {
	if d.Hint != "" {
		return d.Hint
	}
	if len(d.Types) == 1 && d.Types[0].Kind == TypeNumber {
		return "<number>"
	}
	return "<" + d.Key + ">"
}

// Help returns what a person is told about the key: flag, description, default
// and type, without line breaks within a part.
func (d *Definition) Help() (flag, description, def, typ string) {
	def = d.DefaultText
	if def == "" {
		def = d.Default.JSON()
		if d.Default.kind == List {
			def = ""
		}
	}
	flag = d.Usage()
	if rest, ok := strings.CutPrefix(flag, "--no-"); ok && rest == d.Key {
		flag = "--" + rest + "|" + flag // the description is of what it is without a no
	}
	return flag, d.Description, def, d.TypeText()
}

// TypeText describes the types in words: "null, Boolean, or String".
func (d *Definition) TypeText() string {
	var words []string
	multiple := ""
	for _, t := range d.Types {
		switch t.Kind {
		case TypeArray:
			multiple = " (can be set multiple times)"
		case TypeLocalAddress:
			words = append(words, "IP address")
		default:
			words = append(words, t.name())
		}
	}
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0] + multiple
	case 2:
		return words[0] + " or " + words[1] + multiple
	}
	return strings.Join(words[:len(words)-1], ", ") + ", or " + words[len(words)-1] + multiple
}

func (t Type) name() string {
	switch t.Kind {
	case TypeString:
		return "String"
	case TypeBoolean:
		return "Boolean"
	case TypeNumber:
		return "Number"
	case TypePath:
		return "Path"
	case TypeURL:
		return "URL"
	case TypeDate:
		return "Date"
	case TypeSemver:
		return "SemVer string"
	case TypeUmask:
		return "Octal numeric string in range 0000..0777 (0..511)"
	case TypeNull:
		return "null"
	case TypeFalse:
		return "false"
	case TypeLiteral:
		return NewString(t.Literal).JSON()
	}
	return t.Literal
}

// nerfDarts are the keys that mean something after "//host/path/:".
var nerfDarts = [...]string{"_auth", "_authToken", "_password", "certfile", "email", "keyfile", "username"}

func isNerfDartKey(key string) bool {
	for _, k := range nerfDarts {
		if k == key {
			return true
		}
	}
	return false
}
