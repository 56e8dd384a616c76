package git

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestWorktree(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	dir := t.TempDir()
	environ := append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
		"GIT_CONFIG_GLOBAL="+filepath.Join(dir, "none"))
	w := OpenWorktree(dir, "", environ)
	if w.Exists() {
		t.Error("a repository before there is one")
	}
	run := func(args ...string) {
		t.Helper()
		if _, err := w.Run(context.Background(), args...); err != nil {
			t.Fatal(err)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "f"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	clean := func(want bool) {
		t.Helper()
		if got, err := w.Clean(context.Background()); err != nil || got != want {
			t.Errorf("clean: %v, %v; want %v", got, err, want)
		}
	}
	run("init", "-q")
	if !w.Exists() {
		t.Error("no repository after init")
	}
	write("1")
	clean(true) // what git does not know is nobody's change
	run("add", "f")
	clean(false)
	run("commit", "-q", "-m", "x")
	clean(true)
	write("2")
	clean(false)

	var failed *Error
	if _, err := w.Run(context.Background(), "describe", "--tags"); !errors.As(err, &failed) || failed.Code() != "128" {
		t.Errorf("describe without tags: %v", err)
	}
	var missing *MissingError
	if _, err := OpenWorktree(dir, "no-such-git", nil).Clean(context.Background()); !errors.As(err, &missing) {
		t.Errorf("without a git: %v", err)
	}
}
