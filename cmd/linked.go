package cmd

import (
	"path/filepath"

	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// linked says whether packages are laid out in node_modules/.store; globally
// they never are (npm: arborist lib/arborist/index.js).
func (a *App) linked() bool { return a.Config.InstallStrategy() == "linked" && !a.Config.Global() }

// readLinked has the layout of what was decided, and what of it is there. fresh:
// node_modules was emptied.
func (o *outcome) readLinked(fresh bool) (installed *lockfile.Lockfile, orphans []string, err error) {
	if o.patches != nil {
		// A package's place says that it is patched: it cannot lie there without.
		o.patches.ignoreFailures = false
	}
	if fresh {
		return nil, nil, nil
	}
	return linker.ReadLinked(o.project.dir, o.linked.Wanted, o.linked.Folders, o.links)
}

// hidden is the lockfile that goes into node_modules.
func (o *outcome) hidden() *lockfile.Lockfile {
	if o.linked != nil {
		return o.linked.Hidden()
	}
	return o.wanted
}

// node is whose files lie at a place in node_modules; nil for a link of the
// linked layout.
func (o *outcome) node(l lockfile.Location) *resolver.Node {
	if o.linked != nil {
		return o.linked.Node(l)
	}
	return o.result.Tree.At(string(l))
}

// optionalWith gives what goes with an optional package, nil for one that is
// not optional.
func (o *outcome) optionalWith(l lockfile.Location) []lockfile.Location {
	// In any case the tree has to know.
	if o.linked == nil {
		return o.result.OptionalWith(l)
	}
	if n := o.linked.Node(l); n != nil {
		o.result.OptionalWith(lockfile.Location(n.Location()))
	}
	return o.linked.OptionalWith(l)
}

// refused gives what the configuration does not allow to be fetched, by the
// places that the layout has for it.
func (o *outcome) refused() map[lockfile.Location]error {
	if o.barred != nil {
		return o.barred
	}
	refused := o.result.Refused()
	if o.linked == nil || len(refused) == 0 {
		o.barred = refused
		if refused == nil {
			o.barred = map[lockfile.Location]error{}
		}
		return o.barred
	}
	out := map[lockfile.Location]error{}
	for _, p := range o.linked.Wanted.Packages {
		if n := o.linked.Node(p.Location); n != nil {
			if err := refused[lockfile.Location(n.Location())]; err != nil {
				out[p.Location] = err
			}
		}
	}
	o.barred = out
	return out
}

// storePlace is where a package lies in the linked layout.
type storePlace struct {
	location lockfile.Location
	dir      string
}

// places finds where the linked layout has the tree's nodes; nil for another
// layout.
func (o *outcome) places() map[*resolver.Node]storePlace {
	if o.linked == nil {
		return nil
	}
	out := map[*resolver.Node]storePlace{}
	for _, p := range o.linked.Wanted.Packages {
		if n := o.linked.Node(p.Location); n != nil && p.Location.InNodeModules() {
			out[n] = storePlace{p.Location, filepath.Join(o.project.dir, filepath.FromSlash(string(p.Location)))}
		}
	}
	return out
}
