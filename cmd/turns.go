package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/folder"
)

// installing names the folders in which ibid is at work, for the scripts that it
// starts: an install that one of them starts there must not wait for its end.
const installing = "IBID_INSTALLING"

// turn waits until no other ibid changes the project at dir and keeps others
// waiting until done is called: what one saves the next one reads, and half an
// install is not healed away by another. The lock lies beside the store, so
// users with other caches are not kept apart; where there can be none, nobody is.
func (a *App) turn(ctx context.Context, dir string) (done func(), err error) {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	outer := filepath.SplitList(a.Config.Getenv(installing))
	if slices.Contains(outer, dir) {
		return func() {}, nil
	}
	lock, err := a.projectLock(ctx, dir)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		a.log(levelVerbose, "locking the project: "+err.Error())
		return func() {}, nil
	}
	before := a.Environ
	a.Environ = append(slices.Clone(before), installing+"="+strings.Join(append(outer, dir), string(filepath.ListSeparator)))
	return func() {
		a.Environ = before
		lock.Close()
	}, nil
}

// turnEvery is how often a turn is asked for that another has.
const turnEvery = 20 * time.Millisecond

func (a *App) projectLock(ctx context.Context, dir string) (*folder.File, error) {
	locks := a.standingDir()
	if err := os.MkdirAll(locks, 0o755); err != nil {
		return nil, err
	}
	in, err := folder.Open(locks)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	name := standingName([]byte(dir)) + ".lock"
	file, err := in.OpenFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if file, err = in.CreateFile(name); errors.Is(err, fs.ErrExist) {
			file, err = in.OpenFile(name)
		}
	}
	if err != nil {
		return nil, err
	}
	waited := func() {}
	defer func() { waited() }()
	for first := true; ; first = false {
		ok, err := file.TryLock()
		if ok && err == nil {
			return file, nil
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		if first {
			waited = a.progress.await("another install in " + dir)
		}
		select {
		case <-time.After(turnEvery):
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		}
	}
}
