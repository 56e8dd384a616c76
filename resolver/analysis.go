package resolver

import (
	"context"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// Analysis is a conflict in few words: who cannot live together, and what to
// do about it.
type Analysis struct {
	// Package is what is in dispute.
	Package string
	// Sides are the smallest set of wishes that cannot all be met; without any
	// one of them the others could be.
	Sides []Side
	// Fix is a change that was tried and resolves; nil if none was found.
	Fix *Fix
}

// Side is one wish in a conflict.
type Side struct {
	Wish string // "react@^18.0.0"
	Peer bool   // a peer's wish
	// Chain leads from the project to the wish: "app@1.0.0",
	// "widgets@2.4.1", "peer react@^18.0.0".
	Chain []string
}

// Fix is a change of the project that makes it resolve: one of the two.
type Fix struct {
	// Add is a spec to install, "widgets@^3.0.0", and SaveType the map it is
	// in now.
	Add      string
	SaveType SaveType
	// Override is what to put into package.json's overrides: the keys down
	// to the value, and the value.
	Override      []string
	OverrideValue string
}

// triesToFix bounds how often the tree is decided anew in search of a fix. The
// manifests are at hand, so that a try takes milliseconds for most projects.
const triesToFix = 12

// Analyze finds what a conflict comes down to, and tries changes until one
// resolves. It may ask the Source for manifests that were not needed before,
// so ctx should have a deadline. It is only for errors that Resolve gave.
func (e *ConflictError) Analyze(ctx context.Context) *Analysis {
	if e.builder == nil || len(e.wishes) == 0 {
		return &Analysis{}
	}
	a := &analyst{ctx: ctx, b: e.builder, name: e.wishes[0].Name}
	wishes := a.smallest(e.wishes)
	result := &Analysis{Package: a.name}
	for _, w := range wishes {
		s := Side{Wish: w.Name + "@" + w.Spec(), Peer: w.Peer()}
		last := s.Wish
		if s.Peer {
			last = "peer " + last
		}
		s.Chain = append(chain(w.from), last)
		result.Sides = append(result.Sides, s)
	}
	result.Fix = a.fix(wishes)
	return result
}

type analyst struct {
	ctx   context.Context
	b     *builder
	name  string
	tries int
	tried map[string]bool
}

// smallest drops wishes as long as the rest cannot be met. The first one is
// what failed and stays, if the rest can be met without it.
func (a *analyst) smallest(wishes []*Edge) []*Edge {
	// One wish of each text is enough; the project's own says most.
	wishes = slices.Clone(wishes)
	slices.SortStableFunc(wishes[1:], func(x, y *Edge) int { return rank(x) - rank(y) })
	var distinct []*Edge
	for _, w := range wishes {
		if w.from != nil && !slices.ContainsFunc(distinct, func(d *Edge) bool { return d.Spec() == w.Spec() }) {
			distinct = append(distinct, w)
		}
	}
	if a.possible(distinct) {
		return distinct[:min(2, len(distinct))]
	}
	for i := len(distinct) - 1; i >= 0; i-- {
		without := slices.Delete(slices.Clone(distinct), i, i+1)
		if !a.possible(without) {
			distinct = without
		}
	}
	return distinct
}

func rank(e *Edge) int {
	if e.from != nil && e.from.isMine() {
		return 0
	}
	return 1
}

// possible says whether one version could meet all wishes, as far as can be
// seen from the versions that each of them would get.
func (a *analyst) possible(wishes []*Edge) bool {
	if len(wishes) == 0 {
		return true
	}
	var ranges []*nodesemver.Range
	for _, w := range wishes {
		want := a.b.rules.want(a.name, w.Spec(), a.b.rules.where)
		if want.err != nil || !want.any && want.rng == nil {
			return len(wishes) < 2
		}
		if !want.any {
			ranges = append(ranges, want.rng)
		}
	}
	for _, w := range wishes {
		m := a.manifest(w.Name, w.Spec())
		if m == nil {
			continue
		}
		v := a.b.rules.version(m.Version)
		if v != nil && !slices.ContainsFunc(ranges, func(r *nodesemver.Range) bool { return !r.Match(v) }) {
			return true
		}
	}
	return false
}

func (a *analyst) manifest(name, raw string) *manifest.Manifest {
	s, err := spec.Resolve(name, raw, a.b.rules.where)
	if err != nil || !s.Registry {
		return nil
	}
	f, err := a.b.fetch.get(a.ctx, s, a.b.wish(s))
	if err != nil {
		return nil
	}
	return f.Manifest
}

// chain gives the packages from the project to a node, through the dependents
// for which it was considered where it is not in the tree.
func chain(n *Node) []string {
	ids := nodeChain(n)
	out := make([]string, 0, len(ids)+1)
	for _, n := range ids {
		out = append(out, nodeID(n))
	}
	return out
}

func nodeID(n *Node) string {
	name := n.Package.Name
	if name == "" {
		name = n.Name
	}
	if v := n.Version(); v != "" {
		return name + "@" + v
	}
	return name
}

func nodeChain(n *Node) []*Node {
	type step struct {
		node *Node
		next *step
	}
	real := func(n *Node) *Node {
		for n.sourceReference != nil && n.IsRoot() {
			n = n.sourceReference
		}
		return n
	}
	n = real(n)
	seen := map[*Node]bool{n: true}
	queue := []*step{{node: n}}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s.node.IsProjectRoot() && s.node.sourceReference == nil {
			var out []*Node
			for ; s != nil; s = s.next {
				out = append(out, s.node)
			}
			return out
		}
		up := func(m *Node) {
			if m = real(m); !seen[m] {
				seen[m] = true
				queue = append(queue, &step{m, s})
			}
		}
		for e := range s.node.edgesIn.all {
			up(e.from)
		}
		for l := range s.node.linksIn.all {
			for e := range l.edgesIn.all {
				up(e.from)
			}
		}
		// A node that is in no tree yet was wanted by its virtual root.
		if root := s.node.Root(); root.sourceReference != nil && s.node != root {
			up(root)
		}
	}
	return []*Node{n}
}

// fix tries, in this order: a newer version of what lags behind, what the
// others can live with, an older version, an override.
func (a *analyst) fix(wishes []*Edge) *Fix {
	root := a.b.tree.Target()
	a.tried = map[string]bool{}
	type lead struct {
		name    string // of the project's dependency that leads to the wish
		version string // what it has now
		edge    *Edge
		direct  bool // the wish is the project's own
	}
	var leads []lead
	for _, w := range wishes {
		nodes := nodeChain(w.from)
		if len(nodes) == 0 || nodes[0] != root {
			continue
		}
		l := lead{edge: w, direct: len(nodes) == 1, name: w.Name}
		if !l.direct {
			l.name, l.version = nodes[1].Name, nodes[1].Version()
		}
		if root.EdgeOut(l.name) != nil {
			leads = append(leads, l)
		}
	}
	for _, l := range leads {
		if l.direct {
			continue
		}
		if m := a.manifest(l.name, "latest"); m != nil && m.Version != l.version {
			if f := a.try(l.name, m.Version); f != nil {
				return f
			}
		}
	}
	for _, l := range leads {
		if !l.direct {
			continue
		}
		for _, w := range wishes {
			if w == l.edge {
				continue
			}
			if m := a.manifest(w.Name, w.Spec()); m != nil {
				if f := a.try(l.name, m.Version); f != nil {
					return f
				}
			}
		}
	}
	for _, l := range leads {
		version := l.version
		for range 3 {
			v := a.b.rules.version(version)
			if l.direct || v == nil {
				break
			}
			major, _, _ := strings.Cut(v.String(), ".")
			m := a.manifest(l.name, "<"+major+".0.0-0")
			if m == nil || m.Version == version {
				break
			}
			version = m.Version
			if f := a.try(l.name, version); f != nil {
				return f
			}
		}
	}
	// The peer that is least at home gets what the project has.
	for _, w := range wishes {
		if w.Peer() && !w.from.isMine() {
			value := ""
			if root.EdgeOut(a.name) != nil {
				value = "$" + a.name
			} else {
				for _, o := range wishes {
					if m := a.manifest(o.Name, o.Spec()); m != nil && o != w {
						value = m.Version
						break
					}
				}
			}
			if f := a.tryOverride(w.from.Name, value); f != nil {
				return f
			}
		}
	}
	return nil
}

// try decides the tree with another version of one of the project's
// dependencies: as package.json would have it, and as the command that is
// proposed would bring it about. npm takes what it is told to install even where
// a peer minds, and a range can be wide enough for that.
func (a *analyst) try(name, version string) *Fix {
	want := a.b.req.SavePrefix + version
	if a.tried[name+"@"+want] {
		return nil
	}
	a.tried[name+"@"+want] = true
	m := a.b.tree.Target().Package
	t := inferSaveType(m, name)
	for _, want := range []string{want, "~" + version} {
		changed := m.Clone()
		for _, d := range depMaps(changed) {
			if hasDep(*d, name) {
				*d = setDep(*d, name, want)
			}
		}
		if !a.resolves(changed) {
			return nil
		}
		if spec := name + "@" + want; a.resolves(m, spec) {
			return &Fix{Add: spec, SaveType: t}
		}
	}
	return nil
}

func (a *analyst) tryOverride(from, value string) *Fix {
	if value == "" {
		return nil
	}
	m := a.b.tree.Target().Package.Clone()
	overrides := jsjson.NewObject()
	if m.Overrides != "" {
		if v, err := m.Overrides.Parse(); err == nil {
			overrides = v
		}
	}
	inner := overrides.Get(from)
	if inner.IsString() {
		inner = jsjson.NewObject(jsjson.Member{Key: ".", Value: inner})
	} else if !inner.IsObject() {
		inner = jsjson.NewObject()
	}
	m.Overrides = overrides.With(from, inner.With(a.name, jsjson.NewString(value))).Raw()
	if !a.resolves(m) {
		return nil
	}
	return &Fix{Override: []string{from, a.name}, OverrideValue: value}
}

// resolves decides the tree for a package.json and what is added to it, and
// says whether it comes out without a conflict about the same package.
func (a *analyst) resolves(m *manifest.Manifest, add ...string) bool {
	if a.tries++; a.tries > triesToFix || a.ctx.Err() != nil {
		return false
	}
	req := *a.b.req
	req.Manifest = m
	req.Add, req.Remove, req.Update = add, nil, nil
	req.SaveType = SaveWhereItIs
	req.Warn = nil
	req.Complete = false
	req.IgnoreActual = true
	res, err := Resolve(a.ctx, a.b.src, req)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(res.Warnings, func(w Warning) bool {
		return w.Conflict != nil && w.Conflict.Edge != nil && w.Conflict.Edge.Name == a.name
	})
}
