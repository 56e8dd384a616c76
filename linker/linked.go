package linker

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/lockfile"
)

// The linked layout has its packages in folders of the store, each with a
// node_modules of its own: "node_modules/.store/a@1.0.0-key/node_modules/a".
const storeDir = "node_modules/.store"

// splitStore cuts a location below the store into the folder of the store and
// what is inside of that: "node_modules/.store/@s/a@1.0.0-key" and
// "node_modules/@s/a". inside is "" for the folder itself.
func splitStore(loc string) (entry, inside string, ok bool) {
	rest, ok := strings.CutPrefix(loc, storeDir+"/")
	if !ok {
		return "", "", false
	}
	key, inside, _ := strings.Cut(rest, "/")
	if strings.HasPrefix(key, "@") {
		var name string
		name, inside, _ = strings.Cut(inside, "/")
		if !storeName(name) || len(key) == 1 {
			return "", "", false
		}
		key += "/" + name
	} else if !storeName(key) {
		return "", "", false
	}
	return storeDir + "/" + key, inside, true
}

func storeName(s string) bool {
	return s != "" && s[0] != '.' && s[0] != '@' && s != "node_modules" && strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, 0) < 0
}

// inStore tells what lies in the store or leads there. It is no package of its
// own in what is told of an install.
func inStore(p *lockfile.Package) bool {
	return strings.HasPrefix(string(p.Location), storeDir+"/")
}

func storeLink(p *lockfile.Package) bool {
	return p.Link && (inStore(p) || strings.HasPrefix(p.Resolved, storeDir+"/"))
}

// ReadLinked compares a linked layout with what lies in the project at dir:
// installed is what of wanted is there, orphans are the paths of what a layout
// has left that is wanted no more. folders are those of the project that have a
// node_modules of the layout besides the project's own. (npm: arborist
// lib/arborist/reify.js, #buildLinkedActualForDiff, #cleanOrphanedStoreEntries)
//
// shared are the folders of the store that are to be links to what other
// projects have as well, which the caller has looked at; any other link in the
// place of one is left over.
//
// As with npm, a folder of the store that is there is taken for what its name
// says: the name is a hash of all that it is made from.
func ReadLinked(dir string, wanted *lockfile.Lockfile, folders []lockfile.Location, shared map[string]string) (installed *lockfile.Lockfile, orphans []string, err error) {
	l, err := openLayout(dir)
	if err != nil {
		return nil, nil, err
	}
	defer l.close()
	installed = lockfile.New()
	if len(folders) == 0 {
		var st folder.Stat
		if errors.Is(l.top.Lstat("node_modules", &st), fs.ErrNotExist) {
			installed.Index()
			return installed, nil, nil
		}
	}
	r := linkedReader{l: l, entries: map[string]bool{}, names: map[string]bool{}, bins: map[string]bool{}, left: map[string]bool{}}
	links := make([]*lockfile.Package, 0, len(wanted.Packages))
	isShare := map[string]bool{}
	for entry, text := range ReadShared(dir) {
		isShare[entry] = text == shared[entry]
		if !isShare[entry] {
			r.orphans = append(r.orphans, entry)
		}
	}
	for _, p := range wanted.Packages {
		loc := string(p.Location)
		if !inModules(p.Location) {
			continue
		}
		r.want(p, wanted)
		if entry, _, ok := splitStore(loc); ok {
			is, link := isShare[entry]
			switch {
			case is:
				installed.Packages = append(installed.Packages, p)
				continue
			case link:
				continue
			case shared[entry] != "":
				// What lies there is this project's own, and goes.
				if !r.left[entry] {
					r.left[entry] = true
					var st folder.Stat
					if l.top.Lstat(entry, &st) == nil {
						r.orphans = append(r.orphans, entry)
					}
				}
				continue
			}
		}
		var st folder.Stat
		if err := l.top.Lstat(loc, &st); err != nil {
			continue
		}
		switch {
		case p.Link && st.Mode&fs.ModeSymlink != 0:
			links = append(links, p)
		case !p.Link && st.Mode.IsDir():
			installed.Packages = append(installed.Packages, p)
		}
	}
	installed.Index()
	for _, p := range links {
		text, err := linkText(p)
		if err != nil {
			continue
		}
		got, err := l.top.Readlink(string(p.Location))
		if err != nil || filepath.ToSlash(got) != text {
			continue
		}
		if target := p.Target(); inModules(target) {
			if installed.Get(target) == nil {
				continue
			}
		} else if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(string(p.Location)))); err != nil {
			continue
		}
		installed.Packages = append(installed.Packages, p)
	}
	installed.Index()
	r.sweepStore()
	r.sweep("node_modules")
	for _, f := range folders {
		r.sweep(string(f) + "/node_modules")
	}
	return installed, r.orphans, nil
}

type linkedReader struct {
	l       *layout
	entries map[string]bool // folders of the store
	names   map[string]bool // what lies in a node_modules outside of the store
	bins    map[string]bool
	left    map[string]bool // folders of the store that give way to links
	orphans []string
}

func (r *linkedReader) want(p *lockfile.Package, wanted *lockfile.Lockfile) {
	loc := string(p.Location)
	if entry, _, ok := splitStore(loc); ok {
		r.entries[entry] = true
		return
	}
	r.names[loc] = true
	meta := p.Meta
	if p.Link {
		if t := wanted.Get(p.Target()); t != nil {
			meta = t.Meta
		}
	}
	if meta != nil {
		for _, b := range binsOf(p, meta) {
			r.bins[b.Path] = true
		}
	}
}

// list reads a folder; nothing for one that is not there.
func (r *linkedReader) list(p string) []folder.Entry {
	r.l.spare()
	f, err := r.l.folder(p, false)
	if err != nil {
		return nil
	}
	entries, err := f.ReadDir()
	if err != nil {
		return nil
	}
	return entries
}

func (r *linkedReader) sweepStore() {
	r.eachEntry(func(entry string) {
		if !r.entries[entry] && !slices.Contains(r.orphans, entry) {
			r.orphans = append(r.orphans, entry)
		}
	})
}

// eachEntry calls f with what lies in the store under the name of a package.
func (r *linkedReader) eachEntry(f func(entry string)) {
	check := func(p string) {
		if _, inside, ok := splitStore(p); ok && inside == "" {
			f(p)
		}
	}
	for _, e := range r.list(storeDir) {
		p := storeDir + "/" + e.Name
		if !strings.HasPrefix(e.Name, "@") {
			check(p)
			continue
		}
		for _, s := range r.list(p) {
			check(p + "/" + s.Name)
		}
	}
}

// sweep finds what is left over in a node_modules: links into the project,
// folders that are packages, and executables.
func (r *linkedReader) sweep(modules string) {
	check := func(p string, e folder.Entry) {
		if r.names[p] || CheckLocation(lockfile.Location(p)) != nil {
			return
		}
		switch {
		case e.Link:
			// What leads out of the project is its owner's own doing.
			to, err := r.l.top.Readlink(p)
			if err != nil {
				return
			}
			if to = filepath.ToSlash(to); !path.IsAbs(to) && !filepath.IsAbs(to) {
				to = path.Join(path.Dir(p), to)
				if to == ".." || strings.HasPrefix(to, "../") {
					return
				}
			} else if rel, err := filepath.Rel(r.l.dir, filepath.FromSlash(to)); err != nil || !filepath.IsLocal(rel) || rel == "." {
				return
			}
		case e.Dir:
			var st folder.Stat
			if r.l.top.Lstat(p+"/package.json", &st) != nil {
				return
			}
		default:
			return
		}
		r.orphans = append(r.orphans, p)
	}
	for _, e := range r.list(modules) {
		p := modules + "/" + e.Name
		switch {
		case strings.HasPrefix(e.Name, "."):
		case strings.HasPrefix(e.Name, "@"):
			if !e.Dir {
				continue
			}
			for _, s := range r.list(p) {
				check(p+"/"+s.Name, s)
			}
		default:
			check(p, e)
		}
	}
	for _, e := range r.list(modules + "/.bin") {
		p := modules + "/.bin/" + e.Name
		if !r.bins[strings.TrimSuffix(strings.TrimSuffix(p, ".cmd"), ".ps1")] {
			r.orphans = append(r.orphans, p)
		}
	}
}

// StoreLeft gives the orphans that an install of another strategy finds: the
// store that a linked layout has left.
func StoreLeft(dir string) []string {
	if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(storeDir))); err != nil {
		return nil
	}
	return []string{storeDir}
}

// retireOrphans moves away what nobody wants any more.
func (a *Applied) retireOrphans() error {
	for _, p := range a.plan.Orphans {
		a.root.spare()
		if !orphan(p) {
			return errors.New(p + ": not a place of a layout's")
		}
		if err := a.retire(p, nil); err != nil {
			return err
		}
		// A scope goes with the last package that it had.
		scope := path.Dir(p)
		if !strings.HasPrefix(path.Base(scope), "@") {
			continue
		}
		parent, err := a.root.folder(path.Dir(scope), false)
		if err != nil {
			continue
		}
		a.root.forget(scope)
		if f, err := parent.Child(path.Base(scope)); err == nil {
			left, err := f.ReadDir()
			f.Close()
			if err == nil && len(left) == 0 {
				if err := parent.RemoveAll(path.Base(scope)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// orphan says whether a path is one that ReadLinked and StoreLeft give.
func orphan(p string) bool {
	if p == storeDir {
		return true
	}
	if _, inside, ok := splitStore(p); ok && inside == "" {
		return true
	}
	return healableBin(p) || CheckLocation(lockfile.Location(p)) == nil
}

// makes notes that a folder of the store is about to be made, which goes as a
// whole when the work is taken back. fresh: it cannot be there yet.
func (a *Applied) makes(entry string, fresh bool) {
	if !fresh {
		var st folder.Stat
		if err := a.root.top.Lstat(entry, &st); !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
	a.made = append(a.made, entry)
}
