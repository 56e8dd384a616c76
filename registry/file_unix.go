//go:build unix

package registry

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/ibid-pm/ibid/internal/regular"
)

// Files are reached by system calls: a resolution opens some thousand small
// ones, and os.File would offer each to the poller.

// descriptor is an open file.
type descriptor int

// openFile opens a file of this user's, or of root's: in a cache that several users
// share, metadata that another has put there would choose what is installed.
func openFile(path string) (descriptor, error) {
	fd, err := -1, error(syscall.EINTR)
	for err == syscall.EINTR {
		fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	}
	if err != nil {
		return -1, err
	}
	var st syscall.Stat_t
	if err = syscall.Fstat(fd, &st); err == nil && !regular.IsOwner(st.Uid) {
		err = syscall.EPERM
	}
	if err != nil {
		_ = syscall.Close(fd)
		return -1, err
	}
	return descriptor(fd), nil
}

// touchFlags have no link followed, which would lead to another file than was read,
// and no pipe waited for.
const touchFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

func (d descriptor) Close() { _ = syscall.Close(int(d)) }

// ReadAt is io.ReaderAt's.
func (d descriptor) ReadAt(b []byte, at int64) (n int, err error) {
	for n < len(b) {
		k, err := syscall.Pread(int(d), b[n:], at+int64(n))
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return n, err
		case k <= 0:
			return n, io.EOF
		default:
			n += k
		}
	}
	return n, nil
}

// writeFile writes parts to a new file beside path and renames it to path when
// it is whole.
func writeFile(path string, parts ...[]byte) error {
	tmp, fd, err := create(path)
	if err != nil {
		return err
	}
	for _, part := range parts {
		for len(part) > 0 && err == nil {
			var n int
			if n, err = syscall.Write(fd, part); err == syscall.EINTR {
				n, err = 0, nil
			}
			part = part[max(n, 0):]
		}
	}
	if e := syscall.Close(fd); err == nil {
		err = e
	}
	if err == nil {
		err = syscall.Rename(tmp, path)
	}
	if err != nil {
		_ = syscall.Unlink(tmp)
	}
	return err
}

// create makes a file beside path that nobody else has, and its folder if need
// be.
func create(path string) (name string, fd int, err error) {
	prefix := path + "." + strconv.Itoa(os.Getpid()) + "."
	for range 100 {
		name = prefix + strconv.FormatUint(rand.Uint64(), 36) + ".tmp"
		fd, err = syscall.Open(name, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, 0o666)
		switch err {
		case syscall.ENOENT:
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				return "", -1, err
			}
		case syscall.EEXIST, syscall.EINTR:
		default:
			return name, fd, err
		}
	}
	return name, fd, err
}
