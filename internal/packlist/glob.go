package packlist

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// maxPattern is the longest pattern minimatch takes.
const maxPattern = 64 << 10

// maxSteps bounds the work of matching one name with one part of a pattern.
// Patterns come from strangers when a git dependency is packed. What is cut
// off doesn't match, as with minimatch's own limits.
const maxSteps = 1 << 20

// A rule is one line of an ignore file: a Minimatch object with the options
// that ignore-walk gives it: matchBase, dot, flipNegate, nocase.
type rule struct {
	negate bool
	set    [][]part
	// relative is set when the pattern, or one of its expansions, is a
	// single name, which then matches in any folder.
	relative bool
}

// parseRule reads a trimmed, non-empty line that is no comment.
func parseRule(line string) rule {
	var r rule
	for strings.HasPrefix(line, "!") {
		r.negate = !r.negate
		line = line[1:]
	}
	seen := make(map[string]bool)
	for _, glob := range expandBraces(line) {
		if seen[glob] {
			continue
		}
		seen[glob] = true
		names := simplify(splitSlashes(glob))
		if len(names) == 1 || len(names) == 2 && names[1] == "" {
			r.relative = true
		}
		r.set = append(r.set, parseParts(names, true))
	}
	return r
}

// splitSlashes is s.split(/\/+/).
func splitSlashes(s string) []string {
	names := strings.Split(s, "/")
	out := names[:1]
	for i, n := range names[1:] {
		if n == "" && i+1 < len(names)-1 {
			continue
		}
		out = append(out, n)
	}
	if len(out) > 2 && out[0] == "" && out[1] == "" {
		out = out[1:]
	}
	return out
}

// simplify takes out repeated ** and resolves a/.. .
func simplify(names []string) []string {
	var out []string
	for _, n := range names {
		prev := ""
		if len(out) > 0 {
			prev = out[len(out)-1]
		}
		if n == "**" && prev == "**" {
			continue
		}
		if n == ".." && prev != "" && prev != ".." && prev != "." && prev != "**" {
			out = out[:len(out)-1]
			continue
		}
		out = append(out, n)
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}

// match says whether one of the rule's globs matches the path, given as its
// components. partial also takes a path that could lead to a match below it.
func (r *rule) match(path []string, partial bool) bool {
	for _, pattern := range r.set {
		file := path
		if len(pattern) == 1 {
			file = lastName(path)
		}
		if matchParts(file, pattern, partial) {
			return true
		}
	}
	return false
}

// lastName is the last component that isn't empty.
func lastName(path []string) []string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] != "" {
			return path[i : i+1]
		}
	}
	return path[:1]
}

func globstar(pattern []part) int {
	return slices.IndexFunc(pattern, func(p part) bool { return p.globstar })
}

func matchParts(file []string, pattern []part, partial bool) bool {
	first := globstar(pattern)
	if first < 0 {
		return matchSection(file, pattern, partial)
	}
	head, body := pattern[:first], pattern[first+1:]
	var tail []part
	if !partial {
		last := len(pattern) - 1
		for !pattern[last].globstar {
			last--
		}
		tail = pattern[last+1:]
		body = nil
		if last > first {
			body = pattern[first+1 : last]
		}
	}

	at := 0
	if len(head) > 0 {
		if !matchSection(file[:min(len(head), len(file))], head, partial) {
			return false
		}
		at = len(head)
	}
	tailed := 0
	if len(tail) > 0 {
		if len(tail)+at > len(file) {
			return false
		}
		start := len(file) - len(tail)
		if matchSection(file[start:], tail, partial) {
			tailed = len(tail)
		} else {
			// a/**/* is to match a/b/, whose last component is empty.
			if file[len(file)-1] != "" || at+len(tail) == len(file) {
				return false
			}
			if start--; !matchSection(file[start:], tail, partial) {
				return false
			}
			tailed = len(tail) + 1
		}
	}
	if len(body) == 0 {
		some := tailed > 0
		for i := at; i < len(file)-tailed; i++ {
			some = true
			if file[i] == "." || file[i] == ".." {
				return false
			}
		}
		return partial || some
	}

	// What is between the first and the last ** must be found in order, each
	// section before the latest place that leaves room for the others.
	var sections []section
	for rest := body; ; {
		i := globstar(rest)
		if i < 0 {
			sections = append(sections, section{parts: rest})
			break
		}
		sections = append(sections, section{parts: rest[:i]})
		rest = rest[i+1:]
	}
	// npm's sums count the parts before the section of the same number from
	// the other end, which only differs from counting the parts after it when
	// sections have unequal lengths; it is kept as it is.
	sums := []int{0}
	n := 0
	for i, s := range sections {
		n += len(s.parts)
		if i < len(sections)-1 {
			sums = append(sums, n)
		}
	}
	for i := range sections {
		sections[i].after = len(file) - tailed - (sums[len(sections)-1-i] + len(sections[i].parts))
	}
	return matchSections(file, sections, at, partial, 0, tailed > 0) == yes
}

type section struct {
	parts []part
	after int // last index where it may begin
}

type answer int

const (
	no     answer = iota
	giveUp        // no, and moving on can't help
	yes
)

func matchSections(file []string, sections []section, at int, partial bool, depth int, some bool) answer {
	if depth == len(sections) {
		for ; at < len(file); at++ {
			some = true
			if file[at] == "." || file[at] == ".." {
				return no
			}
		}
		if some {
			return yes
		}
		return no
	}
	s := sections[depth]
	for ; at <= s.after; at++ {
		const deepest = 200
		end := min(at+len(s.parts), len(file))
		if matchSection(file[min(at, end):end], s.parts, partial) && depth < deepest {
			if sub := matchSections(file, sections, at+len(s.parts), partial, depth+1, some); sub != no {
				return sub
			}
		}
		if at < len(file) && (file[at] == "." || file[at] == "..") {
			return no
		}
	}
	if partial {
		return yes
	}
	return giveUp
}

// matchSection matches parts without ** one by one.
func matchSection(file []string, pattern []part, partial bool) bool {
	n := min(len(file), len(pattern))
	for i := range n {
		if pattern[i].globstar || !pattern[i].match(file[i]) {
			return false
		}
	}
	switch {
	case len(file) == len(pattern):
		return true
	case len(file) == n:
		return partial
	}
	// a/* matches a/b/
	return n == len(file)-1 && file[n] == ""
}

// A part is one component of a pattern.
type part struct {
	globstar bool
	fold     bool    // case doesn't matter
	suffix   *string // the part is stars and this, lower case if fold
	count    int     // with suffix: that many UTF-16 units in all
	seq      []glob  // else these, one after the other
}

func parseParts(names []string, fold bool) []part {
	parts := make([]part, len(names))
	for i, name := range names {
		parts[i] = parsePart(name, fold)
	}
	return parts
}

// parsePart compiles one component.
func parsePart(s string, fold bool) part {
	if s == "**" {
		return part{globstar: true}
	}
	lower := func(s string) string {
		if fold {
			return strings.ToLower(s)
		}
		return s
	}
	// minimatch has short cuts for the commonest shapes. They compare what
	// is behind the stars or question marks as it stands: \ is a letter there.
	stars := len(s) - len(strings.TrimLeft(s, "*"))
	marks := len(s) - len(strings.TrimLeft(s, "?"))
	if rest := s[stars:]; stars > 0 && !strings.ContainsAny(rest, "+@!?*[(") {
		low := lower(rest)
		return part{suffix: &low, fold: fold}
	} else if rest := s[marks:]; marks > 0 && !strings.ContainsAny(rest, "+@!?*[(") {
		low := lower(rest)
		return part{suffix: &low, fold: fold, count: len(utf16.Encode([]rune(s)))}
	}
	p := &globParser{src: utf16.Encode([]rune(s))}
	return part{seq: p.sequence(0, false), fold: fold}
}

func (p part) match(name string) bool {
	if p.suffix != nil {
		if *p.suffix == "" && name == "" {
			return false
		}
		if p.count > 0 && len(utf16.Encode([]rune(name))) != p.count {
			return false
		}
		if p.fold {
			name = strings.ToLower(name)
		}
		return strings.HasSuffix(name, *p.suffix)
	}
	if len(p.seq) == 0 {
		return name == ""
	}
	m := matcher{name: utf16.Encode([]rune(name)), fold: p.fold}
	return m.seq(p.seq, 0, func(at int) bool { return at == len(m.name) })
}

// A glob is a piece of a part.
type glob struct {
	kind  globKind
	char  uint16
	class *class
	alts  [][]glob
}

type globKind uint8

const (
	literal globKind = iota
	anyChar
	anyChars
	inClass
	never   // a class that is broken
	zeroOne // ?(…)
	oneMore // +(…)
	many    // *(…)
	exactly // @(…)
	except  // !(…)
)

type globParser struct {
	src []uint16
	at  int
}

// maxExtDepth is how deep groups may be nested before they are text.
const maxExtDepth = 2

// sequence reads globs up to the end, or in a group up to | or ).
func (p *globParser) sequence(depth int, group bool) []glob {
	var out []glob
	for p.at < len(p.src) {
		c := p.src[p.at]
		if group && (c == '|' || c == ')') {
			return out
		}
		if depth <= maxExtDepth && p.at+1 < len(p.src) && p.src[p.at+1] == '(' && strings.ContainsRune("!?+*@", rune(c)) {
			if g, ok := p.group(depth); ok {
				out = append(out, g)
				continue
			}
		}
		switch c {
		case '*':
			if n := len(out); n == 0 || out[n-1].kind != anyChars {
				out = append(out, glob{kind: anyChars})
			}
			p.at++
		case '?':
			out = append(out, glob{kind: anyChar})
			p.at++
		case '[':
			g, n := parseClass(p.src[p.at:])
			if n == 0 {
				g, n = glob{char: c}, 1
			}
			out = append(out, g)
			p.at += n
		case '\\':
			if p.at+1 < len(p.src) {
				p.at++
			}
			out = append(out, glob{char: p.src[p.at]})
			p.at++
		default:
			out = append(out, glob{char: c})
			p.at++
		}
	}
	return out
}

// group reads X(a|b). ok is false if it has no end: then it is text.
func (p *globParser) group(depth int) (g glob, ok bool) {
	start := p.at
	switch p.src[p.at] {
	case '!':
		g.kind = except
	case '?':
		g.kind = zeroOne
	case '+':
		g.kind = oneMore
	case '*':
		g.kind = many
	case '@':
		g.kind = exactly
	}
	p.at += 2
	for {
		g.alts = append(g.alts, p.sequence(depth+1, true))
		if p.at == len(p.src) {
			p.at = start
			return g, false
		}
		p.at++
		if p.src[p.at-1] == ')' {
			return g, true
		}
	}
}

// A class is [a-z].
type class struct {
	negate bool
	ranges []charRange
	named  []func(rune) bool
}

type charRange struct{ lo, hi uint16 }

func (c *class) has(u uint16, foldCase bool) bool {
	in := c.contains(rune(u)) || foldCase && (c.contains(unicode.ToLower(rune(u))) || c.contains(unicode.ToUpper(rune(u))))
	return in != c.negate
}

func (c *class) contains(r rune) bool {
	return slices.ContainsFunc(c.ranges, func(cr charRange) bool { return cr.has(uint16(r)) }) ||
		slices.ContainsFunc(c.named, func(f func(rune) bool) bool { return f(r) })
}

func (cr charRange) has(u uint16) bool { return u >= cr.lo && u <= cr.hi }

// parseClass reads a class at the start of src and says how much of it it is;
// 0 when it has no end.
func parseClass(src []uint16) (glob, int) {
	var c class
	i := 1
	sawStart, escaping := false, false
	var from uint16 // start of an open range
	open := false
	end := 0
scan:
	for i < len(src) {
		u := src[i]
		if (u == '!' || u == '^') && i == 1 {
			c.negate = true
			i++
			continue
		}
		if u == ']' && sawStart && !escaping {
			end = i + 1
			break
		}
		sawStart = true
		if u == '\\' && !escaping {
			escaping = true
			i++
			continue
		}
		if u == '[' && !escaping {
			for _, n := range named {
				if hasPrefix(src[i:], n.name) {
					if open {
						return glob{kind: never}, len(src)
					}
					c.named = append(c.named, n.has)
					i += len(n.name)
					continue scan
				}
			}
		}
		escaping = false
		if open {
			if u >= from {
				c.ranges = append(c.ranges, charRange{from, u})
			}
			open = false
			i++
			continue
		}
		if hasPrefix(src[i+1:], "-]") {
			c.ranges = append(c.ranges, charRange{u, u}, charRange{'-', '-'})
			i += 2
			continue
		}
		if hasPrefix(src[i+1:], "-") {
			from, open = u, true
			i += 2
			continue
		}
		c.ranges = append(c.ranges, charRange{u, u})
		i++
	}
	if end < i {
		return glob{}, 0
	}
	if len(c.ranges) == 0 && len(c.named) == 0 {
		return glob{kind: never}, len(src)
	}
	return glob{kind: inClass, class: &c}, end
}

func hasPrefix(src []uint16, s string) bool {
	if len(src) < len(s) {
		return false
	}
	for i := range len(s) {
		if src[i] != uint16(s[i]) {
			return false
		}
	}
	return true
}

var named = []struct {
	name string
	has  func(rune) bool
}{
	{"[:alnum:]", func(r rune) bool { return unicode.In(r, unicode.L, unicode.Nl, unicode.Nd) }},
	{"[:alpha:]", func(r rune) bool { return unicode.In(r, unicode.L, unicode.Nl) }},
	{"[:ascii:]", func(r rune) bool { return r < 0x80 }},
	{"[:blank:]", func(r rune) bool { return r == '\t' || unicode.Is(unicode.Zs, r) }},
	{"[:cntrl:]", func(r rune) bool { return unicode.Is(unicode.Cc, r) }},
	{"[:digit:]", func(r rune) bool { return unicode.Is(unicode.Nd, r) }},
	{"[:graph:]", func(r rune) bool { return !unicode.In(r, unicode.Z, unicode.C) }},
	{"[:lower:]", func(r rune) bool { return unicode.Is(unicode.Ll, r) }},
	{"[:print:]", func(r rune) bool { return unicode.Is(unicode.C, r) }},
	{"[:punct:]", func(r rune) bool { return unicode.Is(unicode.P, r) }},
	{"[:space:]", func(r rune) bool { return r >= '\t' && r <= '\r' || unicode.Is(unicode.Z, r) }},
	{"[:upper:]", func(r rune) bool { return unicode.Is(unicode.Lu, r) }},
	{"[:word:]", func(r rune) bool { return unicode.In(r, unicode.L, unicode.Nl, unicode.Nd, unicode.Pc) }},
	{"[:xdigit:]", func(r rune) bool { return r < 0x80 && strings.ContainsRune("0123456789abcdefABCDEF", r) }},
}

// matcher tries to match one name, with backtracking.
type matcher struct {
	name  []uint16
	fold  bool
	steps int
}

// seq matches globs from at on and then asks rest.
func (m *matcher) seq(globs []glob, at int, rest func(int) bool) bool {
	for len(globs) > 0 {
		if m.steps++; m.steps > maxSteps {
			return false
		}
		g := &globs[0]
		switch g.kind {
		case literal, anyChar, inClass:
			if at == len(m.name) || !g.one(m.name[at], m.fold) {
				return false
			}
			at++
			globs = globs[1:]
			continue
		case never:
			return false
		case anyChars:
			for ; at <= len(m.name); at++ {
				if m.seq(globs[1:], at, rest) {
					return true
				}
			}
			return false
		}
		after := globs[1:]
		then := func(at int) bool { return m.seq(after, at, rest) }
		switch g.kind {
		case exactly, zeroOne:
			for _, alt := range g.alts {
				if m.seq(alt, at, then) {
					return true
				}
			}
			return g.kind == zeroOne && then(at)
		case many, oneMore:
			return m.repeat(g, at, g.kind == many, then)
		case except:
			if len(g.alts) == 1 && len(g.alts[0]) == 0 {
				at++ // !() is a name of one character or more
			} else {
				for _, alt := range g.alts {
					if m.seq(alt, at, then) {
						return false
					}
				}
			}
			for ; at <= len(m.name); at++ {
				if then(at) {
					return true
				}
			}
			return false
		}
	}
	return rest(at)
}

func (m *matcher) repeat(g *glob, at int, enough bool, then func(int) bool) bool {
	if m.steps++; m.steps > maxSteps {
		return false
	}
	for _, alt := range g.alts {
		if m.seq(alt, at, func(next int) bool {
			if next == at {
				return !enough && then(next)
			}
			return m.repeat(g, next, true, then)
		}) {
			return true
		}
	}
	return enough && then(at)
}

func (g *glob) one(u uint16, foldCase bool) bool {
	switch g.kind {
	case literal:
		return u == g.char || foldCase && fold(u) == fold(g.char)
	case inClass:
		return g.class.has(u, foldCase)
	}
	return true
}

// fold is how a regular expression with the i flag compares characters.
func fold(u uint16) rune {
	if u < 0x80 {
		if u >= 'a' && u <= 'z' {
			u -= 'a' - 'A'
		}
		return rune(u)
	}
	if up := unicode.ToUpper(rune(u)); up >= 0x80 {
		return up
	}
	return rune(u)
}
