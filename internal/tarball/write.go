package tarball

import (
	"errors"
	"io/fs"
	"syscall"
)

// Write lays out a in the folder dir, which must be there, be empty and
// belong to nobody else until Write returns: a store's own unfinished folder.
// Folders get mode 0777 and files Entry.Mode, both less the process umask;
// there is no chmod, as in npm. Times are the present.
//
// On a filesystem that takes two entries for one file although the flavour
// said otherwise, the later one stays and the earlier is removed from
// a.Files, so that a.Files is always what is in dir.
//
// The error is an *fs.PathError with the system's own, such as ENOSPC; dir is
// then incomplete.
func Write(dir string, a *Archive) error {
	return write(dir, a)
}

// taken handles EEXIST for the file a.Files[i]: an earlier entry turned out
// to be the same file. remove unlinks it. Only a filesystem that folds names
// gets here, so nothing about it needs to be fast.
func (a *Archive) taken(i int, gone map[int]bool, remove func(path string) error) error {
	for _, f := range []Flavour{Windows, Mac} {
		key := f.key(a.Files[i].Path)
		for j := range a.Files[:i] {
			if gone[j] || f.key(a.Files[j].Path) != key {
				continue
			}
			gone[j] = true
			a.Warnings = append(a.Warnings, Warning{"TAR_ENTRY_INFO", a.Files[j].Path,
				"is the same file as " + quote(a.Files[i].Path) + " on this filesystem; the later one is kept"})
			return remove(a.Files[i].Path)
		}
	}
	return syscall.EEXIST
}

// drop removes the entries that taken has found to be gone.
func (a *Archive) drop(gone map[int]bool) {
	if len(gone) == 0 {
		return
	}
	kept := a.Files[:0]
	for i, e := range a.Files {
		if !gone[i] {
			kept = append(kept, e)
		}
	}
	a.Files = kept
}

func pathError(op, dir, path string, err error) error {
	if path != "" {
		dir += "/" + path
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &fs.PathError{Op: op, Path: dir, Err: err}
}
