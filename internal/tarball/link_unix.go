//go:build unix

package tarball

import (
	"io/fs"
	"syscall"
)

// fileID names a file whatever its path is.
type fileID struct{ dev, ino uint64 }

// linked gives the identity of a file that has more than one name.
func linked(fi fs.FileInfo) (fileID, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || st.Nlink <= 1 {
		return fileID{}, false
	}
	return fileID{uint64(st.Dev), uint64(st.Ino)}, true
}
