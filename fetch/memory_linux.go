package fetch

import "golang.org/x/sys/unix"

// untouched gives memory that takes none until it is written to, in large pages
// where there are any. It is never given back.
func untouched(size int) []byte {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, size)
	}
	unix.Madvise(b, unix.MADV_HUGEPAGE) // a wish
	return b
}
