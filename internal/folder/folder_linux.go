package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Folder is an open folder. It may be used from several goroutines.
type Folder struct {
	fd   int
	path string
}

// cpath is a path with a NUL behind it, on the caller's stack where it is short.
type cpath [512]byte

// pointer copies name into the buffer, or onto the heap where it is longer.
// A NUL inside a name would cut it short: it gives nil.
func (c *cpath) pointer(name string) *byte {
	if strings.IndexByte(name, 0) >= 0 {
		return nil
	}
	if len(name) < len(c) {
		copy(c[:], name)
		c[len(name)] = 0
		return &c[0]
	}
	b := make([]byte, len(name)+1)
	copy(b, name)
	return &b[0]
}

func (f *Folder) fail(op, name string, errno syscall.Errno) error {
	return &fs.PathError{Op: op, Path: filepath.Join(f.path, name), Err: errno}
}

func openat(fd int, name string, flags int) (int, syscall.Errno) {
	var c cpath
	p := c.pointer(name)
	if p == nil {
		return -1, syscall.EINVAL
	}
	for {
		r, _, errno := syscall.RawSyscall6(syscall.SYS_OPENAT, uintptr(fd), uintptr(unsafe.Pointer(p)), uintptr(flags|unix.O_CLOEXEC), 0, 0, 0)
		if errno != syscall.EINTR {
			return int(r), errno
		}
	}
}

// Open opens the folder at a path that the caller trusts.
func Open(path string) (*Folder, error) {
	fd, errno := openat(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_DIRECTORY)
	if errno != 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errno}
	}
	return &Folder{fd: fd, path: path}, nil
}

// Close gives the descriptor back.
func (f *Folder) Close() error {
	if errno := closeFD(f.fd); errno != 0 {
		return f.fail("close", "", errno)
	}
	return nil
}

// Path is where the folder was when it was opened.
func (f *Folder) Path() string { return f.path }

// Child opens a folder inside. A link or a file of that name is ErrNotFolder.
func (f *Folder) Child(name string) (*Folder, error) {
	fd, errno := openat(f.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if errno == syscall.ENOTDIR || errno == syscall.ELOOP {
		return nil, &fs.PathError{Op: "open", Path: filepath.Join(f.path, name), Err: ErrNotFolder}
	}
	if errno != 0 {
		return nil, f.fail("open", name, errno)
	}
	return &Folder{fd: fd, path: f.path + "/" + name}, nil
}

// Mkdir makes a folder at path; one that is there already is fs.ErrExist.
func (f *Folder) Mkdir(path string) error { return f.MkdirMode(path, 0o777) }

// MkdirMode is Mkdir with less than all permissions.
func (f *Folder) MkdirMode(path string, perm fs.FileMode) error {
	var c cpath
	p := c.pointer(path)
	if p == nil {
		return f.fail("mkdir", path, syscall.EINVAL)
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_MKDIRAT, uintptr(f.fd), uintptr(unsafe.Pointer(p)), uintptr(perm.Perm()))
	if errno != 0 {
		return f.fail("mkdir", path, errno)
	}
	return nil
}

// Link makes to's newName another name of the file at path.
func (f *Folder) Link(path string, to *Folder, newPath string) error {
	return f.both("link", unix.SYS_LINKAT, path, to, newPath)
}

// both makes a system call that takes a path here, a path there, and flags,
// which are 0.
func (f *Folder) both(op string, call uintptr, path string, to *Folder, newPath string) error {
	var c, d cpath
	p, q := c.pointer(path), d.pointer(newPath)
	if p == nil || q == nil {
		return f.fail(op, path, syscall.EINVAL)
	}
	_, _, errno := syscall.RawSyscall6(call, uintptr(f.fd), uintptr(unsafe.Pointer(p)), uintptr(to.fd), uintptr(unsafe.Pointer(q)), 0, 0)
	if errno != 0 {
		return &os.LinkError{Op: op, Old: filepath.Join(f.path, path), New: filepath.Join(to.path, newPath), Err: errno}
	}
	return nil
}

// Lstat says what is at path.
func (f *Folder) Lstat(path string, st *Stat) error {
	var c cpath
	p := c.pointer(path)
	if p == nil {
		return f.fail("lstat", path, syscall.EINVAL)
	}
	var sx unix.Statx_t
	_, _, errno := syscall.RawSyscall6(unix.SYS_STATX, uintptr(f.fd), uintptr(unsafe.Pointer(p)),
		unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, unix.STATX_BASIC_STATS|unix.STATX_BTIME, uintptr(unsafe.Pointer(&sx)), 0)
	if errno != 0 {
		return f.fail("lstat", path, errno)
	}
	fill(st, &sx)
	return nil
}

// Has says whether there is anything at path.
func (f *Folder) Has(path string) bool {
	var c cpath
	p := c.pointer(path)
	if p == nil {
		return false
	}
	var sx unix.Statx_t
	_, _, errno := syscall.RawSyscall6(unix.SYS_STATX, uintptr(f.fd), uintptr(unsafe.Pointer(p)),
		unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC, 0, uintptr(unsafe.Pointer(&sx)), 0)
	return errno == 0
}

// Stat says what the folder itself is.
func (f *Folder) Stat(st *Stat) error {
	return statFD(f.fd, f.path, st)
}

func statFD(fd int, path string, st *Stat) error {
	var sx unix.Statx_t
	var empty byte
	_, _, errno := syscall.RawSyscall6(unix.SYS_STATX, uintptr(fd), uintptr(unsafe.Pointer(&empty)),
		unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_BASIC_STATS|unix.STATX_BTIME, uintptr(unsafe.Pointer(&sx)), 0)
	if errno != 0 {
		return &fs.PathError{Op: "stat", Path: path, Err: errno}
	}
	fill(st, &sx)
	return nil
}

func nanos(t *unix.StatxTimestamp) int64 { return t.Sec*1e9 + int64(t.Nsec) }

func fill(st *Stat, sx *unix.Statx_t) {
	st.Mode = fs.FileMode(sx.Mode & 0o777)
	switch sx.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		st.Mode |= fs.ModeDir
	case unix.S_IFLNK:
		st.Mode |= fs.ModeSymlink
	default:
		st.Mode |= fs.ModeIrregular
	}
	if sx.Mode&unix.S_ISUID != 0 {
		st.Mode |= fs.ModeSetuid
	}
	if sx.Mode&unix.S_ISGID != 0 {
		st.Mode |= fs.ModeSetgid
	}
	st.Size = int64(sx.Size)
	st.Ino = sx.Ino
	st.Nlink = sx.Nlink
	st.Uid = sx.Uid
	st.Mtime = nanos(&sx.Mtime)
	st.Ctime = nanos(&sx.Ctime)
	st.Btime = 0
	if sx.Mask&unix.STATX_BTIME != 0 {
		st.Btime = nanos(&sx.Btime)
	}
}

// Symlink makes a symbolic link.
func (f *Folder) Symlink(target, name string) error {
	if err := unix.Symlinkat(target, f.fd, name); err != nil {
		return &os.LinkError{Op: "symlink", Old: target, New: filepath.Join(f.path, name), Err: err}
	}
	return nil
}

// Readlink gives a symbolic link's text.
func (f *Folder) Readlink(name string) (string, error) {
	buf := make([]byte, 256)
	for {
		n, err := unix.Readlinkat(f.fd, name, buf)
		if err != nil {
			return "", &fs.PathError{Op: "readlink", Path: filepath.Join(f.path, name), Err: err}
		}
		if n < len(buf) {
			return string(buf[:n]), nil
		}
		buf = make([]byte, 2*len(buf))
	}
}

// Rename moves what has the name into another folder.
func (f *Folder) Rename(name string, to *Folder, newName string) error {
	return f.both("rename", unix.SYS_RENAMEAT2, name, to, newName)
}

func (f *Folder) unlink(name string, flags int) syscall.Errno {
	var c cpath
	p := c.pointer(name)
	if p == nil {
		return syscall.EINVAL
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_UNLINKAT, uintptr(f.fd), uintptr(unsafe.Pointer(p)), uintptr(flags))
	return errno
}

// Remove removes a file, a link or an empty folder.
func (f *Folder) Remove(path string) error {
	errno := f.unlink(path, 0)
	if errno == syscall.EISDIR || errno == syscall.EPERM {
		errno = f.unlink(path, unix.AT_REMOVEDIR)
	}
	if errno != 0 {
		return f.fail("remove", path, errno)
	}
	return nil
}

// RemoveAll removes what has the name and all below it; nothing there is no error.
func (f *Folder) RemoveAll(name string) error {
	errno := f.unlink(name, 0)
	if errno == 0 || errno == syscall.ENOENT {
		return nil
	}
	if errno != syscall.EISDIR && errno != syscall.EPERM {
		return f.fail("remove", name, errno)
	}
	for range 3 { // again when somebody writes into it meanwhile
		child, err := f.Child(name)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		err = child.empty()
		child.Close()
		if err != nil {
			return err
		}
		errno = f.unlink(name, unix.AT_REMOVEDIR)
		if errno == 0 || errno == syscall.ENOENT {
			return nil
		}
		if errno != syscall.ENOTEMPTY && errno != syscall.EEXIST {
			break
		}
	}
	return f.fail("remove", name, errno)
}

// empty removes all that can be removed, and gives the first error.
func (f *Folder) empty() error {
	entries, first := f.ReadDir()
	for _, e := range entries {
		var err error
		if e.Dir {
			err = f.RemoveAll(e.Name)
		} else if errno := f.unlink(e.Name, 0); errno == syscall.EISDIR {
			err = f.RemoveAll(e.Name)
		} else if errno != 0 && errno != syscall.ENOENT {
			err = f.fail("remove", e.Name, errno)
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// Entry is one name in a folder. Dir and Link are hints: false where the file
// system does not say.
type Entry struct {
	Name string
	Dir  bool
	Link bool
}

// ReadDir gives the names in the folder, in no order.
func (f *Folder) ReadDir() ([]Entry, error) {
	// A descriptor of its own, since reading moves the descriptor's place.
	fd, errno := openat(f.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if errno != 0 {
		return nil, f.fail("readdir", "", errno)
	}
	defer unix.Close(fd)
	var out []Entry
	buf := make([]byte, 16<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "readdir", Path: f.path, Err: err}
		}
		if n == 0 {
			return out, nil
		}
		for b := buf[:n]; len(b) >= 19; {
			size := int(b[16]) | int(b[17])<<8
			if size < 19 || size > len(b) {
				return nil, fmt.Errorf("%s: reading folder: bad record", f.path)
			}
			name := b[19:size]
			for i, c := range name {
				if c == 0 {
					name = name[:i]
					break
				}
			}
			kind := b[18]
			b = b[size:]
			if string(name) == "." || string(name) == ".." {
				continue
			}
			out = append(out, Entry{Name: string(name), Dir: kind == unix.DT_DIR, Link: kind == unix.DT_LNK})
		}
	}
}

// ReadFile reads a regular file; a link is not followed.
func (f *Folder) ReadFile(path string) ([]byte, error) {
	fd, errno := openat(f.fd, path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if errno != 0 {
		return nil, f.fail("open", path, errno)
	}
	file := os.NewFile(uintptr(fd), filepath.Join(f.path, path))
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, f.fail("read", path, syscall.EINVAL)
	}
	data := make([]byte, st.Size())
	n := 0
	for n < len(data) {
		m, err := unix.Read(fd, data[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: file.Name(), Err: err}
		}
		if m == 0 {
			break
		}
		n += m
	}
	return data[:n], nil
}

// WriteFile makes a new file; one that is there already is fs.ErrExist.
func (f *Folder) WriteFile(path string, data []byte, perm fs.FileMode) error {
	fd, errno := f.createFD(path, unix.O_WRONLY, perm)
	if errno != 0 {
		return f.fail("create", path, errno)
	}
	_, errno = writeFD(fd, data)
	cerrno := closeFD(fd)
	if errno != 0 {
		return f.fail("write", path, errno)
	}
	if cerrno != 0 {
		return f.fail("close", path, cerrno)
	}
	return nil
}

// Clone makes to's newPath a file of its own with the content of the one at path,
// whose blocks the two share until one is written to (a reflink). A file system
// that cannot do it, or another one over there, is errors.ErrUnsupported; nothing
// is left of newPath then.
func (f *Folder) Clone(path string, to *Folder, newPath string, perm fs.FileMode) error {
	fd, errno := openat(f.fd, path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if errno != 0 {
		return f.fail("clone", path, errno)
	}
	defer unix.Close(fd)
	file, err := to.create(newPath, unix.O_WRONLY, perm)
	if err != nil {
		return err
	}
	if err = unix.IoctlFileClone(file.fd, fd); err == nil {
		err = unix.Fchmod(file.fd, uint32(perm.Perm())) // whatever the umask is
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		return nil
	}
	_ = to.Remove(newPath) // the reason is told
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EXDEV), errors.Is(err, unix.ENOSYS):
		err = errors.ErrUnsupported
	}
	return &fs.PathError{Op: "clone", Path: filepath.Join(f.path, path), Err: err}
}

// Chmod sets a file's permission bits; a link is not followed.
func (f *Folder) Chmod(path string, perm fs.FileMode) error {
	fd, errno := openat(f.fd, path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if errno != 0 {
		return f.fail("chmod", path, errno)
	}
	defer unix.Close(fd)
	if err := unix.Fchmod(fd, uint32(perm.Perm())); err != nil {
		return &fs.PathError{Op: "chmod", Path: filepath.Join(f.path, path), Err: err}
	}
	return nil
}

// Touch sets when a file was modified last to now; a link is not followed.
func (f *Folder) Touch(name string) error {
	now := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_NOW}}
	if err := unix.UtimesNanoAt(f.fd, name, now, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "touch", Path: filepath.Join(f.path, name), Err: err}
	}
	return nil
}

// Trusted is no folder in particular: what is done in it is done at paths that
// the caller trusts.
var Trusted = &Folder{fd: unix.AT_FDCWD}

// LstatPath says what is at a path that the caller trusts.
func LstatPath(path string, st *Stat) error { return Trusted.Lstat(path, st) }

// File is an open file, for the few things that are done to thousands of them.
type File struct {
	fd   int
	path string
}

// OpenFile opens a regular file for reading and writing; a link is not followed.
func (f *Folder) OpenFile(path string) (*File, error) {
	fd, errno := openat(f.fd, path, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if errno != 0 {
		return nil, f.fail("open", path, errno)
	}
	return &File{fd: fd, path: filepath.Join(f.path, path)}, nil
}

// CreateFile makes a new file; one that is there already is fs.ErrExist.
func (f *Folder) CreateFile(path string) (*File, error) {
	return f.create(path, unix.O_RDWR, 0o644)
}

func (f *Folder) create(path string, flags int, perm fs.FileMode) (*File, error) {
	fd, errno := f.createFD(path, flags, perm)
	if errno != 0 {
		return nil, f.fail("create", path, errno)
	}
	return &File{fd: fd, path: filepath.Join(f.path, path)}, nil
}

func (f *Folder) createFD(path string, flags int, perm fs.FileMode) (int, syscall.Errno) {
	var c cpath
	p := c.pointer(path)
	if p == nil {
		return -1, syscall.EINVAL
	}
	for {
		fd, _, errno := syscall.RawSyscall6(syscall.SYS_OPENAT, uintptr(f.fd), uintptr(unsafe.Pointer(p)),
			uintptr(flags|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC), uintptr(perm.Perm()), 0, 0)
		if errno != syscall.EINTR {
			return int(fd), errno
		}
	}
}

// maxRawWrite is how much is written in one system call that the scheduler
// doesn't hear of. More than that may take long enough to be worth a hand-off.
const maxRawWrite = 256 << 10

// writeFD writes all of data at the descriptor's place, or says how much of it.
func writeFD(fd int, data []byte) (int, syscall.Errno) {
	n := 0
	for n < len(data) {
		call := syscall.RawSyscall
		if len(data)-n > maxRawWrite {
			call = syscall.Syscall
		}
		m, _, errno := call(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&data[n])), uintptr(min(len(data)-n, 1<<30)))
		switch {
		case errno == syscall.EINTR:
		case errno != 0:
			return n, errno
		case m == 0:
			return n, syscall.EIO
		default:
			n += int(m)
		}
	}
	return n, 0
}

// closeFD closes a descriptor, which it is after EINTR as well.
func closeFD(fd int) syscall.Errno {
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
	if errno == syscall.EINTR {
		return 0
	}
	return errno
}

// Close closes the file and gives its lock back.
func (f *File) Close() error {
	if errno := closeFD(f.fd); errno != 0 {
		return &fs.PathError{Op: "close", Path: f.path, Err: errno}
	}
	return nil
}

// Stat says what the file is.
func (f *File) Stat(st *Stat) error { return statFD(f.fd, f.path, st) }

// TryLock locks the file for this process, or says that another has it.
func (f *File) TryLock() (bool, error) {
	for {
		switch _, _, errno := syscall.RawSyscall(syscall.SYS_FLOCK, uintptr(f.fd), unix.LOCK_EX|unix.LOCK_NB, 0); errno {
		case 0:
			return true, nil
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return false, nil
		default:
			return false, &fs.PathError{Op: "lock", Path: f.path, Err: errno}
		}
	}
}

// ReadFull fills data from the file's start, or fails.
func (f *File) ReadFull(data []byte) error {
	for n := 0; n < len(data); {
		m, _, errno := syscall.RawSyscall6(syscall.SYS_PREAD64, uintptr(f.fd), uintptr(unsafe.Pointer(&data[n])), uintptr(len(data)-n), uintptr(n), 0, 0)
		switch {
		case errno == syscall.EINTR:
		case errno != 0:
			return &fs.PathError{Op: "read", Path: f.path, Err: errno}
		case m == 0:
			return &fs.PathError{Op: "read", Path: f.path, Err: io.ErrUnexpectedEOF}
		default:
			n += int(m)
		}
	}
	return nil
}

// Write writes data at the file's place.
func (f *File) Write(data []byte) (int, error) {
	n, errno := writeFD(f.fd, data)
	if errno != 0 {
		return n, &fs.PathError{Op: "write", Path: f.path, Err: errno}
	}
	return n, nil
}
