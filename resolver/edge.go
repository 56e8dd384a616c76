package resolver

import (
	"slices"
	"strings"
)

// EdgeType says in which map of package.json a dependency stands.
type EdgeType uint8

const (
	Prod EdgeType = iota
	Dev
	Optional
	Peer
	PeerOptional
	Workspace // not written anywhere: the root depends on each of its workspaces
)

func (t EdgeType) String() string {
	switch t {
	case Dev:
		return "dev"
	case Optional:
		return "optional"
	case Peer:
		return "peer"
	case PeerOptional:
		return "peerOptional"
	case Workspace:
		return "workspace"
	}
	return "prod"
}

// EdgeError says what is wrong with an edge.
type EdgeError uint8

const (
	edgeUnknown EdgeError = iota // not looked at since the last change
	// EdgeOK is an edge whose target satisfies it.
	EdgeOK
	// EdgeMissing has no target and should.
	EdgeMissing
	// EdgePeerLocal is a peer in its dependent's own node_modules.
	EdgePeerLocal
	// EdgeInvalid has a target that is not what is wanted.
	EdgeInvalid
	// EdgeDetached no longer belongs to a node.
	EdgeDetached
)

func (e EdgeError) String() string {
	switch e {
	case EdgeMissing:
		return "MISSING"
	case EdgePeerLocal:
		return "PEER LOCAL"
	case EdgeInvalid:
		return "INVALID"
	case EdgeDetached:
		return "DETACHED"
	}
	return ""
}

// Edge is one dependency of a node (npm: lib/edge.js).
type Edge struct {
	Name string
	Type EdgeType
	// PeerConflicted is set where a conflict was accepted: nobody tries to
	// satisfy the edge any more.
	PeerConflicted bool

	raw       string // as declared
	accept    string // acceptDependencies, "" for none
	from, to  *Node
	overrides *OverrideSet

	folded      string
	state       EdgeError
	pos         int32 // in to.edgesIn
	explanation *EdgeExplanation
	want        *wanted // of the spec wantOf, resolved from wantAt
	wantOf      string
}

func (n *Node) addEdge(name, spec string, t EdgeType, accept *string) *Edge {
	e := &Edge{Name: name, folded: foldName(name), Type: t, raw: spec, from: n}
	if accept != nil {
		if e.accept = *accept; e.accept == "" {
			e.accept = "*"
		}
	}
	if old, ok := n.edgesOut.getFolded(e.folded); ok {
		old.detach()
	}
	if n.overrides != nil {
		e.overrides = n.overrides.edgeRule(e)
	}
	n.edgesOut.set(name, e)
	n.tellWish(e.folded)
	if !n.rules.bulk {
		e.reload(true)
	}
	return e
}

// From is the dependent.
func (e *Edge) From() *Node { return e.from }

// To is what the dependent would get, or nil.
func (e *Edge) To() *Node { return e.to }

// RawSpec is what the dependent's manifest says.
func (e *Edge) RawSpec() string { return e.raw }

// Peer is true for both kinds of peers.
func (e *Edge) Peer() bool { return e.Type == Peer || e.Type == PeerOptional }

// Optional is true for optional dependencies and optional peers.
func (e *Edge) Optional() bool { return e.Type == Optional || e.Type == PeerOptional }

// Spec is what is wanted, overrides applied.
func (e *Edge) Spec() string {
	o := e.overrides
	if o == nil || o.value == "" || o.value == "*" || o.name != e.Name {
		return e.raw
	}
	if ref, ok := strings.CutPrefix(o.value, "$"); ok {
		if e.from != nil {
			top := e.from
			if top.sourceReference != nil {
				top = top.sourceReference
			}
			if s := referencedSpec(top.Root(), ref); s != "" {
				return s
			}
			if s := referencedSpec(e.from, ref); s != "" {
				return s
			}
			e.from.rules.fail(&OverrideError{Reference: o.value})
		}
		return e.raw
	}
	return o.value
}

// referencedSpec looks "$name" up in one package's own dependencies. In a
// virtual root that is not the project's, so that what a stranger's package was
// developed with may decide.
func referencedSpec(n *Node, ref string) string {
	for _, deps := range [...]interface {
		Get(string) (string, bool)
	}{n.rules.devDependencies(n.Package), n.Package.OptionalDependencies, n.Package.Dependencies, n.Package.PeerDependencies} {
		if s, _ := deps.Get(ref); s != "" {
			return s
		}
	}
	return ""
}

// satisfiedBy says whether the node is what the edge wants. Bundled and
// shrinkwrapped nodes are not subject to overrides.
func (e *Edge) satisfiedBy(n *Node) bool {
	if n.Name != e.Name || e.from == nil {
		return false
	}
	if n.hasShrinkwrap || n.inShrinkwrap() || n.InBundle() {
		return e.accepts(n, e.raw)
	}
	if e.overrides == nil || e.overrides.keySpec == "" {
		return e.accepts(n, e.Spec())
	}
	if e.accepts(n, e.Spec()) {
		return true
	}
	// A node that the override does not ask for may still be what was asked
	// for originally, if it is not one that the override is there to replace.
	return e.accepts(n, e.raw) && !e.accepts(n, e.overrides.keySpec)
}

func (e *Edge) accepts(n *Node, spec string) bool {
	return e.depValid(n, spec) || e.accept != "" && e.depValid(n, e.accept)
}

// Error says what is wrong with the edge, EdgeOK for nothing.
func (e *Edge) Error() EdgeError {
	if e.state != edgeUnknown {
		return e.state
	}
	switch {
	case e.to == nil:
		if e.Optional() {
			return EdgeOK // npm does not remember this one
		}
		e.state = EdgeMissing
	case e.Peer() && e.from == e.to.parent && !e.from.IsTop():
		e.state = EdgePeerLocal
	case !e.satisfiedBy(e.to):
		e.state = EdgeInvalid
	case e.overrides != nil && e.to.overrides != nil && e.to.edgesOut.size > 0 && overridesConflict(e.overrides, e.to.overrides):
		e.state = EdgeInvalid
	default:
		e.state = EdgeOK
	}
	return e.state
}

// Valid says whether the dependent is content.
func (e *Edge) Valid() bool { return e.Error() == EdgeOK }

// Missing says whether a required dependency is not there.
func (e *Edge) Missing() bool { return e.Error() == EdgeMissing }

// Bundled says whether the dependent's bundleDependencies name it.
func (e *Edge) Bundled() bool {
	return e.from != nil && slices.Contains(e.from.Package.BundleDependencies, e.Name)
}

// reload resolves the edge again; a hard reload also forgets whether the same
// target was valid.
func (e *Edge) reload(hard bool) {
	e.explanation = nil
	var newRule, oldRule *OverrideSet
	changed := false
	if e.from != nil && e.from.overrides != nil {
		newRule = e.from.overrides.edgeRule(e)
		if newRule != nil && !newRule.isEqual(e.overrides) {
			changed = true
			oldRule = e.overrides
			e.overrides = newRule
		}
	} else {
		e.overrides = nil
	}
	var to *Node
	if e.from != nil {
		to = e.from.resolveFolded(e.folded)
	}
	switch {
	case to != e.to:
		if e.to != nil {
			e.to.deleteEdgeIn(e)
		}
		e.to = to
		e.state = edgeUnknown
		if to != nil {
			to.addEdgeIn(e)
		}
	case hard:
		e.state = edgeUnknown
	case changed && e.to != nil:
		e.to.overridesEdgeInRemoved(oldRule)
		e.to.overridesEdgeInAdded(newRule)
	}
}

func (e *Edge) detach() {
	e.explanation = nil
	if e.to != nil {
		e.to.deleteEdgeIn(e)
	}
	if e.from != nil {
		e.from.edgesOut.deleteFolded(e.folded)
	}
	e.to, e.from = nil, nil
	e.state = EdgeDetached
}

func (n *Node) deleteEdgeIn(e *Edge) {
	n.edgesIn.delete(e)
	if e.overrides != nil {
		n.overridesEdgeInRemoved(e.overrides)
	}
}

func (n *Node) addEdgeIn(e *Edge) {
	if n.overrides == nil || !n.overrides.isEqual(e.overrides) {
		n.overridesEdgeInAdded(e.overrides)
	}
	n.edgesIn.add(e)
}

// edgeSet is the set of edges into a node, in the order they came. An edge is
// in one such set at most and knows its place there.
type edgeSet struct {
	list []*Edge
	size int
}

func (s *edgeSet) has(e *Edge) bool {
	return int(e.pos) < len(s.list) && s.list[e.pos] == e
}

func (s *edgeSet) add(e *Edge) {
	if !s.has(e) {
		e.pos = int32(len(s.list))
		s.list = append(s.list, e)
		s.size++
	}
}

func (s *edgeSet) delete(e *Edge) {
	if s.has(e) {
		s.list[e.pos] = nil
		s.size--
	}
}

// all walks the set; edges added meanwhile are visited.
func (s *edgeSet) all(yield func(*Edge) bool) {
	for i := 0; i < len(s.list); i++ {
		if s.list[i] != nil && !yield(s.list[i]) {
			return
		}
	}
}
