package resolver

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// rules is what the nodes of one build have in common: the options that
// change which edges there are, and what was parsed before.
type rules struct {
	LegacyPeerDeps bool
	InstallLinks   bool
	where          string // of specs that have no place of their own

	// bundling is set once any package bundles anything.
	bundling bool
	// bulk leaves new edges unresolved; oneByOne never does that.
	bulk, oneByOne bool
	// err is the first failure deep inside the tree; npm throws there.
	err error
	// generation makes node marks distinct from those of earlier walks.
	generation uint32

	// references is set once there is an override that is "$name"; dev then
	// gives the dev dependencies of manifests that leave them out.
	references bool
	dev        map[*manifest.Manifest]func() (manifest.Deps, error)

	wants    map[wantKey]*wanted
	plain    map[string]*wanted // by text, for those that mean the same everywhere
	versions map[string]*nodesemver.Version
	ranges   map[string]*nodesemver.Range
}

type wantKey struct{ name, raw, where string }

// wanted is a spec read once for all edges that have it.
type wanted struct {
	spec *spec.Spec
	rng  *nodesemver.Range // of ranges and versions; nil matches nothing
	err  error
	any  bool // "*"
}

func newRules(where string, legacyPeerDeps, installLinks bool) *rules {
	return &rules{
		LegacyPeerDeps: legacyPeerDeps,
		InstallLinks:   installLinks,
		where:          where,
		dev:            map[*manifest.Manifest]func() (manifest.Deps, error){},
		wants:          map[wantKey]*wanted{},
		plain:          map[string]*wanted{},
		versions:       map[string]*nodesemver.Version{},
		ranges:         map[string]*nodesemver.Range{},
	}
}

func (r *rules) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// devDependencies gives a package's dev dependencies, for references alone.
func (r *rules) devDependencies(m *manifest.Manifest) manifest.Deps {
	rest := r.dev[m]
	if rest == nil {
		return m.DevDependencies
	}
	deps, err := rest()
	if err != nil {
		r.fail(err)
		return nil
	}
	r.dev[m] = func() (manifest.Deps, error) { return deps, nil }
	return deps
}

func (r *rules) version(s string) *nodesemver.Version {
	if v, ok := r.versions[s]; ok {
		return v
	}
	v, err := nodesemver.Parse(s, true)
	if err != nil {
		v = nil
	}
	r.versions[s] = v
	return v
}

func (r *rules) parseRange(s string) *nodesemver.Range {
	if rng, ok := r.ranges[s]; ok {
		return rng
	}
	rng, err := nodesemver.ParseRange(s, nodesemver.Options{Loose: true})
	if err != nil {
		rng = nil
	}
	r.ranges[s] = rng
	return rng
}

// want reads a spec. Those for the registry mean the same everywhere and are
// kept without a place.
func (r *rules) want(name, raw, where string) *wanted {
	key := wantKey{name: name, raw: raw}
	if w, ok := r.wants[key]; ok {
		return w
	}
	key.where = where
	if w, ok := r.wants[key]; ok {
		return w
	}
	w := &wanted{}
	w.spec, w.err = spec.Resolve(name, raw, where)
	if w.err == nil {
		s := w.spec
		if s.Type == spec.Alias && s.Sub != nil {
			s = s.Sub
		}
		if s.Type == spec.Range || s.Type == spec.Version {
			w.any = s.Type == spec.Range && s.FetchSpec == "*"
			if !w.any {
				w.rng = r.parseRange(s.FetchSpec)
			}
		}
		if w.spec.Registry {
			key.where = ""
		}
	}
	r.wants[key] = w
	return w
}

// plainWant reads a range that is made of nothing but digits and operators,
// as nearly all are: no name and no folder changes what it means. It gives nil
// for every other text.
func (r *rules) plainWant(raw string) *wanted {
	if w, ok := r.plain[raw]; ok {
		return w
	}
	var w *wanted
	if isPlainRange(raw) {
		text := strings.TrimSpace(raw)
		w = &wanted{spec: &spec.Spec{Type: spec.Range, Registry: true, RawSpec: raw, FetchSpec: text}}
		if w.any = text == "*"; !w.any {
			if w.rng = r.parseRange(text); w.rng == nil {
				w = nil
			}
		}
	}
	r.plain[raw] = w
	return w
}

func isPlainRange(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9', c == '^', c == '~', c == '*', c == ' ', c == '<', c == '>', c == '=', c == '|', c == 'x', c == '-':
		case c == '.' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}

// fromPath is the folder from which an edge's relative paths start: the
// root's for overrides, the tarball's for what came from a tarball
// (npm: lib/from-path.js).
func fromPath(n *Node, e *Edge) string {
	if e != nil && e.overrides != nil && e.overrides.name == e.Name && e.overrides.value != "" {
		if n.sourceReference != nil {
			return n.sourceReference.Root().realpath
		}
		return n.Root().realpath
	}
	if strings.HasPrefix(n.resolved, "file:") && !n.isLink {
		if s, err := spec.Parse(n.resolved, n.rules.where); err == nil && s.Type == spec.File {
			return dirOf(cleanPath(s.FetchSpec))
		}
	}
	return n.realpath
}

// depValid says whether the node is what the text asks for on behalf of the
// edge's dependent (npm: lib/dep-valid.js).
func (e *Edge) depValid(n *Node, raw string) bool {
	r := e.from.rules
	if raw == "" {
		raw = "*"
	}
	w := e.want
	if w == nil || e.wantOf != raw || !w.spec.Registry {
		if w = r.plainWant(raw); w == nil {
			w = r.wants[wantKey{name: n.Name, raw: raw}]
		}
		if w == nil {
			// npm looks the edge up again by the node's name.
			w = r.want(n.Name, raw, fromPath(e.from, e.from.EdgeOut(n.Name)))
		}
		if w.err != nil {
			e.from.Errors = append(e.from.Errors, w.err)
			return false
		}
		if w.spec.Registry {
			e.want, e.wantOf = w, raw
		}
	}
	return e.specValid(n, w, w.spec)
}

func (e *Edge) specValid(n *Node, w *wanted, s *spec.Spec) bool {
	switch s.Type {
	case spec.Range, spec.Version:
		if w.any {
			return true
		}
		v := n.parsedVersion()
		return w.rng != nil && v != nil && w.rng.Match(v)
	case spec.Alias:
		return e.specValid(n, w, s.Sub)
	case spec.Directory:
		return e.linkValid(n, s)
	case spec.File:
		return !n.isLink && n.resolved != "" && n.resolved == "file:"+cleanPath(s.FetchSpec)
	case spec.Tag:
		// A tag moves; that it came from some registry has to do.
		return isRemote(n.Resolved())
	case spec.Remote:
		return n.Resolved() == s.FetchSpec
	case spec.Git:
		return e.gitValid(n, s)
	}
	return false
}

func (e *Edge) linkValid(n *Node, s *spec.Spec) bool {
	if e.from.rules.InstallLinks && !n.IsWorkspace() {
		return !n.isLink
	}
	return n.isLink && n.realpath == strings.TrimSuffix(cleanPath(s.FetchSpec), "/")
}

func (e *Edge) gitValid(n *Node, s *spec.Spec) bool {
	has, err := spec.Parse(n.Resolved(), e.from.rules.where)
	if err != nil {
		return false
	}
	definite := isCommit(s.GitCommittish)
	format := spec.Format{NoCommittish: !definite}
	if has.Hosted == nil {
		// A shortcut of a host's has nothing that could be fetched as it stands.
		if s.FetchSpec == "" || has.FetchSpec != s.FetchSpec {
			return false
		}
	} else {
		if s.Hosted == nil || has.Hosted.SSH(format) != s.Hosted.SSH(format) {
			return false
		}
	}
	if s.GitRange != "" {
		return nodesemver.Satisfies(n.Package.Version, s.GitRange, true)
	}
	if !definite {
		// Which commit a branch means cannot be told from here, but that
		// another branch is asked for than the lock had can.
		if locked, ok := e.lockedCommittish(n.Name); ok && locked != s.GitCommittish {
			return false
		}
	}
	return true
}

func (e *Edge) lockedCommittish(name string) (string, bool) {
	meta := e.from.Root().meta
	if meta == nil {
		return "", false
	}
	p := meta.packages[e.from.location]
	if p == nil || p.Meta == nil {
		return "", false
	}
	for _, deps := range [...]interface {
		Get(string) (string, bool)
	}{p.Meta.Dependencies, p.Meta.OptionalDependencies, p.Meta.DevDependencies, p.Meta.PeerDependencies} {
		if raw, _ := deps.Get(name); raw != "" {
			s, err := spec.Resolve(name, raw, e.from.realpath)
			if err != nil || s.Type != spec.Git {
				return "", false
			}
			return s.GitCommittish, true
		}
	}
	return "", false
}

func isCommit(s string) bool {
	if len(s) < 40 || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// plainURL says whether a resolved value is a URL that no rule rewrites: not
// one of a known git host.
func plainURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return false
		}
	}
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
	}
	for _, h := range [...]string{"github", "gitlab", "bitbucket", "git.sr.ht", "@"} {
		if strings.Contains(host, h) {
			return false
		}
	}
	return true
}

func isRemote(resolved string) bool {
	if resolved == "" {
		return false
	}
	if plainURL(resolved) {
		return true
	}
	s, err := spec.Parse(resolved, "/")
	return err == nil && s.Type == spec.Remote
}

// consistentResolve writes a resolved value in the one form that the tree (or
// with relative, the lock at to) has for it (npm: lib/consistent-resolve.js).
func (r *rules) consistentResolve(resolved, from, to string, relative bool) string {
	if resolved == "" || plainURL(resolved) {
		return resolved
	}
	if from == "" {
		from = r.where
	}
	s, err := spec.Parse(resolved, from)
	if err != nil {
		return resolved
	}
	switch {
	case s.Type == spec.File || s.Type == spec.Directory:
		p := cleanPath(s.FetchSpec)
		if relative && to != "" {
			p = relPath(to, p)
		}
		return "file:" + p
	case s.Hosted != nil:
		format := spec.Format{NoGitPlus: true}
		if s.Hosted.Auth != "" {
			return "git+" + s.Hosted.HTTPS(format)
		}
		return "git+" + s.Hosted.SSHURL(format)
	case s.Type == spec.Git:
		return s.SaveSpec
	case s.RawSpec == "*":
		return s.Raw
	}
	return s.RawSpec
}
