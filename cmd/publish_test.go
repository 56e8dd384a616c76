package cmd

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/registry/registrytest"
)

// publishing is a package in a folder, somebody's home, and a registry that
// takes whatever is sent to it.
type publishing struct {
	t        *testing.T
	registry *registrytest.Registry
	home     string
	dir      string
	stdin    string
	environ  []string // more of it
	keyring  Keyring
	out, err bytes.Buffer
}

func newPublishing(t *testing.T, files map[string]string) *publishing {
	t.Helper()
	tmp, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &publishing{t: t, registry: registrytest.New(t), home: filepath.Join(tmp, "home"), dir: filepath.Join(tmp, "package")}
	p.write(filepath.Join(p.home, ".npmrc"), fmt.Sprintf("registry=%s\n%s:_authToken=tt\n", p.registry.URL, strings.TrimPrefix(p.registry.URL, "http:")))
	for name, text := range files {
		p.write(filepath.Join(p.dir, filepath.FromSlash(name)), text)
	}
	p.accept("PUT", 0, `{"ok":true}`)
	p.accept("DELETE", 0, `{"ok":true}`)
	return p
}

func (p *publishing) accept(method string, status int, body string) {
	p.registry.Fail(registrytest.Fault{Kind: registrytest.Replace, Method: method, Status: status, Body: body})
}

func (p *publishing) write(path, text string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *publishing) run(args ...string) int {
	p.out.Reset()
	p.err.Reset()
	p.registry.ResetRequests()
	return Main(Env{
		Argv:    append([]string{"ibid"}, args...),
		Environ: append([]string{"HOME=" + p.home, "USERPROFILE=" + p.home, "PATH=" + os.Getenv("PATH"), "npm_config_cache=" + filepath.Join(p.home, "cache")}, p.environ...),
		Cwd:     p.dir, Stdin: strings.NewReader(p.stdin), Stdout: &p.out, Stderr: &p.err, Keyring: p.keyring,
	})
}

// sent gives the first request with a method; nil if there was none.
func (p *publishing) sent(method string) *registrytest.Request {
	for _, r := range p.registry.Requests() {
		if r.Method == method {
			return &r
		}
	}
	return nil
}

var examplePackage = map[string]string{
	"package.json": `{
  "name": "@scope/example",
  "version": "1.2.3",
  "description": "an example",
  "main": "lib/index.js",
  "bin": "cli.js",
  "repository": "github:scope/example",
  "author": "Ann <ann@example.com>",
  "license": "MIT",
  "optionalDependencies": {
    "b": "^1.0.0"
  },
  "publishConfig": {
    "access": "public",
    "tag": "beta"
  }
}
`,
	"lib/index.js": "module.exports = 1\n",
	"cli.js":       "#!/usr/bin/env node\n",
	"README.md":    "# Example\n\nAn example.\n",
}

// TestPublishDocument holds what is sent against what npm sent, tarball and all.
func TestPublishDocument(t *testing.T) {
	recorded, err := os.ReadFile(filepath.Join("testdata", "publish", "npm.json"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := jsjson.Parse(recorded)
	if err != nil {
		t.Fatal(err)
	}
	p := newPublishing(t, examplePackage)
	if status := p.run("publish"); status != 0 {
		t.Fatalf("exit status %d\n%s", status, p.err.String())
	}
	if got := p.out.String(); got != "+ @scope/example@1.2.3\n" {
		t.Errorf("printed %q", got)
	}
	put := p.sent("PUT")
	if put == nil {
		t.Fatal("nothing was published")
	}
	if put.URI != want.Get("uri").Text() {
		t.Errorf("sent to %s, npm's is %s", put.URI, want.Get("uri").Text())
	}
	if got := put.Header.Get("Authorization"); got != "Bearer tt" {
		t.Errorf("authorization %q", got)
	}
	got, err := jsjson.Parse(bytes.ReplaceAll(put.Body, []byte(p.registry.URL), []byte("REGISTRY/")))
	if err != nil {
		t.Fatal(err)
	}
	versions := got.Get("versions")
	v := versions.Get("1.2.3").With("_nodeVersion", jsjson.NewString("NODE"))
	got = got.With("versions", versions.With("1.2.3", v))
	g, w := jsjson.Append(nil, got, "  ", "\n"), jsjson.Append(nil, want.Get("document"), "  ", "\n")
	if !bytes.Equal(g, w) {
		t.Errorf("sent\n%s\nnpm sent\n%s", g, w)
	}
}

func TestPublishRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		pkg     string
		args    []string
		there   string // a version that is published already
		code    string
		message string
	}{
		{"a private package", `{"name":"p","version":"1.0.0","private":true}`, nil, "", "EPRIVATE", "marked as private"},
		{"a prerelease without a tag", `{"name":"p","version":"1.0.0-1"}`, nil, "", "", "You must specify a tag using --tag"},
		{"a tag that is a range", `{"name":"p","version":"1.0.0"}`, []string{"--tag=1.x"}, "", "", "Tag name must not be a valid SemVer range: 1.x"},
		{"restricted access without a scope", `{"name":"p","version":"1.0.0"}`, []string{"--access=restricted"}, "", "EUNSCOPED", "Can't restrict access"},
		{"a version that is there", `{"name":"p","version":"1.0.0"}`, nil, "1.0.0", "", "You cannot publish over the previously published versions: 1.0.0."},
		{"latest going back", `{"name":"p","version":"1.0.0"}`, nil, "2.0.0", "", `Cannot implicitly apply the "latest" tag because previously published version 2.0.0 is higher`},
		{"provenance", `{"name":"p","version":"1.0.0"}`, []string{"--provenance"}, "", "EUSAGE", "Automatic provenance generation not supported"},
		{"provenance in publishConfig", `{"name":"p","version":"1.0.0","publishConfig":{"provenance":true}}`, nil, "", "EUSAGE", "Automatic provenance generation not supported"},
		{"package extensions", `{"name":"p","version":"1.0.0","packageExtensions":{}}`, nil, "", "EPACKAGEEXTENSIONS", "must not be published"},
		{"a bundle that overrides chose", `{"name":"p","version":"1.0.0","bundleDependencies":["b"],"dependencies":{"b":"1"},"overrides":{"c":"2.0.0"}}`, nil, "", "EBUNDLEOVERRIDE", "decide the version of what is bundled: c"},
		{"a package without a version", `{"name":"p"}`, nil, "", "", "Invalid package, must have name and version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPublishing(t, map[string]string{"package.json": c.pkg,
				"node_modules/b/package.json": `{"name":"b","version":"1.0.0","dependencies":{"c":"1"}}`, "node_modules/c/package.json": `{"name":"c","version":"2.0.0"}`})
			if c.there != "" {
				if err := p.registry.Add(`{"name":"p","version":"`+c.there+`"}`, nil); err != nil {
					t.Fatal(err)
				}
			}
			if p.run(append([]string{"publish"}, c.args...)...) != 1 {
				t.Errorf("published\n%s", p.err.String())
			}
			if !strings.Contains(p.err.String(), c.message) || c.code != "" && !strings.Contains(p.err.String(), "code "+c.code+"\n") {
				t.Errorf("said\n%s", p.err.String())
			}
			if p.sent("PUT") != nil {
				t.Error("the package was sent")
			}
		})
	}
}

func TestPublishNeedsSomebodyLoggedIn(t *testing.T) {
	p := newPublishing(t, examplePackage)
	p.write(filepath.Join(p.home, ".npmrc"), "registry="+p.registry.URL+"\n")
	if p.run("publish") != 1 || !strings.Contains(p.err.String(), "code ENEEDAUTH") {
		t.Errorf("said\n%s", p.err.String())
	}
	if status := p.run("publish", "--dry-run"); status != 0 || !strings.Contains(p.err.String(), "logged in to "+p.registry.URL+" (dry-run)") {
		t.Errorf("dry run: exit status %d\n%s", status, p.err.String())
	}
	if p.sent("PUT") != nil {
		t.Error("the package was sent")
	}
}

func TestPublishCheckSaysAllAtOnce(t *testing.T) {
	p := newPublishing(t, map[string]string{
		"package.json": `{"name":"p","version":"1.0.0-1","main":"gone.js","types":"index.d.ts","exports":{".":{"import":"./a.mjs","default":"./gone.cjs"},"./x/*":"./*.mjs","./y/*":"./y/*.js"}}`,
		"a.mjs":        "", "index.d.ts": "", ".env": "TOKEN=1\n",
	})
	if p.run("publish", "--check") != 1 {
		t.Error("all was well")
	}
	for _, want := range []string{"no --tag is given", "main names gone.js", `exports["."]["default"] names ./gone.cjs`, `exports["./y/*"] names ./y/*.js`, ".env is packed", "no license", "no README"} {
		if !strings.Contains(p.err.String(), want) {
			t.Errorf("%q is missing in\n%s", want, p.err.String())
		}
	}
	for _, wrong := range []string{"a.mjs", "index.d.ts", "./*.mjs"} {
		if strings.Contains(p.err.String(), wrong) {
			t.Errorf("%q is there\n%s", wrong, p.err.String())
		}
	}
	if p.sent("PUT") != nil {
		t.Error("the package was sent")
	}
}

// TestPublishCheckKnowsWhoMayPublish: whose the name is, and in CI whom the
// registry trusts.
func TestPublishCheckKnowsWhoMayPublish(t *testing.T) {
	token := func(claims string) string {
		return "x." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"npm:127.0.0.1",`+claims+`}`)) + ".x"
	}
	// What GitHub says, beside much else.
	workflow := token(`"sub":"repo:o/r:environment:npm","repository":"o/r","repository_visibility":"public","environment":"npm",` +
		`"workflow_ref":"o/r/.github/workflows/release.yml@refs/heads/main","job_workflow_ref":"o/shared/.github/workflows/build.yml@refs/heads/main"`)
	github := []string{"GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=o/r", "GITHUB_WORKFLOW_REF=o/r/.github/workflows/release.yml@refs/heads/main"}
	asks := append(slices.Clone(github), "ACTIONS_ID_TOKEN_REQUEST_URL=REGISTRY/identity?v=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=t")
	circle := func(contexts string) []string {
		return []string{"CIRCLECI=true", "NPM_ID_TOKEN=" + token(`"oidc.circleci.com/org-id":"1","oidc.circleci.com/vcs-origin":"github.com/o/r","oidc.circleci.com/context-ids":`+contexts)}
	}
	const circleRecord = `[{"type":"circleci","claims":{"oidc.circleci.com/org-id":"1","oidc.circleci.com/vcs-origin":"github.com/o/r","oidc.circleci.com/context-ids":["c1"]}}]`
	trusts := func(repository, file string) string {
		return `[{"type":"github","claims":{"repository":"` + repository + `","workflow_ref":{"file":"` + file + `"}}}]`
	}
	for _, c := range []struct {
		name    string
		owner   string // of what is published already
		trust   string
		environ []string
		anon    bool
		want    string // "" is that nothing is wrong
		odd     string
	}{
		{name: "a new package", want: ""},
		{name: "one's own", owner: "ann"},
		{name: "somebody else's", owner: "bob", want: "the name is taken: p is published by bob, and ann is logged in"},
		{name: "nobody", anon: true, want: "nobody is logged in to "},
		{name: "a trusted workflow", trust: trusts("o/r", "release.yml"), environ: asks, anon: true},
		{name: "another repository", trust: trusts("o/other", "release.yml"), environ: asks, anon: true, want: `p does not trust this run: it trusts repository o/other, this is "o/r"`},
		{name: "another workflow", trust: trusts("o/r", "ci.yml"), environ: asks, anon: true, want: `it trusts workflow_ref ci.yml, this is "release.yml"`},
		{name: "the environment", trust: `[{"type":"github","claims":{"repository":"o/r","workflow_ref":{"file":"release.yml"},"environment":"npm"}}]`, environ: asks, anon: true},
		{name: "another environment", trust: `[{"type":"github","claims":{"repository":"o/r","workflow_ref":{"file":"release.yml"},"environment":"prod"}}]`, environ: asks, anon: true, want: `it trusts environment prod, this is "npm"`},
		{name: "one of several", trust: `[{"type":"gitlab","claims":{}},{"type":"github","claims":{"repository":"o/r","workflow_ref":{"file":"release.yml"}}}]`, environ: asks, anon: true},
		{name: "an identity for somebody else", environ: []string{"GITHUB_ACTIONS=true", "NPM_ID_TOKEN=x." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"sigstore"}`)) + ".x"}, anon: true, want: `the identity token is for "sigstore" and not for "npm:127.0.0.1"`},
		{name: "GitHub says nothing", environ: []string{"GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_URL=REGISTRY/nothing?v=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=t"}, anon: true, want: "GitHub did not say who this job is: 404 Not Found"},
		{name: "CircleCI", trust: circleRecord, environ: circle(`["c0","c1"]`), anon: true},
		{name: "CircleCI without the context", trust: circleRecord, environ: circle(`["c0"]`), anon: true, want: "it trusts oidc.circleci.com/context-ids c1"},
		{name: "another service", trust: `[{"type":"gitlab","claims":{}}]`, environ: asks, anon: true, want: "it trusts gitlab, this is github"},
		{name: "nobody trusted", trust: `[]`, environ: asks, anon: true, want: "it trusts nobody"},
		{name: "no permission", environ: github, anon: true, want: `add "permissions: id-token: write" to the job, and nobody is logged in`},
		{name: "a token in the way", trust: trusts("o/r", "release.yml"), environ: asks, odd: "where trusted publishing fails, it is what publishes"},
		{name: "a token of GitLab", trust: `{"type":"gitlab","claims":{"project_path":"g/p","ci_config_ref_uri":{"file":".gitlab-ci.yml"}}}`, anon: true,
			environ: []string{"GITLAB_CI=true", "NPM_ID_TOKEN=" + token(`"project_path":"g/p","ci_config_ref_uri":"gitlab.com/g/p//.gitlab-ci.yml@refs/heads/main"`)}},
		{name: "a token of GitLab for another project", trust: `{"type":"gitlab","claims":{"project_path":"g/q"}}`, anon: true,
			environ: []string{"GITLAB_CI=true", "NPM_ID_TOKEN=" + token(`"project_path":"g/p"`)}, want: `it trusts project_path g/q, this is "g/p"`},
		{name: "no token of GitLab", environ: []string{"GITLAB_CI=true", "NPM_ID_TOKEN=rubbish"}, anon: true, want: "the identity token is no JSON web token"},
		{name: "no identity from GitLab", environ: []string{"GITLAB_CI=true"}, anon: true, want: `add "id_tokens: NPM_ID_TOKEN: aud: npm:127.0.0.1" to the job`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPublishing(t, map[string]string{"package.json": `{"name":"p","version":"1.0.0","license":"MIT"}`, "README": ""})
			for _, kv := range c.environ {
				p.environ = append(p.environ, strings.ReplaceAll(kv, "REGISTRY/", p.registry.URL))
			}
			if c.anon {
				p.write(filepath.Join(p.home, ".npmrc"), "registry="+p.registry.URL+"\n")
			}
			answer := func(path, body string) {
				p.registry.Fail(registrytest.Fault{Kind: registrytest.Replace, Method: "GET", Path: path, Body: body})
			}
			answer("/identity", `{"value":"`+workflow+`"}`)
			answer("/-/whoami", `{"username":"ann"}`)
			if c.trust != "" {
				answer("/-/package/p/trust", c.trust)
			}
			if c.owner != "" {
				answer("/p", `{"name":"p","versions":{"0.1.0":{"name":"p","version":"0.1.0"}},"maintainers":[{"name":"`+c.owner+`"}]}`)
			}
			status := p.run("publish", "--check")
			if (status != 0) != (c.want != "") || !strings.Contains(p.err.String(), c.want) || !strings.Contains(p.err.String(), c.odd) {
				t.Errorf("exit status %d\n%s%s", status, p.out.String(), p.err.String())
			}
		})
	}
}

func TestPackWritesNothingWhenDry(t *testing.T) {
	p := newPublishing(t, examplePackage)
	if status := p.run("pack", "--dry-run", "--json"); status != 0 {
		t.Fatalf("exit status %d\n%s", status, p.err.String())
	}
	v, err := jsjson.Parse(p.out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Get("@scope/example").Get("filename").Text(); got != "scope-example-1.2.3.tgz" {
		t.Errorf("filename %q", got)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "scope-example-1.2.3.tgz")); err == nil {
		t.Error("the tarball was written")
	}
	if status := p.run("pack", "--pack-destination", p.home); status != 0 || p.out.String() != "scope-example-1.2.3.tgz\n" {
		t.Fatalf("exit status %d, printed %q\n%s", status, p.out.String(), p.err.String())
	}
	if _, err := os.Stat(filepath.Join(p.home, "scope-example-1.2.3.tgz")); err != nil {
		t.Error(err)
	}
}

func TestANameThatIsNotUTF8IsNotPacked(t *testing.T) {
	p := newPublishing(t, examplePackage)
	if err := os.WriteFile(filepath.Join(p.dir, "caf\xe9.js"), nil, 0o644); err != nil {
		t.Skip("this file system has no such names")
	}
	if _, err := os.Lstat(filepath.Join(p.dir, "caf\xe9.js")); err != nil {
		t.Skip("this file system has no such names")
	}
	if status := p.run("pack"); status == 0 || !strings.Contains(p.err.String(), `error "caf\xe9.js": the file's name is not UTF-8`) {
		t.Errorf("exit status %d\n%s", status, p.err.String())
	}
}

// TestPackLeavesOutWhatIsForTheProjectAlone: npm 12 publishes no patches, and
// nothing that the user's own ignore file names.
func TestPackLeavesOutWhatIsForTheProjectAlone(t *testing.T) {
	p := newPublishing(t, map[string]string{
		"package.json":    "{\n  \"name\": \"p\",\n  \"version\": \"1.0.0\",\n  \"patchedDependencies\": {\"a@1.0.0\": \"patches/a.patch\"}\n}\n",
		"patches/a.patch": "", "index.js": "", "notes.iml": "",
	})
	p.write(filepath.Join(p.home, "npmignore"), "*.iml\n")
	if status := p.run("publish", "--global-ignore-file", filepath.Join(p.home, "npmignore")); status != 0 {
		t.Fatalf("exit status %d\n%s", status, p.err.String())
	}
	doc, err := jsjson.Parse(p.sent("PUT").Body)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Get("versions").Get("1.0.0").Has("patchedDependencies") {
		t.Error("the document has patchedDependencies")
	}
	tgz, err := base64.StdEncoding.DecodeString(doc.Get("_attachments").Get("p-1.0.0.tgz").Get("data").Text())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err = eachPacked("p", tgz, func(h *tar.Header, r io.Reader) error {
		text, err := io.ReadAll(r)
		got[h.Name] = string(text)
		return err
	})
	want := map[string]string{"package/index.js": "", "package/package.json": "{\n  \"name\": \"p\",\n  \"version\": \"1.0.0\"\n}\n"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v: packed %q", err, got)
	}
}

// TestJSONOfSeveralIsOneDocument: what was published before something failed is
// said beside the error.
func TestJSONOfSeveralIsOneDocument(t *testing.T) {
	p := newPublishing(t, map[string]string{
		"package.json":   `{"name":"root","version":"1.0.0","workspaces":["a","b"]}`,
		"a/package.json": `{"name":"a","version":"1.0.0"}`, "b/package.json": `{"name":"b","version":"1.0.0-1"}`,
	})
	if status := p.run("publish", "--workspaces", "--json"); status != 1 {
		t.Errorf("exit status %d\n%s", status, p.err.String())
	}
	v, err := jsjson.Parse(p.out.Bytes())
	if err != nil || v.Get("a").Get("id").Text() != "a@1.0.0" || !v.Get("error").Has("summary") {
		t.Errorf("%v\n%s", err, p.out.String())
	}
	if status := p.run("publish", "--workspaces", "--json", "--check"); status != 1 {
		t.Errorf("exit status %d\n%s", status, p.err.String())
	}
	if v, err = jsjson.Parse(p.out.Bytes()); err != nil || !v.Get("a").Has("errors") || v.Get("b").Get("errors").Len() == 0 {
		t.Errorf("%v\n%s", err, p.out.String())
	}
}

func TestLoginKeepsTheTokenToItself(t *testing.T) {
	p := newPublishing(t, nil)
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p.registry.Heal()
	p.accept("PUT", 201, `{"token":"npm_very_secret"}`)
	p.accept("DELETE", 0, `{"ok":true}`)
	rc := filepath.Join(p.home, ".npmrc")
	p.write(rc, "registry="+p.registry.URL+"\n")
	p.stdin = "ann\npassword\n"
	if status := p.run("login", "--loglevel=silly"); status != 0 {
		t.Fatalf("exit status %d\n%s", status, p.err.String())
	}
	text, err := os.ReadFile(rc)
	if err != nil || !strings.Contains(string(text), ":_authToken=npm_very_secret") {
		t.Fatalf("%v\n%s", err, text)
	}
	if st, err := os.Stat(rc); err != nil || st.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if status := p.run("logout", "--loglevel=silly"); status != 0 {
		t.Fatalf("exit status %d\n%s", status, p.err.String())
	}
	if r := p.sent("DELETE"); r == nil || r.Path != "/-/user/token/npm_very_secret" {
		t.Errorf("asked %+v", p.registry.Requests())
	}
	if strings.Contains(p.err.String()+p.out.String(), "npm_very_secret") {
		t.Errorf("the token was printed\n%s%s", p.out.String(), p.err.String())
	}
	if text, _ := os.ReadFile(rc); strings.Contains(string(text), "secret") {
		t.Errorf("still logged in\n%s", text)
	}
}

func TestSecrets(t *testing.T) {
	key := "-----BEGIN RSA PRIVATE KEY-----\n" + strings.Repeat("MIIEow", 10) + "\n-----END RSA PRIVATE KEY-----\n"
	for _, c := range []struct {
		name, path, text string
		found            bool
	}{
		{"an environment file", ".env", "", true},
		{"one for a stage", "config/.env.production", "", true},
		{"an example of one", ".env.example", "", false},
		{"a key by name", "id_ed25519", "", true},
		{"a key by content", "lib/cert.pem", key, true},
		{"a certificate", "lib/cert.pem", "-----BEGIN CERTIFICATE-----\n" + strings.Repeat("MIIEow", 10), false},
		{"code that knows keys", "index.js", "if (s.startsWith('-----BEGIN RSA PRIVATE KEY-----')) return", false},
		{"a token", "index.js", "const t = 'npm_" + strings.Repeat("a1", 18) + "'", true},
		{"a longer word", "index.js", "npm_" + strings.Repeat("a1", 19), false},
		{"another word before it", "index.js", "xnpm_" + strings.Repeat("a1", 18), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			why := secretName(c.path)
			if why == "" {
				why = secretContent([]byte(c.text))
			}
			if (why != "") != c.found {
				t.Errorf("%s: %q", c.path, why)
			}
		})
	}
}

func FuzzSecretContent(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nabc"))
	f.Add([]byte("npm_"))
	f.Add([]byte("AKIA0123456789ABCDEF"))
	f.Fuzz(func(t *testing.T, data []byte) { secretContent(data) })
}

func TestFilesAreListedInNpmsOrder(t *testing.T) {
	var files []packedFile
	for _, path := range []string{"lib/f20.js", "lib/f10.js", "lib/f2.js", "ähm.txt", "Zed.txt", "built.txt", "README.md", "1.txt", "lib/f02a.js", "ﬁ.js", "😀.md"} {
		files = append(files, packedFile{path: path})
	}
	sortPacked(files)
	var got []string
	for _, f := range files {
		got = append(got, f.path)
	}
	const want = "😀.md 1.txt README.md Zed.txt ähm.txt built.txt ﬁ.js lib/f2.js lib/f02a.js lib/f10.js lib/f20.js"
	if strings.Join(got, " ") != want {
		t.Errorf("%s, npm's order is %s", strings.Join(got, " "), want)
	}
}

func TestATarballsNameHasNoControlCharacters(t *testing.T) {
	for version, want := range map[string]string{
		"1.0.0":                 "s-a-1.0.0.tgz",
		"1.0.0\x1b]0;x\a\u009b": "s-a-1.0.0-]0;x--.tgz",
		"../../1\u202e":         "s-a-..-..-1-.tgz",
	} {
		if got := tarballName("@s/a", version); got != want {
			t.Errorf("%q: %q, not %q", version, got, want)
		}
	}
}
