package store

import (
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
	for {
		if err := s.mkdir(dir); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		if err := waitLock(f); err != nil {
			f.Close()
			return nil, err
		}
		// The one before us removes the file as it leaves; then ours is a
		// lock that nobody else will see.
		var mine, there folder.Stat
		if folder.StatFile(f, &mine) == nil && folder.LstatPath(path, &there) == nil && mine.Ino == there.Ino {
			return func() {
				os.Remove(path)
				f.Close()
			}, nil
		}
		f.Close()
	}
}
