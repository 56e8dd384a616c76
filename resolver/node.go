package resolver

import (
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

// FromHidden says whether LoadActual has the tree from the hidden lockfile, and so
// has read no package.json but the root's.
func (n *Node) FromHidden() bool {
	meta := n.Root().meta
	return meta != nil && meta.hidden
}

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
