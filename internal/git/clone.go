package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// want is what of a repository is wanted.
type want struct {
	name  string // the package's, for messages
	ref   string // branch, tag, commit, anything git understands; "" is HEAD
	rng   string // of "#semver:RANGE": tags to choose from, before ref
	exact string // the commit that was resolved earlier, "" when none was
}

// clone makes dir a working folder of the repository at what is wanted and
// gives the commit (@npmcli/git lib/clone.js). dir is empty or doesn't exist.
//
// It is the cheapest way that will do: a clone of the default branch, or of
// one branch or tag, or a fetch of one ref; only for what has no ref, such as
// an old commit, all of the repository.
func (c *Client) clone(ctx context.Context, repo string, w want, dir string) (string, error) {
	url, err := repoURL(repo)
	if err != nil {
		return "", err
	}
	if err := checkCommittish(w.ref); err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", fmt.Errorf("%s: cloning: %w", Redact(url), err)
	}
	revs, err := c.Revs(ctx, url)
	if err != nil {
		return "", err
	}
	rev, err := revs.find(w, url)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("%s: cloning: %w", Redact(url), err)
	}
	head := revs.Ref("HEAD")
	switch {
	case rev == nil:
		err = c.cloneAll(ctx, url, w.ref, dir)
	case head != nil && rev.SHA == head.SHA:
		err = c.cloneBranch(ctx, url, dir)
	case rev.Type == TagRef || rev.Type == BranchRef:
		err = c.cloneBranch(ctx, url, dir, "--branch="+rev.Ref)
	default:
		err = c.fetchRef(ctx, url, rev, dir)
	}
	if err != nil {
		return "", err
	}
	// npm trusts the list of refs here; the branch may have moved since.
	out, err := c.run(ctx, url, dir, "rev-parse", "--revs-only", "HEAD")
	if err != nil {
		return "", err
	}
	sha := strings.TrimSpace(out)
	expected := w.exact
	if expected == "" && rev != nil {
		expected = rev.SHA
	}
	if expected != "" && sha != expected {
		return "", &CheckoutError{Repo: Redact(url), Expected: expected, Found: sha}
	}
	return sha, nil
}

// find gives the rev that is wanted; nil, without an error, when there is no
// ref for it.
func (r *Revs) find(w want, repo string) (*Rev, error) {
	if w.rng != "" {
		rev := r.Pick(w.rng)
		if rev == nil {
			return nil, &TargetError{Name: w.name, Repo: Redact(repo), Wanted: w.rng, Versions: r.order}
		}
		return rev, nil
	}
	if rev := r.Ref(w.ref); rev != nil {
		return rev, nil
	}
	return r.Commit(w.ref), nil
}

// cloneBranch clones the default branch, or the one in options. npm has git
// clone look for submodules; looking here saves starting git for repositories
// without, which are nearly all.
func (c *Client) cloneBranch(ctx context.Context, url, dir string, options ...string) error {
	args := append([]string{"clone", "--quiet"}, options...)
	if c.shallow(url) {
		args = append(args, "--depth=1")
	}
	args = append(append(args, longPaths()...), "--", url, dir)
	if _, err := c.run(ctx, url, "", args...); err != nil {
		return err
	}
	return c.submodules(ctx, url, dir)
}

func longPaths() []string {
	if runtime.GOOS == "windows" {
		return []string{"--config", "core.longpaths=true"}
	}
	return nil
}

func (c *Client) shallow(url string) bool {
	switch c.options.Shallow {
	case ShallowAlways:
		return true
	case ShallowNever:
		return false
	}
	return shallowHost(url)
}

// fetchRef gets a ref that git clone has no option for: a pull request.
func (c *Client) fetchRef(ctx context.Context, url string, rev *Rev, dir string) error {
	steps := [][]string{
		{"init", "--quiet"},
		{"remote", "add", "--", "origin", url},
		{"fetch", "origin", rev.RawRef},
		{"checkout", "--quiet", rev.SHA, "--"},
	}
	if c.shallow(url) {
		steps[2] = []string{"fetch", "--depth=1", "origin", rev.RawRef}
	}
	for i, args := range steps {
		if i == 1 && runtime.GOOS == "windows" {
			if _, err := c.run(ctx, url, dir, "config", "--local", "--add", "core.longpaths", "true"); err != nil {
				return err
			}
		}
		if _, err := c.run(ctx, url, dir, args...); err != nil {
			return err
		}
	}
	return c.submodules(ctx, url, dir)
}

// cloneAll gets every ref and checks out what git makes of ref: a commit,
// "HEAD~3", "main@{yesterday}".
func (c *Client) cloneAll(ctx context.Context, url, ref, dir string) error {
	if ref == "" {
		ref = "HEAD"
	}
	args := append([]string{"clone", "--mirror", "--quiet"}, longPaths()...)
	if _, err := c.run(ctx, url, "", append(args, "--", url, filepath.Join(dir, ".git"))...); err != nil {
		return err
	}
	// The mirror is bare; init makes it a working folder's.
	for _, args := range [][]string{{"init", "--quiet"}, {"checkout", "--quiet", ref, "--"}} {
		if _, err := c.run(ctx, url, dir, args...); err != nil {
			var failed *Error
			if errors.As(err, &failed) && strings.HasPrefix(failed.Stderr, "fatal: invalid reference: ") {
				failed.Status = 1 // as git ends for npm, which lets ref be a file's name too
			}
			return err
		}
	}
	return c.submodules(ctx, url, dir)
}

func (c *Client) submodules(ctx context.Context, url, dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, ".gitmodules")); err != nil {
		return nil
	}
	_, err := c.run(ctx, url, dir, "submodule", "update", "--quiet", "--init", "--recursive")
	return err
}
