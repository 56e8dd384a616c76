//go:build unix

package registry

import (
	"os"
	"runtime/debug"
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
	return syscall.Mmap(fd, 0, int(st.Size), syscall.PROT_READ, syscall.MAP_PRIVATE)
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
