package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

// source is the resolver.Source that asks registries, folders and git.
type source struct {
	app    *App
	client *registry.Client
	fetch  *fetch.Fetcher
	pick   registry.PickOptions
	// elsewhere is told that something else than a registry was asked; nil is nobody.
	elsewhere func()
}

func (a *App) source(f *fetch.Fetcher) (*source, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	return &source{app: a, client: client, fetch: f, pick: registry.PickOptions{
		DefaultTag:  a.Config.String("tag"),
		NodeVersion: a.nodeVersion(),
		NPMVersion:  compatible,
	}}, nil
}

// Manifest gives the manifest of what a spec stands for.
func (s *source) Manifest(ctx context.Context, sp *spec.Spec, wish resolver.Wish) (*resolver.Fetched, error) {
	switch sp.Type {
	case spec.Range, spec.Version, spec.Tag, spec.Alias:
		return s.registryManifest(ctx, sp, wish)
	}
	if s.elsewhere != nil {
		s.elsewhere()
	}
	switch sp.Type {
	case spec.Remote:
		return s.tarballManifest(ctx, sp, sp.FetchSpec, sp.FetchSpec)
	case spec.File:
		return s.tarballManifest(ctx, sp, "file:"+sp.FetchSpec, "file:"+sp.FetchSpec)
	case spec.Directory:
		return s.folderManifest(sp)
	case spec.Git:
		return s.gitManifest(ctx, sp, wish)
	}
	return nil, fmt.Errorf("%s: nothing that can be fetched", sp)
}

func (s *source) registryManifest(ctx context.Context, sp *spec.Spec, wish resolver.Wish) (*resolver.Fetched, error) {
	target := sp
	if sp.Type == spec.Alias {
		target = sp.Sub
	}
	ask := s.client.Packument
	switch {
	case wish.Ahead:
		ask = s.client.Guess
	case wish.Abbreviated:
		ask = s.client.AbbreviatedPackument
	}
	p, err := ask(ctx, target.Name)
	inFull := false
	if wish.Abbreviated && errorCode(err) == "ENOTCACHED" {
		// Without a network the full form will do.
		p, err = s.client.Packument(ctx, target.Name)
		inFull = true
	}
	if err != nil {
		return nil, err
	}
	o := s.pick
	o.Before, o.Avoid = wish.Before, wish.Avoid
	picked, err := registry.PickVersion(p, target, o)
	if err != nil {
		return nil, err
	}
	m := picked.Manifest
	if err := checkPublished(m); err != nil {
		return nil, err
	}
	if inFull {
		m = m.Clone()
		m.License, m.Libc = "", ""
	}
	return &resolver.Fetched{
		Manifest: m, Resolved: m.Dist.Tarball, Integrity: m.Dist.Integrity,
		DevDependencies: func() (manifest.Deps, error) { return devDependencies(p, picked.Version) },
	}, nil
}

// checkPublished refuses a tarball that a registry says lies where no registry's
// can: a folder of this machine would be packed, and a repository cloned, and
// scripts run for it that nobody approved.
func checkPublished(m *manifest.Manifest) error {
	if m.Dist.Tarball == "" || isURL(m.Dist.Tarball) {
		return nil
	}
	return &codedError{code: "EUNSUPPORTEDPROTOCOL", text: term.SafeLine(fmt.Sprintf("%s@%s: the registry says that its tarball is at %s, which is no http or https URL",
		m.Name, m.Version, registry.Redact(m.Dist.Tarball)))}
}

// devDependencies reads what the packument's index has not got.
func devDependencies(p *registry.Packument, version string) (manifest.Deps, error) {
	full, err := p.FullManifest(version)
	if err != nil {
		return nil, err
	}
	m, err := manifest.Parse([]byte(full))
	if err != nil {
		return nil, fmt.Errorf("%s@%s: reading manifest: %w", p.Name(), version, err)
	}
	return m.DevDependencies, nil
}

// tarballManifest reads the package.json in a tarball that no registry describes.
func (s *source) tarballManifest(ctx context.Context, sp *spec.Spec, url, resolved string) (*resolver.Fetched, error) {
	r := &fetch.Request{ID: sp.String(), Name: sp.Name, URL: url}
	m, err := s.manifestIn(ctx, r)
	if err != nil {
		return nil, err
	}
	return &resolver.Fetched{Manifest: m, Resolved: resolved, Integrity: s.fetch.Integrity(r)}, nil
}

// manifestIn reads the manifest in a tarball. That it brings a lock of its own is
// for a registry to say: npm looks for none (npm: pacote lib/file.js, lib/git.js).
func (s *source) manifestIn(ctx context.Context, r *fetch.Request) (*manifest.Manifest, error) {
	var m *manifest.Manifest
	err := s.fetch.Extract(ctx, r, func(a *tarball.Archive) error {
		for i := range a.Files {
			if a.Files[i].Path != "package.json" {
				continue
			}
			parsed, err := manifest.ParsePackageJSON(append([]byte(nil), a.Content(a.Files[i])...))
			if err != nil {
				return fmt.Errorf("%s: reading its package.json: %w", r.ID, err)
			}
			m = parsed
		}
		if m == nil {
			return &codedError{code: "ENOENT", text: r.ID + ": no package.json in it"}
		}
		return nil
	})
	return m, err
}

func (s *source) folderManifest(sp *spec.Spec) (*resolver.Fetched, error) {
	m, err := manifest.ReadDir(sp.FetchSpec)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &codedError{code: "ENOENT", text: fmt.Sprintf("%s: no package.json in %s", sp, sp.FetchSpec)}
	}
	if err != nil {
		return nil, err
	}
	return &resolver.Fetched{Manifest: m, Resolved: "file:" + sp.FetchSpec}, nil
}

// Content gives the files of a package, for what is bundled in it.
func (s *source) Content(ctx context.Context, p resolver.Wanted) (fs.FS, error) {
	var files fs.FS
	err := s.fetch.Extract(ctx, requestFor(p.Name, p.Name, p.Resolved, p.Integrity), func(a *tarball.Archive) error {
		files = a.FS()
		return nil
	})
	return files, err
}

// requestFor says how a tarball is fetched, by what a lock says of it.
func requestFor(id, name, resolved, sri string) *fetch.Request {
	r := &fetch.Request{ID: id, Name: name, URL: resolved, Integrity: sri}
	if strings.HasPrefix(resolved, "git") {
		r.Ref, r.Integrity = "git:"+resolved, ""
	}
	return r
}
