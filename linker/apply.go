package linker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/lockfile"
)

// Files has the files of packages.
type Files interface {
	// Place puts all files of the package into each of the folders. It is
	// called from several goroutines.
	Place(ctx context.Context, p *lockfile.Package, into *Folders) error
	// Group gives packages with the same files the same text, so that they
	// are placed by one call; "" is a group of its own.
	Group(p *lockfile.Package) string
}

// Folders are the places of one package. They are opened one at a time: a package
// may have more of them than a process may have open.
type Folders struct {
	at   *Applied
	locs []string
}

// Len is how many there are.
func (f *Folders) Len() int { return len(f.locs) }

// Each calls do with each folder, until one is an error. The folder holds nothing
// but folders that belong to other packages, unless do has been there before, and
// is closed behind do.
func (f *Folders) Each(do func(*folder.Folder) error) error {
	for _, loc := range f.locs {
		dst, err := f.at.openPlace(loc)
		if err != nil {
			return err
		}
		err = do(dst)
		dst.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// OptionalError says that an optional package could not be placed; its files
// are gone and the install goes on without it.
type OptionalError struct {
	Package *lockfile.Package
	Err     error
}

func (e *OptionalError) Error() string {
	return fmt.Sprintf("%s: %v", e.Package.Location, e.Err)
}
func (e *OptionalError) Unwrap() error { return e.Err }

// ApplyOptions says how a plan is carried out.
type ApplyOptions struct {
	// Umask is the process's.
	Umask fs.FileMode
	// Shims has scripts stand for executables, as on Windows, rather than
	// symbolic links.
	Shims bool
	// Limit is how many packages are waited for at once.
	Limit int
	// Failed is asked when a package cannot be placed; true means that it was
	// optional and the install goes on. It is called from one goroutine at a time.
	Failed func(p *lockfile.Package, err error) bool
	// Gone is called with a folder whose folders are packages that are removed
	// next; it may be nil.
	Gone func(*folder.Folder)
}

// Applied is a plan that was carried out and can still be taken back: one of
// Commit and Undo has to follow.
type Applied struct {
	plan  *Plan
	root  *layout
	shims bool
	gone  func(*folder.Folder)
	taken map[string]bool // the shims that were thought of, by path
	moved []move          // what was moved aside, in order
	// retired is the next name in the trash.
	retired int
	made    []string
	// Missing are the optional packages that could not be placed.
	Missing []*OptionalError
}

type move struct{ from, to string }

// back says whether it is one out of the trash again.
func (m move) back() bool { return strings.Contains(m.from, "/"+trashName+"/") }

const (
	trashName   = ".ibid-trash"
	journalName = ".ibid-journal"
)

// layout is a project's folders, opened once each, but for those that spare has
// closed again.
type layout struct {
	dir  string
	top  *folder.Folder
	most int // folders that stay open

	// using is held for reading by those who have a folder of open while others
	// may call spare.
	using sync.RWMutex

	mu   sync.Mutex
	open map[string]*folder.Folder
	// made lists the folders that were missing, outermost first.
	made []string
}

// A large project has more folders of packages than a process may have open. Of
// what that is, most is left for the files of packages and for connections.
const foldersShare = 8

var mostFolders = 1000 // tests have fewer

func openLayout(dir string) (*layout, error) {
	top, err := folder.Open(dir)
	if err != nil {
		return nil, err
	}
	return &layout{dir: dir, top: top, most: min(mostFolders, folder.MaxOpen()/foldersShare), open: map[string]*folder.Folder{}}, nil
}

func (l *layout) close() {
	l.shut()
	l.top.Close()
}

// spare closes all folders when too many are open. It is called between one piece
// of work and the next, by who has none of them.
func (l *layout) spare() {
	l.mu.Lock()
	n := len(l.open)
	l.mu.Unlock()
	if n > l.most {
		l.shut()
	}
}

func (l *layout) shut() {
	l.using.Lock()
	defer l.using.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.open {
		f.Close()
	}
	clear(l.open)
}

// folder opens the folder at a path below the project, making what is missing.
// From the first node_modules on nothing but real folders is walked through: a
// link in the way is replaced, so that no stranger's link leads us elsewhere.
func (l *layout) folder(p string, create bool) (*folder.Folder, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.walk(p, create)
}

func (l *layout) walk(p string, create bool) (*folder.Folder, error) {
	if p == "" || p == "." {
		return l.top, nil
	}
	if f := l.open[p]; f != nil {
		return f, nil
	}
	if !strings.Contains(p+"/", "node_modules/") {
		// A workspace's or a linked folder's own path may hold links of the
		// project's making; it must end inside the project all the same.
		real, err := filepath.EvalSymlinks(filepath.Join(l.dir, filepath.FromSlash(p)))
		if err != nil {
			return nil, err
		}
		base, err := filepath.EvalSymlinks(l.dir)
		if err != nil {
			return nil, err
		}
		if real != base && !folder.Below(real, base) {
			return nil, fmt.Errorf("%s: leads out of the project, to %s", p, real)
		}
		f, err := folder.Open(real)
		if err != nil {
			return nil, err
		}
		l.open[p] = f
		return f, nil
	}
	parentPath, name := path.Split(p)
	parent, err := l.walk(strings.TrimSuffix(parentPath, "/"), create)
	if err != nil {
		return nil, err
	}
	f, err := parent.Child(name)
	if errors.Is(err, folder.ErrNotFolder) && create {
		if err = parent.Remove(name); err == nil {
			err = fs.ErrNotExist
		}
	}
	if errors.Is(err, fs.ErrNotExist) && create {
		if err = parent.Mkdir(name); err == nil {
			l.made = append(l.made, p)
		}
		if err == nil || errors.Is(err, fs.ErrExist) {
			f, err = parent.Child(name)
		}
	}
	if err != nil {
		return nil, err
	}
	l.open[p] = f
	return f, nil
}

// forget closes what was opened at or below a path, which has moved.
func (l *layout) forget(p string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, f := range l.open {
		if k == p || strings.HasPrefix(k, p+"/") {
			f.Close()
			delete(l.open, k)
		}
	}
}

// remove takes away what is at a path below the project. Where a link is in the way
// there is nothing of ours behind it.
func (l *layout) remove(p string) error {
	l.spare()
	parent, err := l.folder(path.Dir(p), false)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, folder.ErrNotFolder) {
		return nil
	}
	if err != nil {
		return err
	}
	l.forget(p)
	return parent.RemoveAll(path.Base(p))
}

// rename moves what is at one path below the project to another.
func (l *layout) rename(from, to string) error {
	l.spare()
	old, err := l.folder(path.Dir(from), false)
	if err != nil {
		return err
	}
	parent, err := l.folder(path.Dir(to), true)
	if err != nil {
		return err
	}
	l.forget(from)
	return old.Rename(path.Base(from), parent, path.Base(to))
}

// LocationError is a lock's entry that lies where no package can.
type LocationError struct {
	Location lockfile.Location
	Why      string
}

func (e *LocationError) Error() string {
	return fmt.Sprintf("%q: %s: not a place for a package", e.Location, e.Why)
}

// CheckLocation refuses a location that does not name a package in a
// node_modules of the project, with a *LocationError; a lockfile may have been
// written by anybody.
func CheckLocation(loc lockfile.Location) error {
	s := string(loc)
	if _, inside, ok := splitStore(s); ok && inside != "" {
		s = inside
	}
	bad := func(why string) error { return &LocationError{loc, why} }
	if strings.ContainsAny(s, "\\\x00") {
		return bad("backslash or NUL")
	}
	parts := strings.Split(s, "/")
	inside := false
	for i := 0; i < len(parts); i++ {
		switch part := parts[i]; {
		case part == "" || part == "." || part == "..":
			return bad("empty or dotted path element")
		case part == "node_modules":
			inside = true
			if i+1 >= len(parts) {
				return bad("no name behind node_modules")
			}
			i++
			if strings.HasPrefix(parts[i], "@") {
				i++
			}
			if i >= len(parts) || parts[i] == "" || strings.HasPrefix(parts[i], ".") || strings.HasPrefix(parts[i-1], ".") || parts[i] == "node_modules" {
				return bad("no package name behind node_modules")
			}
		case inside:
			return bad("a folder inside a package")
		}
	}
	if !inside {
		return bad("outside node_modules")
	}
	return nil
}

// check refuses a plan that would write outside its places: a package inside
// what is a link there would land in the link's target.
func (p *Plan) check() error {
	for _, s := range p.Shares {
		if _, inside, ok := splitStore(s.Entry); !ok || inside != "" || !filepath.IsAbs(s.Target) {
			return fmt.Errorf("%q: not a place for a shared package", s.Entry)
		}
	}
	links := map[string]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		if err := CheckLocation(s.Package.Location); err != nil {
			return err
		}
		if s.Package.Link && s.Action != Remove {
			links[string(s.Package.Location)] = true
		}
	}
	if len(links) == 0 {
		return nil
	}
	for i := range p.Steps {
		loc := string(p.Steps[i].Package.Location)
		for at := strings.LastIndex(loc, "/node_modules/"); at >= 0; at = strings.LastIndex(loc[:at], "/node_modules/") {
			if links[loc[:at]] && p.Steps[i].Action != Remove {
				return &LocationError{lockfile.Location(loc), fmt.Sprintf("inside %q, which is a link", loc[:at])}
			}
		}
	}
	return nil
}

// trash names the folder that a location's old content is moved to: in the
// outermost node_modules, which is on the same file system.
func trash(loc string) string {
	i := strings.Index(loc, "node_modules/")
	return loc[:i] + "node_modules/" + trashName
}

// Apply carries the plan out in the project at dir. After an error everything
// is as it was, as far as that can be had: the error says what could not be.
func (p *Plan) Apply(ctx context.Context, dir string, files Files, o ApplyOptions) (*Applied, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	l, err := openLayout(dir)
	if err != nil {
		return nil, err
	}
	a := &Applied{plan: p, root: l, shims: o.Shims, gone: o.Gone, taken: map[string]bool{}}
	if err := a.apply(ctx, files, o); err != nil {
		if uerr := a.Undo(); uerr != nil {
			return nil, errors.Join(err, fmt.Errorf("putting node_modules back: %w", uerr))
		}
		return nil, err
	}
	return a, nil
}

func (a *Applied) apply(ctx context.Context, files Files, o ApplyOptions) error {
	if len(a.plan.Steps) == 0 && len(a.plan.OldBins) == 0 && len(a.plan.Bins) == 0 && len(a.plan.Orphans) == 0 && len(a.plan.Shares) == 0 {
		return nil
	}
	empty := isEmpty(filepath.Join(a.root.dir, "node_modules"))
	if err := a.writeJournal(); err != nil {
		return err
	}
	if err := a.retireOrphans(); err != nil {
		return err
	}
	if err := a.moveAside(empty); err != nil {
		return err
	}
	if err := a.placeShares(); err != nil {
		return err
	}
	if err := a.place(ctx, files, o, empty); err != nil {
		return err
	}
	return a.linkBins(o.Umask)
}

// isEmpty says whether a folder holds nothing, or is not there.
func isEmpty(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return err == io.EOF
}

// moveAside takes away what is removed or replaced, and whatever else lies
// where a new package goes. Below an empty node_modules there is nothing.
func (a *Applied) moveAside(empty bool) error {
	for i := range a.plan.Steps {
		s := &a.plan.Steps[i]
		loc := string(s.Package.Location)
		if empty && strings.HasPrefix(loc, "node_modules/") {
			continue
		}
		// Where something is added, there may be what no lockfile knows.
		// What is removed takes all that is nested in it along.
		a.root.spare()
		if err := a.retire(loc, s.keeps); err != nil {
			return err
		}
	}
	return nil
}

// retire moves what is at a location into the trash, and what is nested in it
// and stays back to where it was.
func (a *Applied) retire(loc string, keeps []lockfile.Location) error {
	parentPath, name := path.Split(loc)
	parent, err := a.root.folder(strings.TrimSuffix(parentPath, "/"), false)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, folder.ErrNotFolder) {
		return nil
	}
	if err != nil {
		return err
	}
	var st folder.Stat
	if err := parent.Lstat(name, &st); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	bin, err := a.root.folder(trash(loc), true)
	if err != nil {
		return err
	}
	var to string
	for range 1000 { // what a run before could not remove keeps its name
		to = strconv.Itoa(a.retired)
		a.retired++
		if bin.RemoveAll(to) == nil {
			break
		}
	}
	if err := parent.Rename(name, bin, to); err != nil {
		return err
	}
	a.root.forget(loc)
	old := trash(loc) + "/" + to
	a.moved = append(a.moved, move{from: loc, to: old})
	for _, k := range keeps {
		if err := a.moveBack(old+strings.TrimPrefix(string(k), loc), string(k)); err != nil {
			return err
		}
	}
	if len(keeps) > 0 {
		a.root.forget(old)
	}
	return nil
}

// moveBack moves a package out of the trash.
func (a *Applied) moveBack(from, to string) error {
	old, err := a.root.folder(path.Dir(from), false)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, folder.ErrNotFolder) {
		return nil
	}
	if err != nil {
		return err
	}
	parent, err := a.root.folder(path.Dir(to), true)
	if err != nil {
		return err
	}
	if err := old.Rename(path.Base(from), parent, path.Base(to)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	a.moved = append(a.moved, move{from: from, to: to})
	return nil
}

// place puts every new package in its place, several at a time.
func (a *Applied) place(ctx context.Context, files Files, o ApplyOptions, empty bool) error {
	type group struct {
		p    *lockfile.Package
		into []string
		all  []*lockfile.Package
	}
	var groups []*group
	byName := map[string]*group{}
	entry := ""
	for i := range a.plan.Steps {
		s := &a.plan.Steps[i]
		if s.Action != Add && s.Action != Change {
			continue
		}
		loc := string(s.Package.Location)
		if at, _, ok := splitStore(loc); ok && at != entry {
			entry = at
			a.makes(entry, empty)
		}
		a.made = append(a.made, loc)
		if s.Package.Link {
			a.root.spare()
			if err := a.placeLink(s.Package); err != nil {
				return err
			}
			continue
		}
		key := files.Group(s.Package)
		g := byName[key]
		if g == nil || key == "" {
			g = &group{p: s.Package}
			groups = append(groups, g)
			byName[key] = g
		}
		g.into = append(g.into, loc)
		g.all = append(g.all, s.Package)
	}

	eg, placing := errgroup.WithContext(ctx)
	var mu sync.Mutex
	var next atomic.Int64
	// Each worker takes one package after the other: a goroutine of its own for
	// each would have to grow a stack first, a thousand times.
	for range min(max(o.Limit, 1), len(groups)) {
		eg.Go(func() error {
			for placing.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(groups) {
					return nil
				}
				g := groups[i]
				err := files.Place(placing, g.p, &Folders{a, g.into})
				if err == nil {
					continue
				}
				mu.Lock()
				for _, p := range g.all {
					if placing.Err() != nil || o.Failed == nil || !o.Failed(p, err) {
						mu.Unlock()
						return err
					}
				}
				for _, p := range g.all {
					a.Missing = append(a.Missing, &OptionalError{Package: p, Err: err})
				}
				mu.Unlock()
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return err
	}
	for _, m := range a.Missing {
		if err := a.root.remove(string(m.Package.Location)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (a *Applied) placeLink(p *lockfile.Package) error {
	loc := string(p.Location)
	parent, name, err := a.parent(loc)
	if err != nil {
		return err
	}
	if to, ok := a.plan.linksTo[p.Location]; ok {
		p = &lockfile.Package{Location: p.Location, Resolved: to}
	}
	target, err := linkText(p)
	if err != nil {
		return err
	}
	return parent.Symlink(target, name)
}

// linkText is what a link says: the way from its folder to its target.
func linkText(p *lockfile.Package) (string, error) {
	target, err := filepath.Rel(filepath.FromSlash(path.Dir(string(p.Location))), filepath.FromSlash(p.Resolved))
	return filepath.ToSlash(target), err
}

// parent opens the node_modules, or the scope's folder in it, that a location
// is in. The package around it may not have its own files yet.
func (a *Applied) parent(loc string) (*folder.Folder, string, error) {
	parentPath, name := path.Split(loc)
	parent, err := a.root.folder(strings.TrimSuffix(parentPath, "/"), true)
	return parent, name, err
}

// openPlace makes and opens the folder of a package.
func (a *Applied) openPlace(loc string) (*folder.Folder, error) {
	a.root.spare()
	a.root.using.RLock()
	defer a.root.using.RUnlock()
	parent, name, err := a.parent(loc)
	if err != nil {
		return nil, err
	}
	if err := parent.Mkdir(name); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return parent.Child(name)
}

// Commit makes the new state the only one: what was moved aside is removed,
// and the journal with it. An error is worth a warning only.
func (a *Applied) Commit() error {
	defer a.root.close()
	return a.clear()
}

// clear removes the trash folders and then the journal. Where one of them stays, so
// does the journal, for the next run to try again; it names nothing else then.
func (a *Applied) clear() error {
	var first error
	var stay []string
	seen := map[string]bool{}
	for _, m := range a.moved {
		for _, p := range []string{m.from, m.to} {
			i := strings.Index(p, "/"+trashName)
			if i < 0 || seen[p[:i]] {
				continue
			}
			seen[p[:i]] = true
			a.root.spare()
			a.root.forget(p[:i] + "/" + trashName)
			if modules, err := a.root.folder(p[:i], false); err == nil {
				if trash, err := modules.Child(trashName); err == nil {
					if a.gone != nil {
						a.gone(trash)
					}
					trash.Close()
				}
				if err := modules.RemoveAll(trashName); err != nil {
					stay = append(stay, p[:i]+"/"+trashName)
					if first == nil {
						first = err
					}
				}
			}
		}
	}
	if len(stay) > 0 {
		_ = a.saveJournal(strings.Join(stay, "\n") + "\n")
		return first
	}
	if err := removeJournal(a.root.dir); err != nil && first == nil {
		first = err
	}
	return first
}

// Undo puts everything back as it was before Apply.
func (a *Applied) Undo() error {
	defer a.root.close()
	a.root.shut() // it may have failed because too much is open
	var first error
	note := func(err error) {
		if err != nil && first == nil && !errors.Is(err, fs.ErrNotExist) {
			first = err
		}
	}
	// What was placed goes, but for packages that others are nested in which
	// were there before. Then the way back is the way there in reverse.
	keeps := map[string]bool{}
	for _, m := range a.moved {
		if m.back() {
			for p := path.Dir(m.to); p != "."; p = path.Dir(p) {
				keeps[p] = true
			}
		}
	}
	for _, p := range slices.Backward(a.made) {
		if !keeps[p] {
			note(a.root.remove(p))
		}
	}
	for _, m := range slices.Backward(a.moved) {
		if !m.back() && first == nil {
			note(a.root.remove(m.from)) // what was nested is in the trash again
		}
		note(a.root.rename(m.to, m.from))
	}
	if first == nil {
		first = a.clear()
	}
	// A folder that somebody put something into meanwhile stays.
	for _, p := range slices.Backward(a.root.made) {
		if parent, err := a.root.folder(path.Dir(p), false); err == nil {
			_ = parent.Remove(path.Base(p))
		}
	}
	return first
}
