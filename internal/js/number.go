package js

import (
	"math"
	"strconv"
	"strings"
)

// Number reads s as Number(s) does; NaN when s is no number.
func Number(s string) float64 {
	s = Trim(s)
	if s == "" {
		return 0
	}
	if base := radix(s); base != 0 {
		n := 0.0
		for i := 2; i < len(s); i++ {
			d := Hex(s[i])
			if d < 0 || d >= base {
				return math.NaN()
			}
			n = n*float64(base) + float64(d)
		}
		return n
	}
	switch s {
	case "Infinity", "+Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	}
	// Decimal literals are those of strconv without hex floats, underscores,
	// "inf" and "nan".
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
		default:
			return math.NaN()
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(n, 0) {
		return math.NaN()
	}
	return n
}

// radix is the base that the prefix of a number which is not decimal gives; 0
// for others.
func radix(s string) int {
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'x', 'X':
			return 16
		case 'o', 'O':
			return 8
		case 'b', 'B':
			return 2
		}
	}
	return 0
}

// Hex is the value of a hexadecimal digit; -1 for what is none.
func Hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// FormatNumber gives f as String(f) does.
func FormatNumber(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0: // also -0
		return "0"
	}
	if abs := math.Abs(f); abs >= 1e21 || abs < 1e-6 {
		text := strconv.FormatFloat(f, 'e', -1, 64)
		// Go writes at least two digits of exponent, JavaScript does not pad.
		if mark := strings.IndexByte(text, 'e'); mark > 0 && text[mark+2] == '0' {
			text = text[:mark+2] + text[mark+3:]
		}
		return text
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
