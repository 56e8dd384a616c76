package workspaces

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/minimatch"
)

// SelectOptions say where filters are read from.
type SelectOptions struct {
	Root string // the project, absolute
	Cwd  string // the working directory, absolute; filters are relative to it if it is inside the project, else to Root

	IncludeRoot bool // put the project itself first
	RootName    string
}

// Select returns the workspaces that one of filters names: by name, by
// directory, or by a directory that they are in. No filters select all. The
// order is that of the filters; nothing selected is an error.
func Select(all []Workspace, filters []string, opts SelectOptions) ([]Workspace, error) {
	var out []Workspace
	index := make(map[string]int)
	add := func(w Workspace) {
		if i, ok := index[w.Name]; ok {
			out[i] = w
			return
		}
		index[w.Name] = len(out)
		out = append(out, w)
	}
	if opts.IncludeRoot {
		add(Workspace{opts.RootName, opts.Root})
	}
	if len(filters) == 0 {
		for _, w := range all {
			add(w)
		}
	}
	from := opts.Cwd
	if rel, err := filepath.Rel(opts.Root, opts.Cwd); err != nil || strings.HasPrefix(rel, "..") {
		from = opts.Root
	}
	for _, filter := range filters {
		// npm reads the filter relative to the working directory here, wherever
		// filters are relative to otherwise.
		underRoot := relative(opts.Root, resolve(opts.Cwd, filter))
		for _, w := range all {
			path := relative(from, w.Path)
			if strings.HasPrefix(filter, "./") {
				path = "./" + path
			}
			if filter == w.Name || resolve(from, filter) == w.Path ||
				minimatch.Match(path, slashes(underRoot)+"/*", minimatch.Options{}) ||
				minimatch.Match(path, slashes(filter)+"/*", minimatch.Options{}) {
				add(w)
			}
		}
	}
	if len(out) == 0 {
		message := "No workspaces found!"
		if len(filters) > 0 {
			message = "No workspaces found:\n"
			for _, f := range filters {
				message += "  --workspace=" + f
			}
		}
		return nil, &Error{Message: message, hints: []string{listed(all)}}
	}
	return out, nil
}

// listed names the workspaces that there are, for whoever mistyped one.
func listed(all []Workspace) string {
	if len(all) == 0 {
		return "package.json has no workspaces here"
	}
	const most = 12
	var names []string
	for _, w := range all[:min(len(all), most)] {
		names = append(names, w.Name)
	}
	text := "the workspaces are " + strings.Join(names, ", ")
	if more := len(all) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func resolve(base, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}

// relative is node's path.relative: "" for the same path.
func relative(from, to string) string {
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return to
	}
	if rel == "." {
		return ""
	}
	return filepath.ToSlash(rel)
}
