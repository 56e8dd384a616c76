package tarball_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/tarball"
)

// gzipInputs are data that take every turn in the compressor.
func gzipInputs() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(n, letters int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.IntN(letters))
		}
		return b
	}
	words := strings.Fields("function return const require module exports = ( ) { } ; , . 'use strict' undefined this.options null 0 1 => await")
	prose := func(n int) []byte {
		var b bytes.Buffer
		for b.Len() < n {
			b.WriteString(words[int(r.ExpFloat64()*5)%len(words)])
			b.WriteString([]string{" ", "\n", "\n  ", "_", ""}[r.IntN(5)])
			if r.IntN(20) == 0 {
				fmt.Fprintf(&b, "v%d", r.IntN(1000))
			}
		}
		return b.Bytes()[:n]
	}
	in := map[string][]byte{
		"nothing":              nil,
		"one byte":             []byte("a"),
		"two bytes":            []byte("ab"),
		"four equal bytes":     []byte("aaaa"),
		"a megabyte of zeros":  make([]byte, 1<<20),
		"noise":                noise(300_000, 256),
		"noise of two letters": noise(60_000, 2),
		"noise of six letters": noise(300_000, 6),
		"prose":                prose(400_000),
		"noise, then prose":    append(noise(100_000, 256), prose(100_000)...),
		"prose, then zeros":    append(prose(50_000), make([]byte, 50_000)...),
		"all bytes in order": bytes.Repeat(func() (b []byte) {
			for i := range 256 {
				b = append(b, byte(i))
			}
			return b
		}(), 500),
		"Fibonacci frequencies": func() (b []byte) {
			// The longest codes that trees can have, and longer.
			for i, f, g := 0, 1, 1; i < 22; i, f, g = i+1, g, f+g {
				b = append(b, bytes.Repeat([]byte{byte(i * 11)}, f)...)
			}
			r.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
			return b
		}(),
	}
	p := prose(140_000)
	for _, n := range []int{1000, 16_383, 32_768, 65_274, 65_275, 65_536, 65_537, 98_042, 98_043, 131_072} {
		in[fmt.Sprintf("prose of %d bytes", n)] = p[:n]
	}
	for n := range 12 {
		in[fmt.Sprintf("prose and %d zeros", n)] = append(p[:98_000+n*77:98_000+n*77], make([]byte, n)...)
	}
	return in
}

func TestGzipIsNode(t *testing.T) {
	in := gzipInputs()
	if *record != "" {
		dir := t.TempDir()
		for name, data := range in {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command("node", "testdata/gzip.cjs", dir).Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("testdata/gzip.json", out, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile("testdata/gzip.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ SHA256 map[string]string }
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for name, data := range in {
		t.Run(name, func(t *testing.T) {
			got := tarball.Gzip(data)
			if back, err := tarball.Inflate(got, tarball.Limits{Ratio: 2000}, nil); err != nil || !bytes.Equal(back, data) {
				t.Fatalf("doesn't inflate to what it was: %v", err)
			}
			if sum := fmt.Sprintf("%x", sha256.Sum256(got)); sum != want.SHA256[name] {
				t.Error("differs from what Node's zlib writes")
			}
		})
	}
}

func FuzzGzip(f *testing.F) {
	for _, data := range gzipInputs() {
		if len(data) < 70_000 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		back, err := tarball.Inflate(tarball.Gzip(data), tarball.Limits{Ratio: 2000}, nil)
		if err != nil || !bytes.Equal(back, data) {
			t.Fatalf("doesn't inflate to what it was: %v", err)
		}
	})
}
