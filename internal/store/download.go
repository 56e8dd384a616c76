package store

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ibid-pm/ibid/internal/folder"
)

// A process that has a lock may have been stopped. Then it keeps nobody for ever: what
// it is fetching is fetched a second time.
const (
	lockEvery = 10 * time.Millisecond
	lockFor   = 30 * time.Second
)

// LockDownload waits until no other process is fetching what has this name
// (an integrity, a URL) and keeps them from it until release is called. The
// caller looks again whether the tarball is there by then. After half a minute
// it waits no longer.
func (s *Store) LockDownload(ctx context.Context, name string) (release func(), err error) {
	return s.lockDownload(ctx, name, lockFor)
}

func (s *Store) lockDownload(ctx context.Context, name string, most time.Duration) (release func(), err error) {
	dir := filepath.Join(s.dir, "locks")
	path := filepath.Join(dir, lockName(name))
	for end := time.Now().Add(most); ; {
		if err := s.mkdir(dir); err != nil {
			return nil, err
		}
		// Nearly always nobody else has it.
		f, err := folder.Trusted.CreateFile(path)
		if errors.Is(err, fs.ErrExist) {
			f, err = folder.Trusted.OpenFile(path)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // the file or its folder was removed by another process
			s.madeDir.Delete(dir)
		case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ELOOP): // what another user has put there
			return func() {}, nil
		case err != nil:
			return nil, err
		default:
			ok, err := f.TryLock()
			if err == nil && ok && lockedStill(f, path) {
				return func() {
					folder.Trusted.Remove(path)
					f.Close()
				}, nil
			}
			f.Close()
			if err != nil {
				return nil, err
			}
		}
		if time.Now().After(end) {
			return func() {}, nil
		}
		select {
		case <-time.After(lockEvery):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// lockedStill says whether the file that was locked still has its name: the one
// before us removes it as it leaves, and then ours is a lock that nobody else
// will see.
func lockedStill(f *folder.File, path string) bool {
	var mine, there folder.Stat
	return f.Stat(&mine) == nil && folder.LstatPath(path, &there) == nil && mine.Ino == there.Ino
}
