package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// A trustedJob is a CI job that a registry may trust to publish a package without
// a token of its own: the CI service says who the job is, and the registry gives
// a token for what it says (npm: lib/utils/oidc.js).
//
// npm keeps silent about all that goes wrong. ibid says it in one line: as a
// warning where nothing else can log in, else as a notice.
type trustedJob struct {
	app     *App
	cfg     *config.Config // gets the token; a copy that lives as long as the command
	name    string         // the package
	reg     string
	idToken string // says who the job is
	reading bool   // what fails is no news: everybody can read
}

// trustedPublishing gets a token for a package, puts it into cfg, and gives the
// job's identity; "" where there is none. It never fails: a registry or a CI
// service that knows nothing of it is the usual case.
func (a *App) trustedPublishing(ctx context.Context, cfg *config.Config, name, reg string) (identity string) {
	return (&trustedJob{app: a, cfg: cfg, name: name, reg: reg}).logIn(ctx)
}

// asTrustedJob has a registry's token for a package be used, where the run is a
// CI job that gets one, until the function that it gives is called (npm:
// lib/commands/dist-tag.js).
func (a *App) asTrustedJob(ctx context.Context, s *spec.Spec, reading bool) (done func()) {
	if !a.onTrustedCI() || !s.Registry {
		return func() {}
	}
	cfg := a.Config.WithPublishConfig(jsjson.NewObject())
	j := &trustedJob{app: a, cfg: cfg, name: s.Name, reg: cfg.Registry(scopeOf(s.Name)), reading: reading}
	if j.logIn(ctx) == "" {
		return func() {}
	}
	return a.with(cfg)
}

// onTrustedCI says whether the run is on a CI service that registries can trust.
func (a *App) onTrustedCI() bool {
	return a.runsOn("GITHUB_ACTIONS") || a.runsOn("GITLAB_CI") || a.runsOn("CIRCLECI")
}

func (j *trustedJob) logIn(ctx context.Context) (identity string) {
	if !j.app.onTrustedCI() {
		return ""
	}
	if why := j.identify(ctx); why != "" {
		j.tell(levelVerbose, why)
		return ""
	}
	token, why := j.exchange(ctx)
	if why != "" {
		j.tell(levelNotice, why)
		return ""
	}
	j.use(token)
	return j.idToken
}

// runsOn says whether a CI service's variable is there.
func (a *App) runsOn(name string) bool {
	return a.Config.Getenv("CI") != "false" && a.Config.Getenv(name) != ""
}

// host is the registry's, as audiences have it.
func (j *trustedJob) host() string {
	u, err := url.Parse(j.reg)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (j *trustedJob) audience() string { return "npm:" + j.host() }

// tell says what is wrong: at the level given where there is another way to log
// in, and as a warning where there is none.
func (j *trustedJob) tell(otherwise level, why string) {
	l, key := levelWarn, j.configured()
	if j.reading {
		l = levelVerbose
	} else if key != "" {
		l = otherwise
		why += "; " + key + " is used instead"
	}
	j.app.logPrefixed(l, "oidc", term.SafeLine(why))
}

// configured names the credentials that the configuration has for the registry,
// "" for none.
func (j *trustedJob) configured() string {
	c := j.cfg.Auth(j.address(), j.reg)
	switch {
	case c.Field == "keyring":
		return "the token for " + c.Key + " in the keyring"
	case c.Token != "":
		return c.Key + ":_authToken"
	case c.Basic != "":
		return "the password of " + c.Key
	case c.CertFile != "":
		return "the certificate of " + c.Key
	}
	return ""
}

// address is where the package is published.
func (j *trustedJob) address() string { return registry.URL(j.reg, registry.EscapeName(j.name)) }

// identify gets the token that says who the job is; otherwise it says why not.
func (j *trustedJob) identify(ctx context.Context) (why string) {
	a := j.app
	if j.idToken = a.Config.Getenv("NPM_ID_TOKEN"); j.idToken != "" {
		return ""
	}
	if a.runsOn("GITHUB_ACTIONS") {
		j.idToken, why = a.githubIdentity(ctx, j.audience())
		return why
	}
	if a.runsOn("GITLAB_CI") {
		return fmt.Sprintf(`GitLab gives this job no identity token: add "id_tokens: NPM_ID_TOKEN: aud: %s" to the job`, j.audience())
	}
	return fmt.Sprintf("CircleCI gives this job no identity token: set NPM_ID_TOKEN to that of circleci run oidc get for the audience %s", j.audience())
}

// githubIdentity asks GitHub Actions who the job is.
func (a *App) githubIdentity(ctx context.Context, audience string) (token, why string) {
	address, secret := a.Config.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), a.Config.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	if address == "" || secret == "" {
		return "", `GitHub gives this job no identity token: add "permissions: id-token: write" to the job`
	}
	sep := "?"
	if strings.Contains(address, "?") {
		sep = "&"
	}
	res, err := a.send(ctx, registry.Request{
		URL: address + sep + "audience=" + url.QueryEscape(audience), Elsewhere: true, MaxBody: 1 << 20,
		Header:      map[string][]string{"Accept": {"application/json"}},
		Credentials: &registry.Credentials{Authorization: "Bearer " + secret},
	})
	if err != nil {
		return "", "GitHub did not say who this job is: " + shortCause(err)
	}
	v, err := jsjson.Parse(res.Body)
	if err != nil {
		return "", "GitHub did not say who this job is: the answer is not JSON"
	}
	if token := v.Get("value"); token.IsString() && token.Truthy() {
		return token.Str(), ""
	}
	return "", "GitHub did not say who this job is: the answer has no value"
}

// shortCause is why a request failed, without its address.
func shortCause(err error) string {
	var refused *registry.Error
	if !errors.As(err, &refused) {
		return err.Error()
	}
	switch {
	case refused.Status != 0 && refused.Message != "":
		return fmt.Sprintf("%d %s: %s", refused.Status, refused.StatusText, refused.Message)
	case refused.Status != 0:
		return fmt.Sprintf("%d %s", refused.Status, refused.StatusText)
	case refused.Message != "":
		return refused.Message
	}
	return refused.ErrCode
}

// exchange has the registry give a token for the identity; otherwise it says why
// not.
func (j *trustedJob) exchange(ctx context.Context) (token, why string) {
	res, err := j.app.send(ctx, registry.Request{
		Method: "POST", URL: "/-/npm/v1/oidc/token/exchange/package/" + registry.EscapeName(j.name), Registry: j.reg, MaxBody: 1 << 20,
		Credentials: &registry.Credentials{Authorization: "Bearer " + j.idToken},
	})
	if err != nil {
		return "", j.refused(err)
	}
	v, err := jsjson.Parse(res.Body)
	if err != nil {
		return "", j.host() + " gave no token for this job: the answer is not JSON"
	}
	if token := v.Get("token"); token.IsString() && token.Truthy() {
		return token.Str(), ""
	}
	return "", j.host() + " gave no token for this job: the answer has no token"
}

// refused says why a registry gave no token: by what is wrong with the identity,
// if that shows, else by what the registry said.
func (j *trustedJob) refused(err error) string {
	var r *registry.Error
	if !errors.As(err, &r) {
		return j.host() + " gave no token for this job: " + err.Error()
	}
	cause := strings.ReplaceAll(shortCause(err), j.idToken, "***")
	if r.Status >= 400 && r.Status < 500 && r.Status != 429 {
		if what := j.oddities(time.Now()); what != "" {
			return j.host() + " gave no token for this job: " + what
		}
	}
	switch r.Status {
	case 404:
		return fmt.Sprintf("%s trusts nobody to publish %s (404): %s trust --help tells how to have it trust this job", j.host(), j.name, j.app.heading)
	case 403:
		return fmt.Sprintf("%s does not trust this job to publish %s (%s): %s trust list %s shows whom it trusts; this is %s", j.host(), j.name, cause, j.app.heading, j.name, j.job())
	case 401:
		return fmt.Sprintf("%s does not accept the identity of this job (%s)", j.host(), cause)
	}
	return j.host() + " gave no token for this job: " + cause
}

// oddities says what is wrong with the identity token as far as it shows.
func (j *trustedJob) oddities(now time.Time) string {
	claims, err := provenance.Claims(j.idToken)
	if err != nil {
		return err.Error()
	}
	if exp := claims.Get("exp"); exp.Kind() == jsjson.Number && now.After(time.Unix(int64(exp.Num()), 0)) {
		return "the identity token expired at " + time.Unix(int64(exp.Num()), 0).UTC().Format(time.RFC3339)
	}
	audiences := claims.Get("aud").Items()
	if aud := claims.Get("aud"); aud.IsString() {
		audiences = []jsjson.Value{aud}
	}
	var all []string
	for _, aud := range audiences {
		if aud.Text() == j.audience() {
			return ""
		}
		all = append(all, aud.Text())
	}
	return fmt.Sprintf("the identity token is for %q and not for %q", strings.Join(all, ", "), j.audience())
}

// job is who the token says the job is, in the words of the CI service's claims.
func (j *trustedJob) job() string {
	claims, err := provenance.Claims(j.idToken)
	if err != nil {
		return "nobody"
	}
	var parts []string
	for _, key := range [...]string{
		"job_workflow_ref", "environment", "ci_config_ref_uri", "oidc.circleci.com/vcs-origin", "oidc.circleci.com/pipeline-definition-id", "sub",
	} {
		if v := claims.Get(key); v.IsString() && (key != "sub" || parts == nil) {
			parts = append(parts, v.Str())
		}
	}
	return strings.Join(parts, ", ")
}

// use puts the token where the command looks for one, above all that is
// configured, and says what no longer counts or what is still in its way.
func (j *trustedJob) use(token string) {
	a, had := j.app, j.configured()
	key := config.NerfDart(j.reg) + ":_authToken"
	j.cfg.Set(key, config.NewString(token), config.CLI)
	a.logPrefixed(levelVerbose, "oidc", "Successfully retrieved and set token")
	switch now := j.configured(); {
	case j.cfg.Auth(j.address(), j.reg).Token != token:
		a.logPrefixed(levelWarn, "oidc", term.SafeLine(now+" shadows the token of trusted publishing: remove it"))
	case had != "":
		a.logPrefixed(levelNotice, "oidc", term.SafeLine("this job is trusted to publish "+j.name+"; "+had+" is not used and can be removed"))
	}
}

// wantsProvenance says whether npm would make a statement without being asked:
// for what is public, built from a repository that is public (npm:
// lib/utils/oidc.js).
func (a *App) wantsProvenance(ctx context.Context, cfg *config.Config, identity, name, reg string) bool {
	if !cfg.IsDefault("provenance") || a.runsOn("CIRCLECI") || cfg.String("provenance-file") != "" {
		return false
	}
	claims, err := provenance.Claims(identity)
	if err != nil {
		return false
	}
	github := a.runsOn("GITHUB_ACTIONS") && claims.Get("repository_visibility").Text() == "public"
	gitlab := a.runsOn("GITLAB_CI") && claims.Get("project_visibility").Text() == "public" && a.Config.Getenv("SIGSTORE_ID_TOKEN") != ""
	if !github && !gitlab {
		return false
	}
	public, err := a.isPublic(ctx, name, reg)
	if err != nil {
		a.logPrefixed(levelVerbose, "oidc", "Failed to set provenance with message: "+err.Error())
		return false
	}
	if public {
		a.logPrefixed(levelVerbose, "oidc", "Enabling provenance")
	}
	return public
}

// isPublic asks a registry whether everybody may read a package.
func (a *App) isPublic(ctx context.Context, name, reg string) (bool, error) {
	v, err := a.api(ctx, registry.Request{URL: "/-/package/" + registry.EscapeName(name) + "/visibility", Registry: reg})
	return v.Get("public").Truthy(), err
}
