package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newCacheCmd(a *App) *cobra.Command {
	keys := []string{"cache"}
	c := declare(&cobra.Command{
		Use:   "cache add <package-spec>\ncache ls [<name>@<version>]\ncache path\ncache verify\ncache clean --force\ncache npx ls\ncache npx rm [<key>...]\ncache npx info <key>...",
		Short: "Look after the store that all projects share",
	}, keys, func(c *cobra.Command, args []string) error {
		return a.usage(c, "")
	})
	c.AddCommand(
		declare(&cobra.Command{Use: "path", Aliases: []string{"dir"}, Short: "Print where the store is"}, keys,
			func(c *cobra.Command, _ []string) error {
				a.out("%s", a.store().Dir())
				return nil
			}),
		declare(&cobra.Command{Use: "verify", Aliases: []string{"check"}, Short: "Read the whole store and remove what is not as it was stored"}, keys,
			func(c *cobra.Command, _ []string) error { return runCacheVerify(c.Context(), a) }),
		declare(&cobra.Command{Use: "clean", Aliases: []string{"clear", "rm"}, Short: "Remove the whole store, with --force; projects keep their files"}, []string{"cache", "force"},
			func(_ *cobra.Command, args []string) error { return runCacheClean(a, c, args) }),
		declare(&cobra.Command{Use: "ls [<name>@<version>]", Aliases: []string{"list"}, Short: "List what is in the store"}, keys,
			func(c *cobra.Command, args []string) error {
				if len(args) > 0 {
					return runCacheFind(c.Context(), a, c, args)
				}
				return runCacheList(a)
			}),
		newCacheAddCmd(a),
		newCacheNpxCmd(a),
	)
	return c
}

func runCacheVerify(ctx context.Context, a *App) error {
	checked, err := a.store().Verify(ctx)
	if err != nil {
		return err
	}
	for _, p := range checked.Removed {
		a.log(levelWarn, "removed, it was not what was stored: "+p)
	}
	a.out("Store verified: %s", a.store().Dir())
	a.out("Tarballs: %d (%s)", checked.Tarballs, bytesText(checked.TarballBytes))
	a.out("Unpacked trees: %d (%s), %d more on loan to projects", checked.Trees, bytesText(checked.TreeBytes), checked.OnLoan)
	documents, err := registry.VerifyCache(ctx, a.packumentDir())
	if err != nil {
		return err
	}
	for _, p := range documents.Removed {
		a.log(levelWarn, "removed, it was not what was stored, and is asked for again when needed: "+p)
	}
	a.out("Packuments: %d (%s)", documents.Documents, bytesText(documents.Bytes))
	if checked.Doubted > 0 {
		a.out("Trees that a project may have changed: %d, removed; they are unpacked anew when needed", checked.Doubted)
	}
	shared, err := a.sharedPackages().Verify(ctx)
	if err != nil {
		return err
	}
	for _, label := range shared.Mended {
		a.log(levelWarn, "made again, it was not what was shared: "+term.SafeLine(label))
	}
	for _, p := range shared.Removed {
		a.log(levelWarn, "removed, it was not what was shared, and "+a.heading+" install brings it back: "+p)
	}
	if shared.Packages > 0 {
		a.out("Shared packages: %d (%s), %d of them made again", shared.Packages, bytesText(shared.Bytes), len(shared.Mended))
	}
	a.out("Removed: %d", len(checked.Removed)+len(documents.Removed)+len(shared.Removed))
	return nil
}

// runCacheClean removes the store, which as with npm takes --force: whoever
// types it without mostly wants to be rid of something broken, and that is seen to.
func runCacheClean(a *App, c *cobra.Command, keys []string) error {
	if len(keys) > 0 {
		return a.usage(c, "What the store has cannot be removed one by one: it heals by itself")
	}
	if !a.Config.Bool("force") {
		return &codedError{
			text: "the store was not removed: whatever is damaged in it is noticed and fetched again, and without it every install is slow",
			hints: []string{
				a.heading + " cache verify looks for what is damaged",
				a.heading + " cache clean --force removes it all the same",
				a.heading + " install --cache <empty folder> leaves it out for once",
			},
		}
	}
	if err := a.cleanStore(); err != nil {
		return err
	}
	shared, err := a.sharedPackages().Clean()
	if err != nil {
		return err
	}
	if shared.Kept > 0 {
		a.say("%d shared packages stay: %s", shared.Kept, countText(len(shared.Projects), "project has links to them", "projects have links to them"))
		for _, dir := range shared.Projects {
			a.say("  %s", term.SafeLine(dir))
		}
	}
	return nil
}

func (a *App) cleanStore() error {
	// os.RemoveAll would wait for who writes to a pipe in the folder's place.
	dir, err := folder.Open(a.storeDir())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.RemoveAll("packuments"); err != nil {
		return err
	}
	return a.store().Clean()
}

func countText(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// runCacheList lists all that the store has: documents and tarballs under npm's
// names, as far as the documents that are there tell where a tarball came from,
// then the other tarballs, then shared packages.
func runCacheList(a *App) error {
	held, err := a.store().Tarballs()
	if err != nil {
		return err
	}
	a.Config.Set("offline", config.NewBool(true), config.CLI)
	client, err := a.client()
	if err != nil {
		return err
	}
	unnamed := make(map[store.Digest]bool, len(held))
	for _, h := range held {
		unnamed[h.Digest] = true
	}
	var keys []string
	for p := range client.Cached {
		keys = append(keys, cacheKey+p.URL())
		for _, version := range p.Versions() {
			m, err := p.Manifest(version)
			if err != nil || m == nil {
				continue
			}
			if d, ok := a.keptAs(m); ok && unnamed[d] {
				keys = append(keys, cacheKey+m.Dist.Tarball)
				delete(unnamed, d)
			}
		}
	}
	slices.SortFunc(keys, collate.Compare)
	var b strings.Builder
	for _, key := range slices.Compact(keys) {
		fmt.Fprintln(&b, term.SafeLine(key))
	}
	for _, h := range held {
		if unnamed[h.Digest] {
			fmt.Fprintf(&b, "%s %d\n", h.Digest, h.Size)
		}
	}
	shared, err := a.sharedPackages().List()
	if err != nil {
		return err
	}
	for _, h := range shared {
		fmt.Fprintf(&b, "shared %s %d %s, used by %d\n", h.ID, h.Size, term.SafeLine(h.Label), h.Used)
	}
	fmt.Fprint(a.Stdout, b.String())
	return nil
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d B", n)
}
