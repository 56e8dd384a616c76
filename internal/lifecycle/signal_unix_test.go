//go:build unix

package lifecycle

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// A foreground script answers signals itself: ibid passes them on, waits, and
// reports how the script ended, even when its own context ended, too.
func TestForegroundScriptsAnswerSignals(t *testing.T) {
	needSh(t)
	if testing.Short() {
		t.Skip("sends signals to the test process")
	}
	for _, c := range []struct {
		name, command, want string
	}{
		{"a clean end is a success", `trap 'exit 0' TERM; echo; while :; do sleep 0.05; done`, ""},
		{"its own status counts", `trap 'exit 9' TERM; echo; while :; do sleep 0.05; done`, "9"},
		{"dying of it is reported as that", `echo; exec sleep 60`, "SIGTERM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGTERM)
			defer stop()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _, _ = r.Close(), w.Close() }()
			go func() {
				_, _ = r.Read(make([]byte, 1))
				_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
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
