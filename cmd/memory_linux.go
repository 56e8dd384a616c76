package cmd

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// largePages asks the kernel to back the heap that an install will need with
// large pages. An install fills some ten thousand small ones once each, and the
// faults for these cost more than what is done in them: 0.1 s of processor time
// for 20 MB on a virtual machine.
//
// The runtime has no switch for it. But a goroutine's stack is as large as what it
// calls says that it needs, lies where the heap grows next, and is the heap's when
// the goroutine ends, without a collection. So one says that it needs much; nobody
// touches that. It counts against heapLeast until it is filled. Where the kernel
// has no large pages, and should the runtime do otherwise one day, nothing is lost.
func largePages() {
	var done sync.WaitGroup
	done.Go(deep)
	done.Wait()
}

const deepStack = 32 << 20

// large fills more than half of deepStack, which is the next power of two.
type large [deepStack * 5 / 8]byte

// deep runs on a stack of deepStack bytes, since it has to have room for the
// result of what it never calls.
//
//go:noinline
func deep() {
	if calls == never {
		_ = deeper()
	}
	var here byte
	end := (uintptr(unsafe.Pointer(&here)) + heapPage - 1) &^ (heapPage - 1)
	start := end - deepStack
	// What the heap has mapped before the stack and not yet touched lies in the
	// same arena. The kernel skips what is not mapped.
	before := min(start%arena, firstGrowth)
	_, _, _ = unix.RawSyscall(unix.SYS_MADVISE, start-before, before+deepStack, unix.MADV_HUGEPAGE)
}

// How Go's heap grows (runtime/mheap.go): in pages, inside of arenas, by some MB
// at first.
const (
	heapPage    = 8 << 10
	arena       = 64 << 20
	firstGrowth = 4 << 20
)

const never = -1

var calls int

//go:noinline
func deeper() large { panic("not to be called") }
