//go:build !unix

package registry

import (
	"bytes"
	"os"
	"path/filepath"
)

// mapFile reads a file.
func mapFile(path string) ([]byte, error) { return os.ReadFile(path) }

// writeMapped writes parts to a new file beside path, renames it to path and
// gives its bytes.
func writeMapped(path string, parts ...[]byte) (file []byte, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if os.IsNotExist(err) {
		if err = os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, err
		}
		f, err = os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	}
	if err != nil {
		return nil, err
	}
	file = bytes.Join(parts, nil)
	_, err = f.Write(file)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return nil, err
	}
	return file, nil
}

func guarded(read func()) bool {
	read()
	return true
}
