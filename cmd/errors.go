package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/registry"
)

// What cmd asks of an error. A stage's own error types answer what they can.
type (
	// coder has npm's code for the error: "ETARGET".
	coder interface{ Code() string }
	// hinter has what a person can do next, each a sentence or a command.
	hinter interface{ Hints() []string }
	// chained has the chain of dependents that wanted the package, root first.
	chained interface{ Path() []string }
	// exiter has the status that ibid must end with: a script's.
	exiter interface{ ExitCode() int }
	// detailer has more lines than the message's own.
	detailer interface{ Detail() []string }
)

// usageError says that a command was called wrongly.
type usageError struct {
	text  string
	usage string // how it is called, may be ""
}

func (e *usageError) Error() string { return e.text }
func (e *usageError) Code() string  { return "EUSAGE" }
func (e *usageError) Detail() []string {
	if e.usage == "" {
		return nil
	}
	return strings.Split(e.usage, "\n")
}

// codedError is an error of the command line's own.
type codedError struct {
	code   string
	text   string
	detail []string
	hints  []string
	cause  error
	// summary is what --json calls so, where npm has more in it than text.
	summary string
}

func (e *codedError) Summary() string  { return e.summary }
func (e *codedError) Unwrap() error    { return e.cause }
func (e *codedError) Error() string    { return e.text }
func (e *codedError) Code() string     { return e.code }
func (e *codedError) Detail() []string { return e.detail }
func (e *codedError) Hints() []string  { return e.hints }

// statusError ends ibid with a status and prints nothing: all is said already.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }
func (e statusError) ExitCode() int { return int(e) }

// errorCode gives npm's code for any error.
func errorCode(err error) string {
	var c coder
	if errors.As(err, &c) && c.Code() != "" {
		return c.Code()
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if name := errnoName(errno); name != "" {
			return name
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "ENOENT"
	case errors.Is(err, fs.ErrPermission):
		return "EACCES"
	case errors.Is(err, fs.ErrExist):
		return "EEXIST"
	case errors.Is(err, context.Canceled):
		return "EINTERRUPTED"
	}
	return ""
}

// exitStatus is npm's: a script's own status, else 1.
func exitStatus(err error) int {
	var e exiter
	if errors.As(err, &e) && e.ExitCode() > 0 {
		return e.ExitCode()
	}
	return 1
}

// status is what ibid ends with. Called as npm it has npm's numbers for errors of
// the system: node's errno, 254 for ENOENT.
func (a *App) status(err error) int {
	status := exitStatus(err)
	if a.heading == "npm" && status == 1 && errorCode(err) == "ENOENT" {
		return 254 // not each of them is the system's: a shell that is not on the PATH
	}
	var errno syscall.Errno
	if status != 1 || a.heading != "npm" || !errors.As(err, &errno) {
		return status
	}
	var path *fs.PathError
	var link *os.LinkError
	var start *lifecycle.StartError
	if errors.As(err, &path) || errors.As(err, &link) || errors.As(err, &start) {
		return int(uint8(-int(errno)))
	}
	return status
}

// report prints an error in the one form that ibid has for them and gives the
// status to exit with.
func (a *App) report(err error) int {
	status := a.status(err)
	var quiet statusError
	if errors.As(err, &quiet) {
		var script shelledOut
		switch {
		case !a.json():
		case errors.As(err, &script):
			a.printJSON(jsjson.NewObject(jsjson.Member{Key: "error", Value: jsjson.NewObject(
				jsjson.Member{Key: "code", Value: jsjson.NewNumber(float64(status))},
				jsjson.Member{Key: "summary", Value: jsjson.NewString("")},
				jsjson.Member{Key: "detail", Value: jsjson.NewString("")},
			)}))
		case !a.partial.IsUndefined():
			a.printJSON(a.partial)
		}
		return status
	}
	e := a.explained(err)
	if a.json() {
		shown := a.partial
		if !shown.IsObject() {
			shown = jsjson.NewObject()
		}
		a.printJSONText(jsjson.Append(nil, shown.With("error", e.json), "  ", "\n"))
	}
	e.print(a)
	return status
}

// explanation is an error as people and programs get it.
type explanation struct {
	code, text          string
	path, detail, hints []string
	json                jsjson.Value
}

// explained asks an error for all that is said of it.
func (a *App) explained(err error) explanation {
	e := explanation{code: errorCode(err)}
	var d detailer
	if errors.As(err, &d) {
		e.detail = d.Detail()
	}
	var h hinter
	if errors.As(err, &h) {
		e.hints = h.Hints()
	}
	var p chained
	if errors.As(err, &p) {
		e.path = p.Path()
	}
	if len(e.hints) == 0 {
		e.hints = hintsFor(err)
		if a.Config != nil && a.Config.Global() && errors.Is(err, fs.ErrPermission) && runtime.GOOS != "windows" {
			e.hints = append(e.hints, "ibid config set prefix=~/.local  has global packages where you may write; ~/.local/bin has to be on the PATH")
		}
	}
	var unknown *config.UnknownFlagError
	if errors.As(err, &unknown) {
		e.hints = append(e.hints, a.nearFlags(unknown.Keys)...)
	}
	// What was asked for may have a password in it, as URLs have: errors name it.
	for _, lines := range [...]*[]string{&e.detail, &e.path} {
		*lines = slices.Clone(*lines)
		for i, line := range *lines {
			(*lines)[i] = config.RedactMessage(line)
		}
	}
	e.text = a.ownHelp(term.Safe(config.RedactMessage(err.Error())))
	summary := e.text
	var s interface{ Summary() string }
	if errors.As(err, &s) && s.Summary() != "" {
		summary = term.Safe(config.RedactMessage(s.Summary()))
	}
	lines := slices.Clone(e.detail)
	for _, hint := range e.hints {
		lines = append(lines, a.asCalled(hint))
	}
	members := []jsjson.Member{textMember("summary", summary), textMember("detail", strings.Join(lines, "\n"))}
	switch n, err := strconv.Atoi(e.code); {
	case err == nil: // a script's status, or git's
		members = append([]jsjson.Member{{Key: "code", Value: jsjson.NewNumber(float64(n))}}, members...)
	case e.code != "":
		members = append([]jsjson.Member{textMember("code", e.code)}, members...)
	}
	var refused *registry.Error
	if errors.As(err, &refused) {
		if auth, done := refused.AuthURLs(); auth != "" {
			members = append(members, textMember("authUrl", auth), textMember("doneUrl", done))
		}
	}
	e.json = jsjson.NewObject(members...)
	return e
}

// print shows it to people.
func (e explanation) print(a *App) {
	if e.code != "" {
		a.log(levelError, "code "+e.code)
	}
	for line := range strings.SplitSeq(e.text, "\n") {
		a.log(levelError, line)
	}
	if len(e.path) > 0 {
		a.log(levelError, "  "+term.SafeLine(strings.Join(e.path, " › ")))
	}
	for _, line := range e.detail {
		a.log(levelError, strings.TrimRight("  "+term.Safe(a.asCalled(line)), " "))
	}
	for _, hint := range e.hints {
		a.hint(hint)
	}
}

// hintsFor knows what to do about the system's own errors.
func hintsFor(err error) []string {
	var lock *lockfile.ParseError
	var file *manifest.Error
	var location *linker.LocationError
	switch {
	case errors.As(err, &lock) && lock.Side != "":
		return []string{"git checkout --ours " + quoteWord(lock.File) + " && ibid install starts from our side and makes the lock fit package.json"}
	case errors.As(err, &lock):
		return []string{"it was left as it is; git diff " + quoteWord(lock.File) + " may show what happened to it"}
	case errors.As(err, &file):
		return []string{"git diff " + quoteWord(file.Path) + " may show what happened to it"}
	case errors.As(err, &location):
		return []string{"the lock has that entry: remove the lock and node_modules, and ibid install makes both anew"}
	case missesProject(err):
		return []string{"go to the folder that has one, or make one here: ibid init -y"}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		what := "nothing was changed"
		if errors.Is(err, errEmptied) {
			what = "node_modules had been emptied and is not complete, package.json and the lock were not changed"
		}
		full, where := "the disk is full", "some room"
		if dirs := foldersOf(err); len(dirs) > 0 {
			where += " where " + quoteWord(dirs[0]) + " is"
		}
		if errors.Is(err, syscall.EDQUOT) {
			full = "your quota of the disk is used up"
		}
		return []string{full + ": " + what + "; free " + where + " and run the same command again"}
	case errors.Is(err, syscall.EROFS):
		what := "it"
		if dirs := foldersOf(err); len(dirs) > 0 {
			what = quoteWord(dirs[0])
		}
		return []string{what + " is on a file system that may only be read: copy the project to one that may be written to, or mount this one so; --cache <folder> moves the cache"}
	case errors.Is(err, syscall.EMFILE):
		return []string{fmt.Sprintf("a process may have %d files open here: run ulimit -n 1024 first, where that is allowed, or add --maxsockets=4", folder.MaxOpen())}
	case errors.Is(err, syscall.ENFILE):
		return []string{"all programs together have as many files open as the system allows: end one that has many, and run the same command again"}
	case errors.Is(err, fs.ErrPermission):
		if dirs := foldersOf(err); len(dirs) > 0 {
			for i, dir := range dirs {
				dirs[i] = quoteWord(dir)
			}
			return []string{"ls -ld " + strings.Join(dirs, " ") + " shows who may write there"}
		}
		var pe *fs.PathError
		if errors.As(err, &pe) && filepath.IsAbs(pe.Path) {
			return []string{"ls -ld " + quoteWord(pe.Path) + " shows who may read it"}
		}
	}
	return nil
}

// missesProject says whether what is not there is the package.json of a project: one
// in node_modules is nothing that a person would write.
func missesProject(err error) bool {
	var pe *fs.PathError
	return errors.As(err, &pe) && errors.Is(pe, fs.ErrNotExist) && filepath.Base(pe.Path) == "package.json" &&
		!slices.Contains(strings.Split(filepath.ToSlash(pe.Path), "/"), "node_modules")
}

// foldersOf gives the folders in which the system refused to make, move or remove
// something. What has not been made has none yet: of such the nearest that is there.
// None are given for what is there and was to be opened.
func foldersOf(err error) []string {
	var pe *fs.PathError
	var le *os.LinkError
	var paths []string
	switch {
	case errors.As(err, &pe):
		paths = []string{pe.Path}
		if _, e := os.Lstat(pe.Path); e == nil && (pe.Op == "open" || pe.Op == "read") {
			return nil
		}
	case errors.As(err, &le):
		paths = []string{le.New, le.Old}
	}
	var dirs []string
	for _, path := range paths {
		if !filepath.IsAbs(path) {
			continue
		}
		dir := nearestFolder(filepath.Dir(path))
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// nearestFolder is a folder, or the nearest one above it that is there.
func nearestFolder(dir string) string {
	for {
		up := filepath.Dir(dir)
		if st, err := os.Stat(dir); err == nil && st.IsDir() || up == dir {
			return dir
		}
		dir = up
	}
}
