package inflate

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Room gives memory for decoded texts that takes none until it is written to.
// It lies outside of the heap, and is never given back.
func Room(size int) []byte {
	p, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return make([]byte, size)
	}
	// Not the heap's: the address does not move.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), size)
}

// Clear would give back what was written to in a room: not here.
func Clear([]byte) {}
