package tarball

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ibid-pm/ibid/internal/js"
)

const block = 512

// kind is a tar entry's type as node-tar names them (lib/types.js).
type kind byte

const (
	kindFile        kind = '0' // also the old NUL type
	kindLink        kind = '1'
	kindSymlink     kind = '2'
	kindDirectory   kind = '5'
	kindContiguous  kind = '7' // "same as File", but an existing file is replaced, not rewritten
	kindDumpDir     kind = 'D'
	kindPax         kind = 'x'
	kindOldPax      kind = 'X'
	kindGlobalPax   kind = 'g'
	kindLongLink    kind = 'K'
	kindLongPath    kind = 'L'
	kindOldLongPath kind = 'N'
	kindUnknown     kind = 0
)

// normal says whether extended headers may describe an entry of this kind.
// Applying them to another header in between would let two readers see
// different archives (node-tar header.js, decode).
func normal(flag byte) bool {
	return flag == 0 || flag >= '0' && flag <= '7' || flag == 'D'
}

func kindOf(flag byte) kind {
	switch flag {
	case 0:
		return kindFile
	case '0', '1', '2', '3', '4', '5', '6', '7', 'g', 'x', 'A', 'D', 'I', 'K', 'L', 'M', 'N', 'S', 'V', 'X':
		return kind(flag)
	}
	return kindUnknown
}

// meta says whether an entry describes the entries after it.
func (k kind) meta() bool {
	switch k {
	case kindPax, kindOldPax, kindGlobalPax, kindLongLink, kindLongPath, kindOldLongPath:
		return true
	}
	return false
}

func (k kind) String() string {
	switch k {
	case kindLink:
		return "hard links"
	case kindSymlink:
		return "symbolic links"
	case '3':
		return "character devices"
	case '4':
		return "block devices"
	case '6':
		return "named pipes"
	case 'S':
		return "sparse files"
	case 'M':
		return "continued files"
	case 'V':
		return "volume labels"
	}
	return "entries of this type"
}

// header is one decoded block. Nothing in it is trusted.
type header struct {
	null     bool // a block of zeros: two end the archive
	kind     kind
	path     string
	linkpath bool // the header itself names a link target
	mode     int64
	size     float64 // ≥ 0; may be a fraction or infinite when pax says so
}

var (
	errBase256  = errors.New("invalid base-256 number")
	errTooLarge = errors.New("number beyond 2^53")
	errChecksum = errors.New("checksum failure")
)

// decodeHeader reads the block b, as node-tar's Header does, where ex and
// gex are the extended headers waiting for an entry (nil: none).
func decodeHeader(b []byte, ex, gex *pax) (h header, err error) {
	b = b[:block:block]
	flag := b[156]
	if !normal(flag) {
		ex, gex = nil, nil
	}
	if ex != nil && ex.hasPath {
		h.path = ex.path
	} else {
		h.path = field(b[0:100])
	}

	// A number that can't be decoded spoils the header, also one nobody
	// reads, unless an extended header already gave its value.
	if h.mode, _, err = number(b[100:108]); err != nil {
		return h, err
	}
	for _, f := range [...]struct {
		has      uint8
		from, to int
	}{{paxUID, 108, 116}, {paxGID, 116, 124}, {paxMtime, 136, 148}} {
		if b[f.from]&0x80 != 0 && !ex.has(f.has) && !gex.has(f.has) {
			if _, _, err = number(b[f.from:f.to]); err != nil {
				return h, err
			}
		}
	}
	switch {
	case ex.has(paxSize):
		h.size = ex.size
	case gex.has(paxSize):
		h.size = gex.size
	default:
		n, _, err := number(b[124:136])
		if err != nil {
			return h, err
		}
		h.size = max(0, float64(n))
	}

	// node-tar reads twelve bytes for the eight of the checksum, so an
	// unterminated one runs into the type.
	want, hasSum, err := number(b[148:160])
	if err != nil {
		return h, err
	}

	h.kind = kindOf(flag)
	if h.kind == kindFile && strings.HasSuffix(h.path, "/") {
		h.kind = kindDirectory
	}
	if h.kind == kindDirectory {
		h.size = 0
	}
	h.linkpath = b[157] != 0 || field(b[157:257]) != ""

	if string(b[257:265]) == "ustar\x0000" {
		for _, f := range [...][2]int{{329, 337}, {337, 345}} {
			if b[f[0]]&0x80 != 0 {
				if _, _, err = number(b[f[0]:f[1]]); err != nil {
					return h, err
				}
			}
		}
		if b[475] != 0 {
			h.path = field(b[345:500]) + "/" + h.path
		} else {
			if b[345] != 0 {
				if prefix := field(b[345:475]); prefix != "" {
					h.path = prefix + "/" + h.path
				}
			}
			if b[476]&0x80 != 0 && !ex.has(paxAtime) && !gex.has(paxAtime) {
				if _, _, err = number(b[476:488]); err != nil {
					return h, err
				}
			}
			if b[488]&0x80 != 0 && !ex.has(paxCtime) && !gex.has(paxCtime) {
				if _, _, err = number(b[488:500]); err != nil {
					return h, err
				}
			}
		}
	}

	sum := checksum(b)
	if !hasSum && sum == 8*' ' {
		h.null = true
		return h, nil
	}
	if !hasSum || want != sum {
		return h, errChecksum
	}
	return h, nil
}

// checksum adds the bytes of a header block, its own field read as blanks.
func checksum(b []byte) int64 {
	const lanes = 0x00ff00ff00ff00ff
	var sum uint64 // four lanes of 16 bits: 64 words of at most 2·255 fit
	for i := 0; i < block; i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		if i == 144 {
			v &= 0x00000000ffffffff // 148..152
		} else if i == 152 {
			v &^= 0x00000000ffffffff // 152..156
		}
		sum += v&lanes + v>>8&lanes
	}
	return int64(sum&0xffff+sum>>16&0xffff+sum>>32&0xffff+sum>>48) + 8*' '
}

// number reads a numeric field: octal text as JavaScript's parseInt takes it,
// or base 256. ok is false when there is no number.
func number(f []byte) (n int64, ok bool, err error) {
	if f[0]&0x80 != 0 {
		n, err := base256(f)
		return n, err == nil, err
	}
	i := 0
	for i < len(f) && (f[i] == ' ' || f[i] >= '\t' && f[i] <= '\r') {
		i++
	}
	if i < len(f) && f[i] >= 0x80 {
		// Only text can hide a blank that JavaScript knows and ASCII doesn't.
		rest := strings.TrimLeftFunc(string(f[i:]), js.Space)
		i = len(f) - len(rest)
	}
	negative := false
	if i < len(f) && (f[i] == '-' || f[i] == '+') {
		negative = f[i] == '-'
		i++
	}
	start := i
	for ; i < len(f) && f[i] >= '0' && f[i] <= '7'; i++ {
		n = n<<3 | int64(f[i]-'0')
	}
	if negative {
		n = -n
	}
	return n, i > start, nil
}

// base256 reads a number with the marker 0x80 (positive) or 0xff (negative,
// two's complement), as node-tar's large-numbers.js: what a float64 can't
// hold exactly is an error.
func base256(f []byte) (int64, error) {
	const safe = 1<<53 - 1
	switch f[0] {
	case 0x80:
		var n uint64
		for _, c := range f[1:] {
			if n > safe>>8 {
				return 0, errTooLarge
			}
			n = n<<8 | uint64(c)
		}
		if n > safe {
			return 0, errTooLarge
		}
		return int64(n), nil
	case 0xff:
		var n int64 = -1
		for _, c := range f[1:] {
			if n < -(safe>>8)-1 {
				return 0, errTooLarge
			}
			n = n<<8 | int64(c)
		}
		if n < -safe {
			return 0, errTooLarge
		}
		return n, nil
	}
	return 0, errBase256
}

// field decodes a text field.
func field(f []byte) string {
	for i, c := range f {
		if c >= 0x80 {
			return cutNUL(js.ValidText(string(f)))
		}
		if c == 0 {
			for _, d := range f[i+1:] {
				if d != 0 {
					return cutNUL(js.ValidText(string(f)))
				}
			}
			return string(f[:i])
		}
	}
	return string(f)
}

// cutNUL removes the first NUL and what follows it on its line. JavaScript's
// /\0.*/ ends at a line break, so a name may go on after one; such a name
// still has to pass cleanPath.
func cutNUL(s string) string {
	i := strings.IndexByte(s, 0)
	if i < 0 {
		return s
	}
	j := strings.IndexFunc(s[i:], func(r rune) bool {
		return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029'
	})
	if j < 0 {
		return s[:i]
	}
	return s[:i] + s[i+j:]
}

// pax is what a pax or GNU header says about the entries after it. Values
// nobody reads are only remembered as being there.
type pax struct {
	seen             uint8
	hasPath, hasLink bool
	path, linkpath   string
	size             float64
}

const (
	paxSize uint8 = 1 << iota
	paxUID
	paxGID
	paxMtime
	paxAtime
	paxCtime
)

func (p *pax) has(what uint8) bool { return p != nil && p.seen&what != 0 }

// parsePax reads pax records. Like node-tar it takes one a line, and drops a
// line whose length isn't the one it claims; old is what it adds to.
func parsePax(body []byte, old *pax) *pax {
	p := new(pax)
	if old != nil {
		*p = *old
	}
	text := strings.TrimSuffix(js.ValidText(string(body)), "\n")
	for line := range strings.SplitSeq(text, "\n") {
		n, ok := leadingInt(line)
		if !ok || n != len(line)+1 {
			continue
		}
		// The length is cut off by the number of its digits, blanks or zeros
		// before it notwithstanding.
		digits := len(strconv.Itoa(n)) + 1
		if digits > len(line) {
			continue
		}
		for range digits {
			_, w := utf8.DecodeRuneInString(line)
			line = line[w:]
		}
		key, value, _ := strings.Cut(line, "=")
		value = cutNUL(value)
		switch key {
		case "path":
			p.path, p.hasPath = value, true
		case "linkpath":
			p.linkpath, p.hasLink = value, true
		case "size":
			if f := js.Number(value); f >= 0 {
				p.size = f
				p.seen |= paxSize
			}
		case "uid":
			p.seen |= paxUID
		case "gid":
			p.seen |= paxGID
		case "mtime":
			p.seen |= paxMtime
		case "atime":
			p.seen |= paxAtime
		case "ctime":
			p.seen |= paxCtime
		}
	}
	return p
}

// leadingInt is JavaScript's parseInt(s, 10) for numbers of sane length.
func leadingInt(s string) (int, bool) {
	s = strings.TrimLeftFunc(s, js.Space)
	s = strings.TrimPrefix(s, "+")
	n, i := 0, 0
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if n > 1<<40 {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, i > 0
}
