//go:build unix

package inflate

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// hugePages is Linux' MADV_HUGEPAGE.
const hugePages = 14

// heapRoom is how much the heap has where the system has no room outside of it.
const heapRoom = 32 << 20

// Room gives memory for decoded texts that takes none until it is written to,
// in large pages where there are any. It lies outside of the heap, and Clear is
// the only way to give any of it back. Where the system has no room of that size it
// is heapRoom at most.
func Room(size int) []byte {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, min(size, heapRoom))
	}
	if runtime.GOOS == "linux" {
		unix.Madvise(b, hugePages) // a wish
	}
	return b
}

// Clear gives back what was written to in a room, which is there as before, but
// takes no memory until it is written to again.
func Clear(room []byte) {
	if runtime.GOOS == "linux" && len(room) > 0 { // elsewhere the system does not promise it
		unix.Madvise(room, unix.MADV_DONTNEED)
	}
}
