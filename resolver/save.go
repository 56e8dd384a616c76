package resolver

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// Edit is what becomes of one package.json: its dependency maps.
type Edit struct {
	Dir          string // of the package.json, slashes forward
	Dependencies manifest.Dependencies
}

// Save writes what was decided into the manifests of the root and its
// workspaces, as npm saves it, and gives the edits to be made in their files.
// It changes the wishes in the tree, so that a lock must be made after it, not
// before (npm: reify.js saveIdealTree).
func (r *Result) Save() ([]Edit, error) {
	b := r.builder
	if b.req.NoSave || b.req.Global {
		return nil, nil
	}
	s := saver{b: b, pkgs: map[*Node]*manifest.Manifest{}}
	if b.req.UpdateAll {
		s.update(s.updated(nil))
	} else {
		s.update(b.resolvedAdd)
		if len(b.updateNames) > 0 {
			s.update(s.updated(b.updateNames))
		}
		for _, e := range r.explicitEdges() {
			if e.from != nil {
				s.touch(e.from)
			}
		}
		for _, d := range b.removed {
			s.touch(d.from)
		}
	}
	var edits []Edit
	for _, tree := range s.trees {
		if m := s.pkgs[tree]; m != nil {
			b.changePackage(tree, m)
		} else {
			tree.setPackage(tree.Package)
		}
		m := tree.Package
		edits = append(edits, Edit{Dir: tree.path, Dependencies: manifest.Dependencies{
			Prod: m.Dependencies, Dev: m.DevDependencies, Optional: m.OptionalDependencies, Peer: m.PeerDependencies,
			Bundle: m.BundleDependencies,
		}})
	}
	return edits, b.rules.err
}

// explicitEdges gives the edges asked for by name, in the order of asking.
func (r *Result) explicitEdges() []*Edge {
	var edges []*Edge
	for _, a := range r.builder.resolvedAdd {
		if e := a.tree.EdgeOut(a.name); e != nil && r.builder.explicit[e] {
			edges = append(edges, e)
		}
	}
	return edges
}

type saver struct {
	b     *builder
	trees []*Node // to be written, in order
	pkgs  map[*Node]*manifest.Manifest
}

func (s *saver) touch(tree *Node) {
	if !slices.Contains(s.trees, tree) {
		s.trees = append(s.trees, tree)
	}
}

func (s *saver) pkg(tree *Node) *manifest.Manifest {
	m := s.pkgs[tree]
	if m == nil {
		m = tree.Package.Clone()
		s.pkgs[tree] = m
	}
	return m
}

// updated gives what an update may have changed: the root's children, other
// than those that are wanted in one exact version.
func (s *saver) updated(names map[string]bool) []addRequest {
	var nodes []addRequest
	for n := range s.b.tree.inventory.all {
		up := n.ResolveParent()
		if n.IsRoot() || up == nil || !up.IsRoot() || names != nil && !names[n.Name] || exactlyWanted(n) {
			continue
		}
		for e := range n.edgesIn.all {
			nodes = append(nodes, addRequest{name: n.Name, tree: e.from.Target()})
		}
	}
	return nodes
}

func exactlyWanted(n *Node) bool {
	version, err := nodesemver.ParseRange(n.Version(), nodesemver.Options{})
	if err != nil {
		return false
	}
	for e := range n.edgesIn.all {
		if rng, err := nodesemver.ParseRange(e.Spec(), nodesemver.Options{}); err == nil && nodesemver.Subset(rng, version) {
			return true
		}
	}
	return false
}

func (s *saver) update(nodes []addRequest) {
	for _, a := range nodes {
		e := a.tree.EdgeOut(a.name)
		if e == nil {
			continue
		}
		want, err := spec.Resolve(a.name, e.Spec(), a.tree.realpath)
		if err != nil {
			continue
		}
		// An optional dependency that could not be had may be missing.
		if e.to == nil || !a.tree.IsTop() {
			continue
		}
		s.set(s.pkg(a.tree), a.name, s.newSpec(a, e, want), want.Type == spec.Directory || want.Type == spec.File)
		s.touch(a.tree)
	}
}

// newSpec gives the text that is saved for a dependency.
func (s *saver) newSpec(a addRequest, e *Edge, want *spec.Spec) string {
	child := e.to
	prefixed := func(version string) string {
		if version == "" {
			return "*"
		}
		return s.b.req.SavePrefix + version
	}
	switch {
	case want.Registry:
		inner := want
		if want.Sub != nil {
			inner = want.Sub
		}
		rng := inner.RawSpec
		if inner.Type != spec.Range || rng == "*" || subset(prefixed(child.Version()), rng) {
			rng = prefixed(child.Version())
		}
		if name := child.PackageName(); name != a.name {
			// What a package without a name is called in npm's JavaScript.
			return "npm:" + cmp.Or(name, "null") + "@" + rng
		}
		return rng
	case want.Hosted != nil:
		if want.Hosted.Auth != "" {
			return "git+" + want.Hosted.HTTPS(spec.Format{NoGitPlus: true})
		}
		return want.Hosted.Shortcut(spec.Format{})
	case want.Type == spec.Directory || want.Type == spec.File:
		if e.Type == Workspace {
			return prefixed(child.Version())
		}
		p := cleanPath(strings.TrimPrefix(want.FetchSpec, "file:"))
		return "file:" + relPath(a.tree.realpath, p)
	}
	return want.SaveSpec
}

func subset(sub, dom string) bool {
	o := nodesemver.Options{Loose: true}
	a, errA := nodesemver.ParseRange(sub, o)
	b, errB := nodesemver.ParseRange(dom, o)
	return errA == nil && errB == nil && nodesemver.Subset(a, b)
}

func (s *saver) set(m *manifest.Manifest, name, want string, local bool) {
	if t := s.b.req.SaveType; t != SaveWhereItIs {
		switch t {
		case SaveDev:
			m.DevDependencies = setDep(m.DevDependencies, name, want)
		case SaveOptional:
			m.OptionalDependencies = setDep(m.OptionalDependencies, name, want)
		case SaveProd:
			m.Dependencies = setDep(m.Dependencies, name, want)
			m.OptionalDependencies = withoutDep(m.OptionalDependencies, name)
		default:
			m.PeerDependencies = setDep(m.PeerDependencies, name, want)
		}
		return
	}
	replace := func(d *manifest.Deps, unlessIntersects bool) {
		old, ok := d.Get(name)
		if ok && (!unlessIntersects || local || !intersects(want, old)) {
			*d = setDep(*d, name, want)
		}
	}
	replace(&m.Dependencies, false)
	dev := hasDep(m.DevDependencies, name)
	replace(&m.DevDependencies, false)
	// What is a development dependency as well is changed only where it must.
	replace(&m.PeerDependencies, dev)
	replace(&m.OptionalDependencies, dev)
}

func intersects(a, b string) bool {
	ra, errA := nodesemver.ParseRange(a, nodesemver.Options{})
	rb, errB := nodesemver.ParseRange(b, nodesemver.Options{})
	return errA == nil && errB == nil && nodesemver.Intersects(ra, rb)
}
