package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ibid-pm/ibid/internal/inflate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// Packuments are asked for in full, as npm asks when it builds a tree: the
// abbreviated form has no license, and some registries leave out libc and
// funding. The tarball's own package.json could give these, but it need not
// agree with what the registry shows and nothing in the abbreviated form tells
// whether it does; what npm would write can be known from the full document
// only. The abbreviated form is for what npm reads in that form.
const (
	acceptFull        = "application/json"
	acceptAbbreviated = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
)

// form is one of the two documents that a registry has of a package.
type form uint8

const (
	full form = iota
	abbreviated
)

// address is where a packument is, and which of its forms is meant.
type address struct {
	url  string
	form form
}

// Packument is what a registry says of a package. It is read-only and may be
// used by several goroutines.
type Packument struct {
	url   string
	name  string
	index *index
	path  string // of the cache's file; "" where all is in memory

	bodyOnce sync.Once
	body     func() ([]byte, error) // the whole document, decoded
	doc      []byte
	docErr   error

	tagsOnce sync.Once
	tags     []DistTag

	versionsOnce sync.Once
	versions     []string

	timesOnce sync.Once
	times     map[string]string
	timesErr  error

	extraOnce sync.Once
	extra     *extra

	manifestsOnce sync.Once
	manifests     []atomic.Pointer[manifest.Manifest] // beside versions

	parsedOnce sync.Once
	parsed     []parsedVersion // beside versions

	picks  pickMemo
	wishes *wishCache
}

// parsedVersion is a version's key as parsed, once somebody asked for it.
type parsedVersion struct {
	v   atomic.Pointer[nodesemver.Version]
	bad atomic.Bool
}

// DistTag is a tag and the version it names.
type DistTag struct{ Tag, Version string }

// flight is a packument being fetched, or fetched.
type flight struct {
	done    chan struct{}
	p       *Packument
	err     error
	waiters int
	cancel  context.CancelFunc
}

// Packument gives the packument of a package by its registry name. It is asked
// for once however often it is called; a failure is remembered as well, unless
// everyone who waited for the answer went away before it came. Errors are
// *Error, or ctx's.
func (c *Client) Packument(ctx context.Context, name string) (*Packument, error) {
	return c.packument(ctx, name, full, c.opts.Mode, false)
}

// AbbreviatedPackument is Packument in the form that is for installing only.
// Many registries have no such form and answer in full.
func (c *Client) AbbreviatedPackument(ctx context.Context, name string) (*Packument, error) {
	p, err := c.packument(ctx, name, abbreviated, c.opts.Mode, false)
	if failure := (*Error)(nil); errors.As(err, &failure) && failure.ErrCode == "E404" {
		return c.Packument(ctx, name) // npm: pacote lib/registry.js packument
	}
	return p, err
}

// FreshPackument is Packument, but the registry is asked even where the cache
// or this run already knows an answer, as npm does for view and before it
// writes (npm: preferOnline).
func (c *Client) FreshPackument(ctx context.Context, name string) (*Packument, error) {
	mode := c.opts.Mode
	if mode == CacheDefault || mode == PreferOffline {
		mode = PreferOnline
	}
	c.forgetFlight(c.address(name, full))
	return c.packument(ctx, name, full, mode, false)
}

// ErrNotWorthAsking is what Guess says of a package that was not there when it
// was last asked for. To errors.Is it is context.Canceled: a guess that was
// given up, not an answer.
var ErrNotWorthAsking = fmt.Errorf("not there when it was last asked for: %w", context.Canceled)

// Guess is Packument for those who only guess that they will need it: what the
// registry did not have within the last day it does not ask for again. Nobody
// may decide anything by ErrNotWorthAsking; Packument tells what is true now.
func (c *Client) Guess(ctx context.Context, name string) (*Packument, error) {
	return c.packument(ctx, name, full, c.opts.Mode, true)
}

func (c *Client) address(name string, f form) address {
	return address{URL(c.RegistryOf(name), EscapeName(name)), f}
}

func (c *Client) packument(ctx context.Context, name string, f form, mode CacheMode, guess bool) (*Packument, error) {
	at := c.address(name, f)
	if name == "" {
		// A registry's own address has whatever it has. npm asks for "undefined".
		return nil, &Error{ErrCode: "E404", Method: http.MethodGet, URL: Redact(at.url), Message: "the package has no name, or one that no package can have", final: true}
	}
	for {
		p, err := c.join(ctx, name, at, mode, guess)
		if !guess && err == ErrNotWorthAsking {
			continue // a guess was there first
		}
		return p, err
	}
}

// join gets the packument, or waits for one who does already.
func (c *Client) join(ctx context.Context, name string, at address, mode CacheMode, guess bool) (*Packument, error) {
	c.mu.Lock()
	f := c.packuments[at]
	if f == nil {
		f = &flight{done: make(chan struct{}), waiters: 1}
		var own context.Context
		own, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		c.packuments[at] = f
		c.mu.Unlock()
		// The cache answers without a goroutine of its own.
		q, p, err := c.lookUp(name, at, mode)
		if guess && q != nil && q.e == nil && c.absentLately(q.key) {
			err = ErrNotWorthAsking
			c.mu.Lock()
			delete(c.packuments, at)
			c.mu.Unlock()
		}
		if p != nil || err != nil {
			f.p, f.err = p, err
			f.cancel()
			close(f.done)
			return p, err
		}
		go func() {
			f.p, f.err = c.ask(own, q)
			f.cancel()
			close(f.done)
		}()
		c.mu.Lock()
		f.waiters--
	}
	f.waiters++
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.p, f.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		select {
		case <-f.done:
		default:
			// Nobody wants it any more, so that a later caller starts anew.
			f.cancel()
			if c.packuments[at] == f {
				delete(c.packuments, at)
			}
		}
	}
	return nil, context.Cause(ctx)
}

// forget makes the client ask again for a package that it changed itself.
func (c *Client) forget(name string) {
	for _, f := range [...]form{full, abbreviated} {
		at := c.address(name, f)
		c.forgetFlight(at)
		if u, err := url.Parse(at.url); err == nil {
			c.dropEntry(cacheKey(u, f))
		}
	}
}

func (c *Client) forgetFlight(at address) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.packuments[at]; f != nil {
		select {
		case <-f.done:
			delete(c.packuments, at)
		default:
		}
	}
}

// question is a packument that the registry must be asked for.
type question struct {
	name string
	address
	key   address // of the cache
	shown string  // the URL, redacted
	e     *entry  // what the cache has, stale; may be nil
}

// lookUp gives what the cache may answer, or the question that is left.
func (c *Client) lookUp(name string, at address, mode CacheMode) (*question, *Packument, error) {
	u, err := url.Parse(at.url)
	if err != nil {
		return nil, nil, &Error{ErrCode: "ERR_INVALID_URL", Method: http.MethodGet, URL: Redact(at.url), Package: name, Err: errors.New("not a valid http or https URL")}
	}
	q := &question{name: name, address: at, key: cacheKey(u, at.form), shown: redactURL(u)}
	q.e = c.openEntry(q.key)
	if q.e != nil && mode != PreferOnline {
		fresh := q.e.slot.fresh(c.opts.Now())
		if fresh || mode != CacheDefault {
			event := Event{Kind: CacheHit, Method: http.MethodGet, URL: q.shown, Package: name}
			if !fresh {
				event.Kind = CacheStale
			}
			c.opts.Report(event)
			return nil, c.fromEntry(name, q.e), nil
		}
	}
	if mode == Offline {
		return nil, nil, &Error{ErrCode: "ENOTCACHED", Method: http.MethodGet, URL: q.shown, Package: name}
	}
	return q, nil, nil
}

// ask sends the question, with what the cache knows of the last answer.
func (c *Client) ask(ctx context.Context, q *question) (*Packument, error) {
	name, key, shown, e := q.name, q.key, q.shown, q.e
	event := Event{Method: http.MethodGet, URL: shown, Package: name}
	accept := acceptFull
	if q.form == abbreviated {
		accept = acceptAbbreviated
	}
	r := &Request{URL: q.url, Package: name, Header: http.Header{
		"Accept":          {accept},
		"Pacote-Req-Type": {"packument"},
		"Pacote-Pkg-Id":   {"registry:" + headerText(name)},
	}}
	if e != nil {
		if e.etag != "" {
			r.Header["If-None-Match"] = []string{e.etag}
		}
		if e.lastModified != "" {
			r.Header["If-Modified-Since"] = []string{e.lastModified}
		}
	}
	var p *Packument
	err := c.fetch(ctx, r, func(res *http.Response) error {
		if res.StatusCode == http.StatusNotModified {
			if e == nil {
				return &Error{ErrCode: "E304", Method: http.MethodGet, URL: shown, Status: res.StatusCode, StatusText: "Not Modified"}
			}
			c.validated(e, key, res.Header)
			event.Kind = CacheValidated
			c.opts.Report(event)
			p = c.fromEntry(name, e)
			return nil
		}
		var err error
		p, err = c.readPackument(ctx, name, key, res)
		return err
	})
	if err != nil {
		var failure *Error
		if e != nil && errors.As(err, &failure) && failure.Status == 0 && !e.slot.mustRevalidate && ctx.Err() == nil {
			// npm answers from the cache when the registry can't be reached.
			event.Kind, event.Err = CacheStale, err
			c.opts.Report(event)
			return c.fromEntry(name, e), nil
		}
		if errors.As(err, &failure) && failure.Status == http.StatusNotFound {
			c.noteAbsent(key)
		}
		return nil, err
	}
	return p, nil
}

// headerText gives a stranger's text without what a header can't have.
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// validated notes that the registry answered 304.
func (c *Client) validated(e *entry, key address, h http.Header) {
	f, ok := storable(h, c.opts.Now())
	if !ok {
		c.dropEntry(key)
		return
	}
	if f.lifetime == 0 && h.Get("Cache-Control") == "" && e.slot.lifetime > 0 && !e.slot.broken {
		// A 304 that says nothing of caching changes nothing about it.
		f.lifetime = e.slot.lifetime
		f.mustRevalidate = e.slot.mustRevalidate
	}
	c.touchEntry(key, f)
}

// readPackument reads, checks and keeps an answer of 200.
func (c *Client) readPackument(ctx context.Context, name string, key address, res *http.Response) (*Packument, error) {
	buf := c.body()
	defer func() { c.release(buf) }()
	zipped, leave, err := c.readBody(ctx, buf, res)
	defer leave()
	if err != nil {
		return nil, err
	}
	var w *scratch
	select {
	case w = <-c.decoding:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { c.decoding <- w.trim() }()

	body := *buf
	doc := body
	if zipped {
		room := rooms.take()
		defer rooms.give(room)
		doc, err = gunzip(&w.zip, room[:0], body, min(roomSize-roomSlack, c.opts.MaxDocument))
		if errors.Is(err, errTooLarge) {
			c.giant.Lock()
			defer c.giant.Unlock()
			doc, err = gunzip(&w.zip, nil, body, c.opts.MaxDocument)
		}
		if err != nil {
			return nil, err
		}
	}
	x, err := w.scan(append(doc, 0))
	if err != nil {
		return nil, err
	}
	v := validators{address: key, etag: res.Header.Get("Etag"), lastModified: res.Header.Get("Last-Modified")}
	if zipped {
		v.encoding = "gzip"
	}
	f, keep := storable(res.Header, c.opts.Now())
	if !keep {
		c.dropEntry(key)
	}
	e := w.encode(x, v, f, body)
	if e == nil {
		return nil, fmt.Errorf("%s: the document's index is too large", Clean(name))
	}
	if path := c.entryPath(key); keep && path != "" && c.writeEntry(path, w.out, body) {
		// From here on the cache's file is what is read: no memory for what
		// nobody looks at.
		e.path = path
		return c.fromEntry(name, e), nil
	}
	e.near, e.nearAt = bytes.Clone(w.out), 0
	p := c.fromEntry(name, e)
	p.body = func() ([]byte, error) { return c.download(name) }
	return p, nil
}

// Documents of usual size are read as they come, of larger ones only so many at once
// that they take no more than mostLarge bytes, or one: a registry that answers
// everything with as much as is allowed would fill the memory.
const (
	largeBody = 4 << 20
	mostLarge = 64 << 20
)

// readBody reads an answer into buf. gzip is left as it comes: decoding waits for its
// turn, the network must not. leave is called when the body is not needed any more.
func (c *Client) readBody(ctx context.Context, buf *[]byte, res *http.Response) (zipped bool, leave func(), err error) {
	leave = func() {}
	var r io.Reader = res.Body
	hint := res.ContentLength
	switch encoding := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding"))); encoding {
	case "gzip", "x-gzip":
		zipped = true
	case "", "identity":
	default:
		if r, err = decoder(res); err != nil {
			return false, leave, err
		}
		hint = -1
	}
	limit := c.opts.MaxDocument
	if hint > limit {
		return zipped, leave, errTooLarge
	}
	enter := func(size int64) error {
		if err := c.large.Acquire(ctx, size); err != nil {
			return context.Cause(ctx)
		}
		leave = func() { c.large.Release(size) }
		return nil
	}
	if hint > largeBody {
		if err := enter(min(hint, mostLarge)); err != nil {
			return zipped, leave, err
		}
	}
	if hint > int64(cap(*buf)) && hint < 16<<20 {
		*buf = make([]byte, 0, hint+512)
	}
	few := limit
	if hint < 0 {
		few = min(limit, largeBody) // as far as it may go without asking
	}
	*buf, err = readInto((*buf)[:0], r, few)
	if few < limit && errors.Is(err, errTooLarge) {
		if err = enter(mostLarge); err == nil {
			*buf, err = readInto(*buf, r, limit)
		}
	}
	return zipped, leave, err
}

// rooms are for decoded documents, one for each that is decoded at once by any
// client. Most documents are small and a few have ten MB: in the heap, they
// would count as garbage that has to be collected.
var rooms roomList

type roomList struct {
	mu   sync.Mutex
	free [][]byte
}

// roomSize has space for all but monstrous documents; for these the heap has.
const (
	roomSize  = 32 << 20
	roomSlack = 64 << 10 // the decoder wants some more
)

func (l *roomList) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		room := l.free[n-1]
		l.free = l.free[:n-1]
		return room
	}
	return inflate.Room(roomSize)
}

func (l *roomList) give(room []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, room)
}

// trim lets go of memory that one huge document needed.
func (w *scratch) trim() *scratch {
	const limit = 16 << 20
	if cap(w.out) > limit {
		w.out = nil
	}
	w.scanner.doc = nil
	return w
}

// download gets a whole document for a Packument whose body was not kept.
func (c *Client) download(name string) ([]byte, error) {
	res, err := c.Do(context.Background(), Request{URL: EscapeName(name), Package: name, Header: http.Header{"Accept": {acceptFull}}})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// gunzip decodes a whole answer.
func gunzip(d *inflate.Decoder, dst, src []byte, limit int64) ([]byte, error) {
	dst, err := d.Gunzip(dst, src, int(min(limit, 1<<31-1)))
	switch {
	case errors.Is(err, inflate.ErrTooLarge):
		return dst, errTooLarge
	case err != nil:
		return dst, fmt.Errorf("decoding answer: %w", err)
	}
	return dst, nil
}

func (c *Client) fromEntry(name string, e *entry) *Packument {
	p := &Packument{url: e.url, name: name, index: &e.index, path: e.path, wishes: &c.wishes}
	p.body = func() ([]byte, error) {
		if doc, ok := e.document(c.opts.MaxDocument); ok {
			return doc, nil
		}
		// Another process may have brought it up to date.
		if now := c.openEntry(e.address); now != nil {
			if doc, ok := now.document(c.opts.MaxDocument); ok {
				return doc, nil
			}
		}
		c.dropEntry(e.address)
		return c.download(name)
	}
	return p
}

// document decodes an entry's body.
func (e *entry) document(limit int64) ([]byte, bool) {
	body, ok := readPart(e.path, e.body)
	if !ok || e.encoding == "" {
		return body, ok
	}
	doc, err := gunzip(new(inflate.Decoder), nil, body, limit)
	return doc, err == nil
}

// part reads a part of the packument's entry, from memory if it is there.
func (p *Packument) part(at part) ([]byte, bool) {
	if at.n == 0 {
		return nil, true
	}
	if b, ok := p.index.nearby(at); ok {
		return b, true
	}
	return readPart(p.path, at)
}

// Name is the package's name as it was asked for.
func (p *Packument) Name() string { return p.name }

// URL is where the packument is, without credentials.
func (p *Packument) URL() string { return p.url }

// DistTags gives the tags in JavaScript's key order.
func (p *Packument) DistTags() []DistTag {
	p.tagsOnce.Do(func() {
		eachString(p.index.tags, func(tag, version string) { p.tags = append(p.tags, DistTag{tag, version}) })
		p.tags = jsjson.Order(p.tags, func(t *DistTag) string { return t.Tag }, func(to, from *DistTag) { to.Version = from.Version })
	})
	return p.tags
}

// DistTag gives the version that a tag names.
func (p *Packument) DistTag(tag string) (string, bool) {
	for _, t := range p.DistTags() {
		if t.Tag == tag {
			return t.Version, true
		}
	}
	return "", false
}

// eachString walks over the string members of a raw object.
func eachString(raw jsjson.Raw, member func(key, value string)) {
	if raw.Kind() != jsjson.Object {
		return
	}
	s := raw.Scanner()
	s.Object()
	for s.More() {
		key := s.Key()
		if s.Kind() == jsjson.String {
			member(key, s.Str())
		} else {
			s.Skip()
		}
	}
}

// Versions gives the versions in JavaScript's key order. It must not be
// changed.
func (p *Packument) Versions() []string {
	p.versionsOnce.Do(func() {
		names := string(p.index.names)
		list := make([]string, p.index.count())
		for i := range list {
			r := p.index.row(i)
			if at, n := r.nameAt(), r.nameLen(); r.flags()&flagOdd == 0 && at+n <= len(names) {
				list[i] = names[at : at+n]
			} else {
				list[i] = p.index.key(i)
			}
		}
		p.versions = list
	})
	return p.versions
}

// find gives a version's place, -1 for none. It looks from the end, where the
// newest are.
func (p *Packument) find(version string) int {
	for i := p.index.count() - 1; i >= 0; i-- {
		if string(p.index.name(i)) == version || p.index.row(i).flags()&flagOdd != 0 && p.index.key(i) == version {
			return i
		}
	}
	return -1
}

// version gives the key at a place.
func (p *Packument) version(i int) string { return p.index.key(i) }

// Has says whether there is such a version.
func (p *Packument) Has(version string) bool { return p.find(version) >= 0 }

// Manifest gives the manifest of a version, as far as a lockfile or a resolver
// needs it: devDependencies, scripts other than install scripts, descriptions
// and the like are left out; FullManifest has them. It is decoded when it is
// first asked for. A version that isn't there is ErrNoVersion.
func (p *Packument) Manifest(version string) (*manifest.Manifest, error) {
	i := p.find(version)
	if i < 0 {
		return nil, fmt.Errorf("%s@%s: %w", Clean(p.name), Clean(version), ErrNoVersion)
	}
	return p.manifestAt(i)
}

// ErrNoVersion says that a packument has no such version.
var ErrNoVersion = errors.New("no such version")

func (p *Packument) manifestAt(i int) (*manifest.Manifest, error) {
	p.manifestsOnce.Do(func() {
		p.manifests = make([]atomic.Pointer[manifest.Manifest], p.index.count())
	})
	if m := p.manifests[i].Load(); m != nil {
		return m, nil
	}
	text, ok := p.part(p.index.row(i).manifest())
	if !ok {
		// Damaged, or replaced by another process: the whole document has it.
		full, err := p.FullManifest(p.version(i))
		if err != nil {
			return nil, err
		}
		text = []byte(full)
	}
	m, err := manifest.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s@%s: reading manifest: %w", Clean(p.name), Clean(p.version(i)), err)
	}
	// The first one stays: callers may compare pointers.
	if !p.manifests[i].CompareAndSwap(nil, m) {
		m = p.manifests[i].Load()
	}
	return m, nil
}

// FullManifest gives a version's whole manifest as the registry sent it; the
// whole document is read for it.
func (p *Packument) FullManifest(version string) (jsjson.Raw, error) {
	doc, err := p.Raw()
	if err != nil {
		return "", err
	}
	found := member(member(doc, "versions"), version)
	if found == "" {
		return "", fmt.Errorf("%s@%s: %w", Clean(p.name), Clean(version), ErrNoVersion)
	}
	return found, nil
}

// Raw gives the whole document as the registry sent it. It is read from the
// cache, or else asked for again: only a few commands look at it.
func (p *Packument) Raw() (jsjson.Raw, error) {
	p.bodyOnce.Do(func() {
		if p.body == nil {
			p.docErr = fmt.Errorf("%s: the whole document is not at hand", Clean(p.name))
			return
		}
		p.doc, p.docErr = p.body()
	})
	if p.docErr != nil {
		return "", p.docErr
	}
	return jsjson.Raw(p.doc), nil
}

// Time gives when a version was published, as the registry writes it. The keys
// "created" and "modified" are there too.
func (p *Packument) Time(version string) (string, bool) {
	t, ok := p.timeMap()[version]
	return t, ok
}

// Published is Time as a time. ok is false where there is none or it can't be
// read.
func (p *Packument) Published(version string) (t time.Time, ok bool) {
	text, ok := p.Time(version)
	if !ok {
		return time.Time{}, false
	}
	return parseDate(text)
}

// timeMap is nil where the packument has no times.
func (p *Packument) timeMap() map[string]string {
	p.timesOnce.Do(func() {
		text, ok := p.part(p.index.times)
		raw := jsjson.Raw(text)
		if !ok {
			// Without times a date would forbid nothing: they must be had.
			doc, err := p.Raw()
			if err != nil {
				p.timesErr = err
				return
			}
			raw = member(doc, "time")
		}
		if raw.Kind() != jsjson.Object {
			return
		}
		p.times = make(map[string]string, p.index.count()+2)
		s := raw.Scanner()
		s.Object()
		for s.More() {
			version := s.Key()
			if s.Kind() == jsjson.String {
				p.times[version] = s.Str()
			} else if value := s.Raw(); value.Truthy() {
				// No date that anything could be before.
				p.times[version] = string(value)
			}
		}
	})
	return p.times
}

// member gives a member of a document, the last of its name.
func member(doc jsjson.Raw, key string) (found jsjson.Raw) {
	if doc.Kind() != jsjson.Object {
		return ""
	}
	s := doc.Scanner()
	s.Object()
	for s.More() {
		if s.Key() == key {
			found = s.Raw()
		} else {
			s.Skip()
		}
	}
	return found
}

// parseDate reads what JavaScript's Date.parse reads of the forms that
// registries use.
func parseDate(text string) (time.Time, bool) {
	if len(text) > 10 && plainTime([]byte(`"`+text+`"`)) {
		// A day too many is one of the next month.
		if day, err := strconv.Atoi(text[8:10]); err == nil && day > 28 {
			t, err := time.Parse(time.RFC3339Nano, text[:8]+"01"+text[10:])
			return t.AddDate(0, 0, day-1), err == nil
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05Z07:00", "2006-01-02", time.RFC1123, time.RFC1123Z} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
