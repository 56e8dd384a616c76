package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/patches"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// patchSet is what a project's patchedDependencies do to its tree. It is nil
// where no patch is declared and none was.
type patchSet struct {
	app *App
	dir string
	// texts are the patches, by the path that package.json gives them.
	texts map[string][]byte
	// again are packages that had a patch by the lock and have none now: what is
	// installed of them may be patched whatever the hidden lockfile says.
	again map[lockfile.Location]bool
	// ignoreFailures: a patch that does not apply is left out (--ignore-patch-failures).
	ignoreFailures bool

	mu   sync.Mutex
	left []lockfile.Location // where one was left out
}

// registerPatches matches the project's patches with the packages of a tree that
// was decided, and notes them at its nodes (npm 12: arborist
// lib/patched-dependencies.js). What is removed on purpose takes its entries in
// patchedDependencies along.
func (a *App) registerPatches(p *project, tree *resolver.Node, remove []string) (*patchSet, error) {
	if p.file == nil || a.Config.Global() {
		return nil, nil
	}
	if err := p.checkWorkspacePatches(); err != nil {
		return nil, err
	}
	set := &patchSet{
		app: a, dir: p.dir, texts: map[string][]byte{}, again: map[lockfile.Location]bool{},
		ignoreFailures: a.onlyCLI("ignore-patch-failures"),
	}
	selectors := patchSelectors(p.file.Get("patchedDependencies"))
	used := map[string]bool{}
	had := false
	for n := range tree.Inventory {
		if n.IsWorkspace() || n.IsProjectRoot() {
			continue
		}
		had = had || n.Patched != ""
		if len(selectors) == 0 && n.Patched == "" {
			continue
		}
		s, err := patches.Match(selectors, n.Name, n.Version())
		if err != nil {
			return nil, err
		}
		if s == nil {
			if n.Patched.Truthy() {
				set.again[lockfile.Location(n.Location())] = true
			}
			n.Patched = ""
			continue
		}
		if fromElsewhere(n) {
			return nil, &codedError{code: "EPATCHNONREGISTRY", text: fmt.Sprintf(
				"%s@%s: the patch of %q is for it, and only packages of a registry can be patched", n.Name, n.Version(), s.Key)}
		}
		text, err := set.read(s.Path)
		if err != nil {
			return nil, err
		}
		n.Patched = jsjson.Raw(jsjson.Append(nil, jsjson.NewObject(
			jsjson.Member{Key: "path", Value: jsjson.NewString(s.Path)},
			jsjson.Member{Key: "integrity", Value: jsjson.NewString(patches.Integrity(text))}), "", ""))
		used[s.Key] = true
	}
	if len(selectors) == 0 && !had {
		return nil, nil
	}
	return set, set.checkUnused(p, selectors, used, remove)
}

// patchSelectors reads patchedDependencies.
func patchSelectors(declared jsjson.Value) []patches.Selector {
	var out []patches.Selector
	for _, m := range declared.Members() {
		out = append(out, patches.NewSelector(m.Key, m.Value.Text()))
	}
	return out
}

// fromElsewhere says whether something depends on the package by another
// address than a registry's.
func fromElsewhere(n *resolver.Node) bool {
	for e := range n.EdgesIn {
		if e.Spec() == "" {
			continue
		}
		if s, err := spec.Parse(e.Spec(), ""); err == nil && !s.Registry {
			return true
		}
	}
	return false
}

// read gives a patch, which has to be a file of the project.
func (s *patchSet) read(path string) ([]byte, error) {
	if text, ok := s.texts[path]; ok {
		return text, nil
	}
	at, ok := patches.Contained(filepath.ToSlash(path))
	if !ok {
		return nil, &codedError{code: "EPATCHUNSAFE", text: path + ": the patch lies outside of the project"}
	}
	text, err := regular.ReadFile(filepath.Join(s.dir, filepath.FromSlash(at)))
	if err != nil {
		return nil, &codedError{code: "EPATCHNOTFOUND", text: path + ": reading the patch: " + cause(err).Error()}
	}
	s.texts[path] = text
	return text, nil
}

// cause is what a system's error says, without the path.
func cause(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	return err
}

func (s *patchSet) checkUnused(p *project, selectors []patches.Selector, used map[string]bool, remove []string) error {
	removed := map[string]bool{}
	for _, name := range remove {
		removed[name] = true
	}
	var unused []string
	for _, x := range selectors {
		switch {
		case used[x.Key]:
		case removed[x.Name]:
			s.app.logPrefixed(levelNotice, "patch", fmt.Sprintf("%s is uninstalled: its entry %q in patchedDependencies goes, %s stays", x.Name, x.Key, x.Path))
			p.file.Delete("patchedDependencies", x.Key)
			if p.file.Get("patchedDependencies").Len() == 0 {
				p.file.Delete("patchedDependencies")
			}
		default:
			unused = append(unused, x.Key+" -> "+x.Path)
		}
	}
	if len(unused) == 0 || s.app.onlyCLI("allow-unused-patches") {
		return nil
	}
	return &codedError{
		code: "EPATCHUNUSED", text: "patchedDependencies: no installed package has a version that these patches are for",
		detail: unused,
		hints:  []string{s.app.heading + " ls <package> shows what is installed", "with --allow-unused-patches it is installed anyway"},
	}
}

// onlyCLI is a setting that counts on the command line alone.
func (a *App) onlyCLI(key string) bool {
	layer, ok := a.Config.Where(key)
	return ok && layer == config.CLI && a.Config.Bool(key)
}

// checkWorkspacePatches refuses patches that a workspace declares: the project
// alone may.
func (p *project) checkWorkspacePatches() error {
	for _, w := range p.workspaces {
		data, err := regular.ReadFile(filepath.Join(w.Path, "package.json"))
		if err != nil || !bytes.Contains(data, []byte("patchedDependencies")) {
			continue
		}
		v, err := jsjson.Parse(data)
		if err == nil && v.Get("patchedDependencies").Len() > 0 {
			return &codedError{code: "EPATCHWORKSPACE", text: "workspace " + w.Name + ": patchedDependencies belong in the package.json of the project"}
		}
	}
	return nil
}

// apply changes the files of a package that was just placed.
func (s *patchSet) apply(p *lockfile.Package, dir *folder.Folder) error {
	record := p.Patched.Value()
	path := record.Get("path").Str()
	text, ok := s.texts[path]
	if !ok || patches.Integrity(text) != record.Get("integrity").Str() {
		return &patchError{id: p.ID(), path: path, code: "EPATCHINTEGRITY", err: fmt.Errorf("not the bytes that the lock names")}
	}
	err := patches.Apply(text, dir)
	if err == nil {
		return nil
	}
	var unfit *patches.Error
	if s.ignoreFailures && errors.As(err, &unfit) {
		s.app.logPrefixed(levelWarn, "patch", fmt.Sprintf("%s: applying %s: %v", p.ID(), path, err))
		s.app.logPrefixed(levelWarn, "patch", fmt.Sprintf("%s: installed without its patch, which package.json still declares: `%s ci` refuses this until the patch is mended or its entry is gone", p.ID(), s.app.heading))
		s.mu.Lock()
		s.left = append(s.left, p.Location)
		s.mu.Unlock()
		return nil
	}
	return &patchError{id: p.ID(), path: path, err: err}
}

// patchError says that a package does not have its patch. It is an error for
// optional packages, too.
type patchError struct {
	id, path string
	code     string // "" for that of err
	err      error
}

func (e *patchError) Error() string { return fmt.Sprintf("%s: applying %s: %v", e.id, e.path, e.err) }
func (e *patchError) Unwrap() error { return e.err }

// Code is npm's.
func (e *patchError) Code() string {
	if c, ok := e.err.(coder); ok && e.code == "" {
		return c.Code()
	}
	return e.code
}

// Hints say what can be done.
func (e *patchError) Hints() []string {
	if e.Code() == "" || e.code != "" {
		return nil
	}
	return []string{"ibid patch update " + e.id[:max(strings.LastIndexByte(e.id, '@'), 0)] + " moves a patch to another version"}
}

// forget takes back, where patches were left out, what the tree and the lockfile
// say of them. It says whether there were any.
func (s *patchSet) forget(tree *resolver.Node, wanted *lockfile.Lockfile) bool {
	if s == nil || len(s.left) == 0 {
		return false
	}
	for _, loc := range s.left {
		if n := tree.At(string(loc)); n != nil {
			n.Patched = ""
		}
	}
	for i, p := range wanted.Packages {
		if p.Patched != "" && slices.Contains(s.left, p.Location) {
			bare := *p // the lock has the entry, too, and may be being written
			bare.Patched = ""
			wanted.Packages[i] = &bare
		}
	}
	wanted.Index()
	return true
}

// planOptions has the packages laid out anew whose patch is gone.
func (s *patchSet) planOptions(o linker.Options) linker.Options {
	if s != nil {
		o.Again = s.again
	}
	return o
}

// warnVersion says that the lock gets a version that older programs refuse.
func (s *patchSet) warnVersion(p *project, lock *lockfile.Lockfile) {
	if s == nil || lock == nil || lock.LockfileVersion < lockfile.MaxVersion || len(s.texts) == 0 {
		return
	}
	from := lockfile.DefaultVersion
	if v := s.app.Config.LockfileVersion(); v != 0 {
		from = v
	} else if p.lock != nil && p.lock.LockfileVersion > 1 {
		from = p.lock.LockfileVersion
	}
	if from < lockfile.MaxVersion {
		s.app.logPrefixed(levelWarn, "shrinkwrap", fmt.Sprintf("patchedDependencies requires lockfileVersion %d; upgrading the lockfile from version %d.", lockfile.MaxVersion, from))
	}
}

// patchDiffers says what is wrong with the patch that a lock names, "" for
// nothing (npm 12: lib/utils/validate-lockfile.js).
func patchDiffers(locked *lockfile.Package, n *resolver.Node) string {
	was, is := locked.Patched.Value(), n.Patched.Value()
	same := func(key string) bool { return was.Get(key).Str() == is.Get(key).Str() }
	switch {
	case locked.Patched == n.Patched, same("integrity") && same("path"):
		return ""
	case !was.Truthy():
		return fmt.Sprintf("Invalid: package.json declares a patch for %s@%s that the lock file does not record", n.Name, n.Version())
	case !is.Truthy():
		return fmt.Sprintf("Invalid: lock file records a patch for %s@%s that package.json no longer declares", locked.Name(), locked.Version())
	}
	return fmt.Sprintf("Invalid: patch for %s@%s does not match the patch recorded in the lock file", n.Name, n.Version())
}

// placePatched gives a package files of its own and applies its patch to them.
func (f *files) placePatched(ctx context.Context, p *lockfile.Package, into *linker.Folders, place func(private bool) error) error {
	if err := place(true); err != nil {
		return err
	}
	if err := into.Each(func(dir *folder.Folder) error { return f.patches.apply(p, dir) }); err != nil {
		return err
	}
	return ctx.Err()
}
