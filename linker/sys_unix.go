//go:build !windows

package linker

import "syscall"

// errNotDir: an element of a path is not a folder.
const errNotDir = syscall.ENOTDIR
