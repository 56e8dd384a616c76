package spec

import "strings"

// flavour has node's path functions for one kind of machine (node: lib/path.js).
// Go's path/filepath only has the machine's own.
type flavour struct{ windows bool }

func (p Parser) flavour() flavour { return flavour{p.Windows} }

func (f flavour) isSlash(c byte) bool { return c == '/' || f.windows && c == '\\' }

func (f flavour) separator() string {
	if f.windows {
		return `\`
	}
	return "/"
}

func (f flavour) isAbs(path string) bool {
	if path == "" {
		return false
	}
	return f.isSlash(path[0]) ||
		f.windows && len(path) > 2 && isLetter(path[0]) && path[1] == ':' && f.isSlash(path[2])
}

// split takes a path apart: a device ("C:" or "\\server\share", Windows only),
// whether what follows it is absolute, and the rest.
func (f flavour) split(path string) (device string, abs bool, rest string) {
	if !f.windows || path == "" {
		if path != "" && path[0] == '/' {
			return "", true, path[1:]
		}
		return "", false, path
	}
	if f.isSlash(path[0]) {
		if len(path) > 1 && f.isSlash(path[1]) {
			if server, share, rest, ok := f.splitUNC(path[2:]); ok {
				return `\\` + server + `\` + share, true, rest
			}
		}
		return "", true, path[1:]
	}
	if len(path) > 1 && isLetter(path[0]) && path[1] == ':' {
		if len(path) > 2 && f.isSlash(path[2]) {
			return path[:2], true, path[3:]
		}
		return path[:2], false, path[2:]
	}
	return "", false, path
}

func (f flavour) splitUNC(path string) (server, share, rest string, ok bool) {
	i := 0
	for i < len(path) && !f.isSlash(path[i]) {
		i++
	}
	j := i
	for j < len(path) && f.isSlash(path[j]) {
		j++
	}
	k := j
	for k < len(path) && !f.isSlash(path[k]) {
		k++
	}
	if i == 0 || j == i || k == j {
		return "", "", "", false
	}
	return path[:i], path[j:k], path[k:], true
}

// resolve joins paths, the last absolute one counting, onto cwd.
func (f flavour) resolve(cwd string, paths ...string) string {
	device, rest := "", ""
	absolute := false
	all := append([]string{cwd}, paths...)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i] == "" {
			continue
		}
		d, abs, tail := f.split(all[i])
		if d != "" {
			if device != "" && !strings.EqualFold(d, device) {
				continue // another drive's path says nothing of this one
			}
			if device == "" {
				device = d
			}
		}
		if absolute {
			if device != "" {
				break
			}
			continue
		}
		rest = tail + "/" + rest
		absolute = abs
		if absolute && (device != "" || !f.windows) {
			break
		}
	}
	path := f.clean(rest)
	if absolute {
		return device + f.separator() + path
	}
	if device+path == "" {
		return "."
	}
	return device + path
}

// clean resolves "." and ".." of an absolute path without its root.
func (f flavour) clean(path string) string {
	var segments []string
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || f.windows && r == '\\' }) {
		switch segment {
		case ".":
		case "..":
			if len(segments) > 0 {
				segments = segments[:len(segments)-1]
			}
		default:
			segments = append(segments, segment)
		}
	}
	return strings.Join(segments, f.separator())
}

// relative returns the way from one absolute, clean path to another; "" where
// they are the same, the second itself where there is no way.
func (f flavour) relative(from, to string) string {
	fold := func(s string) string { return s }
	if f.windows {
		fold = strings.ToLower
	}
	if fold(from) == fold(to) {
		return ""
	}
	fromDevice, _, fromRest := f.split(from)
	toDevice, _, toRest := f.split(to)
	if fold(fromDevice) != fold(toDevice) {
		return to
	}
	segments := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, f.separator())
	}
	a, b := segments(strings.Trim(fromRest, f.separator())), segments(strings.Trim(toRest, f.separator()))
	n := 0
	for n < len(a) && n < len(b) && fold(a[n]) == fold(b[n]) {
		n++
	}
	way := make([]string, 0, len(a)+len(b)-2*n)
	for range a[n:] {
		way = append(way, "..")
	}
	return strings.Join(append(way, b[n:]...), f.separator())
}
