//go:build !windows

package cmd

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// errnoNames gives the name of a system error: "ENOSPC".
func errnoNames(e syscall.Errno) string { return unix.ErrnoName(e) }
