package packlist

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/minimatch"
)

// found is a file or folder that a glob matched.
type found struct {
	path string // relative, with slashes
	dir  bool
}

// maxFound bounds what a pattern can make us remember.
const maxFound = 1 << 20

// expandGlob lists the regular files and folders below dir that pattern
// matches, as the glob package does with the option dot. Links are neither
// listed nor followed: what is behind them isn't packed anyway.
func expandGlob(dir, pattern string) []found {
	fold := runtime.GOOS == "darwin" || runtime.GOOS == "windows"
	var out []found
	glob := minimatch.Compile(pattern, minimatch.Options{Dot: true, NoCase: fold, NoNegate: true, NoComment: true})
	for _, parts := range glob.Alternatives() {
		parts = slices.DeleteFunc(slices.Clone(parts), func(p minimatch.Part) bool { return p.Text == "." })
		if len(parts) == 0 || parts[0].Text == "" || parts[0].Text == ".." {
			continue
		}
		g := globber{root: dir, out: &out}
		g.walk("", parts)
	}
	return out
}

type globber struct {
	root string
	out  *[]found
}

// walk looks for what the parts match below the folder at.
func (g *globber) walk(at string, parts []minimatch.Part) {
	entries, err := os.ReadDir(filepath.Join(g.root, filepath.FromSlash(at)))
	if err != nil {
		return
	}
	p, rest := parts[0], parts[1:]
	if p.Globstar() && len(rest) > 0 {
		g.walk(at, rest) // ** can be no folder at all
	}
	for _, e := range entries {
		isDir := e.IsDir()
		if !isDir && e.Type() != 0 && !e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0 {
			continue
		}
		name := path.Join(at, e.Name())
		switch {
		case len(*g.out) >= maxFound:
			return
		case p.Globstar():
			if len(rest) == 0 {
				*g.out = append(*g.out, found{name, isDir})
			}
			if isDir {
				g.walk(name, parts)
			}
		case !p.Match(e.Name()) || strings.Contains(e.Name(), "\n"):
		case len(rest) == 0:
			*g.out = append(*g.out, found{name, isDir})
		case isDir:
			if len(rest) == 1 && rest[0].Globstar() {
				*g.out = append(*g.out, found{name, true}) // a/** is also a
			}
			g.walk(name, rest)
		}
	}
}
