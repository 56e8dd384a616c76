package folder

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

func fillTimes(st *Stat, sys *syscall.Stat_t) {
	st.Ctime = sys.Ctimespec.Nano()
	st.Btime = sys.Birthtimespec.Nano()
}

func clone(path, to string) error {
	err := unix.Clonefile(path, to, unix.CLONE_NOFOLLOW)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EXDEV) {
		err = errors.ErrUnsupported
	}
	if err != nil {
		return &fs.PathError{Op: "clone", Path: path, Err: err}
	}
	return nil
}
