package cmd

import (
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/provenance/sigstoretest"
)

// ciJob is a CI job that publishes: a registry, an issuer of identity tokens and
// a Sigstore, all on this machine.
type ciJob struct {
	t        *testing.T
	server   *httptest.Server
	sigstore *sigstoretest.Sigstore
	dir      string
	home     string
	env      map[string]string
	npmrc    string // more lines
	claims   map[string]any

	issuer, exchange func(w http.ResponseWriter, r *http.Request) // instead of the usual answers
	public           bool                                         // the package
	sent             []recordedRequest
	out, err         bytes.Buffer
}

const (
	exchangedToken = "npm_exchanged"
	requestSecret  = "ghs_secret"
)

func newJob(t *testing.T) *ciJob {
	j := &ciJob{t: t, dir: t.TempDir(), home: t.TempDir(), sigstore: sigstoretest.Start(), public: true}
	t.Cleanup(j.sigstore.Close)
	j.server = httptest.NewServer(j)
	t.Cleanup(j.server.Close)
	j.claims = map[string]any{
		"iss": "https://token.actions.githubusercontent.com", "sub": "repo:owner/repo:ref:refs/heads/main", "aud": "npm:127.0.0.1",
		"exp": time.Now().Add(time.Hour).Unix(), "job_workflow_ref": "owner/repo/.github/workflows/publish.yml@refs/heads/main", "repository_visibility": "private",
	}
	root := filepath.Join(j.home, "root.json")
	if err := os.WriteFile(root, j.sigstore.TrustedRoot(), 0o600); err != nil {
		t.Fatal(err)
	}
	j.env = map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "owner/repo",
		"GITHUB_WORKFLOW_REF": "owner/repo/.github/workflows/publish.yml@refs/heads/main", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": "abc",
		"ACTIONS_ID_TOKEN_REQUEST_URL": j.server.URL + "/issuer?v=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": requestSecret,
		"IBID_SIGSTORE_FULCIO": j.sigstore.URL, "IBID_SIGSTORE_REKOR": j.sigstore.URL, "IBID_SIGSTORE_ROOT": root,
		"HOME": j.home, "USERPROFILE": j.home, "PATH": os.Getenv("PATH"), "npm_config_cache": filepath.Join(j.home, "cache"),
		"npm_config_fetch_retries": "0",
	}
	for name, text := range map[string]string{"package.json": `{"name":"@scope/example","version":"1.2.3"}`, "index.js": ""} {
		if err := os.WriteFile(filepath.Join(j.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

func (j *ciJob) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	j.sent = append(j.sent, recordedRequest{Method: r.Method, URL: r.RequestURI, Body: string(body), Headers: map[string]string{
		"authorization": r.Header.Get("Authorization"), "npm-otp": r.Header.Get("Npm-Otp"), "npm-session": r.Header.Get("Npm-Session"), "npm-command": r.Header.Get("Npm-Command"),
	}})
	reply := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	switch {
	case r.URL.Path == "/issuer":
		if j.issuer != nil {
			j.issuer(w, r)
			return
		}
		claims := map[string]any{}
		for k, v := range j.claims {
			claims[k] = v
		}
		if aud := r.URL.Query().Get("audience"); aud == "sigstore" {
			claims["aud"] = aud
		}
		reply(200, map[string]any{"value": sigstoretest.Token(claims)})
	case strings.HasPrefix(r.URL.Path, "/-/npm/v1/oidc/token/exchange/package/"):
		if j.exchange != nil {
			j.exchange(w, r)
			return
		}
		reply(201, map[string]any{"token": exchangedToken})
	case strings.HasSuffix(r.URL.Path, "/visibility"):
		reply(200, map[string]any{"public": j.public})
	case r.Method == "PUT" || r.Method == "POST":
		reply(200, map[string]any{})
	default:
		reply(404, map[string]any{})
	}
}

func (j *ciJob) run(args ...string) int {
	j.out.Reset()
	j.err.Reset()
	j.sent = nil
	npmrc := fmt.Sprintf("registry=%s/\n%s", j.server.URL, strings.ReplaceAll(j.npmrc, "REGISTRY", strings.TrimPrefix(j.server.URL, "http:")))
	if err := os.WriteFile(filepath.Join(j.home, ".npmrc"), []byte(npmrc), 0o600); err != nil {
		j.t.Fatal(err)
	}
	var environ []string
	for k, v := range j.env {
		environ = append(environ, k+"="+v)
	}
	slices.Sort(environ)
	return Main(Env{Argv: append([]string{"ibid"}, args...), Environ: environ, Cwd: j.dir, Stdin: strings.NewReader(""), Stdout: &j.out, Stderr: &j.err})
}

// request gives the first request with a method whose address has a text in it.
func (j *ciJob) request(method, part string) *recordedRequest {
	for i := range j.sent {
		if j.sent[i].Method == method && strings.Contains(j.sent[i].URL, part) {
			return &j.sent[i]
		}
	}
	return nil
}

// noSecrets fails where a secret is in what was printed.
func (j *ciJob) noSecrets() {
	j.t.Helper()
	for _, secret := range []string{exchangedToken, requestSecret, ".c2ln", "tt-configured"} {
		if strings.Contains(j.out.String()+j.err.String(), secret) {
			j.t.Errorf("%s was printed:\n%s%s", secret, j.out.String(), j.err.String())
		}
	}
}

func TestAJobThatIsTrustedNeedsNoToken(t *testing.T) {
	j := newJob(t)
	for _, command := range [][]string{{"publish"}, {"stage", "publish"}} {
		if status := j.run(append(command, "--loglevel=silly", "--otp=123456")...); status != 0 {
			t.Fatalf("%v: exit status %d\n%s", command, status, j.err.String())
		}
		j.noSecrets()
		issuer, exchange := j.request("GET", "/issuer"), j.request("POST", "/oidc/")
		if issuer == nil || issuer.URL != "/issuer?v=1&audience=npm%3A127.0.0.1" || issuer.Headers["authorization"] != "Bearer "+requestSecret ||
			issuer.Headers["npm-otp"] != "" || issuer.Headers["npm-command"] != "" {
			t.Errorf("the issuer was asked %+v", issuer)
		}
		if exchange == nil || exchange.URL != "/-/npm/v1/oidc/token/exchange/package/@scope%2fexample" || exchange.Headers["authorization"] != "Bearer "+sigstoretest.Token(j.claims) {
			t.Errorf("the registry was asked %+v", exchange)
		}
		method, part := "PUT", "/@scope%2fexample"
		if command[0] == "stage" {
			method, part = "POST", "/-/stage/package/@scope%2fexample"
		}
		if r := j.request(method, part); r == nil || r.Headers["authorization"] != "Bearer "+exchangedToken || strings.Contains(r.Body, ".sigstore") {
			t.Errorf("published by %+v", r)
		}
	}
}

// The 16 faults of trusted publishing, each with the one line that it gets.
func TestEachFaultOfTrustedPublishingIsSaidInOneLine(t *testing.T) {
	answer := func(status int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	gone := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://localhost:1/")
		w.WriteHeader(307)
	}
	for _, c := range []struct {
		name  string
		fault func(j *ciJob)
		want  string
	}{
		{"GitHub gives no identity", func(j *ciJob) { delete(j.env, "ACTIONS_ID_TOKEN_REQUEST_URL") }, `GitHub gives this job no identity token: add "permissions: id-token: write" to the job`},
		{"GitHub gives half of what is needed", func(j *ciJob) { delete(j.env, "ACTIONS_ID_TOKEN_REQUEST_TOKEN") }, `GitHub gives this job no identity token: add "permissions: id-token: write" to the job`},
		{"GitLab gives no identity", func(j *ciJob) { delete(j.env, "GITHUB_ACTIONS"); j.env["GITLAB_CI"] = "true" }, `GitLab gives this job no identity token: add "id_tokens: NPM_ID_TOKEN: aud: npm:127.0.0.1" to the job`},
		{"CircleCI gives no identity", func(j *ciJob) { delete(j.env, "GITHUB_ACTIONS"); j.env["CIRCLECI"] = "true" }, `CircleCI gives this job no identity token: set NPM_ID_TOKEN to that of circleci run oidc get for the audience npm:127.0.0.1`},
		{"the issuer refuses", func(j *ciJob) { j.issuer = answer(403, `{"message":"no"}`) }, "GitHub did not say who this job is: 403 Forbidden: no"},
		{"the issuer is not there", func(j *ciJob) { j.env["ACTIONS_ID_TOKEN_REQUEST_URL"] = "http://127.0.0.1:1/x" }, "GitHub did not say who this job is: ECONNREFUSED"},
		{"the issuer sends elsewhere", func(j *ciJob) { j.issuer = gone }, "GitHub did not say who this job is: redirected to another host, which does not get what was meant for this one"},
		{"the issuer gives no JSON", func(j *ciJob) { j.issuer = answer(200, "<html>") }, "GitHub did not say who this job is: the answer is not JSON"},
		{"the issuer gives nothing", func(j *ciJob) { j.issuer = answer(200, "{}") }, "GitHub did not say who this job is: the answer has no value"},
		{"the identity is no token", func(j *ciJob) { j.env["NPM_ID_TOKEN"] = "x.c2ln"; j.exchange = answer(401, "{}") }, "127.0.0.1 gave no token for this job: the identity token is no JSON web token"},
		{"the identity has expired", func(j *ciJob) {
			j.claims["exp"] = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Unix()
			j.exchange = answer(401, `{"message":"jwt expired"}`)
		}, "127.0.0.1 gave no token for this job: the identity token expired at 2026-01-02T03:04:05Z"},
		{"the identity is for another", func(j *ciJob) { j.claims["aud"] = "npm:registry.npmjs.org"; j.exchange = answer(401, "{}") }, `127.0.0.1 gave no token for this job: the identity token is for "npm:registry.npmjs.org" and not for "npm:127.0.0.1"`},
		{"the registry does not accept the identity", func(j *ciJob) { j.exchange = answer(401, `{"message":"bad signature"}`) }, "127.0.0.1 does not accept the identity of this job (401 Unauthorized: bad signature)"},
		{"the registry repeats the identity", func(j *ciJob) {
			j.exchange = func(w http.ResponseWriter, r *http.Request) {
				answer(401, `{"message":"`+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+`"}`)(w, r)
			}
		}, "127.0.0.1 does not accept the identity of this job (401 Unauthorized: ***)"},
		{"the registry trusts nobody", func(j *ciJob) { j.exchange = answer(404, "{}") }, "127.0.0.1 trusts nobody to publish @scope/example (404): ibid trust --help tells how to have it trust this job"},
		{"the registry trusts another workflow", func(j *ciJob) { j.exchange = answer(403, `{"message":"claims do not match"}`) }, "127.0.0.1 does not trust this job to publish @scope/example (403 Forbidden: claims do not match): ibid trust list @scope/example shows whom it trusts; this is owner/repo/.github/workflows/publish.yml@refs/heads/main"},
		{"too many ask the registry", func(j *ciJob) { j.exchange = answer(429, "{}") }, "127.0.0.1 gave no token for this job: 429 Too Many Requests"},
		{"the registry is broken", func(j *ciJob) { j.exchange = answer(503, "") }, "127.0.0.1 gave no token for this job: 503 Service Unavailable"},
		{"the registry gives no JSON", func(j *ciJob) { j.exchange = answer(200, "<html>") }, "127.0.0.1 gave no token for this job: the answer is not JSON"},
		{"the registry gives nothing", func(j *ciJob) { j.exchange = answer(200, `{"token":""}`) }, "127.0.0.1 gave no token for this job: the answer has no token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJob(t)
			c.fault(j)
			if status := j.run("publish"); status != 1 {
				t.Errorf("exit status %d", status)
			}
			j.noSecrets()
			said := j.err.String()
			if !strings.Contains(said, "ibid warn oidc "+c.want+"\n") || strings.Count(said, "warn oidc ") != 1 || !strings.Contains(said, "ibid error code ENEEDAUTH\n") {
				t.Errorf("said\n%s\nwant %s", said, c.want)
			}
			// With a token there is another way, and it is a matter of information.
			j.npmrc = "REGISTRY/:_authToken=tt-configured\n"
			if status := j.run("publish", "--loglevel=verbose"); status != 0 {
				t.Errorf("exit status %d\n%s", status, j.err.String())
			}
			j.noSecrets()
			if said := j.err.String(); !strings.Contains(said, " oidc "+c.want+"; //127.0.0.1") || strings.Contains(said, "warn oidc") {
				t.Errorf("said\n%s", said)
			}
			if r := j.request("PUT", "/"); r == nil || r.Headers["authorization"] != "Bearer tt-configured" {
				t.Errorf("published by %+v", r)
			}
		})
	}
}

func TestTokensInTheWayOfTrustedPublishing(t *testing.T) {
	j := newJob(t)
	j.npmrc = "REGISTRY/:_authToken=tt-configured\n"
	if status := j.run("publish"); status != 0 {
		t.Fatal(j.err.String())
	}
	if !strings.Contains(j.err.String(), "notice oidc this job is trusted to publish @scope/example; "+strings.TrimPrefix(j.server.URL, "http:")+"/:_authToken is not used and can be removed\n") {
		t.Errorf("said\n%s", j.err.String())
	}
	if r := j.request("PUT", "/"); r.Headers["authorization"] != "Bearer "+exchangedToken {
		t.Errorf("published by %+v", r)
	}
	j.npmrc = "REGISTRY/@scope%2fexample:_authToken=tt-configured\n"
	j.run("publish")
	j.noSecrets()
	if r := j.request("PUT", "/"); r != nil && r.Headers["authorization"] != "Bearer "+exchangedToken && !strings.Contains(j.err.String(), "shadows the token of trusted publishing: remove it") {
		t.Errorf("said\n%s", j.err.String())
	}
}

func TestNoTrustedPublishingOutsideOfCI(t *testing.T) {
	for _, change := range []func(*ciJob){func(j *ciJob) { delete(j.env, "GITHUB_ACTIONS") }, func(j *ciJob) { j.env["CI"] = "false" }} {
		j := newJob(t)
		change(j)
		j.run("publish")
		if j.request("GET", "/issuer") != nil || j.request("POST", "/oidc/") != nil || strings.Contains(j.err.String(), "oidc") {
			t.Errorf("asked all the same\n%s", j.err.String())
		}
	}
}

// published is the document of the only PUT, and its bundle.
func (j *ciJob) published() (doc jsjson.Value, b *provenance.Bundle) {
	j.t.Helper()
	r := j.request("PUT", "/")
	if r == nil {
		j.t.Fatalf("nothing was published\n%s", j.err.String())
	}
	doc, err := jsjson.Parse([]byte(r.Body))
	if err != nil {
		j.t.Fatal(err)
	}
	at := doc.Get("_attachments").Get("@scope/example-1.2.3.sigstore")
	if at.IsUndefined() {
		return doc, nil
	}
	if float64(len(utf16.Encode([]rune(at.Get("data").Str())))) != at.Get("length").Num() || at.Get("content_type").Str() != "application/vnd.dev.sigstore.bundle.v0.3+json" {
		j.t.Errorf("attached as %s of %v bytes", at.Get("content_type").Text(), at.Get("length").Num())
	}
	if b, err = provenance.ParseBundle([]byte(at.Get("data").Str())); err != nil {
		j.t.Fatal(err)
	}
	return doc, b
}

func TestPublishWithProvenance(t *testing.T) {
	for _, c := range []struct {
		name    string
		job     func(j *ciJob)
		args    []string
		attests bool
	}{
		{"asked for", func(*ciJob) {}, []string{"--provenance", "--access=public"}, true},
		{"asked for, of a package that is public", func(*ciJob) {}, []string{"--provenance"}, true},
		{"a public repository of a trusted job", func(j *ciJob) { j.claims["repository_visibility"] = "public" }, nil, true},
		{"a public repository, and not wanted", func(j *ciJob) { j.claims["repository_visibility"] = "public" }, []string{"--no-provenance"}, false},
		{"a public repository of a private package", func(j *ciJob) { j.claims["repository_visibility"], j.public = "public", false }, nil, false},
		{"a private repository", func(*ciJob) {}, nil, false},
		{"GitLab", func(j *ciJob) {
			delete(j.env, "GITHUB_ACTIONS")
			j.env["GITLAB_CI"], j.env["CI_PROJECT_URL"] = "true", "https://gitlab.com/a/b"
			j.env["NPM_ID_TOKEN"] = sigstoretest.Token(map[string]any{"project_visibility": "public", "aud": "npm:127.0.0.1"})
			j.env["SIGSTORE_ID_TOKEN"] = sigstoretest.Token(map[string]any{"sub": "project_path:a/b", "aud": "sigstore"})
		}, nil, true},
		{"GitLab without a token for Sigstore", func(j *ciJob) {
			delete(j.env, "GITHUB_ACTIONS")
			j.env["GITLAB_CI"] = "true"
			j.env["NPM_ID_TOKEN"] = sigstoretest.Token(map[string]any{"project_visibility": "public", "aud": "npm:127.0.0.1"})
		}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJob(t)
			c.job(j)
			if status := j.run(append([]string{"publish"}, c.args...)...); status != 0 {
				t.Fatalf("exit status %d\n%s", status, j.err.String())
			}
			j.noSecrets()
			doc, b := j.published()
			if (b != nil) != c.attests {
				t.Fatalf("a bundle: %v\n%s", b != nil, j.err.String())
			}
			for _, r := range j.sigstore.Requests() {
				if r.Header.Get("Authorization") != "" || r.Header.Get("Npm-Command") != "" {
					t.Errorf("%s %s got %v", r.Method, r.Path, r.Header)
				}
			}
			if b == nil {
				return
			}
			root, err := provenance.ParseRoot(j.sigstore.TrustedRoot())
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Verify(root, nil); err != nil {
				t.Error(err)
			}
			tgz, err := base64.StdEncoding.DecodeString(doc.Get("_attachments").Get("@scope/example-1.2.3.tgz").Get("data").Str())
			if err != nil {
				t.Fatal(err)
			}
			sum := sha512.Sum512(tgz)
			if s, err := b.Subject(); err != nil || s != (provenance.Subject{Name: "pkg:npm/%40scope/example@1.2.3", SHA512: hex.EncodeToString(sum[:])}) {
				t.Errorf("subject %+v, %v", s, err)
			}
			if !strings.Contains(j.err.String(), "Signed provenance statement with source and build information from Git") {
				t.Errorf("said\n%s", j.err.String())
			}

			// The same bundle can be given as a file, for this package and no other.
			file := filepath.Join(t.TempDir(), "bundle.json")
			text := string(jsjson.Append(nil, b.JSON, "", ""))
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			j.env["CI"] = "false"
			j.npmrc = "REGISTRY/:_authToken=tt-configured\n"
			if status := j.run("publish", "--provenance-file", file); status != 0 {
				t.Fatalf("exit status %d\n%s", status, j.err.String())
			}
			if doc, _ := j.published(); doc.Get("_attachments").Get("@scope/example-1.2.3.sigstore").Get("data").Text() != text {
				t.Error("another bundle was published")
			}
			for what, change := range map[string]func(){
				"Provenance subject digest does not match the package": func() { os.WriteFile(filepath.Join(j.dir, "index.js"), []byte("1"), 0o644) },
				"Provenance subject pkg:npm/%40scope/example@1.2.3 does not match the package: pkg:npm/other@1.2.3": func() {
					os.WriteFile(filepath.Join(j.dir, "package.json"), []byte(`{"name":"other","version":"1.2.3"}`), 0o644)
				},
			} {
				change()
				if status := j.run("publish", "--provenance-file", file); status != 1 || j.request("PUT", "/") != nil || (!strings.Contains(j.err.String(), what) && !strings.Contains(j.err.String(), "does not match the package")) {
					t.Errorf("exit status %d, want %s\n%s", status, what, j.err.String())
				}
			}
		})
	}
}

// What was asked for is not left out in silence: nothing is published.
func TestWithoutItsProvenanceNothingIsPublished(t *testing.T) {
	broken := func(path string, status int) func(*ciJob) {
		return func(j *ciJob) {
			j.sigstore.Fault = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == path {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(status)
					io.WriteString(w, `{"code":3,"message":"because"}`)
				}
				return r.URL.Path == path
			}
		}
	}
	for _, c := range []struct {
		name string
		job  func(j *ciJob)
		args []string
		code string
		want string
	}{
		{"no CI", func(j *ciJob) { j.env["CI"] = "false" }, nil, "EUSAGE", "Automatic provenance generation not supported for provider: null"},
		{"another CI", func(j *ciJob) { delete(j.env, "GITHUB_ACTIONS"); j.env["CIRCLECI"] = "true" }, nil, "EUSAGE", "Automatic provenance generation not supported for provider: CircleCI"},
		{"no permission on GitHub", func(j *ciJob) { delete(j.env, "ACTIONS_ID_TOKEN_REQUEST_URL") }, nil, "EUSAGE", `Provenance generation in GitHub Actions requires "write" access to the "id-token" permission`},
		{"no token on GitLab", func(j *ciJob) { delete(j.env, "GITHUB_ACTIONS"); j.env["GITLAB_CI"] = "true" }, nil, "EUSAGE", `Provenance generation in GitLab CI requires "SIGSTORE_ID_TOKEN"`},
		{"a private package", func(j *ciJob) { j.public = false }, nil, "EUSAGE", "Can't generate provenance for new or private package, you must set `access` to public."},
		{"Fulcio refuses", broken("/api/v2/signingCert", 400), nil, "EPROVENANCE", "provenance: getting a certificate: "},
		{"Rekor has it already", broken("/api/v1/log/entries", 409), nil, "EPROVENANCE", "provenance: writing the signature into the transparency log: "},
		{"Rekor is broken", broken("/api/v1/log/entries", 500), nil, "EPROVENANCE", "500 Internal Server Error: because; nothing was published"},
		{"both ways", func(*ciJob) {}, []string{"--provenance-file=x.json"}, "", "provenance"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJob(t)
			j.npmrc = "REGISTRY/:_authToken=tt-configured\n"
			c.job(j)
			if status := j.run(append([]string{"publish", "--provenance"}, c.args...)...); status != 1 || j.request("PUT", "/") != nil {
				t.Errorf("exit status %d", status)
			}
			j.noSecrets()
			code := "E"
			if c.code != "" && c.code != "EPROVENANCE" {
				code = c.code + "\n"
			}
			if said := j.err.String(); !strings.Contains(said, c.want) || !strings.Contains(said, "ibid error code "+code) && c.code != "" {
				t.Errorf("said\n%s", said)
			}
		})
	}
	for _, c := range []struct{ text, want string }{
		{"{", "Invalid provenance provided: "},
		{`{"mediaType":"x"}`, `Invalid provenance provided: the bundle's media type is "x"`},
	} {
		j := newJob(t)
		j.env["CI"] = "false"
		j.npmrc = "REGISTRY/:_authToken=tt-configured\n"
		file := filepath.Join(j.home, "bundle.json")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if status := j.run("publish", "--provenance-file", file); status != 1 || j.request("PUT", "/") != nil || !strings.Contains(j.err.String(), c.want) {
			t.Errorf("exit status %d\n%s", status, j.err.String())
		}
	}
}
