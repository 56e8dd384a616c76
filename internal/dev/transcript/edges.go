package transcript

import (
	"maps"
	"slices"
	"strings"
)

// edges are what people mistype, leave out or ask for in another form.
func edges(published, organisation map[string]Reply) []Scene {
	s := func(name string, registry map[string]Reply, args ...string) Scene {
		return Scene{Name: name, Registry: registry, Args: args}
	}
	in := func(s Scene, files map[string]string) Scene { s.Files = files; return s }
	with := func(m map[string]Reply, more map[string]Reply) map[string]Reply {
		m = maps.Clone(m)
		maps.Copy(m, more)
		return m
	}
	lonely := with(published, map[string]Reply{"GET /p": body(`{"_id":"p","_rev":"1-a","name":"p","versions":{},"dist-tags":{},"maintainers":[{"name":"ann","email":"ann@example.com"}]}`)})
	nobody := with(published, map[string]Reply{"GET /p": body(`{"_id":"p","_rev":"1-a","name":"p","versions":{},"dist-tags":{}}`)})
	scoped := map[string]string{"package.json": `{"name":"@s/p","version":"1.0.0"}`}
	nameless := map[string]string{"package.json": `{"version":"1.0.0"}`}
	workspaces := map[string]string{
		"package.json":     `{"name":"root","version":"1.0.0","workspaces":["w/*"]}`,
		"w/a/package.json": `{"name":"p","version":"1.0.0"}`, "w/b/package.json": `{"name":"b","version":"1.0.0"}`,
	}
	forbidden := Reply{Status: 403, Body: `{"error":"Forbidden"}`}
	fails := func(key string, status int, text string) map[string]Reply {
		return with(with(published, organisation), map[string]Reply{key: {Status: status, Body: text}})
	}
	return slices.Concat([]Scene{
		s("access without words", organisation, "access"),
		s("access ls", organisation, "access", "ls", "packages", "s"),
		s("access nothing known", organisation, "access", "public", "p"),
		s("access get nothing", organisation, "access", "get"),
		s("access get mfa", organisation, "access", "get", "mfa", "p"),
		s("access set status of an unscoped package", organisation, "access", "set", "status=private", "p"),
		s("access set nonsense", organisation, "access", "set", "mfa=maybe", "p"),
		s("access set 2fa", organisation, "access", "set", "2fa=none", "p"),
		s("access grant nonsense", organisation, "access", "grant", "write", "s:t", "@s/p"),
		s("access grant to nobody", organisation, "access", "grant", "read-only"),
		s("access grant to an organization", organisation, "access", "grant", "read-only", "s", "@s/p"),
		s("access list nonsense", organisation, "access", "list", "teams"),
		s("access list packages as JSON", organisation, "access", "list", "packages", "s", "--json"),
		s("access list packages of one name", organisation, "access", "list", "packages", "s", "@s/q"),
		s("access list packages of a user by 404", with(organisation, map[string]Reply{"GET /-/org/ann/package": {Status: 404, Body: "{}"}}), "access", "list", "packages", "ann"),
		s("access list packages of nobody", map[string]Reply{}, "access", "list", "packages", "nobody"),
		in(s("access list collaborators of the project", organisation, "access", "list", "collaborators"), scoped),
		in(s("access get status of the project", organisation, "access", "get", "status"), scoped),
		s("access get status as JSON", organisation, "access", "get", "status", "p", "--json"),
		s("access refused", fails("POST /-/package/@s%2fp/access", 402, `{"error":"pay"}`), "access", "set", "status=private", "@s/p"),

		s("team without words", organisation, "team"),
		s("team nonsense", organisation, "team", "list", "s"),
		s("team create without a team", organisation, "team", "create", "s"),
		s("team create as JSON", organisation, "team", "create", "s:t", "--json"),
		s("team create for programs", organisation, "team", "create", "s:t", "--parseable"),
		s("team create in silence", organisation, "team", "create", "s:t", "--silent"),
		s("team add nobody", organisation, "team", "add", "s:t"),
		s("team add as JSON", organisation, "team", "add", "s:t", "carol", "--json"),
		s("team rm for programs", organisation, "team", "rm", "s:t", "carol", "--parseable"),
		s("team destroy as JSON", organisation, "team", "destroy", "s:t", "--json"),
		s("team ls for programs", organisation, "team", "ls", "s", "--parseable"),
		s("team ls of teams as JSON", organisation, "team", "ls", "s", "--json"),
		s("team ls nothing", with(organisation, map[string]Reply{"GET /-/org/s/team?format=cli": body(`[]`)}), "team", "ls", "s"),
		s("team ls one", with(organisation, map[string]Reply{"GET /-/team/s/t/user?format=cli": body(`["ann"]`)}), "team", "ls", "s:t"),
		s("team ls of what", organisation, "team", "ls"),
		s("team create that is there", fails("PUT /-/org/s/team", 409, `{"error":"there"}`), "team", "create", "s:t"),

		s("org without words", organisation, "org"),
		s("org nonsense", organisation, "org", "list", "s"),
		s("org set nobody", organisation, "org", "set", "s"),
		s("org set nothing", organisation, "org", "set"),
		s("org set a strange role", organisation, "org", "set", "s", "carol", "king"),
		s("org set as JSON", organisation, "org", "set", "s", "carol", "owner", "--json"),
		s("org set for programs", organisation, "org", "set", "s", "carol", "--parseable"),
		s("org rm nobody", organisation, "org", "rm", "s"),
		s("org rm as JSON", organisation, "org", "rm", "@s", "@carol", "--json"),
		s("org rm for programs", organisation, "org", "rm", "~s", "~carol", "--parseable"),
		s("org ls nothing", organisation, "org", "ls"),
		s("org ls as JSON", organisation, "org", "ls", "s", "--json"),
		s("org ls of one who is not there", organisation, "org", "ls", "s", "nobody", "--json"),
		s("org ls that is not there", map[string]Reply{}, "org", "ls", "s"),
		s("org by its old name", organisation, "ogr", "ls", "s"),

		s("owner without words", published, "owner"),
		s("owner nonsense", published, "owner", "who", "p"),
		s("owner list", published, "owner", "list", "p"),
		s("owner by its old name", published, "author", "ls", "p"),
		s("owner ls of nobody's", nobody, "owner", "ls", "p"),
		s("owner ls that is not there", map[string]Reply{}, "owner", "ls", "p"),
		in(s("owner ls of the project", published, "owner", "ls"), map[string]string{"package.json": plainPackage}),
		in(s("owner ls of what", published, "owner", "ls"), nameless),
		s("owner add nobody", published, "owner", "add"),
		s("owner add who is one", published, "owner", "add", "bob", "p"),
		s("owner add who is not known", published, "owner", "add", "mallory", "p"),
		s("owner rm who is none", published, "owner", "rm", "carol", "p"),
		s("owner rm the last", with(lonely, map[string]Reply{"GET /-/user/org.couchdb.user:ann": body(`{"name":"ann","email":"ann@example.com"}`)}), "owner", "rm", "ann", "p"),
		s("owner add that is refused", with(published, map[string]Reply{"PUT /p/-rev/7-abc": forbidden}), "owner", "add", "carol", "p"),
		in(s("owner ls of a workspace", published, "owner", "ls", "-w", "p"), workspaces),

		s("unpublish a range", published, "unpublish", "p@^1"),
		s("unpublish a tag", published, "unpublish", "p@latest"),
		s("unpublish two", published, "unpublish", "p@1.0.0", "p@1.0.1"),
		s("unpublish a whole package without force", published, "unpublish", "p"),
		s("unpublish what is not there", map[string]Reply{}, "unpublish", "p@1.0.0", "--force"),
		in(s("unpublish the project", published, "unpublish"), map[string]string{"package.json": `{"name":"p","version":"1.0.0"}`}),
		in(s("unpublish the project without a version", published, "unpublish"), map[string]string{"package.json": `{"name":"p"}`}),
		in(s("unpublish the project without a version by force", published, "unpublish", "--force"), map[string]string{"package.json": `{"name":"p"}`}),
		in(s("unpublish a workspace", published, "unpublish", "-w", "p"), workspaces),
		s("unpublish as a dry run by force", published, "unpublish", "p", "--dry-run", "--force"),
		s("unpublish in silence", published, "unpublish", "p@1.0.0", "--silent"),
		s("unpublish as JSON", published, "unpublish", "p@1.0.0", "--json"),
		s("unpublish that is refused", with(published, map[string]Reply{"PUT /p/-rev/7-abc": forbidden}), "unpublish", "p@1.0.0"),

		s("deprecate without words", published, "deprecate"),
		s("deprecate without a message", published, "deprecate", "p"),
		s("deprecate by a tag", published, "deprecate", "p@old", "x"),
		s("deprecate as a dry run", published, "deprecate", "p@1.0.0", "x", "--dry-run"),
		s("deprecate with no message", published, "deprecate", "p@1.0.0", ""),
		s("deprecate what is not there", map[string]Reply{}, "deprecate", "p@1.0.0", "x"),
		s("deprecate that is refused", with(published, map[string]Reply{"PUT /p": forbidden}), "deprecate", "p@1.0.0", "x"),
		s("undeprecate without words", published, "undeprecate"),
		s("undeprecate as a dry run", published, "undeprecate", "p", "--dry-run"),

		s("dist-tag ls by the package alone", published, "dist-tag", "p"),
		s("dist-tag nonsense", published, "dist-tag", "show", "p"),
		s("dist-tag add without a version", published, "dist-tag", "add", "p"),
		s("dist-tag add a range as a tag", published, "dist-tag", "add", "p@1.0.0", "1.x"),
		s("dist-tag add the default", with(published, map[string]Reply{"PUT /-/package/p/dist-tags/latest": ok}), "dist-tag", "add", "p@1.0.0"),
		s("dist-tag rm without words", published, "dist-tag", "rm"),
		s("dist-tag ls that is not there", map[string]Reply{}, "dist-tag", "ls", "p"),
		s("dist-tag ls of none", with(published, map[string]Reply{"GET /-/package/p/dist-tags": body(`{}`)}), "dist-tag", "ls", "p"),
		in(s("dist-tag ls of the project", published, "dist-tag", "ls"), map[string]string{"package.json": plainPackage}),
		in(s("dist-tag ls of what", published, "dist-tag", "ls"), nameless),
		in(s("dist-tag ls of workspaces", published, "dist-tag", "ls", "--workspaces"), workspaces),
		s("dist-tag by its other name", published, "dist-tags", "ls", "p"),
		s("dist-tag add that is refused", with(published, map[string]Reply{"PUT /-/package/p/dist-tags/next": forbidden}), "dist-tag", "add", "p@1.0.0", "next"),

		s("view two packages", published, "view", "p@1.0.0", "version", "name", "--json"),
		s("view several versions as JSON", published, "view", "p@>=1", "version", "--json"),
		s("view a field that is not there", published, "view", "p", "nothing", "--json"),
		s("view two fields as JSON", published, "view", "p", "version", "dist-tags", "--json"),
		s("view one package and another as a field", published, "view", "p", "b", "--json"),
		in(s("view the project as JSON", published, "view", ".", "--json"), map[string]string{"package.json": plainPackage}),
		in(s("view workspaces as JSON", with(published, map[string]Reply{"GET /b": body(strings.ReplaceAll(document, `"p"`, `"b"`))}), "view", ".", "version", "--workspaces", "--json"), workspaces),
		in(s("view workspaces", with(published, map[string]Reply{"GET /b": body(strings.ReplaceAll(document, `"p"`, `"b"`))}), "view", ".", "version", "name", "--workspaces"), workspaces),
		s("view what is not there as JSON", map[string]Reply{}, "view", "p", "--json"),
		s("ping as JSON", organisation, "ping", "--json"),
	})
}
