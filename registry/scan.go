package registry

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/ibid-pm/ibid/internal/inflate"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
)

// A packument is scanned once, byte by byte, and never decoded as a whole:
// some weigh ten megabytes, of which a resolution reads a few hundred bytes.
// The scan checks that the whole document is JSON, notes where things are and
// copies the members that a lockfile or a resolver can ask for.

// scanner walks over a JSON text. doc ends with a NUL that is not part of the
// text: no JSON token has one, so that reading at any index up to it is safe.
type scanner struct {
	doc   []byte
	bad   int    // where the text stops being JSON, once a method gave -1
	deep  bool   // it goes on there, deeper than maxDepth
	stack []byte // open brackets of skip
}

// maxDepth bounds nesting; npm's parser has no bound, and no real document
// comes near it.
const maxDepth = 10000

func (s *scanner) fail(i int) int {
	s.bad = min(i, len(s.doc)-1)
	return -1
}

func (s *scanner) space(i int) int {
	for s.doc[i] <= ' ' {
		switch s.doc[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// str takes the rest of a string whose opening quote is before i, and gives
// the index after its closing quote.
func (s *scanner) str(i int) int {
	const lo, hi = 0x0101010101010101, 0x8080808080808080
	doc := s.doc
	for {
		for i+8 <= len(doc) {
			w := binary.LittleEndian.Uint64(doc[i:])
			quote, slash := w^('"'*lo), w^('\\'*lo)
			// The lowest set bit is exact; those above it may be the borrow's.
			if m := ((quote-lo)&^quote | (slash-lo)&^slash | (w-' '*lo)&^w) & hi; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		switch c := doc[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			switch doc[i+1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i += 2
			case 'u':
				for k := 2; k < 6; k++ {
					if js.Hex(doc[i+k]) < 0 {
						return s.fail(i + k)
					}
				}
				i += 6
			default:
				return s.fail(i + 1)
			}
		case c < ' ':
			return s.fail(i)
		default:
			i++
		}
	}
}

// literal takes a number, true, false or null.
func (s *scanner) literal(i int) int {
	doc := s.doc
	word := ""
	switch c := doc[i]; {
	case c == '-' || '0' <= c && c <= '9':
		if c == '-' {
			i++
		}
		switch {
		case doc[i] == '0':
			i++
		case '1' <= doc[i] && doc[i] <= '9':
			i = s.digits(i)
		default:
			return s.fail(i)
		}
		if doc[i] == '.' {
			if j := s.digits(i + 1); j > i+1 {
				i = j
			} else {
				return s.fail(j)
			}
		}
		if doc[i] == 'e' || doc[i] == 'E' {
			i++
			if doc[i] == '+' || doc[i] == '-' {
				i++
			}
			if j := s.digits(i); j > i {
				i = j
			} else {
				return s.fail(j)
			}
		}
		return i
	case c == 't':
		word = "true"
	case c == 'f':
		word = "false"
	case c == 'n':
		word = "null"
	default:
		return s.fail(i)
	}
	for k := 0; k < len(word); k++ {
		if doc[i+k] != word[k] {
			return s.fail(i + k)
		}
	}
	return i + len(word)
}

func (s *scanner) digits(i int) int {
	for '0' <= s.doc[i] && s.doc[i] <= '9' {
		i++
	}
	return i
}

// skip takes one value, whatever it is, starting at i without space.
func (s *scanner) skip(i int) int {
	doc := s.doc
	switch doc[i] {
	case '"':
		return s.str(i + 1)
	case '{', '[':
	default:
		return s.literal(i)
	}
	stack := s.stack[:0]
	value := true // a value comes next, else what follows one
	for {
		if value {
			switch doc[i] {
			case '"':
				i = s.str(i + 1)
			case '{':
				if len(stack) >= maxDepth {
					s.deep = true
					return s.fail(i)
				}
				if i = s.space(i + 1); doc[i] == '}' {
					i++
					break
				}
				stack = append(stack, '}')
				if i = s.key(i); i < 0 {
					return -1
				}
				continue
			case '[':
				if len(stack) >= maxDepth {
					s.deep = true
					return s.fail(i)
				}
				if i = s.space(i + 1); doc[i] == ']' {
					i++
					break
				}
				stack = append(stack, ']')
				continue
			default:
				i = s.literal(i)
			}
			if i < 0 {
				return -1
			}
		}
		if len(stack) == 0 {
			s.stack = stack
			return i
		}
		i = s.space(i)
		switch c := doc[i]; {
		case c == ',' && stack[len(stack)-1] == '}':
			if i = s.key(s.space(i + 1)); i < 0 {
				return -1
			}
			value = true
		case c == ',':
			i = s.space(i + 1)
			value = true
		case c == stack[len(stack)-1]:
			stack = stack[:len(stack)-1]
			i++
			value = false
		default:
			return s.fail(i)
		}
	}
}

// key takes a member's key and colon, and gives where its value starts.
func (s *scanner) key(i int) int {
	if s.doc[i] != '"' {
		return s.fail(i)
	}
	if i = s.str(i + 1); i < 0 {
		return -1
	}
	if i = s.space(i); s.doc[i] != ':' {
		return s.fail(i)
	}
	return s.space(i + 1)
}

// object walks over the members of the object that starts at i and gives the
// index after it. member gets a key as written, without its quotes, and where
// its value starts; it gives where the value ends, or -1.
func (s *scanner) object(i int, member func(key []byte, at int) int) int {
	if i = s.space(i + 1); s.doc[i] == '}' {
		return i + 1
	}
	for {
		start := i + 1
		at := s.key(i)
		if at < 0 {
			return -1
		}
		end := at - 1
		for s.doc[end] != '"' {
			end--
		}
		if i = member(s.doc[start:end], at); i < 0 {
			return -1
		}
		switch i = s.space(i); s.doc[i] {
		case ',':
			i = s.space(i + 1)
		case '}':
			return i + 1
		default:
			return s.fail(i)
		}
	}
}

// keep is what becomes of a member of a version's manifest.
type keep uint8

const (
	keepNot keep = iota
	keepRaw
	keepDist
	keepScripts
	keepDeprecated
	keepEngines
	keepEscaped
)

// keepOf says what of a manifest the index holds: what a lockfile entry is
// made of and what resolving reads. Everything else (devDependencies, readme,
// exports, signatures …) is found in the whole document only.
func keepOf(key []byte) keep {
	switch string(key) {
	case "name", "version", "dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta",
		"acceptDependencies", "bundleDependencies", "bundledDependencies", "bin", "os", "cpu", "libc", "license",
		"funding", "workspaces", "hasInstallScript", "_hasShrinkwrap", "gypfile":
		return keepRaw
	case "dist":
		return keepDist
	case "scripts":
		return keepScripts
	case "deprecated":
		return keepDeprecated
	case "engines":
		return keepEngines
	}
	if escaped(key) {
		// It may spell any of the above. Nobody but an attacker writes it so,
		// and the decoder will know.
		return keepEscaped
	}
	return keepNot
}

func escaped(key []byte) bool { return bytes.IndexByte(key, '\\') >= 0 }

// keepOfDist is keepOf inside of dist.
func keepOfDist(key []byte) keep {
	switch string(key) {
	case "tarball", "integrity", "shasum", "fileCount", "unpackedSize":
		return keepRaw
	}
	return keepOfEscaped(key)
}

// keepOfScripts is keepOf inside of scripts.
func keepOfScripts(key []byte) keep {
	switch string(key) {
	case "install", "preinstall", "postinstall":
		return keepRaw
	}
	return keepOfEscaped(key)
}

func keepOfEscaped(key []byte) keep {
	if escaped(key) {
		return keepRaw
	}
	return keepNot
}

// malformedError says where a document is not what a registry should send.
type malformedError struct {
	offset int
	what   string
	html   bool // a page: not the registry that answered, or not as one
	deep   bool // nested deeper than maxDepth
}

// final says whether another try would have the same answer.
func (e *malformedError) final() bool { return e.html || e.deep }

func (e *malformedError) Error() string {
	if e.html {
		return "the answer is HTML, not JSON"
	}
	if e.deep {
		return fmt.Sprintf("the answer is nested more than %d levels deep at byte %d", maxDepth, e.offset)
	}
	return fmt.Sprintf("malformed document: %s at byte %d", e.what, e.offset)
}

// Code is what npm has for an answer whose JSON can't be parsed.
func (e *malformedError) Code() string { return "FETCH_ERROR" }

// scratch is memory for one document at a time, used again for the next one.
type scratch struct {
	scanner
	out   []byte // the cache's entry: its beginning, then the manifests
	names []byte
	table []byte
	seen  keySet
	zip   inflate.Decoder

	manifest, dist, scripts shape

	reorder bool // versions are not in JavaScript's order yet
}

// scanned is what was found beside the versions, which are in the scratch. It
// shares the document's memory.
type scanned struct {
	tags, time, staged, restrictions []byte // raw JSON; nil where there is none

	oddTimes bool
}

// scan walks over doc, which ends with a NUL, and fills w.
func (w *scratch) scan(doc []byte) (*scanned, error) {
	s := &w.scanner
	s.doc, s.bad, s.deep = doc, -1, false
	w.reset()
	x := &scanned{}
	i := 0
	if len(doc) > 3 && doc[0] == 0xef && doc[1] == 0xbb && doc[2] == 0xbf {
		i = 3
	}
	i = s.space(i)
	if doc[i] != '{' {
		return nil, &malformedError{offset: i, what: "not JSON", html: doc[i] == '<'}
	}
	i = s.object(i, func(key []byte, at int) int {
		switch string(key) {
		case "versions":
			return w.scanVersions(at)
		case "dist-tags":
			return s.raw(at, &x.tags)
		case "time":
			return w.scanTime(x, at)
		case "stagedVersions":
			return s.raw(at, &x.staged)
		case "policyRestrictions":
			return s.raw(at, &x.restrictions)
		}
		return s.skip(at)
	})
	if i >= 0 {
		if i = s.space(i); i != len(doc)-1 {
			i = s.fail(i)
		}
	}
	if i < 0 {
		what := "not JSON"
		if s.bad >= len(doc)-1 {
			what = "the document ends early"
		}
		return nil, &malformedError{offset: s.bad, what: what, deep: s.deep}
	}
	w.order()
	return x, nil
}

// reset empties what scanning versions fills.
func (w *scratch) reset() {
	if cap(w.out) < beginning {
		w.out = make([]byte, beginning, 64<<10)
	}
	w.out, w.names, w.table, w.reorder = w.out[:beginning], w.names[:0], w.table[:0], false
	w.seen.clear()
	w.manifest.members, w.dist.members, w.scripts.members = w.manifest.members[:0], w.dist.members[:0], w.scripts.members[:0]
}

// order puts the versions into JavaScript's order, if they are not in it.
func (w *scratch) order() {
	if !w.reorder {
		return
	}
	type entry struct {
		key string
		row row
	}
	x := index{table: w.table, names: w.names}
	entries := make([]entry, x.count())
	for i := range entries {
		entries[i] = entry{x.key(i), x.row(i)}
	}
	entries = jsjson.Order(entries, func(e *entry) string { return e.key }, func(to, from *entry) { to.row = from.row })
	table := make([]byte, 0, len(w.table))
	for _, e := range entries {
		table = append(table, e.row...)
	}
	w.table = table
}

// raw takes one value and notes its text.
func (s *scanner) raw(at int, to *[]byte) int {
	end := s.skip(at)
	if end >= 0 {
		*to = s.doc[at:end]
	}
	return end
}

// scanVersions takes the value of "versions".
func (w *scratch) scanVersions(at int) int {
	s := &w.scanner
	w.reset() // written twice, the last one counts
	if s.doc[at] != '{' {
		return s.skip(at)
	}
	return s.object(at, func(key []byte, at int) int {
		if s.doc[at] != '{' || len(key) > maxKey {
			// npm takes such an entry for a version without a manifest.
			return s.skip(at)
		}
		numbers, flags := readNumbers(key)
		// What is odd may be an array's index, or a key that another one spells
		// otherwise.
		if flags&flagOdd != 0 || !w.seen.add(key) {
			w.reorder = true
		}
		name, out := len(w.names), len(w.out)
		w.names = append(w.names, key...)
		end := w.scanShaped(at, &w.manifest, keepOf, &flags)
		if end < 0 {
			return -1
		}
		m := part{out, len(w.out) - out, checksum(w.out[out:])}
		w.table = appendRow(w.table, name, len(key), flags, m, numbers)
		return end
	})
}

// scanTime takes the value of "time" and looks whether each one is a date in
// the usual form: what is none matters to picking even without a date.
func (w *scratch) scanTime(x *scanned, at int) int {
	s := &w.scanner
	x.oddTimes = false
	if s.doc[at] != '{' {
		end := s.skip(at)
		if end >= 0 {
			x.time = s.doc[at:end]
		}
		return end
	}
	end := s.object(at, func(key []byte, at int) int {
		end := s.skip(at)
		if end >= 0 && string(key) != "unpublished" && !plainTime(s.doc[at:end]) {
			x.oddTimes = true
		}
		return end
	})
	if end >= 0 {
		x.time = s.doc[at:end]
	}
	return end
}

// plainTime says whether a value is a time in the forms that registries write:
// "2020-01-02T03:04:05.678Z", with any fraction or none, in any zone.
func plainTime(value []byte) bool {
	const form = "\"0000-00-00T00:00:00"
	if len(value) < len(form)+2 {
		return false
	}
	for i := range len(form) {
		if c := value[i]; form[i] == '0' && (c < '0' || '9' < c) || form[i] != '0' && c != form[i] {
			return false
		}
	}
	in := func(at int, least, most string) bool {
		text := string(value[at : at+2])
		return least <= text && text <= most
	}
	// Days that a month doesn't have are days of the next one to JavaScript.
	if !in(6, "01", "12") || !in(9, "01", "31") || !in(12, "00", "23") || !in(15, "00", "59") || !in(18, "00", "59") {
		return false
	}
	rest := value[len(form) : len(value)-1]
	if rest[0] == '.' {
		n := 1
		for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
			n++
		}
		if rest = rest[n:]; n == 1 || n > 10 {
			return false
		}
	}
	return string(rest) == "Z" || string(rest) == "+00:00"
}

// placed is where a member of an object is: its key, with the quote, its value,
// and the value's end. What is kept of it is a part of the scratch's out.
type placed struct {
	at, value, end int
	keep           keep
	out, outEnd    int
}

// shape is how the last object of a kind was written.
type shape struct {
	members []placed
	spare   []placed // memory for those of the next one
}

// lookAhead is how many members of the last object may be missing in the next
// one before the two are no longer compared.
const lookAhead = 8

// scanShaped copies what is kept of an object to out.
//
// Most of a version's manifest is what the one before it had, in the same order,
// and comparing is many times faster than scanning: a member that is written as in
// the last manifest, with the byte that follows it, ends where that one ended.
func (w *scratch) scanShaped(at int, last *shape, keepOf func(key []byte) keep, flags *uint16) int {
	s, doc := &w.scanner, w.doc
	w.out = append(w.out, '{')
	first := len(w.out)
	old, members := last.members, last.spare[:0]
	i := s.space(at + 1)
	for more := doc[i] != '}'; more; {
		m := placed{at: i, end: -1}
		same := false
		if len(old) > 0 && bytes.HasPrefix(doc[i:], doc[old[0].at:old[0].value]) {
			o := &old[0]
			old = old[1:]
			m.value, m.keep = s.space(i+o.value-o.at), o.keep
			if same = bytes.HasPrefix(doc[m.value:], doc[o.value:o.end+1]); same {
				m.end, m.out, m.outEnd = m.value+o.end-o.value, o.out, o.outEnd
			}
		} else {
			if m.value = s.key(i); m.value < 0 {
				return -1
			}
			m.keep = keepOf(s.keyAt(&m))
			for n := 1; n <= lookAhead && n < len(old); n++ {
				if o := &old[n]; bytes.Equal(doc[o.at:o.value], doc[i:m.value]) {
					old = old[n+1:]
					break
				}
			}
		}
		switch {
		case !same:
			if !w.scanMember(&m, first, flags) {
				return -1
			}
		case m.keep != keepNot:
			if len(w.out) > first {
				w.out = append(w.out, ',')
			}
			start := len(w.out)
			w.out = append(w.out, w.out[m.out:m.outEnd]...)
			m.out, m.outEnd = start, len(w.out)
			flag(m.keep, doc[m.value:m.end], flags)
		}
		members = append(members, m)
		switch i = s.space(m.end); doc[i] {
		case ',':
			i = s.space(i + 1)
		case '}':
			more = false
		default:
			return s.fail(i)
		}
	}
	last.members, last.spare = members, last.members
	w.out = append(w.out, '}')
	return i + 1
}

// keyAt gives a member's key as written, without its quotes.
func (s *scanner) keyAt(m *placed) []byte {
	end := m.value - 1
	for s.doc[end] != '"' {
		end--
	}
	return s.doc[m.at+1 : end]
}

// scanMember goes to the end of a member and copies what is kept of it.
func (w *scratch) scanMember(m *placed, first int, flags *uint16) bool {
	s := &w.scanner
	if (m.keep == keepDist || m.keep == keepScripts) && s.doc[m.value] == '{' {
		m.out = w.put(first, s.keyAt(m), nil)
		if m.keep == keepDist {
			m.end = w.scanShaped(m.value, &w.dist, keepOfDist, flags)
		} else {
			m.end = w.scanShaped(m.value, &w.scripts, keepOfScripts, flags)
		}
		m.outEnd = len(w.out)
		return m.end >= 0
	}
	if m.end = s.skip(m.value); m.end < 0 {
		return false
	}
	if m.keep != keepNot {
		value := s.doc[m.value:m.end]
		m.out = w.put(first, s.keyAt(m), value)
		m.outEnd = len(w.out)
		flag(m.keep, value, flags)
	}
	return true
}

// flag notes what a member's value says of a version.
func flag(k keep, value []byte, flags *uint16) {
	switch k {
	case keepDeprecated:
		*flags &^= flagDeprecated
		if truthy(value) {
			*flags |= flagDeprecated
		}
	case keepEngines:
		*flags &^= flagEngines
		if string(value) != "{}" {
			*flags |= flagEngines
		}
	case keepEscaped:
		*flags |= flagLook
	}
}

// truthy says whether JavaScript's if takes a value.
func truthy(value []byte) bool {
	switch string(value) {
	case `""`, "false", "null":
		return false
	}
	return value[0] != '-' && (value[0] < '0' || '9' < value[0]) || jsjson.Raw(value).Truthy()
}

// put appends a member to out and says where it begins there; first is where its
// object's members do.
func (w *scratch) put(first int, key, value []byte) int {
	if len(w.out) > first {
		w.out = append(w.out, ',')
	}
	start := len(w.out)
	w.out = append(w.out, '"')
	w.out = append(w.out, key...)
	w.out = append(w.out, '"', ':')
	w.out = append(w.out, value...)
	return start
}

// keySet tells whether a key was there before, by its hash: the answer "yes"
// may be wrong, which costs time only.
type keySet struct {
	slots []uint64
	n     int
}

func (k *keySet) clear() {
	clear(k.slots)
	k.n = 0
}

// add notes a key and says whether it is new.
func (k *keySet) add(key []byte) bool {
	h := uint64(14695981039346656037)
	for _, c := range key {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h |= 1 // 0 is an empty slot
	if 2*k.n >= len(k.slots) {
		old := k.slots
		k.slots = make([]uint64, max(256, 2*len(old)))
		for _, o := range old {
			if o != 0 {
				k.slots[k.free(o)] = o
			}
		}
	}
	i := k.free(h)
	if k.slots[i] == h {
		return false
	}
	k.slots[i] = h
	k.n++
	return true
}

// free finds the slot that h is in, or goes to.
func (k *keySet) free(h uint64) int {
	mask := len(k.slots) - 1
	i := int(h>>20) & mask
	for k.slots[i] != 0 && k.slots[i] != h {
		i = (i + 1) & mask
	}
	return i
}

// topLevelString gives a string member of a small JSON object.
func topLevelString(doc []byte, key string) (string, bool) {
	v, err := jsjson.Parse(doc)
	if err != nil {
		return "", false
	}
	if m := v.Get(key); m.IsString() {
		return m.Str(), true
	}
	return "", false
}
