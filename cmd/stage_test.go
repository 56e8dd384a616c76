package cmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// recordedCase is what npm did in one situation: testdata/stage/record.mjs.
type recordedCase struct {
	Name     string            `json:"name"`
	Argv     []string          `json:"argv"`
	Files    map[string]string `json:"files"`
	Answers  []recordedAnswer  `json:"answers"`
	Requests []recordedRequest `json:"requests"`
	Stdout   string            `json:"stdout"`
	Stderr   string            `json:"stderr"`
	Status   int               `json:"status"`
	Written  map[string]string `json:"written"`
}

type recordedAnswer struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Query   string            `json:"query"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Base64  []byte            `json:"base64"`
}

type recordedRequest struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// TestStageAndTrustAsNPM holds the requests of each subcommand, what it prints
// and how it ends against npm's.
func TestStageAndTrustAsNPM(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "stage", "recorded.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		NPM   string
		Cases []recordedCase
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	if recorded.NPM != "12.2.0" || len(recorded.Cases) < 80 {
		t.Fatalf("the recording has %d cases of npm %s", len(recorded.Cases), recorded.NPM)
	}
	for _, c := range recorded.Cases {
		t.Run(c.Name, func(t *testing.T) { c.run(t) })
	}
}

func (c *recordedCase) run(t *testing.T) {
	var sent []recordedRequest
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r := recordedRequest{Method: q.Method, URL: q.RequestURI, Headers: map[string]string{}, Body: string(body)}
		for _, key := range []string{"authorization", "content-type", "npm-command", "npm-auth-type", "npm-otp", "accept", "npm-scope"} {
			if v, ok := q.Header[http.CanonicalHeaderKey(key)]; ok {
				r.Headers[key] = v[0]
			}
		}
		if q.Method != http.MethodGet || strings.HasPrefix(q.RequestURI, "/-/") {
			sent = append(sent, r)
		}
		path, query, _ := strings.Cut(q.RequestURI, "?")
		for _, a := range c.Answers {
			if a.Method == q.Method && a.Path == path && strings.Contains(query, a.Query) {
				for k, v := range a.Headers {
					w.Header().Set(k, v)
				}
				w.WriteHeader(a.Status)
				w.Write(append(a.Base64, a.Body...))
				return
			}
		}
		w.WriteHeader(404)
		io.WriteString(w, "{}")
	}))
	defer server.Close()
	home, dir := t.TempDir(), t.TempDir()
	write := func(dir, name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(home, ".npmrc", fmt.Sprintf("registry=%s/\n%s/:_authToken=tt\n", server.URL, strings.TrimPrefix(server.URL, "http:")))
	for name, text := range c.Files {
		write(dir, name, text)
	}
	var out, stderr bytes.Buffer
	status := Main(Env{
		Argv:    append([]string{"npm"}, c.Argv...),
		Environ: []string{"HOME=" + home, "USERPROFILE=" + home, "PATH=" + os.Getenv("PATH"), "npm_config_cache=" + filepath.Join(home, "cache"), "npm_config_fetch_retries=0"},
		Cwd:     dir, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &stderr,
	})
	if status != c.Status {
		t.Errorf("exit status %d, npm's is %d\n%s", status, c.Status, stderr.String())
	}
	for i := range sent {
		sent[i].Body = neutralDocument(t, strings.ReplaceAll(sent[i].Body, server.URL, "REGISTRY"))
	}
	want := make([]recordedRequest, len(c.Requests))
	for i, r := range c.Requests {
		r.Body = neutralDocument(t, r.Body)
		want[i] = r
	}
	if !reflect.DeepEqual(sent, want) && len(sent)+len(want) > 0 {
		t.Errorf("sent\n%+v\nnpm sent\n%+v", sent, want)
	}
	if got := out.String(); c.Status == 0 || !strings.Contains(strings.Join(c.Argv, " "), "--json") {
		if got != c.Stdout {
			t.Errorf("printed\n%s\nnpm printed\n%s", got, c.Stdout)
		}
	}
	// npm's own sentence of an error without a code, and the code of one that has it.
	said := strings.ReplaceAll(stderr.String(), server.URL, "REGISTRY")
	for line := range strings.Lines(c.Stderr) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "npm error code "), strings.HasPrefix(line, "npm notice package @"), strings.HasPrefix(line, "npm notice Staging"),
			strings.HasPrefix(line, "npm warn trust "), strings.HasPrefix(line, "npm notice Rejecting"), strings.HasPrefix(line, "npm notice stage"),
			strings.HasPrefix(line, "npm error ") && !strings.Contains(c.Stderr, "npm error code ") && !strings.Contains(line, "logs-max"):
			if !strings.Contains(said, line) {
				t.Errorf("npm said %q, not so\n%s", line, said)
			}
		}
	}
	written := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := c.Files[e.Name()]; ok {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		written[e.Name()] = hex.EncodeToString(sum[:])
	}
	if len(written)+len(c.Written) > 0 && !reflect.DeepEqual(written, c.Written) {
		t.Errorf("wrote %v, npm wrote %v", written, c.Written)
	}
}

// neutralDocument takes the versions of node and npm out of a document, and the
// compression out of its tarball.
func neutralDocument(t *testing.T, body string) string {
	v, err := jsjson.Parse([]byte(body))
	if err != nil || !v.Get("versions").IsObject() {
		return body
	}
	versions := v.Get("versions")
	for _, m := range versions.Members() {
		versions = versions.With(m.Key, m.Value.With("_nodeVersion", jsjson.NewString("")).With("_npmVersion", jsjson.NewString("")))
	}
	attachments := v.Get("_attachments")
	for _, m := range attachments.Members() {
		if _, err := base64.StdEncoding.DecodeString(m.Value.Get("data").Text()); err != nil {
			t.Errorf("%s: %v", m.Key, err)
		}
	}
	return string(jsjson.Append(nil, v.With("versions", versions), " ", "\n"))
}
