package cmd

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// A trustProvider is a CI service that a registry can trust to publish a package
// (npm: lib/commands/trust, lib/trust-cmd.js).
type trustProvider struct {
	kind   string // as npm and the registry call it
	name   string
	entity string // what publishes, for people
	file   string // what the entity's file is, for people; "" where there is none
	key    string // the flag for the entity
	host   string
	// entityParts is how many parts an entity has; more are allowed if nested.
	entityParts int
	nested      bool
	format      string // what an entity looks like
	noPath      string // what is said of a file that is a path
	blob        string // where a file of the entity is shown
	flags       []config.Definition
	// claims are the claims that a token of the service must have, each with
	// the setting that it comes from.
	claims []trustClaim
}

// A trustClaim is a claim of a token and the setting that it is made of.
type trustClaim struct{ claim, inner, setting string }

func trustFlag(key, description string, aliases ...string) config.Definition {
	return config.Definition{Key: key, Types: []config.Type{{Kind: config.TypeString}}, Default: config.Value{}, Aliases: aliases, Description: description}
}

func trustSwitch(key, description string, aliases ...string) config.Definition {
	return config.Definition{Key: key, Types: []config.Type{{Kind: config.TypeBoolean}}, Default: config.NewBool(false), Aliases: aliases, Description: description}
}

func trustProviders() []trustProvider {
	environment := trustFlag("environment", "Name of the CI environment.", "env")
	allow := []config.Definition{
		trustSwitch("allow-publish", "Allow publish."),
		trustSwitch("allow-stage-publish", "Allow stage publish.", "allow-staged-publish"),
	}
	all := []trustProvider{
		{
			kind: "github", name: "GitHub Actions", entity: "GitHub repository", file: "GitHub Actions Workflow",
			key: "repository", host: "https://github.com", entityParts: 2, format: "owner/repository",
			noPath: "GitHub Actions workflow must be just a file not a path", blob: "/blob/HEAD/.github/workflows/",
			flags: []config.Definition{
				trustFlag("file", "Name of the workflow file within .github/workflows (.yml or .yaml)."),
				trustFlag("repository", "The repository, as owner/repo.", "repo"), environment,
			},
			claims: []trustClaim{{"repository", "", "repository"}, {"workflow_ref", "file", "file"}, {"environment", "", "environment"}},
		},
		{
			kind: "gitlab", name: "GitLab CI/CD", entity: "GitLab project", file: "GitLab CI/CD Pipeline",
			key: "project", host: "https://gitlab.com", entityParts: 2, nested: true, format: "group/project or group/subgroup/project",
			noPath: "GitLab CI/CD pipeline file must be just a file not a path", blob: "/-/blob/HEAD/",
			flags: []config.Definition{
				trustFlag("file", "Name of the pipeline file (.gitlab-ci.yml)."),
				trustFlag("project", "The project, as group/project or group/subgroup/project."), environment,
			},
			claims: []trustClaim{{"project_path", "", "project"}, {"ci_config_ref_uri", "file", "file"}, {"environment", "", "environment"}},
		},
		{
			kind: "circleci", name: "CircleCI", entity: "CircleCI pipeline",
			flags: []config.Definition{
				trustFlag("org-id", "UUID of the organization."), trustFlag("project-id", "UUID of the project."),
				trustFlag("pipeline-definition-id", "UUID of the pipeline's definition."),
				trustFlag("vcs-origin", "The repository's origin, as provider/owner/repo."),
				{Key: "context-id", Types: []config.Type{{Kind: config.TypeNull}, {Kind: config.TypeString}, {Kind: config.TypeArray}}, Default: config.Value{}, Description: "UUID of a context that must match; may be given several times."},
			},
			claims: []trustClaim{
				{"oidc.circleci.com/org-id", "", "orgId"}, {"oidc.circleci.com/project-id", "", "projectId"},
				{"oidc.circleci.com/pipeline-definition-id", "", "pipelineDefinitionId"}, {"oidc.circleci.com/vcs-origin", "", "vcsOrigin"},
				{"oidc.circleci.com/context-ids", "", "contextIds"},
			},
		},
	}
	for i := range all {
		all[i].flags = append(all[i].flags, allow...)
	}
	return all
}

func newTrustCmd(a *App) *cobra.Command {
	c := declare(&cobra.Command{
		Use:   "trust",
		Short: "Let a CI service publish a package without a token",
		Example: "  ibid trust github --file publish.yml --repo owner/repo --allow-publish\n" +
			"  ibid trust list\n  ibid trust revoke --id 1b9b3f4e-1c2d-4e5f-8a9b-0c1d2e3f4a5b",
	}, nil, func(c *cobra.Command, _ []string) error { return a.usage(c, "") })
	add := func(use, short string, flags []config.Definition, keys []string, run func(ctx context.Context, pkg string, flags map[string]config.Value) error) {
		sub := declare(&cobra.Command{Use: use, Short: short, Long: flagText(flags)}, keys, func(c *cobra.Command, _ []string) error {
			given, words, err := a.Config.CommandFlags(flags, 2)
			if err != nil {
				return err
			}
			if len(words) > 1 {
				return a.usage(c, unknownWords(words[1:]))
			}
			return run(c.Context(), word(words, 0), given)
		})
		sub.Annotations[ownFlags] = ""
		c.AddCommand(sub)
	}
	for _, p := range trustProviders() {
		use := p.kind + " [<package>] --file <file> [--" + p.key + " <name>] [--environment <name>] [--allow-publish] [--allow-stage-publish]"
		if p.kind == "circleci" {
			use = "circleci [<package>] --org-id <uuid> --project-id <uuid> --pipeline-definition-id <uuid> --vcs-origin <origin> [--context-id <uuid> ...] [--allow-publish] [--allow-stage-publish]"
		}
		add(use, "Trust "+p.name+" to publish a package", p.flags, []string{"dry-run", "json", "registry", "yes"},
			func(ctx context.Context, pkg string, flags map[string]config.Value) error {
				return a.trust(ctx, &p, pkg, flags)
			})
	}
	add("list [<package>]", "List whom a package trusts", nil, []string{"json", "registry"},
		func(ctx context.Context, pkg string, _ map[string]config.Value) error { return a.listTrusted(ctx, pkg) })
	add("revoke [<package>] --id <trust-id>", "Trust no longer", []config.Definition{trustFlag("id", "ID of the trusted relationship.")},
		[]string{"dry-run", "registry"}, func(ctx context.Context, pkg string, flags map[string]config.Value) error {
			return a.revokeTrust(ctx, pkg, flags["id"])
		})
	return c
}

// flagText lists a command's own flags for its help.
func flagText(flags []config.Definition) string {
	var b strings.Builder
	for _, d := range flags {
		b.WriteString("  --" + d.Key)
		for _, alias := range d.Aliases {
			b.WriteString("|--" + alias)
		}
		b.WriteString("\n      " + d.Description + "\n")
	}
	return b.String()
}

// trustText is a flag's text, "" where it was not given.
func trustText(v config.Value) string {
	if !v.Truthy() {
		return ""
	}
	return v.String()
}

// listText is the texts of a flag that may be given several times.
func listText(v config.Value) []string {
	if text := trustText(v); v.Items() == nil && text != "" {
		return []string{text}
	}
	var all []string
	for _, item := range v.Items() {
		all = append(all, item.String())
	}
	return all
}

// trustSettings are what is to be trusted and what is said about it.
type trustSettings struct {
	values   []jsjson.Member // in the order in which they are shown
	fromOwn  []string        // which come from package.json
	urls     map[string]string
	warnings []string
}

func (s *trustSettings) get(key string) jsjson.Value {
	return jsjson.NewObject(slices.Clone(s.values)...).Get(key)
}

// trustRequest is a request about whom a package trusts.
func (a *App) trustRequest(method, pkg string) (registry.Request, error) {
	s, err := spec.Parse(pkg, a.Config.Cwd())
	if err != nil {
		return registry.Request{}, err
	}
	return registry.Request{Method: method, Registry: a.Config.String("registry"), URL: "/-/package/" + registry.EscapeName(s.Name) + "/trust"}, nil
}

// trustSays prints what npm prints unless --json wants data alone.
func (a *App) trustSays(text string) {
	if !a.json() {
		a.out("%s", a.ink().blue(term.Safe(text)))
	}
}

func (a *App) trust(ctx context.Context, p *trustProvider, pkg string, flags map[string]config.Value) error {
	var permissions []jsjson.Value
	if flags["allow-publish"].Truthy() {
		permissions = append(permissions, jsjson.NewString("createPackage"))
	}
	if flags["allow-stage-publish"].Truthy() {
		permissions = append(permissions, jsjson.NewString("createStagedPackage"))
	}
	if len(permissions) == 0 {
		return errors.New("At least one permission flag is required (--allow-publish, --allow-stage-publish)")
	}
	s, err := a.trustSettings(p, pkg, flags)
	if err != nil {
		return err
	}
	name := s.get("package").Text()
	a.trustSays("Establishing trust between " + name + " package and " + p.name)
	a.trustSays("Anyone with " + p.entity + " write access can publish to " + name)
	a.trustSays("Two-factor authentication is required for this operation")
	if reg := a.Config.String("registry"); reg != registry.DefaultRegistry {
		a.logPrefixed(levelWarn, "trust", "Registry "+registry.Redact(reg)+" may not support trusted publishing")
	}
	for _, w := range s.warnings {
		a.logPrefixed(levelWarn, "trust", term.SafeLine(w))
	}
	a.tellTrust(s, jsjson.NewArray(permissions...), true)
	if a.Config.Bool("dry-run") {
		return nil
	}
	if err := a.confirmTrust(ctx); err != nil {
		return err
	}
	r, err := a.trustRequest("POST", name)
	if err != nil {
		return err
	}
	r.Body = jsjson.Append(nil, jsjson.NewArray(p.document(s).With("permissions", jsjson.NewArray(permissions...))), "", "")
	body, err := a.api2FA(ctx, r)
	if err != nil {
		return err
	}
	a.trustSays("Trust configuration created successfully for " + name + " with the following settings:")
	a.tellTrusted(body, name, func(jsjson.Value) *trustProvider { return p })
	return nil
}

// document is what the registry is told to trust.
func (p *trustProvider) document(s *trustSettings) jsjson.Value {
	claims := jsjson.NewObject()
	for _, c := range p.claims {
		v := s.get(c.setting)
		if v.IsUndefined() {
			continue
		}
		if c.inner != "" {
			v = jsjson.NewObject(jsjson.Member{Key: c.inner, Value: v})
		}
		claims = claims.With(c.claim, v)
	}
	return jsjson.NewObject(textMember("type", p.kind), jsjson.Member{Key: "claims", Value: claims})
}

// confirmTrust asks whether to go on, unless --yes or --no-yes says so.
func (a *App) confirmTrust(ctx context.Context) error {
	cancelled := errors.New("User cancelled operation")
	switch yes := a.Config.Get("yes"); {
	case yes.Truthy():
		return nil
	case !a.Config.IsDefault("yes"):
		return cancelled
	}
	answer, err := a.ask(ctx, "Do you want to proceed? (y/N) ")
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return cancelled
	}
	return nil
}

func (a *App) trustSettings(p *trustProvider, pkg string, flags map[string]config.Value) (*trustSettings, error) {
	if p.kind == "circleci" {
		return a.circleSettings(pkg, flags)
	}
	own := a.ownContent()
	ownName := ""
	if v := own.Get("name"); v.Truthy() {
		ownName = v.Text()
	}
	repo := hostedRepository(own)
	matches := pkg == "" || pkg == ownName
	otherHost := matches && repo != nil && repo.Type != p.kind
	ownEntity := ""
	if repo != nil {
		ownEntity = repo.User + "/" + repo.Project
	}
	s := &trustSettings{}
	name := pkg
	if name == "" {
		name = ownName
		s.fromOwn = append(s.fromOwn, "package")
	}
	entity := trustText(flags[p.key])
	if entity == "" && repo != nil && !otherHost {
		entity = ownEntity
		s.fromOwn = append(s.fromOwn, p.key)
	}
	file := trustText(flags["file"])
	switch {
	case name == "":
		return nil, errors.New("Package name must be specified either as an argument or in package.json file")
	case file == "":
		return nil, errors.New(p.file + " must be specified with the file option")
	case !strings.HasSuffix(file, ".yml") && !strings.HasSuffix(file, ".yaml"):
		return nil, errors.New(p.file + " must end in .yml or .yaml")
	case file != path.Base(file):
		return nil, errors.New(p.noPath)
	}
	if otherHost {
		text := "Repository in package.json is not a " + p.entity
		if trustText(flags[p.key]) == "" {
			return nil, errors.New(text)
		}
		s.warnings = append(s.warnings, text)
	} else if matches && repo != nil && entity != ownEntity {
		s.warnings = append(s.warnings, "Repository in package.json ("+ownEntity+") differs from provided "+p.entity+" ("+entity+")")
	}
	if entity == "" {
		text := p.entity + " must be specified with " + p.key + " option"
		if matches {
			text += " or inferred from the package.json repository field"
		}
		return nil, errors.New(text)
	}
	if n := len(strings.Split(entity, "/")); n < p.entityParts || n > p.entityParts && !p.nested {
		return nil, errors.New(p.entity + " must be specified in the format " + p.format)
	}
	s.values = []jsjson.Member{textMember("package", name), textMember("file", file), textMember(p.key, entity)}
	if environment := trustText(flags["environment"]); environment != "" {
		s.values = append(s.values, textMember("environment", environment))
	}
	s.urls = map[string]string{"package": a.packagePage(name), p.key: p.host + "/" + entity, "file": p.host + "/" + entity + p.blob + file}
	return s, nil
}

// circleSettings are those of a CircleCI pipeline, which has no file.
func (a *App) circleSettings(pkg string, flags map[string]config.Value) (*trustSettings, error) {
	if pkg == "" {
		if v := a.ownContent().Get("name"); v.Truthy() {
			pkg = v.Text()
		} else {
			return nil, errors.New("Package name must be specified either as an argument or in package.json file")
		}
	}
	names := [...][2]string{{"org-id", "orgId"}, {"project-id", "projectId"}, {"pipeline-definition-id", "pipelineDefinitionId"}, {"vcs-origin", "vcsOrigin"}}
	s := &trustSettings{values: []jsjson.Member{textMember("package", pkg)}}
	for _, n := range names {
		v := trustText(flags[n[0]])
		if v == "" {
			return nil, errors.New(n[0] + " is required")
		}
		s.values = append(s.values, textMember(n[1], v))
	}
	for i, n := range names[:3] {
		if err := checkUUID(s.values[i+1].Value.Str(), n[0]); err != nil {
			return nil, err
		}
	}
	origin := s.get("vcsOrigin").Str()
	if strings.Contains(origin, "://") {
		return nil, errors.New("vcs-origin must not include a scheme (e.g., use 'github.com/owner/repo' not 'https://github.com/owner/repo')")
	}
	if len(strings.Split(origin, "/")) < 3 {
		return nil, errors.New("vcs-origin must be in format 'provider/owner/repo'")
	}
	var contexts []jsjson.Value
	for _, id := range listText(flags["context-id"]) {
		if err := checkUUID(id, "context-id"); err != nil {
			return nil, err
		}
		contexts = append(contexts, jsjson.NewString(id))
	}
	if len(contexts) > 0 {
		s.values = append(s.values, jsjson.Member{Key: "contextIds", Value: jsjson.NewArray(contexts...)})
	}
	s.urls = map[string]string{"package": a.packagePage(pkg), "vcsOrigin": "https://" + origin}
	return s, nil
}

// ownContent is the project's package.json, empty where there is none.
func (a *App) ownContent() jsjson.Value {
	file, err := manifest.ReadFile(a.Config.LocalPrefix() + "/package.json")
	if err != nil {
		return jsjson.NewObject()
	}
	return file.Content()
}

// hostedRepository is the repository that a package.json names, nil where no host is
// known for it.
func hostedRepository(content jsjson.Value) *spec.Hosted {
	v := content.Get("repository")
	if u := v.Get("url"); u.Truthy() {
		v = u
	}
	if !v.IsString() {
		return nil
	}
	return spec.ParseHosted(v.Str())
}

// packagePage is where npm shows a package, "" for other registries.
func (a *App) packagePage(name string) string {
	if a.Config.String("registry") != registry.DefaultRegistry {
		return ""
	}
	return "https://www.npmjs.com/package/" + (&url.URL{Path: name}).EscapedPath()
}

// tellTrust shows settings, as a list or as JSON.
func (a *App) tellTrust(s *trustSettings, permissions jsjson.Value, pad bool) {
	if a.json() {
		v := jsjson.NewObject(slices.Clone(s.values)...)
		if permissions.Truthy() {
			v = v.With("permissions", permissions)
		}
		a.printJSONText(jsjson.Append(nil, v, "  ", "\n"))
		return
	}
	i := a.ink()
	var lines, links []string
	first := func(key string) {
		if v := s.get(key); v.Truthy() {
			lines = append(lines, key+": "+i.green(term.SafeLine(v.Text())))
		}
	}
	first("type")
	first("id")
	for _, m := range s.values {
		if m.Key == "type" || m.Key == "id" || m.Value.Kind() <= jsjson.Null {
			continue
		}
		line := m.Key + ": " + i.green(term.SafeLine(m.Value.Text()))
		if slices.Contains(s.fromOwn, m.Key) {
			line += " (" + i.yellow("from package.json") + ")"
		}
		lines = append(lines, line)
		if link := s.urls[m.Key]; link != "" {
			links = append(links, i.blue(term.SafeLine(link)))
		}
	}
	if names := permissionNames(permissions); names != "" {
		lines = append(lines, "permissions: "+i.green(term.SafeLine(names)))
	}
	if pad {
		a.out("")
	}
	a.out("%s", strings.Join(lines, "\n"))
	if len(links) > 0 {
		a.out("\n%s", strings.Join(links, "\n"))
	}
	if pad {
		a.out("")
	}
}

func permissionNames(permissions jsjson.Value) string {
	var names []string
	for _, v := range permissions.Items() {
		switch name := v.Text(); name {
		case "createPackage":
			names = append(names, "publish")
		case "createStagedPackage":
			names = append(names, "stage publish")
		default:
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// tellTrusted shows what the registry says that it trusts.
func (a *App) tellTrusted(body jsjson.Value, pkg string, provider func(jsjson.Value) *trustProvider) {
	if !body.Truthy() || body.IsArray() && body.Len() == 0 {
		a.trustSays("No trust configurations found for package (" + pkg + ")")
		return
	}
	items := []jsjson.Value{body}
	if body.IsArray() {
		items = body.Items()
	}
	for _, item := range items {
		s := &trustSettings{}
		add := func(key string, v jsjson.Value) {
			if v.Truthy() {
				s.values = append(s.values, jsjson.Member{Key: key, Value: v})
			}
		}
		add("id", item.Get("id"))
		add("type", item.Get("type"))
		if p := provider(item); p != nil {
			claims := item.Get("claims")
			shown := slices.Clone(p.claims)
			if p.file != "" {
				shown[0], shown[1] = shown[1], shown[0] // npm shows the file first
			}
			for _, c := range shown {
				v := claims.Get(c.claim)
				if c.inner != "" {
					v = v.Get(c.inner)
				}
				add(c.setting, v)
			}
		}
		a.out("")
		a.tellTrust(s, item.Get("permissions"), false)
	}
	a.out("")
}

// trustedPackage is the package that is meant: the one that was named, or the
// project's.
func (a *App) trustedPackage(pkg string) (string, error) {
	if pkg != "" {
		return pkg, nil
	}
	if v := a.ownContent().Get("name"); v.Truthy() {
		return v.Text(), nil
	}
	return "", errors.New("Package name must be specified either as an argument or in the package.json file")
}

func (a *App) listTrusted(ctx context.Context, pkg string) error {
	pkg, err := a.trustedPackage(pkg)
	if err != nil {
		return err
	}
	r, err := a.trustRequest("GET", pkg)
	if err != nil {
		return err
	}
	body, err := a.api2FA(ctx, r)
	if err != nil {
		return err
	}
	all := trustProviders()
	a.tellTrusted(body, pkg, func(item jsjson.Value) *trustProvider {
		for i := range all {
			if all[i].kind == item.Get("type").Text() {
				return &all[i]
			}
		}
		return nil
	})
	return nil
}

func (a *App) revokeTrust(ctx context.Context, pkg string, flag config.Value) error {
	pkg, err := a.trustedPackage(pkg)
	if err != nil {
		return err
	}
	id := trustText(flag)
	if id == "" {
		return errors.New("ID of the trusted relationship to revoke must be specified with the --id option")
	}
	a.trustSays("Attempting to revoke trusted configuration for package " + pkg + " with id " + id)
	if a.Config.Bool("dry-run") {
		return nil
	}
	r, err := a.trustRequest("DELETE", pkg)
	if err != nil {
		return err
	}
	r.URL += "/" + js.EncodeURIComponent(id)
	if _, err := a.ask2FA(ctx, r); err != nil {
		return err
	}
	a.trustSays("Revoked trusted configuration for package " + pkg + " with id " + id)
	return nil
}
