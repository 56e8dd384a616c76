//go:build !windows

package store

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/folder"
)

// An edit that keeps size and time is hidden by the removal of its project,
// unless somebody looks before.
func TestWhatWasTouchedInAProjectIsNotLentAgain(t *testing.T) {
	for name, test := range map[string]struct {
		files     map[string]string
		installed bool // it is known when the install ended
		edit      bool
		want      bool // the tree is made again
	}{
		"nothing was touched":                      {map[string]string{"index.js": "1", "lib/a.js": "2"}, true, false, false},
		"one file of two, later than the other":    {map[string]string{"index.js": "1", "lib/a.js": "2"}, false, true, true},
		"the only file, after the install":         {map[string]string{"index.js": "1"}, true, true, true},
		"in a package that is nested in another's": {map[string]string{"index.js": "1", "node_modules/@s/x/a.js": "2", "node_modules/@s/x/b.js": "3"}, true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			for paused := true; paused; {
				paused = touched(t, test.files, test.installed, test.edit, test.want)
			}
		})
	}
}

// touched installs files, edits one where that is asked for, and installs again.
// It tells whether the machine paused, so that nothing can be said.
func touched(t *testing.T, files map[string]string, ended, edit, want bool) (paused bool) {
	s, work := newStore(t), t.TempDir()
	d, _ := s.put(t, files)
	modules := filepath.Join(work, "node_modules")
	pkg := filepath.Join(modules, "@scope", "pkg")
	if err := os.MkdirAll(filepath.Dir(pkg), 0o755); err != nil {
		t.Fatal(err)
	}
	names := slices.Collect(maps.Keys(files))
	s.install(t, d, pkg)
	if s.paused(t, names) {
		return true
	}
	var st folder.Stat
	index := filepath.Join(pkg, "index.js")
	if err := folder.LstatPath(index, &st); err != nil {
		t.Fatal(err)
	}
	linked := time.Now().UnixNano() // not before any file was linked
	installed := int64(0)
	if ended {
		installed = linked
	}
	for edited := st; edit && edited.Ctime-linked <= together(len(files)); {
		write(t, index, "X")
		os.Chtimes(index, time.Time{}, time.Unix(0, st.Mtime))
		if err := folder.LstatPath(index, &edited); err != nil || edited.Size != st.Size || edited.Mtime != st.Mtime {
			t.Fatalf("the edit can be seen: %+v, %v", edited, err)
		}
	}
	f, err := folder.Open(modules)
	if err != nil {
		t.Fatal(err)
	}
	Doubt(f, installed)
	f.Close()
	os.RemoveAll(modules)
	if !edit && s.paused(t, names) {
		return true
	}
	if got := s.install(t, d, filepath.Join(work, "again")); got != want {
		t.Errorf("unpacked again: %v, want %v", got, want)
	}
	if got := read(t, filepath.Join(filepath.Join(work, "again"), "index.js")); got != "1" {
		t.Errorf("index.js is %q", got)
	}
	return false
}

// write changes a file in place.
func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
