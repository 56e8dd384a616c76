package resolver

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/manifest"
)

// crackOpen looks into a package for what it bundles and what its own lock
// says, while the tree is being decided.
func (b *builder) crackOpen(n *Node) error {
	files, err := b.content(n)
	if err != nil {
		return err
	}
	if n.hasShrinkwrap {
		if err := b.loadShrinkwrap(n, files); err != nil {
			return err
		}
	}
	if b.req.Complete && len(n.Package.BundleDependencies) > 0 {
		b.loadBundle(n, files, func(*Node) bool { return true })
	}
	return nil
}

// content gives the files of a package that is in the tree.
func (b *builder) content(n *Node) (fs.FS, error) {
	// It may be there because a lock says so, and then nothing has been asked yet.
	if err := b.contentAllowed(n); err != nil {
		return nil, err
	}
	return b.src.Content(b.ctx, Wanted{Name: n.Name, Resolved: n.resolved, Integrity: n.integrity})
}

// unpackShrinkwraps reads the locks that packages bring along and that are to be laid
// out. Whatever these lack is not looked for, and nobody asks what of it is for this
// machine (npm: @npmcli/arborist lib/arborist/reify.js loadShrinkwrapsAndUpdateTrees,
// which reads all of them; what the project's lock has of one is the same).
func (b *builder) unpackShrinkwraps() error {
	if !b.req.LayOut {
		return nil
	}
	// What is omitted stays so, though something that is brought along should need it.
	for n := range b.tree.inventory.all {
		if n.parent != nil && n.shouldOmit(b.req.Omit) {
			n.Inert = true
		}
	}
	looked, opened := map[*Node]bool{}, map[*Node]bool{}
	for _, n := range b.shrinkwrapped {
		looked[n] = true
	}
	for {
		var found []*Node
		for n := range b.tree.inventory.all {
			if n.Inert && n.inShrinkwrap() && !n.parent.inInert() {
				n.Inert = false
			}
			if n.hasShrinkwrap && !opened[n] && n.resolvedForContent() != "" && !n.Inert && !n.InDepBundle() &&
				(looked[n] || n.children.size == 0 || opened[n.parent]) {
				found = append(found, n)
			}
		}
		if len(found) == 0 {
			return nil
		}
		for _, n := range found {
			opened[n] = true
			if n.Root() != b.tree {
				continue
			}
			files, err := b.content(n)
			if err != nil {
				if n.Optional {
					continue // it will be found missing when it is to be laid out
				}
				return err
			}
			if err := b.loadShrinkwrap(n, files); err != nil {
				return err
			}
		}
	}
}

// unpackBundles looks into the packages that bundle others and are to be laid
// out. All has been decided by then as if they did not: what they bundle and the
// project has as well counts as theirs in the flags. Bundlers that are omitted or
// not for this machine stay as the lock has them (npm: @npmcli/arborist
// lib/arborist/reify.js loadBundlesAndUpdateTrees).
func (b *builder) unpackBundles() error {
	if !b.req.LayOut || !b.rules.bundling {
		return nil
	}
	looked := map[*Node]bool{}
	for _, n := range b.bundlers {
		looked[n] = true
	}
	var bundlers []*Node
	for n := range b.tree.inventory.all {
		if len(n.Package.BundleDependencies) == 0 || n.isMine() || n.resolvedForContent() == "" ||
			n.Inert || n.InDepBundle() {
			continue
		}
		// Old locks have where each package came from before it was bundled.
		if looked[n] || b.inflated || !n.knowsBundle() {
			bundlers = append(bundlers, n)
		}
	}
	slices.SortStableFunc(bundlers, func(x, y *Node) int { return x.Depth() - y.Depth() })
	for _, n := range bundlers {
		if n.Root() != b.tree {
			continue // a bundle further up has something else there
		}
		files, err := b.content(n)
		if err != nil {
			if n.Optional {
				continue // it will be found missing when it is to be laid out
			}
			return err
		}
		b.loadBundle(n, files, func(k *Node) bool { return k.Package.Name != "" && k.Package.Version != "" })
	}
	pruneShadowed(bundlers)
	return nil
}

// lookForBuilds finds what node-gyp builds among the packages of an old lock that
// the registry no longer knows, such as fsevents@1.2.4: npm comes upon it when it has
// laid them out, before it writes the lock (npm: @npmcli/arborist
// lib/arborist/rebuild.js addToBuildSet).
func (b *builder) lookForBuilds() error {
	if !b.req.LayOut {
		return nil
	}
	for _, n := range b.unknown {
		if n.Root() != b.tree || n.isMine() || n.resolvedForContent() == "" || n.Inert || n.InBundle() {
			continue
		}
		files, err := b.content(n)
		if err != nil {
			continue // it will be found missing when it is to be laid out
		}
		if st, err := fs.Stat(files, "binding.gyp"); err == nil && st.Mode().IsRegular() {
			n.Package = n.Package.Clone()
			n.Package.HasInstallScript = true
		}
	}
	return nil
}

// knowsBundle says whether all that n says it bundles is in the tree, as bundled:
// that is what a lock says of it that was written when n was laid out.
func (n *Node) knowsBundle() bool {
	for _, name := range n.Package.BundleDependencies {
		if kid := n.Child(name); kid == nil || kid.resolved != "" {
			return false
		}
	}
	return true
}

// pruneShadowed removes what only packages needed that have found it in a bundle
// by now (npm: @npmcli/arborist lib/arborist/reify.js pruneBundledMetadeps).
func pruneShadowed(bundlers []*Node) {
	in := map[*Node]bool{}
	var shadowed []*Node
	add := func(n *Node) {
		if n != nil && !in[n] {
			in[n] = true
			shadowed = append(shadowed, n)
		}
		if n != nil {
			n.Extraneous = true
		}
	}
	for _, n := range bundlers {
		if n.parent == nil {
			continue
		}
		for _, kid := range n.children.values() {
			add(n.parent.resolve(kid.Name))
		}
	}
	for i := 0; i < len(shadowed); i++ {
		for e := range shadowed[i].edgesOut.all {
			add(e.to)
		}
	}
	for changed := true; changed; {
		changed = false
		for _, n := range shadowed {
			if !in[n] {
				continue
			}
			for e := range n.edgesIn.all {
				if !in[e.from] {
					n.Extraneous = false
					delete(in, n)
					changed = true
					break
				}
			}
		}
	}
	for _, n := range shadowed {
		if in[n] {
			n.remove()
		}
	}
}

// loadBundle puts what a package bundles below its node. The files are the
// package's own; what keep refuses is left out.
func (b *builder) loadBundle(n *Node, files fs.FS, keep func(*Node) bool) {
	m := n.Package
	if data, err := fs.ReadFile(files, "package.json"); err == nil {
		if p, err := manifest.ParsePackageJSON(data); err == nil {
			m = p
		}
	}
	actual := b.rules.newNode(nodeOptions{path: n.path, pkg: m})
	b.loadBundled(actual, files, "node_modules")
	transplant(n, actual, keep)
	calcDepFlags(n, false)
}

func (b *builder) loadBundled(parent *Node, files fs.FS, nm string) {
	var names []string
	entries, err := fs.ReadDir(files, nm)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "@") {
			names = append(names, e.Name())
			continue
		}
		inner, err := fs.ReadDir(files, nm+"/"+e.Name())
		if err != nil {
			return
		}
		for _, i := range inner {
			names = append(names, e.Name()+"/"+i.Name())
		}
	}
	for _, name := range names {
		if hiddenName(name) {
			continue
		}
		o := nodeOptions{path: parent.path + "/node_modules/" + name, parent: parent}
		data, err := fs.ReadFile(files, nm+"/"+name+"/package.json")
		if err == nil {
			o.pkg, err = manifest.ParsePackageJSON(data)
		}
		if err != nil {
			o.err = err
		}
		b.rules.newNode(o)
	}
	for _, kid := range parent.children.values() {
		b.loadBundled(kid, files, nm+"/"+kid.Name+"/node_modules")
	}
}
