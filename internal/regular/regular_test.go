package regular_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ibid-pm/ibid/internal/regular"
)

func TestAFileIsReadToItsEnd(t *testing.T) {
	dir := t.TempDir()
	for _, size := range []int{0, 1, 511, 512, 513, 100_000} {
		path := filepath.Join(dir, "file")
		want := bytes.Repeat([]byte("x"), size)
		if err := os.WriteFile(path, want, 0o666); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(dir, "link")
		os.Remove(link)
		if err := os.Symlink("file", link); err != nil {
			t.Skip(err)
		}
		for _, at := range []string{path, link} {
			if got, err := regular.ReadFile(at); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: got %d, %v", size, len(got), err)
			}
		}
		_, err := regular.ReadFileTo(path, 511)
		if over := size > 511; over != (err != nil) {
			t.Errorf("%d bytes of 511: %v", size, err)
		}
	}
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := regular.ReadFile(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := regular.ReadFile(dir); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a folder: %v", err)
	}
	endless := filepath.Join(dir, "endless")
	if err := os.Symlink("/dev/zero", endless); err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat(endless); err != nil {
		t.Skip(err)
	}
	if data, err := regular.ReadFile(endless); err == nil {
		t.Errorf("a device: read %d bytes", len(data))
	}
}
