package cmd

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/internal/tarball/tarballtest"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
)

func TestWhatIsAskedForIsFetchedEarly(t *testing.T) {
	lock, err := lockfile.Parse([]byte(`{"lockfileVersion": 3, "packages": {
		"": {"dependencies": {"y": "1"}, "devDependencies": {"z": "1"}},
		"node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "1.0.0"}, "node_modules/c": {"version": "1.0.0"},
		"node_modules/d": {"version": "1.0.0"}, "node_modules/e": {"version": "1.0.0"}, "node_modules/f": {"version": "1.0.0"},
		"node_modules/g": {"version": "1.0.0"}, "node_modules/w": {"link": true, "resolved": "w"},
		"node_modules/x": {"version": "1.0.0"}, "node_modules/y": {"version": "1.0.0"}, "node_modules/y/node_modules/x": {"version": "1.0.0"},
		"node_modules/z": {"version": "1.0.0"}, "w": {"optionalDependencies": {"x": "1"}}, "w/node_modules/x": {"version": "1.0.0"}
	}}`), "package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range bigFirst(linker.NewPlan(nil, lock, linker.Options{}), askedFor(lock)) {
		got = append(got, strings.ReplaceAll(string(p.Location), "node_modules/", ""))
	}
	if want := "x a b c d y e f g w z y/x w/x"; strings.Join(got, " ") != want {
		t.Errorf("the order is %q, not %q", strings.Join(got, " "), want)
	}
}

// tarballs has a tarball for each ID.
type tarballs map[string][]byte

func (g tarballs) Tarball(_ context.Context, r *fetch.Request, _ func(int) []byte) ([]byte, error) {
	return g[r.ID], nil
}

// What waits for the tree to be decided leaves the files that a process may have
// open to the rest, whether it was fetched or was in the store.
func TestOnlySoManyTreesAreKept(t *testing.T) {
	dir, have := t.TempDir(), tarballs{}
	var requests []*fetch.Request
	for i := range 5 {
		r := &fetch.Request{ID: fmt.Sprintf("p%d@1.0.0", i)}
		have[r.ID] = tarballtest.Package("package/index.js", r.ID)
		r.Integrity = integrity.Sum("sha512", have[r.ID]).String()
		requests = append(requests, r)
	}
	s := store.Open(store.Options{Dir: filepath.Join(dir, "store"), KeyFile: filepath.Join(dir, "key"), Umask: 0o022})
	for _, stored := range []bool{false, true} {
		h := &ahead{fetch: fetch.New(fetch.Options{Store: s, Getter: have}), begun: map[string]*guess{}, urgent: func() {}}
		h.ctx, h.cancel = context.WithCancel(t.Context())
		h.limit(3)
		for _, r := range requests {
			h.want(r)
		}
		h.group.Wait()
		got := 0
		for _, r := range requests {
			if tree := h.take(t.Context(), r); tree != nil {
				got++
				tree.Return()
			}
		}
		if got != 3 {
			t.Errorf("stored: %v: %d trees were kept, not 3", stored, got)
		}
		h.stop()
	}
}
