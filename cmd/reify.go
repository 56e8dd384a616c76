package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// change is what a command wants done to the tree.
type change struct {
	// ask changes the resolver's request.
	ask func(*resolver.Request)
	// clean: node_modules is emptied first (ci).
	clean bool
	// check looks at the decided tree before anything is done.
	check func(*project, *resolver.Result) error
	// saveLock: the lock is written although package.json is not (update, dedupe).
	saveLock bool
	// bare: nothing is asked for but what the project's files say.
	bare bool
	// project is what is worked on where it is not the user's own (exec).
	project *project
	// ready is called when all is decided, before anything is laid out.
	ready func(context.Context) error
}

// outcome is what was done.
type outcome struct {
	project *project
	result  *resolver.Result
	plan    *linker.Plan
	lock    *lockfile.Lockfile
	// lockText is lock as it is written.
	lockText func() []byte
	// texts are those of the entries that lock and the hidden lockfile share.
	texts *lockfile.Texts
	yarn  *lockfile.YarnLock // the yarn.lock to write, nil for none
	// hiddenBefore is the hidden lockfile that was there, where that may be
	// believed, else nil; it is nil itself where nobody has looked.
	hiddenBefore func() *lockfile.Lockfile
	took         time.Duration
	// before is what node_modules had; nil where nothing was looked at.
	before *lockfile.Lockfile
	// wanted is what node_modules has, or is to have; nil where it is not touched.
	wanted *lockfile.Lockfile
	// part is what of the tree is laid out; nil is all.
	part *resolver.Part
	// linked is the layout of install-strategy=linked, nil with another.
	linked *resolver.LinkedLayout
	// links are the folders of the linked layout that are shared packages'.
	links   map[string]string
	sharing *sharing // nil where nothing is shared
	barred  map[lockfile.Location]error
	// standing: nothing had to be decided, all is as the last install left it.
	standing *standing
	// kept is what was remembered of the project for the next install.
	kept *standing
	// noHidden: the hidden lockfile could not be written.
	noHidden bool
	scripts  *installScripts
	patches  *patchSet
	// audit is the report to print with --json, and audited how many packages
	// it is of; nil where there was none.
	audit   json.RawMessage
	audited int
	quick   *quickAudit
	funding int
	app     *App
	// unreviewed are the packages whose install scripts were not run.
	unreviewed []lifecycle.Pending
}

// reify decides the tree, brings node_modules into line with it, and saves
// package.json and the lock. Neither is touched unless all before went well.
func (a *App) reify(ctx context.Context, c change) (*outcome, error) {
	var st *standing
	if c.bare && !a.Config.Global() {
		st = a.newStanding(a.Config.LocalPrefix())
		if !a.Config.Bool("force") && !a.json() && st.holds() {
			a.timing.done("found nothing changed")
			a.dropLog()
			return &outcome{standing: st, took: time.Since(a.start)}, nil
		}
	}
	if !a.Config.Bool("dry-run") {
		done, err := a.turn(ctx, a.workedOn(c))
		if err != nil {
			return nil, err
		}
		defer done()
	}
	st = st.watch(nil)
	p, err := a.workOn(c)
	if err != nil {
		return nil, err
	}
	st = st.watch(p.folders())
	a.progress.start("deciding what to install", 0, "")
	defer a.progress.finish()
	scripts, err := a.installScripts(p, c.project != nil)
	if err != nil {
		return nil, err
	}
	if !a.Config.Bool("dry-run") && !a.Config.PackageLockOnly() {
		if err := a.tidy(p); err != nil {
			return nil, err
		}
	}
	empty := a.startsEmpty(p)
	if empty {
		makeRoom(p)
	}
	hidden := a.readHidden(p, c)
	if c.project == nil {
		if err := p.readLock(a); err != nil {
			return nil, err
		}
	}
	if c.clean && p.lock == nil {
		return nil, noLock() // nobody is asked for what a lock would have said
	}
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	before := a.precedent(client, p, c, empty)
	stop := before.recall(ctx, p)
	defer stop()
	a.timing.done("read the project")
	listen()
	fetcher := a.fetcher()
	shared, err := a.startSharing(p)
	if err != nil {
		return nil, err
	}
	defer shared.end()
	var guesses *ahead
	if empty {
		guesses = a.goAhead(ctx, p, fetcher)
	}
	defer guesses.stop()
	o, edits, err := a.decide(ctx, p, fetcher, guesses, before, c)
	if err == nil && before.overruled(o) {
		p.lock = nil
		o, edits, err = a.decide(ctx, p, fetcher, guesses, before, c)
	}
	guesses.settle()
	stop()
	if err != nil {
		return nil, err
	}
	o.scripts, o.hiddenBefore, o.sharing = scripts, hidden, shared
	if err := scripts.preflight(o.result.Tree); err != nil {
		return nil, err
	}
	a.timing.done("decided the tree")
	if c.project == nil {
		o.quick = a.askAudit(ctx, o)
	}
	if err := a.carryOut(ctx, o, fetcher, guesses, c, edits); err != nil {
		o.quick.stop()
		return nil, err
	}
	if a.Config.Bool("fund") {
		o.funding = o.countFunding()
	}
	if st != nil && o.patches == nil && a.rememberable(o, c) {
		a.remember(st, o, o.wanted)
		a.timing.done("remembered the project's state")
	}
	before.keep(o)
	o.took = time.Since(a.start)
	return o, nil
}

// workOn reads the project of a change, but for its lock, where nothing speaks
// against working on it.
func (a *App) workOn(c change) (*project, error) {
	if err := a.checkSharing(); err != nil {
		return nil, err
	}
	if err := a.refuseExtension(); err != nil {
		return nil, err
	}
	go a.heap()
	if c.project != nil {
		return c.project, nil
	}
	p, err := a.openProject()
	if err != nil {
		return nil, err
	}
	if err := a.checkDevEngines(p.manifest()); err != nil {
		return nil, err
	}
	if err := a.checkDependencies(p.file); err != nil {
		return nil, err
	}
	if a.Config.Global() && !a.Config.Bool("dry-run") {
		return p, os.MkdirAll(p.dir, 0o777)
	}
	return p, nil
}

// tidy takes away what must not be in the way, and what a killed run left behind.
func (a *App) tidy(p *project) error {
	if err := a.dropNonFolder(p); err != nil {
		return err
	}
	return p.heal()
}

// dropNonFolder removes what has the name node_modules and is no folder (npm:
// arborist lib/arborist/reify.js validateNodeModules). What a link leads to stays,
// and counts as not installed.
func (a *App) dropNonFolder(p *project) error {
	path := filepath.Join(p.dir, "node_modules")
	st, err := os.Lstat(path)
	if err != nil || st.IsDir() {
		return nil
	}
	a.logPrefixed(levelWarn, "reify", "Removing non-directory "+path)
	return os.Remove(path)
}

// carryOut does on the disk what was decided.
func (a *App) carryOut(ctx context.Context, o *outcome, fetcher *fetch.Fetcher, guesses *ahead, c change, edits []resolver.Edit) error {
	var laid *laidOut
	if !a.Config.PackageLockOnly() {
		var err error
		if laid, err = a.layOut(ctx, o, fetcher, guesses, c); err != nil {
			return err
		}
	}
	o.patches.warnVersion(o.project, o.lock)
	a.warnConverted(o, c)
	if err := a.save(o, edits, c); err != nil {
		return laid.takeBack(err)
	}
	o.noHidden = !laid.keep(a, o.project)
	return a.afterScripts(ctx, o)
}

// laidOut is a node_modules that is as it should be while what was there before is
// still at hand; nil where it was not touched.
type laidOut struct {
	applied *linker.Applied
	global  *globalLinks
	emptied bool   // there is nothing to go back to
	hidden  []byte // the hidden lockfile that goes with it
}

// takeBack undoes it because of an error.
func (l *laidOut) takeBack(err error) error {
	if l == nil {
		return err
	}
	err = errors.Join(err, l.global.takeBack(), l.applied.Undo())
	if l.emptied {
		return &emptiedError{err}
	}
	return err
}

// keep makes it the only one. The hidden lockfile comes last: without it, or with
// an older one, node_modules is only looked at more closely; hidden says whether it is
// there.
func (l *laidOut) keep(a *App, p *project) (hidden bool) {
	if l == nil {
		return true
	}
	if err := l.applied.Commit(); err != nil {
		a.logPrefixed(levelWarn, "cleanup", err.Error())
	}
	if a.Config.Global() {
		return true
	}
	err := writeHidden(p.dir, l.hidden)
	if err != nil {
		a.logPrefixed(levelWarn, "cleanup", err.Error())
	}
	a.timing.done("wrote the hidden lockfile")
	return err == nil
}

// workedOn is the folder that a change works on.
func (a *App) workedOn(c change) string {
	switch {
	case c.project != nil:
		return c.project.dir
	case a.Config.Global():
		return filepath.Dir(a.Config.GlobalDir())
	}
	return a.Config.LocalPrefix()
}

// decide has the tree decided, and gives what is to become of it and of the
// manifests.
func (a *App) decide(ctx context.Context, p *project, f *fetch.Fetcher, guesses *ahead, before *precedent, c change) (*outcome, []resolver.Edit, error) {
	src, err := a.source(f)
	if err != nil {
		return nil, nil, err
	}
	req := a.resolveRequest(p)
	req.Prefetch = guesses.wantManifest
	before.observe(src, &req)
	if c.ask != nil {
		c.ask(&req)
	}
	if c.clean {
		req.IgnoreActual = true
	}
	res, err := resolver.Resolve(ctx, src, req)
	if err != nil {
		return nil, nil, a.explainConflict(ctx, err)
	}
	patched, err := a.registerPatches(p, res.Tree, req.Remove)
	if err != nil {
		return nil, nil, err
	}
	if c.check != nil {
		if err := c.check(p, res); err != nil {
			return nil, nil, err
		}
	}
	o := &outcome{app: a, project: p, result: res, patches: patched, texts: new(lockfile.Texts)}
	// A lock is made from the tree before the manifests are edited where
	// those are not saved.
	edits, err := res.Save()
	if err != nil {
		return nil, nil, err
	}
	if a.savesLock(c) {
		o.takeLock()
	}
	// npm writes it with the hidden lockfile, whether it saves the other one or not.
	if a.savesLock(c) && a.Config.PackageLock() || !a.linked() {
		o.yarn = res.YarnLock()
	}
	return o, edits, nil
}

// layOut makes node_modules what the tree says; nil in a dry run.
func (a *App) layOut(ctx context.Context, o *outcome, f *fetch.Fetcher, guesses *ahead, c change) (laid *laidOut, err error) {
	p := o.project
	emptied := false
	dry := a.Config.Bool("dry-run")
	fresh := c.clean && !dry
	if err := o.makePlan(ctx, f, c, fresh); err != nil {
		return nil, err
	}
	if dry {
		return nil, nil
	}
	if c.ready != nil {
		if err := c.ready(ctx); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(p.dir, 0o777); err != nil {
		return nil, err
	}
	if fresh {
		// What was there before was this layout's to take away.
		defer func() {
			if emptied && err != nil {
				err = &emptiedError{err}
			}
		}()
	}
	gone := map[lockfile.Location]bool{}
	placer := &files{app: a, fetch: f, private: o.scripts.writes(o.result.Tree), method: importMethod(a.Config.String("package-import-method")), bins: binsOf(o.plan), ahead: guesses, patches: o.patches,
		refused: o.refused(), turns: semaphore.NewWeighted(int64(processors + 1))}
	if fresh && p.hasModules() {
		// While the old packages are in their place, whatever can fail is done.
		if err := o.stockUp(ctx, placer); err != nil {
			return nil, err
		}
		if err := p.emptyModules(); err != nil {
			return nil, &emptiedError{err}
		}
		emptied = true
		a.timing.done("emptied node_modules")
	}
	global := a.globalLinks(p, o.plan, o.before, o.wanted)
	if err := global.check(); err != nil {
		return nil, err
	}
	o.nameHidden(c)
	a.progress.start("installing", placedBy(o.plan), "packages")
	hidden := later(func() []byte { return o.texts.Encode(o.hidden()) })
	applied, err := o.plan.Apply(ctx, p.dir, placer, linker.ApplyOptions{
		Umask:  a.umask,
		Shims:  runtime.GOOS == "windows",
		Limit:  a.packagesAtOnce(),
		Gone:   func(f *folder.Folder) { store.Doubt(f, 0) },
		Failed: func(x *lockfile.Package, err error) bool { return o.leaveOut(x, err, gone) },
	})
	if err != nil {
		return nil, o.wantedBy(err)
	}
	laid = &laidOut{applied: applied, global: global}
	a.timing.done("linked packages")
	a.warnDeprecated(o.plan, gone)
	if err := global.apply(); err != nil {
		return nil, laid.takeBack(err)
	}
	if err := o.scripts.run(ctx, o, gone); err != nil {
		return nil, laid.takeBack(err)
	}
	laid.hidden = hidden() // made of what is wanted, which changes now
	changed, err := o.drop(applied, gone)
	if err != nil {
		return nil, laid.takeBack(err)
	}
	if changed {
		laid.hidden = o.hidden().Encode()
	}
	laid.emptied = emptied
	return laid, nil
}

// nameHidden gives the hidden lockfile the name of the lock that was read where none
// is saved, as npm does.
func (o *outcome) nameHidden(c change) {
	a, lock := o.app, o.project.lock
	uses := a.Config.PackageLock()
	if o.linked != nil || uses && a.savesLock(c) || a.Config.Global() {
		return
	}
	o.wanted.Name, o.wanted.Version = "", ""
	if uses && lock != nil {
		o.wanted.Name, o.wanted.Version = lock.Name, lock.Version
	}
}

// leaveOut says whether the install goes on without a package that could not be put
// in place: an optional one, which is gone then with all that comes with it.
func (o *outcome) leaveOut(x *lockfile.Package, err error, gone map[lockfile.Location]bool) bool {
	var patch *patchError
	if errors.As(err, &patch) {
		return false
	}
	with := o.optionalWith(x.Location)
	for _, l := range with {
		gone[l] = true
	}
	if with != nil {
		o.app.log(levelVerbose, "optional package left out: "+err.Error())
	}
	return with != nil
}

// drop takes out of the tree what is gone, and out of the locks what is said of
// patches that were not applied; changed says whether the hidden lockfile did.
func (o *outcome) drop(applied *linker.Applied, gone map[lockfile.Location]bool) (changed bool, err error) {
	if len(gone) > 0 {
		if err := applied.LeaveOut(gone); err != nil {
			return false, err
		}
		o.wanted.Packages = slices.DeleteFunc(o.wanted.Packages, func(x *lockfile.Package) bool { return gone[x.Location] })
		o.wanted.Index()
		changed = true
	}
	if o.patches.forget(o.result.Tree, o.wanted) {
		if o.lock != nil {
			o.takeLock()
		}
		changed = true
	}
	return changed, nil
}

// makePlan compares what is to be in node_modules with what is there; fresh: nothing is.
func (o *outcome) makePlan(ctx context.Context, f *fetch.Fetcher, c change, fresh bool) (err error) {
	a, p := o.app, o.project
	var orphans []string
	if a.linked() {
		o.linked = o.result.Linked()
		a.timing.done("decided the linked layout")
		if !a.Config.Bool("dry-run") {
			if o.links, err = o.share(ctx, f); err != nil {
				return err
			}
		}
		o.before, orphans, err = o.readLinked(fresh)
		o.wanted = o.linked.Wanted
	} else {
		o.wanted = o.result.Wanted(o.lock)
		var actual *resolver.Node
		if !fresh {
			actual, o.before, err = o.installed(a.touched(c, o.result.Tree))
			if o.before != nil && !a.Config.Global() && !a.inPart(p) {
				orphans = linker.StoreLeft(p.dir)
			}
		}
		if a.inPart(p) {
			o.part = o.result.Part(actual)
			o.wanted = o.part.Of(o.wanted, o.before)
		}
	}
	if err != nil {
		return err
	}
	if !fresh {
		a.timing.done("read what is installed")
	}
	o.plan = linker.NewPlan(o.before, o.wanted, o.patches.planOptions(linker.Options{NoBins: !a.Config.Bool("bin-links"), Linked: a.linked(), LinksTo: o.result.LinksTo(), Orphans: orphans, Shared: o.links}))
	return nil
}

// warnDeprecated says, once for each version, which of the packages that were
// put in place nobody should use any more (npm: arborist lib/arborist/reify.js
// _reifyNode).
func (a *App) warnDeprecated(plan *linker.Plan, gone map[lockfile.Location]bool) {
	said := map[string]bool{}
	for i := range plan.Steps {
		s := &plan.Steps[i]
		x := s.Package
		if s.Action != linker.Add && s.Action != linker.Change || x.Meta == nil || x.Meta.Deprecated == "" || x.InBundle || gone[x.Location] {
			continue
		}
		if id := x.Name() + "@" + x.Version(); !said[id] {
			said[id] = true
			a.logPrefixed(levelWarn, "deprecated", term.SafeLine(id+": "+x.Meta.Deprecated))
		}
	}
}

// wantedBy adds to a package's failure who wants it.
func (o *outcome) wantedBy(err error) error {
	var at lockfile.Location
	var place *placeError
	var bin *linker.BinError
	switch {
	case errors.As(err, &place):
		at = place.at
	case errors.As(err, &bin):
		at = bin.Package.Location
	default:
		return err
	}
	if n := o.node(at); n != nil {
		return &wantedError{error: err, path: resolver.Chain(n)}
	}
	return err
}

// placedBy is how many packages a plan puts in place.
func placedBy(plan *linker.Plan) int {
	n := 0
	for i := range plan.Steps {
		if s := &plan.Steps[i]; s.Action != linker.Remove && !s.Package.Link {
			n++
		}
	}
	return n
}

// later works something out in a goroutine of its own; who asks for it waits.
func later[T any](f func() T) func() T {
	done := make(chan T, 1)
	go func() { done <- f() }()
	return sync.OnceValue(func() T { return <-done })
}

// takeLock makes the lock of what was decided.
func (o *outcome) takeLock() {
	o.lock = o.result.Lockfile()
	lock := o.lock
	encode := func() []byte { return o.texts.Encode(lock) }
	if !o.app.Config.Bool("format-package-lock") {
		encode = lock.EncodeLine
	}
	o.lockText = later(encode)
}

// readHidden begins to read the hidden lockfile, which takes as long as it takes
// to decide; nil where nobody asks for it alone.
func (a *App) readHidden(p *project, c change) func() *lockfile.Lockfile {
	if a.Config.Global() || a.linked() || a.Config.PackageLockOnly() || c.clean || a.inPart(p) {
		return nil
	}
	return later(func() *lockfile.Lockfile { return resolver.TrustedHidden(filepath.ToSlash(p.dir)) })
}

// inPart says whether some of the workspaces are meant only, or the root alone.
func (a *App) inPart(p *project) bool {
	return len(p.workspaces) > 0 && (len(p.selected) > 0 || !a.Config.WorkspacesEnabled())
}

// installed reads what lies in node_modules; nil where nothing does. The tree is
// given only where a part is to be found in it.
func (o *outcome) installed(filter func(name string) bool) (*resolver.Node, *lockfile.Lockfile, error) {
	a, p := o.app, o.project
	if o.hiddenBefore != nil {
		if hidden := o.hiddenBefore(); hidden != nil {
			return nil, hidden, nil
		}
	}
	if _, err := os.Lstat(filepath.Join(p.dir, "node_modules")); errors.Is(err, fs.ErrNotExist) && len(p.workspaces) == 0 {
		return nil, nil, nil
	}
	tree, err := resolver.LoadActual(resolver.ActualOptions{
		Dir: p.dir, Global: a.Config.Global(), Workspaces: resolver.NewWorkspaceMap(p.workspaces),
		LegacyPeerDeps: a.Config.Bool("legacy-peer-deps"), InstallLinks: a.Config.Bool("install-links"),
		Filter: filter, Scan: o.hiddenBefore != nil,
	})
	if err != nil {
		return nil, nil, err
	}
	return tree, tree.Lockfile(resolver.LockOptions{Hidden: true}), nil
}

// writeHidden writes node_modules/.package-lock.json, the last thing to be
// written there: npm believes it only while nothing in node_modules is newer.
func writeHidden(dir string, text []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(lockfile.HiddenName))
	// Of folders that lie elsewhere alone, whose links are omitted, npm says nothing.
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// A link that came with the repository would have another file written.
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() && !st.IsDir() {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	// In place: a new name in node_modules would make the folder newer than
	// the file. Half of it is no lockfile, and then the folders are read.
	err := os.WriteFile(path, text, 0o666)
	if err != nil {
		os.Remove(path) // nor is one of what was there before
	}
	return err
}

// savesLock says whether the change writes the lock, if there is to be one.
func (a *App) savesLock(c change) bool { return a.Config.Bool("save") || c.saveLock }

func (a *App) writesLock(o *outcome, c change) bool {
	return a.savesLock(c) && a.Config.PackageLock() && o.project.lockPath != "" && !a.Config.Global() && !a.Config.Bool("dry-run")
}

// warnConverted says that the lock gets another version than it had (npm:
// lib/shrinkwrap.js save).
func (a *App) warnConverted(o *outcome, c change) {
	if o.result == nil || o.lock == nil || !a.writesLock(o, c) {
		return
	}
	from, to := o.result.LockedAs(), o.lock.LockfileVersion
	if from == 0 || from == to {
		return
	}
	name := o.project.lockPath
	if rel, err := filepath.Rel(a.Config.Cwd(), name); err == nil {
		name = rel
	}
	a.logPrefixed(levelWarn, "shrinkwrap", fmt.Sprintf("Converting lock file (%s) from v%d -> v%d", name, from, to))
}

// save writes package.json and the lock.
func (a *App) save(o *outcome, edits []resolver.Edit, c change) error {
	if a.Config.Global() || a.Config.Bool("dry-run") {
		return nil
	}
	var files []fileToWrite
	if a.Config.Bool("save") {
		for _, e := range edits {
			f, err := a.editedManifest(o.project, e)
			if err != nil {
				return err
			}
			if f != nil {
				files = append(files, *f)
			}
		}
	}
	if a.writesLock(o, c) {
		data := o.lockText()
		if old, err := regular.ReadFile(o.project.lockPath); err != nil || !bytes.Equal(old, data) {
			// All of the file is replaced: a link that leads to what is no lock
			// would have something else of the user's destroyed.
			lock := bytes.Contains(old, []byte(`"lockfileVersion"`))
			files = append(files, fileToWrite{path: o.project.lockPath, data: data, own: !lock})
		}
	}
	if o.yarn != nil {
		files = append(files, fileToWrite{path: filepath.Join(o.project.dir, lockfile.YarnName), data: o.yarn.Encode(), own: true})
		o.project.noteSaved(lockfile.YarnName)
	}
	if err := writeFiles(files); err != nil {
		return err
	}
	a.timing.done("saved package.json and the lockfile")
	return nil
}

// editedManifest gives a package.json as it is to be saved, nil where nothing
// changes in it.
func (a *App) editedManifest(p *project, e resolver.Edit) (*fileToWrite, error) {
	path := filepath.Join(filepath.FromSlash(e.Dir), "package.json")
	f := p.file
	if f == nil || f.Path != path {
		var err error
		if f, err = manifest.ReadOrCreateFile(path); err != nil {
			return nil, err
		}
	}
	f.UpdateDependencies(e.Dependencies)
	if !f.Changed() {
		return nil, nil
	}
	if rel, err := filepath.Rel(p.dir, path); err == nil {
		p.noteSaved(filepath.ToSlash(rel))
	}
	return &fileToWrite{path: path, data: f.Bytes()}, nil
}

// noteSaved remembers that a file of the project, relative to it, was written.
func (p *project) noteSaved(path string) {
	if p.saved == nil {
		p.saved = map[string]bool{}
	}
	p.saved[path] = true
}

// summary says what was done, as npm does.
func (a *App) summary(o *outcome) {
	found := a.extras(o)
	if a.Config.Silent() {
		return
	}
	if a.json() {
		if err := a.summaryJSON(o); err != nil {
			a.log(levelError, err.Error())
		}
		return
	}
	if o.standing != nil {
		a.say("up to date in %s", tookText(o.took))
		a.sayFunding(o.standing.funding)
		for _, line := range o.standing.said {
			a.logPrefixed(levelWarn, "install-scripts", term.Safe(line))
		}
		return
	}
	if o.plan == nil {
		o.plan = &linker.Plan{} // --package-lock-only
	}
	if a.Config.Bool("dry-run") || a.Config.Bool("long") {
		ink := a.ink()
		for _, s := range o.plan.Steps {
			switch s.Action {
			case linker.Add:
				a.out("%s %s", ink.green("add"), o.placed(s.Package))
			case linker.Remove:
				a.out("%s %s", ink.blue("remove"), o.placed(s.Package))
			case linker.Change:
				a.out("%s %s => %s", ink.cyan("change"), o.placed(s.Was), o.placed(s.Package).Version)
			}
		}
	}
	var parts []string
	add := func(n int, verb string) {
		if n > 0 {
			noun := "packages"
			if n == 1 {
				noun = "package"
			}
			parts = append(parts, fmt.Sprintf("%s %d %s", verb, n, noun))
		}
	}
	add(o.plan.Added, "added")
	add(o.plan.Removed, "removed")
	add(o.plan.Changed, "changed")
	add(o.audited, "audited")
	text := "up to date"
	switch n := len(parts); {
	case n == 1 && o.audited > 0:
		text += ", " + parts[0]
	case n == 1:
		text = parts[0]
	case n > 1:
		text = strings.Join(parts[:n-1], ", ") + ", and " + parts[n-1]
	}
	a.say("%s in %s", text, tookText(o.took))
	a.sayFunding(o.funding)
	if found != "" {
		a.say("\n%s", found)
	}
	a.tellUnreviewed(o.unreviewed)
}

// tookText writes a duration as npm does.
func tookText(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Round(time.Second).Seconds()))
	}
	return fmt.Sprintf("%dm", int(d.Round(time.Minute).Minutes()))
}
