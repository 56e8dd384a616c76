package cmd

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/cmd/again"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/lockfile"
)

// Before a script runs it is looked whether what is installed is what is wanted:
// package.json was changed, a pull brought another lock, node_modules is gone.
// It is said once, by the outermost ibid; what a script starts says nothing.
//
// The look must cost next to nothing and never be wrong about a project that
// works. So it believes the hidden lock where that is npm's, speaks only of what
// node would miss or get in another version than is locked, and leaves alone
// what people do on purpose: links, packages installed beside the lock, whole
// kinds of dependencies left out, folders of other package managers.

// staleSetting is the setting that says what is done about it. Its name and its
// values are pnpm's.
const staleSetting = config.VerifyDepsBeforeRun

// checkInstalled holds what is installed against what the packages want.
func (a *App) checkInstalled(ctx context.Context, dirs []string) error {
	setting := "warn"
	if v := a.Config.Get(staleSetting); v.Kind() != config.Undefined && v.Kind() != config.Null {
		setting = v.String()
	}
	switch setting {
	case "warn", "install", "error", "prompt":
	case "false":
		return nil
	default:
		return &codedError{text: fmt.Sprintf("%s=%s: must be warn, install, error or false", staleSetting, term.SafeLine(setting))}
	}
	if a.Config.Global() || a.Config.Getenv("npm_lifecycle_event") != "" {
		return nil
	}
	what := a.stale(dirs)
	if what == "" {
		return nil
	}
	cure := a.heading + " install"
	switch setting {
	case "install":
		a.logPrefixed(levelNotice, "run", term.SafeLine(what+"; installing"))
		return a.installStale(ctx)
	case "error":
		return &codedError{code: "ESTALE", text: what, hints: []string{cure, staleSetting + "=warn runs it all the same"}}
	}
	a.logPrefixed(levelWarn, "run", term.SafeLine(what))
	a.hint(cure + " brings it up to date; " + staleSetting + "=install does so before a script, =false says nothing")
	return nil
}

// installStale is a plain install of the whole project.
func (a *App) installStale(ctx context.Context) error {
	kept := map[string]config.Value{}
	for _, key := range []string{"workspace", "workspaces", "include-workspace-root"} {
		if v := a.Config.GetIn(key, config.CLI); v.Kind() != config.Undefined {
			kept[key] = v
			a.Config.Delete(key, config.CLI)
		}
	}
	command := a.Command
	a.Command = "install"
	err := runInstall(ctx, a, nil)
	a.Command = command
	for key, v := range kept {
		a.Config.Set(key, v, config.CLI)
	}
	return err
}

// stale says what is wrong with what is installed, in one line, or "". The
// answer is kept with marks of all that it depends on: as long as these hold,
// nothing is read.
func (a *App) stale(dirs []string) string {
	root := a.Config.LocalPrefix()
	look := glance{root: root, omitDev: a.Config.Omits("dev")}
	look.read(dirs)
	if look.nothing() {
		return ""
	}
	file, key := a.staleFile(root, dirs)
	a.scopes = look.scopes()
	marks, err := look.marks(a.scopes)
	if err != nil {
		return look.judge()
	}
	if text, ok := readVerdict(file, key, marks); ok {
		return text
	}
	text := look.judge()
	if err := writeVerdict(file, key, marks, text); err != nil {
		a.log(levelVerbose, "remembering what is installed: "+err.Error())
	}
	return text
}

func (a *App) staleFile(root string, dirs []string) (file, key string) {
	key = strings.Join(append([]string{root, strings.Join(a.Config.Omit(), ",")}, dirs...), "\x00")
	return filepath.Join(a.standingDir(), standingName([]byte(root))+"-run"), strconv.Quote(key)
}

const verdictMagic = "ibid verdict 1"

func readVerdict(file, key string, marks []again.Mark) (text string, ok bool) {
	data, err := regular.ReadFile(file)
	if err != nil {
		return "", false
	}
	r := lines{rest: string(data)}
	if r.next() != verdictMagic || r.next() != key {
		return "", false
	}
	quoted := r.next()
	for _, m := range marks {
		if kept, ok := parseMark(r.next()); !ok || kept != m {
			return "", false
		}
	}
	text, err = strconv.Unquote(quoted)
	return text, err == nil && r.rest == ""
}

func writeVerdict(file, key string, marks []again.Mark, text string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%s\n%s\n", verdictMagic, key, strconv.Quote(text))
	for _, m := range marks {
		b.Write(appendMark(b.AvailableBuffer(), m))
	}
	return keepFile(file, b.Bytes(), 0o755, 0o644)
}

// glance is a look at what is installed and what is wanted.
type glance struct {
	root    string
	omitDev bool

	wants     []want
	installed map[lockfile.Location]*lockfile.Glimpse // nil: nobody knows
	hasDev    bool                                    // something is installed for development alone
	// overridden: the root has overrides, so that a wish need not say what is
	// meant. The lock is held against the tree all the same.
	overridden bool
}

// want is a package that is looked at, and what it wants.
type want struct {
	dir, rel string // rel is "" for the root
	m        *manifest.Manifest
}

// read reads the manifests of the project and of the packages in dirs.
func (g *glance) read(dirs []string) {
	if !slices.Contains(dirs, g.root) {
		dirs = append([]string{g.root}, dirs...)
	}
	for _, dir := range dirs {
		m, err := manifest.ReadDir(dir)
		if err != nil {
			continue // whoever needs it will say so
		}
		w := want{dir: dir, m: m}
		if dir == g.root {
			g.overridden = m.Overrides != ""
		} else {
			rel, err := filepath.Rel(g.root, dir)
			if err != nil {
				continue
			}
			w.rel = filepath.ToSlash(rel) + "/"
		}
		g.wants = append(g.wants, w)
	}
}

// nothing says whether no package wants any other.
func (g *glance) nothing() bool {
	for _, w := range g.wants {
		if len(w.m.Dependencies)+len(w.m.DevDependencies) > 0 || w.m.Workspaces != "" {
			return false
		}
	}
	return true
}

// marks are those of all files and folders that the judgement depends on.
func (g *glance) marks(scopes []string) ([]again.Mark, error) {
	top, err := folder.Open(g.root)
	if err != nil {
		return nil, err
	}
	defer top.Close()
	paths := []string{lockfile.LockName, lockfile.ShrinkwrapName, lockfile.HiddenName, "node_modules"}
	for _, w := range g.wants {
		paths = append(paths, w.rel+"package.json")
		if w.rel != "" {
			paths = append(paths, w.rel+"node_modules")
		}
	}
	paths = append(paths, scopes...)
	out := make([]again.Mark, len(paths))
	for i, path := range paths {
		if out[i], err = look(top, path); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// scopes are the folders in which the packages of scopes stand that are wanted: what
// comes and goes there does not touch node_modules.
func (g *glance) scopes() (folders []string) {
	for _, w := range g.wants {
		for _, deps := range [...]manifest.Deps{w.m.Dependencies, w.m.DevDependencies} {
			for _, d := range deps {
				scope, _, scoped := strings.Cut(d.Name, "/")
				at := w.rel + "node_modules/" + scope
				if scoped && !slices.Contains(folders, at) {
					folders = append(folders, at)
				}
			}
		}
	}
	return folders
}

// judge says in one line what is wrong, or nothing.
func (g *glance) judge() string {
	if exists(filepath.Join(g.root, ".pnp.cjs")) {
		return "" // there is nothing to be installed
	}
	modules := filepath.Join(g.root, "node_modules")
	other := exists(filepath.Join(modules, ".modules.yaml")) || exists(filepath.Join(modules, ".yarn-integrity")) || exists(filepath.Join(modules, ".yarn-state.yml"))
	var locked []lockfile.Glimpse
	if !other {
		hidden, err := lockfile.GlanceHidden(g.root)
		if err != nil {
			return ""
		}
		if hidden != nil {
			g.installed = make(map[lockfile.Location]*lockfile.Glimpse, len(hidden))
			for i := range hidden {
				g.installed[hidden[i].Location] = &hidden[i]
				g.hasDev = g.hasDev || hidden[i].Dev
			}
			if locked, err = lockfile.GlanceAt(g.root); err != nil {
				return ""
			}
		}
	}
	var wrong []string
	for _, w := range g.wants {
		wrong = append(wrong, g.unmet(w)...)
	}
	if len(wrong) == 0 {
		wrong = g.unlike(locked)
	}
	if len(wrong) == 0 {
		return ""
	}
	text := "node_modules is out of date: "
	if !exists(modules) {
		text = "nothing is installed: "
	}
	text += wrong[0]
	if n := len(wrong) - 1; n > 0 {
		text += fmt.Sprintf(", and %d more", n)
	}
	return text
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// unmet are the direct dependencies of a package that it would not find.
func (g *glance) unmet(w want) (wrong []string) {
	check := func(d manifest.Dep, dev bool) {
		if _, optional := w.m.OptionalDependencies.Get(d.Name); optional {
			return
		}
		by := ""
		if w.rel != "" {
			by = " by " + w.m.Name
		}
		at := g.find(w, d.Name)
		if at == nil || !exists(filepath.Join(g.root, filepath.FromSlash(string(at.Location)))) {
			if dev && (g.omitDev || g.installed != nil && !g.hasDev) || g.onDisk(w.dir, d.Name) {
				return
			}
			wrong = append(wrong, fmt.Sprintf("%s@%s is wanted%s and not there", d.Name, d.Spec, by))
			return
		}
		if at.Link || at.Version == "" || g.overridden {
			return
		}
		sp, err := spec.Resolve(d.Name, d.Spec, w.dir)
		if err == nil && sp.Type == spec.Alias {
			sp = sp.Sub
		}
		if err != nil || (sp.Type != spec.Range && sp.Type != spec.Version) || nodesemver.Satisfies(at.Version, sp.FetchSpec, true) {
			return
		}
		wrong = append(wrong, fmt.Sprintf("%s@%s is there, %s is wanted%s", d.Name, at.Version, d.Spec, by))
	}
	for _, d := range w.m.Dependencies {
		check(d, false)
	}
	for _, d := range w.m.DevDependencies {
		if _, twice := w.m.Dependencies.Get(d.Name); !twice {
			check(d, true)
		}
	}
	return wrong
}

// find gives what node would find, of what npm has installed.
func (g *glance) find(w want, name string) *lockfile.Glimpse {
	for rel := w.rel; ; {
		if at := g.installed[lockfile.Location(rel+"node_modules/"+name)]; at != nil {
			return at
		}
		if rel == "" {
			return nil
		}
		rel = rel[:strings.LastIndexByte(strings.TrimSuffix(rel, "/"), '/')+1]
	}
}

// onDisk says whether node finds a folder for the package, whoever made it.
func (g *glance) onDisk(dir, name string) bool {
	for {
		if exists(filepath.Join(dir, "node_modules", filepath.FromSlash(name))) {
			return true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return false
		}
		dir = up
	}
}

// unlike are the places where something else is installed than is locked.
func (g *glance) unlike(locked []lockfile.Glimpse) (wrong []string) {
	for i := range locked {
		want := &locked[i]
		if !want.Location.InNodeModules() || want.Extraneous || want.InBundle {
			continue
		}
		is := g.installed[want.Location]
		name := want.Location.Name()
		switch {
		case is == nil && (want.Optional || want.DevOptional || want.Peer || want.Dev && (g.omitDev || !g.hasDev)):
		case is == nil && want.Link:
			wrong = append(wrong, name+" is locked and not linked")
		case is == nil:
			wrong = append(wrong, name+"@"+want.Version+" is locked and not there")
		case is.Link || want.Link:
		case is.Version != want.Version:
			wrong = append(wrong, name+"@"+is.Version+" is there, "+want.Version+" is locked")
		case strings.HasPrefix(want.Resolved, "git") && is.Resolved != want.Resolved:
			wrong = append(wrong, name+" is there, another commit is locked")
		}
	}
	return wrong
}
