package resolver

import (
	"slices"

	"github.com/ibid-pm/ibid/internal/collate"
)

// Placement is what becomes of a package that is to be put into a target's
// node_modules.
type Placement uint8

const (
	notPlaced Placement = iota
	// OK is a place where nothing of that name is.
	OK
	// Keep leaves what is there already, and is good enough.
	Keep
	// Replace takes the place of what is there.
	Replace
	// Conflict cannot go there.
	Conflict
)

func (p Placement) String() string {
	switch p {
	case OK:
		return "OK"
	case Keep:
		return "KEEP"
	case Replace:
		return "REPLACE"
	case Conflict:
		return "CONFLICT"
	}
	return ""
}

// deepestTarget gives the deepest node below which a package of that name may
// lie so that start finds it: not in the node_modules of one who has it as a
// peer (npm: lib/deepest-nesting-target.js).
func deepestTarget(start *Node, folded string) *Node {
	for t := start; t != nil; t = t.ResolveParent() {
		if t.IsProjectRoot() || t.ResolveParent() == nil || t.globalTop() {
			return t
		}
		if e, ok := t.edgesOut.getFolded(folded); !ok || !e.Peer() {
			return t
		}
	}
	return nil
}

// gatherDepSet gives the seed and all that it depends on, by the edges that
// pass the filter, less what somebody outside depends on as well
// (npm: lib/gather-dep-set.js).
func gatherDepSet(seed []*Node, filter func(*Edge) bool) []*Node {
	if len(seed) == 0 {
		return nil
	}
	r := seed[0].rules
	r.generation++
	in := r.generation
	deps := make([]*Node, 0, len(seed)+8)
	for _, n := range seed {
		if n.mark != in {
			n.mark = in
			deps = append(deps, n)
		}
	}
	for i := 0; i < len(deps); i++ {
		for e := range deps[i].edgesOut.all {
			if e.to != nil && e.to.mark != in && filter(e) {
				e.to.mark = in
				deps = append(deps, e.to)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		kept := deps[:0]
	each:
		for _, d := range deps {
			for e := range d.edgesIn.all {
				if e.from.mark != in && filter(e) {
					d.mark = 0
					changed = true
					continue each
				}
			}
			kept = append(kept, d)
		}
		deps = kept
	}
	return deps
}

// peerEntry is a set of peers and the edge that brought it in.
type peerEntry struct {
	edge  *Edge
	peers []*Node
}

// peerEntrySets gives the sets of peers that a node is in, each with the edge
// by which one enters it: one that is no peer's, or a top's
// (npm: lib/peer-entry-sets.js).
func peerEntrySets(node *Node) []peerEntry {
	union := newNodeSet(node)
	for n := range union.all {
		for e := range n.edgesOut.all {
			if e.Peer() && e.to != nil && e.Valid() {
				union.add(e.to)
			}
		}
		for e := range n.edgesIn.all {
			if e.Peer() && e.Valid() {
				union.add(e.from)
			}
		}
	}
	var sets []peerEntry
	for peer := range union.all {
		for e := range peer.edgesIn.all {
			if e.Peer() && !e.from.IsTop() || !e.Valid() {
				continue
			}
			sub := newNodeSet(peer)
			for n := range sub.all {
				for out := range n.edgesOut.all {
					if out.Peer() && out.to != nil && out.Valid() {
						sub.add(out.to)
					}
				}
			}
			if sub.has(node) {
				sets = append(sets, peerEntry{e, sub.list})
			}
		}
	}
	return sets
}

// canPlace is the answer to "can this go here?", for a package and for the
// peers that must come along (npm: lib/can-place-dep.js). Asking changes
// nothing.
type canPlace struct {
	result Placement
	// self is the result without regard to the peers.
	self Placement

	dep          *Node
	target       *Node
	edge         *Edge
	parent       *canPlace // of the package that this one is a peer of
	children     []*canPlace
	explicit     bool
	preferDedupe bool
	peerPath     []*Node
	current      *Node
	targetEdge   *Edge
	edgeOverride bool
	peersResult  Placement
	vulnerable   func(*Node) bool

	// asked counts the peers that a top has asked for, and answers keeps what they
	// said once they are many.
	asked   int
	answers map[question]*canPlace
}

// question is what a peer's answer depends on, but for the way that led to it.
type question struct {
	edge            *Edge
	target, deepest *Node
}

// questions is how many peers are asked for along every way there is from one
// package, as npm does. In sets of peers that name each other in all directions
// the ways double with each package, and npm does not come to an end; from here
// on a peer that has answered once is not asked again.
const questions = 10_000

func (c *canPlace) decide() *canPlace {
	c.preferDedupe = c.preferDedupe || c.edge.Peer()
	if !c.target.isLink {
		c.current, _ = c.target.children.getFolded(c.edge.folded)
	}
	c.targetEdge, _ = c.target.edgesOut.getFolded(c.edge.folded)
	// A dependency that does not satisfy its own edge was forced on it when
	// the set of peers was put together.
	c.edgeOverride = !c.dep.satisfies(c.edge)
	c.result = c.check()
	if c.self == notPlaced {
		c.self = c.result
	}
	return c
}

func (c *canPlace) top() *canPlace {
	for c.parent != nil {
		c = c.parent
	}
	return c
}

func (c *canPlace) check() Placement {
	if len(c.dep.Errors) > 0 {
		// The build fails or the node is dropped: any place will do.
		if c.current != nil {
			return Replace
		}
		return OK
	}
	if c.targetEdge != nil && c.targetEdge.Peer() && !c.target.IsTop() {
		return Conflict
	}
	if c.current == nil && c.targetEdge != nil && c.targetEdge != c.edge && !c.dep.satisfies(c.targetEdge) {
		return Conflict
	}
	if c.current != nil {
		return c.checkCurrent()
	}
	return c.checkNoCurrent()
}

func (c *canPlace) checkNoCurrent() Placement {
	// Whoever looks past the target for this name must be content with what
	// would then be in the way.
	if c.target != c.top().edge.from {
		if current := c.target.resolveFolded(c.edge.folded); current != nil {
			for e := range current.edgesIn.all {
				if e.from.isDescendantOf(c.target) && e.Valid() && !c.dep.satisfies(e) {
					return Conflict
				}
			}
		}
	}
	return c.canPlacePeers(OK)
}

func (c *canPlace) checkCurrent() Placement {
	dep, current := c.dep, c.current
	if dep.matches(current) && (current.satisfies(c.edge) || c.edgeOverride) {
		if c.explicit {
			return Replace
		}
		return Keep
	}

	known := current.Version() != "" && dep.Version() != ""
	cmp := 0
	if known {
		cmp = compareVersions(dep, current)
	}
	// An audit fix may go back to an older version that is safe.
	downgrade := known && cmp < 0 && c.vulnerable != nil && c.vulnerable(current) && !c.vulnerable(dep)
	try := known && (cmp >= 0 || downgrade)
	if try && dep.canReplace(current, nil) {
		if p := c.canPlacePeers(Replace); p != Conflict {
			return p
		}
	}
	if (!c.explicit || c.preferDedupe) && current.satisfies(c.edge) {
		return Keep
	}
	if c.preferDedupe && !try && dep.canReplace(current, nil) {
		if p := c.canPlacePeers(Replace); p != Conflict {
			return p
		}
	}

	// Where this is as deep as it can go, what is there may have to move.
	if c.target != c.deepest() {
		return Conflict
	}
	if !c.edge.Peer() && c.target == c.edge.from {
		return c.canPlacePeers(Replace)
	}
	if c.parent == nil && !c.edge.Peer() {
		return Conflict
	}
	if c.mayDisplace(current) {
		return c.canPlacePeers(Replace)
	}
	return Conflict
}

// mayDisplace says whether every set of peers that current is in may be replaced by
// the one that dep comes with, or go deeper.
func (c *canPlace) mayDisplace(current *Node) bool {
	// inSet is who has that name in the set that dep comes with.
	inSet := func(name string) *Node {
		if c.dep.parent == nil {
			c.dep.rules.fail(&DetachedError{Package: c.dep.ID()})
			return nil
		}
		return c.dep.parent.Child(name)
	}
	// npm compares with the folder names as they are written.
	written := func(name string) bool {
		n := inSet(name)
		return n != nil && n.Name == name
	}
	for _, entry := range peerEntrySets(current) {
		if entry.edge == c.edge || entry.edge == c.top().edge {
			continue
		}
		entryNode := entry.edge.to
		replacement := inSet(entryNode.Name)
		if replacement != nil && replacement.canReplace(entryNode, written) {
			continue
		}
		if replacement == nil && canClobber(entryNode, inSet) {
			continue
		}
		for _, peer := range entry.peers {
			deep := deepestTarget(entry.edge.from, foldName(peer.Name))
			if deep == c.target || c.target.isDescendantOf(deep) {
				return false
			}
		}
	}
	return true
}

// canClobber says whether all peers reached from the entry are content with
// what the new set has for them.
func canClobber(entry *Node, inSet func(string) *Node) bool {
	walk := newNodeSet(entry)
	for n := range walk.all {
		for e := range n.edgesOut.all {
			if !e.Peer() || !e.Valid() {
				continue
			}
			rep := inSet(e.Name)
			if rep == nil {
				if e.to != nil {
					walk.add(e.to)
				}
				continue
			}
			if !rep.satisfies(e) {
				return false
			}
		}
	}
	return true
}

func (c *canPlace) deepest() *Node {
	start := c.edge.from
	if c.parent != nil {
		start = c.parent.deepest()
	}
	return deepestTarget(start, c.edge.folded)
}

// canPlacePeers gives the state if all peers of dep can go along, Conflict
// otherwise. It is worked out once: the second answer is the first one.
func (c *canPlace) canPlacePeers(state Placement) Placement {
	c.self = state
	if c.peersResult != notPlaced {
		return c.peersResult
	}
	var path []*Node
	conflict := false
	top := c.top()
	for e := range c.dep.edgesOut.all {
		if !e.Peer() || e.to == nil || e.to == c.dep || slices.Contains(c.peerPath, e.to) {
			continue
		}
		if path == nil {
			path = append(slices.Clip(c.peerPath), c.dep)
		}
		child := &canPlace{
			dep:          e.to,
			target:       deepestTarget(c.target, foldName(e.to.Name)),
			parent:       c,
			edge:         e,
			peerPath:     path,
			preferDedupe: true,
			vulnerable:   c.vulnerable,
		}
		child = top.ask(child)
		c.children = append(c.children, child)
		if child.result == Conflict {
			conflict = true
		}
	}
	if conflict {
		state = Conflict
	}
	c.peersResult = state
	return state
}

// ask has a peer decide, or gives the one that has answered the same before.
func (c *canPlace) ask(peer *canPlace) *canPlace {
	if c.asked++; c.asked <= questions {
		return peer.decide()
	}
	q := question{peer.edge, peer.target, peer.deepest()}
	if known := c.answers[q]; known != nil {
		return known
	}
	if c.answers == nil {
		c.answers = map[question]*canPlace{}
	}
	c.answers[q] = peer
	return peer.decide()
}

// conflictChildren gives the peers that could not be placed, breadth first.
func (c *canPlace) conflictChildren() []*canPlace {
	seen := map[*canPlace]bool{c: true}
	all := []*canPlace{c}
	for i := 0; i < len(all); i++ {
		for _, child := range all[i].children {
			if !seen[child] {
				seen[child] = true
				all = append(all, child)
			}
		}
	}
	return slices.DeleteFunc(all[1:], func(c *canPlace) bool { return c.result != Conflict })
}

// placeDep puts a package into the tree to satisfy an edge, and then the
// peers that came with it in its virtual root (npm: lib/place-dep.js).
type placeDep struct {
	b        *builder
	dep      *Node
	edge     *Edge
	explicit bool
	parent   *placeDep // of the package that dep is a peer of

	can            *canPlace
	canSelf        *canPlace
	children       []*placeDep
	needEvaluation nodeSet
	placed         *Node
	oldDep         *Node
	current        *Node
}

func (p *placeDep) top() *placeDep {
	for p.parent != nil {
		p = p.parent
	}
	return p
}

func (p *placeDep) startNode() *Node {
	from := p.edge.from
	if p.parent != nil {
		from = p.parent.startNode()
	}
	return deepestTarget(from, p.edge.folded)
}

func (p *placeDep) place() error {
	b, edge := p.b, p.edge
	p.current = edge.to
	updating := p.parent == nil && b.updating(edge.Name)
	if edge.to != nil && edge.Valid() && !p.explicit && !updating && !b.isVulnerable(edge.to) {
		return nil
	}
	p.seek()
	if p.can == nil {
		if !b.req.Force && (p.isMine() || b.req.StrictPeerDeps) {
			return p.failPeerConflict()
		}
		if p.canSelf == nil {
			p.warnPeerConflict(edge, p.dep)
			return nil
		}
		p.can = p.canSelf
	}

	target := p.can.target
	kind := p.can.result
	if kind == Conflict {
		kind = p.can.self
	}
	if kind == Keep {
		if edge.Peer() && !edge.Valid() {
			p.warnPeerConflict(edge, p.dep)
		}
		// Keeping it may have made a copy further down superfluous.
		p.pruneDedupable(target, true)
		return nil
	}

	// Where packages depend on each other in a loop, nesting would never end:
	// a link leads back to the one further up.
	for n := target; n != nil; n = n.ResolveParent() {
		if !n.IsTop() && n.matches(p.dep) {
			p.placed = b.rules.newLink(nodeOptions{parent: target, target: n})
			return nil
		}
	}

	virtualRoot := p.dep.parent
	p.placed = p.copy()
	if p.oldDep = target.Child(edge.Name); p.oldDep != nil {
		p.replaceOldDep()
	} else {
		p.placed.SetParent(target)
	}
	if edge.Peer() && !p.placed.satisfies(edge) {
		p.warnPeerConflict(edge, p.dep)
	}
	p.pruneBelow(target)
	return p.placePeers(virtualRoot)
}

// seek walks up from where the package is wanted to the shallowest place that the
// strategy and all others allow: can, nil where there is none. Where only its peers
// are in conflict, canSelf is the last place that it could have itself.
func (p *placeDep) seek() {
	b, edge := p.b, p.edge
	for target := p.startNode(); target != nil; target = target.ResolveParent() {
		if te, ok := target.edgesOut.getFolded(edge.folded); ok && te.Peer() && !target.IsTop() {
			continue
		}
		c := &canPlace{
			dep:          p.dep,
			edge:         edge,
			target:       target,
			preferDedupe: b.req.PreferDedupe,
			explicit:     p.explicit,
			vulnerable:   b.req.Vulnerable,
		}
		if p.parent != nil {
			c.parent = p.parent.can
		}
		c.decide()
		if c.self != Conflict {
			p.canSelf = c
		}
		if c.result == Conflict {
			return
		}
		p.can = c
		if len(p.dep.Errors) > 0 || b.strategy == Nested {
			return
		}
		if b.strategy == Shallow {
			if up := target.ResolveParent(); up != nil && up.IsProjectRoot() {
				return
			}
		}
	}
}

// copy is the package as a node of the tree; dep stays in its virtual root.
func (p *placeDep) copy() *Node {
	o := nodeOptions{
		name:         p.dep.Name,
		pkg:          p.dep.Package,
		resolved:     p.dep.Resolved(),
		integrity:    p.dep.integrity,
		pkgResolved:  p.dep.pkgResolved,
		pkgIntegrity: p.dep.pkgIntegrity,
		overrides:    p.dep.overrides,
		extensions:   p.dep.extensions,
	}
	if len(p.dep.Errors) > 0 {
		o.err = p.dep.Errors[0]
	}
	if p.dep.isLink {
		o.target, o.realpath = p.dep.target, p.dep.realpath
		return p.b.rules.newLink(o)
	}
	return p.b.rules.newNode(o)
}

// pruneBelow takes away what the placed package has made superfluous: where the
// edge led before, and copies of it below the target.
func (p *placeDep) pruneBelow(target *Node) {
	edge := p.edge
	if edge.to != nil && edge.to != p.placed && edge.Valid() {
		p.pruneDedupable(edge.to, false)
	}
	for n := range target.Root().inventory.named(edge.Name) {
		if n.IsTop() || !n.isDescendantOf(target) {
			continue
		}
		p.pruneDedupable(n, false)
		if n.Root() == target.Root() && !n.isLink {
			for kid := range n.children.all {
				p.pruneDedupable(kid, false)
			}
		}
	}
}

// placePeers puts the placed package's peers into the tree, out of the virtual root
// that it came in.
func (p *placeDep) placePeers(virtualRoot *Node) error {
	for e := range p.placed.edgesOut.all {
		if !e.Peer() || e.PeerConflicted || e.Valid() {
			continue
		}
		if virtualRoot == nil {
			return &DetachedError{Package: p.dep.ID()}
		}
		// One that the virtual root lacks is optional and unmet; it must be
		// found further up or fail.
		peer := virtualRoot.Child(e.Name)
		if peer == nil || !peer.satisfies(e) {
			continue
		}
		child := &placeDep{b: p.b, dep: peer, edge: e, explicit: p.explicit, parent: p}
		if err := child.place(); err != nil {
			return err
		}
		p.children = append(p.children, child)
	}
	return nil
}

// DetachedError is a package whose set of peers changed after it was chosen,
// so that nobody knows any more what should come with it. npm crashes there.
type DetachedError struct{ Package string }

func (e *DetachedError) Error() string {
	return e.Package + ": its peer dependencies cannot be brought together"
}

// Code is ERESOLVE.
func (e *DetachedError) Code() string { return "ERESOLVE" }

// replaceOldDep puts the package where another of its name is. Peers around
// it that cannot live with the new one move deeper if they can.
func (p *placeDep) replaceOldDep() {
	target := p.oldDep.parent
	var oldDeps []*Node
	for e := range p.oldDep.edgesOut.all {
		if _, ok := p.placed.edgesOut.getFolded(e.folded); !ok && e.to != nil {
			to := e.to
			oldDeps = append(oldDeps, gatherDepSet([]*Node{to}, func(f *Edge) bool { return f.to != to })...)
		}
	}

	var prune []*Node
	for e := range p.oldDep.edgesIn.all {
		if p.placed.satisfies(e) || !e.Peer() || e.from.parent != target || e.PeerConflicted {
			continue
		}
		for _, entry := range peerEntrySets(e.from) {
			entryNode := entry.edge.to
			if entryNode != target && !entry.edge.from.isMine() {
				prune = append(prune, gatherDepSet([]*Node{entryNode}, func(f *Edge) bool {
					return f.to != entryNode && !f.PeerConflicted
				})...)
			} else {
				p.warnPeerConflict(e, p.dep)
			}
		}
	}

	p.placed.replace(p.oldDep)
	p.pruneForReplacement(oldDeps)
	for _, d := range prune {
		for e := range d.edgesIn.all {
			p.needEvaluation.add(e.from)
		}
		d.remove()
	}
}

// pruneForReplacement drops what only the replaced package needed.
func (p *placeDep) pruneForReplacement(oldDeps []*Node) {
	node := p.placed
	invalid := nodeSet{}
	for e := range node.edgesOut.all {
		if e.to != nil && !e.Valid() {
			invalid.add(e.to)
		}
	}
	for _, d := range oldDeps {
		for _, n := range gatherDepSet([]*Node{d}, func(e *Edge) bool { return e.to != d && e.Valid() }) {
			invalid.add(n)
		}
	}
	var seed []*Node
	for n := range invalid.all {
		seed = append(seed, n)
	}
	for _, d := range gatherDepSet(seed, func(e *Edge) bool { return e.from != node && e.to != node && e.Valid() }) {
		d.remove()
	}
}

// pruneDedupable drops a node, with what only it needs, if all would be
// content with what they find further up.
func (p *placeDep) pruneDedupable(n *Node, descend bool) {
	if n.canDedupe(p.b.req.PreferDedupe, p.explicit) {
		for _, d := range gatherDepSet([]*Node{n}, func(e *Edge) bool { return e.to != n && e.Valid() }) {
			d.remove()
		}
		return
	}
	if !descend {
		return
	}
	for _, child := range sortedChildren(n) {
		p.pruneDedupable(child, true)
	}
	var fsChildren []*Node
	for c := range n.fsChildren.all {
		fsChildren = append(fsChildren, c)
	}
	sortByLocation(fsChildren)
	for _, c := range fsChildren {
		for _, child := range sortedChildren(c) {
			p.pruneDedupable(child, true)
		}
	}
}

func sortedChildren(n *Node) []*Node {
	if n.isLink {
		return nil
	}
	children := n.children.values()
	sortByLocation(children)
	return children
}

func sortByLocation(nodes []*Node) {
	slices.SortStableFunc(nodes, func(a, b *Node) int { return collate.Compare(a.location, b.location) })
}

// isMine says whether a conflict is the project's own business: it then
// fails, where between strangers it would only be warned about.
func (p *placeDep) isMine() bool {
	edge := p.top().edge
	node := edge.from
	if node.isMine() {
		return true
	}
	if !edge.Peer() {
		return false
	}
	peers := false
	for e := range node.edgesIn.all {
		if e.Peer() {
			peers = true
			continue
		}
		if e.from.isMine() {
			return true
		}
	}
	if peers {
		for _, entry := range peerEntrySets(node) {
			if entry.edge.from.isMine() {
				return true
			}
		}
	}
	return false
}
