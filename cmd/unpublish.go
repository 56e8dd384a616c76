package cmd

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/registry"
)

func newUnpublishCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "unpublish [<package-spec>]", Short: "Remove a version, or a whole package, from the registry",
		Long:    "Whoever depends on it cannot install any more: ibid deprecate is nearly always the better choice.",
		Example: "  ibid unpublish example@1.2.3\n  ibid unpublish example --force",
	}, []string{"dry-run", "force", "workspace", "workspaces", "otp", "registry"},
		func(c *cobra.Command, args []string) error { return runUnpublish(c.Context(), a, c, args) })
}

func runUnpublish(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	if !a.inWorkspaces() {
		return unpublish(ctx, a, c, args, a.Config.LocalPrefix())
	}
	selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
	if err != nil {
		return err
	}
	for _, w := range selected {
		if err := unpublish(ctx, a, c, args, w.Path); err != nil {
			return err
		}
	}
	return nil
}

// packumentOf asks for a package's short document, and for the whole one where
// there is no such thing, as npm does (npm: pacote lib/registry.js).
func (a *App) packumentOf(ctx context.Context, r registry.Request) (doc jsjson.Value, err error) {
	for _, accept := range [...]string{shortDocument, "application/json"} {
		r.Header = map[string][]string{"Accept": {accept}}
		if doc, err = a.api(ctx, r); errorCode(err) != "E404" {
			break
		}
	}
	return doc, err
}

// shortDocument is the Accept header that asks for what is needed to install.
const shortDocument = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"

const (
	refuseProject = "Refusing to delete entire project.\nRun with --force to do this."
	refuseLast    = "Refusing to delete the last version of the package. It will block from republishing a new version for 24 hours.\nRun with --force to do this."
)

// unpublish removes what args name, or the package in dir (npm:
// lib/commands/unpublish.js).
func unpublish(ctx context.Context, a *App, c *cobra.Command, args []string, dir string) error {
	if len(args) > 1 {
		return a.usage(c, "")
	}
	cfg := a.Config
	force := cfg.Bool("force")
	var s *spec.Spec
	var err error
	if len(args) == 1 {
		if s, err = spec.Parse(args[0], cfg.Cwd()); err != nil {
			return err
		}
		if s.Type != spec.Version && s.RawSpec != "*" {
			return a.usage(c, "Can only unpublish a single version, or the entire project.\nTags and ranges are not supported.")
		}
		if s.RawSpec == "*" && !force {
			return a.usage(c, refuseProject)
		}
	}
	m, err := unpublishManifest(dir)
	if err != nil && (s == nil || !errors.Is(err, fs.ErrNotExist)) {
		if errors.Is(err, fs.ErrNotExist) {
			return a.usage(c, "")
		}
		return err
	}
	var shown string
	switch {
	case s == nil:
		version := m.Get("version")
		if s, err = spec.Resolve(m.Get("name").Text(), textOf(version), dir); err != nil {
			return err
		}
		if version.Truthy() {
			shown = "@" + version.Text()
		} else if !force {
			return a.usage(c, refuseProject)
		}
	case s.Type == spec.Version:
		shown = "@" + s.RawSpec
	}
	if settings := m.Get("publishConfig"); settings.Truthy() && textOf(m.Get("name")) == s.Name {
		defer a.with(cfg.WithPublishConfig(settings))()
	}
	read := registry.Request{URL: registry.EscapeName(s.Name), Package: s.Name, Query: url.Values{"write": {"true"}}}
	doc, err := a.packumentOf(ctx, read)
	if err != nil {
		return err
	}
	versions := doc.Get("versions").Members()
	if len(versions) == 1 {
		if versions[0].Key == s.RawSpec && !force {
			return a.usage(c, refuseLast)
		}
		shown = ""
	}
	if !cfg.Bool("dry-run") {
		err := a.otpPlease(ctx, a.Config.Registry(scopeOf(s.Name)), func(otp string) error { return removeVersion(ctx, a, s, read, otp) })
		var refused *registry.Error
		if err != nil && !(errors.As(err, &refused) && refused.ErrCode == "E404") {
			return err // what is not there is unpublished
		}
	}
	if !cfg.Silent() {
		a.out("- %s%s", s.Name, shown)
	}
	return nil
}

func textOf(v jsjson.Value) string {
	if v.Truthy() {
		return v.Text()
	}
	return ""
}

// unpublishManifest is what dir's package.json would be published as.
func unpublishManifest(dir string) (jsjson.Value, error) {
	f, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return jsjson.Value{}, err
	}
	return manifest.Prepare(dir, f.Content())
}

// removeVersion removes a version from the package's document and then its
// tarball, or the whole package if that is meant or nothing else is in it (npm:
// libnpmpublish lib/unpublish.js).
func removeVersion(ctx context.Context, a *App, s *spec.Spec, read registry.Request, otp string) error {
	read.OTP = otp
	send := func(method, url string, body []byte) error {
		_, err := a.send(ctx, registry.Request{Method: method, URL: url, Package: s.Name, Body: body, OTP: otp})
		return err
	}
	doc, err := a.api(ctx, read)
	if err != nil {
		return err
	}
	version := s.RawSpec
	all := doc.Get("versions")
	whole := version == "" || version == "*"
	if !whole && all.Len() > 0 && !all.Get(version).Truthy() {
		return nil
	}
	rev := doc.Get("_rev").Text()
	if whole || all.Len() <= 1 {
		return send("DELETE", read.URL+"/-rev/"+rev, nil)
	}
	tarballURL := all.Get(version).Get("dist").Get("tarball").Text()
	all = all.Without(version)
	tags := doc.Get("dist-tags")
	wasLatest := textOf(tags.Get("latest")) == version
	for _, m := range tags.Members() {
		if textOf(m.Value) == version {
			tags = tags.Without(m.Key)
		}
	}
	if wasLatest {
		if highest := highestVersion(all); highest != "" {
			tags = tags.With("latest", jsjson.NewString(highest))
		}
	}
	doc = doc.With("versions", all).With("dist-tags", tags).Without("_revisions").Without("_attachments")
	if err := send("PUT", read.URL+"/-rev/"+rev, jsjson.Append(nil, doc, "", "")); err != nil {
		return err
	}
	if doc, err = a.api(ctx, read); err != nil {
		return err
	}
	path, err := pathInRegistry(tarballURL, a.Config.String("registry"))
	if err != nil {
		return err
	}
	return send("DELETE", path+"/-rev/"+doc.Get("_rev").Text(), nil)
}

func highestVersion(versions jsjson.Value) string {
	var highest *nodesemver.Version
	text := ""
	for _, m := range versions.Members() {
		v, err := nodesemver.Parse(m.Key, true)
		if err == nil && (highest == nil || nodesemver.Compare(v, highest) >= 0) {
			highest, text = v, m.Key
		}
	}
	return text
}

// pathInRegistry is where a tarball is within its registry. The host does not
// count: what is deleted is deleted from the registry that was asked for.
func pathInRegistry(tarballURL, reg string) (string, error) {
	t, err := url.Parse(tarballURL)
	if err != nil {
		return "", &codedError{code: "ERR_INVALID_URL", text: "the registry says of the tarball that it is at " + tarballURL + ", which is no URL"}
	}
	base, err := url.Parse(reg)
	if err != nil {
		return "", err
	}
	path := strings.TrimPrefix(t.EscapedPath(), "/")
	return strings.TrimPrefix(path, strings.TrimPrefix(base.EscapedPath(), "/")), nil
}
