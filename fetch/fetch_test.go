package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/internal/tarball"
)

// registry answers with the tarball of a request's ID.
type registry struct {
	mu    sync.Mutex
	has   map[string][]byte
	asked map[string]int
	spoil func(id string, n int, tgz []byte) ([]byte, error)
}

func (g *registry) Tarball(_ context.Context, r *Request, alloc func(int) []byte) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.asked == nil {
		g.asked = map[string]int{}
	}
	g.asked[r.ID]++
	tgz, ok := g.has[r.ID]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if g.spoil != nil {
		return g.spoil(r.ID, g.asked[r.ID], append(alloc(len(tgz)), tgz...))
	}
	return append(alloc(len(tgz)), tgz...), nil
}

func pack(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	w.WriteHeader(&tar.Header{Name: "package/index.js", Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
	w.Write([]byte(content))
	w.Close()
	z.Close()
	return b.Bytes()
}

func newFetcher(t *testing.T, g *registry) *Fetcher {
	t.Helper()
	dir := t.TempDir()
	s := store.Open(store.Options{Dir: filepath.Join(dir, "store"), KeyFile: filepath.Join(dir, "key"), Umask: 0o022})
	return New(Options{Store: s, Getter: g})
}

func content(t *testing.T, f *Fetcher, r *Request) string {
	t.Helper()
	tree, err := f.Tree(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Return()
	dir := t.TempDir()
	into, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer into.Close()
	if err := tree.LinkInto(into); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(filepath.Join(dir, "index.js"))
	b, err := os.ReadFile(filepath.Join(dir, "index.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func sri(tgz []byte) string { return integrity.Sum("sha512", tgz).String() }

func TestPackagesOfWhichALockSaysNothingAreNotTakenForEachOther(t *testing.T) {
	g := &registry{has: map[string][]byte{"a@1.0.0": pack(t, "a"), "b@1.0.0": pack(t, "b")}}
	f := newFetcher(t, g)
	for _, name := range []string{"a", "b"} {
		if got := content(t, f, &Request{ID: name + "@1.0.0"}); got != name {
			t.Errorf("%s has the content of %s", name, got)
		}
	}
}

func TestManyWhoWantOneTarballDownloadItOnce(t *testing.T) {
	tgz := pack(t, "a")
	g := &registry{has: map[string][]byte{"a@1.0.0": tgz}}
	f := newFetcher(t, g)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := f.Ensure(t.Context(), &Request{ID: "a@1.0.0", Integrity: sri(tgz)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if g.asked["a@1.0.0"] != 1 {
		t.Errorf("asked %d times", g.asked["a@1.0.0"])
	}
}

func TestBytesThatWereNotLocked(t *testing.T) {
	tgz, other := pack(t, "a"), pack(t, "other")
	t.Run("are asked for once more and then refused", func(t *testing.T) {
		g := &registry{has: map[string][]byte{"a@1.0.0": other}}
		f := newFetcher(t, g)
		_, err := f.Tree(t.Context(), &Request{ID: "a@1.0.0", Integrity: sri(tgz)})
		var wrong *IntegrityError
		if !errors.As(err, &wrong) || wrong.Code() != "EINTEGRITY" || !strings.Contains(wrong.Hints()[0], "ibid view a@1.0.0 dist.integrity") {
			t.Errorf("got %v", err)
		}
		if g.asked["a@1.0.0"] != 2 {
			t.Errorf("asked %d times", g.asked["a@1.0.0"])
		}
	})
	t.Run("may be a page of somebody in between", func(t *testing.T) {
		g := &registry{has: map[string][]byte{"a@1.0.0": []byte("\n<!DOCTYPE html>")}}
		_, err := newFetcher(t, g).Tree(t.Context(), &Request{ID: "a@1.0.0", Integrity: sri(tgz)})
		var wrong *IntegrityError
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Hints()[0], "HTML page") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("are forgotten when the second answer is right", func(t *testing.T) {
		g := &registry{has: map[string][]byte{"a@1.0.0": tgz}, spoil: func(_ string, n int, tgz []byte) ([]byte, error) {
			if n == 1 {
				tgz[len(tgz)/2] ^= 1
			}
			return tgz, nil
		}}
		f := newFetcher(t, g)
		if got := content(t, f, &Request{ID: "a@1.0.0", Integrity: sri(tgz)}); got != "a" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("and are no archive are asked for once more, too", func(t *testing.T) {
		g := &registry{has: map[string][]byte{"a@1.0.0": tgz}, spoil: func(_ string, n int, tgz []byte) ([]byte, error) {
			return tgz[:len(tgz)/2*n], nil
		}}
		f := newFetcher(t, g)
		if got := content(t, f, &Request{ID: "a@1.0.0"}); got != "a" || g.asked["a@1.0.0"] != 2 {
			t.Errorf("got %q, asked %d times", got, g.asked["a@1.0.0"])
		}
	})
	t.Run("are refused by a SHA-1 as well", func(t *testing.T) {
		g := &registry{has: map[string][]byte{"a@1.0.0": other}}
		f := newFetcher(t, g)
		_, err := f.Tree(t.Context(), &Request{ID: "a@1.0.0", Integrity: integrity.Sum("sha1", tgz).String()})
		var wrong *IntegrityError
		if !errors.As(err, &wrong) {
			t.Errorf("got %v", err)
		}
	})
}

func TestASecondNameIsRemembered(t *testing.T) {
	tgz := pack(t, "a")
	g := &registry{has: map[string][]byte{"a@1.0.0": tgz}}
	f := newFetcher(t, g)
	r := &Request{ID: "a@1.0.0", Integrity: integrity.Sum("sha1", tgz).String()}
	content(t, f, r)
	content(t, f, r)
	if g.asked["a@1.0.0"] != 1 {
		t.Errorf("asked %d times", g.asked["a@1.0.0"])
	}
}

func TestWhatIsMadeOfARepositoryInTwoWaysHasTwoNames(t *testing.T) {
	g := &registry{has: map[string][]byte{"a@git": pack(t, "prepared")}}
	f := newFetcher(t, g)
	r := &Request{ID: "a@git", URL: "git+file:///a.git#1", Ref: "git:git+file:///a.git#1"}
	if got := content(t, f, r); got != "prepared" {
		t.Errorf("got %q", got)
	}
	g.has["a@git"] = pack(t, "as it is")
	other := New(Options{Store: f.o.Store, Getter: g, Made: func() string { return "unprepared" }})
	if got := content(t, other, r); got != "as it is" {
		t.Errorf("unprepared it is %q", got)
	}
	if got := content(t, f, r); got != "prepared" || g.asked["a@git"] != 2 {
		t.Errorf("got %q after %d requests", got, g.asked["a@git"])
	}
}

func TestOfflineTakesWhatIsThere(t *testing.T) {
	tgz := pack(t, "a")
	g := &registry{has: map[string][]byte{"a@1.0.0": tgz}}
	f := newFetcher(t, g)
	f.o.Offline = true
	_, err := f.Tree(t.Context(), &Request{ID: "a@1.0.0", Integrity: sri(tgz)})
	var missing *OfflineError
	if !errors.As(err, &missing) || missing.Code() != "ENOTCACHED" {
		t.Errorf("got %v", err)
	}
	f.o.Offline = false
	content(t, f, &Request{ID: "a@1.0.0", Integrity: sri(tgz)})
	f.o.Offline = true
	if got := content(t, f, &Request{ID: "a@1.0.0", Integrity: sri(tgz)}); got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestADamagedTarballInTheStoreIsFetchedAgain(t *testing.T) {
	tgz := pack(t, "a")
	g := &registry{has: map[string][]byte{"a@1.0.0": tgz}}
	f := newFetcher(t, g)
	r := &Request{ID: "a@1.0.0", Integrity: sri(tgz)}
	if _, err := f.Ensure(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := f.o.Store.PutTarball(store.Sum(tgz), []byte("not it")); err != nil {
		t.Fatal(err)
	}
	if got := content(t, f, r); got != "a" || g.asked["a@1.0.0"] != 2 {
		t.Errorf("got %q after %d requests", got, g.asked["a@1.0.0"])
	}
}

func TestOfflineReadsWhatLiesOnThisMachine(t *testing.T) {
	g := &registry{has: map[string][]byte{"a@file:a.tgz": pack(t, "a")}}
	f := newFetcher(t, g)
	f.o.Offline = true
	if got := content(t, f, &Request{ID: "a@file:a.tgz", URL: "file:/a.tgz"}); got != "a" {
		t.Errorf("got %q", got)
	}
}

// gate is a Getter whose answers wait until they are let through.
type gate struct {
	registry
	mu      sync.Mutex
	waiting int
	pass    chan struct{}
}

func (g *gate) Tarball(ctx context.Context, r *Request, alloc func(int) []byte) ([]byte, error) {
	g.mu.Lock()
	g.waiting++
	g.mu.Unlock()
	select {
	case <-g.pass:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	g.mu.Lock()
	g.waiting--
	g.mu.Unlock()
	return g.registry.Tarball(ctx, r, alloc)
}

func TestHowManyAreAskedForAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{registry: registry{has: map[string][]byte{}}, pass: make(chan struct{})}
		f := newFetcher(t, &g.registry)
		f = New(Options{Store: f.o.Store, Getter: g, Downloads: 6, Processors: 1})
		asked := func() int {
			synctest.Wait()
			g.mu.Lock()
			defer g.mu.Unlock()
			return g.waiting
		}
		urgent := f.Background()
		use := make(chan struct{})
		var all sync.WaitGroup
		ask := func(i int) {
			id := fmt.Sprintf("p%d@1.0.0", i)
			g.has[id] = pack(t, id)
			r := &Request{ID: id, Integrity: sri(g.has[id])}
			all.Go(func() {
				err := f.Extract(t.Context(), r, func(*tarball.Archive) error { <-use; return nil })
				if err != nil {
					t.Error(err)
				}
			})
		}
		// The first one holds the processor for as long as it is used, which
		// keeps no other from being asked for.
		ask(0)
		g.pass <- struct{}{}
		synctest.Wait()
		for i := range 10 {
			ask(1 + i)
		}
		if n := asked(); n != 2 {
			t.Errorf("%d are asked for while something is more urgent, want 2 of 6", n)
		}
		urgent()
		if n := asked(); n != 6 {
			t.Errorf("%d are asked for, want 6", n)
		}
		g.pass <- struct{}{}
		g.pass <- struct{}{}
		if n := asked(); n != 6 {
			t.Errorf("%d are asked for while others wait for the processor, want 6", n)
		}
		close(g.pass)
		close(use)
		all.Wait()
	})
}

// noise is what cannot be compressed.
func noise(size, seed int) string {
	random := rand.New(rand.NewPCG(1, uint64(seed)))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return string(b)
}

// One of several large tarballs is unpacked at a time; those that wait for that keep
// nobody else from the other processor.
func TestLargeTarballsLeaveAProcessorToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &registry{has: map[string][]byte{"small": pack(t, "small")}}
		for i := range 3 {
			g.has[strconv.Itoa(i)] = pack(t, noise(largeTarball+1, i))
		}
		f := newFetcher(t, g)
		f = New(Options{Store: f.o.Store, Getter: g, Downloads: 8, Processors: 2})
		use := make(chan struct{})
		var all sync.WaitGroup
		var unpacking atomic.Int32
		extract := func(id string, write func(*tarball.Archive) error) {
			if err := f.Extract(t.Context(), &Request{ID: id}, write); err != nil {
				t.Error(err)
			}
		}
		for i := range 3 {
			all.Go(func() {
				extract(strconv.Itoa(i), func(*tarball.Archive) error {
					unpacking.Add(1)
					<-use
					return nil
				})
			})
		}
		synctest.Wait()
		if n := unpacking.Load(); n != 1 {
			t.Errorf("%d large ones are unpacked at once", n)
		}
		var small atomic.Bool
		all.Go(func() {
			extract("small", func(*tarball.Archive) error { small.Store(true); return nil })
		})
		synctest.Wait()
		if !small.Load() {
			t.Error("the small one waits for the large ones")
		}
		close(use)
		all.Wait()
	})
}

// A registry nearby is quicker than the processors.
func TestHowMuchWaitsForAProcessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, count, downloads = 1 << 20, 20, 4
		g := &registry{has: map[string][]byte{}}
		for i := range count {
			g.has[strconv.Itoa(i)] = pack(t, noise(size, i))
		}
		f := newFetcher(t, g)
		f = New(Options{Store: f.o.Store, Getter: g, Downloads: downloads, Processors: 1})
		use := make(chan struct{})
		var all sync.WaitGroup
		for id := range g.has {
			all.Go(func() {
				err := f.Extract(t.Context(), &Request{ID: id}, func(*tarball.Archive) error { <-use; return nil })
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		g.mu.Lock()
		asked := len(g.asked)
		g.mu.Unlock()
		if most := mostWaiting/size + downloads; asked > most || asked < downloads {
			t.Errorf("%d tarballs were asked for while the first was unpacked, not %d", asked, most)
		}
		close(use)
		all.Wait()
		if len(g.asked) != count {
			t.Errorf("%d tarballs were asked for", len(g.asked))
		}
	})
}

func TestOnlySoMuchOfLargeTarballsIsInMemory(t *testing.T) {
	f := New(Options{})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	take := func(ctx context.Context, size int) (got bool, forget func()) {
		alloc, forget := f.alloc(ctx)
		return cap(alloc(size)) > 0, forget
	}
	check := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	one, forgetOne := take(t.Context(), 100<<20)
	check("one that is very large", one, true)
	small, forget := take(gone, largeDownload+1)
	check("a small one", small, true)
	forget()
	other, forget := take(gone, largeDownload+2)
	check("a large one beside it", other, false)
	forget()
	forgetOne()
	var all []func()
	for range 5 {
		got, forget := take(t.Context(), 50<<20)
		check("a large one beside others", got, true)
		all = append(all, forget)
	}
	other, forget = take(gone, 50<<20)
	check("one too many", other, false)
	forget()
	for _, forget := range all {
		forget()
	}
	check("nothing is left", f.held.TryAcquire(mostHeld), true)
}
