package regular

import (
	"errors"
	"os"
	"syscall"
)

// Replace has the file at tmp take the place of the one at path, whose content it is
// as data says. A file that is mounted by itself, as in containers, cannot be
// replaced: that one is written over, and gets back what it had if that fails.
func Replace(tmp, path string, data []byte) error {
	err := os.Rename(tmp, path)
	if !errors.Is(err, syscall.EBUSY) {
		return err
	}
	// A link is no such file, and leads to another.
	if st, lerr := os.Lstat(path); lerr != nil || !st.Mode().IsRegular() {
		return err
	}
	old, rerr := ReadFile(path)
	if rerr != nil {
		return rerr
	}
	if werr := over(path, data); werr != nil {
		return errors.Join(werr, over(path, old))
	}
	return os.Remove(tmp)
}

func over(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
