package resolver

import (
	"slices"

	"github.com/ibid-pm/ibid/lockfile"
)

// Part is what of a tree may be laid out where some of the workspaces are
// meant only, or all but them: these and what they need (npm: the filterNodes
// of lib/diff.js). The rest of a node_modules stays as it is. A nil Part is all.
type Part struct {
	places map[string]bool
}

// Part gives the part of the tree that the request's workspaces need, by what
// they are to have and by what they have. actual may be nil.
func (r *Result) Part(actual *Node) *Part {
	req := r.builder.req
	p := &Part{places: map[string]bool{}}
	trees := []*Node{r.Tree}
	if actual != nil {
		trees = append(trees, actual)
	}
	var queue []*Node
	reach := func(n *Node) {
		if n != nil && !p.places[n.location] {
			p.places[n.location] = true
			queue = append(queue, n)
		}
	}
	for _, tree := range trees {
		if !req.NoWorkspaces {
			for _, name := range req.InWorkspaces {
				reach(tree.Target().Child(name))
			}
		}
		if req.NoWorkspaces || req.IncludeRoot && len(req.InWorkspaces) > 0 {
			for e := range tree.Target().EdgesOut {
				if e.Type != Workspace {
					reach(e.To())
				}
			}
		}
	}
	if len(p.places) == 0 {
		return nil
	}
	for len(queue) > 0 {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, tree := range trees {
			at := tree.At(n.Target().location)
			if at == nil {
				continue
			}
			for e := range at.EdgesOut {
				reach(e.To())
			}
			if tree == actual {
				for c := range at.Children {
					if c.Extraneous {
						p.places[c.location] = true
					}
				}
			}
		}
		if n.isLink {
			reach(n.target)
		}
	}
	return p
}

// Has says whether a location is in the part.
func (p *Part) Has(l lockfile.Location) bool { return p == nil || p.places[string(l)] }

// Of gives what belongs into node_modules: what is in the part as it is wanted,
// all else as it is installed.
func (p *Part) Of(wanted, installed *lockfile.Lockfile) *lockfile.Lockfile {
	if p == nil {
		return wanted
	}
	linked := map[string]bool{}
	var kept []*lockfile.Package
	keep := func(x *lockfile.Package) {
		kept = append(kept, x)
		if x.Link {
			linked[x.Resolved] = true
		}
	}
	for _, x := range wanted.Packages {
		if p.Has(x.Location) {
			keep(x)
		}
	}
	if installed != nil {
		for _, x := range installed.Packages {
			if !p.Has(x.Location) {
				keep(x)
			}
		}
	}
	// A folder that nothing leads to any more is of no interest.
	kept = slices.DeleteFunc(kept, func(x *lockfile.Package) bool {
		return !x.Location.InNodeModules() && !linked[string(x.Location)]
	})
	wanted.Packages = kept
	wanted.Index()
	wanted.Sort()
	return wanted
}
