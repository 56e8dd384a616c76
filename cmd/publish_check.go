package cmd

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// findings are what is wrong, and what is only odd.
type findings struct{ bad, odd []string }

func (f *findings) wrong(format string, args ...any) {
	f.bad = append(f.bad, term.SafeLine(fmt.Sprintf(format, args...)))
}

func (f *findings) strange(format string, args ...any) {
	f.odd = append(f.odd, term.SafeLine(fmt.Sprintf(format, args...)))
}

// check says all that would be wrong with publishing, and uploads nothing.
func (r *release) check(ctx context.Context) error {
	a, t, m := r.app, r.contents, r.manifest
	var f findings
	if m.Get("private").Truthy() {
		f.wrong("package.json says that it is private")
	}
	if r.prerelease() && !r.explicitTag {
		f.wrong("%s is a prerelease and no --tag is given", t.version)
	}
	if err := checkTag(r.tag); err != nil {
		f.wrong("%v", err)
	}
	if a.Config.Access() == "restricted" && scopeOf(t.name) == "" {
		f.wrong("access is restricted, which only packages with a scope can be")
	}
	if err := r.checkPublished(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		f.wrong("%v", err)
	}
	if err := r.checkOwner(ctx, &f); err != nil {
		return err
	}
	if err := r.checkTrust(ctx, &f); err != nil {
		return err
	}
	for _, n := range r.namedFiles() {
		if !r.packs(n.path, n.module) {
			f.wrong("%s names %s, which is not in the tarball", n.field, n.path)
		}
	}
	found, err := findSecrets(t.name, r.tarball)
	if err != nil {
		return err
	}
	for _, s := range found {
		f.wrong("%s is packed and %s", s.path, s.why)
	}
	if !m.Get("license").Truthy() {
		f.strange("package.json has no license: nobody may use the package")
	}
	if !slices.ContainsFunc(t.files, func(f packedFile) bool { return strings.HasPrefix(strings.ToLower(f.path), "readme") }) {
		f.strange("there is no README")
	}
	r.tell(&f)
	if len(f.bad) > 0 {
		return statusError(1)
	}
	return nil
}

// tell shows the findings, and where nothing is wrong that the package can be
// published.
func (r *release) tell(f *findings) {
	a, id, shown := r.app, r.contents.id(), registry.Redact(r.registry)
	if a.json() {
		list := func(all []string) jsjson.Value {
			items := make([]jsjson.Value, len(all))
			for i, s := range all {
				items[i] = jsjson.NewString(s)
			}
			return jsjson.NewArray(items...)
		}
		r.shown = jsjson.NewObject(textMember("id", id), textMember("registry", shown), textMember("tag", r.tag)).
			With("errors", list(f.bad)).With("warnings", list(f.odd))
		return
	}
	for _, text := range f.odd {
		a.logPrefixed(levelWarn, "check", text)
	}
	for _, text := range f.bad {
		a.logPrefixed(levelError, "check", text)
	}
	if len(f.bad) == 0 {
		a.out("%s can be published to %s with tag %s", term.SafeLine(id), shown, term.SafeLine(r.tag))
	}
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
		f.strange("a token for %s is configured: where trusted publishing fails, it is what publishes", registry.Redact(r.registry))
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

// namedFile is a file of the package that package.json speaks of. A module may
// be named without its extension, and "*" in exports stands for any text.
type namedFile struct {
	field, path string
	module      bool
}

// namedFiles are the files that package.json promises.
func (r *release) namedFiles() []namedFile {
	m := r.manifest
	var out []namedFile
	add := func(field string, v jsjson.Value, module bool) {
		if v.IsString() && v.Str() != "" {
			out = append(out, namedFile{field, v.Str(), module})
		}
	}
	add("main", m.Get("main"), true)
	add("module", m.Get("module"), true)
	add("types", m.Get("types"), false)
	add("typings", m.Get("typings"), false)
	add("browser", m.Get("browser"), true)
	add("bin", m.Get("bin"), false)
	for _, b := range m.Get("bin").Members() {
		add("bin."+b.Key, b.Value, false)
	}
	var walk func(field string, v jsjson.Value, depth int)
	walk = func(field string, v jsjson.Value, depth int) {
		if depth > 32 {
			return
		}
		if v.IsString() && strings.HasPrefix(v.Str(), "./") && !strings.HasSuffix(v.Str(), "/") {
			add(field, v, false)
		}
		for _, x := range v.Members() {
			walk(field+"["+string(jsjson.AppendString(nil, x.Key))+"]", x.Value, depth+1)
		}
		for _, x := range v.Items() {
			walk(field, x, depth+1)
		}
	}
	walk("exports", m.Get("exports"), 0)
	return out
}

// packs says whether the tarball has a file, looked for as node would.
func (r *release) packs(path string, module bool) bool {
	path = strings.Trim(filepath.ToSlash(filepath.Clean(path)), "/")
	has := func(p string) bool {
		before, after, any := strings.Cut(p, "*")
		return slices.ContainsFunc(r.contents.files, func(f packedFile) bool {
			return f.path == p || any && len(f.path) > len(before)+len(after) && strings.HasPrefix(f.path, before) && strings.HasSuffix(f.path, after)
		})
	}
	if has(path) {
		return true
	}
	if !module {
		return false
	}
	for _, end := range [...]string{".js", ".json", ".node", "/index.js", "/index.json", "/index.node", "/package.json"} {
		if has(path+end) || path == "." && has(strings.TrimPrefix(end, "/")) {
			return true
		}
	}
	return false
}
