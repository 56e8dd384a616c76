//go:build unix

package regular_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ibid-pm/ibid/internal/regular"
)

func TestAPipeIsNotWaitedFor(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip(err)
	}
	if data, err := regular.ReadFile(pipe); err == nil {
		t.Errorf("a pipe: read %d bytes", len(data))
	}
}
