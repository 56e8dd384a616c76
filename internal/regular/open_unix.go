//go:build unix

package regular

import (
	"io/fs"
	"os"
	"syscall"
)

const openFlags = syscall.O_NONBLOCK

func isOwn(st fs.FileInfo) bool {
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && (sys.Uid == 0 || int(sys.Uid) == os.Geteuid())
}
