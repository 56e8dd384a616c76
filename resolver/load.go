package resolver

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
)

// IncompleteError is a manifest from a registry that has no version.
type IncompleteError struct{ Name string }

func (e *IncompleteError) Error() string {
	return "incomplete manifest for " + e.Name + ", missing version"
}

// Code is EINCOMPLETEMANIFEST.
func (e *IncompleteError) Code() string { return "EINCOMPLETEMANIFEST" }

// failureNode stands for what could not be loaded, until it is known whether
// it was needed.
func (b *builder) failureNode(name string, parent *Node, err error) *Node {
	n := b.rules.newNode(nodeOptions{name: name, parent: parent, err: err})
	b.failed.add(n)
	return n
}

func (b *builder) wish(s *spec.Spec) Wish {
	w := Wish{Before: b.req.Before}
	name := s.Name
	if s.Type == spec.Alias && s.Sub != nil && s.Sub.Registry {
		name = s.Sub.Name
	}
	if !w.Before.IsZero() && b.req.NoBefore != nil && b.req.NoBefore(name) {
		w.Before = time.Time{}
	}
	if b.req.Avoid != nil {
		w.Avoid = b.req.Avoid(s.Name)
	}
	return w
}

func (b *builder) fetchManifest(s *spec.Spec, e *Edge) (*Fetched, error) {
	if err := b.checkAllow(s, e); err != nil {
		return nil, err
	}
	w := b.wish(s)
	w.FromRoot = e != nil && e.from.isMine()
	if y := b.req.Yarn; y != nil && !b.tree.meta.fromDisk {
		s, w.Resolved, w.Integrity, _ = y.Pin(s, b.rules.where)
	}
	forTree := e == nil || !e.Peer() || e.Type == Peer && !b.fetch.named(s.Name)
	f, err := b.fetch.get(b.ctx, s, w, forTree)
	if err == nil && b.req.Prefetch != nil && s.Registry && (e == nil || !e.Peer()) {
		b.req.Prefetch(f.Manifest)
	}
	if err != nil || w.Integrity == "" {
		return f, err
	}
	return f.expect(s, w.Integrity)
}

// nodeFromSpec makes the node that a spec stands for, in a virtual root.
func (b *builder) nodeFromSpec(name string, s *spec.Spec, parent *Node, e *Edge) (*Node, error) {
	if err := b.checkAllow(s, e); err != nil {
		return b.failureNode(name, parent, err), nil
	}
	workspace := false
	if b.tree.workspaces != nil {
		_, workspace = b.tree.workspaces.Get(s.Name)
	}
	internal := false
	if rest, ok := strings.CutPrefix(e.raw, "file:"); ok && (strings.HasPrefix(rest, "../") || strings.HasPrefix(rest, "./")) {
		target := joinPath(parent.realpath, rest)
		internal = target == b.tree.realpath || strings.HasPrefix(target, b.tree.realpath+"/")
	}
	// What was copied because of install-links has its own folders copied as
	// well.
	transitive := s.Type == spec.Directory && b.req.InstallLinks && !parent.isLink && strings.HasPrefix(parent.resolved, "file:")
	if s.Type == spec.Directory && !transitive && (workspace || internal || !b.req.InstallLinks) {
		dir := cleanPath(s.FetchSpec)
		pkg, err := manifest.ReadDir(filepath.FromSlash(dir))
		if err != nil {
			pkg = noManifest
		}
		link := b.rules.newLink(nodeOptions{name: name, parent: parent, realpath: dir, pkg: pkg})
		b.linkNodes.add(link)
		return link, nil
	}
	if workspace {
		if we := b.tree.EdgeOut(s.Name); we != nil && we.to != nil && we.to.IsWorkspace() && we.to.satisfies(e) {
			return we.to, nil
		}
	}
	if transitive {
		abs := joinPath(strings.TrimPrefix(parent.resolved, "file:"), strings.TrimPrefix(e.raw, "file:"))
		t, err := spec.Resolve(name, "file:"+abs, b.rules.where)
		if err != nil {
			return nil, err
		}
		s = t
	}
	f, err := b.fetchManifest(s, e)
	if err != nil {
		if ctxErr := b.ctx.Err(); ctxErr != nil {
			return nil, context.Cause(b.ctx)
		}
		return b.failureNode(name, parent, err), nil
	}
	if f.Manifest.Version == "" && s.Registry {
		return b.failureNode(name, parent, &IncompleteError{name}), nil
	}
	pkg, ext, err := b.packageExts.apply(f.Manifest)
	if err != nil {
		return nil, err
	}
	if f.DevDependencies != nil && b.rules.references {
		b.rules.dev[pkg] = f.DevDependencies
	}
	return b.rules.newNode(nodeOptions{
		name: name, pkg: pkg, parent: parent,
		pkgResolved: f.Resolved, pkgIntegrity: f.Integrity,
		extensions: ext,
	}), nil
}

// pruneFailed fails for what could not be loaded and was needed, and marks
// what was optional as inert.
func (b *builder) pruneFailed() error {
	for n := range b.failed.all {
		if !n.Optional {
			return &LoadError{Node: n, Err: n.Errors[0]}
		}
		for _, o := range optionalSet(n) {
			o.Inert = true
		}
	}
	return nil
}

// LoadError is a needed package that could not be loaded.
type LoadError struct {
	Node *Node
	Err  error // the Source's
}

func (e *LoadError) Error() string { return e.Err.Error() }

func (e *LoadError) Unwrap() error { return e.Err }

// Path is a chain of those who need the package, the project first.
func (e *LoadError) Path() []string { return chainTo(e.Node) }

// SpecError is a dependency that is written in a way that nobody can read.
type SpecError struct {
	Edge *Edge
	Err  error // internal/spec's
}

func (e *SpecError) Error() string { return e.Err.Error() }

func (e *SpecError) Unwrap() error { return e.Err }

// Path is a chain of those who need it, the project first.
func (e *SpecError) Path() []string {
	chain := chainTo(e.Edge.from)
	if chain == nil {
		return nil
	}
	return append(chain, e.Edge.Name+"@"+e.Edge.Spec())
}

// Chain gives one shortest chain of those who need a package, the project first.
func Chain(n *Node) []string { return chainTo(n) }

// chainTo gives one shortest chain of dependents, root first.
func chainTo(n *Node) []string {
	type step struct {
		node *Node
		next *step
		text string
	}
	seen := map[*Node]bool{n: true}
	queue := []*step{{node: n}}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s.node.IsProjectRoot() {
			var chain []string
			if id := s.node.Package.Name; id != "" {
				chain = append(chain, strings.TrimSuffix(id+"@"+s.node.Package.Version, "@"))
			}
			for ; s.next != nil; s = s.next {
				chain = append(chain, s.text)
			}
			return chain
		}
		for l := range s.node.linksIn.all {
			if !seen[l] {
				seen[l] = true
				queue = append(queue, &step{l, s.next, s.text})
			}
		}
		for e := range s.node.edgesIn.all {
			if !seen[e.from] {
				seen[e.from] = true
				queue = append(queue, &step{e.from, s, e.Name + "@" + e.Spec()})
			}
		}
	}
	return nil
}

// resolvedForContent is where a node's files can be had, if they can.
func (n *Node) resolvedForContent() string {
	if n.isLink {
		return ""
	}
	return n.resolved
}
