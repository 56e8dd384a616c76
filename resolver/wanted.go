package resolver

import (
	"strings"

	"github.com/ibid-pm/ibid/lockfile"
)

// Wanted gives what belongs into node_modules here: the hidden lockfile's
// packages without those that are omitted or cannot run on this machine.
func (r *Result) Wanted(lock *lockfile.Lockfile) *lockfile.Lockfile {
	req := r.builder.req
	l := r.HiddenLockfile(lock)
	kept := make([]*lockfile.Package, 0, len(l.Packages))
	for _, p := range l.Packages {
		n := r.Tree.At(string(p.Location))
		// A folder that a link leads to is nobody's to leave out (npm drops the
		// children of others only).
		if n != nil && n.parent != nil && (n.Inert || n.shouldOmit(req.Omit)) {
			continue
		}
		kept = append(kept, p)
	}
	l.Packages = kept
	l.Index()
	return l
}

// LinksTo gives where links lead that an override of the project's makes, in the
// project's paths. A lock has them start from the package whose dependency is
// overridden, as npm's does, and the links go where the override says
// (npm: arborist lib/arborist/reify.js, #calculateRelativePath).
func (r *Result) LinksTo() map[lockfile.Location]string {
	root := r.Tree.Target()
	if root.Package.Overrides == "" {
		return nil
	}
	overrides, err := root.Package.Overrides.Parse()
	if err != nil {
		return nil
	}
	out := map[lockfile.Location]string{}
	for n := range r.Tree.inventory.all {
		if !n.isLink || n.parent == nil {
			continue
		}
		if rest, ok := strings.CutPrefix(overrides.Get(n.Name).Str(), "file:"); ok {
			out[lockfile.Location(n.location)] = relPath(root.path, joinPath(root.path, rest))
		}
	}
	return out
}

// OptionalWith gives the locations that go when an optional package could not
// be installed: those that need it and what only they need. It is nil for a
// package that is not optional.
func (r *Result) OptionalWith(l lockfile.Location) []lockfile.Location {
	n := r.Tree.At(string(l))
	if n == nil || !n.Optional {
		return nil
	}
	var out []lockfile.Location
	for _, o := range optionalSet(n) {
		o.Inert = true
		out = append(out, lockfile.Location(o.location))
	}
	return out
}
