package resolver

import "slices"

// inShrinkwrap is true below a package that brings its own lock.
func (n *Node) inShrinkwrap() bool {
	for p := n.parent; p != nil; p = p.parent {
		if p.hasShrinkwrap {
			return true
		}
	}
	return false
}

// BroughtAlong says whether another package than the project brings the node with it:
// it is in its tarball, or in the lock that lies there.
func (n *Node) BroughtAlong() bool { return n.inShrinkwrap() || n.InDepBundle() }

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
	if slices.Contains(n.parent.Package.BundleDependencies, n.Name) {
		return n.parent
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
