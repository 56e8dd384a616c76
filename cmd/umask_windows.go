package cmd

import (
	"io/fs"
	"syscall"
)

func processUmask() fs.FileMode { return 0 }

func errnoName(e syscall.Errno) string { return "" }
