//go:build !linux

package folder

// MakeRoom prepares the process for so many open files and folders at once. There
// is nothing to prepare here.
func MakeRoom(int) {}
