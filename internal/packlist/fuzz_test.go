package packlist

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzRule gives rubbish to the pattern reader and matcher: both must end, and
// a pattern without magic must match the name that it is.
func FuzzRule(f *testing.F) {
	trees, _ := filepath.Glob("testdata/trees/*.txtar")
	for _, file := range trees {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if strings.HasSuffix(file.Name, "ignore") {
				for line := range strings.Lines(string(file.Data)) {
					f.Add(strings.TrimSpace(line), "lib/x.js")
				}
			}
		}
	}
	f.Add("{{a,b},{1..100000}}{c,d}{e,f}", "a1ce")
	f.Add("*a*a*a*a*a*a*a*a*a*a*b", strings.Repeat("a", 255))
	f.Add("+(+(a|aa)|*(a|b))c", strings.Repeat("a", 60))
	f.Add("!(!(!(a)))", "a")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if pattern == "" || len(pattern) > 200 || len(name) > 300 || name == "" {
			return
		}
		r := parseRule(pattern)
		path := splitSlashes(name)
		r.match(path, false)
		r.match(path, true)
		if strings.ContainsAny(name, "!#*?[]{}()\\+@|.") || strings.TrimSpace(name) != name {
			return
		}
		exact := parseRule(name)
		if !exact.match(path, false) {
			t.Fatalf("%q doesn't match itself", name)
		}
	})
}

func TestExpandBraces(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{"a{b,c}d", "abd acd"},
		{"{}a,b", "{}a,b"},
		{"a{},b}c", "a}c abc"},
		{"{a},b}", "a} b"},
		{"x{{a,b}}y", "x{a}y x{b}y"},
		{"${a,b}", "${a,b}"},
		{"{1..3}", "1 2 3"},
		{"{3..1}", "3 2 1"},
		{"{01..10..3}", "01 04 07 10"},
		{"{-2..2..2}", "-2 0 2"},
		{"{e..a..2}", "e c a"},
		{"{1..}", "{1..}"},
		{"{a,b", "{a,b"},
		{"a{b}c", "a{b}c"},
		{"a{b,{c,d}e}", "ab ace ade"},
		{`\{a,b}`, "{a,b}"},
		{`{a\,b,c}`, "a,b c"},
		{"{a,b}{1,2}", "a1 a2 b1 b2"},
	} {
		if got := strings.Join(expandBraces(c.pattern), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.pattern, got, c.want)
		}
	}
}
