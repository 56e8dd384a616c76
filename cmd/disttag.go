package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newDistTagCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "dist-tag add <package-spec (with version)> [<tag>]\ndist-tag rm <package-spec> <tag>\ndist-tag ls [<package-spec>]",
		Aliases: []string{"dist-tags"},
		Short:   "Show and change which versions a package's tags name",
		Example: "  ibid dist-tag ls\n  ibid dist-tag add example@1.2.3 next\n  ibid dist-tag rm example next",
	}, []string{"workspace", "workspaces", "include-workspace-root", "otp", "registry"},
		func(c *cobra.Command, args []string) error { return runDistTag(c.Context(), a, c, args) })
}

func word(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

func runDistTag(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	verb, pkg, tag := word(args, 0), word(args, 1), word(args, 2)
	lists := slices.Contains([]string{"ls", "l", "sl", "list"}, verb)
	if a.inWorkspaces() {
		own := func(s string) bool { return s == "" || s == "." || strings.HasPrefix(s, ".@") }
		if lists && own(pkg) || pkg == "" && own(verb) {
			return listWorkspaceTags(ctx, a, c)
		}
		a.logPrefixed(levelWarn, "dist-tag", "Ignoring workspaces for specified package")
	}
	switch {
	case slices.Contains([]string{"add", "a", "set", "s"}, verb):
		return addTag(ctx, a, c, pkg, tag)
	case slices.Contains([]string{"rm", "r", "del", "d", "remove"}, verb):
		return removeTag(ctx, a, c, pkg, tag)
	case lists:
		return listTags(ctx, a, c, pkg)
	case pkg == "":
		return listTags(ctx, a, c, verb)
	}
	return a.usage(c, "")
}

func addTag(ctx context.Context, a *App, c *cobra.Command, pkg, tag string) error {
	s, err := spec.Parse(pkg, a.Config.Cwd())
	if err != nil {
		return err
	}
	if tag == "" {
		tag = a.Config.String("tag")
	}
	if _, err := spec.Parse(s.Name+"@"+tag, a.Config.Cwd()); err != nil {
		return err
	}
	version := s.RawSpec
	if s.Name == "" || version == "" || tag == "" {
		return a.usage(c, "must provide a spec with a name and version, and a tag to add")
	}
	tag = strings.TrimSpace(tag)
	if err := checkTag(tag); err != nil {
		return err
	}
	defer a.asTrustedJob(ctx, s, false)()
	tags, err := distTags(ctx, a, s)
	if err != nil {
		return err
	}
	if is := tags.Get(tag); is.IsString() && is.Str() == version {
		a.logPrefixed(levelWarn, "dist-tag add", fmt.Sprintf("%s is already set to version %s", tag, version))
		return nil
	}
	_, err = a.ask2FA(ctx, registry.Request{
		Method: "PUT", URL: distTagsPath(s) + "/" + js.EncodeURIComponent(tag), Package: s.Name, Body: jsjson.AppendString(nil, version),
	})
	if err == nil {
		a.out("+%s: %s@%s", tag, s.Name, version)
	}
	return err
}

func removeTag(ctx context.Context, a *App, c *cobra.Command, pkg, tag string) error {
	s, err := spec.Parse(pkg, a.Config.Cwd())
	if err != nil {
		return err
	}
	if s.Name == "" {
		return a.usage(c, "")
	}
	defer a.asTrustedJob(ctx, s, false)()
	tags, err := distTags(ctx, a, s)
	if err != nil {
		return err
	}
	version := tags.Get(tag)
	if !version.Truthy() {
		return errors.New(tag + " is not a dist-tag on " + s.Name)
	}
	_, err = a.ask2FA(ctx, registry.Request{Method: "DELETE", URL: distTagsPath(s) + "/" + js.EncodeURIComponent(tag), Package: s.Name})
	if err == nil {
		a.out("-%s: %s@%s", tag, s.Name, term.SafeLine(version.Text()))
	}
	return err
}

func listTags(ctx context.Context, a *App, c *cobra.Command, pkg string) error {
	if pkg == "" {
		name, err := a.projectName()
		if err != nil || name == "" || a.Config.Global() {
			return a.usage(c, "")
		}
		pkg = name
	}
	s, err := spec.Parse(pkg, a.Config.Cwd())
	if err != nil {
		return err
	}
	defer a.asTrustedJob(ctx, s, true)()
	tags, err := distTags(ctx, a, s)
	if err != nil {
		a.logPrefixed(levelError, "dist-tag ls", "Couldn't get dist-tag data for "+term.SafeLine(s.String()))
		return err
	}
	var lines []string
	for _, m := range tags.Members() {
		lines = append(lines, term.SafeLine(m.Key+": "+m.Value.Text()))
	}
	slices.Sort(lines)
	a.out("%s", strings.Join(lines, "\n"))
	return nil
}

func listWorkspaceTags(ctx context.Context, a *App, c *cobra.Command) error {
	selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
	if err != nil {
		return err
	}
	bad := false
	for _, w := range selected {
		a.out("%s:", term.SafeLine(w.Name))
		// What went wrong has been said; the others are shown all the same.
		bad = listTags(ctx, a, c, w.Name) != nil || bad
	}
	if bad {
		return statusError(1)
	}
	return nil
}

func distTagsPath(s *spec.Spec) string { return "/-/package/" + s.EscapedName() + "/dist-tags" }

func distTags(ctx context.Context, a *App, s *spec.Spec) (jsjson.Value, error) {
	tags, err := a.api(ctx, registry.Request{URL: distTagsPath(s), Package: s.Name})
	if err != nil {
		return tags, err
	}
	tags = tags.Without("_etag")
	if !tags.IsObject() || tags.Len() == 0 {
		return tags, errors.New("No dist-tags found for " + s.Name)
	}
	return tags, nil
}

// projectName is the name in the package.json of the folder that the command
// works on.
func (a *App) projectName() (string, error) {
	f, err := manifest.ReadFile(filepath.Join(a.Config.Prefix(), "package.json"))
	if err != nil {
		return "", err
	}
	return f.Manifest().Name, nil
}
