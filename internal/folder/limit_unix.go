//go:build !windows

package folder

import (
	"math"
	"syscall"
)

// MaxOpen is how many files and folders the process may have open at once.
func MaxOpen() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur)
}
