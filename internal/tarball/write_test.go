package tarball_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ibid-pm/ibid/internal/tarball"
	tt "github.com/ibid-pm/ibid/internal/tarball/tarballtest"
)

// twice is what a filesystem that folds names sees of two entries.
func twice() *tarball.Archive {
	return &tarball.Archive{
		Data: []byte("firstsecondother"),
		Dirs: []string{"d"},
		Files: []tarball.Entry{
			{Path: "d/a", Mode: 0o644, Size: 5},
			{Path: "b", Mode: 0o644, Size: 5, Offset: 11},
			{Path: "d/a", Mode: 0o755, Size: 6, Offset: 5},
		},
	}
}

func TestWriteKeepsTheLaterOfTwoNamesForOneFile(t *testing.T) {
	dir, a := t.TempDir(), twice()
	if err := tarball.Write(dir, a); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "d", "a"))
	if err != nil || string(got) != "second" {
		t.Errorf("%q, %v", got, err)
	}
	if len(a.Files) != 2 || a.Files[0].Path != "b" || a.Files[1].Size != 6 {
		t.Errorf("the archive has %v", a.Files)
	}
	if len(a.Warnings) != 1 {
		t.Errorf("warnings %v", a.Warnings)
	}
}

func TestWriteTouchesNothingThatWasThere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs symbolic links")
	}
	a, err := tarball.Read(tt.Package("lib/x", "new", "y", "new"), tarball.Options{})
	if err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	for _, c := range []struct {
		name string
		lay  func(dir string) error
	}{
		{"a file in the place of a file", func(dir string) error { return os.WriteFile(filepath.Join(dir, "y"), []byte("old"), 0o666) }},
		{"a link in the place of a file", func(dir string) error { return os.Symlink(filepath.Join(outside, "y"), filepath.Join(dir, "y")) }},
		{"a link in the place of a folder", func(dir string) error { return os.Symlink(outside, filepath.Join(dir, "lib")) }},
		{"a file in the place of a folder", func(dir string) error { return os.WriteFile(filepath.Join(dir, "lib"), []byte("old"), 0o666) }},
		{"a folder in the place of a file", func(dir string) error { return os.Mkdir(filepath.Join(dir, "y"), 0o777) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := c.lay(dir); err != nil {
				t.Fatal(err)
			}
			err := tarball.Write(dir, a)
			var pe *fs.PathError
			if !errors.Is(err, fs.ErrExist) || !errors.As(err, &pe) {
				t.Errorf("error %v", err)
			}
			if left, _ := os.ReadDir(outside); len(left) != 0 {
				t.Errorf("wrote %v outside", left)
			}
			if got, err := os.ReadFile(filepath.Join(dir, "y")); err == nil && string(got) == "new" && c.name == "a file in the place of a file" {
				t.Error("overwrote a file")
			}
		})
	}
	if err := tarball.Write(filepath.Join(outside, "nowhere"), a); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("folder that isn't there: %v", err)
	}
}

func TestReadWithABufferKeepsNothingOfTheLastArchive(t *testing.T) {
	buf := tarball.NewBuffer(make([]byte, 2000))
	for _, files := range [][]string{{"a", "long content of the first"}, {"b", "short"}, {"c", ""}} {
		a, err := tarball.Read(tt.Package(files...), tarball.Options{Buffer: buf})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Files) != 1 || a.Files[0].Path != files[0] || string(a.Content(a.Files[0])) != files[1] {
			t.Errorf("%v: %v", files, a.Files)
		}
	}
}

func TestBinsGetX(t *testing.T) {
	a, err := tarball.Read(tt.Package("bin/x.js", "", "x.js", "", "./y.js", ""), tarball.Options{Bins: map[string]bool{"bin/x.js": true, "y.js": true}, Umask: 0o077})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{"bin/x.js": 0o711, "x.js": 0o600, "y.js": 0o600}
	for _, e := range a.Files {
		if e.Mode != want[e.Path] {
			t.Errorf("%s has mode %o, want %o", e.Path, e.Mode, want[e.Path])
		}
	}
}
