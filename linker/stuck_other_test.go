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
