package lifecycle

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// signals are the console's events that ibid gets while a script has the
// console. Windows gives them to every process of the console, so nothing is
// passed on.
type signals struct {
	c      chan os.Signal
	answer time.Duration // for none: all are forwarded
}

// noSignals leaves all signals to others.
func noSignals() *signals { return &signals{} }

func takeSignals(*exec.Cmd, Options) *signals {
	s := &signals{c: make(chan os.Signal, 8)}
	signal.Notify(s.c, os.Interrupt)
	return s
}

func (s *signals) stop() {
	if s.c != nil {
		signal.Stop(s.c)
	}
}

func (s *signals) forward(os.Signal) bool { return true }

func terminate(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func setVerbatim(cmd *exec.Cmd, line string) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: line}
}

func signalOf(*os.ProcessState) (string, int) { return "", 0 }

// Raise does nothing: Windows ends no process by a signal.
func Raise(*ExitError) {}

func fallbackShell(name string) string {
	if name == "cmd.exe" || name == "cmd" {
		return executable(os.Getenv("SystemRoot")+`\System32\cmd.exe`, "")
	}
	return ""
}

func errnoName(err error) string {
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "ENOENT"
	case errors.Is(err, fs.ErrPermission):
		return "EACCES"
	}
	return ""
}
