package nodesemver

import (
	"strings"
	"unicode/utf8"

	"github.com/ibid-pm/ibid/internal/js"
)

// spaceAt returns the width of the white space character at i, 0 if there is
// none.
func spaceAt(s string, i int) int {
	c := s[i]
	if c < utf8.RuneSelf {
		if c == ' ' || '\t' <= c && c <= '\r' {
			return 1
		}
		return 0
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	if js.Space(r) {
		return n
	}
	return 0
}

// collapse trims s and makes every run of white space one space.
func collapse(s string) string {
	s = js.Trim(s)
	clean := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf || '\t' <= c && c <= '\r' || c == ' ' && s[i+1] == ' ' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, js.Space), " ")
}
