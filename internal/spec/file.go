package spec

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/weburl"
)

// file reads a path, with "file:" before it or not. npm has always taken more
// than RFC 8089 allows: "file:x", "file://x" and "file:/../x" are all paths.
func (p Parser) file(s *Spec, where string) error {
	s.Type = Directory
	if isTarballName(s.RawSpec) {
		s.Type = File
	}
	fl := p.flavour()
	if where == "" {
		where = p.cwd()
	}
	s.Where = where

	text := p.encodePath(s.RawSpec)
	if rest := text[len("file:"):]; strings.HasPrefix(rest, "/") {
		if strings.HasPrefix(rest, "//") && len(rest) > 2 && rest[2] != '/' {
			rest = "/" + rest // "file://x" has no host x
		}
		// "file:/../x" and "file:///./x" are relative.
		if path := strings.TrimLeft(rest, "/"); len(rest)-len(path) <= 3 && startsWithDots(path) {
			rest = path
		}
		text = "file:" + rest
	}
	base, ok := weburl.Parse(p.encodePath(fl.resolve(p.cwd(), where)) + "/")
	if !ok {
		return p.fileError(s)
	}
	resolved, ok := weburl.ParseFile(text, &base)
	if !ok {
		return p.fileError(s)
	}
	alone, ok := weburl.Parse(text)
	if !ok {
		return p.fileError(s)
	}
	specPath, ok1 := js.DecodeURIComponent(alone.Path)
	path, ok2 := js.DecodeURIComponent(resolved.Path)
	if !ok1 || !ok2 {
		return p.fileError(s)
	}
	if p.Windows {
		specPath, path = trimDriveSlash(specPath), trimDriveSlash(path)
	}

	switch {
	case specPath == "/~" || strings.HasPrefix(specPath, "/~/"):
		home, err := p.home()
		if err != nil {
			return err
		}
		s.SaveSpec = "file:" + specPath[1:]
		path = fl.resolve(p.cwd(), home, strings.TrimPrefix(specPath[2:], "/"))
	case !fl.isAbs(text[len("file:"):]):
		s.SaveSpec = "file:" + fl.relative(fl.resolve(p.cwd(), where), fl.resolve(p.cwd(), path))
	default:
		s.SaveSpec = "file:" + fl.resolve(p.cwd(), path)
	}
	s.FetchSpec = fl.resolve(p.cwd(), where, path)
	s.SaveSpec = strings.ReplaceAll(s.SaveSpec, `\`, "/")
	if rest, ok := strings.CutPrefix(s.SaveSpec, "file://"); ok {
		s.SaveSpec = "file:/" + rest
	}
	return nil
}

func (p Parser) fileError(s *Spec) error {
	return &Error{Raw: s.Raw, Problem: "Invalid file: URL, must comply with RFC 8089"}
}

// startsWithDots reports whether a path's first segment is "." or "..".
func startsWithDots(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first == "." || first == ".."
}

// trimDriveSlash makes "C:/x" of "/C:/x".
func trimDriveSlash(path string) string {
	rest := strings.TrimLeft(path, "/")
	if len(rest) < len(path) && len(rest) > 2 && isLetter(rest[0]) && rest[1] == ':' && rest[2] == '/' {
		return rest
	}
	return path
}

// encodePath makes a file URL of a path, as node does before it resolves one.
// A "#" is part of the path, then.
func (p Parser) encodePath(path string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	if !strings.HasPrefix(path, "file:") {
		b.WriteString("file:")
	}
	for i := range len(path) {
		switch c := path[i]; c {
		case '\\':
			if p.Windows {
				b.WriteByte('/')
				continue
			}
			b.WriteString("%5C")
		case 0, '\t', '\n', '\r', ' ', '"', '#', '%', '?', '[', ']', '^', '|', '~':
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
