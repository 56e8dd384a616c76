package inflate

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// Gunzip appends the text of a gzip text to dst, which may grow to limit bytes
// in all. Members that follow each other are one text; what follows them that
// is none is left alone when it begins with a zero, as padding does, and is
// ErrHeader else: so does node's zlib.
func (d *Decoder) Gunzip(dst, src []byte, limit int) ([]byte, error) {
	// What the text says of its size is believed as far as usual texts go; the
	// rest has to prove itself. Room behind it lets the fast loop run to the end.
	if n := min(SizeHint(src), 64*len(src)+64<<10); n > 0 && len(dst)+n <= limit && cap(dst)-len(dst) < n+slack {
		grown := make([]byte, len(dst), len(dst)+n+slack)
		copy(grown, dst)
		dst = grown
	}
	for {
		head, err := headerLen(src)
		if err != nil {
			return dst, err
		}
		start := len(dst)
		var n int
		if dst, n, err = d.Decode(dst, src[head:], limit); err != nil {
			return dst, err
		}
		src = src[head+n:]
		if len(src) < 8 {
			return dst, ErrShort
		}
		if crc32.ChecksumIEEE(dst[start:]) != binary.LittleEndian.Uint32(src) ||
			uint32(len(dst)-start) != binary.LittleEndian.Uint32(src[4:]) {
			return dst, ErrChecksum
		}
		if src = src[8:]; len(src) == 0 || src[0] == 0 {
			return dst, nil
		}
	}
}

// SizeHint gives the size that a gzip text says it has, as far as it can be
// believed: deflate makes no more than 1032 bytes of one. It is 0 where there
// is none, and wrong where several members follow each other.
func SizeHint(src []byte) int {
	if len(src) < 18 {
		return 0
	}
	n := int64(binary.LittleEndian.Uint32(src[len(src)-4:]))
	if n > 1032*int64(len(src)) {
		return 0
	}
	return int(n)
}

// headerLen checks a gzip header and says how long it is.
func headerLen(src []byte) (int, error) {
	const (
		hasCRC = 1 << (iota + 1)
		hasExtra
		hasName
		hasComment
	)
	if len(src) < 2 {
		if len(src) == 1 && src[0] == 0x1f {
			return 0, ErrShort
		}
		return 0, ErrHeader
	}
	if src[0] != 0x1f || src[1] != 0x8b {
		return 0, ErrHeader
	}
	if len(src) < 10 {
		return 0, ErrShort
	}
	flags := src[3]
	if src[2] != 8 || flags&0xe0 != 0 {
		return 0, ErrHeader
	}
	n := 10
	if flags&hasExtra != 0 {
		if len(src) < n+2 {
			return 0, ErrShort
		}
		n += 2 + int(binary.LittleEndian.Uint16(src[n:]))
		if len(src) < n {
			return 0, ErrShort
		}
	}
	for _, flag := range []byte{hasName, hasComment} {
		if flags&flag != 0 {
			end := bytes.IndexByte(src[n:], 0)
			if end < 0 {
				return 0, ErrShort
			}
			n += end + 1
		}
	}
	if flags&hasCRC != 0 {
		if len(src) < n+2 {
			return 0, ErrShort
		}
		if uint16(crc32.ChecksumIEEE(src[:n])) != binary.LittleEndian.Uint16(src[n:]) {
			return 0, ErrHeader
		}
		n += 2
	}
	return n, nil
}
