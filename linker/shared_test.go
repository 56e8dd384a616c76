package linker

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/lockfile"
)

// layoutOf writes a linked layout: "a: b c" is a package with its dependencies,
// and "a=2" one whose content is another. The keys say nothing.
func layoutOf(text string) (*lockfile.Lockfile, map[string]string) {
	l, content := lockfile.New(), map[string]string{}
	at := func(name string) string { return storeDir + "/" + name + "@1.0.0-key/node_modules/" }
	for line := range strings.Lines(text) {
		name, deps, _ := strings.Cut(strings.TrimSpace(line), ":")
		name, what, _ := strings.Cut(name, "=")
		if name == "" {
			continue
		}
		content[name] = what
		l.Packages = append(l.Packages, &lockfile.Package{Location: lockfile.Location(at(name) + name), Meta: &manifest.Manifest{Name: name, Version: "1.0.0"}})
		for dep := range strings.FieldsSeq(deps) {
			l.Packages = append(l.Packages, &lockfile.Package{Location: lockfile.Location(at(name) + dep), Link: true, Resolved: at(dep) + dep})
		}
	}
	l.Index()
	return l, content
}

func idsOf(text string) map[string]string {
	l, content := layoutOf(text)
	out := map[string]string{}
	for _, e := range SharedEntries(l, false, func(p *lockfile.Package) []byte {
		if what := content[p.Location.Name()]; what != "private" {
			return []byte("content " + what)
		}
		return nil
	}) {
		out[e.Name()] = fmt.Sprintf("%x", e.ID[:8])
	}
	return out
}

func TestASharedPackageIsNamedByAllThatItDependsOn(t *testing.T) {
	was := idsOf("a: b\n b: c\n c: b d\n d:\n e:\n")
	for name, c := range map[string]struct {
		layout string
		other  string // the packages that are others then
		gone   string
	}{
		"other keys and another order":         {"e:\n d:\n c: d b\n b: c\n a: b\n", "", ""},
		"one more that nothing here needs":     {"a: b\n b: c\n c: b d\n d:\n e:\n f: a\n", "", ""},
		"other bytes at the end":               {"a: b\n b: c\n c: b d\n d=2:\n e:\n", "a b c d", ""},
		"other bytes in a circle":              {"a: b\n b: c\n c=2: b d\n d:\n e:\n", "a b c", ""},
		"a dependency less":                    {"a: b\n b: c\n c: b\n d:\n e:\n", "a b c", ""},
		"a circle that is none":                {"a: b\n b: c\n c: d\n d:\n e:\n", "a b c", ""},
		"one that is the project's own":        {"a: b\n b: c\n c: b d\n d=private:\n e:\n", "", "a b c d"},
		"one at the top that is the project's": {"a=private: b\n b: c\n c: b d\n d:\n e:\n", "", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			is := idsOf(c.layout)
			for _, p := range []string{"a", "b", "c", "d", "e"} {
				gone, other := strings.Contains(c.gone, p), strings.Contains(c.other, p)
				switch {
				case gone != (is[p] == ""):
					t.Errorf("%s is shared: %v", p, is[p] != "")
				case !gone && other == (is[p] == was[p]):
					t.Errorf("%s: %s, was %s", p, is[p], was[p])
				}
			}
		})
	}
	seen := map[string]string{}
	for p, id := range was {
		if seen[id] != "" {
			t.Errorf("%s and %s have one name", p, seen[id])
		}
		seen[id] = p
	}
}

// Whatever else is in a layout, and in whatever order, a package has one name.
func TestSharedNamesDoNotDependOnTheRest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 2 + r.IntN(9)
		lines := make([]string, n)
		for i := range lines {
			lines[i] = fmt.Sprintf("p%c:", 'a'+i)
			for j := range n {
				if i != j && r.IntN(4) == 0 {
					lines[i] += fmt.Sprintf(" p%c", 'a'+j)
				}
			}
		}
		was := idsOf(strings.Join(lines, "\n"))
		r.Shuffle(n, func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		more := append(lines, "pz: pa", "py=2:")
		for p, id := range was {
			if is := idsOf(strings.Join(more, "\n")); is[p] != id {
				t.Fatalf("%s: %s, was %s, in\n%s", p, is[p], id, strings.Join(more, "\n"))
			}
		}
	}
}

func TestAPlanWritesNothingThroughASharedFolder(t *testing.T) {
	l, _ := layoutOf("a: b\n b:\n c: b\n")
	for _, p := range l.Packages {
		if !p.Link {
			p.Meta.Bin = []manifest.Bin{{Name: "run-" + p.Location.Name(), Path: "cli.js"}}
		}
	}
	share := map[string]string{storeDir + "/a@1.0.0-key": "/shared/1", storeDir + "/b@1.0.0-key": "/shared/2"}
	plan := NewPlan(nil, l, Options{Shared: share})
	if len(plan.Shares) != 2 || plan.Added != 3 {
		t.Errorf("%d links, %d added", len(plan.Shares), plan.Added)
	}
	for _, s := range plan.Steps {
		if !strings.HasPrefix(string(s.Package.Location), storeDir+"/c@1.0.0-key/") {
			t.Errorf("a step at %s", s.Package.Location)
		}
	}
	for _, b := range plan.Bins {
		if !strings.HasPrefix(b.Path, storeDir+"/c@1.0.0-key/") {
			t.Errorf("a bin at %s", b.Path)
		}
	}
	if again := NewPlan(l, l, Options{Shared: share}); len(again.Shares)+len(again.Steps)+len(again.OldBins) > 0 {
		t.Errorf("%+v", again)
	}
}
