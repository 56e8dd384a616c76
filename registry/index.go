package registry

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// index is what is kept of a packument, whether it was just fetched or comes
// from the cache.
type index struct {
	tags         jsjson.Raw // dist-tags
	staged       jsjson.Raw // stagedVersions
	restrictions jsjson.Raw // policyRestrictions

	table []byte // a row for each version, in the document's order
	names []byte // the versions' keys, as written, one after the other

	// These two are large and seldom read: they may be in a mapped file.
	time []byte // raw JSON
	slim []byte // the versions' reduced manifests, one after the other

	oddTimes bool // some version's time may be no date

	reorder bool // versions are not in JavaScript's order yet
}

// maxKey is how long a version's key may be, many times what npm allows.
const maxKey = 1<<16 - 1

// row is one version's place in the index, in the form that the cache has:
// where its key is in names, flags, where its manifest is in slim and the
// checksum of it, and the version's three numbers, which hold only without
// flagOdd. All is little endian.
type row []byte

const rowSize = 32

func (r row) nameAt() int   { return int(binary.LittleEndian.Uint32(r)) }
func (r row) nameLen() int  { return int(binary.LittleEndian.Uint16(r[4:])) }
func (r row) flags() uint16 { return binary.LittleEndian.Uint16(r[6:]) }
func (r row) slimAt() int   { return int(binary.LittleEndian.Uint32(r[8:])) }
func (r row) slimLen() int  { return int(binary.LittleEndian.Uint32(r[12:])) }
func (r row) sum() uint32   { return binary.LittleEndian.Uint32(r[16:]) }
func (r row) numbers() triple {
	return triple{binary.LittleEndian.Uint32(r[20:]), binary.LittleEndian.Uint32(r[24:]), binary.LittleEndian.Uint32(r[28:])}
}

// triple is major, minor and patch.
type triple [3]uint32

func (t triple) compare(u triple) int {
	for i := range t {
		if c := cmp.Compare(t[i], u[i]); c != 0 {
			return c
		}
	}
	return 0
}

func appendRow(table []byte, nameAt, nameLen int, flags uint16, slimAt, slimLen int, sum uint32, numbers triple) []byte {
	table = binary.LittleEndian.AppendUint32(table, uint32(nameAt))
	table = binary.LittleEndian.AppendUint16(table, uint16(nameLen))
	table = binary.LittleEndian.AppendUint16(table, flags)
	table = binary.LittleEndian.AppendUint32(table, uint32(slimAt))
	table = binary.LittleEndian.AppendUint32(table, uint32(slimLen))
	table = binary.LittleEndian.AppendUint32(table, sum)
	for _, n := range numbers {
		table = binary.LittleEndian.AppendUint32(table, n)
	}
	return table
}

const (
	flagDeprecated uint16 = 1 << iota // "deprecated" is truthy
	flagEngines                       // "engines" says something
	flagPre                           // has a prerelease
	flagOdd                           // not plainly MAJOR.MINOR.PATCH[-PRE]: parse it
	flagLook                          // the first two may be wrong: look into the manifest
)

func (x *index) count() int { return len(x.table) / rowSize }

func (x *index) row(i int) row { return row(x.table[i*rowSize:][:rowSize]) }

// name gives a version's key as written. The cache's checksum tells an
// accident, not a forgery: spans are checked all the same.
func (x *index) name(i int) []byte { return part(x.names, x.row(i).nameAt(), x.row(i).nameLen()) }

// manifest gives a version's reduced manifest.
func (x *index) manifest(i int) []byte { return part(x.slim, x.row(i).slimAt(), x.row(i).slimLen()) }

func part(b []byte, at, n int) []byte {
	if at > len(b) || n > len(b)-at {
		return nil
	}
	return b[at : at+n]
}

// key gives a version's key, decoded.
func (x *index) key(i int) string {
	text := string(x.name(i))
	if strings.IndexByte(text, '\\') < 0 {
		return jsjson.ValidText(text)
	}
	if key := jsjson.Raw(`"` + text + `"`).Value(); key.IsString() {
		return key.Str()
	}
	return text
}

// order puts the versions into JavaScript's order, if they are not in it.
func (x *index) order() {
	if !x.reorder {
		return
	}
	type entry struct {
		key string
		row row
	}
	entries := make([]entry, x.count())
	for i := range entries {
		entries[i] = entry{x.key(i), x.row(i)}
	}
	entries = jsjson.Order(entries, func(e *entry) string { return e.key }, func(to, from *entry) { to.row = from.row })
	table := make([]byte, 0, len(x.table))
	for _, e := range entries {
		table = append(table, e.row...)
	}
	x.table = table
}

// readNumbers reads a version's key as far as ordering needs it.
func readNumbers(key []byte) (numbers triple, flags uint16) {
	i := 0
	for part := range numbers {
		n, start := uint32(0), i
		for i < len(key) && '0' <= key[i] && key[i] <= '9' && i-start < 9 {
			n = n*10 + uint32(key[i]-'0')
			i++
		}
		if i == start || key[start] == '0' && i > start+1 {
			return numbers, flagOdd
		}
		numbers[part] = n
		if part < 2 {
			if i >= len(key) || key[i] != '.' {
				return numbers, flagOdd
			}
			i++
		}
	}
	switch {
	case i == len(key):
		return numbers, 0
	case key[i] != '-' || i+1 == len(key):
		return numbers, flagOdd
	}
	for _, c := range key[i+1:] {
		if c != '-' && c != '.' && (c < '0' || '9' < c) && (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) {
			return numbers, flagOdd
		}
	}
	return numbers, flagPre
}

// An entry on disk is, in little endian:
//
//	magic    16 bytes, with the format's version
//	slot     32 bytes: when it was received or validated (ms), age then (s),
//	         for how long it is fresh (ms), flags, and a checksum of these.
//	         The only part that is ever changed in place.
//	lengths  of what follows, and its checksums
//	head     url, etag, last-modified, body's encoding, dist-tags, staged,
//	         restrictions
//	table    32 bytes for each version
//	names    the versions' keys
//	time     the raw "time"
//	slim     the reduced manifests
//	body     as received, for those who want the whole document
//
// Reading one checks the checksum up to names; time, body and each manifest
// have their own, checked when they are looked at. Whatever does not fit makes
// the entry as good as absent.
const (
	entryMagic  = "ibid packument 1"
	slotAt      = len(entryMagic)
	slotSize    = 32
	lengthsAt   = slotAt + slotSize
	lengthsSize = 17 * 4
	headAt      = lengthsAt + lengthsSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// slot is how fresh an entry is.
type slot struct {
	received       int64 // Unix ms
	lifetime       int64 // ms
	age            uint32
	mustRevalidate bool
	broken         bool
}

func (f slot) encode() []byte {
	b := make([]byte, 0, slotSize)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.received))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.lifetime))
	b = binary.LittleEndian.AppendUint32(b, f.age)
	var flags uint32
	if f.mustRevalidate {
		flags |= 1
	}
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = binary.LittleEndian.AppendUint32(b, checksum(b))
	return append(b, 0, 0, 0, 0)
}

func decodeSlot(b []byte) slot {
	if checksum(b[:24]) != binary.LittleEndian.Uint32(b[24:]) {
		// Two processes may have written it at once. It only means that the
		// registry must be asked.
		return slot{broken: true, mustRevalidate: true}
	}
	return slot{
		received:       int64(binary.LittleEndian.Uint64(b)),
		lifetime:       int64(binary.LittleEndian.Uint64(b[8:])),
		age:            binary.LittleEndian.Uint32(b[16:]),
		mustRevalidate: binary.LittleEndian.Uint32(b[20:])&1 != 0,
	}
}

// fresh says whether the entry may answer without asking the registry.
func (f slot) fresh(now time.Time) bool {
	if f.broken || f.mustRevalidate {
		return false
	}
	resident := now.UnixMilli() - f.received
	// An entry from the future tells of a clock that was set back.
	return resident >= 0 && int64(f.age)*1000+resident < f.lifetime
}

// validators is what an entry's head says of the answer it came from.
type validators struct {
	url, etag, lastModified string
	encoding                string // of the body: "" or "gzip"
}

// appendHead appends an entry's bytes but for time, slim and body, which
// follow in this order.
func appendHead(head []byte, x *index, v validators, f slot, body []byte) []byte {
	head = append(head, make([]byte, headAt)...)
	copy(head, entryMagic)
	copy(head[slotAt:], f.encode())
	var lengths [lengthsSize]byte
	put := func(i, n int) { binary.LittleEndian.PutUint32(lengths[i*4:], uint32(n)) }
	for i, part := range []string{v.url, v.etag, v.lastModified, v.encoding, string(x.tags), string(x.staged), string(x.restrictions)} {
		put(i, len(part))
		head = append(head, part...)
	}
	put(7, len(x.table))
	put(8, len(x.names))
	put(9, len(x.time))
	put(10, len(x.slim))
	put(11, len(body))
	put(12, int(checksum(x.time)))
	put(13, int(checksum(body)))
	if x.oddTimes {
		put(15, 1)
	}
	head = append(head, x.table...)
	head = append(head, x.names...)
	put(14, len(head))
	copy(head[lengthsAt:], lengths[:])
	binary.LittleEndian.PutUint32(head[headAt-4:], headChecksum(head))
	return head
}

// headChecksum covers the lengths, but for itself, and what follows them.
func headChecksum(head []byte) uint32 {
	sum := checksum(head[lengthsAt : headAt-4])
	return crc32.Update(sum, castagnoli, head[headAt:])
}

// entry is an entry on disk, opened. Its time, slim and body are the file's
// memory, the rest was copied.
type entry struct {
	index
	validators
	slot    slot
	body    []byte
	timeSum uint32
	bodySum uint32
}

// decodeEntry reads an entry's head; nil where it is not one, or not whole.
func decodeEntry(file []byte) *entry {
	if len(file) < headAt || string(file[:len(entryMagic)]) != entryMagic {
		return nil
	}
	size := int(binary.LittleEndian.Uint32(file[lengthsAt+14*4:]))
	if size < headAt || size > len(file) {
		return nil
	}
	// A copy: what was checked is what is read from here on.
	head := bytes.Clone(file[:size])
	n := func(i int) int { return int(binary.LittleEndian.Uint32(head[lengthsAt+i*4:])) }
	if headChecksum(head) != uint32(n(16)) {
		return nil
	}
	e := &entry{slot: decodeSlot(head[slotAt : slotAt+slotSize]), timeSum: uint32(n(12)), bodySum: uint32(n(13))}
	e.oddTimes = n(15)&1 != 0
	at, ok := headAt, true
	take := func(n int) []byte {
		if n < 0 || n > size-at {
			ok = false
			return nil
		}
		at += n
		return head[at-n : at : at]
	}
	e.url, e.etag, e.lastModified, e.encoding = string(take(n(0))), string(take(n(1))), string(take(n(2))), string(take(n(3)))
	e.tags, e.staged, e.restrictions = jsjson.Raw(take(n(4))), jsjson.Raw(take(n(5))), jsjson.Raw(take(n(6)))
	e.table, e.names = take(n(7)), take(n(8))
	if !ok || at != size || len(e.table)%rowSize != 0 {
		return nil
	}
	rest := file[size:]
	for i, part := range []*[]byte{&e.time, &e.slim, &e.body} {
		n := n(9 + i)
		if n > len(rest) {
			return nil
		}
		*part, rest = rest[:n:n], rest[n:]
	}
	if len(rest) != 0 {
		return nil
	}
	return e
}
