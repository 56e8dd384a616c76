package resolver

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// Source is where packages come from. It is called from many goroutines at
// once, and for the same spec only once in a Resolve.
type Source interface {
	// Manifest gives what the spec stands for. Errors are the Source's own;
	// those with a Code keep it.
	Manifest(ctx context.Context, s *spec.Spec, wish Wish) (*Fetched, error)

	// Content gives the unpacked files of a package that was resolved, its
	// package.json at the top; it is asked only for those that bundle others
	// or bring a lock of their own.
	Content(ctx context.Context, p Wanted) (fs.FS, error)
}

// Wish says more of how to pick a version (npm: npm-pick-manifest's options).
type Wish struct {
	// Before leaves out what was published later; zero leaves out nothing.
	Before time.Time
	// Avoid is a range of versions to take only if nothing else will do.
	Avoid string
	// FromRoot is set where the project itself, or a workspace, asks.
	FromRoot bool
	// Ahead marks a guess: it may turn out that nobody needs the answer.
	Ahead bool
	// Abbreviated asks for what a registry says to those who only install: most
	// leave the license out there.
	Abbreviated bool
	// Resolved and Integrity are what an old lock knows of the package.
	Resolved, Integrity string
}

// Fetched is a manifest and where its package is to be had.
type Fetched struct {
	Manifest  *manifest.Manifest
	Resolved  string // the tarball's URL, "file:/…", "git+…#sha"
	Integrity string // SRI, "" for git
	// DevDependencies gives those of a Manifest that leaves them out; nil where
	// it has them.
	DevDependencies func() (manifest.Deps, error)
}

// IntegrityError is a registry that says another hash than an older lock.
type IntegrityError struct {
	Package   string
	Algorithm string
	Want, Got string
}

func (e *IntegrityError) Error() string {
	return e.Package + ": the registry's " + e.Algorithm + " is not the one that was locked: wanted " + e.Want + " but got " + e.Got
}

// Code is EINTEGRITY.
func (e *IntegrityError) Code() string { return "EINTEGRITY" }

// expect holds what was fetched against a hash that is known from elsewhere,
// and gives both hashes where they are of different kinds.
func (f *Fetched) expect(s *spec.Spec, known string) (*Fetched, error) {
	want, got := integrity.Parse(known), integrity.Parse(f.Integrity)
	if len(want) == 0 || slices.ContainsFunc(want, func(h integrity.Hash) bool {
		return slices.ContainsFunc(got, func(g integrity.Hash) bool { return g.Algorithm == h.Algorithm && g.Digest == h.Digest })
	}) {
		return f, nil
	}
	merged := slices.Clone(want)
	for _, g := range got {
		if slices.ContainsFunc(want, func(h integrity.Hash) bool { return h.Algorithm == g.Algorithm }) {
			return nil, &IntegrityError{Package: s.Raw, Algorithm: g.Algorithm, Want: known, Got: f.Integrity}
		}
		merged = append(merged, g)
	}
	both := *f
	both.Integrity = merged.String()
	return &both, nil
}

// Wanted names the content of one package.
type Wanted struct {
	Name      string
	Resolved  string
	Integrity string
}

// fetchesAhead is how many manifests are waited for at once. Packuments come
// over few connections that carry many requests each; more in flight than
// this only makes the ones that are needed first wait for the others.
const fetchesAhead = 64

// fetcher remembers manifests and goes ahead of the one who asks for them:
// what a manifest depends on is fetched as soon as it is known, on the guess
// that nothing in the tree satisfies it yet. Of those that are only looked at,
// to see whether they would be in conflict, it fetches the peers. What it
// guesses never decides anything.
type fetcher struct {
	ctx    context.Context
	cancel context.CancelFunc
	src    Source
	wish   func(*spec.Spec) Wish

	mu   sync.Mutex
	memo map[string]*future
	// guessed is what ahead was called with, true where it is for the tree, and
	// forTree the names of those.
	guessed map[manifest.Dep]bool
	forTree map[string]bool
	// queue is what is to be fetched ahead, in the order in which it was
	// guessed, by up to fetchesAhead workers.
	queue   []job
	workers int
	group   sync.WaitGroup
	// have is the versions that are in the tree at the start, by name.
	have map[string][]*nodesemver.Version
	// pinned is what the root's overrides make of a name.
	pinned map[string]string
	legacy bool // no peers
}

type job struct {
	*future
	spec *spec.Spec
}

type future struct {
	done chan struct{}
	// These are under the fetcher's lock. started is set by the one who
	// fetches, forTree where the package is likely to be in the tree, and known
	// once there is a manifest that says what it depends on.
	started, forTree, known bool

	fetched *Fetched
	err     error
}

func newFetcher(ctx context.Context, src Source, wish func(*spec.Spec) Wish) *fetcher {
	ctx, cancel := context.WithCancel(ctx)
	return &fetcher{
		ctx: ctx, cancel: cancel, src: src, wish: wish,
		memo: map[string]*future{}, guessed: map[manifest.Dep]bool{}, forTree: map[string]bool{},
		have: map[string][]*nodesemver.Version{},
	}
}

// close ends all guessing and waits for it.
func (f *fetcher) close() {
	f.cancel()
	f.group.Wait()
}

// get gives the manifest for a spec, waiting for it if need be. forTree says
// that the package is not just looked at.
func (f *fetcher) get(ctx context.Context, s *spec.Spec, wish Wish, forTree bool) (*Fetched, error) {
	f.mu.Lock()
	fut, late := f.future(s, forTree)
	// What is needed does not queue behind guesses.
	mine := !fut.started
	fut.started = true
	f.mu.Unlock()
	if late {
		f.spread(fut.fetched.Manifest, true)
	}
	if mine {
		f.run(ctx, fut, s, wish)
	} else {
		select {
		case <-fut.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// A guess that was given up is no answer.
		if errors.Is(fut.err, context.Canceled) && ctx.Err() == nil {
			return f.src.Manifest(ctx, s, wish)
		}
	}
	return fut.fetched, fut.err
}

// future gives that of a spec; the caller holds the lock. It is late if the
// manifest was only looked at so far: then the caller has it spread.
func (f *fetcher) future(s *spec.Spec, forTree bool) (fut *future, late bool) {
	fut = f.memo[s.Raw]
	if fut == nil {
		fut = &future{done: make(chan struct{})}
		f.memo[s.Raw] = fut
	}
	late = forTree && fut.known && !fut.forTree
	fut.forTree = fut.forTree || forTree
	return fut, late
}

func (f *fetcher) run(ctx context.Context, fut *future, s *spec.Spec, wish Wish) {
	fut.fetched, fut.err = f.src.Manifest(ctx, s, wish)
	f.mu.Lock()
	fut.known = fut.err == nil && s.Registry
	known, forTree := fut.known, fut.forTree
	f.mu.Unlock()
	close(fut.done)
	if known {
		f.spread(fut.fetched.Manifest, forTree)
	}
}

// ahead starts fetching what an edge of that name and spec will need.
func (f *fetcher) ahead(name, raw string, forTree bool) {
	d := manifest.Dep{Name: name, Spec: raw}
	f.mu.Lock()
	before, known := f.guessed[d]
	known = known && (before || !forTree)
	if !known {
		f.guessed[d] = forTree
		f.forTree[name] = f.forTree[name] || forTree
	}
	f.mu.Unlock()
	if known {
		return
	}
	if pin, ok := f.pinned[name]; ok {
		raw = pin
	}
	s, err := spec.Resolve(name, raw, "/")
	if err != nil || !s.Registry || f.satisfied(name, s) {
		return
	}
	f.mu.Lock()
	if f.ctx.Err() != nil {
		f.mu.Unlock()
		return
	}
	_, there := f.memo[s.Raw]
	fut, late := f.future(s, forTree)
	if !there {
		f.queue = append(f.queue, job{fut, s})
		if f.workers < fetchesAhead {
			f.workers++
			f.group.Go(f.work)
		}
	}
	f.mu.Unlock()
	if late {
		f.spread(fut.fetched.Manifest, true)
	}
}

// work fetches what is in the queue until that is empty.
func (f *fetcher) work() {
	for {
		f.mu.Lock()
		if len(f.queue) == 0 || f.ctx.Err() != nil {
			f.workers--
			f.mu.Unlock()
			return
		}
		next := f.queue[0]
		f.queue = f.queue[1:]
		taken := next.started
		next.started = true
		f.mu.Unlock()
		if taken {
			continue
		}
		wish := f.wish(next.spec)
		wish.Ahead = true
		f.run(f.ctx, next.future, next.spec, wish)
	}
}

// satisfied says whether the tree had a version for the spec to begin with.
func (f *fetcher) satisfied(name string, s *spec.Spec) bool {
	have := f.have[name]
	if len(have) == 0 || s.Type == spec.Alias {
		return false
	}
	rng, err := nodesemver.ParseRange(s.FetchSpec, nodesemver.Options{Loose: true})
	if err != nil {
		return false
	}
	for _, v := range have {
		if rng.Match(v) {
			return true
		}
	}
	return false
}

// spread goes ahead of a manifest: to all that a package of the tree depends on,
// and to the peers of one that is only looked at. Of a peer that somebody else
// has named already, another version may well be the one in the tree.
func (f *fetcher) spread(m *manifest.Manifest, forTree bool) {
	if forTree {
		for _, d := range m.Dependencies {
			f.ahead(d.Name, d.Spec, true)
		}
		for _, d := range m.OptionalDependencies {
			f.ahead(d.Name, d.Spec, true)
		}
	}
	if f.legacy {
		return
	}
	for _, d := range m.PeerDependencies {
		optional := slices.ContainsFunc(m.PeerDependenciesMeta, func(p manifest.PeerMeta) bool { return p.Name == d.Name && p.Optional })
		f.ahead(d.Name, d.Spec, forTree && !optional && !f.named(d.Name))
	}
}

// named says whether something of that name is fetched for the tree.
func (f *fetcher) named(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.forTree[name]
}
