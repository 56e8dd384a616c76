package cmd

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newAccessCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "access list packages [<user>|<scope>|<scope:team>] [<package>]\n" +
			"access list collaborators [<package> [<user>]]\n" +
			"access get status [<package>]\n" +
			"access set status=public|private [<package>]\n" +
			"access set mfa=none|publish|automation [<package>]\n" +
			"access grant <read-only|read-write> <scope:team> [<package>]\n" +
			"access revoke <scope:team> [<package>]",
		Short: "Show and change who may read and publish packages",
	}, []string{"json", "otp", "registry"}, func(c *cobra.Command, args []string) error { return runAccess(c.Context(), a, c, args) })
}

// runAccess is npm's lib/commands/access.js on top of libnpmaccess.
func runAccess(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	verb, what := word(args, 0), word(args, 1)
	first, second := word(args, 2), word(args, 3)
	switch {
	case verb == "":
		return a.usage(c, "")
	case !slices.Contains([]string{"get", "grant", "list", "revoke", "set"}, verb):
		return a.usage(c, verb+" is not a valid access command")
	case what == "":
		return a.usage(c, "")
	}
	switch verb {
	case "grant":
		if what != "read-only" && what != "read-write" {
			return a.usage(c, "grant must be either `read-only` or `read-write`")
		}
		if first == "" {
			return a.usage(c, "`<scope:team>` argument is required")
		}
		return teamPermissions(ctx, a, c, "PUT", first, second, what)
	case "revoke":
		return teamPermissions(ctx, a, c, "DELETE", what, first, "")
	case "list":
		switch what {
		case "packages":
			return listPackages(ctx, a, first, second)
		case "collaborators":
			return listCollaborators(ctx, a, c, first, second)
		}
		return a.usage(c, "list "+what+" is not a valid access command")
	case "get":
		if what != "status" {
			return a.usage(c, "get "+what+" is not a valid access command")
		}
		s, err := accessPackage(a, c, first, false)
		if err != nil {
			return err
		}
		return showStatus(ctx, a, s)
	}
	return setAccess(ctx, a, c, what, first)
}

// accessPackage is the package that is meant: the project's if none is named.
func accessPackage(a *App, c *cobra.Command, name string, scoped bool) (*spec.Spec, error) {
	if name == "" {
		own, err := a.projectName()
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &codedError{code: "ENOENT", text: "no package name given and no package.json found"}
		}
		if err != nil {
			return nil, err
		}
		name = own
	}
	s, err := spec.Parse(name, a.Config.Cwd())
	if err != nil {
		return nil, err
	}
	if scoped && s.Scope == "" {
		return nil, a.usage(c, "This command is only available for scoped packages.")
	}
	if !s.Registry {
		return nil, errors.New("must use package name only")
	}
	return s, nil
}

// teamOf splits "@scope:team" into what stands in a URL.
func teamOf(entity string) (scope, team string) {
	scope, team, _ = strings.Cut(strings.TrimPrefix(entity, "@"), ":")
	team, _, _ = strings.Cut(team, ":")
	return js.EncodeURIComponent(scope), js.EncodeURIComponent(team)
}

func teamPermissions(ctx context.Context, a *App, c *cobra.Command, method, entity, pkg, permissions string) error {
	s, err := accessPackage(a, c, pkg, false)
	if err != nil {
		return err
	}
	scope, team := teamOf(entity)
	if scope == "" || team == "" {
		return errors.New("team must be in format `scope:team`")
	}
	body := []jsjson.Member{textMember("package", s.Name)}
	if permissions != "" {
		body = append(body, textMember("permissions", permissions))
	}
	_, err = a.ask2FA(ctx, registry.Request{Method: method, URL: "/-/team/" + scope + "/" + team + "/package", Package: s.Name,
		Body: requestBody(body...), Header: map[string][]string{"Npm-Scope": {scope}}})
	return err
}

func listPackages(ctx context.Context, a *App, owner, only string) error {
	if owner == "" {
		var err error
		if owner, err = a.identity(ctx); err != nil {
			return err
		}
	}
	reg := a.Config.String("registry")
	scope, team := teamOf(owner)
	path := "/-/org/" + scope + "/package"
	if team != "" {
		path = "/-/team/" + scope + "/" + team + "/package"
	}
	v, err := a.api(ctx, registry.Request{URL: path, Registry: reg})
	var refused *registry.Error
	if errors.As(err, &refused) && refused.ErrCode == "E404" {
		v, err = a.api(ctx, registry.Request{URL: "/-/user/" + scope + "/package", Registry: reg})
	}
	if err != nil {
		return err
	}
	printAccess(a, v, only)
	return nil
}

func listCollaborators(ctx context.Context, a *App, c *cobra.Command, pkg, only string) error {
	s, err := accessPackage(a, c, pkg, false)
	if err != nil {
		return err
	}
	v, err := a.api(ctx, registry.Request{URL: "/-/package/" + s.EscapedName() + "/collaborators", Registry: a.Config.String("registry")})
	if err != nil {
		return err
	}
	printAccess(a, v, only)
	return nil
}

func showStatus(ctx context.Context, a *App, s *spec.Spec) error {
	v, err := a.api(ctx, registry.Request{URL: "/-/package/" + s.EscapedName() + "/visibility", Registry: a.Config.String("registry")})
	if err != nil {
		return err
	}
	status := "private"
	if v.Get("public").Truthy() {
		status = "public"
	}
	printAccess(a, jsjson.NewObject(textMember(s.Raw, status)), "")
	return nil
}

func setAccess(ctx context.Context, a *App, c *cobra.Command, what, pkg string) error {
	key, value, _ := strings.Cut(what, "=")
	var body []jsjson.Member
	flag := func(name string, b bool) {
		body = append(body, jsjson.Member{Key: name, Value: jsjson.NewBool(b)})
	}
	switch {
	case key == "status" && (value == "public" || value == "private"):
		if value == "private" {
			value = "restricted"
		}
		body = append(body, textMember("access", value))
	case (key == "mfa" || key == "2fa") && value == "none":
		flag("publish_requires_tfa", false)
	case (key == "mfa" || key == "2fa") && (value == "publish" || value == "automation"):
		flag("publish_requires_tfa", true)
		flag("automation_token_overrides_tfa", value == "automation")
	default:
		return a.usage(c, "set "+what+" is not a valid access command")
	}
	s, err := accessPackage(a, c, pkg, key == "status")
	if err != nil {
		return err
	}
	_, err = a.ask2FA(ctx, registry.Request{Method: "POST", URL: "/-/package/" + s.EscapedName() + "/access", Package: s.Name, Body: requestBody(body...)})
	if err != nil || key != "status" {
		return err
	}
	return showStatus(ctx, a, s)
}

// printAccess prints who or what has which access, only one line if only is
// given.
func printAccess(a *App, v jsjson.Value, only string) {
	named := jsjson.NewObject()
	for _, m := range v.Members() {
		switch value := m.Value; value.Text() {
		case "read":
			named = named.With(m.Key, jsjson.NewString("read-only"))
		case "write":
			named = named.With(m.Key, jsjson.NewString("read-write"))
		default:
			named = named.With(m.Key, value)
		}
	}
	if a.json() {
		a.printJSON(named)
		return
	}
	members := slices.Clone(named.Members())
	slices.SortStableFunc(members, func(x, y jsjson.Member) int { return collate.Compare(x.Key, y.Key) })
	for _, m := range members {
		if only == "" || only == m.Key {
			a.out("%s", term.SafeLine(m.Key+": "+m.Value.Text()))
		}
	}
}
