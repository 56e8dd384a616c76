package resolver

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/lockfile"
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
	updateNames   map[string]bool
	resolvedAdd   []addRequest
	peerSetSource map[*Node]*Node
	virtualRoots  map[*Node]*Node
	packageExts   *packageExtensions
	warnings      []Warning
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

func (b *builder) warn(w Warning) {
	b.warnings = append(b.warnings, w)
	if b.req.Warn != nil {
		b.req.Warn(w)
	}
}

func (b *builder) updating(name string) bool { return b.updateNames[name] }

func (b *builder) isVulnerable(n *Node) bool {
	return b.req.Vulnerable != nil && b.req.Vulnerable(n)
}

// initTree makes the tree to start from: the lock's, else what is installed,
// else the root alone; and queues every node with an unmet dependency.
func (b *builder) initTree() error {
	root, err := b.rootNode()
	if err != nil {
		return err
	}
	if b.req.Workspaces.Len() > 0 {
		root.setWorkspaces(b.req.Workspaces)
	}
	b.tree = root
	switch {
	case b.req.Global:
		root.setMeta(newLockMeta(b.req.Dir, nil))
	case b.req.NoPackageLock || b.req.UpdateAll:
		root.setMeta(newLockMeta(b.req.Dir, nil))
		// npm does not read the lock, but starts from nothing where there is one.
		root.meta.fromDisk = b.req.Lock != nil || b.req.LockUnread
	default:
		meta := newLockMeta(b.req.Dir, b.req.Lock)
		if err := b.loadFromLock(root, meta); err != nil {
			return err
		}
		if err := root.assertRootOverrides(); err != nil {
			return err
		}
	}
	fromActual := !b.req.UpdateAll && !b.req.Global && !root.meta.fromDisk || b.req.Global && len(b.updateNames) > 0
	if fromActual && !b.req.IgnoreActual {
		if err := root.assertRootOverrides(); err != nil {
			return err
		}
		if err := b.startFromActual(root); err != nil {
			return err
		}
	}
	if b.rules.err != nil {
		return b.rules.err
	}
	b.fillFromYarn()

	seen := map[*Node]bool{}
	stack := []*Node{root}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		for e := range n.edgesOut.all {
			if e.Type == PeerOptional && b.req.NoSave && !b.requested {
				continue
			}
			if e.to == nil || !e.Valid() {
				b.queue.push(n)
				break
			}
		}
		for e := range n.edgesOut.all {
			if e.to != nil && !seen[e.to] {
				stack = append(stack, e.to)
			}
		}
	}
	if o := root.Target().overrides; o != nil {
		b.fetch.pinned = map[string]string{}
		for _, rule := range o.children {
			if rule.keySpec == "*" && rule.value != "*" && !strings.HasPrefix(rule.value, "$") {
				b.fetch.pinned[rule.name] = rule.value
			}
		}
	}
	for n := range root.inventory.all {
		if v := n.parsedVersion(); v != nil && n.path != root.path && n.Name == n.Package.Name {
			b.fetch.have[n.Name] = append(b.fetch.have[n.Name], v)
		}
	}
	return nil
}

// fillFromYarn takes what the lock does not say of a package from the yarn.lock
// beside it (npm: shrinkwrap.js addEdge).
func (b *builder) fillFromYarn() {
	y := b.req.Yarn
	if y == nil || y.Len() == 0 {
		return
	}
	mismatch := func(a, b string) bool { return a != "" && b != "" && a != b }
	for n := range b.tree.inventory.all {
		if n.isLink {
			continue
		}
		for e := range n.edgesIn.all {
			if n.resolved != "" && n.integrity != "" {
				break
			}
			known := y.Get(n.Name + "@" + e.Spec())
			if known == nil || !e.Valid() || mismatch(n.Version(), known.Version) || mismatch(n.integrity, known.Integrity) ||
				mismatch(n.rules.consistentResolve(n.resolved, n.path, b.tree.path, true), known.Resolved) {
				continue
			}
			n.integrity = cmp.Or(n.integrity, known.Integrity)
			if n.resolved == "" {
				n.resolved = n.rules.consistentResolve(lockfile.ToNPMRegistry(known.Resolved), b.tree.path, n.path, false)
			}
		}
	}
}

func (b *builder) rootNode() (*Node, error) {
	pkg := b.req.Manifest
	if pkg == nil || b.req.Global {
		pkg = &manifest.Manifest{}
	}
	real, err := filepath.EvalSymlinks(filepath.FromSlash(b.req.Dir))
	if err != nil {
		return nil, err
	}
	dir, realDir := cleanPath(b.req.Dir), cleanPath(real)
	if b.req.Dedupe && b.req.Lock != nil && pkg.Name == "" {
		pkg = pkg.Clone()
		pkg.Name = nameFromFolder(dir)
	}
	o := nodeOptions{
		path:          dir,
		pkg:           pkg,
		global:        b.req.Global,
		loadOverrides: true,
		flags:         &flags{},
	}
	if dir == realDir {
		return b.rules.newNode(o), nil
	}
	o.link, o.realpath = true, realDir
	root := b.rules.newNode(o)
	o.link, o.path, o.realpath, o.root = false, realDir, "", root
	root.setTarget(b.rules.newNode(o))
	return root, nil
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
			if b.seen[n] || n.Root() != b.tree || n.hasShrinkwrap && !b.opensShrinkwraps() {
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
	b.fetch.ahead(e.Name, e.Spec())
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

// nodeFromEdge loads what an edge wants, with its peers and theirs, into a
// virtual root. A second edge is advice: if what it wants is good for the
// first as well, that is taken.
func (b *builder) nodeFromEdge(e *Edge, parent *Node, second *Edge, required *nodeSet) (*Node, error) {
	if parent == nil {
		parent = b.virtualRoot(e.from, false)
	}
	want := b.rules.want(e.Name, e.Spec(), e.from.path)
	if want.err != nil {
		return nil, want.err
	}
	node, err := b.nodeFromSpec(e.Name, want.spec, parent, e)
	if err != nil {
		return nil, err
	}
	if second != nil {
		advice := b.rules.want(e.Name, second.Spec(), second.from.path)
		if advice.err != nil {
			return nil, advice.err
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

// AllowError is a package of a kind that the configuration does not allow.
type AllowError struct {
	Type    spec.Type
	Package string
	NonRoot bool // the project itself might have asked for it
}

func (e *AllowError) Error() string {
	what := "packages of type "
	if e.NonRoot {
		what = "non-root packages of type "
	}
	return e.Package + ": fetching " + what + `"` + e.Type.String() + `" has been disabled`
}

// Code is npm's: EALLOWGIT and the like.
func (e *AllowError) Code() string { return "EALLOW" + strings.ToUpper(e.Type.String()) }

func (b *builder) checkAllow(s *spec.Spec, e *Edge) error {
	return b.allowedFrom(s, e != nil && e.from.isMine())
}

// allowedFrom refuses a kind of spec that the project has not allowed, or not
// to others than itself.
func (b *builder) allowedFrom(s *spec.Spec, mine bool) error {
	var allow Allow
	switch s.Type {
	case spec.Git:
		allow = b.req.AllowGit
	case spec.Remote:
		allow = b.req.AllowRemote
	case spec.File:
		allow = b.req.AllowFile
	case spec.Directory:
		allow = b.req.AllowDirectory
	}
	if allow == AllowAll || allow == AllowRoot && mine {
		return nil
	}
	return &AllowError{Type: s.Type, Package: s.String(), NonRoot: allow == AllowRoot}
}

// IncompleteError is a manifest from a registry that has no version.
type IncompleteError struct{ Name string }

func (e *IncompleteError) Error() string {
	return "incomplete manifest for " + e.Name + ", missing version"
}

// Code is EINCOMPLETEMANIFEST.
func (e *IncompleteError) Code() string { return "EINCOMPLETEMANIFEST" }

// failureNode stands for what could not be loaded, until it is known whether
// it was needed.
func (b *builder) failureNode(name string, parent *Node, err error) *Node {
	n := b.rules.newNode(nodeOptions{name: name, parent: parent, err: err})
	b.failed.add(n)
	return n
}

func (b *builder) wish(s *spec.Spec) Wish {
	w := Wish{Before: b.req.Before}
	name := s.Name
	if s.Type == spec.Alias && s.Sub != nil && s.Sub.Registry {
		name = s.Sub.Name
	}
	if !w.Before.IsZero() && b.req.NoBefore != nil && b.req.NoBefore(name) {
		w.Before = time.Time{}
	}
	if b.req.Avoid != nil {
		w.Avoid = b.req.Avoid(s.Name)
	}
	return w
}

func (b *builder) fetchManifest(s *spec.Spec, e *Edge) (*Fetched, error) {
	if err := b.checkAllow(s, e); err != nil {
		return nil, err
	}
	w := b.wish(s)
	w.FromRoot = e != nil && e.from.isMine()
	if y := b.req.Yarn; y != nil && !b.tree.meta.fromDisk {
		s, w.Resolved, w.Integrity, _ = y.Pin(s, b.rules.where)
	}
	f, err := b.fetch.get(b.ctx, s, w)
	if err == nil && b.req.Prefetch != nil && s.Registry {
		b.req.Prefetch(f)
	}
	if err != nil || w.Integrity == "" {
		return f, err
	}
	return f.expect(s, w.Integrity)
}

// nodeFromSpec makes the node that a spec stands for, in a virtual root.
func (b *builder) nodeFromSpec(name string, s *spec.Spec, parent *Node, e *Edge) (*Node, error) {
	if err := b.checkAllow(s, e); err != nil {
		return b.failureNode(name, parent, err), nil
	}
	workspace := false
	if b.tree.workspaces != nil {
		_, workspace = b.tree.workspaces.Get(s.Name)
	}
	internal := false
	if rest, ok := strings.CutPrefix(e.raw, "file:"); ok && (strings.HasPrefix(rest, "../") || strings.HasPrefix(rest, "./")) {
		target := joinPath(parent.realpath, rest)
		internal = target == b.tree.realpath || strings.HasPrefix(target, b.tree.realpath+"/")
	}
	// What was copied because of install-links has its own folders copied as
	// well.
	transitive := s.Type == spec.Directory && b.req.InstallLinks && !parent.isLink && strings.HasPrefix(parent.resolved, "file:")
	if s.Type == spec.Directory && !transitive && (workspace || internal || !b.req.InstallLinks) {
		dir := cleanPath(s.FetchSpec)
		pkg, err := manifest.ReadDir(filepath.FromSlash(dir))
		if err != nil {
			pkg = noManifest
		}
		link := b.rules.newLink(nodeOptions{name: name, parent: parent, realpath: dir, pkg: pkg})
		b.linkNodes.add(link)
		return link, nil
	}
	if workspace {
		if we := b.tree.EdgeOut(s.Name); we != nil && we.to != nil && we.to.IsWorkspace() && we.to.satisfies(e) {
			return we.to, nil
		}
	}
	if transitive {
		abs := joinPath(strings.TrimPrefix(parent.resolved, "file:"), strings.TrimPrefix(e.raw, "file:"))
		t, err := spec.Resolve(name, "file:"+abs, b.rules.where)
		if err != nil {
			return nil, err
		}
		s = t
	}
	f, err := b.fetchManifest(s, e)
	if err != nil {
		if ctxErr := b.ctx.Err(); ctxErr != nil {
			return nil, context.Cause(b.ctx)
		}
		return b.failureNode(name, parent, err), nil
	}
	if f.Manifest.Version == "" && s.Registry {
		return b.failureNode(name, parent, &IncompleteError{name}), nil
	}
	pkg, ext, err := b.packageExts.apply(f.Manifest)
	if err != nil {
		return nil, err
	}
	return b.rules.newNode(nodeOptions{
		name: name, pkg: pkg, parent: parent,
		pkgResolved: f.Resolved, pkgIntegrity: f.Integrity,
		extensions: ext,
	}), nil
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

// pruneFailed fails for what could not be loaded and was needed, and marks
// what was optional as inert.
func (b *builder) pruneFailed() error {
	for n := range b.failed.all {
		if !n.Optional {
			return &LoadError{Node: n, Err: n.Errors[0]}
		}
		for _, o := range optionalSet(n) {
			o.Inert = true
		}
	}
	return nil
}

// LoadError is a needed package that could not be loaded.
type LoadError struct {
	Node *Node
	Err  error // the Source's
}

func (e *LoadError) Error() string { return e.Err.Error() }

func (e *LoadError) Unwrap() error { return e.Err }

// Path is a chain of those who need the package, the project first.
func (e *LoadError) Path() []string { return chainTo(e.Node) }

// Chain gives one shortest chain of those who need a package, the project first.
func Chain(n *Node) []string { return chainTo(n) }

// chainTo gives one shortest chain of dependents, root first.
func chainTo(n *Node) []string {
	type step struct {
		node *Node
		next *step
		text string
	}
	seen := map[*Node]bool{n: true}
	queue := []*step{{node: n}}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s.node.IsProjectRoot() {
			var chain []string
			if id := s.node.Package.Name; id != "" {
				chain = append(chain, strings.TrimSuffix(id+"@"+s.node.Package.Version, "@"))
			}
			for ; s.next != nil; s = s.next {
				chain = append(chain, s.text)
			}
			return chain
		}
		for e := range s.node.edgesIn.all {
			if !seen[e.from] {
				seen[e.from] = true
				queue = append(queue, &step{e.from, s, e.Name + "@" + e.Spec()})
			}
		}
	}
	return nil
}

// workspaceNodes gives the nodes of the named workspaces.
func (b *builder) workspaceNodes() []*Node {
	var nodes []*Node
	for _, name := range b.req.InWorkspaces {
		dir, ok := b.tree.workspaces.Get(name)
		if !ok {
			b.warn(Warning{Heading: "workspaces", Message: name + " in filter set, but not in workspaces"})
			continue
		}
		n := b.tree.inventory.get(relPath(b.tree.realpath, dir))
		if n == nil {
			b.warn(Warning{Heading: "workspaces", Message: name + " in filter set, but no workspace folder present"})
			continue
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// queueUpdates queues all who depend on one of the names to update.
func (b *builder) queueUpdates() {
	for n := range b.tree.inventory.all {
		if !b.updateNames[n.Name] || n.IsTop() || n.InDepBundle() || n.inShrinkwrap() {
			continue
		}
		for e := range n.edgesIn.all {
			b.queue.push(e.from)
		}
	}
}

// resolvedForContent is where a node's files can be had, if they can.
func (n *Node) resolvedForContent() string {
	if n.isLink {
		return ""
	}
	return n.resolved
}
