// Package term knows the terminal: whether a stream is one, how wide it is,
// whether it wants colour, and how to show text that a stranger wrote. It
// writes nothing.
package term

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/term"
)

// IsTerminal says whether a person looks at the file.
func IsTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// Width gives how many columns the terminal has; 80 where it does not say.
func Width(f *os.File) int {
	if f == nil {
		return 80
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil || w <= 0 {
		return 80
	}
	return w
}

// Safe makes a stranger's text fit to be shown: control characters, which move
// the cursor or change what was written before, and Unicode's invisible
// formatting marks appear as escapes. Line breaks and tabs stay.
func Safe(s string) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unsafe(r) {
			b.WriteRune(r)
			continue
		}
		if r < 0x100 {
			b.WriteString(`\x`)
			b.WriteByte("0123456789abcdef"[r>>4])
			b.WriteByte("0123456789abcdef"[r&15])
			continue
		}
		b.WriteString(`\u{`)
		b.WriteString(hex(r))
		b.WriteByte('}')
	}
	return b.String()
}

// colours are the codes that ibid writes to colour a text; they move nothing and
// hide nothing.
var colours = [...]string{"0", "1", "2", "4", "31", "32", "33", "34", "35", "36", "90", "91", "92", "93", "94", "95", "96"}

// SafeColoured is Safe for a text that ibid has coloured: the colours stay. A
// stranger who wrote some as well has coloured words of his own, no more.
func SafeColoured(s string) string {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(s, "\x1b[")
		b.WriteString(Safe(plain))
		if !found {
			return b.String()
		}
		if code, after, ok := strings.Cut(rest, "m"); ok && slices.Contains(colours[:], code) {
			b.WriteString("\x1b[" + code + "m")
			rest = after
		} else {
			b.WriteString(Safe("\x1b["))
		}
		s = rest
	}
}

// SafeLine is Safe for what has to stay on one line.
func SafeLine(s string) string {
	if strings.ContainsAny(s, "\n\r\t") {
		s = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(s)
	}
	return Safe(s)
}

// SafeJSON is Safe for a JSON text: what it changes are characters of strings, and
// they stay what they were for a program that reads it.
func SafeJSON(text []byte) []byte {
	if !bytes.ContainsFunc(text, unsafe) {
		return text
	}
	var out []byte
	for _, r := range string(text) {
		switch {
		case !unsafe(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

func unsafe(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r == unicode.ReplacementChar:
		return false
	case r < 0x20 || r >= 0x7f && r < 0xa0:
		return true
	case r < 0x300:
		return r == 0xad
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

func hex(r rune) string {
	const digits = "0123456789abcdef"
	var out []byte
	for ; r > 0; r >>= 4 {
		out = append([]byte{digits[r&15]}, out...)
	}
	return string(out)
}
