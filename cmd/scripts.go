package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// runner runs scripts the way this run's configuration says.
type runner struct {
	app     *App
	environ []string
	shell   string
	nodeGyp lifecycle.NodeGyp
}

func (a *App) runner() *runner {
	cfg := a.Config
	r := &runner{app: a, environ: a.childEnviron(), shell: cfg.String("script-shell")}
	r.nodeGyp.Script = lifecycle.FindNodeGyp(cfg.String("node-gyp"), a.Environ)
	bin := filepath.Join(a.programDir(), "node-gyp-bin")
	if err := lifecycle.WriteNodeGypBin(bin); err != nil {
		a.log(levelVerbose, err.Error())
	} else {
		r.nodeGyp.BinDir = bin
	}
	return r
}

// childEnviron is the environment of the programs that ibid starts: its own,
// the configuration, and who runs them (npm: @npmcli/config lib/set-envs.js,
// lib/npm.js).
func (a *App) childEnviron() []string {
	cfg := a.Config
	env := append(make([]string, 0, len(a.Environ)+32), a.Environ...)
	for key, value := range cfg.ChildEnviron() {
		env = append(env, key+"="+value)
	}
	set := func(key, value string) { env = append(env, key+"="+value) }
	set("npm_command", a.Command)
	set("npm_config_user_agent", cfg.UserAgent(compatible, "v"+a.nodeVersion()))
	if path := a.execPath(); path != "" {
		set("npm_execpath", path)
	}
	if node := cfg.NodePath(); node != "" {
		set("npm_node_execpath", node)
		set("NODE", node)
	}
	color := "0"
	if a.wantsColours(a.Stdout) {
		color = "1"
	}
	set("COLOR", color)
	return env
}

// execPath is the program that a script starts to have npm do something: a
// script that starts ibid as npm. Some tools give npm_execpath to node without
// another look, or refuse what does not end in .js.
func (a *App) execPath() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	if strings.TrimSuffix(filepath.Base(self), ".exe") == "ibidx" {
		if ibid := filepath.Join(filepath.Dir(self), "ibid"+filepath.Ext(self)); isFile(ibid) {
			self = ibid
		}
	}
	if a.Config.NodePath() == "" {
		return self
	}
	text := strings.Replace(execScript, "PROGRAM", string(jsjson.Append(nil, jsjson.NewString(self), "", "")), 1)
	sum := sha256.Sum256([]byte(text))
	path := filepath.Join(a.programDir(), "npm-"+hex.EncodeToString(sum[:6]), "npm-cli.js")
	if there, err := regular.ReadFile(path); err == nil && string(there) == text {
		return path
	}
	if err := keepFile(path, []byte(text), 0o777, 0o755); err != nil {
		return self
	}
	return path
}

// execScript waits for ibid and ends as it does.
const execScript = `#!/usr/bin/env node
// Written by ibid, for programs that start $npm_execpath with node.
const child = require('child_process').spawn(PROGRAM, process.argv.slice(2), { stdio: 'inherit', argv0: 'npm' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', err => {
  console.error(String(err))
  process.exit(1)
})
child.on('exit', (code, signal) => {
  if (!signal) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})
`

// script is one script that is to be run.
type script struct {
	dir     string
	event   string
	command string
	args    []string
	pkg     lifecycle.Package
	bins    []string // folders to put before the PATH

	alone bool     // no other script runs in this run, before it or after
	seen  []string // files that made it this one, beside what a run looks at anyhow

	hidden bool // its output is only shown when it fails
	quiet  bool // nothing is said before it runs

	// Where a foreground script's output goes if not to ibid's own.
	stdout, stderr *lifecycle.PrefixWriter
}

func (r *runner) run(ctx context.Context, s script) error {
	a := r.app
	o := lifecycle.Options{
		Dir: s.dir, Event: s.event, Command: s.command, Args: s.args,
		PackageID: s.pkg.ID(), Environ: r.environ, Env: s.pkg.Env(),
		BinPaths: s.bins, Shell: r.shell, NodeGyp: r.nodeGyp,
		Warn: func(text string) { a.logPrefixed(levelWarn, "run-script", text) },
	}
	switch {
	case s.hidden:
		a.logPrefixed(levelInfo, "run", strings.TrimSpace(o.PackageID+" "+s.event+" "+s.command))
	case s.stdout != nil:
		o.Stdout, o.Stderr = s.stdout, s.stderr
	default:
		o.Foreground, o.Stdin, o.Stdout, o.Stderr = true, a.Stdin, a.Stdout, a.Stderr
	}
	silent := a.heard.Len() == 0
	if !s.hidden && !s.quiet {
		for _, line := range lifecycle.Notice(o.PackageID, s.event, s.command, s.args) {
			a.logPrefixed(levelNotice, "run", term.Safe(line))
		}
	}
	ready, err := lifecycle.Prepare(o)
	if err != nil {
		return err
	}
	if s.alone && silent {
		a.keepScript(r, ready, s.seen)
	}
	if s.hidden {
		defer a.progress.await(strings.TrimSpace(o.PackageID + " " + s.event))()
	} else {
		defer a.progress.hold()()
	}
	err = ready.Run(ctx)
	var exit *lifecycle.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if o.Foreground {
		lifecycle.Raise(exit)
	}
	return &scriptError{exit}
}

// scriptError is a script's failure as ibid tells it: the status becomes ibid's
// own.
type scriptError struct{ *lifecycle.ExitError }

func (e *scriptError) Unwrap() error { return e.ExitError }

// Detail says where the script was run and what it had to say.
func (e *scriptError) Detail() []string {
	lines := []string{"path " + e.Dir, "command " + strings.Join(append([]string{e.Shell}, e.Args...), " ")}
	for _, text := range []string{e.Stdout, e.Stderr} {
		if text = strings.TrimSpace(text); text != "" {
			lines = append(lines, strings.Split(text, "\n")...)
		}
	}
	return lines
}

// shellout makes a script's own failure the end of the command without another
// word: the script has said what there was to say.
func shellout(err error) error {
	var exit *lifecycle.ExitError
	switch {
	case !errors.As(err, &exit):
		return err
	case exit.Signal != "":
		return statusError(exit.ExitCode())
	}
	return shelledOut{statusError(exit.ExitCode())}
}

// shelledOut is how such a script ended. With --json npm says that much.
type shelledOut struct{ statusError }

func (e shelledOut) Unwrap() error { return e.statusError }

// packageOf describes the package that a package.json is of.
func packageOf(f *manifest.File) lifecycle.Package {
	m := f.Manifest()
	return lifecycle.Package{Name: m.Name, Version: m.Version, Config: rawOf(f.Get("config")), Engines: m.Engines, Bin: m.Bin}
}

func rawOf(v jsjson.Value) jsjson.Raw {
	if v.Kind() == jsjson.Undefined {
		return ""
	}
	return jsjson.Raw(jsjson.Append(nil, v, "", ""))
}

// gypFile is package.json's gypfile where it is a boolean.
func gypFile(raw jsjson.Raw) *bool {
	if raw.Kind() != jsjson.Bool {
		return nil
	}
	b := raw.Truthy()
	return &b
}

// needProject is an error where there is no package.json to install from: most
// likely this is another folder than the one that was meant. npm finds that when it
// looks for the project's scripts (npm lib/commands/install.js, ci.js).
func (a *App) needProject() error {
	_, err := os.Stat(filepath.Join(a.Config.LocalPrefix(), "package.json"))
	if errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// preinstallScript runs the project's own preinstall: as from npm 12 on, before
// anything is fetched, so that it can prepare for the fetching.
func (a *App) preinstallScript(ctx context.Context) error {
	return a.rootScripts(ctx, false, beforeInstall)
}

// installedScripts runs what "install" and "ci" run when all is in place.
func (a *App) installedScripts(ctx context.Context) error {
	return a.rootScripts(ctx, false, afterInstall[:]...)
}

const beforeInstall = "preinstall"

var afterInstall = [...]string{"install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"}

// hasRootScripts says whether an install runs scripts of the project's own.
func (a *App) hasRootScripts() bool {
	if a.Config.Bool("ignore-scripts") {
		return false
	}
	dir := a.Config.LocalPrefix()
	file, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return true
	}
	m := file.Manifest()
	runs := func(event string) bool { return lifecycle.Command(event, dir, m.Scripts, gypFile(m.GypFile)) != "" }
	return runs(beforeInstall) || slices.ContainsFunc(afterInstall[:], runs)
}

// rootScripts runs those of the project's scripts that there are.
func (a *App) rootScripts(ctx context.Context, hidden bool, events ...string) error {
	if a.Config.Bool("ignore-scripts") || a.Config.Bool("dry-run") || a.Config.Global() {
		return nil
	}
	dir := a.Config.LocalPrefix()
	file, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var r *runner
	m := file.Manifest()
	for _, event := range events {
		command := lifecycle.Command(event, dir, m.Scripts, gypFile(m.GypFile))
		if command == "" {
			continue
		}
		if r == nil {
			r = a.runner()
		}
		if err := r.run(ctx, script{dir: dir, event: event, command: command, pkg: packageOf(file), hidden: hidden}); err != nil {
			return err
		}
	}
	return nil
}

// afterScripts ends a change: the project's scripts for a changed tree are run,
// and it is noted what was not run.
func (a *App) afterScripts(ctx context.Context, o *outcome) error {
	a.warnWorkspacePolicies(o.result.Tree)
	fresh := sync.OnceValue(func() map[string]bool {
		fresh := map[string]bool{}
		if o.plan != nil {
			for i := range o.plan.Steps {
				fresh[string(o.plan.Steps[i].Package.Location)] = true
			}
		}
		return fresh
	})
	o.unreviewed = o.scripts.unreviewed(o.result.Tree, func(l string) bool { return fresh()[l] })
	if o.scripts.throwaway || a.Config.PackageLockOnly() {
		return nil
	}
	return a.dependenciesScripts(ctx, o)
}

// dependenciesScripts runs what the project wants run when its tree changed.
func (a *App) dependenciesScripts(ctx context.Context, o *outcome) error {
	if o.plan == nil || len(o.plan.Steps) == 0 {
		return nil
	}
	return a.rootScripts(ctx, !a.Config.Bool("foreground-scripts"), "predependencies", "dependencies", "postdependencies")
}

// installScripts decides whose install scripts run, and runs them.
type installScripts struct {
	app    *App
	policy *lifecycle.Policy
	all    bool // dangerously-allow-all-scripts
	off    bool // ignore-scripts
	global bool
	// throwaway: what is installed is not the user's project (exec).
	throwaway bool
	// places are where the linked layout has packages; nil with another.
	places map[*resolver.Node]storePlace
}

// installScripts reads the policy for a project, or with throwaway for what
// "exec" installs, where the project has no say.
func (a *App) installScripts(p *project, throwaway bool) (*installScripts, error) {
	cfg := a.Config
	s := &installScripts{
		app: a, all: cfg.Bool("dangerously-allow-all-scripts"), off: cfg.Bool("ignore-scripts"), global: cfg.Global(),
		throwaway: throwaway,
	}
	from := lifecycle.PolicySources{Project: !s.global && !throwaway, Root: p.dir}
	layer := func(l config.Layer) []string {
		v := cfg.GetIn("allow-scripts", l)
		if !v.Truthy() {
			return nil
		}
		if v.Kind() == config.List {
			var all []string
			for _, item := range v.Items() {
				all = append(all, item.String())
			}
			return all
		}
		return []string{v.String()}
	}
	from.CLI = [][]string{layer(config.CLI), layer(config.Environment)}
	from.RC = [][]string{layer(config.Project), layer(config.User), layer(config.Global), layer(config.Builtin)}
	if p.file != nil && from.Project {
		from.Package = p.file.Get("allowScripts")
	}
	policy, warnings, err := lifecycle.ResolvePolicy(from)
	for _, w := range warnings {
		a.logPrefixed(levelWarn, "install-scripts", term.Safe(w))
	}
	s.policy = policy
	return s, err
}

// subjectOf is a node as a policy may know it.
func subjectOf(n *resolver.Node) lifecycle.Subject {
	s := lifecycle.Subject{
		Resolved: n.Resolved(), Path: filepath.FromSlash(n.Path()), RealPath: filepath.FromSlash(n.Realpath()),
		InBundle: n.InBundle(), Name: n.Name, Version: n.Version(),
	}
	for e := range n.EdgesIn {
		s.EdgesIn = append(s.EdgesIn, manifest.Dep{Name: e.Name, Spec: e.Spec()})
	}
	for link := range n.LinksIn {
		s.LinkedFrom = append(s.LinkedFrom, link.Resolved())
	}
	return s
}

func candidateOf(n *resolver.Node) *lifecycle.Candidate {
	m := n.Package
	return &lifecycle.Candidate{
		Subject:     subjectOf(n),
		ProjectRoot: n.IsProjectRoot(), Workspace: n.IsWorkspace(), Link: n.IsLink(), Inert: n.Inert,
		PackageName: m.Name, PackageVersion: m.Version,
		Scripts: m.Scripts, GypFile: gypFile(m.GypFile), HasInstallScript: n.HasInstallScript(),
	}
}

// allowed says whether a node's scripts may run (arborist lib/arborist/rebuild.js).
func (s *installScripts) allowed(n *resolver.Node) bool {
	if s.off {
		return false
	}
	if s.all || n.IsWorkspace() {
		return true
	}
	subject := subjectOf(n.Target())
	return s.policy.Decide(&subject) == lifecycle.Allowed
}

// hasEvents says whether the manifest knows of anything to run.
func hasEvents(n *resolver.Node) bool {
	if n.HasInstallScript() {
		return true
	}
	for _, event := range [...]string{"preinstall", "install", "postinstall", "prepare"} {
		if command, _ := n.Package.Scripts.Get(event); command != "" {
			return true
		}
	}
	return false
}

// writes says which packages must own their files, because their scripts will
// run: what they write must not be another project's as well.
func (s *installScripts) writes(tree *resolver.Node) func(*lockfile.Package) bool {
	if s.off || (s.policy == nil && !s.all) {
		return nil
	}
	// By content: packages with the same files are placed together.
	own := map[string]bool{}
	key := func(resolved, sri string) string { return resolved + "\x00" + sri }
	for n := range tree.Inventory {
		if !n.IsRoot() && !n.IsLink() && !n.InBundle() && hasEvents(n) && s.allowed(n) {
			own[key(n.Resolved(), n.Integrity())] = true
		}
	}
	if len(own) == 0 {
		return nil
	}
	return func(p *lockfile.Package) bool { return own[key(p.Resolved, p.Integrity)] }
}

// mayRun says whether a script of a package may run when it is installed: those
// that are approved and may have one, though no manifest speaks of it.
func (s *installScripts) mayRun(n *resolver.Node) bool {
	return !s.off && s.allowed(n) && (hasEvents(n) || !s.all)
}

// unreviewed finds the packages whose scripts nobody has approved or denied.
// fresh says which locations were just laid out, nil where nothing was: only those,
// and what is from no registry, are then looked at for a build file that no manifest
// speaks of.
func (s *installScripts) unreviewed(tree *resolver.Node, fresh func(location string) bool) []lifecycle.Pending {
	if s.off || s.all {
		return nil
	}
	return s.review(tree, fresh)
}

func (s *installScripts) review(tree *resolver.Node, fresh func(location string) bool) []lifecycle.Pending {
	var candidates []*lifecycle.Candidate
	for n := range tree.Inventory {
		if n.IsProjectRoot() || n.IsLink() || n.Inert || n.IsWorkspace() || n.InBundle() {
			continue
		}
		laidOut := fresh != nil && fresh(n.Location())
		if !hasEvents(n) && !((fresh == nil || laidOut || n.Integrity() == "") && lifecycle.HasBindingGyp(filepath.FromSlash(n.Path()))) {
			continue
		}
		c := candidateOf(n)
		if laidOut && s.places == nil && c.HasInstallScript && len(c.Scripts) == 0 {
			// npm has read them when it looked for what to run (arborist
			// lib/arborist/rebuild.js), which a lock does not say; but in the linked
			// layout it has other nodes there.
			c.Scripts, _ = readScripts(c.Path)
		}
		candidates = append(candidates, c)
	}
	return lifecycle.CollectUnreviewed(candidates, s.policy, readScripts)
}

// readScripts reads the scripts of a package on disk.
func readScripts(dir string) (manifest.Deps, error) {
	m, err := manifest.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	return m.Scripts, nil
}

// preflight refuses a tree with scripts that nobody has reviewed, if that is
// wished (strict-allow-scripts).
func (s *installScripts) preflight(tree *resolver.Node) error {
	if !s.app.Config.Bool("strict-allow-scripts") {
		return nil
	}
	pending := s.unreviewed(tree, nil)
	if len(pending) == 0 {
		return nil
	}
	return &lifecycle.StrictError{Pending: pending, Global: s.global}
}

// run runs the scripts of what was laid out, and of links of the project's
// own, which npm runs each time. gone are the locations that are left out; what
// optional failures take along is added.
func (s *installScripts) run(ctx context.Context, o *outcome, gone map[lockfile.Location]bool) error {
	if s.off {
		return nil
	}
	tree := o.result.Tree
	var packages, links []*resolver.Node
	add := func(n *resolver.Node) {
		if n.IsLink() {
			links = append(links, n)
		} else {
			packages = append(packages, n)
		}
	}
	stepped := map[string]bool{}
	for i := range o.plan.Steps {
		loc := o.plan.Steps[i].Package.Location
		n := o.node(loc)
		if n == nil || n.Inert || gone[loc] {
			continue
		}
		stepped[n.Location()] = true
		if n.IsLink() || hasEvents(n) || n.Integrity() == "" || s.all || s.policy != nil {
			add(n)
		}
	}
	root := tree.Target()
	for n := range tree.Inventory {
		if n.IsLink() && !stepped[n.Location()] && !n.Inert && n != tree && o.part.Has(lockfile.Location(n.Location())) && (n.Parent() == root || inProject(n.Target(), root)) {
			add(n)
		}
	}
	flags := o.wanted
	s.places = o.places()
	b := s.builder()
	b.OptionalFailed = func(n *lifecycle.Node, err error) []string {
		s.app.log(levelVerbose, "optional package left out: "+err.Error())
		var paths []string
		for _, l := range o.optionalWith(lockfile.Location(n.Location)) {
			gone[l] = true
			paths = append(paths, filepath.Join(o.project.dir, filepath.FromSlash(string(l))))
		}
		return paths
	}
	err := s.build(ctx, b, packages, links, flags)
	if len(packages)+len(links) > 0 {
		s.app.timing.done("ran install scripts")
	}
	var failed *scriptError
	if errors.As(err, &failed) {
		if i := strings.LastIndexByte(failed.PackageID, '@'); i > 0 {
			err = &installScriptError{err, failed.PackageID[:i]}
		}
	}
	return err
}

// inProject says whether the target of a link is a folder of the project.
func inProject(target, root *resolver.Node) bool {
	for n := target; n != nil; n = n.FsParent() {
		if n == root {
			return true
		}
	}
	return false
}

// scriptRun is one script of one package.
type scriptRun struct {
	node  *lifecycle.Node
	event string
}

// builder is made with what all its scripts have in common.
func (s *installScripts) builder() *lifecycle.Builder {
	a := s.app
	running := map[scriptRun]func(){} // those that are waited for
	b := &lifecycle.Builder{
		Banner: func(n *lifecycle.Node, event, command string) {
			for _, line := range lifecycle.Notice(n.Package.ID(), event, command, nil) {
				a.logPrefixed(levelNotice, "run", term.Safe(line))
			}
		},
		ReadScripts: func(n *lifecycle.Node) (manifest.Deps, *bool, error) {
			m, err := manifest.ReadDir(n.Path)
			if err != nil {
				return nil, nil, err
			}
			return m.Scripts, gypFile(m.GypFile), nil
		},
		Report: func(e lifecycle.Event) {
			if ended := running[scriptRun{e.Node, e.Name}]; e.Done && ended != nil {
				ended()
				a.progress.step(1)
			}
			if !e.Done {
				running[scriptRun{e.Node, e.Name}] = a.progress.await(e.Node.Package.ID() + " " + e.Name)
				a.logPrefixed(levelInfo, "run", term.SafeLine(e.Node.Package.ID()+" "+e.Name+" "+e.Node.Location+" "+e.Script))
			}
		},
		Warn: func(text string) { a.logPrefixed(levelWarn, "run-script", text) },
	}
	if a.Config.Bool("foreground-scripts") {
		b.Foreground, b.Stdin, b.Stdout, b.Stderr = true, a.Stdin, a.Stdout, a.Stderr
	}
	return b
}

// build runs the scripts of packages and then of links. flags has what a
// script's environment says of its package.
func (s *installScripts) build(ctx context.Context, b *lifecycle.Builder, packages, links []*resolver.Node, flags *lockfile.Lockfile) error {
	linked := map[*resolver.Node]bool{}
	if !s.global {
		for _, l := range links {
			linked[l.Target()] = true
		}
	}
	var first, second []*lifecycle.Node
	for _, n := range packages {
		if !linked[n] && s.allowed(n) {
			first = append(first, s.node(n, flags))
		}
	}
	for _, n := range links {
		if s.allowed(n) {
			second = append(second, s.node(n, flags))
		}
	}
	if len(first)+len(second) == 0 {
		return nil
	}
	s.app.progress.start("running install scripts", 0, "done")
	if b.Foreground {
		defer s.app.progress.hold()()
	}
	r := s.app.runner()
	b.Environ, b.Shell, b.NodeGyp = r.environ, r.shell, r.nodeGyp
	err := b.Build(ctx, first, false)
	if err == nil {
		err = b.Build(ctx, second, true)
	}
	var exit *lifecycle.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	err = &scriptError{exit}
	for _, n := range slices.Concat(packages, links) {
		if s.dir(n) == exit.Dir {
			return &wantedError{error: err, path: resolver.Chain(n)}
		}
	}
	return err
}

// installScriptError is the failure of a script that an install ran.
type installScriptError struct {
	error
	name string
}

func (e *installScriptError) Unwrap() error { return e.error }

// Hints say how one gets on.
func (e *installScriptError) Hints() []string {
	return []string{"ibid install --ignore-scripts installs without it; ibid rebuild " + e.name + "  then runs it alone"}
}

// dir is where the files of a node are.
func (s *installScripts) dir(n *resolver.Node) string {
	if at, ok := s.places[n]; ok {
		return at.dir
	}
	return filepath.FromSlash(n.Target().Realpath())
}

// node describes a node whose scripts may run.
func (s *installScripts) node(n *resolver.Node, flags *lockfile.Lockfile) *lifecycle.Node {
	target := n.Target()
	m := target.Package
	x := &lifecycle.Node{
		Path: s.dir(n), Location: n.Location(), Depth: n.Depth(), SortPath: filepath.FromSlash(n.Path()),
		Package:  lifecycle.Package{Name: m.Name, Version: m.Version, Engines: m.Engines, Bin: m.Bin},
		Scripts:  m.Scripts,
		GypFile:  gypFile(m.GypFile),
		Resolved: target.Resolved(), Integrity: target.Integrity(),
		HasInstallScript: target.HasInstallScript(),
		ScriptsAllowed:   true,
	}
	if x.Package.Name == "" {
		x.Package.Name = target.Name
	}
	if at, ok := s.places[n]; ok {
		// npm knows no more of what lies in the store; the order is that of
		// the paths, and what a package needs lies beside it.
		x.Location, x.SortPath, x.Depth, x.Integrity = string(at.location), "", 0, ""
		if p := flags.Get(at.location); p != nil {
			x.Optional = p.Optional
		}
		x.NodePath = strings.TrimSuffix(at.dir, string(filepath.Separator)+filepath.FromSlash(at.location.Name()))
	} else if flags != nil {
		if p := flags.Get(lockfile.Location(n.Location())); p != nil {
			x.Optional = p.Optional
		}
		if p := flags.Get(lockfile.Location(target.Location())); p != nil {
			x.Optional = x.Optional || p.Optional
			x.Dev, x.Peer, x.DevOptional = p.Dev, p.Peer, p.DevOptional
		}
	}
	if !n.IsLink() && !hasEvents(target) {
		return x
	}
	if file, err := manifest.ReadFile(filepath.Join(x.Path, "package.json")); err == nil {
		x.Package.Config = rawOf(file.Get("config"))
		if n.IsLink() && len(x.Scripts) == 0 {
			// The lock's entry of a folder has no scripts; the folder has.
			x.Scripts = file.Manifest().Scripts
		}
	}
	return x
}

// tellUnreviewed says which packages would have run something.
func (a *App) tellUnreviewed(pending []lifecycle.Pending) {
	for _, line := range lifecycle.BlockedLines(pending, a.Config.Global()) {
		a.logPrefixed(levelWarn, "install-scripts", term.Safe(a.asCalled(line)))
	}
}

// asCalled has the commands in a hint begin with the name that ibid was called by.
func (a *App) asCalled(hint string) string {
	if rest, ok := strings.CutPrefix(hint, "ibid "); ok {
		hint = a.heading + " " + rest
	}
	return strings.NewReplacer("`ibid ", "`"+a.heading+" ", ": ibid ", ": "+a.heading+" ").Replace(hint)
}

// unreviewedScripts is the entry of an install's --json.
type unreviewedScripts struct {
	Name    string            `json:"name"`
	Version string            `json:"version"`
	Path    string            `json:"path"`
	Scripts map[string]string `json:"scripts"`
}

func unreviewedJSON(pending []lifecycle.Pending) []unreviewedScripts {
	var out []unreviewedScripts
	for _, p := range pending {
		name, version := p.Display()
		u := unreviewedScripts{Name: name, Version: version, Path: p.Path, Scripts: map[string]string{}}
		for _, e := range p.Events {
			u.Scripts[e.Name] = e.Spec
		}
		out = append(out, u)
	}
	return out
}

// warnWorkspacePolicies says that a workspace's allowScripts counts for nothing.
func (a *App) warnWorkspacePolicies(tree *resolver.Node) {
	for n := range tree.Inventory {
		if n.IsWorkspace() && !n.IsProjectRoot() && !n.IsLink() && n.Package.AllowScripts != "" {
			name := n.Package.Name
			if name == "" {
				name = n.Name
			}
			a.logPrefixed(levelWarn, "install-scripts", lifecycle.WorkspaceWarning(name, filepath.FromSlash(n.Path())))
		}
	}
}
