//go:build !windows

package store

import (
	"os"
	"path/filepath"
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
			s, work := newStore(t), t.TempDir()
			d, _ := s.put(t, test.files)
			modules := filepath.Join(work, "node_modules")
			pkg := filepath.Join(modules, "@scope", "pkg")
			if err := os.MkdirAll(filepath.Dir(pkg), 0o755); err != nil {
				t.Fatal(err)
			}
			s.install(t, d, pkg)
			var st folder.Stat
			index := filepath.Join(pkg, "index.js")
			if err := folder.LstatPath(index, &st); err != nil {
				t.Fatal(err)
			}
			installed := int64(0)
			if test.installed {
				installed = st.Ctime
			}
			for edited := st; test.edit && edited.Ctime-st.Ctime <= together(len(test.files)); {
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
			if got := s.install(t, d, filepath.Join(work, "again")); got != test.want {
				t.Errorf("unpacked again: %v, want %v", got, test.want)
			}
			if got := read(t, filepath.Join(filepath.Join(work, "again"), "index.js")); got != "1" {
				t.Errorf("index.js is %q", got)
			}
		})
	}
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
