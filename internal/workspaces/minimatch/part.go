package minimatch

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// node is one step of a part.
type node struct {
	op    byte // 0 text, '?', '*' any, '[' class, '(' extended
	text  string
	class class
	ext   byte // '?', '*', '+', '@', '!'
	alts  [][]node
}

type class struct {
	negate bool
	ranges []rune // pairs
	named  []func(rune) bool
}

func (c class) has(r rune) bool {
	in := false
	for i := 0; i < len(c.ranges); i += 2 {
		in = in || r >= c.ranges[i] && r <= c.ranges[i+1]
	}
	for _, f := range c.named {
		in = in || f(r)
	}
	return in != c.negate
}

// parsePart reads what stands between two slashes.
func parsePart(text string) Part {
	if text == "**" {
		return Part{Text: text, Magic: true}
	}
	if !strings.ContainsAny(text, `*?[\(`) {
		return Part{Text: text}
	}
	p := partParser{s: text}
	nodes := p.sequence(false)
	if !p.magic {
		var b strings.Builder
		for _, n := range nodes {
			b.WriteString(n.text)
		}
		return Part{Text: b.String()}
	}
	return Part{Text: text, Magic: true, nodes: nodes}
}

type partParser struct {
	s     string
	i     int
	magic bool
	depth int
}

// sequence reads nodes up to the end, or within parentheses up to | or ).
func (p *partParser) sequence(inside bool) []node {
	var nodes []node
	literal := func(s string) {
		if n := len(nodes); n > 0 && nodes[n-1].op == 0 {
			nodes[n-1].text += s
			return
		}
		nodes = append(nodes, node{text: s})
	}
	for p.i < len(p.s) {
		c := p.s[p.i]
		if inside && (c == '|' || c == ')') {
			return nodes
		}
		if strings.IndexByte("?*+@!", c) >= 0 && p.i+1 < len(p.s) && p.s[p.i+1] == '(' && p.depth < 8 {
			if n, ok := p.extended(); ok {
				p.magic = true
				nodes = append(nodes, n)
				continue
			}
		}
		switch c {
		case '\\':
			if p.i+1 < len(p.s) {
				_, size := utf8.DecodeRuneInString(p.s[p.i+1:])
				literal(p.s[p.i+1 : p.i+1+size])
				p.i += 1 + size
				continue
			}
			literal(`\`)
			p.i++
		case '*':
			p.magic = true
			if n := len(nodes); n == 0 || nodes[n-1].op != '*' {
				nodes = append(nodes, node{op: '*'})
			}
			p.i++
		case '?':
			p.magic = true
			nodes = append(nodes, node{op: '?'})
			p.i++
		case '[':
			if n, ok := p.class(); ok {
				p.magic = p.magic || n.op != 0
				nodes = append(nodes, n)
				continue
			}
			literal("[")
			p.i++
		default:
			_, size := utf8.DecodeRuneInString(p.s[p.i:])
			literal(p.s[p.i : p.i+size])
			p.i += size
		}
	}
	return nodes
}

func (p *partParser) extended() (node, bool) {
	start, magic := p.i, p.magic
	n := node{op: '(', ext: p.s[p.i]}
	p.i += 2
	p.depth++
	defer func() { p.depth-- }()
	for {
		n.alts = append(n.alts, p.sequence(true))
		if p.i >= len(p.s) {
			p.i, p.magic = start, magic // never closed: text
			return node{}, false
		}
		end := p.s[p.i] == ')'
		p.i++
		if end {
			return n, true
		}
	}
}

func (p *partParser) class() (node, bool) {
	s, i := p.s, p.i+1
	n := node{op: '['}
	if i < len(s) && (s[i] == '!' || s[i] == '^') {
		n.class.negate = true
		i++
	}
	first := true
	for i < len(s) {
		if s[i] == ']' && !first {
			p.i = i + 1
			if len(n.class.ranges) == 2 && n.class.ranges[0] == n.class.ranges[1] && len(n.class.named) == 0 && !n.class.negate {
				return node{text: string(n.class.ranges[0])}, true // [x] is x
			}
			return n, true
		}
		first = false
		if name, f := posixClass(s[i:]); f != nil {
			n.class.named = append(n.class.named, f)
			i += len(name)
			continue
		}
		lo, size := classRune(s[i:])
		i += size
		if i+1 < len(s) && s[i] == '-' && s[i+1] != ']' {
			hi, size := classRune(s[i+1:])
			i += 1 + size
			if hi >= lo {
				n.class.ranges = append(n.class.ranges, lo, hi)
			}
			continue
		}
		n.class.ranges = append(n.class.ranges, lo, lo)
	}
	return node{}, false
}

func classRune(s string) (rune, int) {
	if s[0] == '\\' && len(s) > 1 {
		r, size := utf8.DecodeRuneInString(s[1:])
		return r, size + 1
	}
	return utf8.DecodeRuneInString(s)
}

func posixClass(s string) (string, func(rune) bool) {
	if !strings.HasPrefix(s, "[:") {
		return "", nil
	}
	class, _, ok := strings.Cut(s[2:], ":]")
	if !ok {
		return "", nil
	}
	name := s[:2+len(class)+2]
	switch class {
	case "alnum":
		return name, func(r rune) bool { return unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) || unicode.IsDigit(r) }
	case "alpha":
		return name, func(r rune) bool { return unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) }
	case "ascii":
		return name, func(r rune) bool { return r < 0x80 }
	case "blank":
		return name, func(r rune) bool { return r == '\t' || unicode.Is(unicode.Zs, r) }
	case "cntrl":
		return name, unicode.IsControl
	case "digit":
		return name, unicode.IsDigit
	case "graph":
		return name, func(r rune) bool { return !unicode.In(r, unicode.Z, unicode.C) }
	case "lower":
		return name, unicode.IsLower
	case "print":
		return name, func(r rune) bool { return !unicode.Is(unicode.C, r) }
	case "punct":
		return name, unicode.IsPunct
	case "space":
		return name, func(r rune) bool { return r >= '\t' && r <= '\r' || unicode.Is(unicode.Z, r) }
	case "upper":
		return name, unicode.IsUpper
	case "word":
		return name, func(r rune) bool {
			return unicode.IsLetter(r) || unicode.In(r, unicode.Nl, unicode.Nd, unicode.Pc)
		}
	case "xdigit":
		return name, func(r rune) bool {
			return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F'
		}
	}
	return "", nil
}

// matcher follows the nodes of one part through a name. It gives up after a
// number of steps that no honest pattern needs.
type matcher struct {
	s     string
	dot   bool
	steps int
}

func matchPart(nodes []node, name string, dot bool) bool {
	if len(nodes) == 1 && nodes[0].op == '*' {
		if name == "" {
			return false
		}
		return dot && name != "." && name != ".." || name[0] != '.'
	}
	if len(nodes) == 2 && nodes[0].text == "." && nodes[1].op == '*' && (name == "." || name == "..") {
		return false
	}
	m := matcher{s: name, dot: dot}
	return m.run(nodes, 0, func(at int) bool { return at == len(name) })
}

// mayStart reports whether magic may match the character at.
func (m *matcher) mayStart(at int) bool {
	if at > 0 || len(m.s) == 0 || m.s[0] != '.' {
		return true
	}
	return m.dot && m.s != "." && m.s != ".."
}

func (m *matcher) run(nodes []node, at int, then func(int) bool) bool {
	if m.steps++; m.steps > 200000 {
		return false
	}
	if len(nodes) == 0 {
		return then(at)
	}
	n, rest := nodes[0], nodes[1:]
	switch n.op {
	case 0:
		return strings.HasPrefix(m.s[at:], n.text) && m.run(rest, at+len(n.text), then)
	case '?', '[':
		if at >= len(m.s) || !m.mayStart(at) {
			return false
		}
		r, size := utf8.DecodeRuneInString(m.s[at:])
		return (n.op == '?' || n.class.has(r)) && m.run(rest, at+size, then)
	case '*':
		if !m.mayStart(at) {
			return false
		}
		for end := at; end <= len(m.s); end++ {
			if m.run(rest, end, then) {
				return true
			}
		}
		return false
	}
	next := func(end int) bool { return m.run(rest, end, then) }
	switch n.ext {
	case '@':
		return m.one(n.alts, at, next)
	case '?':
		return m.one(n.alts, at, next) || next(at)
	case '+', '*':
		return n.ext == '*' && next(at) || m.repeat(n.alts, at, next)
	}
	// !(a): whatever is not a followed by the rest of the part.
	if m.one(n.alts, at, next) || !m.dot && !m.mayStart(at) {
		return false
	}
	from := at
	if len(n.alts) == 1 && len(n.alts[0]) == 0 {
		from++ // !() is at least one character
	}
	for end := from; end <= len(m.s); end++ {
		if next(end) {
			return true
		}
	}
	return false
}

func (m *matcher) one(alts [][]node, at int, then func(int) bool) bool {
	for _, alt := range alts {
		if m.run(alt, at, then) {
			return true
		}
	}
	return false
}

func (m *matcher) repeat(alts [][]node, at int, then func(int) bool) bool {
	return m.one(alts, at, func(end int) bool {
		return then(end) || end > at && m.repeat(alts, end, then)
	})
}
