// Command sigstore makes a bundle with package provenance, against a Sigstore on
// this machine, and keeps all that is needed to verify it:
//
//	go run . DIR
//
// writes bundle.json, the package's statement, trusted_root.json, and tuf, a
// folder with the TUF repository that trusts that Sigstore. npm.mjs has npm's own
// library verify them. The tests hold package provenance against Sigstore's
// library for Go.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/provenance/sigstoretest"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: sigstore DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "sigstore:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	s := sigstoretest.Start()
	defer s.Close()
	b, err := attest(s)
	if err != nil {
		return err
	}
	files := map[string][]byte{"bundle.json": jsjson.Append(nil, b.JSON, " ", "\n"), "trusted_root.json": s.TrustedRoot()}
	for name, data := range s.TUF() {
		files[filepath.Join("tuf", name)] = data
	}
	for name, data := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// attest makes a bundle as publish does.
func attest(s *sigstoretest.Sigstore) (*provenance.Bundle, error) {
	signer := &provenance.Signer{Fulcio: s.URL, Rekor: s.URL, Post: func(ctx context.Context, url string, body []byte) ([]byte, error) {
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		return io.ReadAll(res.Body)
	}}
	variables := map[string]string{"GITHUB_REPOSITORY": "owner/repo", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_WORKFLOW_REF": "owner/repo/.github/workflows/publish.yml@refs/heads/main"}
	statement := provenance.Statement(provenance.GitHub, provenance.Subject{Name: provenance.PURL("@scope/example", "1.2.3"), SHA512: "00"},
		func(name string) (string, bool) { v, ok := variables[name]; return v, ok })
	token := sigstoretest.Token(map[string]any{"sub": "repo:owner/repo:ref:refs/heads/main", "iss": "https://token.actions.githubusercontent.com", "aud": "sigstore"})
	return signer.Attest(context.Background(), statement, token)
}
