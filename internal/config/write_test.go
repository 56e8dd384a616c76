package config

import (
	"os"
	"path/filepath"
	"testing"
)

// A file that is written over is empty for a moment, and stays so should that be the
// last one, or the disk full.
func TestAFileIsReplacedAndNotWrittenOver(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".npmrc")
	before := file + "-before"
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(file, before); err != nil {
		t.Fatal(err)
	}
	c := &Config{}
	c.layers[User].source = file
	if err := c.WriteText(User, "new"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{file: "new", before: "old"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st.Mode(), err)
	}
}
