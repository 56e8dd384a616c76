package linker

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/binshim"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/lockfile"
)

// BinError is a bin that could not be linked.
type BinError struct {
	Package *lockfile.Package // whose bin it is
	Err     error
}

func (e *BinError) Error() string { return e.Package.ID() + ": linking a bin: " + e.Err.Error() }
func (e *BinError) Unwrap() error { return e.Err }

// linkBins makes the .bin links (npm: bin-links). A bin whose file is not there
// has no link.
func (a *Applied) linkBins(umask fs.FileMode) error {
	for _, b := range a.plan.OldBins {
		a.root.spare()
		if err := a.retireOwnBin(b); err != nil {
			return err
		}
	}
	for i := range a.plan.Bins {
		a.root.spare()
		b := &a.plan.Bins[i]
		if err := a.linkBin(b, umask); err != nil {
			return &BinError{b.Owner, err}
		}
	}
	return nil
}

// retireOwnBin takes away a link that is the one the plan knows of; another's
// link of the same name stays.
func (a *Applied) retireOwnBin(b Bin) error {
	for _, name := range a.ownBin(b) {
		if err := a.retire(name, nil); err != nil {
			return err
		}
	}
	return nil
}

// ownBin lists what is there of a bin and is the plan's: the link, or scripts.
func (a *Applied) ownBin(b Bin) []string {
	bin, err := a.root.folder(path.Dir(b.Path), false)
	if err != nil {
		return nil // the whole folder went with its package
	}
	if a.shims {
		return ownShim(b, bin)
	}
	if target, err := bin.Readlink(path.Base(b.Path)); err != nil || target != b.Target {
		return nil
	}
	return []string{b.Path}
}

// LeaveOut takes away packages that are not to be there after all, and their bins,
// and no longer counts them as added.
func (a *Applied) LeaveOut(gone map[lockfile.Location]bool) error {
	for _, b := range a.plan.Bins {
		if gone[b.Owner.Location] {
			if err := a.retireOwnBin(b); err != nil {
				return err
			}
		}
	}
	for l := range gone {
		if CheckLocation(l) == nil {
			if err := a.root.remove(string(l)); err != nil {
				return err
			}
		}
	}
	a.plan.Steps = slices.DeleteFunc(a.plan.Steps, func(s Step) bool {
		out := s.Action == Add && gone[s.Package.Location]
		if out {
			a.plan.Added--
		}
		return out
	})
	return nil
}

func (a *Applied) linkBin(b *Bin, umask fs.FileMode) error {
	var st folder.Stat
	if err := a.root.top.Lstat(b.File, &st); err != nil || !st.Mode.IsRegular() {
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
			return a.retireOwnBin(*b)
		}
		return err
	}
	bin, err := a.root.folder(path.Dir(b.Path), true)
	if err != nil {
		return err
	}
	if a.shims {
		if err := a.writeShim(b, bin); err != nil {
			return err
		}
		return a.fixBin(b, st.Mode.Perm(), umask)
	}
	name := path.Base(b.Path)
	err = bin.Symlink(b.Target, name)
	if errors.Is(err, fs.ErrExist) {
		was, rerr := bin.Readlink(name)
		switch {
		case rerr != nil:
		case b.Fresh && was == b.Target:
			return a.fixBin(b, st.Mode.Perm(), umask)
		case !b.Fresh && (was == b.Target || slices.Contains(b.Others, was)):
			return nil // npm does not look at the file's mode then
		}
		if err = a.retire(b.Path, nil); err == nil {
			err = bin.Symlink(b.Target, name)
		}
	}
	if err != nil {
		return err
	}
	a.made = append(a.made, b.Path)
	return a.fixBin(b, st.Mode.Perm(), umask)
}

// fixBin makes a bin's file fit to be started (npm: bin-links lib/fix-bin.js).
// A shared package's was made so, and is not this project's to change. One that
// more may be done with than is needed stays so.
func (a *Applied) fixBin(b *Bin, mode, umask fs.FileMode) error {
	if a.plan.shared(string(b.Owner.Location)) || b.Owner.Link && a.plan.shared(b.Owner.Resolved) {
		return nil
	}
	if (!b.Fresh || b.Owner.Link) && !a.inPackage(b) {
		return nil
	}
	if err := fixShebang(filepath.Join(a.root.dir, filepath.FromSlash(b.File)), mode); err != nil {
		return err
	}
	if want := 0o777 &^ umask; want&^mode != 0 {
		return a.root.top.Chmod(b.File, want)
	}
	return nil
}

// inPackage says whether a bin's file lies in its package where folders of it may
// be links, as they can in what a repository brings. One that leads elsewhere
// would have ibid make a file of the user's readable for everybody. So would a lock
// that says which files of a folder outside of the project are bins: there the
// folder's own package.json has to say it.
func (a *Applied) inPackage(b *Bin) bool {
	project, err := filepath.EvalSymlinks(a.root.dir)
	if err != nil {
		return false
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(a.root.dir, filepath.FromSlash(string(b.Owner.Location))))
	if err != nil {
		return false
	}
	file, err := filepath.EvalSymlinks(filepath.Join(a.root.dir, filepath.FromSlash(b.File)))
	if err != nil || !folder.Below(file, dir) {
		return false
	}
	if folder.Below(dir, project) {
		return true
	}
	m, err := manifest.ReadDir(dir)
	return err == nil && b.Owner.Link && slices.ContainsFunc(m.Bin, func(own manifest.Bin) bool {
		return own.Path == strings.TrimPrefix(b.File, string(b.Owner.Location)+"/")
	})
}

// fixShebang rewrites a first line "#!… CRLF" to end in LF, which else no
// system can run. The file is replaced rather than changed, since it may have
// another name in the store.
func fixShebang(file string, mode fs.FileMode) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var head [binshim.MaxShebang]byte
	n, _ := f.Read(head[:])
	if len(binshim.FixShebang(head[:n])) == n {
		return nil
	}
	data, err := regular.ReadFile(file)
	if err != nil {
		return err
	}
	fixed := binshim.FixShebang(data)
	tmp := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".ibid")
	// What has the name already is of a run that was killed, or a link of a
	// stranger's that leads to another file.
	os.Remove(tmp)
	if err := writeNew(tmp, fixed, mode); err != nil {
		os.Remove(tmp)
		return err
	}
	return os.Rename(tmp, file)
}

// writeNew makes a file where none is, so that no link is followed.
func writeNew(file string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// journal

// writeJournal says, before anything is written, what is about to be: a line
// for each path that may be half done if ibid is killed.
func (a *Applied) writeJournal() error {
	l, p := a.root, a.plan
	var b bytes.Buffer
	for i := range p.Steps {
		b.WriteString(string(p.Steps[i].Package.Location))
		b.WriteByte('\n')
	}
	for _, bin := range p.Bins {
		names := []string{bin.Path}
		if a.shims {
			each := binshim.Names(bin.Path)
			names = each[:]
		}
		for _, name := range names {
			b.WriteString(name)
			b.WriteByte('\n')
		}
	}
	for _, old := range p.OldBins {
		l.spare()
		for _, name := range a.ownBin(old) {
			b.WriteString(name)
			b.WriteByte('\n')
		}
	}
	for _, s := range p.Shares {
		b.WriteString(s.Entry)
		b.WriteByte('\n')
	}
	for _, p := range p.Orphans {
		b.WriteString(p)
		b.WriteByte('\n')
	}
	return a.saveJournal(b.String())
}

// saveJournal replaces the journal.
func (a *Applied) saveJournal(lines string) error {
	modules, err := a.root.folder("node_modules", true)
	if err != nil {
		return err
	}
	// What was there belongs to an unfinished run and was read by Heal.
	tmp := journalName + ".new"
	modules.Remove(tmp)
	if err = modules.WriteFile(tmp, []byte(lines+journalEnd), 0o666); err == nil {
		err = modules.Rename(tmp, modules, journalName)
	}
	if err != nil {
		modules.Remove(tmp)
	}
	return err
}

const journalEnd = "end\n"

func removeJournal(dir string) error {
	err := os.Remove(filepath.Join(dir, "node_modules", journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Heal removes what a killed run may have left half done: the packages and
// links that its journal names, and its trash. It says whether there was
// anything. The packages that are gone after it are missing, nothing worse.
func Heal(dir string) (bool, error) {
	file := filepath.Join(dir, "node_modules", journalName)
	data, err := regular.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	l, err := openLayout(dir)
	if err != nil {
		return false, err
	}
	defer l.close()
	lines := strings.Split(string(data), "\n")
	// Deepest first, so that no folder is opened below one that is gone.
	for i := len(lines) - 1; i >= 0; i-- {
		loc := lines[i]
		if loc == "" || loc+"\n" == journalEnd || !healable(loc) {
			continue
		}
		l.spare()
		parent, err := l.folder(path.Dir(loc), false)
		if err != nil {
			continue
		}
		l.forget(loc)
		if err := parent.RemoveAll(path.Base(loc)); err != nil && path.Base(loc) != trashName {
			return true, err
		}
		if modules := trash(loc); modules != "" {
			if f, err := l.folder(path.Dir(modules), false); err == nil {
				l.forget(modules)
				f.RemoveAll(trashName) // what stays there is in nobody's way
			}
		}
	}
	if modules, err := l.folder("node_modules", false); err == nil {
		modules.RemoveAll(trashName)
		modules.Remove(journalName + ".new")
	}
	return true, os.Remove(file)
}

// healable says whether a journal's line is one that writeJournal writes: the
// file lies in node_modules, where anybody may have put it.
func healable(p string) bool {
	if up, name := path.Split(p); name == trashName {
		return orphan(up + "x") // what could not be removed beside a package
	}
	return orphan(p)
}

// healableBin says whether a path is that of a link in a .bin.
func healableBin(p string) bool {
	i := strings.LastIndex(p, "node_modules/.bin/")
	if i < 0 {
		return false
	}
	name := p[i+len("node_modules/.bin/"):]
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
		return false
	}
	if i == 0 {
		return true
	}
	owner := strings.TrimSuffix(p[:i], "/")
	if _, inside, ok := splitStore(owner); ok && inside == "" {
		return true
	}
	return CheckLocation(lockfile.Location(owner)) == nil || !strings.Contains(owner, "node_modules") && cleanPath(owner)
}

func cleanPath(p string) bool {
	return p != "" && path.Clean(p) == p && !path.IsAbs(p) && p != ".." && !strings.HasPrefix(p, "../")
}
