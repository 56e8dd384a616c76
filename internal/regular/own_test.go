package regular_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ibid-pm/ibid/internal/regular"
)

func TestAnotherUsersFileIsNotOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := regular.ReadOwn(path, regular.MaxSize); err != nil || string(got) != "x" {
		t.Errorf("%q, %v", got, err)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	if err := os.Chown(path, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	if got, err := regular.ReadOwn(path, regular.MaxSize); err == nil {
		t.Errorf("another user's file: %q", got)
	}
	if _, err := regular.ReadFile(path); err != nil {
		t.Error(err)
	}
}
