package integrity

import (
	"fmt"
	"hash"
	"strings"
)

// Error says that bytes are not the ones that were wanted.
type Error struct {
	Algorithm string
	SRI       SRI    // all that was wanted
	Wanted    []Hash // of the algorithm
	Found     SRI    // all that was computed
	Size      int64
}

func (e *Error) Error() string {
	wanted := make([]string, len(e.Wanted))
	for i, h := range e.Wanted {
		wanted[i] = h.String()
	}
	return fmt.Sprintf("%s integrity checksum failed when using %s: wanted %s but got %s. (%d bytes)",
		e.SRI, e.Algorithm, strings.Join(wanted, ","), e.Found, e.Size)
}

// Code returns npm's error code.
func (e *Error) Code() string { return "EINTEGRITY" }

// Check compares what was computed with what is wanted; nil wants nothing.
// The strongest wanted algorithm must be among the found hashes. Errors are
// *Error.
func (s SRI) Check(size int64, found ...Hash) error {
	if len(s) == 0 {
		return nil
	}
	wanted := s.Strongest()
	for _, f := range found {
		for _, w := range wanted {
			if f.Algorithm == w.Algorithm && f.Digest == w.Digest {
				return nil
			}
		}
	}
	return &Error{Algorithm: wanted[0].Algorithm, SRI: s, Wanted: wanted, Found: found, Size: size}
}

// CheckData is Check for bytes at hand.
func (s SRI) CheckData(data []byte) error {
	if len(s) == 0 {
		return nil
	}
	return s.Check(int64(len(data)), Sum(s.Algorithm(), data))
}

// Verifier hashes what is written to it. It computes the strongest wanted
// algorithm and those it was asked for besides, nothing else. It is for one
// goroutine.
type Verifier struct {
	wanted     SRI
	algorithms []string
	hashes     []hash.Hash
	size       int64
	sums       SRI // once computed
}

// NewVerifier checks against wanted, which may be nil; also are algorithms to
// compute in any case, "sha512" to name the bytes by.
func NewVerifier(wanted SRI, also ...string) *Verifier {
	v := &Verifier{wanted: wanted}
	v.add(wanted.Algorithm())
	for _, a := range also {
		v.add(a)
	}
	return v
}

func (v *Verifier) add(algorithm string) {
	if algorithm == "" || contains(v.algorithms, algorithm) {
		return
	}
	if h := New(algorithm); h != nil {
		v.algorithms = append(v.algorithms, algorithm)
		v.hashes = append(v.hashes, h)
	}
}

// Write never fails. It must not be called after Sums or Check.
func (v *Verifier) Write(p []byte) (int, error) {
	for _, h := range v.hashes {
		h.Write(p)
	}
	v.size += int64(len(p))
	return len(p), nil
}

// Size returns how many bytes were written.
func (v *Verifier) Size() int64 { return v.size }

// Sums ends the writing and returns what was computed.
func (v *Verifier) Sums() SRI {
	if v.sums == nil {
		for i, h := range v.hashes {
			v.sums = append(v.sums, FromSum(v.algorithms[i], h.Sum(nil)))
		}
	}
	return v.sums
}

// Check ends the writing and reports whether the bytes are what was wanted.
// Errors are *Error.
func (v *Verifier) Check() error { return v.wanted.Check(v.size, v.Sums()...) }
