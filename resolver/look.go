package resolver

import (
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/lockfile"
)

// What commands ask that look at a tree and change nothing.

// Overridden says whether one of the root's overrides chose the node's version
// (npm: node.overridden).
func (n *Node) Overridden() bool { return n.overridden() }

// Satisfies says whether the node is what an argument of a command line names:
// "name", "name@^1", "name@file:../x" (npm: node.satisfies). Errors are those
// of spec.Parse.
func (n *Node) Satisfies(arg string) (bool, error) {
	s, err := spec.Parse(arg, n.rules.where)
	if err != nil {
		return false, err
	}
	name := s.Name
	if name == "" {
		name = n.Name
	}
	if name != n.Name {
		return false, nil
	}
	asker := &Node{Name: ".", Package: noManifest, path: n.Root().realpath, realpath: n.Root().realpath, rules: n.rules}
	e := &Edge{Name: name, folded: foldName(name), raw: s.RawSpec, from: asker}
	return e.satisfiedBy(n), nil
}

// Lock is the lock that was read for the tree, whose flags and locations its
// nodes may have; nil for none.
func (n *Node) Lock() *lockfile.Lockfile {
	if m := n.Root().meta; m != nil {
		return m.lock
	}
	return nil
}
