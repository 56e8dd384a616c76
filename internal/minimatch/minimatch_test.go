package minimatch

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// recording is what npm's minimatch says. To make it again, in testdata:
//
//	node record.js <directory of npm> > match.json
type recording struct {
	Paths  []string
	Cases  [][3]any
	Random []struct {
		Pattern        string
		Options        Options
		Tried, Matched []string
	}
}

func recorded(t *testing.T) (r recording) {
	t.Helper()
	data, err := os.ReadFile("testdata/match.json")
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func matched(pattern string, opts Options, paths []string) []string {
	p := Compile(pattern, opts)
	got := []string{}
	for _, path := range paths {
		if p.Match(path) {
			got = append(got, path)
		}
	}
	return got
}

func TestMatchAsNPM(t *testing.T) {
	r := recorded(t)
	for _, c := range r.Cases {
		pattern, option := c[0].(string), c[1].(string)
		want := []string{}
		for _, p := range c[2].([]any) {
			want = append(want, p.(string))
		}
		if got := matched(pattern, Options{Dot: option == "dot", Partial: option == "partial"}, r.Paths); !slices.Equal(got, want) {
			t.Errorf("%q %s matches\n %q, npm\n %q", pattern, option, got, want)
		}
	}
}

func TestMatchAtRandomAsNPM(t *testing.T) {
	for _, c := range recorded(t).Random {
		if got := matched(c.Pattern, c.Options, c.Tried); !slices.Equal(got, c.Matched) {
			t.Errorf("%q %+v of %q matches %q, npm %q", c.Pattern, c.Options, c.Tried, got, c.Matched)
		}
	}
}

// Each of these groups was looked for to the end, from where the last had failed:
// a package.json with one such workspace took hours.
func TestGroupsWithoutEndAreReadOnce(t *testing.T) {
	pattern := strings.Repeat("@(a|", maxPattern/4)
	if got := matched(pattern, Options{}, []string{pattern, "a"}); !slices.Equal(got, []string{pattern}) {
		t.Errorf("%d names match", len(got))
	}
}

// So was each class: a minute for the longest pattern.
func TestClassesWithoutEndAreReadOnce(t *testing.T) {
	var p globParser
	p.src = utf16.Encode([]rune(strings.Repeat("[a", maxPattern/2)))
	if globs := p.sequence(0, false, true); len(globs) != maxPattern || !p.noClass {
		t.Errorf("%d globs", len(globs))
	}
	for pattern, name := range map[string]string{`[[:alpha:]`: "[a", `[[:alpha:][a-`: "[a[a-", `[a\][b`: "[a][b"} {
		if got := matched(pattern, Options{}, []string{name}); len(got) != 1 {
			t.Errorf("%s does not match %s", pattern, name)
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, s := range []string{"a/**/b", "{a,b{1..9}}", "!(a|+(b))", "[[:alpha:]-z]", `\`, "*(*(*(a)))b", "**/**/x/**"} {
		f.Add(s, "a/b/c")
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if len(pattern) > 60 || len(path) > 60 {
			return
		}
		Match(path, pattern, Options{})
		Match(path, pattern, Options{Partial: true, Dot: true})
	})
}

func TestBraces(t *testing.T) {
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
		if got := strings.Join(Braces(c.pattern), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.pattern, got, c.want)
		}
	}
}
