// Package tarballtest makes tarballs for tests: honest ones in one call, and
// ones that no honest tool writes. It checks nothing.
package tarballtest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Block is the unit of a tar archive in bytes.
const Block = 512

// An Entry is a header block and what follows it. The zero value of a field
// is what an ordinary tool would write.
type Entry struct {
	Name   string // at most 100 bytes
	Prefix string // at most 155 bytes
	Type   byte   // 0 means '0', a regular file; use OldType for the NUL type
	Mode   int64  // 0 means 0644
	Link   string
	Body   string

	ModeField, SizeField string         // the field's bytes as they are
	Raw                  func(b []byte) // changes the block before its checksum is made
	Spoil                func(b []byte) // and after
	NoPadding            bool           // the body isn't filled up to a block
	NoUstar              bool           // no magic: the format of Unix version 7
}

// OldType is the type byte of regular files before POSIX.
const OldType = 0xff

// File is a regular file with mode 0644.
func File(name, body string) Entry { return Entry{Name: name, Body: body} }

// Pax is an extended header of the given records, alternating keys and values.
func Pax(records ...string) Entry {
	return Entry{Name: "PaxHeader/x", Type: 'x', Body: Records(records...)}
}

// GlobalPax is Pax for all entries that follow.
func GlobalPax(records ...string) Entry {
	return Entry{Name: "pax_global_header", Type: 'g', Body: Records(records...)}
}

// LongName is a GNU header for the path of the next entry.
func LongName(path string) Entry {
	return Entry{Name: "././@LongLink", Type: 'L', Body: path + "\x00"}
}

// Records writes pax records with their lengths.
func Records(keyValues ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(keyValues); i += 2 {
		rest := " " + keyValues[i] + "=" + keyValues[i+1] + "\n"
		n := len(rest) + 1
		for len(strconv.Itoa(n))+len(rest) != n {
			n++
		}
		b.WriteString(strconv.Itoa(n) + rest)
	}
	return b.String()
}

// Blocks writes entries without the end of the archive.
func Blocks(entries ...Entry) []byte {
	var out []byte
	for _, e := range entries {
		out = append(out, header(e)...)
		out = append(out, e.Body...)
		if pad := len(e.Body) % Block; pad != 0 && !e.NoPadding {
			out = append(out, make([]byte, Block-pad)...)
		}
	}
	return out
}

// Tar writes entries and the two zero blocks that end an archive.
func Tar(entries ...Entry) []byte {
	return append(Blocks(entries...), make([]byte, 2*Block)...)
}

func header(e Entry) []byte {
	b := make([]byte, Block)
	copy(b[0:100], e.Name)
	mode := e.Mode
	if mode == 0 {
		mode = 0o644
	}
	copy(b[100:108], fmt.Sprintf("%07o\x00", mode))
	copy(b[108:116], "0000000\x00")
	copy(b[116:124], "0000000\x00")
	copy(b[124:136], fmt.Sprintf("%011o\x00", len(e.Body)))
	copy(b[136:148], "03740000000\x00")
	switch e.Type {
	case 0:
		b[156] = '0'
	case OldType:
	default:
		b[156] = e.Type
	}
	copy(b[157:257], e.Link)
	if !e.NoUstar {
		copy(b[257:265], "ustar\x0000")
		copy(b[345:500], e.Prefix)
	}
	if e.ModeField != "" {
		copy(b[100:108], make([]byte, 8))
		copy(b[100:108], e.ModeField)
	}
	if e.SizeField != "" {
		copy(b[124:136], make([]byte, 12))
		copy(b[124:136], e.SizeField)
	}
	if e.Raw != nil {
		e.Raw(b)
	}
	Sum(b)
	if e.Spoil != nil {
		e.Spoil(b)
	}
	return b
}

// Sum writes the checksum of a header block.
func Sum(b []byte) {
	sum := 8 * int(' ')
	for i, c := range b[:Block] {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
}

// Base256 is a numeric field of n bytes in GNU's binary form.
func Base256(v int64, n int) string {
	f := make([]byte, n)
	marker := byte(0x80)
	if v < 0 {
		marker = 0xff
		for i := range f {
			f[i] = 0xff
		}
	}
	var w [8]byte
	binary.BigEndian.PutUint64(w[:], uint64(v))
	if n >= 8 {
		copy(f[n-8:], w[:])
	} else {
		copy(f, w[8-n:])
	}
	f[0] = marker
	return string(f)
}

// Gzip compresses data as one member.
func Gzip(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// Package is the tarball of a package: pairs of a path below package/ and a content.
func Package(pathContent ...string) []byte {
	var entries []Entry
	for i := 0; i+1 < len(pathContent); i += 2 {
		entries = append(entries, File("package/"+pathContent[i], pathContent[i+1]))
	}
	return Gzip(Tar(entries...))
}
