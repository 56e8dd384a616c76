//go:build !windows

package cmd

import (
	"io/fs"
	"syscall"
)

// processUmask reads the umask, which can only be done by setting it; nothing
// else runs yet.
func processUmask() fs.FileMode {
	m := syscall.Umask(0)
	syscall.Umask(m)
	return fs.FileMode(m)
}

func errnoName(e syscall.Errno) string { return errnoNames(e) }
