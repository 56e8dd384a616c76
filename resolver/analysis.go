package resolver

import (
	"context"
	"slices"

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
	result.Fix = a.search(wishes)
	return result
}

// analyst looks at one conflict, with the builder that came upon it.
type analyst struct {
	ctx  context.Context
	b    *builder
	name string // of the package in dispute
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
	f, err := a.b.fetch.get(a.ctx, s, a.b.wish(s), false)
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

// nodeChain gives the nodes of a shortest chain from the project. A node that is
// in no tree yet was wanted by its virtual root, if that declares it; where
// nobody is known to, the virtual root will do.
func nodeChain(n *Node) []*Node {
	chain := nodeChainBy(n, func(source, n *Node) bool { return source.EdgeOut(n.Name) != nil })
	if len(chain) < 2 {
		chain = nodeChainBy(n, func(_, _ *Node) bool { return true })
	}
	return chain
}

func nodeChainBy(n *Node, wanted func(source, n *Node) bool) []*Node {
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
		if root := s.node.Root(); root.sourceReference != nil && s.node != root && wanted(real(root), s.node) {
			up(root)
		}
	}
	return []*Node{n}
}
