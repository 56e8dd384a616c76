package store

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/tarball"
)

// maxTrees bounds how many trees of one tarball there are, and so how many
// projects can have theirs on loan at once; the next one gets files of its own.
const maxTrees = 64

// ErrBusy says that a tarball has as many trees as it may have, all on loan.
var ErrBusy = errors.New("every tree is on loan")

// maxSeal is more than the seal of the largest tarball that is accepted has.
const maxSeal = 1 << 30

// Removing a folder gives its files new inode times, one right after the other.
// A file whose time lies apart from its neighbours' by more than this was
// touched by something else.
const (
	togetherAtLeast = 60 * time.Millisecond
	togetherPerFile = time.Millisecond
)

// together is how far apart the inodes of files may change that are linked, or
// removed, one right after the other.
func together(files int) int64 {
	return int64(togetherAtLeast) + int64(files)*int64(togetherPerFile)
}

// root is the open folder of all trees.
type root = folder.Folder

func (s *Store) trees() (*root, error) { return s.treesBut(nil) }

// treesBut gives the folder of all trees, another one than that which is no more.
func (s *Store) treesBut(gone *root) (*root, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	if s.opened != nil && s.opened != gone {
		return s.opened, nil
	}
	dir := filepath.Join(s.dir, "trees")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	trees, err := folder.Open(dir)
	if err != nil {
		return nil, err
	}
	s.opened = trees // others may still be at work in the one that is gone
	return trees, nil
}

// VariantOf names the trees of a tarball whose files bins became executable.
func (s *Store) VariantOf(bins []string, flags string) Variant {
	b := make([]byte, 0, 128)
	b = strconv.AppendUint(b, uint64(s.umask), 8)
	b = append(append(append(b, 0), flags...), 0)
	for _, bin := range bins { // the caller's order: a manifest has one
		b = append(append(b, bin...), 0)
	}
	sum := sha256.Sum256(b)
	return Variant(sum[:8])
}

// ErrTurned says that a tree that was borrowed unseen turned out to be on loan or
// changed. What had been put in place of it is gone again; Borrow finds another.
var ErrTurned = errors.New("the tree is not what it was")

// Tree is an unpacked tarball on loan to this process, locked against others
// until Return.
type Tree struct {
	store *Store
	trees *root
	seal  *seal
	lock  *folder.File
	dir   *folder.Folder
	// name and number are the tree's in the store.
	name, number string
	unseen       bool // nobody has looked at the files yet

	// A file that a project made its own must not be linked to a second
	// project, but within one project a package may lie in several places.
	mu     sync.Mutex
	closed bool
}

// slots are the names of the files in a tree's folder: their numbers in the seal.
// A path of several names would be walked through at each look and each link, and
// a folder of the package's be made twice.
var slots atomic.Pointer[[]string]

// slotNames gives the names of n files and perhaps of more.
func slotNames(n int) []string {
	all := slots.Load()
	if all == nil || len(*all) < n {
		names := make([]string, max(256, 2*n))
		for i := range names {
			names[i] = strconv.Itoa(i)
		}
		all = &names
		slots.Store(all)
	}
	return *all
}

func treeName(d Digest, v Variant) string {
	h := hex.EncodeToString(d[:32])
	return h[:2] + "/" + h[2:] + "-" + hex.EncodeToString(v[:])
}

// Borrow gives a tree of the tarball that no project uses and nobody has
// changed, or ErrMissing where Unpack has to make one. A tree found changed is
// removed on the way.
func (s *Store) Borrow(d Digest, v Variant) (*Tree, error) { return s.borrow(d, v, false) }

// BorrowUnseen is Borrow for who puts the files in place right away: each is
// looked at just before, while the kernel has it at hand for both, and LinkInto or
// CloneInto may fail with ErrTurned.
func (s *Store) BorrowUnseen(d Digest, v Variant) (*Tree, error) { return s.borrow(d, v, true) }

func (s *Store) borrow(d Digest, v Variant, unseen bool) (*Tree, error) {
	trees, err := s.trees()
	if err != nil {
		return nil, err
	}
	name := treeName(d, v)
	for n := range maxTrees {
		t, err := s.examine(trees, name, strconv.Itoa(n), d, v, unseen)
		switch {
		case err == nil:
			return t, nil
		case errors.Is(err, errOnLoan):
			continue
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errSpoilt):
			return nil, ErrMissing
		default:
			return nil, err
		}
	}
	return nil, ErrBusy
}

// MayHaveTree says whether there is a tree of the tarball, perhaps on loan or
// spoilt: whether Borrow is worth a try.
func (s *Store) MayHaveTree(d Digest, v Variant) bool {
	trees, err := s.trees()
	if err != nil {
		return false
	}
	var st folder.Stat
	return trees.Lstat(treeName(d, v)+"/0.seal", &st) == nil
}

var (
	errOnLoan = errors.New("on loan")
	errSpoilt = errors.New("spoilt")
)

// judge says what it means for a tree that the system could not tell of its files.
// What is not there makes it spoilt. That the process or the machine has no more to
// give says nothing about it. Whatever else is wrong, such as a disk that cannot be
// read, the tree is left alone as one on loan is, and another is made.
func judge(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, folder.ErrNotFolder), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errSpoilt
	case isShort(err):
		return err
	}
	return errOnLoan
}

// isShort says that the process or the machine has no more to give.
func isShort(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// examine locks one tree and looks at every file of it; unseen, at the first
// only, which tells of a loan.
func (s *Store) examine(trees *root, name, n string, d Digest, v Variant, unseen bool) (*Tree, error) {
	lock, err := trees.OpenFile(name + "/" + n + ".seal")
	if err != nil {
		return nil, err
	}
	t, err := s.examineLocked(trees, lock, name, n, d, v, unseen)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return t, nil
}

func (s *Store) examineLocked(trees *root, lock *folder.File, name, n string, d Digest, v Variant, unseen bool) (*Tree, error) {
	if ok, err := lock.TryLock(); err != nil || !ok {
		if err == nil {
			err = errOnLoan
		}
		return nil, err
	}
	var st folder.Stat
	if err := lock.Stat(&st); err != nil {
		return nil, err
	}
	if st.Nlink == 0 {
		return nil, errOnLoan // another process is replacing it right now
	}
	se, _ := s.seals.Get().(*seal)
	if se == nil {
		se = new(seal)
	}
	dir, err := s.examineSeal(trees, lock, name, &st, se, d, v, unseen)
	if err != nil {
		s.seals.Put(se)
		if errors.Is(err, errSpoilt) {
			s.removeTree(trees, name, n)
		}
		return nil, err
	}
	return &Tree{store: s, trees: trees, seal: se, lock: lock, dir: dir, name: name, number: n, unseen: unseen}, nil
}

// examineSeal reads the seal into se and opens the folder that it speaks of:
// errSpoilt where either is not what was written, and what judge makes of what
// cannot be read.
func (s *Store) examineSeal(trees *root, lock *folder.File, name string, st *folder.Stat, se *seal, d Digest, v Variant, unseen bool) (*folder.Folder, error) {
	if st.Size < sha256.Size || st.Size > maxSeal {
		return nil, errSpoilt
	}
	se.data = slices.Grow(se.data[:0], int(st.Size))[:st.Size]
	if err := lock.ReadFull(se.data); err != nil {
		return nil, judge(err)
	}
	body := se.data[:len(se.data)-sha256.Size]
	mac, err := s.mac(body)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal(mac[:], se.data[len(body):]) {
		return nil, errSpoilt
	}
	// data is not written to until the tree is returned, so the paths may
	// share its memory.
	if err := se.decode(unsafe.String(unsafe.SliceData(body), len(body))); err != nil ||
		se.digest != d || se.variant != v || se.ino != st.Ino || se.btime != st.Btime {
		return nil, errSpoilt
	}
	dir, err := trees.Child(name + "/" + se.dir)
	if err != nil {
		return nil, judge(err)
	}
	// Whoever a folder above belongs to can put another in place of this one.
	var of folder.Stat
	if err = dir.Stat(&of); err != nil {
		err = judge(err)
	} else if of.Uid != st.Uid {
		err = errSpoilt
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	n := len(se.files)
	if unseen {
		n = min(1, n)
	}
	if err := se.check(dir, n); err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}

// check looks at the first n files: errOnLoan where a project still has one of
// them, another error where one is not as it was written.
func (s *seal) check(dir *folder.Folder, n int) error {
	look := s.look(dir)
	for i := range n {
		if err := look.at(i); err != nil {
			return err
		}
	}
	return nil
}

// look compares the files of a tree with its seal, one after the other.
type look struct {
	seal        *seal
	dir         *folder.Folder
	slots       []string
	first, last int64 // when the inodes of those seen so far changed
	apart       int64 // how far apart that may be
	st          folder.Stat
}

func (s *seal) look(dir *folder.Folder) look {
	return look{seal: s, dir: dir, slots: slotNames(len(s.files)), first: math.MaxInt64, apart: together(len(s.files))}
}

// at looks at one file.
func (l *look) at(i int) error {
	st, s, f := &l.st, l.seal, &l.seal.files[i]
	if err := l.dir.Lstat(l.slots[i], st); err != nil {
		return judge(err)
	}
	if st.Nlink > 1 {
		return errOnLoan
	}
	if st.Mode != f.mode || st.Size != f.size {
		return errSpoilt
	}
	if st.Mtime < s.bornFrom || st.Mtime > s.bornTo {
		return errSpoilt
	}
	if st.Btime != 0 && (st.Btime < s.bornFrom || st.Btime > s.bornTo) {
		return errSpoilt
	}
	l.first, l.last = min(l.first, st.Ctime), max(l.last, st.Ctime)
	return l.together()
}

// with adds what another has seen of the same tree.
func (l *look) with(o *look) error {
	l.first, l.last = min(l.first, o.first), max(l.last, o.last)
	return l.together()
}

func (l *look) together() error {
	if l.last-l.first > l.apart {
		return errSpoilt
	}
	return nil
}

// removeTree removes the tree of a seal whose lock is held, and the seal last:
// a run killed in between leaves a seal that fails. Whatever folders earlier
// trees of that number left go as well.
func (s *Store) removeTree(trees *root, name, n string) {
	parent, err := trees.Child(name)
	if err != nil {
		return
	}
	defer parent.Close()
	entries, _ := parent.ReadDir()
	for _, e := range entries {
		if strings.HasPrefix(e.Name, n+"-") {
			parent.RemoveAll(e.Name)
		}
	}
	parent.Remove(n + ".seal")
}

// Unpack writes a tree of the tarball, which the caller has verified and read
// into a, and gives it on loan.
func (s *Store) Unpack(d Digest, v Variant, a *tarball.Archive) (*Tree, error) {
	trees, err := s.trees()
	if err != nil {
		return nil, err
	}
	t, err := s.unpack(trees, d, v, a)
	if errors.Is(err, fs.ErrNotExist) { // the store was cleaned away by another process
		if trees, err = s.treesBut(trees); err == nil {
			t, err = s.unpack(trees, d, v, a)
		}
	}
	return t, err
}

func (s *Store) unpack(trees *root, d Digest, v Variant, a *tarball.Archive) (*Tree, error) {
	name := treeName(d, v)
	if err := s.mkdirIn(trees, name); err != nil {
		return nil, err
	}
	var lock *folder.File
	var err error
	n := 0
	for ; lock == nil; n++ {
		if n == maxTrees {
			return nil, ErrBusy
		}
		path := name + "/" + strconv.Itoa(n) + ".seal"
		lock, err = trees.CreateFile(path)
		if errors.Is(err, fs.ErrNotExist) { // cleaned away by another process
			if err = s.mkdirIn(trees, name); err == nil {
				lock, err = trees.CreateFile(path)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if lock == nil {
			continue
		}
		if ok, err := lock.TryLock(); err != nil || !ok {
			lock.Close() // somebody examines the empty seal, and will remove it
			lock = nil
		}
	}
	t, err := s.unpackLocked(trees, lock, name, strconv.Itoa(n-1), d, v, a)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return t, nil
}

// mkdirIn makes the folder for all trees of one tarball.
func (s *Store) mkdirIn(trees *root, name string) error {
	err := trees.MkdirMode(name, 0o755)
	if errors.Is(err, fs.ErrNotExist) {
		shard, _, _ := strings.Cut(name, "/")
		if err = trees.MkdirMode(shard, 0o755); err == nil || errors.Is(err, fs.ErrExist) {
			err = trees.MkdirMode(name, 0o755)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (s *Store) unpackLocked(trees *root, lock *folder.File, name, n string, d Digest, v Variant, a *tarball.Archive) (*Tree, error) {
	treeDir := n + "-" + randomName()
	var dir *folder.Folder
	fail := func(err error) (*Tree, error) {
		if dir != nil {
			dir.Close()
		}
		s.removeTree(trees, name, n)
		return nil, err
	}
	err := trees.MkdirMode(name+"/"+treeDir, 0o755)
	if err != nil {
		return fail(err)
	}
	if dir, err = trees.Child(name + "/" + treeDir); err != nil {
		return fail(err)
	}
	se := &seal{digest: d, variant: v, dir: treeDir, dirs: make([]sealDir, len(a.Dirs)), files: make([]sealFile, len(a.Files))}
	for i, path := range a.Dirs {
		se.dirs[i].path = path
	}
	se.bornFrom = time.Now().Add(-folder.ClockSlack).UnixNano()
	slots := slotNames(len(a.Files))
	for i := range a.Files {
		f := &a.Files[i]
		if err := dir.WriteFile(slots[i], a.Content(*f), f.Mode); err != nil {
			return fail(fmt.Errorf("%s: %w", f.Path, err))
		}
		se.files[i] = sealFile{path: f.Path, mode: f.Mode.Perm() &^ s.umask, size: f.Size}
		se.total += f.Size
	}
	se.bornTo = time.Now().UnixNano()
	var st folder.Stat
	if err := lock.Stat(&st); err != nil {
		return fail(err)
	}
	se.ino, se.btime = st.Ino, st.Btime
	data := se.encode()
	mac, err := s.mac(data)
	if err != nil {
		return fail(err)
	}
	if _, err := lock.Write(append(data, mac[:]...)); err != nil {
		return fail(err)
	}
	return &Tree{store: s, trees: trees, seal: se, lock: lock, dir: dir}, nil
}

// Return ends the loan of the lock; the files stay with the project until it
// removes them.
func (t *Tree) Return() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	t.dir.Close()
	t.lock.Close() // gives the lock back as well
	t.store.seals.Put(t.seal)
	t.seal = nil
}

// LinkInto puts every file of the tree into dst, an existing folder that is
// empty but perhaps for folders.
func (t *Tree) LinkInto(dst *folder.Folder) error { return t.putInto(dst, t.give) }

// CloneInto puts files of its own there, which share the blocks of the tree's
// until one is written to. The tree is not on loan to the project by that. Where
// the file system cannot do it the error is errors.ErrUnsupported.
func (t *Tree) CloneInto(dst *folder.Folder) error {
	return t.putInto(dst, func(slot string, dst *folder.Folder, f *sealFile) error {
		return t.dir.Clone(slot, dst, f.path, f.mode)
	})
}

// put makes a file of a folder from the one with the name slot in the tree.
type put func(slot string, dst *folder.Folder, f *sealFile) error

func (t *Tree) putInto(dst *folder.Folder, put put) error {
	for i := range t.seal.dirs {
		if err := dst.Mkdir(t.seal.dirs[i].path); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	p := &putting{tree: t, dst: dst, put: put, end: len(t.seal.files)}
	var front, back putter
	if p.end < putTogether {
		p.run(&front, false)
	} else {
		var other sync.WaitGroup
		other.Go(func() { p.run(&back, true) })
		p.run(&front, false)
		other.Wait()
	}
	if why := t.doubts(&front, &back); why != nil {
		return t.turned(dst, front.done, back.done, why)
	}
	if err := cmp.Or(front.err, back.err); err != nil { // a full disk fails both
		return err
	}
	t.unseen = false
	if front.met || back.met {
		return p.again()
	}
	return nil
}

// putting is the files of a tree on their way into a folder. Those of a large
// package are put there by two, who come from both ends: when it is the last, two
// processors are at it, and seldom in the same folder, where one would wait for
// the other.
type putting struct {
	tree *Tree
	dst  *folder.Folder
	put  put

	mu        sync.Mutex
	next, end int // nobody has begun with these files
}

const (
	putTogether = 128 // files from which on two do it
	putAtOnce   = 32  // files that one takes at once
)

// putter is one of those, and what it has done.
type putter struct {
	look look
	done int   // files, from its end on
	met  bool  // one of them was there already
	why  error // the next one is not as it should be
	err  error // it could not be put there
}

// take gives the next files, from one end or the other; none when all are begun.
func (p *putting) take(back bool) (from, to int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(putAtOnce, p.end-p.next)
	if back {
		p.end -= n
		return p.end, p.end + n
	}
	p.next += n
	return p.next - n, p.next
}

// stop leaves nothing to take.
func (p *putting) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end = p.next
}

func (p *putting) run(who *putter, back bool) {
	t := p.tree
	who.look = t.seal.look(t.dir)
	for {
		from, to := p.take(back)
		if from == to {
			return
		}
		for k := range to - from {
			i := from + k
			if back {
				i = to - 1 - k
			}
			if t.unseen {
				who.why = who.look.at(i)
			}
			if who.why == nil {
				who.err = p.put(who.look.slots[i], p.dst, &t.seal.files[i])
			}
			if who.err != nil && errors.Is(who.err, fs.ErrExist) {
				who.met, who.err = true, nil
			}
			if who.why != nil || who.err != nil {
				p.stop()
				return
			}
			who.done++
		}
	}
}

// again puts all files there once more, in their order, each in place of what is
// there. On a file system that takes two of their names for one, the later of the
// two stays, as with npm.
func (p *putting) again() error {
	files := p.tree.seal.files
	slots := slotNames(len(files))
	for i := range files {
		f := &files[i]
		if err := p.dst.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := p.put(slots[i], p.dst, f); err != nil {
			return err
		}
	}
	return nil
}

// doubts says what is wrong with the files that two have looked at.
func (t *Tree) doubts(a, b *putter) error {
	if why := cmp.Or(a.why, b.why); why != nil || b.done == 0 || !t.unseen {
		return why
	}
	return a.look.with(&b.look)
}

// turned takes the files at both ends back from where they were put, since another
// is not as it should be. A changed tree goes at once: links that come and go give
// their files' inodes a new time, which would hide that one was touched.
func (t *Tree) turned(dst *folder.Folder, front, back int, why error) error {
	if errors.Is(why, errSpoilt) {
		t.store.removeTree(t.trees, t.name, t.number)
	}
	files := t.seal.files
	for i := range files {
		if i >= front && i < len(files)-back {
			continue
		}
		if err := dst.Remove(files[i].path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return ErrTurned
}

func (t *Tree) give(slot string, dst *folder.Folder, f *sealFile) error {
	if !canLend {
		data, err := t.dir.ReadFile(slot)
		if err != nil {
			return err
		}
		return dst.WriteFile(f.path, data, f.mode)
	}
	return t.dir.Link(slot, dst, f.path)
}
