package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/git"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/packlist"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/workspaces"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

// fromFile reads a tarball that lies on this machine, or packs a folder.
func (g getter) fromFile(ctx context.Context, path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return g.app.packFolder(ctx, path)
	}
	if st.Size() > maxTarball {
		return nil, fmt.Errorf("%s: %d bytes: larger than any package", path, st.Size())
	}
	return regular.ReadFileTo(path, maxTarball)
}

// filePath gives the path that a "file:" URL of the tree means.
func (a *App) filePath(resolved string) string {
	p := strings.TrimPrefix(resolved, "file:")
	if !filepath.IsAbs(p) {
		p = filepath.Join(a.workedOn(change{}), filepath.FromSlash(p))
	}
	return p
}

// packFolder makes the tarball that a package's folder would be published as,
// its prepare script having run (npm: pacote lib/dir.js).
func (a *App) packFolder(ctx context.Context, dir string) ([]byte, error) {
	m, err := manifest.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if err := a.runPrepare(ctx, dir, m); err != nil {
		return nil, err
	}
	ignore, err := a.globalIgnore()
	if err != nil {
		return nil, err
	}
	tgz, _, err := packTree(dir, m, packlist.Options{GlobalIgnore: ignore})
	return tgz, err
}

// packTree packs the files of a folder that are for publishing, and lists them.
func packTree(dir string, m *manifest.Manifest, o packlist.Options) ([]byte, *packlist.List, error) {
	folders, err := workspaceFolders(dir, m.Workspaces)
	if err != nil {
		return nil, nil, err
	}
	tree, err := packlist.Disk(dir, folders)
	if err != nil {
		return nil, nil, err
	}
	list, err := packlist.Files(tree, o)
	if err != nil {
		return nil, nil, err
	}
	file, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return nil, nil, err
	}
	p := tarball.PackOptions{Bins: tree.Bins()}
	if file.Content().Has("patchedDependencies") {
		// What is patched here is not patched where the package is installed.
		file.Delete("patchedDependencies")
		p.Contents = map[string][]byte{"package.json": file.Bytes()}
	}
	tgz, err := tarball.Pack(dir, list.Files, p)
	return tgz, list, err
}

func workspaceFolders(dir string, field jsjson.Raw) (map[string]string, error) {
	all, err := workspaces.Map(dir, field)
	if err != nil || all == nil {
		return nil, err
	}
	out := make(map[string]string, len(all))
	for _, w := range all {
		out[w.Name] = w.Path
	}
	return out, nil
}

func (a *App) runPrepare(ctx context.Context, dir string, m *manifest.Manifest) error {
	command, ok := m.Scripts.Get("prepare")
	if !ok || a.Config.Bool("ignore-scripts") {
		return nil
	}
	return lifecycle.Run(ctx, lifecycle.Options{
		Dir: dir, Event: "prepare", Command: command, PackageID: m.Name + "@" + m.Version,
		Environ: a.childEnviron(), Shell: a.Config.String("script-shell"),
	})
}

func (a *App) gitClient() *git.Client {
	a.gitOnce.Do(func() {
		a.gitShared = git.New(git.Options{Git: a.Config.String("git"), Environ: a.Environ, Retries: a.Config.Int("fetch-retries")})
	})
	return a.gitShared
}

// fromGit makes the tarball of a commit: the host's archive or a clone, built if
// it has to be, and packed as for publishing.
func (g getter) fromGit(ctx context.Context, r *fetch.Request) ([]byte, error) {
	a := g.app
	sp, err := spec.Resolve(r.Name, r.URL, a.Config.LocalPrefix())
	if err != nil {
		return nil, err
	}
	src, err := a.gitClient().Resolve(ctx, sp)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "ibid-git-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	dir := filepath.Join(tmp, "package")
	if err := a.checkOut(ctx, src, dir); err != nil {
		return nil, err
	}
	pkg, err := src.PackageDir(dir)
	if err != nil {
		return nil, err
	}
	if err := a.prepareClone(ctx, pkg, src.Resolved); err != nil {
		return nil, err
	}
	return a.packFolder(ctx, pkg)
}

// checkOut puts a commit's files into dir.
func (a *App) checkOut(ctx context.Context, src *git.Source, dir string) error {
	if src.Tarball != "" && src.SHA != "" {
		err := a.unpackArchive(ctx, src.Tarball, dir)
		var refused *registry.Error
		var damaged *tarball.Error
		if err == nil || !errors.As(err, &refused) && !errors.As(err, &damaged) {
			return err
		}
		os.RemoveAll(dir) // the host has no archive for us; the repository has all
	}
	return a.gitClient().Clone(ctx, src, dir)
}

func (a *App) unpackArchive(ctx context.Context, url, dir string) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	tgz, err := client.ReadTarball(ctx, registry.TarballRequest{URL: url, ID: "remote:" + registry.Redact(url), MaxSize: maxTarball}, nil)
	if err != nil {
		return err
	}
	archive, err := tarball.Read(tgz, tarball.Options{HostedGit: true})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return tarball.Write(dir, archive)
}

// prepareClone installs what a repository's package needs to be built.
func (a *App) prepareClone(ctx context.Context, dir, resolved string) error {
	m, err := manifest.ReadDir(dir)
	if err != nil {
		return err
	}
	if a.Config.Bool("ignore-scripts") || !git.NeedsPrepare(m.Scripts, m.Workspaces != "") {
		return nil
	}
	environ, ok := git.PrepareEnv(a.Environ, resolved)
	if !ok {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cfg := a.Config
	args := git.PrepareArgs(git.PrepareOptions{
		Cache: cfg.String("cache"), PreferOffline: cfg.PreferOffline(), PreferOnline: cfg.PreferOnline(),
		Offline: cfg.Bool("offline"), Before: cfg.Before(),
	})
	return lifecycle.Run(ctx, lifecycle.Options{
		Dir: dir, Event: "install", Command: lifecycle.QuoteSh(self), Args: args, PackageID: m.Name + "@" + m.Version, Environ: environ,
	})
}

// gitManifest brings a repository's spec to a commit and reads its manifest.
func (s *source) gitManifest(ctx context.Context, sp *spec.Spec, wish resolver.Wish) (*resolver.Fetched, error) {
	client := s.app.gitClient()
	src, err := client.Resolve(ctx, sp)
	if err != nil {
		return nil, err
	}
	if src.SHA == "" { // only a clone can tell which commit it is
		tmp, err := os.MkdirTemp("", "ibid-git-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(tmp)
		if err := client.Clone(ctx, src, filepath.Join(tmp, "package")); err != nil {
			return nil, err
		}
	}
	// The lock does not say which folder of the repository is the package.
	at := src.Resolved
	if sub := strings.TrimPrefix(sp.GitSubdir, "/"); sub != "" {
		at += "::path:" + sub
	}
	m, err := s.manifestIn(ctx, requestFor(sp.String(), sp.Name, at, ""))
	if err != nil {
		return nil, err
	}
	return &resolver.Fetched{Manifest: m, Resolved: src.Resolved}, nil
}
