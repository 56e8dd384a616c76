// Package collate compares strings as JavaScript's Intl.Collator("en") does,
// the order in which npm sorts nearly everything it writes.
//
// It is the root collation of the Unicode Collation Algorithm with its
// default options: punctuation counts, accents and case only break ties, and
// digits are not read as numbers. Printable ASCII, which is nearly all that
// ever comes by, is compared with a table; the rest goes to
// golang.org/x/text/collate, which is loaded when it is first needed.
package collate

import (
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// order lists printable ASCII by primary weight; a letter stands for both of
// its cases.
const order = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"

// weights has a printable ASCII character's place in order, from 1; 0 marks
// every other byte.
var weights = func() (w [256]uint8) {
	for i := 0; i < len(order); i++ {
		c := order[i]
		w[c] = uint8(i + 1)
		if c >= 'a' && c <= 'z' {
			w[c-'a'+'A'] = uint8(i + 1)
		}
	}
	return w
}()

// Compare gives -1, 0 or 1 as a sorts before, with or after b. Strings that
// differ can compare equal: some characters have no weight. It may be called
// from several goroutines.
func Compare(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := eight(a[i:]); x != eight(b[i:]) || !plainEight(x) {
			break
		}
	}
	for i < n && a[i] == b[i] {
		if weights[a[i]] == 0 {
			return compareFull(a, b)
		}
		i++
	}
	tie := 0 // by case, at the first place where it differs
	for ; i < n; i++ {
		x, y := a[i], b[i]
		wx, wy := weights[x], weights[y]
		if wx == 0 || wy == 0 {
			return compareFull(a, b)
		}
		if wx != wy {
			if !plain(a[i+1:]) || !plain(b[i+1:]) {
				return compareFull(a, b)
			}
			if wx < wy {
				return -1
			}
			return 1
		}
		if tie == 0 && x != y {
			// They are the two cases of a letter, and lower case comes first.
			tie = -1
			if x < y {
				tie = 1
			}
		}
	}
	if !plain(a[n:]) || !plain(b[n:]) {
		return compareFull(a, b)
	}
	switch {
	case len(a) < len(b):
		return -1
	case len(a) > len(b):
		return 1
	}
	return tie
}

// plain says whether s is printable ASCII only. Whatever follows the place
// where two strings differ can still matter: a combining accent changes the
// letter before it.
func plain(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if !plainEight(eight(s)) {
			return false
		}
	}
	for i := 0; i < len(s); i++ {
		if weights[s[i]] == 0 {
			return false
		}
	}
	return true
}

// eight are the first eight bytes of s.
func eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// plainEight says whether each of eight bytes is from ' ' to '~'. A byte that borrows
// from the next one, or carries into it, is none of those itself.
func plainEight(x uint64) bool {
	const ones = 0x0101010101010101
	return (x|(x-' '*ones)|(x+ones))&(0x80*ones) == 0
}

// collators lends collators out: one is not safe for use by two goroutines.
var collators = sync.Pool{New: func() any { return collate.New(language.English) }}

func compareFull(a, b string) int {
	c := collators.Get().(*collate.Collator)
	defer collators.Put(c)
	return c.CompareString(a, b)
}
