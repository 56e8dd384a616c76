package jsjson

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ibid-pm/ibid/internal/js"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as JSON.stringify writes a string: only the quote,
// the backslash, control characters and lone surrogates are escaped.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r != utf8.RuneError || size > 1 {
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		if u, ok := surrogateAt(s, i); ok {
			dst = append(dst, '\\', 'u', 'd', hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
			i += 3
		} else {
			dst = append(dst, "\uFFFD"...)
			i += js.InvalidLen(s[i:])
		}
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// surrogateAt decodes a surrogate from its three WTF-8 bytes.
func surrogateAt(s string, i int) (rune, bool) {
	if i+2 < len(s) && s[i] == 0xED && s[i+1] >= 0xA0 && s[i+1] <= 0xBF && s[i+2]&0xC0 == 0x80 {
		return 0xD000 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F), true
	}
	return 0, false
}

// appendNumber writes a number's literal as JSON.stringify would. Most
// literals are plain integers and stand already as they are to be written.
func appendNumber(dst []byte, text string) []byte {
	plain := len(text) < 16 && text[0] != '-'
	for i := 0; plain && i < len(text); i++ {
		plain = text[i] >= '0' && text[i] <= '9'
	}
	if plain {
		return append(dst, text...)
	}
	f, _ := strconv.ParseFloat(text, 64)
	if math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	return append(dst, js.FormatNumber(f)...)
}

// maxIndent is the length to which JSON.stringify cuts its indent.
const maxIndent = 10

// ClipIndent gives the part of an indent that JSON.stringify uses: at most ten
// UTF-16 units.
func ClipIndent(indent string) string {
	units := 0
	for i, r := range indent {
		units++
		if r > 0xFFFF {
			units++
		}
		if units > maxIndent {
			return indent[:i]
		}
	}
	return indent
}

// Append appends v as JSON.stringify(v, null, indent) writes it, with newline
// in place of every line break; indent "" writes one line. Nothing follows the
// last bracket. Undefined members are left out.
func Append(dst []byte, v Value, indent, newline string) []byte {
	w := NewWriter(dst, indent, newline)
	w.Value(v)
	return w.Bytes()
}

// A Writer writes a document value by value, as JSON.stringify lays it out.
// Its callers see to it that keys and values alternate and brackets match.
type Writer struct {
	dst     []byte
	indent  string
	newline string
	open    []byte // the closing bracket of each level
	comma   bool   // the level has an item already
	keyed   bool   // a key was written and its value has to come
	begun   bool   // the place of a member or an item was made
}

// NewWriter gives a Writer that appends to dst; see Append.
func NewWriter(dst []byte, indent, newline string) *Writer {
	if indent = ClipIndent(indent); strings.Contains(indent, "\n") {
		indent = strings.ReplaceAll(indent, "\n", newline)
	}
	return &Writer{dst: dst, indent: indent, newline: newline}
}

// Bytes gives what was written so far.
func (w *Writer) Bytes() []byte { return w.dst }

// Next begins a member or an item, which must follow, and says where its text
// starts in Bytes.
func (w *Writer) Next() int {
	w.item()
	w.begun = true
	return len(w.dst)
}

// Item writes a member or an item whose text is known: what Bytes has from
// where Next said, of a Writer that had as much open.
func (w *Writer) Item(text []byte) {
	w.item()
	w.dst = append(w.dst, text...)
}

// Object begins an object.
func (w *Writer) Object() { w.begin('{', '}') }

// Array begins an array.
func (w *Writer) Array() { w.begin('[', ']') }

func (w *Writer) begin(opening, closing byte) {
	w.item()
	w.dst = append(w.dst, opening)
	w.open = append(w.open, closing)
	w.comma = false
}

// End ends the innermost object or array.
func (w *Writer) End() {
	closing := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	if w.comma {
		w.line()
	}
	w.dst = append(w.dst, closing)
	w.comma = true
}

// Key writes a key; its value must follow.
func (w *Writer) Key(key string) {
	w.item()
	w.dst = AppendString(w.dst, key)
	w.dst = append(w.dst, ':')
	if w.indent != "" {
		w.dst = append(w.dst, ' ')
	}
	w.keyed = true
}

// Str writes a string.
func (w *Writer) Str(s string) {
	w.item()
	w.dst = AppendString(w.dst, s)
}

// Bool writes true or false.
func (w *Writer) Bool(b bool) {
	w.item()
	w.dst = strconv.AppendBool(w.dst, b)
}

// Value writes v; undefined is written as null.
func (w *Writer) Value(v Value) {
	switch v.kind {
	case Undefined, Null:
		w.item()
		w.dst = append(w.dst, "null"...)
	case Bool:
		w.Bool(v.text != "")
	case Number:
		w.item()
		w.dst = appendNumber(w.dst, v.text)
	case String:
		w.Str(v.text)
	case Array:
		w.Array()
		for _, item := range v.items {
			w.Value(item)
		}
		w.End()
	case Object:
		w.Object()
		for _, m := range v.members {
			if m.Value.kind != Undefined {
				w.Key(m.Key)
				w.Value(m.Value)
			}
		}
		w.End()
	}
}

// item makes room for a key or an item.
func (w *Writer) item() {
	if w.keyed || w.begun {
		w.keyed, w.begun = false, false
		return
	}
	if len(w.open) == 0 {
		return
	}
	if w.comma {
		w.dst = append(w.dst, ',')
	}
	w.comma = true
	w.line()
}

func (w *Writer) line() {
	if w.indent == "" {
		return
	}
	w.dst = append(w.dst, w.newline...)
	for range w.open {
		w.dst = append(w.dst, w.indent...)
	}
}

// DetectFormat gives the indent and the line break of a JSON document as
// json-parse-even-better-errors finds them: what follows the first bracket
// when a line ends there; two spaces and "\n" for "{}" and "[]"; nothing for
// a document on one line. The newline is the whole run of line breaks.
func DetectFormat(document string) (indent, newline string) {
	document = strings.TrimPrefix(document, "\uFEFF")
	if rest, ok := strings.CutPrefix(document, "{}"); ok {
		if run := lineBreaks(rest); run == len(rest) {
			return emptyFormat(rest)
		}
	} else if rest, ok := strings.CutPrefix(document, "[]"); ok {
		if run := lineBreaks(rest); run == len(rest) {
			return emptyFormat(rest)
		}
	}
	i := spaces(document)
	if i == len(document) || document[i] != '{' && document[i] != '[' {
		return "", ""
	}
	rest := document[i+1:]
	run := lineBreaks(rest)
	if run == 0 {
		return "", ""
	}
	return rest[run : run+spaces(rest[run:])], rest[:run]
}

func emptyFormat(breaks string) (indent, newline string) {
	if breaks == "" {
		breaks = "\n"
	}
	return "  ", breaks
}

// lineBreaks is the length of the run of "\n" and "\r\n" that s starts with.
func lineBreaks(s string) int {
	i := 0
	for i < len(s) {
		if s[i] == '\n' {
			i++
		} else if s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n' {
			i += 2
		} else {
			break
		}
	}
	return i
}

// spaces is the length of the run of what JavaScript's \s matches.
func spaces(s string) int {
	for i, r := range s {
		if !js.Space(r) {
			return i
		}
	}
	return len(s)
}
