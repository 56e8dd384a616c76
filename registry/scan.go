package registry

import (
	"encoding/binary"
	"fmt"
	"math/bits"

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
					if !isHex(doc[i+k]) {
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

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
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
	for _, c := range key {
		if c == '\\' {
			// Written with escapes it may spell any of the above. Nobody but an
			// attacker does, and the decoder will know.
			return keepRaw
		}
	}
	return keepNot
}

func keepDistMember(key []byte) bool {
	switch string(key) {
	case "tarball", "integrity", "shasum", "fileCount", "unpackedSize":
		return true
	}
	return false
}

func keepScript(key []byte) bool {
	switch string(key) {
	case "install", "preinstall", "postinstall":
		return true
	}
	return false
}

// malformedError says where a document is not what a registry should send.
type malformedError struct {
	offset int
	what   string
}

func (e *malformedError) Error() string {
	return fmt.Sprintf("malformed document: %s at byte %d", e.what, e.offset)
}

// Code is what npm has for an answer whose JSON can't be parsed.
func (e *malformedError) Code() string { return "FETCH_ERROR" }

// scanPackument makes the index of doc, which ends with a NUL.
func scanPackument(doc []byte) (*index, error) {
	s := &scanner{doc: doc, bad: -1}
	x := &index{slim: make([]byte, 0, len(doc)/3)}
	i := 0
	if len(doc) > 3 && doc[0] == 0xef && doc[1] == 0xbb && doc[2] == 0xbf {
		i = 3
	}
	i = s.space(i)
	if doc[i] != '{' {
		what := "not JSON"
		if doc[i] == '<' {
			what = "HTML instead of JSON"
		}
		return nil, &malformedError{offset: i, what: what}
	}
	i = s.object(i, func(key []byte, at int) int {
		switch string(key) {
		case "versions":
			return x.scanVersions(s, at)
		case "name":
			return s.raw(at, &x.name)
		case "dist-tags":
			return s.raw(at, &x.tags)
		case "time":
			return s.raw(at, &x.time)
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
		return nil, &malformedError{offset: s.bad, what: what}
	}
	x.order()
	return x, nil
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
func (x *index) scanVersions(s *scanner, at int) int {
	// Written twice, the last one counts.
	x.versions, x.names, x.slim = x.versions[:0], x.names[:0], x.slim[:0]
	x.reorder = false
	if s.doc[at] != '{' {
		return s.skip(at)
	}
	return s.object(at, func(key []byte, at int) int {
		if s.doc[at] != '{' {
			// npm takes such an entry for a version without a manifest.
			return s.skip(at)
		}
		v := version{name: span{len(x.names), len(key)}}
		x.names = append(x.names, key...)
		v.number(key)
		if len(key) > 0 && '0' <= key[0] && key[0] <= '9' {
			if _, ok := jsjson.ArrayIndex(string(key)); ok {
				x.reorder = true
			}
		}
		if x.hasVersion(key) {
			x.reorder = true
		}
		start := len(x.slim)
		end := x.scanManifest(s, at, &v)
		if end < 0 {
			return -1
		}
		v.manifest = span{start, len(x.slim) - start}
		x.versions = append(x.versions, v)
		return end
	})
}

// scanManifest copies what is kept of one manifest to slim.
func (x *index) scanManifest(s *scanner, at int, v *version) int {
	x.slim = append(x.slim, '{')
	first := len(x.slim)
	put := func(key []byte, value []byte) {
		if len(x.slim) > first {
			x.slim = append(x.slim, ',')
		}
		x.slim = append(x.slim, '"')
		x.slim = append(x.slim, key...)
		x.slim = append(x.slim, '"', ':')
		x.slim = append(x.slim, value...)
	}
	end := s.object(at, func(key []byte, at int) int {
		k := keepOf(key)
		if (k == keepDist || k == keepScripts) && s.doc[at] == '{' {
			put(key, nil)
			return x.scanPart(s, at, k)
		}
		end := s.skip(at)
		if end < 0 || k == keepNot {
			return end
		}
		value := s.doc[at:end]
		put(key, value)
		switch k {
		case keepDeprecated:
			v.flags &^= flagDeprecated
			if jsjson.Raw(value).Truthy() {
				v.flags |= flagDeprecated
			}
		case keepEngines:
			v.flags &^= flagEngines
			if string(value) != "{}" {
				v.flags |= flagEngines
			}
		}
		for _, c := range key {
			if c == '\\' {
				v.flags |= flagLook
			}
		}
		return end
	})
	x.slim = append(x.slim, '}')
	return end
}

// scanPart copies the wanted members of dist or scripts.
func (x *index) scanPart(s *scanner, at int, k keep) int {
	x.slim = append(x.slim, '{')
	first := len(x.slim)
	end := s.object(at, func(key []byte, at int) int {
		end := s.skip(at)
		if end < 0 {
			return -1
		}
		wanted := k == keepDist && keepDistMember(key) || k == keepScripts && keepScript(key)
		for _, c := range key {
			if c == '\\' {
				wanted = true
			}
		}
		if wanted {
			if len(x.slim) > first {
				x.slim = append(x.slim, ',')
			}
			x.slim = append(x.slim, '"')
			x.slim = append(x.slim, key...)
			x.slim = append(x.slim, '"', ':')
			x.slim = append(x.slim, s.doc[at:end]...)
		}
		return end
	})
	x.slim = append(x.slim, '}')
	return end
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
