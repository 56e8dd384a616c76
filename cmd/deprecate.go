package cmd

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

var deprecateKeys = []string{"registry", "otp", "dry-run"}

func newDeprecateCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "deprecate <package-spec> <message>", Short: "Tell everybody who installs a version not to use it",
		Example: "  ibid deprecate example@1.2.3 \"has a bug, use 1.2.4\"\n  ibid deprecate \"example@<2\" \"not maintained\"",
	}, deprecateKeys, func(c *cobra.Command, args []string) error {
		// An empty message is one: it takes the deprecation back.
		if len(args) < 2 || args[0] == "" {
			return a.usage(c, "")
		}
		return deprecate(c.Context(), a, args[0], args[1])
	})
}

func newUndeprecateCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "undeprecate <package-spec>", Short: "Take back that a version is deprecated"},
		deprecateKeys, func(c *cobra.Command, args []string) error {
			if word(args, 0) == "" {
				return a.usage(c, "")
			}
			return deprecate(c.Context(), a, args[0], "")
		})
}

// deprecate puts message on the versions of a package that arg names (npm:
// lib/commands/deprecate.js).
func deprecate(ctx context.Context, a *App, arg, message string) error {
	s, err := spec.Parse(arg, a.Config.Cwd())
	if err != nil {
		return err
	}
	rng := s.FetchSpec
	if s.RawSpec == "*" {
		rng = "*"
	}
	if !nodesemver.IsRange(rng, nodesemver.Options{Loose: true}) {
		return fmt.Errorf("invalid version range: %s", rng)
	}
	path := "/" + s.EscapedName()
	doc, err := a.api(ctx, registry.Request{URL: path, Package: s.Name, Query: url.Values{"write": {"true"}}})
	if err != nil {
		return err
	}
	versions := doc.Get("versions")
	found := false
	for _, m := range versions.Members() {
		if !nodesemver.SatisfiesWith(m.Key, rng, nodesemver.Options{IncludePrerelease: true}) {
			continue
		}
		found = true
		versions = versions.With(m.Key, m.Value.With("deprecated", jsjson.NewString(message)))
		id := term.SafeLine(doc.Get("name").Text() + "@" + m.Key)
		if message != "" {
			a.log(levelNotice, fmt.Sprintf("deprecating %s with message \"%s\"", id, message))
		} else {
			a.log(levelNotice, "undeprecating "+id)
		}
	}
	if !found {
		a.logPrefixed(levelWarn, "deprecate", "No version found for "+s.RawSpec)
		return nil
	}
	if a.Config.Bool("dry-run") {
		return nil
	}
	_, err = a.ask2FA(ctx, registry.Request{
		Method: "PUT", URL: path, Package: s.Name, Body: jsjson.Append(nil, doc.With("versions", versions), "", ""),
	})
	return err
}
