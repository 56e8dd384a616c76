package cmd

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// largePages asks the kernel to back the heap that an install will need with
// large pages. An install fills some ten thousand small ones once each, and the
// faults for these cost more than what is done in them: 0.1 s of processor time
// for 20 MB on a virtual machine.
//
// The runtime has no switch for it. So a block is allocated, which maps its
// addresses, and given back for the runtime to fill; nobody touches its bytes in
// between. It counts against heapLeast until it is filled, so it is smaller.
// Where the kernel has no large pages nothing changes.
func largePages() {
	block := make([]byte, heapLeast*3/4)
	// What the heap has mapped before the block and not yet touched lies in the
	// same arena. The kernel skips what is not mapped.
	start := uintptr(unsafe.Pointer(unsafe.SliceData(block)))
	before := min(start%arena, firstGrowth)
	_, _, errno := unix.RawSyscall(unix.SYS_MADVISE, start-before, before+uintptr(len(block)), unix.MADV_HUGEPAGE)
	block = nil
	if errno == 0 || errno == unix.ENOMEM {
		runtime.GC()
	}
}

// How Go's heap grows (runtime/mheap.go): inside of arenas, by some MB at first.
const (
	arena       = 64 << 20
	firstGrowth = 4 << 20
)
