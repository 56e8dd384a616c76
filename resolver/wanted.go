package resolver

import "github.com/ibid-pm/ibid/lockfile"

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
