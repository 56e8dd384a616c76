package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ibid-pm/ibid/internal/spec"
)

// Source is a git spec brought to one commit, as far as that is known without
// a clone.
type Source struct {
	Spec *spec.Spec
	From string // the hosted shortcut, as npm's _from; "" where the host is not known

	// SHA is the commit, in hex; "" when the repository lists no ref for what is
	// wanted ("main~3"): then only a clone can tell, and Clone fills it in.
	SHA string

	// Resolved is what the lockfile records: the repository's URL with "#" and
	// the commit. It may have credentials, if the spec had. "" as long as SHA is.
	Resolved string

	// Tarball is the URL of the host's archive of the commit, which is cheaper
	// than a clone; "" when there is none. When the server answers it with an
	// HTTP error, or with what is no tarball (a sign-in page), the repository is
	// to be cloned. A .gitignore in it stays what it is.
	Tarball string
}

// Resolve finds the commit that s stands for (pacote lib/git.js, resolve). A
// full commit hash is taken at its word: nobody is asked.
//
// Of a known host the https URL is asked first, since it needs no key for
// public repositories; when that fails and the spec has no credentials of its
// own, ssh.
func (c *Client) Resolve(ctx context.Context, s *spec.Spec) (*Source, error) {
	if s.Type != spec.Git {
		return nil, fmt.Errorf("%s: not a git spec", Redact(s.Raw))
	}
	if err := checkCommittish(s.GitCommittish); err != nil {
		return nil, err
	}
	src := &Source{Spec: s}
	if s.Hosted != nil {
		src.From = s.Hosted.Shortcut(spec.Format{})
	}
	if isHex(s.GitCommittish) {
		src.SHA = s.GitCommittish
		src.Resolved = s.RawSpec
		if s.Hosted != nil {
			src.Resolved = c.hostedURL(s.Hosted, spec.Format{})
			src.Tarball = tarball(s.Hosted, src.SHA)
		}
		return src, nil
	}
	var rev *Rev
	err := c.eachRemote(s, func(url string) error {
		revs, err := c.Revs(ctx, url)
		if err == nil {
			rev, err = revs.find(want{name: s.Name, ref: s.GitCommittish, rng: s.GitRange}, url)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if rev != nil {
		c.settle(src, rev.SHA)
	}
	return src, nil
}

// Clone makes dir a working folder of the source's commit, and fills in the
// source's SHA and Resolved where they are missing. What dir has is removed.
// It is an EGITCHECKOUT error if the clone isn't at the commit resolved
// before.
//
// The package is in PackageDir(dir).
func (c *Client) Clone(ctx context.Context, src *Source, dir string) error {
	s := src.Spec
	w := want{name: s.Name, ref: s.GitCommittish, rng: s.GitRange, exact: src.SHA}
	var sha string
	err := c.eachRemote(s, func(url string) (err error) {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("%s: emptying folder: %w", Redact(url), err)
		}
		sha, err = c.clone(ctx, url, w, dir)
		return err
	})
	if err != nil {
		return err
	}
	if src.SHA == "" {
		c.settle(src, sha)
	}
	return nil
}

// eachRemote tries the URLs of the spec's repository until one does. Only
// git's own failures lead to the next: what isn't there by one URL isn't by
// the other.
func (c *Client) eachRemote(s *spec.Spec, try func(url string) error) error {
	if s.Hosted == nil {
		if s.FetchSpec == "" {
			return fmt.Errorf("%s: no git url", Redact(s.Raw))
		}
		return try(s.FetchSpec)
	}
	format := spec.Format{NoGitPlus: true, NoCommittish: true}
	err := try(s.Hosted.HTTPS(format))
	var failed *Error
	if err == nil || s.Hosted.Auth != "" || !errors.As(err, &failed) || isPathspec(err) {
		return err
	}
	return try(s.Hosted.SSHURL(format))
}

// settle records the commit.
func (c *Client) settle(src *Source, sha string) {
	src.SHA = sha
	h := src.Spec.Hosted
	if h == nil {
		// An scp URL is no URL; only the part after "#" may change.
		base, _, _ := strings.Cut(src.Spec.RawSpec, "#")
		src.Resolved = base + "#" + sha
		return
	}
	src.Resolved = c.hostedURL(h, spec.Format{NoCommittish: true}) + "#" + sha
	src.Tarball = tarball(h, sha)
}

// hostedURL is how a repository on a known host is recorded: with ssh, but
// with https when it has credentials, which ssh would drop (pacote lib/git.js,
// repoUrl). npm 12 also keeps https where the spec had it.
func (c *Client) hostedURL(h *spec.Hosted, f spec.Format) string {
	if h.Auth != "" || (c.options.HTTPSResolved && h.Default == "https") {
		return "git+" + strings.TrimPrefix(h.HTTPS(f), "git+")
	}
	return h.SSHURL(f)
}

func tarball(h *spec.Hosted, sha string) string {
	at := *h
	at.Committish = sha
	return at.Tarball()
}

// PackageDir gives the package's folder in a working folder, or in an unpacked
// tarball: dir, or for "#path:sub" the sub folder.
func (src *Source) PackageDir(dir string) (string, error) {
	return packageDir(dir, src.Spec.GitSubdir)
}
