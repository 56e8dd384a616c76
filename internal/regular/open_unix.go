//go:build unix

package regular

import (
	"io/fs"
	"syscall"
)

const openFlags = syscall.O_NONBLOCK

func isOwn(st fs.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && IsOwner(sys.Uid)
}
