package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"slices"
)

const sealMagic = "ibidseal"
const sealVersion = 2

// Variant tells apart the trees that one tarball can be unpacked to: which
// files became executable, under which umask.
type Variant [8]byte

// seal describes one tree. Paths inside keep a NUL behind them, so that they
// can be handed to the system as they lie in the file.
type seal struct {
	digest  Digest
	variant Variant
	// born is the time in which the tree's files were written; a file whose
	// birth or last change lies outside is not the one that was written.
	bornFrom, bornTo int64 // Unix nanoseconds
	// ino and btime are the seal file's own: a copy of it is not a seal.
	ino   uint64
	btime int64
	dir   string // the tree's folder, beside the seal
	dirs  []sealDir
	files []sealFile
	total int64  // bytes of all files
	data  []byte // what was read, with the MAC; the paths lie in it
}

type sealDir struct {
	path string // relative, slashes, a NUL behind it in memory
}

type sealFile struct {
	path string // as above
	mode fs.FileMode
	size int64
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	b = append(b, s...)
	return append(b, 0)
}

// encode gives the seal's bytes without the MAC.
func (s *seal) encode() []byte {
	n := 160 + len(s.dir)
	for i := range s.dirs {
		n += len(s.dirs[i].path) + 3
	}
	for i := range s.files {
		n += len(s.files[i].path) + 16
	}
	b := make([]byte, 0, n+sha256.Size)
	b = append(b, sealMagic...)
	b = append(b, sealVersion)
	b = append(b, s.digest[:]...)
	b = append(b, s.variant[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.bornFrom))
	b = binary.LittleEndian.AppendUint64(b, uint64(s.bornTo))
	b = binary.LittleEndian.AppendUint64(b, s.ino)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.btime))
	b = appendString(b, s.dir)
	b = binary.AppendUvarint(b, uint64(len(s.dirs)))
	for i := range s.dirs {
		b = appendString(b, s.dirs[i].path)
	}
	b = binary.AppendUvarint(b, uint64(len(s.files)))
	for i := range s.files {
		f := &s.files[i]
		b = binary.LittleEndian.AppendUint16(b, uint16(f.mode.Perm()))
		b = binary.AppendUvarint(b, uint64(f.size))
		b = appendString(b, f.path)
	}
	return b
}

type sealReader struct {
	b   string
	bad bool
}

func (r *sealReader) take(n int) string {
	if n < 0 || n > len(r.b) {
		r.bad = true
		return ""
	}
	t := r.b[:n]
	r.b = r.b[n:]
	return t
}

func (r *sealReader) u64() uint64 {
	t := r.take(8)
	if len(t) < 8 {
		return 0
	}
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

func (r *sealReader) uvarint() uint64 {
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		t := r.take(1)
		if t == "" {
			return 0
		}
		v |= uint64(t[0]&0x7f) << shift
		if t[0] < 0x80 {
			return v
		}
	}
	r.bad = true
	return 0
}

func (r *sealReader) string() string {
	n := r.uvarint()
	if n >= uint64(len(r.b)) { // ≥: the NUL must fit as well
		r.bad = true
		return ""
	}
	t := r.take(int(n))
	if r.take(1) != "\x00" {
		r.bad = true
	}
	return t
}

// count reads how many records follow; each takes at least size bytes, so a
// number that lies cannot make us allocate.
func (r *sealReader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.b)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}

// decodeSeal reads what encode wrote, the MAC being checked and cut off. The
// seal's strings share data's memory.
func decodeSeal(data string) (*seal, error) {
	s := new(seal)
	if err := s.decode(data); err != nil {
		return nil, err
	}
	return s, nil
}

// decode is decodeSeal into the memory of a seal that nobody uses any more.
func (s *seal) decode(data string) error {
	r := &sealReader{b: data}
	if r.take(len(sealMagic)) != sealMagic || r.take(1) != string(rune(sealVersion)) {
		return fmt.Errorf("not a seal of version %d", sealVersion)
	}
	copy(s.digest[:], r.take(len(s.digest)))
	copy(s.variant[:], r.take(len(s.variant)))
	s.bornFrom = int64(r.u64())
	s.bornTo = int64(r.u64())
	s.ino = r.u64()
	s.btime = int64(r.u64())
	s.dir = r.string()
	n := r.count(2)
	s.dirs = slices.Grow(s.dirs[:0], n)[:n]
	for i := range s.dirs {
		s.dirs[i].path = r.string()
	}
	n = r.count(5)
	s.files = slices.Grow(s.files[:0], n)[:n]
	s.total = 0
	for i := range s.files {
		f := &s.files[i]
		f.mode = 0
		if t := r.take(2); len(t) == 2 {
			f.mode = fs.FileMode(uint16(t[0])|uint16(t[1])<<8) & fs.ModePerm
		}
		f.size = int64(r.uvarint())
		f.path = r.string()
		s.total += f.size
	}
	if r.bad || r.b != "" {
		return fmt.Errorf("damaged seal")
	}
	return nil
}
