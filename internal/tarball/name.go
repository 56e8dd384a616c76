package tarball

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"golang.org/x/text/unicode/norm"
)

// A Flavour is a family of filesystems with its own rules for names.
type Flavour int

const (
	Host    Flavour = iota // the machine's usual one
	POSIX                  // bytes: names that differ are different
	Mac                    // names differing in case or Unicode normalisation are the same
	Windows                // the same for case; backslash separates, some names are devices
)

func (f Flavour) resolve() Flavour {
	if f != Host {
		return f
	}
	switch runtime.GOOS {
	case "windows":
		return Windows
	case "darwin", "ios":
		return Mac
	}
	return POSIX
}

// key returns equal strings for paths that are one file.
func (f Flavour) key(path string) string {
	switch f {
	case Mac:
		// node-tar's normalize-unicode.js
		return strings.ToUpper(strings.ToLower(norm.NFD.String(path)))
	case Windows:
		return strings.ToUpper(strings.ToLower(path))
	}
	return path
}

// A refusal says why an entry isn't unpacked, or what was changed about it.
type refusal struct {
	code, reason string
}

// cleanPath turns an entry's path into the one it gets below the package's
// folder, as node-tar does with strip: 1 (unpack.js, checkPath). ok is false
// when the entry is left out; note, if not nil, is worth a Warning.
// parent is set when the path itself can't be, but npm would have made the
// folders above it.
func cleanPath(raw string, f Flavour, l Limits) (path, parent string, note *refusal, ok bool) {
	if f == Windows {
		raw = strings.ReplaceAll(raw, `\`, "/")
	}
	// A fast way for what nearly all entries are: "package/lib/x.js".
	i := strings.IndexByte(raw, '/')
	if i < 0 {
		return "", "", &refusal{"TAR_ENTRY_INFO", "nothing is left of the path without its first component"}, false
	}
	path = raw[i+1:]
	if len(path) <= maxName && f == POSIX && l.PathDepth >= maxName && l.PathLength >= maxName && plain(path) {
		return path, "", nil, path != ""
	}

	// node-tar counts before it cleans.
	if depth := strings.Count(path, "/") + 1; depth > l.PathDepth {
		return "", "", &refusal{"TAR_ENTRY_ERROR", fmt.Sprintf("path is %d folders deep, more than %d", depth, l.PathDepth)}, false
	}
	root, stripped := splitRoot(path)
	if climbs(stripped) || f == Windows && climbsDrive(stripped) {
		return "", "", &refusal{"TAR_ENTRY_ERROR", `path contains ".."`}, false
	}
	if root != "" {
		note = &refusal{"TAR_ENTRY_INFO", "path is absolute; unpacked without " + quote(root)}
	}

	var b strings.Builder
	b.Grow(len(stripped))
	for name := range strings.SplitSeq(stripped, "/") {
		if name == "" || name == "." {
			continue
		}
		if strings.IndexByte(name, 0) >= 0 {
			return "", "", &refusal{CodeEntry, "path contains a NUL"}, false
		}
		if f == Windows {
			name = encodeWindows(name)
		}
		if why := refuseName(name, f); why != "" {
			return "", b.String(), &refusal{"TAR_ENTRY_ERROR", why}, false
		}
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(name)
	}
	path = b.String()
	if path == "" {
		return "", "", &refusal{"TAR_ENTRY_INFO", "nothing is left of the path without its first component"}, false
	}
	if len(path) > l.PathLength {
		return "", "", &refusal{"TAR_ENTRY_ERROR", fmt.Sprintf("path has %d bytes, more than %d", len(path), l.PathLength)}, false
	}
	return path, "", note, true
}

// plain says that a path needs no cleaning on POSIX: relative, no empty or
// dotted component in sight, nothing that Windows would call a root.
func plain(path string) bool {
	start := true
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '/':
			if start {
				return false
			}
			start = true
			continue
		case c == '\\' || c == ':' || c == 0 || start && c == '.':
			// Dot files are common enough to look once more.
			if c != '.' || i+1 == len(path) || path[i+1] == '.' || path[i+1] == '/' {
				return false
			}
		}
		start = false
	}
	return !start
}

// climbs says whether a component is "..", a backslash being a separator too.
func climbs(path string) bool {
	if !strings.Contains(path, "..") {
		return false
	}
	for name := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if name == ".." {
			return true
		}
	}
	return false
}

// climbsDrive recognises "c:..".
func climbsDrive(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return len(first) == 4 && letter(first[0]) && first[1:] == ":.."
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// splitRoot takes off everything that makes a path absolute anywhere:
// slashes, drives and network shares, as often as they follow each other
// (node-tar's strip-absolute-path.js). npm does this on every platform.
func splitRoot(path string) (root, rest string) {
	rest = path
	for {
		n := rootLen(rest)
		if n == 0 {
			return path[:len(path)-len(rest)], rest
		}
		if rest[0] == '/' && !strings.HasPrefix(rest, "//?/") {
			n = 1
		}
		rest = rest[n:]
	}
}

// rootLen is the length of path's root as node's path.win32.parse sees it.
func rootLen(path string) int {
	sep := func(i int) bool { return path[i] == '/' || path[i] == '\\' }
	switch {
	case path == "":
		return 0
	case sep(0):
		if len(path) < 2 || !sep(1) {
			return 1
		}
		// \\server\share\
		skip := func(j int, separators bool) int {
			for j < len(path) && sep(j) == separators {
				j++
			}
			return j
		}
		server := skip(2, false)
		if server == len(path) || server == 2 {
			return 1
		}
		share := skip(server, true)
		if share == len(path) {
			return 1
		}
		end := skip(share, false)
		if end == len(path) {
			return end
		}
		return end + 1
	case len(path) >= 2 && letter(path[0]) && path[1] == ':':
		if len(path) > 2 && sep(2) {
			return 3
		}
		return 2
	}
	return 0
}

// encodeWindows moves characters that Windows forbids into the private use
// area, where npm and Cygwin put them (node-tar's winchars.js).
func encodeWindows(name string) string {
	if !strings.ContainsAny(name, `|<>?:`) {
		return name
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '|', '<', '>', '?', ':':
			return 0xf000 + r
		}
		return r
	}, name)
}

// refuseName says why a filesystem of flavour f can't or must not have a file
// of this name; "" if it can.
func refuseName(name string, f Flavour) string {
	if f == Windows {
		if js.Length(name) > maxName {
			return fmt.Sprintf("a name in the path has more than %d characters", maxName)
		}
		if reservedOnWindows(name) {
			return "the name belongs to a device on Windows"
		}
		if last := name[len(name)-1]; last == '.' || last == ' ' {
			// Windows drops these, so that the file would shadow another.
			return "a name that ends in a dot or a blank can't be used on Windows"
		}
		for i := 0; i < len(name); i++ {
			if c := name[i]; c < ' ' || c == '"' || c == '*' {
				return "a character in the name can't be used on Windows"
			}
		}
		return ""
	}
	if len(name) > maxName {
		return fmt.Sprintf("a name in the path has more than %d bytes", maxName)
	}
	return ""
}

// reservedOnWindows says whether Windows takes name for a device: CON, NUL
// and the like, whatever the extension, in any case, with blanks before the dot.
func reservedOnWindows(name string) bool {
	base, _, _ := strings.Cut(name, ".")
	base = strings.ToUpper(strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	port := strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")
	if !port {
		return false
	}
	switch base[3:] {
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return true
	}
	return false
}
