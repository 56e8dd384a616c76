package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/term"
)

// A debugLog keeps what a run logged, on every level, in a file of the folder
// logs-dir, and there the newest logs-max files (npm: lib/utils/log-file.js).
// It is written when the run ends, or once there is much of it: most runs are
// over before a file could be opened. It is for one goroutine at a time, and
// nil keeps nothing.
type debugLog struct {
	text   bytes.Buffer // what is not yet in the file
	lines  int
	opened bool
	closed bool
	file   *os.File
	path   string
	size   int
}

const (
	// debugPiece is how much of a log is kept in memory.
	debugPiece = 64 << 10
	// maxDebugLog ends a log that is of no use to anybody.
	maxDebugLog = 32 << 20
)

// add notes one line. open gives the file when it is wanted.
func (d *debugLog) add(name, prefix, line string, open func() (*os.File, string)) {
	if d == nil || d.closed || d.size > maxDebugLog {
		return
	}
	before := d.text.Len()
	b := strconv.AppendInt(d.text.AvailableBuffer(), int64(d.lines), 10)
	b = append(append(b, ' '), name...)
	if prefix != "" {
		b = append(append(b, ' '), prefix...)
	}
	d.text.Write(append(append(append(b, ' '), line...), '\n'))
	d.lines++
	d.size += d.text.Len() - before
	if d.text.Len() > debugPiece {
		d.flush(open)
	}
}

// flush writes what there is. A log that cannot be written is none.
func (d *debugLog) flush(open func() (*os.File, string)) {
	if d == nil || d.closed || d.text.Len() == 0 {
		return
	}
	if !d.opened {
		d.opened = true
		d.file, d.path = open()
	}
	if d.file != nil {
		if _, err := d.file.Write(d.text.Bytes()); err != nil {
			d.file.Close()
			d.file, d.path = nil, ""
		}
	}
	d.text.Reset()
}

// dropLog keeps nothing of this run, which has nothing to tell.
func (a *App) dropLog() {
	a.outMu.Lock()
	defer a.outMu.Unlock()
	if a.debug != nil && !a.debug.opened {
		a.debug.closed = true
	}
}

// logsDir is where the logs of runs are.
func (a *App) logsDir() string {
	if dir := a.Config.String("logs-dir"); dir != "" {
		return dir
	}
	return filepath.Join(a.Config.String("cache"), "_logs")
}

// logStamp is the start of the names of this run's files in logsDir.
func (a *App) logStamp() string {
	return strings.NewReplacer(":", "_", ".", "_").Replace(a.start.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// openLog makes the run's log and removes the oldest of what is too much.
func (a *App) openLog() (*os.File, string) {
	most := a.Config.Int("logs-max")
	if most <= 0 {
		return nil, ""
	}
	dir := a.logsDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, ""
	}
	for n := range 10 { // of runs that began in the same millisecond
		path := filepath.Join(dir, fmt.Sprintf("%s-debug-%d.log", a.logStamp(), n))
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if os.IsExist(err) {
			continue
		}
		if err != nil {
			return nil, ""
		}
		removeLogs(dir, most)
		return f, path
	}
	return nil, ""
}

// isLog says whether a file is a run's log: a project can say which folder is
// looked at, and nothing else may be removed there.
func isLog(name string) bool {
	stamp, rest, _ := strings.Cut(name, "-debug-")
	number, isLog := strings.CutSuffix(rest, ".log")
	_, err := time.Parse("2006-01-02T15_04_05", stamp[:max(len(stamp)-len("_000Z"), 0)])
	_, nerr := strconv.ParseUint(number, 10, 8)
	return isLog && err == nil && nerr == nil
}

// removeLogs leaves the newest logs in a folder, which their names tell.
func removeLogs(dir string, most int) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var logs []string
	for _, e := range entries {
		if name := e.Name(); isLog(name) && e.Type().IsRegular() {
			logs = append(logs, name)
		}
	}
	slices.Sort(logs)
	for _, name := range logs[:max(len(logs)-most, 0)] {
		os.Remove(filepath.Join(dir, name))
	}
}

// introduce begins the log as npm begins its own.
func (a *App) introduce() {
	node := a.Config.NodePath()
	a.log(levelVerbose, "cli "+strings.Join([]string{a.Argv[0], node}, " "))
	a.log(levelInfo, "using ibid@"+a.version()+" for npm@"+compatible)
	a.log(levelInfo, "using node at "+node)
	a.logPrefixed(levelVerbose, "title", a.heading+" "+strings.Join(a.safeArgs(), " "))
	a.logPrefixed(levelVerbose, "argv", term.SafeLine(fmt.Sprintf("%q", a.safeArgs())))
	a.logPrefixed(levelVerbose, "logfile", fmt.Sprintf("logs-max:%d dir:%s", a.Config.Int("logs-max"), a.logsDir()))
}

// safeArgs are the arguments without what nobody else is to know.
func (a *App) safeArgs() []string {
	out := make([]string, 0, len(a.Argv))
	protected := func(key string) bool { return config.IsProtected(key) || key == "otp" }
	secret := false // the value of the flag or, in config set, of the key before
	words := 0
	for _, arg := range a.Argv[min(1, len(a.Argv)):] {
		flag := strings.HasPrefix(arg, "-")
		if !flag {
			words++
		}
		key, _, whole := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case !flag && (secret || a.Command == "token" && words > 2): // token revoke takes a token
			arg = "***"
		case flag && whole && protected(key):
			arg = "--" + key + "=***"
		case whole && protected(key):
			arg = key + "=***"
		default:
			arg = config.RedactMessage(config.RedactWords(arg))
		}
		secret = !whole && protected(key)
		out = append(out, arg)
	}
	return out
}

// closeLog ends the log. failed says to tell where it is.
func (a *App) closeLog(status int, failed bool) {
	if a.debug == nil || a.Config == nil || a.Command == "" || a.Command == "completion" {
		return
	}
	if status != 0 {
		a.logPrefixed(levelVerbose, "cwd", a.Cwd)
		a.logPrefixed(levelVerbose, "os", runtime.GOOS+" "+runtime.GOARCH)
	}
	a.logPrefixed(levelVerbose, "exit", strconv.Itoa(status))
	a.log(levelInfo, fmt.Sprintf("took %dms", time.Since(a.start).Milliseconds()))
	a.outMu.Lock()
	a.debug.flush(a.openLog)
	path := a.debug.path
	if a.debug.file != nil {
		a.debug.file.Close()
	}
	a.debug.closed = true
	a.outMu.Unlock()
	if failed && path != "" {
		a.log(levelError, "A complete log of this run can be found in: "+path)
	}
}
