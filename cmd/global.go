package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// globalLinks are the links that global packages have outside of node_modules:
// their executables in <prefix>/bin (npm: bin-links). Packages below them have
// their executables in a .bin, as everywhere. On Windows scripts in <prefix>
// stand for the executables, see globalShim. Links to manual pages in
// <prefix>/share/man, which npm made before 12, go with their package.
type globalLinks struct {
	app   *App
	dir   string // the folder that node_modules is in
	steps []linker.Step
	lock  *lockfile.Lockfile // wanted
	// old are the links of what is to go or to change: listed while it is there.
	old []globalLink

	undo []func() error
}

// globalLink is one of them.
type globalLink struct {
	path string // of the link
	file string // that it leads to
	pkg  string // the folder of the package
	shim bool   // scripts, rather than a symbolic link
}

// globalLinks takes what belongs outside of node_modules out of a plan. It is
// nil where nothing is global.
func (a *App) globalLinks(p *project, plan *linker.Plan, installed, wanted *lockfile.Lockfile) *globalLinks {
	if !a.Config.Global() {
		return nil
	}
	top := func(b linker.Bin) bool { return path.Dir(b.Path) == "node_modules/.bin" }
	plan.Bins = slices.DeleteFunc(plan.Bins, top)
	plan.OldBins = slices.DeleteFunc(plan.OldBins, top)
	// What a linked folder has in its own node_modules is that folder's affair.
	plan.Steps = slices.DeleteFunc(plan.Steps, func(s linker.Step) bool { return strings.HasPrefix(string(s.Package.Location), "../") })
	if !a.Config.Bool("bin-links") {
		return nil
	}
	g := &globalLinks{app: a, dir: p.dir, lock: wanted}
	for _, s := range plan.Steps {
		loc := strings.TrimPrefix(string(s.Package.Location), "node_modules/")
		if loc != string(s.Package.Location) && !strings.Contains(loc, "node_modules/") {
			g.steps = append(g.steps, s)
			if s.Was != nil {
				g.old = append(g.old, g.bins(s.Was, installed)...)
				g.old = append(g.old, g.mans(s.Was)...)
			}
		}
	}
	return g
}

// touched says which of the global packages a change is about: those that it
// names. The others are not looked at and stay (npm: arborist
// lib/arborist/reify.js, _loadTrees). It is nil where all are meant, and for a
// project.
func (a *App) touched(c change, tree *resolver.Node) func(name string) bool {
	var r resolver.Request
	if !a.Config.Global() || c.ask == nil {
		return nil
	}
	if c.ask(&r); len(r.Add)+len(r.Remove)+len(r.Update) == 0 {
		return nil
	}
	names := map[string]bool{}
	for e := range tree.Target().EdgesOut {
		names[e.Name] = true
	}
	for _, name := range r.Remove {
		names[name] = true
	}
	return func(name string) bool { return names[name] }
}

// check refuses to take the place of a file that is no link into the package, as
// npm does: an install must not put something else in the place of a program
// of the system. --force allows it.
func (g *globalLinks) check() error {
	if g == nil || g.app.Config.Bool("force") {
		return nil
	}
	for _, s := range g.steps {
		if s.Action == linker.Remove {
			continue
		}
		for _, l := range g.bins(s.Package, g.lock) {
			if other := l.taken(); other != "" {
				return &codedError{
					code: "EEXIST", text: "EEXIST: file already exists", detail: []string{"File exists: " + other},
					hints: []string{"remove the file and run the command again; with --force it is overwritten"},
				}
			}
		}
	}
	return nil
}

// taken gives the file in the link's place that is no link into its package, or "".
func (l *globalLink) taken() string {
	if l.shim {
		return globalShim(*l).taken()
	}
	if _, err := os.Lstat(l.path); errors.Is(err, fs.ErrNotExist) || l.own() {
		return ""
	}
	return l.path
}

// own says whether the link is there and leads into its package.
func (l *globalLink) own() bool {
	target, err := os.Readlink(l.path)
	return err == nil && l.within(target)
}

// within says whether a link's text leads into the package.
func (l *globalLink) within(target string) bool {
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(l.path), target)
	}
	target, pkg := strings.ToLower(filepath.Clean(target)), strings.ToLower(l.pkg)
	return target == pkg || folder.Below(target, pkg)
}

// apply removes and makes links, when the packages are in their place.
func (g *globalLinks) apply() error {
	if g == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, l := range g.old {
		if l.shim {
			if err := g.removeShim(globalShim(l)); err != nil {
				return err
			}
			continue
		}
		if err := g.remove(l, l.own()); err != nil {
			return err
		}
	}
	for _, s := range g.steps {
		if s.Action == linker.Remove {
			continue
		}
		for _, l := range g.bins(s.Package, g.lock) {
			if seen[l.path] {
				continue
			}
			seen[l.path] = true
			if err := g.link(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove takes away what is in a link's place, if may says so.
func (g *globalLinks) remove(l globalLink, may bool) error {
	if !may {
		return nil
	}
	target, err := os.Readlink(l.path)
	if err != nil {
		// A file in the way, and --force: it cannot be brought back.
		return os.RemoveAll(l.path)
	}
	if err := os.Remove(l.path); err != nil {
		return err
	}
	g.undo = append(g.undo, func() error { return os.Symlink(target, l.path) })
	return nil
}

// link makes a link (npm: bin-links lib/link-gently.js): not for a file that is
// missing, and not in the place of another's, but with --force.
func (g *globalLinks) link(l globalLink) error {
	if _, err := os.Lstat(l.file); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	target, err := filepath.Rel(filepath.Dir(l.path), l.file)
	if err != nil {
		return err
	}
	if l.shim {
		return g.writeShim(globalShim(l), target)
	}
	if _, err := os.Lstat(l.path); err == nil {
		if now, err := os.Readlink(l.path); err == nil && now == target {
			return nil
		}
		may := l.own() || g.app.Config.Bool("force")
		if !may {
			return nil
		}
		if err := g.remove(l, may); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o777); err != nil {
		return err
	}
	if err := os.Symlink(target, l.path); err != nil {
		return fmt.Errorf("%s: linking: %w", l.path, err)
	}
	g.undo = append(g.undo, func() error { return os.Remove(l.path) })
	return linker.FixBin(l.file, g.app.umask)
}

// takeBack undoes what apply did.
func (g *globalLinks) takeBack() error {
	if g == nil {
		return nil
	}
	var failed error
	for _, back := range slices.Backward(g.undo) {
		failed = errors.Join(failed, back())
	}
	return failed
}

// bins are the links to a package's executables.
func (g *globalLinks) bins(p *lockfile.Package, lock *lockfile.Lockfile) []globalLink {
	meta := p.Meta
	if p.Link && lock != nil {
		if target := lock.Get(lockfile.Location(p.Resolved)); target != nil {
			meta = target.Meta
		}
	}
	if meta == nil {
		return nil
	}
	pkg := filepath.Join(g.dir, filepath.FromSlash(string(p.Location)))
	var out []globalLink
	for _, b := range meta.Bin {
		// Manifests are cleaned when they are read; a lockfile is a stranger's.
		if b.Name == "" || strings.ContainsAny(b.Name, "/\\\x00") || b.Name == "." || b.Name == ".." || !filepath.IsLocal(filepath.FromSlash(b.Path)) {
			continue
		}
		out = append(out, globalLink{
			path: filepath.Join(g.app.Config.GlobalBin(), b.Name), file: filepath.Join(pkg, filepath.FromSlash(b.Path)), pkg: pkg,
			shim: runtime.GOOS == "windows",
		})
	}
	return out
}

// mans are the links that npm 11 made to a package's manual pages. The registry's
// short documents do not speak of them: only folders and tarballs have some.
func (g *globalLinks) mans(p *lockfile.Package) []globalLink {
	if runtime.GOOS == "windows" {
		return nil
	}
	if !p.Link && p.Integrity != "" && !strings.HasPrefix(p.Resolved, "file:") {
		return nil
	}
	pkg := filepath.Join(g.dir, filepath.FromSlash(string(p.Location)))
	f, err := manifest.ReadFile(filepath.Join(pkg, "package.json"))
	if err != nil {
		return nil
	}
	var out []globalLink
	for _, item := range f.Get("man").Items() {
		man := manFile(item)
		section := manSection(man)
		if section == "" {
			continue
		}
		out = append(out, globalLink{
			path: filepath.Join(filepath.Dir(g.app.Config.GlobalBin()), "share", "man", "man"+section, path.Base(man)),
			file: filepath.Join(pkg, filepath.FromSlash(man)), pkg: pkg,
		})
	}
	return out
}

// manFile keeps the path of a manual page inside its package.
func manFile(item jsjson.Value) string {
	if !item.IsString() || strings.ContainsRune(item.Str(), 0) {
		return ""
	}
	return strings.TrimPrefix(path.Join("/", strings.NewReplacer(`\`, "/", ":", "/").Replace(item.Str())), "/")
}

// manSection is the number at the end of a page's name: "7" of "x.7.gz".
func manSection(file string) string {
	name := strings.TrimSuffix(path.Base(file), ".gz")
	i := strings.LastIndexByte(name, '.')
	if i < 1 || i == len(name)-1 || strings.Trim(name[i+1:], "0123456789") != "" {
		return ""
	}
	return name[i+1:]
}
