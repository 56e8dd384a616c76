package lockfile

import (
	"os"
	"slices"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// recorded reads the cases that testdata/record.cjs took down from npm.
func recorded(t testing.TB, file string) []jsjson.Value {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsjson.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return v.Get("cases").Items()
}

func TestVersionOneIsInflatedAsNPMDoes(t *testing.T) {
	for _, c := range recorded(t, "testdata/inflate.json") {
		t.Run(c.Get("name").Str(), func(t *testing.T) {
			f, err := Parse([]byte(c.Get("lock").Raw()), "package-lock.json")
			if err != nil {
				t.Fatal(err)
			}
			root, err := manifest.FromValue(c.Get("package"))
			if err != nil {
				t.Fatal(err)
			}
			f.Inflate(t.TempDir(), root)
			var order, want []string
			for _, p := range f.Packages {
				order = append(order, string(p.Location))
			}
			for _, l := range c.Get("order").Items() {
				want = append(want, l.Str())
			}
			if !slices.Equal(order, want) {
				t.Errorf("locations %q, npm has %q", order, want)
			}
			f.LockfileVersion = 3
			encoded, err := jsjson.Parse(f.Encode())
			if err != nil {
				t.Fatal(err)
			}
			got := string(jsjson.Append(nil, encoded.Get("packages"), "  ", "\n")) + "\n"
			if want := c.Get("packages").Str(); got != want {
				t.Errorf("got %s\nnpm has %s", got, want)
			}
		})
	}
}

func TestConflictsAreMergedAsNPMDoes(t *testing.T) {
	for _, c := range recorded(t, "testdata/conflict.json") {
		t.Run(c.Get("name").Str(), func(t *testing.T) {
			text := c.Get("text").Str()
			if !hasConflict([]byte(text)) {
				t.Fatal("no conflict found")
			}
			parent, ours, theirs := splitConflict([]byte(text))
			var sides [3]jsjson.Value
			for i, side := range []*side{parent, ours, theirs} {
				v, err := jsjson.Parse([]byte(side.text.String()))
				if err != nil {
					if !c.Get("error").Bool() {
						t.Fatal(err)
					}
					_, err = Parse([]byte(text), "package-lock.json")
					t.Log(err)
					return
				}
				sides[i] = v
			}
			if c.Get("error").Bool() {
				t.Fatal("npm can't read this")
			}
			if got := string(merge(sides[0], sides[1], sides[2]).Raw()); got != c.Get("merged").Str() {
				t.Errorf("got %s\nnpm has %s", got, c.Get("merged").Str())
			}
		})
	}
}
