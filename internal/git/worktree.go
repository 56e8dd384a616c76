package git

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// Worktree is a project's own repository, checked out: not a stranger's, and so
// with the user's environment as it is (npm: libnpmversion, @npmcli/git).
type Worktree struct {
	dir    string
	client *Client
}

// OpenWorktree gives the repository whose top folder is dir. git is the program,
// "" for the one on the PATH; environ nil is the process's own.
func OpenWorktree(dir, git string, environ []string) *Worktree {
	if environ == nil {
		environ = os.Environ()
	}
	c := New(Options{Git: git, Environ: environ, Retries: -1, Log: slog.New(slog.DiscardHandler)})
	c.environ = func() []string { return append(environ[:len(environ):len(environ)], "LC_ALL=C") }
	return &Worktree{dir: dir, client: c}
}

// Exists says whether dir has a repository of its own.
func (w *Worktree) Exists() bool {
	_, err := os.Stat(filepath.Join(w.dir, ".git"))
	return err == nil
}

// Clean says whether all that is tracked is committed.
func (w *Worktree) Clean(ctx context.Context) (bool, error) {
	out, err := w.Run(ctx, "status", "--porcelain=v1", "-uno")
	return err == nil && strings.TrimSpace(out) == "", err
}

// Run runs git in the folder and gives what it printed. The arguments must not
// be a stranger's. Errors are *Error and *MissingError.
func (w *Worktree) Run(ctx context.Context, args ...string) (string, error) {
	return w.client.run(ctx, "", w.dir, args...)
}
