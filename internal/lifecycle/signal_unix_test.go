//go:build unix

package lifecycle

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// A foreground script answers signals itself: ibid passes them on, waits, and
// reports how the script ended, even when its own context ended, too.
func TestForegroundScriptsAnswerSignals(t *testing.T) {
	needSh(t)
	if testing.Short() {
		t.Skip("sends signals to the test process")
	}
	for _, c := range []struct {
		name, command string
		signal        syscall.Signal
		want          string
	}{
		{"a clean end is a success", `trap 'exit 0' TERM; echo; while :; do sleep 0.05; done`, syscall.SIGTERM, ""},
		{"its own status counts", `trap 'exit 9' TERM; echo; while :; do sleep 0.05; done`, syscall.SIGTERM, "9"},
		{"dying of it is reported as that", `echo; exec sleep 60`, syscall.SIGTERM, "SIGTERM"},
		{"a terminal that is closed", `trap 'exit 4' HUP; echo; while :; do sleep 0.05; done`, syscall.SIGHUP, "4"},
		{"SIGQUIT", `trap 'exit 5' QUIT; echo; while :; do sleep 0.05; done`, syscall.SIGQUIT, "5"},
		{"a SIGINT that no terminal gave it", `trap 'exit 6' INT; echo; while :; do sleep 0.05; done`, syscall.SIGINT, "6"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := signal.NotifyContext(t.Context(), c.signal)
			defer stop()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _, _ = r.Close(), w.Close() }()
			go func() {
				_, _ = r.Read(make([]byte, 1))
				_ = syscall.Kill(os.Getpid(), c.signal)
			}()
			err = Run(ctx, Options{Dir: t.TempDir(), Event: "start", Command: c.command, Environ: base(), Foreground: true, Stdout: w})
			got := ""
			var exit *ExitError
			if errors.As(err, &exit) {
				got = exit.Code()
			} else if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("code %q, want %q", got, c.want)
			}
		})
	}
}

// The terminal gives Ctrl-C to ibid and to the script: passed on, it would
// arrive there twice.
func TestASignalOfTheTerminalIsNotPassedOn(t *testing.T) {
	needSh(t)
	for _, c := range []struct {
		name    string
		ttyPeer bool
		want    string
	}{
		{"the terminal gave it to both", true, "exit status 7"},
		{"ibid alone got it", false, "exit status 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", `trap 'exit 3' INT; trap 'exit 7' TERM; echo; while :; do sleep 0.05; done`)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := out.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			s := &signals{cmd: cmd, ttyPeer: c.ttyPeer}
			s.forward(syscall.SIGINT)
			if c.ttyPeer {
				s.forward(syscall.SIGQUIT)
				s.forward(syscall.SIGTERM)
			}
			if err := cmd.Wait(); err == nil || err.Error() != c.want {
				t.Errorf("the script ended with %v, want %s", err, c.want)
			}
		})
	}
}

// Ctrl-C in the instant between ibid's word that a script runs and its start
// reaches ibid and not the script: the script is not started.
func TestASignalBeforeTheStartPreventsIt(t *testing.T) {
	s := &signals{c: make(chan os.Signal, 1), ttyPeer: true}
	if err := s.stopping(t.Context()); err != nil {
		t.Errorf("without a signal: %v", err)
	}
	s.c <- syscall.SIGINT
	if err := s.stopping(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("with one: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("told to stop")
	cancel(why)
	if err := s.stopping(ctx); !errors.Is(err, why) {
		t.Errorf("after the context has ended: %v", err)
	}
}

// One that comes while the shell starts may have missed it, or have been caught
// by the shell, which then waits for the command that it starts.
func TestASignalDuringTheStartEndsTheScript(t *testing.T) {
	needSh(t)
	for _, script := range []string{"echo; exec sleep 20", "trap '' INT; echo; exec sleep 20"} {
		cmd := exec.Command("sh", "-c", script)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		s := &signals{c: make(chan os.Signal, 1), cmd: cmd, ttyPeer: true, answer: 50 * time.Millisecond}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		s.c <- syscall.SIGINT
		if err := waitFor(t.Context(), cmd, new(streams), s); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the reason is %v", script, err)
		}
		if got := cmd.ProcessState.String(); got != "signal: terminated" {
			t.Errorf("%s: it ended with %q", script, got)
		}
	}
}

// Where the script got it too, how the script ends is how ibid does; a success says
// nothing of the signal.
func TestAScriptThatASignalDuringTheStartEnded(t *testing.T) {
	needSh(t)
	for script, want := range map[string]struct {
		end string
		err error
	}{
		"kill -INT $$":    {end: "signal: interrupt"},
		"sleep 0; exit 3": {end: "exit status 3"},
		"exit 0":          {end: "exit status 0", err: context.Canceled},
	} {
		cmd := exec.Command("sh", "-c", script)
		s := &signals{c: make(chan os.Signal, 1), cmd: cmd, ttyPeer: true, answer: time.Minute}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		s.c <- syscall.SIGINT
		if err := waitFor(t.Context(), cmd, new(streams), s); err != want.err {
			t.Errorf("%s: the reason is %v", script, err)
		}
		if got := cmd.ProcessState.String(); got != want.end {
			t.Errorf("%s: it ended with %q", script, got)
		}
	}
}

// One that is passed on is the script's to answer, though it came early.
func TestASignalPassedOnDuringTheStartIsAnswered(t *testing.T) {
	needSh(t)
	cmd := exec.Command("sh", "-c", "trap 'sleep 0.2; exit 3' TERM; echo; while :; do sleep 0.05; done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &signals{c: make(chan os.Signal, 1), cmd: cmd}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.c <- syscall.SIGTERM
	if err := waitFor(ctx, cmd, new(streams), s); err != nil {
		t.Errorf("the reason is %v", err)
	}
	if got := cmd.ProcessState.String(); got != "exit status 3" {
		t.Errorf("it ended with %q", got)
	}
}
