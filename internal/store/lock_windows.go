package store

import (
	"os"

	"golang.org/x/sys/windows"
)

// canLend: links cannot be counted cheaply here, so projects get copies.
const canLend = false

func waitLock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
}

// waitSharedLock waits for a lock that several may have, and nobody with
// waitLock's.
func waitSharedLock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), 0, 0, 1, 0, new(windows.Overlapped))
}
