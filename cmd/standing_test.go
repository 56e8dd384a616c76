package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ibid-pm/ibid/cmd/again"
	"github.com/ibid-pm/ibid/lockfile"
)

// A standing lies in the cache, where anything may become of it.
func FuzzStanding(f *testing.F) {
	dir, cache := f.TempDir(), f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o600); err != nil {
		f.Fatal(err)
	}
	in := func(dir string) *standing {
		return &standing{dir: dir, file: filepath.Join(cache, "standing"), key: "key"}
	}
	s := in(dir)
	s.said = []string{"a\nb"}
	if err := s.note(nil); err != nil {
		f.Fatal(err)
	}
	if err := s.keep(&lockfile.Lockfile{}, func(string) bool { return false }); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(s.file)
	if err != nil {
		f.Fatal(err)
	}
	if s := in(dir); !s.holds() || len(s.said) != 1 {
		f.Fatalf("%s: does not hold", whole)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(standingMagic + "\n" + dir + "\nkey\n9 9 9\n"))
	f.Add([]byte(standingMagic + "\n" + dir + "\nkey\n0 0 0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(s.file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if s := in(dir); s.holds() && len(s.marks) == 0 {
			t.Error("it holds of nothing")
		}
		file := filepath.Join(cache, "verdict")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		readVerdict(file, `"key"`, []again.Mark{{Path: "package.json", Ino: 1}})
	})
}
