package cmd

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newTeamCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "team create <scope:team> [--otp <otpcode>]\nteam destroy <scope:team> [--otp <otpcode>]\n" +
			"team add <scope:team> <user> [--otp <otpcode>]\nteam rm <scope:team> <user> [--otp <otpcode>]\nteam ls <scope>|<scope:team>",
		Short: "Show and change the teams of an organization",
	}, []string{"registry", "otp", "parseable", "json"}, func(c *cobra.Command, args []string) error { return runTeam(c.Context(), a, c, args) })
}

// runTeam is npm's lib/commands/team.js on top of libnpmteam.
func runTeam(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	verb, entity, user := word(args, 0), strings.TrimPrefix(word(args, 1), "@"), word(args, 2)
	scope, team := teamOf(entity)
	r := registry.Request{Registry: a.Config.String("registry"), URL: "/-/team/" + scope + "/" + team}
	text := jsjson.NewString
	yes := jsjson.NewBool(true)
	switch verb {
	case "create", "destroy", "add", "rm":
		if scope == "" || team == "" || (verb == "add" || verb == "rm") && user == "" {
			return a.usage(c, "")
		}
	case "ls":
		if scope == "" {
			return a.usage(c, "")
		}
		if team != "" {
			r.URL += "/user"
		} else {
			r.URL = "/-/org/" + js.EncodeURIComponent(entity) + "/team"
		}
		return listTeam(ctx, a, r, entity, team != "")
	default:
		return a.usage(c, "")
	}
	var result jsjson.Value
	var parseable, human string
	switch verb {
	case "create":
		_, name, _ := strings.Cut(entity, ":")
		r.Method, r.URL, r.Body = "PUT", "/-/org/"+scope+"/team", requestBody(textMember("name", name))
		result = jsjson.NewObject().With("created", yes).With("team", text(entity))
		parseable, human = entity+"\tcreated", "+@"+entity
	case "destroy":
		r.Method = "DELETE"
		result = jsjson.NewObject().With("deleted", yes).With("team", text(entity))
		parseable, human = entity+"\tdeleted", "-@"+entity
	case "add":
		r.Method, r.Body = "PUT", requestBody(textMember("user", user))
		r.URL += "/user"
		result = jsjson.NewObject().With("added", yes).With("team", text(entity)).With("user", text(user))
		parseable, human = user+"\t"+entity+"\tadded", user+" added to @"+entity
	case "rm":
		r.Method, r.Body = "DELETE", requestBody(textMember("user", user))
		r.URL += "/user"
		result = jsjson.NewObject().With("removed", yes).With("team", text(entity)).With("user", text(user))
		parseable, human = user+"\t"+entity+"\tremoved", user+" removed from @"+entity
	}
	r.Header = map[string][]string{"Npm-Scope": {scope}}
	if _, err := a.api2FA(ctx, r); err != nil {
		return err
	}
	switch {
	case a.json():
		a.printJSON(result)
	case a.Config.Bool("parseable"):
		a.out("%s", parseable)
	case !a.Config.Silent():
		a.out("%s", human)
	}
	return nil
}

// listTeam prints the users of a team or the teams of an organization.
func listTeam(ctx context.Context, a *App, r registry.Request, entity string, users bool) error {
	r.Query = url.Values{"format": {"cli"}}
	v, err := a.api2FA(ctx, r)
	if err != nil {
		return err
	}
	var names []string
	for _, item := range v.Items() {
		names = append(names, item.Text())
	}
	slices.Sort(names)
	switch {
	case a.json():
		items := make([]jsjson.Value, len(names))
		for i, name := range names {
			items[i] = jsjson.NewString(name)
		}
		a.printJSON(jsjson.NewArray(items...))
		return nil
	case a.Config.Bool("parseable"):
		for i := range names {
			names[i] = term.SafeLine(names[i])
		}
		a.out("%s", strings.Join(names, "\n"))
		return nil
	case a.Config.Silent():
		return nil
	}
	what, sign := "team", "@"
	if users {
		what, sign = "user", ""
	}
	plural, more := "s", ":"
	if len(names) == 1 {
		plural = ""
	}
	if len(names) == 0 {
		more = ""
	}
	a.out("%s", fmt.Sprintf("@%s has %d %s%s%s", entity, len(names), what, plural, more))
	for _, name := range names {
		a.out("%s", term.SafeLine(sign+name))
	}
	return nil
}
