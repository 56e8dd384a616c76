package cmd

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newTokenCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "token list\ntoken revoke <id|token>\ntoken create", Short: "Show, make and revoke the tokens of your account",
	}, []string{"name", "token-description", "expires", "packages", "packages-all", "scopes", "orgs", "packages-and-scopes-permission",
		"orgs-permission", "cidr", "bypass-2fa", "password", "registry", "otp", "read-only", "json", "parseable"},
		func(c *cobra.Command, args []string) error { return runToken(c.Context(), a, c, args) })
}

// runToken is npm's lib/commands/token.js.
func runToken(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	switch verb := word(args, 0); verb {
	case "", "list", "ls":
		return listTokens(ctx, a)
	case "rm", "delete", "revoke", "remove":
		return revokeTokens(ctx, a, c, args[1:])
	case "create":
		return createToken(ctx, a)
	default:
		return a.usage(c, verb+" is not a recognized subcommand.")
	}
}

const tokensPath = "/-/npm/v1/tokens"

// maxTokenPages bounds the pages that a registry may send one after the other.
const maxTokenPages = 1000

// readTokens reads the list of tokens, which comes in pages.
func readTokens(ctx context.Context, a *App) ([]jsjson.Value, error) {
	var tokens []jsjson.Value
	next := tokensPath
	for range maxTokenPages {
		v, err := a.api(ctx, registry.Request{URL: next, Registry: a.Config.String("registry")})
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, v.Get("objects").Items()...)
		if next = textOf(v.Get("urls").Get("next")); next == "" {
			return tokens, nil
		}
	}
	return nil, &codedError{text: "the registry's list of tokens does not end"}
}

// shortIDs gives each token the shortest beginning of its key, of six characters
// or more, that no other token's key has.
func shortIDs(tokens []jsjson.Value) []jsjson.Value {
	out := make([]jsjson.Value, len(tokens))
	for i, t := range tokens {
		key := t.Get("key").Text()
		id := key
	lengths:
		for n := 6; n < len(key); n++ {
			for j, other := range tokens {
				if i != j && strings.HasPrefix(other.Get("key").Text(), key[:n]) {
					continue lengths
				}
			}
			id = key[:n]
			break
		}
		out[i] = t.With("id", jsjson.NewString(id))
	}
	return out
}

func listTokens(ctx context.Context, a *App) error {
	tokens, err := readTokens(ctx, a)
	if err != nil {
		return err
	}
	tokens = shortIDs(tokens)
	if a.json() {
		a.printJSON(jsjson.NewArray(tokens...))
		return nil
	}
	parseable := a.Config.Bool("parseable")
	if parseable {
		a.out("%s", strings.Join([]string{"key", "token", "id", "name", "created", "readonly", "CIDR whitelist"}, "\t"))
	}
	for _, t := range tokens {
		text := func(key string) string { return term.SafeLine(t.Get(key).Text()) }
		var ranges []string
		for _, r := range t.Get("cidr_whitelist").Items() {
			ranges = append(ranges, term.SafeLine(r.Text()))
		}
		cidr := strings.Join(ranges, ",")
		if parseable {
			a.out("%s", strings.Join([]string{text("key"), joinable(t, "token"), text("id"), joinable(t, "name"), joinable(t, "created"),
				strconv.FormatBool(t.Get("readonly").Truthy()), cidr}, "\t"))
			continue
		}
		created := text("created")
		a.out("Token %s… with id %s name %s created %s", text("token"), text("id"), text("name"), created[:min(10, len(created))])
		if t.Get("cidr_whitelist").Truthy() {
			a.out("with IP whitelist: %s", cidr)
		}
		a.out("")
	}
	return nil
}

// joinable is a member's text as JavaScript joins it: nothing for null.
func joinable(v jsjson.Value, key string) string {
	switch v.Get(key).Kind() {
	case jsjson.Undefined, jsjson.Null:
		return ""
	}
	return term.SafeLine(v.Get(key).Text())
}

func revokeTokens(ctx context.Context, a *App, c *cobra.Command, ids []string) error {
	if len(ids) == 0 {
		return a.usage(c, "`<tokenKey>` argument is required.")
	}
	tokens, err := readTokens(ctx, a)
	if err != nil {
		return err
	}
	var keys []string
	for _, id := range ids {
		var matches []string
		whole := false
		for _, t := range tokens {
			key := t.Get("key").Text()
			if strings.HasPrefix(key, id) {
				matches = append(matches, key)
			}
			whole = whole || strings.HasPrefix(id, t.Get("token").Text())
		}
		switch {
		case len(matches) == 1:
			keys = append(keys, matches[0])
		case len(matches) > 1:
			return fmt.Errorf("Token ID %q was ambiguous, a new token may have been created since you last ran `%s token list`.", id, a.heading)
		case !whole:
			return fmt.Errorf("Unknown token id or value %q.", config.Redact(id))
		default:
			keys = append(keys, id)
		}
	}
	for _, key := range keys {
		// What a registry calls a key stays one part of the path.
		_, err := a.ask2FA(ctx, registry.Request{
			Method: "DELETE", URL: tokensPath + "/token/" + js.EncodeURIComponent(key), Secret: key, Registry: a.Config.String("registry"),
		})
		if err != nil {
			return err
		}
	}
	switch {
	case a.json():
		items := make([]jsjson.Value, len(keys))
		for i, key := range keys {
			items[i] = jsjson.NewString(key)
		}
		a.printJSON(jsjson.NewArray(items...))
	case a.Config.Bool("parseable"):
		a.out("%s", strings.Join(keys, "\t"))
	default:
		a.out("Removed %d token%s", len(keys), pluralOf(len(keys) == 1))
	}
	return nil
}

func createToken(ctx context.Context, a *App) error {
	cfg := a.Config
	ranges, err := tokenRanges(cfg.Strings("cidr"))
	if err != nil {
		return err
	}
	if cfg.String("packages-and-scopes-permission") == "read-write" {
		a.logPrefixed(levelWarn, "token", "Creating a token that can publish directly to the registry. "+
			"With --packages-and-scopes-permission=read-write-stage-only releases wait for your approval before they are public. "+
			"Tokens that bypass 2FA will not publish directly any more from January 2027: https://gh.io/bypass-2fa-tokens-no-longer-publish")
	}
	password := cfg.String("password")
	if password == "" {
		if password, err = a.newPrompt(ctx).password("npm password:"); err != nil {
			return err
		}
	}
	body := jsjson.NewObject()
	if name := cfg.String("name"); name != "" {
		body = body.With("name", jsjson.NewString(name))
	} else {
		body = body.With("name", jsjson.NewNull())
	}
	body = body.With("password", jsjson.NewString(password))
	text := func(member, key string) {
		if s := cfg.String(key); s != "" {
			body = body.With(member, jsjson.NewString(s))
		}
	}
	list := func(member string, all []string) {
		if len(all) == 0 {
			return
		}
		items := make([]jsjson.Value, len(all))
		for i, s := range all {
			items[i] = jsjson.NewString(s)
		}
		body = body.With(member, jsjson.NewArray(items...))
	}
	text("description", "token-description")
	list("packages", cfg.Strings("packages"))
	if cfg.Bool("packages-all") {
		body = body.With("packages_all", jsjson.NewBool(true))
	}
	list("scopes", cfg.Strings("scopes"))
	list("orgs", cfg.Strings("orgs"))
	text("packages_and_scopes_permission", "packages-and-scopes-permission")
	text("orgs_permission", "orgs-permission")
	if days := cfg.Int("expires"); days != 0 {
		body = body.With("expires", jsjson.NewNumber(float64(days)))
	}
	list("cidr_whitelist", ranges)
	if cfg.Bool("bypass-2fa") {
		body = body.With("bypass_2fa", jsjson.NewBool(true))
	}
	v, err := a.api2FA(ctx, registry.Request{Method: "POST", URL: tokensPath, Registry: cfg.String("registry"), Body: jsjson.Append(nil, body, "", "")})
	if err != nil {
		return err
	}
	v = v.Without("key").Without("updated")
	switch {
	case a.json():
		// The one time that a token is to be seen.
		a.printJSONText(jsjson.Append(nil, v, "  ", "\n"))
	case cfg.Bool("parseable"):
		for _, m := range v.Members() {
			a.out("%s\t%s", term.SafeLine(m.Key), term.SafeLine(m.Value.Text()))
		}
	default:
		a.out("Created token %s", term.SafeLine(v.Get("token").Text()))
		if list := v.Get("cidr_whitelist"); list.Len() > 0 {
			a.out("with IP whitelist: %s", term.SafeLine(list.Text()))
		}
		if expires := v.Get("expires"); expires.Truthy() {
			a.out("expires: %s", term.SafeLine(expires.Text()))
		}
	}
	return nil
}

// tokenRanges are the addresses that a token may be used from.
func tokenRanges(given []string) ([]string, error) {
	var list []string
	for _, s := range given {
		if s != "" {
			list = append(list, s)
		}
	}
	if len(list) == 1 {
		list = strings.Split(list[0], ",")
	}
	for i, s := range list {
		list[i] = strings.TrimLeft(s, " \t")
		p, err := netip.ParsePrefix(list[i])
		switch {
		case err != nil:
			return nil, &codedError{code: "EINVALIDCIDR", text: "CIDR whitelist contains invalid CIDR entry: " + list[i]}
		case p.Addr().Is6():
			return nil, &codedError{code: "EINVALIDCIDR", text: "CIDR whitelist can only contain IPv4 addresses, " + list[i] + " is IPv6"}
		}
	}
	return list, nil
}
