package resolver

import (
	"bytes"
	"crypto/sha3"
	"encoding/base64"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ibid-pm/ibid/lockfile"
)

// storeDir is where the linked layout has its packages.
const storeDir = "node_modules/.store/"

// LinkedLayout is a decided tree as install-strategy=linked lays it out: each
// package once in a folder of the store below node_modules, whose name is a key
// made of all that it depends on, with links to its dependencies beside it. The
// project and each of its folders have links to what they declare
// (npm: lib/arborist/isolated-reifier.js).
//
// It shares the tree's nodes and is read-only.
type LinkedLayout struct {
	// Wanted is all that belongs into a node_modules here, the folders of the
	// project that hold one, and the integrity of each package.
	Wanted *lockfile.Lockfile
	// Folders are the folders of the project whose node_modules is the
	// layout's besides the project's own: its workspaces and local packages.
	Folders []lockfile.Location

	entries map[lockfile.Location]*linkedEntry
}

// linkedEntry is something in a node_modules, or a folder that has one.
type linkedEntry struct {
	location lockfile.Location
	node     *Node // nil for a link
	target   *linkedEntry
	in, out  []linkedEdge
	optional bool
}

type linkedEdge struct {
	from, to *linkedEntry
	optional bool
}

// linkedProxy is what the layout needs to know of a node: its dependencies
// without those that are bundled, omitted or inert.
type linkedProxy struct {
	node     *Node
	local    bool // a folder of the project, or one that a link leads to
	name     string
	pkgName  string
	version  string // as a key has it
	resolved string
	patched  string // the patch's integrity, "" for none

	locals, externals, optionals []*linkedProxy

	key    string
	number int // among all proxies
	edged  bool
}

type linkedBuilder struct {
	req      *Request
	root     *Node
	declared map[string]bool

	locals    map[*Node]*linkedProxy
	externals map[*Node]*linkedProxy

	folders []*linkedProxy
	store   []*linkedProxy

	entries nameMap[*linkedEntry] // npm's children of the root: case does not count
	byPlace map[lockfile.Location]*linkedEntry
	proxies int
	dirs    []*linkedEntry
}

// Linked gives the layout of the tree under install-strategy=linked.
func (r *Result) Linked() *LinkedLayout {
	b := &linkedBuilder{
		req: r.builder.req, root: r.Tree.Target(),
		declared: map[string]bool{}, locals: map[*Node]*linkedProxy{}, externals: map[*Node]*linkedProxy{},
		byPlace: map[lockfile.Location]*linkedEntry{},
	}
	m := b.root.Package
	for _, d := range m.Dependencies {
		b.declared[d.Name] = true
	}
	if !b.req.Omit.Dev {
		for _, d := range m.DevDependencies {
			b.declared[d.Name] = true
		}
	}
	if !b.req.Omit.Optional {
		for _, d := range m.OptionalDependencies {
			b.declared[d.Name] = true
		}
	}
	if !b.req.Omit.Peer {
		for _, d := range m.PeerDependencies {
			b.declared[d.Name] = true
		}
	}
	return b.build()
}

func (b *linkedBuilder) build() *LinkedLayout {
	b.gather()
	top := b.common(b.root, b.proxy(b.root, true))
	b.keys()
	rootEntry := &linkedEntry{node: b.root}
	b.byPlace[""] = rootEntry
	for _, f := range b.folders {
		loc := lockfile.Location(f.node.location)
		e := &linkedEntry{location: loc, node: f.node}
		b.byPlace[loc] = e
		b.dirs = append(b.dirs, e)
		if b.declared[f.pkgName] {
			b.add(&linkedEntry{location: lockfile.Location("node_modules/" + f.pkgName), target: e})
		}
	}
	for _, x := range b.store {
		loc := b.place(x)
		if b.byPlace[loc] == nil {
			b.add(&linkedEntry{location: loc, node: x.node, optional: x.node.Optional})
		}
	}
	b.bundles(rootEntry)
	b.edges(top)
	for _, f := range b.folders {
		b.edges(f)
	}
	return b.layout()
}

func (b *linkedBuilder) add(e *linkedEntry) {
	if old, ok := b.entries.get(string(e.location)); ok {
		delete(b.byPlace, old.location)
	}
	b.entries.set(string(e.location), e)
	b.byPlace[e.location] = e
}

// place is where a package lies in the store.
func (b *linkedBuilder) place(x *linkedProxy) lockfile.Location {
	return lockfile.Location(storeDir + b.key(x) + "/node_modules/" + x.pkgName)
}

// gather finds the packages that belong into the store, and the folders that
// links lead to (npm: makeIdealGraph).
func (b *linkedBuilder) gather() {
	omit := b.req.Omit
	for n := range b.root.fsChildren.all {
		if !n.Extraneous {
			b.folders = append(b.folders, b.localProxy(n))
		}
	}
	seen := map[string]bool{}
	queue := []*Node{b.root}
	for n := range b.root.fsChildren.all {
		queue = append(queue, n)
	}
	for len(queue) > 0 {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if seen[n.location] {
			continue
		}
		seen[n.location] = true
		for e := range n.edgesOut.all {
			if e.to != nil && !slices.Contains(n.Package.BundleDependencies, e.to.Name) && !e.to.shouldOmit(omit) {
				queue = append(queue, e.to)
			}
		}
		mine := b.root.fsChildren.has(n) || n.isLink && b.root.fsChildren.has(n.target)
		switch {
		case n.isLink && !mine:
			if n.target != nil {
				b.folders = append(b.folders, b.localProxy(n.target))
			}
		case !n.IsProjectRoot() && !n.IsWorkspace() && !n.Inert && !mine:
			b.store = append(b.store, b.externalProxy(n))
		}
	}
}

func (b *linkedBuilder) proxy(n *Node, local bool) *linkedProxy {
	b.proxies++
	return &linkedProxy{node: n, local: local, number: b.proxies - 1}
}

func (b *linkedBuilder) localProxy(n *Node) *linkedProxy {
	if x := b.locals[n]; x != nil {
		return x
	}
	x := b.proxy(n, true)
	x.version = "undefined"
	b.locals[n] = x
	return b.common(n, x)
}

func (b *linkedBuilder) externalProxy(n *Node) *linkedProxy {
	if x := b.externals[n]; x != nil {
		return x
	}
	x := b.proxy(n, false)
	x.version = n.Version()
	b.externals[n] = x
	return b.common(n, x)
}

// common fills in what a node depends on (npm: #assignCommonProperties).
func (b *linkedBuilder) common(n *Node, x *linkedProxy) *linkedProxy {
	m := n.Package
	x.name = n.Name
	if x.local && m.Name != "" {
		x.name = m.Name
	}
	// What a manifest says of its name is a stranger's.
	x.pkgName = nameFromFolder(m.Name)
	if x.pkgName == "" {
		x.pkgName = nameFromFolder(n.path)
	}
	x.resolved = n.Resolved()
	if x.resolved == "" {
		x.resolved = "null"
	}
	if n.Patched != "" {
		x.patched = n.Patched.Value().Get("integrity").Str()
	}

	omit := b.req.Omit
	mine := n.isMine()
	var required, optional []*Node
	files := map[*Node]bool{} // what a link of n's leads to
	named := map[string]bool{}
	for e := range n.edgesOut.all {
		if e.to == nil || e.to.Target() == nil || slices.Contains(m.BundleDependencies, e.to.Name) {
			continue
		}
		if mine && (e.Type == Dev && omit.Dev || e.Optional() && omit.Optional || e.Peer() && omit.Peer) {
			continue
		}
		to := e.to.Target()
		if e.to.isLink {
			files[to] = true
		}
		named[e.Name] = true
		switch {
		case e.Optional():
			optional = append(optional, to)
		case n == b.root && to.IsWorkspace() && !b.declared[to.Package.Name]:
			// The root depends on each workspace, declared or not; only what is
			// declared is linked.
		default:
			required = append(required, to)
		}
	}
	if n.rules.LegacyPeerDeps {
		// There are no edges for peers then.
		for _, d := range m.PeerDependencies {
			if named[d.Name] {
				continue
			}
			if to := n.resolve(d.Name); to != nil && to != n && !to.Inert && to.Target() != nil {
				required = append(required, to.Target())
			}
		}
	}
	local := func(to *Node) bool { return to.IsWorkspace() || n.fsChildren.has(to) || files[to] }
	if len(m.PeerDependenciesMeta) > 0 {
		have := map[string]bool{}
		for _, list := range [...][]*Node{required, optional} {
			for _, to := range list {
				have[to.Name] = true
			}
		}
		// Optional peers that only peerDependenciesMeta names have no edge.
		for _, p := range m.PeerDependenciesMeta {
			if !p.Optional || have[p.Name] {
				continue
			}
			to := n.resolve(p.Name)
			if to != nil {
				to = to.Target()
			}
			if to != nil && to != n && !to.Inert && !local(to) {
				optional = append(optional, to)
			}
		}
	}
	for _, to := range required {
		if local(to) {
			x.locals = append(x.locals, b.localProxy(to))
		} else if !to.Inert {
			x.externals = append(x.externals, b.externalProxy(to))
		}
	}
	for _, to := range optional {
		if !to.Inert {
			x.optionals = append(x.optionals, b.externalProxy(to))
		}
	}
	return x
}

// key is the name of a package's folder in the store.
func (b *linkedBuilder) key(x *linkedProxy) string {
	if x.key == "" {
		x.key = newKeyer(b.proxies).key(x)
	}
	return x.key
}

// keys finds the keys of all packages: each is made of all that the package
// depends on, so it is work for all processors.
func (b *linkedBuilder) keys() {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 8) {
		group.Go(func() {
			k := newKeyer(b.proxies)
			for i := int(next.Add(1)) - 1; i < len(b.store); i = int(next.Add(1)) - 1 {
				b.store[i].key = k.key(b.store[i])
			}
		})
	}
	group.Wait()
}

// keyer makes keys, one after the other.
type keyer struct {
	walk   int32
	seen   []int32 // the walk that was at a proxy last, by the proxy's number
	text   []byte
	branch []byte
	lines  [][2]int
}

func newKeyer(proxies int) *keyer { return &keyer{seen: make([]int32, proxies)} }

// key names a package by what it is and all that it depends on (npm: getKey).
// Each dependency counts once, by the first way that leads to it.
func (k *keyer) key(x *linkedProxy) string {
	k.walk++
	k.text, k.lines, k.branch = k.text[:0], k.lines[:0], k.branch[:0]
	k.visit(x)
	line := func(l [2]int) []byte { return k.text[l[0]:l[1]] }
	slices.SortFunc(k.lines, func(x, y [2]int) int { return bytes.Compare(line(x), line(y)) })
	hash := sha3.NewSHAKE256()
	for i, l := range k.lines {
		if i > 0 {
			hash.Write([]byte{','})
		}
		hash.Write(line(l))
	}
	var sum [16]byte
	hash.Read(sum[:])
	key := x.pkgName + "@" + x.version + "-" + base64.RawURLEncoding.EncodeToString(sum[:])
	if x.patched != "" {
		key += "+patch"
	}
	return key
}

func (k *keyer) visit(x *linkedProxy) {
	k.seen[x.number] = k.walk
	length := len(k.branch)
	if length > 0 {
		k.branch = append(k.branch, "->"...)
	}
	k.branch = append(append(append(k.branch, x.pkgName...), '@'), x.version...)
	start := len(k.text)
	k.text = append(append(append(k.text, k.branch...), "::"...), x.resolved...)
	if x.patched != "" {
		k.text = append(append(k.text, "::patch:"...), x.patched...)
	}
	k.lines = append(k.lines, [2]int{start, len(k.text)})
	for _, list := range [...][]*linkedProxy{x.externals, x.locals, x.optionals} {
		for _, d := range list {
			if k.seen[d.number] != k.walk {
				k.visit(d)
			}
		}
	}
	k.branch = k.branch[:length]
}

// bundles adds what the project and its folders bundle themselves: it lies
// where the hoisted layout has it (npm: #createBundledTree).
func (b *linkedBuilder) bundles(root *linkedEntry) {
	type pair struct{ from, to *Node }
	var queue []pair
	first := func(n *Node) {
		for e := range n.edgesOut.all {
			if e.to != nil && slices.Contains(n.Package.BundleDependencies, e.to.Name) {
				queue = append(queue, pair{n, e.to})
			}
		}
	}
	first(b.root)
	for n := range b.root.fsChildren.all {
		first(n)
	}
	seen := map[pair]bool{}
	var found []pair
	var nodes []*Node
	known := map[*Node]bool{}
	know := func(n *Node) {
		if !known[n] {
			known[n] = true
			nodes = append(nodes, n)
		}
	}
	for len(queue) > 0 {
		p := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if seen[p] {
			continue
		}
		seen[p] = true
		if !p.from.IsRoot() && !p.from.IsWorkspace() {
			know(p.from)
		}
		know(p.to)
		found = append(found, p)
		for e := range p.to.edgesOut.all {
			if e.to != nil {
				queue = append(queue, pair{e.from, e.to})
			}
		}
	}
	for _, n := range nodes {
		b.add(&linkedEntry{location: lockfile.Location(n.location), node: n, optional: n.Optional})
	}
	for _, p := range found {
		from := root
		if !p.from.IsRoot() {
			from = b.byPlace[lockfile.Location(p.from.location)]
		}
		if to := b.byPlace[lockfile.Location(p.to.location)]; from != nil && to != nil {
			connect(from, to, false)
		}
	}
}

func connect(from, to *linkedEntry, optional bool) {
	e := linkedEdge{from: from, to: to, optional: optional}
	from.out = append(from.out, e)
	to.in = append(to.in, e)
}

// edges links a package or a folder to what it depends on (npm: #processEdges).
func (b *linkedBuilder) edges(x *linkedProxy) {
	if x.edged {
		return
	}
	x.edged = true
	var from *linkedEntry
	var modules string
	if x.local {
		from = b.byPlace[lockfile.Location(x.node.location)]
		modules = "node_modules/"
		if x.node.location != "" {
			modules = x.node.location + "/node_modules/"
		}
	} else {
		from = b.byPlace[b.place(x)]
		modules = storeDir + b.key(x) + "/node_modules/"
	}
	if from == nil {
		return
	}
	link := func(d *linkedProxy, optional bool) {
		b.edges(d)
		loc := lockfile.Location(d.node.location)
		if !d.local {
			loc = b.place(d)
		}
		target := b.byPlace[loc]
		if target == nil {
			return
		}
		e := &linkedEntry{location: lockfile.Location(modules + d.name), target: target, optional: optional}
		connect(from, e, optional)
		connect(e, target, false)
		b.add(e)
	}
	for _, d := range x.locals {
		link(d, false)
	}
	for _, d := range x.externals {
		link(d, false)
	}
	for _, d := range x.optionals {
		link(d, true)
	}
}

// layout puts all together. The hidden lockfile of this layout has npm's own
// format, whatever the project's is.
func (b *linkedBuilder) layout() *LinkedLayout {
	l := &LinkedLayout{Wanted: lockfile.New(), entries: b.byPlace}
	l.Wanted.Requires, l.Wanted.LockfileVersion = true, lockfile.DefaultVersion
	dir := b.root.path
	for i := range b.entries.entries {
		if e := b.entries.entries[i]; e.live {
			l.Wanted.Packages = append(l.Wanted.Packages, e.value.pkg(dir))
		}
	}
	for _, e := range b.dirs {
		l.Folders = append(l.Folders, e.location)
		l.Wanted.Packages = append(l.Wanted.Packages, e.pkg(dir))
	}
	l.Wanted.Sort()
	l.Wanted.Index()
	return l
}

// pkg is the entry of a lockfile.
func (e *linkedEntry) pkg(dir string) *lockfile.Package {
	if e.target != nil {
		return &lockfile.Package{Location: e.location, Link: true, Resolved: string(e.target.location)}
	}
	n := e.node
	top := !e.location.InNodeModules()
	meta := lockfile.NewMeta(n.Package, e.location, top)
	// Only the hidden lockfile of the hoisted layout says who bundles what.
	meta.BundleDependencies = nil
	if name := n.Package.Name; name != "" && top && nameFromFolder(joinPath(dir, string(e.location))) == name {
		meta.Name = ""
	}
	return &lockfile.Package{
		Location:  e.location,
		Meta:      meta,
		Resolved:  n.rules.consistentResolve(n.resolved, n.path, dir, true),
		Integrity: n.integrity,
		InBundle:  !top && !strings.HasPrefix(string(e.location), storeDir),
		Optional:  e.optional,
		Patched:   n.Patched,
	}
}

// Node is whose files lie at a place, nil for a link and a place that the
// layout does not know.
func (l *LinkedLayout) Node(loc lockfile.Location) *Node {
	if e := l.entries[loc]; e != nil {
		return e.node
	}
	return nil
}

// Hidden gives node_modules/.package-lock.json of the layout. It knows of an
// integrity only what came with a manifest from the registry, and has an empty
// entry for each folder of the store (npm: reify.js #saveLinkedHiddenLockfile).
func (l *LinkedLayout) Hidden() *lockfile.Lockfile {
	h := *l.Wanted
	h.Packages = make([]*lockfile.Package, 0, 2*len(l.Wanted.Packages))
	for _, p := range l.Wanted.Packages {
		if p.Link {
			h.Packages = append(h.Packages, p)
			continue
		}
		q := *p
		q.Integrity = l.entries[p.Location].node.pkgIntegrity
		h.Packages = append(h.Packages, &q)
		if rest, ok := strings.CutPrefix(string(p.Location), storeDir); ok {
			key, _, _ := strings.Cut(rest, "/node_modules/")
			h.Packages = append(h.Packages, &lockfile.Package{Location: lockfile.Location(storeDir + key)})
		}
	}
	h.Sort()
	h.Index()
	return &h
}

// Settled says whether another install of the same would write the same hidden
// lockfile: one that did not hear of any manifest from the registry.
func (l *LinkedLayout) Settled() bool {
	for _, e := range l.entries {
		if e.node != nil && e.node.pkgIntegrity != "" {
			return false
		}
	}
	return true
}

// OptionalWith gives the places that go when an optional package could not be
// installed: those that need it, what only they need, and the links to them. It
// is nil for a package that is not optional.
func (l *LinkedLayout) OptionalWith(loc lockfile.Location) []lockfile.Location {
	start := l.entries[loc]
	if start == nil || !start.optional {
		return nil
	}
	failed := map[*linkedEntry]bool{start: true}
	order := []*linkedEntry{start}
	for i := 0; i < len(order); i++ {
		for _, e := range order[i].in {
			if !e.optional && !failed[e.from] {
				failed[e.from] = true
				order = append(order, e.from)
			}
		}
	}
	gone := make(map[*linkedEntry]bool, len(order))
	for _, e := range order {
		gone[e] = true
	}
	for i := 0; i < len(order); i++ {
		for _, e := range order[i].out {
			if !gone[e.to] {
				gone[e.to] = true
				order = append(order, e.to)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for _, x := range order {
			if !gone[x] || failed[x] {
				continue
			}
			if slices.ContainsFunc(x.in, func(e linkedEdge) bool { return !gone[e.from] }) {
				delete(gone, x)
				changed = true
			}
		}
	}
	var out []lockfile.Location
	for _, x := range order {
		// A link to what is gone would lead nowhere.
		for _, e := range x.in {
			if gone[x] && e.from.target == x && !gone[e.from] {
				gone[e.from] = true
				out = append(out, e.from.location)
			}
		}
		if gone[x] && x.location.InNodeModules() {
			out = append(out, x.location)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
