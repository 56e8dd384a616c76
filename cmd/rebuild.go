package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

func newRebuildCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "rebuild [<package-spec> ...]", Aliases: []string{"rb"}, Short: "Link programs and run install scripts once more",
	}, []string{"global", "bin-links", "foreground-scripts", "ignore-scripts", "allow-scripts", "strict-allow-scripts", "dangerously-allow-all-scripts",
		"workspace", "workspaces", "include-workspace-root", "install-links"},
		func(c *cobra.Command, args []string) error { return runRebuild(c.Context(), a, args) })
}

// runRebuild builds what is installed, all of it or what the arguments name
// (npm: lib/commands/rebuild.js).
func runRebuild(ctx context.Context, a *App, args []string) error {
	p, err := a.project()
	if err != nil {
		return err
	}
	wanted, err := rebuildSpecs(a, args)
	if err != nil {
		return err
	}
	s, err := a.installScripts(p, false)
	if err != nil {
		return err
	}
	tree, err := p.actualTree(a)
	if err != nil {
		return err
	}
	if err := s.preflight(tree); err != nil {
		return err
	}
	shared := linker.ReadShared(p.dir)
	var skipped []string
	var packages, links []*resolver.Node
	locations := map[lockfile.Location]bool{}
	for n := range tree.Inventory {
		if n.IsProjectRoot() || !wanted(n) {
			continue
		}
		if linker.IsShared(shared, lockfile.Location(n.Location())) {
			if !n.IsLink() && s.mayRun(n) {
				skipped = append(skipped, n.Name)
			}
			continue
		}
		locations[lockfile.Location(n.Location())] = true
		if n.IsLink() {
			links = append(links, n)
		} else {
			packages = append(packages, n)
		}
	}
	if len(skipped) > 0 {
		a.logPrefixed(levelWarn, "rebuild", term.SafeLine(strings.Join(skipped, ", ")+": shared with other projects, its scripts are not run"))
		a.hint(a.heading + " install gives packages whose scripts may run files of their own")
	}
	installed := tree.Lockfile(resolver.LockOptions{Hidden: true})
	if a.Config.Bool("bin-links") {
		if err := relink(ctx, a, p, installed, locations, shared); err != nil {
			return err
		}
	}
	if !s.off {
		if err := s.build(ctx, s.builder(), packages, links, installed); err != nil {
			return err
		}
	}
	if pending := s.unreviewed(tree, nil); len(pending) > 0 {
		a.tellNotRebuilt(pending)
	}
	a.out("rebuilt dependencies successfully")
	return nil
}

func (a *App) tellNotRebuilt(pending []lifecycle.Pending) {
	had := "packages had"
	if len(pending) == 1 {
		had = "package had"
	}
	what := "Run `" + a.heading + " install-scripts ls` to review."
	if a.Config.Global() {
		var names []string
		for i := range pending {
			name, _ := pending[i].Display()
			names = append(names, name)
		}
		what = "Run `" + a.heading + " config set allow-scripts=" + strings.Join(names, ",") + " --location=user` to allow their scripts."
	}
	a.logPrefixed(levelWarn, "rebuild", fmt.Sprintf("%d %s install scripts blocked because they are not covered by allowScripts. %s", len(pending), had, what))
}

// rebuildSpecs says which nodes the arguments name.
func rebuildSpecs(a *App, args []string) (func(*resolver.Node) bool, error) {
	if len(args) == 0 {
		return func(*resolver.Node) bool { return true }, nil
	}
	var specs []*spec.Spec
	for _, arg := range args {
		sp, err := spec.Parse(arg, a.Config.Cwd())
		if err != nil {
			return nil, err
		}
		if sp.Type != spec.Range && sp.Type != spec.Version && sp.Type != spec.Directory {
			return nil, errors.New("`ibid rebuild` only supports SemVer version/range specifiers")
		}
		specs = append(specs, sp)
	}
	return func(n *resolver.Node) bool {
		// What is bundled can call itself anything.
		if n.InBundle() {
			return false
		}
		for _, sp := range specs {
			switch {
			case sp.Type == spec.Directory:
				if filepath.FromSlash(n.Path()) == sp.FetchSpec {
					return true
				}
			case sp.Name == n.Name && (sp.RawSpec == "" || sp.RawSpec == "*" || nodesemver.Satisfies(n.Version(), sp.FetchSpec, false)):
				return true
			}
		}
		return false
	}, nil
}

// relink links the programs of packages that are there.
func relink(ctx context.Context, a *App, p *project, installed *lockfile.Lockfile, locations map[lockfile.Location]bool, shared map[string]string) error {
	// Nothing is added, changed or removed: what is wanted is what there is.
	o := linker.Options{Shared: shared}
	if a.Config.Global() {
		o.Again = locations
	}
	plan := linker.NewPlan(installed, installed, o)
	global := a.globalLinks(p, plan, installed, installed)
	plan.Steps = nil
	if global != nil {
		global.old = nil
		if err := global.check(); err != nil {
			return err
		}
		if err := global.apply(); err != nil {
			return errors.Join(err, global.takeBack())
		}
	}
	kept := plan.Bins[:0]
	for _, b := range plan.Bins {
		if locations[b.Owner.Location] {
			b.Others = nil
			kept = append(kept, b)
		}
	}
	plan.Bins = kept
	if len(plan.Bins) == 0 {
		return nil
	}
	applied, err := plan.Apply(ctx, p.dir, nil, linker.ApplyOptions{Umask: a.umask, Shims: runtime.GOOS == "windows"})
	if err != nil {
		return err
	}
	return applied.Commit()
}
