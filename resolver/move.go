package resolver

import (
	"path"
	"strings"
)

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
	n.leave()
	if newPath != n.path {
		n.changePath(newPath)
	}
	n.setRoot(parent.Root())
}

// leave takes the node out of the folder that it is in, whichever way.
func (n *Node) leave() {
	if n.parent != nil {
		n.parent.children.delete(n.Name)
		n.parent = nil
	}
	if n.fsParent != nil {
		n.fsParent.fsChildren.delete(n)
		n.fsParent = nil
	}
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
	n.leave()
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
