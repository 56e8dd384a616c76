package registry

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// index is what is kept of a packument: the same in memory and, as entry, on
// disk. Its byte slices may share one document's memory.
type index struct {
	name []byte // raw JSON, as are the next four; nil where there is none
	tags []byte
	time []byte

	staged       []byte
	restrictions []byte

	versions []version // in the document's order
	names    []byte    // the versions' keys, as written, one after the other
	slim     []byte    // the versions' reduced manifests, one after the other

	reorder bool
	seen    map[string]bool
}

type span struct{ at, n int }

// version is one version's place in the index.
type version struct {
	name     span   // in names
	manifest span   // in slim
	sum      uint32 // of the manifest, from disk
	flags    uint16
	// major, minor and patch order versions without parsing them again. They
	// hold only without flagOdd.
	major, minor, patch uint32
}

const (
	flagDeprecated uint16 = 1 << iota // "deprecated" is truthy
	flagEngines                       // "engines" says something
	flagPre                           // has a prerelease
	flagOdd                           // not plainly MAJOR.MINOR.PATCH[-PRE]: parse it
	flagLook                          // flags may be wrong: look into the manifest
)

// hasVersion says whether a version's key was there before, and notes it. The
// check is linear over nothing in the usual case: keys ascend, and a map is
// made only for documents that repeat themselves suspiciously.
func (x *index) hasVersion(key []byte) bool {
	if x.seen == nil {
		x.seen = make(map[string]bool, 64)
	}
	if len(x.versions) == 0 {
		clear(x.seen)
	}
	if x.seen[string(key)] {
		return true
	}
	x.seen[string(key)] = true
	return false
}

// order puts the versions into JavaScript's order, if they are not in it.
func (x *index) order() {
	x.seen = nil
	if !x.reorder {
		return
	}
	keys := make([]string, len(x.versions))
	for i, v := range x.versions {
		keys[i] = unquote(x.names[v.name.at : v.name.at+v.name.n])
	}
	type entry struct {
		key string
		v   version
	}
	entries := make([]entry, len(keys))
	for i := range keys {
		entries[i] = entry{keys[i], x.versions[i]}
	}
	entries = jsjson.Order(entries, func(e *entry) string { return e.key }, func(to, from *entry) { to.v = from.v })
	x.versions = x.versions[:0]
	for _, e := range entries {
		x.versions = append(x.versions, e.v)
	}
}

// unquote decodes the inside of a JSON string.
func unquote(text []byte) string {
	for _, c := range text {
		if c == '\\' || c >= 0x80 {
			raw := make([]byte, 0, len(text)+2)
			raw = append(append(append(raw, '"'), text...), '"')
			v, err := jsjson.Parse(raw)
			if err != nil {
				return string(text)
			}
			return v.Str()
		}
	}
	return string(text)
}

// number reads a version's key as far as ordering needs it.
func (v *version) number(key []byte) {
	i := 0
	for part := range 3 {
		n, start := uint64(0), i
		for i < len(key) && '0' <= key[i] && key[i] <= '9' && i-start < 9 {
			n = n*10 + uint64(key[i]-'0')
			i++
		}
		if i == start || key[start] == '0' && i > start+1 {
			v.flags |= flagOdd
			return
		}
		switch part {
		case 0:
			v.major = uint32(n)
		case 1:
			v.minor = uint32(n)
		case 2:
			v.patch = uint32(n)
		}
		if part < 2 {
			if i >= len(key) || key[i] != '.' {
				v.flags |= flagOdd
				return
			}
			i++
		}
	}
	if i == len(key) {
		return
	}
	if key[i] != '-' {
		v.flags |= flagOdd
		return
	}
	v.flags |= flagPre
}

// An entry on disk is, in little endian:
//
//	magic    16 bytes, with the format's version
//	slot     32 bytes: when it was received or validated (ms), age then (s),
//	         for how long it is fresh (ms), flags, and a checksum of these.
//	         The only part that is ever changed in place.
//	lengths  of what follows, and its checksums
//	head     url, etag, last-modified, name, dist-tags, staged, restrictions
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
	tableRow    = 32
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

// encodeEntry gives an entry's bytes but for time, slim and body, which follow
// in this order.
func encodeEntry(x *index, v validators, f slot, body []byte) []byte {
	head := make([]byte, headAt, headAt+1024+len(x.versions)*(tableRow+12))
	copy(head, entryMagic)
	copy(head[slotAt:], f.encode())
	lengths := head[lengthsAt:headAt]
	for i, part := range [][]byte{
		[]byte(v.url), []byte(v.etag), []byte(v.lastModified), []byte(v.encoding), x.name, x.tags, x.staged, x.restrictions,
	} {
		binary.LittleEndian.PutUint32(lengths[i*4:], uint32(len(part)))
		head = append(head, part...)
	}
	lengths = head[lengthsAt:headAt] // it may have moved
	for i, n := range []uint32{
		uint32(len(x.versions)), uint32(len(x.names)), uint32(len(x.time)), uint32(len(x.slim)), uint32(len(body)), checksum(x.time), checksum(body),
	} {
		binary.LittleEndian.PutUint32(lengths[(8+i)*4:], n)
	}
	for i := range x.versions {
		e := &x.versions[i]
		head = binary.LittleEndian.AppendUint32(head, uint32(e.name.at))
		head = binary.LittleEndian.AppendUint16(head, uint16(min(e.name.n, 0xffff)))
		head = binary.LittleEndian.AppendUint16(head, e.flags)
		head = binary.LittleEndian.AppendUint32(head, uint32(e.manifest.at))
		head = binary.LittleEndian.AppendUint32(head, uint32(e.manifest.n))
		head = binary.LittleEndian.AppendUint32(head, checksum(x.slim[e.manifest.at:e.manifest.at+e.manifest.n]))
		head = binary.LittleEndian.AppendUint32(head, e.major)
		head = binary.LittleEndian.AppendUint32(head, e.minor)
		head = binary.LittleEndian.AppendUint32(head, e.patch)
	}
	head = append(head, x.names...)
	binary.LittleEndian.PutUint32(head[headAt-8:], uint32(len(head)))
	binary.LittleEndian.PutUint32(head[headAt-4:], headChecksum(head))
	return head
}

// headChecksum covers the lengths, but for itself, and what follows them.
func headChecksum(head []byte) uint32 {
	sum := checksum(head[lengthsAt : headAt-4])
	return crc32.Update(sum, castagnoli, head[headAt:])
}

// entry is an entry on disk, opened. Its slices share the file's memory.
type entry struct {
	index
	validators
	slot     slot
	body     []byte
	timeSum  uint32
	bodySum  uint32
	filesize int
}

// decodeEntry reads an entry's head; nil where it is not one, or not whole.
func decodeEntry(file []byte) *entry {
	if len(file) < headAt || string(file[:len(entryMagic)]) != entryMagic {
		return nil
	}
	n := func(i int) int { return int(binary.LittleEndian.Uint32(file[lengthsAt+i*4:])) }
	headLen := n(15)
	if headLen < headAt || headLen > len(file) || headChecksum(file[:headLen]) != uint32(n(16)) {
		return nil
	}
	e := &entry{slot: decodeSlot(file[slotAt : slotAt+slotSize]), timeSum: uint32(n(13)), bodySum: uint32(n(14)), filesize: len(file)}
	at, ok := headAt, true
	take := func(n int) []byte {
		if n < 0 || n > len(file)-at {
			ok = false
			return nil
		}
		b := file[at : at+n : at+n]
		at += n
		return b
	}
	e.validators = validators{url: string(take(n(0))), etag: string(take(n(1))), lastModified: string(take(n(2))), encoding: string(take(n(3)))}
	e.name, e.tags, e.staged, e.restrictions = take(n(4)), take(n(5)), take(n(6)), take(n(7))
	count := n(8)
	if count > len(file)/tableRow {
		return nil
	}
	table := take(count * tableRow)
	e.names = take(n(9))
	if !ok || at != headLen {
		return nil
	}
	e.time, e.slim, e.body = take(n(10)), take(n(11)), take(n(12))
	if !ok || at != len(file) {
		return nil
	}
	e.versions = make([]version, count)
	for i := range e.versions {
		row := table[i*tableRow:][:tableRow]
		v := &e.versions[i]
		v.name = span{int(binary.LittleEndian.Uint32(row)), int(binary.LittleEndian.Uint16(row[4:]))}
		v.flags = binary.LittleEndian.Uint16(row[6:])
		v.manifest = span{int(binary.LittleEndian.Uint32(row[8:])), int(binary.LittleEndian.Uint32(row[12:]))}
		v.sum = binary.LittleEndian.Uint32(row[16:])
		v.major = binary.LittleEndian.Uint32(row[20:])
		v.minor = binary.LittleEndian.Uint32(row[24:])
		v.patch = binary.LittleEndian.Uint32(row[28:])
		// The checksum tells an accident from an entry, not a forgery: spans
		// are checked all the same.
		if v.name.at > len(e.names) || v.name.n > len(e.names)-v.name.at ||
			v.manifest.at > len(e.slim) || v.manifest.n > len(e.slim)-v.manifest.at {
			return nil
		}
	}
	return e
}
