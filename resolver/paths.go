package resolver

import (
	"path"
	"path/filepath"
	"strings"
)

// Paths inside the tree are absolute and have forward slashes everywhere, on
// Windows after the drive letter as well: locations are parts of them.

// cleanPath makes an absolute path of the system one of the tree's.
func cleanPath(p string) string {
	if abs, err := filepath.Abs(p); err == nil {
		p = abs
	}
	return filepath.ToSlash(p)
}

// relPath is Node's path.relative for absolute paths with forward slashes: ""
// for the same place, "../x" for a place outside.
func relPath(from, to string) string {
	if from == to {
		return ""
	}
	if strings.HasPrefix(to, from) {
		if from == "/" {
			return to[1:]
		}
		if to[len(from)] == '/' {
			return to[len(from)+1:]
		}
	}
	// The common leading folders.
	common := 0
	for i := 0; ; i++ {
		endFrom, endTo := i == len(from), i == len(to)
		if (endFrom || from[i] == '/') && (endTo || to[i] == '/') {
			common = i
		}
		if endFrom || endTo || from[i] != to[i] {
			break
		}
	}
	var b strings.Builder
	if rest := strings.Trim(from[common:], "/"); rest != "" {
		b.WriteString("..")
		for range strings.Count(rest, "/") {
			b.WriteString("/..")
		}
	}
	if rest := strings.Trim(to[common:], "/"); rest != "" {
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(rest)
	}
	return b.String()
}

// joinPath is Node's path.resolve(dir, p) for a dir that is absolute.
func joinPath(dir, p string) string {
	if isAbs(p) {
		return path.Clean(p)
	}
	return path.Join(dir, p)
}

// isClean says that joinPath has nothing to do but to join; it may say no too
// often.
func isClean(p string) bool {
	return p != "" && p[0] != '.' && p[0] != '/' && p[len(p)-1] != '/' && !strings.Contains(p, "//") && !strings.Contains(p, "/.") && !isAbs(p)
}

func isAbs(p string) bool {
	return strings.HasPrefix(p, "/") || len(p) > 2 && p[1] == ':' && p[2] == '/'
}

// dirOf is path.dirname for absolute paths.
func dirOf(p string) string {
	i := strings.LastIndexByte(p, '/')
	switch {
	case i < 0:
		return p
	case i == 0:
		return "/"
	case i == 2 && p[1] == ':':
		return p[:3]
	}
	return p[:i]
}

// nameFromFolder gives a package's name from where it lies: the last part of
// the path, with the scope before it (npm: @npmcli/name-from-folder).
func nameFromFolder(p string) string {
	if p == "" {
		return ""
	}
	dir, base := path.Split(strings.TrimRight(p, "/"))
	if parent := path.Base(dir); strings.HasPrefix(parent, "@") {
		return parent + "/" + base
	}
	return base
}

// nameOfModulePath gives the name that a path's last node_modules part stands
// for, "" when the path does not end in one package of a node_modules folder.
func nameOfModulePath(p string) string {
	const nm = "node_modules/"
	i := strings.LastIndex(p, nm)
	if i < 0 || i > 0 && p[i-1] != '/' {
		return ""
	}
	name := p[i+len(nm):]
	if slash := strings.IndexByte(name, '/'); slash >= 0 {
		if name[0] != '@' || strings.IndexByte(name[slash+1:], '/') >= 0 || slash+1 == len(name) {
			return ""
		}
	}
	return name
}
