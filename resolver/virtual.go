package resolver

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/workspaces"
	"github.com/ibid-pm/ibid/lockfile"
)

// lockMeta is what a root knows from its lock. Entries vanish as the nodes
// they were for move or leave.
type lockMeta struct {
	dir             string
	lock            *lockfile.Lockfile
	packages        map[string]*lockfile.Package
	fromDisk        bool
	originalVersion int
	ancient         bool
	hidden          bool // it is the hidden lockfile
}

func newLockMeta(dir string, lock *lockfile.Lockfile) *lockMeta {
	m := &lockMeta{dir: cleanPath(dir), lock: lock}
	if lock != nil {
		m.fromDisk = true
		m.originalVersion = lock.LockfileVersion
		m.ancient = lock.Ancient()
		m.packages = make(map[string]*lockfile.Package, len(lock.Packages))
		for _, p := range lock.Packages {
			m.packages[string(p.Location)] = p
		}
	}
	return m
}

func (n *Node) setMeta(m *lockMeta) {
	n.meta = m
	m.add(n)
}

// add lets a node that came without them have what the lock says of its
// place, if it is the same package.
func (m *lockMeta) add(n *Node) {
	if n.isLink || n.resolved != "" && n.integrity != "" || len(m.packages) == 0 {
		return
	}
	p := m.packages[relPath(m.dir, n.path)]
	if p == nil {
		return
	}
	resolved := p.Resolved
	if rest, ok := strings.CutPrefix(resolved, "file:"); ok {
		resolved = "file:" + joinPath(m.dir, rest)
	}
	agree := func(a, b string) bool { return a == "" || b == "" || a == b }
	if (resolved != "" || p.Integrity != "" || p.Version() != "") &&
		agree(resolved, n.resolved) && agree(p.Integrity, n.integrity) && agree(p.Version(), n.Version()) {
		n.resolved = cmp.Or(n.resolved, resolved)
		n.integrity = cmp.Or(n.integrity, p.Integrity)
		n.hasShrinkwrap = n.hasShrinkwrap || p.HasShrinkwrap
	}
}

func (m *lockMeta) delete(path string) {
	if len(m.packages) > 0 {
		delete(m.packages, relPath(m.dir, path))
	}
}

// MissingTargetError is a link in a lock that leads to no entry.
type MissingTargetError struct{ Target, Link string }

func (e *MissingTargetError) Error() string {
	return fmt.Sprintf("missing target in lock file: %q is referenced by %q but does not exist", e.Target, e.Link)
}

// Code is EMISSINGTARGET.
func (e *MissingTargetError) Code() string { return "EMISSINGTARGET" }

// LocationError is an entry of a dependency's shrinkwrap that leads out of
// the dependency.
type LocationError struct{ Location, Base string }

func (e *LocationError) Error() string {
	return fmt.Sprintf("invalid lockfile entry: %q is not inside of %q", e.Location, e.Base)
}

// Code is EINVALIDLOCATION.
func (e *LocationError) Code() string { return "EINVALIDLOCATION" }

// virtualLoader makes nodes of a lock's entries (npm:
// lib/arborist/load-virtual.js).
type virtualLoader struct {
	rules *rules
	root  *Node // the locations are relative to it
	lock  *lockfile.Lockfile
	// contained refuses locations outside of the root.
	contained bool
	readDir   func(dir string) (*manifest.Manifest, error)
}

// loadFromLock fills the tree from a lock, for an ideal tree: all flags are
// worked out anew.
func (b *builder) loadFromLock(root *Node, meta *lockMeta) error {
	b.flagsSuspect = true
	root.setMeta(meta)
	l := &virtualLoader{rules: b.rules, root: root, lock: meta.lock, readDir: readDir}
	nodes, err := l.load()
	if err != nil {
		return err
	}
	if meta.lock != nil && meta.originalVersion < 2 {
		l.assignBundles(nodes)
	}
	for _, n := range nodes {
		n.flags = allFlags
	}
	calcDepFlags(root, false)
	return nil
}

func readDir(dir string) (*manifest.Manifest, error) {
	return manifest.ReadDir(filepath.FromSlash(dir))
}

// load makes the nodes, those that are no links first, as they stand in the
// lock. It gives them without the root.
func (l *virtualLoader) load() ([]*Node, error) {
	if l.lock == nil {
		return nil, nil
	}
	bulk := newBulk(l)
	var links []*lockfile.Package
	nodes := make([]*Node, 0, len(l.lock.Packages))
	for _, p := range l.lock.Packages {
		if p.Location == "" {
			continue
		}
		if p.Link {
			links = append(links, p)
			continue
		}
		if err := l.assertInside(string(p.Location), string(p.Location)); err != nil {
			return nil, err
		}
		n := l.loadNode(p, bulk)
		nodes = append(nodes, n)
	}
	at := func(loc string) *Node {
		if loc == "" {
			return l.root
		}
		return l.root.Root().inventory.get(joinLocation(l.root.location, loc))
	}
	for _, p := range links {
		if err := l.assertInside(p.Resolved, string(p.Location)); err != nil {
			return nil, err
		}
		targetPath := joinPath(l.root.realpath, string(p.Target()))
		targetLoc := relPath(l.root.realpath, targetPath)
		target := at(targetLoc)
		if target == nil {
			return nil, &MissingTargetError{Target: targetLoc, Link: string(p.Location)}
		}
		if err := l.assertInside(string(p.Location), string(p.Location)); err != nil {
			return nil, err
		}
		link := l.rules.newLink(nodeOptions{
			path:     joinPath(l.root.realpath, string(p.Location)),
			realpath: targetPath,
			target:   target,
			pkg:      target.Package,
			flags:    &target.flags,
		})
		nodes = append(nodes, link)
		bulk.linked(link)
		// The project's own folders may have changed since.
		if t := link.target; t != nil && t.parent == nil {
			if m, err := l.readDir(link.realpath); err == nil {
				if bulk.active {
					t.Package = m
					bulk.repackaged(t)
				} else {
					t.setPackage(m)
				}
			}
		}
	}
	bulk.finish()
	return nodes, nil
}

func joinLocation(base, loc string) string {
	if base == "" {
		return loc
	}
	return joinPath("/"+base, loc)[1:]
}

func (l *virtualLoader) assertInside(p, location string) error {
	if !l.contained {
		return nil
	}
	rel := relPath(l.root.realpath, joinPath(l.root.realpath, p))
	if isAbs(location) || rel == ".." || strings.HasPrefix(rel, "../") || rel == "" && location != "" {
		return &LocationError{Location: location, Base: l.root.realpath}
	}
	return nil
}

func (l *virtualLoader) loadNode(p *lockfile.Package, bulk *bulk) *Node {
	path := l.root.realpath + "/" + string(p.Location)
	if !isClean(string(p.Location)) {
		path = joinPath(l.root.realpath, string(p.Location))
	}
	pkg := noManifest
	if p.Meta != nil {
		pkg = p.Meta.Locked()
	}
	if pkg.Name == "" {
		pkg = pkg.Clone()
		pkg.Name = nameFromFolder(path)
	}
	o := nodeOptions{
		path:          path,
		root:          l.root,
		pkg:           pkg,
		integrity:     p.Integrity,
		resolved:      l.rules.consistentResolve(p.Resolved, l.root.realpath, "", false),
		hasShrinkwrap: p.HasShrinkwrap,
		flags: &flags{
			Extraneous:  p.Extraneous,
			DevOptional: p.DevOptional || p.Dev || p.Optional,
			Peer:        p.Peer,
			Optional:    p.Optional,
			Dev:         p.Dev,
		},
		extensions: recordOf(p.PackageExtensionsApplied),
		patched:    p.Patched,
	}
	return bulk.newNode(o, p)
}

// assignBundles makes up for what version 1 did not say: who bundles what.
func (l *virtualLoader) assignBundles(nodes []*Node) {
	bundled := func(n *Node) bool {
		p := l.lock.Get(lockfile.Location(n.location))
		return p != nil && p.InBundle
	}
	for _, n := range nodes {
		if n.parent == nil || n.isLink && n.target != nil && n.target.location == "" {
			continue
		}
		if bundled(n) && !bundled(n.parent) && n.parent.EdgeOut(n.Name) != nil {
			m := n.parent.Package.Clone()
			m.BundleDependencies = append(slices.Clip(m.BundleDependencies), n.Name)
			n.parent.Package = m
			l.rules.bundling = true
		}
	}
}

// bulk loads a lock's nodes without their edges and makes all edges at the
// end: npm resolves the edges of a name each time a node of that name comes
// in, which is a walk of the whole tree for each. The edges into each node end
// up in the order in which npm's would have come: those from nodes that were
// there before it, in the order of a walk; then those from nodes that came
// after it, in the order of their coming.
type bulk struct {
	loader *virtualLoader
	active bool
	rank   map[*Node]int // when the node came; when its edges were made, for a repackaged one
	nodes  []*Node
	next   int
}

func newBulk(l *virtualLoader) *bulk {
	root := l.root
	b := &bulk{loader: l}
	b.active = !l.rules.oneByOne && root.IsRoot() && !root.isLink && root.overrides == nil && root.children.size == 0 && root.fsChildren.size == 0
	if b.active {
		n := len(l.lock.Packages)
		b.rank = make(map[*Node]int, n+1)
		b.nodes = make([]*Node, 0, n)
		root.inventory.reserve(n)
		root.children.reserve(n) // most are there
	}
	return b
}

func (b *bulk) newNode(o nodeOptions, p *lockfile.Package) *Node {
	if !b.active {
		return b.loader.rules.newNode(o)
	}
	b.next++
	root := b.loader.root
	loc := string(p.Location)
	name := nameOfModulePath(loc)
	parentLoc, ok := strings.CutSuffix(loc, "node_modules/"+name)
	if ok && name != "" && (parentLoc == "" || strings.HasSuffix(parentLoc, "/")) && root.inventory.get(loc) == nil &&
		len(o.path) == len(root.realpath)+1+len(loc) {
		if parent := root.inventory.get(strings.TrimSuffix(parentLoc, "/")); parent != nil && parent.Child(name) == nil {
			n := b.loader.rules.bareNode(o)
			n.root = root
			n.location = loc
			root.inventory.add(n)
			parent.setChild(name, n)
			if root.tops.size > 0 {
				n.adoptTops(root)
			}
			b.came(n)
			return n
		}
	}
	o.later = true
	n := b.loader.rules.newNode(o)
	b.came(n)
	return n
}

func (b *bulk) came(n *Node) {
	b.rank[n] = b.next
	b.nodes = append(b.nodes, n)
}

func (b *bulk) linked(n *Node) {
	if b.active {
		b.next++
		b.rank[n] = b.next
	}
}

// repackaged notes that the node's edges are made only now.
func (b *bulk) repackaged(n *Node) {
	b.next++
	i := slices.Index(b.nodes, n)
	if i >= 0 {
		b.nodes = slices.Delete(b.nodes, i, i+1)
		b.nodes = append(b.nodes, n)
	}
	b.rank[n] = b.next
}

func (b *bulk) finish() {
	if !b.active {
		return
	}
	root := b.loader.root
	r := b.loader.rules
	walk := make(map[*Node]int, len(b.nodes)+1)
	var number func(*Node)
	number = func(n *Node) {
		walk[n] = len(walk)
		for c := range n.Children {
			number(c)
		}
		for c := range n.fsChildren.all {
			number(c)
		}
	}
	number(root)

	r.bulk = true
	for _, n := range b.nodes {
		n.loadDeps()
	}
	r.bulk = false

	type found struct {
		key  uint64
		edge *Edge
		to   *Node
	}
	edges := make([]found, 0, 8*len(b.nodes))
	collect := func(n *Node) {
		from, at := b.rank[n], uint64(walk[n])
		for e := range n.edgesOut.all {
			if to := n.resolveFolded(e.folded); to != nil {
				edges = append(edges, found{uint64(max(from, b.rank[to]))<<32 | at, e, to})
			}
		}
	}
	collect(root)
	for _, n := range b.nodes {
		collect(n)
	}
	slices.SortFunc(edges, func(x, y found) int { return cmp.Compare(x.key, y.key) })
	for _, f := range edges {
		if f.edge.to == f.to {
			continue
		}
		if f.edge.to != nil {
			f.edge.to.edgesIn.delete(f.edge)
		}
		f.edge.to = f.to
		f.edge.state = edgeUnknown
		f.to.edgesIn.add(f.edge)
	}
}

// VirtualOptions are for LoadVirtual.
type VirtualOptions struct {
	Dir            string
	Manifest       *manifest.Manifest // the root's; nil: the lock's own entry
	Workspaces     *WorkspaceMap
	LegacyPeerDeps bool
	InstallLinks   bool
}

// LoadVirtual makes the tree that a lock describes. Nothing is asked for and
// nothing is missing in it that the lock has; edges may be invalid.
func LoadVirtual(lock *lockfile.Lockfile, o VirtualOptions) (*Node, error) {
	r := newRules(cleanPath(o.Dir), o.LegacyPeerDeps, o.InstallLinks)
	root, err := r.virtualRootNode(lock, o)
	if err != nil {
		return nil, err
	}
	if err := loadLockInto(root, lock, !rootEdgesMatch(root, lock)); err != nil {
		return nil, err
	}
	if err := root.assertRootOverrides(); err != nil {
		return nil, err
	}
	return root, r.err
}

func (r *rules) virtualRootNode(lock *lockfile.Lockfile, o VirtualOptions) (*Node, error) {
	pkg := o.Manifest
	if pkg == nil {
		pkg = noManifest
		if p := lock.Root(); p != nil && p.Meta != nil {
			pkg = p.Meta
		}
	}
	root := r.newNode(nodeOptions{path: cleanPath(o.Dir), pkg: pkg, loadOverrides: true, flags: &flags{}})
	if o.Workspaces.Len() > 0 {
		root.setWorkspaces(o.Workspaces)
	}
	return root, nil
}

// loadLockInto fills a root from a lock, whose flags are not believed if they
// are suspect.
func loadLockInto(root *Node, lock *lockfile.Lockfile, suspect bool) error {
	root.flags = flags{}
	meta := newLockMeta(root.path, lock)
	root.setMeta(meta)
	l := &virtualLoader{rules: root.rules, root: root, lock: lock, readDir: readDir}
	nodes, err := l.load()
	if err != nil {
		return err
	}
	if lock.LockfileVersion < 2 {
		l.assignBundles(nodes)
	}
	if suspect {
		for _, n := range nodes {
			n.flags = allFlags
		}
		calcDepFlags(root, true)
	}
	return nil
}

// rootEdgesMatch compares the root's dependencies with those in the lock, whose
// flags are right only if they are the same (npm: load-virtual.js
// #checkRootEdges).
func rootEdgesMatch(root *Node, lock *lockfile.Lockfile) bool {
	p := lock.Root()
	if lock.Ancient() {
		return true
	}
	var m *manifest.Manifest
	if p == nil || p.Meta == nil {
		m = noManifest
	} else {
		m = p.Meta
	}
	known := 0
	check := func(deps manifest.Deps, t EdgeType, skip func(string) bool) bool {
		for _, d := range deps {
			if skip != nil && skip(d.Name) {
				continue
			}
			e := root.EdgeOut(d.Name)
			if e == nil || e.Type != t || e.Spec() != d.Spec {
				return false
			}
			known++
		}
		return true
	}
	optionalPeer := func(name string) bool {
		for i := range m.PeerDependenciesMeta {
			if m.PeerDependenciesMeta[i].Name == name {
				return m.PeerDependenciesMeta[i].Optional
			}
		}
		return false
	}
	optional := func(name string) bool { _, ok := m.OptionalDependencies.Get(name); return ok }
	if !check(m.DevDependencies, Dev, nil) || !check(m.OptionalDependencies, Optional, nil) ||
		!check(m.PeerDependencies, Peer, optionalPeer) ||
		!check(m.PeerDependencies, PeerOptional, func(name string) bool { return !optionalPeer(name) }) ||
		!check(m.Dependencies, Prod, optional) {
		return false
	}
	here := map[string]string{}
	for name, dir := range root.workspaces.All() {
		here[name] = relPath(root.realpath, dir)
	}
	var folders []string
	for _, p := range lock.Packages {
		if !p.Link && !p.Location.InNodeModules() && p.Location != "" {
			folders = append(folders, string(p.Location))
		}
	}
	for _, folder := range workspaces.Among(m.Workspaces, folders) {
		name := lock.Get(lockfile.Location(folder)).Name()
		if e := root.EdgeOut(name); e == nil || e.Type != Workspace || here[name] != folder {
			return false
		}
		known++
	}
	return known == root.edgesOut.size
}
