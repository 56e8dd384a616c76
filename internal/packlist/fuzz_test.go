package packlist

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/minimatch"
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
		path := minimatch.Split(name)
		r.Hits(path, false)
		r.Hits(path, true)
		if strings.ContainsAny(name, "!#*?[]{}()\\+@|.") || strings.TrimSpace(name) != name {
			return
		}
		exact := parseRule(name)
		if !exact.Hits(path, false) {
			t.Fatalf("%q doesn't match itself", name)
		}
	})
}
