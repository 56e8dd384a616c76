package tarball_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/tarball"
)

// FuzzRead gives rubbish to Read. Whatever it accepts must be safe to write:
// local paths, each once, no file where a folder is, contents within the data.
func FuzzRead(f *testing.F) {
	for _, a := range archives() {
		if len(a.tgz) < 1<<16 {
			f.Add(a.tgz, byte(0))
			f.Add(a.tgz, byte(2))
			if tar, err := tarball.Inflate(a.tgz, tarball.Limits{}, nil); err == nil && len(tar) < 1<<16 {
				f.Add(tar, byte(1))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, flavour byte) {
		o := tarball.Options{
			Flavour: tarball.Flavour(flavour % 4),
			Limits:  tarball.Limits{Bytes: 8 << 20},
		}
		a, err := tarball.Read(data, o)
		if err != nil {
			var e *tarball.Error
			if !errors.As(err, &e) || e.Code() == "" {
				t.Fatalf("%v is no *Error with a code", err)
			}
			printable(t, err.Error())
			return
		}
		dirs := map[string]bool{"": true}
		for i, d := range a.Dirs {
			local(t, d)
			if i > 0 && a.Dirs[i-1] >= d {
				t.Fatalf("folder %q after %q", d, a.Dirs[i-1])
			}
			if parent := filepath.ToSlash(filepath.Dir(d)); parent != "." && !dirs[parent] {
				t.Fatalf("folder %q comes before its parent", d)
			}
			dirs[d] = true
		}
		seen := map[string]bool{}
		for _, e := range a.Files {
			local(t, e.Path)
			if seen[e.Path] || dirs[e.Path] {
				t.Fatalf("%q is there twice", e.Path)
			}
			seen[e.Path] = true
			if i := strings.LastIndexByte(e.Path, '/'); i >= 0 && !dirs[e.Path[:i]] {
				t.Fatalf("%q has no folder", e.Path)
			}
			if e.Mode&^0o777 != 0 || e.Mode&0o600 != 0o600 {
				t.Fatalf("%q has mode %o", e.Path, e.Mode)
			}
			if len(a.Content(e)) != int(e.Size) {
				t.Fatalf("%q isn't inside the data", e.Path)
			}
		}
		for _, w := range a.Warnings {
			printable(t, w.String())
		}
	})
}

func local(t *testing.T, path string) {
	if !filepath.IsLocal(path) || filepath.ToSlash(filepath.Clean(path)) != path || strings.Contains(path, "\x00") {
		t.Fatalf("%q is not a clean path inside", path)
	}
}

func printable(t *testing.T, s string) {
	for _, r := range s {
		if r < ' ' && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u202e' {
			t.Fatalf("message %q could control a terminal", s)
		}
	}
}

// FuzzInflate compares with the standard library.
func FuzzInflate(f *testing.F) {
	for _, a := range archives() {
		if len(a.tgz) < 1<<16 {
			f.Add(a.tgz)
		}
	}
	var buf tarball.Buffer
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 || data[0] != 0x1f || data[1] != 0x8b {
			return
		}
		got, err := tarball.Inflate(data, tarball.Limits{Bytes: 8 << 20}, &buf)
		want, werr := reference(data)
		if len(want) > 4<<20 {
			return
		}
		if (err == nil) != (werr == nil) {
			t.Fatalf("error %v, the standard library has %v", err, werr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatal("content differs from the standard library's")
		}
	})
}

func reference(data []byte) ([]byte, error) {
	var out bytes.Buffer
	in := bytes.NewReader(data)
	r, err := gzip.NewReader(in)
	for {
		if err != nil {
			return nil, err
		}
		if data[3]&0xe0 != 0 {
			return nil, errors.New("unknown flags")
		}
		r.Multistream(false)
		if _, err := io.Copy(&out, io.LimitReader(r, 8<<20+1)); err != nil {
			return nil, err
		}
		if out.Len() > 8<<20 {
			return out.Bytes(), nil
		}
		data = data[len(data)-in.Len():]
		if len(data) == 0 || data[0] == 0 {
			return out.Bytes(), nil
		}
		if len(data) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		err = r.Reset(in)
	}
}
