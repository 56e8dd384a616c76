//go:build !linux

package linker

import (
	"os"
	"runtime"
	"testing"
)

// stick has a folder with an x in it stay until the test is over, and says what
// whoever removes it hears.
func stick(t *testing.T, dir string) string {
	t.Helper()
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("everything can be removed here")
	}
	return readOnly(t, dir)
}

// unstick lets what stick has held go, wherever it is now.
func unstick(t *testing.T, dir string) {
	t.Helper()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}
