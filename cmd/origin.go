package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/resolver"
)

// fromFile reads a tarball that lies on this machine, or packs a folder.
func (g getter) fromFile(ctx context.Context, r *fetch.Request, path string) ([]byte, error) {
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
	return os.ReadFile(path)
}

// filePath gives the path that a "file:" URL means.
func (a *App) filePath(resolved string) string {
	p := strings.TrimPrefix(resolved, "file:")
	if !filepath.IsAbs(p) {
		p = filepath.Join(a.Config.LocalPrefix(), filepath.FromSlash(p))
	}
	return p
}

func (a *App) packFolder(ctx context.Context, dir string) ([]byte, error) {
	return nil, fmt.Errorf("%s: packing", dir)
}

func (g getter) fromGit(ctx context.Context, r *fetch.Request) ([]byte, error) {
	return nil, fmt.Errorf("%s: git", r.URL)
}

func (s *source) gitManifest(ctx context.Context, sp *spec.Spec, wish resolver.Wish) (*resolver.Fetched, error) {
	return nil, fmt.Errorf("%s: git", sp)
}
