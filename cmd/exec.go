package cmd

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

func newExecCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "exec -- <package>[@<version>] [<args>]\nexec --package=<package>[@<version>] -- <command> [<args>]\n" +
			"exec -c '<command> [<args>]'\nexec --package=<package> -c '<command> [<args>]'",
		Aliases: []string{"x"},
		Short:   "Run a program of a package, installed here or for this once",
	}, []string{"package", "call", "yes", "workspace", "workspaces", "include-workspace-root", "allow-scripts", "strict-allow-scripts", "dangerously-allow-all-scripts"},
		func(c *cobra.Command, args []string) error { return runExec(c.Context(), a, args) })
}

func runExec(ctx context.Context, a *App, args []string) error {
	cfg := a.Config
	if cfg.String("call") != "" && len(args) > 0 {
		return &usageError{text: "A command is given by --call or by words, not by both.", usage: "ibid exec -c '<command> [<args>]'"}
	}
	many, err := a.forWorkspaces()
	if err != nil {
		return err
	}
	x := &execution{
		app: a, args: args, call: cfg.String("call"), packages: cfg.Strings("package"), yes: cfg.Get("yes"),
		runIn: cfg.Cwd(), own: []string{cfg.LocalPrefix()}, lookFrom: cfg.LocalPrefix(),
		global: cfg.LocalPrefix() != cfg.GlobalPrefix(),
	}
	if !many {
		if err := x.checkInstalled(ctx, cfg.LocalPrefix()); err != nil {
			return err
		}
		return x.run(ctx)
	}
	paths, err := a.workspacePaths()
	if err != nil {
		return err
	}
	var dirs []string
	for _, w := range paths {
		dirs = append(dirs, w.Path)
	}
	if err := x.checkInstalled(ctx, dirs...); err != nil {
		return err
	}
	for _, w := range paths {
		y := *x
		y.args = slices.Clone(args)
		y.runIn, y.lookFrom, y.own = w.Path, w.Path, []string{w.Path}
		y.location = "in workspace " + w.Name + " at location:\n" + w.Path
		if err := y.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// execution is one program that is to be run (npm: libnpmexec lib/index.js).
type execution struct {
	app      *App
	args     []string // the program, or the package that has it, and its arguments
	call     string   // a command line instead
	packages []string // that must be there; none: the one that args[0] names
	yes      config.Value

	runIn    string   // where the program runs
	lookFrom string   // node_modules/.bin is looked for from here upwards
	own      []string // folders of packages whose own programs come first
	global   bool     // global packages are looked at
	location string   // how a shell says where it is

	bins []string // what comes before the PATH
	seen []string // where the program was looked for, if it was found there
}

// checkInstalled looks after what is installed here, where that is what will be
// run.
func (x *execution) checkInstalled(ctx context.Context, dirs ...string) error {
	if len(x.packages) > 0 {
		return nil
	}
	return x.app.checkInstalled(ctx, dirs)
}

// run finds the program, installs it if need be, and runs it.
func (x *execution) run(ctx context.Context) error {
	a := x.app
	if x.call == "" && len(x.args) == 0 && len(x.packages) == 0 {
		return x.start(ctx) // a shell
	}
	x.packages = slices.Clone(x.packages)
	unnamed := len(x.args) > 0 && len(x.packages) == 0
	linked := false
	if unnamed {
		if dir := x.ownProgram(); dir != "" {
			// Its bins are linked in a place of their own.
			x.packages, x.yes, unnamed, linked = []string{dir}, config.NewBool(true), false, true
		} else if bin := x.foundProgram(); bin != "" {
			x.bins = []string{bin}
			return x.start(ctx)
		} else {
			x.packages = []string{x.args[0]}
		}
	}
	needed, first, err := x.needed(ctx, linked)
	if err != nil {
		return err
	}
	if unnamed {
		if sp, err := spec.Parse(x.args[0], a.Config.Cwd()); err == nil && sp.Type == spec.Directory {
			x.yes = config.NewBool(true)
		}
		asked := x.args[0]
		if x.args[0], err = programOf(first); err != nil {
			return err
		}
		if len(needed) > 0 && x.global && x.globalHas(asked) {
			x.bins = []string{a.Config.GlobalBin()}
			return x.start(ctx)
		}
	}
	if len(needed) > 0 {
		dir, err := x.install(ctx, needed, linked)
		if err != nil {
			return err
		}
		x.bins = append(x.bins, filepath.Join(dir, "node_modules", ".bin"))
	}
	return x.start(ctx)
}

// ownProgram gives the folder of a package that is worked on and has a program
// of the wanted name.
func (x *execution) ownProgram() string {
	for _, dir := range append(slices.Clone(x.own), x.app.Config.LocalPrefix()) {
		m, err := manifest.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, b := range m.Bin {
			if b.Name == x.args[0] {
				return dir
			}
		}
	}
	return ""
}

// foundProgram gives the folder of a program that is installed: here, in a
// folder above, or globally.
func (x *execution) foundProgram() string {
	has := func(bin string) bool {
		file := filepath.Join(bin, x.args[0])
		x.seen = append(x.seen, file)
		return isFile(file)
	}
	for dir := x.lookFrom; ; dir = filepath.Dir(dir) {
		bin := filepath.Join(dir, "node_modules", ".bin")
		if has(bin) {
			return bin
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if bin := x.app.Config.GlobalBin(); x.global && has(bin) {
		return bin
	}
	x.seen = nil
	return ""
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// need is a package that is not installed in the project.
type need struct {
	spec    *spec.Spec
	fetched *resolver.Fetched
}

// needed finds which packages have to be installed, and the manifest of the
// first of all packages. Nothing is asked about what is not allowed.
func (x *execution) needed(ctx context.Context, linked bool) (needed []need, first *manifest.Manifest, err error) {
	a := x.app
	root := a.Config.LocalPrefix()
	tree, err := resolver.LoadActual(resolver.ActualOptions{Dir: root})
	if err != nil {
		return nil, nil, err
	}
	for i, p := range x.packages {
		sp, err := spec.Parse(p, a.Config.Cwd())
		if err == nil && sp.Type == spec.Directory {
			// One folder is one place to install to, however it was written.
			x.packages[i] = sp.FetchSpec
			sp, err = spec.Parse(sp.FetchSpec, root)
		}
		if err == nil && !linked {
			err = a.allowed(sp)
		}
		if err != nil {
			return nil, nil, err
		}
		n, fetched, err := x.missing(ctx, tree, sp, false)
		switch {
		case err != nil:
			return nil, nil, err
		case fetched != nil:
			needed = append(needed, need{sp, fetched})
			if i == 0 {
				first = fetched.Manifest
			}
		case i == 0:
			first = n.Package
		}
	}
	return needed, first, nil
}

// missing gives the node of a tree that is what a spec wants, or else what would
// have to be installed. once marks the trees of earlier executions, in which
// the newest version is wanted if none was named.
func (x *execution) missing(ctx context.Context, tree *resolver.Node, sp *spec.Spec, once bool) (*resolver.Node, *resolver.Fetched, error) {
	nameOnly := once && sp.Name == sp.Raw
	if sp.Registry && sp.Type != spec.Tag && sp.Type != spec.Alias && !nameOnly {
		for n := range tree.Inventory {
			switch {
			case n.PackageName() != sp.Name:
			case sp.RawSpec == "*",
				sp.Type == spec.Version && n.PackageName()+"@"+n.Version() == sp.Raw,
				!once && nodesemver.Satisfies(n.Version(), sp.RawSpec, false):
				return n, nil, nil
			}
		}
		fetched, err := x.manifest(ctx, sp)
		return nil, fetched, err
	}
	fetched, err := x.manifest(ctx, sp)
	if err != nil {
		return nil, nil, err
	}
	if sp.Type == spec.Directory && !once {
		return nil, fetched, nil
	}
	for n := range tree.Inventory {
		if n.PackageName() == fetched.Manifest.Name && !n.IsRoot() &&
			(n.Resolved() == fetched.Resolved || (sp.Type == spec.Directory && filepath.FromSlash(n.Realpath()) == sp.FetchSpec)) {
			return n, nil, nil
		}
	}
	return nil, fetched, nil
}

// manifest asks for what a spec stands for; what was published a minute ago is
// wanted as well.
func (x *execution) manifest(ctx context.Context, sp *spec.Spec) (*resolver.Fetched, error) {
	a := x.app
	if !a.Config.Bool("offline") && !a.Config.IsSet("prefer-offline") {
		a.Config.Set("prefer-online", config.NewBool(true), config.CLI)
	}
	src, err := a.source(a.fetcher())
	if err != nil {
		return nil, err
	}
	return src.Manifest(ctx, sp, resolver.Wish{FromRoot: true, Before: a.Config.Before()})
}

// globalHas says whether the program that was found for a package is installed
// globally from just that package.
func (x *execution) globalHas(asked string) bool {
	cfg := x.app.Config
	if !isFile(filepath.Join(cfg.GlobalBin(), x.args[0])) {
		return false
	}
	sp, err := spec.Parse(asked, cfg.Cwd())
	if err != nil || !sp.Registry || sp.Type == spec.Tag {
		return false
	}
	m, err := manifest.ReadDir(filepath.Join(cfg.GlobalDir(), filepath.FromSlash(sp.Name)))
	return err == nil && m.Name == sp.Name && (sp.RawSpec == "*" || nodesemver.Satisfies(m.Version, sp.RawSpec, false))
}

// programOf chooses the program that a package is run by: its only one, or the
// one with its name (npm: libnpmexec lib/get-bin-from-manifest.js).
func programOf(m *manifest.Manifest) (string, error) {
	name := m.Name
	if strings.HasPrefix(name, "@") {
		_, name, _ = strings.Cut(name, "/")
	}
	same := len(m.Bin) > 0
	for _, b := range m.Bin {
		same = same && b.Path == m.Bin[0].Path
	}
	if same {
		return m.Bin[0].Name, nil
	}
	var names []string
	for _, b := range m.Bin {
		if b.Name == name {
			return name, nil
		}
		names = append(names, b.Name)
	}
	err := &codedError{text: m.Name + "@" + m.Version + ": could not determine executable to run"}
	if len(names) > 0 {
		err.hints = []string{fmt.Sprintf("ibid exec --package=%s -- %s", m.Name, names[0]), "its programs are " + strings.Join(names, ", ")}
	} else {
		err.hints = []string{"the package has no programs"}
	}
	return "", err
}

// install puts packages into a folder of the cache that is theirs alone.
func (x *execution) install(ctx context.Context, needed []need, linked bool) (dir string, err error) {
	a := x.app
	names := slices.Clone(x.packages)
	slices.SortFunc(names, collate.Compare)
	sum := sha512.Sum512([]byte(strings.Join(names, "\n")))
	dir = filepath.Join(a.Config.String("cache"), "_npx", hex.EncodeToString(sum[:])[:16])
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	unlock, err := lockFolder(ctx, filepath.Join(dir, "concurrency.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	tree, err := resolver.LoadActual(resolver.ActualOptions{Dir: dir})
	if err != nil {
		return "", err
	}
	var add []string
	for _, n := range needed {
		_, fetched, err := x.missing(ctx, tree, n.spec, true)
		switch {
		case err != nil:
			return "", err
		case fetched == nil:
		case n.spec.Registry:
			add = append(add, fetched.Manifest.Name+"@"+fetched.Manifest.Version)
		default:
			add = append(add, n.spec.Raw)
		}
	}
	if len(add) > 0 {
		if err := x.confirm(ctx, add); err != nil {
			return "", err
		}
		if err := x.reify(ctx, dir, add, linked); err != nil {
			return "", err
		}
	}
	return dir, x.note(dir)
}

// reify installs into a throw-away project.
func (x *execution) reify(ctx context.Context, dir string, add []string, linked bool) error {
	a := x.app
	for key, value := range map[string]bool{"save": true, "global": false, "dry-run": false, "package-lock-only": false} {
		a.Config.Set(key, config.NewBool(value), config.CLI)
	}
	p := &project{dir: dir, lockPath: lockfile.FileToWrite(dir)}
	file, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if err == nil {
		p.file = file
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if p.lock, err = lockfile.Load(dir); err != nil && !errors.Is(err, lockfile.ErrMissing) {
		return err
	}
	o, err := a.reify(ctx, change{project: p, ask: func(r *resolver.Request) {
		r.Add, r.InWorkspaces, r.SaveType = add, nil, resolver.SaveWhereItIs
		if linked {
			r.InstallLinks, r.AllowDirectory = false, resolver.AllowAll
		}
	}})
	if err != nil {
		return err
	}
	if len(o.unreviewed) > 0 {
		var names []string
		for i := range o.unreviewed {
			name, _ := o.unreviewed[i].Display()
			names = append(names, name)
		}
		a.logPrefixed(levelWarn, "install-scripts", term.Safe(fmt.Sprintf(
			"the install scripts of %s were not run; --allow-scripts=%s lets them", strings.Join(names, ", "), strings.Join(names, ","))))
	}
	return nil
}

// note writes down what the folder is for, as npm does.
func (x *execution) note(dir string) error {
	file, err := manifest.ReadOrCreateFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return err
	}
	packages := make([]jsjson.Value, len(x.packages))
	for i, p := range x.packages {
		packages[i] = jsjson.NewString(p)
	}
	file.Set(jsjson.NewObject(jsjson.Member{Key: "packages", Value: jsjson.NewArray(packages...)}), "_npx")
	if !file.Changed() {
		return nil
	}
	return writeFile(file.Path, file.Bytes())
}

// confirm asks whether packages may be installed, where there is somebody to
// ask.
func (x *execution) confirm(ctx context.Context, add []string) error {
	a := x.app
	if x.yes.Truthy() {
		return nil
	}
	if x.yes.Kind() == config.Bool {
		list, _ := json.Marshal(add)
		return &codedError{text: "npx canceled due to missing packages and no YES option: " + string(list)}
	}
	in, ok := a.Stdin.(*os.File)
	if !ok || !term.IsTerminal(in) || a.Config.CI().IsCI {
		were := "s were"
		if len(add) == 1 {
			were = " was"
		}
		a.logPrefixed(levelWarn, "exec", term.SafeLine(fmt.Sprintf("The following package%s not found and will be installed: %s", were, strings.Join(add, ", "))))
		return nil
	}
	answer, err := a.ask(ctx, term.Safe("Need to install the following packages:\n"+strings.Join(add, "\n"))+"\nOk to proceed? (y) ")
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "" && answer[0] != 'y' {
		return &codedError{text: "canceled"}
	}
	return nil
}

// start runs the program, or a shell (npm: libnpmexec lib/run-script.js).
func (x *execution) start(ctx context.Context) error {
	a := x.app
	r := a.runner()
	shell := r.shell
	if shell == "" {
		shell = "sh"
		if runtime.GOOS == "windows" {
			if shell = a.Config.Getenv("ComSpec"); shell == "" {
				shell = "cmd"
			}
		}
	}
	s := script{dir: x.runIn, event: "npx", bins: x.bins, alone: x.seen != nil, seen: x.seen}
	switch {
	case x.call != "":
		s.command = x.call
	case len(x.args) > 0:
		s.command, s.args = x.args[0], x.args[1:]
		if runtime.GOOS != "windows" {
			// A name is a name, whatever the shell would make of it.
			s.command = "'" + strings.ReplaceAll(s.command, "'", `'\''`) + "'"
		}
	default:
		s.command = shell
		if in, ok := a.Stdin.(*os.File); ok && term.IsTerminal(in) {
			if a.Config.CI().IsCI {
				a.logPrefixed(levelWarn, "exec", "Interactive mode disabled in CI environment")
				return nil
			}
			location := x.location
			if location == "" {
				location = " at location:\n" + x.runIn
			}
			a.out("\nEntering npm script environment%s\nType 'exit' or ^D when finished\n", term.Safe(location))
		}
	}
	if file, err := manifest.ReadFile(filepath.Join(a.Config.LocalPrefix(), "package.json")); err == nil {
		s.pkg = packageOf(file)
	}
	return shellout(r.run(ctx, s))
}

// How npm's lock of a folder behaves (npm: libnpmexec lib/with-lock.js): it is a
// folder, touched every second, that counts for nothing after a minute.
const (
	lockTouch = time.Second
	lockStale = time.Minute
)

// lockFolder takes a lock that npm takes as well.
func lockFolder(ctx context.Context, path string) (unlock func(), err error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := os.Mkdir(path, 0o777)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if st, err := os.Stat(path); err == nil && time.Since(st.ModTime()) > lockStale {
			os.Remove(path)
			continue
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(wait):
		}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(lockTouch)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				// Whole seconds, as npm writes and compares them.
				now := time.Now().Truncate(time.Second)
				_ = os.Chtimes(path, now, now)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		os.Remove(path)
	}, nil
}

// execArgs makes of npx's arguments those of exec: all behind the first word
// belongs to the program (npm: bin/npx-cli.js).
func execArgs(args []string) (out, removed []string) {
	out = []string{"exec"}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(out, args[i:]...), removed
		}
		if !strings.HasPrefix(arg, "-") {
			return append(append(out, "--"), args[i:]...), removed
		}
		key, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if to := config.Shorthands()[key]; len(to) > 0 && key != "p" && key != "shell" && key != "no-install" && removedFromNPX[key] == 0 {
			rest := slices.Clone(to)
			if hasValue {
				rest = append(rest, value)
			}
			args = append(rest, args[i+1:]...)
			i = -1
			continue
		}
		if kind := removedFromNPX[key]; kind != 0 {
			removed = append(removed, key)
			if kind == removedOption && !hasValue {
				i++ // and its value
			}
			continue
		}
		renamed := arg
		with := func(flag string) string {
			if hasValue {
				return flag + "=" + value
			}
			return flag
		}
		switch key {
		case "p":
			renamed = with("--package")
		case "shell":
			renamed = with("--script-shell")
		case "no-install":
			renamed = "--yes=false"
		}
		out = append(out, renamed)
		if hasValue || isSwitch(key) || i+1 >= len(args) {
			continue
		}
		if takesValue(key) || !strings.HasPrefix(args[i+1], "-") {
			i++
			out = append(out, args[i])
		}
	}
	return out, removed
}

// removedFromNPX are the flags of npx that npm 7 did away with.
var removedFromNPX = map[string]removedKind{
	"always-spawn": removedSwitch, "ignore-existing": removedSwitch, "shell-auto-fallback": removedSwitch,
	"npm": removedOption, "node-arg": removedOption, "n": removedOption,
}

type removedKind uint8

const (
	removedSwitch removedKind = iota + 1
	removedOption
)

// isSwitch says whether a flag stands alone. npx takes "--no" and "--no-audit"
// for flags with a value: the word behind them, and what follows it up to "--",
// are exec's arguments.
func isSwitch(key string) bool {
	switch key {
	case "no-install", "quiet", "q", "version", "v", "help", "h":
		return true
	}
	d := config.Lookup(key)
	return d != nil && d.IsBoolean()
}

// takesValue says whether a flag takes the next word even if that looks like a
// flag.
func takesValue(key string) bool {
	switch key {
	case "package", "p", "cache", "userconfig", "call", "c", "shell":
		return true
	}
	return false
}
