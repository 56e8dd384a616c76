//go:build !windows

package cmd

import (
	"errors"
	"syscall"
)

// crossDevice says that two folders are on different file systems.
func crossDevice(err error) bool {
	return errors.Is(err, syscall.EXDEV) || errors.Is(err, syscall.EMLINK)
}
