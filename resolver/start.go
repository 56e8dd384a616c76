package resolver

import (
	"cmp"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/lockfile"
)

// initTree makes the tree to start from: the lock's, else what is installed,
// else the root alone; and queues every node with an unmet dependency.
func (b *builder) initTree() error {
	root, err := b.rootNode()
	if err != nil {
		return err
	}
	if b.req.Workspaces.Len() > 0 {
		root.setWorkspaces(b.req.Workspaces)
	}
	b.tree = root
	switch {
	case b.req.Global:
		root.setMeta(newLockMeta(b.req.Dir, nil))
	case b.req.NoPackageLock || b.req.UpdateAll:
		root.setMeta(newLockMeta(b.req.Dir, nil))
		// npm does not read the lock, but starts from nothing where there is one.
		root.meta.fromDisk = b.req.Lock != nil || b.req.LockUnread
		root.meta.originalVersion = cmp.Or(b.req.LockfileVersion, 3) // it has nothing old
	default:
		meta := newLockMeta(b.req.Dir, b.req.Lock)
		if err := b.loadFromLock(root, meta); err != nil {
			return err
		}
		if err := root.assertRootOverrides(); err != nil {
			return err
		}
	}
	fromActual := !b.req.UpdateAll && !b.req.Global && !root.meta.fromDisk || b.req.Global && len(b.updateNames) > 0
	if fromActual && !b.req.IgnoreActual {
		if err := root.assertRootOverrides(); err != nil {
			return err
		}
		if err := b.startFromActual(root); err != nil {
			return err
		}
	}
	if b.rules.err != nil {
		return b.rules.err
	}
	b.fillFromYarn()

	seen := map[*Node]bool{}
	stack := []*Node{root}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		for e := range n.edgesOut.all {
			if e.Type == PeerOptional && b.req.NoSave && !b.requested {
				continue
			}
			if e.to == nil || !e.Valid() {
				b.queue.push(n)
				break
			}
		}
		for e := range n.edgesOut.all {
			if e.to != nil && !seen[e.to] {
				stack = append(stack, e.to)
			}
		}
	}
	if o := root.Target().overrides; o != nil {
		b.fetch.pinned = map[string]string{}
		for _, rule := range o.children {
			if rule.keySpec == "*" && rule.value != "*" && !strings.HasPrefix(rule.value, "$") {
				b.fetch.pinned[rule.name] = rule.value
			}
		}
	}
	for n := range root.inventory.all {
		if v := n.parsedVersion(); v != nil && n.path != root.path && n.Name == n.Package.Name {
			b.fetch.have[n.Name] = append(b.fetch.have[n.Name], v)
		}
	}
	return nil
}

// fillFromYarn takes what the lock does not say of a package from the yarn.lock
// beside it (npm: shrinkwrap.js addEdge).
func (b *builder) fillFromYarn() {
	y := b.req.Yarn
	if y == nil || y.Len() == 0 {
		return
	}
	mismatch := func(a, b string) bool { return a != "" && b != "" && a != b }
	for n := range b.tree.inventory.all {
		if n.isLink {
			continue
		}
		for e := range n.edgesIn.all {
			if n.resolved != "" && n.integrity != "" {
				break
			}
			known := y.Get(n.Name + "@" + e.Spec())
			if known == nil || !e.Valid() || mismatch(n.Version(), known.Version) || mismatch(n.integrity, known.Integrity) ||
				mismatch(n.rules.consistentResolve(n.resolved, n.path, b.tree.path, true), known.Resolved) {
				continue
			}
			n.integrity = cmp.Or(n.integrity, known.Integrity)
			if n.resolved == "" {
				n.resolved = n.rules.consistentResolve(lockfile.ToNPMRegistry(known.Resolved), b.tree.path, n.path, false)
			}
		}
	}
}

func (b *builder) rootNode() (*Node, error) {
	pkg := b.req.Manifest
	if pkg == nil || b.req.Global {
		pkg = &manifest.Manifest{}
	}
	real, err := filepath.EvalSymlinks(filepath.FromSlash(b.req.Dir))
	if err != nil {
		return nil, err
	}
	dir, realDir := cleanPath(b.req.Dir), cleanPath(real)
	if b.req.Dedupe && b.req.Lock != nil && pkg.Name == "" {
		pkg = pkg.Clone()
		pkg.Name = nameFromFolder(dir)
	}
	o := nodeOptions{
		path:          dir,
		pkg:           pkg,
		global:        b.req.Global,
		loadOverrides: true,
		flags:         &flags{},
	}
	if dir == realDir {
		return b.rules.newNode(o), nil
	}
	o.link, o.realpath = true, realDir
	root := b.rules.newNode(o)
	o.link, o.path, o.realpath, o.root = false, realDir, "", root
	root.setTarget(b.rules.newNode(o))
	return root, nil
}
