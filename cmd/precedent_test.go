package cmd

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

func FuzzPrecedent(f *testing.F) {
	key := sha256.Sum256([]byte("key"))
	whole := encodePrecedent(key, []byte("basis"), []byte("lock"))
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(encodePrecedent(key, nil, nil))
	f.Add([]byte(precedentMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		basis, text, ok := decodePrecedent(data, key)
		if ok && !bytes.Equal(encodePrecedent(key, basis, text), data) {
			t.Errorf("%q is read as %q and %q", data, basis, text)
		}
		// Forge the sum, to get behind it.
		if len(data) > sha256.Size {
			end := len(data) - sha256.Size
			sum := sha256.Sum256(data[:end])
			if basis, text, ok := decodePrecedent(append(bytes.Clone(data[:end]), sum[:]...), key); ok && len(basis)+len(text) > end {
				t.Error("more than there is")
			}
		}
	})
}

func TestAPrecedentOfAnotherKeyIsNone(t *testing.T) {
	key, other := sha256.Sum256([]byte("key")), sha256.Sum256([]byte("other"))
	data := encodePrecedent(key, []byte("basis"), []byte("lock"))
	if basis, text, ok := decodePrecedent(data, key); !ok || string(basis) != "basis" || string(text) != "lock" {
		t.Errorf("read as %q, %q, %v", basis, text, ok)
	}
	if _, _, ok := decodePrecedent(data, other); ok {
		t.Error("it is")
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, _, ok := decodePrecedent(bad, key); ok {
			t.Errorf("byte %d may be another one", i)
		}
	}
}
