package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/term"
)

// ownFlags marks commands that read their own flags beside npm's.
const ownFlags = "own-flags"

// runFlags are what ibid knows beyond npm to run a script in many workspaces.
func runFlags() []config.Definition {
	boolean := []config.Type{{Kind: config.TypeBoolean}}
	return []config.Definition{
		{Key: "parallel", Types: boolean, Default: config.NewBool(false), Description: "Run the script in all selected workspaces at once, each line of output with the workspace's name before it."},
		{Key: "topo", Types: boolean, Default: config.NewBool(false), Description: "Run the script in a workspace when it has succeeded in those that it depends on."},
		{Key: "group", Types: boolean, Default: config.NewBool(false), Description: "Show the output of each workspace in one piece, when its script has ended."},
		{Key: "bail", Types: boolean, Default: config.NewBool(false), Description: "Stop at the first script that fails."},
		{Key: "since", Types: []config.Type{{Kind: config.TypeString}}, Hint: "<ref>", Description: "Only take workspaces that have changed since a git ref, and those that depend on them."},
	}
}

var runKeys = []string{"workspace", "workspaces", "include-workspace-root", "if-present", "ignore-scripts", "foreground-scripts", "script-shell"}

func newRunCmd(a *App) *cobra.Command {
	long := "Beyond npm, for scripts in many workspaces:\n"
	for _, d := range runFlags() {
		flag := "--" + d.Key
		if d.Hint != "" {
			flag += " " + d.Hint
		}
		long += fmt.Sprintf("  %s\n      %s\n", flag, d.Description)
	}
	long += `
Before a script or an installed program runs, ibid looks whether what is
installed is what package.json and the lock want, and says so where it is not.
The setting verify-deps-before-run, in .npmrc, as a flag or as
npm_config_verify_deps_before_run, decides: warn (the default), install,
error or false.
`
	c := declare(&cobra.Command{
		Use: "run [<script> [-- <args>]]", Aliases: []string{"run-script", "rum", "urn"},
		Short: "Run a script of package.json, or list the scripts",
		Long:  long,
		Example: "  ibid run build\n  ibid run test -- --watch\n  ibid run build --workspaces --topo --parallel\n" +
			"  ibid run test --workspaces --since main",
	}, runKeys, func(c *cobra.Command, _ []string) error { return runRun(c.Context(), a, "") })
	c.Annotations[ownFlags] = ""
	return c
}

// newScriptCmds are the commands that run scripts and programs of packages.
func newScriptCmds(a *App) []*cobra.Command {
	all := append(newLifecycleCmds(a), newRunCmd(a), newExecCmd(a), newRebuildCmd(a), newExploreCmd(a), newEditCmd(a), newInitCmd(a), newPatchCmd(a))
	return append(append(all, newAllowScriptsCmds(a)...), newInstallTestCmds(a)...)
}

// newLifecycleCmds are the commands that are the names of scripts.
func newLifecycleCmds(a *App) []*cobra.Command {
	var all []*cobra.Command
	for _, x := range []struct {
		name, short string
		aliases     []string
	}{
		{"test", "Run the test script", []string{"t", "tst"}},
		{"start", "Run the start script", nil},
		{"stop", "Run the stop script", nil},
		{"restart", "Run the restart script, or stop and start", nil},
	} {
		c := declare(&cobra.Command{Use: x.name + " [-- <args>]", Aliases: x.aliases, Short: x.short}, runKeys,
			func(c *cobra.Command, _ []string) error { return runRun(c.Context(), a, c.Name()) })
		c.Annotations[ownFlags] = ""
		all = append(all, c)
	}
	return all
}

// runOptions are the settings of one "run".
type runOptions struct {
	event     string
	list      bool // no script was named
	args      []string
	ifPresent bool
	parallel  bool
	topo      bool
	group     bool
	bail      bool
	since     string
	alone     bool // in the project, not in workspaces
}

func runRun(ctx context.Context, a *App, event string) error {
	flags, words, err := a.Config.CommandFlags(runFlags(), 1)
	if err != nil {
		return err
	}
	o := runOptions{
		event: event, args: words, ifPresent: a.Config.Bool("if-present"),
		parallel: flags["parallel"].Truthy(), topo: flags["topo"].Truthy(), group: flags["group"].Truthy(), bail: flags["bail"].Truthy(),
	}
	if flags["since"].Truthy() {
		o.since = flags["since"].String()
	}
	if event == "" && len(words) > 0 {
		o.event, o.args = words[0], words[1:]
	} else if event == "" {
		o.list = true
	}
	return a.runScripts(ctx, o)
}

// runScripts is "run": a story of who is concerned, in what order, and how.
func (a *App) runScripts(ctx context.Context, o runOptions) error {
	all, many, err := a.targets()
	if err != nil {
		return err
	}
	if !many {
		if err := a.checkDevEngines(all[0].manifest()); err != nil {
			return err
		}
	}
	if o.since != "" || o.topo {
		link(all)
	}
	if o.since != "" {
		if all, err = a.changedSince(ctx, all, o.since); err != nil {
			return err
		}
	}
	if o.list {
		return a.listScripts(all, many)
	}
	dirs := make([]string, len(all))
	for i, t := range all {
		dirs[i] = t.dir
	}
	if err := a.checkInstalled(ctx, dirs); err != nil {
		return err
	}
	r := a.runner()
	if !many {
		o.alone = true
		err := r.runTarget(ctx, all[0], o, nil, nil)
		return shellout(err)
	}
	if o.topo {
		all = inOrder(all)
	}
	if o.parallel || o.group {
		return r.runTogether(ctx, all, o)
	}
	return r.runInTurn(ctx, all, o)
}

// runInTurn runs the script in one workspace after the other. A failure is
// told, and the others run all the same (npm: lib/commands/run.js
// execWorkspaces); its status becomes ibid's.
func (r *runner) runInTurn(ctx context.Context, all []*target, o runOptions) error {
	var failed error
	bad := map[*target]bool{}
	for _, t := range all {
		if skip := firstBad(t, bad); o.topo && skip != nil {
			bad[t] = true
			r.app.log(levelWarn, term.SafeLine(t.workspace+": not run, because "+skip.workspace+" has failed"))
			continue
		}
		err := r.runTarget(ctx, t, o, nil, nil)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return err
		}
		bad[t] = true
		r.tellFailure(t, o.event, err)
		failed = statusError(exitStatus(err))
		if o.bail {
			break
		}
	}
	return failed
}

func firstBad(t *target, bad map[*target]bool) *target {
	for _, other := range t.after {
		if bad[other] {
			return other
		}
	}
	return nil
}

func (r *runner) tellFailure(t *target, event string, err error) {
	a := r.app
	a.log(levelError, term.Safe(fmt.Sprintf("Lifecycle script `%s` failed with error:", event)))
	if code := errorCode(err); code != "" {
		a.log(levelError, "code "+code)
	}
	a.log(levelError, term.Safe(err.Error()))
	a.log(levelError, term.SafeLine("workspace "+t.id()))
	a.log(levelError, term.SafeLine("location "+t.dir))
}

// runTogether runs the script in all workspaces at once, or with topo as soon
// as it has succeeded in those that they depend on. Without parallel there is
// one at a time. Output is line by line with the workspace's name, or in one
// piece.
func (r *runner) runTogether(ctx context.Context, all []*target, o runOptions) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// All at once means that: servers that wait for each other would wait for
	// ever behind a limit. With an order to keep, work is what is meant.
	limit := len(all)
	if o.topo {
		limit = runtime.NumCPU()
	}
	if !o.parallel {
		limit = 1
	}
	slots := make(chan struct{}, max(limit, 1))
	ended := make(map[*target]chan struct{}, len(all))
	for _, t := range all {
		ended[t] = make(chan struct{})
	}
	width := 0
	for _, t := range all {
		width = max(width, len(t.workspace))
	}
	var mu, outMu sync.Mutex
	var wg sync.WaitGroup
	errs := make(map[*target]error, len(all))
	bad := map[*target]bool{}
	for _, t := range all {
		run := func() {
			defer close(ended[t])
			for _, other := range t.after {
				select {
				case <-ended[other]:
				case <-ctx.Done():
				}
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			mu.Lock()
			skip := firstBad(t, bad)
			bad[t] = bad[t] || skip != nil
			mu.Unlock()
			if skip != nil {
				r.app.log(levelWarn, term.SafeLine(t.workspace+": not run, because "+skip.workspace+" has failed"))
				return
			}
			err := r.runApart(ctx, t, o, width, &outMu)
			if err == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			bad[t] = true
			if ctx.Err() == nil {
				errs[t] = err
			}
			if o.bail {
				stop()
			}
		}
		if limit == 1 {
			run() // in the order given
		} else {
			wg.Go(run)
		}
	}
	wg.Wait()
	var failed error
	for _, t := range all {
		if err := errs[t]; err != nil {
			r.tellFailure(t, o.event, err)
			failed = statusError(exitStatus(err))
		}
	}
	if failed == nil && len(bad) > 0 {
		return context.Cause(ctx)
	}
	return failed
}

// runApart runs one workspace's script with its output marked or kept together.
func (r *runner) runApart(ctx context.Context, t *target, o runOptions, width int, mu *sync.Mutex) error {
	a := r.app
	if o.group {
		var buf bytes.Buffer
		var lines sync.Mutex
		w := &lifecycle.PrefixWriter{W: &buf, Mutex: &lines}
		err := r.runTarget(ctx, t, o, w, w)
		w.Close()
		mu.Lock()
		defer mu.Unlock()
		if buf.Len() > 0 {
			a.logPrefixed(levelNotice, "run", term.SafeLine(t.id()+" "+o.event))
			a.Stdout.Write(buf.Bytes())
		}
		return err
	}
	prefix := a.colourOf(t.workspace) + strings.Repeat(" ", width-len(t.workspace)) + " | "
	stdout := &lifecycle.PrefixWriter{W: a.Stdout, Prefix: prefix, Mutex: mu}
	stderr := &lifecycle.PrefixWriter{W: a.Stderr, Prefix: prefix, Mutex: mu}
	defer stderr.Close()
	defer stdout.Close()
	return r.runTarget(ctx, t, o, stdout, stderr)
}

// colourOf gives each name a colour of its own, where there are colours.
func (a *App) colourOf(name string) string {
	sum := 0
	for i := range len(name) {
		sum = sum*31 + int(name[i])
	}
	return a.ink().paint(strconv.Itoa(31+(sum&0x7fffffff)%6), name)
}

// runTarget runs a script with what comes before and after it.
func (r *runner) runTarget(ctx context.Context, t *target, o runOptions, stdout, stderr *lifecycle.PrefixWriter) error {
	m := t.manifest()
	scripts := defaultScripts(m.Scripts)
	if _, there := scripts.Get(o.event); !there {
		if o.ifPresent {
			return nil
		}
		return r.missing(t, o.event)
	}
	events := []string{o.event}
	if !r.app.Config.Bool("ignore-scripts") {
		events = []string{"pre" + o.event, o.event, "post" + o.event}
	}
	pkg := packageOf(t.file)
	var all []script
	for _, event := range events {
		command := lifecycle.Command(event, t.dir, scripts, gypFile(m.GypFile))
		if command == "" || event != o.event && !has(scripts, event) {
			continue
		}
		s := script{dir: t.dir, event: event, command: command, pkg: pkg, stdout: stdout, stderr: stderr, quiet: stdout != nil && o.group}
		if event == o.event {
			s.args = o.args
		}
		all = append(all, s)
	}
	for _, s := range all {
		s.alone = o.alone && len(all) == 1
		if err := r.run(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func has(scripts manifest.Deps, event string) bool {
	command, _ := scripts.Get(event)
	return command != ""
}

// defaultScripts adds the scripts that every package has.
func defaultScripts(scripts manifest.Deps) manifest.Deps {
	scripts = slices.Clone(scripts)
	if !has(scripts, "restart") {
		scripts = append(scripts, manifest.Dep{Name: "restart", Spec: "npm stop --if-present && npm start"})
	}
	if !has(scripts, "env") {
		command := "env"
		if runtime.GOOS == "windows" {
			command = "SET"
		}
		scripts = append(scripts, manifest.Dep{Name: "env", Spec: command})
	}
	return scripts
}

// missing says that there is no such script, and which was perhaps meant.
func (r *runner) missing(t *target, event string) error {
	a := r.app
	var near []string
	add := func(name, text string) {
		if len(near) < 3 && 5*editDistance(event, name) < 2*len([]rune(event)) {
			near = append(near, text)
		}
	}
	m := t.manifest()
	for _, s := range m.Scripts {
		add(s.Name, a.heading+" run "+s.Name)
	}
	for _, c := range newRootCmd(a).Commands() {
		if c.Name() != event && !c.Hidden {
			add(c.Name(), a.heading+" "+c.Name())
		}
	}
	for _, b := range m.Bin {
		add(b.Name, a.heading+" exec "+b.Name)
	}
	var hints []string
	if len(near) > 0 {
		hints = append(hints, "did you mean: "+strings.Join(near, ", ")+"?")
	}
	list := a.heading + " run"
	if t.workspace != "" && t.dir != a.Config.LocalPrefix() {
		list += " --workspace=" + t.workspace
	}
	return &codedError{text: fmt.Sprintf("Missing script: %q", event), hints: append(hints, list+" lists the scripts")}
}

// longestName bounds the words that are worth comparing: no command or setting
// has a name of that length.
const longestName = 200

// editDistance counts the mistakes that make one word of the other: a letter
// added, left out or mistaken, or two that changed places. npm counts the last as
// two, and does not know what "tset" may mean.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before []int // the row before the last
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		next := make([]int, len(y)+1)
		next[0] = i + 1
		for j := range y {
			cost := row[j]
			if x[i] != y[j] {
				cost++
			}
			next[j+1] = min(cost, next[j]+1, row[j+1]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(y)]
}

// listScripts prints the scripts of the targets.
func (a *App) listScripts(all []*target, many bool) error {
	if a.Config.Silent() {
		return nil
	}
	if a.json() {
		return a.listScriptsJSON(all, many)
	}
	for i, t := range all {
		if a.Config.Bool("parseable") {
			a.listParseable(t)
			continue
		}
		if a.listReadable(a.Stdout, t) && i < len(all)-1 {
			fmt.Fprintln(a.Stdout)
		}
	}
	return nil
}

func (a *App) listScriptsJSON(all []*target, many bool) error {
	object := func(scripts manifest.Deps) jsjson.Value {
		var members []jsjson.Member
		for _, s := range scripts {
			members = append(members, jsjson.Member{Key: s.Name, Value: jsjson.NewString(s.Spec)})
		}
		return jsjson.NewObject(members...)
	}
	var v jsjson.Value
	if !many {
		v = object(all[0].manifest().Scripts)
	} else {
		var members []jsjson.Member
		for _, t := range all {
			members = append(members, jsjson.Member{Key: t.workspace, Value: object(t.manifest().Scripts)})
		}
		v = jsjson.NewObject(members...)
	}
	a.printJSONText(jsjson.Append(nil, v, "  ", "\n"))
	return nil
}

func (a *App) listParseable(t *target) {
	for _, s := range t.manifest().Scripts {
		line := s.Name + ":" + s.Spec
		if t.workspace != "" {
			line = t.workspace + ":" + line
		}
		a.out("%s", term.Safe(line))
	}
}

// isLifecycle says whether npm itself runs a script of this name.
func isLifecycle(name string) bool {
	switch name {
	case "prepare", "prepublishOnly", "prepack", "postpack", "dependencies", "prepublish":
		return true
	}
	if rest, ok := strings.CutPrefix(name, "pre"); ok {
		name = rest
	} else {
		name = strings.TrimPrefix(name, "post")
	}
	switch name {
	case "install", "publish", "restart", "start", "stop", "test", "uninstall", "version":
		return true
	}
	return false
}

func (a *App) listReadable(w io.Writer, t *target) bool {
	scripts := t.manifest().Scripts
	if len(scripts) == 0 {
		return false
	}
	i := a.ink()
	var life, others manifest.Deps
	for _, s := range scripts {
		if isLifecycle(s.Name) {
			life = append(life, s)
		} else {
			others = append(others, s)
		}
	}
	id := i.cyan(term.SafeLine(t.id()))
	via := "via `" + i.blue(a.heading+" run") + "`:"
	print := func(list manifest.Deps) {
		for _, s := range list {
			fmt.Fprintf(w, "  %s\n    %s\n", term.SafeLine(s.Name), i.dim(term.Safe(s.Spec)))
		}
	}
	if len(life) > 0 {
		fmt.Fprintf(w, "%s included in %s:\n", i.bold("Lifecycle scripts"), id)
		print(life)
	}
	if len(others) > 0 {
		if len(life) == 0 {
			fmt.Fprintf(w, "%s available in %s %s\n", i.bold("Scripts"), id, via)
		} else {
			fmt.Fprintf(w, "available %s\n", via)
		}
		print(others)
	}
	return true
}
