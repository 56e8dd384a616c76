//go:build !linux

package tarball

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

func write(dir string, a *Archive) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, d := range a.Dirs {
		err := root.Mkdir(filepath.FromSlash(d), 0o777)
		if errors.Is(err, fs.ErrExist) {
			// The filesystem takes two names for one. Nothing else may be
			// there, above all no link.
			if fi, serr := root.Lstat(filepath.FromSlash(d)); serr == nil && fi.IsDir() {
				err = nil
			}
		}
		if err != nil {
			return pathError("mkdir", dir, d, err)
		}
	}
	var gone map[int]bool
	for i := range a.Files {
		e := &a.Files[i]
		path := filepath.FromSlash(e.Path)
		f, err := create(root, path, e.Mode)
		if errors.Is(err, fs.ErrExist) {
			if gone == nil {
				gone = make(map[int]bool)
			}
			if err := a.taken(i, gone, func(string) error { return root.Remove(path) }); err != nil {
				return pathError("open", dir, e.Path, err)
			}
			f, err = create(root, path, e.Mode)
		}
		if err != nil {
			return pathError("open", dir, e.Path, err)
		}
		_, werr := f.Write(a.Content(*e))
		if cerr := f.Close(); werr == nil {
			werr = cerr
		}
		if werr != nil {
			return pathError("write", dir, e.Path, werr)
		}
	}
	a.drop(gone)
	return nil
}

func create(root *os.Root, path string, mode fs.FileMode) (*os.File, error) {
	return root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
}
