package resolver

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/lockfile"
)

// watched notes whatever it is asked for.
type watched struct {
	mu    sync.Mutex
	asked []string
}

func (w *watched) Manifest(_ context.Context, s *spec.Spec, _ Wish) (*Fetched, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, s.String())
	return nil, errors.New("asked")
}

func (w *watched) Content(_ context.Context, p Wanted) (fs.FS, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, p.Resolved)
	return nil, errors.New("asked")
}

func TestWhatIsNotAllowedIsNotAskedFor(t *testing.T) {
	for _, arg := range []string{
		"github:u/p", "name@github:u/p", "git+https://example.com/x.git", "https://example.com/x.tgz", "name@https://example.com/x.tgz",
	} {
		w := &watched{}
		_, err := Resolve(t.Context(), w, Request{
			Dir: t.TempDir(), Manifest: &manifest.Manifest{Name: "app", Version: "1.0.0"}, Add: []string{arg},
			AllowGit: AllowNone, AllowRemote: AllowNone,
		})
		var refused *AllowError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", arg, err)
		}
		if len(w.asked) > 0 {
			t.Errorf("%s: asked for %v", arg, w.asked)
		}
	}
}

// A lock of version 1 has manifests fetched before anything is decided; it may
// name any host and any repository.
func TestAnOldLockAsksForNothingThatIsNotAllowed(t *testing.T) {
	const old = `{"lockfileVersion": 1, "requires": true, "dependencies": {
		"a": {"version": "https://example.com/a.tgz"},
		"b": {"version": "git+https://example.com/b.git#0123456789012345678901234567890123456789", "from": "git+https://example.com/b.git"},
		"c": {"version": "github:u/c#0123456789012345678901234567890123456789", "from": "github:u/c"},
		"d": {"version": "1.0.0", "resolved": "https://registry.npmjs.org/d/-/d-1.0.0.tgz"}
	}}`
	for _, allow := range []Allow{AllowNone, AllowRoot} {
		lock, err := lockfile.Parse([]byte(old), "package-lock.json")
		if err != nil {
			t.Fatal(err)
		}
		req := Request{
			Dir: t.TempDir(), Lock: lock, AllowGit: allow, AllowRemote: allow,
			Manifest: &manifest.Manifest{Name: "app", Version: "1.0.0", Dependencies: manifest.Deps{
				{Name: "a", Spec: "https://example.com/a.tgz"}, {Name: "b", Spec: "git+https://example.com/b.git"},
				{Name: "c", Spec: "github:u/c"}, {Name: "d", Spec: "1.0.0"},
			}},
		}
		lock.Inflate(req.Dir, req.Manifest)
		w := &watched{}
		res, err := Resolve(t.Context(), w, req)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(w.asked, []string{"d@1.0.0"}) {
			t.Errorf("asked for %v", w.asked)
		}
		if res.Tree.Child("a") == nil || res.Tree.Child("b") == nil || res.Tree.Child("c") == nil {
			t.Error("the tree is not the lock's")
		}
	}
}

// A package whose lock says that it bundles others is looked into before what a lock
// says is held against what may be fetched.
func TestABundleIsNotFetchedFromWhereNothingIsAllowed(t *testing.T) {
	const registry = "https://registry.npmjs.org/"
	for resolved, want := range map[string]bool{
		"https://example.com/a.tgz": false,
		"git+https://example.com/a.git#0123456789012345678901234567890123456789": false,
		"git@example.com:u/a.git":    false,
		registry + "a/-/a-1.0.0.tgz": true,
	} {
		for _, later := range []bool{false, true} {
			missing := ""
			if !later { // npm then looks at a again
				missing = `, "x": "1"`
			}
			lock, err := lockfile.Parse([]byte(`{"lockfileVersion": 3, "requires": true, "packages": {
				"": {"name": "app", "version": "1.0.0", "dependencies": {"a": "1"}},
				"node_modules/a": {"version": "1.0.0", "resolved": "`+resolved+`", "bundleDependencies": ["b"],
					"dependencies": {"b": "1"`+missing+`}}}}`), "package-lock.json")
			if err != nil {
				t.Fatal(err)
			}
			w := &watched{}
			_, err = Resolve(t.Context(), w, Request{
				Dir: t.TempDir(), Lock: lock, Complete: !later, LayOut: later, AllowGit: AllowNone, AllowRemote: AllowNone,
				FromRegistry: func(_, url string) bool { return strings.HasPrefix(url, registry) },
				Manifest:     &manifest.Manifest{Name: "app", Version: "1.0.0", Dependencies: manifest.Deps{{Name: "a", Spec: "1"}}},
			})
			if got := slices.ContainsFunc(w.asked, func(of string) bool { return !strings.HasPrefix(of, "x@") }); got != want {
				t.Errorf("%s: asked for is %v", resolved, got)
			}
			var refused *AllowError
			if errors.As(err, &refused) == want {
				t.Errorf("%s: %v", resolved, err)
			}
		}
	}
}

// A lock that does not say where a package is from, as of one that is bundled, says
// nothing of the repository that somebody wants it from.
func TestWhatALockHasFromNowhereIsNoRepositorys(t *testing.T) {
	for _, want := range []string{"github:u/c", "git+https://example.com/c.git"} {
		lock, err := lockfile.Parse([]byte(`{"lockfileVersion": 3, "packages": {
			"": {"dependencies": {"c": "`+want+`"}}, "node_modules/c": {"version": "1.0.0"}
		}}`), "package-lock.json")
		if err != nil {
			t.Fatal(err)
		}
		w := &watched{}
		_, _ = Resolve(t.Context(), w, Request{
			Dir: t.TempDir(), Lock: lock, AllowGit: AllowAll,
			Manifest: &manifest.Manifest{Name: "app", Version: "1.0.0", Dependencies: manifest.Deps{{Name: "c", Spec: want}}},
		})
		if len(w.asked) != 1 {
			t.Errorf("%s: asked for %v", want, w.asked)
		}
	}
}
