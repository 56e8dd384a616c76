package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/packlist"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

func newPackCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:   "pack [<package-spec> ...]",
		Short: "Make the tarball that would be published",
		Long: "The tarball is written to the current folder or to --pack-destination. The scripts prepack,\n" +
			"prepare and postpack run. Files that look like secrets are warned of.",
		Example: "  ibid pack\n  ibid pack --dry-run\n  ibid pack --json -w packages/a",
	}, []string{"dry-run", "json", "pack-destination", "workspace", "workspaces", "include-workspace-root", "ignore-scripts"},
		func(c *cobra.Command, args []string) error { return runPack(c.Context(), a, args) })
}

func runPack(ctx context.Context, a *App, args []string) error {
	folders, err := a.packFolders(&args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	// All are looked at before the first is packed, so that what is wrong with
	// the last shows before any script has run.
	all := make([]*packable, len(args))
	for i, arg := range args {
		if all[i], err = a.packable(ctx, arg); err != nil {
			return err
		}
	}
	var done []*tarballContents
	for _, p := range all {
		tgz, err := a.packTarball(ctx, p, folders)
		if err != nil {
			return err
		}
		if !a.Config.Bool("dry-run") {
			if err := a.writeTarball(p, tgz); err != nil {
				return err
			}
		}
		t, err := readContents(p.name, p.version, tgz)
		if err != nil {
			return err
		}
		if p.dir != "" {
			a.warnSecrets(t, tgz)
		}
		done = append(done, t)
	}
	shown := jsjson.NewObject()
	for _, t := range done {
		if a.json() {
			shown = shown.With(t.name, t.json())
			continue
		}
		a.tellContents(t)
		a.out("%s", t.filename)
	}
	if a.json() {
		a.printJSON(shown)
	}
	return nil
}

// packFolders gives the folders of the workspaces that a command is for, and
// puts them in the place of "." among the words. Words that name something else
// win over workspaces.
func (a *App) packFolders(args *[]string) ([]string, error) {
	if !a.inWorkspaces() {
		return nil, nil
	}
	if len(*args) > 0 && !slices.Contains(*args, ".") {
		a.log(levelWarn, "Ignoring workspaces for specified package(s)")
		return nil, nil
	}
	selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
	if err != nil {
		return nil, err
	}
	var folders, words []string
	for _, w := range selected {
		folders = append(folders, w.Path)
	}
	words = append(words, folders...)
	for _, arg := range *args {
		if arg != "." {
			words = append(words, arg)
		}
	}
	*args = words
	return folders, nil
}

// packable is a package that a tarball can be made or fetched of.
type packable struct {
	spec          *spec.Spec
	dir           string // its folder; "" for what is fetched
	file          *manifest.File
	name, version string
	request       *fetch.Request
	manifest      jsjson.Raw // the registry's whole manifest, where there is one
}

// packable finds out what a word names, without packing it.
func (a *App) packable(ctx context.Context, arg string) (*packable, error) {
	sp, err := spec.Parse(arg, a.Config.Cwd())
	if err != nil {
		return nil, err
	}
	p := &packable{spec: sp}
	if sp.Type == spec.Directory {
		p.dir = sp.FetchSpec
		if p.file, err = manifest.ReadFile(filepath.Join(p.dir, "package.json")); err != nil {
			return nil, err
		}
		m := p.file.Manifest()
		p.name, p.version = m.Name, m.Version
	} else if err := a.findFetched(ctx, p); err != nil {
		return nil, err
	}
	if p.name == "" || p.version == "" {
		return nil, &codedError{text: "Invalid package, must have name and version", hints: []string{"ibid pkg set name=NAME version=1.0.0"}}
	}
	return p, nil
}

// findFetched looks up a package that is no folder.
func (a *App) findFetched(ctx context.Context, p *packable) error {
	sp := p.spec
	s, err := a.source(a.fetcher())
	if err != nil {
		return err
	}
	if !sp.Registry {
		if err := a.allowed(sp); err != nil {
			return err
		}
		f, err := s.Manifest(ctx, sp, resolver.Wish{})
		if err != nil {
			return err
		}
		p.name, p.version = f.Manifest.Name, f.Manifest.Version
		p.request = requestFor(sp.String(), p.name, f.Resolved, f.Integrity)
		return nil
	}
	target := sp
	if sp.Type == spec.Alias {
		target = sp.Sub
	}
	packument, err := s.client.FreshPackument(ctx, target.Name)
	if err != nil {
		return err
	}
	o := s.pick
	if !excluded(a.Config.MinReleaseAgeExclude())(target.Name) {
		o.Before = a.Config.Before()
	}
	picked, err := registry.PickVersion(packument, target, o)
	if err != nil {
		return err
	}
	m := picked.Manifest
	if err := checkPublished(m); err != nil {
		return err
	}
	p.name, p.version = m.Name, m.Version
	p.request = requestFor(p.name+"@"+p.version, p.name, m.Dist.Tarball, m.Dist.Integrity)
	p.manifest, err = packument.FullManifest(picked.Version)
	return err
}

// packTarball makes the tarball of a package, running its scripts, or fetches it
// (npm: libnpmpack lib/index.js). folders are those of the workspaces that the
// command is for.
func (a *App) packTarball(ctx context.Context, p *packable, folders []string) ([]byte, error) {
	if p.dir == "" {
		tgz, err := getter{a}.Tarball(ctx, p.request, nil)
		if err != nil {
			return nil, err
		}
		if p.request.Integrity != "" {
			if err := integrity.Parse(p.request.Integrity).CheckData(tgz); err != nil {
				return nil, fmt.Errorf("%s: checking its tarball: %w", p.request.ID, err)
			}
		}
		return tgz, nil
	}
	if err := a.checkBundle(p.dir, p.file.Content()); err != nil {
		return nil, err
	}
	if err := a.packScript(ctx, p.dir, "prepack", p.file); err != nil {
		return nil, err
	}
	// prepack may have written another package.json.
	file, err := manifest.ReadFile(filepath.Join(p.dir, "package.json"))
	if err != nil {
		return nil, err
	}
	if err := a.packScript(ctx, p.dir, "prepare", file, "npm_package_resolved="+p.dir, "npm_package_integrity="); err != nil {
		return nil, err
	}
	tgz, err := a.tarballOf(p.dir, folders)
	if err != nil {
		return nil, err
	}
	sri := integrity.SRI{integrity.Sum("sha512", tgz)}.String()
	return tgz, a.packScript(ctx, p.dir, "postpack", p.file,
		"npm_package_from=file:"+p.dir, "npm_package_resolved="+p.dir, "npm_package_integrity="+sri)
}

// tarballOf packs a folder as it is now.
func (a *App) tarballOf(dir string, folders []string) ([]byte, error) {
	m, err := manifest.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	ignore, err := a.globalIgnore()
	if err != nil {
		return nil, err
	}
	tgz, list, err := packTree(dir, m, packlist.Options{Prefix: a.Config.LocalPrefix(), Workspaces: folders, GlobalIgnore: ignore})
	if list != nil {
		for _, w := range list.Warnings {
			a.logPrefixed(levelWarn, w.Title, term.SafeLine(w.Text))
		}
		for _, name := range list.Files {
			if !utf8.ValidString(name) {
				return nil, &codedError{
					code:  "EILSEQ",
					text:  fmt.Sprintf("%q: the file's name is not UTF-8: elsewhere the package would not have it", name),
					hints: []string{"rename it, or leave it out with \"files\" in package.json or with an .npmignore"},
				}
			}
		}
	}
	return tgz, err
}

// globalIgnore is the user's own ignore file; most have none. A project can name
// another one, so that it is not read without end.
func (a *App) globalIgnore() (string, error) {
	const most = 1 << 20
	name := a.Config.String("global-ignore-file")
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(text) > most {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("more than 1 MB of ignore rules")}
	}
	return string(text), err
}

// checkBundle refuses to pack bundled packages that the project's overrides
// chose: whoever installs the package has no overrides, and would find the
// bundle wrong (npm: libnpmpack lib/index.js).
func (a *App) checkBundle(dir string, content jsjson.Value) error {
	bundles := func(key string) bool { v := content.Get(key); return v.Truthy() && (!v.IsArray() || v.Len() > 0) }
	if content.Get("overrides").Len() == 0 || !bundles("bundleDependencies") && !bundles("bundledDependencies") {
		return nil
	}
	tree, err := resolver.LoadActual(resolver.ActualOptions{Dir: dir})
	if err != nil {
		return err
	}
	var names []string
	for n := range tree.Inventory {
		if !n.IsProjectRoot() && n.InBundle() && !n.InDepBundle() && n.Overridden() {
			names = append(names, n.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return &codedError{
		code:  "EBUNDLEOVERRIDE",
		text:  "Cannot pack or publish: \"overrides\" decide the version of what is bundled: " + term.SafeLine(strings.Join(slices.Compact(names), ", ")),
		hints: []string{"whoever installs this package has no overrides: take these out of bundleDependencies or out of overrides"},
	}
}

// packScript runs a package's script for an event, if it has one. It has the
// terminal unless foreground-scripts was said to be false.
func (a *App) packScript(ctx context.Context, dir, event string, file *manifest.File, environ ...string) error {
	cfg := a.Config
	if cfg.Bool("ignore-scripts") {
		return nil
	}
	m := file.Manifest()
	command := lifecycle.Command(event, dir, m.Scripts, gypFile(m.GypFile))
	if command == "" {
		return nil
	}
	r := a.runner()
	r.environ = append(r.environ, environ...)
	hidden := !cfg.IsDefault("foreground-scripts") && !cfg.Bool("foreground-scripts")
	switch event {
	case "prepublishOnly", "publish", "postpublish":
		hidden = false
	}
	return r.run(ctx, script{dir: dir, event: event, command: command, pkg: packageOf(file), hidden: hidden})
}

// tarballName is the name of a package's tarball: "scope-name-1.0.0.tgz".
func tarballName(name, version string) string {
	return strings.Map(func(r rune) rune {
		// A tarball may say any version of itself; npm leaves what a terminal obeys.
		if r == '/' || r == '\\' || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '-'
		}
		return r
	}, strings.TrimPrefix(name+"-"+version, "@")) + ".tgz"
}

func (a *App) writeTarball(p *packable, tgz []byte) error {
	dir := a.Config.String("pack-destination")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(a.Config.Cwd(), dir)
	}
	return writeOwn(filepath.Join(dir, tarballName(p.name, p.version)), tgz)
}
