package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestATreeOutlivesAProcessWithTooManyOpenFiles(t *testing.T) {
	s, work := newStore(t), t.TempDir()
	d, _ := s.put(t, map[string]string{"index.js": "1"})
	s.install(t, d, filepath.Join(work, "one"))
	os.RemoveAll(filepath.Join(work, "one"))
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	short := 0
	for room := range 4 { // may still be opened
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		limit := was
		limit.Cur = uint64(int(null.Fd()) + room)
		null.Close()
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		tree, err := s.Borrow(d, s.VariantOf(nil, ""))
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
		switch {
		case errors.Is(err, syscall.EMFILE):
			short++
		case err != nil:
			t.Errorf("with room for %d: %v", room, err)
		default:
			tree.Return()
		}
	}
	if short == 0 {
		t.Error("there was always room")
	}
	if s.install(t, d, filepath.Join(work, "two")) {
		t.Error("the tree was made again")
	}
}
