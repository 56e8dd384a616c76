package cmd

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// What install and its relatives listen to, as npm's help has it, with JSON and
// ibid's own.
var (
	installKeys = []string{"save", "save-exact", "global", "install-strategy", "legacy-bundling", "global-style", "omit", "include", "strict-peer-deps",
		"prefer-dedupe", "package-lock", "package-lock-only", "foreground-scripts", "ignore-scripts", "allow-directory", "allow-file",
		"allow-git", "allow-remote", "allow-scripts", "strict-allow-scripts", "dangerously-allow-all-scripts", "audit", "before",
		"min-release-age", "min-release-age-exclude", "bin-links", "fund", "dry-run", "cpu", "os", "libc", "workspace", "workspaces",
		"include-workspace-root", "install-links", "json", "package-import-method"}
	ciKeys = []string{"install-strategy", "legacy-bundling", "global-style", "omit", "include", "strict-peer-deps", "foreground-scripts",
		"ignore-scripts", "allow-directory", "allow-file", "allow-git", "allow-remote", "allow-scripts", "strict-allow-scripts",
		"dangerously-allow-all-scripts", "audit", "bin-links", "fund", "dry-run", "workspace", "workspaces", "include-workspace-root",
		"install-links", "json", "package-import-method"}
	updateKeys = []string{"save", "global", "install-strategy", "legacy-bundling", "global-style", "omit", "include", "strict-peer-deps", "package-lock",
		"foreground-scripts", "ignore-scripts", "allow-scripts", "strict-allow-scripts", "dangerously-allow-all-scripts", "audit",
		"before", "min-release-age", "min-release-age-exclude", "bin-links", "fund", "dry-run", "workspace", "workspaces",
		"include-workspace-root", "install-links", "json", "package-import-method"}
	dedupeKeys = []string{"install-strategy", "legacy-bundling", "global-style", "strict-peer-deps", "package-lock", "omit", "include", "ignore-scripts",
		"allow-directory", "allow-file", "allow-git", "allow-remote", "audit", "bin-links", "fund", "dry-run", "workspace", "workspaces",
		"include-workspace-root", "install-links", "json", "package-import-method"}
	findDupesKeys = []string{"install-strategy", "legacy-bundling", "global-style", "strict-peer-deps", "package-lock", "omit", "include", "ignore-scripts",
		"audit", "bin-links", "fund", "workspace", "workspaces", "include-workspace-root", "install-links", "json"}
	pruneKeys = []string{"omit", "include", "dry-run", "json", "foreground-scripts", "ignore-scripts", "workspace", "workspaces",
		"include-workspace-root", "install-links", "package-import-method"}
)

func newInstallCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "install [<package-spec> ...]",
		Aliases: []string{"add", "i", "in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall"},
		Short:   "Install what the project needs, or packages and what they need",
	}, installKeys, func(c *cobra.Command, args []string) error { return runInstall(c.Context(), a, args) })
}

func runInstall(ctx context.Context, a *App, args []string) error {
	var add []string
	for _, arg := range args {
		// "install ." in the project is the project itself.
		if abs := absFrom(a.Config.Cwd(), arg); abs == a.Config.LocalPrefix() && !a.Config.Global() {
			continue
		}
		add = append(add, arg)
	}
	if a.Config.Global() && len(args) == 0 {
		add = []string{"."}
	}
	bare := len(add) == 0
	if bare {
		if !a.Config.Bool("ignore-scripts") {
			if err := a.needProject(); err != nil {
				return err
			}
		}
		if err := a.preinstallScript(ctx); err != nil {
			return err
		}
	}
	o, err := a.reify(ctx, change{bare: bare, ask: func(r *resolver.Request) { r.Add = add }})
	if err != nil {
		return err
	}
	if bare {
		if err := a.installedScripts(ctx); err != nil {
			return err
		}
		switch {
		case o.standing != nil:
			a.keepAnswer(o.standing)
		case o.kept != nil && a.heard.Len() == 0:
			a.keepAnswer(o.kept)
		}
	}
	a.summary(o)
	return nil
}

func absFrom(cwd, p string) string {
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(cwd, p)
}

func newUninstallCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "uninstall <package> ...",
		Aliases: []string{"unlink", "remove", "rm", "r", "un"},
		Short:   "Remove packages and what only they need",
	}, []string{"save", "global", "workspace", "workspaces", "include-workspace-root", "install-links", "package-import-method"},
		func(c *cobra.Command, args []string) error { return runUninstall(c.Context(), a, args) })
}

func runUninstall(ctx context.Context, a *App, args []string) error {
	if len(args) == 0 {
		if !a.Config.Global() {
			return &codedError{text: "Must provide a package name to remove", hints: []string{a.heading + " uninstall <package> ..."}}
		}
		// "unlink -g" in the folder of a package that was linked.
		m := a.ownManifest()
		if m == nil || m.Name == "" {
			return &usageError{text: "no package to remove was named, and there is none here", usage: a.heading + " uninstall -g <package> ..."}
		}
		args = []string{m.Name}
	}
	o, err := a.reify(ctx, change{ask: func(r *resolver.Request) { r.Remove = args }})
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

func newUpdateCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "update [<package> ...]",
		Aliases: []string{"up", "upgrade", "udpate", "u"},
		Short:   "Take newer versions that package.json allows",
	}, updateKeys, func(c *cobra.Command, args []string) error { return runUpdate(c.Context(), a, args) })
}

func runUpdate(ctx context.Context, a *App, args []string) error {
	save := a.Config.IsSet("save") && a.Config.Bool("save")
	a.setSave(save)
	o, err := a.reify(ctx, change{saveLock: true, ask: func(r *resolver.Request) {
		r.NoSave = !save
		r.Update, r.UpdateAll = args, len(args) == 0
	}})
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

func newDedupeCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "dedupe", Aliases: []string{"ddp"}, Short: "Let packages share what they can share"},
		dedupeKeys, func(c *cobra.Command, args []string) error { return runDedupe(c.Context(), a) })
}

func runDedupe(ctx context.Context, a *App) error {
	if a.Config.Global() {
		return &codedError{code: "EDEDUPEGLOBAL", text: "the global packages cannot be deduped: each has its own tree"}
	}
	p, err := a.project()
	if err != nil {
		return err
	}
	names, err := duplicated(a, p)
	if err != nil {
		return err
	}
	a.setSave(false)
	// The lock is written where something is to be updated, as with update.
	o, err := a.reify(ctx, change{saveLock: len(names) > 0, ask: func(r *resolver.Request) {
		r.NoSave, r.PreferDedupe, r.Dedupe, r.Update = true, true, true, names
	}})
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

// duplicated lists the names that are more than once in the tree of the lock or,
// without one, of node_modules. A workspace in a folder of its own name counts
// twice, by its link and by itself, and so does what is named as the project's
// folder (npm: arborist.dedupe).
func duplicated(a *App, p *project) ([]string, error) {
	tree, err := a.tree(p)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	var names []string
	for n := range tree.Inventory {
		if count[n.Name]++; count[n.Name] == 2 {
			names = append(names, n.Name)
		}
	}
	return names, nil
}

// tree is the project's as the lock has it, or else as it is installed.
func (a *App) tree(p *project) (*resolver.Node, error) {
	lock := p.lock
	if lock == nil {
		// With package-lock=false it was not read.
		lock, _ = lockfile.Load(p.dir)
	}
	known := resolver.NewWorkspaceMap(p.workspaces)
	legacy, copies := a.Config.Bool("legacy-peer-deps"), a.Config.Bool("install-links")
	if lock != nil {
		tree, err := resolver.LoadVirtual(lock, resolver.VirtualOptions{
			Dir: p.dir, Manifest: p.manifest(), Workspaces: known, LegacyPeerDeps: legacy, InstallLinks: copies,
		})
		if err == nil {
			return tree, nil
		}
	}
	return resolver.LoadActual(resolver.ActualOptions{Dir: p.dir, Workspaces: known, LegacyPeerDeps: legacy, InstallLinks: copies})
}

func newPruneCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "prune [<package> ...]", Short: "Remove what nothing in package.json needs"},
		pruneKeys, func(c *cobra.Command, args []string) error { return runPrune(c.Context(), a) })
}

func runPrune(ctx context.Context, a *App) error {
	if a.Config.Global() {
		return &codedError{code: "EPRUNEGLOBAL", text: "no global package is too much: somebody installed each of them", hints: []string{a.heading + " uninstall -g <package> removes one"}}
	}
	// npm decides before it knows that nothing will be unpacked, and so without
	// looking into bundles.
	o, err := a.reify(ctx, change{ask: func(r *resolver.Request) { r.Complete = false }})
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

// homes are the folders that have a node_modules of the project's: its own, and
// those of its workspaces that lie in it, where nothing is ever put elsewhere.
func (p *project) homes() []string {
	dirs := []string{p.dir}
	root, err := filepath.EvalSymlinks(p.dir)
	if err != nil {
		return dirs
	}
	for _, w := range p.workspaces {
		if real, err := filepath.EvalSymlinks(w.Path); err == nil && folder.Below(real, root) {
			dirs = append(dirs, w.Path)
		}
	}
	return dirs
}

// emptyModules removes all that is in the node_modules folders of the project
// and its workspaces.
func (p *project) emptyModules() error {
	for _, dir := range p.homes() {
		top, err := folder.Open(dir)
		if err != nil {
			return err
		}
		modules, err := top.Child("node_modules")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = nil
		case errors.Is(err, folder.ErrNotFolder):
			err = top.Remove("node_modules")
		case err == nil:
			store.Doubt(modules, installedAt(modules))
			err = emptyFolder(modules)
			modules.Close()
		}
		top.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// emptyFolder removes everything in a folder, several things at once.
func emptyFolder(f *folder.Folder) error {
	entries, err := f.ReadDir()
	if err != nil {
		return err
	}
	var eg errgroup.Group
	eg.SetLimit(processors)
	for _, e := range entries {
		eg.Go(func() error { return f.RemoveAll(e.Name) })
	}
	return eg.Wait()
}

// installedAt is when the install that filled a node_modules ended.
func installedAt(modules *folder.Folder) int64 {
	var st folder.Stat
	if modules.Lstat(filepath.Base(filepath.FromSlash(lockfile.HiddenName)), &st) != nil {
		return 0
	}
	return st.Ctime
}
