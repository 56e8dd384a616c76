package transcript

import "maps"

// accounts are what somebody does for themselves: logging in and out, tokens,
// the profile, one-time passwords.
func accounts(organisation, anonymous map[string]Reply) []Scene {
	s := func(name string, registry map[string]Reply, args ...string) Scene {
		return Scene{Name: name, Registry: registry, Args: args}
	}
	with := func(m map[string]Reply, more map[string]Reply) map[string]Reply {
		m = maps.Clone(m)
		maps.Copy(m, more)
		return m
	}
	asked := func(s Scene, prompts ...string) Scene { s.Prompts = prompts; return s }
	atTerminal := func(s Scene, prompts ...string) Scene { s.Prompts, s.Terminal = prompts, true; return s }
	nobody := func(s Scene) Scene { s.Anonymous = true; return s }
	config := func(s Scene, text string) Scene { s.Config = text; return s }
	in := func(s Scene, files map[string]string) Scene { s.Files = files; return s }

	wantsOTP := Reply{Status: 401, Header: map[string]string{"Www-Authenticate": "OTP"}, Body: `{"error":"You must provide a one-time pass."}`}
	wantsOTPBadly := Reply{Status: 401, Body: `{"error":"You must provide a one-time pass. Upgrade your client."}`}
	wantsWeb := Reply{Status: 401, Header: map[string]string{"Www-Authenticate": "OTP"}, Body: `{"authUrl":"REGISTRY/auth/1","doneUrl":"REGISTRY/-/v1/done/1"}`}
	done := func(token, after string) Reply {
		return Reply{Status: 202, Header: map[string]string{"Retry-After": "0.02"}, Body: "{}", After: after, Next: &Reply{Body: `{"token":"` + token + `"}`}}
	}
	// otp makes the registry want a one-time password for a request.
	otp := func(method, path, answer string) map[string]Reply {
		return with(organisation, map[string]Reply{
			method + " " + path: wantsOTP, method + " " + path + " otp=123456": body(answer),
			"GET /p": body(document), "GET /p?write=true": body(document), "GET /-/package/p/dist-tags": body(`{"latest":"1.0.1","old":"1.0.0"}`),
			"GET /-/user/org.couchdb.user:carol": body(`{"name":"carol","email":"carol@example.com"}`),
		})
	}
	askOTP := []string{"Enter OTP:", "123456"}
	browser := map[string]string{"xdg-open": Browser}
	pkg := map[string]string{"package.json": plainPackage, "xdg-open": Browser}
	const byHand = "browser=false\n"
	const openIt = "Press ENTER to open in the browser..."
	tfa := func(text string) map[string]Reply {
		return with(organisation, map[string]Reply{"GET /-/npm/v1/user": body(`{"name":"ann","tfa":` + text + `}`), "POST /-/npm/v1/user": body(`{"tfa":null}`)})
	}
	enrol := with(organisation, map[string]Reply{
		"GET /-/npm/v1/user":  body(`{"name":"ann","tfa":null}`),
		"POST /-/npm/v1/user": {Body: `{"tfa":"otpauth://totp/npm:ann?secret=JBSWY3DP"}`, Next: &Reply{Body: `{"tfa":["one","two"]}`}},
	})
	return []Scene{
		in(atTerminal(s("publish with a one-time password from a terminal", otp("PUT", "/p", `{"ok":true}`), "publish", "--tag=next"), askOTP...), pkg),
		in(atTerminal(s("publish with a one-time password that is wanted by words", with(otp("PUT", "/p", `{"ok":true}`), map[string]Reply{"PUT /p": wantsOTPBadly}), "publish", "--tag=next"), askOTP...), pkg),
		in(atTerminal(s("publish with a one-time password that is none at first", otp("PUT", "/p", `{"ok":true}`), "publish", "--tag=next"), "Enter OTP:", "what", "Enter OTP:", "123 456"), pkg),
		in(atTerminal(s("publish with a one-time password that is wrong", with(otp("PUT", "/p", ""), map[string]Reply{"PUT /p otp=123456": wantsOTP}), "publish", "--tag=next"), askOTP...), pkg),
		in(atTerminal(s("publish with a yes in the browser", with(otp("PUT", "/p", ""), map[string]Reply{
			"PUT /p": wantsWeb, "PUT /p otp=654321": ok, "GET /-/v1/done/1": done("654321", "xdg-open.opened")}), "publish", "--tag=next"), openIt, ""), pkg),
		config(in(atTerminal(s("publish with a yes elsewhere", with(otp("PUT", "/p", ""), map[string]Reply{
			"PUT /p": wantsWeb, "PUT /p otp=654321": ok, "GET /-/v1/done/1": done("654321", "")}), "publish", "--tag=next")), pkg), byHand),
		in(s("publish where a yes in the browser is wanted and nobody is there", with(otp("PUT", "/p", ""), map[string]Reply{"PUT /p": wantsWeb}), "publish", "--tag=next"), pkg),
		atTerminal(s("unpublish with a one-time password from a terminal", with(otp("PUT", "/p/-rev/7-abc", `{"ok":true}`), map[string]Reply{"DELETE /p/-/p-1.0.0.tgz/-rev/7-abc": ok}), "unpublish", "p@1.0.0"), askOTP...),
		atTerminal(s("deprecate with a one-time password from a terminal", otp("PUT", "/p", `{"ok":true}`), "deprecate", "p@1.0.0", "x"), askOTP...),
		atTerminal(s("dist-tag add with a one-time password from a terminal", otp("PUT", "/-/package/p/dist-tags/next", `{"ok":true}`), "dist-tag", "add", "p@1.0.0", "next"), askOTP...),
		atTerminal(s("dist-tag rm with a one-time password from a terminal", otp("DELETE", "/-/package/p/dist-tags/old", `{"ok":true}`), "dist-tag", "rm", "p", "old"), askOTP...),
		atTerminal(s("owner add with a one-time password from a terminal", otp("PUT", "/p/-rev/7-abc", `{"ok":true}`), "owner", "add", "carol", "p"), askOTP...),
		atTerminal(s("access set with a one-time password from a terminal", otp("POST", "/-/package/p/access", `{"ok":true}`), "access", "set", "mfa=none", "p"), askOTP...),
		atTerminal(s("team create with a one-time password from a terminal", otp("PUT", "/-/org/s/team", `{"ok":true}`), "team", "create", "s:t"), askOTP...),
		atTerminal(s("org set with a one-time password from a terminal", otp("PUT", "/-/org/s/user", `{"org":{"name":"s","size":2},"user":"carol","role":"developer"}`), "org", "set", "s", "carol"), askOTP...),
		atTerminal(s("profile set with a one-time password from a terminal", otp("POST", "/-/npm/v1/user", profile), "profile", "set", "fullname", "Ann"), askOTP...),
		atTerminal(s("token revoke with a one-time password from a terminal", otp("DELETE", "/-/npm/v1/tokens/token/aaaaaa1", ``), "token", "revoke", "aaaa"), askOTP...),
		atTerminal(s("token create with a one-time password from a terminal", otp("POST", "/-/npm/v1/tokens", `{"token":"npm_new"}`), "token", "create", "--name=ci"), append([]string{"password:", "pw"}, askOTP...)...),

		nobody(in(atTerminal(s("login in the browser from a terminal", with(anonymous, map[string]Reply{"GET /-/v1/done/1": done("npm_secret", "xdg-open.opened")}), "login"), openIt, ""), browser)),
		nobody(config(atTerminal(s("login in the browser without one", with(anonymous, map[string]Reply{"GET /-/v1/done/1": done("npm_secret", "")}), "login")), byHand)),
		nobody(config(s("login in the browser where nobody is there", with(anonymous, map[string]Reply{"GET /-/v1/done/1": done("npm_secret", "")}), "login"), byHand)),
		nobody(asked(s("login in the browser that is refused", with(anonymous, map[string]Reply{"GET /-/v1/done/1": {Status: 401, Body: "{}"}}), "login"), "Username:", "ann", "Password:", "pw")),
		nobody(s("login in the browser with addresses that are none", with(anonymous, map[string]Reply{"POST /-/v1/login": body(`{"loginUrl":"file:///etc/passwd","doneUrl":"REGISTRY/-/v1/done/1"}`)}), "login")),
		nobody(atTerminal(s("login where there is no browser login", with(anonymous, map[string]Reply{"POST /-/v1/login": {Status: 404, Body: "{}"}}), "login"), "Username:", "ann", "Password:", "pw")),
		nobody(atTerminal(s("login where the browser login is broken", with(anonymous, map[string]Reply{"POST /-/v1/login": {Status: 500, Body: "{}"}}), "login"), "Username:", "ann", "Password:", "pw")),
		nobody(s("login where the registry is down", with(anonymous, map[string]Reply{"POST /-/v1/login": {Status: 503, Body: "{}"}}), "login")),
		nobody(atTerminal(s("login with a name that is none at first", anonymous, "login", "--auth-type=legacy"), "Username:", "Ann", "Username:", "ann", "Password:", "pw")),
		nobody(atTerminal(s("login with a password and a one-time password", with(anonymous, map[string]Reply{
			"PUT /-/user/org.couchdb.user:ann": wantsOTP, "PUT /-/user/org.couchdb.user:ann otp=123456": {Status: 201, Body: `{"token":"npm_secret"}`}}), "login", "--auth-type=legacy"),
			append([]string{"Username:", "ann", "Password:", "pw"}, askOTP...)...)),
		nobody(asked(s("login as nobody", map[string]Reply{"PUT /-/user/org.couchdb.user:ann": {Status: 400, Body: `{"error":"no"}`}}, "login", "--auth-type=legacy"), "Username:", "ann", "Password:", "pw")),
		nobody(asked(s("login with a wrong password", map[string]Reply{"PUT /-/user/org.couchdb.user:ann": {Status: 401, Body: `{"error":"no"}`}}, "login", "--auth-type=legacy"), "Username:", "ann", "Password:", "pw")),
		config(s("login for a scope in the browser", anonymous, "login", "--scope=@s"), byHand),
		s("login by its other name", map[string]Reply{}, "adduser"),

		nobody(s("logout of nobody", organisation, "logout")),
		s("logout of a scope", organisation, "logout", "--scope=@s"),
		nobody(config(s("logout with a password", organisation, "logout"), "DART:username=ann\nDART:_password=cHc=\n")),
		s("logout that is refused", with(organisation, map[string]Reply{"DELETE /-/user/token/a-token": {Status: 403, Body: "{}"}}), "logout"),
		nobody(s("whoami of nobody", organisation, "whoami")),
		nobody(config(s("whoami with a password", organisation, "whoami"), "DART:username=ann\nDART:_password=cHc=\n")),
		s("whoami as JSON", organisation, "whoami", "--json"),
		s("whoami with an old token", map[string]Reply{"GET /-/whoami": {Status: 401, Body: "{}"}}, "whoami"),

		s("token nonsense", organisation, "token", "show"),
		s("token revoke nothing", organisation, "token", "revoke"),
		s("token revoke what is not there", organisation, "token", "revoke", "zzz"),
		s("token revoke what is ambiguous", with(organisation, map[string]Reply{"GET /-/npm/v1/tokens": body(`{"objects":[{"key":"ab1","token":"x"},{"key":"ab2","token":"y"}],"urls":{}}`)}), "token", "rm", "ab"),
		s("token revoke by the token", organisation, "token", "revoke", "npm_b2xyz"),
		s("token revoke two as JSON", with(organisation, map[string]Reply{"DELETE /-/npm/v1/tokens/token/bbbbbb2": {Status: 204}}), "token", "revoke", "aaaa", "bbbb", "--json"),
		s("token revoke for programs", organisation, "token", "delete", "aaaa", "--parseable"),
		s("token list of pages", with(organisation, map[string]Reply{
			"GET /-/npm/v1/tokens":        body(`{"objects":[{"key":"aaaaaaaa1","token":"npm_a","name":"one","created":"2020-01-01T00:00:00.000Z"}],"urls":{"next":"REGISTRY/-/npm/v1/tokens?page=1"}}`),
			"GET /-/npm/v1/tokens?page=1": body(`{"objects":[{"key":"aaaaaaab1","token":"npm_b","name":null,"created":"2020-01-02T00:00:00.000Z"}],"urls":{}}`)}), "token", "ls"),
		s("token list of none", with(organisation, map[string]Reply{"GET /-/npm/v1/tokens": body(`{"objects":[],"urls":{}}`)}), "token"),
		s("token create from where nobody is", organisation, "token", "create", "--password=pw", "--cidr=10.0.0.0/40"),
		s("token create for IPv6", organisation, "token", "create", "--password=pw", "--cidr=2001:db8::/32"),
		s("token create as JSON", organisation, "token", "create", "--password=pw", "--name=x", "--json"),
		s("token create for programs", organisation, "token", "create", "--password=pw", "--name=x", "--parseable"),
		s("token create for organizations", organisation, "token", "create", "--password=pw", "--name=x", "--orgs=s", "--orgs-permission=read-only", "--scopes=@s", "--packages-all", "--packages-and-scopes-permission=read-write"),
		s("token create that is refused", with(organisation, map[string]Reply{"POST /-/npm/v1/tokens": {Status: 403, Body: `{"error":"no"}`}}), "token", "create", "--password=pw", "--name=x"),

		s("profile without words", organisation, "profile"),
		s("profile nonsense", organisation, "profile", "show"),
		s("profile set nothing", organisation, "profile", "set"),
		s("profile set without a value", organisation, "profile", "set", "fullname"),
		s("profile set what cannot be", organisation, "profile", "set", "created", "now"),
		s("profile set a password openly", organisation, "profile", "set", "password", "pw"),
		s("profile set as JSON", organisation, "profile", "set", "fullname", "Ann", "--json"),
		s("profile set for programs", organisation, "profile", "set", "fullname", "Ann", "--parseable"),
		s("profile set to nothing", organisation, "profile", "set", "homepage", ""),
		asked(s("profile set password", organisation, "profile", "set", "password"), "Current password:", "old", "New password:", "new", "Again:", "new"),
		asked(s("profile set password after a slip", organisation, "profile", "set", "password"), "Current password:", "old", "New password:", "new", "Again:", "mew", "New password:", "new", "Again:", "new"),
		s("profile get with two factors", tfa(`{"pending":false,"mode":"auth-only"}`), "profile", "get"),
		s("profile get with two factors pending", tfa(`{"pending":true,"mode":"auth-only"}`), "profile", "get", "--parseable"),
		s("profile get two fields", organisation, "profile", "get", "name", "nothing", "email"),
		asked(s("profile enable-2fa", enrol, "profile", "enable-2fa"), "password:", "pw", "OTP code from your authenticator:", "123456"),
		asked(s("profile enable-2fa for logging in", enrol, "profile", "enable-tfa", "auth-only"), "password:", "pw", "OTP code from your authenticator:", "123456"),
		asked(s("profile enable-2fa in another mode", with(tfa(`{"pending":false,"mode":"auth-only"}`), map[string]Reply{"POST /-/npm/v1/user": body(`{"tfa":{"mode":"auth-and-writes"}}`)}), "profile", "enable-2fa"), "password:", "pw"),
		asked(s("profile enable-2fa again", with(tfa(`{"pending":true,"mode":"auth-only"}`), map[string]Reply{"POST /-/npm/v1/user": body(`{"tfa":{"mode":"auth-and-writes"}}`)}), "profile", "enable-2fa"), "password:", "pw"),
		s("profile enable-2fa that is enabled", tfa(`{"pending":false,"mode":"auth-and-writes"}`), "profile", "enable-2fa"),
		s("profile enable-2fa in a strange mode", organisation, "profile", "enable-2fa", "always"),
		s("profile enable-2fa as JSON", organisation, "profile", "enable-2fa", "--json"),
		nobody(s("profile enable-2fa of nobody", enrol, "profile", "enable-2fa")),
		nobody(config(asked(s("profile enable-2fa with a password", enrol, "profile", "enable-2fa"), "password:", "pw", "OTP code from your authenticator:", "123456"), "DART:username=ann\nDART:_password=cHc=\n")),
		asked(s("profile disable-2fa", tfa(`{"pending":false,"mode":"auth-only"}`), "profile", "disable-2fa"), "password:", "pw"),
		asked(s("profile disable-2fa as JSON", tfa(`{"pending":false,"mode":"auth-only"}`), "profile", "disable-2fa", "--json"), "password:", "pw"),
		s("profile disable-2fa that is not enabled", tfa(`null`), "profile", "disable-2fa"),
	}
}
