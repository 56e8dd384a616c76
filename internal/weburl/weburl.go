// Package weburl reads URLs as browsers and node do (https://url.spec.whatwg.org):
// net/url refuses what npm takes, and normalises less. It knows no scheme that
// is npm's alone, and makes no requests.
package weburl

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// URL is an absolute URL, normalised. What its parts hold is percent-encoded.
type URL struct {
	Protocol           string // lower case, with its colon
	Username, Password string
	HasHost            bool   // "//" stands before the host, which may be empty
	Hostname           string // lower case, in ASCII; an IPv6 address with its brackets
	Port               string // "" for the usual one
	Path               string // with a leading slash if there is a host
	Opaque             bool   // the path is any text: "github:user/project"
	Search, Hash       string // with "?" and "#", "" where absent
}

// Host is the name of the host, with the port if that is not the usual one.
func (u *URL) Host() string {
	if u.Port != "" {
		return u.Hostname + ":" + u.Port
	}
	return u.Hostname
}

// String is the normalised text of the URL.
func (u *URL) String() string {
	var b strings.Builder
	b.WriteString(u.Protocol)
	if u.HasHost {
		b.WriteString("//")
		if u.Username != "" || u.Password != "" {
			b.WriteString(u.Username)
			if u.Password != "" {
				b.WriteByte(':')
				b.WriteString(u.Password)
			}
			b.WriteByte('@')
		}
		b.WriteString(u.Host())
	} else if !u.Opaque && strings.HasPrefix(u.Path, "//") {
		b.WriteString("/.") // else the path would read as a host
	}
	b.WriteString(u.Path)
	b.WriteString(u.Search)
	b.WriteString(u.Hash)
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

// Parse reads an absolute URL; false where there is none.
func Parse(s string) (URL, bool) { return ParseFile(s, nil) }

// ParseFile reads a URL; base is what a file URL's path is relative to, nil for
// the root.
func ParseFile(s string, base *URL) (URL, bool) {
	var u URL
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(s, "\t\n\r") {
		s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	}
	colon := strings.IndexByte(s, ':')
	if colon < 1 || !letter(s[0]) {
		return u, false
	}
	for i := range colon {
		if c := s[i]; !letter(c) && !('0' <= c && c <= '9') && c != '+' && c != '-' && c != '.' {
			return u, false
		}
	}
	u.Protocol = strings.ToLower(s[:colon+1])
	rest := s[colon+1:]
	port, special := defaultPort(u.Protocol)

	if i := strings.IndexByte(rest, '#'); i >= 0 {
		u.Hash = "#" + js.PercentEncode(rest[i+1:], encodesInFragment)
		rest = rest[:i]
	}
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		u.Search = "?" + js.PercentEncode(rest[i+1:], func(c byte) bool {
			return encodesAlways(c) || strings.IndexByte(` "#<>`, c) >= 0 || special && c == '\''
		})
		rest = rest[:i]
	}
	if special {
		rest = strings.ReplaceAll(rest, `\`, "/")
	}
	switch {
	case u.Protocol == "file:":
		return u, u.parseFile(rest, base)
	case special:
		rest = strings.TrimLeft(rest, "/")
	case strings.HasPrefix(rest, "//"):
		rest = rest[2:]
	case strings.HasPrefix(rest, "/"):
		u.Path = u.cleanPath(nil, rest[1:])
		return u, true
	default:
		u.Opaque = true
		u.Path = js.PercentEncode(rest, encodesAlways)
		return u, true
	}
	u.HasHost = true
	authority, path, hasPath := strings.Cut(rest, "/")
	if !u.parseAuthority(authority, port, special) {
		return u, false
	}
	if hasPath || special {
		u.Path = u.cleanPath(nil, path)
	}
	return u, true
}

func (u *URL) parseAuthority(s, defaultPort string, special bool) bool {
	host := s
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		user, password, _ := strings.Cut(s[:at], ":")
		u.Username = js.PercentEncode(user, encodesInUserinfo)
		u.Password = js.PercentEncode(password, encodesInUserinfo)
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
			if u.Port = strconv.FormatUint(n, 10); u.Port == defaultPort {
				u.Port = ""
			}
		}
	}
	if host == "" {
		return !special
	}
	var ok bool
	u.Hostname, ok = parseHost(host, special)
	return ok
}

func parseHost(host string, special bool) (string, bool) {
	if host[0] == '[' {
		if host[len(host)-1] != ']' {
			return "", false
		}
		return parseIPv6(host[1 : len(host)-1])
	}
	const forbidden = "\x00\t\n\r #/:<>?@[\\]^|"
	if !special {
		if strings.ContainsAny(host, forbidden) {
			return "", false
		}
		return js.PercentEncode(host, encodesAlways), true
	}
	host, ok := toASCII(percentDecode(host))
	if !ok {
		return "", false
	}
	for i := range len(host) {
		if c := host[i]; c <= 0x1f || c == 0x7f || c == '%' || strings.IndexByte(forbidden, c) >= 0 {
			return "", false
		}
	}
	return parseIPv4(host)
}

func parseIPv6(text string) (string, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return "", false
	}
	if !addr.Is4In6() {
		return "[" + addr.String() + "]", true
	}
	// The standard has no dots in what it writes.
	b := addr.As16()
	group := func(at int) string { return strconv.FormatUint(uint64(b[at])<<8|uint64(b[at+1]), 16) }
	return "[::ffff:" + group(12) + ":" + group(14) + "]", true
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

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

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
func (u *URL) parseFile(rest string, base *URL) bool {
	u.HasHost = true
	path, absolute := strings.CutPrefix(rest, "/")
	if host, ok := strings.CutPrefix(path, "/"); absolute && ok {
		// "file://host/path", but "file://C:/path" has a drive there.
		whole := host
		host, path, _ = strings.Cut(whole, "/")
		if isDriveLetter(host) {
			host, path = "", whole
		}
		if host != "" {
			if u.Hostname, ok = parseHost(host, true); !ok {
				return false
			}
			if u.Hostname == "localhost" {
				u.Hostname = ""
			}
		}
		u.Path = u.cleanPath(nil, path)
		return true
	}
	var start []string
	if base != nil {
		u.Hostname = base.Hostname
		segments := strings.Split(strings.TrimPrefix(base.Path, "/"), "/")
		if !absolute && !startsWithDrive(rest) {
			start = segments[:len(segments)-1]
		} else if absolute && isNormalDrive(segments[0]) && !startsWithDrive(path) {
			start = segments[:1] // a path's root is its drive's
		}
	}
	u.Path = u.cleanPath(start, path)
	return true
}

// isDriveLetter reports whether s is "C:" or "C|".
func isDriveLetter(s string) bool {
	return len(s) == 2 && letter(s[0]) && (s[1] == ':' || s[1] == '|')
}

func isNormalDrive(s string) bool { return isDriveLetter(s) && s[1] == ':' }

func startsWithDrive(s string) bool {
	return len(s) >= 2 && isDriveLetter(s[:2]) && (len(s) == 2 || s[2] == '/')
}

// cleanPath appends a path without its leading slash to segments, resolving
// dots. A drive letter is never dropped.
func (u *URL) cleanPath(segments []string, path string) string {
	file := u.Protocol == "file:"
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
			segments = append(segments, js.PercentEncode(part, encodesInPath))
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
