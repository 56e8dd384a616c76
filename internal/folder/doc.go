// Package folder works inside open folders: what is done relative to a Folder
// stays in it, since no step follows a symbolic link below it. On Linux a
// Folder is a descriptor and each operation one system call, made without
// telling the scheduler: they are many (one for each file of node_modules) and
// short. Elsewhere a Folder is a path.
//
// A name is one path element, or, where a method says path, several joined by
// slashes that the caller knows to hold no link and no "..".
package folder

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/regular"
)

// ErrNotFolder says that something other than a folder has the name.
var ErrNotFolder = errors.New("not a folder")

// Stat is what a file system says of one file, itself rather than what it may
// link to. Times are Unix nanoseconds.
type Stat struct {
	Mode  fs.FileMode // type and permission bits
	Size  int64
	Ino   uint64
	Nlink uint32
	Uid   uint32 // the owner's; 0 on Windows
	Mtime int64
	Ctime int64 // change of the inode; 0 where unknown
	Btime int64 // birth; 0 where unknown
}

// ClockSlack is what a file's time stamp may lag behind the clock: the kernel
// stamps with the time of its last tick.
const ClockSlack = 20 * time.Millisecond

// IsOwn says whether the folder at a path is this user's or root's, so that nobody
// else can have put something there.
func IsOwn(path string) bool {
	f, err := Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var st Stat
	return f.Stat(&st) == nil && regular.IsOwner(st.Uid) && st.Mode&0o002 == 0
}

// Below says whether a clean path leads to something in a folder, by its text alone.
func Below(path, dir string) bool {
	const separator = string(filepath.Separator)
	return strings.HasPrefix(path, strings.TrimSuffix(dir, separator)+separator)
}
