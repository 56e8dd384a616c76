// Package js has what JavaScript's strings and numbers do and Go's don't: what
// npm trims, counts, sorts and takes for a number is decided by it. It knows
// neither JSON (internal/jsjson) nor npm.
package js

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Space says whether \s matches r, which is what trim removes: with U+FEFF, and
// without U+0085, unlike unicode.IsSpace.
func Space(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ' ' || '\t' <= r && r <= '\r'
	}
	return wideSpace(r)
}

func wideSpace(r rune) bool {
	switch r {
	case 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return 0x2000 <= r && r <= 0x200a
}

// Trim is String.prototype.trim.
func Trim(s string) string {
	if s == "" || plain(s[0]) && plain(s[len(s)-1]) {
		return s
	}
	return strings.TrimFunc(s, Space)
}

// plain says that a byte is a character which is no white space.
func plain(c byte) bool { return ' ' < c && c < utf8.RuneSelf }

// Length is a string's length, which counts UTF-16 code units.
func Length(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// Compare is the order of Array.prototype.sort, that of UTF-16 code units.
func Compare(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// ValidText gives text with each invalid UTF-8 sequence replaced by U+FFFD as
// the WHATWG decoder does, which node uses to read files.
func ValidText(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	b := make([]byte, 0, len(text)+16)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r != utf8.RuneError || size != 1 {
			b = append(b, text[i:i+size]...)
			i += size
			continue
		}
		b = append(b, "\uFFFD"...)
		i += InvalidLen(text[i:])
	}
	return string(b)
}

// InvalidLen is the length of the maximal subpart at the start of s, which does
// not begin with valid UTF-8: the bytes that could have begun a character.
func InvalidLen(s string) int {
	c := s[0]
	low, high, want := byte(0x80), byte(0xBF), 0
	switch {
	case c >= 0xC2 && c <= 0xDF:
		want = 1
	case c >= 0xE0 && c <= 0xEF:
		want = 2
		if c == 0xE0 {
			low = 0xA0
		} else if c == 0xED {
			high = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		want = 3
		if c == 0xF0 {
			low = 0x90
		} else if c == 0xF4 {
			high = 0x8F
		}
	}
	n := 1
	for want > 0 && n < len(s) && s[n] >= low && s[n] <= high {
		low, high = 0x80, 0xBF
		n++
		want--
	}
	return n
}

// EncodeURIComponent is the function of that name. Where it throws, at a lone
// surrogate, this writes U+FFFD.
func EncodeURIComponent(s string) string {
	return PercentEncode(s, func(c byte) bool { return !unreserved(c) })
}

// PercentEncode writes bytes as %XX where encode says so, as it must of all beyond
// ASCII; U+FFFD for what is not UTF-8.
func PercentEncode(s string, encode func(c byte) bool) string {
	const hex = "0123456789ABCDEF"
	at := 0
	for at < len(s) && !encode(s[at]) {
		at++
	}
	if at == len(s) {
		return s // most parts of most URLs
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if !encode(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// DecodeURIComponent is the function of that name; false where it throws.
func DecodeURIComponent(s string) (string, bool) {
	decoded, err := url.PathUnescape(s)
	return decoded, err == nil && utf8.ValidString(decoded)
}

// IsURIComponent says whether EncodeURIComponent leaves s alone.
func IsURIComponent(s string) bool {
	for i := range len(s) {
		if !unreserved(s[i]) {
			return false
		}
	}
	return true
}

func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-_.!~*'()", c) >= 0
}
