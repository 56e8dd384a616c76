package integrity

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"hash"
)

// isKnown reports whether node has an algorithm of that name. Some of these
// can't be computed here, see New: what is locked by one of them is refused,
// not taken unseen.
func isKnown(algorithm string) bool {
	switch algorithm {
	case "sha512", "sha1", "sha256", "sha384", "md5", "sha224",
		"shake128", "shake256",
		"blake2b512", "blake2s256", "ripemd", "ripemd160", "rmd160", "sm3":
		return true
	}
	return false
}

// strength orders algorithms; -1 is weaker than all that npm has an opinion
// of.
func strength(algorithm string) int {
	switch algorithm {
	case "md5":
		return 0
	case "sha1":
		return 1
	case "sha224":
		return 2
	case "sha256":
		return 3
	case "sha384":
		return 4
	case "sha512":
		return 5
	}
	return -1
}

// New returns a hash function, nil for an algorithm that this package can't
// compute: nobody has published with those.
func New(algorithm string) hash.Hash {
	switch algorithm {
	case "sha512":
		return sha512.New()
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	case "sha384":
		return sha512.New384()
	case "md5":
		return md5.New()
	case "sha224":
		return sha256.New224()
	case "shake128":
		return &shake{sha3.NewSHAKE128(), 16}
	case "shake256":
		return &shake{sha3.NewSHAKE256(), 32}
	}
	return nil
}

// shake gives an extendable function node's default length.
type shake struct {
	*sha3.SHAKE
	size int
}

func (s *shake) Size() int { return s.size }

// Sum ends the function: SHAKE can't go on after it was read.
func (s *shake) Sum(b []byte) []byte {
	sum := make([]byte, s.size)
	_, _ = s.Read(sum)
	return append(b, sum...)
}

// Sum hashes data. The hash's digest is "" for an algorithm that can't be
// computed, which matches nothing.
func Sum(algorithm string, data []byte) Hash {
	switch algorithm {
	case "sha512":
		sum := sha512.Sum512(data)
		return FromSum(algorithm, sum[:])
	case "sha1":
		sum := sha1.Sum(data)
		return FromSum(algorithm, sum[:])
	}
	h := New(algorithm)
	if h == nil {
		return Hash{Algorithm: algorithm}
	}
	h.Write(data)
	return FromSum(algorithm, h.Sum(nil))
}
