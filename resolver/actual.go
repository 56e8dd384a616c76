package resolver

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/lockfile"
)

// ActualOptions are for LoadActual.
type ActualOptions struct {
	Dir            string
	Global         bool
	Workspaces     *WorkspaceMap
	LegacyPeerDeps bool
	InstallLinks   bool
	// Scan reads every folder even if the hidden lockfile is trustworthy.
	Scan bool
	// FindMissing looks for dependencies in the node_modules folders above
	// the project, as require would.
	FindMissing bool
	// Filter, where it is set, chooses among the root's own entries.
	Filter func(name string) bool
}

// LoadActual makes the tree of what is installed: from the hidden lockfile, if
// nothing has touched node_modules since that was written, else from the
// folders themselves (npm: lib/arborist/load-actual.js).
func LoadActual(o ActualOptions) (*Node, error) {
	if !o.Global && !o.Scan {
		if hidden := openHidden(cleanPath(o.Dir)); hidden != nil {
			root, err := loadActual(o, hidden.lock)
			if hidden.holds() {
				return root, err
			}
		}
	}
	return loadActual(o, nil)
}

func loadActual(o ActualOptions, hidden *lockfile.Lockfile) (*Node, error) {
	r := newRules(cleanPath(o.Dir), o.LegacyPeerDeps, o.InstallLinks)
	root, err := r.loadActual(o, hidden)
	if err != nil {
		return nil, err
	}
	for n := range root.Root().inventory.all {
		n.Extraneous = true
	}
	calcDepFlags(root, true)
	r.repropagateOverrides(root)
	return root, r.err
}

// repropagateOverrides hands overrides across links once all edges are known.
func (r *rules) repropagateOverrides(root *Node) {
	if root.overrides == nil {
		return
	}
	for n := range root.inventory.all {
		if n.isLink && n.overrides != nil {
			n.recalculateOverrides()
		}
	}
}

// actualLoader makes nodes of folders in the order in which npm has them, which
// is that of dependents where packages say who wants them. npm has all of its
// reads under way at once, and what is read is answered in the order in which it
// was asked for. So each read is a turn here: a package in a scope comes after
// those in none, for one more folder has to be looked at, and a package inside of
// another comes after all that lie beside that.
type actualLoader struct {
	rules    *rules
	o        ActualOptions
	root     *Node
	cache    map[string]*Node
	loaded   map[string]bool
	topNodes []string
	turns    []func()        // what is asked for, and not yet answered
	looked   map[string]bool // the folders that were looked at
}

// after has f done when n reads have been answered, one after the other.
func (l *actualLoader) after(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	l.turns = append(l.turns, func() { l.after(n-1, f) })
}

// run answers what was asked for, and what that asks for.
func (l *actualLoader) run() {
	for len(l.turns) > 0 {
		turns := l.turns
		l.turns = nil
		for _, f := range turns {
			f()
		}
	}
}

// look follows folders down to p, each of which is looked at once.
func (l *actualLoader) look(p string, f func()) {
	up := dirOf(p)
	if up == p || l.looked[p] {
		f()
		return
	}
	l.look(up, func() { l.after(1, func() { l.looked[p] = true; f() }) })
}

// readsOfPackage is how often npm waits for a package.json: to open it, for its
// size, for its text, and to close it.
const readsOfPackage = 4

// read is followed by f when the package.json of a folder has been read.
func (l *actualLoader) read(p, real string, f func()) {
	l.look(p, func() {
		if real == "" {
			l.after(readsOfPackage, f)
			return
		}
		l.after(1, func() { l.look(real, func() { l.after(readsOfPackage, f) }) }) // a link, which is read
	})
}

// all gives what each of n things calls when it is done; the last is followed by f.
func all(n int, f func()) (done func()) {
	if n == 0 {
		f()
	}
	return func() {
		if n--; n == 0 {
			f()
		}
	}
}

// loadActual makes nodes of what the hidden lockfile says, or, where it is nil,
// of what lies in the folders.
func (r *rules) loadActual(o ActualOptions, hidden *lockfile.Lockfile) (*Node, error) {
	l := &actualLoader{rules: r, o: o, cache: map[string]*Node{}, loaded: map[string]bool{}, looked: map[string]bool{}}
	dir := cleanPath(o.Dir)
	real, err := realpath(dir)
	if err != nil {
		return nil, err
	}
	if o.Global {
		opts := nodeOptions{path: dir, global: true, loadOverrides: true, pkg: &manifest.Manifest{}}
		if dir == real {
			l.root = l.newNode(opts)
		} else {
			opts.realpath = real
			l.root = l.newLink(opts, nothing)
			l.run()
		}
	} else {
		l.root = l.loadNode(dir, nil, nil, real, true, nothing)
		l.run()
		if err := l.root.assertRootOverrides(); err != nil {
			return nil, err
		}
		if hidden != nil {
			if err := loadLockInto(l.root, hidden, hiddenSuspect(l.root, hidden, o.Workspaces)); err != nil {
				return nil, err
			}
			l.root.meta.hidden = true
			if o.Workspaces.Len() > 0 {
				l.root.setWorkspaces(o.Workspaces)
			}
			return l.root, nil
		}
		lock, err := lockfile.Load(filepath.FromSlash(l.root.path))
		if err != nil {
			lock = nil
		}
		l.root.setMeta(newLockMeta(l.root.path, lock))
	}
	l.look(l.root.Target().realpath, nothing)
	l.run()
	l.loadTree(l.root, nothing)
	l.run()
	if o.Workspaces.Len() > 0 {
		l.root.setWorkspaces(o.Workspaces)
		for _, dir := range o.Workspaces.All() {
			if l.cache[dir] == nil {
				l.read(dir, "", func() { l.loadTree(l.loadNode(dir, nil, l.root, "", false, nothing), nothing) })
			}
		}
		l.run()
	}
	if o.FindMissing {
		l.findMissing()
	}
	for _, p := range l.topNodes {
		n := l.cache[p]
		if n == nil || n.parent != nil || n.fsParent != nil {
			continue
		}
		for up := dirOf(p); ; up = dirOf(up) {
			if c := l.cache[up]; c != nil {
				if c != n {
					n.setFsParent(c)
				}
				break
			}
			if up == dirOf(up) {
				break
			}
		}
	}
	if o.Global {
		root := l.root.Target()
		m := root.Package.Clone()
		for kid := range root.children.all {
			if !hasDep(m.Dependencies, kid.Name) {
				want := "*"
				if kid.isLink {
					want = "file:" + kid.realpath
				}
				m.Dependencies = setDep(m.Dependencies, kid.Name, want)
			}
		}
		root.setPackage(m)
	}
	return l.root, nil
}

func realpath(p string) (string, error) {
	real, err := filepath.EvalSymlinks(filepath.FromSlash(p))
	if err != nil {
		return "", err
	}
	return filepath.ToSlash(real), nil
}

// realInside gives the real path of a folder that is none by a link of its own;
// "" for all else. It remembers where the folders are in which such folders lie.
func realInside(folders map[string]string, p string) string {
	info, err := os.Lstat(filepath.FromSlash(p))
	if err != nil || !info.IsDir() {
		return ""
	}
	dir := dirOf(p)
	real, known := folders[dir]
	if !known {
		if real, err = realpath(dir); err != nil {
			return ""
		}
		folders[dir] = real
	}
	return real + p[len(dir):]
}

// nothing is what follows where nobody waits.
func nothing() {}

// loadNode makes a node of a folder. The package that a link leads to may have
// folders of its own: done is called when these are known.
func (l *actualLoader) loadNode(p string, parent, root *Node, real string, overrides bool, done func()) *Node {
	if real == "" {
		var err error
		if real, err = realpath(p); err != nil {
			defer done()
			return l.rules.newNode(nodeOptions{err: err, path: p, parent: parent, root: root})
		}
	}
	if c := l.cache[p]; c != nil && !c.dummy {
		c.SetParent(parent)
		done()
		return c
	}
	o := nodeOptions{path: p, parent: parent, root: root, loadOverrides: overrides}
	m, err := readDir(real)
	if err != nil {
		o.err = err
	} else {
		o.pkg = m
		if root != nil && root.overrides != nil && parent == nil {
			o.overrides = root.overrides.nodeRule(m.Name, m.Version)
		}
	}
	var n *Node
	if path.Clean(p) == real {
		n = l.newNode(o)
		defer done()
	} else {
		o.realpath = real
		n = l.newLink(o, done)
	}
	l.cache[p] = n
	return n
}

func (l *actualLoader) newNode(o nodeOptions) *Node {
	if o.parent == nil {
		l.topNodes = append(l.topNodes, o.path)
	}
	return l.rules.newNode(o)
}

func (l *actualLoader) newLink(o nodeOptions, done func()) *Node {
	l.topNodes = append(l.topNodes, o.realpath)
	o.target = l.cache[o.realpath]
	n := l.rules.newLink(o)
	if o.target == nil {
		l.cache[o.realpath] = n.target
		l.loadTree(n.target, done)
	} else {
		done()
	}
	return n
}

// loadTree makes nodes of what lies below one, which is known when done is called.
func (l *actualLoader) loadTree(n *Node, done func()) {
	if n.isLink || l.loaded[n.realpath] {
		done()
		return
	}
	l.loaded[n.realpath] = true
	l.loadChildren(n, func() {
		var kids []*Node
		for _, kid := range n.children.values() {
			if !l.loaded[kid.realpath] {
				kids = append(kids, kid)
			}
		}
		done := all(len(kids), done)
		for _, kid := range kids {
			l.loadTree(kid, done)
		}
	})
}

func (l *actualLoader) loadChildren(n *Node, done func()) {
	nm := n.realpath + "/node_modules"
	reads := 1
	scope := ""
	var names []string
	for _, name := range readScoped(filepath.FromSlash(nm)) {
		if in, _, scoped := strings.Cut(name, "/"); scoped && in != scope {
			scope = in
			reads++
		}
		if !hiddenName(name) && (l.o.Filter == nil || n != l.root.Target() || l.o.Filter(name)) {
			names = append(names, name)
		}
	}
	l.after(reads, func() {
		done := all(len(names), done)
		folders := map[string]string{} // node_modules and its scopes, and where they really are
		for _, name := range names {
			p := nm + "/" + name
			real := realInside(folders, p)
			target := ""
			if real == "" {
				target, _ = realpath(p) // loadNode says what is wrong with it
				real = target
			}
			l.read(p, target, func() { l.loadNode(p, n, nil, real, false, done) })
		}
	})
}

// findMissing looks for unmet dependencies in the folders above, as far as
// the nearest folder that dependent and project share.
func (l *actualLoader) findMissing() {
	contents := map[string][]string{}
	for n := range l.root.inventory.all {
		ancestor := commonAncestor(n.realpath, l.root.path)
		for e := range n.edgesOut.all {
			if e.to != nil && !e.to.dummy && e.to.parent == n {
				continue
			}
			for p := dirOf(n.realpath); ; p = dirOf(p) {
				if ancestor != "" && p != ancestor && !strings.HasPrefix(p, strings.TrimSuffix(ancestor, "/")+"/") {
					break
				}
				names, ok := contents[p]
				if !ok {
					names = readScoped(filepath.FromSlash(p + "/node_modules"))
					contents[p] = names
				}
				found := false
				for _, name := range names {
					found = found || name == e.Name
				}
				if found {
					d := l.cache[p]
					if d == nil {
						d = l.rules.newNode(nodeOptions{path: p, root: n.Root(), dummy: true})
						l.cache[p] = d
					}
					if d.dummy {
						depPath := modulePath(p, e.Name)
						if c := l.cache[depPath]; c == nil || c.dummy {
							l.loadTree(l.loadNode(depPath, d, n.Root(), "", false, nothing), nothing)
							l.run()
						}
					}
					break
				}
				if p == dirOf(p) {
					break
				}
			}
		}
	}
}

func commonAncestor(a, b string) string {
	for p := a; ; p = dirOf(p) {
		if p == b || strings.HasPrefix(b, strings.TrimSuffix(p, "/")+"/") {
			return p
		}
		if p == dirOf(p) {
			return ""
		}
	}
}

// hiddenSuspect says whether npm works out a hidden lockfile's flags anew. It
// compares the root's dependencies with those of the root that it has just given
// that lock, which are the same; only the workspaces, which the root has no edges
// to yet, are none of them.
func hiddenSuspect(root *Node, lock *lockfile.Lockfile, ws *WorkspaceMap) bool {
	for _, dir := range ws.All() {
		if lock.Get(lockfile.Location(relPath(root.realpath, dir))) != nil {
			return true
		}
	}
	return false
}

// TrustedHidden gives the hidden lockfile of the project at dir, if every folder
// it speaks of is there, none that is there is missing in it, and none is newer;
// else nil (npm: arborist lib/shrinkwrap.js assertNoNewer). A Node that
// LoadActual would make of it has the same Lockfile.
func TrustedHidden(dir string) *lockfile.Lockfile {
	c := openHidden(dir)
	if c == nil || !c.holds() {
		return nil
	}
	return c.lock
}

// hiddenCheck is a hidden lockfile and what is found in the folders it speaks of.
type hiddenCheck struct {
	dir    string
	lock   *lockfile.Lockfile
	newest time.Time
	seen   map[string]bool // what is there; true for packages, which have to be in the lock
	isLink map[string]bool // what is there and is a link
	links  []string        // where links lead to
	walked chan error      // through node_modules
}

// openHidden reads the hidden lockfile of the project at dir, nil if there is
// none. The folders are looked at meanwhile: that takes as long as it takes to
// read the lockfile and make a tree of it. Nobody may rely on the lockfile before
// holds says so.
func openHidden(dir string) *hiddenCheck {
	st, err := os.Stat(filepath.Join(filepath.FromSlash(dir), filepath.FromSlash(lockfile.HiddenName)))
	if err != nil {
		return nil
	}
	c := &hiddenCheck{dir: dir, newest: st.ModTime().Add(10 * time.Millisecond), seen: map[string]bool{"": false}, isLink: map[string]bool{}, walked: make(chan error, 1)}
	go func() { c.walked <- c.walk(dir + "/node_modules") }()
	if c.lock, err = lockfile.LoadHidden(filepath.FromSlash(dir)); err != nil {
		<-c.walked
		return nil
	}
	return c
}

// holds waits for what was found in the folders and compares it with the
// lockfile. It must be called once.
func (c *hiddenCheck) holds() bool {
	if <-c.walked != nil {
		return false
	}
	for _, p := range c.folders() {
		if c.walk(p) != nil {
			return false
		}
	}
	for len(c.links) > 0 {
		p := c.links[0]
		c.links = c.links[1:]
		if _, known := c.seen[relPath(c.dir, p)]; known {
			continue
		}
		if st, err := os.Stat(filepath.FromSlash(p)); err == nil && st.IsDir() && c.walk(p) != nil {
			return false
		}
	}
	for rel, isPackage := range c.seen {
		if isPackage && c.lock.Get(lockfile.Location(rel)) == nil {
			return false
		}
	}
	for _, p := range c.lock.Packages {
		// npm takes a link that a repository has in the place of a package for the
		// package.
		if _, there := c.seen[string(p.Location)]; !there || c.isLink[string(p.Location)] && !p.Link {
			return false
		}
	}
	return true
}

var errNewer = errors.New("node_modules is newer than its lockfile")

// folders gives where to look besides node_modules: the store of the linked
// strategy, and workspaces that no link leads to.
func (c *hiddenCheck) folders() []string {
	var starts []string
	targets := map[string]bool{}
	for _, p := range c.lock.Packages {
		if p.Link && p.Resolved != "" {
			targets[string(p.Target())] = true
		}
	}
	extra := map[string]bool{}
	for _, p := range c.lock.Packages {
		loc := string(p.Location)
		if i := strings.Index(loc, "/.store/"); i >= 0 {
			if j := strings.Index(loc[i+8:], "/node_modules/"); j > 0 {
				key := loc[:i+8+j]
				c.see(key, false)
				if !extra[key+"/node_modules"] {
					extra[key+"/node_modules"] = true
					starts = append(starts, c.dir+"/"+key+"/node_modules")
				}
				continue
			}
		}
		top, _, _ := strings.Cut(loc, "/node_modules/")
		if top != "" && top != "node_modules" && !strings.HasPrefix(top, "node_modules/") && !strings.Contains(top, "/node_modules") && !targets[top] && !extra[top] {
			extra[top] = true
			starts = append(starts, joinPath(c.dir, top))
		}
	}
	return starts
}

// walk looks at a folder wherever a path leads, and at all below it.
func (c *hiddenCheck) walk(p string) error {
	st, err := os.Stat(filepath.FromSlash(p))
	if err != nil {
		return err
	}
	inside, err := c.check(p, st.ModTime())
	if err != nil {
		return err
	}
	dir, err := folder.Open(filepath.FromSlash(p + inside))
	if err != nil {
		return nil
	}
	defer dir.Close()
	return c.below(dir, p+inside)
}

// see notes that something is there, a package or something else.
func (c *hiddenCheck) see(rel string, isPackage bool) {
	c.seen[rel] = isPackage || c.seen[rel]
}

// check says whether a folder may be as new as it is, and which of its folders
// has packages.
func (c *hiddenCheck) check(p string, modified time.Time) (inside string, err error) {
	if modified.After(c.newest) {
		return "", errNewer
	}
	base := p[strings.LastIndexByte(p, '/')+1:]
	isPackage := base != "node_modules" && !strings.HasPrefix(base, "@")
	c.see(relPath(c.dir, p), isPackage)
	if isPackage {
		inside = "/node_modules"
	}
	return inside, nil
}

// below looks at the packages in the open folder at p.
func (c *hiddenCheck) below(dir *folder.Folder, p string) error {
	entries, err := dir.ReadDir()
	if err != nil {
		return nil
	}
	for _, e := range entries {
		var st folder.Stat
		if e.Dir || !e.Link {
			if err := dir.Lstat(e.Name, &st); err != nil {
				return err
			}
		}
		child := p + "/" + e.Name
		switch {
		case e.Link || st.Mode&fs.ModeSymlink != 0:
			target, err := dir.Readlink(e.Name)
			if err != nil {
				return err
			}
			c.see(relPath(c.dir, child), false)
			c.isLink[relPath(c.dir, child)] = true
			c.links = append(c.links, joinPath(p, filepath.ToSlash(target)))
		case st.Mode.IsDir() && !strings.HasPrefix(e.Name, "."):
			inside, err := c.check(child, time.Unix(0, st.Mtime))
			if err != nil {
				return err
			}
			// Few packages have any inside, and asking takes half as long as trying to open.
			if inside = e.Name + inside; inside != e.Name && !dir.Has(inside) {
				continue
			}
			sub, err := dir.Child(inside)
			if err != nil {
				continue
			}
			err = c.below(sub, p+"/"+inside)
			sub.Close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// startFromActual begins with what is installed where there is no lock, so
// that only what must change does.
func (b *builder) startFromActual(root *Node) error {
	// Workspaces are there without a node_modules as well.
	if _, err := os.Stat(filepath.Join(filepath.FromSlash(root.path), "node_modules")); err != nil && b.req.Workspaces.Len() == 0 {
		return nil
	}
	var hidden *lockfile.Lockfile
	if !b.req.Global {
		hidden = TrustedHidden(root.path)
	}
	actual, err := b.rules.loadActual(ActualOptions{
		Dir: root.path, Global: b.req.Global, Workspaces: b.req.Workspaces,
		FindMissing: true,
	}, hidden)
	if err != nil {
		return err
	}
	dropStore(actual)
	transplant(root, actual, func(*Node) bool { return true })
	calcDepFlags(root, false)
	b.rules.repropagateOverrides(root)
	tree := root.Target()
	if tree.children.size > 0 {
		root.meta.fromDisk = true
		root.meta.originalVersion = 3
		if v := b.req.LockfileVersion; v != 0 {
			root.meta.originalVersion = v
		}
	}
	return nil
}

// dropStore forgets what the linked layout has made. Where that lies is no place for
// a package in any other tree: npm puts it into the lock, and lays out links that lead
// to nothing.
func dropStore(actual *Node) {
	var drop []*Node
	for n := range actual.inventory.all {
		if strings.HasPrefix(n.location, storeDir) || n.isLink && n.target != nil && strings.HasPrefix(n.target.location, storeDir) {
			drop = append(drop, n)
		}
	}
	for _, n := range drop {
		n.remove()
	}
}

// transplant moves what is below one node to another (npm: #transplant).
func transplant(root, actual *Node, keep func(*Node) bool) {
	if actual.path != root.path {
		actual.changePath(root.path)
	}
	for n := range actual.Children {
		if !keep(n) {
			n.remove()
		}
	}
	root.replace(actual)
	for n := range actual.fsChildren.all {
		if keep(n) {
			n.setRoot(root)
		} else {
			n.remove()
		}
	}
}

// loadShrinkwrap puts what a package's own lock says below its node.
func (b *builder) loadShrinkwrap(n *Node, files fs.FS) error {
	data, err := fs.ReadFile(files, lockfile.ShrinkwrapName)
	if err != nil || len(data) == 0 {
		if data, err = fs.ReadFile(files, lockfile.LockName); err != nil {
			return nil
		}
	}
	lock, err := lockfile.Parse(data, n.location+"/"+lockfile.ShrinkwrapName)
	if err != nil {
		return nil // npm takes what it cannot read for nothing
	}
	if lock.LockfileVersion < 2 && len(lock.Packages) == 0 {
		lock.Inflate(filepath.FromSlash(n.path), n.Package)
	}
	l := &virtualLoader{rules: b.rules, root: n, lock: lock, contained: true, readDir: func(string) (*manifest.Manifest, error) {
		return nil, fs.ErrNotExist
	}}
	nodes, err := l.load()
	if err != nil {
		return err
	}
	if lock.LockfileVersion < 2 {
		l.assignBundles(nodes)
	}
	for _, k := range nodes {
		k.flags = allFlags
	}
	calcDepFlags(n, false)
	return nil
}
