// Package integrity reads Subresource Integrity texts as npm does and checks
// bytes against them.
//
// A Hash is one algorithm with a digest: "sha512-…". An SRI is a list of them,
// as it stands in a lockfile or in a packument; bytes are right when they have
// one of the digests of the strongest algorithm, whatever the weaker ones say.
//
// What is no hash in a text is skipped, as npm does, so that a text may hold
// none at all: then nothing is checked, and the caller decides what that
// means. Digests are compared as text: base64 that is written another way is
// another digest.
//
// The package knows no files and no URLs. It reads md5 and sha1 because old
// lockfiles have nothing else.
//
// npm: ssri lib/index.js, with "strict" off.
package integrity

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// Hash is one algorithm and a digest. The zero value is no hash.
type Hash struct {
	Algorithm string // "sha512"
	Digest    string // base64, as written
	Options   string // "?a?b", kept and without meaning; usually ""
}

// String returns the hash as it stands in an SRI.
func (h Hash) String() string {
	if h.Algorithm == "" {
		return ""
	}
	return h.Algorithm + "-" + h.Digest + h.Options
}

// Bytes returns the digest decoded as node does it: what is not base64 is
// skipped, so the length needs a check.
func (h Hash) Bytes() []byte {
	if sum, err := base64.StdEncoding.DecodeString(h.Digest); err == nil {
		return sum
	}
	clean := make([]byte, 0, len(h.Digest))
	for i := range len(h.Digest) {
		switch c := h.Digest[i]; {
		case c == '=':
			return decodeRaw(clean)
		case c == '-':
			clean = append(clean, '+')
		case c == '_':
			clean = append(clean, '/')
		case isBase64(c):
			clean = append(clean, c)
		}
	}
	return decodeRaw(clean)
}

func decodeRaw(text []byte) []byte {
	if len(text)%4 == 1 {
		text = text[:len(text)-1] // six bits are no byte
	}
	sum := make([]byte, base64.RawStdEncoding.DecodedLen(len(text)))
	n, _ := base64.RawStdEncoding.Decode(sum, text)
	return sum[:n]
}

func isBase64(c byte) bool { return isAlnum(c) || 'A' <= c && c <= 'Z' || c == '+' || c == '/' }

func isAlnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// Hex returns the digest in hexadecimal digits, as "shasum" has it.
func (h Hash) Hex() string { return hex.EncodeToString(h.Bytes()) }

// ParseHash reads a text as one hash, whatever it holds (ssri's "single"). The
// zero Hash is no hash.
func ParseHash(s string) Hash {
	s = strings.TrimFunc(s, js.Space)
	dash := strings.IndexByte(s, '-')
	if dash < 1 || !isKnown(s[:dash]) {
		return Hash{}
	}
	h := Hash{Algorithm: s[:dash], Digest: s[dash+1:]}
	if q := strings.IndexByte(h.Digest, '?'); q >= 0 {
		h.Digest, h.Options = h.Digest[:q], h.Digest[q:]
		if strings.IndexFunc(h.Options, js.Space) >= 0 {
			return Hash{}
		}
	}
	if h.Digest == "" {
		return Hash{}
	}
	return h
}

// SRI is a list of hashes: those of one algorithm stand together, algorithms
// in the order in which they were first named. Nil is npm's null.
type SRI []Hash

// Parse reads an SRI; nil if the text has no hash.
func Parse(s string) SRI {
	if s == "" {
		return nil
	}
	if strings.IndexFunc(s, js.Space) < 0 {
		if h := ParseHash(s); h.Digest != "" {
			return SRI{h}
		}
		return nil
	}
	var sri SRI
	for text := range strings.FieldsFuncSeq(s, js.Space) {
		if h := ParseHash(text); h.Digest != "" {
			sri = sri.with(h)
		}
	}
	return sri
}

// with adds a hash behind those of its algorithm. The list is s's own.
func (s SRI) with(h Hash) SRI {
	at := len(s)
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].Algorithm == h.Algorithm {
			at = i + 1
			break
		}
	}
	s = append(s, Hash{})
	copy(s[at+1:], s[at:])
	s[at] = h
	return s
}

// String returns the hashes with a space between.
func (s SRI) String() string {
	if len(s) == 1 {
		return s[0].String()
	}
	var b strings.Builder
	for i, h := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(h.String())
	}
	return b.String()
}

// Of returns the hashes of one algorithm.
func (s SRI) Of(algorithm string) []Hash {
	for i := range s {
		if s[i].Algorithm != algorithm {
			continue
		}
		end := i
		for end < len(s) && s[end].Algorithm == algorithm {
			end++
		}
		return s[i:end:end]
	}
	return nil
}

// Algorithm returns the strongest algorithm, of those given if any are; "" if
// there is none.
func (s SRI) Algorithm(among ...string) string {
	best, rank := "", -2
	for i := range s {
		a := s[i].Algorithm
		if a == best || len(among) > 0 && !slices.Contains(among, a) {
			continue
		}
		if r := strength(a); r > rank {
			best, rank = a, r
		}
	}
	return best
}

// Strongest returns the hashes of the strongest algorithm: the bytes must have
// one of them.
func (s SRI) Strongest() []Hash { return s.Of(s.Algorithm()) }

// Hex returns the first of the strongest hashes in hexadecimal digits.
func (s SRI) Hex() string {
	if len(s) == 0 {
		return ""
	}
	return s.Strongest()[0].Hex()
}

// Match looks for a hash of s in other, in the strongest algorithm of other's
// that s has, too.
func (s SRI) Match(other SRI) (Hash, bool) {
	var mine []string
	for _, h := range s {
		mine = append(mine, h.Algorithm)
	}
	algorithm := other.Algorithm(mine...)
	if len(s) == 0 || algorithm == "" {
		return Hash{}, false
	}
	theirs := other.Of(algorithm)
	for _, h := range s.Of(algorithm) {
		for _, o := range theirs {
			if h.Digest == o.Digest {
				return h, true
			}
		}
	}
	return Hash{}, false
}

// Concat returns the hashes of both, doubles kept.
func (s SRI) Concat(other SRI) SRI {
	all := append(SRI(nil), s...)
	for _, h := range other {
		all = all.with(h)
	}
	return all
}

// ErrConflict says that two SRIs can't both be true.
var ErrConflict = errors.New("hashes do not match, cannot update integrity")

// Merge returns s with the algorithms that only other has. Where both have
// one, they must agree on a digest, or it is ErrConflict.
func (s SRI) Merge(other SRI) (SRI, error) {
	merged := append(SRI(nil), s...)
	for _, h := range other {
		mine := s.Of(h.Algorithm)
		if len(mine) == 0 {
			merged = merged.with(h)
			continue
		}
		if !overlap(mine, other.Of(h.Algorithm)) {
			return nil, ErrConflict
		}
	}
	return merged, nil
}

func overlap(a, b []Hash) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Digest == y.Digest {
				return true
			}
		}
	}
	return false
}

// FromSHA1Hex makes an SRI of a packument's "shasum"; nil if it is none.
func FromSHA1Hex(shasum string) SRI { return FromHex("sha1", shasum) }

// FromHex makes an SRI of hexadecimal digits; like node, it stops at the first
// that is none. Nil if there is nothing left.
func FromHex(algorithm, digits string) SRI {
	n := 0
	for n+2 <= len(digits) && js.Hex(digits[n]) >= 0 && js.Hex(digits[n+1]) >= 0 {
		n += 2
	}
	sum, err := hex.DecodeString(digits[:n])
	if err != nil || n == 0 || !isKnown(algorithm) {
		return nil
	}
	return SRI{FromSum(algorithm, sum)}
}

// FromSum makes a Hash of a finished sum.
func FromSum(algorithm string, sum []byte) Hash {
	return Hash{Algorithm: algorithm, Digest: base64.StdEncoding.EncodeToString(sum)}
}
