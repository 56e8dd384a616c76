package cmd

import (
	"bufio"
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
func (q *questions) ask(what, def string, check func(string) string) (string, error) {
	if q.yes {
		return def, nil
	}
	for {
		answer, err := q.read(what+":", def)
		if err != nil {
			return "", err
		}
		if check != nil {
			if problem := check(answer); problem != "" {
				q.app.out("%s", term.Safe(problem))
				continue
			}
		}
		return answer, nil
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
	cfg := q.app.Config
	file, err := manifest.ReadOrCreateFile(filepath.Join(q.dir, "package.json"))
	if err != nil {
		return nil, err
	}
	v := normalized(file.Content())
	old := v // what was there decides what is asked
	set := func(key, value string) { v = v.With(key, jsjson.NewString(value)) }

	answer, err := q.ask("package name", q.name(old), func(s string) string {
		ok := spec.ValidateName(s)
		if ok.ForNewPackages() {
			return ""
		}
		return "Sorry, " + strings.Join(append(slices.Clone(ok.Errors), ok.Warnings...), " and ") + "."
	})
	if err != nil {
		return nil, err
	}
	set("name", answer)

	version := old.Get("version").Text()
	if version == "" || old.Get("version").IsUndefined() {
		if version = q.setting("version"); version == "" {
			version = "1.0.0"
		}
	}
	if answer, err = q.ask("version", version, func(s string) string {
		if validVersion(s) {
			return ""
		}
		return `Invalid version: "` + s + `"`
	}); err != nil {
		return nil, err
	}
	set("version", answer)

	if !old.Get("description").Truthy() {
		if answer, err = q.ask("description", "", nil); err != nil {
			return nil, err
		}
		set("description", answer)
	}
	if !old.Get("main").Truthy() {
		if answer, err = q.ask("entry point", q.main(), nil); err != nil {
			return nil, err
		}
		set("main", answer)
	}
	if !old.Get("bin").Truthy() {
		if bin := firstScript(filepath.Join(q.dir, "bin")); bin != "" {
			set("bin", "bin/"+bin)
		}
	}
	if dirs := q.directories(); dirs.Len() > 0 {
		v = v.With("directories", dirs)
	}
	if !old.Get("scripts").Truthy() {
		test := q.testCommand()
		if answer, err = q.ask("test command", test, nil); err != nil {
			return nil, err
		}
		if answer == "" {
			answer = `echo "Error: no test specified" && exit 1`
		}
		v = v.With("scripts", jsjson.NewObject(jsjson.Member{Key: "test", Value: jsjson.NewString(answer)}))
	}
	if !old.Get("repository").Truthy() {
		if answer, err = q.ask("git repository", q.repository(), nil); err != nil {
			return nil, err
		}
		set("repository", answer)
	}
	if !old.Get("keywords").Truthy() {
		if answer, err = q.ask("keywords", "", nil); err != nil {
			return nil, err
		}
		if q.yes {
			v = v.With("keywords", jsjson.NewArray())
		} else if words := strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }); len(words) > 0 {
			list := make([]jsjson.Value, len(words))
			for i, w := range words {
				list[i] = jsjson.NewString(w)
			}
			v = v.With("keywords", jsjson.NewArray(list...))
		}
	}
	author, err := q.ask("author", q.author(old), nil)
	if err != nil {
		return nil, err
	}
	if author != "" {
		set("author", author)
	}
	license := old.Get("license").Text()
	if !old.Get("license").Truthy() {
		license = q.setting("license")
	}
	if license, err = q.ask("license", license, nil); err != nil {
		return nil, err
	}
	if license != "" && license != old.Get("license").Text() {
		set("license", license)
	}
	kind := old.Get("type").Text()
	if !old.Get("type").Truthy() {
		if kind = q.setting("type"); kind == "" {
			kind = "commonjs"
		}
	}
	if answer, err = q.ask("type", kind, nil); err != nil {
		return nil, err
	}
	set("type", answer)
	if old.Get("private").IsUndefined() && cfg.IsSet("init-private") {
		v = v.With("private", jsjson.NewBool(cfg.Bool("init-private")))
	}

	v, err = manifest.Complete(q.dir, v)
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

// normalized is what init takes over from a package.json that is there.
func normalized(v jsjson.Value) jsjson.Value {
	if version := v.Get("version"); !version.IsString() || !validVersion(version.Str()) {
		v = v.Without("version")
	}
	return v
}

// name is the package's name, or a good one for its folder.
func (q *questions) name(old jsjson.Value) string {
	name := old.Get("name").Text()
	if !old.Get("name").Truthy() {
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

func (q *questions) author(old jsjson.Value) string {
	if author := old.Get("author"); author.IsString() && author.Truthy() {
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
