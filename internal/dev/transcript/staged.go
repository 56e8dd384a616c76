package transcript

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"maps"
)

const (
	stageID = "8b9b3f4e-1c2d-4e5f-8a9b-0c1d2e3f4a5b"
	aUUID   = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
	bUUID   = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
	cUUID   = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"

	stagedItem = `{"id":"` + stageID + `","packageName":"p","version":"1.1.0","tag":"latest","status":"pending",` +
		`"createdAt":"2026-01-01T00:00:00.000Z","actor":"ann","actorType":"user","shasum":"da39a3ee"}`
	githubTrust = `{"id":"t-1","type":"github","claims":{"repository":"o/r","workflow_ref":{"file":"publish.yml"}},"permissions":["createPackage"]}`
	gitlabTrust = `{"id":"t-2","type":"gitlab","claims":{"project_path":"g/s/p","ci_config_ref_uri":{"file":".gitlab-ci.yml"},"environment":"production"},` +
		`"permissions":["createPackage","createStagedPackage"]}`
	circleTrust = `{"id":"t-3","type":"circleci","claims":{"oidc.circleci.com/org-id":"` + aUUID + `","oidc.circleci.com/project-id":"` + bUUID + `",` +
		`"oidc.circleci.com/pipeline-definition-id":"` + cUUID + `","oidc.circleci.com/vcs-origin":"github.com/o/r"},"permissions":["createPackage"]}`
)

// stagedTarball is the tarball of p, which has nothing but a package.json.
func stagedTarball() string {
	const text = `{"name":"p","version":"1.1.0"}`
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err := w.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(text))})
	_, failed := w.Write([]byte(text))
	if err := errors.Join(err, failed, w.Close(), z.Close()); err != nil {
		panic(err) // of a buffer
	}
	return b.String()
}

// approval is a registry that stages packages and that trusts CI jobs.
func approval() map[string]Reply {
	return map[string]Reply{
		"POST /-/stage/package/p":                    {Status: 201, Body: `{"stageId":"` + stageID + `"}`},
		"POST /-/stage/package/@s%2fp":               {Status: 201, Body: `{"stageId":"` + stageID + `"}`},
		"GET /-/stage?page=0&perPage=100":            body(`{"items":[` + stagedItem + `],"total":1,"page":0,"perPage":100}`),
		"GET /-/stage?page=0&perPage=100&package=p":  body(`{"items":[` + stagedItem + `],"total":1,"page":0,"perPage":100}`),
		"GET /-/stage/" + stageID:                    body(stagedItem),
		"GET /-/stage/" + stageID + "/tarball":       {Header: map[string]string{"Content-Type": "application/octet-stream"}, Body: stagedTarball()},
		"POST /-/stage/" + stageID + "/approve":      {Status: 201, Body: `{"ok":true}`},
		"DELETE /-/stage/" + stageID:                 {Status: 204},
		"GET /-/package/p/trust":                     body("[" + githubTrust + "," + gitlabTrust + "," + circleTrust + "]"),
		"GET /-/package/@s%2fp/trust":                body("[" + githubTrust + "]"),
		"POST /-/package/p/trust":                    {Status: 201, Body: "[" + githubTrust + "]"},
		"POST /-/package/@s%2fp/trust":               {Status: 201, Body: "[" + gitlabTrust + "]"},
		"DELETE /-/package/p/trust/t-1":              {Status: 204},
		"DELETE /-/package/@s%2fp/trust/a%2Fb%20%3F": {Status: 204},
	}
}

// staged are packages that wait for a yes, and the jobs that may publish.
func staged() []Scene {
	registry := approval()
	with := func(more map[string]Reply) map[string]Reply {
		m := maps.Clone(registry)
		maps.Copy(m, more)
		return m
	}
	s := func(name string, registry map[string]Reply, args ...string) Scene {
		return Scene{Name: name, Registry: registry, Args: args}
	}
	in := func(s Scene, files map[string]string) Scene { s.Files = files; return s }
	atTerminal := func(s Scene, prompts ...string) Scene { s.Prompts, s.Terminal = prompts, true; return s }
	plain := map[string]string{"package.json": plainPackage}
	hosted := map[string]string{"package.json": `{"name":"p","version":"1.1.0","repository":"github:o/r"}`}
	wantsOTP := Reply{Status: 401, Header: map[string]string{"Www-Authenticate": "OTP"}, Body: `{"error":"You must provide a one-time pass."}`}
	askOTP := []string{"Enter OTP:", "123456"}
	// otp makes the registry want a one-time password for a request.
	otp := func(key string) map[string]Reply {
		return with(map[string]Reply{key: wantsOTP, key + " otp=123456": registry[key]})
	}
	github := []string{"trust", "github", "p", "--file=publish.yml", "--repo=o/r", "--allow-publish"}
	circle := []string{"trust", "circleci", "p", "--org-id=" + aUUID, "--project-id=" + bUUID, "--pipeline-definition-id=" + cUUID, "--vcs-origin=github.com/o/r"}
	yes := func(args []string, more ...string) []string {
		return append(append(args[:len(args):len(args)], more...), "--yes")
	}
	return []Scene{
		in(s("stage publish", registry, "stage", "publish"), plain),
		in(s("stage publish a scoped package as JSON", registry, "stage", "publish", "--json"), map[string]string{"package.json": scopedPackage}),
		in(s("stage publish with a tag and access", registry, "stage", "publish", "--tag=next", "--access=public"), plain),
		in(s("stage publish as a dry run", registry, "stage", "publish", "--dry-run"), plain),
		in(s("stage publish workspaces", registry, "stage", "publish", "--workspaces"), map[string]string{
			"package.json":     `{"name":"root","version":"1.0.0","workspaces":["w/*"]}`,
			"w/a/package.json": `{"name":"p","version":"1.0.0"}`, "w/b/package.json": `{"name":"@s/p","version":"1.0.0"}`, "w/c/package.json": `{"name":"c","version":"1.0.0","private":true}`,
		}),
		in(atTerminal(s("stage publish where a one-time password is wanted", otp("POST /-/stage/package/p"), "stage", "publish")), plain),
		s("stage list", registry, "stage", "list"),
		s("stage list of a package", registry, "stage", "list", "p"),
		s("stage list as JSON", registry, "stage", "list", "--json"),
		s("stage view", registry, "stage", "view", stageID),
		s("stage approve", registry, "stage", "approve", stageID),
		s("stage approve with a one-time password", registry, "stage", "approve", stageID, "--otp=123456"),
		atTerminal(s("stage approve with a one-time password from a terminal", otp("POST /-/stage/"+stageID+"/approve"), "stage", "approve", stageID), askOTP...),
		s("stage reject", registry, "stage", "reject", stageID),
		atTerminal(s("stage reject with a one-time password from a terminal", otp("DELETE /-/stage/"+stageID), "stage", "reject", stageID), askOTP...),
		s("stage download", registry, "stage", "download", stageID),
		s("stage download as JSON", registry, "stage", "download", stageID, "--json"),

		s("trust github", registry, yes(github)...),
		s("trust github with an environment", registry, yes(github, "--env=production", "--allow-stage-publish")...),
		s("trust github as JSON", registry, yes(github, "--json")...),
		s("trust github as a dry run", registry, append(github[:len(github):len(github)], "--dry-run")...),
		in(s("trust github by package.json", registry, "trust", "github", "--file=publish.yml", "--allow-publish", "--yes"), hosted),
		atTerminal(s("trust github after a question", registry, github...), "Do you want to proceed? (y/N)", "y"),
		atTerminal(s("trust github after a no", registry, github...), "Do you want to proceed? (y/N)", "n"),
		atTerminal(s("trust github with a one-time password from a terminal", otp("POST /-/package/p/trust"), yes(github)...), askOTP...),
		s("trust gitlab", registry, "trust", "gitlab", "@s/p", "--file=.gitlab-ci.yml", "--project=g/s/p", "--environment=production", "--allow-publish", "--allow-staged-publish", "--yes"),
		s("trust circleci", registry, yes(circle, "--allow-publish")...),
		s("trust circleci with contexts", registry, yes(circle, "--context-id="+bUUID, "--context-id="+cUUID, "--allow-publish")...),
		s("trust list", registry, "trust", "list", "p"),
		s("trust list of a scoped package as JSON", registry, "trust", "list", "@s/p", "--json"),
		in(s("trust list of the project", registry, "trust", "list"), plain),
		atTerminal(s("trust list with a one-time password from a terminal", otp("GET /-/package/p/trust"), "trust", "list", "p"), askOTP...),
		s("trust revoke", registry, "trust", "revoke", "p", "--id=t-1"),
		s("trust revoke by a strange id", registry, "trust", "revoke", "@s/p", "--id=a/b ?"),
		s("trust revoke as a dry run", registry, "trust", "revoke", "p", "--id=t-1", "--dry-run"),
		atTerminal(s("trust revoke with a one-time password from a terminal", otp("DELETE /-/package/p/trust/t-1"), "trust", "revoke", "p", "--id=t-1"), askOTP...),
	}
}
