// Package minimatch matches paths against globs as npm's minimatch does.
//
// A pattern is a list of alternatives, made by its braces; an alternative is a
// list of parts between slashes; a part is text, "**" (any number of parts), or
// has magic in it: * ? [class] and the extended forms ?(a|b) *(a|b) +(a|b)
// @(a|b) !(a|b). Names that begin with a dot match only where the pattern spells
// the dot, unless Dot is set.
//
// The package reads no directories, and knows nothing of Windows' drives.
package minimatch

import (
	"slices"
	"strings"
)

// Options change what a pattern matches.
type Options struct {
	// Dot lets magic match names that begin with a dot.
	Dot bool
	// Partial matches a path that the pattern could still go on from.
	Partial bool
	// NoNegate takes a leading ! for text, NoComment a leading #.
	NoNegate, NoComment bool
}

// Pattern is a compiled pattern. It is never changed.
type Pattern struct {
	alternatives [][]Part
	negate       bool
	empty        bool
	opts         Options
}

// Part is what stands between two slashes of a pattern.
type Part struct {
	Text  string // the part as written
	Magic bool   // it must be matched; else Text, unescaped, is a name
	nodes []node
}

// Globstar reports whether the part is "**".
func (p Part) Globstar() bool { return p.Text == "**" }

// Match reports whether the part matches one name.
func (p Part) Match(name string, dot bool) bool {
	if !p.Magic {
		return p.Text == name
	}
	return matchPart(p.nodes, name, dot)
}

// Match reports whether path matches pattern.
func Match(path, pattern string, opts Options) bool { return Compile(pattern, opts).Match(path) }

// Compile reads a pattern. There are no invalid ones: what has no meaning is
// text.
func Compile(pattern string, opts Options) *Pattern {
	p := &Pattern{opts: opts}
	if !opts.NoComment && strings.HasPrefix(pattern, "#") {
		return p
	}
	if !opts.NoNegate {
		for strings.HasPrefix(pattern, "!") {
			pattern = pattern[1:]
			p.negate = !p.negate
		}
	}
	if pattern == "" {
		p.empty = true
		return p
	}
	for _, alternative := range Braces(pattern) {
		texts := resolveDots(splitPath(alternative))
		parts := make([]Part, len(texts))
		for i, text := range texts {
			parts[i] = parsePart(text)
		}
		p.alternatives = append(p.alternatives, parts)
	}
	return p
}

// Alternatives returns the parts of each alternative. The caller must not
// change them.
func (p *Pattern) Alternatives() [][]Part { return p.alternatives }

// Match reports whether path matches.
func (p *Pattern) Match(path string) bool {
	if p.alternatives == nil && !p.empty {
		return false // a comment
	}
	if p.empty {
		return path == ""
	}
	file := splitPath(path)
	for _, parts := range p.alternatives {
		if p.matchParts(file, parts) {
			return !p.negate
		}
	}
	return p.negate
}

// splitPath splits at slashes; several are one.
func splitPath(s string) []string {
	var parts []string
	for {
		i := strings.IndexByte(s, '/')
		if i < 0 {
			return append(parts, s)
		}
		parts = append(parts, s[:i])
		s = strings.TrimLeft(s[i:], "/")
	}
}

// resolveDots takes out "name/.." and repeated "**".
func resolveDots(parts []string) []string {
	out := parts[:0:0]
	for _, part := range parts {
		prev := ""
		if len(out) > 0 {
			prev = out[len(out)-1]
		}
		switch {
		case part == "**" && prev == "**":
		case part == ".." && prev != "" && prev != ".." && prev != "." && prev != "**":
			out = out[:len(out)-1]
		default:
			out = append(out, part)
		}
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}

func (p *Pattern) hiddenFrom(name string) bool {
	return name == "." || name == ".." || !p.opts.Dot && strings.HasPrefix(name, ".")
}

func (p *Pattern) matchParts(file []string, parts []Part) bool {
	first := slices.IndexFunc(parts, Part.Globstar)
	if first < 0 {
		return p.matchPlain(file, parts)
	}
	head, body := parts[:first], parts[first+1:]
	var tail []Part
	if !p.opts.Partial {
		last := len(parts) - 1
		for !parts[last].Globstar() {
			last--
		}
		body, tail = nil, parts[last+1:]
		if last > first {
			body = parts[first+1 : last]
		}
	}
	if len(head) > 0 {
		n := min(len(head), len(file))
		if !p.matchPlain(file[:n], head) {
			return false
		}
		file = file[n:]
	}
	tailLength := 0
	if len(tail) > 0 {
		if len(tail) > len(file) {
			return false
		}
		start := len(file) - len(tail)
		tailLength = len(tail)
		if !p.matchPlain(file[start:], tail) {
			// "a/**/*" matches "a/b/": try without the last, empty part.
			if file[len(file)-1] != "" || len(tail) == len(file) {
				return false
			}
			start--
			if !p.matchPlain(file[start:], tail) {
				return false
			}
			tailLength++
		}
	}
	if len(body) == 0 {
		some := tailLength > 0
		for _, name := range file[:len(file)-tailLength] {
			some = true
			if p.hiddenFrom(name) {
				return false
			}
		}
		return p.opts.Partial || some
	}
	var sections [][]Part
	section := []Part{}
	for _, part := range body {
		if part.Globstar() {
			sections = append(sections, section)
			section = []Part{}
		} else {
			section = append(section, part)
		}
	}
	sections = append(sections, section)
	steps := 0
	matched, _ := p.matchSections(file, sections, 0, len(file)-tailLength, tailLength > 0, &steps)
	return matched
}

// matchSections finds the sections between globstars one after the other in
// file[from:to]. final means that trying further is of no use.
func (p *Pattern) matchSections(file []string, sections [][]Part, from, to int, some bool, steps *int) (matched, final bool) {
	if len(sections) == 0 {
		for _, name := range file[from:] {
			some = true
			if p.hiddenFrom(name) {
				return false, false
			}
		}
		return some, some
	}
	section := sections[0]
	last := to
	for _, s := range sections {
		last -= len(s)
	}
	for ; from <= last; from++ {
		if *steps++; *steps > 10000 {
			return false, true // no honest pattern needs so many
		}
		end := min(from+len(section), len(file))
		if p.matchPlain(file[from:end], section) {
			if ok, final := p.matchSections(file, sections[1:], end, to, some, steps); ok || final {
				return ok, true
			}
		}
		if from < len(file) && p.hiddenFrom(file[from]) {
			return false, false
		}
	}
	return p.opts.Partial, true
}

// matchPlain matches parts without globstars.
func (p *Pattern) matchPlain(file []string, parts []Part) bool {
	n := min(len(file), len(parts))
	for i := range n {
		if !parts[i].Match(file[i], p.opts.Dot) {
			return false
		}
	}
	switch {
	case len(file) == len(parts):
		return true
	case n == len(file):
		return p.opts.Partial
	}
	// A directory's slash may be left over.
	return n == len(file)-1 && file[n] == ""
}
