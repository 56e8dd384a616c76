package store

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ibid-pm/ibid/internal/tarball"
)

type sharing struct {
	*Shared
	t *testing.T
	p *SharedPackage
}

// newSharing has one package, with a program whose first line ends in CR LF.
func newSharing(t *testing.T) *sharing {
	s := newStore(t)
	d, _ := s.put(t, map[string]string{"package.json": `{"name":"a"}`, "lib/index.js": "1", "cli.js": "#!/usr/bin/env node\r\n1\r\n"})
	x := &sharing{Shared: s.Shared(filepath.Join(t.TempDir(), "shared")), t: t}
	t.Cleanup(func() { removeReadOnly(x.dir) })
	x.p = &SharedPackage{ID: SharedID{1}, Name: "@s/a", Label: "@s/a@1.0.0", Digest: d, Bins: []string{"cli.js"}, Links: []SharedLink{
		{"b", DependencyText("b", SharedID{2}, "b")}, {"@s/c", DependencyText("@s/c", SharedID{3}, "c")}, {".bin/a", "../@s/a/cli.js"},
	}}
	return x
}

func (x *sharing) make() {
	x.t.Helper()
	if err := x.try(); err != nil {
		x.t.Fatal(err)
	}
}

func (x *sharing) try() error {
	tgz, err := x.store.Tarball(x.p.Digest)
	if err != nil {
		return err
	}
	a, err := tarball.Read(tgz, tarball.Options{Bins: map[string]bool{"cli.js": true}})
	if err != nil {
		return err
	}
	return x.Make(x.p, a)
}

func (x *sharing) at(rel string) string {
	return filepath.Join(x.Path(x.p.ID), "node_modules", filepath.FromSlash(rel))
}

func TestASharedPackageIsWhatItIsMadeOf(t *testing.T) {
	x := newSharing(t)
	if x.Whole(x.p.ID) {
		t.Fatal("whole before it was made")
	}
	x.make()
	if !x.Whole(x.p.ID) {
		t.Fatal("not whole")
	}
	if b, err := os.ReadFile(x.at("@s/a/cli.js")); err != nil || string(b) != "#!/usr/bin/env node\n1\r\n" {
		t.Errorf("%q, %v", b, err)
	}
	for rel, want := range map[string]os.FileMode{"@s/a/cli.js": 0o555, "@s/a/lib/index.js": 0o444, "@s/a/lib": os.ModeDir | 0o555, ".bin": os.ModeDir | 0o555, ".": os.ModeDir | 0o555} {
		st, err := os.Lstat(x.at(rel))
		if err != nil || st.Mode() != want&^x.store.umask {
			t.Errorf("%s: %v, %v", rel, st.Mode(), err)
		}
	}
	for rel, want := range map[string]string{
		"b": "../../" + SharedID{2}.String() + "/node_modules/b", "@s/c": "../../../" + SharedID{3}.String() + "/node_modules/c", ".bin/a": "../@s/a/cli.js",
	} {
		if got, err := os.Readlink(x.at(rel)); err != nil || got != filepath.FromSlash(want) {
			t.Errorf("%s: %q, %v", rel, got, err)
		}
	}
}

// Whatever is done to it is seen, by whoever may do it, and made good in one step.
func TestASharedPackageThatWasTouchedIsMadeAgain(t *testing.T) {
	mtime := func(t *testing.T, file string, do func()) {
		st, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		do()
		if err := os.Chtimes(file, st.ModTime(), st.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	writable := func(path string) { os.Chmod(path, 0o755) }
	for name, touch := range map[string]func(x *sharing){
		"an edit that keeps size and time": func(x *sharing) {
			f := x.at("@s/a/lib/index.js")
			mtime(x.t, f, func() { writable(f); os.WriteFile(f, []byte("2"), 0o644); os.Chmod(f, 0o444) })
		},
		"a file replaced": func(x *sharing) {
			f := x.at("@s/a/lib/index.js")
			writable(filepath.Dir(f))
			os.WriteFile(f+".new", []byte("1"), 0o444)
			os.Rename(f+".new", f)
			os.Chmod(filepath.Dir(f), 0o555)
		},
		"a file added": func(x *sharing) {
			writable(x.at("@s/a/lib"))
			os.WriteFile(x.at("@s/a/lib/new.js"), nil, 0o444)
		},
		"a file removed":    func(x *sharing) { writable(x.at("@s/a/lib")); os.Remove(x.at("@s/a/lib/index.js")) },
		"a link turned":     func(x *sharing) { writable(x.at(".")); os.Remove(x.at("b")); os.Symlink("elsewhere", x.at("b")) },
		"a folder shadowed": func(x *sharing) { writable(x.at("@s/a")); os.Mkdir(x.at("@s/a/node_modules"), 0o755) },
		"a mode":            func(x *sharing) { os.Chmod(x.at("@s/a/cli.js"), 0o444) },
		"no seal":           func(x *sharing) { os.Remove(filepath.Join(x.Path(x.p.ID), "seal")) },
		"half a seal":       func(x *sharing) { os.Truncate(filepath.Join(x.Path(x.p.ID), "seal"), 200) },
		"another's seal": func(x *sharing) {
			x.p.ID, x.p.Label = SharedID{9}, "other"
			x.make()
			x.swapSeals(SharedID{9}, SharedID{1})
			x.p.ID = SharedID{1}
		},
		"nothing but a folder": func(x *sharing) { removeReadOnly(x.Path(x.p.ID)); os.MkdirAll(x.at("@s/a"), 0o755) },
	} {
		t.Run(name, func(t *testing.T) {
			x := newSharing(t)
			x.make()
			touch(x)
			if x.Whole(x.p.ID) {
				t.Fatal("not seen")
			}
			x.make()
			if !x.Whole(x.p.ID) {
				t.Fatal("not made again")
			}
			if b, err := os.ReadFile(x.at("@s/a/lib/index.js")); err != nil || string(b) != "1" {
				t.Errorf("%q, %v", b, err)
			}
			if _, left, err := x.names(); err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

// swapSeals puts a copy of one package's seal in the place of another's.
func (x *sharing) swapSeals(from, to SharedID) {
	b, err := os.ReadFile(filepath.Join(x.Path(from), "seal"))
	if err == nil {
		err = os.WriteFile(filepath.Join(x.Path(to), "seal"), b, 0o644)
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

func TestVerifyMendsSharedPackages(t *testing.T) {
	x := newSharing(t)
	x.make()
	if c, err := x.Verify(t.Context()); err != nil || c.Packages != 1 || len(c.Mended)+len(c.Removed) > 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	os.Chmod(x.at("@s/a/cli.js"), 0o777)
	c, err := x.Verify(t.Context())
	if err != nil || strings.Join(c.Mended, " ") != "@s/a@1.0.0" || !x.Whole(x.p.ID) {
		t.Fatalf("%+v, %v", c, err)
	}
	// Without its tarball, what was touched cannot be kept.
	os.Chmod(x.at("@s/a/cli.js"), 0o777)
	os.Remove(x.store.tarballPath(x.p.Digest))
	c, err = x.Verify(t.Context())
	if err != nil || len(c.Removed) != 1 || x.Whole(x.p.ID) {
		t.Fatalf("%+v, %v", c, err)
	}
}

// A run that was killed while it made a package leaves nothing that counts.
func TestAKilledRunLeavesNoSharedPackage(t *testing.T) {
	x := newSharing(t)
	x.make()
	// What a run has before its last step, the renaming.
	if err := os.Rename(x.Path(x.p.ID), filepath.Join(x.dir, aside+"0123456789abcdef")); err != nil {
		t.Fatal(err)
	}
	if x.Whole(x.p.ID) {
		t.Fatal("whole without a name")
	}
	if held, err := x.List(); err != nil || len(held) != 0 {
		t.Fatalf("%v, %v", held, err)
	}
	x.make()
	if !x.Whole(x.p.ID) {
		t.Fatal("cannot be made any more")
	}
	if _, err := x.Clean(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(x.dir); len(entries) != 1 || entries[0].Name() != "lock" {
		t.Errorf("left: %v", entries)
	}
}

func TestManyMakeOneSharedPackage(t *testing.T) {
	x := newSharing(t)
	var group sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		group.Go(func() { errs[i] = x.try() })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if _, left, err := x.names(); err != nil || len(left) > 0 || !x.Whole(x.p.ID) {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestWhatIsInUseIsNotCleaned(t *testing.T) {
	x := newSharing(t)
	x.make()
	used := x.p.ID
	x.p.ID = SharedID{7}
	x.make()
	project := t.TempDir()
	release, err := x.Use(project)
	if err != nil {
		t.Fatal(err)
	}
	cleaned := make(chan error)
	go func() {
		_, err := x.Clean()
		cleaned <- err
	}()
	// Clean waits, so the link that an install makes last is seen.
	link := filepath.Join(project, "node_modules", ".store", "@s", "a@1.0.0-key")
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(x.Path(used), link); err != nil {
		t.Fatal(err)
	}
	release()
	if err := <-cleaned; err != nil {
		t.Fatal(err)
	}
	if !x.Whole(used) || x.Whole(SharedID{7}) {
		t.Errorf("used: %v, unused: %v", x.Whole(used), x.Whole(SharedID{7}))
	}
	if held, err := x.List(); err != nil || len(held) != 1 || held[0].Used != 1 || held[0].Label != "@s/a@1.0.0" {
		t.Errorf("%+v, %v", held, err)
	}
	os.RemoveAll(filepath.Join(project, "node_modules"))
	if c, err := x.Clean(); err != nil || c.Removed != 1 || c.Kept != 0 || len(c.Projects) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// A store that was copied, or restored from an archive, has no whole package.
func TestACopyOfASharedPackageIsNone(t *testing.T) {
	x := newSharing(t)
	x.make()
	copied := filepath.Join(x.dir, "copy")
	if err := os.CopyFS(copied, os.DirFS(x.Path(x.p.ID))); err != nil {
		t.Skip(err) // links are not copied by every version of Go
	}
	removeReadOnly(x.Path(x.p.ID))
	if err := os.Rename(copied, x.Path(x.p.ID)); err != nil {
		t.Fatal(err)
	}
	if x.Whole(x.p.ID) {
		t.Error("the copy counts")
	}
}

func FuzzSharedSeal(f *testing.F) {
	s := &sharedSeal{id: SharedID{1}, name: "a", label: "a@1", links: []SharedLink{{"b", "../b"}}, bins: []string{"x"}, marks: []sharedMark{{path: "node_modules", mode: os.ModeDir | 0o555}, {path: "node_modules/a/x", size: 3, mode: 0o444, ino: 7, ctime: 9}}}
	f.Add(string(s.encode()))
	f.Fuzz(func(t *testing.T, data string) {
		s, err := decodeShared(data)
		if err != nil {
			return
		}
		again, err := decodeShared(string(s.encode()))
		if err != nil || string(again.encode()) != string(s.encode()) {
			t.Errorf("%v", err)
		}
	})
}

func BenchmarkSharedWhole(b *testing.B) {
	var t testing.T
	s := Open(Options{Dir: filepath.Join(b.TempDir(), "store"), KeyFile: filepath.Join(b.TempDir(), "key")})
	files := map[string]string{}
	for i := range 31 { // as the average package has
		files["lib/file"+strings.Repeat("x", i)+".js"] = "1"
	}
	tgz := pack(&t, files)
	a, err := tarball.Read(tgz, tarball.Options{})
	if err != nil {
		b.Fatal(err)
	}
	x := s.Shared(b.TempDir())
	p := &SharedPackage{ID: SharedID{1}, Name: "a", Digest: Sum(tgz)}
	if err := x.Make(p, a); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !x.Whole(p.ID) {
			b.Fatal(context.Canceled)
		}
	}
	removeReadOnly(x.dir)
}
