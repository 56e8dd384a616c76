//go:build unix

package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ibid-pm/ibid/internal/folder"
)

func TestAKeyThatIsAPipeIsNotWaitedFor(t *testing.T) {
	s := newStore(t)
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.keyFile), 0o755), syscall.Mkfifo(s.keyFile, 0o666)); err != nil {
		t.Skip(err)
	}
	if err := s.PutRef("a", Digest{}); err == nil {
		t.Error("a pipe is a key")
	}
}

// Whoever owns the folder of a cache that several share can put a folder in place of a
// tree's, with files of the same sizes and times where the file system knows no births.
func TestATreeThatAnotherUserHasPutThereIsNotLent(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	s := newStore(t)
	d, _ := s.put(t, map[string]string{"index.js": "one"})
	into := filepath.Join(t.TempDir(), "project")
	s.install(t, d, into)
	tree, _ := filepath.Glob(filepath.Join(s.dir, "trees", "*", "*", "0-*"))
	if len(tree) != 1 {
		t.Fatal(tree)
	}
	if err := errors.Join(os.RemoveAll(into), os.Chown(tree[0], 1234, 1234)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Borrow(d, s.VariantOf(nil, "")); !errors.Is(err, ErrMissing) {
		t.Errorf("another user's tree: %v", err)
	}
}

func TestWhatIsNoStoreIsNotCleaned(t *testing.T) {
	s := newStore(t)
	other := t.TempDir()
	file := filepath.Join(other, Format, "precious")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o600),
		os.Symlink(other, filepath.Dir(s.dir))); err != nil {
		t.Fatal(err)
	}
	if err := s.Clean(); err == nil {
		t.Error("no word of what was found")
	}
	if !folder.Trusted.Has(file) {
		t.Error("a file that is not the store's is gone")
	}
}
