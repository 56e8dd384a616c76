package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The cache of packuments is a directory with one file for each address, named
// by its hash. A file is written under another name and renamed when it is whole;
// only its slot is ever changed in place. Whatever can't be read, doesn't fit
// its checksums or belongs to another address is as good as absent, and a cache
// that can't be written costs time, never the run.

// cacheFormat is part of the path, so that two versions of ibid that don't
// understand each other's entries keep apart.
const cacheFormat = "packuments-2"

// abbreviatedMark stands behind the URL in what is hashed and written of an
// address whose form is abbreviated. No URL of the cache has a fragment.
const abbreviatedMark = "#abbreviated"

// text is the address as the cache's files have it.
func (a address) text() string {
	if a.form == abbreviated {
		return a.url + abbreviatedMark
	}
	return a.url
}

// addressOf reads what text wrote.
func addressOf(text string) address {
	if url, ok := strings.CutSuffix(text, abbreviatedMark); ok {
		return address{url, abbreviated}
	}
	return address{text, full}
}

func (c *Client) entryPath(at address) string {
	if c.opts.CacheDir == "" {
		return ""
	}
	return filepath.Join(c.opts.CacheDir, cacheFormat, filepath.FromSlash(entryName(at)))
}

// entryName is an entry's path in the cache.
func entryName(at address) string {
	sum := sha256.Sum256([]byte(at.text()))
	name := hex.EncodeToString(sum[:20])
	return name[:2] + "/" + name[2:]
}

// openEntry gives the cache's entry for an address, nil if there is none.
func (c *Client) openEntry(at address) *entry {
	path := c.entryPath(at)
	if path == "" {
		return nil
	}
	e := readEntry(path)
	if e == nil || e.address != at {
		return nil
	}
	return e
}

// readEntry opens an entry; nil where it is not one, or not whole.
func readEntry(path string) *entry {
	f, err := openFile(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var start [beginning]byte
	if !readFull(f, start[:], 0) {
		return nil
	}
	nearAt, end, ok := headSpan(start[:])
	if !ok {
		return nil
	}
	near := make([]byte, end-nearAt)
	if !readFull(f, near, nearAt) {
		return nil
	}
	e := decodeEntry(start[:], near, nearAt)
	if e != nil {
		e.path = path
	}
	return e
}

// readFull fills b from a place in a file and says whether it could.
func readFull(f io.ReaderAt, b []byte, at int) bool {
	n, _ := f.ReadAt(b, int64(at))
	return n == len(b)
}

// readPart reads a part of an entry's file. The file may be another one by
// now, which the part's checksum tells.
func readPart(path string, p part) ([]byte, bool) {
	if path == "" || p.n < 0 || p.n > 1<<31-1 {
		return nil, false
	}
	f, err := openFile(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	// A forged length must not take memory that the file doesn't have.
	if p.n > 1<<20 {
		var last [1]byte
		if !readFull(f, last[:], p.at+p.n-1) {
			return nil, false
		}
	}
	b := make([]byte, p.n)
	return b, readFull(f, b, p.at) && checksum(b) == p.sum
}

// writeEntry writes an entry's parts to its file and says whether it could.
func (c *Client) writeEntry(path string, parts ...[]byte) bool {
	err := writeFile(path, parts...)
	if err != nil {
		c.opts.Logger.Debug("packument cache: writing", "error", err)
	}
	return err == nil
}

// touchEntry notes that an entry was validated.
func (c *Client) touchEntry(at address, f slot) {
	path := c.entryPath(at)
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_WRONLY|touchFlags, 0)
	if err != nil {
		return
	}
	_, _ = file.WriteAt(f.encode(), int64(slotAt))
	_ = file.Close()
}

func (c *Client) dropEntry(at address) {
	if path := c.entryPath(at); path != "" {
		_ = os.Remove(path)
	}
}

// absentSuffix marks an empty file beside where an entry would be: the registry
// said 404 when the file was last changed. Only guesses look at it; npm keeps
// no such answers either.
const (
	absentSuffix = ".404"
	absentFor    = 24 * time.Hour
)

func (c *Client) noteAbsent(key address) {
	if path := c.absentPath(key); path != "" {
		_ = writeFile(path)
	}
}

// absentLately says whether the registry lacked the package not long ago.
func (c *Client) absentLately(key address) bool {
	path := c.absentPath(key)
	if path == "" || c.opts.Mode == PreferOnline {
		return false
	}
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	age := c.opts.Now().Sub(info.ModTime())
	return age >= -time.Minute && age < absentFor
}

func (c *Client) absentPath(key address) string {
	if c.opts.CacheDir == "" {
		return ""
	}
	return c.entryPath(key) + absentSuffix
}

// Cached gives every packument that is in the cache in full, however old.
func (c *Client) Cached(yield func(*Packument) bool) {
	if c.opts.CacheDir == "" {
		return
	}
	files, _ := filepath.Glob(filepath.Join(c.opts.CacheDir, cacheFormat, "*", "*")) // the pattern is none that is wrong
	for _, path := range files {
		e := readEntry(path)
		if e == nil || e.form == abbreviated {
			continue
		}
		u, err := url.Parse(e.url)
		if err != nil {
			continue
		}
		name, err := url.PathUnescape(u.EscapedPath()[strings.LastIndexByte(u.EscapedPath(), '/')+1:])
		if err == nil && !yield(c.fromEntry(name, e)) {
			return
		}
	}
}

// cacheKey is an address without what does not change the answer.
func cacheKey(u *url.URL, f form) address {
	k := *u
	k.User = nil
	k.Fragment = ""
	return address{k.String(), f}
}

// storable says whether an answer may be kept, and for how long it is fresh
// (npm: http-cache-semantics with shared: false and ignoreCargoCult).
func storable(h http.Header, now time.Time) (slot, bool) {
	cc := cacheControl(h.Get("Cache-Control"))
	if _, pre := cc["pre-check"]; pre {
		if _, post := cc["post-check"]; post {
			// Copied from some tutorial: whoever sends these two means nothing by
			// the others.
			for _, k := range []string{"no-cache", "no-store", "must-revalidate", "pre-check", "post-check"} {
				delete(cc, k)
			}
			h = h.Clone()
			h.Del("Expires")
			h.Del("Pragma")
		}
	}
	if h.Get("Cache-Control") == "" && strings.Contains(h.Get("Pragma"), "no-cache") {
		cc["no-cache"] = ""
	}
	if _, no := cc["no-store"]; no {
		return slot{}, false
	}
	f := slot{received: now.UnixMilli()}
	_, f.mustRevalidate = cc["must-revalidate"]
	if age, err := strconv.ParseUint(leadingDigits(h.Get("Age")), 10, 31); err == nil {
		f.age = uint32(age)
	}
	f.lifetime = lifetime(h, cc, now)
	return f, true
}

// lifetime is the answer's freshness in milliseconds.
func lifetime(h http.Header, cc map[string]string, now time.Time) int64 {
	if _, no := cc["no-cache"]; no {
		return 0
	}
	for _, vary := range h.Values("Vary") {
		for _, field := range strings.Split(strings.ToLower(vary), ",") {
			switch strings.TrimSpace(field) {
			case "", "accept", "accept-encoding", "user-agent", "npm-command", "npm-session", "npm-scope", "npm-auth-type":
				// Sent alike by every run, or of no consequence to a document.
			default:
				// "*", or something that the entry has no record of.
				return 0
			}
		}
	}
	const limit = math.MaxInt64 / 4
	if s, ok := cc["max-age"]; ok && s != "" && s != "0" {
		seconds, err := strconv.ParseFloat(leadingDigits(s), 64)
		if err != nil {
			return 0
		}
		return int64(min(seconds*1000, limit))
	} else if ok && s == "0" {
		return 0
	}
	least := int64(0)
	if _, immutable := cc["immutable"]; immutable {
		least = 24 * time.Hour.Milliseconds()
	}
	date := now
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		date = t
	}
	if e := h.Get("Expires"); e != "" {
		t, err := http.ParseTime(e)
		if err != nil || t.Before(date) {
			return 0
		}
		return max(least, t.Sub(date).Milliseconds())
	}
	if t, err := http.ParseTime(h.Get("Last-Modified")); err == nil && date.After(t) {
		return max(least, date.Sub(t).Milliseconds()/10)
	}
	return least
}

func cacheControl(value string) map[string]string {
	cc := map[string]string{}
	for _, part := range strings.Split(value, ",") {
		k, v, _ := strings.Cut(part, "=")
		if k = strings.TrimSpace(k); k != "" {
			cc[k] = strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return cc
}

func leadingDigits(s string) string {
	s = strings.TrimSpace(s)
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return s[:i]
}
