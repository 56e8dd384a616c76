//go:build !linux && !windows

package folder

import (
	"io/fs"
	"os"
	"syscall"
)

func fillSys(st *Stat, info fs.FileInfo) {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		st.Ino = uint64(sys.Ino)
		st.Nlink = uint32(sys.Nlink)
		st.Uid = sys.Uid
		fillTimes(st, sys)
	}
}

func symlink(target, name string) error { return os.Symlink(target, name) }
