package regular_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ibid-pm/ibid/internal/regular"
)

// A container may have a single file of the host's.
func TestAFileThatIsMountedIsWrittenOver(t *testing.T) {
	dir := t.TempDir()
	host, path, tmp := filepath.Join(dir, "host"), filepath.Join(dir, "package.json"), filepath.Join(dir, "tmp")
	for file, text := range map[string]string{host: "old and longer", path: "", tmp: "new"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mount(host, path, "", syscall.MS_BIND, ""); err != nil {
		t.Skip("mounting: ", err)
	}
	defer syscall.Unmount(path, 0)
	if err := regular.Replace(tmp, path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(host); err != nil || string(got) != "new" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := os.Stat(tmp); err == nil {
		t.Error("the other file is still there")
	}
}
