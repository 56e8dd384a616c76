package folder

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// MakeRoom prepares the process for so many open files and folders at once, or as
// many as it may have. Linux doubles the table of them when it is full, and waits
// each time until all processors have let go of the old one (expand_fdtable in
// fs/file.c, synchronize_rcu): some ten milliseconds in which no thread that needs
// room can open anything. One wait in the background, before there is much to
// open, is as good as the six that thousands of files take.
func MakeRoom(files int) {
	files = min(files, MaxOpen())
	// The lowest free number from there on: the table then goes as far.
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(syscall.Stderr), unix.F_DUPFD_CLOEXEC, uintptr(files-1))
	if errno == 0 {
		syscall.Close(int(fd))
	}
}
