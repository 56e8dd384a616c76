package resolver

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

// calcDepFlags takes away the flags that do not hold: it walks from the root,
// and a node loses a flag when one path to it does without
// (npm: lib/calc-dep-flags.js). The flags must have been set before.
func calcDepFlags(tree *Node, resetRoot bool) {
	if resetRoot {
		tree.flags = flags{}
	}
	seen := map[*Node]bool{}
	var order []*Node
	queue := []*Node{tree}
	for len(queue) > 0 {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if !seen[n] {
			seen[n] = true
			order = append(order, n)
		}
		// What holds something needed must not be removed itself.
		if !n.Extraneous {
			for p := n.ResolveParent(); p != nil && p.Extraneous; p = p.ResolveParent() {
				p.Extraneous = false
			}
		}
		if n.isLink {
			t := n.target
			if t == nil {
				continue
			}
			before := t.flags
			t.Dev = t.Dev && n.Dev
			t.Optional = t.Optional && n.Optional
			t.DevOptional = t.DevOptional && n.DevOptional
			t.Peer = t.Peer && n.Peer
			t.Extraneous = t.Extraneous && n.Extraneous
			if t.flags != before || !seen[t] {
				queue = append(queue, t)
			}
			continue
		}
		for e := range n.edgesOut.all {
			to := e.to
			if to == nil {
				continue
			}
			dev, optional, peer := e.Type == Dev, e.Optional(), e.Peer()
			before := to.flags
			// Nobody asked for what is only an optional peer.
			if !n.Extraneous && !(peer && optional) {
				to.Extraneous = false
			}
			if !n.Dev && !dev {
				to.Dev = false
			}
			if !n.Optional && !optional {
				to.Optional = false
			}
			// devOptional: needed by dev and by optional dependencies, so
			// superfluous only if both are.
			if !n.DevOptional && !n.Dev && !n.Optional && !dev && !optional {
				to.DevOptional = false
			}
			if !n.Peer && !peer {
				to.Peer = false
			}
			if to.flags != before {
				queue = append(queue, to)
			}
		}
	}
	for _, n := range order {
		if n != tree && (n.Dev || n.Optional) {
			n.DevOptional = false
		}
	}
}

// resetDepFlags sets all flags of all nodes.
func resetDepFlags(tree *Node) {
	for n := range tree.inventory.all {
		n.flags = allFlags
	}
}

// optionalSet gives what falls when an optional package cannot be had: what
// needs it without option, and what only those need
// (npm: lib/optional-set.js).
func optionalSet(node *Node) []*Node {
	set := newNodeSet(node)
	for n := range set.all {
		for e := range n.edgesIn.all {
			if !e.Optional() {
				set.add(e.from)
			}
		}
	}
	return gatherDepSet(set.list, func(e *Edge) bool {
		return !set.has(e.to) && !(e.from != nil && e.from.Inert)
	})
}
