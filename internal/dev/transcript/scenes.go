package transcript

import (
	"maps"
	"slices"
)

const (
	plainPackage  = "{\n  \"name\": \"p\",\n  \"version\": \"1.1.0\",\n  \"description\": \"plain\",\n  \"main\": \"index.js\"\n}\n"
	scopedPackage = "{\n  \"name\": \"@s/p\",\n  \"version\": \"1.1.0\",\n  \"publishConfig\": {\"access\": \"public\", \"tag\": \"next\"}\n}\n"

	// document is what a registry keeps of p.
	document = `{"_id":"p","_rev":"7-abc","name":"p","dist-tags":{"latest":"1.0.1","old":"1.0.0"},"versions":{` +
		`"1.0.0":{"name":"p","version":"1.0.0","dist":{"tarball":"REGISTRY/p/-/p-1.0.0.tgz"}},` +
		`"1.0.1":{"name":"p","version":"1.0.1","dist":{"tarball":"REGISTRY/p/-/p-1.0.1.tgz"}}},` +
		`"maintainers":[{"name":"ann","email":"ann@example.com"},{"name":"bob","email":"bob@example.com"}],"readme":"r"}`
	oneVersion = `{"_id":"p","_rev":"3-abc","name":"p","dist-tags":{"latest":"1.0.0"},"versions":{` +
		`"1.0.0":{"name":"p","version":"1.0.0","dist":{"tarball":"REGISTRY/p/-/p-1.0.0.tgz"}}}}`
	profile = `{"tfa":null,"name":"ann","email":"ann@example.com","email_verified":true,"created":"2020-01-01T00:00:00.000Z",` +
		`"updated":"2020-01-02T00:00:00.000Z","cidr_whitelist":null,"fullname":"Ann","homepage":"","github":"ann"}`
	tokens = `{"objects":[{"key":"aaaaaa1","token":"npm_a1","name":"one","created":"2020-01-01T00:00:00.000Z","readonly":false,"cidr_whitelist":null},` +
		`{"key":"bbbbbb2","token":"npm_b2","name":"two","created":"2020-01-02T00:00:00.000Z","readonly":true,"cidr_whitelist":["10.0.0.0/8"]}],"urls":{}}`
)

var ok = Reply{Body: `{"ok":true}`}

func body(text string) Reply { return Reply{Body: text} }

// Scenes are all that are recorded.
func Scenes() []Scene {
	pkg := map[string]string{"package.json": plainPackage, "index.js": "module.exports = 1\n", "README.md": "# p\n\nWords.\n"}
	with := func(m map[string]Reply, key string, r Reply) map[string]Reply {
		m = maps.Clone(m)
		m[key] = r
		return m
	}
	published := map[string]Reply{
		"GET /p": body(document), "GET /p?write=true": body(document), "PUT /p": ok,
		"PUT /p/-rev/7-abc": ok, "DELETE /p/-rev/7-abc": ok, "DELETE /p/-/p-1.0.1.tgz/-rev/7-abc": ok, "DELETE /p/-/p-1.0.0.tgz/-rev/7-abc": ok,
		"GET /-/package/p/dist-tags":         body(`{"latest":"1.0.1","old":"1.0.0"}`),
		"PUT /-/package/p/dist-tags/next":    ok,
		"DELETE /-/package/p/dist-tags/old":  ok,
		"GET /-/user/org.couchdb.user:bob":   body(`{"_id":"org.couchdb.user:bob","name":"bob","email":"bob@example.com"}`),
		"GET /-/user/org.couchdb.user:carol": body(`{"_id":"org.couchdb.user:carol","name":"carol","email":"carol@example.com"}`),
	}
	alone := map[string]Reply{"GET /p": body(oneVersion), "GET /p?write=true": body(oneVersion), "DELETE /p/-rev/3-abc": ok}
	organisation := map[string]Reply{
		"GET /-/package/p/collaborators":        body(`{"ann":"write","carol":"read"}`),
		"GET /-/package/p/visibility":           body(`{"public":true}`),
		"GET /-/package/@s%2fp/visibility":      body(`{"public":false}`),
		"POST /-/package/@s%2fp/access":         ok,
		"POST /-/package/p/access":              ok,
		"GET /-/org/s/package":                  body(`{"@s/p":"write"}`),
		"GET /-/team/s/t/package":               body(`{"@s/p":"read"}`),
		"GET /-/user/ann/package":               body(`{"p":"write"}`),
		"GET /-/whoami":                         body(`{"username":"ann"}`),
		"PUT /-/team/s/t/package":               ok,
		"DELETE /-/team/s/t/package":            ok,
		"PUT /-/org/s/team":                     ok,
		"DELETE /-/team/s/t":                    ok,
		"PUT /-/team/s/t/user":                  ok,
		"DELETE /-/team/s/t/user":               ok,
		"GET /-/org/s/team?format=cli":          body(`["s:t","s:developers"]`),
		"GET /-/team/s/t/user?format=cli":       body(`["ann","carol"]`),
		"PUT /-/org/s/user":                     body(`{"org":{"name":"s","size":2},"user":"carol","role":"admin"}`),
		"DELETE /-/org/s/user":                  {Status: 204},
		"GET /-/org/s/user":                     body(`{"ann":"owner","carol":"developer"}`),
		"GET /-/npm/v1/user":                    body(profile),
		"POST /-/npm/v1/user":                   body(profile),
		"GET /-/npm/v1/tokens":                  body(tokens),
		"POST /-/npm/v1/tokens":                 body(`{"token":"npm_new","key":"cccccc3","cidr_whitelist":[],"created":"2020-01-01T00:00:00.000Z","readonly":false}`),
		"DELETE /-/npm/v1/tokens/token/aaaaaa1": {Status: 204},
		"DELETE /-/user/token/a-token":          ok,
		"GET /-/ping":                           body(`{}`),
		"GET /-/package/@s%2fp/collaborators":   body(`{"ann":"write"}`),
	}
	anonymous := map[string]Reply{
		"PUT /-/user/org.couchdb.user:ann": {Status: 201, Body: `{"token":"npm_secret"}`},
		"POST /-/v1/login":                 body(`{"loginUrl":"REGISTRY/login/1","doneUrl":"REGISTRY/-/v1/done/1"}`),
		"GET /-/v1/done/1":                 body(`{"token":"npm_secret"}`),
	}
	again := map[string]Reply{
		"PUT /-/user/org.couchdb.user:ann":            {Status: 409, Body: `{"error":"conflict"}`},
		"GET /-/user/org.couchdb.user:ann?write=true": body(`{"_id":"org.couchdb.user:ann","_rev":"2-x","name":"ann","roles":["a"],"email":"ann@example.com"}`),
		"PUT /-/user/org.couchdb.user:ann/-rev/2-x":   {Status: 201, Body: `{"token":"npm_secret"}`},
	}
	askLogin := []string{"Username:", "ann", "Password:", "a-password"}
	otp := Reply{Status: 401, Header: map[string]string{"Www-Authenticate": "OTP"}, Body: `{"error":"You must provide a one-time pass."}`}

	s := func(name string, registry map[string]Reply, args ...string) Scene {
		return Scene{Name: name, Registry: registry, Args: args}
	}
	in := func(s Scene, files map[string]string) Scene { s.Files = files; return s }
	asked := func(s Scene, prompts ...string) Scene { s.Prompts = prompts; return s }
	config := func(s Scene, text string) Scene { s.Config = text; return s }
	all := []Scene{
		in(s("publish a new package", map[string]Reply{"PUT /p": ok}, "publish"), pkg),
		in(s("publish a new version", published, "publish"), pkg),
		in(s("publish with a tag, access and a one-time password", published, "publish", "--tag=next", "--access=public", "--otp=123456"), pkg),
		in(s("publish a scoped package", map[string]Reply{"PUT /@s%2fp": ok}, "publish"), map[string]string{"package.json": scopedPackage, "a.js": ""}),
		in(s("publish a version that is there", with(published, "GET /p", body(`{"name":"p","dist-tags":{"latest":"1.1.0"},"versions":{"1.1.0":{"name":"p","version":"1.1.0","dist":{}}}}`)), "publish"), pkg),
		in(s("publish over a higher version", with(published, "GET /p", body(`{"name":"p","dist-tags":{"latest":"2.0.0"},"versions":{"2.0.0":{"name":"p","version":"2.0.0","dist":{}}}}`)), "publish"), pkg),
		in(s("publish as a dry run", published, "publish", "--dry-run"), pkg),
		in(s("publish all workspaces", map[string]Reply{"PUT /a": ok, "PUT /@s%2fb": ok}, "publish", "--workspaces"), map[string]string{
			"package.json":     `{"name":"root","version":"1.0.0","workspaces":["w/*"]}`,
			"w/a/package.json": `{"name":"a","version":"1.0.0"}`, "w/b/package.json": `{"name":"@s/b","version":"1.0.0"}`, "w/c/package.json": `{"name":"c","version":"1.0.0","private":true}`,
		}),
		in(s("publish where the registry refuses", map[string]Reply{"PUT /p": {Status: 403, Body: `{"error":"you do not have permission to publish \"p\""}`}}, "publish"), pkg),
		in(s("publish where payment is wanted", map[string]Reply{"PUT /@s%2fp": {Status: 402, Body: `{"error":"You must sign up for private packages"}`}}, "publish", "--access=restricted"), map[string]string{"package.json": scopedPackage}),
		in(s("publish where a one-time password is wanted", map[string]Reply{"PUT /p": otp}, "publish"), pkg),

		s("unpublish a version", published, "unpublish", "p@1.0.0"),
		s("unpublish the latest version", published, "unpublish", "p@1.0.1"),
		s("unpublish the last version", alone, "unpublish", "p@1.0.0", "--force"),
		s("unpublish the last version without force", alone, "unpublish", "p@1.0.0"),
		s("unpublish a whole package", published, "unpublish", "p", "--force"),
		s("unpublish a version that is not there", published, "unpublish", "p@9.0.0"),
		s("unpublish as a dry run", published, "unpublish", "p@1.0.0", "--dry-run"),

		s("deprecate all versions", published, "deprecate", "p", "not any more"),
		s("deprecate a range", published, "deprecate", "p@<1.0.1", "use 1.0.1", "--otp=123456"),
		s("deprecate nothing", published, "deprecate", "p@9", "x"),
		s("undeprecate", published, "undeprecate", "p@1.0.0"),

		s("dist-tag add", published, "dist-tag", "add", "p@1.0.0", "next"),
		s("dist-tag add what is so", published, "dist-tag", "add", "p@1.0.0", "old"),
		s("dist-tag rm", published, "dist-tag", "rm", "p", "old"),
		s("dist-tag rm what is not there", published, "dist-tag", "rm", "p", "none"),
		s("dist-tag ls", published, "dist-tag", "ls", "p"),

		s("owner ls", published, "owner", "ls", "p"),
		s("owner add", published, "owner", "add", "carol", "p"),
		s("owner rm", published, "owner", "rm", "bob", "p"),

		s("access list packages of an organization", organisation, "access", "list", "packages", "s"),
		s("access list packages of a team", organisation, "access", "list", "packages", "s:t"),
		s("access list packages of a user", organisation, "access", "list", "packages", "ann"),
		s("access list packages of whoever it is", organisation, "access", "list", "packages"),
		s("access list collaborators", organisation, "access", "list", "collaborators", "p"),
		s("access list one collaborator", organisation, "access", "list", "collaborators", "p", "carol", "--json"),
		s("access get status", organisation, "access", "get", "status", "@s/p"),
		s("access set status", organisation, "access", "set", "status=private", "@s/p"),
		s("access set status public", organisation, "access", "set", "status=public", "@s/p", "--otp=123456"),
		s("access set mfa", organisation, "access", "set", "mfa=publish", "p"),
		s("access set mfa for automation", organisation, "access", "set", "mfa=automation", "p"),
		s("access set mfa to none", organisation, "access", "set", "mfa=none", "p"),
		s("access grant", organisation, "access", "grant", "read-write", "s:t", "@s/p"),
		s("access grant reading", organisation, "access", "grant", "read-only", "@s:t", "@s/p"),
		s("access revoke", organisation, "access", "revoke", "s:t", "@s/p"),

		s("team create", organisation, "team", "create", "@s:t"),
		s("team destroy", organisation, "team", "destroy", "s:t", "--otp=123456"),
		s("team add", organisation, "team", "add", "@s:t", "carol"),
		s("team rm", organisation, "team", "rm", "s:t", "carol"),
		s("team ls of an organization", organisation, "team", "ls", "@s"),
		s("team ls of a team", organisation, "team", "ls", "@s:t"),
		s("team ls as JSON", organisation, "team", "ls", "s:t", "--json"),

		s("org set", organisation, "org", "set", "s", "carol", "admin"),
		s("org add as a developer", organisation, "org", "add", "@s", "@carol"),
		s("org rm", organisation, "org", "rm", "s", "carol"),
		s("org ls", organisation, "org", "ls", "s"),
		s("org ls of one", organisation, "org", "ls", "s", "carol", "--parseable"),

		s("profile get", organisation, "profile", "get"),
		s("profile get a field", organisation, "profile", "get", "fullname,email"),
		s("profile get as JSON", organisation, "profile", "get", "--json"),
		s("profile get for programs", organisation, "profile", "get", "--parseable"),
		s("profile set", organisation, "profile", "set", "fullname", "Ann", "B"),

		s("token list", organisation, "token", "list"),
		s("token list as JSON", organisation, "token", "list", "--json"),
		s("token list for programs", organisation, "token", "list", "--parseable"),
		s("token revoke", organisation, "token", "revoke", "aaaa"),
		asked(s("token create", organisation, "token", "create", "--name=ci", "--token-description=for CI", "--expires=7", "--packages=p", "--packages=@s/p",
			"--packages-and-scopes-permission=read-only", "--cidr=10.0.0.0/8", "--bypass-2fa"), "password:", "a-password"),

		config(asked(s("login with a password", anonymous, "login", "--auth-type=legacy"), askLogin...), ""),
		asked(s("login with a password again", again, "login", "--auth-type=legacy"), askLogin...),
		asked(s("login for a scope", anonymous, "login", "--auth-type=legacy", "--scope=@s"), askLogin...),
		s("login in the browser", anonymous, "login"),
		s("logout", organisation, "logout"),
		s("whoami", organisation, "whoami"),
		s("ping", organisation, "ping"),
		s("view after publish", published, "view", "p", "dist-tags", "versions"),
	}
	return slices.Concat(all, edges(published, organisation), accounts(organisation, anonymous), trusted(published), staged(), looks(published), refused(published, organisation))
}
