package config

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// protectedKeys are never shown nor exported: the secrets themselves and the
// names that give them away (npm lib/commands/config.js).
var protectedKeys = [...]string{"auth", "authToken", "certfile", "email", "keyfile", "password", "username"}

// IsProtected reports whether the value of key must not be shown.
func IsProtected(key string) bool {
	if strings.HasPrefix(key, "_") || isProtectedKey(key) {
		return true
	}
	if !strings.HasPrefix(key, "//") {
		return false
	}
	if strings.Contains(key, ":_") {
		return true
	}
	for _, k := range protectedKeys {
		if strings.HasSuffix(key, ":"+k) {
			return true
		}
	}
	return false
}

func isProtectedKey(key string) bool {
	for _, k := range protectedKeys {
		if k == key {
			return true
		}
	}
	return false
}

// Redact returns s without what looks like a secret in it: passwords in URLs,
// npm tokens, UUIDs. It follows @npmcli/redact.
func Redact(s string) string {
	return redactTokens(redactURL(s))
}

// RedactWords is Redact for text that holds several things, such as a command
// line or a message.
func RedactWords(s string) string {
	var b strings.Builder
	start := 0
	for i := 0; i < len(s); i++ {
		if s[i] == '=' || s[i] == ' ' || s[i] >= '\t' && s[i] <= '\r' {
			b.WriteString(Redact(s[start:i]))
			b.WriteByte(s[i])
			start = i + 1
		}
	}
	b.WriteString(Redact(s[start:]))
	return b.String()
}

// RedactMessage returns a message without the passwords in its URLs, and without a
// user who stands there alone: that is how tokens are put into them. Names that
// look like secrets stay.
func RedactMessage(s string) string {
	return editURLs(redactURL(s), func(b *strings.Builder, before, behind string) string {
		web := strings.HasSuffix(before, "http") || strings.HasSuffix(before, "https")
		end := strings.IndexAny(behind, "/?# \t\r\n\"'")
		if end < 0 {
			end = len(behind)
		}
		at := strings.LastIndexByte(behind[:end], '@')
		if !web || at <= 0 || strings.Contains(behind[:at], ":") {
			return behind
		}
		b.WriteString("***")
		return behind[at:]
	})
}

// editURLs gives s with each URL's beginning as edit wants it: edit gets what stands
// before a "://", from the last one on, and all behind it, writes what it puts in
// place of a beginning of that, and returns what is left.
func editURLs(s string, edit func(b *strings.Builder, before, behind string) (left string)) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "://")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		before, behind := s[:i], s[i+len("://"):]
		b.WriteString(before + "://")
		s = edit(&b, before, behind)
	}
}

// redactURL replaces the password of every URL in s by ***.
func redactURL(s string) string {
	if !strings.Contains(s, "://") || !strings.Contains(s, "@") {
		return s
	}
	return editURLs(s, func(b *strings.Builder, _, behind string) string {
		// A URL ends at white space or a quote, its authority at / ? or #. The
		// password may have slashes in it that nobody escaped: look at the whole
		// URL when the authority has no @.
		end := strings.IndexAny(behind, " \t\r\n\"")
		if end < 0 {
			end = len(behind)
		}
		authority := behind[:end]
		if j := strings.IndexAny(authority, "/?#"); j >= 0 && strings.Contains(authority[:j], "@") {
			authority = authority[:j]
		}
		at, colon := strings.LastIndexByte(authority, '@'), strings.IndexByte(authority, ':')
		if colon < 0 || at < colon+2 || hasPath(authority[:colon]) || isPort(authority[colon+1:]) {
			return behind
		}
		b.WriteString(authority[:colon+1] + "***")
		return behind[at:]
	})
}

// hasPath reports whether the host is already over in s.
func hasPath(s string) bool { return strings.ContainsAny(s, "/?#") }

// isPort reports whether s begins with a port and what may follow one.
func isPort(s string) bool {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n == len(s) || n > 0 && strings.IndexByte("/?#", s[n]) >= 0
}

// redactTokens replaces npm tokens (npm_ and 36 to 48 letters and digits) and
// UUIDs.
func redactTokens(s string) string {
	if len(s) < 36 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if i == 0 || !isWord(s[i-1]) {
			if n := npmToken(s[i:]); n > 0 {
				b.WriteString("npm_***")
				i += n
				continue
			}
			if isUUID(s[i:]) {
				b.WriteString("***")
				i += 36
				continue
			}
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func npmToken(s string) int {
	n := 0
	switch {
	case len(s) >= 4 && strings.EqualFold(s[:4], "npm_"):
		n = 4
	case len(s) >= 5 && strings.EqualFold(s[:5], "npms_"):
		n = 5
	default:
		return 0
	}
	end := n
	for end < len(s) && isWord(s[end]) && s[end] != '_' {
		end++
	}
	if end-n < 36 || end-n > 48 || end < len(s) && s[end] == '_' {
		return 0
	}
	return end
}

func isUUID(s string) bool {
	if len(s) < 36 || len(s) > 36 && isWord(s[36]) {
		return false
	}
	for i := range 36 {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if js.Hex(s[i]) < 0 {
				return false
			}
		}
	}
	return true
}
