package registry

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// DefaultRegistry is npm's public registry.
const DefaultRegistry = "https://registry.npmjs.org/"

// CacheMode says when the cache may answer instead of the registry.
type CacheMode uint8

const (
	CacheDefault  CacheMode = iota // fresh entries answer, stale ones are revalidated
	PreferOnline                   // every entry is revalidated
	PreferOffline                  // any entry answers, however old
	Offline                        // only the cache answers: else ENOTCACHED
)

// Retry is npm's fetch-retries and its companions. The zero value tries once.
type Retry struct {
	Count      int           // tries after the first
	Factor     float64       // of one wait to the next
	MinTimeout time.Duration // the first wait
	MaxTimeout time.Duration // the longest wait, also for Retry-After
}

// Wait is the pause before try n+1, n counting from 0 (npm: the retry module
// without its jitter, which npm leaves off).
func (r Retry) Wait(n int) time.Duration {
	longest := float64(r.MaxTimeout)
	if r.MaxTimeout <= 0 {
		longest = float64(365 * 24 * time.Hour)
	}
	wait := float64(max(r.MinTimeout, 0))
	for ; n > 0 && wait < longest; n-- {
		wait *= max(r.Factor, 1)
	}
	return time.Duration(min(wait, longest))
}

// after is the pause after an attempt that failed. The server knows better, within the
// longest wait configured.
func (r Retry) after(failure *Error, attempt int) time.Duration {
	switch {
	case failure.RetryAfter <= 0:
		return r.Wait(attempt - 1)
	case r.MaxTimeout > 0:
		return min(failure.RetryAfter, r.MaxTimeout)
	}
	return failure.RetryAfter
}

// Credentials is what one URL may be asked with. The zero value is nothing.
type Credentials struct {
	Authorization string // the whole header: "Bearer …", "Basic …"
	Cert, Key     string // PEM: the client's certificate for this URL
	Err           error  // why it is not known what to ask with; then nothing is asked

	// ScopeKey names the configuration key that has credentials for the
	// package's scope where this URL has none: npm warns of it when the
	// request is refused.
	ScopeKey string

	OfProject bool // whoever wrote the project gave them away, see Options.Overheard
}

// Options configures a Client. The zero value asks npm's public registry
// once, without cache and credentials.
type Options struct {
	Registry string // "" is DefaultRegistry
	// RegistryFor gives the registry of a scope ("@scope", or "" for names
	// without one); "" means Registry. It may be nil.
	RegistryFor func(scope string) string
	// Credentials gives what requestURL may be asked with, for a package that
	// belongs to registryURL (npm: npm-registry-fetch lib/auth.js). It may be
	// nil. It is called from several goroutines.
	Credentials func(requestURL, registryURL string) Credentials

	Proxy ProxyRules
	// Overheard says whether whoever wrote the project reads what is sent to a URL,
	// having chosen the proxy and that nothing hides it from that. Then nobody's
	// credentials are sent but the project's own. It may be nil.
	Overheard func(u *url.URL) bool
	// Roots gives PEM texts that replace the system's roots, where own is not
	// nil, and others that are added to them (NODE_EXTRA_CA_CERTS). It is asked
	// before the first request, and may be nil.
	Roots        func() (own, extra []string, err error)
	Cert, Key    string // PEM: the client's certificate for every host
	InsecureTLS  bool   // strict-ssl=false
	LocalAddress string
	MaxSockets   int // connections per host and of HTTP/1; 0 is 80

	Retry Retry
	// IdleTimeout is fetch-timeout: how long a connection may bring nothing,
	// before or within an answer. 0 is npm's five minutes. An answer has to bring some
	// bytes each second as well, once it has taken a while.
	IdleTimeout time.Duration

	UserAgent string
	AuthType  string      // npm-auth-type
	Command   string      // npm-command
	Scope     string      // npm-scope
	Session   string      // npm-session
	OTP       string      // npm-otp
	Headers   http.Header // more headers for every request

	CacheDir string // of packuments; "" keeps none
	// Decoders is how many documents are decoded at once: it takes nothing but
	// processor time, and each holds a whole document in memory. 0 is one for
	// each processor.
	Decoders int
	Mode     CacheMode

	MaxDocument int64 // bytes that a decoded document may have; 0 is 256 MiB

	Now    func() time.Time                           // nil is time.Now
	Sleep  func(context.Context, time.Duration) error // nil sleeps
	Logger *slog.Logger                               // nil is silence
	Report func(Event)                                // nil is silence; called from several goroutines
	// Received hears how many bytes of an answer's body came, each time some
	// came; nil is silence. It is called from several goroutines.
	Received func(n int)
}

// EventKind says what an Event tells.
type EventKind uint8

const (
	RequestStarted EventKind = iota
	RequestDone              // the whole answer is here, or the request was given up (Err)
	RequestRetried           // waits Wait, then tries again
	CacheHit                 // a fresh entry answered
	CacheStale               // a stale entry answered
	CacheValidated           // the registry said that the entry is still right
	NoticeReceived           // the registry's npm-notice: Text
)

// Event is something that happened on the network or in the cache, for
// progress and timing.
type Event struct {
	Kind    EventKind
	Method  string
	URL     string // redacted
	Package string
	Attempt int // from 1
	Status  int
	Bytes   int64 // over the wire
	Elapsed time.Duration
	Wait    time.Duration
	Text    string
	Err     error
}

// Client asks registries. Its methods may be called from any goroutine.
type Client struct {
	opts Options

	mu         sync.Mutex
	transports map[string]*http.Transport // by client certificate
	registries sync.Map                   // what RegistryFor said, by scope
	packuments map[address]*flight

	// dial makes the connections; nil for the network's. Tests have one of their own.
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	decoding chan *scratch       // one for each document that may be decoded at once
	large    *semaphore.Weighted // bytes of large documents that may be in memory at once
	giant    sync.Mutex          // of who decodes a document that no room has space for
	buffers  sync.Pool           // *[]byte for bodies
	wishes   wishCache
	withheld sync.Once // tells of it once
}

const (
	// npm reads none of more than 512 MB, which is the longest text that node has.
	defaultMaxDocument = 256 << 20
	defaultIdle        = 5 * time.Minute
	// npm's own default is 15. Over a line with 50 ms of latency, resolving the
	// bench recording takes 5.2 s with 15 connections, 2.6 s with 48 and 2.5 s
	// with 96; tarballs are fetched over 64, which leaves some for packuments.
	defaultMaxSockets = 80
	maxRedirects      = 20
	maxErrorBody      = 64 << 10
)

// New gives a client. It does no work before the first request.
func New(opts Options) *Client {
	if opts.Registry == "" {
		opts.Registry = DefaultRegistry
	}
	if opts.MaxSockets <= 0 {
		opts.MaxSockets = defaultMaxSockets
	}
	if opts.IdleTimeout == 0 {
		opts.IdleTimeout = defaultIdle
	}
	if opts.MaxDocument <= 0 {
		opts.MaxDocument = defaultMaxDocument
	}
	if opts.Decoders <= 0 {
		opts.Decoders = runtime.GOMAXPROCS(0)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Sleep == nil {
		opts.Sleep = sleep
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Report == nil {
		opts.Report = func(Event) {}
	}
	if opts.Received == nil {
		opts.Received = func(int) {}
	}
	c := &Client{opts: opts, packuments: map[address]*flight{}, decoding: make(chan *scratch, opts.Decoders), large: semaphore.NewWeighted(mostLarge)}
	for range cap(c.decoding) {
		c.decoding <- new(scratch)
	}
	return c
}

// Close drops idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.transports {
		t.CloseIdleConnections()
	}
}

// RegistryOf gives the registry's URL for a package's name, as configured
// (npm: npm-registry-fetch pickRegistry).
func (c *Client) RegistryOf(name string) string {
	if c.opts.RegistryFor != nil {
		scope := ""
		if strings.HasPrefix(name, "@") {
			scope, _, _ = strings.Cut(name, "/")
		}
		if r, ok := c.registries.Load(scope); ok {
			return r.(string)
		}
		if r := c.opts.RegistryFor(scope); r != "" {
			c.registries.Store(scope, r)
			return r
		}
	}
	return c.opts.Registry
}

// URL joins a path to a registry's URL as npm does: a slash between them, one.
func URL(registry, path string) string {
	return strings.TrimRight(strings.TrimSpace(registry), "/") + "/" + strings.TrimPrefix(strings.TrimSpace(path), "/")
}

// EscapeName gives a package's name as it stands in a URL: "@scope%2fname".
// Names that npm accepts need no other escape; whatever else a stranger put
// into one is escaped, so that it cannot name another path or host.
func EscapeName(name string) string {
	plain := true
	for i := 0; i < len(name); i++ {
		if !nameByte(name[i]) {
			plain = false
			break
		}
	}
	if plain && name != "." && name != ".." {
		return name
	}
	if scope, base, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(scope, "@") {
		return escapeText(scope) + "%2f" + escapeText(base)
	}
	return escapeText(name)
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		strings.IndexByte("@-_.!~*'()", c) >= 0
}

func escapeText(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; nameByte(c) && s != "." && s != ".." {
			b.WriteByte(c)
		} else {
			const hex = "0123456789abcdef"
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// sameHost says whether credentials for a may go to b: the same host name, as
// npm has it (minipass-fetch compares hostname), and never from TLS to plain
// text, where npm would send them.
func sameHost(a, b *url.URL) bool {
	if a.Scheme == "https" && b.Scheme != "https" {
		return false
	}
	return strings.EqualFold(a.Hostname(), b.Hostname())
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
