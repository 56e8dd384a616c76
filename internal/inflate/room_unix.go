//go:build unix

package inflate

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// hugePages is Linux' MADV_HUGEPAGE.
const hugePages = 14

// Room gives memory for decoded texts that takes none until it is written to,
// in large pages where there are any. It lies outside of the heap, and is never
// given back.
func Room(size int) []byte {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, size)
	}
	if runtime.GOOS == "linux" {
		unix.Madvise(b, hugePages) // a wish
	}
	return b
}
