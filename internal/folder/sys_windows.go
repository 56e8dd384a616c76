package folder

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Nlink stays 1 here: how many names a file has takes an open handle to learn.
func fillSys(st *Stat, info fs.FileInfo) {
	if sys, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		st.Btime = sys.CreationTime.Nanoseconds()
	}
}

// symlink falls back to the target's absolute path where relative links need
// a privilege that the user lacks.
func symlink(target, name string) error {
	err := os.Symlink(filepath.FromSlash(target), name)
	if err == nil || filepath.IsAbs(target) {
		return err
	}
	return os.Symlink(filepath.Join(filepath.Dir(name), filepath.FromSlash(target)), name)
}
