package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/cmd/again"
	"github.com/ibid-pm/ibid/internal/config"
)

// keepAnswer keeps what this install said, which found nothing to do, for the
// next one that is called in the same way. Nothing that npm does on every
// install, such as the project's own scripts, may have been done.
func (a *App) keepAnswer(s *standing) {
	cfg := a.Config
	if a.json() || cfg.Bool("timing") || a.Cwd != s.dir || a.level > levelNotice || a.heard.Len() >= maxHeard || a.hasRootScripts() {
		return
	}
	call, ok := again.This()
	if !ok || call.File() == "" || !slices.Equal(call.Args, a.Argv) || !slices.Equal(call.Environ, a.Environ) {
		return
	}
	marks, err := a.callMarks(&call)
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
	_ = keepFile(call.File(), call.Encode(answer), 0o700, 0o600) // without it the next run is slower
}

// callMarks takes the marks of what a run looks at before it looks at the
// project: ibid itself, node, and all that settles the configuration.
func (a *App) callMarks(call *again.Call) ([]again.Mark, error) {
	paths := []string{call.Exe, "binding.gyp"}
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
	node := a.Config.NodePath()
	for _, dir := range filepath.SplitList(a.Config.Getenv("PATH")) {
		file := filepath.Join(dir, "node")
		paths = append(paths, file)
		if file == node {
			break
		}
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
