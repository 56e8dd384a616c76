package resolver

import (
	"slices"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/spec"
)

// virtualRoot gives a stand-in for a node: its manifest, and so its edges,
// without its children. The last one made is the one that is used again.
func (b *builder) virtualRoot(n *Node, reuse bool) *Node {
	if reuse {
		if vr := b.virtualRoots[n]; vr != nil {
			return vr
		}
	}
	// Most dependencies have no peers; then nothing ever looks at the edges of
	// their virtual root. With overrides the edges hand those on.
	lazy := n.overrides == nil
	vr := b.rules.newNode(nodeOptions{path: n.realpath, sourceReference: n, overrides: n.overrides, later: lazy})
	vr.unloaded = lazy
	if !n.isLink {
		for c := range n.children.all {
			if c.isLink && c.target != nil {
				b.rules.newNode(nodeOptions{path: c.realpath, sourceReference: c.target, root: vr})
			}
		}
	}
	b.virtualRoots[n] = vr
	return vr
}

// wantOf gives what an edge asks for. npm starts a path from the dependent's
// folder, but takes a tarball from where it has looked ahead for it (fromPath).
func (b *builder) wantOf(e *Edge) *wanted {
	w := b.rules.want(e.Name, e.Spec(), e.from.path)
	if w.err == nil && w.spec.Type == spec.File {
		w = b.rules.want(e.Name, e.Spec(), fromPath(e.from, e))
	}
	return w
}

// nodeFromEdge loads what an edge wants, with its peers and theirs, into a
// virtual root. A second edge is advice: if what it wants is good for the
// first as well, that is taken.
func (b *builder) nodeFromEdge(e *Edge, parent *Node, second *Edge, required *nodeSet) (*Node, error) {
	if parent == nil {
		parent = b.virtualRoot(e.from, false)
	}
	want := b.wantOf(e)
	if want.err != nil {
		return nil, &SpecError{Edge: e, Err: want.err}
	}
	node, err := b.nodeFromSpec(e.Name, want.spec, parent, e)
	if err != nil {
		return nil, err
	}
	if second != nil {
		advice := b.wantOf(second)
		if advice.err != nil {
			return nil, &SpecError{Edge: second, Err: advice.err}
		}
		if !second.Valid() {
			other, err := b.nodeFromSpec(e.Name, advice.spec, parent, second)
			if err != nil {
				return nil, err
			}
			if e.Valid() {
				node = other
			}
		}
	}
	node.SetParent(parent)

	if required.has(e.from) && e.Type != PeerOptional ||
		second != nil && required.has(second.from) && second.Type != PeerOptional {
		required.add(node)
	}
	b.peerSetSource[node] = parent.sourceReference
	// What is installed globally does not bring its peers along: they would
	// get in the way of what is installed there already.
	if b.req.Global && e.from.IsProjectRoot() {
		return node, nil
	}
	return node, b.loadPeerSet(node, required)
}

// spares says whether npm 12 would leave out an optional peer: if the tree has
// nothing of its name, or what will do (npm 12: arborist
// lib/arborist/build-ideal-tree.js #loadPeerSet).
func (b *builder) spares(e *Edge, vr *Node) bool {
	if e.Type != PeerOptional || vr.sourceReference == nil {
		return false
	}
	if there := vr.sourceReference.resolve(e.Name); there != nil && !there.satisfies(e) {
		return false
	}
	b.sparable = true
	return b.sparing
}

// loadPeerSet loads the unmet peers of a node into its virtual root, and
// theirs, until all agree or it is known that they cannot.
func (b *builder) loadPeerSet(n *Node, required *nodeSet) error {
	var peers []*Edge
	for e := range n.edgesOut.all {
		// Optional ones are not installed, but conflict all the same.
		if e.Peer() && (e.to == nil || !e.Valid()) {
			peers = append(peers, e)
		}
	}
	if len(peers) == 0 {
		return nil
	}
	if b.peerDepth++; b.peerDepth > peersDeep {
		return &EndlessError{Package: n.ID()}
	}
	defer func() { b.peerDepth-- }()
	n.parent.ensureEdges()
	slices.SortStableFunc(peers, func(x, y *Edge) int { return collate.Compare(x.Name, y.Name) })
	for _, e := range peers {
		// Loading a peer may have put another node in this one's place.
		if n.parent == nil {
			return nil
		}
		if e.to != nil && e.Valid() {
			continue
		}
		vr := n.parent
		parentEdge, _ := vr.edgesOut.getFolded(e.folded)
		mine := vr.sourceReference != nil && vr.sourceReference.isMine()
		conflictOK := b.req.Force || !mine && !b.req.StrictPeerDeps

		if e.to == nil {
			if parentEdge == nil {
				if b.spares(e, vr) {
					continue
				}
				if _, err := b.nodeFromEdge(e, vr, nil, required); err != nil {
					return err
				}
				continue
			}
			// The dependent has a wish of its own for this name. It is done,
			// with what the peer wants as advice.
			dep, err := b.nodeFromEdge(parentEdge, vr, e, required)
			if err != nil {
				return err
			}
			if e.Valid() {
				continue
			}
			if conflictOK || !required.has(dep) {
				e.PeerConflicted = true
				continue
			}
			if n.parent == nil {
				return nil
			}
			return b.failPeerSet(e, parentEdge)
		}

		// Something is there already and will not do. Would what will do also
		// be good for the others?
		current := e.to
		dep, err := b.nodeFromEdge(e, nil, nil, required)
		if err != nil {
			return err
		}
		if dep.canReplace(current, nil) {
			if _, err := b.nodeFromEdge(e, n.parent, nil, required); err != nil {
				return err
			}
			continue
		}
		if conflictOK || !required.has(e.from) {
			continue
		}
		return b.failPeerSet(e, parentEdge)
	}
	return nil
}

// peersDeep is how far peers of peers of peers are followed. Only packages
// that are peers of themselves, in versions that exclude each other, go on for
// longer, and those without end.
const peersDeep = 500

// EndlessError is a set of peers that is never complete.
type EndlessError struct{ Package string }

func (e *EndlessError) Error() string {
	return e.Package + ": its peer dependencies never come to an end"
}

// Code is ERESOLVE. (npm does not end.)
func (e *EndlessError) Code() string { return "ERESOLVE" }

func (b *builder) failPeerSet(e, currentEdge *Edge) error {
	x := Explanation{
		StrictPeerDeps: b.req.StrictPeerDeps,
		Force:          b.req.Force,
	}
	current := e.from.resolve(e.Name)
	if current != nil {
		x.Current = current.explain(nil, nil)
	}
	if currentEdge != nil {
		x.CurrentEdge = currentEdge.Explain()
	}
	x.Edge = e.Explain()
	wishes := wishesFor(e, current)
	if currentEdge != nil && !slices.Contains(wishes, currentEdge) {
		wishes = append(wishes, currentEdge)
	}
	return &ConflictError{Stage: "unable to resolve dependency tree", Explanation: x, wishes: wishes, builder: b}
}
