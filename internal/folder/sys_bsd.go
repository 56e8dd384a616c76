//go:build !linux && !windows && !darwin

package folder

import "syscall"

func fillTimes(*Stat, *syscall.Stat_t) {}
