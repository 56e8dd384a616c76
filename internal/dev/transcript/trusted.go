package transcript

import (
	"encoding/base64"
	"maps"
)

// trusted are the commands that a CI job may run without a token of its own.
func trusted(published map[string]Reply) []Scene {
	encode := base64.RawURLEncoding.EncodeToString
	identity := "e30." + encode([]byte(`{"aud":"npm:127.0.0.1","sub":"repo:o/r","repository":"o/r","repository_visibility":"private"}`)) + ".c2ln"
	with := func(more map[string]Reply) map[string]Reply {
		m := maps.Clone(published)
		maps.Copy(m, more)
		return m
	}
	exchange := with(map[string]Reply{
		"GET /identity?a=1&audience=npm%3A127.0.0.1":        body(`{"value":"` + identity + `"}`),
		"POST /-/npm/v1/oidc/token/exchange/package/p":      {Status: 201, Body: `{"token":"npm_exchanged"}`},
		"POST /-/npm/v1/oidc/token/exchange/package/@s%2fp": {Status: 201, Body: `{"token":"npm_exchanged"}`},
		"GET /-/package/@s%2fp/dist-tags":                   body(`{"latest":"1.0.0"}`),
		"PUT /-/package/@s%2fp/dist-tags/next":              ok,
		"POST /-/stage/package/p":                           {Status: 201, Body: `{"stageId":"8b9b3f4e-1c2d-4e5f-8a9b-0c1d2e3f4a5b"}`},
	})
	refused := with(map[string]Reply{
		"GET /identity?a=1&audience=npm%3A127.0.0.1":   body(`{"value":"` + identity + `"}`),
		"POST /-/npm/v1/oidc/token/exchange/package/p": {Status: 404, Body: `{"message":"no such thing"}`},
	})
	github := []string{"CI=true", "GITHUB_ACTIONS=true", "ACTIONS_ID_TOKEN_REQUEST_URL=REGISTRY/identity?a=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=ask-for-it"}
	gitlab := []string{"CI=true", "GITLAB_CI=true", "NPM_ID_TOKEN=" + identity}
	circle := []string{"CI=true", "CIRCLECI=true", "NPM_ID_TOKEN=" + identity}
	plain := map[string]string{"package.json": plainPackage}
	s := func(name string, environ []string, registry map[string]Reply, args ...string) Scene {
		return Scene{Name: name, Environ: environ, Registry: registry, Args: args, Anonymous: true}
	}
	in := func(s Scene, files map[string]string) Scene { s.Files = files; return s }
	known := func(s Scene) Scene { s.Anonymous = false; return s }
	return []Scene{
		in(s("publish from GitHub Actions", github, exchange, "publish", "--tag=next"), plain),
		in(s("publish from GitLab CI", gitlab, exchange, "publish", "--tag=next"), plain),
		in(s("publish from CircleCI", circle, exchange, "publish", "--tag=next"), plain),
		in(s("publish from GitHub Actions that is not trusted", github, refused, "publish", "--tag=next"), plain),
		in(known(s("publish from GitHub Actions with a token", github, refused, "publish", "--tag=next")), plain),
		s("dist-tag add from GitHub Actions", github, exchange, "dist-tag", "add", "@s/p@1.0.0", "next"),
		s("dist-tag rm from GitLab CI", gitlab, exchange, "dist-tag", "rm", "p", "old"),
		s("dist-tag ls from CircleCI", circle, exchange, "dist-tag", "ls", "p"),
		known(s("dist-tag add from GitHub Actions with a token", github, refused, "dist-tag", "add", "p@1.0.0", "next")),
		s("dist-tag add from GitHub Actions that may not ask", []string{"CI=true", "GITHUB_ACTIONS=true"}, exchange, "dist-tag", "add", "p@1.0.0", "next"),
		s("deprecate from GitHub Actions", github, exchange, "deprecate", "p@1.0.0", "x"),
		s("whoami from GitHub Actions", github, exchange, "whoami"),
		in(known(s("dist-tag ls of workspaces from GitHub Actions", github, exchange, "dist-tag", "ls", "--workspaces")), map[string]string{
			"package.json":     `{"name":"root","version":"1.0.0","workspaces":["w/*"]}`,
			"w/a/package.json": `{"name":"p","version":"1.0.0"}`, "w/b/package.json": `{"name":"@s/p","version":"1.0.0"}`,
		}),
	}
}
