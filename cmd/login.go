package cmd

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// newPublishingCmds are the commands that change or tell what a registry keeps
// for somebody.
func newPublishingCmds(a *App) []*cobra.Command {
	return []*cobra.Command{
		newPublishCmd(a), newStageCmd(a), newTrustCmd(a), newUnpublishCmd(a), newDeprecateCmd(a), newUndeprecateCmd(a), newDistTagCmd(a), newOwnerCmd(a),
		newAccessCmd(a), newTeamCmd(a), newOrgCmd(a),
		newLoginCmd(a), newLogoutCmd(a), newWhoamiCmd(a), newTokenCmd(a), newProfileCmd(a),
	}
}

func newLoginCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "login", Short: "Log in to a registry",
		Long: "The token is written to the user's .npmrc, which only the user can read then; with --keyring into the\n" +
			"keyring of the system, where every later command finds it. With --auth-type=web, the default, you log in in\n" +
			"a browser; registries that cannot do that ask for name and password.",
		Example: "  ibid login\n  ibid login --keyring\n  ibid login --registry https://registry.example.com/ --scope @example",
	}, []string{"registry", "scope", "auth-type", "keyring"}, func(c *cobra.Command, _ []string) error { return runLogin(c.Context(), a) })
}

func newLogoutCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "logout", Short: "Log out of a registry and have it forget the token"},
		[]string{"registry", "scope"}, func(c *cobra.Command, _ []string) error { return runLogout(c.Context(), a) })
}

func newWhoamiCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "whoami", Short: "Show who is logged in"},
		[]string{"registry", "json"}, func(c *cobra.Command, _ []string) error {
			name, err := a.identity(c.Context())
			if err != nil {
				return err
			}
			if a.json() {
				a.printJSON(jsjson.NewString(name))
			} else {
				a.out("%s", term.SafeLine(name))
			}
			return nil
		})
}

// identity is the name of who is logged in to the registry (npm:
// lib/utils/get-identity.js).
func (a *App) identity(ctx context.Context) (string, error) {
	reg := a.Config.String("registry")
	login := a.Config.Login(reg)
	if login.Err != nil {
		return "", login.Err
	}
	if login.Username != "" {
		return login.Username, nil
	}
	if login.Token != "" || login.CertFile != "" && login.KeyFile != "" {
		v, err := a.api(ctx, registry.Request{URL: "/-/whoami", Registry: reg})
		if err != nil {
			return "", err
		}
		if name := v.Get("username"); name.IsString() {
			return name.Str(), nil
		}
	}
	return "", &codedError{code: "ENEEDAUTH", text: "This command requires you to be logged in.", hints: []string{a.heading + " login"}}
}

func runLogin(ctx context.Context, a *App) error {
	cfg := a.Config
	scope, reg := cfg.Scope(), cfg.String("registry")
	if scope != "" && !cfg.GetIn("registry", config.CLI).Truthy() {
		if own := cfg.Get(scope + ":registry"); own.Truthy() {
			reg = own.String()
		}
	}
	standing := cfg.Login(reg)
	if standing.Err != nil {
		return standing.Err
	}
	// Before there is a token that could not be kept.
	if err := cfg.Saveable(config.User); err != nil {
		return err
	}
	a.log(levelNotice, "Log in on "+registry.Redact(reg))
	token, err := a.logIn(ctx, reg, standing.Username)
	if err != nil {
		return err
	}
	cfg.Delete("_token", config.User)
	if err := a.keepToken(ctx, reg, token); err != nil {
		return err
	}
	if scope != "" {
		cfg.Set(scope+":registry", config.NewString(reg), config.User)
	}
	if err := a.saveConfig(ctx, config.User); err != nil {
		return err
	}
	to := ""
	if scope != "" {
		to = " to scope " + scope
	}
	a.out("Logged in%s on %s.", to, registry.Redact(reg))
	return nil
}

// logIn gets a token, in the browser or with name and password; standing is the
// name that is configured.
func (a *App) logIn(ctx context.Context, reg, standing string) (string, error) {
	if a.Config.AuthType() == "web" {
		token, err := a.webLogin(ctx, reg)
		var refused *registry.Error
		switch {
		case err == nil:
			return token, nil
		case errors.As(err, &refused) && (refused.Status >= 400 && refused.Status < 500 || refused.Status == 500):
			a.log(levelVerbose, "web login not supported, trying couch")
		default:
			return "", err
		}
	}
	p := a.newPrompt(ctx)
	name, err := p.username("Username:", standing)
	if err != nil {
		return "", err
	}
	password, err := p.password("Password:")
	if err != nil {
		return "", err
	}
	return a.couchLogin(ctx, reg, name, password)
}

// webLogin has the registry say where to log in (npm: npm-profile webAuth).
func (a *App) webLogin(ctx context.Context, reg string) (string, error) {
	v, err := a.api(ctx, registry.Request{Method: "POST", URL: "/-/v1/login", Registry: reg, Body: []byte("{}")})
	if err != nil {
		return "", err
	}
	login, done := v.Get("loginUrl"), v.Get("doneUrl")
	if !login.IsString() || !done.IsString() {
		return "", errWebLogin(200)
	}
	return a.webAuth(ctx, "Login at", login.Str(), behindMirror(done.Str(), reg), reg)
}

// behindMirror puts the configured registry in the place of npm's own in doneURL:
// a mirror passes npm's answer on as it is, but holds the session itself.
func behindMirror(doneURL, reg string) string {
	done, err := url.Parse(doneURL)
	if err != nil || done.Hostname() != registry.NPMHost {
		return doneURL
	}
	at, err := url.Parse(reg)
	if err != nil {
		return doneURL
	}
	done.Scheme, done.Host = at.Scheme, at.Host
	prefix := strings.TrimSuffix(at.Path, "/")
	if prefix != "" && done.Path != prefix && !strings.HasPrefix(done.Path, prefix+"/") {
		done.Path, done.RawPath = prefix+done.Path, ""
	}
	return done.String()
}

// couchLogin logs in as registries did when they were CouchDB (npm: npm-profile
// loginCouch).
func (a *App) couchLogin(ctx context.Context, reg, name, password string) (string, error) {
	user := "/-/user/org.couchdb.user:" + js.EncodeURIComponent(name)
	body := jsjson.NewObject(
		textMember("_id", "org.couchdb.user:"+name),
		textMember("name", name),
		textMember("password", password),
		textMember("type", "user"),
		jsjson.Member{Key: "roles", Value: jsjson.NewArray()},
		textMember("date", time.Now().UTC().Format("2006-01-02T15:04:05.000Z")),
	)
	put := registry.Request{Method: "PUT", URL: user, Registry: reg, Body: jsjson.Append(nil, body, "", "")}
	v, err := a.api2FA(ctx, put)
	var refused *registry.Error
	if errors.As(err, &refused) {
		switch refused.ErrCode {
		case "E400":
			return "", &codedError{code: "E400", text: fmt.Sprintf("There is no user with the username %q.", name)}
		case "E409":
			v, err = a.couchUpdate(ctx, put, body, name, password)
		}
	}
	if err != nil {
		return "", err
	}
	token := v.Get("token")
	if !token.IsString() || !token.Truthy() {
		return "", &codedError{text: "the registry accepted the login, but gave no token"}
	}
	return token.Str(), nil
}

// couchUpdate logs a user in whom the registry knows already.
func (a *App) couchUpdate(ctx context.Context, put registry.Request, body jsjson.Value, name, password string) (jsjson.Value, error) {
	known, err := a.api(ctx, registry.Request{URL: put.URL, Registry: put.Registry, Query: url.Values{"write": {"true"}}})
	if err != nil {
		return known, err
	}
	for _, m := range known.Members() {
		if !body.Get(m.Key).Truthy() || m.Key == "roles" {
			body = body.With(m.Key, m.Value)
		}
	}
	put.URL += "/-rev/" + js.EncodeURIComponent(body.Get("_rev").Text())
	put.Body = jsjson.Append(nil, body, "", "")
	put.Credentials = &registry.Credentials{Authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password))}
	return a.api2FA(ctx, put)
}

func runLogout(ctx context.Context, a *App) error {
	cfg := a.Config
	scope, reg := cfg.Scope(), cfg.String("registry")
	if scope != "" {
		if own := cfg.Get(scope + ":registry"); own.Truthy() {
			reg = own.String()
		}
	}
	shown := registry.Redact(reg)
	cred := cfg.Auth(reg, reg)
	layer, _ := cfg.Where(cred.Key + ":" + cred.Field)
	if cred.Field == "keyring" {
		layer = config.User
	}
	// An environment or a command line is nobody's to change.
	kept := layer == config.User || layer == config.Project || layer == config.Global
	if cred.Key != "" && kept {
		if err := cfg.Saveable(layer); err != nil {
			return err
		}
	}
	switch {
	case cred.Err != nil:
		return cred.Err
	case cred.Token != "":
		a.logPrefixed(levelVerbose, "logout", "clearing token for "+shown)
		if err := a.revoke(ctx, reg, cred.Token); err != nil {
			return err
		}
	case cred.Basic != "":
		a.logPrefixed(levelVerbose, "logout", "clearing user credentials for "+shown)
	default:
		return &codedError{code: "ENEEDAUTH", text: fmt.Sprintf("not logged in to %s, so can't log out!", shown)}
	}
	if cred.Field == "keyring" {
		if err := a.withKeyring(ctx, func(ring Keyring) error { return ring.Delete(cred.Key) }); err != nil {
			return err
		}
	}
	if scope != "" {
		cfg.Delete(scope+":registry", layer)
	}
	cfg.ClearLogin(reg, layer)
	if !kept {
		return nil
	}
	return a.saveConfig(ctx, layer)
}

// revoke has a registry forget a token.
func (a *App) revoke(ctx context.Context, reg, token string) error {
	_, err := a.send(ctx, registry.Request{
		Method: "DELETE", URL: "/-/user/token/" + js.EncodeURIComponent(token), Secret: token, Registry: reg,
		Credentials: &registry.Credentials{Authorization: "Bearer " + token},
	})
	return err
}
