package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/platform"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
)

// ahead fetches and unpacks packages while the tree is still being decided, on
// the guess that they will be in it. It decides nothing: what it guessed wrong
// stays in the store, and what it did not guess is fetched later.
//
// A tree that it got is kept on loan until it is taken. Those that the store has
// already are taken from it unseen: their files are linked faster right after they
// were looked at.
type ahead struct {
	fetch  *fetch.Fetcher
	host   platform.Environment
	ctx    context.Context
	cancel context.CancelFunc
	urgent func() // ends what goes before guesses

	allowed func(name, url string) bool // under mu; nil allows all

	mu      sync.Mutex
	begun   map[string]*guess
	queue   []*guess // nobody has looked whether the store has them
	sorting bool     // somebody is at it
	missing []*guess // what the store lacks
	workers int      // how many work at that
	decided bool
	kept    int
	// How many trees may be kept, and how many workers may work.
	mostKept, mostWorkers int
	group                 sync.WaitGroup
	reading               sync.WaitGroup // the lock, for guesses
}

type guess struct {
	request *fetch.Request
	done    chan struct{}
	tree    *store.Tree // nil where there is none, or it was taken
}

// What goes ahead takes files that are open: each tree that is kept has two, each
// worker a few. They leave most of what the process may have to all else.
const (
	// mostWorkers is enough for every download that may be under way, and few
	// enough that their stacks weigh nothing.
	mostWorkers = 96
	mostKept    = 3000
	openShare   = 8
	// mostOpen is what an install has open at most, with some room.
	mostOpen = 2*mostKept + 2000
)

// startsEmpty says whether the project has nothing installed yet. What an install
// would find on loan to this very project must not be borrowed a second time.
func (a *App) startsEmpty(p *project) bool {
	if a.Config.String("package-import-method") == string(importCopy) || a.Config.PackageLockOnly() || a.Config.Bool("dry-run") || a.Config.Global() || a.shares() || a.inPart(p) {
		return false
	}
	_, err := os.Lstat(filepath.Join(p.dir, "node_modules"))
	return errors.Is(err, fs.ErrNotExist)
}

// makeRoom prepares an install from nothing for what it will have open, unless the
// lock is so small that it would be over before there is room.
func makeRoom(p *project) {
	const manyPackages = 200 << 10 // bytes that some 500 take in a lock
	st, err := os.Stat(lockfile.FileToWrite(p.dir))
	if err != nil || st.Size() > manyPackages {
		go folder.MakeRoom(mostOpen)
	}
}

// goAhead starts guessing for a project that starts empty.
func (a *App) goAhead(ctx context.Context, p *project, f *fetch.Fetcher) *ahead {
	h := &ahead{fetch: f, host: a.environment(), begun: map[string]*guess{}, urgent: f.Background()}
	h.limit(folder.MaxOpen() / openShare)
	h.ctx, h.cancel = context.WithCancel(ctx)
	var allowed func(name, url string) bool
	if a.Config.String("allow-remote") != "all" {
		h.allowed, allowed = a.fromRegistry(), a.fromRegistry()
	}
	if p.lock != nil {
		h.reading.Go(func() { h.wantLocked(p.lock, a.Config.Bool("bin-links"), allowed) })
	}
	return h
}

// limit sets how much may be kept and done at once by what may be open for it.
func (h *ahead) limit(open int) {
	h.mostKept, h.mostWorkers = min(mostKept, open), max(1, min(mostWorkers, open))
}

// wantLocked guesses that everything in the lock that runs here will be wanted,
// if it is allowed to be fetched from there; nil allows all.
func (h *ahead) wantLocked(lock *lockfile.Lockfile, binLinks bool, allowed func(name, url string) bool) {
	plan := linker.NewPlan(nil, lock, linker.Options{NoBins: !binLinks})
	bins := binsOf(plan)
	for _, p := range bigFirst(plan, askedFor(lock)) {
		if p.Link || p.Integrity == "" || !isURL(p.Resolved) || p.Meta == nil {
			continue
		}
		if p.Optional && platform.CheckPlatform(p.Meta, h.host) != nil {
			continue
		}
		if allowed != nil && !allowed(p.Name(), p.Resolved) {
			continue
		}
		r := requestFor(p.ID(), p.Name(), p.Resolved, p.Integrity)
		r.Bins = bins[p.Location]
		h.want(r)
	}
}

// bigFirst gives the packages of a plan in the order in which they are fetched.
// What people ask for by name is bigger than what comes along with it, and a big
// one that comes last is waited for alone; but all of them at once would fill the
// memory. So one of them goes before every four others.
func bigFirst(plan *linker.Plan, asked map[lockfile.Location]bool) []*lockfile.Package {
	var big, rest []*lockfile.Package
	for i := range plan.Steps {
		if p := plan.Steps[i].Package; asked[p.Location] {
			big = append(big, p)
		} else {
			rest = append(rest, p)
		}
	}
	out := make([]*lockfile.Package, 0, len(plan.Steps))
	for _, p := range big {
		n := min(4, len(rest))
		out = append(append(out, p), rest[:n]...)
		rest = rest[n:]
	}
	return append(out, rest...)
}

// askedFor gives where the packages may lie that a lock's root and workspaces name.
func askedFor(lock *lockfile.Lockfile) map[lockfile.Location]bool {
	at := map[lockfile.Location]bool{}
	for _, p := range lock.Packages {
		if p.Meta == nil || p.Location.InNodeModules() {
			continue
		}
		for _, deps := range []manifest.Deps{p.Meta.Dependencies, p.Meta.DevDependencies, p.Meta.OptionalDependencies} {
			for _, d := range deps {
				at[p.Location.Child(d.Name)] = true
				at[lockfile.Location("").Child(d.Name)] = true
			}
		}
	}
	return at
}

// wantManifest guesses that a version that was picked will be wanted, with all
// its bins linked. A nil ahead guesses nothing.
func (h *ahead) wantManifest(m *manifest.Manifest) {
	if h == nil || !isURL(m.Dist.Tarball) || m.Dist.Integrity == "" || platform.CheckPlatform(m, h.host) != nil {
		return
	}
	if h.allowed != nil {
		h.mu.Lock()
		allowed := h.allowed(m.Name, m.Dist.Tarball)
		h.mu.Unlock()
		if !allowed {
			return
		}
	}
	r := requestFor(m.Name+"@"+m.Version, m.Name, m.Dist.Tarball, m.Dist.Integrity)
	for _, b := range m.Bin {
		r.Bins = append(r.Bins, b.Path)
	}
	h.want(r)
}

func guessKey(r *fetch.Request) string { return r.Integrity + "\x00" + strings.Join(r.Bins, "\x00") }

func (h *ahead) want(r *fetch.Request) {
	key := guessKey(r)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.begun[key] != nil || h.ctx.Err() != nil {
		return
	}
	g := &guess{request: r, done: make(chan struct{})}
	h.begun[key] = g
	h.queue = append(h.queue, g)
	if !h.sorting {
		h.sorting = true
		h.group.Go(h.sort)
	}
}

// sort takes what the store has, and leaves the rest to workers. One goroutine
// does it: the tree is decided meanwhile, and nothing is won by being ahead of
// that.
func (h *ahead) sort() {
	for {
		h.mu.Lock()
		if len(h.queue) == 0 {
			h.sorting = false
			h.mu.Unlock()
			return
		}
		g := h.queue[0]
		h.queue = h.queue[1:]
		late := h.decided || h.kept >= h.mostKept
		h.mu.Unlock()
		if late && h.fetch.MayHaveTree(g.request) {
			close(g.done) // whoever needs it takes it now
			continue
		}
		tree, err := h.fetch.Stored(h.ctx, g.request)
		switch {
		case err == nil:
			h.keep(g, tree)
		case errors.Is(err, store.ErrMissing):
			h.later(g)
		default:
			close(g.done) // whoever needs it will hear of it
		}
	}
}

// keep has a guess's tree wait for who needs it.
func (h *ahead) keep(g *guess, tree *store.Tree) {
	defer close(g.done)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.kept >= h.mostKept {
		tree.Return()
		return
	}
	h.kept++
	g.tree = tree
}

// later has a worker get what the store lacks.
func (h *ahead) later(g *guess) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missing = append(h.missing, g)
	if h.workers < h.mostWorkers {
		h.workers++
		h.group.Go(h.work)
	}
}

// work gets what is missing until nothing is.
func (h *ahead) work() {
	for {
		h.mu.Lock()
		if len(h.missing) == 0 {
			h.workers--
			h.mu.Unlock()
			return
		}
		g := h.missing[0]
		h.missing = h.missing[1:]
		h.mu.Unlock()
		if tree, err := h.fetch.Tree(h.ctx, g.request); err == nil {
			h.keep(g, tree)
		} else {
			close(g.done)
		}
	}
}

// settle says that the tree is decided. From then on there are no new guesses:
// what is taken before it is guessed would be got twice.
func (h *ahead) settle() {
	if h == nil {
		return
	}
	h.urgent()
	h.reading.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.decided = true
}

// guessFor gives the guess that asked for the same; nil for none, and of a nil ahead.
func (h *ahead) guessFor(r *fetch.Request) *guess {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.begun[guessKey(r)]
}

// underWay says that somebody is getting what a request asks for.
func (h *ahead) underWay(r *fetch.Request) bool {
	g := h.guessFor(r)
	if g == nil {
		return false
	}
	select {
	case <-g.done:
		return false
	default:
		return true
	}
}

// take gives the tree that was got for a request, waiting for one that is on its
// way; nil where there is none. The caller returns it.
func (h *ahead) take(ctx context.Context, r *fetch.Request) *store.Tree {
	g := h.guessFor(r)
	if g == nil {
		return nil
	}
	select {
	case <-g.done:
	case <-ctx.Done():
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	tree := g.tree
	if tree != nil {
		g.tree = nil
		h.kept--
	}
	return tree
}

// stop ends all guessing, waits for it, and returns what nobody took.
func (h *ahead) stop() {
	if h == nil {
		return
	}
	h.cancel()
	h.reading.Wait()
	h.group.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range h.begun {
		if g.tree != nil {
			g.tree.Return()
			g.tree = nil
		}
	}
}
