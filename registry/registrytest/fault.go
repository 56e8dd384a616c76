package registrytest

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"maps"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// Kind is a way for an answer to go wrong.
type Kind uint8

const (
	// Refuse answers with Status (500 where it is 0), RetryAfter and Body.
	Refuse Kind = iota
	// Truncate announces the whole length, sends At bytes and hangs up.
	Truncate
	// Stall sends At bytes of the body and then nothing, without hanging up.
	Stall
	// Silence takes the request and never answers.
	Silence
	// Reset breaks the connection after At bytes of the body; with At 0
	// before the answer's head.
	Reset
	// Drip sends a few bytes, or At, every Delay until the answer is whole.
	Drip
	// WrongLength announces fewer bytes than there are.
	WrongLength
	// HTML answers 200 with a login page, as a captive portal does.
	HTML
	// Malformed cuts a document in the middle and announces that length.
	Malformed
	// Corrupt flips a bit in the middle of the body.
	Corrupt
	// Redirect sends to Location with Status (302 where it is 0).
	Redirect
	// Slow waits Delay and answers rightly.
	Slow
	// Replace answers 200 with Body.
	Replace
)

// Fault is what goes wrong for some requests.
type Fault struct {
	Kind   Kind
	Path   string // path.Match pattern for the decoded path; "" is every path
	Method string // "" is every method
	Times  int    // how many requests go wrong; 0 is all of them
	Skip   int    // how many go well before

	At         int
	Delay      time.Duration
	Status     int
	RetryAfter string
	Body       string
	Header     http.Header
	Location   string // "%s" in it is replaced by the request's URI

	seen int
}

// Fail adds a fault. The first one that matches a request and is not used up
// decides.
func (r *Registry) Fail(f Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, &f)
}

// Heal takes all faults away.
func (r *Registry) Heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = nil
}

// Delay makes every answer wait as long as f says for its path; nil ends that.
func (r *Registry) Delay(f func(path string) time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = f
}

// Shuffle makes answers come in an order that depends on seed alone: each path
// has its own delay of up to limit.
func (r *Registry) Shuffle(seed uint64, limit time.Duration) {
	r.Delay(func(path string) time.Duration {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %s", seed, path)
		return time.Duration(h.Sum64() % uint64(limit+1))
	})
}

// faultFor finds and uses up a fault. mu is held.
func (r *Registry) faultFor(method, decoded string) *Fault {
	for _, f := range r.faults {
		if f.Method != "" && f.Method != method || !match(f.Path, decoded) {
			continue
		}
		f.seen++
		if f.seen <= f.Skip || f.Times > 0 && f.seen > f.Skip+f.Times {
			continue
		}
		return f
	}
	return nil
}

// match is path.Match, but "*" alone and "" match everything, and a pattern
// without a slash at its end also matches scoped names.
func match(pattern, name string) bool {
	if pattern == "" || pattern == "*" || pattern == name {
		return true
	}
	if ok, err := path.Match(pattern, name); err == nil && ok {
		return true
	}
	// "/**/x" is x at any depth.
	if rest, ok := strings.CutPrefix(pattern, "/**/"); ok {
		for i := range len(name) {
			if name[i] == '/' && match("/"+rest, name[i:]) {
				return true
			}
		}
	}
	return false
}

// apply changes the answer, or sends it itself and says no.
func (f *Fault) apply(r *Registry, w http.ResponseWriter, q *http.Request, a *answer) bool {
	for k, v := range f.Header {
		a.header[http.CanonicalHeaderKey(k)] = v
	}
	switch f.Kind {
	case Refuse:
		*a = *refuse(orElse(f.Status, http.StatusInternalServerError), "broken on purpose")
		if f.Body != "" {
			a.body = []byte(f.Body)
		}
		if f.RetryAfter != "" {
			a.header.Set("Retry-After", f.RetryAfter)
		}
		for k, v := range f.Header {
			a.header[http.CanonicalHeaderKey(k)] = v
		}
	case Replace:
		a.status, a.body = orElse(f.Status, http.StatusOK), []byte(f.Body)
		a.header.Del("Content-Encoding")
	case Slow:
		return r.wait(q, f.Delay)
	case HTML:
		*a = answer{status: http.StatusOK, header: http.Header{"Content-Type": {"text/html"}}, body: []byte("<!DOCTYPE html><html><body>Please log in</body></html>")}
	case Malformed:
		a.header.Del("Content-Encoding")
		a.header.Del("Etag")
		doc, _ := r.Packument(strings.TrimPrefix(q.URL.Path, "/"))
		if len(doc) == 0 {
			doc = a.body
		}
		a.body = doc[:len(doc)/2]
	case Corrupt:
		a.body = bytes.Clone(a.body)
		if len(a.body) > 0 {
			a.body[len(a.body)/2] ^= 0x10
		}
	case Redirect:
		a.status, a.body = orElse(f.Status, http.StatusFound), nil
		a.header = http.Header{"Location": {strings.ReplaceAll(f.Location, "%s", q.RequestURI)}}
	case Silence:
		r.hold(q)
		return false
	case Reset:
		f.reset(w, a)
		return false
	case Truncate, Stall, Drip, WrongLength:
		f.partial(r, w, q, a)
		return false
	}
	return true
}

func orElse(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// hold waits until the client or the test goes away.
func (r *Registry) hold(q *http.Request) {
	select {
	case <-q.Context().Done():
	case <-r.closed:
	}
	panic(http.ErrAbortHandler)
}

func (f *Fault) partial(r *Registry, w http.ResponseWriter, q *http.Request, a *answer) {
	maps.Copy(w.Header(), a.header)
	length := len(a.body)
	if f.Kind == WrongLength {
		length /= 2
	}
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(a.status)
	flush := http.NewResponseController(w)
	at := min(f.At, len(a.body))
	switch f.Kind {
	case WrongLength:
		_, _ = w.Write(a.body[:length])
	case Drip:
		step := orElse(f.At, max(len(a.body)/8, 1))
		for i := 0; i < len(a.body); i += step {
			_, _ = w.Write(a.body[i:min(i+step, len(a.body))])
			_ = flush.Flush()
			if !r.wait(q, f.Delay) {
				return
			}
		}
	case Stall:
		_, _ = w.Write(a.body[:at])
		_ = flush.Flush()
		r.hold(q)
	case Truncate:
		_, _ = w.Write(a.body[:at])
		_ = flush.Flush()
		panic(http.ErrAbortHandler)
	}
}

// reset ends the connection with RST where the platform can.
func (f *Fault) reset(w http.ResponseWriter, a *answer) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if f.At > 0 {
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(a.body))
		_, _ = conn.Write(a.body[:min(f.At, len(a.body))])
		// What was sent must arrive before the reset overtakes it.
		time.Sleep(20 * time.Millisecond)
	}
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = conn.Close()
}
