package cmd

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/cmd/again"
	"github.com/ibid-pm/ibid/internal/manifest"
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

// What has no mark of its own, links and a .bin that was not there, is told by the
// folder that it is in.
func TestStandingSeesWhatHasNoMark(t *testing.T) {
	for what, change := range map[string]func(modules string) error{
		"a link is another one": func(modules string) error {
			link := filepath.Join(modules, "@s", "w")
			if err := os.Remove(link); err != nil {
				return err
			}
			return os.Symlink("../../v", link)
		},
		"a link is gone": func(modules string) error { return os.Remove(filepath.Join(modules, "@s", "w")) },
		"a .bin is there": func(modules string) error {
			return os.Mkdir(filepath.Join(modules, "a", "node_modules", ".bin"), 0o755)
		},
		"a bin is there": func(modules string) error { return os.WriteFile(filepath.Join(modules, ".bin", "x"), nil, 0o755) },
	} {
		t.Run(what, func(t *testing.T) {
			s := &standing{dir: t.TempDir(), key: "key"}
			s.file = filepath.Join(t.TempDir(), "standing")
			modules := filepath.Join(s.dir, "node_modules")
			for _, dir := range []string{"@s", "a/node_modules/b", ".bin"} {
				if err := os.MkdirAll(filepath.Join(modules, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Symlink("../../w", filepath.Join(modules, "@s", "w")); err != nil {
				t.Fatal(err)
			}
			installed := &lockfile.Lockfile{Packages: []*lockfile.Package{
				{Location: "node_modules/@s/w", Link: true, Resolved: "w"},
				{Location: "node_modules/a"},
				{Location: "node_modules/a/node_modules/b", Meta: &manifest.Manifest{Bin: []manifest.Bin{{Name: "b", Path: "b.js"}}}},
			}}
			// The clock may not have moved on when the change comes.
			for _, dir := range []string{".", "@s", ".bin", "a", "a/node_modules", "a/node_modules/b"} {
				if err := os.Chtimes(filepath.Join(modules, dir), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.note(nil); err != nil {
				t.Fatal(err)
			}
			if err := s.keep(installed, func(string) bool { return false }); err != nil {
				t.Fatal(err)
			}
			again := &standing{dir: s.dir, file: s.file, key: s.key}
			if !again.holds() {
				t.Fatal("it does not hold")
			}
			if err := change(modules); err != nil {
				t.Fatal(err)
			}
			if again.holds() {
				t.Error("it holds")
			}
		})
	}
}
