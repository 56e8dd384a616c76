//go:build !linux && !windows && !darwin

package folder

import (
	"errors"
	"io/fs"
	"syscall"
)

func fillTimes(*Stat, *syscall.Stat_t) {}

func clone(path, _ string) error {
	return &fs.PathError{Op: "clone", Path: path, Err: errors.ErrUnsupported}
}
