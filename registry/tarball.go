package registry

import (
	"context"
	"errors"
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

// largestProof is the most memory that is taken for a tarball before as much has come.
const largestProof = 64 << 20

// ReadTarball downloads a tarball into memory and tries again as npm does, also
// when the connection breaks half-way. alloc gives empty memory with room for
// size bytes; nil for make. It may wait: no more than 8 MB are read before it was
// asked for a size that is larger, for more than 64 MB where nobody says how many.
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
		take := func(want int) []byte {
			if alloc != nil {
				return alloc(want)
			}
			return make([]byte, 0, want)
		}
		// One allocation where the size is announced, but no more memory than
		// has proven to be needed where it is incredible.
		if want := int(min(max(size, 4096), largestProof)) + 1; want > cap(buf) {
			buf = take(want)
		}
		if size >= 0 && body == res.Body {
			buf, err = readInto(buf, body, limit)
			return err
		}
		buf, err = readInto(buf, body, min(limit, 8<<20))
		if errors.Is(err, errTooLarge) && limit > 8<<20 {
			buf, err = readInto(append(take(largestProof+1), buf...), body, limit)
		}
		return err
	})
	return buf, err
}

// NPMHost is the host that replace-registry-host=npmjs stands for.
const NPMHost = "registry.npmjs.org"

// HostReplacer puts the configured registry's host in the place of the one that a
// lock has, where replace-registry-host says so (npm: @npmcli/arborist
// lib/arborist/reify.js #registryResolved).
type HostReplacer struct {
	registry *url.URL // nil where it is no URL with a host
	origin   string   // the registry's, "https://registry.npmjs.org"
	base     string   // the registry's path, escaped, without a slash at its end
	always   bool
	host     string // what is replaced
	prefix   string // only below this path, which goes as well
}

// NewHostReplacer makes one for a registry's URL and a value of
// replace-registry-host: "npmjs", "always", "never", a host's name or a URL.
func NewHostReplacer(registry, replace string) *HostReplacer {
	h := &HostReplacer{always: replace == "always", host: replace}
	if r, err := url.Parse(registry); err == nil && r.Host != "" {
		h.registry = r
		h.origin = (&url.URL{Scheme: r.Scheme, Host: r.Host}).String()
		h.base = strings.TrimSuffix(r.EscapedPath(), "/")
	}
	if replace == "" || replace == "npmjs" {
		h.host = NPMHost
	} else if m, err := url.Parse(replace); err == nil && m.Scheme != "" && m.Host != "" {
		h.host, h.prefix = m.Hostname(), strings.TrimSuffix(m.EscapedPath(), "/")
	}
	return h
}

// Replace gives the URL to ask for where a lock has resolved. ok is false where
// that is no URL at all.
func (h *HostReplacer) Replace(resolved string) (replaced string, ok bool) {
	if h.registry == nil {
		return resolved, false
	}
	if host, path, ok := plainURL(resolved); ok {
		if path, ok = h.path(host, path); !ok {
			return resolved, true
		}
		return h.origin + path, true
	}
	u, err := url.Parse(resolved)
	if err != nil || u.Scheme == "" {
		return resolved, false
	}
	path, ok := h.path(u.Hostname(), u.EscapedPath())
	if !ok {
		return resolved, true
	}
	u.Scheme, u.Host = h.registry.Scheme, h.registry.Host
	if u.Path, err = url.PathUnescape(path); err != nil {
		return resolved, false
	}
	u.RawPath = path
	return u.String(), true
}

// path gives the escaped path on the registry of what has one on a host; false
// where the host stays.
func (h *HostReplacer) path(host, path string) (string, bool) {
	if !h.always && !strings.EqualFold(h.host, host) || h.prefix != "" && !underPath(path, h.prefix) {
		return "", false
	}
	switch {
	case h.prefix != "":
		path = h.base + path[len(h.prefix):]
	case h.base != "" && !underPath(path, h.base):
		path = h.base + path
	}
	return path, true
}

// plainURL takes apart the URLs that nearly all locks have: a host and a path, and
// nothing in either that has to be escaped.
func plainURL(s string) (host, path string, ok bool) {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return "", "", false
		}
	}
	slash := strings.IndexByte(rest, '/')
	if slash <= 0 {
		return "", "", false
	}
	for i := range len(rest) {
		switch c := rest[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '/':
		case i > slash && c == '@':
		default:
			return "", "", false
		}
	}
	return rest[:slash], rest[slash:], true
}

func underPath(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
