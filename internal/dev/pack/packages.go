package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/tarball"
)

// real packs the packages of the list again.
func (b *bench) real(ctx context.Context) error {
	text, err := os.ReadFile(b.packages)
	if err != nil {
		return err
	}
	var all, missing []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		all = append(all, line)
		if _, err := os.Stat(b.cached(line)); err != nil {
			missing = append(missing, line)
		}
	}
	if len(missing) > 0 {
		if err := os.MkdirAll(b.cache, 0o755); err != nil {
			return err
		}
		args := []string{"pack", "--min-release-age=0", "--pack-destination", b.cache}
		if _, err := b.npm.run(ctx, b.scratch, append(args, missing...)...); err != nil {
			return err
		}
	}
	dirs := make([]string, len(all))
	for i, id := range all {
		dirs[i] = filepath.Join(b.scratch, "real", strings.ReplaceAll(id, "/", "+"), "package")
		tgz, err := os.ReadFile(b.cached(id))
		if err != nil {
			return err
		}
		archive, err := tarball.Read(tgz, tarball.Options{})
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if err := os.MkdirAll(dirs[i], 0o755); err != nil {
			return err
		}
		if err := tarball.Write(dirs[i], archive); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	fmt.Printf("%d real packages\n", len(all))
	return b.compare(ctx, "real", b.scratch, dirs...)
}

// cached is where the tarball of "name@version" is kept, under npm's name for it.
func (b *bench) cached(id string) string {
	name, version := id, ""
	if at := strings.LastIndexByte(id, '@'); at > 0 {
		name, version = id[:at], id[at+1:]
	}
	return filepath.Join(b.cache, strings.ReplaceAll(strings.TrimPrefix(name, "@"), "/", "-")+"-"+version+".tgz")
}

// names lists an archive's files with modes and sizes.
func names(archive []byte) string {
	var out []string
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if err != nil {
			return strings.Join(out, " ")
		}
		out = append(out, fmt.Sprintf("%s:%o:%d", strings.TrimPrefix(h.Name, "package/"), h.Mode, h.Size))
	}
}
