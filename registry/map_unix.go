//go:build unix

package registry

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"syscall"
)

// mapFile gives a file's bytes without reading those that nobody looks at. The
// mapping lives as long as the process. Entries are replaced, never rewritten,
// so its bytes stay; a person may still cut a file short, which is why readers
// go through guarded.
func mapFile(path string) ([]byte, error) {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Size <= 0 || st.Size > 1<<31-1 || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, os.ErrInvalid
	}
	return syscall.Mmap(fd, 0, int(st.Size), syscall.PROT_READ, syscall.MAP_SHARED)
}

// writeMapped writes parts to a new file beside path, renames it to path and
// gives its bytes as mapFile does.
func writeMapped(path string, parts ...[]byte) (file []byte, err error) {
	tmp, fd, err := create(path)
	if err != nil {
		return nil, err
	}
	size := 0
	defer func() {
		_ = syscall.Close(fd)
		if err != nil {
			_ = syscall.Unlink(tmp)
		}
	}()
	for _, part := range parts {
		size += len(part)
		for len(part) > 0 {
			n, err := syscall.Write(fd, part)
			if err == syscall.EINTR {
				continue
			}
			if err != nil {
				return nil, err
			}
			part = part[n:]
		}
	}
	if file, err = syscall.Mmap(fd, 0, size, syscall.PROT_READ, syscall.MAP_SHARED); err != nil {
		return nil, err
	}
	if err = syscall.Rename(tmp, path); err != nil {
		_ = syscall.Munmap(file)
		return nil, err
	}
	return file, nil
}

// create makes a file beside path that nobody else has, and its folder if need
// be. It goes by system calls: os.File would offer each file to the poller.
func create(path string) (name string, fd int, err error) {
	prefix := path + "." + strconv.Itoa(os.Getpid()) + "."
	for range 100 {
		name = prefix + strconv.FormatUint(rand.Uint64(), 36) + ".tmp"
		fd, err = syscall.Open(name, syscall.O_RDWR|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, 0o666)
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

// guarded runs read, which looks into a mapped file, and says whether the file
// still had what was read.
func guarded(read func()) (ok bool) {
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			ok = false
		}
	}()
	read()
	return true
}
