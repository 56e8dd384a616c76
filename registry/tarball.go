package registry

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// TarballRequest names a tarball.
type TarballRequest struct {
	URL       string // absolute
	Package   string // the package's registry name, for credentials and messages; may be empty
	ID        string // npm's pacote-pkg-id: "registry:name@url", "remote:…"; may be empty
	Integrity string // told to the registry as npm does; not checked here
	MaxSize   int64  // bytes; 0 is Options.MaxDocument
}

// Tarball is a tarball being downloaded. Reading it fails with an *Error when
// the connection breaks, brings nothing for IdleTimeout, or brings more than
// was allowed. Whoever asked for it closes it. It is for one goroutine.
type Tarball struct {
	Size int64 // as announced, -1 where it was not

	ctx    context.Context
	client *Client
	event  Event // what Close reports
	start  time.Time
	body   *guardedBody
	r      io.Reader // body, decoded
	left   int64
	err    error // the first one, io.EOF at the end
}

// Tarball asks for a tarball; the answer's head is there when it returns, after
// npm's retries. What breaks later is for the caller to ask for again: only it
// knows what it did with the bytes that came. ReadTarball does both.
func (c *Client) Tarball(ctx context.Context, r TarballRequest) (*Tarball, error) {
	t := &Tarball{ctx: ctx, client: c, start: c.opts.Now(), left: r.MaxSize}
	if t.left <= 0 {
		t.left = c.opts.MaxDocument
	}
	req := c.tarballRequest(r)
	req.stream = true
	err := c.fetch(ctx, req, func(res *http.Response) error {
		if t.Size = res.ContentLength; t.Size > t.left {
			return errTooLarge
		}
		body, err := decoder(res)
		if err != nil {
			return err
		}
		if body != res.Body {
			t.Size = -1
		}
		t.body, t.r = res.Body.(*guardedBody), body
		t.event = Event{Kind: RequestDone, Method: http.MethodGet, URL: redactURL(res.Request.URL), Package: r.Package, Status: res.StatusCode}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Read gives the tarball's bytes as the registry has them: still gzipped.
func (t *Tarball) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.r.Read(p)
	if t.left -= int64(n); t.left < 0 {
		err = errTooLarge
	}
	if err != nil && err != io.EOF {
		if cause := context.Cause(t.ctx); cause != nil {
			err = cause
		} else {
			err = &Error{ErrCode: codeOf(err), Method: t.event.Method, URL: t.event.URL, Package: t.event.Package, Attempts: 1, Err: cleanCause(err)}
		}
	}
	t.err = err
	return n, err
}

// Close ends the download, also an unfinished one.
func (t *Tarball) Close() error {
	if t.body == nil {
		return nil
	}
	body := t.body
	t.body = nil
	if t.err != io.EOF {
		if t.event.Err = t.err; t.err == nil {
			t.err = context.Canceled
		}
	}
	t.event.Bytes, t.event.Elapsed = body.n, t.client.opts.Now().Sub(t.start)
	t.client.opts.Report(t.event)
	return body.Close()
}

func (c *Client) tarballRequest(r TarballRequest) *Request {
	h := http.Header{"Pacote-Req-Type": {"tarball"}}
	if r.ID != "" {
		h["Pacote-Pkg-Id"] = []string{headerText(r.ID)}
	}
	if r.Integrity != "" {
		h["Pacote-Integrity"] = []string{headerText(r.Integrity)}
	}
	return &Request{URL: r.URL, Package: r.Package, Header: h}
}

// ReadTarball downloads a tarball into memory and tries again as npm does, also
// when the connection breaks half-way. alloc gives empty memory with room for
// size bytes; nil for make.
func (c *Client) ReadTarball(ctx context.Context, r TarballRequest, alloc func(size int) []byte) ([]byte, error) {
	var buf []byte
	limit := r.MaxSize
	if limit <= 0 {
		limit = c.opts.MaxDocument
	}
	err := c.fetch(ctx, c.tarballRequest(r), func(res *http.Response) error {
		buf = buf[:0]
		body, err := decoder(res)
		if err != nil {
			return err
		}
		size := res.ContentLength
		if size > limit {
			return errTooLarge
		}
		// One allocation where the size is announced, but no more memory than
		// has proven to be needed where it is incredible.
		if want := int(min(max(size, 4096), 64<<20)) + 1; want > cap(buf) {
			if alloc != nil {
				buf = alloc(want)
			} else {
				buf = make([]byte, 0, want)
			}
		}
		buf, err = readInto(buf, body, limit)
		return err
	})
	return buf, err
}

// NPMHost is the host that replace-registry-host=npmjs stands for.
const NPMHost = "registry.npmjs.org"

// RewriteTarballURL gives the URL to ask for where a lock has resolved: the
// configured registry's host instead of the one in the lock, if replace says so
// (npm: @npmcli/arborist lib/arborist/reify.js #registryResolved). replace is
// the value of replace-registry-host: "npmjs", "always", "never", a host name
// or a URL. ok is false where resolved is no URL at all.
func RewriteTarballURL(resolved, registry, replace string) (rewritten string, ok bool) {
	u, err := url.Parse(resolved)
	if err != nil || u.Scheme == "" {
		return resolved, false
	}
	r, err := url.Parse(registry)
	if err != nil || r.Host == "" {
		return resolved, false
	}
	if replace == "" || replace == "npmjs" {
		replace = NPMHost
	}
	host, prefix, whole := replace, "", false
	if m, err := url.Parse(replace); err == nil && m.Scheme != "" && m.Host != "" {
		host, prefix, whole = m.Hostname(), strings.TrimSuffix(m.EscapedPath(), "/"), true
	}
	path := u.EscapedPath()
	if replace != "always" && !strings.EqualFold(host, u.Hostname()) || prefix != "" && !underPath(path, prefix) {
		return resolved, true
	}
	base := strings.TrimSuffix(r.EscapedPath(), "/")
	switch {
	case whole && prefix != "":
		path = base + path[len(prefix):]
	case base != "" && !underPath(path, base):
		path = base + path
	}
	c := *u
	c.Scheme, c.Host = r.Scheme, r.Host
	if c.Path, err = url.PathUnescape(path); err != nil {
		return resolved, false
	}
	c.RawPath = path
	return c.String(), true
}

func underPath(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
