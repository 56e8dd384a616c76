package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Selector is a parsed query. It is read-only.
type Selector struct {
	rows []row
}

// row is one alternative: what stands between commas.
type row []part

type kind uint8

const (
	universal kind = iota
	tag
	id
	class
	attribute
	pseudo
	combinator
)

func (k kind) String() string {
	return [...]string{"universal", "tag", "id", "class", "attribute", "pseudo", "combinator"}[k]
}

type part struct {
	kind  kind
	value string // name, without "#", "." or ":"; a combinator's sign
	attr  attrTest

	path   []string  // of :attr and :semver; "" goes into a list's items
	inner  *Selector // of :is, :has, :not
	arg    string    // of :path, :type, :outdated, :semver
	called string    // the function of :semver
	vulns  []vuln    // of :vuln; nil for any
}

// attrTest is "[name]" or "[name op value]".
type attrTest struct {
	name, operator, value string
	insensitive           bool
}

// vuln is one alternative of :vuln.
type vuln struct {
	severity, cwe []string // nil for any
}

// Error says what is wrong with a query.
type Error struct {
	code string
	text string
}

func (e *Error) Error() string { return e.text }

// Code is npm's code, EQUERYATTR and the like; "" for a text that is no
// selector at all.
func (e *Error) Code() string { return e.code }

func failf(code, format string, args ...any) error {
	return &Error{code: code, text: fmt.Sprintf(format, args...)}
}

// maxDepth bounds how deep selectors stand in each other.
const maxDepth = 100

// Parse reads a query. An empty one selects nothing. Errors are *Error.
func Parse(text string) (*Selector, error) {
	if text == "" {
		return &Selector{}, nil
	}
	p := parser{text: text}
	s, err := p.selectors()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(p.text[p.pos:], `\/`) {
		return nil, failf("", "a slash takes no backslash: unexpected %q at character %d", `\/`, p.pos+1)
	}
	if p.pos < len(p.text) {
		return nil, failf("", "expected a selector, found %q at character %d", p.text[p.pos:], p.pos+1)
	}
	return s, nil
}

type parser struct {
	text  string
	pos   int
	depth int
}

func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) space() bool {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n\f", p.text[p.pos]) >= 0 {
		p.pos++
	}
	return p.pos > start
}

// selectors reads alternatives up to a closing bracket or the end.
func (p *parser) selectors() (*Selector, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, failf("", "selectors stand in each other too deep")
	}
	defer func() { p.depth-- }()
	s := &Selector{}
	for {
		r, err := p.row()
		if err != nil {
			return nil, err
		}
		s.rows = append(s.rows, r)
		if p.peek() != ',' {
			return s, nil
		}
		p.pos++
	}
}

func (p *parser) row() (row, error) {
	var r row
	p.space()
	for p.pos < len(p.text) {
		c := p.peek()
		if c == ',' || c == ')' {
			break
		}
		if strings.IndexByte(">~+", c) >= 0 {
			p.pos++
			p.space()
			r = append(r, part{kind: combinator, value: string(c)})
			continue
		}
		x, err := p.part()
		if err != nil {
			return nil, err
		}
		r = append(r, x)
		if p.space() {
			if c := p.peek(); c != 0 && strings.IndexByte(",)>~+", c) < 0 {
				r = append(r, part{kind: combinator, value: " "})
			}
		}
	}
	if len(r) == 0 && p.peek() == ',' {
		return nil, failf("", "expected a selector before character %d", p.pos+1)
	}
	return r, nil
}

func (p *parser) part() (part, error) {
	c := p.peek()
	switch c {
	case '*':
		p.pos++
		return part{kind: universal}, nil
	case '#', '.':
		p.pos++
		k := id
		if c == '.' {
			k = class
		}
		return part{kind: k, value: p.name()}, nil
	case '[':
		t, err := p.attribute()
		return part{kind: attribute, attr: t}, err
	case ':':
		p.pos++
		if p.peek() == ':' {
			p.pos++
		}
		return p.pseudo(p.name())
	}
	if name := p.name(); name != "" {
		return part{kind: tag, value: name}, nil
	}
	return part{}, failf("", "expected a selector, found %q at character %d", p.text[p.pos:], p.pos+1)
}

// name reads a name; slashes and at signs are part of packages' names. npm puts
// a backslash before each slash itself, so that one before it ends up escaped,
// and the slash bare.
func (p *parser) name() string {
	var b strings.Builder
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		switch {
		case r == '\\' && p.pos+size < len(p.text):
			if p.text[p.pos+size] == '/' {
				return b.String()
			}
			p.pos += size
			_, size = utf8.DecodeRuneInString(p.text[p.pos:])
			b.WriteString(p.text[p.pos : p.pos+size])
		case r == '-' || r == '_' || r == '/' || r == '@' || r >= utf8.RuneSelf || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteString(p.text[p.pos : p.pos+size])
		default:
			return b.String()
		}
		p.pos += size
	}
	return b.String()
}

// attribute reads "[name op value i]".
func (p *parser) attribute() (attrTest, error) {
	var t attrTest
	p.pos++
	p.space()
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("=~|^$*] \t", p.peek()) < 0 {
		if p.peek() == '\\' {
			p.pos++
		}
		p.pos++
	}
	p.pos = min(p.pos, len(p.text))
	t.name = strings.ReplaceAll(p.text[start:p.pos], `\`, "")
	p.space()
	if c := p.peek(); c != ']' && c != 0 {
		if c != '=' {
			t.operator = string(c)
			p.pos++
		}
		if p.peek() != '=' {
			return t, failf("", "expected an operator in an attribute at character %d", p.pos+1)
		}
		t.operator += "="
		p.pos++
		p.space()
		t.value = p.value()
		if p.space() {
			if c := p.peek(); c == 'i' || c == 'I' {
				t.insensitive = true
				p.pos++
				p.space()
			}
		}
	}
	if p.peek() != ']' {
		return t, failf("", "expected a closing square bracket at character %d", p.pos+1)
	}
	p.pos++
	return t, nil
}

// value reads an attribute's value, quoted or not.
func (p *parser) value() string {
	quote := p.peek()
	if quote != '"' && quote != '\'' {
		start := p.pos
		for p.pos < len(p.text) && strings.IndexByte("] \t", p.peek()) < 0 {
			p.pos++
		}
		return strings.ReplaceAll(p.text[start:p.pos], `\`, "")
	}
	p.pos++
	var b strings.Builder
	for p.pos < len(p.text) && p.peek() != quote {
		if p.peek() == '\\' && p.pos+1 < len(p.text) {
			p.pos++
		}
		b.WriteByte(p.peek())
		p.pos++
	}
	if p.pos < len(p.text) {
		p.pos++
	}
	return b.String()
}

func (p *parser) pseudo(name string) (part, error) {
	x := part{kind: pseudo, value: name}
	if p.peek() != '(' {
		switch name {
		case "is", "has", "not":
			x.inner = &Selector{}
		case "attr":
			return x, failf("EQUERYATTR", "`:attr` pseudo-class expects an attribute matcher as the last value")
		case "semver":
			x.attr.name = "version"
		}
		return x, nil
	}
	p.pos++
	var err error
	switch name {
	case "is", "has", "not":
		if x.inner, err = p.selectors(); err != nil {
			return x, err
		}
	case "attr":
		if x.path, x.attr, err = p.attrPath(); err != nil {
			return x, err
		}
	case "semver":
		if err := p.semver(&x); err != nil {
			return x, err
		}
	case "vuln":
		if x.vulns, err = p.vulns(); err != nil {
			return x, err
		}
	default:
		x.arg = strings.TrimSpace(p.raw(")"))
	}
	p.space()
	if p.peek() != ')' {
		return x, failf("", "expected a closing parenthesis at character %d", p.pos+1)
	}
	p.pos++
	return x, nil
}

// raw reads up to one of the ends that stands in no brackets or quotes.
func (p *parser) raw(ends string) string {
	start, depth := p.pos, 0
	for p.pos < len(p.text) {
		c := p.peek()
		if depth == 0 && strings.IndexByte(ends, c) >= 0 {
			break
		}
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '"', '\'':
			if end := strings.IndexByte(p.text[p.pos+1:], c); end >= 0 {
				p.pos += end + 1
			}
		}
		p.pos++
	}
	return p.text[start:p.pos]
}

// attrPath reads what stands in :attr(…): keys, then an attribute.
func (p *parser) attrPath() (path []string, t attrTest, err error) {
	if p.depth++; p.depth > maxDepth {
		return nil, t, failf("", "selectors stand in each other too deep")
	}
	defer func() { p.depth-- }()
	bad := failf("EQUERYATTR", "`:attr` pseudo-class expects an attribute matcher as the last value")
	for {
		p.space()
		switch {
		case p.peek() == '[':
			if t, err = p.attribute(); err != nil {
				return nil, t, err
			}
		case strings.HasPrefix(p.text[p.pos:], ":attr("):
			p.pos += len(":attr(")
			inner, test, err := p.attrPath()
			if err != nil {
				return nil, t, err
			}
			p.space()
			if p.peek() != ')' {
				return nil, t, bad
			}
			p.pos++
			path = append(append(path, ""), inner...)
			t = test
		default:
			name := p.name()
			if name == "" {
				return nil, t, bad
			}
			p.space()
			if p.peek() != ',' {
				return nil, t, bad
			}
			p.pos++
			path = append(path, name)
			continue
		}
		p.space()
		if p.peek() != ')' {
			return nil, t, bad
		}
		return path, t, nil
	}
}

// semver reads what stands in :semver(…): a version or range, an attribute to
// hold it against, a function; the first two in either order.
func (p *parser) semver(x *part) error {
	x.attr.name = "version"
	var args []string
	for {
		p.space()
		args = append(args, strings.TrimSpace(p.raw(",)")))
		if p.peek() != ',' {
			break
		}
		p.pos++
	}
	if len(args) == 3 {
		x.called = strings.Trim(args[2], `"'`)
		if strings.HasPrefix(args[2], "[") || strings.HasPrefix(args[2], ":") {
			return failf("ESEMVERFUNC", "`:semver` pseudo-class expects a function name as last value")
		}
		args = args[:2]
	}
	selects := func(s string) bool {
		return strings.HasPrefix(s, "[") || strings.HasPrefix(s, ":") || strings.HasPrefix(s, `"`) || strings.HasPrefix(s, "'")
	}
	if len(args) == 1 {
		x.arg = args[0]
		return nil
	}
	static := 0
	if selects(args[0]) {
		if static = 1; selects(args[1]) {
			return failf("ESEMVERVALUE", "`:semver` pseudo-class expects a static value in the first or second position")
		}
	}
	x.arg = args[static]
	inner := parser{text: args[1-static], depth: p.depth}
	switch {
	case strings.HasPrefix(inner.text, "["):
		t, err := inner.attribute()
		if err != nil {
			return err
		}
		x.attr = t
		return nil
	case strings.HasPrefix(inner.text, ":attr("):
		inner.pos = len(":attr(")
		path, t, err := inner.attrPath()
		if err != nil {
			return err
		}
		// npm takes :attr's own place in the path for a list's items.
		x.path, x.attr = append([]string{""}, path...), t
		return nil
	}
	return failf("EQUERYATTR", "`:attr` pseudo-class expects an attribute matcher as the last value")
}

func (p *parser) vulns() ([]vuln, error) {
	var out []vuln
	for {
		var v vuln
		for p.space(); p.peek() != ',' && p.peek() != ')' && p.peek() != 0; p.space() {
			if p.peek() != '[' {
				return nil, failf("EQUERYATTR", `:vuln pseudo-class only accepts attribute matchers or "cwe" tag`)
			}
			t, err := p.attribute()
			if err != nil {
				return nil, err
			}
			if t.operator == "" {
				t.operator, t.value = "=", "*"
			}
			if t.operator != "=" {
				return nil, failf("EQUERYATTR", `:vuln pseudo-class attribute selector only accepts "=" operator`)
			}
			switch t.name {
			case "severity":
				v.severity = append(v.severity, t.value)
			case "cwe":
				v.cwe = append(v.cwe, t.value)
			default:
				return nil, failf("EQUERYATTR", `:vuln pseudo-class only matches "severity" and "cwe" attributes`)
			}
		}
		if v.severity != nil || v.cwe != nil {
			out = append(out, v)
		}
		if p.peek() != ',' {
			return out, nil
		}
		p.pos++
	}
}
