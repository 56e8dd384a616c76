package registry

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// CheckedDocuments is what VerifyCache found.
type CheckedDocuments struct {
	Documents int
	Bytes     int64
	// Removed are paths that held something else than they should, or could not be
	// read: they are asked for again when needed.
	Removed []string
}

// leftAfter is how old the file must be that a run has not finished writing, to be
// one of a run that was killed.
const leftAfter = time.Hour

// VerifyCache reads every packument in the cache that is in dir (Options.CacheDir)
// to its end, and removes what is not as it was stored. What belongs to another user
// counts for nothing, and stays. The error is ctx's, or that the process or the
// machine has no more to give.
func VerifyCache(ctx context.Context, dir string) (*CheckedDocuments, error) {
	c := &CheckedDocuments{}
	top := filepath.Join(dir, cacheFormat)
	files, _ := filepath.Glob(filepath.Join(top, "*", "*")) // the pattern is none that is wrong
	var buf []byte
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch filepath.Ext(path) {
		case absentSuffix:
			continue
		case ".tmp":
			if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > leftAfter {
				_ = os.Remove(path)
			}
			continue
		}
		name := strings.TrimPrefix(filepath.ToSlash(path[len(top):]), "/")
		var size int64
		var err error
		// Another process may have replaced it meanwhile.
		for range 2 {
			if buf, size, err = verifyEntry(buf, path, name); err == nil {
				break
			}
		}
		switch {
		case err == nil:
			c.Documents++
			c.Bytes += size
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EPERM):
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOMEM):
			return nil, err
		default:
			if os.Remove(path) == nil {
				c.Removed = append(c.Removed, path)
			}
		}
	}
	return c, nil
}

var errNotAsStored = errors.New("not as it was stored")

// verifyEntry reads one entry into buf, which may grow, and gives its size.
// syscall.EPERM is another user's.
func verifyEntry(buf []byte, path, name string) ([]byte, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return buf, 0, err
	}
	if !info.Mode().IsRegular() {
		return buf, 0, errNotAsStored
	}
	f, err := openFile(path)
	if err != nil {
		return buf, 0, err
	}
	defer f.Close()
	size := info.Size()
	if size < int64(beginning) || size > 1<<32 {
		return buf, 0, errNotAsStored
	}
	buf = slices.Grow(buf[:0], int(size))[:size]
	if !readFull(f, buf, 0) || !isWhole(buf, name) {
		return buf, 0, errNotAsStored
	}
	return buf, size, nil
}

// isWhole says whether data is the entry whose path in the cache is name, and every
// part of it is what it was.
func isWhole(data []byte, name string) bool {
	nearAt, end, ok := headSpan(data)
	if !ok || end > len(data) {
		return false
	}
	e := decodeEntry(data[:beginning], data[nearAt:end], nearAt)
	if e == nil || entryName(e.address) != name {
		return false
	}
	fits := func(p part) bool {
		return p.at >= 0 && p.n >= 0 && p.at <= len(data)-p.n && checksum(data[p.at:p.at+p.n]) == p.sum
	}
	if !fits(e.times) || !fits(e.body) {
		return false
	}
	for i := range e.count() {
		if !fits(e.row(i).manifest()) {
			return false
		}
	}
	return true
}
