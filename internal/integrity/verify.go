package integrity

import (
	"fmt"
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
