package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// Nlink stays 1 here: how many names a file has takes an open handle to learn.
func fillSys(st *Stat, info fs.FileInfo) {
	if sys, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		st.Btime = sys.CreationTime.Nanoseconds()
	}
}

// symlink makes a junction, as npm does for what it links: it needs no
// privilege. A target that is a file, or on another computer, can only have a
// symbolic link.
func symlink(target, name string) error {
	name, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	to := filepath.FromSlash(target)
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(name), to)
	}
	info, err := os.Stat(to)
	if err == nil && !info.IsDir() || len(filepath.VolumeName(to)) != len("C:") {
		return os.Symlink(filepath.FromSlash(target), name)
	}
	if err := junction(to, name); err != nil {
		return &os.LinkError{Op: "junction", Old: to, New: name, Err: err}
	}
	return nil
}

func junction(target, name string) error {
	data := junctionData(target)
	if data == nil {
		return windows.ERROR_BUFFER_OVERFLOW
	}
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	// What is there already is not made a junction: os.Mkdir says fs.ErrExist.
	if err := os.Mkdir(name, 0o777); err != nil {
		return err
	}
	h, err := windows.CreateFile(path, windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING,
		windows.FILE_FLAG_OPEN_REPARSE_POINT|windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err == nil {
		var n uint32
		err = windows.DeviceIoControl(h, windows.FSCTL_SET_REPARSE_POINT, &data[0], uint32(len(data)), nil, 0, &n, nil)
		windows.CloseHandle(h)
	}
	if err != nil {
		os.Remove(name)
	}
	return err
}

func clone(path, _ string) error {
	return &fs.PathError{Op: "clone", Path: path, Err: errors.ErrUnsupported}
}
