package registry

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
)

// index is what is kept of a packument in memory: where its versions are, and
// some of the newest manifests. The rest is in the cache's file.
type index struct {
	tags         jsjson.Raw // dist-tags
	staged       jsjson.Raw // stagedVersions
	restrictions jsjson.Raw // policyRestrictions

	table []byte // a row for each version, in the document's order
	names []byte // the versions' keys, as written, one after the other

	near     []byte // the file's bytes from nearAt on
	nearAt   int
	times    part   // raw JSON
	oddTimes bool   // some version's time may be no date
	sum      uint32 // of all that is here, which has the sums of what is not
}

// part is some of a file's bytes and their checksum.
type part struct {
	at, n int
	sum   uint32
}

// maxKey is how long a version's key may be, many times what npm allows.
const maxKey = 1<<16 - 1

// row is one version's place in the index, in the form that the cache has:
// where its key is in names, flags, where its reduced manifest is in the file,
// with its checksum, and the version's three numbers, which hold only without
// flagOdd. All is little endian.
type row []byte

const rowSize = 32

func (r row) nameAt() int   { return int(binary.LittleEndian.Uint32(r)) }
func (r row) nameLen() int  { return int(binary.LittleEndian.Uint16(r[4:])) }
func (r row) flags() uint16 { return binary.LittleEndian.Uint16(r[6:]) }
func (r row) manifest() part {
	return part{int(binary.LittleEndian.Uint32(r[8:])), int(binary.LittleEndian.Uint32(r[12:])), binary.LittleEndian.Uint32(r[16:])}
}
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

func appendRow(table []byte, nameAt, nameLen int, flags uint16, manifest part, numbers triple) []byte {
	table = binary.LittleEndian.AppendUint32(table, uint32(nameAt))
	table = binary.LittleEndian.AppendUint16(table, uint16(nameLen))
	table = binary.LittleEndian.AppendUint16(table, flags)
	table = binary.LittleEndian.AppendUint32(table, uint32(manifest.at))
	table = binary.LittleEndian.AppendUint32(table, uint32(manifest.n))
	table = binary.LittleEndian.AppendUint32(table, manifest.sum)
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
func (x *index) name(i int) []byte {
	at, n := x.row(i).nameAt(), x.row(i).nameLen()
	if at > len(x.names) || n > len(x.names)-at {
		return nil
	}
	return x.names[at : at+n]
}

// nearby gives a part of the file that is in memory.
func (x *index) nearby(p part) ([]byte, bool) {
	at := p.at - x.nearAt
	if at < 0 || p.n > len(x.near)-at {
		return nil, false
	}
	b := x.near[at : at+p.n]
	return b, checksum(b) == p.sum
}

// key gives a version's key, decoded.
func (x *index) key(i int) string {
	text := string(x.name(i))
	if strings.IndexByte(text, '\\') < 0 {
		return js.ValidText(text)
	}
	if key := jsjson.Raw(`"` + text + `"`).Value(); key.IsString() {
		return key.Str()
	}
	return text
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
//	magic      16 bytes, with the format's version
//	slot       32 bytes: when it was received or validated (ms), for how long
//	           it is fresh (ms), its age then (s), flags, a checksum of these.
//	           The only part that is ever changed in place.
//	lengths    where head is, the lengths of what is in it, where time and
//	           body are, with their checksums; then the checksum of lengths
//	           and head
//	manifests  the versions' reduced manifests, in the document's order, then
//	           those once more that are most likely to be picked
//	head       url, etag, last-modified, the body's encoding, dist-tags,
//	           staged, restrictions, a row for each version, their keys
//	time       the raw "time"
//	body       as received, for those who want the whole document
//
// Opening one reads the beginning, then head with the manifests right before
// it. Time, body and each manifest are checked when they are looked at. Whatever does not fit
// makes the entry as good as absent.
const (
	entryMagic  = "ibid packument 2"
	slotAt      = len(entryMagic)
	slotSize    = 32
	lengthsAt   = slotAt + slotSize
	lengthsSize = 18 * 4
	beginning   = lengthsAt + lengthsSize
	sumAt       = beginning - 4

	// nearSize is how many bytes of manifests are read with the head.
	nearSize = 4096
	// maxHead is far above any real one: a version takes about fifty bytes.
	maxHead = 64 << 20
)

// The places of lengths.
const (
	lenHeadAt = iota
	lenHead
	lenURL
	lenEtag
	lenLastModified
	lenEncoding
	lenTags
	lenStaged
	lenRestrictions
	lenTable
	lenNames
	lenTime
	lenTimeSum
	lenBodyAt
	lenBody
	lenBodySum
	lenFlags
)

// castagnoli makes its table when it is first called: that takes longer than
// many a run.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli()) }

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
	address
	etag, lastModified string
	encoding           string // of the body: "" or "gzip"
}

// entry is an entry on disk, opened.
type entry struct {
	index
	validators
	path string
	slot slot
	body part
}

// encode completes an entry in w.out, where scanning has put the manifests, up
// to its body, and gives it as opening it would.
func (w *scratch) encode(x *scanned, v validators, f slot, body []byte) *entry {
	w.gatherLikely(x.tags)
	copy(w.out, entryMagic)
	copy(w.out[slotAt:], f.encode())
	set := func(i, n int) { binary.LittleEndian.PutUint32(w.out[lengthsAt+i*4:], uint32(n)) }
	headAt := len(w.out)
	put := func(i int, part []byte) {
		w.out = append(w.out, part...)
		set(i, len(part))
	}
	put(lenURL, []byte(v.address.text()))
	put(lenEtag, []byte(v.etag))
	put(lenLastModified, []byte(v.lastModified))
	put(lenEncoding, []byte(v.encoding))
	put(lenTags, x.tags)
	put(lenStaged, x.staged)
	put(lenRestrictions, x.restrictions)
	put(lenTable, w.table)
	put(lenNames, w.names)
	head := len(w.out) - headAt
	set(lenHeadAt, headAt)
	set(lenHead, head)
	put(lenTime, x.time)
	set(lenTimeSum, int(checksum(x.time)))
	set(lenBodyAt, len(w.out))
	set(lenBody, len(body))
	set(lenBodySum, int(checksum(body)))
	if x.oddTimes {
		set(lenFlags, 1)
	} else {
		set(lenFlags, 0)
	}
	binary.LittleEndian.PutUint32(w.out[sumAt:], headChecksum(w.out[:beginning], w.out[headAt:headAt+head]))
	nearAt := max(headAt-nearSize, beginning)
	return decodeEntry(w.out[:beginning], bytes.Clone(w.out[nearAt:headAt+head]), nearAt)
}

// gatherLikely puts a second copy of the manifests that picking takes most
// often right before the head, with which they are read: those of the dist-tag
// latest and of the highest release of each major version (of each minor
// version below 1.0.0), which is what a caret range takes.
func (w *scratch) gatherLikely(tags []byte) {
	x := index{table: w.table, names: w.names}
	type line struct {
		major, minor uint32
		at           int
	}
	lines := make([]line, 0, 32)
	for i := range x.count() {
		r := x.row(i)
		if r.flags()&(flagOdd|flagPre|flagDeprecated) != 0 {
			continue
		}
		l := line{major: r.numbers()[0], at: i}
		if l.major == 0 {
			l.minor = r.numbers()[1]
		}
		// The same line as the last version's, usually.
		j := len(lines) - 1
		for j >= 0 && (lines[j].major != l.major || lines[j].minor != l.minor) {
			j--
		}
		switch {
		case j < 0 && len(lines) < 1000:
			lines = append(lines, l)
		case j >= 0 && r.numbers().compare(x.row(lines[j].at).numbers()) > 0:
			lines[j].at = i
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return x.row(b.at).numbers().compare(x.row(a.at).numbers()) })
	eachString(jsjson.Raw(tags), func(tag, version string) {
		if tag != "latest" {
			return
		}
		for i := x.count() - 1; i >= 0; i-- {
			if string(x.name(i)) == version {
				lines = slices.Insert(lines, 0, line{at: i})
				break
			}
		}
	})
	room := nearSize
	for k, l := range lines {
		m := x.row(l.at).manifest()
		if m.n > room || k > 0 && l.at == lines[0].at {
			continue
		}
		room -= m.n
		at := len(w.out)
		w.out = append(w.out, w.out[m.at:m.at+m.n]...)
		binary.LittleEndian.PutUint32(w.table[l.at*rowSize+8:], uint32(at))
	}
}

// headChecksum covers the lengths and the head.
func headChecksum(start, head []byte) uint32 {
	return crc32.Update(checksum(start[lengthsAt:sumAt]), castagnoli(), head)
}

// headSpan says where an entry's head is, and from where on it is read, by the
// entry's beginning. ok is false where it is not one.
func headSpan(start []byte) (nearAt, end int, ok bool) {
	if len(start) < beginning || string(start[:len(entryMagic)]) != entryMagic {
		return 0, 0, false
	}
	headAt := int(binary.LittleEndian.Uint32(start[lengthsAt+lenHeadAt*4:]))
	head := int(binary.LittleEndian.Uint32(start[lengthsAt+lenHead*4:]))
	if headAt < beginning || head > maxHead {
		return 0, 0, false
	}
	return max(headAt-nearSize, beginning), headAt + head, true
}

// decodeEntry reads an entry's beginning and what is between nearAt and its
// head's end, which it takes over; nil where they are not whole.
func decodeEntry(start, near []byte, nearAt int) *entry {
	n := func(i int) int { return int(binary.LittleEndian.Uint32(start[lengthsAt+i*4:])) }
	headAt := n(lenHeadAt) - nearAt
	if headAt < 0 || headAt > len(near) {
		return nil
	}
	head := near[headAt:]
	if len(head) != n(lenHead) || headChecksum(start, head) != binary.LittleEndian.Uint32(start[sumAt:]) {
		return nil
	}
	e := &entry{slot: decodeSlot(start[slotAt : slotAt+slotSize])}
	ok := true
	take := func(i int) []byte {
		k := n(i)
		if k > len(head) {
			ok = false
			return nil
		}
		part := head[:k:k]
		head = head[k:]
		return part
	}
	e.address = addressOf(string(take(lenURL)))
	e.etag, e.lastModified, e.encoding = string(take(lenEtag)), string(take(lenLastModified)), string(take(lenEncoding))
	e.tags, e.staged, e.restrictions = jsjson.Raw(take(lenTags)), jsjson.Raw(take(lenStaged)), jsjson.Raw(take(lenRestrictions))
	e.table, e.names = take(lenTable), take(lenNames)
	if !ok || len(head) != 0 || len(e.table)%rowSize != 0 {
		return nil
	}
	e.near, e.nearAt = near[:headAt:headAt], nearAt
	e.times = part{n(lenHeadAt) + n(lenHead), n(lenTime), uint32(n(lenTimeSum))}
	e.body = part{n(lenBodyAt), n(lenBody), uint32(n(lenBodySum))}
	e.oddTimes = n(lenFlags)&1 != 0
	e.sum = binary.LittleEndian.Uint32(start[sumAt:])
	return e
}
