package transcript

import "maps"

// looks are questions that change nothing.
func looks(published map[string]Reply) []Scene {
	s := func(name string, registry map[string]Reply, args ...string) Scene {
		return Scene{Name: name, Registry: registry, Args: args}
	}
	in := func(s Scene, files map[string]string) Scene { s.Files = files; return s }
	const question = "&size=20&from=0&quality=0.65&popularity=0.98&maintenance=0.5"
	found := body(`{"objects":[` +
		`{"package":{"name":"p","version":"1.0.0","description":"p is  plain","keywords":["a","b"],"date":"2024-01-02T03:04:05.000Z",` +
		`"publisher":{"username":"ann"},"maintainers":[{"username":"ann"},{"username":"bob"}],"links":{}}},` +
		`{"package":{"name":"@s/q","version":"2.0.0","maintainers":[{"username":"FP"}]}}],"total":2}`)
	searched := map[string]Reply{
		"GET /-/v1/search?text=p" + question:                                         found,
		"GET /-/v1/search?text=p+%C3%A4" + question:                                  found,
		"GET /-/v1/search?text=p&size=3&from=2&quality=0&popularity=1&maintenance=0": found,
		"GET /-/v1/search?text=none" + question:                                      body(`{"objects":[],"total":0}`),
	}
	workspaces := map[string]string{
		"package.json":     `{"name":"root","version":"1.0.0","workspaces":["w/*"]}`,
		"w/a/package.json": `{"name":"p","version":"1.0.0"}`, "w/b/package.json": `{"name":"b","version":"1.0.0"}`,
	}
	browser := maps.Clone(published)
	browser["PUT /p"] = Reply{Status: 401, Header: map[string]string{"Www-Authenticate": "OTP"}, Body: `{"authUrl":"REGISTRY/auth/1","doneUrl":"REGISTRY/done/1"}`}
	return []Scene{
		s("search", searched, "search", "P"),
		s("search as JSON", searched, "search", "p", "--json"),
		s("search for programs", searched, "search", "p", "Ä", "--parseable"),
		s("search by popularity", searched, "search", "p", "--searchlimit=3", "--searchopts=sortBy=popularity&from=2&x=y"),
		s("search without some", searched, "search", "p", "--searchexclude=/FP/"),
		s("search nothing", searched, "search", "none"),
		s("search where a page answers", map[string]Reply{"GET /-/v1/search?text=p" + question: {Status: 404, Body: "<html>"}}, "search", "p"),
		in(s("view workspaces of which one is missing", published, "view", ".", "version", "--workspaces"), workspaces),
		in(s("view workspaces of which one is missing as JSON", published, "view", ".", "version", "--workspaces", "--json"), workspaces),
		in(s("view workspaces by tag", published, "view", ".@old", "version", "-w", "p"), workspaces),
		in(s("view a package beside workspaces", published, "view", "p", "version", "-w", "b"), workspaces),
		in(s("publish where a yes in the browser is wanted", browser, "publish", "--json"), map[string]string{"package.json": plainPackage}),
		s("team create where a page answers", map[string]Reply{"PUT /-/org/s/team": {Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>"}}, "team", "create", "s:t"),
	}
}
