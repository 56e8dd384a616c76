package resolver

import (
	"context"
	"slices"

	"github.com/ibid-pm/ibid/internal/collate"
)

// builder makes the ideal tree (npm: lib/arborist/build-ideal-tree.js).
type builder struct {
	ctx      context.Context
	req      *Request
	rules    *rules
	fetch    *fetcher
	src      Source
	strategy Strategy

	tree          *Node // the root
	queue         depsQueue
	seen          map[*Node]bool
	peerDepth     int            // of loadPeerSet
	revisited     map[string]int // by location
	explicit      map[*Edge]bool
	removed       []removal
	linkNodes     nodeSet
	failed        nodeSet // what could not be loaded
	mutated       bool
	requested     bool // add, remove or update
	flagsSuspect  bool
	inflated      bool    // from a lock of before npm 7
	unknown       []*Node // of these, what the registry does not know
	shrinkwrapped []*Node // what was passed over, for it brings a lock of its own
	bundlers      []*Node // what was looked at and bundles others
	updateNames   map[string]bool
	resolvedAdd   []addRequest
	peerSetSource map[*Node]*Node
	virtualRoots  map[*Node]*Node
	packageExts   *packageExtensions
	warnings      []Warning

	// sparing leaves out optional peers that nothing is in the way of (npm 12), and
	// sparable says that it would make a difference.
	sparing, sparable bool
}

// removal is a name taken out of a tree's package.json.
type removal struct {
	from *Node
	name string
}

// depsQueue gives nodes shallowest first, then by path: what is placed higher
// up decides about what is below.
type depsQueue struct {
	items []queued
	in    map[*Node]bool
}

type queued struct {
	node  *Node
	depth int
}

func (q *depsQueue) push(n *Node) {
	if q.in[n] {
		return
	}
	if q.in == nil {
		q.in = map[*Node]bool{}
	}
	q.in[n] = true
	item := queued{n, n.Depth()}
	i, _ := slices.BinarySearchFunc(q.items, item, func(a, b queued) int {
		if a.depth != b.depth {
			return a.depth - b.depth
		}
		if c := collate.Compare(a.node.path, b.node.path); c != 0 {
			return c
		}
		return -1 // after its equals
	})
	q.items = slices.Insert(q.items, i, item)
}

func (q *depsQueue) pop() *Node {
	n := q.items[0].node
	q.items = q.items[1:]
	delete(q.in, n)
	return n
}

// warn keeps a warning until it is known that the tree stays.
func (b *builder) warn(w Warning) { b.warnings = append(b.warnings, w) }

// warnNow is warn for what explains why it takes long from here on.
func (b *builder) warnNow(w Warning) {
	if b.req.Warn != nil && !b.sparing {
		b.req.Warn(w)
	}
}

func (b *builder) updating(name string) bool { return b.updateNames[name] }

func (b *builder) isVulnerable(n *Node) bool {
	return b.req.Vulnerable != nil && b.req.Vulnerable(n)
}

// buildDeps works through the queue until every dependency is met, or has
// failed.
func (b *builder) buildDeps() error {
	tree := b.tree.Target()
	if err := tree.assertRootOverrides(); err != nil {
		return err
	}
	b.queue.push(tree)
	for {
		for len(b.queue.items) > 0 {
			if err := b.ctx.Err(); err != nil {
				return context.Cause(b.ctx)
			}
			n := b.queue.pop()
			if b.seen[n] || n.Root() != b.tree {
				continue
			}
			if n.hasShrinkwrap && !b.opensShrinkwraps() {
				b.shrinkwrapped = append(b.shrinkwrapped, n)
				continue
			}
			b.seen[n] = true
			if err := b.buildNode(n); err != nil {
				return err
			}
			if b.rules.err != nil {
				return b.rules.err
			}
		}
		b.resolveLinks()
		if len(b.queue.items) == 0 {
			return nil
		}
	}
}

// opensShrinkwraps says whether a dependency's own lock is looked into now. In the
// linked layout it always is: its packages have places of their own (npm 11:
// isolated-reifier.js #externalProxy).
func (b *builder) opensShrinkwraps() bool { return b.req.Complete || b.strategy == Linked }

// buildNode meets all dependencies of one node.
func (b *builder) buildNode(n *Node) error {
	if n != b.tree && n.resolvedForContent() != "" && !n.Inert &&
		(b.opensShrinkwraps() && n.hasShrinkwrap || b.req.Complete && len(n.Package.BundleDependencies) > 0) {
		if err := b.crackOpen(n); err != nil {
			return err
		}
	}
	if b.req.LayOut && len(n.Package.BundleDependencies) > 0 {
		b.bundlers = append(b.bundlers, n)
	}

	problems := b.problemEdges(n)
	for _, e := range problems {
		b.fetchAhead(e)
	}
	type task struct {
		edge *Edge
		dep  *Node
	}
	var tasks []task
	peerSource := n
	if s := b.peerSetSource[n]; s != nil {
		peerSource = s
	}
	for _, e := range problems {
		if e.PeerConflicted {
			continue
		}
		// Only a peer belongs into the set that brought its dependent in.
		source := n
		if e.Peer() {
			source = peerSource
		}
		vr := b.virtualRoot(source, true)
		var dep *Node
		if _, ok := vr.children.getFolded(e.folded); ok {
			vr.ensureEdges()
			if ve, ok := vr.edgesOut.getFolded(e.folded); ok && ve.to != nil && ve.Valid() && ve.to.satisfies(e) {
				dep = ve.to
			}
		}
		if dep == nil && e.Type == PeerOptional && !b.updating(e.Name) && !b.explicit[e] &&
			(e.to == nil || !b.isVulnerable(e.to)) {
			from := e.from.ResolveParent()
			if from == nil {
				from = e.from
			}
			dep = findHoistable(from, e)
		}
		if dep == nil {
			var parent *Node
			if e.Peer() {
				parent = vr
			}
			required := newNodeSet(e.from)
			var err error
			if dep, err = b.nodeFromEdge(e, parent, nil, required); err != nil {
				return err
			}
		}
		tasks = append(tasks, task{e, dep})
	}
	slices.SortStableFunc(tasks, func(x, y task) int { return collate.Compare(x.edge.Name, y.edge.Name) })

	for _, t := range tasks {
		p := &placeDep{b: b, dep: t.dep, edge: t.edge, explicit: b.explicit[t.edge]}
		if err := p.place(); err != nil {
			return err
		}
		b.visitPlaced(p)
		if b.rules.err != nil {
			return b.rules.err
		}
	}
	for e := range n.edgesOut.all {
		if e.to != nil && e.to.isLink && e.to.target != nil {
			b.linkNodes.add(e.to)
		}
	}
	return nil
}

// visitPlaced queues what a placement, and those of its peers, put up for
// another look.
func (b *builder) visitPlaced(top *placeDep) {
	stack := []*placeDep{top}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = append(stack[:len(stack)-1], p.children...)
		placed := p.placed
		if placed == nil {
			continue
		}
		if len(placed.Errors) > 0 {
			b.failed.add(placed)
		}
		b.mutated = true
		if b.req.Prefetch != nil && p.edge.Peer() && placed.resolved != "" && placed.resolved == placed.Package.Dist.Tarball {
			b.req.Prefetch(placed.Package)
		}
		for e := range placed.edgesIn.all {
			if e == p.edge || e.PeerConflicted || e.Valid() {
				continue
			}
			switch p.can.self {
			case OK:
				// Something may have been content to find nothing here.
				if !b.seen[e.from] {
					b.queue.push(e.from)
				} else if (!b.req.NoSave || b.requested) && b.mayRevisit(e.from) {
					delete(b.seen, e.from)
					b.queue.push(e.from)
				}
			case Replace:
				if b.mayRevisit(e.from) {
					delete(b.seen, e.from)
					b.queue.push(e.from)
				}
			}
		}
		b.queue.push(placed)
		for n := range p.needEvaluation.all {
			if b.mayRevisit(n) {
				delete(b.seen, n)
				b.queue.push(n)
			}
		}
		for e := range placed.edgesOut.all {
			if e.to == nil && e.Type != PeerOptional {
				b.fetchAhead(e)
			}
		}
	}
}

// revisits is how often a package in one place is looked at again. Real
// projects need a handful; sets of peers that displace each other in turn
// would go on for ever, as they do in npm. What is still unmet then stays so.
const revisits = 100

func (b *builder) mayRevisit(n *Node) bool {
	if !b.seen[n] {
		return true
	}
	b.revisited[n.location]++
	return b.revisited[n.location] <= revisits
}

// fetchAhead asks for what the edge will need soon.
func (b *builder) fetchAhead(e *Edge) {
	if b.tree.workspaces != nil {
		if _, ok := b.tree.workspaces.Get(e.Name); ok {
			return
		}
	}
	b.fetch.ahead(e.Name, e.Spec(), true)
}

// findHoistable looks for a node that an optional peer could use, the
// shallowest first, so that nothing need be fetched for it.
func findHoistable(root *Node, e *Edge) *Node {
	if root.isLink {
		return nil
	}
	queue := root.children.values()
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if n.Name == e.Name && !n.InDepBundle() && n.satisfies(e) {
			return n
		}
		if !n.isLink {
			queue = append(queue, n.children.values()...)
		}
	}
	return nil
}

// problemEdges gives the dependencies of a node that need work.
func (b *builder) problemEdges(n *Node) []*Edge {
	var bundled []string
	if !n.isMine() {
		bundled = n.Package.BundleDependencies
	}
	var problems []*Edge
	for e := range n.edgesOut.all {
		if slices.Contains(bundled, e.Name) {
			continue
		}
		if e.to != nil && (b.failed.has(e.to) || e.to.inShrinkwrap()) {
			continue
		}
		if e.to == nil {
			if e.Type != PeerOptional || b.explicit[e] {
				problems = append(problems, e)
			}
			continue
		}
		if !e.Valid() {
			// With nothing to save and nothing asked for, a lock is believed.
			if e.Type != PeerOptional || !b.req.NoSave || b.requested {
				problems = append(problems, e)
			}
			continue
		}
		if e.to.IsWorkspace() {
			continue
		}
		if b.updating(e.Name) || b.isVulnerable(e.to) || b.explicit[e] {
			problems = append(problems, e)
		}
	}
	return problems
}

// resolveLinks queues the targets of placed links: what lies inside the
// project is the project's business.
func (b *builder) resolveLinks() {
	tree := b.tree.Target()
	for l := range b.linkNodes.all {
		b.linkNodes.delete(l)
		if l.Root() != b.tree || l.target == nil {
			continue
		}
		t := l.target
		if !b.req.Follow && !t.isDescendantOf(tree) {
			continue
		}
		inside := t.parent != nil || t.fsParent != nil
		if b.req.Follow && !inside || inside && !b.seen[t] {
			// The overrides cross the link before its target is built.
			if l.overrides != nil {
				t.overridesEdgeInAdded(l.overrides)
			}
			b.queue.push(t)
		}
	}
}

// fixFlags works out the flags, and drops what nothing depends on.
func (b *builder) fixFlags() {
	fromDisk := b.tree.meta.fromDisk
	if fromDisk && b.mutated {
		resetDepFlags(b.tree)
	}
	if !fromDisk || b.mutated {
		calcDepFlags(b.tree, true)
	} else {
		b.tree.flags = flags{}
	}
	if !b.req.NoPrune && fromDisk && (b.mutated || b.flagsSuspect) {
		for n := range b.tree.inventory.all {
			if n.Extraneous {
				n.SetParent(nil)
			}
		}
	}
}
