package transcript

import (
	"maps"
	"strconv"
)

// refused are the commands with each answer of a registry that does not want
// to, and with answers that say to try again.
func refused(published, organisation map[string]Reply) []Scene {
	registry := maps.Clone(organisation)
	maps.Copy(registry, published)
	maps.Copy(registry, approval())
	plain := map[string]string{"package.json": plainPackage}
	commands := []struct {
		request string // that is refused
		args    []string
	}{
		{"PUT /p", []string{"publish"}},
		{"PUT /p/-rev/7-abc", []string{"unpublish", "p@1.0.0"}},
		{"DELETE /p/-rev/7-abc", []string{"unpublish", "p", "--force"}},
		{"PUT /p", []string{"deprecate", "p@1.0.0", "x"}},
		{"PUT /p", []string{"undeprecate", "p@1.0.0"}},
		{"PUT /-/package/p/dist-tags/next", []string{"dist-tag", "add", "p@1.0.0", "next"}},
		{"DELETE /-/package/p/dist-tags/old", []string{"dist-tag", "rm", "p", "old"}},
		{"GET /-/package/p/dist-tags", []string{"dist-tag", "ls", "p"}},
		{"PUT /p/-rev/7-abc", []string{"owner", "add", "carol", "p"}},
		{"GET /p", []string{"owner", "ls", "p"}},
		{"POST /-/package/p/access", []string{"access", "set", "mfa=none", "p"}},
		{"GET /-/package/p/collaborators", []string{"access", "list", "collaborators", "p"}},
		{"PUT /-/org/s/team", []string{"team", "create", "s:t"}},
		{"DELETE /-/team/s/t/user", []string{"team", "rm", "s:t", "carol"}},
		{"PUT /-/org/s/user", []string{"org", "set", "s", "carol"}},
		{"GET /-/org/s/user", []string{"org", "ls", "s"}},
		{"POST /-/npm/v1/user", []string{"profile", "set", "fullname", "Ann"}},
		{"GET /-/npm/v1/user", []string{"profile", "get"}},
		{"GET /-/npm/v1/tokens", []string{"token", "list"}},
		{"POST /-/npm/v1/tokens", []string{"token", "create", "--password=pw", "--name=ci"}},
		{"DELETE /-/npm/v1/tokens/token/aaaaaa1", []string{"token", "revoke", "aaaa"}},
		{"DELETE /-/user/token/a-token", []string{"logout"}},
		{"GET /-/whoami", []string{"whoami"}},
		{"GET /-/ping", []string{"ping"}},
		{"GET /p", []string{"view", "p"}},
		{"POST /-/stage/package/p", []string{"stage", "publish"}},
		{"GET /-/stage?page=0&perPage=100", []string{"stage", "list"}},
		{"GET /-/stage/" + stageID, []string{"stage", "view", stageID}},
		{"POST /-/stage/" + stageID + "/approve", []string{"stage", "approve", stageID}},
		{"DELETE /-/stage/" + stageID, []string{"stage", "reject", stageID}},
		{"GET /-/stage/" + stageID + "/tarball", []string{"stage", "download", stageID}},
		{"POST /-/package/p/trust", []string{"trust", "github", "p", "--file=publish.yml", "--repo=o/r", "--allow-publish", "--yes"}},
		{"GET /-/package/p/trust", []string{"trust", "list", "p"}},
		{"DELETE /-/package/p/trust/t-1", []string{"trust", "revoke", "p", "--id=t-1"}},
	}
	var all []Scene
	for _, c := range commands {
		name := c.args[0]
		if len(c.args) > 1 {
			name += " " + c.args[1]
		}
		for _, answer := range []Reply{
			{Status: 401, Body: `{"error":"who are you"}`},
			{Status: 402, Body: `{"error":"pay"}`},
			{Status: 403, Body: `{"error":"not you"}`},
			{Status: 404, Body: `{"error":"nothing here"}`},
			{Status: 409, Body: `{"error":"somebody was faster"}`},
			{Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: `{"error":"slow down"}`},
			{Status: 500, Body: `{"error":"broken"}`},
			{Status: 503, Body: "<html>down</html>"},
		} {
			m := maps.Clone(registry)
			m[c.request] = answer
			all = append(all, Scene{Name: name + " answered " + strconv.Itoa(answer.Status), Args: c.args, Files: plain, Registry: m})
		}
		m, again := maps.Clone(registry), registry[c.request]
		m[c.request] = Reply{Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: `{}`, Next: &again}
		all = append(all, Scene{Name: name + " answered 429 once", Args: c.args, Files: plain, Registry: m,
			Config: "fetch-retries=1\nfetch-retry-mintimeout=1\nfetch-retry-maxtimeout=2\n"})
	}
	return all
}
