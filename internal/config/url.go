package config

import (
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// webURL is a URL as the WHATWG standard, and so node's new URL, parses it. Only
// what npm asks of it is kept apart.
type webURL struct {
	scheme   string // "https"
	user     string // percent-encoded
	password string // percent-encoded, with its colon
	host     string // lower case, with brackets for IPv6
	port     string // "" for the scheme's own
	path     string // with leading slash if there is a host
	query    string // with "?"
	fragment string // with "#"
	hasHost  bool
}

func defaultPort(scheme string) (string, bool) {
	switch scheme {
	case "http", "ws":
		return "80", true
	case "https", "wss":
		return "443", true
	case "ftp":
		return "21", true
	case "file":
		return "", true
	}
	return "", false
}

// hostPort is URL.host: the host with the port if it is not the usual one.
func (u webURL) hostPort() string {
	if u.port != "" {
		return u.host + ":" + u.port
	}
	return u.host
}

// href is the normalised text of the URL.
func (u webURL) href() string {
	if u.scheme == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(u.scheme)
	b.WriteByte(':')
	if u.hasHost {
		b.WriteString("//")
		if u.user != "" || u.password != "" {
			b.WriteString(u.user)
			b.WriteString(u.password)
			b.WriteByte('@')
		}
		b.WriteString(u.hostPort())
	}
	b.WriteString(u.path)
	b.WriteString(u.query)
	b.WriteString(u.fragment)
	return b.String()
}

// parseURL parses an absolute URL.
func parseURL(s string) (webURL, bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if strings.ContainsAny(s, "\t\n\r") {
		s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	}
	colon := strings.IndexByte(s, ':')
	if colon <= 0 || !isScheme(s[:colon]) {
		return webURL{}, false
	}
	u := webURL{scheme: strings.ToLower(s[:colon])}
	s = s[colon+1:]
	usual, special := defaultPort(u.scheme)
	if i := strings.IndexByte(s, '#'); i >= 0 {
		u.fragment = "#" + percentEncode(s[i+1:], fragmentSet)
		s = s[:i]
	}
	if i := strings.IndexByte(s, '?'); i >= 0 {
		set := querySet
		if special {
			set = specialQuerySet
		}
		u.query = "?" + percentEncode(s[i+1:], set)
		s = s[:i]
	}
	if special {
		s = strings.ReplaceAll(s, `\`, "/")
	}
	switch {
	case special && u.scheme != "file":
		s = strings.TrimLeft(s, "/") // "https:host" and "https:///host" are https://host
		u.hasHost = true
	case strings.HasPrefix(s, "//"):
		s = s[2:]
		u.hasHost = true
	case u.scheme == "file":
		u.hasHost = true
		u.path = normalizePath("/"+strings.TrimLeft(s, "/"), true)
		return u, true
	default:
		if strings.HasPrefix(s, "/") {
			u.path = normalizePath(s, false)
		} else {
			u.path = percentEncode(s, c0Set) // opaque: "mailto:a@b"
		}
		return u, true
	}
	authority, path := s, ""
	if i := strings.IndexByte(s, '/'); i >= 0 {
		authority, path = s[:i], s[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, password, has := strings.Cut(authority[:i], ":")
		u.user = percentEncode(user, userinfoSet)
		if has && password != "" {
			u.password = ":" + percentEncode(password, userinfoSet)
		}
		authority = authority[i+1:]
		if authority == "" {
			return webURL{}, false
		}
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && strings.LastIndexByte(authority, ']') < i {
		host, port = authority[:i], authority[i+1:]
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || port[0] == '+' {
			return webURL{}, false
		}
		u.port = strconv.FormatUint(n, 10)
		if u.port == usual {
			u.port = ""
		}
	}
	var ok bool
	if u.host, ok = normalizeHost(host, special); !ok {
		return webURL{}, false
	}
	if u.host == "" && special && u.scheme != "file" {
		return webURL{}, false
	}
	if path != "" || special {
		u.path = normalizePath("/"+strings.TrimPrefix(path, "/"), special)
	}
	return u, true
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (s[i] >= '0' && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.'):
		default:
			return false
		}
	}
	return true
}

// normalizePath resolves "." and ".." and encodes what must not stand bare.
func normalizePath(path string, special bool) string {
	segments := strings.Split(path[1:], "/")
	out := make([]string, 0, len(segments))
	for i, seg := range segments {
		last := i == len(segments)-1
		switch strings.ToLower(strings.ReplaceAll(strings.ToLower(seg), "%2e", ".")) {
		case ".":
			if last {
				out = append(out, "")
			}
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, percentEncode(seg, pathSet))
		}
	}
	return "/" + strings.Join(out, "/")
}

// normalizeHost lower-cases a name, decodes percent escapes, checks addresses.
// Names outside ASCII are turned into punycode.
func normalizeHost(host string, special bool) (string, bool) {
	if strings.HasPrefix(host, "[") {
		return normalizeIPv6(host)
	}
	if !special {
		if strings.ContainsAny(host, " #/<>?@[\\]^|") {
			return "", false
		}
		return percentEncode(host, c0Set), true
	}
	decoded := percentDecode(host)
	ascii := true
	for i := range len(decoded) {
		ascii = ascii && decoded[i] < 0x80
	}
	if ascii {
		decoded = strings.ToLower(decoded)
	} else {
		decoded = punycode(strings.ToLower(strings.Map(narrow, decoded)))
	}
	if strings.ContainsAny(decoded, " #%/:<>?@[\\]^|\x7f") {
		return "", false
	}
	for i := range len(decoded) {
		if decoded[i] <= ' ' {
			return "", false
		}
	}
	return normalizeIPv4(decoded)
}

// normalizeIPv4 turns the last-label-is-a-number forms into dotted decimals.
func normalizeIPv4(host string) (string, bool) {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	last := parts[len(parts)-1]
	if !allDigits(last) {
		if _, ok := ipv4Number(last); !ok || !strings.HasPrefix(last, "0x") {
			return host, true
		}
	}
	if len(parts) > 4 {
		return "", false
	}
	var addr uint64
	for i, p := range parts {
		n, ok := ipv4Number(p)
		if !ok {
			return "", false
		}
		if i == len(parts)-1 {
			if n >= 1<<(8*(5-len(parts))) {
				return "", false
			}
			addr |= n
		} else {
			if n > 255 {
				return "", false
			}
			addr |= n << (8 * (3 - i))
		}
	}
	var b strings.Builder
	for i := 3; i >= 0; i-- {
		b.WriteString(strconv.FormatUint(addr>>(8*i)&255, 10))
		if i > 0 {
			b.WriteByte('.')
		}
	}
	return b.String(), true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func ipv4Number(s string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x"):
		s, base = s[2:], 16
		if s == "" {
			return 0, true
		}
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	n, err := strconv.ParseUint(s, base, 32)
	return n, err == nil
}

func percentDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := js.Hex(s[i+1]), js.Hex(s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// The sets of bytes that the standard encodes in each part of a URL, besides
// control characters and everything beyond ASCII.
const (
	c0Set           = ""
	fragmentSet     = " \"<>`"
	querySet        = " \"#<>"
	specialQuerySet = querySet + "'"
	pathSet         = " \"#<>?`{}"
	userinfoSet     = pathSet + "/:;=@[\\]^|"
)

func percentEncode(s, set string) string {
	clean := true
	for i := range len(s) {
		if mustEncode(s[i], set) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	const upper = "0123456789ABCDEF"
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; mustEncode(c, set) {
			b.WriteByte('%')
			b.WriteByte(upper[c>>4])
			b.WriteByte(upper[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func mustEncode(c byte, set string) bool {
	return c < ' ' || c >= 0x7f || strings.IndexByte(set, c) >= 0
}

// nerfDart turns a URL into the prefix of its credentials' keys: "//host/path/"
// (@npmcli/config lib/nerf-dart.js). ok is false if s is no URL.
func nerfDart(s string) (dart string, ok bool) {
	u, ok := parseURL(s)
	if ok && !u.hasHost {
		u, ok = parseURL(u.scheme + "://" + u.path) // "host:4873" is read as a scheme
	}
	if !ok {
		return "", false
	}
	path := u.path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		path = path[:i+1]
	} else {
		path = "/"
	}
	return "//" + u.hostPort() + path, true
}

// NerfDart returns the prefix of the keys that hold the credentials of a
// registry: "//registry.npmjs.org/" for the public one. It is "" if registry is
// no URL.
func NerfDart(registry string) string {
	dart, _ := nerfDart(registry)
	return dart
}
