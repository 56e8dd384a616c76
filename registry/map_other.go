//go:build !unix

package registry

import "os"

// mapFile reads a file.
func mapFile(path string) ([]byte, error) { return os.ReadFile(path) }

func guarded(read func()) bool {
	read()
	return true
}
