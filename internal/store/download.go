package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ibid-pm/ibid/internal/folder"
)

// LockDownload waits until no other process is fetching what has this name
// (an integrity, a URL) and keeps them from it until release is called. The
// caller looks again whether the tarball is there by then.
func (s *Store) LockDownload(name string) (release func(), err error) {
	dir := filepath.Join(s.dir, "locks")
	path := filepath.Join(dir, lockName(name))
	if err := s.mkdir(dir); err != nil {
		return nil, err
	}
	// Nearly always nobody else has it.
	if f, err := folder.Trusted.CreateFile(path); err == nil {
		ok, err := f.TryLock()
		if err != nil {
			f.Close()
			return nil, err
		}
		if ok && lockedStill(f.Stat, path) {
			return func() {
				folder.Trusted.Remove(path)
				f.Close()
			}, nil
		}
		f.Close()
	}
	for {
		if err := s.mkdir(dir); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if errors.Is(err, fs.ErrNotExist) { // cleaned away by another process
			s.madeDir.Delete(dir)
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := waitLock(f); err != nil {
			f.Close()
			return nil, err
		}
		if lockedStill(func(st *folder.Stat) error { return folder.StatFile(f, st) }, path) {
			return func() {
				os.Remove(path)
				f.Close()
			}, nil
		}
		f.Close()
	}
}

// lockedStill says whether the file that was locked still has its name: the one
// before us removes it as it leaves, and then ours is a lock that nobody else
// will see.
func lockedStill(stat func(*folder.Stat) error, path string) bool {
	var mine, there folder.Stat
	return stat(&mine) == nil && folder.LstatPath(path, &there) == nil && mine.Ino == there.Ino
}
