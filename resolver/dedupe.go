package resolver

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/nodesemver"
)

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
