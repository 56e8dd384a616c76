package cmd

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/store"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

func newCacheAddCmd(a *App) *cobra.Command {
	var c *cobra.Command
	c = declare(&cobra.Command{Use: "add <package-spec> ...", Short: "Fetch packages into the store, for later"}, []string{"cache"},
		func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.usage(c, "First argument to `add` is required")
			}
			return runCacheAdd(c.Context(), a, args)
		})
	return c
}

// runCacheAdd fetches what the specs stand for. What they depend on is not
// fetched.
func runCacheAdd(ctx context.Context, a *App, specs []string) error {
	fetcher := a.fetcher()
	src, err := a.source(fetcher)
	if err != nil {
		return err
	}
	for _, raw := range specs {
		s, err := spec.Parse(raw, a.Config.Cwd())
		if err != nil {
			return err
		}
		if err := a.allowed(s); err != nil {
			return err
		}
		found, err := src.Manifest(ctx, s, resolver.Wish{FromRoot: true, Before: a.Config.Before()})
		if err != nil {
			return err
		}
		m := found.Manifest
		if _, err := fetcher.Ensure(ctx, requestFor(m.Name+"@"+m.Version, m.Name, found.Resolved, found.Integrity)); err != nil {
			return err
		}
	}
	return nil
}

// cacheKey is npm's name for what it has cached of a URL.
const cacheKey = "make-fetch-happen:request-cache:"

// runCacheFind lists what the store has of packages, under npm's names: the
// document of the registry, and the tarballs of the versions that were asked
// for. The network is not asked.
func runCacheFind(ctx context.Context, a *App, c *cobra.Command, specs []string) error {
	a.Config.Set("offline", config.NewBool(true), config.CLI)
	client, err := a.client()
	if err != nil {
		return err
	}
	var keys []string
	for _, raw := range specs {
		s, err := spec.Parse(raw, a.Config.Cwd())
		if err != nil {
			return err
		}
		if s.RawSpec != "" && s.Type == spec.Tag {
			return a.usage(c, "Cannot list cache keys for a tagged package.")
		}
		p, err := client.Packument(ctx, s.Name)
		if err != nil {
			a.log(levelVerbose, err.Error())
			continue
		}
		keys = append(keys, cacheKey+p.URL())
		for _, version := range p.Versions() {
			if !nodesemver.Satisfies(version, s.RawSpec, false) {
				continue
			}
			m, err := p.Manifest(version)
			if err == nil && m != nil && a.holds(m) {
				keys = append(keys, cacheKey+m.Dist.Tarball)
			}
		}
	}
	slices.SortFunc(keys, collate.Compare)
	for _, key := range slices.Compact(keys) {
		a.out("%s", key)
	}
	return nil
}

// holds says whether the store has a version's tarball.
func (a *App) holds(m *manifest.Manifest) bool {
	d, ok := a.keptAs(m)
	return ok && a.store().HasTarball(d)
}

// keptAs gives the digest under which the store would have a version's tarball.
func (a *App) keptAs(m *manifest.Manifest) (d store.Digest, ok bool) {
	for _, h := range integrity.Parse(m.Dist.Integrity).Strongest() {
		if h.Algorithm != "sha512" {
			d, err := a.store().Ref(h.String())
			return d, err == nil
		}
		if sum, err := base64.StdEncoding.DecodeString(h.Digest); err == nil && copy(d[:], sum) == len(d) {
			return d, true
		}
	}
	return d, false
}

func newCacheNpxCmd(a *App) *cobra.Command {
	var c *cobra.Command
	usage := func() error { return a.usage(c, "") }
	c = declare(&cobra.Command{
		Use: "npx ls\nnpx rm [<key>...]\nnpx info <key>...", Short: "Look after the packages that exec has installed for once",
	}, []string{"cache", "force", "dry-run"}, func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usage()
		}
		keys := args[1:]
		switch args[0] {
		case "ls":
			return a.npxList()
		case "rm":
			return a.npxRemove(c, keys)
		case "info":
			if len(keys) == 0 {
				return usage()
			}
			return a.npxInfo(c, keys)
		}
		return usage()
	})
	return c
}

func (a *App) npxDir() string { return filepath.Join(a.Config.String("cache"), "_npx") }

// throwaway is one set of packages that exec has installed.
type throwaway struct {
	hash, path string
	file       *manifest.File // nil where there is none that can be read
}

// packages are the specs that were asked for, false where nobody knows.
func (t *throwaway) packages() ([]string, bool) {
	list := t.file.Get("_npx", "packages")
	if !list.IsArray() {
		return nil, false
	}
	var out []string
	for _, item := range list.Items() {
		out = append(out, item.Text())
	}
	return out, true
}

// throwaways lists the sets, or those that the keys name by their beginning.
func (a *App) throwaways(c *cobra.Command, keys []string) ([]throwaway, error) {
	entries, err := os.ReadDir(a.npxDir())
	if errors.Is(err, fs.ErrNotExist) {
		a.out("npx cache does not exist")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []throwaway
	for _, e := range entries {
		t := throwaway{hash: e.Name(), path: filepath.Join(a.npxDir(), e.Name())}
		if f, err := manifest.ReadFile(filepath.Join(t.path, "package.json")); err == nil {
			t.file = f
		}
		all = append(all, t)
	}
	if len(keys) == 0 {
		return all, nil
	}
	var out []throwaway
	for _, key := range keys {
		var found []throwaway
		for _, t := range all {
			if t.hash == key {
				found = []throwaway{t}
				break
			}
			if strings.HasPrefix(t.hash, key) {
				found = append(found, t)
			}
		}
		if key == "" || len(found) != 1 {
			return nil, a.usage(c, "Invalid npx key "+key)
		}
		if !slices.ContainsFunc(out, func(t throwaway) bool { return t.hash == found[0].hash }) {
			out = append(out, found[0])
		}
	}
	return out, nil
}

func (a *App) npxList() error {
	all, err := a.throwaways(nil, nil)
	for _, t := range all {
		what := "(empty/invalid)"
		if t.file != nil {
			what = "(unknown)"
			if packages, ok := t.packages(); ok {
				what = strings.Join(packages, ", ")
			}
		}
		a.out("%s: %s", t.hash, what)
	}
	return err
}

func (a *App) npxRemove(c *cobra.Command, keys []string) error {
	dry := a.Config.Bool("dry-run")
	if len(keys) == 0 {
		if !a.Config.Bool("force") {
			return a.usage(c, "Please use --force to remove entire npx cache")
		}
		if !dry {
			return os.RemoveAll(a.npxDir())
		}
	}
	all, err := a.throwaways(c, keys)
	if err != nil {
		return err
	}
	for _, t := range all {
		a.out("Removing npx key at %s", t.path)
		if !dry {
			if err := os.RemoveAll(t.path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *App) npxInfo(c *cobra.Command, keys []string) error {
	all, err := a.throwaways(c, keys)
	if err != nil {
		return err
	}
	for _, t := range all {
		lines, err := t.contents()
		valid := "valid"
		if t.file == nil || err != nil {
			valid = "invalid"
		}
		a.out("%s npx cache entry with key %s\nlocation: %s", valid, t.hash, t.path)
		if valid == "valid" {
			a.out("%s", strings.Join(lines, "\n"))
		}
		a.out("")
	}
	return nil
}

// contents says what a set holds, by its lock.
func (t *throwaway) contents() ([]string, error) {
	if t.file == nil {
		return nil, nil
	}
	lock, err := lockfile.Load(t.path)
	if err != nil {
		return nil, err
	}
	id := func(name string) (string, error) {
		p := lock.Get(lockfile.Location("node_modules/" + name))
		if p == nil {
			return "", fmt.Errorf("%s: not in the lock", name)
		}
		if p.Link {
			return filepath.Join(t.path, filepath.FromSlash(p.Resolved)), nil
		}
		return p.ID(), nil
	}
	if packages, ok := t.packages(); ok {
		lines := []string{"packages:"}
		for _, raw := range packages {
			s, err := spec.Parse(raw, t.path)
			if err != nil {
				return nil, err
			}
			if s.Type == spec.Directory {
				lines = append(lines, "- "+raw)
				continue
			}
			what, err := id(s.Name)
			if err != nil {
				return nil, err
			}
			lines = append(lines, "- "+raw+" ("+what+")")
		}
		return lines, nil
	}
	lines := []string{"packages: (unknown)", "dependencies:"}
	var names []string
	for _, m := range t.file.Get("dependencies").Members() {
		names = append(names, m.Key)
	}
	sort.Strings(names)
	for _, name := range names {
		what, err := id(name)
		if err != nil {
			return nil, err
		}
		lines = append(lines, "- "+what)
	}
	return lines, nil
}
