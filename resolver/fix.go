package resolver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// Fix is a change of the project that makes it resolve: one of the two.
type Fix struct {
	// Add is what to install, "widgets@^3.0.0": more than one where no single
	// package does. SaveType is the map that all of it is in now, SaveWhereItIs
	// where they are in different ones.
	Add      []string
	SaveType SaveType
	// Workspace is the one to install it in, "" for the project itself.
	Workspace string
	// Override is what to put into package.json's overrides: the keys down
	// to the value, and the value.
	Override      []string
	OverrideValue string
}

// triesToFix bounds how often the tree is decided anew in search of a fix. The
// manifests are at hand, so that a try takes milliseconds for most projects.
const triesToFix = 30

// versionsBack is how many older versions are looked at for one that accepts
// what the others have.
const versionsBack = 150

// A change is another version of a dependency of the project, or of one of its
// workspaces.
type change struct{ workspace, name, version string }

// search looks for a change that resolves: of one dependency, of two, an override.
func (a *analyst) search(wishes []*Edge) *Fix {
	t := &trial{ctx: a.ctx, b: a.b, name: a.name, tried: map[string]bool{}}
	type dead struct {
		end      []change
		conflict *ConflictError
	}
	var ends []dead
	for _, c := range a.candidates(wishes) {
		f, conflict := t.install([]change{c})
		if f != nil {
			return f
		}
		if conflict != nil {
			ends = append(ends, dead{[]change{c}, conflict})
		}
	}
	// What stands in the way then is changed as well.
	for _, d := range ends {
		next := &analyst{ctx: a.ctx, b: d.conflict.builder, name: d.conflict.wishes[0].Name}
		for _, c := range next.candidates(next.smallest(d.conflict.wishes)) {
			both := []change{d.end[0], c}
			if c.workspace != d.end[0].workspace {
				continue // one command is for one of them
			}
			if c.name == d.end[0].name {
				both = both[1:]
			}
			if f, _ := t.install(both); f != nil {
				return f
			}
		}
	}
	// The peer that is least at home gets what the project has.
	root := a.b.tree.Target()
	for _, w := range wishes {
		if w.Peer() && !w.from.isMine() {
			value := ""
			if root.EdgeOut(a.name) != nil {
				value = "$" + a.name
			} else {
				for _, o := range wishes {
					if m := a.manifest(o.Name, o.Spec()); m != nil && o != w {
						value = m.Version
						break
					}
				}
			}
			if f := t.override(w.from.Name, value); f != nil {
				return f
			}
		}
	}
	return nil
}

// candidates gives changes that may resolve a conflict, in this order: a newer
// version of what lags behind, what the others can live with, an older version.
func (a *analyst) candidates(wishes []*Edge) []change {
	root := a.b.tree.Target()
	type lead struct {
		change       // the dependency that leads to the wish, as it is now
		edge   *Edge // the wish
		direct bool  // the wish is the project's own
		near   bool  // the dependency itself has the wish
	}
	var leads []lead
	for _, w := range wishes {
		nodes := nodeChain(w.from)
		if len(nodes) == 0 || nodes[0] != root {
			continue
		}
		owner, nodes := root, nodes[1:]
		l := lead{edge: w, change: change{name: w.Name}}
		if len(nodes) > 0 && nodes[0].IsWorkspace() {
			owner, nodes = nodes[0], nodes[1:]
			l.workspace = owner.PackageName()
		}
		l.direct, l.near = len(nodes) == 0, len(nodes) == 1
		if !l.direct {
			l.name, l.version = nodes[0].Name, nodes[0].Version()
		}
		if owner.EdgeOut(l.name) != nil {
			leads = append(leads, l)
		}
	}
	// suits says whether a version of a lead wants what one of the others gets.
	suits := func(l lead, m *manifest.Manifest) bool {
		want, ok := m.PeerDependencies.Get(a.name)
		if !l.near || !ok {
			return true
		}
		return slices.ContainsFunc(wishes, func(w *Edge) bool {
			if w == l.edge {
				return false
			}
			other := a.manifest(w.Name, w.Spec())
			return other != nil && nodesemver.Satisfies(other.Version, want, true)
		})
	}
	var out []change
	for _, l := range leads {
		if l.direct {
			continue
		}
		if m := a.manifest(l.name, "latest"); m != nil && m.Version != l.version && suits(l, m) {
			out = append(out, change{l.workspace, l.name, m.Version})
		}
	}
	for _, l := range leads {
		if !l.direct {
			continue
		}
		for _, w := range wishes {
			if w == l.edge {
				continue
			}
			if m := a.manifest(w.Name, w.Spec()); m != nil {
				out = append(out, change{l.workspace, l.name, m.Version})
			}
		}
	}
	for _, l := range leads {
		if l.direct {
			continue
		}
		version, majors := l.version, 3
		for range versionsBack {
			v := a.b.rules.version(version)
			if v == nil || majors == 0 {
				break
			}
			below := version
			if !l.near {
				major, _, _ := strings.Cut(v.String(), ".")
				below = major + ".0.0-0"
			}
			m := a.manifest(l.name, "<"+below)
			if m == nil || m.Version == version {
				break
			}
			version = m.Version
			if !suits(l, m) {
				continue
			}
			out = append(out, change{l.workspace, l.name, version})
			if majors--; l.near {
				break
			}
		}
	}
	return out
}

// A trial decides the tree of a project with changes made to it.
type trial struct {
	ctx   context.Context
	b     *builder // of the project as it is
	name  string   // of the package that was in dispute first
	tries int
	tried map[string]bool
}

// install decides the tree with other versions of the project's dependencies: as
// package.json would have them, and as the command that is proposed would bring
// them about. npm takes what it is told to install even where a peer minds, and a
// range can be wide enough for that. If there is no tree, it gives what is in
// conflict then.
func (t *trial) install(changes []change) (*Fix, *ConflictError) {
	m := t.b.tree.Target().Package
	workspace := changes[0].workspace
	owner := m
	if workspace != "" {
		e := t.b.tree.Target().EdgeOut(workspace)
		if e == nil || e.to == nil {
			return nil, nil
		}
		owner = e.to.Package
	}
	var first *ConflictError
	for _, prefix := range []string{t.b.req.SavePrefix, "~"} {
		changed := m.Clone()
		f := &Fix{Workspace: workspace, SaveType: inferSaveType(owner, changes[0].name)}
		for _, c := range changes {
			want := prefix + c.version
			if workspace == "" {
				for _, d := range depMaps(changed) {
					if hasDep(*d, c.name) {
						*d = setDep(*d, c.name, want)
					}
				}
			}
			f.Add = append(f.Add, c.name+"@"+want)
			if inferSaveType(owner, c.name) != f.SaveType {
				f.SaveType = SaveWhereItIs
			}
		}
		key := workspace + " " + strings.Join(f.Add, " ")
		if t.tried[key] {
			break
		}
		t.tried[key] = true
		// A workspace's package.json is read from its folder: only the command is tried.
		ok, conflict := workspace != "", (*ConflictError)(nil)
		if !ok {
			ok, conflict = t.resolves(changed, "")
		}
		if ok {
			if ok, conflict = t.resolves(m, workspace, f.Add...); ok {
				return f, nil
			}
		}
		first = cmp.Or(first, conflict)
		if !ok && !slices.ContainsFunc(changes, func(c change) bool { return t.newest(c.name, prefix+c.version) != c.version }) {
			break // a narrower range would be no other version
		}
	}
	return nil, first
}

// newest gives the version that a range stands for, "" if that is not known.
func (t *trial) newest(name, want string) string {
	a := analyst{ctx: t.ctx, b: t.b}
	if m := a.manifest(name, want); m != nil {
		return m.Version
	}
	return ""
}

func (t *trial) override(from, value string) *Fix {
	if value == "" {
		return nil
	}
	m := t.b.tree.Target().Package.Clone()
	overrides := jsjson.NewObject()
	if m.Overrides != "" {
		if v, err := m.Overrides.Parse(); err == nil {
			overrides = v
		}
	}
	inner := overrides.Get(from)
	if inner.IsString() {
		inner = jsjson.NewObject(jsjson.Member{Key: ".", Value: inner})
	} else if !inner.IsObject() {
		inner = jsjson.NewObject()
	}
	m.Overrides = overrides.With(from, inner.With(t.name, jsjson.NewString(value))).Raw()
	if ok, _ := t.resolves(m, ""); !ok {
		return nil
	}
	return &Fix{Override: []string{from, t.name}, OverrideValue: value}
}

// resolves decides the tree for a package.json and what is added to it, or to a
// workspace, and
// says whether it comes out without a conflict about the package in dispute.
func (t *trial) resolves(m *manifest.Manifest, workspace string, add ...string) (bool, *ConflictError) {
	if t.tries++; t.tries > triesToFix || t.ctx.Err() != nil {
		return false, nil
	}
	req := *t.b.req
	req.Manifest = m
	req.Add, req.Remove, req.Update = add, nil, nil
	req.InWorkspaces, req.IncludeRoot = nil, false
	if workspace != "" {
		req.InWorkspaces = []string{workspace}
	}
	req.SaveType = SaveWhereItIs
	req.Warn = nil
	req.Complete, req.LayOut = false, false
	req.IgnoreActual = workspace == "" // else that is where the workspaces are known from
	res, err := Resolve(t.ctx, t.b.src, req)
	if err != nil {
		var conflict *ConflictError
		if errors.As(err, &conflict) && len(conflict.wishes) == 0 {
			conflict = nil
		}
		return false, conflict
	}
	return !slices.ContainsFunc(res.Warnings, func(w Warning) bool {
		return w.Conflict != nil && w.Conflict.Edge != nil && w.Conflict.Edge.Name == t.name
	}), nil
}
