package resolver

import (
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
)

// ArgumentError is an argument of update or uninstall that is more than a
// name.
type ArgumentError struct {
	Command string // "update" or "rm"
	Name    string // what would have been right, "" if nothing
}

func (e *ArgumentError) Error() string {
	if e.Command == "rm" {
		return "remove arguments must only contain package names, eg: rm " + e.Name
	}
	return "update arguments must only contain package names, eg: update " + e.Name
}

// Code is EUPDATEARGS or ERMARGS.
func (e *ArgumentError) Code() string {
	if e.Command == "rm" {
		return "ERMARGS"
	}
	return "EUPDATEARGS"
}

func (b *builder) parseSettings() error {
	b.updateNames = map[string]bool{}
	if !b.req.UpdateAll {
		for _, name := range b.req.Update {
			s, err := spec.Parse(name, b.rules.where)
			if err != nil {
				return err
			}
			if s.Raw != s.Name {
				return &ArgumentError{Command: "update", Name: s.Name}
			}
			b.updateNames[name] = true
		}
	}
	for _, name := range b.req.Remove {
		s, err := spec.Parse(name, b.rules.where)
		if err != nil {
			return err
		}
		if s.Raw != s.Name {
			return &ArgumentError{Command: "rm", Name: cmp.Or(s.Name, "<pkg>")}
		}
	}
	b.requested = len(b.req.Add) > 0 || len(b.req.Remove) > 0 || b.req.UpdateAll || len(b.updateNames) > 0
	b.mutated = b.requested
	return nil
}

// applyRequests writes what is to be added and removed into the manifests of
// the trees it is for, and queues what depends on what is to be updated.
func (b *builder) applyRequests() error {
	trees := []*Node{b.tree.Target()}
	if len(b.req.InWorkspaces) > 0 {
		trees = b.workspaceNodes()
		if b.req.IncludeRoot {
			trees = append(trees, b.tree.Target())
		}
	}
	if err := b.applyFixes(); err != nil {
		return err
	}
	for _, t := range trees {
		if err := b.applyRequestsTo(t); err != nil {
			return err
		}
	}
	return nil
}

// applyFixes adds what an audit fix wants in the place of versions that the root
// or a workspace asks for (npm: arborist build-ideal-tree.js, queueVulnDependents).
func (b *builder) applyFixes() error {
	for _, loc := range slices.Sorted(maps.Keys(b.req.Fixes)) {
		tree := b.tree.Target()
		if loc != "" {
			tree = b.tree.inventory.get(loc)
		}
		if tree == nil {
			continue
		}
		adds, err := b.resolveAdds(tree, b.req.Fixes[loc])
		if err != nil {
			return err
		}
		m := tree.Package.Clone()
		b.addDeps(m, adds)
		b.resolvedAdd = append(b.resolvedAdd, adds...)
		b.changePackage(tree, m)
		for _, a := range adds {
			if e := tree.EdgeOut(a.name); e != nil {
				b.explicit[e] = true
			}
		}
		b.queue.push(tree)
	}
	return nil
}

func (b *builder) applyRequestsTo(tree *Node) error {
	if !b.req.Global && len(b.updateNames) > 0 {
		b.queueUpdates()
	}
	// The manifest is edited in a copy that is this tree's own.
	var edited *manifest.Manifest
	edit := func() *manifest.Manifest {
		if edited == nil {
			edited = tree.Package.Clone()
		}
		return edited
	}
	var globals []string
	if b.req.Global && (b.req.UpdateAll || len(b.updateNames) > 0) {
		var err error
		if globals, err = b.globalUpdates(edit()); err != nil {
			return err
		}
	}
	if b.req.Vulnerable != nil {
		for n := range b.tree.inventory.all {
			if b.req.Vulnerable(n) && n.bundler() == nil {
				for e := range n.edgesIn.all {
					b.queue.push(e.from)
				}
			}
		}
	}
	if len(b.req.Remove) > 0 {
		removeDeps(edit(), b.req.Remove)
		for _, name := range b.req.Remove {
			b.removed = append(b.removed, removal{tree, name})
		}
	}
	if len(b.req.Add) > 0 {
		adds, err := b.resolveAdds(tree, b.req.Add)
		if err != nil {
			return err
		}
		b.addDeps(edit(), adds)
		b.resolvedAdd = append(b.resolvedAdd, adds...)
	}
	if edited != nil || b.req.Global {
		b.changePackage(tree, edit())
	}
	for _, a := range b.resolvedAdd {
		if a.tree == tree {
			if e := tree.EdgeOut(a.name); e != nil {
				b.explicit[e] = true
			}
		}
	}
	for _, name := range globals {
		if e := tree.EdgeOut(name); e != nil {
			b.explicit[e] = true
		}
	}
	b.queue.push(tree)
	return nil
}

// changePackage gives a tree a changed manifest; a link to it has the same.
func (b *builder) changePackage(tree *Node, m *manifest.Manifest) {
	tree.setPackage(m)
	for l := range tree.linksIn.all {
		l.Package = m
	}
	if tree.isLink && tree.target != nil {
		// npm edits the one object that both share; the target's edges stay.
		tree.target.Package = m
	}
}

// globalUpdates makes the global folder's packages dependencies of the root.
func (b *builder) globalUpdates(m *manifest.Manifest) ([]string, error) {
	var explicit []string
	nm := filepath.Join(filepath.FromSlash(b.tree.path), "node_modules")
	for _, name := range readScoped(nm) {
		if hiddenName(name) {
			continue
		}
		update := b.updateNames[name]
		if !b.req.UpdateAll && !update {
			continue
		}
		if update {
			explicit = append(explicit, name)
		}
		want := "*"
		dir := filepath.Join(nm, filepath.FromSlash(name))
		if st, err := os.Lstat(dir); err == nil && st.Mode()&os.ModeSymlink != 0 {
			if target, err := os.Readlink(dir); err == nil {
				if !filepath.IsAbs(target) {
					target = filepath.Join(filepath.Dir(dir), target)
				}
				want = "file:" + filepath.ToSlash(target)
			}
		}
		m.Dependencies = setDep(m.Dependencies, name, want)
	}
	return explicit, nil
}

// resolveAdds finds out the names of what is to be added.
func (b *builder) resolveAdds(tree *Node, specs []string) ([]addRequest, error) {
	where := b.req.AddFrom
	if where == "" {
		where = b.req.Dir
	}
	treePath := tree.Target().path
	adds := make([]addRequest, len(specs))
	order := make([]int, 0, len(adds))
	var late []int
	// What has a name is ready at once, in order; the others come as their
	// manifests do. Here they come in order as well.
	for i, raw := range specs {
		s, err := spec.Parse(raw, where)
		if err != nil {
			return nil, err
		}
		name := s.Name
		isTag := s.RawSpec != "" && s.Type == spec.Tag
		if name == "" || isTag {
			// Before anything is fetched: a repository can run what it likes
			// while it is packed.
			if err := b.req.Allowed(s, true); err != nil {
				return nil, err
			}
			w := b.wish(s)
			w.FromRoot = tree.isMine()
			f, err := b.fetch.get(b.ctx, s, w, true)
			if err != nil {
				if b.ctx.Err() != nil {
					return nil, context.Cause(b.ctx)
				}
				return nil, err
			}
			if isTag {
				if s, err = spec.Parse(f.Manifest.Name+"@"+f.Manifest.Version, where); err != nil {
					return nil, err
				}
			}
			name = f.Manifest.Name
			late = append(late, i)
		} else if s.Type == spec.Directory {
			late = append(late, i)
		} else {
			order = append(order, i)
		}
		switch s.Type {
		case spec.File:
			if s, err = spec.Parse("file:"+relPath(treePath, cleanPath(s.FetchSpec)), treePath); err != nil {
				return nil, err
			}
		case spec.Directory:
			if real, err := filepath.EvalSymlinks(filepath.FromSlash(s.FetchSpec)); err == nil {
				if s, err = spec.Parse("file:"+relPath(treePath, cleanPath(real)), treePath); err != nil {
					return nil, err
				}
			}
		}
		adds[i] = addRequest{name: name, spec: s, tree: tree}
	}
	out := make([]addRequest, 0, len(adds))
	for _, i := range append(order, late...) {
		out = append(out, adds[i])
	}
	return out, nil
}

// depMaps gives the maps of a manifest in the order in which npm looks for
// where a dependency is.
func depMaps(m *manifest.Manifest) [4]*manifest.Deps {
	return [4]*manifest.Deps{&m.DevDependencies, &m.OptionalDependencies, &m.Dependencies, &m.PeerDependencies}
}

func mapName(m *manifest.Manifest, d *manifest.Deps) string {
	switch d {
	case &m.DevDependencies:
		return "devDependencies"
	case &m.OptionalDependencies:
		return "optionalDependencies"
	case &m.Dependencies:
		return "dependencies"
	}
	return "peerDependencies"
}

func setDep(d manifest.Deps, name, want string) manifest.Deps {
	out := slices.Clone(d)
	for i := range out {
		if out[i].Name == name {
			out[i].Spec = want
			return out
		}
	}
	return manifest.OrderDeps(append(out, manifest.Dep{Name: name, Spec: want}))
}

func hasDep(d manifest.Deps, name string) bool { _, ok := d.Get(name); return ok }

func withoutDep(d manifest.Deps, name string) manifest.Deps {
	if !hasDep(d, name) {
		return d
	}
	if len(d) == 1 {
		return nil // npm takes the map away with its last name
	}
	return slices.DeleteFunc(slices.Clone(d), func(x manifest.Dep) bool { return x.Name == name })
}

func (b *builder) deleteDep(m *manifest.Manifest, from *manifest.Deps, name, instead string) {
	if !hasDep(*from, name) {
		return
	}
	what := mapName(m, from)
	if instead != "" {
		b.warn(Warning{Heading: "idealTree", Message: "Removing " + what + "." + name + " in favor of " + instead + "." + name})
	}
	*from = withoutDep(*from, name)
	if from == &m.PeerDependencies {
		m.PeerDependenciesMeta = slices.DeleteFunc(slices.Clone(m.PeerDependenciesMeta), func(p manifest.PeerMeta) bool { return p.Name == name })
	}
}

// inferSaveType says where a dependency is now (npm: add-rm-pkg-deps.js).
func inferSaveType(m *manifest.Manifest, name string) SaveType {
	switch {
	case hasDep(m.DevDependencies, name):
		return SaveDev
	case hasDep(m.OptionalDependencies, name):
		return SaveOptional
	case hasDep(m.Dependencies, name):
		return SaveProd
	case hasDep(m.PeerDependencies, name):
		for _, p := range m.PeerDependenciesMeta {
			if p.Name == name && p.Optional {
				return SavePeerOptional
			}
		}
		return SavePeer
	}
	return SaveProd
}

// addDeps writes the wishes into a manifest.
func (b *builder) addDeps(m *manifest.Manifest, adds []addRequest) {
	for _, a := range adds {
		name, raw := a.name, a.spec.RawSpec
		t := b.req.SaveType
		if t == SaveWhereItIs {
			t = inferSaveType(m, name)
		}
		var to *manifest.Deps
		switch t {
		case SaveProd:
			b.deleteDep(m, &m.DevDependencies, name, "dependencies")
			b.deleteDep(m, &m.PeerDependencies, name, "dependencies")
			to = &m.Dependencies
		case SaveDev:
			b.deleteDep(m, &m.Dependencies, name, "devDependencies")
			to = &m.DevDependencies
		case SaveOptional:
			b.deleteDep(m, &m.PeerDependencies, name, "optionalDependencies")
			to = &m.OptionalDependencies
		default:
			b.deleteDep(m, &m.Dependencies, name, "peerDependencies")
			b.deleteDep(m, &m.OptionalDependencies, name, "peerDependencies")
			to = &m.PeerDependencies
		}
		// A bare name takes what is there already.
		if raw != "*" || !hasDep(*to, name) {
			*to = setDep(*to, name, raw)
		}
		if t == SaveOptional {
			want, _ := m.OptionalDependencies.Get(name)
			m.Dependencies = setDep(m.Dependencies, name, want)
		}
		if t == SavePeer || t == SavePeerOptional {
			b.setPeerMeta(m, name, t == SavePeerOptional)
			if hasDep(m.DevDependencies, name) {
				want, _ := m.PeerDependencies.Get(name)
				m.DevDependencies = setDep(m.DevDependencies, name, want)
			}
		}
		if b.req.SaveBundle && t != SavePeer && t != SavePeerOptional {
			bundle := slices.Clone(m.BundleDependencies)
			if !slices.Contains(bundle, name) {
				bundle = append(bundle, name)
			}
			slices.SortStableFunc(bundle, collate.Compare)
			m.BundleDependencies = bundle
		}
	}
}

func (b *builder) setPeerMeta(m *manifest.Manifest, name string, optional bool) {
	metas := slices.Clone(m.PeerDependenciesMeta)
	for i := range metas {
		if metas[i].Name == name {
			if metas[i].Optional != optional {
				metas[i].Optional = optional
				metas[i].Raw = `{"optional":false}`
				if optional {
					metas[i].Raw = `{"optional":true}`
				}
			}
			m.PeerDependenciesMeta = metas
			return
		}
	}
	if optional {
		m.PeerDependenciesMeta = append(metas, manifest.PeerMeta{Name: name, Optional: true, Raw: `{"optional":true}`})
	}
}

func removeDeps(m *manifest.Manifest, names []string) {
	for _, d := range depMaps(m) {
		for _, name := range names {
			*d = withoutDep(*d, name)
		}
	}
	m.PeerDependenciesMeta = slices.DeleteFunc(slices.Clone(m.PeerDependenciesMeta), func(p manifest.PeerMeta) bool {
		return slices.Contains(names, p.Name) && !hasDep(m.PeerDependencies, p.Name)
	})
	// npm keeps no list that is empty then, whoever emptied it.
	if m.BundleDependencies = slices.DeleteFunc(slices.Clone(m.BundleDependencies), func(n string) bool { return slices.Contains(names, n) }); len(m.BundleDependencies) == 0 {
		m.BundleDependencies = nil
	}
}

// hiddenName says whether an entry of node_modules is none of npm's packages:
// it, or the part after its scope, starts with a dot.
func hiddenName(name string) bool {
	if strings.HasPrefix(name, ".") {
		return true
	}
	if scope, rest, ok := strings.Cut(name, "/"); ok && strings.HasPrefix(scope, "@") {
		return strings.HasPrefix(rest, ".")
	}
	return false
}

// readScoped lists a node_modules folder, scopes opened up; a folder that
// cannot be read is empty.
func readScoped(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "@") {
			names = append(names, e.Name())
			continue
		}
		inner, err := os.ReadDir(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		for _, i := range inner {
			names = append(names, e.Name()+"/"+i.Name())
		}
	}
	return names
}

// workspaceNodes gives the nodes of the named workspaces.
func (b *builder) workspaceNodes() []*Node {
	var nodes []*Node
	for _, name := range b.req.InWorkspaces {
		dir, ok := b.tree.workspaces.Get(name)
		if !ok {
			b.warn(Warning{Heading: "workspaces", Message: name + " in filter set, but not in workspaces"})
			continue
		}
		n := b.tree.inventory.get(relPath(b.tree.realpath, dir))
		if n == nil {
			b.warn(Warning{Heading: "workspaces", Message: name + " in filter set, but no workspace folder present"})
			continue
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// queueUpdates queues all who depend on one of the names to update.
func (b *builder) queueUpdates() {
	for n := range b.tree.inventory.all {
		if !b.updateNames[n.Name] || n.IsTop() || n.InDepBundle() || n.inShrinkwrap() {
			continue
		}
		for e := range n.edgesIn.all {
			b.queue.push(e.from)
		}
	}
}
