package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
)

// Packages of the linked layout may be shared: each folder of
// node_modules/.store is a link then, to one that all projects of the user
// have. A package has files of its own instead where what is in them is not
// known from the lock: its scripts may run, it is patched, it has no SHA-512,
// or it depends on such a one or on a folder of the project.

// sharedSetting turns it on. The name is pnpm's.
const sharedSetting = config.GlobalVirtualStore

// shares says whether packages are shared with other projects.
func (a *App) shares() bool {
	if !a.linked() || runtime.GOOS == "windows" {
		return false
	}
	on, _ := a.sharing()
	return on
}

// sharing reads the setting.
func (a *App) sharing() (bool, error) {
	v := a.Config.Get(sharedSetting)
	if v.Kind() == config.Undefined || v.Kind() == config.Null {
		return false, nil
	}
	switch v.String() {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, &codedError{text: fmt.Sprintf("%s=%s: must be true or false", sharedSetting, term.SafeLine(v.String()))}
}

// checkSharing refuses what cannot be meant, and says where the setting does
// nothing.
func (a *App) checkSharing() error {
	on, err := a.sharing()
	if err != nil || !on {
		return err
	}
	switch {
	case a.Config.Global():
	case runtime.GOOS == "windows":
		a.log(levelWarn, sharedSetting+" does nothing on Windows: each project has packages of its own")
	case !a.linked():
		a.log(levelWarn, sharedSetting+" does nothing without install-strategy=linked: each project has packages of its own")
	}
	return nil
}

// sharedPackages are those of this user. They are no cache, since projects lose
// their packages with them.
func (a *App) sharedPackages() *store.Shared {
	return a.store().Shared(filepath.Join(a.userDir("XDG_DATA_HOME", ".local/share"), "ibid", "packages"))
}

// sharing is the use of shared packages by one install: from its beginning to
// its end none of them is cleaned away.
type sharing struct {
	x       *store.Shared
	release func()

	// While the tree is decided, the packages that the last install of the same
	// lock had are looked at: a guess, which costs nothing where it is wrong.
	hint  string // the file that names them
	ids   []store.SharedID
	whole []bool
	next  atomic.Int64
	read  chan struct{} // closed when ids are known
	group sync.WaitGroup
}

// startSharing is called before the tree is decided; nil where nothing is shared.
func (a *App) startSharing(p *project) (*sharing, error) {
	if !a.shares() || a.Config.Bool("dry-run") || a.Config.PackageLockOnly() {
		return nil, nil
	}
	if err := os.MkdirAll(p.dir, 0o777); err != nil {
		return nil, err
	}
	// Where the project is must not depend on how one came there.
	dir, err := filepath.EvalSymlinks(p.dir)
	if err != nil {
		return nil, err
	}
	s := &sharing{x: a.sharedPackages(), read: make(chan struct{})}
	if s.release, err = s.x.Use(dir); err != nil {
		return nil, err
	}
	s.group.Go(func() {
		lock, err := regular.ReadFile(p.lockPath)
		if err == nil {
			s.hint = filepath.Join(a.standingDir(), "shared-"+standingName(lock))
			s.ids = readIDs(s.hint)
			s.whole = make([]bool, len(s.ids))
		}
		close(s.read)
		s.look()
	})
	return s, nil
}

func (s *sharing) end() {
	if s == nil {
		return
	}
	s.next.Store(math.MaxInt32)
	s.group.Wait()
	s.release()
}

func (s *sharing) look() {
	for {
		i := int(s.next.Add(1)) - 1
		if i >= len(s.ids) {
			return
		}
		s.whole[i] = s.x.Whole(s.ids[i])
	}
}

// looked says which packages were whole, of those that were guessed.
func (s *sharing) looked() map[store.SharedID]bool {
	<-s.read
	s.look()
	s.group.Wait()
	out := make(map[store.SharedID]bool, len(s.ids))
	for i, id := range s.ids {
		out[id] = s.whole[i]
	}
	return out
}

// remember notes which packages this lock has.
func (s *sharing) remember(entries []*linker.SharedEntry) {
	ids := make([]byte, 0, len(entries)*sha256.Size)
	same := len(entries) == len(s.ids)
	for i, e := range entries {
		ids = append(ids, e.ID[:]...)
		same = same && store.SharedID(e.ID) == s.ids[i]
	}
	if !same && s.hint != "" {
		_ = keepFile(s.hint, ids, 0o755, 0o644) // without it the next install is slower
	}
}

func readIDs(file string) []store.SharedID {
	data, err := regular.ReadFile(file)
	if err != nil || len(data)%sha256.Size != 0 {
		return nil
	}
	ids := make([]store.SharedID, len(data)/sha256.Size)
	for i := range ids {
		copy(ids[i][:], data[i*sha256.Size:])
	}
	return ids
}

// share sees to it that the shared packages that the layout needs are there as
// they were made, and says which folders of the store become links.
func (o *outcome) share(ctx context.Context, f *fetch.Fetcher) (links map[string]string, err error) {
	if o.sharing == nil {
		return nil, nil
	}
	x := o.sharing.x
	failed := map[string]bool{}
	for {
		entries := o.shareable(failed)
		o.app.timing.done("named shared packages")
		again, err := o.makeShared(ctx, f, x, entries)
		if err != nil {
			return nil, err
		}
		if len(again) == 0 {
			o.sharing.remember(entries)
			links = make(map[string]string, len(entries))
			for _, e := range entries {
				links[e.Entry] = x.Path(e.ID)
			}
			return links, nil
		}
		// What is optional and cannot be had is left to the layout, with all
		// that depends on it.
		for _, e := range again {
			failed[e] = true
		}
	}
}

// shareable finds the entries whose files are known from the lock.
func (o *outcome) shareable(failed map[string]bool) []*linker.SharedEntry {
	a := o.app
	refused := o.refused()
	noBins := !a.Config.Bool("bin-links")
	return linker.SharedEntries(o.linked.Wanted, noBins, func(p *lockfile.Package) []byte {
		d, ok := sharedDigest(p)
		n := o.linked.Node(p.Location)
		if !ok || n == nil || refused[p.Location] != nil || failed[string(p.Location)] || o.scripts.mayRun(n) {
			return nil
		}
		b := make([]byte, 0, len(d)+64)
		b = append(b, d[:]...)
		b = strconv.AppendUint(b, uint64(a.umask), 8)
		b = append(b, 0)
		if noBins {
			return b
		}
		for _, bin := range ownBins(p) {
			b = append(append(b, bin...), 0)
		}
		return b
	})
}

// ownBins are the files of a package that are started.
func ownBins(p *lockfile.Package) []string {
	if p.Meta == nil {
		return nil
	}
	var out []string
	for _, b := range p.Meta.Bin {
		out = append(out, b.Path)
	}
	return out
}

// sharedDigest gives the SHA-512 of a package's tarball, where the lock has it
// and the files are the tarball's.
func sharedDigest(p *lockfile.Package) (d store.Digest, ok bool) {
	if p.Patched != "" || p.InBundle || p.Integrity == "" || strings.HasPrefix(p.Resolved, "git") {
		return d, false
	}
	hashes := integrity.Parse(p.Integrity).Strongest()
	if len(hashes) != 1 || hashes[0].Algorithm != "sha512" {
		return d, false
	}
	sum, err := base64.StdEncoding.DecodeString(hashes[0].Digest)
	return d, err == nil && copy(d[:], sum) == len(d) && len(sum) == len(d)
}

// makeShared sees to it that each entry is there and whole. failed are the
// locations of optional packages that could not be had.
func (o *outcome) makeShared(ctx context.Context, f *fetch.Fetcher, x *store.Shared, entries []*linker.SharedEntry) (failed []string, err error) {
	a := o.app
	whole := make([]bool, len(entries))
	looked := o.sharing.looked()
	each(min(runtime.GOMAXPROCS(0), 8), len(entries), func(i int) {
		var known bool
		if whole[i], known = looked[entries[i].ID]; !known {
			whole[i] = x.Whole(entries[i].ID)
		}
	})
	a.timing.done("looked at shared packages")
	var missing []*linker.SharedEntry
	for i, e := range entries {
		if !whole[i] {
			missing = append(missing, e)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	a.progress.start("unpacking", len(missing), "packages")
	var mu sync.Mutex
	eg, making := errgroup.WithContext(ctx)
	eg.SetLimit(a.packagesAtOnce())
	for _, e := range missing {
		eg.Go(func() error {
			err := a.makeOne(making, f, x, e)
			if err == nil {
				a.progress.step(1)
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			if making.Err() == nil && o.isOptional(e.Package.Location) {
				failed = append(failed, string(e.Package.Location))
				return nil
			}
			return o.wantedBy(&placeError{err, e.Package.Location})
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	a.timing.done("made shared packages")
	return failed, ctx.Err()
}

func (a *App) makeOne(ctx context.Context, f *fetch.Fetcher, x *store.Shared, e *linker.SharedEntry) error {
	p := e.Package
	d, _ := sharedDigest(p)
	s := &store.SharedPackage{ID: e.ID, Name: e.Name(), Label: p.ID(), Digest: d}
	for _, l := range e.Links {
		s.Links = append(s.Links, store.SharedLink{Path: l.Name, Text: store.DependencyText(l.Name, l.To.ID, l.To.Name())})
	}
	for _, b := range e.Bins {
		s.Links = append(s.Links, store.SharedLink{Path: strings.TrimPrefix(b.Path, e.Entry+"/node_modules/"), Text: b.Target})
	}
	r := requestFor(p.ID(), p.Name(), p.Resolved, p.Integrity)
	if a.Config.Bool("bin-links") {
		r.Bins = ownBins(p)
		s.Bins = r.Bins
	}
	return f.Extract(ctx, r, func(t *tarball.Archive) error { return x.Make(s, t) })
}

// each calls f with 0 to n-1, from several goroutines.
func each(workers, n int, f func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	group.Wait()
}
