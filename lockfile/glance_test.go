package lockfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/lockfile"
)

// A glance has to see what reading the whole lock sees.
func sameAsParsed(t *testing.T, text []byte) {
	t.Helper()
	f, err := lockfile.Parse(text, "package-lock.json")
	if err != nil {
		return
	}
	at := map[lockfile.Location]lockfile.Glimpse{}
	for _, g := range lockfile.Glance(text) {
		at[g.Location] = g
	}
	if len(at) == 0 {
		return // version 1, or a form that is not npm's
	}
	for _, p := range f.Packages {
		g, ok := at[p.Location]
		if !ok {
			t.Fatalf("%s is not seen", p.Location)
		}
		own := ""
		if p.Meta != nil {
			own = p.Meta.Name
		}
		want := lockfile.Glimpse{
			Location: p.Location, Name: own, Version: p.Version(), Resolved: p.Resolved,
			Link: p.Link, InBundle: p.InBundle, Extraneous: p.Extraneous, Peer: p.Peer, Dev: p.Dev, Optional: p.Optional, DevOptional: p.DevOptional,
		}
		if g != want {
			t.Fatalf("a glance shows\n%+v, the lock has\n%+v", g, want)
		}
	}
}

func TestAGlanceSeesWhatIsThere(t *testing.T) {
	locks, err := filepath.Glob(filepath.Join("..", "testdata", "apps", "*", "package-lock.json"))
	if err != nil || len(locks) == 0 {
		t.Fatal("no locks to look at", err)
	}
	for _, name := range locks {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(lockfile.Glance(text)) < 100 {
			t.Errorf("%s: %d entries seen", name, len(lockfile.Glance(text)))
		}
		sameAsParsed(t, text)
	}
}

func TestAGlanceAtWhatIsNoLockShowsNothing(t *testing.T) {
	for _, text := range []string{
		"", "{", "[]", `{"packages":`, `{"packages":{"a":{"version":"1"}}`, `{"packages":{"a":1}}`, `{"packages":{}}x`,
		`{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,"packages":{"a":{}}}`,
	} {
		if g := lockfile.Glance([]byte(text)); len(g) > 0 {
			t.Errorf("%.40q shows %+v", text, g)
		}
	}
	g := lockfile.Glance([]byte(`{"packages": {"node_modules/\u0061\/b": {"version": "1", "dev": true, "x": [1, {"y": "}"}]}}}`))
	if len(g) != 1 || g[0].Location != "node_modules/a/b" || g[0].Version != "1" || !g[0].Dev {
		t.Errorf("%+v", g)
	}
}

func BenchmarkGlance(b *testing.B) {
	text, err := os.ReadFile(filepath.Join("..", "testdata", "apps", "web", "package-lock.json"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		lockfile.Glance(text)
	}
}

func FuzzGlance(f *testing.F) {
	f.Add([]byte(`{"lockfileVersion": 3, "packages": {"": {"name": "x"}, "node_modules/a": {"version": "1.0.0", "dev": true}}}`))
	f.Add([]byte(`{"packages": {"node_modules/a": {"resolved": "packages/a", "link": true}}}`))
	f.Add([]byte(`{"packages": {"node_modules/\"": {"version": "\ud83d"}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, g := range lockfile.Glance(text) {
			if len(g.Location)+len(g.Version) > 3*len(text) {
				t.Error("more is seen than is there")
			}
		}
	})
}
