package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/resolver"
)

func newLinkCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "link [<package-spec> ...]",
		Aliases: []string{"ln"},
		Short:   "Link a folder to the global packages, or a global package into the project",
		Long: "Without a package the project itself becomes a global package, as a link.\n" +
			"With one, node_modules gets a link to the global package; what is not there yet\n" +
			"is installed first. package.json stays as it is unless --save is given.\n" +
			"ibid unlink <package> removes the link.",
		Example: "  ibid link               in the folder of a library\n  ibid link my-library    in a project that uses it\n  ibid link ../my-library both at once",
	}, []string{"save", "save-exact", "global", "install-strategy", "legacy-bundling", "global-style", "strict-peer-deps", "package-lock", "omit", "include",
		"ignore-scripts", "allow-directory", "allow-file", "allow-git", "allow-remote", "audit", "bin-links", "fund", "dry-run",
		"workspace", "workspaces", "include-workspace-root", "install-links"},
		func(c *cobra.Command, args []string) error { return runLinkFolders(c.Context(), a, args) })
}

func runLinkFolders(ctx context.Context, a *App, args []string) error {
	cfg := a.Config
	if cfg.Global() {
		return &codedError{code: "ELINKGLOBAL", text: "link should never be --global.\nPlease re-run this command with --local"}
	}
	cfg.Set("install-links", config.NewBool(false), config.CLI)
	var add []string
	for _, arg := range args {
		if absFrom(cfg.Cwd(), arg) != cfg.Prefix() {
			add = append(add, arg)
		}
	}
	if len(add) == 0 {
		return linkPackage(ctx, a)
	}
	return linkInto(ctx, a, add)
}

// linkPackage makes the project, or the chosen workspaces, global packages.
func linkPackage(ctx context.Context, a *App) error {
	dirs := []string{a.Config.Prefix()}
	if a.inWorkspaces() {
		selected, err := a.selectedWorkspaces(false)
		if err != nil {
			return err
		}
		dirs = nil
		for _, w := range selected {
			dirs = append(dirs, w.Path)
		}
	}
	add := make([]string, len(dirs))
	for i, dir := range dirs {
		add[i] = "file:" + dir
	}
	o, err := a.reifyGlobal(ctx, change{ask: func(r *resolver.Request) { r.Add = add }})
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

// reifyGlobal changes the global packages in a command that is for a project.
func (a *App) reifyGlobal(ctx context.Context, c change) (*outcome, error) {
	cfg := a.Config
	chosen, all := cfg.GetIn("workspace", config.CLI), cfg.GetIn("workspaces", config.CLI)
	cfg.Set("global", config.NewBool(true), config.CLI)
	cfg.Set("workspace", config.NewList(), config.CLI)
	cfg.Set("workspaces", config.Value{}, config.CLI)
	o, err := a.reify(ctx, c)
	cfg.Set("global", config.NewBool(false), config.CLI)
	a.restore("workspace", chosen)
	a.restore("workspaces", all)
	return o, err
}

func (a *App) restore(key string, was config.Value) {
	if was.Kind() == config.Undefined {
		a.Config.Delete(key, config.CLI)
	} else {
		a.Config.Set(key, was, config.CLI)
	}
}

// linkInto links global packages into the project; those that are not there are
// installed first.
func linkInto(ctx context.Context, a *App, args []string) error {
	cfg := a.Config
	var missing, names []string
	for _, arg := range args {
		s, err := spec.Parse(arg, cfg.Cwd())
		if err != nil {
			return err
		}
		name := s.Name
		if name == "" || !globallyThere(cfg.GlobalDir(), name) {
			missing = append(missing, arg)
		}
		if s.Type == spec.Directory {
			m, err := manifest.ReadDir(s.FetchSpec)
			if err != nil {
				return err
			}
			name = m.Name
		}
		if name == "" {
			return &codedError{code: "EINVALIDPACKAGENAME", text: fmt.Sprintf("%s: a link needs the package's name: <name>@%s", arg, arg)}
		}
		names = append(names, name)
	}
	if len(missing) > 0 {
		o, err := a.reifyGlobal(ctx, change{ask: func(r *resolver.Request) { r.Add, r.NoPrune = missing, true }})
		if err != nil {
			return err
		}
		o.quick.stop()
	}
	save := cfg.IsSet("save") && cfg.Bool("save")
	for _, key := range [...]string{"save-optional", "save-peer", "save-dev", "save-prod"} {
		save = save || cfg.Bool(key)
	}
	a.setSave(save)
	add := make([]string, len(names))
	for i, name := range names {
		add[i] = "file:" + filepath.Join(cfg.GlobalDir(), filepath.FromSlash(name))
	}
	o, err := a.reify(ctx, change{ask: func(r *resolver.Request) { r.Add, r.NoPrune, r.NoSave = add, true, !save }})
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

func globallyThere(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
	return !errors.Is(err, fs.ErrNotExist)
}
