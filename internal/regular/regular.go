// Package regular reads files that strangers wrote. A repository can have a link
// to anything in the place of its package.json: to a device that never ends, or
// to a pipe that nobody writes to. Only regular files are read here, and none
// without end. Where a link leads is not this package's to judge.
//
// Replace is for writing them, ReadOwn for what nobody but the user can have written.
package regular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// MaxSize is the most bytes that a file may have, which is what a registry's
// documents may have.
const MaxSize = 512 << 20

var (
	errNotRegular = errors.New("not a regular file")
	errNotOwn     = errors.New("another user's file")
)

// Open opens any file for reading. It does not wait for somebody to write to a pipe:
// one that nobody has open is empty.
func Open(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|openFlags, 0) }

// ReadFile reads a whole file as os.ReadFile does, links followed. What is no
// regular file, and what has more than MaxSize bytes, is an error.
func ReadFile(path string) ([]byte, error) { return ReadFileTo(path, MaxSize) }

// ReadOwn is ReadFileTo for what ibid itself has written down. A file that is another
// user's, who may have put it into a folder that several share, is an error.
func ReadOwn(path string, limit int64) ([]byte, error) { return readFile(path, limit, isOwn) }

// IsOwner says whether what a user has made is as good as this user's own: root's is.
func IsOwner(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }

// ReadFileTo is ReadFile for files of at most limit bytes.
func ReadFileTo(path string, limit int64) ([]byte, error) { return readFile(path, limit, nil) }

func readFile(path string, limit int64, ok func(fs.FileInfo) bool) ([]byte, error) {
	// Without openFlags, opening a pipe would wait for who writes to it.
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	fail := func(err error) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: path, Err: err} }
	switch {
	case st.IsDir():
		return fail(syscall.EISDIR)
	case !st.Mode().IsRegular():
		return fail(errNotRegular)
	case ok != nil && !ok(st):
		return fail(errNotOwn)
	case st.Size() > limit:
		return fail(tooLarge(limit))
	}
	// One byte more tells the end; a file that grows meanwhile is read on.
	data := make([]byte, 0, max(st.Size()+1, 512))
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return fail(tooLarge(limit))
		case err == io.EOF:
			return data, nil
		case err != nil:
			return data, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

func tooLarge(limit int64) error { return fmt.Errorf("larger than %d MiB", limit>>20) }
