package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
)

func newCiCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "ci",
		Aliases: []string{"clean-install", "ic", "install-clean", "isntall-clean"},
		Short:   "Install exactly what package-lock.json says, into an empty node_modules",
	}, installKeys, func(c *cobra.Command, args []string) error { return runCi(c.Context(), a) })
}

func runCi(ctx context.Context, a *App) error {
	dir := a.Config.LocalPrefix()
	lock, err := lockfile.Load(dir)
	if err != nil {
		return err
	}
	if lock == nil {
		return fmt.Errorf("no lock")
	}
	a.timing.done("read the lockfile")
	wanted := lockfile.New()
	for _, p := range lock.Packages {
		if p.Optional && p.Meta != nil {
			bad := func(raw, want string) bool { return raw != "" && !strings.Contains(raw, `"`+want+`"`) }
			if bad(string(p.Meta.OS), "linux") || bad(string(p.Meta.CPU), "x64") || bad(string(p.Meta.Libc), "glibc") {
				continue
			}
		}
		wanted.Packages = append(wanted.Packages, p)
	}
	if err := emptyModules(dir); err != nil {
		return err
	}
	a.timing.done("emptied node_modules")
	plan := linker.NewPlan(nil, wanted, linker.Options{NoBins: !a.Config.Bool("bin-links")})
	a.timing.done("planned")
	f := &files{app: a, fetch: a.fetcher(), learned: map[lockfile.Location]string{}}
	applied, err := plan.Apply(ctx, dir, f, linker.ApplyOptions{Umask: a.umask, Limit: 24})
	if err != nil {
		return err
	}
	a.timing.done("linked")
	return applied.Commit()
}

func emptyModules(dir string) error {
	modules, err := folder.Open(filepath.Join(dir, "node_modules"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return os.Remove(filepath.Join(dir, "node_modules"))
	}
	defer modules.Close()
	return modules.Empty()
}
