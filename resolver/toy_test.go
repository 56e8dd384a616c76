package resolver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/platform"
	"github.com/ibid-pm/ibid/internal/spec"
)

// toy is a registry in memory, written one version a line:
//
//	a@1.0.0 b@^1 peer:c@2 peer?:d@1 opt:e@1 dev:f@1 bundle:b
//	b@1.0.0 latest os:sunos deprecated node:>=99 shrinkwrap
//
// The latest version of a package is the one marked so, else the last line.
type toy struct {
	versions map[string][]*manifest.Manifest
	latest   map[string]string
	// delay, where set, shuffles the timing of the answers.
	delay func() time.Duration
	asked atomic.Int64
	// names has the name of each spec that was asked for.
	names sync.Map
}

func newToy(t testing.TB, text string) *toy {
	r := &toy{versions: map[string][]*manifest.Manifest{}, latest: map[string]string{}}
	marked := map[string]bool{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		m := &manifest.Manifest{}
		m.Name, m.Version = cutSpec(words[0])
		if strings.Count(m.Version, ".") == 0 {
			m.Version += ".0.0"
		}
		for _, w := range words[1:] {
			switch {
			case w == "latest":
				r.latest[m.Name] = m.Version
				marked[m.Name] = true
			case w == "deprecated":
				m.Deprecated = "old"
			case w == "script":
				m.HasInstallScript = true
			case strings.HasPrefix(w, "os:"):
				m.OS = jsjson.NewArray(jsjson.NewString(w[3:])).Raw()
			case strings.HasPrefix(w, "node:"):
				m.Engines = jsjson.NewObject(jsjson.Member{Key: "node", Value: jsjson.NewString(w[5:])}).Raw()
			default:
				addWord(m, w)
			}
		}
		m.Dist.Tarball = "https://registry.npmjs.org/" + m.Name + "/-/" + m.Name + "-" + m.Version + ".tgz"
		m.Dist.Integrity = "sha512-" + m.Name + m.Version
		r.versions[m.Name] = append(r.versions[m.Name], m)
		if !marked[m.Name] {
			r.latest[m.Name] = m.Version
		}
	}
	return r
}

func cutSpec(w string) (name, want string) {
	at := strings.LastIndexByte(w, '@')
	if i := strings.Index(w[1:], "@"); i >= 0 {
		at = i + 1
	}
	if at <= 0 {
		return w, "*"
	}
	return w[:at], strings.ReplaceAll(w[at+1:], "_", " ")
}

// addWord puts "b@^1", "peer:c@2" and the like into a manifest.
func addWord(m *manifest.Manifest, w string) {
	kind, rest, ok := strings.Cut(w, ":")
	if !ok || strings.Contains(kind, "@") {
		kind, rest = "", w
	}
	name, want := cutSpec(rest)
	d := manifest.Dep{Name: name, Spec: want}
	switch kind {
	case "":
		m.Dependencies = append(m.Dependencies, d)
	case "dev":
		m.DevDependencies = append(m.DevDependencies, d)
	case "opt":
		m.OptionalDependencies = append(m.OptionalDependencies, d)
	case "peer":
		m.PeerDependencies = append(m.PeerDependencies, d)
	case "peer?":
		m.PeerDependencies = append(m.PeerDependencies, d)
		m.PeerDependenciesMeta = append(m.PeerDependenciesMeta, manifest.PeerMeta{Name: name, Optional: true, Raw: `{"optional":true}`})
	case "bundle":
		m.BundleDependencies = append(m.BundleDependencies, rest)
	default:
		panic("unknown word " + w)
	}
}

func parseManifest(name string, words string) *manifest.Manifest {
	m := &manifest.Manifest{Name: name, Version: "1.0.0"}
	for _, w := range strings.Fields(words) {
		addWord(m, w)
	}
	return m
}

type toyError struct{ code, text string }

func (e *toyError) Error() string { return e.text }
func (e *toyError) Code() string  { return e.code }

func (r *toy) Manifest(ctx context.Context, s *spec.Spec, _ Wish) (*Fetched, error) {
	r.asked.Add(1)
	r.names.Store(s.Name, true)
	if r.delay != nil {
		select {
		case <-time.After(r.delay()):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if !s.Registry {
		return nil, errors.New("toy: only a registry")
	}
	name, want := s.Name, s
	if s.Sub != nil {
		name, want = s.Sub.Name, s.Sub
	}
	versions := r.versions[name]
	if versions == nil {
		return nil, &toyError{"E404", name + " not found"}
	}
	m := r.pick(versions, r.latest[name], want)
	if m == nil {
		return nil, &toyError{"ETARGET", "no matching version for " + s.Raw}
	}
	f := &Fetched{Manifest: m, Resolved: m.Dist.Tarball, Integrity: m.Dist.Integrity}
	if dev := m.DevDependencies; dev != nil {
		f.Manifest = m.Clone()
		f.Manifest.DevDependencies = nil
		f.DevDependencies = func() (manifest.Deps, error) { return dev, nil }
	}
	return f, nil
}

func (r *toy) pick(versions []*manifest.Manifest, latest string, want *spec.Spec) *manifest.Manifest {
	if want.Type == spec.Tag {
		for _, m := range versions {
			if m.Version == latest && want.FetchSpec == "latest" {
				return m
			}
		}
		return nil
	}
	engine := func(m *manifest.Manifest) bool {
		return platform.CheckEngine(m, platform.Environment{Node: "20.0.0"}, false) == nil
	}
	fine := func(m *manifest.Manifest) bool { return m.Deprecated == "" && engine(m) }
	rank := func(m *manifest.Manifest) int {
		n := 0
		for i, ok := range []bool{fine(m), engine(m), m.Deprecated == ""} {
			if ok {
				n |= 4 >> i
			}
		}
		return n
	}
	for _, m := range versions {
		if m.Version == latest && fine(m) && (want.FetchSpec == "*" || nodesemver.Satisfies(latest, want.FetchSpec, true)) {
			return m
		}
	}
	var best *manifest.Manifest
	for _, m := range versions {
		if !nodesemver.Satisfies(m.Version, want.FetchSpec, true) {
			continue
		}
		if best == nil || rank(m) > rank(best) || rank(m) == rank(best) && newer(m.Version, best.Version) {
			best = m
		}
	}
	return best
}

func newer(a, b string) bool {
	va, _ := nodesemver.Parse(a, true)
	vb, _ := nodesemver.Parse(b, true)
	return nodesemver.Compare(va, vb) > 0
}

func (r *toy) Content(context.Context, Wanted) (fs.FS, error) {
	return nil, errors.New("toy: no content")
}

// draw writes a tree down: "a@1.0.0 a>b@2.0.0(dev peer)", sorted.
func draw(root *Node) string {
	var parts []string
	for n := range root.Inventory {
		if n.IsProjectRoot() || n.location == "" || n.Inert && n.Version() == "" {
			continue
		}
		name := strings.ReplaceAll(strings.TrimPrefix(n.location, "node_modules/"), "/node_modules/", ">")
		s := name + "@" + n.Version()
		if n.isLink {
			s = name + "→" + n.target.location
		} else if n.Package.Name != n.Name {
			s = name + "=" + n.Package.Name + "@" + n.Version()
		}
		var f []string
		for _, flag := range []struct {
			on   bool
			name string
		}{{n.Dev, "dev"}, {n.Optional, "optional"}, {n.DevOptional, "devOptional"}, {n.Peer, "peer"}, {n.Extraneous, "extraneous"}, {n.Inert, "inert"}} {
			if flag.on && !n.isLink {
				f = append(f, flag.name)
			}
		}
		if len(f) > 0 {
			s += "(" + strings.Join(f, " ") + ")"
		}
		parts = append(parts, s)
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// project makes a request for a folder of its own.
func project(t testing.TB, words string) Request {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return Request{
		Dir:        dir,
		Manifest:   parseManifest("app", words),
		SavePrefix: "^",
		Host:       platform.Environment{OS: "linux", CPU: "x64", Libc: "glibc", Node: "20.0.0", NPM: "11.19.1"},
		HasFormat:  true, Indent: "  ", Newline: "\n",
	}
}

func (r *toy) resolve(req Request) (*Result, error) {
	return Resolve(context.Background(), r, req)
}

func codeOf(err error) string {
	var coded interface{ Code() string }
	if errors.As(err, &coded) && coded.Code() != "" {
		return coded.Code()
	}
	return err.Error()
}

// checkRequire walks a tree as node's require does, from every package and
// for every dependency, and says what does not work. It knows of folders and
// names only and shares no code with the resolver.
func checkRequire(root *Node, legacyPeers bool) []string {
	type pkg struct {
		m        *manifest.Manifest
		optional bool
	}
	disk := map[string]pkg{}
	links := map[string]string{}
	for n := range root.Inventory {
		p := n.Path()
		if n.IsLink() {
			links[p] = n.Realpath()
			continue
		}
		if n.Inert {
			continue
		}
		disk[p] = pkg{n.Package, n.Optional}
	}
	find := func(from, name string) (pkg, bool) {
		for dir := from; ; dir = filepath.Dir(dir) {
			if filepath.Base(dir) != "node_modules" {
				at := dir + "/node_modules/" + name
				if target, ok := links[at]; ok {
					at = target
				}
				if p, ok := disk[at]; ok {
					return p, true
				}
			}
			if dir == filepath.Dir(dir) {
				return pkg{}, false
			}
		}
	}
	var problems []string
	for at, p := range disk {
		if p.optional {
			continue // it may lack what made it fail
		}
		need := func(d manifest.Dep, optional bool) {
			got, ok := find(at, d.Name)
			if !ok {
				if !optional {
					problems = append(problems, fmt.Sprintf("%s: no %s", at, d.Name))
				}
				return
			}
			want := d.Spec
			if strings.HasPrefix(want, "npm:") {
				_, want = cutSpec(want[4:])
			}
			// What cannot be had may be there in a version that is not wanted.
			if optional {
				return
			}
			if _, ok := nodesemver.ValidRange(want, nodesemver.Options{Loose: true}); ok && !nodesemver.Satisfies(got.m.Version, want, true) {
				problems = append(problems, fmt.Sprintf("%s: %s@%s is not %s", at, d.Name, got.m.Version, want))
			}
		}
		for _, d := range p.m.Dependencies {
			need(d, false)
		}
		for _, d := range p.m.OptionalDependencies {
			need(d, true)
		}
		if !legacyPeers {
			for _, d := range p.m.PeerDependencies {
				optional := false
				for _, m := range p.m.PeerDependenciesMeta {
					optional = optional || m.Name == d.Name && m.Optional
				}
				need(d, optional)
			}
		}
	}
	slices.Sort(problems)
	return problems
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
