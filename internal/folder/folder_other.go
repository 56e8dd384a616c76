//go:build !linux

package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Folder is a path that was found to be a folder. Unlike on Linux, somebody
// who swaps a folder for a link while ibid runs can lead it elsewhere.
type Folder struct{ path string }

// Entry is one name in a folder. Dir and Link are hints: false where the file
// system does not say.
type Entry struct {
	Name string
	Dir  bool
	Link bool
}

func (f *Folder) at(path string) string { return filepath.Join(f.path, filepath.FromSlash(path)) }

// Open opens the folder at a path that the caller trusts.
func Open(path string) (*Folder, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrNotFolder}
	}
	return &Folder{path: path}, nil
}

// Close gives the folder back.
func (f *Folder) Close() error { return nil }

// Path is where the folder was when it was opened.
func (f *Folder) Path() string { return f.path }

// Child opens a folder inside. A link or a file of that name is ErrNotFolder.
func (f *Folder) Child(name string) (*Folder, error) {
	st, err := os.Lstat(f.at(name))
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: f.at(name), Err: ErrNotFolder}
	}
	return &Folder{path: f.at(name)}, nil
}

// Mkdir makes a folder at path; one that is there already is fs.ErrExist.
func (f *Folder) Mkdir(path string) error { return f.MkdirMode(path, 0o777) }

// MkdirMode is Mkdir with less than all permissions.
func (f *Folder) MkdirMode(path string, perm fs.FileMode) error { return os.Mkdir(f.at(path), perm) }

// Link makes to's newName another name of the file at path.
func (f *Folder) Link(path string, to *Folder, newPath string) error {
	return os.Link(f.at(path), to.at(newPath))
}

// Lstat says what is at path.
func (f *Folder) Lstat(path string, st *Stat) error { return lstat(f.at(path), st) }

// Has says whether there is anything at path.
func (f *Folder) Has(path string) bool {
	_, err := os.Lstat(f.at(path))
	return err == nil
}

// Stat says what the folder itself is.
func (f *Folder) Stat(st *Stat) error { return lstat(f.path, st) }

func lstat(path string, st *Stat) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	*st = Stat{Mode: info.Mode(), Size: info.Size(), Mtime: info.ModTime().UnixNano(), Nlink: 1}
	fillSys(st, info)
	return nil
}

// Symlink makes a symbolic link; on Windows, where it leads to a folder, a junction.
func (f *Folder) Symlink(target, name string) error { return symlink(target, f.at(name)) }

// Readlink gives a symbolic link's text.
func (f *Folder) Readlink(name string) (string, error) { return os.Readlink(f.at(name)) }

// Rename moves what has the name into another folder.
func (f *Folder) Rename(name string, to *Folder, newName string) error {
	return os.Rename(f.at(name), to.at(newName))
}

// Remove removes a file, a link or an empty folder.
func (f *Folder) Remove(path string) error { return os.Remove(f.at(path)) }

// RemoveAll removes what has the name and all below it; nothing there is no error.
func (f *Folder) RemoveAll(name string) error { return os.RemoveAll(f.at(name)) }

// ReadDir gives the names in the folder, in no order.
func (f *Folder) ReadDir() ([]Entry, error) {
	list, err := os.ReadDir(f.path)
	if err != nil {
		return nil, err
	}
	out := make([]Entry, len(list))
	for i, e := range list {
		out[i] = Entry{Name: e.Name(), Dir: e.IsDir(), Link: e.Type()&fs.ModeSymlink != 0}
	}
	return out, nil
}

// ReadFile reads a regular file; a link is not followed.
func (f *Folder) ReadFile(path string) ([]byte, error) {
	st, err := os.Lstat(f.at(path))
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: f.at(path), Err: errors.New("not a regular file")}
	}
	return os.ReadFile(f.at(path))
}

// WriteFile makes a new file; one that is there already is fs.ErrExist.
func (f *Folder) WriteFile(path string, data []byte, perm fs.FileMode) error {
	file, err := os.OpenFile(f.at(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm.Perm())
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

// Clone makes to's newPath a file of its own with the content of the one at path,
// whose blocks the two share until one is written to. A file system that cannot
// do it, or another one over there, is errors.ErrUnsupported.
func (f *Folder) Clone(path string, to *Folder, newPath string, perm fs.FileMode) error {
	if err := clone(f.at(path), to.at(newPath)); err != nil {
		return err
	}
	return os.Chmod(to.at(newPath), perm.Perm())
}

// Chmod sets a file's permission bits; a link is not followed.
func (f *Folder) Chmod(path string, perm fs.FileMode) error {
	st, err := os.Lstat(f.at(path))
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return nil
	}
	return os.Chmod(f.at(path), perm.Perm())
}

// File is an open file, for the few things that are done to thousands of them.
type File struct{ f *os.File }

// OpenFile opens a regular file for reading and writing; a link is not followed.
func (f *Folder) OpenFile(path string) (*File, error) {
	st, err := os.Lstat(f.at(path))
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: f.at(path), Err: errors.New("not a regular file")}
	}
	file, err := os.OpenFile(f.at(path), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return &File{file}, nil
}

// CreateFile makes a new file; one that is there already is fs.ErrExist.
func (f *Folder) CreateFile(path string) (*File, error) {
	file, err := os.OpenFile(f.at(path), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &File{file}, nil
}

// Close closes the file and gives its lock back.
func (f *File) Close() error { return f.f.Close() }

// Stat says what the file is.
func (f *File) Stat(st *Stat) error {
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	*st = Stat{Mode: info.Mode(), Size: info.Size(), Mtime: info.ModTime().UnixNano(), Nlink: 1}
	fillSys(st, info)
	return nil
}

// TryLock locks the file for this process, or says that another has it.
func (f *File) TryLock() (bool, error) { return tryLock(f.f) }

// ReadFull fills data from the file's start, or fails.
func (f *File) ReadFull(data []byte) error {
	_, err := f.f.ReadAt(data, 0)
	return err
}

// Write writes data at the file's place.
func (f *File) Write(data []byte) (int, error) { return f.f.Write(data) }

// Touch sets when a file was modified last to now.
func (f *Folder) Touch(name string) error { return os.Chtimes(f.at(name), time.Time{}, time.Now()) }

// Trusted is no folder in particular: what is done in it is done at paths that
// the caller trusts.
var Trusted = &Folder{}

// LstatPath says what is at a path that the caller trusts.
func LstatPath(path string, st *Stat) error { return lstat(path, st) }
