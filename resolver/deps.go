package resolver

import (
	"github.com/ibid-pm/ibid/internal/manifest"
)

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
	n.edgesOut.reserve(len(pkg.PeerDependencies) + len(pkg.Dependencies) + len(pkg.OptionalDependencies))
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
