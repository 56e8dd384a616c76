package registry

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// Request is one call of a registry's API.
type Request struct {
	Method string // "" is GET
	// URL is absolute, or a path that is joined to Registry.
	URL      string
	Registry string // "" is the registry of Package
	Package  string // the package it is about, for its registry and for messages

	Query  url.Values // added to URL's own
	Header http.Header
	// Body is sent as it is, or gzipped where Gzip says so. Its Content-Type
	// is application/json unless Header has another.
	Body []byte
	Gzip bool
	OTP  string // instead of Options.OTP

	// Credentials replaces what the configuration has for the URL (npm's
	// forceAuth); nil asks the configuration.
	Credentials *Credentials

	// Elsewhere says that URL is no registry's: Fulcio's, a CI service's. It gets
	// none of npm's headers, no one-time password, no credentials but Credentials,
	// and may not send the request on to another host. A POST is tried again like
	// any other request.
	Elsewhere bool

	// Public says that Body has nothing of anybody's in it. Only such a body follows
	// a redirect to another host: others have passwords.
	Public bool

	Secret string // what of URL is nobody's business: *** in messages, events and the log

	MaxBody int64 // bytes that the decoded answer may have; 0 is Options.MaxDocument
	NoRetry bool  // tries once; POST always does

	target string // URL, absolute
	sent   string // the Authorization that went with it
	otp    string // the one-time password that goes with it
	stream bool   // consume takes the body over, and reports when it is done with
}

// Response is the whole answer to a Request.
type Response struct {
	Status int // below 400
	Header http.Header
	Body   []byte // decoded
	URL    string // after redirects, redacted

	method, pkg string
}

// JSON parses the body. What is no JSON, and an empty answer to a GET, is an *Error:
// a login page must not count as "there are none". What was changed needs no answer,
// so that an empty one is undefined there.
func (r *Response) JSON() (jsjson.Value, error) {
	failure := &Error{ErrCode: "FETCH_ERROR", Method: r.method, URL: r.URL, Package: r.pkg, final: true}
	if len(bytes.TrimSpace(r.Body)) == 0 {
		if r.method != http.MethodGet {
			return jsjson.Value{}, nil
		}
		failure.Message = "the answer is empty"
		return jsjson.Value{}, failure
	}
	v, err := jsjson.Parse(r.Body)
	if err != nil {
		failure.Message, failure.Err = "the answer is no JSON", err
		if syntax := (*jsjson.SyntaxError)(nil); errors.As(err, &syntax) && syntax.TooDeep() {
			failure.Message = "the answer is nested too deep"
		}
		return jsjson.Value{}, failure
	}
	return v, nil
}

// Do sends a request and reads the whole answer. A status of 400 or more is an
// *Error, as is every failure but the context's own end.
//
// After a PUT, POST or DELETE that a registry accepted, what was known of the
// package is asked for anew.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	var res *Response
	err := c.fetch(ctx, &r, func(h *http.Response) error {
		limit := r.MaxBody
		if limit <= 0 {
			limit = c.opts.MaxDocument
		}
		body, err := readDecoded(h, limit)
		if err != nil {
			return err
		}
		res = &Response{Status: h.StatusCode, Header: h.Header, Body: body, URL: r.hide(redactURL(h.Request.URL)), method: r.method(), pkg: r.Package}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if r.Package != "" && r.method() != http.MethodGet && r.method() != http.MethodHead {
		c.forget(r.Package)
	}
	return res, nil
}

func (r *Request) method() string {
	if r.Method == "" {
		return http.MethodGet
	}
	return strings.ToUpper(r.Method)
}

// hide puts *** in the place of the secret, as it is or as it stands in a URL, and
// of the credentials that were sent: a server may say them back.
func (r *Request) hide(text string) string {
	for _, s := range append(sentSecrets(r.sent), r.Secret) {
		if s != "" {
			text = strings.NewReplacer(s, "***", url.PathEscape(s), "***", url.QueryEscape(s), "***").Replace(text)
		}
	}
	return text
}

// sentSecrets are the secrets in an Authorization header, unless they are so
// short that they are parts of words.
func sentSecrets(authorization string) []string {
	scheme, value, _ := strings.Cut(authorization, " ")
	all := []string{value}
	if strings.EqualFold(scheme, "Basic") {
		if pair, err := base64.StdEncoding.DecodeString(value); err == nil {
			_, password, _ := strings.Cut(string(pair), ":")
			all = append(all, password)
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < 6 })
}

// fetch sends r until it is answered, tries used up or ctx done, and calls
// consume with an answer below 400; what consume fails to read is tried again
// like any other network failure. Unless r.stream says so consume must not keep
// the body.
func (c *Client) fetch(ctx context.Context, r *Request, consume func(*http.Response) error) error {
	registry := r.Registry
	if registry == "" {
		registry = c.RegistryOf(r.Package)
	}
	u, err := r.address(registry)
	if err != nil {
		return err
	}
	shown := r.hide(redactURL(u))
	if m := r.method(); c.opts.Mode == Offline && (m == http.MethodGet || m == http.MethodHead) {
		// What the cache has was given before it came to this. npm does send
		// what is no question, even offline.
		return &Error{ErrCode: "ENOTCACHED", Method: m, URL: shown, Package: r.Package}
	}
	creds, err := c.identify(r, u, registry, shown)
	if err != nil {
		return err
	}
	body, err := r.packed()
	if err != nil {
		return err
	}
	if _, err := c.transport(creds.Cert, creds.Key); err != nil {
		// A setting is wrong, which no later try changes.
		return &Error{ErrCode: codeOf(err), Method: r.method(), URL: shown, Package: r.Package, Err: cleanCause(err)}
	}
	tries := 1
	if (r.method() != http.MethodPost || r.Elsewhere) && !r.NoRetry {
		tries += max(c.opts.Retry.Count, 0)
	}
	for attempt := 1; ; attempt++ {
		event := Event{Kind: RequestStarted, Method: r.method(), URL: shown, Package: r.Package, Attempt: attempt}
		c.opts.Report(event)
		start := c.opts.Now()
		status, wire, err := c.attempt(ctx, r, u, creds, body, consume)
		event.Kind, event.Elapsed = RequestDone, c.opts.Now().Sub(start)
		if c.opts.Logger.Enabled(ctx, slog.LevelDebug) {
			c.logAttempt(r, shown, status, attempt, event.Elapsed, err)
		}
		if cause := context.Cause(ctx); err != nil && cause != nil {
			event.Err = cause
			c.opts.Report(event)
			return cause
		}
		event.Status = status
		if err == nil {
			event.Bytes = wire
			if !r.stream {
				c.opts.Report(event)
			}
			return nil
		}
		failure := r.failure(err, shown, creds, attempt)
		event.Err = failure
		if attempt >= tries || !failure.Temporary() {
			event.Bytes = wire
			c.opts.Report(event)
			return failure
		}
		event.Kind, event.Wait = RequestRetried, c.opts.Retry.after(failure, attempt)
		c.opts.Report(event)
		if err := c.opts.Sleep(ctx, event.Wait); err != nil {
			return err
		}
	}
}

// address is where the request goes; it may have a user and a password.
func (r *Request) address(registry string) (*url.URL, error) {
	target := r.URL
	if !strings.Contains(target, "://") {
		target = URL(registry, target)
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &Error{ErrCode: "ERR_INVALID_URL", Method: r.method(), URL: Redact(target), Package: r.Package, Err: errors.New("not a valid http or https URL")}
	}
	r.target = target
	if len(r.Query) > 0 {
		q := u.Query()
		maps.Copy(q, r.Query)
		u.RawQuery = q.Encode()
	}
	u.Fragment = ""
	return u, nil
}

// identify finds what the request may have of what only its receiver may know:
// credentials, and a one-time password. It takes those out of the address.
func (c *Client) identify(r *Request, u *url.URL, registry, shown string) (Credentials, error) {
	var creds Credentials
	if r.Credentials != nil {
		creds = *r.Credentials
	} else if c.opts.Credentials != nil && !r.Elsewhere {
		creds = c.opts.Credentials(r.target, registry)
	}
	if creds.Err != nil {
		return creds, creds.Err
	}
	if u.User != nil && creds.Authorization == "" {
		// net/http sends a URL's user and password by itself; they are put
		// here so that redirects drop them as well.
		if pass, ok := u.User.Password(); ok || u.User.Username() != "" {
			creds.Authorization = basicAuth(u.User.Username(), pass)
		}
	}
	u.User = nil
	if r.otp = r.OTP; r.otp == "" && !r.Elsewhere {
		// It is for the registry, which a tarball need not be on.
		if home, err := url.Parse(strings.TrimSpace(registry)); err == nil && sameHost(home, u) {
			r.otp = c.opts.OTP
		}
	}
	if c.opts.Overheard != nil && c.opts.Overheard(u) {
		if r.Credentials != nil || r.Elsewhere || r.Secret != "" || len(r.Body) > 0 && !r.Public {
			return creds, &Error{ErrCode: "EPROJECTPROXY", Method: r.method(), URL: shown, Package: r.Package, Message: "not sent: the project's .npmrc or publishConfig has it pass a proxy that can read it"}
		}
		if creds.Authorization != "" && !creds.OfProject {
			c.withheld.Do(func() {
				c.opts.Logger.Warn("no credentials are sent to " + Clean(u.Host) + ": the project's .npmrc or publishConfig has them pass the proxy " +
					Redact(c.opts.Proxy.Proxy) + ", which can read them; --https-proxy on the command line says that the proxy is yours")
			})
		}
		if !creds.OfProject {
			creds = Credentials{}
		}
		r.otp = ""
	}
	r.sent = creds.Authorization
	return creds, nil
}

// packed is the body as it is sent.
func (r *Request) packed() ([]byte, error) {
	if !r.Gzip || len(r.Body) == 0 {
		return r.Body, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(r.Body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// failure is what is said of an attempt that ended with err.
func (r *Request) failure(err error, shown string, creds Credentials, attempt int) *Error {
	var failure *Error
	if !errors.As(err, &failure) {
		failure = &Error{ErrCode: codeOf(err), Method: r.method(), URL: shown, Err: cleanCause(err)}
	}
	failure.Package = r.Package
	failure.URL, failure.Message = r.hide(failure.URL), r.hide(failure.Message)
	failure.Body = []byte(r.hide(string(failure.Body)))
	failure.Authenticated = creds.Authorization != ""
	var malformed *malformedError
	failure.final = errors.As(err, &malformed) && malformed.final()
	failure.Attempts = attempt
	if failure.Status >= 400 && creds.Authorization == "" {
		failure.NeedsAuth = creds.ScopeKey
	}
	return failure
}

// logAttempt writes npm's line for a request (npm: npm-registry-fetch
// lib/check-response.js, make-fetch-happen lib/remote.js).
func (c *Client) logAttempt(r *Request, shown string, status, attempt int, elapsed time.Duration, err error) {
	var b strings.Builder
	fmt.Fprintf(&b, "http fetch %s ", r.method())
	if err == nil || status >= 400 {
		fmt.Fprintf(&b, "%d %s %dms", status, shown, elapsed.Milliseconds())
		if attempt > 1 {
			fmt.Fprintf(&b, " attempt #%d", attempt)
		}
	} else {
		fmt.Fprintf(&b, "%s attempt %d failed with %s", shown, attempt, codeOf(err))
	}
	c.opts.Logger.Debug(b.String())
}

// attempt sends the request once, following redirects.
func (c *Client) attempt(ctx context.Context, r *Request, u *url.URL, creds Credentials, body []byte, consume func(*http.Response) error) (status int, wire int64, err error) {
	method := r.method()
	header := c.header(r, creds, body)
	cert, key := creds.Cert, creds.Key
	origin := u
	for hop := 0; ; hop++ {
		t, err := c.transport(cert, key)
		if err != nil {
			return 0, 0, err
		}
		res, err := c.roundTrip(ctx, t, method, u, header, body)
		if err != nil {
			return 0, 0, err
		}
		guard := res.Body.(*guardedBody)
		if location := res.Header.Get("Location"); isRedirect(res.StatusCode) {
			drain(res.Body)
			shown := redactURL(origin)
			switch {
			case location == "":
				return res.StatusCode, 0, &Error{ErrCode: "EINVALIDREDIRECT", Method: method, URL: shown, Message: "redirect without a location"}
			case hop >= maxRedirects:
				return res.StatusCode, 0, &Error{ErrCode: "EMAXREDIRECT", Method: method, URL: shown, Message: "redirected more than " + strconv.Itoa(maxRedirects) + " times"}
			}
			next, err := u.Parse(location)
			if err != nil || next.Host == "" || next.Scheme != "https" && next.Scheme != "http" {
				return res.StatusCode, 0, &Error{ErrCode: "EINVALIDREDIRECT", Method: method, URL: shown, Message: "redirected to something that is not an http or https URL"}
			}
			next.Fragment, next.User = "", nil
			header = header.Clone() // the transport may still be sending the last one
			toGet := res.StatusCode == http.StatusSeeOther || method == http.MethodPost && (res.StatusCode == 301 || res.StatusCode == 302)
			if !sameHost(origin, next) {
				if r.Elsewhere || r.Secret != "" || len(body) > 0 && !toGet && !r.Public {
					return res.StatusCode, 0, &Error{ErrCode: "EINVALIDREDIRECT", Method: method, URL: shown, Message: "redirected to another host, which does not get what was meant for this one"}
				}
				// Once another host was visited nothing comes back, even if a
				// later hop returns here.
				for _, h := range []string{"Authorization", "Cookie", "Npm-Otp"} {
					header.Del(h)
				}
				cert, key = "", ""
			}
			if toGet {
				method, body = http.MethodGet, nil
				header.Del("Content-Type")
				header.Del("Content-Encoding")
			}
			u = next
			continue
		}
		if notice := res.Header.Get("Npm-Notice"); notice != "" {
			c.opts.Report(Event{Kind: NoticeReceived, Method: method, URL: r.hide(redactURL(u)), Package: r.Package, Text: r.hide(Clean(notice))})
		}
		if res.StatusCode >= 400 {
			err := c.refusal(method, u, res)
			drain(res.Body)
			return res.StatusCode, guard.n, err
		}
		err = consume(res)
		switch {
		case err != nil:
			_ = guard.Close()
		case !r.stream:
			drain(res.Body)
		}
		return res.StatusCode, guard.n, err
	}
}

func (c *Client) header(r *Request, creds Credentials, body []byte) http.Header {
	h := make(http.Header, 16)
	if !r.Elsewhere {
		for k, v := range c.opts.Headers {
			h[http.CanonicalHeaderKey(k)] = v
		}
	}
	set := func(key, value string) {
		if value != "" {
			h[key] = []string{value}
		}
	}
	set("User-Agent", c.opts.UserAgent)
	if !r.Elsewhere {
		set("Npm-Auth-Type", c.opts.AuthType)
		set("Npm-Command", c.opts.Command)
		set("Npm-Scope", c.opts.Scope)
		set("Npm-Session", c.opts.Session)
	}
	set("Accept-Encoding", "gzip,deflate")
	if len(body) > 0 {
		set("Content-Type", "application/json")
		if r.Gzip {
			set("Content-Encoding", "gzip")
		}
	}
	for k, v := range r.Header {
		h[http.CanonicalHeaderKey(k)] = v
	}
	if h.Get("Accept") == "" {
		set("Accept", "*/*")
	}
	set("Npm-Otp", r.otp)
	set("Authorization", creds.Authorization)
	return h
}

// roundTrip sends one request and waits for the head of the answer. The body
// of the answer is guarded: reading it fails when nothing arrives for
// IdleTimeout.
func (c *Client) roundTrip(ctx context.Context, t *http.Transport, method string, u *url.URL, header http.Header, body []byte) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	idle := c.opts.IdleTimeout
	g := &guardedBody{host: Clean(u.Host), cancel: cancel, ctx: ctx, idle: idle, received: c.opts.Received}
	if idle > 0 {
		g.timer = time.AfterFunc(idle, func() { cancel(errIdle) })
		// The clock runs only while something is awaited from the network. A
		// request that queues for one of the sockets waits for its siblings,
		// and those have clocks of their own.
		g.timer.Stop()
		// A connection being made for this request may be overtaken by another
		// that became free; what it does then is nobody's progress.
		connected := func() {
			if !g.connected.Load() {
				g.start()
			}
		}
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			DNSStart:          func(httptrace.DNSStartInfo) { connected() },
			ConnectStart:      func(string, string) { connected() },
			TLSHandshakeStart: connected,
			GotConn:           func(httptrace.GotConnInfo) { g.connected.Store(true); g.start() },
			WroteRequest: func(httptrace.WroteRequestInfo) {
				if !g.answered.Load() {
					g.start()
				}
			},
		})
	}
	req := (&http.Request{
		Method: method, URL: u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if len(body) > 0 {
		req.ContentLength = int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(&sentBody{Reader: bytes.NewReader(body), guard: g}), nil
		}
		req.Body, _ = req.GetBody()
	} else if method == http.MethodPut || method == http.MethodPost {
		req.Body = http.NoBody
	}
	res, err := t.RoundTrip(req)
	step := stepConnect
	if g.connected.Swap(true) {
		step = stepAnswer
	}
	g.answered.Store(true)
	g.stop()
	if err != nil {
		if cause := context.Cause(ctx); cause == errIdle {
			err = &waitError{host: g.host, step: step, limit: idle}
		} else if cause != nil {
			err = cause
		}
		cancel(nil)
		return nil, err
	}
	g.body = res.Body
	res.Body = g
	res.Request = req
	return res, nil
}

// sentBody lets the clock of an upload start again with each piece sent.
type sentBody struct {
	*bytes.Reader
	guard *guardedBody
}

func (b *sentBody) Read(p []byte) (int, error) {
	b.guard.start()
	return b.Reader.Read(p)
}

// guardedBody is an answer's body that fails with a waitError when nothing
// arrives for a while, or too little does. It counts what came over the wire.
type guardedBody struct {
	body   io.ReadCloser
	host   string // whose answer it is
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer // nil without a limit
	idle   time.Duration
	n      int64

	waited time.Duration // for the body, by now
	gaps   time.Duration // the same, with no more than longestGap for each of them

	received            func(n int)
	connected, answered atomic.Bool
}

// leastRate is how many bytes of an answer come in each second, once it has taken
// patience: who sends a byte now and then, always in time, has us wait for years. It
// is what cargo wants, and little enough for 80 connections that share a modem. A
// line that was down for a while brought nothing meanwhile, which says nothing about
// its pace: a gap counts no more than longestGap, and all of it once the whole answer
// has taken longPatience.
const (
	leastRate    = 10
	patience     = 30 * time.Second
	longestGap   = 10 * time.Second
	longPatience = defaultIdle
)

// wait is how long the next bytes may take; slow says that it is less than the idle
// time, since those before have taken so long.
func (g *guardedBody) wait() (d time.Duration, slow bool) {
	earned := time.Duration(g.n) * (time.Second / leastRate)
	left := max(g.idle, longPatience) + earned - g.waited
	if pace := patience + earned - g.gaps; pace < longestGap {
		left = min(left, pace)
	}
	if left < g.idle {
		return max(left, 0), true
	}
	return g.idle, false
}

func (g *guardedBody) start() {
	if g.timer != nil {
		g.timer.Reset(g.idle)
	}
}

func (g *guardedBody) stop() {
	if g.timer != nil {
		g.timer.Stop()
	}
}

func (g *guardedBody) Read(p []byte) (int, error) {
	// Only waiting for the network counts; a reader may take its time between.
	wait, slow := g.wait()
	began := time.Now()
	if g.timer != nil {
		g.timer.Reset(wait)
	}
	n, err := g.body.Read(p)
	g.stop()
	took := time.Since(began)
	g.waited += took
	g.gaps += min(took, longestGap)
	g.n += int64(n)
	g.received(n)
	if err != nil && err != io.EOF {
		if cause := context.Cause(g.ctx); cause == errIdle {
			err = &waitError{host: g.host, step: stepBody, limit: g.idle, slow: slow, bytes: g.n, waited: g.waited}
		} else if cause != nil {
			err = cause
		} else if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errShort
		}
	}
	return n, err
}

func (g *guardedBody) Close() error {
	g.stop()
	err := g.body.Close()
	g.cancel(nil)
	return err
}

// drain reads the little that may be left of a body, so that its connection
// can be used again, and closes it.
func drain(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 32<<10)
	_ = body.Close()
}

func isRedirect(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// refusal makes an Error of an answer of 400 or more (npm: npm-registry-fetch
// lib/check-response.js).
func (c *Client) refusal(method string, u *url.URL, res *http.Response) *Error {
	text := http.StatusText(res.StatusCode)
	if _, t, ok := strings.Cut(res.Status, " "); ok && t != "" {
		text = t
	}
	e := &Error{
		ErrCode: "E" + strconv.Itoa(res.StatusCode), Method: method, URL: redactURL(u),
		Status: res.StatusCode, StatusText: Clean(text), Header: res.Header,
		RetryAfter: retryAfter(res.Header.Get("Retry-After"), c.opts.Now()),
	}
	// Half an error body is as good as a whole one.
	r, err := decoder(res)
	if err == nil {
		e.Body, _ = io.ReadAll(io.LimitReader(r, maxErrorBody))
	}
	e.Message = bodyMessage(e.Body)
	if res.StatusCode == http.StatusUnauthorized {
		if auth := strings.ToLower(strings.Join(res.Header.Values("Www-Authenticate"), ", ")); auth != "" {
			for _, part := range strings.Split(auth, ",") {
				switch strings.TrimSpace(part) {
				case "ipaddress":
					e.ErrCode = "EAUTHIP"
					return e
				case "otp":
					e.ErrCode = "EOTP"
				}
			}
		} else if bytes.Contains(e.Body, []byte("one-time pass")) {
			e.ErrCode = "EOTP"
		}
	}
	return e
}

// bodyMessage takes "error", or else "message", out of a JSON body, shortened.
func bodyMessage(body []byte) string {
	text, ok := topLevelString(body, "error")
	if !ok || text == "" {
		if text, ok = topLevelString(body, "message"); !ok {
			return ""
		}
	}
	text = Clean(text)
	if len(text) > 1000 {
		text = strings.ToValidUTF8(text[:1000], "") + "…"
	}
	return text
}

func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	if s, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// cleanCause drops what net/url and net/http put around a cause: the URL with
// its password.
func cleanCause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func basicAuth(user, pass string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, pass)
	return r.Header.Get("Authorization")
}

// decoder gives the decoded body of an answer.
func decoder(res *http.Response) (io.Reader, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return res.Body, nil
	case "gzip", "x-gzip":
		return &lazyReader{open: func() (io.Reader, error) { return gzip.NewReader(res.Body) }}, nil
	case "deflate", "x-deflate":
		return &lazyReader{open: func() (io.Reader, error) {
			// Some servers send the bare stream, as npm knows.
			first := make([]byte, 1)
			if _, err := io.ReadFull(res.Body, first); err != nil {
				return nil, err
			}
			r := io.MultiReader(bytes.NewReader(first), res.Body)
			if first[0]&0x0f == 0x08 {
				return zlib.NewReader(r)
			}
			return flate.NewReader(r), nil
		}}, nil
	default:
		return nil, fmt.Errorf("%w: %s", errBadEncoding, Clean(encoding))
	}
}

// lazyReader opens its reader with the first Read, so that the errors of
// opening come as those of reading. An empty body is empty, not an error.
type lazyReader struct {
	open func() (io.Reader, error)
	r    io.Reader
}

func (l *lazyReader) Read(p []byte) (int, error) {
	if l.r == nil {
		r, err := l.open()
		if err != nil {
			return 0, err
		}
		l.r = r
	}
	return l.r.Read(p)
}

func readDecoded(res *http.Response, limit int64) ([]byte, error) {
	if res.StatusCode == http.StatusNoContent || res.Request != nil && res.Request.Method == http.MethodHead {
		return nil, nil
	}
	r, err := decoder(res)
	if err != nil {
		return nil, err
	}
	return readAll(r, res.ContentLength, limit)
}

// readAll reads to the end but not past limit. hint is the size expected, or
// negative; it is not trusted.
func readAll(r io.Reader, hint, limit int64) ([]byte, error) {
	if hint > limit {
		return nil, errTooLarge
	}
	buf := make([]byte, 0, min(max(hint, 512), 1<<20)+1)
	return readInto(buf, r, limit)
}

func readInto(buf []byte, r io.Reader, limit int64) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			// Twice as much, but no more than one byte of what is refused.
			buf = slices.Grow(buf, int(min(int64(max(len(buf), 4096)), limit+1-int64(len(buf)))))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return buf, errTooLarge
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// body gives a buffer for one answer; release takes it back.
func (c *Client) body() *[]byte {
	if b, ok := c.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

func (c *Client) release(b *[]byte) {
	// Very large ones are left to the collector.
	if cap(*b) <= 32<<20 {
		*b = (*b)[:0]
		c.buffers.Put(b)
	}
}
