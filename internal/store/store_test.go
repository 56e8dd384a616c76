package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/tarball"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	dir := t.TempDir()
	return Open(Options{Dir: filepath.Join(dir, "store"), KeyFile: filepath.Join(dir, "state", "key"), Umask: umask()})
}

func pack(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w.WriteHeader(&tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg})
		w.Write([]byte(files[name]))
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func (s *Store) put(t *testing.T, files map[string]string) (Digest, []byte) {
	t.Helper()
	tgz := pack(t, files)
	d := Sum(tgz)
	if err := s.PutTarball(d, tgz); err != nil {
		t.Fatal(err)
	}
	return d, tgz
}

// install borrows or unpacks a tree and links it into a new folder.
func (s *Store) install(t *testing.T, d Digest, into string) (unpacked bool) {
	t.Helper()
	unpacked, err := s.installBorrowed(t, d, into, s.Borrow)
	if err != nil {
		t.Fatal(err)
	}
	return unpacked
}

// installUnseen is install with a tree whose files are looked at as they are linked.
func (s *Store) installUnseen(t *testing.T, d Digest, into string) (unpacked bool) {
	t.Helper()
	unpacked, err := s.installBorrowed(t, d, into, s.BorrowUnseen)
	if !errors.Is(err, ErrTurned) {
		if err != nil {
			t.Fatal(err)
		}
		return unpacked
	}
	if entries, err := os.ReadDir(into); err != nil || len(entries) > 0 {
		t.Errorf("a tree that was not to be used left %v (%v)", entries, err)
	}
	return s.install(t, d, into)
}

func (s *Store) installBorrowed(t *testing.T, d Digest, into string, borrow func(Digest, Variant) (*Tree, error)) (unpacked bool, err error) {
	t.Helper()
	v := s.VariantOf(nil, "")
	tree, err := borrow(d, v)
	if errors.Is(err, ErrMissing) {
		unpacked = true
		tgz, terr := s.Tarball(d)
		if terr != nil {
			t.Fatal(terr)
		}
		a, rerr := tarball.Read(tgz, tarball.Options{})
		if rerr != nil {
			t.Fatal(rerr)
		}
		tree, err = s.Unpack(d, v, a)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Return()
	if err := os.MkdirAll(into, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := folder.Open(into)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return unpacked, tree.LinkInto(f)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// treeFile finds a file of an unpacked tree in the store: of the last one.
func (s *Store) treeFile(t *testing.T, path string) string {
	t.Helper()
	found := ""
	err := s.eachTree(func(name string, seals []string) error {
		for _, n := range seals {
			dir := filepath.Join(s.Dir(), "trees", name)
			data, err := os.ReadFile(filepath.Join(dir, n+".seal"))
			if err != nil {
				return err
			}
			se, err := decodeSeal(string(data[:len(data)-sha256.Size]))
			if err != nil {
				return err
			}
			for i, f := range se.files {
				if f.path == path {
					found = filepath.Join(dir, se.dir, strconv.Itoa(i))
				}
			}
		}
		return nil
	})
	if err != nil || found == "" {
		t.Fatalf("no %s among the trees: %v", path, err)
	}
	return found
}

// paused says whether the machine did something else for so long while the files of
// a tree were linked or removed that it looks as if one of them had been touched.
func (s *Store) paused(t *testing.T, files []string) bool {
	t.Helper()
	first, last := int64(1<<63-1), int64(0)
	for _, name := range files {
		var st folder.Stat
		if err := folder.LstatPath(s.treeFile(t, name), &st); err != nil {
			t.Fatal(err)
		}
		first, last = min(first, st.Ctime), max(last, st.Ctime)
	}
	return last-first > together(len(files))
}

func TestATreeIsUsedAgainOnceItsProjectGaveItUp(t *testing.T) {
	s, work := newStore(t), t.TempDir()
	d, _ := s.put(t, map[string]string{"index.js": "1", "lib/a.js": "2"})
	if !s.install(t, d, filepath.Join(work, "one")) {
		t.Error("the first install found a tree")
	}
	os.RemoveAll(filepath.Join(work, "one"))
	for s.paused(t, []string{"index.js", "lib/a.js"}) {
		s.install(t, d, filepath.Join(work, "one"))
		os.RemoveAll(filepath.Join(work, "one"))
	}
	if s.install(t, d, filepath.Join(work, "one")) {
		t.Error("the second install unpacked again")
	}
	if got := read(t, filepath.Join(work, "one", "lib", "a.js")); got != "2" {
		t.Errorf("lib/a.js is %q", got)
	}
}

func TestAnEditInOneProjectDoesNotReachAnother(t *testing.T) {
	s, work := newStore(t), t.TempDir()
	d, _ := s.put(t, map[string]string{"index.js": "1"})
	one, two := filepath.Join(work, "one"), filepath.Join(work, "two")
	s.install(t, d, one)
	s.install(t, d, two)
	if err := os.WriteFile(filepath.Join(one, "index.js"), []byte("edited"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := read(t, filepath.Join(two, "index.js")); got != "1" {
		t.Errorf("the other project has %q", got)
	}
	os.RemoveAll(one)
	three := filepath.Join(work, "three")
	s.install(t, d, three)
	if got := read(t, filepath.Join(three, "index.js")); got != "1" {
		t.Errorf("a later project has %q", got)
	}
}

func TestATreeThatWasTouchedIsMadeAgain(t *testing.T) {
	keepTimes := func(t *testing.T, path string, change func()) {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		change()
		os.Chtimes(path, st.ModTime(), st.ModTime())
	}
	for name, touch := range map[string]func(t *testing.T, path string){
		"written to": func(t *testing.T, path string) {
			os.WriteFile(path, []byte("tampered"), 0o644)
		},
		"written to, size and time as before": func(t *testing.T, path string) {
			time.Sleep(2 * togetherAtLeast) // the time that passes between a project's end and the deed
			keepTimes(t, path, func() {
				f, _ := os.OpenFile(path, os.O_WRONLY, 0)
				f.WriteString("X")
				f.Close()
			})
		},
		"replaced, size and time as before": func(t *testing.T, path string) {
			time.Sleep(2 * folder.ClockSlack)
			keepTimes(t, path, func() {
				os.Remove(path)
				os.WriteFile(path, []byte("X"), 0o644)
			})
		},
		"removed":         func(t *testing.T, path string) { os.Remove(path) },
		"made executable": func(t *testing.T, path string) { os.Chmod(path, 0o755) },
		"its seal replaced by a copy": func(t *testing.T, path string) {
			seal := filepath.Join(filepath.Dir(filepath.Dir(path)), "0.seal")
			b, _ := os.ReadFile(seal)
			os.Remove(seal)
			os.WriteFile(seal, b, 0o644)
			os.WriteFile(path, []byte("X"), 0o644)
		},
		"its seal changed": func(t *testing.T, path string) {
			seal := filepath.Join(filepath.Dir(filepath.Dir(path)), "0.seal")
			b, _ := os.ReadFile(seal)
			b[len(b)/2] ^= 1
			os.WriteFile(seal, b, 0o644)
		},
		"its seal cut short": func(t *testing.T, path string) {
			os.Truncate(filepath.Join(filepath.Dir(filepath.Dir(path)), "0.seal"), 20)
		},
	} {
		for _, file := range []string{"index.js", "other.js"} { // one of them is the first
			for how, install := range map[string]func(*Store, *testing.T, Digest, string) bool{"": (*Store).install, " unseen": (*Store).installUnseen} {
				t.Run(name+" "+file+how, func(t *testing.T) {
					s, work := newStore(t), t.TempDir()
					d, _ := s.put(t, map[string]string{"index.js": "1", "other.js": "1"})
					s.install(t, d, filepath.Join(work, "one"))
					os.RemoveAll(filepath.Join(work, "one"))
					touch(t, s.treeFile(t, file))
					two := filepath.Join(work, "two")
					if !install(s, t, d, two) {
						t.Error("the tree was used as it was")
					}
					if got := read(t, filepath.Join(two, file)); got != "1" {
						t.Errorf("%s is %q", file, got)
					}
					if st, _ := os.Stat(filepath.Join(two, file)); st.Mode().Perm() != 0o644&^s.umask {
						t.Errorf("%s has mode %o", file, st.Mode().Perm())
					}
				})
			}
		}
	}
}

// Another version of ibid named a tree's files in another way.
func TestATreeWithASealOfAnotherVersionIsMadeAgain(t *testing.T) {
	s, work := newStore(t), t.TempDir()
	d, _ := s.put(t, map[string]string{"index.js": "1"})
	s.install(t, d, filepath.Join(work, "one"))
	os.RemoveAll(filepath.Join(work, "one"))
	old := s.treeFile(t, "index.js")
	path := filepath.Join(filepath.Dir(filepath.Dir(old)), "0.seal")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	body := data[:len(data)-sha256.Size]
	body[len(sealMagic)]--
	mac, err := s.mac(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(body, mac[:]...), 0o644); err != nil {
		t.Fatal(err)
	}
	if !s.install(t, d, filepath.Join(work, "two")) {
		t.Error("the tree was used")
	}
	if _, err := os.Lstat(filepath.Dir(old)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its folder is still there: %v", err)
	}
}

// What is in the way of a file gives way, whichever of two comes to it.
func TestAFileThatIsThereGivesWay(t *testing.T) {
	s, work := newStore(t), t.TempDir()
	files := map[string]string{}
	for i := range putTogether + putAtOnce {
		files[fmt.Sprintf("lib/%04d.js", i)] = strconv.Itoa(i)
	}
	d, _ := s.put(t, files)
	one := filepath.Join(work, "one")
	os.MkdirAll(filepath.Join(one, "lib"), 0o755)
	for _, name := range []string{"lib/0001.js", fmt.Sprintf("lib/%04d.js", len(files)-2)} {
		if err := os.WriteFile(filepath.Join(one, name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.install(t, d, one)
	for name, content := range files {
		if got := read(t, filepath.Join(one, name)); got != content {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// A tree of which a project has a file is that project's, whichever file it is.
func TestATreeOnLoanInPartIsNotUsed(t *testing.T) {
	for _, file := range []string{"index.js", "other.js"} {
		s, work := newStore(t), t.TempDir()
		d, _ := s.put(t, map[string]string{"index.js": "1", "other.js": "1"})
		s.install(t, d, filepath.Join(work, "one"))
		os.RemoveAll(filepath.Join(work, "one"))
		kept := filepath.Join(work, "kept.js")
		if err := os.Link(s.treeFile(t, file), kept); err != nil {
			t.Fatal(err)
		}
		if !s.installUnseen(t, d, filepath.Join(work, "two")) {
			t.Errorf("%s: the tree was used for two", file)
		}
		if err := os.WriteFile(kept, []byte("edited"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := read(t, filepath.Join(work, "two", file)); got != "1" {
			t.Errorf("%s of the second project is %q", file, got)
		}
	}
}

// The files of a large package come from both of its ends.
func TestALargeTreeThatWasTouchedIsTakenBackAsAWhole(t *testing.T) {
	files := map[string]string{}
	for i := range putTogether + 3*putAtOnce/2 {
		files[fmt.Sprintf("%04d.js", i)] = strconv.Itoa(i)
	}
	for _, victim := range []int{1, putAtOnce + 1, len(files) / 2, len(files) - putAtOnce - 2, len(files) - 1} {
		t.Run(strconv.Itoa(victim), func(t *testing.T) {
			s, work := newStore(t), t.TempDir()
			d, _ := s.put(t, files)
			one, two := filepath.Join(work, "one"), filepath.Join(work, "two")
			s.install(t, d, one)
			os.RemoveAll(one)
			name := fmt.Sprintf("%04d.js", victim)
			if err := os.WriteFile(s.treeFile(t, name), []byte("tampered"), 0o644); err != nil {
				t.Fatal(err)
			}
			if !s.installUnseen(t, d, two) {
				t.Error("the tree was used as it was")
			}
			for name, content := range files {
				if got := read(t, filepath.Join(two, name)); got != content {
					t.Errorf("%s is %q", name, got)
				}
			}
		})
	}
}

// An inode may have changed apart from those that the other half looks at only.
func TestHalvesCompareWhatTheyHaveSeen(t *testing.T) {
	at := func(first, last int64) *putter {
		return &putter{done: 1, look: look{first: first, last: last, apart: 10}}
	}
	tree := &Tree{unseen: true}
	for _, c := range []struct {
		a, b *putter
		ok   bool
	}{
		{at(0, 5), at(5, 10), true},
		{at(0, 5), at(6, 11), false},
		{at(6, 11), at(0, 5), false},
	} {
		if err := tree.doubts(c.a, c.b); (err == nil) != c.ok {
			t.Errorf("%+v and %+v: %v", c.a.look, c.b.look, err)
		}
	}
}

func TestADamagedTarballIsNotedAndGone(t *testing.T) {
	s := newStore(t)
	d, _ := s.put(t, map[string]string{"index.js": "1"})
	path := s.tarballPath(d)
	b, _ := os.ReadFile(path)
	b[len(b)-1] ^= 1
	os.WriteFile(path, b, 0o644)
	var wrong *IntegrityError
	if _, err := s.Tarball(d); !errors.As(err, &wrong) {
		t.Errorf("reading it: %v", err)
	}
	if _, err := s.Tarball(d); !errors.Is(err, ErrMissing) {
		t.Errorf("reading it again: %v", err)
	}
}

func TestARefOfAnotherUserCountsAsMissing(t *testing.T) {
	dir := t.TempDir()
	open := func(key string) *Store {
		return Open(Options{Dir: filepath.Join(dir, "store"), KeyFile: filepath.Join(dir, key)})
	}
	mine, theirs := open("mine"), open("theirs")
	if err := theirs.PutRef("sha1-x", Digest{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := mine.Ref("sha1-x"); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
	if d, err := theirs.Ref("sha1-x"); err != nil || d != (Digest{1}) {
		t.Errorf("its own user got %v, %v", d, err)
	}
}

func TestVerifyReadsEveryByte(t *testing.T) {
	s, work := newStore(t), t.TempDir()
	d, _ := s.put(t, map[string]string{"index.js": "1", ".gitignore": "x"})
	s.install(t, d, filepath.Join(work, "one"))
	c, err := s.Verify(t.Context())
	if err != nil || c.Tarballs != 1 || c.OnLoan != 1 || len(c.Removed) != 0 {
		t.Fatalf("on loan: %+v, %v", c, err)
	}
	os.RemoveAll(filepath.Join(work, "one"))
	if c, err = s.Verify(t.Context()); err != nil || c.Trees != 1 || len(c.Removed) != 0 {
		t.Fatalf("unharmed: %+v, %v", c, err)
	}
	// A change that no time tells of: the content is compared as well.
	path := s.treeFile(t, "index.js")
	st, _ := os.Stat(path)
	f, _ := os.OpenFile(path, os.O_WRONLY, 0)
	f.WriteString("X")
	f.Close()
	os.Chtimes(path, st.ModTime(), st.ModTime())
	if c, err = s.Verify(t.Context()); err != nil || len(c.Removed) != 1 {
		t.Fatalf("tampered: %+v, %v", c, err)
	}
	if !s.install(t, d, filepath.Join(work, "two")) {
		t.Error("the tampered tree is still there")
	}
	// What a project wrote to is no damage: the tree is unpacked anew when it is needed.
	os.WriteFile(s.treeFile(t, "index.js"), []byte("22"), 0o644)
	os.RemoveAll(filepath.Join(work, "two"))
	if c, err = s.Verify(t.Context()); err != nil || c.Doubted != 1 || len(c.Removed) != 0 {
		t.Fatalf("written to: %+v, %v", c, err)
	}
}

// What the system cannot tell of a tree is no reason to remove it.
func TestATreeThatCannotBeReadIsNotSpoilt(t *testing.T) {
	for _, c := range []struct {
		name      string
		err, want error
	}{
		{"a file is not there", fs.ErrNotExist, errSpoilt},
		{"a file in the place of a folder", folder.ErrNotFolder, errSpoilt},
		{"a seal that was cut short", io.ErrUnexpectedEOF, errSpoilt},
		{"too many open files", syscall.EMFILE, syscall.EMFILE},
		{"too many in the whole system", syscall.ENFILE, syscall.ENFILE},
		{"no memory", syscall.ENOMEM, syscall.ENOMEM},
		{"no permission", fs.ErrPermission, errOnLoan},
		{"a disk that cannot be read", syscall.EIO, errOnLoan},
	} {
		if got := judge(&fs.PathError{Op: "open", Path: "x", Err: c.err}); !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPruneLeavesWhatIsOnLoan(t *testing.T) {
	s, work := newStore(t), t.TempDir()
	d, _ := s.put(t, map[string]string{"index.js": "1"})
	e, _ := s.put(t, map[string]string{"index.js": "2"})
	s.install(t, d, filepath.Join(work, "one"))
	s.install(t, e, filepath.Join(work, "two"))
	os.RemoveAll(filepath.Join(work, "two"))
	p, err := s.Prune(t.Context(), 0)
	if err != nil || p.Trees != 1 || p.Tarballs != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	if got := read(t, filepath.Join(work, "one", "index.js")); got != "1" {
		t.Errorf("the project has %q", got)
	}
}

func TestSealsSurviveEncoding(t *testing.T) {
	in := &seal{digest: Digest{1, 2}, variant: Variant{3}, bornFrom: 4, bornTo: 5, ino: 6, btime: 7, dir: "0-abc",
		dirs: []sealDir{{"lib"}, {"lib/x"}}, files: []sealFile{{"a.js", 0o644, 12}, {"lib/é.js", 0o755, 1 << 40}}}
	out, err := decodeSeal(string(in.encode()))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.encode(), in.encode()) || out.files[1].size != 1<<40 || out.files[1].mode != 0o755 {
		t.Errorf("got %+v", out)
	}
}

func FuzzSeal(f *testing.F) {
	f.Add(string((&seal{dir: "0-abc", files: []sealFile{{"a.js", 0o644, 12}}}).encode()))
	f.Add("ibidseal\x02")
	f.Fuzz(func(t *testing.T, data string) {
		s, err := decodeSeal(data)
		if err != nil {
			return
		}
		again, err := decodeSeal(string(s.encode()))
		if err != nil || !bytes.Equal(again.encode(), s.encode()) {
			t.Errorf("not the same after a second reading: %v", err)
		}
	})
}

// Another process may clean the store while an install goes on in it.
func TestAStoreThatIsCleanedMeanwhileIsMadeAgain(t *testing.T) {
	s := newStore(t)
	one, _ := s.put(t, map[string]string{"a.js": "a"})
	s.install(t, one, t.TempDir())
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	two, _ := s.put(t, map[string]string{"b.js": "b"})
	for range 2 {
		into := filepath.Join(t.TempDir(), "b")
		s.install(t, two, into)
		if got := read(t, filepath.Join(into, "b.js")); got != "b" {
			t.Errorf("it has %q", got)
		}
	}
}
