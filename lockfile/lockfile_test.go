package lockfile

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func readMaybeGzip(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(path, ".gz") {
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestConform(t *testing.T) {
	files, _ := filepath.Glob("../../shared/conform/cases/*/project/package-lock.json*")
	more, _ := filepath.Glob("../../shared/bench/package-lock.json")
	files = append(files, more...)
	n := 0
	for _, path := range files {
		data := readMaybeGzip(t, path)
		f, err := Parse(data, path)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if f.LockfileVersion < 3 {
			t.Log(path, f.LockfileVersion)
		}
		n++
		got := f.Encode()
		if !bytes.Equal(got, data) {
			i := 0
			for i < len(got) && i < len(data) && got[i] == data[i] {
				i++
			}
			t.Errorf("%s v%d: differs at %d:\n%s\n----\n%s", path, f.LockfileVersion, i, data[max(0, i-100):min(len(data), i+100)], got[max(0, i-100):min(len(got), i+100)])
		}
	}
	t.Log(n, "locks")
}

func BenchmarkParse(b *testing.B) {
	data := readMaybeGzip(b, "../../shared/bench/package-lock.json")
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data, "package-lock.json"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	data := readMaybeGzip(b, "../../shared/bench/package-lock.json")
	f, err := Parse(data, "package-lock.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		f.Encode()
	}
}
