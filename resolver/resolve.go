package resolver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/platform"
	"github.com/ibid-pm/ibid/lockfile"
)

// Result is a decided tree.
type Result struct {
	// Tree is the root of the ideal tree. It may be changed further until a
	// Lockfile is made of it.
	Tree     *Node
	Warnings []Warning

	builder *builder
}

// Resolve decides the tree that a request asks for (npm: buildIdealTree).
// Errors are typed: *ConflictError, *LoadError, *OverrideError, *AllowError,
// *ArgumentError, those of internal/spec and internal/platform, and the
// Source's.
//
// The tree is npm 11's. Where that ends in a conflict it is npm 12's, if there is
// one, which brings in fewer of the optional peers whose own peers are in the way.
func Resolve(ctx context.Context, src Source, req Request) (*Result, error) {
	b := newBuilder(ctx, src, req)
	err := b.decide()
	if conflict := (*ConflictError)(nil); b.sparable && errors.As(err, &conflict) {
		again := newBuilder(ctx, src, req)
		again.sparing = true
		if again.decide() == nil {
			b, err = again, nil
		}
	}
	if req.Warn != nil {
		for _, w := range b.warnings {
			req.Warn(w)
		}
	}
	if err != nil {
		return nil, err
	}
	return &Result{Tree: b.tree, Warnings: b.warnings, builder: b}, nil
}

// Missed says whether something was asked for that could not be had, and the tree
// does without it.
func (r *Result) Missed() bool { return r.builder.failed.size > 0 }

// decide builds the tree, and ends what was fetched ahead for it.
func (b *builder) decide() error {
	defer b.fetch.close()
	return b.build()
}

func newBuilder(ctx context.Context, src Source, req Request) *builder {
	b := &builder{
		ctx:           ctx,
		req:           &req,
		rules:         newRules(cleanPath(req.Dir), req.LegacyPeerDeps, req.InstallLinks),
		src:           src,
		strategy:      req.Strategy,
		seen:          map[*Node]bool{},
		revisited:     map[string]int{},
		explicit:      map[*Edge]bool{},
		peerSetSource: map[*Node]*Node{},
		virtualRoots:  map[*Node]*Node{},
	}
	if req.Global {
		b.strategy = Shallow
	}
	if req.NoPackageLock || req.UpdateAll {
		// npm starts from nothing then, and looks at no lock.
		b.req.Yarn = nil
	}
	b.fetch = newFetcher(ctx, src, b.wish)
	b.fetch.legacy = req.LegacyPeerDeps
	return b
}

func (b *builder) build() error {
	steps := []func() error{
		b.parseSettings,
		b.initTree,
		b.loadExtensions,
		b.inflateOldLock,
		b.applyRequests,
		b.buildDeps,
		func() error { b.fixFlags(); return nil },
		b.pruneFailed,
		b.checkEngineAndPlatform,
		b.unpackShrinkwraps,
		b.unpackBundles,
		b.lookForBuilds,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
		if b.rules.err != nil {
			return b.rules.err
		}
	}
	return nil
}

// checkEngineAndPlatform fails for what cannot run here, or only warns of it,
// and marks what is optional as inert.
func (b *builder) checkEngineAndPlatform() error {
	target := b.req.Host
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	if os := b.req.Target.OS; os != "" && os != target.OS {
		target.Libc = "" // npm asks only Linux for it
	}
	set(&target.OS, b.req.Target.OS)
	set(&target.CPU, b.req.Target.CPU)
	set(&target.Libc, b.req.Target.Libc)
	// Hundreds of packages have the same few engines.
	fine := map[jsjson.Raw]bool{"": true}
	for n := range b.tree.inventory.all {
		if !n.Optional && !n.shouldOmit(b.req.Omit) {
			if !fine[n.Package.Engines] && !(n.IsRoot() && n.Package.DevEngines != "") {
				if err := platform.CheckEngine(n.Package, b.req.Host, b.req.Force); err == nil {
					fine[n.Package.Engines] = true
				} else {
					if b.req.EngineStrict {
						return unfit(n, err)
					}
					b.warn(Warning{Heading: "EBADENGINE", Message: err.Error(), Err: err})
				}
			}
			if !b.req.Force && (n.Package.OS != "" || n.Package.CPU != "" || n.Package.Libc != "") {
				if err := platform.CheckPlatform(n.Package, b.req.Host); err != nil {
					return unfit(n, err)
				}
			}
		}
		if n.Optional && !n.Inert {
			err := platform.CheckEngine(n.Package, b.req.Host, false)
			if err == nil {
				err = platform.CheckPlatform(n.Package, target)
			}
			if err != nil {
				for _, o := range optionalSet(n) {
					o.Inert = true
				}
			}
		}
	}
	return nil
}

// unfit is the error of a package that is not for this machine.
func unfit(n *Node, err error) error {
	return &LoadError{Node: n, Err: fmt.Errorf("%s@%s: %w", n.Package.Name, n.Package.Version, err)}
}

// inflateOldLock fetches the manifests that a lock from before npm 7 does not
// have.
func (b *builder) inflateOldLock() error {
	meta := b.tree.meta
	if b.tree.inventory.size == 0 || !meta.ancient && !(meta.fromDisk && meta.originalVersion < 2) {
		return nil
	}
	return b.inflate(meta)
}

// Lockfile gives the tree's lock in the form the request asks for.
func (r *Result) Lockfile() *lockfile.Lockfile { return r.Tree.Lockfile(r.lockOptions()) }

// LockedAs is the version of the lockfile that the tree was read from, 0 where it was
// from none. One that was brought up to date counts as written now (npm:
// originalLockfileVersion in lib/shrinkwrap.js).
func (r *Result) LockedAs() int { return r.builder.tree.meta.originalVersion }

func (r *Result) lockOptions() LockOptions {
	req := r.builder.req
	o := LockOptions{
		Version:      req.LockfileVersion,
		OmitResolved: req.OmitResolved,
		Indent:       req.Indent,
		Newline:      req.Newline,
	}
	if !req.NoPackageLock && !req.UpdateAll {
		o.From = req.Lock
	}
	if !req.HasFormat && o.From != nil {
		o.Indent, o.Newline = o.From.Indent, o.From.Newline
	}
	o.ExtensionsHash = r.ExtensionsHash()
	return o
}

// ExtensionsHash is of the root's packageExtensions, "" where it has none.
func (r *Result) ExtensionsHash() string {
	if r.builder.packageExts == nil {
		return ""
	}
	return r.builder.packageExts.hash
}

// YarnLock brings the request's yarn.lock into line with the tree, as npm does
// whenever it saves a lock; nil where there is none or nothing to say in it.
// Optional packages that are not for this machine are not in it: npm writes it
// once more with the hidden lockfile, when it has let go of them. The hidden lockfile
// of the linked layout is not the tree's, and so they stay (npm: @npmcli/arborist
// lib/arborist/reify.js reify).
func (r *Result) YarnLock() *lockfile.YarnLock {
	y := r.builder.req.Yarn
	if y == nil {
		return nil
	}
	y.Reset()
	whole := r.builder.req.Strategy == Linked
	queue := []*Node{r.Tree}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		var specs []string
		for e := range n.edgesIn.all {
			if whole || !e.from.inInert() {
				specs = append(specs, n.Name+"@"+e.Spec())
			}
		}
		from := n.path
		if n.isLink {
			from = dirOf(n.path)
		}
		y.Add(specs, lockfile.YarnEntry{
			Version:              n.Version(),
			Resolved:             n.rules.consistentResolve(n.Resolved(), from, r.Tree.path, true),
			Integrity:            n.integrity,
			Dependencies:         n.Package.Dependencies,
			OptionalDependencies: n.Package.OptionalDependencies,
		})
		var next []*Node
		for c := range n.Children {
			if whole || !c.Inert {
				next = append(next, c)
			}
		}
		for c := range n.fsChildren.all {
			next = append(next, c)
		}
		slices.SortStableFunc(next, func(a, b *Node) int {
			return cmp.Or(a.Depth()-b.Depth(), collate.Compare(a.Name, b.Name))
		})
		queue = append(queue, next...)
	}
	if y.Len() == 0 {
		return nil
	}
	return y
}

// inInert says whether the node, or one that it lies in, is not for this machine.
func (n *Node) inInert() bool {
	for ; n != nil; n = n.parent {
		if n.Inert {
			return true
		}
	}
	return false
}

// HiddenLockfile gives what goes into node_modules/.package-lock.json once
// everything in the tree is installed. It shares the entries of the lock, which
// may be nil.
func (r *Result) HiddenLockfile(lock *lockfile.Lockfile) *lockfile.Lockfile {
	req := r.builder.req
	o := r.lockOptions()
	o.Hidden, o.Indent, o.Newline, o.Entries = true, req.Indent, req.Newline, lock
	return r.Tree.Lockfile(o)
}
