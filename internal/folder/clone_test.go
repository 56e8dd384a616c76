package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestACloneIsAFileOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a"), []byte("one"), 0o600), os.Chmod(filepath.Join(dir, "a"), 0o755)); err != nil {
		t.Fatal(err)
	}
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = f.Clone("a", f, "b", 0o755)
	if errors.Is(err, errors.ErrUnsupported) {
		if _, err := os.Lstat(filepath.Join(dir, "b")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what could not be cloned left something: %v", err)
		}
		t.Skip("this file system shares no blocks")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Clone("a", f, "b", 0o755); !errors.Is(err, fs.ErrExist) {
		t.Errorf("what was there is replaced: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "b"))
	if err != nil || string(data) != "one" {
		t.Errorf("got %q, %v", data, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "b")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("got %v, %v", info, err)
	}
}
