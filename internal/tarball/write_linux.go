package tarball

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxRawWrite is how much is written in one system call that the scheduler
// doesn't hear of. More than that may take long enough to be worth a hand-off.
const maxRawWrite = 256 << 10

func write(dir string, a *Archive) error {
	root, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return pathError("open", dir, "", err)
	}
	defer unix.Close(root)
	return WriteAt(root, dir, a)
}

// WriteAt is Write into the open folder root; dir is its name in errors.
//
// A tree of packages is tens of thousands of files of a few kilobytes each,
// and a system call on one takes one to ten microseconds. Telling the
// scheduler about each (as package os and unix.Openat do) wakes other threads
// that find nothing to do, so these calls are raw; that they never wait for
// another process is what makes it right.
func WriteAt(root int, dir string, a *Archive) error {
	var gone map[int]bool
	name := make([]byte, 0, 512)
	for _, d := range a.Dirs {
		name = append(append(name[:0], d...), 0)
		err := mkdirat(root, name, 0o777)
		if err == unix.EEXIST {
			// The filesystem takes two names for one. Nothing else may be
			// there, above all no link.
			var st unix.Stat_t
			if serr := unix.Fstatat(root, d, &st, unix.AT_SYMLINK_NOFOLLOW); serr == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
				err = nil
			}
		}
		if err != nil {
			return pathError("mkdir", dir, d, err)
		}
	}
	for i := range a.Files {
		e := &a.Files[i]
		name = append(append(name[:0], e.Path...), 0)
		fd, err := createat(root, name, uint32(e.Mode))
		if err == unix.EEXIST {
			if gone == nil {
				gone = make(map[int]bool)
			}
			if err := a.taken(i, gone, func(path string) error { return unix.Unlinkat(root, path, 0) }); err != nil {
				return pathError("open", dir, e.Path, err)
			}
			fd, err = createat(root, name, uint32(e.Mode))
		}
		if err != nil {
			return pathError("open", dir, e.Path, err)
		}
		werr := writeAll(fd, a.Content(*e))
		cerr := closeFD(fd)
		if werr != nil {
			return pathError("write", dir, e.Path, werr)
		}
		if cerr != nil {
			return pathError("close", dir, e.Path, cerr)
		}
	}
	a.drop(gone)
	return nil
}

func mkdirat(root int, name []byte, mode uint32) error {
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_MKDIRAT, uintptr(root), uintptr(unsafe.Pointer(&name[0])), uintptr(mode))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}

// createat makes a file that wasn't there. Its folders were made by mkdirat
// a moment ago, or seen to be folders, in a folder that is ours: no component
// can be a link.
func createat(root int, name []byte, mode uint32) (int, error) {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_LARGEFILE
	for {
		fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(root), uintptr(unsafe.Pointer(&name[0])), flags, uintptr(mode), 0, 0)
		switch errno {
		case 0:
			return int(fd), nil
		case unix.EINTR:
			continue
		}
		return -1, errno
	}
}

func writeAll(fd int, p []byte) error {
	for len(p) > 0 {
		var n uintptr
		var errno syscall.Errno
		if len(p) <= maxRawWrite {
			n, _, errno = unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		} else {
			n, _, errno = unix.Syscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(min(len(p), 1<<30)))
		}
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return errno
		case n == 0:
			return unix.EIO
		}
		p = p[n:]
	}
	return nil
}

func closeFD(fd int) error {
	// After EINTR the descriptor is closed all the same.
	if _, _, errno := unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0); errno != 0 && errno != unix.EINTR {
		return errno
	}
	return nil
}
