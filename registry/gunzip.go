package registry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/gzip"
)

// gunzipper decodes one gzip text after the other.
type gunzipper struct {
	src bytes.Reader
	r   *gzip.Reader
}

// decode gives the text in dst's memory, with room for a byte more.
func (z *gunzipper) decode(dst, src []byte, limit int64) ([]byte, error) {
	dst = dst[:0]
	if len(src) >= 18 {
		// The last four bytes say the size, modulo 2³². Deflate packs at most
		// 1032 to one: more is a lie, less is corrected by reading.
		n := int64(binary.LittleEndian.Uint32(src[len(src)-4:]))
		if n <= limit && n <= 1032*int64(len(src)) && n+64 > int64(cap(dst)) {
			dst = make([]byte, 0, n+n/8+64)
		}
	}
	z.src.Reset(src)
	var err error
	if z.r == nil {
		z.r, err = gzip.NewReader(&z.src)
	} else {
		err = z.r.Reset(&z.src)
	}
	if err != nil {
		z.r = nil
		return dst, fmt.Errorf("decoding gzip: %w", err)
	}
	dst, err = readInto(dst, z.r, limit)
	if err != nil && !errors.Is(err, errTooLarge) {
		err = fmt.Errorf("decoding gzip: %w", err)
	}
	return dst, err
}
