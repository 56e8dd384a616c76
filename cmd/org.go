package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newOrgCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "org set orgname username [developer | admin | owner]\norg rm orgname username\norg ls orgname [<username>]",
		Aliases: []string{"ogr"},
		Short:   "Show and change the members of an organization",
	}, []string{"registry", "otp", "json", "parseable"}, func(c *cobra.Command, args []string) error { return runOrg(c.Context(), a, c, args) })
}

// runOrg is npm's lib/commands/org.js on top of libnpmorg.
func runOrg(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	verb, org, user, role := word(args, 0), word(args, 1), word(args, 2), word(args, 3)
	switch verb {
	case "add", "set", "rm", "ls":
	default:
		return a.usage(c, "")
	}
	if org == "" {
		return errors.New("First argument `orgname` is required.")
	}
	if user == "" && verb != "ls" {
		return errors.New("Second argument `username` is required.")
	}
	o := orgMembers{app: a, request: registry.Request{
		Registry: a.Config.String("registry"), URL: "/-/org/" + js.EncodeURIComponent(strings.TrimPrefix(org, "@")) + "/user",
	}}
	switch verb {
	case "rm":
		return o.remove(ctx, org, user)
	case "ls":
		return o.list(ctx, user)
	}
	return o.set(ctx, strings.TrimPrefix(user, "@"), role)
}

// orgMembers are the members of one organization.
type orgMembers struct {
	app     *App
	request registry.Request
}

func (o *orgMembers) set(ctx context.Context, user, role string) error {
	a := o.app
	if role == "" {
		role = "developer"
	}
	if !slices.Contains([]string{"owner", "admin", "developer"}, role) {
		return errors.New("Third argument `role` must be one of `owner`, `admin`, or `developer`, with `developer` being the default value if omitted.")
	}
	r := o.request
	r.Method, r.Body = "PUT", requestBody(textMember("user", user), textMember("role", role))
	v, err := a.api2FA(ctx, r)
	if err != nil {
		return err
	}
	org := v.Get("org")
	name, size := org.Get("name").Text(), org.Get("size").Text()
	switch {
	case a.json():
		a.printJSON(v)
	case a.Config.Bool("parseable"):
		a.out("org\torgsize\tuser\trole")
		a.out("%s", term.Safe(strings.Join([]string{name, size, v.Get("user").Text(), v.Get("role").Text()}, "\t")))
	case !a.Config.Silent():
		a.out("%s", term.SafeLine(fmt.Sprintf("Added %s as %s to %s. You now have %s member%s in this org.",
			v.Get("user").Text(), v.Get("role").Text(), name, size, pluralOf(size == "1"))))
	}
	return nil
}

func pluralOf(one bool) string {
	if one {
		return ""
	}
	return "s"
}

func (o *orgMembers) remove(ctx context.Context, org, user string) error {
	a := o.app
	r := o.request
	r.Method, r.Body = "DELETE", requestBody(textMember("user", strings.TrimPrefix(user, "@")))
	if _, err := a.ask2FA(ctx, r); err != nil {
		return err
	}
	roster, err := a.api2FA(ctx, o.request)
	if err != nil {
		return err
	}
	bare := func(s string) string {
		if strings.HasPrefix(s, "~") || strings.HasPrefix(s, "@") {
			return s[1:]
		}
		return s
	}
	user, org = bare(user), bare(org)
	n := len(roster.Members())
	switch {
	case a.json():
		a.printJSON(jsjson.NewObject(textMember("user", user), textMember("org", org),
			jsjson.Member{Key: "userCount", Value: jsjson.NewNumber(float64(n))}, jsjson.Member{Key: "deleted", Value: jsjson.NewBool(true)}))
	case a.Config.Bool("parseable"):
		a.out("user\torg\tuserCount\tdeleted")
		a.out("%s\t%s\t%d\ttrue", user, org, n)
	case !a.Config.Silent():
		a.out("Successfully removed %s from %s. You now have %d member%s in this org.", user, org, n, pluralOf(n == 1))
	}
	return nil
}

func (o *orgMembers) list(ctx context.Context, user string) error {
	a := o.app
	roster, err := a.api2FA(ctx, o.request)
	if err != nil {
		return err
	}
	if !roster.IsObject() {
		roster = jsjson.NewObject()
	}
	if user != "" {
		only := jsjson.NewObject()
		if role := roster.Get(user); role.Truthy() {
			only = only.With(user, role)
		}
		roster = only
	}
	members := slices.Clone(roster.Members())
	switch {
	case a.json():
		a.printJSON(roster)
	case a.Config.Bool("parseable"):
		a.out("user\trole")
		for _, m := range members {
			a.out("%s\t%s", term.SafeLine(m.Key), term.SafeLine(m.Value.Text()))
		}
	case !a.Config.Silent():
		slices.SortFunc(members, func(x, y jsjson.Member) int { return strings.Compare(x.Key, y.Key) })
		for _, m := range members {
			a.out("%s", term.SafeLine(m.Key+" - "+m.Value.Text()))
		}
	}
	return nil
}
