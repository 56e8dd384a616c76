package cmd

import (
	"os"
	"path/filepath"
	"testing"
)

// Where one file cannot take its place, those that have it already are put back.
func TestFilesAreSavedTogether(t *testing.T) {
	dir := t.TempDir()
	old, fresh, lock := filepath.Join(dir, "package.json"), filepath.Join(dir, "fresh"), filepath.Join(dir, "package-lock.json")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(lock, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := writeFiles([]fileToWrite{{path: old, data: []byte("new")}, {path: fresh, data: []byte("new")}, {path: lock, data: []byte("new")}})
	if err == nil {
		t.Fatal("a folder was replaced")
	}
	if got, _ := os.ReadFile(old); string(got) != "old" {
		t.Errorf("package.json is %q after %v", got, err)
	}
	if st, err := os.Stat(old); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left %v", left)
	}
}
