//go:build !windows

package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// canLend: a file's links can be counted, so a tree on loan is seen to be.
const canLend = true

func waitLock(f *os.File) error { return flock(f, unix.LOCK_EX) }

// waitSharedLock waits for a lock that several may have, and nobody with
// waitLock's.
func waitSharedLock(f *os.File) error { return flock(f, unix.LOCK_SH) }

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
	}
}
