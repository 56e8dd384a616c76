package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sys/unix"
)

// measureFloor does what no installer can leave out, with two threads and
// nothing around it: for a warm install mkdir and linkat of every path of
// tree; for a cold one also reading the tarballs, sha512, inflating, and
// open, write and close of every file.
func measureFloor(tree, scratch string, tarballs []string, runs int) (*floor, error) {
	dirs, files, err := list(tree)
	if err != nil {
		return nil, err
	}
	sizes := make([]int64, len(files))
	for i, name := range files {
		info, err := os.Lstat(filepath.Join(tree, name))
		if err != nil {
			return nil, err
		}
		sizes[i] = info.Size()
	}
	f := &floor{Dirs: len(dirs), Files: len(files), Tarballs: len(tarballs)}
	var warm, write, inflate []time.Duration
	for range runs {
		for _, phase := range []struct {
			into *[]time.Duration
			do   func(string) error
		}{
			{&warm, func(to string) error { return linkAll(tree, to, dirs, files) }},
			{&write, func(to string) error { return writeAll(to, dirs, files, sizes) }},
			{&inflate, func(string) error { return inflateAll(tarballs) }},
		} {
			to := filepath.Join(scratch, "floor")
			if err := os.RemoveAll(to); err != nil {
				return nil, err
			}
			start := time.Now()
			if err := phase.do(to); err != nil {
				return nil, fmt.Errorf("measuring the floor: %w", err)
			}
			*phase.into = append(*phase.into, time.Since(start))
		}
	}
	f.Warm, f.Inflate = middle(warm), middle(inflate)
	f.Write = middle(write)
	f.Cold = f.Inflate + f.Write + f.Warm
	return f, os.RemoveAll(filepath.Join(scratch, "floor"))
}

func middle(d []time.Duration) time.Duration {
	sort.Slice(d, func(i, j int) bool { return d[i] < d[j] })
	return d[len(d)/2]
}

// list names the folders and regular files of tree, folders before what is in them.
func list(tree string) (dirs, files []string, err error) {
	err = filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(tree, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			dirs = append(dirs, rel)
		case d.Type().IsRegular():
			files = append(files, rel)
		}
		return nil
	})
	return dirs, files, err
}

// inTwo runs do on both halves of n at once.
func inTwo(n int, do func(from, to int) error) error {
	var wait sync.WaitGroup
	var errs [2]error
	for i := range 2 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[i] = do(i*n/2, (i+1)*n/2)
		}()
	}
	wait.Wait()
	if errs[0] != nil {
		return errs[0]
	}
	return errs[1]
}

func makeDirs(to string, dirs []string) (int, error) {
	if err := os.Mkdir(to, 0o755); err != nil {
		return -1, err
	}
	fd, err := unix.Open(to, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	for _, d := range dirs {
		if d == "." {
			continue
		}
		if err := unix.Mkdirat(fd, d, 0o755); err != nil {
			return fd, fmt.Errorf("mkdir %s: %w", d, err)
		}
	}
	return fd, nil
}

func linkAll(tree, to string, dirs, files []string) error {
	from, err := unix.Open(tree, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(from)
	fd, err := makeDirs(to, dirs)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return inTwo(len(files), func(a, b int) error {
		for _, name := range files[a:b] {
			if err := unix.Linkat(from, name, fd, name, 0); err != nil {
				return fmt.Errorf("link %s: %w", name, err)
			}
		}
		return nil
	})
}

// writeAll writes files of the right sizes; their bytes are the same zeroes for all.
func writeAll(to string, dirs, files []string, sizes []int64) error {
	var most int64
	for _, n := range sizes {
		most = max(most, n)
	}
	zeroes := make([]byte, most)
	fd, err := makeDirs(to, dirs)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return inTwo(len(files), func(a, b int) error {
		for i := a; i < b; i++ {
			out, err := unix.Openat(fd, files[i], unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o644)
			if err != nil {
				return err
			}
			for rest := zeroes[:sizes[i]]; len(rest) > 0; {
				n, err := unix.Write(out, rest)
				if err != nil {
					return err
				}
				rest = rest[n:]
			}
			if err := unix.Close(out); err != nil {
				return err
			}
		}
		return nil
	})
}

// inflateAll reads, hashes, inflates and walks each tarball in memory.
func inflateAll(tarballs []string) error {
	return inTwo(len(tarballs), func(a, b int) error {
		var z gzip.Reader
		for _, path := range tarballs[a:b] {
			packed, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sha512.Sum512(packed)
			if err := z.Reset(bytes.NewReader(packed)); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			whole := bytes.NewBuffer(make([]byte, 0, min(64<<20, int(binary.LittleEndian.Uint32(packed[len(packed)-4:]))+512)))
			if _, err := io.Copy(whole, &z); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			t := tar.NewReader(bytes.NewReader(whole.Bytes()))
			for {
				if _, err := t.Next(); err == io.EOF {
					break
				} else if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
		}
		return nil
	})
}
