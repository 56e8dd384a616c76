package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// replaceFolder puts one folder in the place of another in one step, and says
// where the other is now.
func replaceFolder(from, to string) (old string, err error) {
	err = unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
	if err == nil {
		return from, nil
	}
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // not on this file system
		return swapByName(from, to)
	}
	return "", &os.LinkError{Op: "exchange", Old: from, New: to, Err: err}
}
