package linker

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// stick has a folder with an x in it stay until the test is over, and says what
// whoever removes it hears. Root is stopped by nothing but a mount.
func stick(t *testing.T, dir string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return readOnly(t, dir)
	}
	x := filepath.Join(dir, "x")
	if err := syscall.Mount(x, x, "", syscall.MS_BIND, ""); err != nil {
		t.Skip("mounting: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(x, 0) })
	return "device or resource busy"
}

// unstick lets what stick has held go, wherever it is now.
func unstick(t *testing.T, dir string) {
	t.Helper()
	err := os.Chmod(dir, 0o755)
	if err == nil && os.Geteuid() == 0 {
		err = syscall.Unmount(filepath.Join(dir, "x"), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}
