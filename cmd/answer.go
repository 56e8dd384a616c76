package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/cmd/again"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/lockfile"
)

// keepAnswer keeps what this install said, which found nothing to do, for the
// next one that is called in the same way. Nothing that npm does on every
// install, such as the project's own scripts, may have been done.
func (a *App) keepAnswer(s *standing) {
	cfg := a.Config
	if a.json() || a.Cwd != s.dir || a.hasRootScripts() {
		return
	}
	call, ok := a.thisCall()
	if !ok {
		return
	}
	marks, err := a.callMarks(call)
	if err != nil {
		return
	}
	// The summary is made once more, of a run that took no time.
	var text bytes.Buffer
	b := &App{Env: a.Env, Config: cfg, heading: a.heading, level: a.level, colour: a.colour}
	b.Stderr = &text
	b.summary(&outcome{standing: s})
	before, after, timed := strings.Cut(text.String(), tookText(0))
	if !timed && text.Len() > 0 {
		return
	}
	answer := &again.Answer{Marks: append(marks, s.marks...), Text: [2]string{a.heard.String() + before, after}}
	if text.Len() == 0 && a.heard.Len() == 0 {
		answer.Text = [2]string{}
	} else if !timed {
		return // a warning, and no place for the time
	}
	keepCall(call, answer)
}

// keepScript keeps how the only script of this run is started, before it is. seen are
// files that made it this one. Nothing but which one it is may have been said.
func (a *App) keepScript(r *runner, s *lifecycle.Script, seen []string) {
	path, args, environ, dir := s.Program()
	if a.Config.Global() || a.Cwd != dir || a.Cwd != a.Config.LocalPrefix() {
		return
	}
	if _, removed := execArgs(a.Argv[1:]); seen != nil && len(removed) > 0 {
		return // ibidx has said so
	}
	call, ok := a.thisCall()
	if !ok {
		return
	}
	looked := []string{
		"package.json", lockfile.LockName, lockfile.ShrinkwrapName, lockfile.HiddenName, "node_modules",
		path, a.execPath(), r.nodeGyp.Script, filepath.Join(r.nodeGyp.BinDir, "node-gyp"),
	}
	looked = append(append(looked, seen...), a.scopes...)
	looked = append(looked, filepath.SplitList(a.Config.Getenv("PATH"))...) // for sh and node-gyp
	marks, err := a.callMarks(call, looked...)
	if err != nil {
		return
	}
	if !a.settled(marks) {
		return
	}
	keepCall(call, &again.Answer{
		Marks: marks, Text: [2]string{a.heard.String()},
		Program: &again.Program{Path: path, Args: args, Environ: environ},
	})
}

// keepListing keeps what was printed of the tree that was looked at, where all of it
// comes from the hidden lockfile and the root's package.json, and nothing was said
// besides.
func (a *App) keepListing(t *lookedAt) {
	if a.heard.Len() > 0 || a.printed.Len() > maxPrinted || a.Cwd != t.dir || !t.root.FromHidden() || t.entries != nil || len(t.root.Package.Workspaces) > 0 {
		return
	}
	for n := range t.contents {
		if n != t.root {
			return // its package.json was read
		}
	}
	call, ok := a.thisCall()
	if !ok {
		return
	}
	folders := []string{"node_modules"}
	seen := map[string]bool{".": true, "node_modules": true}
	for n := range t.root.Inventory {
		if n.IsLink() {
			return // what it leads to has a package.json of its own
		}
		for dir := n.Location(); dir != "" && !seen[dir]; dir = parentOf(dir) {
			seen[dir] = true
			folders = append(folders, dir)
		}
	}
	marks, err := a.callMarks(call, "package.json", lockfile.LockName, lockfile.ShrinkwrapName, lockfile.HiddenName)
	if err != nil {
		return
	}
	top, err := folder.Open(t.dir)
	if err != nil {
		return
	}
	defer top.Close()
	more, err := lookAll(top, folders)
	if marks = append(marks, more...); err != nil || !a.settled(marks) {
		return
	}
	keepCall(call, &again.Answer{Marks: marks, Output: a.printed.String()})
}

// settled says whether nothing has changed since the run began: what did may have
// been read before.
func (a *App) settled(marks []again.Mark) bool {
	since := a.start.Add(-folder.ClockSlack).UnixNano()
	return !slices.ContainsFunc(marks, func(m again.Mark) bool { return max(m.Modified, m.Changed) > since })
}

// thisCall is how ibid was called, where answers can be kept, all that was said is
// known and will be the same, and what runs is this process.
func (a *App) thisCall() (*again.Call, bool) {
	if a.shim || a.Config.Bool("timing") || a.level > levelNotice || a.heard.Len() >= maxHeard {
		return nil, false
	}
	call, ok := again.This()
	return &call, ok && call.File() != "" && len(a.Argv) > 0 && slices.Equal(call.Args[1:], a.Argv[1:]) && slices.Equal(call.Environ, a.Environ)
}

// keepCall keeps the answer to a call. Without it the next run is slower.
func keepCall(call *again.Call, answer *again.Answer) {
	_ = keepFile(call.File(), call.Encode(answer), 0o700, 0o600)
}

// callMarks takes the marks of what a run looks at before it looks at the
// project: ibid itself, node, and all that settles the configuration; and those
// of more.
func (a *App) callMarks(call *again.Call, more ...string) ([]again.Mark, error) {
	paths := append([]string{call.Exe, "binding.gyp"}, more...)
	for _, l := range [...]config.Layer{config.Builtin, config.Project, config.User, config.Global} {
		if file := a.Config.Source(l); filepath.IsAbs(file) {
			paths = append(paths, file)
		}
	}
	// The folder that a command works in is looked for upwards.
	for dir := filepath.Dir(a.Cwd); ; dir = filepath.Dir(dir) {
		paths = append(paths, filepath.Join(dir, "package.json"))
		if dir == filepath.Dir(dir) {
			break
		}
	}
	for _, dir := range filepath.SplitList(a.Config.Getenv("PATH")) {
		paths = append(paths, filepath.Join(dir, "node"))
	}
	marks := make([]again.Mark, 0, len(paths)+2000)
	for _, path := range paths {
		for range maxLinks { // the mark of a link says nothing of its target
			m, err := again.Look(path)
			if err != nil {
				return nil, err
			}
			marks = append(marks, m)
			target, err := os.Readlink(path)
			if err != nil {
				break
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(path), target)
			}
			path = target
		}
	}
	return marks, nil
}

// maxLinks is how many symbolic links are followed from one to the next.
const maxLinks = 40
