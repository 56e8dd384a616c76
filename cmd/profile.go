package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

func newProfileCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:   "profile enable-2fa [auth-only|auth-and-writes]\nprofile disable-2fa\nprofile get [<key>]\nprofile set <key> <value>",
		Short: "Show and change your account's profile",
	}, []string{"registry", "json", "parseable", "otp"}, func(c *cobra.Command, args []string) error { return runProfile(c.Context(), a, c, args) })
}

// runProfile is npm's lib/commands/profile.js.
func runProfile(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	switch verb := word(args, 0); verb {
	case "":
		return a.usage(c, "")
	case "enable-2fa", "enable-tfa", "enable2fa", "enabletfa":
		return enable2FA(ctx, a, args[1:])
	case "disable-2fa", "disable-tfa", "disable2fa", "disabletfa":
		return disable2FA(ctx, a)
	case "get":
		return getProfile(ctx, a, args[1:])
	case "set":
		return setProfile(ctx, a, args[1:])
	default:
		return errors.New("Unknown profile command: " + verb)
	}
}

func profileRequest(a *App) registry.Request {
	return registry.Request{URL: "/-/npm/v1/user", Registry: a.Config.String("registry")}
}

// profileChange is the request that sets members of the profile; what is empty
// is sent as null.
func profileChange(a *App, members ...jsjson.Member) registry.Request {
	body := jsjson.NewObject()
	for _, m := range members {
		if m.Value.IsString() && m.Value.Str() == "" {
			m.Value = jsjson.NewNull()
		}
		body = body.With(m.Key, m.Value)
	}
	r := profileRequest(a)
	r.Method, r.Body = "POST", jsjson.Append(nil, body, "", "")
	return r
}

const twoFactor = "two-factor auth"

func getProfile(ctx context.Context, a *App, keys []string) error {
	info, err := a.api(ctx, profileRequest(a))
	if err != nil {
		return err
	}
	if !info.Get("cidr_whitelist").Truthy() {
		info = info.Without("cidr_whitelist")
	}
	if a.json() {
		a.printJSON(info)
		return nil
	}
	shown := jsjson.NewObject()
	known := []string{"name", "email", twoFactor, "fullname", "homepage", "github", "created", "updated"}
	for _, m := range info.Members() {
		if !slices.Contains(known, m.Key) {
			known = append(known, m.Key)
		}
	}
	for _, key := range known {
		shown = shown.With(key, jsjson.NewString(textOf(info.Get(key))))
	}
	shown = shown.Without("tfa").Without("email_verified")
	verified := "(unverified)"
	if info.Get("email_verified").Truthy() {
		verified = " (verified)"
	}
	shown = shown.With("email", jsjson.NewString(textOf(info.Get("email"))+verified))
	mode := "disabled"
	if tfa := info.Get("tfa"); tfa.Truthy() && !tfa.Get("pending").Truthy() {
		mode = tfa.Get("mode").Text()
	}
	shown = shown.With(twoFactor, jsjson.NewString(mode))
	switch {
	case len(keys) > 0:
		var values []string
		for key := range strings.SplitSeq(strings.Join(keys, ","), ",") {
			if strings.TrimSpace(key) != "" {
				values = append(values, term.SafeLine(textOf(shown.Get(key))))
			}
		}
		a.out("%s", strings.Join(values, "\t"))
	case a.Config.Bool("parseable"):
		for _, m := range info.Members() {
			text := m.Value.Text()
			if m.Key == "tfa" {
				text = mode
			}
			a.out("%s\t%s", term.SafeLine(m.Key), term.SafeLine(text))
		}
	default:
		for _, m := range shown.Members() {
			a.out("%s: %s", term.SafeLine(m.Key), term.SafeLine(m.Value.Text()))
		}
	}
	return nil
}

func setProfile(ctx context.Context, a *App, args []string) error {
	writable := []string{"email", "password", "fullname", "homepage", "github"}
	key := strings.TrimSpace(strings.ToLower(word(args, 0)))
	switch {
	case key != "password" && len(args) < 2:
		return errors.New(a.heading + " profile set <prop> <value>")
	case key == "password" && len(args) > 1:
		return errors.New(a.heading + " profile set password\nDo not include your current or new passwords on the command line.")
	case !slices.Contains(writable, key):
		return fmt.Errorf("%q is not a property we can set. Valid properties are: %s", key, strings.Join(writable, ", "))
	}
	var value jsjson.Value
	if key == "password" {
		var err error
		if value, err = newPassword(ctx, a); err != nil {
			return err
		}
	} else {
		value = jsjson.NewString(strings.Join(args[1:], " "))
	}
	// Registries take what is not sent as taken away.
	user, err := a.api(ctx, profileRequest(a))
	if err != nil {
		return err
	}
	var members []jsjson.Member
	for _, k := range writable {
		v := user.Get(k)
		if k == key {
			v = value
		}
		members = append(members, jsjson.Member{Key: k, Value: v})
	}
	result, err := a.api2FA(ctx, profileChange(a, members...))
	if err != nil {
		return err
	}
	is := result.Get(key)
	none := is.Kind() == jsjson.Undefined || is.Kind() == jsjson.Null
	switch {
	case a.json():
		a.printJSON(jsjson.NewObject().With(key, is))
	case a.Config.Bool("parseable"):
		a.out("%s\t%s", key, term.SafeLine(is.Text()))
	case none:
		a.out("Set %s", key)
	default:
		a.out("Set %s to %s", key, term.SafeLine(is.Text()))
	}
	return nil
}

// newPassword asks for the old password and twice for the new one.
func newPassword(ctx context.Context, a *App) (jsjson.Value, error) {
	p := a.newPrompt(ctx)
	old, err := p.password("Current password:")
	if err != nil {
		return jsjson.Value{}, err
	}
	for {
		first, err := p.password("New password:")
		if err != nil {
			return jsjson.Value{}, err
		}
		again, err := p.password("       Again:")
		if err != nil {
			return jsjson.Value{}, err
		}
		if first == again {
			return jsjson.NewObject(textMember("old", old), textMember("new", first)), nil
		}
		a.logPrefixed(levelWarn, "profile", "Passwords do not match, please try again.")
	}
}

func enable2FA(ctx context.Context, a *App, args []string) error {
	if len(args) > 1 {
		return errors.New(a.heading + " profile enable-2fa [auth-and-writes|auth-only]")
	}
	mode := word(args, 0)
	if mode == "" {
		mode = "auth-and-writes"
	}
	if mode != "auth-only" && mode != "auth-and-writes" {
		return fmt.Errorf("Invalid two-factor authentication mode %q.\nValid modes are:\n"+
			"  auth-only - Require two-factor authentication only when logging in\n"+
			"  auth-and-writes - Require two-factor authentication when logging in AND when publishing", mode)
	}
	for _, key := range [...]string{"json", "parseable"} {
		if a.Config.Bool(key) {
			name := key
			if key == "json" {
				name = "JSON"
			}
			return errors.New("Enabling two-factor authentication is an interactive operation and " + name + " output mode is not available")
		}
	}
	info, err := a.api(ctx, profileRequest(a))
	if err != nil {
		return err
	}
	tfa := info.Get("tfa")
	if tfa.Truthy() && !tfa.Get("pending").Truthy() && textOf(tfa.Get("mode")) == mode {
		a.out("Two factor authentication is already enabled and set to %s", mode)
		return nil
	}
	if err := tokenForPassword(ctx, a); err != nil {
		return err
	}
	p := a.newPrompt(ctx)
	password, err := p.password("npm password:")
	if err != nil {
		return err
	}
	set := func(members ...jsjson.Member) jsjson.Member {
		return jsjson.Member{Key: "tfa", Value: jsjson.NewObject(members...)}
	}
	if tfa.Truthy() && tfa.Get("pending").Truthy() {
		if _, err := a.api(ctx, profileChange(a, set(textMember("password", password), textMember("mode", "disable")))); err != nil {
			return err
		}
	}
	challenge, err := a.api2FA(ctx, profileChange(a, set(textMember("mode", mode), textMember("password", password))))
	if err != nil {
		return err
	}
	tfa = challenge.Get("tfa")
	if tfa.Get("mode").Truthy() {
		a.out("Two factor authentication mode changed to: %s", mode)
		return nil
	}
	address, err := url.Parse(textOf(tfa))
	if err != nil || address.Scheme != "otpauth" {
		return errors.New("Unknown error enabling two-factor authentication. Expected otpauth URL")
	}
	a.showChallenge(tfa.Text(), address.Query().Get("secret"))
	otp, err := p.otp("And an OTP code from your authenticator:")
	if err != nil {
		return err
	}
	result, err := a.api(ctx, profileChange(a, jsjson.Member{Key: "tfa", Value: jsjson.NewArray(jsjson.NewString(otp))}))
	if err != nil {
		return err
	}
	a.out("2FA successfully enabled. Below are your recovery codes, please print these out.")
	a.out("You will need these to recover access to your account if you lose your authentication device.")
	for _, code := range result.Get("tfa").Items() {
		a.out("\t%s", term.SafeLine(code.Text()))
	}
	return nil
}

// showChallenge shows the address that an authenticator app is set up with, as a
// QR code where there is a terminal that is wide enough.
func (a *App) showChallenge(address, secret string) {
	if f, ok := a.Stdout.(*os.File); ok && term.IsTerminal(f) {
		if lines, width, err := term.QR(address, bool(a.ink())); err == nil && width <= term.Width(f) {
			a.out("Scan into your authenticator app:\n%s\n Or enter code: %s", strings.Join(lines, "\n"), term.SafeLine(secret))
			return
		}
	}
	a.out("Open in your authenticator app:\n%s\n Or enter code: %s", term.SafeLine(address), term.SafeLine(secret))
}

// tokenForPassword has whoever logs in with a name and a password log in with a
// token from now on: two factors want one.
func tokenForPassword(ctx context.Context, a *App) error {
	reg := a.Config.String("registry")
	login := a.Config.Login(reg)
	switch {
	case login.Err != nil:
		return login.Err
	case login.Token != "":
		return nil
	case login.Username == "":
		return errors.New("You need to be logged in to registry " + registry.Redact(reg) + " in order to enable 2fa")
	}
	if err := a.Config.Saveable(config.User); err != nil {
		return err
	}
	v, err := a.api(ctx, registry.Request{Method: "POST", URL: tokensPath, Registry: reg, Body: requestBody(
		textMember("password", login.Password),
		jsjson.Member{Key: "readonly", Value: jsjson.NewBool(false)},
		jsjson.Member{Key: "cidr_whitelist", Value: jsjson.NewArray()},
	)})
	if err != nil {
		return err
	}
	token := v.Get("token")
	if !token.IsString() || !token.Truthy() {
		return errors.New("Your registry " + registry.Redact(reg) + " does not seem to support bearer tokens. Bearer tokens are required for two-factor authentication.")
	}
	if err := a.keepToken(ctx, reg, token.Str()); err != nil {
		return err
	}
	return a.saveConfig(ctx, config.User)
}

func disable2FA(ctx context.Context, a *App) error {
	info, err := a.api(ctx, profileRequest(a))
	if err != nil {
		return err
	}
	if tfa := info.Get("tfa"); !tfa.Truthy() || tfa.Get("pending").Truthy() {
		a.out("Two factor authentication not enabled.")
		return nil
	}
	password, err := a.newPrompt(ctx).password("npm password:")
	if err != nil {
		return err
	}
	off := jsjson.NewObject(textMember("password", password), textMember("mode", "disable"))
	if _, err := a.ask2FA(ctx, profileChange(a, jsjson.Member{Key: "tfa", Value: off})); err != nil {
		return err
	}
	switch {
	case a.json():
		a.printJSON(jsjson.NewObject(jsjson.Member{Key: "tfa", Value: jsjson.NewBool(false)}))
	case a.Config.Bool("parseable"):
		a.out("tfa\tfalse")
	default:
		a.out("Two factor authentication disabled.")
	}
	return nil
}
