package workspaces

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/minimatch"
)

// walk returns the directories below root, relative and with slashes, that the
// patterns match and no negated pattern takes away. Nothing in a node_modules
// counts.
func (g *globs) walk(root string) []string {
	w := walker{root: root, globs: g, found: make(map[string]bool), dirs: make(map[string][]fs.DirEntry)}
	for _, pattern := range g.patterns {
		compiled := minimatch.Compile(slashes(pattern), minimatch.Options{NoComment: true, NoNegate: true})
		for _, parts := range compiled.Alternatives() {
			w.visit(".", parts, true)
		}
	}
	out := make([]string, 0, len(w.found))
	for dir := range w.found {
		out = append(out, dir)
	}
	return out
}

type walker struct {
	root  string
	globs *globs
	found map[string]bool
	dirs  map[string][]fs.DirEntry // directories that were read
}

// visit follows parts from dir. first is set while nothing was followed.
func (w *walker) visit(dir string, parts []minimatch.Part, first bool) {
	for len(parts) > 0 && !parts[0].Magic {
		switch text := parts[0].Text; text {
		case "", ".":
		default:
			dir = path.Join(dir, text)
		}
		parts, first = parts[1:], false
	}
	if len(parts) == 0 {
		w.add(dir)
		return
	}
	part, rest := parts[0], parts[1:]
	if part.Globstar() {
		w.visit(dir, rest, false)
		for _, e := range w.read(dir) {
			name := e.Name()
			if strings.HasPrefix(name, ".") || name == "node_modules" {
				continue
			}
			child := path.Join(dir, name)
			switch {
			case e.IsDir():
				w.visit(child, parts, first)
			case e.Type()&fs.ModeSymlink != 0 && !first:
				// A link to a directory counts, but ** ends there.
				w.visit(child, rest, false)
			}
		}
		return
	}
	for _, e := range w.read(dir) {
		if (e.IsDir() || e.Type()&fs.ModeSymlink != 0) && part.Match(e.Name()) {
			w.visit(path.Join(dir, e.Name()), rest, false)
		}
	}
}

func (w *walker) abs(dir string) string { return filepath.Join(w.root, filepath.FromSlash(dir)) }

func (w *walker) read(dir string) []fs.DirEntry {
	entries, ok := w.dirs[dir]
	if !ok {
		entries, _ = os.ReadDir(w.abs(dir)) // what cannot be read matches nothing
		w.dirs[dir] = entries
	}
	return entries
}

func (w *walker) add(dir string) {
	if w.found[dir] || w.globs.ignored(dir) {
		return
	}
	if strings.HasPrefix(dir, "../") {
		// "../x/a", in a project whose folder is x, is a.
		if rel, err := filepath.Rel(w.root, w.abs(dir)); err == nil {
			dir = filepath.ToSlash(rel)
		}
	}
	if st, err := os.Stat(w.abs(dir)); err == nil && st.IsDir() {
		w.found[dir] = true
	}
}
