package store

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/regular"
)

// Format is the version of the layout below the store's folder; another
// version lives in another folder beside it.
const Format = "v1"

// ErrMissing says that the store does not have what was asked for.
var ErrMissing = errors.New("not in the store")

// Digest is the SHA-512 of a tarball as it was downloaded; it names it.
type Digest [sha512.Size]byte

// String gives the digest in lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Sum gives the digest of a tarball's bytes.
func Sum(tarball []byte) Digest { return sha512.Sum512(tarball) }

// IntegrityError says that a tarball in the store does not have the bytes that
// its name promises.
type IntegrityError struct {
	Path      string
	Want, Got Digest
}

func (e *IntegrityError) Error() string {
	return fmt.Sprintf("%s: these are not the bytes that were stored: sha512 is %.16s…, not %.16s…", e.Path, e.Got, e.Want)
}

// Code is npm's code for it.
func (e *IntegrityError) Code() string { return "EINTEGRITY" }

// Options says where a store is.
type Options struct {
	// Dir is the store's folder, without the format: Dir/v1 is used.
	Dir string
	// KeyFile holds the secret that seals are made with; it is created when
	// it is missing, and must not lie in Dir.
	KeyFile string
	// Umask is the process's; files of a tree have the modes that it leaves.
	Umask fs.FileMode
}

// Store is one user's store. Its methods may be called from several goroutines.
type Store struct {
	dir   string // with the format
	umask fs.FileMode

	keyFile string
	key     func() ([]byte, error)
	opening sync.Mutex
	opened  *root    // of all trees; nil until it is needed
	madeDir sync.Map // folder → made by this process
	// What serves one tree serves the next: there are thousands in a row.
	macs  sync.Pool // of hash.Hash, under the key
	seals sync.Pool // of *seal
}

// Open gives the store in o.Dir. Nothing is read or created until it is needed.
func Open(o Options) *Store {
	s := &Store{dir: filepath.Join(o.Dir, Format), umask: o.Umask.Perm(), keyFile: o.KeyFile}
	s.key = sync.OnceValues(s.loadKey)
	return s
}

// Dir is the folder that everything lies in.
func (s *Store) Dir() string { return s.dir }

// loadKey reads the key that seals are made with, or makes one.
func (s *Store) loadKey() ([]byte, error) {
	for range 3 {
		key, err := regular.ReadFile(s.keyFile)
		if err == nil && len(key) == sha256.Size {
			return key, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("store key: %w", err)
		}
		key = make([]byte, sha256.Size)
		rand.Read(key)
		if err := os.MkdirAll(filepath.Dir(s.keyFile), 0o700); err != nil {
			return nil, fmt.Errorf("store key: %w", err)
		}
		// A key that another process makes at this moment must win or lose as
		// a whole: write aside, then link, which fails where one is there.
		tmp := fmt.Sprintf("%s.%s", s.keyFile, randomName())
		if err := os.WriteFile(tmp, key, 0o600); err != nil {
			return nil, fmt.Errorf("store key: %w", err)
		}
		err = os.Link(tmp, s.keyFile)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = os.Rename(tmp, s.keyFile) // a file system without links
		}
		os.Remove(tmp)
		if err != nil && errors.Is(err, fs.ErrExist) {
			if st, serr := os.Stat(s.keyFile); serr == nil && st.Size() != sha256.Size {
				os.Remove(s.keyFile) // damaged: every seal under it is void anyway
			}
		}
	}
	return nil, fmt.Errorf("store key: %s: cannot be made", s.keyFile)
}

func (s *Store) mac(data []byte) (sum [sha256.Size]byte, err error) {
	m, _ := s.macs.Get().(hash.Hash)
	if m == nil {
		key, err := s.key()
		if err != nil {
			return sum, err
		}
		m = hmac.New(sha256.New, key)
	}
	m.Reset()
	m.Write(data)
	m.Sum(sum[:0])
	s.macs.Put(m)
	return sum, nil
}

func randomName() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// mkdir makes a folder of the store once in this process.
func (s *Store) mkdir(dir string) error {
	if _, ok := s.madeDir.Load(dir); ok {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s.madeDir.Store(dir, true)
	return nil
}

// writeFile puts a whole file in its place: it is there complete or not at all.
func (s *Store) writeFile(path string, data []byte) error {
	write := func() error {
		if err := s.mkdir(filepath.Dir(path)); err != nil {
			return err
		}
		tmp := path + ".tmp-" + randomName()
		err := folder.Trusted.WriteFile(tmp, data, 0o644)
		if err == nil {
			err = folder.Trusted.Rename(tmp, folder.Trusted, path)
		}
		if err != nil {
			os.Remove(tmp)
		}
		return err
	}
	err := write()
	if errors.Is(err, fs.ErrNotExist) { // the folder was cleaned away meanwhile
		s.madeDir.Delete(filepath.Dir(path))
		err = write()
	}
	return err
}
