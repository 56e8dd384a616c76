package spec

import (
	"net/netip"
	"strconv"
	"strings"
)

// webURL is a URL as browsers and node read it (https://url.spec.whatwg.org):
// net/url refuses what npm takes, and normalises less.
type webURL struct {
	protocol           string // lower case, with its colon
	username, password string
	hasHost            bool // "//" stands before the host, which may be empty
	host, port         string
	path               string
	opaque             bool   // the path is any text: "github:user/project"
	search, hash       string // with "?" and "#", "" where absent
}

func (u *webURL) hostPort() string {
	if u.port != "" {
		return u.host + ":" + u.port
	}
	return u.host
}

func (u *webURL) String() string {
	var b strings.Builder
	b.WriteString(u.protocol)
	if u.hasHost {
		b.WriteString("//")
		if u.username != "" || u.password != "" {
			b.WriteString(u.username)
			if u.password != "" {
				b.WriteByte(':')
				b.WriteString(u.password)
			}
			b.WriteByte('@')
		}
		b.WriteString(u.hostPort())
	} else if !u.opaque && strings.HasPrefix(u.path, "//") {
		b.WriteString("/.") // else the path would read as a host
	}
	b.WriteString(u.path)
	b.WriteString(u.search)
	b.WriteString(u.hash)
	return b.String()
}

// defaultPort also says which schemes are special: their hosts are domains and
// a backslash is a slash to them.
func defaultPort(protocol string) (port string, special bool) {
	switch protocol {
	case "http:", "ws:":
		return "80", true
	case "https:", "wss:":
		return "443", true
	case "ftp:":
		return "21", true
	case "file:":
		return "", true
	}
	return "", false
}

// parseURL reads an absolute URL.
func parseURL(s string) (webURL, bool) { return parseFileURL(s, nil) }

// parseFileURL reads a URL; base is what a file URL's path is relative to, nil
// for the root.
func parseFileURL(s string, base *webURL) (webURL, bool) {
	var u webURL
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(s, "\t\n\r") {
		s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	}
	colon := strings.IndexByte(s, ':')
	if colon < 1 || !isLetter(s[0]) {
		return u, false
	}
	for i := range colon {
		if c := s[i]; !isLetter(c) && !('0' <= c && c <= '9') && c != '+' && c != '-' && c != '.' {
			return u, false
		}
	}
	u.protocol = strings.ToLower(s[:colon+1])
	rest := s[colon+1:]
	port, special := defaultPort(u.protocol)

	if i := strings.IndexByte(rest, '#'); i >= 0 {
		if i+1 < len(rest) {
			u.hash = percentEncode(rest[i:], encodesInFragment)
		}
		rest = rest[:i]
	}
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		u.search = percentEncode(rest[i:], func(c byte) bool {
			return encodesAlways(c) || strings.IndexByte(` "#<>`, c) >= 0 || special && c == '\''
		})
		rest = rest[:i]
	}
	if special {
		rest = strings.ReplaceAll(rest, `\`, "/")
	}
	switch {
	case u.protocol == "file:":
		return u, u.parseFile(rest, base)
	case special:
		rest = strings.TrimLeft(rest, "/")
	case strings.HasPrefix(rest, "//"):
		rest = rest[2:]
	case strings.HasPrefix(rest, "/"):
		u.path = u.cleanPath(nil, rest[1:])
		return u, true
	default:
		u.opaque = true
		u.path = percentEncode(rest, encodesAlways)
		return u, true
	}
	u.hasHost = true
	authority, path, hasPath := strings.Cut(rest, "/")
	if !u.parseAuthority(authority, port, special) {
		return u, false
	}
	if hasPath || special {
		u.path = u.cleanPath(nil, path)
	}
	return u, true
}

func (u *webURL) parseAuthority(s, defaultPort string, special bool) bool {
	host := s
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		user, password, _ := strings.Cut(s[:at], ":")
		u.username = percentEncode(user, encodesInUserinfo)
		u.password = percentEncode(password, encodesInUserinfo)
		host = s[at+1:]
		if host == "" {
			return false
		}
	}
	// The last colon outside brackets starts the port.
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		port := host[colon+1:]
		host = host[:colon]
		if host == "" || strings.IndexByte(host, ':') >= 0 && host[0] != '[' {
			return false
		}
		if port != "" {
			for i := range len(port) {
				if port[i] < '0' || port[i] > '9' {
					return false
				}
			}
			n, err := strconv.ParseUint(port, 10, 16)
			if err != nil {
				return false
			}
			if u.port = strconv.FormatUint(n, 10); u.port == defaultPort {
				u.port = ""
			}
		}
	}
	if host == "" {
		return !special
	}
	var ok bool
	u.host, ok = parseHost(host, special)
	return ok
}

func parseHost(host string, special bool) (string, bool) {
	if host[0] == '[' {
		if host[len(host)-1] != ']' {
			return "", false
		}
		addr, err := netip.ParseAddr(host[1 : len(host)-1])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", false
		}
		return "[" + addr.String() + "]", true
	}
	const forbidden = "\x00\t\n\r #/:<>?@[\\]^|"
	if !special {
		if strings.ContainsAny(host, forbidden) {
			return "", false
		}
		return percentEncode(host, encodesAlways), true
	}
	host = strings.ToLower(percentDecode(host))
	for i := range len(host) {
		if c := host[i]; c <= 0x1f || c == 0x7f || c == '%' || strings.IndexByte(forbidden, c) >= 0 {
			return "", false
		}
	}
	return parseIPv4(host)
}

// parseIPv4 rewrites a host whose last label is a number as an address, and
// leaves others alone.
func parseIPv4(host string) (string, bool) {
	labels := strings.Split(host, ".")
	if n := len(labels); n > 1 && labels[n-1] == "" {
		labels = labels[:n-1]
	}
	last := labels[len(labels)-1]
	if _, ok := parseIPv4Number(last); !ok && !isDigits(last) {
		return host, true
	}
	if len(labels) > 4 {
		return "", false
	}
	var address uint64
	for i, label := range labels {
		n, ok := parseIPv4Number(label)
		if !ok {
			return "", false
		}
		if i < len(labels)-1 {
			if n > 255 {
				return "", false
			}
			address |= n << (8 * (3 - i))
			continue
		}
		if n >= 1<<(8*(5-len(labels))) {
			return "", false
		}
		address |= n
	}
	return netip.AddrFrom4([4]byte{byte(address >> 24), byte(address >> 16), byte(address >> 8), byte(address)}).String(), true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// parseIPv4Number reads decimal, octal ("017") and hexadecimal ("0xf").
func parseIPv4Number(s string) (uint64, bool) {
	base := 10
	switch {
	case s == "":
		return 0, false
	case strings.HasPrefix(s, "0x"):
		if s = s[2:]; s == "" {
			return 0, true
		}
		base = 16
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	if s[0] == '+' || s[0] == '-' || s[0] == '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, base, 64)
	return n, err == nil
}

// parseFile reads what follows "file:".
func (u *webURL) parseFile(rest string, base *webURL) bool {
	u.hasHost = true
	path, absolute := strings.CutPrefix(rest, "/")
	if host, ok := strings.CutPrefix(path, "/"); absolute && ok {
		// "file://host/path", but "file://C:/path" has a drive there.
		host, path, _ = strings.Cut(host, "/")
		if isDriveLetter(host) {
			path = host + "/" + path
			host = ""
		}
		if host != "" {
			if u.host, ok = parseHost(host, true); !ok {
				return false
			}
			if u.host == "localhost" {
				u.host = ""
			}
		}
		u.path = u.cleanPath(nil, path)
		return true
	}
	var start []string
	if base != nil {
		u.host = base.host
		segments := strings.Split(strings.TrimPrefix(base.path, "/"), "/")
		if !absolute && !startsWithDrive(rest) {
			start = segments[:len(segments)-1]
		} else if absolute && isNormalDrive(segments[0]) && !startsWithDrive(path) {
			start = segments[:1] // a path's root is its drive's
		}
	}
	u.path = u.cleanPath(start, path)
	return true
}

// isDriveLetter reports whether s is "C:" or "C|".
func isDriveLetter(s string) bool {
	return len(s) == 2 && isLetter(s[0]) && (s[1] == ':' || s[1] == '|')
}

func isNormalDrive(s string) bool { return isDriveLetter(s) && s[1] == ':' }

func startsWithDrive(s string) bool {
	return len(s) >= 2 && isDriveLetter(s[:2]) && (len(s) == 2 || s[2] == '/')
}

// cleanPath appends a path without its leading slash to segments, resolving
// dots. A drive letter is never dropped.
func (u *webURL) cleanPath(segments []string, path string) string {
	file := u.protocol == "file:"
	parts := strings.Split(path, "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch dots(part) {
		case 2:
			if n := len(segments); n > 0 && !(file && n == 1 && isNormalDrive(segments[0])) {
				segments = segments[:n-1]
			}
			if last {
				segments = append(segments, "")
			}
		case 1:
			if last {
				segments = append(segments, "")
			}
		default:
			if file && len(segments) == 0 && isDriveLetter(part) {
				part = part[:1] + ":"
			}
			segments = append(segments, percentEncode(part, encodesInPath))
		}
	}
	return "/" + strings.Join(segments, "/")
}

// dots returns 1 for ".", 2 for "..", in whatever spelling, else 0.
func dots(segment string) int {
	if len(segment) > len("%2e%2e") {
		return 0
	}
	switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
	case ".":
		return 1
	case "..":
		return 2
	}
	return 0
}

// What is percent-encoded depends on where it stands.

func encodesAlways(c byte) bool { return c <= 0x1f || c >= 0x7f }

func encodesInFragment(c byte) bool { return encodesAlways(c) || strings.IndexByte(" \"<>`", c) >= 0 }

func encodesInPath(c byte) bool { return encodesAlways(c) || strings.IndexByte(" \"#<>?`{}", c) >= 0 }

func encodesInUserinfo(c byte) bool {
	return encodesInPath(c) || strings.IndexByte("/:;=@[\\]^|", c) >= 0
}
