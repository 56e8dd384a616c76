//go:build !linux

package store

// replaceFolder puts one folder in the place of another, and says where the
// other is now.
func replaceFolder(from, to string) (old string, err error) { return swapByName(from, to) }
