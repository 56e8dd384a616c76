package store

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/binshim"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/tarball"
)

// SharedFormat is the version of the layout below the folder of shared packages.
const SharedFormat = "v1"

// SharedID names a shared package by all that it is made of: its tarball, and
// the same of all that it depends on.
type SharedID [sha256.Size]byte

func (id SharedID) String() string { return hex.EncodeToString(id[:]) }

// SharedPackage is what a shared package is made of.
type SharedPackage struct {
	ID     SharedID
	Name   string // its folder in node_modules
	Label  string // for people: "name@version"
	Digest Digest // of its tarball
	Links  []SharedLink
	Bins   []string // the files of it that are started
}

// SharedLink is what lies beside a shared package in its node_modules.
type SharedLink struct {
	Path string // "dep", "@scope/dep", ".bin/program"
	Text string // what the link says
}

// DependencyText is what the link at a path in one shared package's
// node_modules says that leads to another one.
func DependencyText(at string, id SharedID, name string) string {
	return strings.Repeat("../", strings.Count(at, "/")+2) + id.String() + "/node_modules/" + name
}

// Shared are packages that all projects of a user link to, rather than have
// files of their own. A package is made aside and appears whole under its name.
// It is never written to again: its files and folders are read-only, and its
// seal has the inode and the time of last change of each, which nobody can set.
//
// Unlike a tree it is nobody's loan: who writes into it, against its modes,
// writes into every project that has it, until an install or Verify sees it.
type Shared struct {
	store *Store
	dir   string
	root  func() (*folder.Folder, error)
}

// Shared gives the shared packages below dir. Their seals are made with the
// store's key.
func (s *Store) Shared(dir string) *Shared {
	x := &Shared{store: s, dir: filepath.Join(dir, SharedFormat)}
	x.root = sync.OnceValues(func() (*folder.Folder, error) {
		if err := os.MkdirAll(x.dir, 0o755); err != nil {
			return nil, err
		}
		return folder.Open(x.dir)
	})
	return x
}

// Dir is the folder that all of them lie in.
func (x *Shared) Dir() string { return x.dir }

// Path is where a package lies: a folder with a node_modules.
func (x *Shared) Path(id SharedID) string { return filepath.Join(x.dir, id.String()) }

// There says whether anything was ever shared.
func (x *Shared) There() bool {
	_, err := os.Lstat(x.dir)
	return err == nil
}

const (
	sharedMagic   = "ibidpack"
	sharedVersion = 1
	sealName      = "seal"
	usersName     = "projects"
	aside         = ".new-" // how the name of what is not whole begins
)

// sharedSeal describes one shared package as it was made.
type sharedSeal struct {
	id     SharedID
	digest Digest
	ino    uint64 // the seal file's own
	btime  int64
	name   string
	label  string
	links  []SharedLink
	bins   []string
	marks  []sharedMark // of the package's folders, and its files
	size   int64
}

type sharedMark struct {
	path  string // below the package's folder of the store
	ino   uint64
	ctime int64
	size  int64
	mode  fs.FileMode
}

func (s *sharedSeal) encode() []byte {
	b := append([]byte(sharedMagic), sharedVersion)
	b = append(append(b, s.id[:]...), s.digest[:]...)
	b = binary.LittleEndian.AppendUint64(b, s.ino)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.btime))
	b = appendString(appendString(b, s.name), s.label)
	b = binary.AppendUvarint(b, uint64(len(s.links)))
	for _, l := range s.links {
		b = appendString(appendString(b, l.Path), l.Text)
	}
	b = binary.AppendUvarint(b, uint64(len(s.bins)))
	for _, bin := range s.bins {
		b = appendString(b, bin)
	}
	b = binary.AppendUvarint(b, uint64(len(s.marks)))
	for i := range s.marks {
		m := &s.marks[i]
		b = binary.LittleEndian.AppendUint16(b, markMode(m.mode))
		b = binary.LittleEndian.AppendUint64(b, m.ino)
		b = binary.LittleEndian.AppendUint64(b, uint64(m.ctime))
		b = binary.AppendUvarint(b, uint64(m.size))
		b = appendString(b, m.path)
	}
	return b
}

// markMode is a mode in two bytes: the permissions, and a bit for a folder.
func markMode(m fs.FileMode) uint16 {
	v := uint16(m.Perm())
	if m.IsDir() {
		v |= 1 << 15
	}
	return v
}

// decodeShared reads what encode wrote. The strings share data's memory.
func decodeShared(data string) (*sharedSeal, error) {
	s, r := &sharedSeal{}, &sealReader{b: data}
	if r.take(len(sharedMagic)) != sharedMagic || r.take(1) != string(rune(sharedVersion)) {
		return nil, fmt.Errorf("not the seal of a shared package of version %d", sharedVersion)
	}
	copy(s.id[:], r.take(len(s.id)))
	copy(s.digest[:], r.take(len(s.digest)))
	s.ino, s.btime = r.u64(), int64(r.u64())
	s.name, s.label = r.string(), r.string()
	s.links = make([]SharedLink, r.count(4))
	for i := range s.links {
		s.links[i] = SharedLink{Path: r.string(), Text: r.string()}
	}
	s.bins = make([]string, r.count(2))
	for i := range s.bins {
		s.bins[i] = r.string()
	}
	s.marks = make([]sharedMark, r.count(21))
	for i := range s.marks {
		m := &s.marks[i]
		if two := r.take(2); len(two) == 2 {
			v := uint16(two[0]) | uint16(two[1])<<8
			m.mode = fs.FileMode(v & 0o777)
			if v&(1<<15) != 0 {
				m.mode |= fs.ModeDir
			}
		}
		m.ino, m.ctime = r.u64(), int64(r.u64())
		m.size = int64(r.uvarint())
		m.path = r.string()
		if !m.mode.IsDir() {
			s.size += m.size
		}
	}
	if r.bad || len(r.b) > 0 {
		return nil, errors.New("cut short, or too long")
	}
	return s, nil
}

// lock keeps Clean away while packages are looked at and linked to, or the
// other way round.
func (x *Shared) lock(exclusive bool) (release func(), err error) {
	if _, err := x.root(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(x.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if exclusive {
		err = waitLock(f)
	} else {
		err = waitSharedLock(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// Use keeps Clean away until release is called, and notes that the project in a
// folder has links to packages here.
func (x *Shared) Use(project string) (release func(), err error) {
	release, err = x.lock(false)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(project))
	file := filepath.Join(x.dir, usersName, hex.EncodeToString(sum[:16]))
	if was, err := regular.ReadFile(file); err == nil && string(was) == project {
		return release, nil
	}
	if err := x.store.writeFile(file, []byte(project)); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// Whole says whether a package is there as it was made.
func (x *Shared) Whole(id SharedID) bool {
	_, err := x.examine(id.String())
	return err == nil
}

// examine reads a package's seal and looks at every file and folder of it.
func (x *Shared) examine(name string) (*sharedSeal, error) {
	root, err := x.root()
	if err != nil {
		return nil, err
	}
	s, err := x.readSeal(root, name)
	if err != nil {
		return nil, err
	}
	dir, err := root.Child(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var st folder.Stat
	for i := range s.marks {
		m := &s.marks[i]
		if err := dir.Lstat(m.path, &st); err != nil {
			return s, err
		}
		if st.Mode != m.mode || st.Ino != m.ino || st.Ctime != m.ctime || !m.mode.IsDir() && st.Size != m.size {
			return s, errSpoilt
		}
	}
	return s, nil
}

var sealBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (x *Shared) readSeal(root *folder.Folder, name string) (*sharedSeal, error) {
	f, err := root.OpenFile(name + "/" + sealName)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var st folder.Stat
	if err := f.Stat(&st); err != nil {
		return nil, err
	}
	if st.Size < sha256.Size || st.Size > maxSeal {
		return nil, errSpoilt
	}
	buf := sealBuffers.Get().(*[]byte)
	defer sealBuffers.Put(buf)
	*buf = slices.Grow((*buf)[:0], int(st.Size))[:st.Size]
	data := *buf
	if err := f.ReadFull(data); err != nil {
		return nil, errSpoilt
	}
	body := data[:len(data)-sha256.Size]
	mac, err := x.store.mac(body)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac[:], data[len(body):]) {
		return nil, errSpoilt
	}
	s, err := decodeShared(string(body))
	if err != nil || s.id.String() != name || s.ino != st.Ino || s.btime != st.Btime {
		return nil, errSpoilt
	}
	return s, nil
}

// Make makes a package of its tarball, which the caller has verified and read
// into a with the package's Bins. One that is there and not whole is replaced
// in one step; processes that have its files open keep them.
func (x *Shared) Make(p *SharedPackage, a *tarball.Archive) error {
	if _, err := x.root(); err != nil {
		return err
	}
	tmp := aside + randomName()
	dir := filepath.Join(x.dir, tmp)
	err := x.build(dir, p, a)
	if err == nil {
		err = x.publish(tmp, p.ID)
	}
	if err != nil {
		removeReadOnly(dir)
	}
	return err
}

func (x *Shared) build(dir string, p *SharedPackage, a *tarball.Archive) error {
	home := "node_modules/" + p.Name
	at := func(rel string) string { return filepath.Join(dir, filepath.FromSlash(rel)) }
	if err := os.MkdirAll(at(home), 0o755); err != nil {
		return err
	}
	if err := tarball.Write(at(home), a); err != nil {
		return err
	}
	for _, bin := range p.Bins {
		if err := x.runnable(a, at(home), bin); err != nil {
			return err
		}
	}
	dirs := []string{"node_modules"}
	if scope := path.Dir(home); scope != "node_modules" {
		dirs = append(dirs, scope)
	}
	dirs = append(dirs, home)
	for _, d := range a.Dirs {
		dirs = append(dirs, home+"/"+d)
	}
	for _, l := range p.Links {
		rel := "node_modules/" + l.Path
		if parent := path.Dir(rel); !slices.Contains(dirs, parent) {
			if err := os.Mkdir(at(parent), 0o755); err != nil {
				return err
			}
			dirs = append(dirs, parent)
		}
		if err := os.Symlink(filepath.FromSlash(l.Text), at(rel)); err != nil {
			return err
		}
	}
	return x.seal(dir, dirs, p, a)
}

// seal takes the right to write from all that was built and writes its seal.
func (x *Shared) seal(dir string, dirs []string, p *SharedPackage, a *tarball.Archive) error {
	s := &sharedSeal{id: p.ID, digest: p.Digest, name: p.Name, label: p.Label, links: p.Links, bins: p.Bins}
	f, err := folder.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	note := func(rel string, mode fs.FileMode) error {
		if err := f.Chmod(rel, mode); err != nil {
			return err
		}
		var st folder.Stat
		if err := f.Lstat(rel, &st); err != nil {
			return err
		}
		m := sharedMark{path: rel, ino: st.Ino, ctime: st.Ctime, mode: st.Mode}
		if !st.Mode.IsDir() {
			m.size = st.Size
		}
		s.marks = append(s.marks, m)
		return nil
	}
	const writes = 0o222
	for i := range a.Files {
		e := &a.Files[i]
		if err := note("node_modules/"+p.Name+"/"+e.Path, e.Mode.Perm()&^x.store.umask&^writes); err != nil {
			return err
		}
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		if err := note(dirs[i], 0o777&^x.store.umask&^writes); err != nil {
			return err
		}
	}
	out, err := f.CreateFile(sealName)
	if err != nil {
		return err
	}
	defer out.Close()
	var st folder.Stat
	if err := out.Stat(&st); err != nil {
		return err
	}
	s.ino, s.btime = st.Ino, st.Btime
	data := s.encode()
	mac, err := x.store.mac(data)
	if err != nil {
		return err
	}
	_, err = out.Write(append(data, mac[:]...))
	return err
}

// runnable mends the first line of a program as npm does when it links it, and
// lets it be started.
func (x *Shared) runnable(a *tarball.Archive, home, bin string) error {
	i := slices.IndexFunc(a.Files, func(e tarball.Entry) bool { return e.Path == bin })
	if i < 0 {
		return nil
	}
	a.Files[i].Mode |= 0o111
	data := a.Content(a.Files[i])
	fixed := binshim.FixShebang(data)
	if len(fixed) == len(data) {
		return nil
	}
	return os.WriteFile(filepath.Join(home, filepath.FromSlash(bin)), fixed, 0o644)
}

// publish gives what was built its name.
func (x *Shared) publish(tmp string, id SharedID) error {
	from, to := filepath.Join(x.dir, tmp), x.Path(id)
	for range 8 {
		err := os.Rename(from, to)
		if err == nil {
			return nil
		}
		if _, serr := os.Lstat(to); serr != nil {
			return err
		}
		if x.Whole(id) { // another process was first
			removeReadOnly(from)
			return nil
		}
		old, err := replaceFolder(from, to)
		if err == nil {
			removeReadOnly(old)
			return nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("%s: others make it at the same time", to)
}

// swapByName is replaceFolder where two folders cannot change names in one step.
func swapByName(from, to string) (old string, err error) {
	old = filepath.Join(filepath.Dir(to), aside+randomName())
	if err := os.Rename(to, old); err != nil {
		return "", err
	}
	return old, os.Rename(from, to)
}

// removeReadOnly removes a folder whose folders nobody may write to.
func removeReadOnly(dir string) error {
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(p, 0o755)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// SharedHeld is one shared package that is there.
type SharedHeld struct {
	ID    SharedID
	Label string // "" where its seal is no good
	Size  int64
	Used  int // by how many projects
}

// projects are the folders of the projects that have links to packages here,
// and how often each package is linked to. A project that is gone is forgotten.
// An error says that it cannot be known.
func (x *Shared) projects() (dirs []string, used map[string]int, err error) {
	used = map[string]int{}
	base := filepath.Join(x.dir, usersName)
	files, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, used, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		text, err := regular.ReadFile(filepath.Join(base, f.Name()))
		if err != nil {
			return nil, nil, err
		}
		links, err := x.linksOf(string(text))
		if err != nil {
			return nil, nil, err
		}
		if len(links) == 0 {
			os.Remove(filepath.Join(base, f.Name()))
			continue
		}
		dirs = append(dirs, string(text))
		for _, id := range links {
			used[id]++
		}
	}
	return dirs, used, nil
}

// linksOf reads which packages a project's node_modules/.store has links to.
func (x *Shared) linksOf(project string) (ids []string, err error) {
	here, err := os.Stat(x.dir)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{} // folders that are this one, however they are called
	ours := func(dir string) bool {
		is, ok := known[dir]
		if !ok {
			st, err := os.Stat(dir)
			is = err == nil && os.SameFile(st, here)
			known[dir] = is
		}
		return is
	}
	var read func(dir string, scoped bool) error
	read = func(dir string, scoped bool) error {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			p := filepath.Join(dir, e.Name())
			switch {
			case e.Type()&fs.ModeSymlink != 0:
				if text, err := os.Readlink(p); err == nil && filepath.IsAbs(text) && ours(filepath.Dir(text)) {
					ids = append(ids, filepath.Base(text))
				}
			case e.IsDir() && !scoped && strings.HasPrefix(e.Name(), "@"):
				if err := read(p, true); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err = read(filepath.Join(project, "node_modules", ".store"), false)
	return ids, err
}

// names are those of the packages, sorted, and of what was left unfinished.
func (x *Shared) names() (packages, unfinished []string, err error) {
	entries, err := os.ReadDir(x.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	for _, e := range entries {
		raw, herr := hex.DecodeString(e.Name())
		switch {
		case herr == nil && len(raw) == len(SharedID{}):
			packages = append(packages, e.Name())
		case strings.HasPrefix(e.Name(), aside):
			unfinished = append(unfinished, e.Name())
		}
	}
	return packages, unfinished, err
}

// List gives the shared packages, sorted by name.
func (x *Shared) List() ([]SharedHeld, error) {
	packages, _, err := x.names()
	if err != nil || len(packages) == 0 {
		return nil, err
	}
	root, err := x.root()
	if err != nil {
		return nil, err
	}
	_, used, err := x.projects()
	if err != nil {
		return nil, err
	}
	var out []SharedHeld
	for _, name := range packages {
		h := SharedHeld{Used: used[name]}
		hex.Decode(h.ID[:], []byte(name))
		if s, err := x.readSeal(root, name); err == nil {
			h.Label, h.Size = s.label, s.size
		}
		out = append(out, h)
	}
	slices.SortStableFunc(out, func(a, b SharedHeld) int { return strings.Compare(a.Label, b.Label) })
	return out, nil
}

// SharedChecked is what Verify found.
type SharedChecked struct {
	Packages int
	Bytes    int64
	// Mended were not as they were made, and were made again; Removed could
	// not be, and are gone until an install brings them back.
	Mended, Removed []string
}

// Verify reads every shared package and compares it with its tarball, byte by
// byte. What is wrong is made again in one step, since projects use it.
func (x *Shared) Verify(ctx context.Context) (*SharedChecked, error) {
	c := &SharedChecked{}
	packages, _, err := x.names()
	if err != nil || len(packages) == 0 {
		return c, err
	}
	release, err := x.lock(true)
	if err != nil {
		return nil, err
	}
	defer release()
	var mu sync.Mutex
	eg, reading := errgroup.WithContext(ctx)
	eg.SetLimit(runtime.GOMAXPROCS(0))
	for _, name := range packages {
		eg.Go(func() error {
			if err := reading.Err(); err != nil {
				return err
			}
			s, err := x.verify(name)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case isShort(err):
				return err
			case errors.Is(err, errMended):
				c.Mended = append(c.Mended, s.label)
			case err != nil:
				c.Removed = append(c.Removed, filepath.Join(x.dir, name))
			}
			if s != nil && (err == nil || errors.Is(err, errMended)) {
				c.Packages++
				c.Bytes += s.size
			}
			return nil
		})
	}
	err = eg.Wait()
	slices.Sort(c.Mended)
	slices.Sort(c.Removed)
	return c, err
}

var errMended = errors.New("mended")

func (x *Shared) verify(name string) (*sharedSeal, error) {
	s, err := x.examine(name)
	if isShort(err) {
		return nil, err
	}
	if s == nil {
		removeReadOnly(filepath.Join(x.dir, name))
		return nil, err
	}
	tgz, terr := x.store.Tarball(s.digest)
	if terr != nil {
		if err == nil {
			return s, nil // nothing to compare with; nobody has touched it
		}
		removeReadOnly(filepath.Join(x.dir, name))
		return nil, err
	}
	bins := map[string]bool{}
	for _, b := range s.bins {
		bins[b] = true
	}
	a, aerr := tarball.Read(tgz, tarball.Options{Bins: bins})
	if aerr != nil {
		return nil, aerr
	}
	if err == nil && x.same(s, a, bins) {
		return s, nil
	}
	// Nothing that is not whole is kept from being replaced, and this is not.
	os.Truncate(filepath.Join(x.dir, name, sealName), 0)
	p := &SharedPackage{ID: s.id, Name: s.name, Label: s.label, Digest: s.digest, Links: s.links, Bins: s.bins}
	if err := x.Make(p, a); err != nil {
		return nil, err
	}
	return s, errMended
}

func (x *Shared) same(s *sharedSeal, a *tarball.Archive, bins map[string]bool) bool {
	home := filepath.Join(x.dir, s.id.String(), "node_modules", filepath.FromSlash(s.name))
	for i := range a.Files {
		want := a.Content(a.Files[i])
		if bins[a.Files[i].Path] {
			want = binshim.FixShebang(want)
		}
		got, err := regular.ReadFile(filepath.Join(home, filepath.FromSlash(a.Files[i].Path)))
		if err != nil || !bytes.Equal(got, want) {
			return false
		}
	}
	return true
}

// SharedCleaned is what Clean did.
type SharedCleaned struct {
	Removed  int
	Bytes    int64
	Kept     int // because projects have links to them
	Projects []string
}

// Clean removes the packages that no project has a link to, and what killed
// runs have left. It waits for installs, and they for it.
func (x *Shared) Clean() (*SharedCleaned, error) {
	c := &SharedCleaned{}
	if !x.There() {
		return c, nil
	}
	release, err := x.lock(true)
	if err != nil {
		return nil, err
	}
	defer release()
	root, err := x.root()
	if err != nil {
		return nil, err
	}
	dirs, used, err := x.projects()
	if err != nil {
		return nil, fmt.Errorf("finding out which shared packages are in use: %w", err)
	}
	c.Projects = dirs
	packages, unfinished, err := x.names()
	if err != nil {
		return nil, err
	}
	for _, name := range packages {
		if used[name] > 0 {
			c.Kept++
			continue
		}
		if s, err := x.readSeal(root, name); err == nil {
			c.Bytes += s.size
		}
		if err := removeReadOnly(filepath.Join(x.dir, name)); err != nil {
			return c, err
		}
		c.Removed++
	}
	for _, name := range unfinished {
		if err := removeReadOnly(filepath.Join(x.dir, name)); err != nil {
			return c, err
		}
	}
	return c, nil
}
