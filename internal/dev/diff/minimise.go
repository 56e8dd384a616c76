//go:build unix

package main

import (
	"slices"
	"strings"
)

// minimise takes things out of a project for as long as differs says that the
// difference stays: commands, files, sections, their members, flags. At most
// tries calls are made.
func minimise(p project, tries int, differs func(project) bool) project {
	for again := true; again; {
		again = false
		for _, q := range smaller(p) {
			if tries--; tries < 0 {
				return p
			}
			if differs(q) {
				p, again = q, true
				break
			}
		}
	}
	return p
}

// smaller lists the projects that lack one thing, the biggest things first.
func smaller(p project) []project {
	var out []project
	for i := len(p.Commands) - 1; i >= 0 && len(p.Commands) > 1; i-- {
		q := p.clone()
		q.Commands = slices.Delete(q.Commands, i, i+1)
		out = append(out, q)
	}
	for _, name := range p.fileNames() {
		if name == "package.json" {
			continue
		}
		q := p.clone()
		delete(q.Files, name)
		out = append(out, q)
	}
	for _, name := range p.fileNames() {
		f := p.Files[name]
		for i, m := range f.Manifest {
			if m.Key == "name" || m.Key == "version" {
				continue
			}
			q := p.clone()
			g := q.Files[name]
			g.Manifest = slices.Delete(g.Manifest, i, i+1)
			q.Files[name] = g
			out = append(out, q)
		}
		for i, m := range f.Manifest {
			sub, ok := m.Value.(object)
			if !ok || len(sub) < 2 {
				continue
			}
			// halves before single members
			if len(sub) > 3 {
				for _, half := range [][2]int{{0, len(sub) / 2}, {len(sub) / 2, len(sub)}} {
					out = append(out, without(p, name, i, half[0], half[1]))
				}
			}
			for j := range sub {
				out = append(out, without(p, name, i, j, j+1))
			}
		}
	}
	for i, c := range p.Commands {
		for j, arg := range c {
			if strings.HasPrefix(arg, "--") && arg != "--ignore-scripts" && arg != "--package-lock-only" {
				q := p.clone()
				q.Commands[i] = slices.Delete(q.Commands[i], j, j+1)
				out = append(out, q)
			}
		}
	}
	return out
}

// without takes members from…to out of the i-th value of a manifest.
func without(p project, name string, i, from, to int) project {
	q := p.clone()
	g := q.Files[name]
	g.Manifest[i].Value = slices.Delete(g.Manifest[i].Value.(object), from, to)
	return q
}
