package registrytest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ibid-pm/ibid/registry/registrytest"
)

const archive = `
-- package.json --
{"name": "app"}
-- registry/a@1.0.0/package.json --
{"name": "a", "version": "1.0.0", "scripts": {"postinstall": "x"}}
-- registry/a@1.0.0/bin/a.js --
#!/usr/bin/env node
-- registry/a@1.10.0/package.json --
{"name": "a", "version": "1.10.0"}
-- registry/a@1.9.0/package.json --
{"name": "a", "version": "1.9.0"}
-- registry/a@2.0.0-rc.1/package.json --
{"name": "a", "version": "2.0.0-rc.1"}
-- registry/a.json --
{"dist-tags": {"next": "2.0.0-rc.1"}, "versions": {"1.9.0": {"deprecated": "old"}}}
-- registry/@s/b@0.1.0/package.json --
{"name": "@s/b", "version": "0.1.0"}
-- registry/@s/b@0.1.0/binding.gyp --
{}
`

func get(t *testing.T, url string, header ...string) (*http.Response, []byte) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

func TestDocumentsAreThoseOfARegistry(t *testing.T) {
	r := registrytest.New(t)
	if err := r.AddTxtar(txtar.Parse([]byte(archive))); err != nil {
		t.Fatal(err)
	}
	res, body := get(t, r.URL+"a")
	want := `{"_id":"a","name":"a","dist-tags":{"latest":"1.10.0","next":"2.0.0-rc.1"},"versions":{"1.0.0":{`
	if !strings.HasPrefix(string(body), want) {
		t.Errorf("document is %s", body)
	}
	for _, part := range []string{`"hasInstallScript":true`, `"1.9.0":{"name":"a","version":"1.9.0",`, `"deprecated":"old"`, `"tarball":"` + r.URL + `a/-/a-1.0.0.tgz"`, `"1.9.0":"2020-01-02T00:00:00.000Z"`} {
		if !strings.Contains(string(body), part) {
			t.Errorf("document has no %s: %s", part, body)
		}
	}
	if res, _ := get(t, r.URL+"a", "If-None-Match", res.Header.Get("Etag")); res.StatusCode != http.StatusNotModified {
		t.Errorf("with its ETag the answer is %d", res.StatusCode)
	}
	_, body = get(t, r.URL+"@s%2fb", "Accept", "application/vnd.npm.install-v1+json; q=1.0")
	if strings.Contains(string(body), "_id") || !strings.Contains(string(body), `"hasInstallScript":true`) {
		t.Errorf("abbreviated document is %s", body)
	}
	if _, body = get(t, r.URL+"a/next"); !strings.Contains(string(body), `"version":"2.0.0-rc.1"`) {
		t.Errorf("tagged version is %s", body)
	}
	if res, _ = get(t, r.URL+"missing"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a missing package is %d", res.StatusCode)
	}
	if n := r.Count("/a"); n != 2 {
		t.Errorf("/a was asked for %d times", n)
	}
}

func TestTarballsHoldTheFiles(t *testing.T) {
	r := registrytest.New(t)
	if err := r.AddTxtar(txtar.Parse([]byte(archive))); err != nil {
		t.Fatal(err)
	}
	_, body := get(t, r.URL+"a/-/a-1.0.0.tgz")
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, h.Name+" "+h.FileInfo().Mode().String())
	}
	if want := "package/bin/a.js -rwxr-xr-x,package/package.json -rw-r--r--"; strings.Join(got, ",") != want {
		t.Errorf("tarball has %s", got)
	}
}

func TestPublishingAddsAVersionOnce(t *testing.T) {
	r := registrytest.New(t)
	put := func(body string) int {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.URL+"c", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	const doc = `{"name":"c","dist-tags":{"beta":"1.0.0"},"versions":{"1.0.0":{"name":"c","version":"1.0.0"}},"_attachments":{"c-1.0.0.tgz":{"data":"aGVsbG8="}}}`
	if s := put(doc); s != http.StatusCreated {
		t.Errorf("publishing gives %d", s)
	}
	if s := put(doc); s != http.StatusForbidden {
		t.Errorf("publishing again gives %d", s)
	}
	if _, body := get(t, r.URL+"c/-/c-1.0.0.tgz"); string(body) != "hello" {
		t.Errorf("tarball is %q", body)
	}
	var doc2 struct {
		Tags map[string]string `json:"dist-tags"`
	}
	_, body := get(t, r.URL+"c")
	if err := json.Unmarshal(body, &doc2); err != nil || doc2.Tags["beta"] != "1.0.0" {
		t.Errorf("document is %s, %v", body, err)
	}
}

func TestScriptsHaveARegistry(t *testing.T) {
	dir := t.TempDir()
	script := strings.Join([]string{
		"# Faults, requests and counts.",
		"registry fail refuse /a times=1 status=503 retry-after=1",
		"get /a 503", "get /a 200", "registry count 2 /a", "! registry count 3 /a",
		"registry requests", "grep '^GET /a 503$' requests",
		"registry add more", "get /d 200", "registry token t", "get /a 401",
		archive,
		"-- more/d@1.0.0/package.json --", `{"name":"d","version":"1.0.0"}`, "",
	}, "\n")
	if err := os.WriteFile(filepath.Join(dir, "registry.txtar"), []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	commands := registrytest.Commands()
	commands["get"] = func(ts *testscript.TestScript, _ bool, args []string) {
		res, err := http.Get(strings.TrimSuffix(ts.Getenv("REGISTRY"), "/") + args[0]) //nolint:noctx // a test on loopback
		ts.Check(err)
		_ = res.Body.Close()
		if !strings.HasPrefix(res.Status, args[1]) {
			ts.Fatalf("%s: %s", args[0], res.Status)
		}
	}
	testscript.Run(t, testscript.Params{
		Dir: dir, Cmds: commands,
		Setup: func(env *testscript.Env) error {
			_, err := registrytest.Script(env)
			return err
		},
	})
}
