package cmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/registry/registrytest"
)

// TestRefusalsHaveNPMsCodes: whatever a registry says no to, each publishing
// command ends with npm's code for it and with something that can be done. npm's
// code is "E" and the status (npm-registry-fetch lib/errors.js), but for a 401
// that asks for a one-time password.
func TestRefusalsHaveNPMsCodes(t *testing.T) {
	commands := [][]string{
		{"unpublish", "p@1.0.0"}, {"deprecate", "p", "x"}, {"undeprecate", "p"},
		{"dist-tag", "add", "p@1.0.0", "next"}, {"dist-tag", "rm", "p", "next"}, {"dist-tag", "ls", "p"},
		{"owner", "ls", "p"}, {"owner", "add", "bob", "p"}, {"owner", "rm", "bob", "p"},
		{"access", "get", "status", "p"}, {"access", "set", "status=public", "@s/p"}, {"access", "set", "mfa=none", "p"},
		{"access", "grant", "read-only", "s:t", "p"}, {"access", "revoke", "s:t", "p"}, {"access", "list", "collaborators", "p"}, {"access", "list", "packages", "s"},
		{"team", "create", "s:t"}, {"team", "destroy", "s:t"}, {"team", "add", "s:t", "bob"}, {"team", "rm", "s:t", "bob"}, {"team", "ls", "s"},
		{"org", "set", "s", "bob"}, {"org", "rm", "s", "bob"}, {"org", "ls", "s"},
		{"profile", "get"}, {"profile", "set", "fullname", "x"}, {"token", "list"}, {"token", "revoke", "x"}, {"token", "create", "--password=x"},
		{"whoami"}, {"publish"},
	}
	for i, c := range []struct {
		status int
		header map[string]string
		body   string
		code   string
	}{
		{401, nil, `{"error":"who are you"}`, "E401"},
		{401, map[string]string{"Www-Authenticate": "OTP"}, `{"error":"one-time pass"}`, "EOTP"},
		{402, nil, `{"message":"pay first"}`, "E402"},
		{403, nil, `{"error":"you may not"}`, "E403"},
		{404, nil, `{"error":"not found"}`, "E404"},
		{409, nil, `{"error":"conflict"}`, "E409"},
		{429, nil, `slow down`, "E429"},
		{429, map[string]string{"Retry-After": "7"}, ``, "E429"},
		{500, nil, `<html>oops</html>`, "E500"},
		{502, nil, ``, "E502"}, {503, nil, `{}`, "E503"}, {504, nil, ``, "E504"},
	} {
		t.Run(fmt.Sprint(c.status, c.code, len(c.header)), func(t *testing.T) {
			p := newPublishing(t, map[string]string{"package.json": `{"name":"p","version":"1.1.0"}`})
			p.environ = []string{"PATH="} // node would only be asked for its version
			p.registry.Heal()
			header := map[string][]string{}
			for k, v := range c.header {
				header[k] = []string{v}
			}
			p.registry.Fail(registrytest.Fault{Kind: registrytest.Replace, Status: c.status, Header: header, Body: c.body})
			for j, command := range commands {
				if (i+j)%4 != 0 && command[0] != "publish" {
					continue // every command meets three refusals, and every refusal eight commands
				}
				name := strings.Join(command, " ")
				if status := p.run(append(command, "--fetch-retries=0")...); status != 1 {
					if c.status == 404 && command[0] == "unpublish" {
						continue
					}
					t.Errorf("%s: exit status %d\n%s", name, status, p.err.String())
				}
				said := p.err.String()
				if !strings.Contains(said, "ibid error code "+c.code+"\n") {
					t.Errorf("%s: not %s\n%s", name, c.code, said)
				}
				if c.status != 404 && !strings.Contains(said, "ibid hint") {
					t.Errorf("%s: nothing to do about it\n%s", name, said)
				}
				if strings.Contains(said+p.out.String(), "Bearer") || strings.Contains(said, "<html>") {
					t.Errorf("%s: says too much\n%s", name, said)
				}
				for _, r := range p.registry.Requests() {
					if agent := r.Header.Get("User-Agent"); !strings.HasPrefix(agent, "ibid/") || !strings.Contains(agent, " npm/") {
						t.Errorf("%s: the user agent is %q", name, agent)
					}
				}
			}
		})
	}
}

// An answer without anything in it, or a page, is none: not "there are none", and
// nothing is sent because of it.
func TestAnAnswerThatSaysNothingIsAnError(t *testing.T) {
	for _, body := range []string{"", "<html>log in first</html>"} {
		p := newPublishing(t, map[string]string{"package.json": `{"name":"p","version":"1.1.0"}`})
		p.environ = []string{"PATH="}
		p.registry.Heal()
		p.registry.Fail(registrytest.Fault{Kind: registrytest.Replace, Body: body})
		for _, command := range [][]string{
			{"unpublish", "p@1.0.0"}, {"deprecate", "p", "x"}, {"dist-tag", "ls", "p"}, {"owner", "ls", "p"}, {"owner", "add", "bob", "p"},
			{"access", "list", "packages", "s"}, {"access", "get", "status", "p"}, {"team", "ls", "s"}, {"org", "ls", "s"},
			{"profile", "get"}, {"token", "list"}, {"whoami"}, {"trust", "list", "p"}, {"stage", "list"}, {"search", "p"},
		} {
			name := strings.Join(command, " ")
			if status := p.run(append(command, "--fetch-retries=0")...); status != 1 {
				t.Errorf("%s: exit status %d of %q\n%s%s", name, status, body, p.out.String(), p.err.String())
			}
			if !strings.Contains(p.err.String(), "something answered in the place of") {
				t.Errorf("%s: of %q it says\n%s", name, body, p.err.String())
			}
			for _, r := range p.registry.Requests() {
				if r.Method != "GET" {
					t.Errorf("%s: %s %s after %q", name, r.Method, r.Path, body)
				}
			}
		}
	}
}

// npm's JSON of an audit that the registry refuses has the refusal beside the error
// (npm: lib/utils/audit-error.js).
func TestARefusedAuditAsJSON(t *testing.T) {
	p := newPublishing(t, map[string]string{
		"package.json": `{"name":"p","version":"1.1.0","dependencies":{"a":"1"}}`,
		"package-lock.json": `{"name":"p","version":"1.1.0","lockfileVersion":3,"packages":{"":{"name":"p","version":"1.1.0","dependencies":{"a":"1"}},` +
			`"node_modules/a":{"version":"1.0.0","resolved":"https://r.example/a.tgz"}}}`,
	})
	p.registry.Heal()
	p.registry.Fail(registrytest.Fault{Kind: registrytest.Replace, Status: 403, Body: `{"error":"no audits here"}`})
	if status := p.run("audit", "--json"); status != 1 {
		t.Errorf("exit status %d", status)
	}
	uri := p.registry.URL + "-/npm/v1/security/advisories/bulk"
	want := `{
  "message": "403 Forbidden - POST ` + uri + ` - no audits here",
  "method": "POST",
  "uri": "` + uri + `",
  "statusCode": 403,
  "body": {
    "error": "no audits here"
  },
  "error": {
    "code": "E403",`
	if !strings.HasPrefix(p.out.String(), want) {
		t.Errorf("it says\n%s\nwant\n%s", p.out.String(), want)
	}
}
