package store

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ibid-pm/ibid/internal/regular"
)

// maxTarball is more than any tarball that was put here has.
const maxTarball = 4 << 30

func (s *Store) tarballPath(d Digest) string {
	h := d.String()
	return filepath.Join(s.dir, "tarballs", h[:2], h[2:])
}

// HasTarball says whether the tarball is there, without reading it.
func (s *Store) HasTarball(d Digest) bool {
	st, err := os.Lstat(s.tarballPath(d))
	return err == nil && st.Mode().IsRegular()
}

// PutTarball keeps a tarball. d must be its Sum; the caller has it already.
func (s *Store) PutTarball(d Digest, tarball []byte) error {
	path := s.tarballPath(d)
	if st, err := os.Lstat(path); err == nil && st.Mode().IsRegular() && st.Size() == int64(len(tarball)) {
		if old, err := regular.ReadFileTo(path, maxTarball); err == nil && bytes.Equal(old, tarball) {
			return nil
		}
	}
	return s.writeFile(path, tarball)
}

// Tarball gives the bytes of a tarball, checked against its name. A damaged one
// is removed, so that it is fetched again, and reported as *IntegrityError; one
// that is not there is ErrMissing.
func (s *Store) Tarball(d Digest) ([]byte, error) {
	path := s.tarballPath(d)
	data, err := regular.ReadFileTo(path, maxTarball)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	if got := Sum(data); got != d {
		os.Remove(path)
		return nil, &IntegrityError{Path: path, Want: d, Got: got}
	}
	return data, nil
}

func (s *Store) refPath(name string) string {
	sum := sha256.Sum256([]byte(name))
	h := hex.EncodeToString(sum[:])
	return filepath.Join(s.dir, "refs", h[:2], h[2:])
}

// PutRef makes name a second name of a tarball: "sha1-…" or "git+…#commit".
// The caller has verified that they belong together.
func (s *Store) PutRef(name string, d Digest) error {
	mac, err := s.mac(append([]byte("ref\x00"+name+"\x00"), d[:]...))
	if err != nil {
		return err
	}
	return s.writeFile(s.refPath(name), append(d[:], mac[:]...))
}

// Ref gives the tarball that has this second name, or ErrMissing. A ref that
// was not written with this user's key counts as missing.
func (s *Store) Ref(name string) (Digest, error) {
	data, err := regular.ReadFile(s.refPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Digest{}, ErrMissing
	}
	if err != nil {
		return Digest{}, err
	}
	var d Digest
	if len(data) != len(d)+sha256.Size {
		return Digest{}, ErrMissing
	}
	copy(d[:], data)
	mac, err := s.mac(append([]byte("ref\x00"+name+"\x00"), d[:]...))
	if err != nil {
		return Digest{}, err
	}
	if !hmac.Equal(mac[:], data[len(d):]) {
		return Digest{}, ErrMissing
	}
	return d, nil
}

func lockName(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}
