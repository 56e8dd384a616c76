package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A commit that is killed while it removes the folder leaves none that patch
// commit would take for an edited package.
func TestHalfOfAnEditedFolderIsNone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"index.js", "package.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	killed := errors.New("killed")
	err := discardEdited(dir, func(dir string) error {
		if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
			t.Error("files are removed while package.json is there")
		}
		return killed
	})
	if err != killed {
		t.Error(err)
	}
}

func TestAFullDiskIsNoFaultOfThePatch(t *testing.T) {
	err := &patchError{id: "dep@1.0.0", path: "dep.patch", err: fmt.Errorf("x: changing the file: %w", syscall.ENOSPC)}
	if code, hints := errorCode(err), err.Hints(); code != "ENOSPC" || hints != nil {
		t.Errorf("%s, %q", code, hints)
	}
}
