//go:build unix

package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestALockThatIsNotGivenBackKeepsNobodyForEver(t *testing.T) {
	s := newStore(t)
	release, err := s.LockDownload(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	again, err := s.lockDownload(t.Context(), "a", time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	again()
	if again, err = s.LockDownload(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	again()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.LockDownload(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting is not ended: %v", err)
	}
}

func TestALockThatIsALinkLeadsNowhere(t *testing.T) {
	s := newStore(t)
	target, lock := filepath.Join(t.TempDir(), "target"), filepath.Join(s.dir, "locks", lockName("a"))
	if err := errors.Join(os.MkdirAll(filepath.Dir(lock), 0o755), os.Symlink(target, lock)); err != nil {
		t.Fatal(err)
	}
	release, err := s.LockDownload(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	release()
	if _, err := os.Lstat(target); err == nil {
		t.Error("a file was made where the link leads to")
	}
}
