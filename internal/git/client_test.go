package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
)

// repo is a repository made for a test: dir is the working folder, url the
// file:// URL of the bare one that is cloned.
type repo struct {
	t    *testing.T
	dir  string
	bare string
	url  string
	env  []string
}

// environ is one in which git knows nothing of the machine's configuration.
// config are "key=value" settings.
func environ(t *testing.T, config ...string) []string {
	t.Helper()
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
	}
	if runtime.GOOS == "windows" {
		env = append(env, "SystemRoot="+os.Getenv("SystemRoot"), "TEMP="+os.Getenv("TEMP"))
	}
	env = append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(config)))
	for i, setting := range config {
		key, value, _ := strings.Cut(setting, "=")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, value))
	}
	return env
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	root := t.TempDir()
	r := &repo{t: t, dir: filepath.Join(root, "work"), bare: filepath.Join(root, "bare.git"), env: environ(t, "protocol.file.allow=always")}
	r.url = "file://" + filepath.ToSlash(r.bare)
	if runtime.GOOS == "windows" {
		r.url = "file:///" + filepath.ToSlash(r.bare)
	}
	r.git(root, "init", "--quiet", "--initial-branch=main", r.dir)
	r.git(root, "init", "--quiet", "--bare", "--initial-branch=main", r.bare)
	r.git(r.dir, "remote", "add", "origin", r.bare)
	return r
}

func (r *repo) git(dir string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, r.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repo) write(name, content string) {
	r.t.Helper()
	file := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// commit records version as package.json's and gives the hash.
func (r *repo) commit(version string) string {
	r.t.Helper()
	r.write("package.json", `{"name":"pkg","version":"`+version+`"}`)
	r.git(r.dir, "add", "--all")
	r.git(r.dir, "commit", "--quiet", "--message="+version)
	return r.git(r.dir, "rev-parse", "HEAD")
}

func (r *repo) push() {
	r.t.Helper()
	r.git(r.dir, "push", "--quiet", "--force", "origin", "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*")
}

func (r *repo) client(config ...string) *Client {
	return New(Options{Environ: environ(r.t, config...), Retries: -1})
}

func resolveSpec(t *testing.T, raw string) *spec.Spec {
	t.Helper()
	s, err := spec.Resolve("pkg", raw, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// history is a repository with all there is to ask for.
func history(t *testing.T) (r *repo, sha map[string]string) {
	r, sha = newRepo(t), map[string]string{}
	sha["1.0.0"] = r.commit("1.0.0")
	r.git(r.dir, "tag", "v1.0.0")
	sha["old"] = r.commit("1.0.1")
	sha["1.1.0"] = r.commit("1.1.0")
	r.git(r.dir, "tag", "--annotate", "--message=x", "v1.1.0")
	r.git(r.dir, "checkout", "--quiet", "-b", "feature/x")
	sha["feature"] = r.commit("3.0.0-feature")
	r.git(r.dir, "checkout", "--quiet", "--detach")
	sha["pull"] = r.commit("4.0.0-pull")
	r.git(r.dir, "push", "--quiet", "origin", "HEAD:refs/pull/7/head")
	r.git(r.dir, "checkout", "--quiet", "main")
	sha["main"] = r.commit("2.0.0")
	r.push()
	return r, sha
}

func TestResolvesAndClones(t *testing.T) {
	r, sha := history(t)
	client := r.client()
	for _, c := range []struct{ name, hash, sha, version string }{
		{"the default branch", "", "main", "2.0.0"},
		{"a branch", "#main", "main", "2.0.0"},
		{"a branch with a slash", "#feature/x", "feature", "3.0.0-feature"},
		{"a full ref", "#refs/heads/main", "main", "2.0.0"},
		{"a tag", "#v1.0.0", "1.0.0", "1.0.0"},
		{"an annotated tag is its commit", "#v1.1.0", "1.1.0", "1.1.0"},
		{"a range over the tags", "#semver:^1.0.0", "1.1.0", "1.1.0"},
		{"a version among the tags", "#semver:1.0.0", "1.0.0", "1.0.0"},
		{"a pull request", "#pull/7", "pull", "4.0.0-pull"},
		{"a commit that has a ref", "#" + sha["main"], "main", "2.0.0"},
		{"a commit without a ref", "#" + sha["old"], "old", "1.0.1"},
		{"a short commit", "#" + sha["old"][:10], "old", "1.0.1"},
		{"what git alone understands", "#main~1", "1.1.0", "1.1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, err := client.Resolve(t.Context(), resolveSpec(t, "git+"+r.url+c.hash))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "clone")
			if err := client.Clone(t.Context(), src, dir); err != nil {
				t.Fatal(err)
			}
			if want := "git+" + r.url + "#" + sha[c.sha]; src.SHA != sha[c.sha] || src.Resolved != want {
				t.Errorf("resolved %s, want %s", src.Resolved, want)
			}
			if src.Tarball != "" {
				t.Errorf("tarball %q", src.Tarball)
			}
			data, err := os.ReadFile(filepath.Join(dir, "package.json"))
			if err != nil {
				t.Fatal(err)
			}
			if m, err := manifest.Parse(data); err != nil || m.Version != c.version {
				t.Errorf("manifest %s (%v), want version %s", data, err, c.version)
			}
		})
	}
}

func TestFailuresOfResolvingAndCloning(t *testing.T) {
	r, _ := history(t)
	client := r.client()
	for _, c := range []struct{ name, raw, code, text string }{
		{"no tag satisfies", "git+" + r.url + "#semver:^9", "ETARGET", "pkg@^9: no matching version: 2 tags are versions, none satisfies"},
		{"no such branch", "git+" + r.url + "#nowhere", "1", "the git reference could not be found"},
		{"no such commit", "git+" + r.url + "#" + strings.Repeat("1", 40), "128", "the git reference could not be found"},
		{"no such repository", "git+" + r.url + "x", "128", "an unknown git error occurred"},
		{"a committish that would be an option", "git+" + r.url + "#--orphan=x", "EGITUNSAFE", "refusing this git committish"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, err := client.Resolve(t.Context(), resolveSpec(t, c.raw))
			if err == nil {
				err = client.Clone(t.Context(), src, filepath.Join(t.TempDir(), "clone"))
			}
			var coded interface{ Code() string }
			if !errors.As(err, &coded) || coded.Code() != c.code || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestARepositoryWithoutVersionsOrCommits(t *testing.T) {
	r := newRepo(t)
	client := r.client()
	src, err := client.Resolve(t.Context(), resolveSpec(t, "git+"+r.url))
	if err != nil || src.SHA != "" {
		t.Fatalf("got %+v, %v", src, err)
	}
	if err := client.Clone(t.Context(), src, filepath.Join(t.TempDir(), "clone")); err == nil {
		t.Error("cloned a commit of an empty repository")
	}
	var target *TargetError
	_, err = client.Resolve(t.Context(), resolveSpec(t, "git+"+r.url+"#semver:*"))
	if !errors.As(err, &target) || target.Code() != "ENOVERSIONS" {
		t.Errorf("got %v", err)
	}
}

func TestABranchThatMovedIsACheckoutError(t *testing.T) {
	r, sha := history(t)
	client := r.client()
	src, err := client.Resolve(t.Context(), resolveSpec(t, "git+"+r.url+"#feature/x"))
	if err != nil {
		t.Fatal(err)
	}
	r.git(r.dir, "checkout", "--quiet", "feature/x")
	moved := r.commit("3.0.1")
	r.push()
	err = client.Clone(t.Context(), src, filepath.Join(t.TempDir(), "clone"))
	var mismatch *CheckoutError
	if !errors.As(err, &mismatch) || mismatch.Expected != sha["feature"] || mismatch.Found != moved || mismatch.Code() != "EGITCHECKOUT" {
		t.Errorf("got %v", err)
	}
}

func TestHostedRepositories(t *testing.T) {
	r, sha := history(t)
	format := func(s string) string { return strings.ReplaceAll(s, "SHA", sha["1.0.0"]) }
	instead := "url." + r.url + ".insteadOf="
	for _, c := range []struct {
		name, raw, resolved, tarball string
		https                        bool
	}{
		{
			name: "a shortcut is recorded with ssh", raw: "github:u/p#v1.0.0",
			resolved: "git+ssh://git@github.com/u/p.git#SHA", tarball: "https://codeload.github.com/u/p/tar.gz/SHA",
		},
		{
			name: "so is an https URL", raw: "git+https://github.com/u/p.git#v1.0.0",
			resolved: "git+ssh://git@github.com/u/p.git#SHA", tarball: "https://codeload.github.com/u/p/tar.gz/SHA",
		},
		{
			name: "npm 12 keeps https", raw: "git+https://github.com/u/p.git#v1.0.0", https: true,
			resolved: "git+https://github.com/u/p.git#SHA", tarball: "https://codeload.github.com/u/p/tar.gz/SHA",
		},
		{
			name: "credentials are kept, with https", raw: "git+https://me:pw@github.com/u/p.git#v1.0.0",
			resolved: "git+https://me:pw@github.com/u/p.git#SHA", tarball: "https://codeload.github.com/u/p/tar.gz/SHA",
		},
		{
			name: "a full commit asks nobody", raw: "gitlab:u/p#SHA",
			resolved: "git+ssh://git@gitlab.com/u/p.git#SHA", tarball: "https://gitlab.com/api/v4/projects/u%2Fp/repository/archive.tar.gz?sha=SHA",
		},
		{
			name: "a folder in the repository", raw: "github:u/p#SHA::path:sub",
			resolved: "git+ssh://git@github.com/u/p.git#SHA::path:sub", tarball: "https://codeload.github.com/u/p/tar.gz/SHA",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := New(Options{Retries: -1, HTTPSResolved: c.https, Environ: environ(t,
				instead+"https://github.com/u/p.git", instead+"https://me:pw@github.com/u/p.git")})
			src, err := client.Resolve(t.Context(), resolveSpec(t, format(c.raw)))
			if err != nil {
				t.Fatal(err)
			}
			if src.SHA != sha["1.0.0"] || src.Resolved != format(c.resolved) || src.Tarball != format(c.tarball) {
				t.Errorf("got %+v", src)
			}
		})
	}
	t.Run("ssh is tried when https fails", func(t *testing.T) {
		client := New(Options{Retries: -1, Environ: environ(t,
			"url.file:///nonexistent/.insteadOf=https://github.com/", instead+"ssh://git@github.com/u/p.git")})
		src, err := client.Resolve(t.Context(), resolveSpec(t, "github:u/p#v1.0.0"))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "clone")
		if err := client.Clone(t.Context(), src, dir); err != nil {
			t.Fatal(err)
		}
		if src.SHA != sha["1.0.0"] {
			t.Errorf("got %+v", src)
		}
	})
}

func TestSubmodulesAreCloned(t *testing.T) {
	inner, outer := newRepo(t), newRepo(t)
	inner.commit("0.0.1")
	inner.push()
	outer.git(outer.dir, "submodule", "--quiet", "add", inner.url, "inner")
	outer.commit("1.0.0")
	old := outer.git(outer.dir, "rev-parse", "HEAD")
	outer.commit("1.0.1")
	outer.push()
	for name, hash := range map[string]string{"by branch": "#main", "by commit": "#" + old} {
		t.Run(name, func(t *testing.T) {
			client := outer.client("protocol.file.allow=always")
			src, err := client.Resolve(t.Context(), resolveSpec(t, "git+"+outer.url+hash))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "clone")
			if err := client.Clone(t.Context(), src, dir); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "inner", "package.json")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestASubmoduleCannotReadThisMachine(t *testing.T) {
	inner, outer := newRepo(t), newRepo(t)
	inner.commit("0.0.1")
	inner.push()
	outer.git(outer.dir, "submodule", "--quiet", "add", inner.url, "inner")
	outer.commit("1.0.0")
	outer.push()
	client := outer.client()
	src, err := client.Resolve(t.Context(), resolveSpec(t, "git+"+outer.url))
	if err != nil {
		t.Fatal(err)
	}
	err = client.Clone(t.Context(), src, filepath.Join(t.TempDir(), "clone"))
	if err == nil || !strings.Contains(err.(*Error).Stderr, "transport 'file' not allowed") {
		t.Errorf("got %v", err)
	}
}

func TestASubmoduleCannotRunACommand(t *testing.T) {
	r := newRepo(t)
	r.commit("1.0.0")
	head := r.git(r.dir, "rev-parse", "HEAD")
	mark := filepath.Join(t.TempDir(), "ran")
	r.write(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::touch "+mark+"\n")
	if err := os.Mkdir(filepath.Join(r.dir, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.git(r.dir, "update-index", "--add", "--cacheinfo", "160000,"+head+",x")
	r.commit("1.0.1")
	r.push()
	client := r.client("protocol.ext.allow=always")
	src, err := client.Resolve(t.Context(), resolveSpec(t, "git+"+r.url))
	if err != nil {
		t.Fatal(err)
	}
	err = client.Clone(t.Context(), src, filepath.Join(t.TempDir(), "clone"))
	if err == nil || !strings.Contains(err.Error(), "ext") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("the submodule's command ran")
	}
}

func TestRefusesUnsafeURLs(t *testing.T) {
	for _, url := range []string{
		"", "-x", "--upload-pack=touch x", "git+--upload-pack=x", "ext::sh -c x", "git+ext::x", "fd::17", "/etc", "./x", "x",
		"ext://x", "ssh://-oProxyCommand=x/y", "git+ssh://-oProxyCommand=x/y", "ssh://a@-oProxyCommand=x/y", "ssh://-o@host/y",
		"git@-oProxyCommand=x:y", "-x@host:y", "git@host:--upload-pack=x", "https://host/a\nb", "ssh://%2doProxyCommand=x/y",
	} {
		if got, err := repoURL(url); err == nil {
			t.Errorf("%q is taken as %q", url, got)
		}
	}
	for url, want := range map[string]string{
		"git+https://host/x.git": "https://host/x.git", "git://host/x": "git://host/x", "ssh://git@host:22/x": "ssh://git@host:22/x",
		"git@host.org:u/p.git": "git@host.org:u/p.git", "git+file:///x": "file:///x", "https://u:p@host/-/x": "https://u:p@host/-/x",
	} {
		if got, err := repoURL(url); err != nil || got != want {
			t.Errorf("%q is taken as %q, %v", url, got, err)
		}
	}
}

func FuzzRepoURL(f *testing.F) {
	for _, s := range []string{"git+ssh://git@github.com/u/p.git", "ext::sh", "a@b:c", "-x", "https://-x/y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		url, err := repoURL(raw)
		if err != nil {
			return
		}
		// Git takes "word::" at the start for a program to run.
		word := strings.TrimLeft(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")
		if url[0] == '-' || strings.HasPrefix(word, "::") {
			t.Fatalf("%q is taken as %q", raw, url)
		}
	})
}

func TestRedactsCredentials(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:p@host/x":                 "https://***@host/x",
		"https://token@host/x":               "https://***@host/x",
		"git+ssh://git@host/x":               "git+ssh://git@host/x",
		"ssh://u:p@host/x":                   "ssh://***@host/x",
		"a https://u:p@h/x and 'http://t@h'": "a https://***@h/x and 'http://***@h'",
		"https://host/a@b":                   "https://host/a@b",
		"nothing":                            "nothing",
		"https://u:p@q@host/":                "https://***@host/",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
	r := newRepo(t)
	client := r.client("url.file:///nonexistent/.insteadOf=https://me:secret@example.org/")
	_, err := client.Revs(t.Context(), "https://me:secret@example.org/x.git")
	var failed *Error
	if !errors.As(err, &failed) || strings.Contains(fmt.Sprintf("%v %+v", err, *failed), "secret") {
		t.Errorf("got %+v", failed)
	}
}

func TestTheUsersSettingsOfGitAreKept(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte("[Core]\n\tsshCommand = ssh -x\n[other]\n\taskpass = x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		env  []string
		want []string
	}{
		{"nothing set", []string{"HOME=/nonexistent"}, []string{"GIT_ASKPASS=echo", "GIT_SSH_COMMAND=ssh -oStrictHostKeyChecking=accept-new"}},
		{"set in the environment", []string{"HOME=/nonexistent", "GIT_ASKPASS=", "GIT_SSH_COMMAND=s"}, []string{"GIT_ASKPASS=", "GIT_SSH_COMMAND=s"}},
		{"set in .gitconfig", []string{"HOME=" + home}, []string{"GIT_ASKPASS=echo"}},
		{"a hook's repository is left", []string{"HOME=/nonexistent", "GIT_DIR=/x", "GIT_INDEX_FILE=y", "GIT_ASKPASS=z", "GIT_SSH_COMMAND=s"}, []string{"GIT_ASKPASS=z", "GIT_SSH_COMMAND=s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, line := range New(Options{Environ: c.env}).environ() {
				if strings.HasPrefix(line, "GIT_") {
					got = append(got, line)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What failed is read from git's messages, which npm gets in any language.
func TestGitSpeaksEnglish(t *testing.T) {
	git := fakeGit(t, `echo "fatal: $LC_ALL $LANG" >&2; exit 128`)
	c := New(Options{Git: git, Environ: []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=de_DE.UTF-8", "LANG=de_DE.UTF-8"}})
	sp, err := spec.Resolve("x", "git+https://host.example/x.git", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resolve(t.Context(), sp); err == nil || !strings.Contains(err.Error(), "fatal: C de_DE.UTF-8") {
		t.Errorf("git said %v", err)
	}
}

// fakeGit is a git that fails as often as its script says.
func fakeGit(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs sh")
	}
	file := filepath.Join(t.TempDir(), "git")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestConnectionErrorsAreTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name, stderr string
		retries      int
		attempts     int
	}{
		{"twice at most", "fatal: The remote end hung up unexpectedly", 10, 3},
		{"less when less is wanted", "Connection timed out", 1, 2},
		{"never when told so", "Connection timed out", -1, 1},
		{"by a pattern", "Failed to connect to host port 443: Timed out", 0, 3},
		{"other errors never", "fatal: repository not found", 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			count := filepath.Join(t.TempDir(), "count")
			client := New(Options{
				Git: fakeGit(t, "echo >> "+count+"; echo '"+c.stderr+"' >&2; exit 128"), Environ: environ(t),
				Retries: c.retries, RetryMin: time.Millisecond, RetryMaximum: time.Millisecond,
			})
			_, err := client.Revs(t.Context(), "https://example.org/x.git")
			var failed *Error
			if !errors.As(err, &failed) || failed.Code() != "128" {
				t.Fatalf("got %v", err)
			}
			data, _ := os.ReadFile(count)
			if len(data) != c.attempts {
				t.Errorf("%d attempts, want %d", len(data), c.attempts)
			}
		})
	}
}

func TestARepositoryIsAskedOnce(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	sha := strings.Repeat("1", 40)
	client := New(Options{Git: fakeGit(t, "echo >> "+count+"\nprintf '"+sha+"\\tHEAD\\n'"), Environ: environ(t)})
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() {
			revs, err := client.Revs(t.Context(), "git+https://example.org/x.git")
			if err == nil && revs.Ref("").SHA != sha {
				err = errors.New("wrong answer")
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if data, _ := os.ReadFile(count); len(data) != 1 {
		t.Errorf("asked %d times", len(data))
	}
}

func TestCancelEndsGit(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	client := New(Options{Git: fakeGit(t, "trap 'exit 1' INT\n: > "+ready+"\nwhile :; do sleep 0.05; done"), Environ: environ(t)})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(ready); err == nil {
				cancel()
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	if _, err := client.Revs(ctx, "https://example.org/x.git"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutGit(t *testing.T) {
	_, err := New(Options{Git: filepath.Join(t.TempDir(), "no-git")}).Revs(t.Context(), "https://example.org/x.git")
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Code() != "ENOGIT" {
		t.Errorf("got %v", err)
	}
}

func TestThePackagesFolderStaysInTheRepository(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "packages", "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	for link, target := range map[string]string{"out": outside, "in": "packages/a", "up": ".."} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	for sub, ok := range map[string]bool{
		"": true, "/": true, "/packages/a": true, "/in": true, "/packages/../packages/a": true,
		"/..": false, "/../x": false, "/out": false, "/up": false, "/packages/../../x": false, "/missing": false,
	} {
		if got, err := packageDir(dir, sub); (err == nil) != ok {
			t.Errorf("%q gives %q, %v", sub, got, err)
		}
	}
}

func TestPrepare(t *testing.T) {
	for name, want := range map[string]bool{"prepare": true, "prepack": true, "build": true, "install": true, "preinstall": true, "postinstall": true, "test": false, "prepublish": false} {
		if got := NeedsPrepare(manifest.Deps{{Name: name, Spec: "x"}}, false); got != want {
			t.Errorf("script %s: %t", name, got)
		}
	}
	if NeedsPrepare(manifest.Deps{{Name: "prepare", Spec: ""}}, false) || !NeedsPrepare(nil, true) {
		t.Error("an empty script counts, or workspaces don't")
	}
	env, ok := PrepareEnv([]string{"A=b", NoPrepare + "=one"}, "two")
	if !ok || !slices.Equal(env, []string{"A=b", NoPrepare + "=one\ntwo"}) {
		t.Errorf("got %q, %t", env, ok)
	}
	if _, ok := PrepareEnv(env, "one"); ok {
		t.Error("prepares a repository within its own preparation")
	}
	if env, ok := PrepareEnv(nil, "one"); !ok || !slices.Equal(env, []string{NoPrepare + "=one"}) {
		t.Errorf("got %q, %t", env, ok)
	}
	want := "install --force --cache=/c --prefer-offline=false --prefer-online=true --offline=false --before=2020-01-02T03:04:05.000Z " +
		"--no-progress --no-save --no-audit --include=dev --include=peer --include=optional --no-package-lock-only --no-dry-run --global=false"
	got := strings.Join(PrepareArgs(PrepareOptions{Cache: "/c", PreferOnline: true, Before: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)}), " ")
	if got != want {
		t.Errorf("got %s", got)
	}
}
