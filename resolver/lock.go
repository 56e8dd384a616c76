package resolver

import (
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/lockfile"
)

// LockOptions say what a tree's lock looks like.
type LockOptions struct {
	// Version is the format's; 0 is the version of From, or 3.
	Version int
	// From is the lock that was loaded before, whose unknown members are kept;
	// nil for none.
	From *lockfile.Lockfile
	// Indent and Newline are as in lockfile.Lockfile.
	Indent, Newline string
	// OmitResolved leaves out where registry packages come from.
	OmitResolved bool
	// Hidden makes node_modules/.package-lock.json: without the root, always
	// of version 3. The rest is what the project's own lock is made with.
	Hidden bool
	// Entries, which may be nil, are of the same tree with the same
	// OmitResolved: they are taken instead of being made again.
	Entries *lockfile.Lockfile
	// ExtensionsHash is of the root's packageExtensions (npm 12).
	ExtensionsHash string
}

// Lockfile writes the tree down (npm: lib/shrinkwrap.js commit).
func (n *Node) Lockfile(o LockOptions) *lockfile.Lockfile {
	root := n.Root()
	tree := root.Target()
	dir := root.path
	l := lockfile.New()
	l.Requires = true
	l.Indent, l.Newline = o.Indent, o.Newline
	if o.From != nil {
		l.Extra = o.From.Extra
		l.Name, l.Version = o.From.Name, o.From.Version
	}
	switch {
	case o.Version != 0:
		l.LockfileVersion = o.Version
	case o.From != nil:
		l.LockfileVersion = o.From.WriteVersion(0)
	default:
		l.LockfileVersion = lockfile.DefaultVersion
	}

	l.Packages = make([]*lockfile.Package, 0, root.inventory.size)
	if !o.Hidden {
		p := entryOf(tree, dir, "", o)
		p.PackageExtensionsHash = o.ExtensionsHash
		if !p.Empty() {
			l.Packages = append(l.Packages, p)
		}
	}
	extended := o.ExtensionsHash != ""
	for n := range root.inventory.all {
		if n == root || n == tree || n.location == "" {
			continue
		}
		loc := relPath(dir, n.path)
		// A folder of the project that nothing depends on any more.
		if n.Extraneous && !underNodeModules(loc) && (n.fsParent == nil || n.fsParent.IsRoot()) {
			continue
		}
		if n.Inert && n.Package.Version == "" {
			continue
		}
		var p *lockfile.Package
		if o.Entries != nil {
			p = o.Entries.Get(lockfile.Location(loc))
		}
		if p == nil {
			p = entryOf(n, dir, loc, o)
		}
		if p.PackageExtensionsApplied != "" || p.Patched != "" && p.Patched.Truthy() {
			extended = true
		}
		l.Packages = append(l.Packages, p)
	}
	if extended && l.LockfileVersion < 4 {
		l.LockfileVersion = 4
	}
	// From version 4 on npm leaves at the top what was there.
	if l.LockfileVersion < 4 {
		l.Name = tree.Package.Name
		if l.Name == "" {
			l.Name = tree.Name
		}
		if v := tree.Version(); v != "" {
			l.Version = v // else npm keeps what was there
		}
	}
	if o.Hidden {
		l.LockfileVersion = 3
	}
	if l.LockfileVersion < 3 {
		w := legacyWriter{dir: dir, omitResolved: o.OmitResolved}
		l.SetLegacy(w.children(tree, nil))
	}
	l.Sort()
	l.Index()
	return l
}

// underNodeModules is npm's test for what belongs to a node_modules folder.
func underNodeModules(loc string) bool {
	return loc == "node_modules" || strings.HasPrefix(loc, "node_modules/") || strings.Contains(loc, "/node_modules/")
}

// entryOf gives a node's entry (npm: shrinkwrap.js metaFromNode).
func entryOf(n *Node, dir, loc string, o LockOptions) *lockfile.Package {
	if n.isLink {
		return &lockfile.Package{Location: lockfile.Location(loc), Link: true, Resolved: relPath(dir, n.realpath)}
	}
	meta := lockfile.NewMeta(n.Package, lockfile.Location(loc), n.IsTop())
	meta.Name = ""
	if name := n.Package.Name; name != "" && (n == n.Root() || name != n.Name || nameFromFolder(n.realpath) != name) {
		meta.Name = name
	}
	p := &lockfile.Package{
		Location:      lockfile.Location(loc),
		Meta:          meta,
		Integrity:     n.integrity,
		InBundle:      n.InBundle(),
		HasShrinkwrap: n.hasShrinkwrap,
	}
	if n.integrity == "" {
		p.Integrity = n.pkgIntegrity
	}
	if resolved := n.rules.consistentResolve(n.resolved, n.path, dir, true); resolved != "" {
		if !o.OmitResolved || !n.isRegistryDependency() {
			p.Resolved = resolved
		}
	}
	if n.Extraneous {
		p.Extraneous = true
	} else {
		p.Peer, p.Dev, p.Optional = n.Peer, n.Dev, n.Optional
		p.DevOptional = n.DevOptional && !n.Dev && !n.Optional
	}
	p.PackageExtensionsApplied = n.extensions.raw()
	p.Patched = n.Patched
	return p
}

// isRegistryDependency says whether all who depend on the node mean a
// registry.
func (n *Node) isRegistryDependency() bool {
	if n.edgesIn.size == 0 {
		return false
	}
	for e := range n.edgesIn.all {
		if isPlainRange(e.Spec()) {
			continue
		}
		s, err := spec.Parse(e.Spec(), n.rules.where)
		if err != nil || !s.Registry {
			return false
		}
	}
	return true
}

// legacyWriter makes the "dependencies" of versions 1 and 2 (npm:
// shrinkwrap.js #buildLegacyLockfile).
type legacyWriter struct {
	dir          string
	omitResolved bool
}

func (w legacyWriter) children(n *Node, path []string) []*lockfile.LegacyEntry {
	t := n.Target()
	if t == nil || t.children.size == 0 {
		return nil
	}
	kidPath := append(slices.Clip(path), n.realpath)
	var entries []*lockfile.LegacyEntry
	for i := range t.children.entries {
		c := &t.children.entries[i]
		if !c.live || slices.Contains(path, c.value.realpath) {
			continue
		}
		entries = append(entries, w.entry(c.name, c.value, kidPath))
	}
	return entries
}

func (w legacyWriter) entry(name string, n *Node, path []string) *lockfile.LegacyEntry {
	l := &lockfile.LegacyEntry{Name: name}
	edge := legacyEdge(n)
	resolved := n.rules.consistentResolve(n.Resolved(), w.dir, w.dir, true)
	rType := spec.Type(255)
	var from *spec.Spec
	if resolved != "" {
		if s, err := spec.Parse(resolved, w.dir); err == nil {
			rType = s.Type
			from = s
		}
	}
	if edge != nil {
		if s, err := spec.Resolve(n.Name, edge.Spec(), edge.from.realpath); err == nil {
			from = s
		}
	}
	sType := spec.Type(255)
	if from != nil {
		sType = from.Type
	}
	switch {
	case n.isLink:
		l.Version = "file:" + relPath(w.dir, n.realpath)
	case sType == spec.File || sType == spec.Remote:
		l.Version = from.SaveSpec
	case sType == spec.Git || rType == spec.Git:
		l.Version = n.resolved
		if from != nil {
			l.From = from.Raw
		}
	case !n.IsRoot() && n.Package.Name != "" && n.Package.Name != n.Name:
		l.Version = "npm:" + n.Package.Name + "@" + n.Version()
	default:
		l.Version = n.Version()
	}
	l.Bundled = n.InDepBundle()
	elsewhere := func(t spec.Type) bool { return t == spec.Git || t == spec.File || t == spec.Directory }
	if n.resolved != "" && !n.isLink && !elsewhere(rType) && !elsewhere(sType) && sType != spec.Remote && !w.omitResolved {
		l.Resolved = n.resolved
	}
	l.Integrity = n.integrity
	if n.Extraneous {
		l.Extraneous = true
	} else if !n.isLink {
		l.Peer, l.Dev, l.Optional = n.Peer, n.Dev, n.Optional
		l.DevOptional = n.DevOptional && !n.Dev && !n.Optional
	}
	if t := n.Target(); t != nil && t.edgesOut.size > 0 {
		l.HasRequires = true
		for e := range t.edgesOut.all {
			if e.Peer() {
				continue
			}
			s := e.Spec()
			if rest, ok := strings.CutPrefix(s, "file:"); ok {
				s = "file:" + relPath(n.realpath, joinPath(n.realpath, rest))
			}
			l.Requires = append(l.Requires, manifest.Dep{Name: e.Name, Spec: s})
		}
	}
	l.Dependencies = w.children(n, path)
	return l
}

// legacyEdge picks the edge whose wish an old lock remembers: the dependent
// highest up, then by place.
func legacyEdge(n *Node) *Edge {
	type candidate struct {
		edge  *Edge
		depth int
		last  string
	}
	var all []candidate
	for e := range n.edgesIn.all {
		if e.Valid() {
			parts := strings.Split(e.from.location, "node_modules")
			all = append(all, candidate{e, len(parts), parts[len(parts)-1]})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		if a.depth != b.depth {
			return a.depth - b.depth
		}
		return collate.Compare(a.last, b.last)
	})
	return all[0].edge
}
