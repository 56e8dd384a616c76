package jsjson

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/ibid-pm/ibid/internal/js"
)

// maxDepth is how deep arrays and objects may be nested; beyond it a document
// is an error and not a stack overflow.
const maxDepth = 10000

// SyntaxError says where a document stops being what was expected.
type SyntaxError struct {
	Offset   int    // bytes from the start of the document as it was given, BOM included
	Line     int    // from 1
	Column   int    // from 1, in characters
	Expected string // "a string", "',' or '}'"
	Found    string // "end of file", "'x'"

	deep bool
}

// Error gives "line 3, column 7: expected ',' or '}', found 'x'".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: expected %s, found %s", e.Line, e.Column, e.Expected, e.Found)
}

// TooDeep says that the text may well be JSON, and is nested deeper than is read.
func (e *SyntaxError) TooDeep() bool { return e.deep }

// Code is npm's code for a JSON text that does not parse.
func (e *SyntaxError) Code() string { return "EJSONPARSE" }

// A Scanner pulls values out of a document in the order they stand there. The
// first error sticks: after it More says no and every value is empty, so
// callers ask Err once, at the end. Text that it gives shares the document's
// memory.
//
//	s.Object()
//	for s.More() {
//		switch s.Key() {
//		case "name":
//			name = s.Str()
//		default:
//			s.Skip()
//		}
//	}
//
// Keys come as written, also twice and in no order but the document's: what
// collects them calls Order.
type Scanner struct {
	src   string
	pos   int
	bom   int
	comma bool // a value has ended, so a comma or a bracket has to come
	open  []byte
	err   *SyntaxError
	stack [48]byte
}

// NewScanner gives a Scanner at the start of data, a leading byte order mark
// skipped. It takes data over: the bytes must not be changed any more.
func NewScanner(data []byte) *Scanner {
	return newScanner(unsafe.String(unsafe.SliceData(data), len(data)))
}

// Scanner gives a Scanner over the text of r.
func (r Raw) Scanner() *Scanner { return newScanner(string(r)) }

func newScanner(src string) *Scanner {
	s := &Scanner{src: src}
	s.open = s.stack[:0]
	if strings.HasPrefix(src, "\uFEFF") {
		s.bom = len("\uFEFF")
		s.src = src[s.bom:]
	}
	if !utf8.ValidString(s.src) {
		s.src = js.ValidText(s.src)
	}
	return s
}

// Err gives the first error as a *SyntaxError, or nil.
func (s *Scanner) Err() error {
	if s.err == nil {
		return nil
	}
	return s.err
}

// Fail makes the value that comes next the error, which expected names.
func (s *Scanner) Fail(expected string) {
	s.space()
	s.failAt(s.pos, expected)
}

// Offset is the place of the next token in the document.
func (s *Scanner) Offset() int {
	s.space()
	return s.pos + s.bom
}

func (s *Scanner) failAt(at int, expected string) {
	if s.err != nil {
		return
	}
	e := &SyntaxError{Offset: at + s.bom, Expected: expected, Found: "end of file"}
	e.Line, e.Column = Position(s.src, at)
	if at < len(s.src) {
		r, _ := utf8.DecodeRuneInString(s.src[at:])
		e.Found = strconv.QuoteRune(r)
		if (r == '}' || r == ']') && strings.HasSuffix(strings.TrimRight(s.src[:at], " \t\r\n"), ",") {
			e.Expected += " after the comma"
		}
	}
	s.err = e
	s.pos = len(s.src)
}

// Position gives the line and the column, both from 1, of a byte in a text.
// Columns count characters.
func Position(text string, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

func (s *Scanner) space() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

// Kind says what the next value is without taking it; Undefined where none is.
func (s *Scanner) Kind() Kind {
	s.space()
	if s.err != nil || s.pos >= len(s.src) {
		return Undefined
	}
	switch c := s.src[s.pos]; c {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return Number
		}
	}
	return Undefined
}

// Object takes the opening brace of an object; More and Key follow.
func (s *Scanner) Object() bool { return s.begin('{') }

// Array takes the opening bracket of an array; More and the items follow.
func (s *Scanner) Array() bool { return s.begin('[') }

func (s *Scanner) begin(bracket byte) bool {
	s.space()
	if s.pos >= len(s.src) || s.src[s.pos] != bracket {
		expected := "an object"
		if bracket == '[' {
			expected = "an array"
		}
		s.failAt(s.pos, expected)
		return false
	}
	if len(s.open) >= maxDepth {
		s.failAt(s.pos, fmt.Sprintf("no more than %d levels", maxDepth))
		s.err.deep = true
		return false
	}
	s.pos++
	s.open = append(s.open, bracket)
	s.comma = false
	return true
}

// More says whether the innermost open array or object has another item; when
// it has none its closing bracket is taken.
func (s *Scanner) More() bool {
	if s.err != nil || len(s.open) == 0 {
		return false
	}
	s.space()
	closing, name := byte('}'), "'}'"
	if s.open[len(s.open)-1] == '[' {
		closing, name = ']', "']'"
	}
	if s.pos < len(s.src) {
		c := s.src[s.pos]
		if c == closing {
			s.pos++
			s.open = s.open[:len(s.open)-1]
			s.comma = true
			return false
		}
		if !s.comma {
			return true
		}
		if c == ',' {
			s.pos++
			s.comma = false
			s.space()
			return true
		}
	}
	if s.comma {
		name = "',' or " + name
	} else if closing == '}' {
		name = "a key or " + name
	} else {
		name = "a value or " + name
	}
	s.failAt(s.pos, name)
	return false
}

// Key takes a key and its colon.
func (s *Scanner) Key() string {
	s.space()
	if s.pos >= len(s.src) || s.src[s.pos] != '"' {
		s.failAt(s.pos, "a key in double quotes")
		return ""
	}
	key := s.quoted()
	s.colon()
	return key
}

func (s *Scanner) colon() {
	if s.pos < len(s.src) && s.src[s.pos] == ':' {
		s.pos++
		return
	}
	s.space()
	if s.pos >= len(s.src) || s.src[s.pos] != ':' {
		s.failAt(s.pos, "':'")
		return
	}
	s.pos++
}

// Str takes a string; anything else is an error.
func (s *Scanner) Str() string {
	s.space()
	if s.pos >= len(s.src) || s.src[s.pos] != '"' {
		s.failAt(s.pos, "a string")
		return ""
	}
	s.comma = true
	return s.quoted()
}

// Bool takes true or false; anything else is an error.
func (s *Scanner) Bool() bool {
	s.space()
	switch rest := s.src[s.pos:]; {
	case strings.HasPrefix(rest, "true"):
		s.pos += len("true")
		s.comma = true
		return true
	case strings.HasPrefix(rest, "false"):
		s.pos += len("false")
		s.comma = true
		return false
	}
	s.failAt(s.pos, "true or false")
	return false
}

// Null takes null; anything else is an error.
func (s *Scanner) Null() {
	s.space()
	if !strings.HasPrefix(s.src[s.pos:], "null") {
		s.failAt(s.pos, "null")
		return
	}
	s.pos += len("null")
	s.comma = true
}

// Number takes a number and gives its literal; anything else is an error.
func (s *Scanner) Number() string {
	s.space()
	start := s.pos
	if !s.number() {
		return ""
	}
	s.comma = true
	return s.src[start:s.pos]
}

// End says whether the document ends here, as it must after its one value.
func (s *Scanner) End() bool {
	s.space()
	if s.pos < len(s.src) {
		s.failAt(s.pos, "end of file")
	}
	return s.err == nil
}

// quoted takes the string whose opening quote is next.
func (s *Scanner) quoted() string {
	start := s.pos + 1
	end := stringEnd(s.src, start)
	if end < len(s.src) && s.src[end] == '"' {
		s.pos = end + 1
		return s.src[start:end]
	}
	return s.unescape(start, end)
}

// stringEnd gives the first byte from i on that is a quote, a backslash or a
// control character, looking at eight bytes at a time.
func stringEnd(src string, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for i+8 <= len(src) {
		c := src[i : i+8]
		w := uint64(c[0]) | uint64(c[1])<<8 | uint64(c[2])<<16 | uint64(c[3])<<24 |
			uint64(c[4])<<32 | uint64(c[5])<<40 | uint64(c[6])<<48 | uint64(c[7])<<56
		quote := w ^ (ones * '"')
		slash := w ^ (ones * '\\')
		// A high bit left in the sum marks a byte that became zero, or one
		// below space; bytes from 0x80 on are masked out. A borrow can only
		// mark a byte above a true hit, and the lowest mark is what counts.
		hit := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((w - ones*' ') &^ w)
		if hit &= highs; hit != 0 {
			for ; ; i++ {
				if d := src[i]; d == '"' || d == '\\' || d < ' ' {
					return i
				}
			}
		}
		i += 8
	}
	for i < len(src) {
		if c := src[i]; c == '"' || c == '\\' || c < ' ' {
			return i
		}
		i++
	}
	return i
}

// unescape takes the rest of a string that began at start and is plain up to
// at.
func (s *Scanner) unescape(start, at int) string {
	src := s.src
	buf := make([]byte, 0, 2*(at-start)+32)
	for {
		buf = append(buf, src[start:at]...)
		if at >= len(src) {
			s.failAt(at, "'\"' at the end of a string")
			return ""
		}
		switch c := src[at]; {
		case c == '"':
			s.pos = at + 1
			return string(buf)
		case c != '\\':
			s.failAt(at, "no control character in a string")
			return ""
		}
		next, size := s.escape(at)
		if size == 0 {
			return ""
		}
		buf = appendUnit(buf, next)
		at += size
		start = at
		at = stringEnd(src, at)
	}
}

// escape decodes the escape at at: the character, or a lone surrogate, and how
// many bytes it takes, 0 after an error.
func (s *Scanner) escape(at int) (rune, int) {
	if at+1 >= len(s.src) {
		s.failAt(at+1, "an escape sequence")
		return 0, 0
	}
	switch s.src[at+1] {
	case '"', '\\', '/':
		return rune(s.src[at+1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		first, bad := hex4(s.src, at+2)
		if bad >= 0 {
			s.failAt(bad, "four hexadecimal digits")
			return 0, 0
		}
		if utf16.IsSurrogate(first) && strings.HasPrefix(s.src[at+6:], `\u`) {
			if second, bad := hex4(s.src, at+8); bad < 0 {
				if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
					return r, 12
				}
			}
		}
		return first, 6
	}
	s.failAt(at+1, "an escape sequence")
	return 0, 0
}

// hex4 decodes four hexadecimal digits, or gives the place of the first byte
// that is none.
func hex4(src string, at int) (r rune, bad int) {
	for i := at; i < at+4; i++ {
		if i >= len(src) {
			return 0, i
		}
		c := src[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, i
		}
		r = r<<4 | rune(c)
	}
	return r, -1
}

// appendUnit appends a character, a lone surrogate as WTF-8.
func appendUnit(dst []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(dst, 0xED, 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
	}
	return utf8.AppendRune(dst, r)
}

// number takes the number that is next.
func (s *Scanner) number() bool {
	src, i := s.src, s.pos
	if i < len(src) && src[i] == '-' {
		i++
	}
	digits := func() bool {
		from := i
		for i < len(src) && src[i] >= '0' && src[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(src) && src[i] == '0' {
		i++
	} else if !digits() {
		if i == s.pos {
			s.failAt(i, "a number")
		} else {
			s.failAt(i, "a digit")
		}
		return false
	}
	if i < len(src) && src[i] == '.' {
		i++
		if !digits() {
			s.failAt(i, "a digit")
			return false
		}
	}
	if i < len(src) && (src[i] == 'e' || src[i] == 'E') {
		i++
		if i < len(src) && (src[i] == '+' || src[i] == '-') {
			i++
		}
		if !digits() {
			s.failAt(i, "a digit")
			return false
		}
	}
	s.pos = i
	return true
}

// Skip takes the next value, whatever it is, checking that it is JSON.
func (s *Scanner) Skip() {
	base := len(s.open)
	for {
		s.space()
		if s.pos >= len(s.src) {
			s.failAt(s.pos, "a value")
			return
		}
		switch c := s.src[s.pos]; c {
		case '{', '[':
			if !s.begin(c) {
				return
			}
		case '"':
			s.skipString()
			s.comma = true
		case 't', 'f':
			s.Bool()
		case 'n':
			s.Null()
		default:
			if c != '-' && (c < '0' || c > '9') {
				s.failAt(s.pos, "a value")
				return
			}
			s.number()
			s.comma = true
		}
		for {
			if s.err != nil || len(s.open) == base {
				return
			}
			if s.More() {
				break
			}
		}
		if s.open[len(s.open)-1] == '{' {
			if s.pos >= len(s.src) || s.src[s.pos] != '"' {
				s.failAt(s.pos, "a key in double quotes")
				return
			}
			s.skipString()
			s.colon()
		}
		if s.err != nil {
			return
		}
	}
}

// skipString takes a string without decoding it.
func (s *Scanner) skipString() {
	at := stringEnd(s.src, s.pos+1)
	for at < len(s.src) {
		switch s.src[at] {
		case '"':
			s.pos = at + 1
			return
		case '\\':
			_, size := s.escape(at)
			if size == 0 {
				return
			}
			at = stringEnd(s.src, at+size)
		default:
			s.failAt(at, "no control character in a string")
			return
		}
	}
	s.failAt(at, "'\"' at the end of a string")
}

// Raw takes the next value, whatever it is, and gives its text.
func (s *Scanner) Raw() Raw {
	s.space()
	start := s.pos
	s.Skip()
	if s.err != nil {
		return ""
	}
	return Raw(s.src[start:s.pos])
}

// Value takes the next value, whatever it is, and decodes it.
func (s *Scanner) Value() Value {
	switch s.Kind() {
	case Object:
		s.Object()
		var members []Member
		for s.More() {
			key := s.Key()
			members = append(members, Member{key, s.Value()})
		}
		return NewObject(members...)
	case Array:
		s.Array()
		var items []Value
		for s.More() {
			items = append(items, s.Value())
		}
		return NewArray(items...)
	case String:
		return NewString(s.Str())
	case Bool:
		return NewBool(s.Bool())
	case Null:
		s.Null()
		return NewNull()
	case Number:
		return Value{kind: Number, text: s.Number()}
	}
	s.Fail("a value")
	return Value{}
}

// Parse decodes a whole document, a leading byte order mark skipped. An error
// is a *SyntaxError. It takes data over: the bytes must not be changed any
// more.
func Parse(data []byte) (Value, error) { return parse(NewScanner(data)) }

// Parse decodes r; no value gives undefined and no error.
func (r Raw) Parse() (Value, error) {
	if r == "" {
		return Value{}, nil
	}
	return parse(r.Scanner())
}

// Value decodes r, which is known to be valid; what is not gives undefined.
func (r Raw) Value() Value {
	v, _ := r.Parse()
	return v
}

func parse(s *Scanner) (Value, error) {
	v := s.Value()
	s.End()
	if s.err != nil {
		return Value{}, s.err
	}
	return v, nil
}

// Kind says what r holds, without decoding it.
func (r Raw) Kind() Kind {
	s := Scanner{src: string(r)}
	return s.Kind()
}

// Truthy says whether JavaScript's if takes the value of r.
func (r Raw) Truthy() bool {
	switch r.Kind() {
	case Undefined, Null:
		return false
	case Object, Array:
		return true
	case Bool:
		return strings.TrimSpace(string(r)) == "true"
	case String:
		return strings.TrimSpace(string(r)) != `""`
	}
	return r.Value().Truthy()
}
