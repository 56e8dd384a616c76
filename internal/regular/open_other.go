//go:build !unix

package regular

import "io/fs"

const openFlags = 0

func isOwn(fs.FileInfo) bool { return true }
