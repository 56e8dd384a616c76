package cmd

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/semaphore"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
)

// files is the linker.Files that takes packages from the store, and what the
// store lacks from where the lock says.
type files struct {
	app   *App
	fetch *fetch.Fetcher
	// private says that a package's files will be written to: its scripts may
	// run, so it gets files of its own.
	private func(*lockfile.Package) bool

	// method is how files of the store come into the project.
	method importMethod

	// bins are the files that a link in some .bin leads to, by location: only
	// those become executable, not what another package's bin won over.
	bins map[lockfile.Location][]string
	// ahead may have got a package already; nil for nothing.
	ahead *ahead
	// refused are packages that the configuration does not allow to be fetched.
	refused map[lockfile.Location]error
	// patches are what is changed in packages; nil for nothing.
	patches *patchSet
	turns   *semaphore.Weighted
}

// An importMethod is a value of package-import-method.
type importMethod string

const (
	importCopy    importMethod = "copy"    // unpacked for the project alone
	importReflink importMethod = "reflink" // of its own, with blocks that are shared
	// auto and hardlink: names of the store's files
)

// put puts the files of a tree into a folder.
func (m importMethod) put(tree *store.Tree, dst *folder.Folder) error {
	if m == importReflink {
		return tree.CloneInto(dst)
	}
	return tree.LinkInto(dst)
}

func (f *files) Group(p *lockfile.Package) string {
	if p.Integrity == "" && p.Resolved == "" || p.Patched != "" {
		return ""
	}
	return p.Integrity + "\x00" + p.Resolved + "\x00" + strings.Join(f.bins[p.Location], "\x00")
}

// binsOf lists what the plan links, by the location of its package.
func binsOf(plan *linker.Plan) map[lockfile.Location][]string {
	out := map[lockfile.Location][]string{}
	for _, b := range plan.Bins {
		loc := b.Owner.Location
		file := strings.TrimPrefix(b.File, string(loc)+"/")
		if b.Owner.Link { // the files are the target's
			loc = b.Owner.Target()
		}
		if !slices.Contains(out[loc], file) {
			out[loc] = append(out[loc], file)
		}
	}
	return out
}

// placeError is a package whose files could not be put in their place.
type placeError struct {
	error
	at lockfile.Location
}

func (e *placeError) Unwrap() error { return e.error }

// wantedError is an error about a package, with the chain of those who want it.
type wantedError struct {
	error
	path []string
}

func (e *wantedError) Unwrap() error  { return e.error }
func (e *wantedError) Path() []string { return e.path }

func (f *files) Place(ctx context.Context, p *lockfile.Package, into *linker.Folders) error {
	if err := f.placePackage(ctx, p, into); err != nil {
		return &placeError{err, p.Location}
	}
	f.app.progress.step(into.Len())
	f.app.timing.add("packages linked", int64(into.Len()))
	return nil
}

// stock has the store get what Place will want of it.
func (f *files) stock(ctx context.Context, p *lockfile.Package) error {
	if err := f.refused[p.Location]; err != nil {
		return err
	}
	r := f.request(p)
	if p.Patched != "" || f.isPrivate(p) {
		_, err := f.fetch.Ensure(ctx, r)
		return err
	}
	if f.fetch.MayHaveTree(r) {
		return nil
	}
	tree, err := f.fetch.Tree(ctx, r)
	if err == nil {
		tree.Return()
	}
	if errors.Is(err, store.ErrBusy) {
		return nil
	}
	if readOnly(err) {
		_, err = f.fetch.Ensure(ctx, r)
	}
	return err
}

// readOnly says that something was to be written where it cannot be, or not by this
// user: a store on a read-only file system, or another's.
func readOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// request is what the store is asked for a package's files.
func (f *files) request(p *lockfile.Package) *fetch.Request {
	r := requestFor(p.ID(), p.Name(), p.Resolved, p.Integrity)
	r.Bins = f.bins[p.Location]
	if p.Resolved == "" && p.Meta != nil {
		// npm asks the registry for the manifest then, and so knows of all bins
		// while it unpacks.
		for _, b := range p.Meta.Bin {
			r.Bins = append(r.Bins, b.Path)
		}
	}
	return r
}

func (f *files) placePackage(ctx context.Context, p *lockfile.Package, into *linker.Folders) error {
	if err := f.refused[p.Location]; err != nil {
		return err
	}
	r := f.request(p)
	if p.Patched != "" && f.patches != nil {
		return f.placePatched(ctx, p, into, func(private bool) error { return f.place(ctx, r, private, into) })
	}
	return f.place(ctx, r, f.isPrivate(p), into)
}

// isPrivate says that no file of the package may be one of the store's.
func (f *files) isPrivate(p *lockfile.Package) bool {
	return f.method == importCopy || f.private != nil && f.private(p)
}

func (f *files) place(ctx context.Context, r *fetch.Request, private bool, into *linker.Folders) error {
	if !private {
		err := f.lend(ctx, r, into)
		// A store on another file system, or with no tree to spare, cannot
		// lend, nor one that can only be read, and not each file system can
		// clone; the files are unpacked where they belong.
		if !errors.Is(err, store.ErrBusy) && !crossDevice(err) && !readOnly(err) && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return f.fetch.Extract(ctx, r, func(a *tarball.Archive) error {
		return into.Each(func(dst *folder.Folder) error { return tarball.Write(dst.Path(), a) })
	})
}

// lend has the files of a tree in the folders: what the store has at once, and the
// rest when it is there.
func (f *files) lend(ctx context.Context, r *fetch.Request, into *linker.Folders) error {
	put := func(tree *store.Tree) error {
		defer tree.Return()
		return into.Each(func(dst *folder.Folder) error { return f.method.put(tree, dst) })
	}
	err := f.inTurn(ctx, func() error {
		if f.ahead.underWay(r) {
			return store.ErrMissing
		}
		tree, err := f.ahead.take(ctx, r), error(nil)
		if tree == nil {
			tree, err = f.fetch.Stored(ctx, r)
		}
		if err != nil {
			return err
		}
		return put(tree)
	})
	for errors.Is(err, store.ErrMissing) || errors.Is(err, store.ErrTurned) {
		tree := f.ahead.take(ctx, r)
		if tree == nil {
			if tree, err = f.fetch.Tree(ctx, r); err != nil {
				return err
			}
		}
		err = f.inTurn(ctx, func() error { return put(tree) })
	}
	return err
}

// inTurn does what keeps a processor busy until it is done. Among as many as wait for
// the network a big package would be put off whenever it has had 10 ms, until all
// others have had theirs, and would be waited for alone at the end.
func (f *files) inTurn(ctx context.Context, do func() error) error {
	if err := f.turns.Acquire(ctx, 1); err != nil {
		return err
	}
	defer f.turns.Release(1)
	return do()
}

// made says what becomes of a repository's files beside the commit: whether its
// script has run, and what the user's own ignore file leaves out.
func (a *App) made() string {
	var made []string
	if a.Config.Bool("ignore-scripts") {
		made = append(made, "unprepared")
	}
	// One that cannot be read is an error when it is needed.
	if ignore, err := a.globalIgnore(); err == nil && ignore != "" {
		made = append(made, fmt.Sprintf("ignoring %x", sha256.Sum256([]byte(ignore))))
	}
	return strings.Join(made, " ")
}

func (a *App) fetcher() *fetch.Fetcher {
	return fetch.New(fetch.Options{
		Made:      sync.OnceValue(a.made),
		Store:     a.store(),
		Getter:    getter{a},
		Offline:   a.Config.Bool("offline"),
		Downloads: a.maxSockets(),

		Processors: processors,
		Report:     a.timing.fetched,
	})
}
