package resolver

import (
	"slices"
	"strings"
)

// setChild puts c into n's node_modules.
func (n *Node) setChild(name string, c *Node) {
	n.children.set(name, c)
	c.parent = n
	c.slot = len(n.children.entries) - 1
	c.tellWishes()
}

// addFsChild notes that c lies in n's folder, but not in its node_modules.
func (n *Node) addFsChild(c *Node) {
	n.fsChildren.add(c)
	c.fsParent = n
	c.tellWishes()
}

// reloadNamedEdges resolves the edges of one name again, here and below.
func (n *Node) reloadNamedEdges(name string) {
	n.reloadFolded(foldName(name), n.location)
}

// reloadFolded is done from the root down for every package that is placed
// there, so where there are many children it asks only those whom it may
// concern.
func (n *Node) reloadFolded(folded, rootLoc string) {
	n.reloadEdge(folded, rootLoc)
	switch {
	case n.isLink:
	case len(n.children.entries) >= manyChildren:
		for _, slot := range n.wishing(folded) {
			if c := &n.children.entries[slot]; c.live {
				c.value.reloadFolded(folded, rootLoc)
			}
		}
	default:
		for c := range n.children.all {
			c.reloadFolded(folded, rootLoc)
		}
	}
	for c := range n.fsChildren.all {
		c.reloadFolded(folded, rootLoc)
	}
}

func (n *Node) reloadEdge(folded, rootLoc string) {
	e, ok := n.edgesOut.getFolded(folded)
	if !ok {
		return
	}
	// npm tests this against the location below the root of the walk.
	recheck := n.resolveFolded(folded) != e.to
	if !recheck && e.to != nil {
		rest, ok := strings.CutPrefix(e.to.location, rootLoc)
		if ok {
			rest, ok = strings.CutPrefix(rest, "/node_modules/")
			recheck = ok && rest == e.Name
		}
	}
	if recheck {
		e.reload(true)
	}
}

// manyChildren is from how many children on a node keeps a list of who wishes
// for what.
const manyChildren = 64

// wishing gives the slots of the children that may have an edge of this name, or
// something below them that may, in the order of the children.
func (n *Node) wishing(folded string) []int {
	if n.wishes == nil {
		n.wishes = map[string][]int{}
		for slot := range n.children.entries {
			if c := &n.children.entries[slot]; c.live {
				c.value.wishesBelow(func(folded string) { n.noteWish(folded, slot) })
			}
		}
	}
	slots := slices.Clone(n.wishes[folded])
	slices.Sort(slots)
	return slices.Compact(slots)
}

func (n *Node) noteWish(folded string, slot int) {
	if slots := n.wishes[folded]; len(slots) == 0 || slots[len(slots)-1] != slot {
		n.wishes[folded] = append(slots, slot)
	}
}

// wishesBelow gives the folded names of the edges of n and of all below it, some
// of them more than once.
func (n *Node) wishesBelow(yield func(folded string)) {
	for e := range n.edgesOut.all {
		yield(e.folded)
	}
	for c := range n.children.all {
		c.wishesBelow(yield)
	}
	for c := range n.fsChildren.all {
		c.wishesBelow(yield)
	}
}

// tellWishes has those above n that keep a list know of the edges of n and of all
// that is below it.
func (n *Node) tellWishes() {
	for above, slot := range n.listsAbove {
		n.wishesBelow(func(folded string) { above.noteWish(folded, slot) })
	}
}

// tellWish has them know of one edge of n.
func (n *Node) tellWish(folded string) {
	for above, slot := range n.listsAbove {
		above.noteWish(folded, slot)
	}
}

// listsAbove gives the nodes above n that keep a list, each with the slot of its
// child that is n or that n is below of.
func (n *Node) listsAbove(yield func(above *Node, slot int) bool) {
	for n != nil {
		p := n.parent
		if p == nil {
			n = n.fsParent
			continue
		}
		if p.wishes != nil && !yield(p, n.slot) {
			return
		}
		n = p
	}
}
