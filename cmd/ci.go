package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

func newCiCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "ci",
		Aliases: []string{"clean-install", "ic", "install-clean", "isntall-clean"},
		Short:   "Install exactly what package-lock.json says, into an empty node_modules",
	}, installKeys, func(c *cobra.Command, args []string) error { return runCi(c.Context(), a) })
}

func runCi(ctx context.Context, a *App) error {
	if a.Config.Global() {
		return &codedError{code: "ECIGLOBAL", text: "`ibid ci` does not work for global packages"}
	}
	for _, key := range []string{"allow-unused-patches", "ignore-patch-failures"} {
		if a.onlyCLI(key) {
			return &codedError{code: "ECIPATCHFLAG", text: "--" + key + ": `" + a.heading + " ci` takes every patch or none"}
		}
	}
	a.Config.Set("package-lock", config.NewBool(true), config.CLI)
	a.setSave(false)
	o, err := a.reify(ctx, change{
		clean: true,
		ask:   func(r *resolver.Request) { r.NoSave, r.NoPackageLock = true, false },
		check: checkLock,
		ready: a.preinstallScript,
	})
	if errors.Is(err, lockfile.ErrMissing) {
		return noLock()
	}
	if err == nil {
		err = a.installedScripts(ctx)
	}
	if err != nil {
		return err
	}
	a.summary(o)
	return nil
}

func noLock() error {
	return &codedError{
		code: "EUSAGE",
		text: "The `ibid ci` command can only install with an existing package-lock.json or npm-shrinkwrap.json with lockfileVersion >= 1.",
		hints: []string{
			"ibid install makes a package-lock.json",
		},
	}
}

// checkLock refuses a lock that is not what package.json asks for (npm:
// lib/utils/validate-lockfile.js).
func checkLock(p *project, res *resolver.Result) error {
	if p.lock == nil {
		return noLock()
	}
	var wrong []string
	for n := range res.Tree.Inventory {
		locked := p.lock.Get(lockfile.Location(n.Location()))
		switch {
		case n.Location() == "":
		case locked == nil:
			wrong = append(wrong, fmt.Sprintf("Missing: %s@%s from lock file", n.Name, n.Version()))
		case !locked.Link && locked.Version() != n.Version():
			wrong = append(wrong, fmt.Sprintf("Invalid: lock file's %s@%s does not satisfy %s@%s", n.Name, locked.Version(), n.Name, n.Version()))
		}
		if locked != nil {
			if what := patchDiffers(locked, n); what != "" {
				wrong = append(wrong, what)
			}
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return &codedError{
		code:   "EUSAGE",
		text:   "`ibid ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync.",
		detail: wrong,
		hints:  []string{"ibid install brings the lock into line with package.json"},
	}
}

// setSave decides whether package.json is saved, whatever was configured.
func (a *App) setSave(save bool) { a.Config.Set("save", config.NewBool(save), config.CLI) }
