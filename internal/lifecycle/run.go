package lifecycle

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// grace is how long a script has between being asked to end and being ended.
const grace = 5 * time.Second

// Options say what Run is to run. Dir, Event and Command are needed.
type Options struct {
	Dir     string   // the package's folder, absolute; the script runs there
	Event   string   // "postinstall", "test"
	Command string   // as in package.json
	Args    []string // added to Command, quoted for the shell

	PackageID string // "name@version", or "": for errors

	// Environ is the environment to start from, with all that npm sets for
	// itself (npm_config_*, INIT_CWD …); nil is the process's own. Env is added
	// to it: see PackageEnv. npm_package_json, npm_lifecycle_event,
	// npm_lifecycle_script, npm_config_node_gyp and PATH are added by Run.
	Environ []string
	Env     []string

	BinPaths []string // folders that come first on the script's PATH
	Shell    string   // script-shell; "" is sh, on Windows %ComSpec%
	NodeGyp  NodeGyp

	// Foreground gives the script the terminal: Stdin, Stdout and Stderr are
	// its own, and signals are its to answer (see Run). Otherwise it has no
	// input, and output without a writer is kept for ExitError.
	Foreground     bool
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Warn gets lines for the log, prefix "run-script". May be nil.
	Warn func(message string)
}

// Run runs one script and waits for it (run-script lib/run-script-pkg.js).
//
// The error is an *ExitError when the script failed, a *StartError when its
// shell could not be started, and wraps the context's cause when that ended
// the script: it is asked to end (SIGTERM) and after five seconds made to.
//
// The script stays in ibid's process group, as with npm, so that the terminal's
// Ctrl-C reaches it directly. While a Foreground script runs, SIGINT, SIGTERM
// and SIGHUP don't end ibid: they are passed on, except a SIGINT that the
// terminal has already given to the script — a server that shuts down cleanly
// on the first Ctrl-C and at once on the second must get one, not two. When
// ctx is cancelled by the same signal, Run goes on waiting for the script.
func Run(ctx context.Context, o Options) error {
	if err := o.stopped(ctx); err != nil {
		return err
	}
	s, err := Prepare(o)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// stopped is the error of a script whose context has ended before it began.
func (o *Options) stopped(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", o.subject(), context.Cause(ctx))
}

// Script is a script that is ready to run, once.
type Script struct {
	o     Options
	shell shellCommand
	cmd   *exec.Cmd
}

// Run is the function Run for a script that was prepared.
func (s *Script) Run(ctx context.Context) error {
	if err := s.o.stopped(ctx); err != nil {
		return err
	}
	o, shell, cmd := &s.o, s.shell, s.cmd
	var out streams
	var stdout, stderr tail
	if o.Foreground {
		cmd.Stdin = o.Stdin
		out.connect(cmd, o.Stdout, o.Stderr)
	} else {
		out.connect(cmd, or(o.Stdout, &stdout), or(o.Stderr, &stderr))
	}

	signals := noSignals()
	if o.Foreground {
		signals = takeSignals(cmd, *o)
	}
	defer signals.stop()

	if stop := signals.stopping(ctx); stop != nil {
		out.abandon()
		return fmt.Errorf("%s: %w", o.subject(), stop)
	}
	if out.err == nil {
		out.err = cmd.Start()
	}
	if out.err != nil {
		out.abandon()
		return o.cannotStart(shell, out.err)
	}
	out.started()
	cancelled := waitFor(ctx, cmd, &out, signals)

	if state := cmd.ProcessState; cancelled == nil && state != nil && !state.Success() {
		name, number := signalOf(state)
		e := &ExitError{
			PackageID: o.PackageID, Event: o.Event, Script: o.Command,
			Shell: shell.shell, Args: shell.args, Dir: cmd.Dir,
			Signal: name, Number: number,
			Stdout: stdout.String(), Stderr: stderr.String(),
		}
		if name == "" {
			e.Status = state.ExitCode()
		}
		return e
	}
	if cancelled != nil {
		return fmt.Errorf("%s: %w", o.subject(), cancelled)
	}
	if out.err != nil {
		return fmt.Errorf("%s: reading output: %w", o.subject(), out.err)
	}
	return nil
}

// Prepare makes what Run starts. The error is a *StartError when there is no shell.
func Prepare(o Options) (*Script, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("%s: finding folder: %w", o.subject(), err)
	}
	env, basePath := o.environ(dir)
	shell := newShellCommand(o.Shell, env.get("ComSpec"), o.Command, o.Args, runtime.GOOS == "windows",
		func(name string) string { return lookPath(name, env.get("PATH"), env.get("PATHEXT")) })
	program := shell.shell
	if !strings.ContainsAny(program, `/\`) {
		// On the PATH as it was: node would search the script's own, where any
		// dependency can put a "sh".
		if program = lookPath(shell.shell, basePath, env.get("PATHEXT")); program == "" {
			if program = fallbackShell(shell.shell); program == "" {
				return nil, o.cannotStart(shell, &exec.Error{Name: shell.shell, Err: exec.ErrNotFound})
			}
		}
	}
	cmd := shell.cmd(program)
	cmd.Env, cmd.Dir = env.lines(), dir
	return &Script{o, shell, cmd}, nil
}

func (o *Options) cannotStart(shell shellCommand, err error) error {
	return &StartError{PackageID: o.PackageID, Event: o.Event, Shell: shell.shell, Configured: o.Shell != "", Err: err}
}

// Program gives the file that Run starts, its arguments with its name first, its
// environment and its folder.
func (s *Script) Program() (path string, args, environ []string, dir string) {
	return s.cmd.Path, s.cmd.Args, s.cmd.Env, s.cmd.Dir
}

func (o *Options) subject() string {
	if o.PackageID != "" {
		return o.PackageID + ": running " + o.Event + " script"
	}
	return "running " + o.Event + " script"
}

// environ builds the child's environment; also the PATH before the script's
// own folders were added. The order is run-script's: the later wins.
func (o *Options) environ(dir string) (env *environment, basePath string) {
	base := o.Environ
	if base == nil {
		base = os.Environ()
	}
	env = newEnvironment(len(base) + len(o.Env) + 8)
	env.add(base)
	basePath = env.get("PATH")
	for _, line := range o.Env {
		if i := strings.IndexByte(line, '='); i > 0 && !credentialVariable(line[:i]) {
			env.set(line[:i], line[i+1:])
		}
	}
	env.set("npm_package_json", filepath.Join(dir, "package.json"))
	env.set("npm_lifecycle_event", o.Event)
	env.set("npm_lifecycle_script", o.Command)
	if o.NodeGyp.Script != "" {
		env.set("npm_config_node_gyp", o.NodeGyp.Script)
	}
	if o.Warn != nil {
		for _, bin := range o.BinPaths {
			if strings.ContainsRune(bin, os.PathListSeparator) {
				o.Warn(fmt.Sprintf("Path contains delimiter (%q), %q script may not behave as expected.", string(os.PathListSeparator), o.Event))
			}
		}
	}
	env.searchPath(dir, o.BinPaths, o.NodeGyp.BinDir)
	return env, basePath
}

// stopping gives the reason why a script is not to be started any more. What
// tells ibid to stop after it said what it runs, and before that runs, reaches
// ibid alone.
func (s *signals) stopping(ctx context.Context) error {
	select {
	case <-s.c:
		return causeOf(ctx)
	default:
		return context.Cause(ctx)
	}
}

// causeOf is why a context ends that the signal at hand is about to end.
func causeOf(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(soon):
		return context.Canceled
	}
}

// soon is how far apart a signal arrives at two places.
const soon = 50 * time.Millisecond

// next waits a moment for a signal that cancelled the context and is about to
// arrive here.
func (s *signals) next() os.Signal {
	if s.c == nil {
		return nil
	}
	select {
	case sig := <-s.c:
		return sig
	case <-time.After(soon):
		return nil
	}
}

// waitFor waits until the script, which was just started, has ended and its
// output is read. It gives the reason when the context ended it.
func waitFor(ctx context.Context, cmd *exec.Cmd, out *streams, signals *signals) error {
	ended := make(chan struct{})
	go func() {
		// The state is read from cmd; other errors can't happen, since all the
		// files are real ones.
		_ = cmd.Wait()
		out.wait()
		close(ended)
	}()
	end := func() {
		terminate(cmd)
		select {
		case <-ended:
		case <-time.After(grace):
			_ = cmd.Process.Kill()
			select {
			case <-ended:
			case <-time.After(time.Second):
				// A grandchild holds the pipes open.
				out.abandon()
				<-ended
			}
		}
	}
	done := ctx.Done()
	select {
	case sig := <-signals.c:
		// It came while the script was being started. Where the terminal gave it
		// to the script as well, that is about to end, or was not there yet.
		if !signals.forward(sig) {
			select {
			case <-ended:
				if cmd.ProcessState != nil && !cmd.ProcessState.Success() {
					return nil // how it ended is its answer
				}
			case <-time.After(signals.answer):
				end()
			}
			return causeOf(ctx)
		}
		done = nil
	default:
	}
	for {
		select {
		case <-ended:
			return nil
		case sig := <-signals.c:
			// The context is likely to be cancelled by the same signal; the
			// script has it, and what it makes of it is its own business.
			done = nil
			signals.forward(sig)
		case <-done:
			if sig := signals.next(); sig != nil {
				done = nil
				signals.forward(sig)
				continue
			}
			end()
			return context.Cause(ctx)
		}
	}
}

func or(w, other io.Writer) io.Writer {
	if w != nil {
		return w
	}
	return other
}
