package lockfile

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/regular"
)

// Glimpse is what a glance at a lock shows of one entry of "packages".
type Glimpse struct {
	Location Location
	Name     string // the entry's own
	Version  string
	Resolved string

	Link, InBundle, Extraneous, Peer, Dev, Optional, DevOptional bool
}

// Glance reads only of what is where from the text of a lock, in a fraction of
// the time that Parse takes: for a question that is asked before every script.
// It gives nil for what is no lock with "packages"; it is not the one to
// complain.
func Glance(text []byte) []Glimpse {
	g := glancer{text: string(text)}
	var out []Glimpse
	ok := g.object(func(key string) bool {
		if key != "packages" {
			return g.value(0)
		}
		out = out[:0] // of two members with one name the last counts
		return g.object(func(location string) bool {
			p := Glimpse{Location: Location(location)}
			ok := g.object(func(key string) bool { return g.member(&p, key) })
			out = append(out, p)
			return ok
		})
	})
	if g.space(); !ok || g.at != len(g.text) {
		return nil
	}
	return out
}

// GlanceAt reads the lock of the project in dir, and GlanceHidden the hidden one.
// Where there is none, or none with "packages", they give nil.
func GlanceAt(dir string) ([]Glimpse, error) {
	for _, name := range []string{ShrinkwrapName, LockName} {
		data, err := regular.ReadFile(filepath.Join(dir, name))
		if err == nil && len(data) > 0 {
			return Glance(data), nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return nil, nil
}

// GlanceHidden is GlanceAt for the hidden lock.
func GlanceHidden(dir string) ([]Glimpse, error) {
	data, err := regular.ReadFile(filepath.Join(dir, filepath.FromSlash(HiddenName)))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return Glance(data), err
}

// glancer is a JSON reader that keeps nothing. Texts that it gives are parts of
// the whole where nothing is escaped in them.
type glancer struct {
	text string
	at   int
}

func (g *glancer) member(p *Glimpse, key string) bool {
	var text *string
	var flag *bool
	switch key {
	case "name":
		text = &p.Name
	case "version":
		text = &p.Version
	case "resolved":
		text = &p.Resolved
	case "link":
		flag = &p.Link
	case "inBundle":
		flag = &p.InBundle
	case "extraneous":
		flag = &p.Extraneous
	case "peer":
		flag = &p.Peer
	case "dev":
		flag = &p.Dev
	case "optional":
		flag = &p.Optional
	case "devOptional":
		flag = &p.DevOptional
	}
	g.space()
	switch {
	case text != nil && g.is('"'):
		s, ok := g.str()
		*text = s
		return ok
	case flag != nil && strings.HasPrefix(g.text[g.at:], "true"):
		*flag = true
	}
	return g.value(0)
}

func (g *glancer) is(c byte) bool { return g.at < len(g.text) && g.text[g.at] == c }

func (g *glancer) space() {
	for g.at < len(g.text) {
		switch g.text[g.at] {
		case ' ', '\n', '\t', '\r':
			g.at++
		default:
			return
		}
	}
}

func (g *glancer) take(c byte) bool {
	g.space()
	if !g.is(c) {
		return false
	}
	g.at++
	return true
}

// object reads an object; each reads the value of a member.
func (g *glancer) object(each func(key string) bool) bool {
	if !g.take('{') {
		return false
	}
	if g.take('}') {
		return true
	}
	for {
		g.space()
		key, ok := g.str()
		if !ok || !g.take(':') || !each(key) {
			return false
		}
		if g.take(',') {
			continue
		}
		return g.take('}')
	}
}

// str reads a text.
func (g *glancer) str() (string, bool) {
	if !g.is('"') {
		return "", false
	}
	start := g.at + 1
	end := strings.IndexByte(g.text[start:], '"')
	if end < 0 {
		return "", false
	}
	end += start
	if strings.IndexByte(g.text[start:end], '\\') >= 0 {
		return g.escaped(start)
	}
	g.at = end + 1
	return g.text[start:end], true
}

// escaped reads a text in which something is escaped.
func (g *glancer) escaped(start int) (string, bool) {
	for i := start; i < len(g.text); i++ {
		switch g.text[i] {
		case '\\':
			i++
		case '"':
			g.at = i + 1
			raw := g.text[start:i]
			if !strings.ContainsAny(raw, "\n") {
				// JSON's escapes are Go's, but for the slash.
				if s, err := strconv.Unquote(`"` + strings.ReplaceAll(raw, `\/`, `/`) + `"`); err == nil {
					return s, true
				}
			}
			return raw, true
		}
	}
	return "", false
}

// deepest is how deep values are followed.
const deepest = 1000

// value passes over any value.
func (g *glancer) value(depth int) bool {
	if depth > deepest {
		return false
	}
	g.space()
	if g.at >= len(g.text) {
		return false
	}
	switch g.text[g.at] {
	case '"':
		_, ok := g.str()
		return ok
	case '{':
		return g.object(func(string) bool { return g.value(depth + 1) })
	case '[':
		g.at++
		if g.take(']') {
			return true
		}
		for g.value(depth + 1) {
			if !g.take(',') {
				return g.take(']')
			}
		}
		return false
	}
	start := g.at
	for g.at < len(g.text) {
		switch g.text[g.at] {
		case ',', '}', ']', ' ', '\n', '\t', '\r', '"', '{', '[', ':':
			return g.at > start
		}
		g.at++
	}
	return g.at > start
}
