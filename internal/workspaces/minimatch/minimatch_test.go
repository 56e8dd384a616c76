package minimatch

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// Each pattern matches the paths that npm's minimatch matches.
func TestMatchAsNPM(t *testing.T) {
	data, err := os.ReadFile("testdata/match.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Paths []string
		Cases [][3]any
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		pattern, option := c[0].(string), c[1].(string)
		var want, got []string
		for _, p := range c[2].([]any) {
			want = append(want, p.(string))
		}
		m := Compile(pattern, Options{Dot: option == "dot", Partial: option == "partial"})
		for _, p := range file.Paths {
			if m.Match(p) {
				got = append(got, p)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q %s matches\n %q, npm\n %q", pattern, option, got, want)
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
