package registry_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/registry/registrytest"
)

// around runs a test of a fault: in a bubble, if the fault is that nothing happens.
func around(f registrytest.Fault) func(*testing.T, func(*testing.T, *fixture)) {
	if f.Kind == registrytest.Stall || f.Kind == registrytest.Silence || f.Kind == registrytest.Drip {
		return inBubble
	}
	return func(t *testing.T, test func(*testing.T, *fixture)) { test(t, setup(t)) }
}

func TestBrokenAnswersAreAskedForAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault registrytest.Fault
		slept []time.Duration
	}{
		{"a truncated body", registrytest.Fault{Kind: registrytest.Truncate, At: 100}, []time.Duration{10 * time.Second}},
		{"nothing but a head", registrytest.Fault{Kind: registrytest.Truncate}, []time.Duration{10 * time.Second}},
		{"a stalled body", registrytest.Fault{Kind: registrytest.Stall, At: 100}, []time.Duration{10 * time.Second}},
		{"a body that would take hours", registrytest.Fault{Kind: registrytest.Drip, At: 1, Delay: 29 * time.Second}, []time.Duration{10 * time.Second}},
		{"no answer at all", registrytest.Fault{Kind: registrytest.Silence}, []time.Duration{10 * time.Second}},
		{"a reset connection", registrytest.Fault{Kind: registrytest.Reset}, []time.Duration{10 * time.Second}},
		{"a reset within the body", registrytest.Fault{Kind: registrytest.Reset, At: 50}, []time.Duration{10 * time.Second}},
		{"a length that is too small", registrytest.Fault{Kind: registrytest.WrongLength}, []time.Duration{10 * time.Second}},
		{"half a document", registrytest.Fault{Kind: registrytest.Malformed}, []time.Duration{10 * time.Second}},
		{"a flipped bit", registrytest.Fault{Kind: registrytest.Corrupt}, []time.Duration{10 * time.Second}},
		{"a server's error", registrytest.Fault{Status: 503}, []time.Duration{10 * time.Second}},
		{"a request for patience", registrytest.Fault{Status: 429, RetryAfter: "7"}, []time.Duration{7 * time.Second}},
		{"a request for more patience than we have", registrytest.Fault{Status: 429, RetryAfter: "86400"}, []time.Duration{60 * time.Second}},
		{"a request for patience with rubbish", registrytest.Fault{Status: 420, RetryAfter: "soon"}, []time.Duration{10 * time.Second}},
		{"two errors", registrytest.Fault{Status: 500, Times: 2}, []time.Duration{10 * time.Second, 60 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			around(c.fault)(t, func(t *testing.T, f *fixture) {
				if c.fault.Times == 0 {
					c.fault.Times = 1
				}
				f.Fail(c.fault)
				p, err := f.client(t).Packument(t.Context(), "a")
				if err != nil {
					t.Fatal(err)
				}
				if !p.Has("2.0.0") {
					t.Error("the packument is wrong")
				}
				if got := f.clock.Slept(); !slices.Equal(got, c.slept) {
					t.Errorf("waited %v, want %v", got, c.slept)
				}
			})
		})
	}
}

func TestASlowAnswerIsNotAStalledOne(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.Fail(registrytest.Fault{Kind: registrytest.Drip, Delay: 29 * time.Second})
		// Eight pieces take longer than the idle time, each alone does not.
		start := time.Now()
		if _, err := f.client(t).Packument(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 2*time.Minute {
			t.Errorf("it took %v", took)
		}
		if n := f.Count("/a"); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// Whole minutes are npm's fetch-timeout, the pace is ibid's own.
func TestHowLongAnAnswerMayTake(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault registrytest.Fault
		size  int // bytes of the answer, and some
		says  string
		least time.Duration
		most  time.Duration
	}{
		{"a byte each second", registrytest.Fault{At: 1, Delay: time.Second}, 5000,
			"registry.example is too slow: 34 bytes of its answer came in 33s, less than 10 a second", 30 * time.Second, 40 * time.Second},
		{"a byte each four minutes", registrytest.Fault{At: 1, Delay: 4 * time.Minute}, 5000,
			"registry.example is too slow: 2 bytes of its answer came in 5m0s, less than 10 a second", 5 * time.Minute, 6 * time.Minute},
		{"a line of 5 KB a second", registrytest.Fault{At: 5000, Delay: time.Second}, 3_000_000, "", 7 * time.Minute, 8 * time.Minute},
		{"eighty connections that share a modem", registrytest.Fault{At: 60, Delay: time.Second}, 60_000, "", 12 * time.Minute, 14 * time.Minute},
		{"a line that is down for minutes, twice", registrytest.Fault{At: 10_000, Delay: 4 * time.Minute}, 30_000, "", 8 * time.Minute, 15 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				if err := f.Add(`{"name":"large","version":"1.0.0","readme":"`+noise(c.size)+`"}`, nil); err != nil {
					t.Fatal(err)
				}
				c.fault.Kind = registrytest.Drip
				f.Fail(c.fault)
				start := time.Now()
				_, err := f.client(t, func(o *registry.Options) { o.IdleTimeout, o.Retry.Count = 5*time.Minute, 0 }).Packument(t.Context(), "large")
				if took := time.Since(start); took < c.least || took > c.most {
					t.Errorf("it took %v", took)
				}
				if c.says == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if e := asError(t, err); e.Code() != "EIDLETIMEOUT" || e.Error() != "large: GET http://registry.example/large: "+c.says {
					t.Errorf("%s: %v", e.Code(), e)
				}
			})
		})
	}
}

// noise is a text that no encoding makes much shorter.
func noise(n int) string {
	b := make([]byte, n*3/4)
	r := rand.NewChaCha8([32]byte{})
	_, _ = r.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

func TestFailuresHaveNPMsCodes(t *testing.T) {
	for _, c := range []struct {
		name     string
		fault    registrytest.Fault
		code     string
		attempts int
		text     string
	}{
		{"not found", registrytest.Fault{Status: 404, Body: `{"error":"Not found"}`}, "E404", 1, "a: GET %sa: 404 Not Found"},
		{"unauthorized", registrytest.Fault{Status: 401}, "E401", 1, "a: GET %sa: 401 Unauthorized: broken on purpose"},
		{"one-time password by header", registrytest.Fault{Status: 401, Header: http.Header{"Www-Authenticate": {"OTP"}}}, "EOTP", 1, "a: GET %sa: a one-time password is required"},
		{"one-time password by text", registrytest.Fault{Status: 401, Body: `{"error":"You must provide a one-time pass."}`}, "EOTP", 1, "a: GET %sa: a one-time password is required"},
		{"address", registrytest.Fault{Status: 401, Header: http.Header{"Www-Authenticate": {"Basic, ipaddress"}}}, "EAUTHIP", 1, "a: GET %sa: login is not allowed from this IP address"},
		{"forbidden", registrytest.Fault{Status: 403, Body: "<html>no</html>"}, "E403", 1, "a: GET %sa: 403 Forbidden"},
		{"escape sequences", registrytest.Fault{Status: 400, Body: "{\"error\":\"\\u001b[2Jgone\\nline\\u202e\"}"}, "E400", 1, "a: GET %sa: 400 Bad Request: [2Jgone line"},
		{"server error", registrytest.Fault{Status: 502}, "E502", 3, "a: GET %sa: 502 Bad Gateway: broken on purpose (tried 3 times)"},
		{"silence", registrytest.Fault{Kind: registrytest.Silence}, "EIDLETIMEOUT", 3, "a: GET %sa: no answer from registry.example within 30s (fetch-timeout) (tried 3 times)"},
		{"stall", registrytest.Fault{Kind: registrytest.Stall, At: 10}, "EIDLETIMEOUT", 3, "a: GET %sa: registry.example sent nothing for 30s (fetch-timeout), after 10 bytes of its answer (tried 3 times)"},
		{"truncation", registrytest.Fault{Kind: registrytest.Truncate, At: 10}, "ECONNRESET", 3, "a: GET %sa: connection closed before the whole answer arrived (tried 3 times)"},
		{"a login page", registrytest.Fault{Kind: registrytest.HTML}, "FETCH_ERROR", 1, "a: GET %sa: the answer is HTML, not JSON"},
		{"nesting", registrytest.Fault{Kind: registrytest.Replace, Body: `{"x":` + strings.Repeat("[", 10_001)}, "FETCH_ERROR", 1, "a: GET %sa: the answer is nested more than 10000 levels deep at byte 10005"},
		{"redirect in circles", registrytest.Fault{Kind: registrytest.Redirect, Location: "%s"}, "EMAXREDIRECT", 1, "a: GET %sa: redirected more than 20 times"},
		{"redirect to nowhere", registrytest.Fault{Kind: registrytest.Redirect}, "EINVALIDREDIRECT", 1, "a: GET %sa: redirect without a location"},
		{"redirect to a file", registrytest.Fault{Kind: registrytest.Redirect, Location: "file:///etc/passwd"}, "EINVALIDREDIRECT", 1, "a: GET %sa: redirected to something that is not an http or https URL"},
		{"an encoding nobody asked for", registrytest.Fault{Kind: registrytest.Slow, Header: http.Header{"Content-Encoding": {"br"}}}, "EINVALIDRESPONSE", 3, "a: GET %sa: content-encoding is not understood: br (tried 3 times)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			around(c.fault)(t, func(t *testing.T, f *fixture) {
				f.Fail(c.fault)
				_, err := f.client(t).Packument(t.Context(), "a")
				e := asError(t, err)
				if e.Code() != c.code || e.Attempts != c.attempts {
					t.Errorf("%s after %d tries, want %s after %d", e.Code(), e.Attempts, c.code, c.attempts)
				}
				if want := strings.ReplaceAll(c.text, "%s", f.URL); e.Error() != want {
					t.Errorf("message is\n%s\nwant\n%s", e.Error(), want)
				}
			})
		})
	}
	t.Run("refused connection", func(t *testing.T) {
		f := setup(t)
		f.Close()
		_, err := f.client(t).Packument(t.Context(), "a")
		if e := asError(t, err); e.Code() != "ECONNREFUSED" || e.Attempts != 3 {
			t.Errorf("%s after %d tries", e.Code(), e.Attempts)
		}
	})
	t.Run("unknown authority", func(t *testing.T) {
		reg := registrytest.NewTLS(t)
		_, err := registry.New(registry.Options{Registry: reg.URL, Retry: npmRetry}).Packument(t.Context(), "a")
		if e := asError(t, err); e.Attempts != 1 || !strings.Contains(e.Code(), "CERT") {
			t.Errorf("%s after %d tries", e.Code(), e.Attempts)
		}
	})
	t.Run("a registry that is no URL", func(t *testing.T) {
		_, err := registry.New(registry.Options{Registry: "ftp://user:secret@x"}).Packument(t.Context(), "a")
		if e := asError(t, err); e.Code() != "ERR_INVALID_URL" || strings.Contains(err.Error(), "secret") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("a proxy that is none", func(t *testing.T) {
		_, err := registry.New(registry.Options{Registry: "http://127.0.0.1:1/", Proxy: registry.ProxyRules{Proxy: "ftp://u:secret@proxy"}, Retry: npmRetry}).Packument(t.Context(), "a")
		if e := asError(t, err); e.Code() != "EINVALIDPROXY" || strings.Contains(err.Error(), "secret") || e.Attempts != 1 {
			t.Errorf("error is %v", err)
		}
	})
}

func TestHintsSayWhatToDo(t *testing.T) {
	token := func(o *registry.Options) {
		o.Credentials = func(string, string) registry.Credentials { return registry.Credentials{Authorization: "Bearer t"} }
	}
	none := func(*registry.Options) {}
	for _, c := range []struct {
		name, pkg string
		fault     registrytest.Fault
		with      func(*registry.Options)
		want      string
	}{
		{"a private package without credentials", "@s/b", registrytest.Fault{Status: 404}, none, "no credentials were sent; if the package is private: ibid login --registry=%s"},
		{"a public name that is not there", "nothing", registrytest.Fault{Status: 404}, none, "ibid search nothing  finds names like it"},
		{"a name as nobody writes it", "Nothing", registrytest.Fault{Status: 404}, none, "names are in lower case, but for old ones: ibid view nothing"},
		{"refused credentials", "a", registrytest.Fault{Status: 401}, token, "the credentials for %h were refused: ibid login --registry=%s"},
		{"forbidden", "a", registrytest.Fault{Status: 403}, token, "ibid whoami shows whose credentials were sent"},
		{"patience", "a", registrytest.Fault{Status: 429, RetryAfter: "90"}, none, "%h asks to wait 1m30s"},
		{"a login page", "a", registrytest.Fault{Kind: registrytest.HTML}, none, "something answered in the place of %h: a login page or a proxy?"},
		{"nesting", "a", registrytest.Fault{Kind: registrytest.Replace, Body: `{"x":` + strings.Repeat("[", 10_001)}, none, "no package needs that: whoever runs %h can say where it is from"},
		{"a broken line", "a", registrytest.Fault{Kind: registrytest.Reset}, none, "ibid config get registry proxy https-proxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := setup(t)
			f.Fail(c.fault)
			_, err := f.client(t, c.with).Packument(t.Context(), c.pkg)
			got := ""
			if hints := asError(t, err).Hints(); len(hints) > 0 {
				got = hints[0]
			}
			host := strings.TrimSuffix(strings.TrimPrefix(f.URL, "http://"), "/")
			if want := strings.NewReplacer("%s", f.URL, "%h", host).Replace(c.want); got != want {
				t.Errorf("hint is %q, want %q", got, want)
			}
		})
	}
}

func TestAnAnswerThatIsNestedTooDeepIsNoLoginPage(t *testing.T) {
	f := setup(t)
	f.Fail(registrytest.Fault{Kind: registrytest.Replace, Body: strings.Repeat("[", 10_001)})
	res, err := f.client(t).Do(t.Context(), registry.Request{URL: f.URL + "a"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = res.JSON()
	e := asError(t, err)
	if !strings.Contains(e.Error(), "the answer is nested too deep: line 1, column 10001") || strings.Contains(strings.Join(e.Hints(), ""), "login") {
		t.Errorf("%v, hints %q", e, e.Hints())
	}
}

func TestSummaryIsNPMsSentence(t *testing.T) {
	challenge := func(text string) map[string][]string { return map[string][]string{"Www-Authenticate": {text}} }
	for _, c := range []struct {
		name  string
		fault registrytest.Fault
		want  string
	}{
		{"not found", registrytest.Fault{Status: 404, Body: `{"error":"Not found"}`}, "Not Found - GET %s - Not found"},
		{"forbidden", registrytest.Fault{Status: 403, Body: `{}`}, "403 Forbidden - GET %s"},
		{"a token that is refused", registrytest.Fault{Status: 401, Header: challenge(`Bearer realm="x"`), Body: `{}`}, "Unable to authenticate, your authentication token seems to be invalid."},
		{"a password that is refused", registrytest.Fault{Status: 401, Header: challenge("Basic"), Body: `{}`}, "Incorrect or missing password."},
		{"another way to log in", registrytest.Fault{Status: 401, Header: challenge("Negotiate"), Body: `{}`}, "Unable to authenticate, need: Negotiate"},
		{"a one-time password", registrytest.Fault{Status: 401, Header: challenge("OTP"), Body: `{"authUrl":"javascript:1","doneUrl":"x"}`}, "This operation requires a one-time password from your authenticator."},
		{"a yes in the browser", registrytest.Fault{Status: 401, Header: challenge("OTP"), Body: `{"authUrl":"https://r/1","doneUrl":"https://r/2"}`}, "This operation requires a one-time password."},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := setup(t)
			c.fault.Kind = registrytest.Replace
			f.Fail(c.fault)
			_, err := f.client(t).Packument(t.Context(), "a")
			if got, want := asError(t, err).Summary(), strings.ReplaceAll(c.want, "%s", f.URL+"a"); got != want {
				t.Errorf("summary is %s", got)
			}
		})
	}
}

func TestCancellingIsNotAFailureOfTheRegistry(t *testing.T) {
	f := setup(t)
	f.Fail(registrytest.Fault{Kind: registrytest.Silence})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := f.client(t).Do(ctx, registry.Request{URL: "a"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

func TestPostIsTriedOnce(t *testing.T) {
	f := setup(t)
	for _, fault := range []registrytest.Fault{{Status: 500}, {Kind: registrytest.Reset}} {
		f.ResetRequests()
		f.Heal()
		f.Fail(fault)
		if _, err := f.client(t).Do(t.Context(), registry.Request{Method: "POST", URL: "-/x", Body: []byte("{}")}); err == nil {
			t.Error("no error")
		}
		if n := len(f.Requests()); n != 1 {
			t.Errorf("%d requests", n)
		}
	}
	f.ResetRequests()
	if _, err := f.client(t).Do(t.Context(), registry.Request{Method: "PUT", URL: "-/x", Body: []byte("{}")}); err == nil || len(f.Requests()) != 3 {
		t.Errorf("PUT was tried %d times, %v", len(f.Requests()), err)
	}
}

func TestRequestsHaveNPMsHeaders(t *testing.T) {
	f := setup(t)
	c := f.client(t, func(o *registry.Options) {
		o.UserAgent, o.AuthType, o.Command, o.Scope, o.Session, o.OTP = "npm/11 node/v20", "web", "install", "@s", "abc", "123456"
		o.Credentials = func(string, string) registry.Credentials { return registry.Credentials{Authorization: "Bearer t"} }
		o.Headers = http.Header{"X-Mine": {"1"}}
	})
	if _, err := c.Packument(t.Context(), "@s/b"); err != nil {
		t.Fatal(err)
	}
	h := f.Requests()[0].Header
	for k, v := range map[string]string{
		"User-Agent": "npm/11 node/v20", "Npm-Auth-Type": "web", "Npm-Command": "install", "Npm-Scope": "@s", "Npm-Session": "abc",
		"Npm-Otp": "123456", "Authorization": "Bearer t", "Accept": "application/json", "Accept-Encoding": "gzip,deflate",
		"Pacote-Req-Type": "packument", "Pacote-Pkg-Id": "registry:@s/b", "X-Mine": "1",
	} {
		if h.Get(k) != v {
			t.Errorf("%s is %q, want %q", k, h.Get(k), v)
		}
	}
	body := []byte(`{"a":1}`)
	if _, err := c.Do(t.Context(), registry.Request{Method: "PUT", URL: "-/package/a/dist-tags/x", Body: body, Gzip: true, OTP: "7", Query: url.Values{"w": {"1"}}}); err == nil {
		t.Error("gzipped body was understood")
	}
	q := f.Requests()[len(f.Requests())-1]
	if q.Header.Get("Content-Type") != "application/json" || q.Header.Get("Content-Encoding") != "gzip" || q.Header.Get("Npm-Otp") != "7" || !strings.HasSuffix(q.URI, "?w=1") {
		t.Errorf("request is %+v", q)
	}
}

// What is no registry's gets nothing that is a registry's.
func TestARequestElsewhereIsPlain(t *testing.T) {
	f, away := setup(t), registrytest.New(t)
	c := f.client(t, func(o *registry.Options) {
		o.UserAgent, o.AuthType, o.Command, o.Scope, o.Session, o.OTP = "npm/11 node/v20", "web", "publish", "@s", "abc", "123456"
		o.Credentials = func(string, string) registry.Credentials { return registry.Credentials{Authorization: "Bearer t"} }
		o.Headers = http.Header{"X-Mine": {"1"}}
	})
	r := registry.Request{Method: "POST", URL: f.URL + "x", Body: []byte(`{"token":"secret"}`), Elsewhere: true}
	f.Fail(registrytest.Fault{Status: 503})
	if _, err := c.Do(t.Context(), r); err == nil {
		t.Error("no error")
	}
	if n := len(f.Requests()); n != 3 {
		t.Errorf("tried %d times", n)
	}
	for k := range f.Requests()[0].Header {
		switch k {
		case "User-Agent", "Accept", "Accept-Encoding", "Content-Type", "Content-Length":
		default:
			t.Errorf("%s is sent", k)
		}
	}
	f.Heal()
	f.Fail(registrytest.Fault{Kind: registrytest.Redirect, Status: 307, Location: strings.Replace(away.URL, "127.0.0.1", "localhost", 1) + "x"})
	_, err := c.Do(t.Context(), r)
	if e := asError(t, err); e.ErrCode != "EINVALIDREDIRECT" || len(away.Requests()) > 0 {
		t.Errorf("%v, and %d requests elsewhere", err, len(away.Requests()))
	}
}

// A secret that is part of an address is sent and shown nowhere.
func TestASecretInAnAddressIsNotShown(t *testing.T) {
	f := setup(t)
	var log strings.Builder
	var events []registry.Event
	c := f.client(t, func(o *registry.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Report = func(e registry.Event) { events = append(events, e) }
	})
	const secret = "to/ken"
	f.Fail(registrytest.Fault{Kind: registrytest.Replace, Method: "DELETE", Status: 403, Body: `{"error":"to/ken is not yours"}`})
	_, err := c.Do(t.Context(), registry.Request{Method: "DELETE", URL: "/-/user/token/" + url.PathEscape(secret), Secret: secret})
	if e := asError(t, err); !strings.Contains(e.URL, "/token/***") || !strings.Contains(e.Message, "*** is not yours") {
		t.Errorf("the error has %s, %s", e.URL, e.Message)
	}
	if r := f.Requests(); len(r) != 1 || r[0].URI != "/-/user/token/to%2Fken" {
		t.Errorf("sent %v", r)
	}
	if all := fmt.Sprint(err, log.String(), events); strings.Contains(all, "to/ken") || strings.Contains(all, "to%2Fken") || log.Len() == 0 || len(events) == 0 {
		t.Error(all)
	}
}

// A registry that says back what it was sent does not get it into a message.
func TestCredentialsThatAServerSaysBackAreNotShown(t *testing.T) {
	const password = "pass-word"
	basic := base64.StdEncoding.EncodeToString([]byte("ann:" + password))
	for authorization, secrets := range map[string][]string{
		"Bearer a-long-token": {"a-long-token"},
		"Basic " + basic:      {basic, password},
	} {
		for _, body := range []string{`{"error":"no to `, `no to `} { // as JSON, and as text
			f := setup(t)
			c := f.client(t, func(o *registry.Options) {
				o.Credentials = func(string, string) registry.Credentials { return registry.Credentials{Authorization: authorization} }
			})
			text := body + strings.Join(secrets, " or ")
			if strings.HasPrefix(text, "{") {
				text += `"}`
			}
			f.Fail(registrytest.Fault{Kind: registrytest.Replace, Method: "PUT", Status: 403, Body: text})
			_, err := c.Do(t.Context(), registry.Request{Method: "PUT", URL: "/a", Package: "a", Body: []byte("{}")})
			e := asError(t, err)
			said := strings.Join(append(append(e.Detail(), e.Hints()...), err.Error(), string(e.Body)), "\n")
			if !strings.Contains(said, "no to ***") {
				t.Errorf("said %s", said)
			}
			for _, s := range secrets {
				if strings.Contains(said, s) {
					t.Errorf("%s is in\n%s", s, said)
				}
			}
		}
	}
}

func TestCredentialsStayWithTheirHost(t *testing.T) {
	home, away := setup(t), registrytest.New(t)
	if err := away.Add(`{"name":"a","version":"5.0.0"}`, nil); err != nil {
		t.Fatal(err)
	}
	awayURL := strings.Replace(away.URL, "127.0.0.1", "localhost", 1)
	creds := func(o *registry.Options) {
		o.OTP = "123456"
		o.Credentials = func(requestURL, _ string) registry.Credentials {
			if strings.HasPrefix(requestURL, home.URL) {
				return registry.Credentials{Authorization: "Bearer secret"}
			}
			return registry.Credentials{}
		}
	}
	t.Run("when a packument redirects away", func(t *testing.T) {
		home.Fail(registrytest.Fault{Kind: registrytest.Redirect, Location: strings.TrimSuffix(awayURL, "/") + "%s", Path: "/a"})
		defer home.Heal()
		if _, err := home.client(t, creds).Packument(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if got := home.Requests()[0].Header.Get("Authorization"); got != "Bearer secret" {
			t.Errorf("own host got %q", got)
		}
		for _, h := range []string{"Authorization", "Npm-Otp", "Cookie"} {
			if got := away.Requests()[0].Header.Get(h); got != "" {
				t.Errorf("other host got %s %q", h, got)
			}
		}
	})
	t.Run("even when it redirects back", func(t *testing.T) {
		home.ResetRequests()
		home.Fail(registrytest.Fault{Kind: registrytest.Redirect, Location: awayURL + "a/-/a-5.0.0.tgz", Path: "/a/-/a-1.0.0.tgz"})
		away.Fail(registrytest.Fault{Kind: registrytest.Redirect, Location: home.URL + "a/-/a-1.1.0.tgz"})
		defer home.Heal()
		defer away.Heal()
		if _, err := home.client(t, creds).ReadTarball(t.Context(), registry.TarballRequest{URL: home.URL + "a/-/a-1.0.0.tgz"}, nil); err != nil {
			t.Fatal(err)
		}
		log := home.Requests()
		if got := log[len(log)-1].Header.Get("Authorization"); got != "" {
			t.Errorf("after the way back the header is %q", got)
		}
	})
	t.Run("when a tarball is elsewhere", func(t *testing.T) {
		away.ResetRequests()
		if _, err := home.client(t, creds).ReadTarball(t.Context(), registry.TarballRequest{URL: awayURL + "a/-/a-5.0.0.tgz"}, nil); err != nil {
			t.Fatal(err)
		}
		if got := away.Requests()[0].Header.Get("Authorization"); got != "" {
			t.Errorf("other host got %q", got)
		}
	})
	t.Run("the one-time password too", func(t *testing.T) {
		away.ResetRequests()
		if _, err := home.client(t, creds).ReadTarball(t.Context(), registry.TarballRequest{URL: awayURL + "a/-/a-5.0.0.tgz"}, nil); err != nil {
			t.Fatal(err)
		}
		if got := away.Requests()[0].Header.Get("Npm-Otp"); got != "" {
			t.Errorf("other host got %q", got)
		}
	})
	t.Run("a token in the address too", func(t *testing.T) {
		away.ResetRequests()
		home.Fail(registrytest.Fault{Kind: registrytest.Redirect, Status: 307, Location: awayURL + "-/user/token/s3cret"})
		defer home.Heal()
		_, err := home.client(t, creds).Do(t.Context(), registry.Request{Method: "DELETE", URL: "/-/user/token/s3cret", Secret: "s3cret"})
		if got := len(away.Requests()); got != 0 || err == nil || asError(t, err).ErrCode != "EINVALIDREDIRECT" {
			t.Errorf("%d requests, %v", got, err)
		}
	})
	t.Run("a password in what is sent too", func(t *testing.T) {
		for _, c := range []struct {
			method string
			status int
			public bool
			gets   int // requests of the other host
		}{
			{"PUT", 307, false, 0}, {"PUT", 301, false, 0}, {"POST", 308, false, 0}, {"POST", 307, true, 1}, {"POST", 302, false, 1}, {"PUT", 303, false, 1},
		} {
			away.ResetRequests()
			home.Fail(registrytest.Fault{Kind: registrytest.Redirect, Status: c.status, Location: awayURL + "a"})
			_, err := home.client(t, creds).Do(t.Context(), registry.Request{Method: c.method, URL: "/-/user/x", Body: []byte("hunter2"), Public: c.public})
			home.Heal()
			if got := len(away.Requests()); got != c.gets || (c.gets == 0) != (err != nil && asError(t, err).ErrCode == "EINVALIDREDIRECT") {
				t.Errorf("%s %d: %d requests, %v", c.method, c.status, got, err)
			}
		}
	})
	t.Run("when the same host goes on without TLS", func(t *testing.T) {
		safe := registrytest.NewTLS(t)
		safe.Fail(registrytest.Fault{Kind: registrytest.Redirect, Location: home.URL + "a/-/a-1.0.0.tgz"})
		home.ResetRequests()
		c := registry.New(registry.Options{
			Registry: safe.URL, Roots: trust([]string{safe.Certificate()}, nil),
			Credentials: func(string, string) registry.Credentials { return registry.Credentials{Authorization: "Bearer secret"} },
		})
		defer c.Close()
		if _, err := c.ReadTarball(t.Context(), registry.TarballRequest{URL: safe.URL + "a/-/a-1.0.0.tgz"}, nil); err != nil {
			t.Fatal(err)
		}
		if got := safe.Requests()[0].Header.Get("Authorization"); got != "Bearer secret" {
			t.Errorf("over TLS it got %q", got)
		}
		if got := home.Requests()[0].Header.Get("Authorization"); got != "" {
			t.Errorf("in plain text it got %q", got)
		}
	})
	t.Run("in messages", func(t *testing.T) {
		c := home.client(t, func(o *registry.Options) {
			o.Registry = strings.Replace(home.URL, "://", "://user:hunter2@", 1)
			o.Report = func(e registry.Event) {
				if strings.Contains(e.URL, "hunter2") {
					t.Errorf("event has %s", e.URL)
				}
			}
		})
		home.ResetRequests()
		_, err := c.Packument(t.Context(), "nothing")
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(asError(t, err).Summary(), "hunter2") {
			t.Errorf("error is %v", err)
		}
		if got := home.Requests()[0].Header.Get("Authorization"); got != "Basic dXNlcjpodW50ZXIy" {
			t.Errorf("header is %q", got)
		}
	})
	t.Run("and the scope's key is named when it was not used", func(t *testing.T) {
		c := home.client(t, func(o *registry.Options) {
			o.Credentials = func(string, string) registry.Credentials { return registry.Credentials{ScopeKey: "//reg/"} }
		})
		_, err := c.Packument(t.Context(), "nothing")
		if e := asError(t, err); e.NeedsAuth != "//reg/" {
			t.Errorf("key is %q", e.NeedsAuth)
		}
	})
}

func TestTLS(t *testing.T) {
	reg := registrytest.NewTLS(t)
	if err := reg.Add(`{"name":"a","version":"1.0.0"}`, nil); err != nil {
		t.Fatal(err)
	}
	pem := reg.Certificate()
	for _, c := range []struct {
		name string
		o    registry.Options
		ok   bool
	}{
		{"ca replaces the roots", registry.Options{Roots: trust([]string{pem}, nil)}, true},
		{"ca with nothing trusts nothing", registry.Options{Roots: trust([]string{}, nil)}, false},
		{"extra ca adds", registry.Options{Roots: trust(nil, []string{pem})}, true},
		{"strict-ssl=false trusts all", registry.Options{InsecureTLS: true}, true},
		{"else it is unknown", registry.Options{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Registry = reg.URL
			client := registry.New(c.o)
			defer client.Close()
			if _, err := client.Packument(t.Context(), "a"); (err == nil) != c.ok {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestTarballs(t *testing.T) {
	f := setup(t)
	want, _ := f.TarballOf("a", "1.0.0")
	url := f.URL + "a/-/a-1.0.0.tgz"
	t.Run("stream", func(t *testing.T) {
		c := f.client(t)
		for range 3 {
			body, err := c.Tarball(t.Context(), registry.TarballRequest{URL: url, Package: "a", ID: "registry:a@" + url, Integrity: "sha512-x"})
			if err != nil {
				t.Fatal(err)
			}
			if body.Size != int64(len(want)) {
				t.Errorf("size is %d", body.Size)
			}
			got, err := io.ReadAll(body)
			if err != nil || string(got) != string(want) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if err := body.Close(); err != nil {
				t.Error(err)
			}
		}
		h := f.Requests()[0].Header
		if h.Get("Pacote-Req-Type") != "tarball" || h.Get("Pacote-Integrity") != "sha512-x" || h.Get("Pacote-Pkg-Id") != "registry:a@"+url {
			t.Errorf("headers are %v", h)
		}
	})
	t.Run("a stream that is closed early ends", func(t *testing.T) {
		f.Fail(registrytest.Fault{Kind: registrytest.Stall, At: 10})
		defer f.Heal()
		body, err := f.client(t, func(o *registry.Options) { o.IdleTimeout = time.Hour }).Tarball(t.Context(), registry.TarballRequest{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { _ = body.Close(); close(done) }()
		select {
		case <-done:
		case <-time.After(time.Minute): // a machine with much to do may pause
			t.Fatal("it does not end")
		}
	})
	t.Run("a stream that breaks says so", func(t *testing.T) {
		for kind, code := range map[registrytest.Kind]string{registrytest.Truncate: "ECONNRESET", registrytest.Stall: "EIDLETIMEOUT"} {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.Fail(registrytest.Fault{Kind: kind, At: 10})
				body, err := f.client(t).Tarball(t.Context(), registry.TarballRequest{URL: f.URL + "a/-/a-1.0.0.tgz", Package: "a"})
				if err != nil {
					t.Fatal(err)
				}
				_, err = io.ReadAll(body)
				if e := asError(t, err); e.Code() != code || e.Package != "a" {
					t.Errorf("error is %v", err)
				}
				_ = body.Close()
			})
		}
	})
	t.Run("read whole, after three broken tries", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.Fail(registrytest.Fault{Kind: registrytest.Truncate, At: 100, Times: 1})
			f.Fail(registrytest.Fault{Kind: registrytest.Stall, At: 20, Times: 1})
			want, _ := f.TarballOf("a", "1.0.0")
			got, err := f.client(t).ReadTarball(t.Context(), registry.TarballRequest{URL: f.URL + "a/-/a-1.0.0.tgz"}, func(n int) []byte { return make([]byte, 0, 2*n) })
			if err != nil || string(got) != string(want) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	})
	t.Run("too large", func(t *testing.T) {
		_, err := f.client(t).ReadTarball(t.Context(), registry.TarballRequest{URL: url, MaxSize: 10}, nil)
		if e := asError(t, err); e.Code() != "EFBIG" || e.Attempts != 1 {
			t.Errorf("error is %v", err)
		}
	})
}

func TestOfflineAsksNobody(t *testing.T) {
	f := setup(t)
	c := f.client(t, func(o *registry.Options) { o.Mode = registry.Offline })
	_, err := c.ReadTarball(t.Context(), registry.TarballRequest{URL: f.URL + "a/-/a-1.0.0.tgz"}, nil)
	if e := asError(t, err); e.Code() != "ENOTCACHED" {
		t.Errorf("tarball: %v", err)
	}
	_, err = c.Do(t.Context(), registry.Request{URL: "-/whoami"})
	if e := asError(t, err); e.Code() != "ENOTCACHED" {
		t.Errorf("question: %v", err)
	}
	if n := len(f.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestProxyRulesAreNPMs(t *testing.T) {
	for _, c := range []struct {
		name, url string
		rules     registry.ProxyRules
		want      string
	}{
		{"nothing", "https://r.example/", registry.ProxyRules{}, ""},
		{"the setting holds for both schemes", "http://r.example/", registry.ProxyRules{Proxy: "http://p:1"}, "http://p:1"},
		{"the setting wins over the environment", "https://r.example/", registry.ProxyRules{Proxy: "http://p:1", EnvHTTPSProxy: "http://e:1"}, "http://p:1"},
		{"HTTPS_PROXY holds for plain requests too", "http://r.example/", registry.ProxyRules{EnvHTTPSProxy: "http://e:1", EnvHTTPProxy: "http://f:1"}, "http://e:1"},
		{"HTTP_PROXY alone is not for https", "https://r.example/", registry.ProxyRules{EnvHTTPProxy: "http://f:1", EnvProxy: "http://g:1"}, ""},
		{"HTTP_PROXY is for http", "http://r.example/", registry.ProxyRules{EnvHTTPProxy: "http://f:1", EnvProxy: "http://g:1"}, "http://f:1"},
		{"PROXY is for http", "http://r.example/", registry.ProxyRules{EnvProxy: "http://g:1"}, "http://g:1"},
		{"socks", "https://r.example/", registry.ProxyRules{Proxy: "socks5://p:1"}, "socks5://p:1"},
		{"noproxy by suffix", "https://a.r.example/", registry.ProxyRules{Proxy: "http://p:1", NoProxy: []string{"r.example"}}, ""},
		{"noproxy with a dot", "https://r.example/", registry.ProxyRules{Proxy: "http://p:1", NoProxy: []string{".example"}}, ""},
		{"noproxy matches whole segments", "https://xr.example/", registry.ProxyRules{Proxy: "http://p:1", NoProxy: []string{"r.example"}}, "http://p:1"},
		{"noproxy has no stars", "https://r.example/", registry.ProxyRules{Proxy: "http://p:1", NoProxy: []string{"*"}}, "http://p:1"},
		{"no_proxy of the environment", "https://r.example/", registry.ProxyRules{Proxy: "http://p:1", EnvNoProxy: "x.y, r.example"}, ""},
		{"noproxy replaces no_proxy", "https://r.example/", registry.ProxyRules{Proxy: "http://p:1", NoProxy: []string{"z"}, EnvNoProxy: "r.example"}, "http://p:1"},
		{"localhost is no exception", "http://localhost:4873/", registry.ProxyRules{Proxy: "http://p:1"}, "http://p:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			p, err := c.rules.For(u)
			got := ""
			if p != nil {
				got = p.String()
			}
			if got != c.want || err != nil {
				t.Errorf("proxy is %q, %v", got, err)
			}
		})
	}
}

func TestARequestGoesThroughTheProxy(t *testing.T) {
	f := setup(t)
	// The fixture is the proxy: it sees the other registry's absolute URL.
	c := f.client(t, func(o *registry.Options) {
		o.Registry = "http://registry.example.invalid/"
		o.Proxy = registry.ProxyRules{Proxy: f.URL}
	})
	if _, err := c.Packument(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := f.Requests()[0].URI; got != "http://registry.example.invalid/a" {
		t.Errorf("the proxy was asked for %s", got)
	}
}

func TestRetryWaitsAsNPMDoes(t *testing.T) {
	r := registry.Retry{Count: 5, Factor: 10, MinTimeout: 10 * time.Second, MaxTimeout: time.Minute}
	var got []time.Duration
	for n := range 4 {
		got = append(got, r.Wait(n))
	}
	if want := []time.Duration{10 * time.Second, time.Minute, time.Minute, time.Minute}; !slices.Equal(got, want) {
		t.Errorf("waits are %v", got)
	}
	if w := (registry.Retry{Factor: 1e9, MinTimeout: time.Hour}).Wait(1 << 20); w < 0 {
		t.Errorf("wait is %v", w)
	}
}

func TestHostReplacer(t *testing.T) {
	const npm = "https://registry.npmjs.org/a/-/a-1.0.0.tgz"
	for _, c := range []struct{ name, resolved, registry, replace, want string }{
		{"npm's host by default", npm, "https://mirror.example/", "", "https://mirror.example/a/-/a-1.0.0.tgz"},
		{"npm's host by name", npm, "https://mirror.example/", "npmjs", "https://mirror.example/a/-/a-1.0.0.tgz"},
		{"port and scheme of the registry", npm, "http://127.0.0.1:4873/", "npmjs", "http://127.0.0.1:4873/a/-/a-1.0.0.tgz"},
		{"the registry's path comes before", npm, "https://mirror.example/npm/", "npmjs", "https://mirror.example/npm/a/-/a-1.0.0.tgz"},
		{"but only once", "https://registry.npmjs.org/npm/a/-/a-1.0.0.tgz", "https://mirror.example/npm/", "npmjs", "https://mirror.example/npm/a/-/a-1.0.0.tgz"},
		{"never", npm, "https://mirror.example/", "never", npm},
		{"another host", "https://other.example/a.tgz", "https://mirror.example/", "npmjs", "https://other.example/a.tgz"},
		{"always", "https://other.example:8/a.tgz?x=1", "https://mirror.example/", "always", "https://mirror.example/a.tgz?x=1"},
		{"a host's name", "https://other.example:8/a.tgz", "https://mirror.example/", "other.example", "https://mirror.example/a.tgz"},
		{"a URL with a path", "https://other.example/old/a/-/a.tgz", "https://mirror.example/new/", "https://other.example/old/", "https://mirror.example/new/a/-/a.tgz"},
		{"a URL with another path", "https://other.example/older/a.tgz", "https://mirror.example/new/", "https://other.example/old", "https://other.example/older/a.tgz"},
		{"escapes stay", "https://registry.npmjs.org/@s%2fa/-/a-1.0.0.tgz", "https://mirror.example/", "npmjs", "https://mirror.example/@s%2fa/-/a-1.0.0.tgz"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := registry.NewHostReplacer(c.registry, c.replace).Replace(c.resolved)
			if got != c.want || !ok {
				t.Errorf("got %s, %v", got, ok)
			}
			// What makes a URL less plain changes nothing else.
			if got, ok := registry.NewHostReplacer(c.registry, c.replace).Replace(c.resolved + "#"); strings.TrimSuffix(got, "#") != c.want || !ok {
				t.Errorf("with a fragment: got %s, %v", got, ok)
			}
		})
	}
	if _, ok := registry.NewHostReplacer("https://mirror.example/", "npmjs").Replace("not a url"); ok {
		t.Error("what is no URL was taken for one")
	}
	if _, ok := registry.NewHostReplacer("not a url", "npmjs").Replace(npm); ok {
		t.Error("a registry that is no URL was taken for one")
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"https://u:p@h/x":                     "https://u:***@h/x",
		"https://token@h/x":                   "https://***@h/x",
		"https://h/x?a=1&token=s&Signature=t": "https://h/x?a=1&token=***&Signature=***",
		"http://u:p@h:bad port/":              "http://***@h:bad port/",
		"https://h/x":                         "https://h/x",
	} {
		if got := registry.Redact(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func TestEscapeName(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "@s/a": "@s%2fa", "a.b-c_d~e": "a.b-c_d~e", "../etc": "..%2fetc", "..": "%2e%2e", "a?b#c": "a%3fb%23c", "@s/../x": "@s%2f..%2fx", "a b": "a%20b",
	} {
		if got := registry.EscapeName(in); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func addSixty(t *testing.T, reg *registrytest.Registry) {
	t.Helper()
	for i := range 60 {
		if err := reg.Add(fmt.Sprintf(`{"name":"p%d","version":"1.0.0"}`, i), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// askForSixty asks for all of them at once.
func askForSixty(t *testing.T, c *registry.Client) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			if _, err := c.Packument(t.Context(), fmt.Sprintf("p%d", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestManyRequestsShareAnHTTP2Connection(t *testing.T) {
	reg := registrytest.NewTLS(t)
	addSixty(t, reg)
	c := registry.New(registry.Options{Registry: reg.URL, Roots: trust([]string{reg.Certificate()}, nil), MaxSockets: 2, IdleTimeout: 10 * time.Second})
	defer c.Close()
	askForSixty(t, c)
	for _, q := range reg.Requests() {
		if q.Proto != "HTTP/2.0" {
			t.Fatalf("a request came by %s", q.Proto)
		}
	}
}

func TestNoMoreConnectionsThanAllowed(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		addSixty(t, f.Registry)
		// Each answer takes a while; those who queue for longer than the idle time
		// must not be taken for stalled.
		f.Delay(func(string) time.Duration { return 20 * time.Second })
		c := f.client(t, func(o *registry.Options) { o.MaxSockets = 3 })
		askForSixty(t, c)
		from := map[string]bool{}
		for _, q := range f.Requests() {
			from[q.From] = true
		}
		if len(from) != 3 || len(f.Requests()) != 60 {
			t.Errorf("%d connections, %d requests", len(from), len(f.Requests()))
		}
	})
}

func TestEventsTellWhatHappens(t *testing.T) {
	f := setup(t)
	f.Fail(registrytest.Fault{Status: 503, Times: 1})
	var mu sync.Mutex
	var got []string
	c := f.client(t, func(o *registry.Options) {
		o.Report = func(e registry.Event) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprintf("%d %s %d #%d", e.Kind, e.Package, e.Status, e.Attempt))
		}
	})
	if _, err := c.Packument(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		fmt.Sprintf("%d a 0 #1", registry.RequestStarted), fmt.Sprintf("%d a 503 #1", registry.RequestRetried),
		fmt.Sprintf("%d a 0 #2", registry.RequestStarted), fmt.Sprintf("%d a 200 #2", registry.RequestDone),
	}
	if !slices.Equal(got, want) {
		t.Errorf("events are %q", got)
	}
}

func trust(own, extra []string) func() ([]string, []string, error) {
	return func() ([]string, []string, error) { return own, extra, nil }
}
