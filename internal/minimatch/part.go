package minimatch

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/ibid-pm/ibid/internal/js"
)

// maxSteps bounds the work of matching one name with one part of a pattern.
// Patterns come from strangers. What is cut off doesn't match, as with
// minimatch's own limits.
const maxSteps = 1 << 20

// Part is what stands between two slashes of a pattern.
type Part struct {
	Text  string // the name, unescaped; as written if there is Magic
	Magic bool   // it must be matched; else it is a name

	opts   Options
	suffix *string // the part is stars and this, in lower case with NoCase
	count  int     // with suffix: that many UTF-16 units in all
	seq    []glob  // else these, one after the other
}

// Globstar reports whether the part is "**".
func (p Part) Globstar() bool { return p.Text == "**" }

func parsePart(s string, opts Options) Part {
	part := Part{Text: s, Magic: true, opts: opts}
	if s == "**" {
		return part
	}
	lower := func(s string) string {
		if opts.NoCase {
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
		part.suffix = &low
		return part
	} else if rest := s[marks:]; marks > 0 && !strings.ContainsAny(rest, "+@!?*[(") {
		low := lower(rest)
		part.suffix, part.count = &low, js.Length(s)
		return part
	}
	if !strings.ContainsAny(s, `*?[\(`) {
		part.seq = text(s)
		part.Magic = false
		return part
	}
	p := &globParser{src: utf16.Encode([]rune(s))}
	part.seq = p.sequence(0, false, true)
	if len(part.seq) == 1 && part.seq[0].hollow() {
		part.seq = text(s)
	}
	if !slices.ContainsFunc(part.seq, func(g glob) bool { return g.kind != literal }) {
		units := make([]uint16, len(part.seq))
		for i, g := range part.seq {
			units[i] = g.char
		}
		part.Text, part.Magic = string(utf16.Decode(units)), false
	}
	return part
}

func text(s string) []glob {
	units := utf16.Encode([]rune(s))
	out := make([]glob, len(units))
	for i, u := range units {
		out[i].char = u
	}
	return out
}

// Match reports whether the part, which is no Globstar, matches a name.
func (p Part) Match(name string) bool {
	if p.suffix != nil {
		switch {
		case name == "" && *p.suffix == "":
			return false
		case p.hides(name) && !(p.opts.Dot && p.count == 0 && *p.suffix != ""):
			return false // minimatch has *. match ".." if dots are no matter
		case p.count > 0 && js.Length(name) != p.count:
			return false
		}
		if p.opts.NoCase {
			name = strings.ToLower(name)
		}
		return strings.HasSuffix(name, *p.suffix)
	}
	if !p.Magic && !p.opts.NoCase {
		return name == p.Text
	}
	if (name == "." || name == "..") && p.guarded() {
		return false
	}
	m := matcher{name: utf16.Encode([]rune(name)), opts: p.opts, hidden: p.hides(name)}
	return m.seq(p.seq, 0, func(at int) bool { return at == len(m.name) })
}

// guarded says that the part matches neither "." nor "..": it begins with magic,
// or with one or two dots and then magic, that is no extended form.
func (p Part) guarded() bool {
	for i := range min(3, len(p.seq)) {
		switch g := p.seq[i]; {
		case g.kind == literal && g.char == '.':
		default:
			return g.kind == anyChar || g.kind == anyChars || g.kind == inClass
		}
	}
	return false
}

// hides says that magic doesn't match the dot which a name begins with.
func (p Part) hides(name string) bool {
	if p.opts.Dot {
		return name == "." || name == ".."
	}
	return strings.HasPrefix(name, ".")
}

// A glob is a piece of a part.
type glob struct {
	kind  globKind
	char  uint16
	class *class
	alts  [][]glob
	first bool // it stands where the part begins: a dot there may be hidden from it
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

// hollow says that the glob is an extended form of nothing, like @(), which is
// text where it is a whole part.
func (g glob) hollow() bool {
	return g.kind >= zeroOne && g.kind != except && !slices.ContainsFunc(g.alts, func(alt []glob) bool { return len(alt) > 0 })
}

type globParser struct {
	src []uint16
	at  int
	// open says that an extended form had no end. minimatch takes it, and all that
	// is behind it, for globs without such forms.
	open bool
	// noClass says that a class had no end, and that none behind it has one.
	noClass bool
}

// maxExtDepth is how deep groups may be nested before they are text.
const maxExtDepth = 2

// sequence reads globs up to the end, or in a group up to | or ). first says that
// the part begins here.
func (p *globParser) sequence(depth int, group, first bool) []glob {
	var out []glob
	add := func(g glob) {
		g.first = first && len(out) == 0
		out = append(out, g)
	}
	excepts := true // there are only !(…) so far
	for p.at < len(p.src) {
		c := p.src[p.at]
		if group && (c == '|' || c == ')') {
			return out
		}
		if !p.open && depth <= maxExtDepth && p.at+1 < len(p.src) && p.src[p.at+1] == '(' && strings.ContainsRune("!?+*@", rune(c)) {
			if g, ok := p.extended(depth, first && excepts); ok {
				excepts = excepts && g.kind == except
				out = append(out, g)
				continue
			}
			if depth > 0 {
				return out
			}
		}
		excepts = false
		switch c {
		case '*':
			if n := len(out); n == 0 || out[n-1].kind != anyChars {
				add(glob{kind: anyChars})
			}
			p.at++
		case '?':
			add(glob{kind: anyChar})
			p.at++
		case '[':
			g, n := glob{char: c}, 1
			if !p.noClass {
				if class, end := parseClass(p.src[p.at:]); end > 0 {
					g, n = class, end
				} else if class.class == nil {
					p.noClass = true
				}
			}
			add(g)
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

// extended reads X(a|b). ok is false if it has no end.
func (p *globParser) extended(depth int, first bool) (g glob, ok bool) {
	start := p.at
	g.first = first
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
		g.alts = append(g.alts, p.sequence(depth+1, true, first && len(g.alts) == 0))
		if p.at == len(p.src) {
			p.open = true
			if depth == 0 { // else what is around it has no end either
				p.at = start
			}
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
// 0 when it has no end. There is a class all the same if it has a named one, which
// taken by itself has an end.
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
	if end < i && len(c.named) > 0 {
		return glob{class: &c}, 0
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
	name   []uint16
	opts   Options
	hidden bool // magic must not match the first character
	steps  int
}

// hides says that a glob must not match the first character.
func (m *matcher) hides(g *glob, at int) bool { return m.hidden && at == 0 && g.first }

// seq matches globs from at on and then asks rest.
func (m *matcher) seq(globs []glob, at int, rest func(int) bool) bool {
	for len(globs) > 0 {
		if m.steps++; m.steps > maxSteps {
			return false
		}
		g := &globs[0]
		switch g.kind {
		case literal, anyChar, inClass:
			if at == len(m.name) || g.kind != literal && m.hides(g, at) || !g.one(m.name[at], m.opts.NoCase) {
				return false
			}
			at++
			globs = globs[1:]
			continue
		case never:
			return false
		case anyChars:
			if m.hides(g, at) {
				return false
			}
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
			if !m.opts.Dot && m.hides(g, at) {
				return false
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
