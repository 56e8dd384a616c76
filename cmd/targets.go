package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/git"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/platform"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/internal/workspaces"
)

// target is a package of the project that a command is run for.
type target struct {
	workspace string // "" where the command is for the project alone
	dir       string
	file      *manifest.File
	after     []*target // those that it depends on
}

func (t *target) manifest() *manifest.Manifest { return t.file.Manifest() }

// id names the package for people.
func (t *target) id() string {
	p := lifecycle.Package{Name: t.manifest().Name, Version: t.manifest().Version}
	if id := p.ID(); id != "" {
		return id
	}
	return p.Name
}

// forWorkspaces says whether the command is for workspaces and not for the
// project (npm: lib/base-cmd.js cmdExec).
func (a *App) forWorkspaces() (bool, error) {
	wanted := a.wantsWorkspaces()
	if wanted && a.Config.Global() {
		return false, &codedError{text: "Workspaces not supported for global packages"}
	}
	return wanted, nil
}

// alone are the commands that do something for the whole project, or for none.
var alone = [...]string{"access", "approve-scripts", "bin", "cache", "completion", "config", "deny-scripts", "deprecate", "doctor", "edit",
	"explore", "get", "help", "help-search", "install-scripts", "login", "logout", "org", "patch", "ping", "prefix", "profile", "root", "search",
	"set", "stage", "team", "token", "trust", "undeprecate", "whoami"}

// allowsWorkspaces refuses -w and --workspaces to a command that does nothing for
// some workspaces (npm: execCommandClass in lib/npm.js). In the folder of a
// workspace, which names that one, such a command does what it always does; npm
// refuses some of them there as well, of which ibid refuses those that would have
// to choose between two .npmrc.
func (a *App) allowsWorkspaces(c *cobra.Command) error {
	cfg := a.Config
	many, err := a.forWorkspaces()
	if !many {
		return err
	}
	if v := cfg.Get("workspaces"); v.Kind() == config.Bool && !v.Truthy() {
		return errors.New("Cannot use --no-workspaces and --workspace at the same time")
	}
	name := canonical(c)
	if !slices.Contains(alone[:], name) || name == "stage" && c.Name() == "publish" {
		return nil
	}
	standing := len(cfg.GetIn("workspace", config.Default).Items()) > 0
	if standing && name != "config" && name != "get" && name != "set" {
		return nil
	}
	return &codedError{code: "ENOWORKSPACES", text: "This command does not support workspaces."}
}

// workspacePaths gives the selected workspaces, in the order of the filters.
func (a *App) workspacePaths() ([]workspaces.Workspace, error) {
	cfg := a.Config
	root := cfg.LocalPrefix()
	project, err := readTarget("", root)
	if err != nil {
		return nil, err
	}
	all, err := workspaces.Read(root)
	if err != nil {
		return nil, err
	}
	o := workspaces.SelectOptions{Root: root, Cwd: cfg.Cwd()}
	if cfg.Bool("include-workspace-root") {
		o.IncludeRoot, o.RootName = true, project.manifest().Name
	}
	return workspaces.Select(all, cfg.Strings("workspace"), o)
}

func readTarget(workspace, dir string) (*target, error) {
	file, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if os.IsNotExist(err) {
		return nil, &codedError{code: "ENOENT", text: fmt.Sprintf("Could not read package.json: no such file: %s", filepath.Join(dir, "package.json")), cause: err}
	}
	if err != nil {
		return nil, err
	}
	return &target{workspace: workspace, dir: dir, file: file}, nil
}

// targets gives what the command is run for: the project, or the selected
// workspaces.
func (a *App) targets() (all []*target, many bool, err error) {
	many, err = a.forWorkspaces()
	if err != nil {
		return nil, false, err
	}
	if !many {
		t, err := readTarget("", a.Config.LocalPrefix())
		if err != nil {
			return nil, false, err
		}
		return []*target{t}, false, nil
	}
	paths, err := a.workspacePaths()
	if err != nil {
		return nil, false, err
	}
	for _, w := range paths {
		t, err := readTarget(w.Name, w.Path)
		if err != nil {
			return nil, false, err
		}
		all = append(all, t)
	}
	return all, true, nil
}

// link finds out which targets depend on which others.
func link(all []*target) {
	byName := make(map[string]*target, len(all))
	for _, t := range all {
		byName[t.workspace] = t
	}
	for _, t := range all {
		m := t.manifest()
		for _, deps := range [...]manifest.Deps{m.Dependencies, m.DevDependencies, m.OptionalDependencies, m.PeerDependencies} {
			for _, d := range deps {
				if other := byName[d.Name]; other != nil && other != t && !slices.Contains(t.after, other) {
					t.after = append(t.after, other)
				}
			}
		}
	}
}

// inOrder sorts linked targets so that each comes behind those that it depends
// on, and cuts circles where they are met: the order given decides.
func inOrder(all []*target) []*target {
	const visiting, visited = 1, 2
	state := make(map[*target]int, len(all))
	out := make([]*target, 0, len(all))
	var visit func(t *target)
	visit = func(t *target) {
		state[t] = visiting
		kept := t.after[:0]
		for _, other := range t.after {
			if state[other] == visiting {
				continue
			}
			kept = append(kept, other)
			if state[other] == 0 {
				visit(other)
			}
		}
		t.after = kept
		state[t] = visited
		out = append(out, t)
	}
	for _, t := range all {
		if state[t] == 0 {
			visit(t)
		}
	}
	return out
}

// notSince says why git cannot tell what has changed since a ref.
func (a *App) notSince(ctx context.Context, ref string, err error) error {
	var failed *git.Error
	if !errors.As(err, &failed) {
		return err // there is no git
	}
	repo := git.OpenWorktree(a.Config.LocalPrefix(), a.Config.String("git"), a.Environ)
	if _, err := repo.Run(ctx, "rev-parse", "--git-dir"); err != nil {
		return &codedError{text: fmt.Sprintf("--since=%s: the project is in no git repository", term.SafeLine(ref))}
	}
	if _, err := repo.Run(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}"); err != nil {
		return &codedError{
			text:  fmt.Sprintf("--since=%s: git knows no such commit here", term.SafeLine(ref)),
			hints: []string{"a shallow clone has few of them: git fetch origin " + term.SafeLine(ref)},
		}
	}
	return err
}

// changedSince keeps the targets that have changed files, and those that depend
// on them. It links the targets.
func (a *App) changedSince(ctx context.Context, all []*target, ref string) ([]*target, error) {
	root := a.Config.LocalPrefix()
	files, err := git.New(git.Options{Git: a.Config.String("git"), Environ: a.Environ}).Changed(ctx, root, ref)
	if err != nil {
		return nil, a.notSince(ctx, ref, err)
	}
	changed := map[*target]bool{}
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f))
		var owner *target // the innermost
		for _, t := range all {
			if folder.Below(path, t.dir) && (owner == nil || len(t.dir) > len(owner.dir)) {
				owner = t
			}
		}
		if owner != nil {
			changed[owner] = true
		}
	}
	// What depends on a change is changed: targets in order see their
	// dependencies first.
	for _, t := range inOrder(slices.Clone(all)) {
		for _, other := range t.after {
			if changed[other] {
				changed[t] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(t *target) bool { return !changed[t] }), nil
}

// checkDevEngines holds the project's devEngines against what there is (npm:
// lib/base-cmd.js checkDevEngines).
func (a *App) checkDevEngines(m *manifest.Manifest) error {
	if m == nil || m.DevEngines == "" {
		return nil
	}
	unmet, err := platform.CheckDevEngines(m.DevEngines, a.environment())
	if err != nil {
		return err
	}
	force := a.Config.Bool("force")
	for _, e := range unmet {
		if e.IsWarn || (e.IsError && force) {
			a.logPrefixed(levelWarn, "EBADDEVENGINES", e.Error())
		}
	}
	for _, e := range unmet {
		if e.IsError && !force {
			return e
		}
	}
	return nil
}
