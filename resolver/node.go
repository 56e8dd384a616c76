package resolver

import (
	"path"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// Node is one package in one place, or a Link to one (npm: lib/node.js and
// lib/link.js). A tree belongs to one goroutine while it is being changed.
type Node struct {
	// Name is the name of the folder, which for an alias is not the package's.
	Name string
	// Package is the node's manifest; never nil.
	Package *manifest.Manifest

	path     string // absolute; "" before it has a place
	realpath string
	location string

	resolved  string // "" where npm has null; a link's is computed
	integrity string
	// What came with the manifest (npm: package._resolved, _integrity).
	pkgResolved, pkgIntegrity string
	hasShrinkwrap             bool
	// Errors says why the node could not be loaded; such a node is only a
	// place holder.
	Errors []error

	isLink bool
	target *Node // of a link

	// sourceReference is what a virtual root, or a node in it, stands for.
	sourceReference *Node

	root       *Node // nil: itself
	parent     *Node
	fsParent   *Node
	children   nameMap[*Node]
	fsChildren nodeSet
	linksIn    nodeSet
	edgesOut   nameMap[*Edge]
	edgesIn    edgeSet

	// slot is the entry of parent.children that holds the node.
	slot int
	// wishes has, for the folded name of each edge that a child, or anything
	// below it, has or once had, the slots of these children; nil while nobody
	// asked.
	wishes map[string][]int

	overrides *OverrideSet

	// Only used while the node is a root.
	inventory  *inventory
	tops       nodeSet
	meta       *lockMeta
	global     bool
	workspaces *WorkspaceMap

	flags
	dummy bool
	// Inert nodes stay in the lock but are not installed: optional ones that
	// failed to load or do not run on this platform, and omitted ones.
	Inert bool
	// extensions is the provenance of a packageExtensions repair (npm 12).
	extensions *extensionRecord
	// Patched is what a lock says of the patch that was applied to the package
	// (npm 12), "" for none. Whoever registers patches sets it before a lock is
	// made of the tree.
	Patched jsjson.Raw

	// unloaded marks a virtual root whose edges nobody needed yet.
	unloaded bool

	rules       *rules
	semver      *nodesemver.Version
	semverOf    string
	explanation *NodeExplanation
	mark        uint32
}

// flags say by what kinds of edges a node is reached. They start as true and
// are taken away by calcDepFlags.
type flags struct {
	Dev         bool
	Optional    bool
	DevOptional bool
	Peer        bool
	Extraneous  bool
}

var allFlags = flags{true, true, true, true, true}

// nodeOptions are what a node is made from; most are optional.
type nodeOptions struct {
	name            string
	path            string
	realpath        string // links
	pkg             *manifest.Manifest
	resolved        string
	integrity       string
	pkgResolved     string
	pkgIntegrity    string
	hasShrinkwrap   bool
	err             error
	parent          *Node
	fsParent        *Node
	root            *Node
	target          *Node // links
	sourceReference *Node
	overrides       *OverrideSet
	loadOverrides   bool
	link            bool
	dummy           bool
	global          bool
	flags           *flags
	patched         jsjson.Raw
	extensions      *extensionRecord
	// later leaves the edges unloaded; see bulk loading in virtual.go.
	later bool
}

var noManifest = new(manifest.Manifest)

// newNode makes a node and puts it into the tree that o names. The order of
// the steps is npm's: edges are loaded last, when the place is known.
func (r *rules) newNode(o nodeOptions) *Node {
	n := r.bareNode(o)
	if o.parent != nil {
		n.SetParent(o.parent)
	}
	if o.fsParent != nil {
		n.setFsParent(o.fsParent)
	}
	if o.parent == nil && o.fsParent == nil {
		n.setRoot(o.root)
	}
	if !o.later {
		n.loadDeps()
	}
	return n
}

// bareNode makes a node that is in no tree yet.
func (r *rules) bareNode(o nodeOptions) *Node {
	n := &Node{rules: r, isLink: o.link, sourceReference: o.sourceReference, global: o.global}
	if o.err != nil {
		n.Errors = []error{o.err}
	}
	switch {
	case o.sourceReference != nil:
		n.Package = o.sourceReference.Package
		n.pkgResolved, n.pkgIntegrity = o.sourceReference.pkgResolved, o.sourceReference.pkgIntegrity
	case o.pkg != nil:
		n.Package = o.pkg
		n.pkgResolved, n.pkgIntegrity = o.pkgResolved, o.pkgIntegrity
	default:
		n.Package = noManifest
	}
	if len(n.Package.BundleDependencies) > 0 {
		r.bundling = true
	}

	n.Name = o.name
	if n.Name == "" {
		switch {
		case o.path != "":
			n.Name = nameFromFolder(o.path)
		case n.Package.Name != "":
			n.Name = nameFromFolder(n.Package.Name)
		default:
			n.Name = nameFromFolder(o.realpath)
		}
		if n.Name == "" {
			n.Name = n.Package.Name
		}
	}
	n.path = o.path
	n.realpath = n.path
	if n.isLink {
		n.realpath = o.realpath
	}

	n.resolved = o.resolved
	if n.resolved == "" && n.pkgResolved != "" {
		n.resolved = r.consistentResolve(n.pkgResolved, "", "", false)
	}
	n.integrity = o.integrity
	if n.integrity == "" {
		n.integrity = n.pkgIntegrity
	}
	n.hasShrinkwrap = o.hasShrinkwrap || n.Package.HasShrinkwrap
	n.extensions = o.extensions
	n.Patched = o.patched

	n.dummy = o.dummy
	switch {
	case o.dummy:
	case o.flags != nil:
		n.flags = *o.flags
	default:
		n.flags = allFlags
	}

	if o.overrides != nil {
		n.overrides = o.overrides
	} else if o.loadOverrides {
		n.overrides = r.rootOverrides(n.Package)
	}
	return n
}

// newLink makes a link. Without a target in o or in the tree, one is made at
// the realpath with the same options.
func (r *rules) newLink(o nodeOptions) *Node {
	o.link = true
	if o.realpath == "" {
		o.realpath = o.target.path
	}
	if o.root == nil {
		switch {
		case o.parent != nil:
			o.root = o.parent.Root()
		case o.fsParent != nil:
			o.root = o.fsParent.Root()
		case o.target != nil:
			o.root = o.target.Root()
		}
	}
	n := r.newNode(o)
	switch {
	case o.target != nil:
		n.setTarget(o.target)
	case n.realpath == n.Root().path:
		n.setTarget(n.Root())
	default:
		t := o
		t.link = false
		t.path = o.realpath
		t.parent, t.fsParent, t.target = nil, nil, nil
		t.root = n.Root()
		n.setTarget(r.newNode(t))
	}
	return n
}

// Root is the root of the tree that the node is in, itself if in none.
func (n *Node) Root() *Node {
	if n.root == nil {
		return n
	}
	return n.root
}

// Parent is the node in whose node_modules this one lies, or nil.
func (n *Node) Parent() *Node { return n.parent }

// FsParent is, for a node outside node_modules, the node whose folder holds
// it, or nil.
func (n *Node) FsParent() *Node { return n.fsParent }

// ResolveParent is the next node in which require looks on.
func (n *Node) ResolveParent() *Node {
	if n.parent != nil {
		return n.parent
	}
	return n.fsParent
}

// Location is the path relative to the root, slashes forward; "" is the root.
func (n *Node) Location() string { return n.location }

// Path is the absolute path with forward slashes; for a link its own, not the
// target's.
func (n *Node) Path() string { return n.path }

// Realpath is where the content is: a link's target's path.
func (n *Node) Realpath() string { return n.realpath }

// IsLink says whether the node is a link.
func (n *Node) IsLink() bool { return n.isLink }

// Target is the node itself, or what the link points to.
func (n *Node) Target() *Node {
	if n.isLink {
		return n.target
	}
	return n
}

// Children walks the nodes in the node's node_modules, in the order they came
// in. A link has none; its target has.
func (n *Node) Children(yield func(*Node) bool) {
	if !n.isLink {
		n.children.all(yield)
	}
}

// Child gives the node of that name in this node's node_modules, or nil.
func (n *Node) Child(name string) *Node {
	if n.isLink {
		return nil
	}
	c, _ := n.children.get(name)
	return c
}

// FsChildren walks the nodes in folders below this one's, outside its
// node_modules.
func (n *Node) FsChildren(yield func(*Node) bool) { n.fsChildren.all(yield) }

// LinksIn walks the links that point to the node.
func (n *Node) LinksIn(yield func(*Node) bool) { n.linksIn.all(yield) }

// EdgesOut walks the node's dependencies in npm's order.
func (n *Node) EdgesOut(yield func(*Edge) bool) { n.edgesOut.all(yield) }

// EdgeOut gives the dependency of that name, or nil.
func (n *Node) EdgeOut(name string) *Edge {
	e, _ := n.edgesOut.get(name)
	return e
}

// EdgesIn walks the edges that end here.
func (n *Node) EdgesIn(yield func(*Edge) bool) { n.edgesIn.all(yield) }

// Inventory walks all nodes of the tree that n is the root of, in the order
// they came in.
func (n *Node) Inventory(yield func(*Node) bool) { n.Root().inventory.all(yield) }

// At gives the node of the tree at a location, or nil.
func (n *Node) At(location string) *Node { return n.Root().inventory.get(location) }

// Named walks the tree's nodes of one name.
func (n *Node) Named(name string) func(yield func(*Node) bool) {
	return n.Root().inventory.named(name)
}

// Version is the package's version, a link's its target's; "" if it has none.
func (n *Node) Version() string {
	if n.isLink && n.target != nil {
		return n.target.Version()
	}
	return n.Package.Version
}

// PackageName is the name in the manifest.
func (n *Node) PackageName() string { return n.Package.Name }

// Integrity is the SRI of the tarball, "" where there is none.
func (n *Node) Integrity() string { return n.integrity }

// HasShrinkwrap says whether the package brings its own npm-shrinkwrap.json.
func (n *Node) HasShrinkwrap() bool { return n.hasShrinkwrap }

// Resolved says where the package came from: a tarball's URL, "file:" and an
// absolute path, a git URL with a commit; a link's is "file:" and the path
// from its folder to its target.
func (n *Node) Resolved() string {
	if n.isLink {
		if n.path == "" || n.realpath == "" {
			return ""
		}
		return "file:" + relPath(dirOf(n.path), n.realpath)
	}
	return n.resolved
}

// parsedVersion gives the version read as npm reads it in ranges' tests, nil
// if it is none.
func (n *Node) parsedVersion() *nodesemver.Version {
	v := n.Version()
	if n.semverOf != v {
		n.semver, n.semverOf = n.rules.version(v), v
	}
	return n.semver
}

// ID names the node as npm does: name@version, name@npm:other@version for an
// alias.
func (n *Node) ID() string {
	name := n.Name
	alias := ""
	if n.IsProjectRoot() {
		if n.Package.Name != "" {
			name = n.Package.Name
		}
	} else if n.Package.Name != "" && n.Package.Name != name {
		alias = "npm:" + n.Package.Name + "@"
	}
	return name + "@" + alias + n.Package.Version
}

// IsRoot says whether the node is the root of its tree.
func (n *Node) IsRoot() bool { return n.root == nil || n.root == n }

// IsProjectRoot says whether the node is the root, or what the root links to.
func (n *Node) IsProjectRoot() bool {
	root := n.Root()
	return n == root || n == root.Target()
}

// IsTop says whether nothing is above the node in a node_modules sense.
func (n *Node) IsTop() bool { return n.parent == nil || n.globalTop() }

func (n *Node) isGlobal() bool { return n.Root().global }

// globalTop is true for what was installed with -g by name.
func (n *Node) globalTop() bool {
	return n.isGlobal() && n.parent != nil && n.parent.IsProjectRoot()
}

// Top is the first top upwards.
func (n *Node) Top() *Node {
	for !n.IsTop() {
		n = n.parent
	}
	return n
}

// Depth is the number of parents up to the top.
func (n *Node) Depth() int {
	d := 0
	for ; !n.IsTop(); n = n.parent {
		d++
	}
	return d
}

// IsWorkspace says whether the root declares the node, or the link to it, as
// a workspace.
func (n *Node) IsWorkspace() bool {
	root := n.Root()
	if root.workspaces == nil || n.IsProjectRoot() {
		return false
	}
	e := root.EdgeOut(n.Package.Name)
	return e != nil && e.Type == Workspace && e.to != nil && (e.to.Target() == n || e.to == n)
}

// isMine is true for the folders a project's owner writes.
func (n *Node) isMine() bool { return n.IsProjectRoot() || n.IsWorkspace() }

// Workspaces gives the root's workspaces, nil if it has none.
func (n *Node) Workspaces() *WorkspaceMap { return n.workspaces }

// HasInstallScript says whether installing the package runs something.
func (n *Node) HasInstallScript() bool { return n.Package.HasInstallScript }

// isDescendantOf says whether require from n passes through other.
func (n *Node) isDescendantOf(other *Node) bool {
	for p := n; p != nil; p = p.ResolveParent() {
		if p == other {
			return true
		}
	}
	return false
}

// inShrinkwrap is true below a package that brings its own lock.
func (n *Node) inShrinkwrap() bool {
	for p := n.parent; p != nil; p = p.parent {
		if p.hasShrinkwrap {
			return true
		}
	}
	return false
}

// Bundler is the package that has n in its tarball, nil for none.
func (n *Node) Bundler() *Node { return n.bundler() }

// bundler gives the node in whose bundle this one came, the root included.
func (n *Node) bundler() *Node {
	if !n.rules.bundling {
		return nil
	}
	// A bundler is always above: without one there, nobody need be asked.
	for p := n.parent; ; p = p.parent {
		if p == nil {
			return nil
		}
		if len(p.Package.BundleDependencies) > 0 {
			break
		}
	}
	return n.findBundler(map[*Node]bool{})
}

func (n *Node) findBundler(path map[*Node]bool) *Node {
	if path[n] {
		return nil
	}
	path[n] = true
	if n.parent == nil {
		return nil
	}
	if b := n.parent.findBundler(path); b != nil {
		return b
	}
	for _, name := range n.parent.Package.BundleDependencies {
		if name == n.Name {
			return n.parent
		}
	}
	// What is deduped up to the level of the bundler is bundled as well; what
	// is met further up is not.
	for e := range n.edgesIn.all {
		if e.from.findBundler(path) == n.parent {
			return n.parent
		}
	}
	return nil
}

// InBundle says whether the node is in somebody's bundleDependencies, or only
// needed there.
func (n *Node) InBundle() bool { return n.bundler() != nil }

// InDepBundle is InBundle for bundles other than the project's own.
func (n *Node) InDepBundle() bool {
	b := n.bundler()
	return b != nil && b != n.Root()
}

// resolve gives what require of that name would find from here, or nil.
func (n *Node) resolve(name string) *Node { return n.resolveFolded(foldName(name)) }

func (n *Node) resolveFolded(folded string) *Node {
	for p := n; p != nil; p = p.ResolveParent() {
		if p.isLink {
			continue
		}
		if c, ok := p.children.getFolded(folded); ok {
			return c
		}
	}
	return nil
}

// setPackage gives the node another manifest and loads its edges anew.
func (n *Node) setPackage(m *manifest.Manifest) {
	for e := range n.edgesOut.all {
		e.detach()
	}
	n.explanation = nil
	n.Package = m
	if len(m.BundleDependencies) > 0 {
		n.rules.bundling = true
	}
	n.loadWorkspaces()
	n.loadDeps()
	for e := range n.edgesIn.all {
		e.reload(true)
	}
}

func (n *Node) setWorkspaces(ws *WorkspaceMap) {
	if n.workspaces != nil {
		for name := range n.workspaces.All() {
			if _, ok := ws.Get(name); !ok {
				if e := n.EdgeOut(name); e != nil {
					e.detach()
				}
			}
		}
	}
	n.workspaces = ws
	n.loadWorkspaces()
	n.loadDeps()
}

func (n *Node) loadWorkspaces() {
	if n.workspaces == nil {
		return
	}
	for name, dir := range n.workspaces.All() {
		n.addEdge(name, "file:"+dir, Workspace, nil)
	}
}

// loadDeps makes the edges. A later kind takes the place of an earlier one of
// the same name, and goes to the end of the order.
func (n *Node) loadDeps() {
	if n.isLink {
		return
	}
	pkg := n.Package
	if len(pkg.PeerDependencies) > 0 && !n.rules.LegacyPeerDeps {
		optional := func(name string) bool {
			for i := range pkg.PeerDependenciesMeta {
				if m := &pkg.PeerDependenciesMeta[i]; m.Name == name {
					return m.Optional
				}
			}
			return false
		}
		anyOptional := false
		for _, d := range pkg.PeerDependencies {
			if optional(d.Name) {
				anyOptional = true
			} else {
				n.loadDep(d, Peer)
			}
		}
		if anyOptional {
			for _, d := range pkg.PeerDependencies {
				if optional(d.Name) {
					n.loadDep(d, PeerOptional)
				}
			}
		}
	}
	for _, d := range pkg.Dependencies {
		n.loadDep(d, Prod)
	}
	for _, d := range pkg.OptionalDependencies {
		n.loadDep(d, Optional)
	}
	if len(pkg.DevDependencies) > 0 && n.path != "" && n.IsTop() && !n.globalTop() {
		if s := n.sourceReference; s == nil || s.path != "" && s.IsTop() && !s.globalTop() {
			for _, d := range pkg.DevDependencies {
				n.loadDep(d, Dev)
			}
		}
	}
}

// ensureEdges loads the edges of a virtual root that was made without.
func (n *Node) ensureEdges() {
	if n.unloaded {
		n.unloaded = false
		n.loadDeps()
	}
}

func (n *Node) loadDep(d manifest.Dep, t EdgeType) {
	if e := n.EdgeOut(d.Name); e == nil || e.Type != Workspace {
		var accept *string
		if a, ok := n.Package.AcceptDependencies.Get(d.Name); ok {
			accept = &a
		}
		n.addEdge(d.Name, d.Spec, t, accept)
	}
}

// delist takes the node out of its root's inventory, before its path or root
// changes.
func (n *Node) delist() {
	root := n.Root()
	if root.realpath == "" || n.path == "" {
		return
	}
	root.inventory.delete(n)
	root.tops.delete(n)
	if root.meta != nil {
		root.meta.delete(n.path)
	}
}

// refreshLocation puts the node into its root's inventory.
func (n *Node) refreshLocation() {
	root := n.Root()
	n.location = relPath(root.realpath, n.path)
	if root.inventory == nil {
		root.inventory = &inventory{}
	}
	root.inventory.add(n)
	if root.meta != nil {
		root.meta.add(n)
	}
}

// changePath moves the node, and all below it, to another path.
func (n *Node) changePath(newPath string) {
	n.delist()
	oldPath := n.path
	n.path = newPath
	if name := nameOfModulePath(newPath); name != "" && name != n.Name {
		n.Name = name
	}
	if !n.isLink {
		n.realpath = newPath
		for l := range n.linksIn.all {
			l.delist()
			l.realpath = newPath
			l.refreshLocation()
		}
	}
	for c := range n.fsChildren.all {
		c.changePath(joinPath(newPath, relPath(oldPath, c.path)))
	}
	if !n.isLink {
		for i := 0; i < len(n.children.entries); i++ {
			if e := n.children.entries[i]; e.live {
				e.value.changePath(newPath + "/node_modules/" + e.name)
			}
		}
	}
	n.refreshLocation()
}

// SetParent moves the node into the node_modules of another, where it takes
// the place of what has its name; nil removes it from the tree.
func (n *Node) SetParent(parent *Node) {
	if parent == nil {
		if n.parent != nil {
			n.setRoot(nil)
		}
		return
	}
	parent = parent.Target()
	if parent == nil || n == parent || n.parent == parent {
		return
	}
	newPath := modulePath(parent.path, n.Name)
	if n.parent != nil {
		n.parent.children.delete(n.Name)
		n.parent = nil
	}
	if n.fsParent != nil {
		n.fsParent.fsChildren.delete(n)
		n.fsParent = nil
	}
	if newPath != n.path {
		n.changePath(newPath)
	}
	n.setRoot(parent.Root())
}

func (n *Node) setFsParent(fsParent *Node) {
	fsParent = fsParent.Target()
	if fsParent == nil || n == fsParent || n.realpath == fsParent.realpath || n.fsParent == fsParent {
		return
	}
	newPath := n.path
	if n.fsParent != nil {
		newPath = joinPath(fsParent.path, relPath(n.fsParent.path, n.path))
	}
	if newPath == modulePath(fsParent.path, n.Name) {
		n.SetParent(fsParent)
		return
	}
	oldParent, oldName := n.parent, n.Name
	if n.parent != nil {
		n.parent.children.delete(n.Name)
		n.parent = nil
	}
	if n.fsParent != nil {
		n.fsParent.fsChildren.delete(n)
		n.fsParent = nil
	}
	if newPath != n.path {
		n.changePath(newPath)
	}
	if oldParent != nil {
		oldParent.reloadNamedEdges(oldName)
	}
	n.setRoot(fsParent.Root())
}

func modulePath(dir, name string) string {
	p := dir + "/node_modules/" + name
	if strings.Contains(name, "..") || dir == "/" {
		p = path.Clean(p)
	}
	return p
}

// setRoot brings the node, with what is below it, into another tree, or out
// of its own (nil). What stands at its place there is removed; its parent is
// found by its path; edges are resolved anew.
func (n *Node) setRoot(root *Node) {
	for root != nil && root.Root() != root {
		root = root.Root()
	}
	if root == nil {
		root = n
	}
	n.delist()
	// Without a path the node cannot have a location yet.
	if n.path == "" || root.realpath == "" || root.path == "" {
		n.root = root
		return
	}
	n.root = n

	for l := range n.linksIn.all {
		l.target = nil
		n.linksIn.delete(l)
	}
	target := n.target
	if n.isLink {
		if target != nil {
			target.linksIn.delete(n)
			if target.Root() == n {
				target.delist()
			}
		}
		n.target = nil
	}
	if n.parent != nil && n.parent.Root() != root {
		n.parent.children.delete(n.Name)
		n.parent = nil
	}
	if n.fsParent != nil && n.fsParent.Root() != root {
		n.fsParent.fsChildren.delete(n)
		n.fsParent = nil
	}

	if root == n {
		n.refreshLocation()
	} else {
		if current := root.inventory.get(relPath(root.realpath, n.path)); current != nil {
			current.setRoot(nil)
		}
		n.root = root
		n.refreshLocation()
		n.findParent(root)
		if n.parent == nil {
			root.tops.add(n)
		} else {
			root.tops.delete(n)
		}
		n.adoptTops(root)
		n.findTargets(root)
	}

	for e := range n.edgesIn.all {
		if e.from.Root() != root {
			e.reload(false)
		}
	}
	for e := range n.edgesOut.all {
		if e.to == nil || e.to.Root() != root {
			e.reload(false)
		}
	}
	n.bringFamily(root)

	// A link that found no target in the new tree brings its own.
	if n.isLink && target != nil && n.target == nil && root != n {
		target.setRoot(root)
	}
}

// findParent finds the parent or fsParent by the node's path.
func (n *Node) findParent(root *Node) {
	for p := dirOf(n.path); ; {
		loc := relPath(root.realpath, p)
		// A lock may name "/", which is in its own folder.
		if parent := root.inventory.get(loc); parent != nil && parent != n && !parent.isLink {
			prefix := ""
			if loc != "" {
				prefix = loc + "/"
			}
			rest, ok := strings.CutPrefix(n.location, prefix)
			if rest, ok2 := strings.CutPrefix(rest, "node_modules/"); ok && ok2 && rest == n.Name {
				if old := parent.Child(n.Name); old != nil && old != n {
					old.setRoot(nil)
				}
				if n.parent != nil {
					n.parent.children.delete(n.Name)
					n.parent.reloadNamedEdges(n.Name)
				}
				parent.setChild(n.Name, n)
				// A link has no target yet; it is looked at further down.
				if !n.isLink {
					parent.reloadNamedEdges(n.Name)
				}
			} else {
				if n.fsParent != nil {
					n.fsParent.fsChildren.delete(n)
				}
				parent.addFsChild(n)
			}
			return
		}
		up := dirOf(p)
		if up == p {
			return
		}
		p = up
	}
}

// adoptTops takes over the tops that lie in this node's folder: they came in
// before it.
func (n *Node) adoptTops(root *Node) {
	for child := range root.tops.all {
		isChild := false
		if rest, ok := strings.CutPrefix(child.location, n.location); ok {
			if n.location != "" {
				rest, ok = strings.CutPrefix(rest, "/")
			}
			if ok {
				rest, ok = strings.CutPrefix(rest, "node_modules/")
				isChild = ok && rest == child.Name
			}
		}
		isFsChild := !isChild && child != n && child.parent == nil &&
			strings.HasPrefix(dirOf(child.path), n.path) &&
			(child.fsParent == nil || child.fsParent == n || strings.HasPrefix(dirOf(n.path), child.fsParent.path))
		if !isChild && !isFsChild {
			continue
		}
		if n.isLink {
			child.setRoot(nil)
			continue
		}
		if child.fsParent != nil {
			child.fsParent.fsChildren.delete(child)
			child.fsParent = nil
		}
		if isChild {
			n.setChild(child.Name, child)
			root.tops.delete(child)
		} else {
			n.addFsChild(child)
		}
	}
}

// findTargets joins links with what they point to.
func (n *Node) findTargets(root *Node) {
	if n.isLink {
		var target *Node
		if t := root.inventory.get(relPath(root.realpath, n.realpath)); t != nil && t != n && t.realpath == n.realpath {
			target = t.Target()
		}
		if target == nil && root.inventory.links != nil {
			if s := root.inventory.links[n.realpath]; s != nil {
				for l := range s.all {
					if l != n {
						target = l.target
						break
					}
				}
			}
		}
		if target != nil {
			n.target = target
			n.Package = target.Package
			target.linksIn.add(n)
			if n.parent != nil {
				n.parent.reloadNamedEdges(n.Name)
			}
		}
		return
	}
	if root.inventory.links == nil {
		return
	}
	if s := root.inventory.links[n.realpath]; s != nil {
		for l := range s.all {
			if l == n {
				continue
			}
			l.target = n
			l.Package = n.Package
			n.linksIn.add(l)
			if l.parent != nil {
				l.parent.reloadNamedEdges(l.Name)
			}
		}
	}
}

// bringFamily takes what is below the node along to the new root.
func (n *Node) bringFamily(root *Node) {
	var family []*Node
	seen := map[*Node]bool{n: true}
	collect := func(c *Node) {
		if !seen[c] {
			seen[c] = true
			family = append(family, c)
		}
	}
	if n.fsChildren.size == 0 && n.children.size == 0 && (n.inventory == nil || n.inventory.size == 0 ||
		n.inventory.size == 1 && n.inventory.get(n.location) == n) {
		return
	}
	for c := range n.fsChildren.all {
		collect(c)
	}
	if !n.isLink {
		for c := range n.children.all {
			collect(c)
		}
	}
	for c := range n.inventory.all {
		collect(c)
	}
	for _, c := range family {
		if c.Root() != root {
			c.delist()
			c.parent = nil
			n.children.delete(c.Name)
			c.fsParent = nil
			n.fsChildren.delete(c)
			for l := range c.linksIn.all {
				l.target = nil
				c.linksIn.delete(l)
			}
		}
	}
	for _, c := range family {
		if c.Root() != root {
			c.setRoot(root)
		}
	}
}

// remove takes the node out of its tree.
func (n *Node) remove() { n.setRoot(nil) }

// setTarget points a link at a node.
func (n *Node) setTarget(target *Node) {
	if target == n.target {
		return
	}
	if n.path == "" {
		// A temporary link, not in any inventory yet.
		if target.path != "" {
			n.realpath = target.path
		} else {
			target.path, target.realpath = n.realpath, n.realpath
		}
		target.setRoot(n.Root())
		n.target = target
		target.linksIn.add(n)
		n.setPackage(target.Package)
		return
	}
	n.delist()
	n.setPackage(target.Package)
	n.realpath = target.path
	n.refreshLocation()
	target.setRoot(n.Root())
}

// replace puts n where old is, with old's children.
func (n *Node) replace(old *Node) {
	n.delist()
	// Where the names differ only in case, both must collide in the children.
	if old.parent != nil && old.parent.Child(n.Name) == old {
		n.path = modulePath(old.parent.path, n.Name)
	} else {
		n.path, n.Name = old.path, old.Name
	}
	if !n.isLink {
		n.realpath = n.path
	}
	n.refreshLocation()
	if !n.isLink {
		if !old.isLink {
			for kid := range old.children.all {
				kid.SetParent(n)
			}
		}
		if old.isLink && old.target != nil {
			old.target.setRoot(nil)
		}
	}
	if !old.IsRoot() {
		n.setRoot(old.Root())
	}
}

// matches says whether both are the same package's same content.
func (n *Node) matches(other *Node) bool {
	if other == n {
		return true
	}
	if other.Name != n.Name {
		return false
	}
	if n.isLink {
		return other.isLink && n.target != nil && other.target != nil && n.target.matches(other.target)
	}
	if n.IsProjectRoot() && other.IsProjectRoot() {
		return n.path == other.path
	}
	if n.integrity != "" && other.integrity != "" {
		return n.integrity == other.integrity
	}
	if a, b := n.Resolved(), other.Resolved(); a != "" && b != "" {
		return a == b
	}
	return n.Package.Name != "" && n.Package.Name == other.Package.Name &&
		n.Version() != "" && n.Version() == other.Version()
}

// canReplace says whether n could stand in current's place without upsetting
// any of those who depend on it, other than current's own dependencies and
// the ignored names among its sibling peers.
func (n *Node) canReplace(current *Node, ignorePeers func(string) bool) bool {
	if n.Name != current.Name || n.Package.Name != current.Package.Name {
		return false
	}
	if current.edgesOut.size > 0 {
		if n.overrides != nil {
			if !n.overrides.isEqual(current.overrides) {
				return false
			}
		} else if current.overrides != nil {
			return false
		}
	}
	// Usually everyone is content and the set need not be known.
	content := true
	for e := range current.edgesIn.all {
		if !e.satisfiedBy(n) {
			content = false
			break
		}
	}
	if content {
		return true
	}
	depSet := gatherDepSet([]*Node{current}, func(e *Edge) bool { return e.to != current && e.Valid() })
	inSet := nodeSet{}
	for _, d := range depSet {
		inSet.add(d)
	}
	for e := range current.edgesIn.all {
		if ignorePeers != nil && !current.IsTop() && e.from.parent == current.parent && e.Peer() && ignorePeers(e.from.Name) {
			continue
		}
		if !inSet.has(e.from) && !e.satisfiedBy(n) {
			return false
		}
	}
	return true
}

// satisfies says whether n is what the edge wants.
func (n *Node) satisfies(e *Edge) bool { return n.Name == e.Name && e.satisfiedBy(n) }

// overridden says whether an override chose the node's version.
func (n *Node) overridden() bool {
	if n.overrides == nil || n.overrides.value == "" || n.overrides.name != n.Name {
		return false
	}
	for e := range n.edgesIn.all {
		if o := e.overrides; o != nil && o.name == n.Name && o.value == n.Version() && !o.isEqual(e.from.overrides) {
			return true
		}
	}
	return false
}

// canDedupe says whether the node may go because all who need it would be
// content with what they would find instead.
func (n *Node) canDedupe(preferDedupe, explicit bool) bool {
	if n.inShrinkwrap() || n.InDepBundle() {
		return false
	}
	up := n.ResolveParent()
	if up == nil || up.ResolveParent() == nil {
		return false
	}
	if n.edgesIn.size == 0 {
		return true
	}
	other := up.ResolveParent().resolve(n.Name)
	if other == nil {
		return false
	}
	if other.matches(n) {
		return true
	}
	if !other.canReplace(n, nil) {
		return false
	}
	cmp := compareVersions(other, n)
	return preferDedupe || cmp == 0 || !n.overridden() && cmp > 0 || explicit
}

// compareVersions orders two nodes by version; versions that cannot be read
// come first.
func compareVersions(a, b *Node) int {
	va, vb := a.parsedVersion(), b.parsedVersion()
	switch {
	case va == nil && vb == nil:
		return strings.Compare(a.Version(), b.Version())
	case va == nil:
		return -1
	case vb == nil:
		return 1
	}
	return nodesemver.Compare(va, vb)
}

// shouldOmit says whether the dependency kinds in omit leave the node out.
func (n *Node) shouldOmit(omit Omit) bool {
	if omit == (Omit{}) {
		return false
	}
	if top := n.Top(); !top.isMine() {
		return false
	}
	return n.Peer && omit.Peer || n.Dev && omit.Dev || n.Optional && omit.Optional ||
		n.DevOptional && omit.Optional && omit.Dev
}

// assertRootOverrides fails where an override would change what the root
// itself asks for.
func (n *Node) assertRootOverrides() error {
	if !n.IsProjectRoot() || n.overrides == nil {
		return nil
	}
	for e := range n.edgesOut.all {
		s := e.Spec()
		if s != e.raw && !strings.HasPrefix(s, "$") {
			return &OverrideError{Name: e.Name, Spec: e.raw}
		}
	}
	return nil
}
