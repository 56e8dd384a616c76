package cmd

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/registry"
)

// provenanceHelp is what publish and stage publish say of it.
const provenanceHelp = "With --provenance a CI job on GitHub or GitLab signs a statement of how the package was built, by Sigstore.\n" +
	"Another Sigstore than the public one is named in the environment: IBID_SIGSTORE_FULCIO and IBID_SIGSTORE_REKOR\n" +
	"are addresses; IBID_SIGSTORE_ROOT is the file of its trusted root, or IBID_SIGSTORE_TUF the mirror that has it\n" +
	"and IBID_SIGSTORE_TUF_ROOT the file of that mirror's root.json."

// sigstoreRoot says whom to trust in Sigstore: the public instance or another that
// the environment names. A repository cannot name one. Where the public instance's
// mirror cannot be asked, or is not to be believed, those count that were known when
// ibid was built.
func (a *App) sigstoreRoot(ctx context.Context) (*provenance.Root, error) {
	if file := a.Config.Getenv("IBID_SIGSTORE_ROOT"); file != "" {
		data, err := readLimited(file, provenance.MaxBundle)
		if err != nil {
			return nil, err
		}
		root, err := provenance.ParseRoot(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return root, nil
	}
	m := &provenance.Mirror{URL: provenance.PublicTUF, Get: a.getElsewhere, Now: time.Now}
	if address := a.Config.Getenv("IBID_SIGSTORE_TUF"); address != "" {
		file := a.Config.Getenv("IBID_SIGSTORE_TUF_ROOT")
		if file == "" {
			return nil, &codedError{code: "EUSAGE", text: "IBID_SIGSTORE_TUF names a mirror, but IBID_SIGSTORE_TUF_ROOT no root.json that it is trusted by"}
		}
		data, err := readLimited(file, provenance.MaxBundle)
		if err != nil {
			return nil, err
		}
		m.URL, m.Root = address, data
		root, err := m.TrustedRoot(ctx)
		if err != nil {
			return nil, fmt.Errorf("asking %s whom Sigstore trusts: %w", registry.Redact(address), err)
		}
		return root, nil
	}
	// npm waits as long for each answer.
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	root, err := m.TrustedRoot(short)
	if err == nil || ctx.Err() != nil {
		return root, err
	}
	a.logPrefixed(levelVerbose, "sigstore", registry.Clean("trusting whom ibid was built to trust: "+err.Error()))
	return provenance.PublicRoot()
}

// getElsewhere reads a file of what is no registry.
func (a *App) getElsewhere(ctx context.Context, url string, limit int64) (data []byte, found bool, err error) {
	res, err := a.send(ctx, registry.Request{URL: url, Elsewhere: true, MaxBody: limit, NoRetry: true})
	switch {
	case err == nil:
		return res.Body, true, nil
	case errorCode(err) == "E404" || errorCode(err) == "E403": // a bucket's word for what is not there
		return nil, false, nil
	}
	return nil, false, err
}

// readLimited reads a file that is not larger than limit.
func readLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s: larger than it could be", file)
	}
	return data, err
}

// sigstoreError is a failure of what publishing with provenance needs.
func sigstoreError(err error) error {
	code := errorCode(err)
	if code == "" {
		code = "EPROVENANCE"
	}
	return &codedError{code: code, text: "provenance: " + err.Error() + "; nothing was published",
		hints: []string{"--no-provenance publishes without a statement of how the package was built"}}
}

func provenanceUsage(text string) error { return &codedError{code: "EUSAGE", text: text} }

// provenance is the bundle that is published beside the tarball, nil for none.
func (r *release) provenance(ctx context.Context) (*provenance.Bundle, error) {
	cfg := r.app.Config
	wanted, file := cfg.Bool("provenance") || r.autoProvenance, cfg.String("provenance-file")
	sum := sha512.Sum512(r.tarball)
	subject := provenance.Subject{Name: provenance.PURL(r.contents.name, r.contents.version), SHA512: hex.EncodeToString(sum[:])}
	switch {
	case wanted && file != "":
		return nil, provenanceUsage("provenance and provenanceFile cannot be used together")
	case wanted:
		return r.attest(ctx, subject)
	case file != "":
		b, err := r.app.givenProvenance(ctx, file, subject)
		if err != nil {
			return nil, sigstoreError(err)
		}
		return b, nil
	}
	return nil, nil
}

// givenProvenance reads and verifies a bundle that somebody else has made.
func (a *App) givenProvenance(ctx context.Context, file string, subject provenance.Subject) (*provenance.Bundle, error) {
	data, err := readLimited(file, provenance.MaxBundle)
	if err != nil {
		return nil, fmt.Errorf("Invalid provenance provided: %w", err)
	}
	b, err := provenance.ParseBundle(data)
	if err != nil {
		return nil, fmt.Errorf("Invalid provenance provided: %w", err)
	}
	given, err := b.Subject()
	if err != nil {
		return nil, err
	}
	if given.Name != subject.Name {
		return nil, fmt.Errorf("Provenance subject %s does not match the package: %s", registry.Clean(given.Name), subject.Name)
	}
	if given.SHA512 != subject.SHA512 {
		return nil, errors.New("Provenance subject digest does not match the package")
	}
	root, err := a.sigstoreRoot(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.Verify(root, nil); err != nil {
		return nil, err
	}
	return b, nil
}

// attest has the CI job that runs this sign how it came about.
func (r *release) attest(ctx context.Context, subject provenance.Subject) (*provenance.Bundle, error) {
	a := r.app
	var ci provenance.CI
	switch {
	case a.runsOn("GITHUB_ACTIONS"):
		ci = provenance.GitHub
		if a.Config.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL") == "" {
			return nil, provenanceUsage(`Provenance generation in GitHub Actions requires "write" access to the "id-token" permission`)
		}
	case a.runsOn("GITLAB_CI"):
		if a.Config.Getenv("SIGSTORE_ID_TOKEN") == "" {
			return nil, provenanceUsage("Provenance generation in GitLab CI requires \"SIGSTORE_ID_TOKEN\" with \"sigstore\" audience to be present in \"id_tokens\". For more info see:\nhttps://docs.gitlab.com/ee/ci/secrets/id_token_authentication.html")
		}
	default:
		name := a.Config.CI().Name
		if name == "" {
			name = "null"
		}
		return nil, provenanceUsage("Automatic provenance generation not supported for provider: " + name)
	}
	if a.runsOn("GITLAB_CI") {
		ci = provenance.GitLab
	}
	if a.Config.Access() != "public" {
		public, err := a.isPublic(ctx, r.contents.name, r.registry)
		if err != nil && errorCode(err) != "E404" {
			return nil, err
		}
		if !public {
			return nil, &codedError{code: "EUSAGE", text: "Can't generate provenance for new or private package, you must set `access` to public.",
				hints: []string{a.heading + " " + r.publisher.command() + " --access public"}}
		}
	}
	token, why := a.Config.Getenv("SIGSTORE_ID_TOKEN"), ""
	if token == "" {
		if token, why = a.githubIdentity(ctx, "sigstore"); why != "" {
			return nil, sigstoreError(errors.New(why))
		}
	}
	signer := &provenance.Signer{Fulcio: provenance.PublicFulcio, Rekor: provenance.PublicRekor, Post: a.postElsewhere}
	if v := a.Config.Getenv("IBID_SIGSTORE_FULCIO"); v != "" {
		signer.Fulcio = v
	}
	if v := a.Config.Getenv("IBID_SIGSTORE_REKOR"); v != "" {
		signer.Rekor = v
	}
	b, err := signer.Attest(ctx, provenance.Statement(ci, subject, a.variable), token)
	if err != nil {
		return nil, sigstoreError(err)
	}
	command := r.publisher.command()
	a.logPrefixed(levelNotice, command, "Signed provenance statement with source and build information from "+a.Config.CI().Name)
	if signer.Rekor == provenance.PublicRekor {
		a.logPrefixed(levelNotice, command, "Provenance statement published to transparency log: https://search.sigstore.dev/?logIndex="+b.LogIndex())
	} else {
		a.logPrefixed(levelNotice, command, "Provenance statement published to transparency log: "+registry.Redact(signer.Rekor)+", index "+b.LogIndex())
	}
	return b, nil
}

// variable looks a variable up in the environment.
func (a *App) variable(name string) (value string, ok bool) {
	for _, pair := range a.Environ {
		if key, v, _ := strings.Cut(pair, "="); key == name {
			value, ok = v, true // the last one counts
		}
	}
	return value, ok
}

// postElsewhere sends JSON to what is no registry.
func (a *App) postElsewhere(ctx context.Context, url string, body []byte) ([]byte, error) {
	res, err := a.send(ctx, registry.Request{
		Method: "POST", URL: url, Body: body, Elsewhere: true, MaxBody: provenance.MaxBundle,
		Header: map[string][]string{"Accept": {"application/json"}},
	})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// bundleAttachment is a bundle as the registry's document has it.
func bundleAttachment(b *provenance.Bundle) jsjson.Value {
	data := string(jsjson.Append(nil, b.JSON, "", ""))
	units := 0 // of UTF-16, as JavaScript counts
	for _, r := range data {
		if units++; r > 0xffff {
			units++
		}
	}
	return jsjson.NewObject(textMember("content_type", b.MediaType), textMember("data", data), jsjson.Member{Key: "length", Value: jsjson.NewNumber(float64(units))})
}
