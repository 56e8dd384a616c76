package cmd

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
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

// ciIdentity is who this run is, as a CI service says it to registries.
type ciIdentity struct {
	kind   string       // as the trust record has it
	claims jsjson.Value // of the identity token; the registry checks who signed them
}

// ciIdentity asks the CI service who the run is; it gives nil where there is none
// that registries trust. broken says why it does not tell.
func (r *release) ciIdentity(ctx context.Context) (id *ciIdentity, broken string) {
	a := r.app
	id = new(ciIdentity)
	switch {
	case a.runsOn("GITHUB_ACTIONS"):
		id.kind = "github"
	case a.runsOn("GITLAB_CI"):
		id.kind = "gitlab"
	case a.runsOn("CIRCLECI"):
		id.kind = "circleci"
	default:
		return nil, ""
	}
	j := &trustedJob{app: a, cfg: a.Config, name: r.contents.name, reg: r.registry}
	if broken = j.identify(ctx); broken != "" {
		return id, broken
	}
	if broken = j.oddities(time.Now()); broken != "" {
		return id, broken
	}
	claims, err := provenance.Claims(j.idToken)
	if err != nil {
		return id, err.Error()
	}
	id.claims = claims
	return id, ""
}

// checkTrust compares as whom this run would publish with whom the registry
// trusts, and says which token would be in the way.
func (r *release) checkTrust(ctx context.Context, f *findings) error {
	a, t := r.app, r.contents
	id, broken := r.ciIdentity(ctx)
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
		is, want := id.claims.Get(m.Key), m.Value
		if file := want.Get("file"); file.IsString() {
			// "owner/name/.github/workflows/release.yml@refs/heads/main"
			ref, _, _ := strings.Cut(textOf(is), "@")
			is, want = jsjson.NewString(path.Base(ref)), file
		}
		if !claimed(is, want) {
			return fmt.Sprintf("it trusts %s %s, this is %q", m.Key, want.Text(), textOf(is))
		}
	}
	return ""
}

// claimed says whether a claim is what is wanted; of a list, whether it has all
// that is wanted.
func claimed(is, want jsjson.Value) bool {
	if want.Kind() != jsjson.Array {
		return textOf(is) == textOf(want)
	}
	for _, w := range want.Items() {
		if !slices.ContainsFunc(is.Items(), func(v jsjson.Value) bool { return v.Text() == w.Text() }) {
			return false
		}
	}
	return true
}
