package registrytest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1" //nolint:gosec // dist.shasum is a SHA-1
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"archive/tar"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// Canonical is the base of tarball URLs in npm's own registry's documents,
// whatever mirror they are read from.
const Canonical = "https://registry.npmjs.org/"

// Registry is a registry and what it was asked for. It is an http.Handler; New
// also starts a server. Its methods may be called from any goroutine; its
// fields are set before the first request.
type Registry struct {
	// URL is where the server listens, with a slash at the end; "" without one.
	URL string
	// TarballBase is what tarball URLs in documents begin with; "" is the
	// server's own URL. With Canonical, lockfiles do not depend on the port.
	TarballBase string
	// Token, if set, must be sent as a bearer token with every request.
	Token string
	// CacheControl of documents; "" is npm's "public, max-age=300".
	CacheControl string
	NoETag       bool
	NoGzip       bool
	// FullOnly has no abbreviated form of documents, as many registries.
	FullOnly bool

	mu       sync.Mutex
	packages map[string]*pkg
	answers  map[string][]byte // what to say under "/-/"
	faults   []*Fault
	requests []Request
	delay    func(path string) time.Duration
	closed   chan struct{}
	once     sync.Once
	server   *httptest.Server
}

// Request is one request as it came, and what became of it.
type Request struct {
	Method string
	Path   string // decoded: "/@s/a", "/a/-/a-1.0.0.tgz"
	URI    string // as sent
	Header http.Header
	Host   string
	Proto  string // "HTTP/1.1", "HTTP/2.0"
	From   string // the client's end of the connection
	Body   []byte
	Status int // 0 where the answer was broken on purpose
}

type pkg struct {
	versions map[string]*release
	patch    jsjson.Value
	tags     []jsjson.Member // set through the API
}

type release struct {
	manifest jsjson.Value // with dist but for the tarball's URL
	tarball  []byte
	file     string // of its URL: "a-1.0.0.tgz"
	order    int
}

// NewHandler gives an empty registry without a server.
func NewHandler() *Registry {
	return &Registry{packages: map[string]*pkg{}, closed: make(chan struct{})}
}

// New starts an empty registry that lives as long as the test.
func New(t testing.TB) *Registry {
	t.Helper()
	r := NewHandler()
	r.Start()
	t.Cleanup(r.Close)
	return r
}

// NewTLS is New with https. The server's certificate is in the client that
// Server gives, and in Certificate.
func NewTLS(t testing.TB) *Registry {
	t.Helper()
	r := NewHandler()
	r.StartTLS()
	t.Cleanup(r.Close)
	return r
}

// Start listens on loopback and sets URL.
func (r *Registry) Start() {
	r.server = httptest.NewServer(r)
	r.URL = r.server.URL + "/"
}

// StartTLS is Start with https.
func (r *Registry) StartTLS() {
	r.server = httptest.NewUnstartedServer(r)
	r.server.EnableHTTP2 = true
	// Clients that don't trust the certificate are what tests are about.
	r.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.server.StartTLS()
	r.URL = r.server.URL + "/"
}

// Server gives the running server, nil without one.
func (r *Registry) Server() *httptest.Server { return r.server }

// Close ends the server and every answer that stalls.
func (r *Registry) Close() {
	r.once.Do(func() { close(r.closed) })
	if r.server != nil {
		r.server.CloseClientConnections()
		r.server.Close()
	}
}

// AddDir adds the packages in a folder. That there is no folder is no error.
func (r *Registry) AddDir(dir string) error {
	err := r.AddFS(os.DirFS(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// AddTxtar adds the files of an archive that are below "registry/".
func (r *Registry) AddTxtar(a *txtar.Archive) error {
	files := map[string]map[string][]byte{}
	for _, f := range a.Files {
		name, ok := strings.CutPrefix(f.Name, "registry/")
		if !ok {
			continue
		}
		if err := r.collect(files, name, f.Data); err != nil {
			return err
		}
	}
	return r.addAll(files)
}

// AddFS adds the packages of a file system: <name>@<version>/… and
// <name>.json.
func (r *Registry) AddFS(fsys fs.FS) error {
	files := map[string]map[string][]byte{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		return r.collect(files, name, data)
	})
	if err != nil {
		return err
	}
	return r.addAll(files)
}

// collect sorts one file: into its version's folder, as a patch, or as what is
// answered to any request under "/-/": "-/npm/v1/keys.json".
func (r *Registry) collect(files map[string]map[string][]byte, name string, data []byte) error {
	if path, ok := strings.CutPrefix(name, "-/"); ok {
		if r.answers == nil {
			r.answers = map[string][]byte{}
		}
		r.answers[strings.TrimSuffix(path, ".json")] = data
		return nil
	}
	parts := strings.SplitN(name, "/", 3)
	id, rest := parts[0], strings.Join(parts[1:], "/")
	if strings.HasPrefix(id, "@") && len(parts) > 1 {
		id, rest = parts[0]+"/"+parts[1], strings.Join(parts[2:], "/")
	}
	if rest == "" {
		pkgName, ok := strings.CutSuffix(id, ".json")
		if !ok {
			return fmt.Errorf("%s: neither <name>@<version>/… nor <name>.json", name)
		}
		return r.Patch(pkgName, string(data))
	}
	if files[id] == nil {
		files[id] = map[string][]byte{}
	}
	files[id][rest] = data
	return nil
}

func (r *Registry) addAll(files map[string]map[string][]byte) error {
	ids := make([]string, 0, len(files))
	for id := range files {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		if err := r.add(id, files[id]); err != nil {
			return err
		}
	}
	return nil
}

// Add publishes one version: its package.json and its other files by path.
func (r *Registry) Add(packageJSON string, files map[string]string) error {
	all := map[string][]byte{"package.json": []byte(packageJSON)}
	for name, text := range files {
		all[name] = []byte(text)
	}
	return r.add("", all)
}

func (r *Registry) add(id string, files map[string][]byte) error {
	m, err := jsjson.Parse(bytes.Clone(files["package.json"]))
	if err != nil {
		return fmt.Errorf("%s: reading package.json: %w", id, err)
	}
	name, version := m.Get("name").Str(), m.Get("version").Str()
	if name == "" || version == "" {
		return fmt.Errorf("%s: package.json has no name or no version", id)
	}
	if at := strings.LastIndexByte(id, '@'); at > 0 {
		// What the folder is called is what the registry lists: the two differ
		// in tests of registries that lie.
		name, version = id[:at], id[at+1:]
	}
	tarball, err := Tarball(files)
	if err != nil {
		return fmt.Errorf("%s: packing: %w", id, err)
	}
	return r.AddTarball(name, version, string(files["package.json"]), tarball, fileNames(files)...)
}

func fileNames(files map[string][]byte) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// AddTarball publishes a version with a tarball of the test's own making. files
// are the names that publishing would have seen in it.
func (r *Registry) AddTarball(name, version, packageJSON string, tarball []byte, files ...string) error {
	m, err := jsjson.Parse([]byte(packageJSON))
	if err != nil {
		return err
	}
	members := m.Members()
	out := make([]jsjson.Member, 0, len(members)+6)
	scripts := m.Get("scripts")
	for _, member := range members {
		if member.Key != "dist" && member.Key != "scripts" {
			out = append(out, member)
		}
	}
	if slices.Contains(files, "binding.gyp") && !scripts.Get("install").Truthy() && !scripts.Get("preinstall").Truthy() {
		// npm publish says so in the document.
		scripts = jsjson.NewObject(append(slices.Clone(scripts.Members()), jsjson.Member{Key: "install", Value: jsjson.NewString("node-gyp rebuild")})...)
		out = append(out, jsjson.Member{Key: "gypfile", Value: jsjson.NewBool(true)})
	}
	if scripts.IsObject() {
		out = append(out, jsjson.Member{Key: "scripts", Value: scripts})
	}
	for _, s := range []string{"preinstall", "install", "postinstall"} {
		if scripts.Get(s).Truthy() {
			out = append(out, jsjson.Member{Key: "hasInstallScript", Value: jsjson.NewBool(true)})
			break
		}
	}
	if slices.Contains(files, "npm-shrinkwrap.json") {
		out = append(out, jsjson.Member{Key: "_hasShrinkwrap", Value: jsjson.NewBool(true)})
	}
	out = append(out, jsjson.Member{Key: "_id", Value: jsjson.NewString(name + "@" + version)})
	sha := sha1.Sum(tarball) //nolint:gosec // as above
	sum := sha512.Sum512(tarball)
	dist := []jsjson.Member{
		{Key: "integrity", Value: jsjson.NewString("sha512-" + base64.StdEncoding.EncodeToString(sum[:]))},
		{Key: "shasum", Value: jsjson.NewString(hex.EncodeToString(sha[:]))},
	}
	if len(files) > 0 {
		dist = append(dist, jsjson.Member{Key: "fileCount", Value: jsjson.NewNumber(float64(len(files)))})
	}
	// What the package.json says of dist wins: a test may want a wrong hash.
	own := m.Get("dist")
	for i := range dist {
		if own.Has(dist[i].Key) {
			dist[i].Value = own.Get(dist[i].Key)
		}
	}
	for _, member := range own.Members() {
		if !slices.ContainsFunc(dist, func(d jsjson.Member) bool { return d.Key == member.Key }) {
			dist = append(dist, member)
		}
	}
	dist = slices.DeleteFunc(dist, func(d jsjson.Member) bool { return d.Value.Kind() == jsjson.Null })
	out = append(out, jsjson.Member{Key: "dist", Value: jsjson.NewObject(dist...)})
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.packageOf(name)
	p.versions[version] = &release{manifest: jsjson.NewObject(out...), tarball: tarball, file: path.Base(name) + "-" + version + ".tgz", order: len(p.versions)}
	return nil
}

// packageOf gives a package, made if it isn't there. mu is held.
func (r *Registry) packageOf(name string) *pkg {
	p := r.packages[name]
	if p == nil {
		p = &pkg{versions: map[string]*release{}}
		r.packages[name] = p
	}
	return p
}

// Patch merges JSON into a package's document (RFC 7386), after what earlier
// patches said.
func (r *Registry) Patch(name, patch string) error {
	v, err := jsjson.Parse([]byte(patch))
	if err != nil {
		return fmt.Errorf("%s.json: %w", name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.packageOf(name)
	p.patch = merge(p.patch, v, true)
	return nil
}

// merge is RFC 7386's MergePatch; with keep, nulls are kept in what will be a
// patch again.
func merge(target, patch jsjson.Value, keep bool) jsjson.Value {
	if !patch.IsObject() {
		return patch
	}
	var members []jsjson.Member
	if target.IsObject() {
		members = slices.Clone(target.Members())
	}
	for _, m := range patch.Members() {
		i := slices.IndexFunc(members, func(have jsjson.Member) bool { return have.Key == m.Key })
		if m.Value.Kind() == jsjson.Null && !keep {
			if i >= 0 {
				members = slices.Delete(members, i, i+1)
			}
			continue
		}
		if i < 0 {
			members = append(members, jsjson.Member{Key: m.Key})
			i = len(members) - 1
		}
		members[i].Value = merge(members[i].Value, m.Value, keep)
	}
	return jsjson.NewObject(members...)
}

// Remove takes a package, or one of its versions, away.
func (r *Registry) Remove(name, version string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if version == "" {
		delete(r.packages, name)
	} else if p := r.packages[name]; p != nil {
		delete(p.versions, version)
	}
}

// Requests gives what was asked for so far, in the order it came.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Count says how often a path was asked for; path may be a pattern of
// path.Match.
func (r *Registry) Count(pattern string) int {
	n := 0
	for _, q := range r.Requests() {
		if match(pattern, q.Path) {
			n++
		}
	}
	return n
}

// ResetRequests forgets what was asked for.
func (r *Registry) ResetRequests() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = nil
}

// Packument gives a package's document as it is served.
func (r *Registry) Packument(name string) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.document(name, r.base())
	if !ok {
		return nil, false
	}
	return jsjson.Append(nil, v, "", ""), true
}

// TarballOf gives a version's tarball.
func (r *Registry) TarballOf(name, version string) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.packages[name]; p != nil && p.versions[version] != nil {
		return p.versions[version].tarball, true
	}
	return nil, false
}

func (r *Registry) base() string {
	if r.TarballBase != "" {
		return r.TarballBase
	}
	return r.URL
}

// Epoch is when the first version of every package was published; each later
// one came a day after the one before.
var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// document computes a package's document. mu is held.
func (r *Registry) document(name, base string) (jsjson.Value, bool) {
	p := r.packages[name]
	if p == nil {
		return jsjson.Value{}, false
	}
	versions := make([]string, 0, len(p.versions))
	for v := range p.versions {
		versions = append(versions, v)
	}
	slices.SortFunc(versions, func(a, b string) int {
		va, ea := nodesemver.Parse(a, true)
		vb, eb := nodesemver.Parse(b, true)
		if ea == nil && eb == nil {
			if c := nodesemver.CompareBuild(va, vb); c != 0 {
				return c
			}
		}
		return strings.Compare(a, b)
	})
	latest := ""
	var list, times []jsjson.Member
	for i, version := range versions {
		rel := p.versions[version]
		if v, err := nodesemver.Parse(version, true); err == nil && !strings.Contains(v.String(), "-") || latest == "" {
			latest = version
		}
		m := rel.manifest
		dist := m.Get("dist")
		if !dist.Has("tarball") {
			dist = merge(dist, jsjson.NewObject(jsjson.Member{Key: "tarball", Value: jsjson.NewString(base + name + "/-/" + rel.file)}), false)
			m = merge(m, jsjson.NewObject(jsjson.Member{Key: "dist", Value: dist}), false)
		}
		list = append(list, jsjson.Member{Key: version, Value: m})
		times = append(times, jsjson.Member{Key: version, Value: jsjson.NewString(stamp(epoch.AddDate(0, 0, i)))})
	}
	times = append([]jsjson.Member{
		{Key: "created", Value: jsjson.NewString(stamp(epoch))},
		{Key: "modified", Value: jsjson.NewString(stamp(epoch.AddDate(0, 0, max(len(versions)-1, 0))))},
	}, times...)
	var tags []jsjson.Member
	if latest != "" {
		tags = append(tags, jsjson.Member{Key: "latest", Value: jsjson.NewString(latest)})
	}
	tags = append(tags, p.tags...)
	doc := jsjson.NewObject(
		jsjson.Member{Key: "_id", Value: jsjson.NewString(name)},
		jsjson.Member{Key: "name", Value: jsjson.NewString(name)},
		jsjson.Member{Key: "dist-tags", Value: jsjson.NewObject(tags...)},
		jsjson.Member{Key: "versions", Value: jsjson.NewObject(list...)},
		jsjson.Member{Key: "time", Value: jsjson.NewObject(times...)},
	)
	if p.patch.IsObject() {
		doc = merge(doc, p.patch, false)
	}
	return doc, true
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Tarball packs files as npm pack does: below "package/", with npm's fixed
// times and modes.
func Tarball(files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range fileNames(files) {
		data := files[name]
		mode := int64(0o644)
		if bytes.HasPrefix(data, []byte("#!")) {
			mode = 0o755
		}
		err := w.WriteHeader(&tar.Header{
			Name: "package/" + name, Mode: mode, Size: int64(len(data)), Typeflag: tar.TypeReg,
			ModTime: time.Date(1985, 10, 26, 8, 15, 0, 0, time.UTC),
		})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ServeHTTP answers as npm's registry does, faults aside.
func (r *Registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	decoded, err := url.PathUnescape(q.URL.EscapedPath())
	if err != nil {
		decoded = q.URL.Path
	}
	body, _ := io.ReadAll(io.LimitReader(q.Body, 256<<20))
	entry := Request{Method: q.Method, Path: decoded, URI: q.RequestURI, Header: q.Header.Clone(), Host: q.Host, Proto: q.Proto, From: q.RemoteAddr, Body: body}
	r.mu.Lock()
	fault := r.faultFor(q.Method, decoded)
	delay := r.delay
	at := len(r.requests)
	r.requests = append(r.requests, entry)
	r.mu.Unlock()
	if delay != nil && !r.wait(q, delay(decoded)) {
		return
	}
	a := r.answer(q, decoded, body)
	if fault != nil {
		if !fault.apply(r, w, q, a) {
			return
		}
	}
	r.mu.Lock()
	if at < len(r.requests) {
		r.requests[at].Status = a.status
	}
	r.mu.Unlock()
	a.write(w, q)
}

func (r *Registry) wait(q *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-q.Context().Done():
	case <-r.closed:
	}
	return false
}

// answer is an answer before it is sent.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) write(w http.ResponseWriter, q *http.Request) {
	maps.Copy(w.Header(), a.header)
	if a.status != http.StatusNotModified && a.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if q.Method != http.MethodHead {
		_, _ = w.Write(a.body)
	}
}

func jsonAnswer(status int, v any) *answer {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte("{}")
	}
	return &answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: b}
}

func refuse(status int, message string) *answer {
	return jsonAnswer(status, map[string]string{"error": message})
}

func (r *Registry) answer(q *http.Request, decoded string, body []byte) *answer {
	r.mu.Lock()
	token := r.Token
	r.mu.Unlock()
	if token != "" && q.Header.Get("Authorization") != "Bearer "+token {
		a := refuse(http.StatusUnauthorized, "You must be logged in")
		a.header.Set("Www-Authenticate", "Bearer")
		return a
	}
	name, rest := split(decoded)
	switch {
	case name == "-":
		return r.api(q, rest, body)
	case q.Method == http.MethodPut && rest == "":
		return r.publish(name, body)
	case q.Method != http.MethodGet && q.Method != http.MethodHead:
		return refuse(http.StatusMethodNotAllowed, "method not allowed")
	case strings.HasPrefix(rest, "-/"):
		return r.tarball(name, rest[2:])
	}
	return r.metadata(q, name, rest)
}

// split gives a path's package and what follows it.
func split(decoded string) (name, rest string) {
	parts := strings.SplitN(strings.TrimPrefix(decoded, "/"), "/", 3)
	if strings.HasPrefix(parts[0], "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1], strings.Join(parts[2:], "/")
	}
	return parts[0], strings.Join(parts[1:], "/")
}

func (r *Registry) tarball(name, file string) *answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.packages[name]; p != nil {
		for _, rel := range p.versions {
			if rel.file == file {
				return &answer{status: http.StatusOK, header: http.Header{
					"Content-Type": {"application/octet-stream"}, "Cache-Control": {"public, immutable, max-age=31557600"},
				}, body: rel.tarball}
			}
		}
	}
	return refuse(http.StatusNotFound, "Not found")
}

func (r *Registry) metadata(q *http.Request, name, rest string) *answer {
	base := r.base()
	if base == "" {
		base = "http://" + q.Host + "/"
	}
	r.mu.Lock()
	doc, ok := r.document(name, base)
	r.mu.Unlock()
	if !ok {
		return refuse(http.StatusNotFound, "Not found")
	}
	contentType := "application/json"
	if rest != "" {
		version := rest
		if tagged := doc.Get("dist-tags").Get(rest); tagged.IsString() {
			version = tagged.Str()
		}
		if doc = doc.Get("versions").Get(version); doc.Kind() == jsjson.Undefined {
			return refuse(http.StatusNotFound, "version not found: "+rest)
		}
	} else if !r.FullOnly && strings.HasPrefix(q.Header.Get("Accept"), "application/vnd.npm.install-v1+json") {
		doc, contentType = abbreviated(doc), "application/vnd.npm.install-v1+json"
	}
	body := jsjson.Append(nil, doc, "", "")
	sum := sha1.Sum(body) //nolint:gosec // a tag, not a proof
	etag := `"` + hex.EncodeToString(sum[:]) + `"`
	cc := r.CacheControl
	if cc == "" {
		cc = "public, max-age=300"
	}
	a := &answer{status: http.StatusOK, body: body, header: http.Header{
		"Content-Type": {contentType}, "Cache-Control": {cc}, "Vary": {"accept-encoding, accept"},
	}}
	if !r.NoETag {
		a.header["Etag"] = []string{etag}
		if q.Header.Get("If-None-Match") == etag {
			a.status, a.body = http.StatusNotModified, nil
			return a
		}
	}
	if !r.NoGzip && strings.Contains(q.Header.Get("Accept-Encoding"), "gzip") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(body)
		_ = z.Close()
		a.body = b.Bytes()
		a.header["Content-Encoding"] = []string{"gzip"}
	}
	return a
}

// abbreviated keeps what npm's registry keeps in the form for installing.
func abbreviated(doc jsjson.Value) jsjson.Value {
	wanted := []string{
		"name", "version", "deprecated", "dependencies", "devDependencies", "optionalDependencies", "bundleDependencies",
		"peerDependencies", "peerDependenciesMeta", "acceptDependencies", "bin", "directories", "dist", "engines", "cpu", "os",
		"funding", "hasInstallScript", "_hasShrinkwrap",
	}
	var versions []jsjson.Member
	for _, v := range doc.Get("versions").Members() {
		var m []jsjson.Member
		for _, member := range v.Value.Members() {
			if slices.Contains(wanted, member.Key) {
				m = append(m, member)
			}
		}
		versions = append(versions, jsjson.Member{Key: v.Key, Value: jsjson.NewObject(m...)})
	}
	return jsjson.NewObject(
		jsjson.Member{Key: "name", Value: doc.Get("name")},
		jsjson.Member{Key: "dist-tags", Value: doc.Get("dist-tags")},
		jsjson.Member{Key: "versions", Value: jsjson.NewObject(versions...)},
		jsjson.Member{Key: "modified", Value: doc.Get("time").Get("modified")},
	)
}

// Certificate gives the server's certificate as PEM; "" without TLS.
func (r *Registry) Certificate() string {
	if r.server == nil || r.server.Certificate() == nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.server.Certificate().Raw}))
}
