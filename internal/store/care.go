package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/tarball"
)

// Held is one tarball in the store.
type Held struct {
	Digest Digest
	Size   int64
	Path   string
}

// Tarballs lists what the store holds, sorted by digest. Files that do not
// belong are left out.
func (s *Store) Tarballs() ([]Held, error) {
	var out []Held
	base := filepath.Join(s.dir, "tarballs")
	heads, err := os.ReadDir(base) // sorted
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, head := range heads {
		files, err := os.ReadDir(filepath.Join(base, head.Name()))
		if err != nil {
			continue
		}
		for _, f := range files {
			raw, err := hex.DecodeString(head.Name() + f.Name())
			if err != nil || len(raw) != len(Digest{}) {
				continue
			}
			info, err := f.Info()
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			out = append(out, Held{Digest: Digest(raw), Size: info.Size(), Path: filepath.Join(base, head.Name(), f.Name())})
		}
	}
	return out, nil
}

// Checked is what Verify found.
type Checked struct {
	Tarballs     int
	TarballBytes int64
	Trees        int
	TreeBytes    int64
	OnLoan       int // trees in use by a project, whose files are not the store's to judge
	// Removed are paths in the store that held something else than they
	// should, and are gone: they are fetched or unpacked again when needed.
	Removed []string
	// Doubted are how many trees came back from a project that may have written
	// to their files, or removed them one by one; they are gone as well.
	Doubted int
}

// Verify reads everything: each tarball is compared with its name, each tree
// that no project uses with its tarball, byte by byte. What is wrong is removed.
func (s *Store) Verify(ctx context.Context) (*Checked, error) {
	held, err := s.Tarballs()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	c := &Checked{}
	eg, reading := errgroup.WithContext(ctx)
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for _, h := range held {
		eg.Go(func() error {
			if err := reading.Err(); err != nil {
				return err
			}
			_, err := s.Tarball(h.Digest)
			mu.Lock()
			defer mu.Unlock()
			var damaged *IntegrityError
			switch {
			case errors.As(err, &damaged):
				c.Removed = append(c.Removed, h.Path)
			case errors.Is(err, ErrMissing):
			case err != nil:
				return err
			default:
				c.Tarballs++
				c.TarballBytes += h.Size
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	return c, s.verifyTrees(ctx, c)
}

func (s *Store) verifyTrees(ctx context.Context, c *Checked) error {
	trees, err := s.trees()
	if err != nil {
		return err
	}
	return s.eachTree(func(name string, seals []string) error {
		for _, n := range seals {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.verifyTree(trees, name, n, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachTree calls f with each folder of trees and the numbers of its seals.
func (s *Store) eachTree(f func(name string, seals []string) error) error {
	base := filepath.Join(s.dir, "trees")
	heads, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, head := range heads {
		names, err := os.ReadDir(filepath.Join(base, head.Name()))
		if err != nil {
			continue
		}
		for _, name := range names {
			files, err := os.ReadDir(filepath.Join(base, head.Name(), name.Name()))
			if err != nil {
				continue
			}
			var seals []string
			for _, file := range files {
				if n, ok := strings.CutSuffix(file.Name(), ".seal"); ok {
					seals = append(seals, n)
				}
			}
			if err := f(head.Name()+"/"+name.Name(), seals); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) verifyTree(trees *root, name, n string, c *Checked) error {
	path := filepath.Join(trees.Path(), name, n+".seal")
	data, err := regular.ReadFile(path)
	if err != nil || len(data) < sha256.Size {
		return nil // another process is at work on it
	}
	body := data[:len(data)-sha256.Size]
	mac, err := s.mac(body)
	if err != nil {
		return err
	}
	se, derr := decodeSeal(string(body))
	if derr != nil || !hmac.Equal(mac[:], data[len(body):]) {
		s.removeTree(trees, name, n)
		c.Removed = append(c.Removed, path)
		return nil
	}
	t, err := s.examine(trees, name, n, se.digest, se.variant, false)
	switch {
	case errors.Is(err, errOnLoan):
		c.OnLoan++
		return nil
	case errors.Is(err, errSpoilt):
		c.Doubted++
		return nil
	case errors.Is(err, fs.ErrNotExist): // another process has removed it
		return nil
	case err != nil:
		return err
	}
	defer t.Return()
	tgz, err := s.Tarball(se.digest)
	if err == nil {
		err = se.sameContent(t.dir, tgz)
	}
	if isShort(err) {
		return err
	}
	if err != nil {
		s.removeTree(trees, name, n)
		c.Removed = append(c.Removed, filepath.Join(filepath.Dir(path), se.dir))
		return nil
	}
	c.Trees++
	c.TreeBytes += se.total
	return nil
}

// sameContent compares the tree's files with those of the tarball.
func (s *seal) sameContent(dir *folder.Folder, tgz []byte) error {
	a, err := tarball.Read(tgz, tarball.Options{HostedGit: true})
	if err != nil {
		return err
	}
	content := make(map[string][]byte, len(a.Files))
	for _, f := range a.Files {
		content[f.Path] = a.Content(f)
	}
	slots := slotNames(len(s.files))
	for i := range s.files {
		f := &s.files[i]
		want, ok := content[f.path]
		if !ok { // .npmignore was .gitignore in the tarball
			if base := strings.TrimSuffix(f.path, ".npmignore"); base != f.path {
				want, ok = content[base+".gitignore"]
			}
		}
		got, err := dir.ReadFile(slots[i])
		if err != nil {
			return err
		}
		if !ok || !bytes.Equal(got, want) {
			return errSpoilt
		}
	}
	return nil
}

// Clean removes the whole store. Projects keep their files. A folder with something
// else in it is none, and stays: what a project names its cache may be a link to
// anywhere.
func (s *Store) Clean() error {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Name() {
		case "tarballs", "refs", "trees", "locks":
		default:
			return fmt.Errorf("%s: not removing a folder that is no store: it has %q in it", s.dir, e.Name())
		}
	}
	gone := s.dir + ".gone-" + randomName()
	if err := os.Rename(s.dir, gone); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	// An install that has it open may go on in it, until its folders are gone.
	for range 100 {
		if err := os.RemoveAll(gone); !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	return os.RemoveAll(gone)
}

// Pruned is what Prune removed.
type Pruned struct {
	Trees, Tarballs int
	Bytes           int64
}

// Prune removes trees that no project uses, and then the tarballs that were
// not used for longest, until the store takes at most budget bytes.
func (s *Store) Prune(ctx context.Context, budget int64) (*Pruned, error) {
	p := &Pruned{}
	held, err := s.Tarballs()
	if err != nil {
		return nil, err
	}
	total := int64(0)
	for _, h := range held {
		total += h.Size
	}
	trees, err := s.trees()
	if err != nil {
		return nil, err
	}
	err = s.eachTree(func(name string, seals []string) error {
		for _, n := range seals {
			if err := ctx.Err(); err != nil {
				return err
			}
			data, err := regular.ReadFile(filepath.Join(trees.Path(), name, n+".seal"))
			if err != nil || len(data) < sha256.Size {
				continue
			}
			se, err := decodeSeal(string(data[:len(data)-sha256.Size]))
			if err != nil {
				continue
			}
			t, err := s.examine(trees, name, n, se.digest, se.variant, false)
			if errors.Is(err, errOnLoan) {
				continue // its bytes are the project's, too
			}
			if err != nil && !errors.Is(err, errSpoilt) && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err == nil {
				if total+se.total <= budget {
					total += se.total
					t.Return()
					continue
				}
				s.removeTree(trees, name, n)
				t.Return()
			}
			p.Trees++
			p.Bytes += se.total
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	sortByUse(held)
	for _, h := range held {
		if total <= budget {
			break
		}
		if err := os.Remove(h.Path); err == nil {
			p.Tarballs++
			p.Bytes += h.Size
			total -= h.Size
		}
	}
	return p, nil
}

// sortByUse puts what was written longest ago first.
func sortByUse(held []Held) {
	age := make(map[string]int64, len(held))
	for _, h := range held {
		if st, err := os.Lstat(h.Path); err == nil {
			age[h.Path] = st.ModTime().UnixNano()
		}
	}
	slices.SortStableFunc(held, func(a, b Held) int { return cmp.Compare(age[a.Path], age[b.Path]) })
}
