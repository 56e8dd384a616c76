package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

func newCiCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "ci",
		Aliases: []string{"clean-install", "ic", "install-clean", "isntall-clean"},
		Short:   "Install exactly what package-lock.json says, into an empty node_modules",
	}, ciKeys, func(c *cobra.Command, args []string) error { return runCi(c.Context(), a) })
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
		ready: func(ctx context.Context) error {
			if err := a.needProject(); err != nil {
				return err
			}
			return a.preinstallScript(ctx)
		},
	})
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
// lib/utils/validate-lockfile.js). The version of a workspace, and of another folder that
// is linked to, is its package.json's, whatever the lock says (arborist load-virtual.js
// #resolveLinks).
func checkLock(p *project, res *resolver.Result) error {
	var wrong []string
	for n := range res.Tree.Inventory {
		locked := p.lock.Get(lockfile.Location(n.Location()))
		switch {
		case n.Location() == "" || n.BroughtAlong(): // as it is there, whatever the lock says
		case locked == nil:
			wrong = append(wrong, fmt.Sprintf("Missing: %s@%s from lock file", n.Name, n.Version()))
		case !n.IsTop() && !locked.Link && locked.Version() != n.Version():
			wrong = append(wrong, fmt.Sprintf("Invalid: lock file's %s@%s does not satisfy %s@%s", n.Name, locked.Version(), n.Name, n.Version()))
		}
		if locked != nil {
			if what := patchDiffers(locked, n); what != "" {
				wrong = append(wrong, what)
			}
		}
	}
	if locked, wanted := p.lock.Root(), res.ExtensionsHash(); locked != nil && locked.PackageExtensionsHash != wanted {
		switch {
		case wanted == "":
			wrong = append(wrong, "Invalid: lock file records packageExtensions state but package.json has none")
		case locked.PackageExtensionsHash == "":
			wrong = append(wrong, "Missing: packageExtensions state from lock file")
		default:
			wrong = append(wrong, "Invalid: packageExtensions in package.json do not match the lock file")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	const text = "`ibid ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync."
	return &codedError{
		code:   "EUSAGE",
		text:   text,
		detail: wrong,
		hints:  []string{"ibid install brings the lock into line with package.json"},
		// Programs look for these lines where npm has them.
		summary: text + " Please update your lock file with `ibid install` before continuing.\n\n" + strings.Join(wrong, "\n"),
	}
}

// setSave decides whether package.json is saved, whatever was configured.
func (a *App) setSave(save bool) { a.Config.Set("save", config.NewBool(save), config.CLI) }

// stockUp has the store get and unpack all that a plan will want of it, so that
// an install that empties node_modules first does so when little can fail any
// more: a network that is gone, bytes that are not those of the lock, and a full
// disk leave the old packages as they are.
func (o *outcome) stockUp(ctx context.Context, placer *files) error {
	a, seen := o.app, map[string]bool{}
	work, stocking := errgroup.WithContext(ctx)
	work.SetLimit(a.packagesAtOnce())
	for i := range o.plan.Steps {
		p := o.plan.Steps[i].Package
		if p.Link || p.InBundle {
			continue
		}
		key := placer.Group(p)
		if key != "" && seen[key] {
			continue
		}
		seen[key] = true
		work.Go(func() error {
			err := placer.stock(stocking, p)
			if err == nil || stocking.Err() == nil && o.isOptional(p.Location) {
				return nil
			}
			return o.wantedBy(&placeError{err, p.Location})
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	a.timing.done("stocked the store")
	return nil
}

// isOptional says whether an install goes on without a package.
func (o *outcome) isOptional(l lockfile.Location) bool {
	if o.linked != nil {
		return o.linked.OptionalWith(l) != nil
	}
	n := o.node(l)
	return n != nil && n.Optional
}

// errEmptied is what an error Is that came after node_modules had been emptied.
var errEmptied = errors.New("node_modules was emptied")

type emptiedError struct{ error }

func (e *emptiedError) Unwrap() error        { return e.error }
func (e *emptiedError) Is(target error) bool { return target == errEmptied }

// hasModules says whether there is anything in the node_modules of the project
// and its workspaces.
func (p *project) hasModules() bool {
	return slices.ContainsFunc(p.homes(), func(dir string) bool {
		_, err := os.Lstat(filepath.Join(dir, "node_modules"))
		return !errors.Is(err, fs.ErrNotExist)
	})
}
