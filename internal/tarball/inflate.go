package tarball

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// A Buffer is memory for one inflated tarball at a time, and the decoder that
// fills it. Its zero value is ready. One goroutine uses it at a time; whoever
// unpacks many tarballs keeps one per worker.
type Buffer struct {
	data   []byte
	reader bytes.Reader
	flate  io.ReadCloser
}

// grow makes room for n more bytes behind the used ones.
func (b *Buffer) grow(used, n int) {
	if cap(b.data)-used >= n {
		b.data = b.data[:cap(b.data)]
		return
	}
	c := max(2*cap(b.data), used+n, 64<<10)
	next := make([]byte, c)
	copy(next, b.data[:used])
	b.data = next
}

// Inflate returns the tar archive inside tgz: all gzip members one after the
// other, or tgz itself when it isn't gzipped. The result is the memory of buf
// (nil allocates) unless it is tgz.
//
// The gzip trailer's length chooses the first size of the buffer; it is only
// believed as far as tgz could inflate to it.
func Inflate(tgz []byte, limits Limits, buf *Buffer) ([]byte, error) {
	limits = limits.orDefault()
	if len(tgz) < 2 || tgz[0] != 0x1f || tgz[1] != 0x8b {
		if len(tgz) >= 4 && binary.LittleEndian.Uint32(tgz) == 0xfd2fb528 {
			return nil, bad(CodeBadArchive, "compressed with zstd; packages are gzipped")
		}
		if int64(len(tgz)) > limits.Bytes {
			return nil, tooBig(limits.Bytes)
		}
		return tgz, nil
	}
	if buf == nil {
		buf = new(Buffer)
	}
	most := limits.Bytes
	if r := int64(len(tgz))*int64(limits.Ratio) + ratioGrace; r < most {
		most = r
	}

	// A deflate stream can't grow more than 1032-fold, and packages grow
	// 5-fold, so a trailer that claims more than 16-fold isn't believed
	// before the bytes arrive.
	first := int64(64 << 10)
	if len(tgz) >= 18 {
		first = int64(binary.LittleEndian.Uint32(tgz[len(tgz)-4:]))
	}
	first = min(first, 16*int64(len(tgz))+64<<10, most)
	buf.grow(0, int(first)+1)

	used := 0
	rest := tgz
	for {
		head, err := gzipHeader(rest)
		if err != nil {
			return nil, err
		}
		n, left, err := buf.inflateMember(rest[head:], used, most)
		if err != nil {
			if errors.Is(err, errTooBig) {
				if most == limits.Bytes {
					return nil, tooBig(limits.Bytes)
				}
				return nil, bad(CodeBomb, "unpacks to more than %d times its size of %s, as archives made to fill disks do", limits.Ratio, size(int64(len(tgz))))
			}
			return nil, err
		}
		if len(left) < 8 {
			return nil, bad(CodeZBuf, "gzip stream ends early: its checksum is missing")
		}
		out := buf.data[used : used+n]
		if crc32.ChecksumIEEE(out) != binary.LittleEndian.Uint32(left) {
			return nil, bad(CodeZData, "gzip checksum doesn't match the content")
		}
		if uint32(n) != binary.LittleEndian.Uint32(left[4:]) {
			return nil, bad(CodeZData, "gzip length doesn't match the content")
		}
		used += n
		rest = left[8:]
		// Node's zlib stops at padding and takes anything else for another
		// member, to the death.
		if len(rest) == 0 || rest[0] == 0 {
			break
		}
	}
	return buf.data[:used:used], nil
}

var errTooBig = errors.New("too big")

func tooBig(limit int64) *Error {
	return bad(CodeBomb, "unpacks to more than %s", size(limit))
}

// inflateMember inflates the deflate stream at the start of src to
// buf.data[used:] and returns how many bytes it made and what follows.
func (b *Buffer) inflateMember(src []byte, used int, most int64) (n int, rest []byte, err error) {
	b.reader.Reset(src)
	if b.flate == nil {
		b.flate = flate.NewReader(&b.reader)
	} else if err := b.flate.(flate.Resetter).Reset(&b.reader, nil); err != nil {
		return 0, nil, err
	}
	at := used
	for {
		if at == len(b.data) {
			b.grow(at, 64<<10)
		}
		m, err := b.flate.Read(b.data[at:])
		at += m
		if int64(at) > most {
			return 0, nil, errTooBig
		}
		if err == io.EOF {
			return at - used, src[len(src)-b.reader.Len():], nil
		}
		if err == io.ErrUnexpectedEOF {
			return 0, nil, bad(CodeZBuf, "gzip stream ends early")
		}
		if err != nil {
			return 0, nil, bad(CodeZData, "gzip stream is damaged")
		}
	}
}

// gzipHeader returns the length of the gzip header at the start of p (RFC 1952).
func gzipHeader(p []byte) (int, error) {
	if len(p) < 10 {
		return 0, bad(CodeZBuf, "gzip stream ends in its header")
	}
	if p[0] != 0x1f || p[1] != 0x8b {
		return 0, bad(CodeZData, "bytes after the gzip stream are not another one")
	}
	if p[2] != 8 {
		return 0, bad(CodeZData, "gzip stream uses an unknown compression method")
	}
	const (
		hcrc = 1 << (iota + 1)
		extra
		name
		comment
	)
	flags := p[3]
	if flags&0xe0 != 0 {
		return 0, bad(CodeZData, "gzip header has unknown flags")
	}
	n := 10
	short := bad(CodeZBuf, "gzip stream ends in its header")
	if flags&extra != 0 {
		if len(p) < n+2 {
			return 0, short
		}
		n += 2 + int(binary.LittleEndian.Uint16(p[n:]))
	}
	for _, f := range [...]byte{name, comment} {
		if flags&f == 0 {
			continue
		}
		if n > len(p) {
			return 0, short
		}
		i := bytes.IndexByte(p[n:], 0)
		if i < 0 {
			return 0, short
		}
		n += i + 1
	}
	if flags&hcrc != 0 {
		if len(p) < n+2 {
			return 0, short
		}
		if uint16(crc32.ChecksumIEEE(p[:n])) != binary.LittleEndian.Uint16(p[n:]) {
			return 0, bad(CodeZData, "gzip header checksum doesn't match")
		}
		n += 2
	}
	if n > len(p) {
		return 0, short
	}
	return n, nil
}
