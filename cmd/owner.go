package cmd

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newOwnerCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "owner add <user> <package-spec>\nowner rm <user> <package-spec>\nowner ls <package-spec>",
		Aliases: []string{"author"},
		Short:   "Show and change who may publish a package",
	}, []string{"registry", "otp", "workspace", "workspaces"},
		func(c *cobra.Command, args []string) error { return runOwner(c.Context(), a, c, args) })
}

func runOwner(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	verb := word(args, 0)
	rest := args[min(1, len(args)):]
	run := func(pkg, user string) error {
		switch verb {
		case "ls", "list":
			return listOwners(ctx, a, c, pkg)
		case "add", "rm", "remove":
			return changeOwners(ctx, a, c, pkg, user, verb == "add")
		}
		return a.usage(c, "")
	}
	named := verb == "ls" && len(rest) > 0 || len(rest) > 1
	if !a.inWorkspaces() || named {
		// Who is only in a workspace's folder has specified none.
		if a.inWorkspaces() && len(a.Config.GetIn("workspace", config.Default).Items()) == 0 {
			a.log(levelWarn, "Ignoring specified workspace(s)")
		}
		if verb == "ls" || verb == "list" {
			return run(word(rest, 0), "")
		}
		return run(word(rest, 1), word(rest, 0))
	}
	selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
	if err != nil {
		return err
	}
	for _, w := range selected {
		if err := run(w.Name, word(rest, 0)); err != nil {
			return err
		}
	}
	return nil
}

// ownedPackage is the package that is meant, and its whole document.
func ownedPackage(a *App, c *cobra.Command, pkg string) (*spec.Spec, error) {
	if pkg == "" {
		name, err := a.projectName()
		if err != nil || name == "" || a.Config.Global() {
			return nil, a.usage(c, "")
		}
		pkg = name
	}
	return spec.Parse(pkg, a.Config.Cwd())
}

func wholeDocument(ctx context.Context, a *App, s *spec.Spec) (jsjson.Value, error) {
	return a.api(ctx, registry.Request{URL: s.EscapedName(), Package: s.Name, Header: map[string][]string{"Accept": {"application/json"}}})
}

func listOwners(ctx context.Context, a *App, c *cobra.Command, pkg string) error {
	s, err := ownedPackage(a, c, pkg)
	if err != nil {
		return err
	}
	doc, err := wholeDocument(ctx, a, s)
	if err != nil {
		a.logPrefixed(levelError, "owner ls", "Couldn't get owner data "+term.SafeLine(s.Name))
		return err
	}
	var lines []string
	for _, m := range doc.Get("maintainers").Items() {
		lines = append(lines, term.SafeLine(fmt.Sprintf("%s <%s>", m.Get("name").Text(), m.Get("email").Text())))
	}
	if len(lines) == 0 {
		lines = []string{"no admin found"}
	}
	a.out("%s", strings.Join(lines, "\n"))
	return nil
}

func changeOwners(ctx context.Context, a *App, c *cobra.Command, pkg, user string, add bool) error {
	if user == "" {
		return a.usage(c, "")
	}
	s, err := ownedPackage(a, c, pkg)
	if err != nil {
		return err
	}
	u, err := a.api(ctx, registry.Request{URL: "/-/user/org.couchdb.user:" + js.EncodeURIComponent(user), Package: s.Name})
	if err != nil {
		a.logPrefixed(levelError, "owner mutate", "Error getting user data for "+user)
		return err
	}
	u = jsjson.NewObject().With("name", u.Get("name")).With("email", u.Get("email"))
	doc, err := wholeDocument(ctx, a, s)
	if err != nil {
		return err
	}
	var others []jsjson.Value
	var already jsjson.Value
	for _, o := range doc.Get("maintainers").Items() {
		if jsjson.Equal(o.Get("name"), u.Get("name")) {
			already = o
			continue
		}
		others = append(others, o)
	}
	sign := "+"
	switch {
	case add && already.IsObject():
		a.logPrefixed(levelInfo, "owner add", term.SafeLine(fmt.Sprintf("Already a package owner: %s <%s>", already.Get("name").Text(), already.Get("email").Text())))
		return nil
	case add:
		others = append(others, u)
	case !already.IsObject():
		a.logPrefixed(levelInfo, "owner rm", "Not a package owner: "+term.SafeLine(u.Get("name").Text()))
		return nil
	case len(others) == 0:
		return &codedError{code: "EOWNERRM", text: "Cannot remove all owners of a package. Add someone else first."}
	default:
		sign = "-"
	}
	_, err = a.ask2FA(ctx, registry.Request{
		Method: "PUT", Package: s.Name, URL: "/" + s.EscapedName() + "/-rev/" + js.EncodeURIComponent(doc.Get("_rev").Text()),
		Body: requestBody(
			jsjson.Member{Key: "_id", Value: doc.Get("_id")},
			jsjson.Member{Key: "_rev", Value: doc.Get("_rev")},
			jsjson.Member{Key: "maintainers", Value: jsjson.NewArray(others...)},
		),
	})
	if err != nil {
		return &codedError{code: "EOWNERMUTATE", text: "Failed to update package: " + err.Error()}
	}
	a.out("%s %s (%s)", sign, user, s.Name)
	return nil
}
