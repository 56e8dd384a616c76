// Package inflate decodes whole deflate and gzip texts that are in memory
// (RFC 1951 and 1952).
//
// A text is decoded straight into the memory where it will be read: there is
// no window and nothing is copied twice. That is what tarballs and packuments
// need, and it takes less than two thirds of the time that a decoder of
// streams takes. What zlib accepts is accepted, what it refuses is refused.
//
// The package bounds memory by a limit that its caller gives and by nothing
// else; it knows nothing of what is in a text.
package inflate

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

var (
	// ErrCorrupt means that a text is no deflate or gzip, or was changed.
	ErrCorrupt = errors.New("compressed data is damaged")
	// ErrShort means that a text ends before it is complete.
	ErrShort = errors.New("compressed data ends early")
	// ErrTooLarge means that the decoded text is longer than allowed.
	ErrTooLarge = errors.New("decompressed data is larger than allowed")
	// ErrHeader means that a text does not begin as gzip does.
	ErrHeader = errors.New("not gzip")
	// ErrChecksum means that a gzip text was decoded to something else than was
	// encoded.
	ErrChecksum = errors.New("gzip checksum does not match")
)

// A table is indexed by the next bits of the input, lowest first. An entry is
//
//	bits 0–5    how many bits are used up: the code's, and the extra bits
//	bits 8–12   how many bits the code has
//	bit  13     a longer code: bits 16–27 say where its own table begins,
//	            bits 8–12 by how many more bits it is indexed
//	bit  14     the end of the block
//	bit  15     a literal: bits 16–23
//	bits 16–31  else: the length or distance that the extra bits are added to
//
// and 0 where no code begins with these bits. The lowest byte holds nothing else,
// so that an entry can be subtracted from a count of bits as it is.
const (
	isLonger  = 1 << 13
	isEnd     = 1 << 14
	isLiteral = 1 << 15

	literalBits  = 11
	distanceBits = 9
	// The longest tables that complete codes need are 2,342 and 594 entries
	// (zlib's examples/enough.c computes them).
	literalSize  = 4096
	distanceSize = 1024

	// slack is what the fast loop may write behind a match's end.
	slack = 258 + 40
)

// Decoder has the tables for decoding one text at a time. Its zero value is
// ready.
type Decoder struct {
	literals  [literalSize]uint32
	distances [distanceSize]uint32
	fixed     bool // the tables are those of fixed blocks

	lengths [320]uint8
	codes   [128]uint32
}

// state is where decoding stands.
type state struct {
	src  []byte
	pos  int
	bits uint64
	n    uint // how many of bits are there

	out   []byte // to its capacity
	at    int
	start int // where this text's output begins: matches reach no further back
	limit int
}

// Decode appends the text of the deflate stream at the start of src to dst,
// which may grow to limit bytes in all, and says how many bytes of src it took.
func (d *Decoder) Decode(dst, src []byte, limit int) (text []byte, n int, err error) {
	s := state{src: src, out: dst[:cap(dst)], at: len(dst), start: len(dst), limit: limit}
	for {
		last, err := s.take(1)
		if err != nil {
			return s.out[:s.at], s.pos, err
		}
		kind, err := s.take(2)
		if err != nil {
			return s.out[:s.at], s.pos, err
		}
		switch kind {
		case 0:
			err = s.stored()
		case 1:
			if !d.fixed {
				d.fixedTables()
			}
			err = d.block(&s)
		case 2:
			if err = d.readTables(&s); err == nil {
				err = d.block(&s)
			}
		default:
			err = ErrCorrupt
		}
		if err != nil {
			return s.out[:s.at], s.pos, err
		}
		if last == 1 {
			// Whole bytes that were only looked at go back.
			s.pos -= int(s.n / 8)
			return s.out[:s.at], s.pos, nil
		}
	}
}

// need makes n bits available; near the end it takes byte by byte.
func (s *state) need(n uint) error {
	for s.n < n {
		if s.pos >= len(s.src) {
			return ErrShort
		}
		s.bits |= uint64(s.src[s.pos]) << s.n
		s.pos++
		s.n += 8
	}
	return nil
}

func (s *state) take(n uint) (uint, error) {
	if err := s.need(n); err != nil {
		return 0, err
	}
	v := uint(s.bits & (1<<n - 1))
	s.bits >>= n
	s.n -= n
	return v, nil
}

// grow makes room for n more bytes of output, and some.
func (s *state) grow(n int) error {
	if s.at+n > s.limit {
		return ErrTooLarge
	}
	if s.at+n <= len(s.out) {
		return nil
	}
	size := max(2*len(s.out), s.at+n+slack, 4096)
	if size > s.limit+slack {
		size = s.limit + slack
	}
	out := make([]byte, size)
	copy(out, s.out[:s.at])
	s.out = out
	return nil
}

// stored copies a block that is not compressed.
func (s *state) stored() error {
	s.pos -= int(s.n / 8)
	s.bits, s.n = 0, 0
	if len(s.src)-s.pos < 4 {
		return ErrShort
	}
	n := int(binary.LittleEndian.Uint16(s.src[s.pos:]))
	if n^0xffff != int(binary.LittleEndian.Uint16(s.src[s.pos+2:])) {
		return ErrCorrupt
	}
	s.pos += 4
	if len(s.src)-s.pos < n {
		return ErrShort
	}
	if err := s.grow(n); err != nil {
		return err
	}
	copy(s.out[s.at:], s.src[s.pos:s.pos+n])
	s.at += n
	s.pos += n
	return nil
}

// order is how the lengths of the code length codes are sent.
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readTables reads a dynamic block's head.
func (d *Decoder) readTables(s *state) error {
	head, err := s.take(14)
	if err != nil {
		return err
	}
	literals, distances, codes := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if literals > 286 || distances > 30 {
		return ErrCorrupt
	}
	d.fixed = false
	clear(d.lengths[:19])
	for i := range codes {
		n, err := s.take(3)
		if err != nil {
			return err
		}
		d.lengths[order[i]] = uint8(n)
	}
	if !build(d.codes[:], d.lengths[:19], 7, codeEntry, false) {
		return ErrCorrupt
	}
	lengths := d.lengths[:literals+distances]
	var previous uint8
	for i := 0; i < len(lengths); {
		// A code has up to seven bits and seven more may follow. At the very end
		// there may be fewer, which is only wrong if they are used.
		_ = s.need(14)
		e := d.codes[s.bits&127]
		n := uint(e & 63)
		if e == 0 || n > s.n {
			if e != 0 || s.n < 7 {
				return ErrShort
			}
			return ErrCorrupt
		}
		s.bits >>= n
		s.n -= n
		symbol := e >> 16
		if symbol < 16 {
			previous = uint8(symbol)
			lengths[i] = previous
			i++
			continue
		}
		value, extra, repeat := uint8(0), uint(7), uint(11)
		switch symbol {
		case 16:
			if i == 0 {
				return ErrCorrupt
			}
			value, extra, repeat = previous, 2, 3
		case 17:
			extra, repeat = 3, 3
		}
		more, err := s.take(extra)
		if err != nil {
			return err
		}
		repeat += more
		if i+int(repeat) > len(lengths) {
			return ErrCorrupt
		}
		for range repeat {
			lengths[i] = value
			i++
		}
		previous = value
	}
	if lengths[256] == 0 {
		return ErrCorrupt // the block could not end
	}
	if !build(d.literals[:], lengths[:literals], literalBits, literalEntry, true) ||
		!build(d.distances[:], lengths[literals:], distanceBits, distanceEntry, true) {
		return ErrCorrupt
	}
	return nil
}

func (d *Decoder) fixedTables() {
	l := d.lengths[:288]
	for i := range l {
		switch {
		case i < 144:
			l[i] = 8
		case i < 256:
			l[i] = 9
		case i < 280:
			l[i] = 7
		default:
			l[i] = 8
		}
	}
	build(d.literals[:], l, literalBits, literalEntry, true)
	for i := range d.lengths[:32] {
		d.lengths[i] = 5
	}
	build(d.distances[:], d.lengths[:32], distanceBits, distanceEntry, true)
	d.fixed = true
}

func codeEntry(symbol int) uint32 { return uint32(symbol)<<16 | isLiteral }

func literalEntry(symbol int) uint32 {
	switch {
	case symbol < 256:
		return uint32(symbol)<<16 | isLiteral
	case symbol == 256:
		return isEnd
	case symbol < 265:
		return uint32(symbol-254) << 16
	case symbol < 285:
		extra := uint32(symbol-261) / 4
		return (uint32(4+(symbol-265)%4)<<extra+3)<<16 | extra
	case symbol == 285:
		return 258 << 16
	}
	return 0 // 286 and 287 are in the fixed code and mean nothing
}

func distanceEntry(symbol int) uint32 {
	switch {
	case symbol < 4:
		return uint32(symbol+1) << 16
	case symbol < 30:
		extra := uint32(symbol-2) / 2
		return (uint32(2+symbol%2)<<extra+1)<<16 | extra
	}
	return 0
}

// build fills a table for codes of these lengths and says whether they are a
// code. A code with gaps is none, but zlib lets one pass that has a single bit
// (partial), or no code at all.
func build(table []uint32, lengths []uint8, width uint, entry func(symbol int) uint32, partial bool) bool {
	var count [16]int
	for _, n := range lengths {
		count[n]++
	}
	longest := 15
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	left := 1
	for n := 1; n <= 15; n++ {
		if left = left<<1 - count[n]; left < 0 {
			return false
		}
	}
	if left > 0 && (!partial || longest > 1) {
		return false
	}
	clear(table[:1<<width])
	if longest == 0 {
		return true
	}
	// Symbols in the order of their codes.
	var next [16]int
	for n := 1; n < 15; n++ {
		next[n+1] = next[n] + count[n]
	}
	var sorted [288]uint16
	for symbol, n := range lengths {
		if n > 0 {
			sorted[next[n]] = uint16(symbol)
			next[n]++
		}
	}
	used := next[longest] // all symbols that have a code
	code, n := uint32(0), uint(lengths[sorted[0]])
	free, sub, subBits, subPrefix := 1<<width, 0, uint(0), ^uint32(0)
	for i := range used {
		symbol := int(sorted[i])
		if m := uint(lengths[symbol]); m > n {
			code <<= m - n
			n = m
		}
		e := entry(symbol)
		reversed := bits.Reverse32(code) >> (32 - n)
		if n <= width {
			if e != 0 {
				e += uint32(n) | uint32(n)<<8
			}
			for j := reversed; j < 1<<width; j += 1 << n {
				table[j] = e
			}
			code++
			continue
		}
		prefix := reversed & (1<<width - 1)
		if prefix != subPrefix {
			// Codes that begin alike follow each other and grow: the last of
			// them says how large their table is.
			subPrefix, subBits = prefix, n-width
			for j, c, m := i+1, code+1, n; j < used; j, c = j+1, c+1 {
				if k := uint(lengths[sorted[j]]); k > m {
					c <<= k - m
					m = k
				}
				if bits.Reverse32(c)>>(32-m)&(1<<width-1) != prefix {
					break
				}
				subBits = m - width
			}
			sub = free
			if free += 1 << subBits; free > len(table) {
				return false
			}
			clear(table[sub:free])
			table[prefix] = isLonger | uint32(width) | uint32(subBits)<<8 | uint32(sub)<<16
		}
		if e != 0 {
			e += uint32(n-width) | uint32(n-width)<<8
		}
		for j := int(reversed >> width); j < 1<<subBits; j += 1 << (n - width) {
			table[sub+j] = e
		}
		code++
	}
	return true
}
