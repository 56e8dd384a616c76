package cmd

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// What publish --check asks of the registry beyond what publish itself asks:
// whose the package is, and whom it trusts.

// findings are what is wrong, and what is only odd.
type findings struct{ bad, odd []string }

func (f *findings) wrong(format string, args ...any) {
	f.bad = append(f.bad, term.SafeLine(fmt.Sprintf(format, args...)))
}

func (f *findings) strange(format string, args ...any) {
	f.odd = append(f.odd, term.SafeLine(fmt.Sprintf(format, args...)))
}

// checkOwner says when the name is somebody else's, and when the version is
// there although publish itself would not notice: as a prerelease, or deprecated.
func (r *release) checkOwner(ctx context.Context, f *findings) error {
	a, t := r.app, r.contents
	doc, err := a.api(ctx, registry.Request{
		URL: registry.EscapeName(t.name), Registry: r.registry, Package: t.name, Header: map[string][]string{"Accept": {"application/json"}},
	})
	switch {
	case errorCode(err) == "E404":
		return nil // it will be a new package
	case err != nil:
		f.strange("what is published cannot be read: %v", err)
		return ctx.Err()
	}
	if v := doc.Get("versions").Get(t.version); v.Truthy() && (r.prerelease() || v.Get("deprecated").Truthy()) {
		f.wrong("version %s is there already", t.version)
	}
	var owners []string
	for _, m := range doc.Get("maintainers").Items() {
		if name := m.Get("name").Text(); m.IsObject() && name != "" {
			owners = append(owners, name)
		}
	}
	if len(owners) == 0 || !r.loggedIn() {
		return nil
	}
	name, err := a.identity(ctx)
	if err != nil {
		f.strange("the registry does not say who is logged in: %v", err)
		return ctx.Err()
	}
	if !slices.Contains(owners, name) {
		f.wrong("the name is taken: %s is published by %s, and %s is logged in", t.name, strings.Join(owners, ", "), name)
	}
	return nil
}

// loggedIn says whether there are credentials for the registry.
func (r *release) loggedIn() bool {
	l := r.app.Config.Login(r.registry)
	return l.Token != "" || l.Username != "" || l.CertFile != "" && l.KeyFile != ""
}

// identity is what a CI service would say of this run to the registry.
type ciIdentity struct {
	kind   string            // as the trust record has it
	claims map[string]string // "repository": "owner/name"
}

// ciIdentity finds out as whom the run could publish without a token; nil on
// what is no CI service that registries trust. broken says why one cannot.
func (a *App) ciIdentity() (id *ciIdentity, broken string) {
	env := a.Config.Getenv
	file := func(ref string) string { // "owner/name/.github/workflows/release.yml@refs/heads/main"
		ref, _, _ = strings.Cut(ref, "@")
		return ref[strings.LastIndexByte(ref, '/')+1:]
	}
	id = &ciIdentity{claims: map[string]string{}}
	token := tokenClaims(env("NPM_ID_TOKEN"))
	claim := func(name string) string { return textOf(token.Get(name)) }
	switch {
	case env("GITHUB_ACTIONS") != "":
		id.kind = "github"
		id.claims["repository"], id.claims["workflow_ref"] = env("GITHUB_REPOSITORY"), file(env("GITHUB_WORKFLOW_REF"))
		if token.IsObject() {
			id.claims["repository"], id.claims["workflow_ref"] = claim("repository"), file(claim("workflow_ref"))
			id.claims["environment"] = claim("environment")
		} else if env("ACTIONS_ID_TOKEN_REQUEST_URL") == "" {
			return id, "GitHub Actions gives this job no ID token: it needs the permission id-token: write"
		}
	case env("GITLAB_CI") != "":
		id.kind = "gitlab"
		id.claims["project_path"], id.claims["ci_config_ref_uri"], id.claims["environment"] = claim("project_path"), file(claim("ci_config_ref_uri")), claim("environment")
		if !token.IsObject() {
			return id, "GitLab gives this job no ID token: id_tokens in the pipeline has to have NPM_ID_TOKEN"
		}
	case env("CIRCLECI") != "":
		id.kind = "circleci" // its claims are numbers that no setting has
		if !token.IsObject() {
			return id, "CircleCI gives this job no ID token: set NPM_ID_TOKEN to that of circleci run oidc get"
		}
	default:
		return nil, ""
	}
	return id, ""
}

// tokenClaims reads what an ID token says of itself. Nobody checks it here: it
// is only compared with what the registry trusts.
func tokenClaims(token string) jsjson.Value {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return jsjson.Value{}
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return jsjson.Value{}
	}
	v, err := jsjson.Parse(text)
	if err != nil {
		return jsjson.Value{}
	}
	return v
}

// checkTrust compares as whom this run would publish with whom the registry
// trusts, and says which token would be in the way.
func (r *release) checkTrust(ctx context.Context, f *findings) error {
	a, t := r.app, r.contents
	id, broken := a.ciIdentity()
	if err := a.Config.Login(r.registry).Err; err != nil {
		f.wrong("%v", err)
	}
	if id == nil {
		if !r.loggedIn() {
			f.wrong("nobody is logged in to %s", registry.Redact(r.registry))
		}
		return nil
	}
	switch {
	case broken != "" && r.loggedIn():
		f.strange("%s; the configured token is what publishes", broken)
		return nil
	case broken != "":
		f.wrong("%s, and nobody is logged in to %s", broken, registry.Redact(r.registry))
		return nil
	case r.loggedIn():
		f.strange("a token for %s is configured: where trusted publishing fails, it is what publishes, without a word", registry.Redact(r.registry))
	}
	record, err := a.api(ctx, registry.Request{URL: "/-/package/" + registry.EscapeName(t.name) + "/trust", Registry: r.registry, Package: t.name})
	if err != nil {
		f.strange("the trust record of %s cannot be read: %v", t.name, err)
		return ctx.Err()
	}
	items := record.Items()
	if record.IsObject() && record.Has("claims") {
		items = []jsjson.Value{record}
	}
	var trusted []string
	for _, item := range items {
		why := id.mismatch(item)
		if why == "" {
			return nil
		}
		trusted = append(trusted, why)
	}
	if len(trusted) == 0 {
		trusted = []string{"it trusts nobody"}
	}
	f.wrong("%s does not trust this run: %s", t.name, strings.Join(trusted, "; "))
	return nil
}

// mismatch says which claim a trusted publisher has otherwise, "" for none.
func (id *ciIdentity) mismatch(item jsjson.Value) string {
	if kind := item.Get("type").Text(); kind != id.kind {
		return fmt.Sprintf("it trusts %s, this is %s", kind, id.kind)
	}
	for _, m := range item.Get("claims").Members() {
		is, ok := id.claims[m.Key]
		want := m.Value.Text()
		if file := m.Value.Get("file"); file.IsString() {
			want = file.Str()
		}
		if ok && is != want {
			return fmt.Sprintf("it trusts %s %s, this is %q", m.Key, want, is)
		}
	}
	return ""
}
