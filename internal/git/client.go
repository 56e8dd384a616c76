package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Shallow says when clones get only the newest commit.
type Shallow uint8

const (
	ShallowKnown  Shallow = iota // on hosts that are known to do it well
	ShallowAlways                // git-shallow set
	ShallowNever
)

// Options are how git is used. The zero value is good.
type Options struct {
	Git     string   // the program (setting git); "" or "git" is the one on the PATH
	Environ []string // nil is the process's own

	// Retries after connection errors: at most two, as with npm, whatever
	// fetch-retries says; negative is none, 0 is two. The pauses are
	// fetch-retry-mintimeout × factor^n up to -maxtimeout; 0 is 1 s, 10, 60 s.
	Retries                int
	RetryFactor            float64
	RetryMin, RetryMaximum time.Duration

	Shallow Shallow

	// HTTPSResolved records the https URL for a spec that was written as one
	// (npm from 12 on). Otherwise hosted specs without credentials are
	// recorded with git+ssh (npm 11).
	HTTPSResolved bool

	Log *slog.Logger // nil is silence
}

// Client asks git. It remembers the refs it saw: each repository is asked once
// in a run. Methods may be called by many goroutines.
type Client struct {
	options Options

	findGit func() (string, error)
	environ func() []string

	mu   sync.Mutex
	revs map[string]*revsCall
}

// New makes a Client. Nothing is looked for before git is needed.
func New(o Options) *Client {
	if o.RetryFactor == 0 {
		o.RetryFactor = 10
	}
	if o.RetryMin == 0 {
		o.RetryMin = time.Second
	}
	if o.RetryMaximum == 0 {
		o.RetryMaximum = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{options: o, revs: make(map[string]*revsCall)}
	c.findGit = sync.OnceValues(c.lookPath)
	c.environ = sync.OnceValue(c.makeEnviron)
	return c
}

func (c *Client) lookPath() (string, error) {
	name := c.options.Git
	if name == "" {
		name = "git"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &MissingError{Err: err}
	}
	return path, nil
}

// repositoryVariables tie git to one repository. They are set while a hook
// runs, and an install in a hook must not clone into the project's own.
var repositoryVariables = map[string]bool{
	"GIT_DIR": true, "GIT_WORK_TREE": true, "GIT_INDEX_FILE": true, "GIT_PREFIX": true, "GIT_COMMON_DIR": true,
	"GIT_OBJECT_DIRECTORY": true, "GIT_ALTERNATE_OBJECT_DIRECTORIES": true, "GIT_NAMESPACE": true,
	"GIT_QUARANTINE_PATH": true, "GIT_SHALLOW_FILE": true, "GIT_GRAFT_FILE": true, "GIT_REPLACE_REF_BASE": true,
	"GIT_INTERNAL_SUPER_PREFIX": true, "GIT_IMPLICIT_WORK_TREE": true,
}

// makeEnviron sets what makes git fail instead of ask, unless the user has set
// it in the environment or in ~/.gitconfig (@npmcli/git lib/opts.js).
func (c *Client) makeEnviron() []string {
	base := c.options.Environ
	if base == nil {
		base = os.Environ()
	}
	set := make(map[string]string, len(base))
	env := make([]string, 0, len(base)+3)
	for _, line := range base {
		key, value, _ := strings.Cut(line, "=")
		if repositoryVariables[key] {
			continue
		}
		set[key] = value
		env = append(env, line)
	}
	home := set["HOME"]
	if runtime.GOOS == "windows" && set["USERPROFILE"] != "" {
		home = set["USERPROFILE"]
	}
	var sshCommand, askPass bool
	if home != "" {
		if config, err := readLimited(filepath.Join(home, ".gitconfig"), 1<<20); err == nil {
			sshCommand = configHas(config, "core", "sshcommand")
			askPass = configHas(config, "core", "askpass")
		}
	}
	if _, ok := set["GIT_ASKPASS"]; !ok && !askPass {
		env = append(env, "GIT_ASKPASS=echo")
	}
	if _, ok := set["GIT_SSH_COMMAND"]; !ok && !sshCommand {
		env = append(env, "GIT_SSH_COMMAND=ssh -oStrictHostKeyChecking=accept-new")
	}
	// What failed is read from git's messages, so they have to be in English.
	return append(env, "LC_ALL=C")
}

func readLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// configHas says whether a git configuration file sets section.key, both lower
// case.
func configHas(config []byte, section, key string) bool {
	inside := false
	for line := range strings.Lines(string(config)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "["); ok {
			name, _, closed := strings.Cut(rest, "]")
			inside = closed && strings.EqualFold(strings.TrimSpace(name), section)
			continue
		}
		name, _, _ := strings.Cut(line, "=")
		if inside && strings.EqualFold(strings.TrimSpace(name), key) {
			return true
		}
	}
	return false
}

// Limits for what git may say. A ref list of 64 MiB has half a million refs.
const (
	maxStdout = 64 << 20
	maxStderr = 64 << 10
)

// run runs git in dir ("" is the current one) and gives its stdout. repo is
// for messages. Connection errors are tried again.
func (c *Client) run(ctx context.Context, repo, dir string, args ...string) (string, error) {
	retries := 2
	if n := c.options.Retries; n != 0 && n < retries {
		retries = max(n, 0)
	}
	for attempt := 0; ; attempt++ {
		out, err := c.once(ctx, repo, dir, args)
		var failed *Error
		if err == nil || attempt >= retries || !errors.As(err, &failed) || failed.kind != connection {
			return out, err
		}
		pause := float64(c.options.RetryMin)
		for range attempt {
			pause *= c.options.RetryFactor
		}
		wait := min(time.Duration(pause), c.options.RetryMaximum)
		c.options.Log.Debug("git: trying again", "repo", Redact(repo), "attempt", attempt+2, "pause", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return "", fmt.Errorf("%s: running git: %w", Redact(repo), context.Cause(ctx))
		}
	}
}

func (c *Client) once(ctx context.Context, repo, dir string, args []string) (string, error) {
	program, err := c.findGit()
	if err != nil {
		return "", err
	}
	// Replace refs can make a commit hash name other content. The ext transport
	// runs a command; git forbids it by default, a submodule's URL must not
	// depend on that.
	args = append([]string{"--no-replace-objects", "-c", "protocol.ext.allow=never"}, args...)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = c.environ()
	cmd.Dir = dir
	if runtime.GOOS != "windows" {
		// Lets git remove what it has half cloned.
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	}
	cmd.WaitDelay = 3 * time.Second
	stdout, stderr := &limited{limit: maxStdout}, &limited{limit: maxStderr, keepEnd: true}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	if cause := context.Cause(ctx); cause != nil {
		return "", fmt.Errorf("%s: running git: %w", Redact(repo), cause)
	}
	if err == nil && stdout.over {
		err = fmt.Errorf("more than %d bytes of output", maxStdout)
	}
	if err != nil {
		text := Redact(strings.TrimSpace(stderr.buf.String()))
		return "", &Error{
			Repo:    Redact(repo),
			Command: Redact("git " + strings.Join(args, " ")),
			Stderr:  text,
			Status:  cmd.ProcessState.ExitCode(),
			Err:     err,
			kind:    kindOf(text),
		}
	}
	return stdout.buf.String(), nil
}

// limited keeps the beginning, or the end, of what is written to it.
type limited struct {
	buf     bytes.Buffer
	limit   int
	keepEnd bool
	over    bool
}

func (l *limited) Write(p []byte) (int, error) {
	n := len(p)
	if room := l.limit - l.buf.Len(); len(p) > room {
		l.over = true
		if !l.keepEnd {
			p = p[:max(room, 0)]
		} else if len(p) >= l.limit {
			l.buf.Reset()
			p = p[len(p)-l.limit:]
		} else {
			l.buf.Next(len(p) - room)
		}
	}
	l.buf.Write(p)
	return n, nil
}
