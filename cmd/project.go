package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/minimatch"
	"github.com/ibid-pm/ibid/internal/platform"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/internal/workspaces"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// project is the folder that a command works on, as it stands on disk.
type project struct {
	dir        string
	file       *manifest.File // its package.json; nil where there is none
	workspaces []workspaces.Workspace
	selected   []workspaces.Workspace // those that -w names
	lock       *lockfile.Lockfile     // nil where there is none
	lockPath   string                 // where it is or would be
	yarn       *lockfile.YarnLock     // the yarn.lock beside it; nil where there is none
	saved      map[string]bool        // the package.json files that were written, relative
	// healed: a run that was killed had left something half done, now gone.
	healed bool
}

// project reads the project that the command works on, and its lock.
func (a *App) project() (*project, error) {
	p, err := a.openProject()
	if err != nil {
		return nil, err
	}
	return p, p.readLock(a)
}

// checkDependencies refuses dependencies that nobody can install. npm takes a list's
// indices for names, or ends with "must provide string spec". f may be nil.
func (a *App) checkDependencies(f *manifest.File) error {
	for _, kind := range [...]string{"dependencies", "devDependencies", "optionalDependencies", "peerDependencies"} {
		if f == nil || kind == "peerDependencies" && a.Config.Bool("legacy-peer-deps") {
			continue
		}
		deps := f.Get(kind)
		if deps.IsArray() && deps.Len() > 0 || deps.IsString() && deps.Truthy() {
			return &codedError{text: fmt.Sprintf("%s: %q has to be an object, such as {\"once\": \"^1.4.0\"}", f.Path, kind)}
		}
		for _, m := range deps.Members() {
			if !m.Value.IsString() {
				return &codedError{text: fmt.Sprintf("%s: %q in %q has to have a version or a range in quotes, such as \"^1.4.0\"", f.Path, m.Key, kind)}
			}
		}
	}
	return nil
}

// openProject reads what the command works on, but for the lock.
func (a *App) openProject() (*project, error) {
	cfg := a.Config
	p := &project{dir: cfg.LocalPrefix()}
	if cfg.Global() {
		p.dir = filepath.Dir(cfg.GlobalDir())
		return p, nil
	}
	file, err := manifest.ReadFile(filepath.Join(p.dir, "package.json"))
	switch {
	case err == nil:
		p.file = file
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if p.file != nil {
		if p.workspaces, err = workspaces.Map(p.dir, p.file.Manifest().Workspaces); err != nil {
			return nil, err
		}
	}
	return p, p.selectWorkspaces(a)
}

// readLock reads the project's lock, where it has one that counts. One that is not
// valid is an error: it is somebody's work, and not to be written over.
func (p *project) readLock(a *App) (err error) {
	if !a.Config.PackageLock() || a.Config.Global() {
		return nil
	}
	p.lock, err = lockfile.Load(p.dir)
	if err != nil && !errors.Is(err, lockfile.ErrMissing) {
		return err
	}
	p.lockPath = lockfile.FileToWrite(p.dir)
	if p.yarn, err = lockfile.LoadYarn(p.dir); err != nil {
		// npm goes on with what stands before a line that it cannot read.
		var bad *lockfile.ParseError
		if !errors.Is(err, lockfile.ErrMissing) && !errors.As(err, &bad) {
			return err
		}
	}
	return nil
}

func (p *project) selectWorkspaces(a *App) error {
	cfg := a.Config
	filters := cfg.Strings("workspace")
	all := cfg.Get("workspaces").Truthy()
	if !all && len(filters) == 0 {
		return nil
	}
	name := ""
	if p.file != nil {
		name = p.file.Manifest().Name
	}
	if all {
		filters = nil
	}
	var err error
	p.selected, err = workspaces.Select(p.workspaces, filters, workspaces.SelectOptions{
		Root: p.dir, Cwd: cfg.Cwd(), IncludeRoot: false, RootName: name,
	})
	return err
}

// manifest gives the project's own manifest, an empty one where it has none.
func (p *project) manifest() *manifest.Manifest {
	if p.file == nil {
		return nil
	}
	return p.file.Manifest()
}

// heal removes what a killed run left half done.
func (p *project) heal() error {
	healed, err := linker.Heal(p.dir)
	p.healed = healed
	return err
}

// environment is what packages may find here.
func (a *App) environment() platform.Environment {
	e := platform.Host()
	e.OSVersion, e.Libc = platform.OSRelease(), platform.DetectLibc(e.OS)
	e.Node, e.NPM = a.nodeVersion(), compatible
	return e
}

// request is what the configuration asks of the resolver, for any command that
// changes the tree.
func (a *App) resolveRequest(p *project) resolver.Request {
	cfg := a.Config
	shallow := cfg.PackageLockOnly() || cfg.Bool("dry-run")
	r := resolver.Request{
		Dir:        p.dir,
		Manifest:   p.manifest(),
		Workspaces: resolver.NewWorkspaceMap(p.workspaces),
		Lock:       p.lock,
		Yarn:       p.yarn,
		LockName:   filepath.Base(p.lockPath),
		AddFrom:    cfg.Cwd(),

		SaveType:   saveTypes[cfg.SaveType()],
		SaveBundle: cfg.SaveBundle(),
		NoSave:     !cfg.Bool("save") || cfg.Global(),
		SavePrefix: cfg.SavePrefix(),

		IncludeRoot: cfg.Bool("include-workspace-root"),

		Global:          cfg.Global(),
		Strategy:        strategies[cfg.InstallStrategy()],
		PreferDedupe:    cfg.Bool("prefer-dedupe"),
		LegacyPeerDeps:  cfg.Bool("legacy-peer-deps"),
		StrictPeerDeps:  cfg.Bool("strict-peer-deps"),
		Force:           cfg.Bool("force"),
		InstallLinks:    cfg.Bool("install-links"),
		NoPackageLock:   !cfg.PackageLock(),
		LockUnread:      !cfg.PackageLock() && hasLock(p.dir),
		Omit:            resolver.Omit{Dev: cfg.Omits("dev"), Optional: cfg.Omits("optional"), Peer: cfg.Omits("peer")},
		OmitResolved:    cfg.Bool("omit-lockfile-registry-resolved"),
		LockfileVersion: cfg.LockfileVersion(),
		// npm reads what is bundled where it unpacks it, which comes too late for
		// the lock in the linked layout.
		Complete:     shallow,
		LayOut:       !shallow && !a.linked(),
		EngineStrict: cfg.Bool("engine-strict"),
		Host:         a.environment(),
		Before:       cfg.Before(),
		FromRegistry: a.fromRegistry(),
		LockfileV4:   true,
		Warn:         a.warnResolve,
	}
	a.setAllowed(&r)
	r.Target = platform.Environment{OS: cfg.String("os"), CPU: cfg.String("cpu"), Libc: cfg.String("libc")}
	if !r.Before.IsZero() {
		r.NoBefore = excluded(cfg.MinReleaseAgeExclude())
	}
	if p.file != nil {
		r.HasFormat = true
		r.Indent, r.Newline = p.file.Format()
	}
	r.NoWorkspaces = !cfg.WorkspacesEnabled()
	for _, w := range p.selected {
		r.InWorkspaces = append(r.InWorkspaces, w.Name)
	}
	return r
}

// refuseExtension ends a run in a project whose manifests npm 12 would have a
// program of the project's change: without it the tree would be another one.
func (a *App) refuseExtension() error {
	if a.Config.Global() || a.Config.IgnoreExtension() {
		return nil
	}
	found := a.Config.String("extension-file")
	for _, name := range []string{".npm-extension.mjs", ".npm-extension.cjs"} {
		if found != "" {
			break
		}
		if _, err := os.Lstat(filepath.Join(a.Config.LocalPrefix(), name)); err == nil {
			found = name
		}
	}
	if found == "" {
		return nil
	}
	return &codedError{code: "ENOTSUP", text: found + ": ibid does not run programs that change the manifests of packages",
		hints: []string{"packageExtensions in package.json can do it; --ignore-extension leaves the file alone"}}
}

// hasLock says whether there is a lock in a folder, whatever is in it.
func hasLock(dir string) bool {
	for _, name := range []string{lockfile.ShrinkwrapName, lockfile.LockName} {
		if st, err := os.Stat(filepath.Join(dir, name)); err == nil && st.Mode().IsRegular() {
			return true
		}
	}
	return false
}

var saveTypes = map[string]resolver.SaveType{
	"": resolver.SaveWhereItIs, "prod": resolver.SaveProd, "dev": resolver.SaveDev, "optional": resolver.SaveOptional,
	"peer": resolver.SavePeer, "peerOptional": resolver.SavePeerOptional,
}

var strategies = map[string]resolver.Strategy{
	"hoisted": resolver.Hoisted, "nested": resolver.Nested, "shallow": resolver.Shallow, "linked": resolver.Linked,
}

// setAllowed takes over where packages may come from.
func (a *App) setAllowed(r *resolver.Request) {
	for key, allow := range map[string]*resolver.Allow{
		"allow-git": &r.AllowGit, "allow-remote": &r.AllowRemote, "allow-file": &r.AllowFile, "allow-directory": &r.AllowDirectory,
	} {
		*allow = allows[a.Config.String(key)]
	}
}

// allowed refuses to ask about a package of a kind that the configuration does not
// allow even to the project itself.
func (a *App) allowed(s *spec.Spec) error {
	var r resolver.Request
	a.setAllowed(&r)
	return r.Allowed(s, true)
}

var allows = map[string]resolver.Allow{"all": resolver.AllowAll, "root": resolver.AllowRoot, "none": resolver.AllowNone}

// excluded says which names min-release-age does not hold for (npm: arborist
// lib/release-age-exclude.js): a name itself, or a glob without extras.
func excluded(patterns []string) func(name string) bool {
	return func(name string) bool {
		for _, p := range patterns {
			if p == name || minimatch.Match(name, p, minimatch.Options{NoNegate: true, NoComment: true}) {
				return true
			}
		}
		return false
	}
}

func (a *App) warnResolve(w resolver.Warning) {
	text := w.Message
	var engine *platform.EngineError
	if errors.As(w.Err, &engine) { // as npm shows it
		var id jsjson.Value // undefined for a project without a version
		if engine.ID != "" {
			id = jsjson.NewString(engine.ID)
		}
		text += " " + inspectTo(jsjson.NewObject(
			jsjson.Member{Key: "package", Value: id},
			jsjson.Member{Key: "required", Value: engine.Required.Value()},
			jsjson.Member{Key: "current", Value: jsjson.NewObject(
				jsjson.Member{Key: "node", Value: jsjson.NewString("v" + strings.TrimPrefix(engine.Current.Node, "v"))},
				jsjson.Member{Key: "npm", Value: jsjson.NewString(engine.Current.NPM)},
			)},
		), 2)
	}
	a.logPrefixed(levelWarn, w.Heading, term.Safe(text))
}

// folders are the workspaces' folders.
func (p *project) folders() []string {
	out := make([]string, len(p.workspaces))
	for i, w := range p.workspaces {
		out[i] = w.Path
	}
	return out
}

type fileToWrite struct {
	path string
	data []byte
	// own says that a link at path is none to follow: it is replaced, and what it
	// leads to left alone. A repository can have links to any file of the user's.
	own bool
}

// target is the path of what is replaced: a link stays one unless it leads nowhere.
func (f *fileToWrite) target() string {
	if !f.own {
		if real, err := filepath.EvalSymlinks(f.path); err == nil {
			return real
		}
	}
	return f.path
}

// writeFiles puts whole files in place of others. All are on the disk before
// the first takes its place, so that a full disk leaves all as they were; those that
// have it are put back where another cannot take its own.
func writeFiles(files []fileToWrite) error {
	var ready []string
	fail := func(err error) error {
		for _, tmp := range ready {
			os.Remove(tmp)
		}
		return err
	}
	for _, f := range files {
		tmp, err := writeBeside(f)
		if tmp != "" {
			ready = append(ready, tmp)
		}
		if err != nil {
			return fail(fmt.Errorf("%s: saving: %w", f.path, err))
		}
	}
	var were []fileToWrite
	for i, f := range files {
		path := f.target()
		was := fileToWrite{path: path, own: true}
		if i < len(files)-1 {
			was.data, _ = regular.ReadFile(path) // nil where there is none
		}
		if err := regular.Replace(ready[i], path, f.data); err != nil {
			return fail(errors.Join(fmt.Errorf("%s: saving: %w", f.path, err), putBack(were)))
		}
		were = append(were, was)
	}
	return nil
}

// putBack gives files the content that they had before others took their place.
func putBack(were []fileToWrite) error {
	var first error
	for _, f := range were {
		err := error(nil)
		if f.data == nil {
			err = os.Remove(f.path)
		} else {
			err = writeFiles([]fileToWrite{f})
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// writeFile is writeFiles for one.
func writeFile(path string, data []byte) error {
	return writeFiles([]fileToWrite{{path: path, data: data}})
}

// writeOwn is writeFile where a link is no place to write through.
func writeOwn(path string, data []byte) error {
	return writeFiles([]fileToWrite{{path: path, data: data, own: true}})
}

func writeBeside(f fileToWrite) (string, error) {
	path := f.target()
	mode := fs.FileMode(0o666)
	st, err := os.Lstat(path)
	if err == nil && st.Mode().IsRegular() {
		mode = st.Mode().Perm()
	} else {
		st = nil
	}
	// A name that nobody knew before, and O_EXCL, so that a link in a repository
	// cannot have another file written. Names that begin with ._ never get into a
	// package, should this one stay.
	name := "._" + filepath.Base(path) + "-" + strconv.FormatUint(rand.Uint64(), 36)
	tmp, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	_, err = tmp.Write(f.data)
	if err == nil && st != nil {
		err = tmp.Chmod(mode)
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	return tmp.Name(), err
}
