//go:build !unix

package registry

import (
	"os"
	"path/filepath"
)

// descriptor is an open file.
type descriptor struct{ *os.File }

func openFile(path string) (descriptor, error) {
	f, err := os.Open(path)
	return descriptor{f}, err
}

const touchFlags = 0

// Close is os.File's without its error: nothing was written.
func (d descriptor) Close() { _ = d.File.Close() }

// writeFile writes parts to a new file beside path and renames it to path when
// it is whole.
func writeFile(path string, parts ...[]byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if os.IsNotExist(err) {
		if err = os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		f, err = os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	}
	if err != nil {
		return err
	}
	for _, part := range parts {
		if _, err = f.Write(part); err != nil {
			break
		}
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
