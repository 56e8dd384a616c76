package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/git"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/resolver"
)

func newVersionCmd(a *App) *cobra.Command {
	var c *cobra.Command
	c = declare(&cobra.Command{
		Use:     "version [<newversion> | major | minor | patch | premajor | preminor | prepatch | prerelease | from-git]",
		Aliases: []string{"verison"},
		Short:   "Give the package a new version, commit and tag it",
		Long: "Runs the scripts preversion, version and postversion around the change. In a git\n" +
			"repository the change is committed and tagged unless --no-git-tag-version is given.",
		Example: "  ibid version patch\n  ibid version prerelease --preid rc\n  ibid version 2.0.0 -m \"Release %s\"",
	}, []string{"allow-same-version", "commit-hooks", "git-tag-version", "json", "preid", "sign-git-tag", "save", "workspace", "workspaces",
		"workspaces-update", "include-workspace-root", "ignore-scripts", "message", "tag-version-prefix"},
		func(_ *cobra.Command, args []string) error { return runVersion(c.Context(), a, c, args) })
	return c
}

func runVersion(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	if len(args) > 1 {
		return a.usage(c, "")
	}
	if a.inWorkspaces() {
		return versionWorkspaces(ctx, a, args)
	}
	if len(args) == 0 {
		return listVersions(a, []string{a.Config.Prefix()})
	}
	version, err := a.bump(ctx, a.Config.Prefix(), args[0])
	if err != nil {
		return err
	}
	a.out("%s%s", a.Config.String("tag-version-prefix"), version)
	return nil
}

func versionWorkspaces(ctx context.Context, a *App, args []string) error {
	selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
	if err != nil {
		return err
	}
	if len(args) == 0 {
		var dirs []string
		for _, w := range selected {
			dirs = append(dirs, w.Path)
		}
		return listVersions(a, append(dirs, a.Config.Prefix()))
	}
	var names []string
	for _, w := range selected {
		a.out("%s", w.Name)
		version, err := a.bump(ctx, w.Path, args[0])
		if err != nil {
			return err
		}
		names = append(names, w.Name)
		a.out("%s%s", a.Config.String("tag-version-prefix"), version)
	}
	return updateWorkspaces(ctx, a, names)
}

// updateWorkspaces brings the lock into line with workspaces whose version has
// changed (npm: lib/utils/update-workspaces.js). package.json files that depend
// on them stay as they are unless --save says otherwise: several workspaces are
// often published one after the other.
func updateWorkspaces(ctx context.Context, a *App, names []string) error {
	if !a.Config.Bool("workspaces-update") || len(names) == 0 {
		return nil
	}
	save := !a.Config.IsDefault("save") && a.Config.Bool("save")
	a.setSave(save)
	a.Config.Set("audit", config.NewBool(false), config.CLI)
	a.Config.Set("fund", config.NewBool(false), config.CLI)
	a.Config.Set("workspace", config.NewList(), config.CLI)
	a.Config.Set("workspaces", config.Value{}, config.CLI)
	o, err := a.reify(ctx, change{saveLock: true, ask: func(r *resolver.Request) { r.NoSave, r.Update = !save, names }})
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

// listVersions prints the versions of packages, of ibid, and of node and what is
// in it; as a JavaScript object where not JSON is asked for.
func listVersions(a *App, dirs []string) error {
	versions := jsjson.NewObject()
	for _, dir := range dirs {
		f, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
		if err != nil {
			continue
		}
		if name, version := f.Get("name"), f.Get("version"); name.Truthy() && version.Truthy() {
			versions = versions.With(name.Text(), version)
		}
	}
	versions = versions.With("npm", jsjson.NewString(compatible))
	if a.heading != "npm" {
		versions = versions.With("ibid", jsjson.NewString(a.version()))
	}
	for _, m := range a.nodeVersions().Members() {
		versions = versions.With(m.Key, m.Value)
	}
	if a.json() {
		a.printJSONText(jsjson.Append(nil, versions, "  ", "\n"))
		return nil
	}
	var lines []string
	for _, m := range versions.Members() {
		lines = append(lines, "  "+inspectedKey(m.Key)+": "+inspectQuote(m.Value.Text()))
	}
	a.out("{\n%s\n}", strings.Join(lines, ",\n"))
	return nil
}

// nodeVersions asks node for the versions of what it is made of.
func (a *App) nodeVersions() jsjson.Value {
	if a.Config.NodePath() == "" {
		return jsjson.Value{}
	}
	var out bytes.Buffer
	err := lifecycle.Run(context.Background(), lifecycle.Options{
		Dir: a.Config.Cwd(), Event: "versions", Command: "node", Args: []string{"-p", "JSON.stringify(process.versions)"},
		Environ: a.Environ, Stdout: &out,
	})
	if err != nil {
		a.log(levelVerbose, err.Error())
		return jsjson.Value{}
	}
	v, err := jsjson.Parse(out.Bytes())
	if err != nil {
		return jsjson.Value{}
	}
	return v
}

// bump gives the package in dir a new version (npm: libnpmversion
// lib/version.js): want is one, or how to come to it.
func (a *App) bump(ctx context.Context, dir, want string) (string, error) {
	cfg := a.Config
	path := filepath.Join(dir, "package.json")
	f, err := manifest.ReadFile(path)
	if err != nil {
		return "", err
	}
	repo := git.OpenWorktree(dir, cfg.String("git"), a.Environ)
	current := f.Get("version").Text()
	if !f.Get("version").Truthy() {
		current = "0.0.0"
	}
	version, err := newVersion(ctx, repo, current, want, cfg.String("preid"))
	if err != nil {
		return "", err
	}
	if clean, err := nodesemver.Clean(current, false); err == nil && clean.String() == version && !cfg.Bool("allow-same-version") {
		return "", &codedError{text: "Version not changed", hints: []string{"it is " + version + " already; with --allow-same-version it may stay so"}}
	}
	commits := cfg.Bool("git-tag-version") && (want == "from-git" || repo.Exists())
	if commits {
		if commits, err = a.mayCommit(ctx, repo); err != nil {
			return "", err
		}
	}
	scripts := versionScripts{app: a, dir: dir, file: f, old: current, new: version}
	if err := scripts.run(ctx, "preversion"); err != nil {
		return "", err
	}
	f.Set(jsjson.NewString(version), "version")
	f.Delete("_id")
	if err := replaceFile(path, f.Bytes()); err != nil {
		return "", err
	}
	locks := bumpLocks(dir, version)
	if err := scripts.run(ctx, "version"); err != nil {
		return "", err
	}
	if commits {
		if err := a.commitVersion(ctx, repo, version, path, locks); err != nil {
			return "", err
		}
	} else {
		a.logPrefixed(levelVerbose, "version", "Not tagging: not in a git repo or no git cmd")
	}
	return version, scripts.run(ctx, "postversion")
}

// newVersion is the version that is wanted, without what stands behind a "+".
func newVersion(ctx context.Context, repo *git.Worktree, current, want, preid string) (string, error) {
	invalid := &codedError{text: "Invalid version: " + want, hints: []string{"a version has three numbers, such as 1.2.3; or it is patch, minor, major, prerelease or from-git"}}
	if nodesemver.Valid(want, true) {
		v, err := nodesemver.Clean(want, true)
		if err != nil {
			return "", invalid
		}
		return v.String(), nil
	}
	if want == "from-git" {
		out, err := repo.Run(ctx, "describe", "--tags", "--abbrev=0", "--match=*.*.*")
		if err != nil {
			return "", err
		}
		tag := strings.TrimSpace(out)
		v := nodesemver.Coerce(tag, nodesemver.Options{Loose: true, IncludePrerelease: true})
		if v == nil {
			return "", fmt.Errorf("Tag is not a valid version: %s", jsjson.AppendString(nil, tag))
		}
		return v.String(), nil
	}
	v, err := nodesemver.Clean(current, false)
	if err != nil || v == nil {
		return "", invalid
	}
	next, err := v.Inc(want, preid, nodesemver.BaseZero)
	if err != nil {
		return "", invalid
	}
	return next.String(), nil
}

// mayCommit refuses to commit beside changes of somebody's own; --force allows
// it. It is false where there is no git.
func (a *App) mayCommit(ctx context.Context, repo *git.Worktree) (bool, error) {
	clean, err := repo.Clean(ctx)
	var missing *git.MissingError
	switch {
	case errors.As(err, &missing):
		a.logPrefixed(levelWarn, "version", "This is a Git checkout, but the git command was not found.\nNo Git tag is made for this release.")
		return false, nil
	case err != nil:
		return false, err
	case !clean && !a.Config.Bool("force"):
		return false, &codedError{text: "Git working directory not clean.", hints: []string{"git status shows what is not committed; --force goes on all the same, --no-git-tag-version leaves git alone"}}
	case !clean:
		a.logPrefixed(levelWarn, "version", "Git working directory not clean, proceeding forcefully.")
	}
	return true, nil
}

// bumpLocks puts the version into the locks that there are, and gives their
// paths. That a lock cannot be changed is no error.
func bumpLocks(dir, version string) []string {
	var done []string
	for _, name := range [...]string{"package-lock.json", "npm-shrinkwrap.json"} {
		path := filepath.Join(dir, name)
		lock, err := manifest.ReadFile(path)
		if err != nil {
			continue
		}
		lock.Set(jsjson.NewString(version), "version")
		if lock.Get("packages", "").Truthy() {
			lock.Set(jsjson.NewString(version), "packages", "", "version")
		}
		lock.Delete("_id")
		if replaceFile(path, lock.Bytes()) == nil {
			done = append(done, path)
		}
	}
	return done
}

func (a *App) commitVersion(ctx context.Context, repo *git.Worktree, version, path string, locks []string) error {
	cfg := a.Config
	if _, err := repo.Run(ctx, "add", path); err != nil {
		return err
	}
	for _, lock := range locks {
		// Some people have git ignore their locks.
		repo.Run(ctx, "add", lock)
	}
	message := strings.ReplaceAll(cfg.String("message"), "%s", version)
	commit := []string{"commit"}
	if !cfg.Bool("commit-hooks") {
		commit = append(commit, "-n")
	}
	if cfg.Bool("allow-same-version") {
		commit = append(commit, "--allow-empty")
	}
	if cfg.Bool("sign-git-commit") {
		commit = append(commit, "-S")
	}
	if _, err := repo.Run(ctx, append(commit, "-m", message)...); err != nil {
		return err
	}
	flags := "-"
	if cfg.Bool("sign-git-tag") {
		flags += "s"
	}
	if cfg.Bool("allow-same-version") {
		flags += "f"
	}
	tag := cfg.String("tag-version-prefix") + version
	_, err := repo.Run(ctx, "tag", flags+"m", message, tag)
	var failed *git.Error
	if errors.As(err, &failed) && strings.Contains(failed.Stderr, "already exists") {
		failed.Hint = "the new version is committed, and has no tag: git show " + quoteWord(tag) + " says what has that one"
	}
	return err
}

// versionScripts runs the scripts around a change of version. They are those
// that package.json had before it.
type versionScripts struct {
	app      *App
	dir      string
	file     *manifest.File
	old, new string
}

func (s *versionScripts) run(ctx context.Context, event string) error {
	if s.app.Config.Bool("ignore-scripts") {
		return nil
	}
	m := s.file.Manifest()
	command := lifecycle.Command(event, s.dir, m.Scripts, gypFile(m.GypFile))
	if command == "" {
		return nil
	}
	r := s.app.runner()
	r.environ = append(r.environ, "npm_old_version="+s.old, "npm_new_version="+s.new)
	return r.run(ctx, script{dir: s.dir, event: event, command: command, pkg: packageOf(s.file)})
}
