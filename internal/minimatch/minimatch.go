// Package minimatch matches paths against globs as npm's minimatch 10 does.
//
// A pattern is a list of alternatives, made by its braces; an alternative is a
// list of parts between slashes; a part is text, "**" (any number of parts), or
// has magic in it: * ? [class] and the extended forms ?(a|b) *(a|b) +(a|b)
// @(a|b) !(a|b). Names that begin with a dot match only where the pattern spells
// the dot, unless Dot is set.
//
// The package reads no directories, and knows nothing of Windows' drives.
package minimatch

import "strings"

// Options change what a pattern matches; they are minimatch's.
type Options struct {
	// Dot lets magic match names that begin with a dot.
	Dot bool
	// Partial matches a path that the pattern could still go on from.
	Partial bool
	// NoNegate takes a leading ! for text, NoComment a leading #.
	NoNegate, NoComment bool
	// NoCase takes A for a.
	NoCase bool
	// MatchBase has a pattern without slashes match the last name of a path.
	MatchBase bool
}

// maxPattern is the longest pattern that minimatch takes.
const maxPattern = 64 << 10

// Pattern is a compiled pattern. It is never changed.
type Pattern struct {
	alternatives [][]Part
	negated      bool
	empty        bool
	opts         Options
}

// Match reports whether path matches pattern.
func Match(path, pattern string, opts Options) bool { return Compile(pattern, opts).Match(path) }

// Compile reads a pattern. There are no invalid ones: what has no meaning is
// text. One that is too long, where minimatch throws, matches nothing.
func Compile(pattern string, opts Options) *Pattern {
	p := &Pattern{opts: opts}
	if !opts.NoComment && strings.HasPrefix(pattern, "#") || len(pattern) > maxPattern {
		return p
	}
	if pattern == "" {
		p.empty = true
		return p
	}
	if !opts.NoNegate {
		for strings.HasPrefix(pattern, "!") {
			pattern = pattern[1:]
			p.negated = !p.negated
		}
	}
	for _, alternative := range Braces(pattern) {
		texts := resolveDots(Split(alternative))
		parts := make([]Part, len(texts))
		for i, text := range texts {
			parts[i] = parsePart(text, opts)
		}
		p.alternatives = append(p.alternatives, parts)
	}
	return p
}

// Alternatives returns the parts of each alternative. The caller must not
// change them.
func (p *Pattern) Alternatives() [][]Part { return p.alternatives }

// Negated reports whether an odd number of ! stands before the pattern.
func (p *Pattern) Negated() bool { return p.negated }

// Match reports whether path matches.
func (p *Pattern) Match(path string) bool {
	if p.alternatives == nil && !p.empty {
		return false // a comment
	}
	if p.empty {
		return path == ""
	}
	if path == "/" && p.opts.Partial {
		return true
	}
	return p.Hits(Split(path), p.opts.Partial) != p.negated
}

// Hits reports whether an alternative matches a path that was Split, whatever
// stands before the pattern (minimatch's flipNegate). partial is for this call
// what Partial is for all.
func (p *Pattern) Hits(path []string, partial bool) bool {
	for _, parts := range p.alternatives {
		names := path
		if p.opts.MatchBase && len(parts) == 1 {
			names = lastName(path)
		}
		if p.matchParts(names, parts, partial) {
			return true
		}
	}
	return false
}

// Split splits a path at slashes; several are one.
func Split(path string) []string {
	var parts []string
	for {
		i := strings.IndexByte(path, '/')
		if i < 0 {
			return append(parts, path)
		}
		parts = append(parts, path[:i])
		path = strings.TrimLeft(path[i:], "/")
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

// lastName is the last name of a path that isn't empty.
func lastName(path []string) []string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] != "" {
			return path[i : i+1]
		}
	}
	return path[:1]
}
