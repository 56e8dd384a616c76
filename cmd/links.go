package cmd

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

var linkKeys = []string{"browser", "registry", "workspace", "workspaces", "include-workspace-root"}

func newBugsCmd(a *App) *cobra.Command {
	return linkCmd(a, "bugs", []string{"issues"}, "Open where a package's bugs are reported", bugsURL)
}

func newRepoCmd(a *App) *cobra.Command {
	return linkCmd(a, "repo", nil, "Open a package's repository", repoURL)
}

func newDocsCmd(a *App) *cobra.Command {
	return linkCmd(a, "docs", []string{"home"}, "Open a package's documentation", docsURL)
}

func linkCmd(a *App, name string, aliases []string, short string, find func(jsjson.Value) (string, error)) *cobra.Command {
	return declare(&cobra.Command{Use: name + " [<package> ...]", Aliases: aliases, Short: short + " in a browser"}, linkKeys,
		func(c *cobra.Command, args []string) error { return runHomePage(c.Context(), a, name, args, find) })
}

// runHomePage follows npm's lib/package-url-cmd.js.
func runHomePage(ctx context.Context, a *App, name string, args []string, find func(jsjson.Value) (string, error)) error {
	if len(args) == 0 && a.wantsWorkspaces() {
		p, err := a.project()
		if err != nil {
			return err
		}
		for _, w := range p.selected {
			args = append(args, w.Path)
		}
		if a.Config.Bool("include-workspace-root") {
			args = append([]string{p.dir}, args...)
		}
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, arg := range args {
		s, err := spec.Parse(arg, a.Config.LocalPrefix())
		if err != nil {
			return err
		}
		m, err := a.packageManifest(ctx, s)
		if err != nil {
			return err
		}
		address, err := find(m)
		if err != nil {
			return err
		}
		if err := a.openURL(ctx, str(m, "name")+" "+name+" available at the following URL", address); err != nil {
			return err
		}
	}
	return nil
}

// packageManifest gives the whole package.json of what a spec means: of a
// folder, of a tarball or repository that may be fetched, or of the version in the
// registry that would be installed.
func (a *App) packageManifest(ctx context.Context, s *spec.Spec) (jsjson.Value, error) {
	switch s.Type {
	case spec.Directory:
		f, err := manifest.ReadFile(filepath.Join(s.FetchSpec, "package.json"))
		if errors.Is(err, fs.ErrNotExist) {
			return jsjson.Value{}, &codedError{code: "ENOENT", text: "Could not read package.json: " + err.Error(), cause: err}
		}
		if err != nil {
			return jsjson.Value{}, err
		}
		return f.Content(), nil
	case spec.Alias:
		s = s.Sub
	}
	if !s.Registry {
		return a.fetchedManifest(ctx, s)
	}
	client, err := a.client()
	if err != nil {
		return jsjson.Value{}, err
	}
	p, err := client.Packument(ctx, s.Name)
	if err != nil {
		return jsjson.Value{}, err
	}
	picked, err := registry.PickVersion(p, s, a.pickOptions(s.Name))
	if err != nil {
		return jsjson.Value{}, err
	}
	raw, err := p.FullManifest(picked.Version)
	if err != nil {
		return jsjson.Value{}, err
	}
	return raw.Parse()
}

// fetchedManifest is packageManifest for what no registry describes.
func (a *App) fetchedManifest(ctx context.Context, s *spec.Spec) (jsjson.Value, error) {
	if err := a.allowed(s); err != nil {
		return jsjson.Value{}, err
	}
	src, err := a.source(a.fetcher())
	if err != nil {
		return jsjson.Value{}, err
	}
	found, err := src.Manifest(ctx, s, resolver.Wish{FromRoot: true})
	if err != nil {
		return jsjson.Value{}, err
	}
	files, err := src.Content(ctx, resolver.Wanted{Name: found.Manifest.Name, Resolved: found.Resolved, Integrity: found.Integrity})
	if err != nil {
		return jsjson.Value{}, err
	}
	data, err := fs.ReadFile(files, "package.json")
	if err != nil {
		return jsjson.Value{}, err
	}
	f, err := manifest.ParseFile(s.String()+"/package.json", data)
	if err != nil {
		return jsjson.Value{}, err
	}
	return f.Content(), nil
}

// pickOptions are what picking a version of a package goes by.
func (a *App) pickOptions(name string) registry.PickOptions {
	o := registry.PickOptions{DefaultTag: a.Config.String("tag"), NodeVersion: a.nodeVersion(), NPMVersion: compatible, Before: a.Config.Before()}
	if !o.Before.IsZero() && excluded(a.Config.MinReleaseAgeExclude())(name) {
		o.Before = o.Before.AddDate(1000, 0, 0)
	}
	return o
}

func repositoryOf(m jsjson.Value) string {
	r := m.Get("repository")
	if r.IsString() {
		return r.Str()
	}
	return str(r, "url")
}

func hostedOf(m jsjson.Value) *spec.Hosted {
	r := repositoryOf(m)
	if r == "" {
		return nil
	}
	return spec.ParseHosted(strings.TrimPrefix(r, "git+"))
}

func npmPage(m jsjson.Value) string { return "https://www.npmjs.com/package/" + str(m, "name") }

func bugsURL(m jsjson.Value) (string, error) {
	bugs := m.Get("bugs")
	switch {
	case bugs.IsString() && bugs.Str() != "":
		return bugs.Str(), nil
	case str(bugs, "url") != "":
		return str(bugs, "url"), nil
	case str(bugs, "email") != "":
		return "mailto:" + str(bugs, "email"), nil
	}
	if h := hostedOf(m); h != nil && h.Bugs() != "" {
		return h.Bugs(), nil
	}
	return npmPage(m), nil
}

func docsURL(m jsjson.Value) (string, error) {
	if s := str(m, "homepage"); s != "" {
		return s, nil
	}
	if h := hostedOf(m); h != nil {
		return h.Docs(spec.Format{}), nil
	}
	return npmPage(m), nil
}

func repoURL(m jsjson.Value) (string, error) {
	r := repositoryOf(m)
	if r == "" {
		return "", errors.New("no repository")
	}
	if h := hostedOf(m); h != nil {
		return h.Browse(str(m.Get("repository"), "directory"), "", spec.Format{}), nil
	}
	u, err := url.Parse(r)
	if err != nil || u.Scheme == "" || u.Hostname() == "" {
		return "", errors.New("no repository: could not get url")
	}
	scheme := "https:"
	if strings.HasSuffix(u.Scheme, "git+http") {
		scheme = "http:"
	}
	return scheme + "//" + u.Hostname() + strings.TrimSuffix(u.EscapedPath(), ".git"), nil
}

// openURL shows a page in the browser, or its address where there is none
// (npm: lib/utils/open-url.js). The address is a stranger's: only http and
// https go to a program.
func (a *App) openURL(ctx context.Context, title, address string) error {
	show := func() error {
		if a.json() {
			a.printJSON(jsjson.NewObject(jsjson.Member{Key: "title", Value: jsjson.NewString(title)},
				jsjson.Member{Key: "url", Value: jsjson.NewString(address)}))
			return nil
		}
		a.out("%s", term.Safe(title+":\n"+address))
		return nil
	}
	command, wanted := a.Config.Browser()
	if !wanted {
		return show()
	}
	if !webAddress(address) {
		return errors.New("Invalid URL: " + address)
	}
	err := lifecycle.Open(ctx, address, command, a.Environ)
	if err == nil {
		return ctx.Err()
	}
	if !errors.Is(err, lifecycle.ErrNoOpener) {
		a.log(levelWarn, "the browser: "+term.SafeLine(err.Error()))
	}
	return show() // the address is what everyone can use
}
