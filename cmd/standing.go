package cmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/cmd/again"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/lockfile"
)

// A standing is what a finished install remembers of its project, so that the
// next one can tell by a few thousand stats that there is nothing to do: the
// configuration that it ran with, and the inode, size and times of every file
// that it read and every folder that it filled. A change of any of them, which
// moves a time that nobody can set, makes it void, and all is decided anew.
//
// It lies beside the store, under a name made of the project's path; nothing is
// lost with it.
type standing struct {
	dir   string
	file  string       // where it is kept
	key   string       // of the configuration
	marks []again.Mark // with paths relative to the project
	said  []string     // the warnings that the install ended with
	// funding is how many packages asked for it.
	funding int
}

const standingMagic = "ibid standing 2"

// newStanding is the start of one, for this project and configuration.
func (a *App) newStanding(dir string) *standing {
	return &standing{
		dir:  dir,
		file: filepath.Join(a.standingDir(), standingName([]byte(dir))),
		key:  a.configKey(),
	}
}

// standingDir is where what is remembered of projects lies, under names made of
// what it is about.
func (a *App) standingDir() string { return filepath.Join(a.storeDir(), "standing") }

func standingName(about []byte) string {
	sum := sha256.Sum256(about)
	return hex.EncodeToString(sum[:12])
}

// configKey sums up all that an install goes by besides files.
func (a *App) configKey() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%o\x00", a.version(), compatible, a.nodeVersion(), a.umask)
	for i := range config.Definitions() {
		d := &config.Definitions()[i]
		if a.Config.IsDefault(d.Key) {
			continue
		}
		fmt.Fprintf(h, "%s=%s\x00", d.Key, a.Config.Get(d.Key).JSON())
	}
	if a.shares() {
		h.Write([]byte(sharedSetting))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// inputs are the files that decide what an install does, there or not: the
// project's own, or those of its workspaces.
func (s *standing) inputs(workspaces []string) []string {
	if workspaces == nil {
		return []string{"package.json", lockfile.LockName, lockfile.ShrinkwrapName, "yarn.lock", ".npm-extension.mjs", ".npm-extension.cjs"}
	}
	var in []string
	for _, w := range workspaces {
		rel, err := filepath.Rel(s.dir, w)
		if err != nil {
			continue
		}
		rel = filepath.ToSlash(rel)
		in = append(in, rel+"/package.json", rel, parentOf(rel))
	}
	return in
}

func parentOf(p string) string {
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		return p[:i]
	}
	return "."
}

// look takes the mark of a path as it is now.
func look(top *folder.Folder, path string) (again.Mark, error) {
	var st folder.Stat
	err := top.Lstat(path, &st)
	if err != nil && !isMissing(err) {
		return again.Mark{}, err
	}
	m := again.Mark{Path: path}
	if err == nil {
		m.Ino, m.Modified, m.Changed = st.Ino, st.Mtime, st.Ctime
		if !st.Mode.IsDir() {
			m.Size = st.Size
		}
	}
	return m, nil
}

func isMissing(err error) bool {
	code := errorCode(err)
	return code == "ENOENT" || code == "ENOTDIR"
}

// watch notes the inputs before they are read: what changes while the install
// runs is then seen by the next one. It gives nil where one of them cannot be told
// by its mark, and of nil.
func (s *standing) watch(workspaces []string) *standing {
	if s == nil || s.note(workspaces) != nil {
		return nil
	}
	return s
}

func (s *standing) note(workspaces []string) error {
	top, err := folder.Open(s.dir)
	if err != nil {
		return err
	}
	defer top.Close()
	for _, path := range s.inputs(workspaces) {
		if _, err := top.Readlink(path); err == nil {
			return fmt.Errorf("%s: a link, which tells nothing of its file", path)
		}
		m, err := look(top, path)
		if err != nil {
			return err
		}
		s.marks = append(s.marks, m)
	}
	return nil
}

// keep writes the standing down after an install that left nothing to do.
// wrote says which inputs it wrote itself.
func (s *standing) keep(installed *lockfile.Lockfile, wrote func(path string) bool) error {
	top, err := folder.Open(s.dir)
	if err != nil {
		return err
	}
	defer top.Close()
	for i := range s.marks {
		if wrote(s.marks[i].Path) {
			if s.marks[i], err = look(top, s.marks[i].Path); err != nil {
				return err
			}
		}
	}
	more, err := lookAll(top, watched(installed))
	if err != nil {
		return err
	}
	for _, m := range more {
		// A .bin that comes into being changes the folder that it is in.
		if m.Ino != 0 || !strings.HasSuffix(m.Path, "/.bin") {
			s.marks = append(s.marks, m)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%s\n%s\n%d %d %d\n", standingMagic, s.dir, s.key, len(s.marks), len(s.said), s.funding)
	for _, m := range s.marks {
		b.Write(appendMark(b.AvailableBuffer(), m))
	}
	for _, line := range s.said {
		b.WriteString(strconv.Quote(line) + "\n")
	}
	return keepFile(s.file, b.Bytes(), 0o755, 0o644)
}

// watched lists what an install leaves of which something may come or go: the
// hidden lockfile, the packages, and every folder that they stand in up to the
// outermost node_modules. Nothing can happen to a link but in its folder.
func watched(installed *lockfile.Lockfile) []string {
	paths := []string{lockfile.HiddenName}
	seen := map[string]bool{}
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			paths = append(paths, path)
		}
	}
	for _, p := range installed.Packages {
		loc := string(p.Location)
		if p.InBundle || !p.Location.InNodeModules() {
			continue
		}
		from := loc
		if p.Link {
			from = parentOf(loc)
		}
		for dir := from; dir != "." && strings.Contains(dir+"/", "node_modules/") && !seen[dir]; dir = parentOf(dir) {
			add(dir)
		}
		if p.Link || p.Meta != nil && len(p.Meta.Bin) > 0 {
			add(loc[:strings.LastIndex(loc, "node_modules/")] + "node_modules/.bin")
		}
	}
	return paths
}

// lookAll takes the marks of many paths, on all processors.
func lookAll(top *folder.Folder, paths []string) ([]again.Mark, error) {
	marks := make([]again.Mark, len(paths))
	var eg errgroup.Group
	size := (len(paths) + processors - 1) / processors
	for from := 0; from < len(paths); from += size {
		eg.Go(func() error {
			for i := from; i < min(from+size, len(paths)); i++ {
				var err error
				if marks[i], err = look(top, paths[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return marks, eg.Wait()
}

// keepFile gives a file of ibid's own its content in one step, in a folder
// that is made where it is missing. Processes that write the same file at once do
// not get into each other's way.
func keepFile(file string, data []byte, folder, perm os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(file), folder); err != nil {
		return err
	}
	tmp := file + ".tmp-" + strconv.Itoa(os.Getpid())
	// What has the name is of a run that was killed, or a link in a cache that the
	// project brings, which leads to another file.
	os.Remove(tmp)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, file)
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}

// holds says whether everything is as it was when the standing was kept.
func (s *standing) holds() bool {
	data, err := regular.ReadOwn(s.file, regular.MaxSize)
	if err != nil {
		return false
	}
	r := lines{rest: string(data)}
	if r.next() != standingMagic || r.next() != s.dir || r.next() != s.key {
		return false
	}
	var marks, said int
	if _, err := fmt.Sscan(r.next(), &marks, &said, &s.funding); err != nil || marks < 0 || marks > len(data) {
		return false
	}
	top, err := folder.Open(s.dir)
	if err != nil {
		return false
	}
	defer top.Close()
	seen := make([]again.Mark, 0, marks)
	for range marks {
		want, ok := parseMark(r.next())
		if !ok {
			return false
		}
		if got, err := look(top, want.Path); err != nil || got != want {
			return false
		}
		seen = append(seen, want)
	}
	for range said {
		text, err := strconv.Unquote(r.next())
		if err != nil {
			return false
		}
		s.said = append(s.said, text)
	}
	if marks == 0 || r.rest != "" {
		return false
	}
	s.marks = seen
	return true
}

type lines struct{ rest string }

func (l *lines) next() string {
	line, rest, _ := strings.Cut(l.rest, "\n")
	l.rest = rest
	return line
}

// appendMark writes a mark as parseMark reads it, with the end of the line.
func appendMark(b []byte, m again.Mark) []byte {
	b = strconv.AppendUint(b, m.Ino, 36)
	for _, n := range [...]int64{m.Size, m.Modified, m.Changed} {
		b = strconv.AppendInt(append(b, ' '), n, 36)
	}
	return append(append(append(b, ' '), m.Path...), '\n')
}

func parseMark(line string) (m again.Mark, ok bool) {
	var fields [4]string
	for i := range fields {
		if fields[i], line, ok = strings.Cut(line, " "); !ok {
			return m, false
		}
	}
	ino, err1 := strconv.ParseUint(fields[0], 36, 64)
	size, err2 := strconv.ParseInt(fields[1], 36, 64)
	modified, err3 := strconv.ParseInt(fields[2], 36, 64)
	changed, err4 := strconv.ParseInt(fields[3], 36, 64)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || line == "" {
		return m, false
	}
	return again.Mark{Path: line, Ino: ino, Size: size, Modified: modified, Changed: changed}, true
}

// rememberable says whether the next install could do nothing: what npm does on
// every install, such as the scripts of linked folders, it must do again.
func (a *App) rememberable(o *outcome, c change) bool {
	cfg := a.Config
	if !c.bare || cfg.Global() || cfg.Bool("dry-run") || cfg.PackageLockOnly() || !cfg.PackageLock() || a.inPart(o.project) {
		return false
	}
	if o.project.file == nil || strings.Contains(string(o.project.manifest().Workspaces), "**") {
		return false
	}
	if o.noHidden || o.linked != nil && !o.linked.Settled() {
		return false
	}
	for n := range o.result.Tree.Inventory {
		if n.IsLink() && (!o.project.isWorkspace(n.Realpath()) || !cfg.Bool("ignore-scripts")) {
			return false
		}
	}
	return true
}

func (p *project) isWorkspace(dir string) bool {
	for _, w := range p.workspaces {
		if w.Path == dir {
			return true
		}
	}
	return false
}

// remember keeps the standing of an install that is done. That it cannot be
// kept costs time, nothing else.
func (a *App) remember(s *standing, o *outcome, installed *lockfile.Lockfile) {
	s.said = lifecycle.BlockedLines(o.unreviewed, false)
	s.funding = o.funding
	wrote := func(path string) bool { return path == filepath.Base(o.project.lockPath) || o.project.saved[path] }
	if err := s.keep(installed, wrote); err != nil {
		a.log(levelVerbose, "remembering the project's state: "+err.Error())
		return
	}
	o.kept = s
}
