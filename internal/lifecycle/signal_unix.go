//go:build unix

package lifecycle

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// signals are those that ibid gets while a script has the terminal.
type signals struct {
	c       chan os.Signal
	cmd     *exec.Cmd
	ttyPeer bool // the terminal gives its signals to the script, too
	// answer is how long a script that was being started when a signal came has
	// to end of itself; then it has missed the signal.
	answer time.Duration
}

// noSignals leaves all signals to others.
func noSignals() *signals { return &signals{} }

func takeSignals(cmd *exec.Cmd, o Options) *signals {
	s := &signals{c: make(chan os.Signal, 8), cmd: cmd, ttyPeer: foregroundGroup(o.Stdin, o.Stdout, o.Stderr), answer: 500 * time.Millisecond}
	signal.Notify(s.c, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	return s
}

func (s *signals) stop() {
	if s.c != nil {
		signal.Stop(s.c)
	}
}

// forward passes a signal on, but not one that the terminal gives to the script as
// well: then it is false.
func (s *signals) forward(sig os.Signal) bool {
	if s.ttyPeer && (sig == unix.SIGINT || sig == unix.SIGQUIT) {
		return false
	}
	if s.cmd.Process != nil {
		_ = s.cmd.Process.Signal(sig)
	}
	return true
}

// foregroundGroup says whether ibid's process group has the terminal that is
// one of the streams.
func foregroundGroup(streams ...any) bool {
	for _, stream := range streams {
		f, ok := stream.(*os.File)
		if !ok || f == nil {
			continue
		}
		if group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP); err == nil {
			return group == unix.Getpgrp()
		}
	}
	return false
}

func terminate(cmd *exec.Cmd) { _ = cmd.Process.Signal(unix.SIGTERM) }

func setVerbatim(*exec.Cmd, string) {}

func signalOf(state *os.ProcessState) (name string, number int) {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return "", 0
	}
	return unix.SignalName(status.Signal()), int(status.Signal())
}

// Raise sends the signal that ended a script to ibid itself, so that whoever
// started ibid sees the same end (run-script lib/run-script-pkg.js does for
// foreground scripts). It returns when the signal didn't end the process.
func Raise(e *ExitError) {
	if e.Number <= 0 {
		return
	}
	sig := syscall.Signal(e.Number)
	signal.Reset(sig)
	_ = syscall.Kill(os.Getpid(), sig)
	time.Sleep(500 * time.Millisecond)
}

func fallbackShell(name string) string {
	if name == "sh" {
		return executable("/bin/sh", "")
	}
	return ""
}

func errnoName(err error) string {
	if errors.Is(err, exec.ErrNotFound) {
		return "ENOENT"
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return unix.ErrnoName(errno)
	}
	return ""
}
