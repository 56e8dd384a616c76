package cmd

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/internal/workspaces"
	"github.com/ibid-pm/ibid/resolver"
)

func newInitCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "init [<initializer> [<args>]]\ninit <package-spec>   (as ibidx create-<package-spec>)\ninit <@scope>   (as ibidx <@scope>/create)", Aliases: []string{"create", "innit"},
		Short: "Make a package.json, or a project from a template",
	}, []string{"init-author-name", "init-author-url", "init-license", "init-module", "init-type", "init-version", "init-private", "yes", "force",
		"scope", "workspace", "workspaces", "workspaces-update", "include-workspace-root"},
		func(c *cobra.Command, args []string) error { return runInit(c.Context(), a, args) })
}

func runInit(ctx context.Context, a *App, args []string) error {
	many, err := a.forWorkspaces()
	if err != nil {
		return err
	}
	if !many {
		return a.initFolder(ctx, a.Config.Cwd(), args)
	}
	return a.initWorkspaces(ctx, args)
}

// initFolder makes a package.json in a folder, or has a package do it.
func (a *App) initFolder(ctx context.Context, dir string, args []string) error {
	if len(args) > 0 {
		return a.initFrom(ctx, dir, args)
	}
	return a.initPackage(ctx, dir)
}

// initWorkspaces makes workspaces in the folders that --workspace names, and
// adds them to the project's workspaces.
func (a *App) initWorkspaces(ctx context.Context, args []string) error {
	cfg := a.Config
	root := cfg.LocalPrefix()
	if cfg.Bool("include-workspace-root") {
		if err := a.initFolder(ctx, cfg.Cwd(), args); err != nil {
			return err
		}
	}
	if _, err := manifest.ReadFile(filepath.Join(root, "package.json")); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			a.logPrefixed(levelWarn, "init", "Missing package.json. Try with `--include-workspace-root`.")
		}
		return err
	}
	var dirs []string
	for _, filter := range cfg.Strings("workspace") {
		dir := absFrom(root, filter)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		if err := a.initFolder(ctx, dir, slices.Clone(args)); err != nil {
			return err
		}
		if err := addWorkspace(root, dir); err != nil {
			return err
		}
		dirs = append(dirs, dir)
	}
	if len(args) > 0 || !cfg.Bool("workspaces-update") {
		return nil
	}
	return a.updateWorkspaces(ctx, dirs)
}

// addWorkspace names a folder in the project's workspaces, if no pattern there
// does already.
func addWorkspace(root, dir string) error {
	file, err := manifest.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		return err
	}
	all, err := workspaces.Map(root, file.Manifest().Workspaces)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.Path == dir {
			return nil
		}
	}
	if !isFile(filepath.Join(dir, "package.json")) {
		return nil
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return err
	}
	list := append(slices.Clone(file.Get("workspaces").Items()), jsjson.NewString(filepath.ToSlash(rel)))
	if file.Get("workspaces").IsObject() {
		list = append(slices.Clone(file.Get("workspaces", "packages").Items()), jsjson.NewString(filepath.ToSlash(rel)))
		file.Set(jsjson.NewArray(list...), "workspaces", "packages")
	} else {
		file.Set(jsjson.NewArray(list...), "workspaces")
	}
	return writeFile(file.Path, file.Bytes())
}

// updateWorkspaces links new workspaces (npm: lib/utils/update-workspaces.js).
func (a *App) updateWorkspaces(ctx context.Context, dirs []string) error {
	var names []string
	for _, dir := range dirs {
		if m, err := manifest.ReadDir(dir); err == nil && m.Name != "" {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	save := a.Config.IsSet("save") && a.Config.Bool("save")
	a.setSave(save)
	a.Config.Set("workspace", config.NewList(), config.CLI)
	o, err := a.reify(ctx, change{saveLock: true, ask: func(r *resolver.Request) {
		r.NoSave, r.Update, r.InWorkspaces = !save, names, nil
	}})
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

// initFrom runs a package that makes projects (npm: lib/commands/init.js
// execCreate).
func (a *App) initFrom(ctx context.Context, dir string, args []string) error {
	name, err := initializer(args[0], a.Config.Cwd())
	if err != nil {
		return err
	}
	x := &execution{
		app: a, args: append([]string{name}, args[1:]...), yes: a.Config.Get("yes"),
		runIn: dir, own: []string{a.Config.Cwd()}, lookFrom: a.Config.LocalPrefix(),
	}
	return x.run(ctx)
}

// initializer is the package that "init x" means: create-x, @s/create,
// @s/create-x, user/create-project.
func initializer(arg, where string) (string, error) {
	if rest, scoped := strings.CutPrefix(arg, "@"); scoped && rest != "" && !strings.Contains(arg, "/") {
		scope, version, _ := strings.Cut(rest, "@")
		name := "@" + scope + "/create"
		if version != "" {
			name += "@" + version
		}
		return name, nil
	}
	sp, err := spec.Parse(arg, where)
	if err != nil {
		return "", err
	}
	switch {
	case sp.Type == spec.Git && sp.Hosted != nil:
		return strings.Replace(arg, sp.Hosted.User+"/"+sp.Hosted.Project, sp.Hosted.User+"/create-"+sp.Hosted.Project, 1), nil
	case sp.Registry:
		name := "create-" + sp.Name
		if strings.HasPrefix(sp.Name, "@") {
			scope, rest, _ := strings.Cut(sp.Name, "/")
			name = scope + "/create-" + rest
		}
		return name + "@" + sp.RawSpec, nil
	}
	return "", &codedError{code: "EUNSUPPORTED", text: "Unrecognized initializer: " + arg,
		hints: []string{"ibidx runs the programs of packages of any kind"}}
}

// initPackage makes a package.json of what is known and of answers.
func (a *App) initPackage(ctx context.Context, dir string) error {
	cfg := a.Config
	if module := cfg.String("init-module"); isFile(module) {
		// It is a program for npm.
		return a.fallback("init")
	}
	yes := cfg.Bool("yes") || cfg.Bool("force")
	if !yes {
		a.out("%s", `This utility will walk you through creating a package.json file.
It only covers the most common items, and tries to guess sensible defaults.

Use `+"`"+a.heading+" install <pkg>`"+` afterwards to install a package and
save it as a dependency in the package.json file.

Press ^C at any time to quit.`)
	}
	q := &questions{app: a, dir: dir, yes: yes, in: a.input(ctx)}
	canceled := func(err error) error {
		if !errors.Is(err, context.Canceled) {
			return err
		}
		a.out("")
		a.logPrefixed(levelWarn, "init", "canceled")
		return nil
	}
	file, err := q.fill()
	if err != nil {
		return canceled(err)
	}
	text := string(jsjson.Append(nil, file.Content(), "  ", "\n")) + "\n"
	if yes {
		if err := writeFile(file.Path, file.Bytes()); err != nil {
			return err
		}
		a.out("Wrote to %s:\n\n%s\n", file.Path, term.Safe(text)) // npm asks for a setting "silent", which it has not
		return nil
	}
	a.out("About to write to %s:\n\n%s\n", file.Path, term.Safe(text))
	answer, err := q.read("Is this OK?", "yes")
	if err != nil {
		return canceled(err)
	}
	if !strings.HasPrefix(strings.ToLower(answer), "y") {
		a.out("Aborted.")
		return nil
	}
	file.SetContent(inNPMsOrder(file.Content()))
	return writeFile(file.Path, file.Bytes())
}

// questions asks for what belongs into a package.json, or guesses it with yes
// (npm: init-package-json lib/default-input.js).
type questions struct {
	app *App
	dir string
	yes bool
	in  *bufio.Reader

	// old is what was there, which decides what is asked; v is what it becomes.
	old, v jsjson.Value
	err    error // of the first question that got no answer; no more are asked
}

// read asks for one line; nothing is the default.
func (q *questions) read(prompt, def string) (string, error) {
	text := prompt + " "
	if def != "" {
		text += "(" + def + ") "
	}
	io.WriteString(q.app.Stdout, term.Safe(text))
	line, err := q.in.ReadString('\n')
	if errors.Is(err, io.EOF) && line == "" {
		q.app.out("")
		return "", &codedError{code: "EUSAGE", text: "nobody answers: the standard input has ended", hints: []string{"ibid init -y asks nothing"}}
	}
	if err != nil && line == "" {
		return "", err
	}
	if line = strings.TrimSpace(line); line == "" {
		line = def
	}
	return line, nil
}

// ask gives the default, or with somebody to ask the answer that check accepts.
func (q *questions) ask(what, def string, check func(string) string) string {
	if q.err != nil || q.yes {
		return def
	}
	for {
		answer, err := q.read(what+":", def)
		if err != nil {
			q.err = err
			return ""
		}
		if check != nil {
			if problem := check(answer); problem != "" {
				q.app.out("%s", term.Safe(problem))
				continue
			}
		}
		return answer
	}
}

func (q *questions) set(key, value string) { q.v = q.v.With(key, jsjson.NewString(value)) }

// lacks says whether what was there says nothing under key.
func (q *questions) lacks(key string) bool { return !q.old.Get(key).Truthy() }

// askFor asks for what lacks under key.
func (q *questions) askFor(key, what, def string) {
	if q.lacks(key) {
		q.set(key, q.ask(what, def, nil))
	}
}

// setting is an init-… setting; those written with dots are older and come
// first.
func (q *questions) setting(key string) string {
	cfg := q.app.Config
	if old := "init." + key; cfg.IsSet(old) && cfg.String(old) != "" {
		return cfg.String(old)
	}
	return cfg.String("init-" + strings.ReplaceAll(key, ".", "-"))
}

func (q *questions) fill() (*manifest.File, error) {
	file, err := manifest.ReadOrCreateFile(filepath.Join(q.dir, "package.json"))
	if err != nil {
		return nil, err
	}
	q.old = normalized(file.Content())
	q.v = q.old
	q.set("name", q.ask("package name", q.name(), unfitName))
	q.set("version", q.ask("version", q.version(), unfitVersion))
	q.askFor("description", "description", "")
	q.askFor("main", "entry point", q.main())
	if q.lacks("bin") {
		if bin := firstScript(filepath.Join(q.dir, "bin")); bin != "" {
			q.set("bin", "bin/"+bin)
		}
	}
	if dirs := q.directories(); dirs.Len() > 0 {
		q.v = q.v.With("directories", dirs)
	}
	q.askScripts()
	q.askFor("repository", "git repository", q.repository())
	q.askKeywords()
	author := q.ask("author", q.author(), nil)
	if author != "" {
		q.set("author", author)
	}
	license := q.ask("license", q.license(), nil)
	if license != "" && license != q.old.Get("license").Text() {
		q.set("license", license)
	}
	q.set("type", q.ask("type", q.kind(), nil))
	if cfg := q.app.Config; q.old.Get("private").IsUndefined() && cfg.IsSet("init-private") {
		q.v = q.v.With("private", jsjson.NewBool(cfg.Bool("init-private")))
	}
	if q.err != nil {
		return nil, q.err
	}

	v, err := manifest.Complete(q.dir, q.v)
	if err != nil {
		return nil, err
	}
	if author == "" {
		v = v.Without("author")
	}
	if license == "" {
		v = v.Without("license")
	}
	file.SetContent(v)
	return file, nil
}

func (q *questions) askScripts() {
	if !q.lacks("scripts") {
		return
	}
	test := q.ask("test command", q.testCommand(), nil)
	if test == "" {
		test = `echo "Error: no test specified" && exit 1`
	}
	q.v = q.v.With("scripts", jsjson.NewObject(jsjson.Member{Key: "test", Value: jsjson.NewString(test)}))
}

func (q *questions) askKeywords() {
	if !q.lacks("keywords") {
		return
	}
	var list []jsjson.Value
	for _, w := range strings.FieldsFunc(q.ask("keywords", "", nil), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		list = append(list, jsjson.NewString(w))
	}
	if q.yes || len(list) > 0 {
		q.v = q.v.With("keywords", jsjson.NewArray(list...))
	}
}

// unfitName says what speaks against a name for a new package; "" is nothing.
func unfitName(s string) string {
	ok := spec.ValidateName(s)
	if ok.ForNewPackages() {
		return ""
	}
	return "Sorry, " + strings.Join(append(slices.Clone(ok.Errors), ok.Warnings...), " and ") + "."
}

func unfitVersion(s string) string {
	if validVersion(s) {
		return ""
	}
	return `Invalid version: "` + s + `"`
}

func (q *questions) version() string {
	if v := q.old.Get("version"); v.Text() != "" && !v.IsUndefined() {
		return v.Text()
	}
	return cmp.Or(q.setting("version"), "1.0.0")
}

func (q *questions) license() string {
	if q.lacks("license") {
		return q.setting("license")
	}
	return q.old.Get("license").Text()
}

func (q *questions) kind() string {
	if q.lacks("type") {
		return cmp.Or(q.setting("type"), "commonjs")
	}
	return q.old.Get("type").Text()
}

// normalized is what init takes over from a package.json that is there.
func normalized(v jsjson.Value) jsjson.Value {
	if version := v.Get("version"); !version.IsString() || !validVersion(version.Str()) {
		v = v.Without("version")
	}
	return v
}

// name is the package's name, or a good one for its folder.
func (q *questions) name() string {
	name := q.old.Get("name").Text()
	if q.lacks("name") {
		name = filepath.Base(q.dir)
	}
	name = strings.TrimPrefix(name, "node-")
	if strings.HasSuffix(name, ".js") || strings.HasSuffix(name, "-js") {
		name = name[:len(name)-3]
	}
	name = strings.ToLower(strings.Join(strings.Fields(name), "-"))
	scope := q.app.Config.Scope()
	if scope == "" {
		return name
	}
	if strings.HasPrefix(name, "@") {
		_, name, _ = strings.Cut(name, "/")
	}
	return scope + "/" + name
}

// firstScript is the first JavaScript file in a folder.
func firstScript(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".js") {
			return e.Name()
		}
	}
	return ""
}

func (q *questions) main() string {
	for _, name := range []string{"index.js", "main.js", filepath.Base(q.dir) + ".js"} {
		if _, err := os.Lstat(filepath.Join(q.dir, name)); err == nil {
			return name
		}
	}
	if first := firstScript(q.dir); first != "" {
		return first
	}
	return "index.js"
}

func (q *questions) directories() jsjson.Value {
	v := jsjson.NewObject()
	entries, _ := os.ReadDir(q.dir)
	for _, e := range entries {
		key := ""
		switch name := e.Name(); name {
		case "example", "examples":
			key = "example"
		case "test", "tests":
			key = "test"
		case "doc", "docs":
			key = "doc"
		case "man", "lib":
			key = name
		}
		if key != "" {
			v = v.With(key, jsjson.NewString(e.Name()))
		}
	}
	return v
}

// testCommand is that of the test framework that is installed.
func (q *questions) testCommand() string {
	command := ""
	for _, x := range [][2]string{{"tap", "tap test/*.js"}, {"expresso", "expresso test"}, {"mocha", "mocha"}} {
		if _, err := os.Lstat(filepath.Join(q.dir, "node_modules", x[0])); err == nil {
			command = x[1]
		}
	}
	return command
}

// repository is the URL of the remote "origin".
func (q *questions) repository() string {
	data, err := regular.ReadFile(filepath.Join(q.dir, ".git", "config"))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	at := slices.Index(lines, `[remote "origin"]`)
	if at < 0 {
		return ""
	}
	for _, line := range lines[at+1 : min(at+3, len(lines))] {
		if url, ok := strings.CutPrefix(strings.TrimSpace(line), "url ="); ok {
			url = strings.TrimSpace(url)
			if path, ok := strings.CutPrefix(url, "git@github.com:"); ok {
				url = "https://github.com/" + path
			}
			return url
		}
	}
	return ""
}

func (q *questions) author() string {
	if author := q.old.Get("author"); author.IsString() && author.Truthy() {
		return author.Str()
	} else if author.IsObject() {
		return personText(author.Get("name").Text(), firstText(author, "email", "mail"), firstText(author, "url", "web"))
	}
	if name := q.setting("author.name"); name != "" {
		return personText(name, q.setting("author.email"), q.setting("author.url"))
	}
	return ""
}

func firstText(v jsjson.Value, keys ...string) string {
	for _, key := range keys {
		if x := v.Get(key); x.Truthy() {
			return x.Text()
		}
	}
	return ""
}

func personText(name, email, url string) string {
	if email != "" {
		name += " <" + email + ">"
	}
	if url != "" {
		name += " (" + url + ")"
	}
	return name
}

// inNPMsOrder sorts the keys of a new package.json (npm: @npmcli/package-json
// lib/sort.js).
func inNPMsOrder(v jsjson.Value) jsjson.Value {
	var members []jsjson.Member
	for _, key := range [...]string{
		"name", "version", "private", "description", "keywords", "homepage", "bugs", "repository", "funding", "license", "author",
		"maintainers", "contributors", "type", "imports", "exports", "main", "browser", "types", "bin", "man", "directories", "files",
		"workspaces", "scripts", "config", "dependencies", "devDependencies", "peerDependencies", "peerDependenciesMeta",
		"optionalDependencies", "bundledDependencies", "bundleDependencies", "engines", "os", "cpu", "publishConfig", "devEngines",
		"licenses", "overrides",
	} {
		if v.Has(key) {
			members = append(members, jsjson.Member{Key: key, Value: v.Get(key)})
			v = v.Without(key)
		}
	}
	return jsjson.NewObject(append(members, v.Members()...)...)
}

func validVersion(s string) bool { return nodesemver.Valid(s, false) }
