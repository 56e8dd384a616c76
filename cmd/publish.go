package cmd

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// publishFlags are what ibid knows beyond npm to publish.
func publishFlags() []config.Definition {
	return []config.Definition{{
		Key: "check", Types: []config.Type{{Kind: config.TypeBoolean}}, Default: config.NewBool(false),
		Description: "Upload nothing, but say all that would be wrong: files that package.json names and the tarball lacks, secrets in it, a version that is there already, a name that is somebody else's, a CI run that the registry does not trust.",
	}}
}

func newPublishCmd(a *App) *cobra.Command {
	c := declare(&cobra.Command{
		Use:   "publish [<package-spec>]",
		Short: "Publish a package to the registry",
		Long: "Beyond npm:\n  --check\n      " + publishFlags()[0].Description + "\n\n" +
			provenanceHelp,
		Example: "  ibid publish --dry-run\n  ibid publish --check\n  ibid publish --tag next --access public\n  ibid publish --workspaces",
	}, []string{"tag", "access", "dry-run", "otp", "workspace", "workspaces", "include-workspace-root", "provenance", "json", "ignore-scripts"},
		func(c *cobra.Command, _ []string) error { return runPublish(c.Context(), a, c) })
	c.Annotations[ownFlags] = ""
	return c
}

func runPublish(ctx context.Context, a *App, c *cobra.Command) error {
	flags, args, err := a.Config.CommandFlags(publishFlags(), 1)
	if err != nil {
		return err
	}
	return (&publisher{app: a, check: flags["check"].Truthy()}).run(ctx, c, args)
}

func (p *publisher) run(ctx context.Context, c *cobra.Command, args []string) error {
	p.shown = jsjson.NewObject()
	if err := p.all(ctx, c, args); err != nil {
		p.app.partial = p.shown
		return err
	}
	if p.app.json() {
		p.app.printJSON(p.shown)
	}
	return nil
}

func (p *publisher) all(ctx context.Context, c *cobra.Command, args []string) error {
	a := p.app
	if a.inWorkspaces() && (len(args) == 0 || slices.Contains(args, ".")) {
		return p.workspaces(ctx)
	}
	if a.inWorkspaces() {
		a.log(levelWarn, "Ignoring workspaces for specified package(s)")
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	if len(args) != 1 {
		return a.usage(c, "")
	}
	return p.publish(ctx, args[0], "")
}

// publisher publishes packages, one after the other (npm: lib/commands/publish.js).
type publisher struct {
	app     *App
	check   bool
	stage   bool         // a person approves what is uploaded, later
	folders []string     // of the workspaces that are published
	shown   jsjson.Value // what --json prints, when all is done
}

// command is what npm calls what p does.
func (p *publisher) command() string {
	if p.stage {
		return "stage"
	}
	return "publish"
}

func (p *publisher) workspaces(ctx context.Context) error {
	a := p.app
	selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
	if err != nil {
		return err
	}
	for _, w := range selected {
		p.folders = append(p.folders, w.Path)
	}
	bad := false
	for _, w := range selected {
		err := p.publish(ctx, w.Path, w.Name)
		var status statusError
		switch {
		case p.check && errors.As(err, &status):
			bad = true // the next workspaces are looked at as well
		case errorCode(err) == "EPRIVATE":
			a.logPrefixed(levelWarn, p.command(), fmt.Sprintf("Skipping workspace %s, marked as private", term.SafeLine(w.Name)))
		case err != nil:
			return err
		}
	}
	if bad {
		return statusError(1)
	}
	return nil
}

// errPrivate is the refusal to publish what must not be.
func errPrivate() error {
	return &codedError{code: "EPRIVATE", text: "This package has been marked as private\nRemove the 'private' field from the package.json to publish it."}
}

func (p *publisher) publish(ctx context.Context, arg, workspace string) error {
	a := p.app
	if err := checkTag(a.Config.String("tag")); err != nil {
		return err
	}
	pkg, err := a.packable(ctx, arg)
	if err != nil {
		return err
	}
	m, err := p.manifest(ctx, pkg, nil, false)
	if err != nil {
		return err
	}
	// npm refuses these before the first script runs, and again after.
	if err := refuseExtensions(m); err != nil {
		return err
	}
	if pkg.dir != "" {
		if err := a.packScript(ctx, pkg.dir, "prepublishOnly", pkg.file); err != nil {
			return err
		}
	}
	tgz, err := a.packTarball(ctx, pkg, p.folders)
	if err != nil {
		return err
	}
	// The scripts may have changed package.json, publishConfig and all.
	if m, err = p.manifest(ctx, pkg, tgz, true); err != nil {
		return err
	}
	if err := refuseExtensions(m); err != nil {
		return err
	}
	contents, err := readContents(m.Get("name").Text(), m.Get("version").Text(), tgz)
	if err != nil {
		return err
	}
	// From here on the package's own configuration counts.
	a.Config.ClearWarnings()
	cfg := a.Config.WithPublishConfig(m.Get("publishConfig"))
	a.tellWarnings()
	defer a.with(cfg)()
	r := &release{app: a, publisher: p, manifest: m, contents: contents, tarball: tgz, tag: cfg.String("tag"),
		explicitTag: !cfg.IsDefault("tag") || m.Get("publishConfig").Get("tag").Truthy(), registry: cfg.Registry(scopeOf(contents.name))}
	if p.check {
		err := r.check(ctx)
		if !r.shown.IsUndefined() {
			p.shown = p.shown.With(contents.name, r.shown)
		}
		return err
	}
	if !cfg.Bool("force") && r.prerelease() && !r.explicitTag {
		return &codedError{text: "You must specify a tag using --tag when publishing a prerelease version.", hints: []string{"ibid publish --tag next"}}
	}
	if !a.json() {
		a.tellContents(contents)
	}
	if pkg.dir != "" {
		a.warnSecrets(contents, tgz)
	}
	if err := r.release(ctx, workspace != ""); err != nil {
		return err
	}
	if a.json() {
		shown := contents.json()
		if r.stageID != "" {
			shown = shown.With("stageId", jsjson.NewString(r.stageID))
		}
		p.shown = p.shown.With(contents.name, shown)
	}
	if pkg.dir != "" {
		for _, event := range [...]string{"publish", "postpublish"} {
			if err := a.packScript(ctx, pkg.dir, event, pkg.file); err != nil {
				return err
			}
		}
	}
	if !a.json() && !cfg.Silent() {
		r.tellUploaded()
	}
	return nil
}

// refuseExtensions refuses to publish packageExtensions, which are for a
// project's root alone.
func refuseExtensions(m jsjson.Value) error {
	if m.Get("private").Truthy() || !m.Has("packageExtensions") {
		return nil
	}
	return &codedError{code: "EPACKAGEEXTENSIONS", text: "packageExtensions is only honored at the project root and must not be published."}
}

// checkTag refuses tags that could be taken for versions.
func checkTag(tag string) error {
	if nodesemver.IsRange(tag, nodesemver.Options{}) {
		return &codedError{text: "Tag name must not be a valid SemVer range: " + strings.TrimSpace(tag), hints: []string{"a tag is a word, such as next or beta"}}
	}
	return nil
}

// with makes cfg the configuration, for the registry's client as well, until the
// function that it gives is called.
func (a *App) with(cfg *config.Config) func() {
	old, client := a.Config, a.client
	a.Config = cfg
	a.client = sync.OnceValues(a.openClient)
	return func() { a.Config, a.client = old, client }
}

func scopeOf(name string) string {
	if scope, _, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(scope, "@") {
		return scope
	}
	return ""
}

// manifest is what is published of a package: a folder's package.json, corrected
// and with all that only its files know; the package.json of a tarball; or what
// the registry says of what came from it. tgz is nil before the package is
// packed.
func (p *publisher) manifest(ctx context.Context, pkg *packable, tgz []byte, tell bool) (jsjson.Value, error) {
	a := p.app
	switch {
	case pkg.dir != "":
		file, err := manifest.ReadFile(filepath.Join(pkg.dir, "package.json"))
		if err != nil {
			return jsjson.Value{}, err
		}
		fixed, changes, err := manifest.Fix(file.Content())
		if err != nil {
			return jsjson.Value{}, err
		}
		if len(changes) > 0 && tell {
			a.logPrefixed(levelWarn, p.command(), a.heading+" auto-corrected some errors in your package.json when publishing.  Please run \""+a.heading+" pkg fix\" to address these errors.")
			a.logPrefixed(levelWarn, p.command(), "errors corrected:\n"+term.Safe(strings.Join(changes, "\n")))
		}
		if tell {
			a.warnOfBins(file, fixed)
		}
		return manifest.Prepare(pkg.dir, fixed)
	case pkg.manifest != "":
		return pkg.manifest.Parse()
	case tgz == nil:
		var err error
		if tgz, err = a.packTarball(ctx, pkg, nil); err != nil {
			return jsjson.Value{}, err
		}
	}
	return a.manifestInTarball(pkg, tgz)
}

// manifestInTarball prepares the package.json of a tarball as if it had been
// unpacked (npm: pacote lib/file.js).
func (a *App) manifestInTarball(pkg *packable, tgz []byte) (jsjson.Value, error) {
	archive, err := tarball.Read(tgz, tarball.Options{})
	if err != nil {
		return jsjson.Value{}, err
	}
	dir, err := os.MkdirTemp("", "ibid-publish-")
	if err != nil {
		return jsjson.Value{}, err
	}
	defer os.RemoveAll(dir)
	if err := tarball.Write(dir, archive); err != nil {
		return jsjson.Value{}, err
	}
	file, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return jsjson.Value{}, fmt.Errorf("%s: %w", pkg.spec, err)
	}
	m, err := manifest.Prepare(dir, file.Content())
	if err != nil {
		return jsjson.Value{}, err
	}
	m = m.With("_integrity", jsjson.NewString(integrity.SRI{integrity.Sum("sha512", tgz)}.String()))
	m = m.With("_resolved", jsjson.NewString(strings.TrimPrefix(pkg.request.URL, "file:")))
	return m.With("_from", jsjson.NewString(pkg.spec.SaveSpec)), nil
}

// release is one version of a package on its way to the registry.
type release struct {
	app         *App
	publisher   *publisher
	manifest    jsjson.Value
	contents    *tarballContents
	tarball     []byte
	tag         string
	explicitTag bool // somebody chose the tag
	registry    string
	shown       jsjson.Value // what check prints with --json
	// autoProvenance is what trusted publishing has decided.
	autoProvenance bool
	stageID        string // what the registry calls it until it is approved
}

func (r *release) prerelease() bool {
	v, err := nodesemver.Parse(r.contents.version, false)
	return err == nil && v.Prerelease() != ""
}

// release uploads the package, unless it may not be or --dry-run says so.
func (r *release) release(ctx context.Context, workspace bool) error {
	a, t := r.app, r.contents
	cfg := a.Config
	dryRun := cfg.Bool("dry-run")
	if err := checkTag(r.tag); err != nil {
		return err
	}
	if _, err := spec.Parse(t.name+"@"+r.tag, cfg.Cwd()); err != nil {
		return err
	}
	if workspace && r.manifest.Get("private").Truthy() {
		return errPrivate()
	}
	shown := registry.Redact(r.registry)
	if identity := a.trustedPublishing(ctx, cfg, t.name, r.registry); identity != "" {
		r.autoProvenance = a.wantsProvenance(ctx, cfg, identity, t.name, r.registry)
	}
	if err := cfg.Login(r.registry).Err; err != nil {
		return err
	}
	if !r.loggedIn() {
		text := "This command requires you to be logged in to " + shown
		if !dryRun {
			return &codedError{code: "ENEEDAUTH", text: text, hints: []string{a.heading + " login --registry=" + shown}}
		}
		a.logPrefixed(levelWarn, r.publisher.command(), text+" (dry-run)")
	}
	if !cfg.Bool("force") {
		if err := r.checkPublished(ctx); err != nil {
			return err
		}
	}
	access := cfg.Access()
	if access == "" {
		access = "default"
	}
	verb := "Publishing"
	if r.publisher.stage {
		verb = "Staging"
	}
	text := fmt.Sprintf(verb+" to %s with tag %s and %s access", shown, term.SafeLine(r.tag), term.SafeLine(access))
	if dryRun {
		a.log(levelNotice, text+" (dry-run)")
		return nil
	}
	a.log(levelNotice, text)
	return r.upload(ctx)
}

// checkPublished refuses a version that is there already, and a "latest" that
// would go back. A registry that does not answer refuses nothing.
func (r *release) checkPublished(ctx context.Context) error {
	t := r.contents
	doc, err := r.app.packumentOf(ctx, registry.Request{URL: registry.EscapeName(t.name), Registry: r.registry, Package: t.name})
	if err != nil {
		return ctx.Err()
	}
	version, err := nodesemver.Parse(t.version, false)
	if err != nil {
		return err
	}
	var highest *nodesemver.Version
	for _, m := range doc.Get("versions").Members() {
		v, err := nodesemver.Parse(m.Key, false)
		if err != nil || v.Prerelease() != "" || m.Value.Get("deprecated").Truthy() {
			continue
		}
		if v.String() == t.version {
			return &codedError{text: fmt.Sprintf("You cannot publish over the previously published versions: %s.", t.version), hints: []string{"ibid version patch, minor or major gives it another"}}
		}
		if highest == nil || nodesemver.Compare(v, highest) > 0 {
			highest = v
		}
	}
	if highest != nil && !r.explicitTag && nodesemver.Compare(highest, version) >= 0 {
		return &codedError{text: fmt.Sprintf("Cannot implicitly apply the \"latest\" tag because previously published version %s is higher than the new version %s. You must specify a tag using --tag.", highest, t.version),
			hints: []string{fmt.Sprintf("ibid publish --tag latest-%d", version.Major())}}
	}
	return nil
}

// document is what is sent to the registry (npm: libnpmpublish lib/publish.js).
func (r *release) document(bundle *provenance.Bundle) ([]byte, error) {
	a := r.app
	if r.manifest.Get("private").Truthy() {
		return nil, errPrivate()
	}
	access := a.Config.Access()
	if scopeOf(r.contents.name) == "" && access == "restricted" {
		return nil, &codedError{code: "EUNSCOPED", text: "Can't restrict access to unscoped packages."}
	}
	v, err := nodesemver.Clean(r.manifest.Get("version").Text(), false)
	if err != nil || v == nil {
		return nil, &codedError{code: "EBADSEMVER", text: "invalid semver: " + r.manifest.Get("version").Text()}
	}
	name, version := r.contents.name, v.String()
	base, err := url.Parse(r.registry)
	if err != nil {
		return nil, err
	}
	file := name + "-" + version + ".tgz"
	at, err := base.Parse(name + "/-/" + file)
	if err != nil {
		return nil, err
	}
	// The registry gives tarballs out under its own address, whatever is said
	// here; npm never says https.
	if at.Scheme == "https" {
		at.Scheme = "http"
	}
	text := jsjson.NewString
	m := r.manifest.Without("patchedDependencies").
		With("_nodeVersion", text(a.nodeVersion())).
		With("_npmVersion", text(compatible)).
		With("name", text(name)).With("version", text(version)).With("_id", text(name+"@"+version))
	dist := m.Get("dist")
	if !dist.IsObject() {
		dist = jsjson.NewObject()
	}
	m = m.With("dist", dist.With("integrity", text(r.contents.integrity)).With("shasum", text(r.contents.shasum)).With("tarball", text(at.String())))

	tag := r.tag
	if own := m.Get("tag"); own.Truthy() {
		tag = own.Text()
	}
	root := jsjson.NewObject().With("_id", text(name)).With("name", text(name))
	if d := m.Get("description"); !d.IsUndefined() {
		root = root.With("description", d)
	}
	allowed := jsjson.NewNull()
	if access != "" {
		allowed = text(access)
	}
	attachment := jsjson.NewObject().With("content_type", text("application/octet-stream")).
		With("data", text(base64.StdEncoding.EncodeToString(r.tarball))).
		With("length", jsjson.NewNumber(float64(len(r.tarball))))
	attachments := jsjson.NewObject().With(file, attachment)
	if bundle != nil {
		attachments = attachments.With(name+"-"+version+".sigstore", bundleAttachment(bundle))
	}
	root = root.With("dist-tags", jsjson.NewObject().With(tag, text(version))).
		With("versions", jsjson.NewObject().With(version, m)).
		With("access", allowed).
		With("_attachments", attachments)
	return jsjson.Append(nil, root, "", ""), nil
}
