package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/tarball"
)

// deep is a package of 800 files of 2 KB, up to five folders deep.
func deep() map[string]string {
	files := map[string]string{}
	for i := range 40 {
		dir := strings.Join([]string{"dist", "esm", "components", fmt.Sprint("part", i%8), fmt.Sprint("piece", i)}[:1+i%5], "/")
		for j := range 20 {
			files[fmt.Sprintf("%s/module-%d-%d.js", dir, i, j)] = strings.Repeat("x", 2000)
		}
	}
	return files
}

// BenchmarkLend borrows a tree that no project has, looks at its files and links
// them.
func BenchmarkLend(b *testing.B) {
	s, d, v, a := benchStore(b)
	tree, err := s.Unpack(d, v, a)
	if err != nil {
		b.Fatal(err)
	}
	tree.Return()
	work := b.TempDir()
	for b.Loop() {
		tree, err := s.BorrowUnseen(d, v)
		if err != nil {
			b.Fatal(err)
		}
		into := filepath.Join(work, "package")
		if err := os.Mkdir(into, 0o755); err != nil {
			b.Fatal(err)
		}
		dst, err := folder.Open(into)
		if err != nil {
			b.Fatal(err)
		}
		if err := tree.LinkInto(dst); err != nil {
			b.Fatal(err)
		}
		dst.Close()
		tree.Return()
		b.StopTimer()
		os.RemoveAll(into)
		b.StartTimer()
	}
}

// BenchmarkUnpack writes the tree of a tarball that was inflated.
func BenchmarkUnpack(b *testing.B) {
	s, d, v, a := benchStore(b)
	for b.Loop() {
		tree, err := s.Unpack(d, v, a)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		s.removeTree(must(s.trees()), treeName(d, v), "0")
		tree.Return()
		b.StartTimer()
	}
}

func benchStore(b *testing.B) (*Store, Digest, Variant, *tarball.Archive) {
	dir := b.TempDir()
	s := Open(Options{Dir: filepath.Join(dir, "store"), KeyFile: filepath.Join(dir, "state", "key"), Umask: umask()})
	tgz := pack(b, deep())
	a, err := tarball.Read(tgz, tarball.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s, Sum(tgz), s.VariantOf(nil, ""), a
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
