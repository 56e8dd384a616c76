package resolver

import (
	"strings"
	"sync"

	"github.com/ibid-pm/ibid/internal/spec"
)

// inflate gives the nodes of an old lock the manifests that it lacks. What
// cannot be had stays as it is.
func (b *builder) inflate(meta *lockMeta) error {
	heading, name := "old lockfile", b.req.LockName
	if name == "" {
		name = "package-lock.json"
	}
	if meta.ancient {
		heading = "ancient lockfile"
	}
	if meta.ancient || b.req.LockfileVersion == 0 || b.req.LockfileVersion >= 3 {
		b.warnNow(Warning{Heading: heading, Message: "The " + name + " file was created with an old version of npm,\n" +
			"so supplemental metadata must be fetched from the registry.\n\nThis is a one-time fix-up, please be patient..."})
	}
	type job struct {
		node    *Node
		id      string
		spec    *spec.Spec
		fetched *Fetched
		err     error
	}
	var jobs []*job
	for n := range b.tree.inventory.all {
		// What lies elsewhere is a link's target: the link comes later.
		if n.IsProjectRoot() || !strings.HasPrefix(n.location, "node_modules") {
			continue
		}
		id := n.Version()
		if resolved := n.Resolved(); resolved != "" && (id == "" || strings.HasPrefix(resolved, "file:")) {
			id = resolved
		}
		s, err := spec.Resolve(n.Name, id, dirOf(n.path))
		if err != nil {
			return err
		}
		jobs = append(jobs, &job{node: n, id: id, spec: s})
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, fetchesAhead)
	for _, j := range jobs {
		// Not even what the project asks for itself: npm does not say here who asks.
		if j.err = b.req.Allowed(j.spec, false); j.err != nil {
			continue
		}
		w := b.wish(j.spec)
		w.Resolved, w.Integrity = j.node.Resolved(), j.node.integrity
		w.Abbreviated = w.Before.IsZero() // dates are in full documents only
		group.Add(1)
		slots <- struct{}{}
		go func() {
			defer group.Done()
			j.fetched, j.err = b.src.Manifest(b.ctx, j.spec, w)
			if j.err == nil && j.spec.Registry {
				j.fetched, j.err = j.fetched.expect(j.spec, w.Integrity)
			}
			<-slots
		}()
	}
	group.Wait()
	for _, j := range jobs {
		if j.err != nil {
			b.warn(Warning{Heading: heading, Message: "Could not fetch metadata for " + j.node.Name + "@" + j.id, Err: j.err})
			b.unknown = append(b.unknown, j.node)
			continue
		}
		j.node.pkgResolved, j.node.pkgIntegrity = j.fetched.Resolved, j.fetched.Integrity
		j.node.setPackage(j.fetched.Manifest)
	}
	b.fillFromYarn() // by peers too now, which the lock did not have
	resetDepFlags(b.tree)
	calcDepFlags(b.tree, true)
	b.inflated = true
	if b.req.LockfileVersion == 0 {
		meta.originalVersion = 3 // as new as can be now
	}
	return b.ctx.Err()
}
