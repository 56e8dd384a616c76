package linker

import "golang.org/x/sys/windows"

// errNotDir: an element of a path is not a folder.
const errNotDir = windows.ERROR_PATH_NOT_FOUND
