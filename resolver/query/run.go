package query

import (
	"path"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/minimatch"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/resolver"
)

// Item is something that a query found.
type Item struct {
	Node *resolver.Node // nil for a dependency that is nowhere
	// Missing is, for such a one, who wants it.
	Missing *resolver.Edge
	// Context is what the selectors learned: npm's queryContext.
	Context []jsjson.Member
}

// Advisory is what :vuln asks of a vulnerability.
type Advisory struct {
	VulnerableVersions string // a range
	Severity           string
	CWE                []string // "CWE-79"
	Raw                jsjson.Value
}

// Options are what a query runs with.
type Options struct {
	// Target is the node that :scope means; its tree is searched.
	Target *resolver.Node
	// Content gives what a node's package.json says.
	Content func(*resolver.Node) jsjson.Value
	// Versions gives the published versions of a package, the lowest first;
	// for :outdated.
	Versions func(name string) []string
	// Advisories gives the advisories for the versions of packages by name;
	// for :vuln.
	Advisories func(packages map[string][]string) (map[string][]Advisory, error)
	// Warn is told what npm would warn of; nil for nobody.
	Warn func(string)
}

// Run gives what the selector finds, sorted by location. Errors are *Error and those
// of Advisories.
func (s *Selector) Run(o Options) ([]*Item, error) {
	r := &run{o: o, versions: map[string][]string{}}
	for n := range o.Target.Root().Inventory {
		r.inventory = append(r.inventory, &Item{Node: n})
	}
	r.items = make(map[*resolver.Node]*Item, len(r.inventory))
	for _, it := range r.inventory {
		r.items[it.Node] = it
	}
	out, err := r.find(s, r.inventory, o.Target)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(out, func(a, b *Item) int { return collate.Compare(a.location(), b.location()) })
	return out, nil
}

// location is what items are sorted by. What is nowhere has none: npm sorts it
// by the text of JavaScript's undefined.
func (it *Item) location() string {
	if it.Node == nil {
		return "undefined"
	}
	return it.Node.Location()
}

type run struct {
	o         Options
	inventory []*Item
	items     map[*resolver.Node]*Item
	versions  map[string][]string
	advised   map[string][]Advisory
}

// find gives the items that one of the rows leaves, each once. target is what
// :scope means.
func (r *run) find(s *Selector, initial []*Item, target *resolver.Node) ([]*Item, error) {
	var out []*Item
	seen := map[*Item]bool{}
	for i, row := range s.rows {
		found, err := r.row(row, i == 0, initial, target)
		if err != nil {
			return nil, err
		}
		for _, it := range found {
			if !seen[it] {
				seen[it] = true
				out = append(out, it)
			}
		}
	}
	return out, nil
}

func (r *run) row(row row, first bool, initial []*Item, target *resolver.Node) ([]*Item, error) {
	// What a leading combinator relates to; npm has it for the first row only.
	var current []*Item
	if first {
		current = initial
	}
	pending := ""
	for i, p := range row {
		if p.kind == combinator {
			pending = p.value
			continue
		}
		from := current
		switch {
		case i == 0:
			from = initial
		case row[i-1].kind == combinator:
			from = r.inventory
		}
		next, err := r.part(p, from, target)
		if err != nil {
			return nil, err
		}
		switch pending {
		case ">":
			set := r.nodesOf(current)
			current = filter(next, func(it *Item) bool { return hasParent(it, set) })
		case " ":
			current = r.below(next, r.nodesOf(current))
		case "~":
			current = siblings(current, next)
		default:
			current = next
		}
		pending = ""
	}
	return current, nil
}

func filter(items []*Item, keep func(*Item) bool) []*Item {
	var out []*Item
	for _, it := range items {
		if keep(it) {
			out = append(out, it)
		}
	}
	return out
}

// nodesOf gives the nodes of items, links followed.
func (r *run) nodesOf(items []*Item) map[*resolver.Node]bool {
	set := make(map[*resolver.Node]bool, len(items))
	for _, it := range items {
		if it.Node != nil {
			set[it.Node.Target()] = true
		}
	}
	return set
}

func (it *Item) edgesIn(yield func(*resolver.Edge) bool) {
	if it.Node == nil {
		if it.Missing != nil {
			yield(it.Missing)
		}
		return
	}
	it.Node.EdgesIn(yield)
}

func hasParent(it *Item, set map[*resolver.Node]bool) bool {
	if n := it.Node; n != nil && n.IsTop() && n.ResolveParent() != nil && set[n.ResolveParent()] {
		for l := range n.LinksIn {
			if l.Parent() == n.ResolveParent() && !inStore(n) {
				return true
			}
		}
	}
	for e := range it.edgesIn {
		if set[e.From()] {
			return true
		}
	}
	return false
}

// inStore says whether the node is where install-strategy=linked keeps
// packages.
func inStore(n *resolver.Node) bool { return strings.Contains(n.Location(), "node_modules/.store/") }

// below leaves the items that stand somewhere below one of the nodes.
func (r *run) below(items []*Item, set map[*resolver.Node]bool) []*Item {
	known := map[*resolver.Node]bool{}
	search := func(start *Item) bool {
		if hasParent(start, set) {
			return true
		}
		var queue, visited []*resolver.Node
		mark := map[*resolver.Node]bool{}
		push := func(n *resolver.Node) {
			if n != nil && !mark[n] {
				mark[n] = true
				queue = append(queue, n)
			}
		}
		up := func(it *Item) {
			if n := it.Node; n != nil {
				if n.IsTop() {
					push(n.ResolveParent())
				}
				for l := range n.LinksIn {
					push(l)
				}
			}
			for e := range it.edgesIn {
				push(e.From())
			}
		}
		up(start)
		found := false
		for len(queue) > 0 && !found {
			n := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			if answer, ok := known[n]; ok {
				found = answer
				continue
			}
			visited = append(visited, n)
			it := &Item{Node: n}
			if hasParent(it, set) {
				known[n], found = true, true
				break
			}
			up(it)
		}
		if !found {
			for _, n := range visited {
				known[n] = false
			}
		}
		return found
	}
	return filter(items, search)
}

func siblings(previous, next []*Item) []*Item {
	parents := map[*resolver.Node]bool{}
	known := map[*Item]bool{}
	for _, it := range previous {
		known[it] = true
		for e := range it.edgesIn {
			parents[e.From()] = true
		}
	}
	return filter(next, func(it *Item) bool { return !known[it] && hasParent(it, parents) })
}

func (r *run) content(it *Item) jsjson.Value {
	if it.Node == nil {
		return jsjson.NewObject(
			jsjson.Member{Key: "name", Value: jsjson.NewString(it.Missing.Name)},
			jsjson.Member{Key: "version", Value: jsjson.NewString(it.Missing.Spec())},
		)
	}
	return r.o.Content(it.Node)
}

func (r *run) part(p part, from []*Item, target *resolver.Node) ([]*Item, error) {
	switch p.kind {
	case universal:
		return from, nil
	case id:
		return filter(from, func(it *Item) bool {
			if it.Node == nil {
				return it.Missing.Name == p.value
			}
			return it.Node.Name == p.value || it.Node.Package.Name == p.value
		}), nil
	case class:
		return r.class(p.value, from)
	case attribute:
		return filter(from, func(it *Item) bool { return p.attr.matches(r.content(it)) }), nil
	case pseudo:
		return r.pseudo(p, from, target)
	}
	return nil, failf("EQUERYNOSELECTOR", "`%s` is not a supported selector.", p.kind)
}

func (r *run) class(name string, from []*Item) ([]*Item, error) {
	var keep func(n *resolver.Node) bool
	byType := func(flag func(*resolver.Node) bool, t resolver.EdgeType) func(*resolver.Node) bool {
		return func(n *resolver.Node) bool {
			return flag(n) || reachedBy(n, flag, t, map[*resolver.Edge]bool{})
		}
	}
	switch name {
	case "prod":
		keep = func(n *resolver.Node) bool { return !n.Dev }
	case "dev":
		keep = byType(func(n *resolver.Node) bool { return n.Dev }, resolver.Dev)
	case "optional":
		keep = byType(func(n *resolver.Node) bool { return n.Optional }, resolver.Optional)
	case "peer":
		keep = byType(func(n *resolver.Node) bool { return n.Peer }, resolver.Peer)
	case "workspace":
		keep = (*resolver.Node).IsWorkspace
	case "bundled":
		keep = (*resolver.Node).InBundle
	default:
		return nil, failf("EQUERYNODEPTYPE", "`.%s` is not a supported dependency type.", name)
	}
	return filter(from, func(it *Item) bool { return it.Node != nil && keep(it.Node) }), nil
}

func reachedBy(n *resolver.Node, flag func(*resolver.Node) bool, t resolver.EdgeType, seen map[*resolver.Edge]bool) bool {
	for e := range n.EdgesIn {
		if seen[e] {
			continue
		}
		seen[e] = true
		if e.Type == t || flag(e.From()) || reachedBy(e.From(), flag, t, seen) {
			return true
		}
	}
	return false
}

func (r *run) pseudo(p part, from []*Item, target *resolver.Node) ([]*Item, error) {
	nodes := func(keep func(*resolver.Node) bool) ([]*Item, error) {
		return filter(from, func(it *Item) bool { return it.Node != nil && keep(it.Node) }), nil
	}
	switch p.value {
	case "attr":
		return filter(from, func(it *Item) bool {
			objects, ok := lookUp(r.content(it), p.path)
			return ok && slices.ContainsFunc(objects, p.attr.matches)
		}), nil
	case "empty":
		return nodes(func(n *resolver.Node) bool {
			for range n.EdgesOut {
				return false
			}
			return true
		})
	case "extraneous":
		return nodes(func(n *resolver.Node) bool { return n.Extraneous })
	case "has":
		var out []*Item
		for _, it := range from {
			found, err := r.find(p.inner, []*Item{it}, it.Node)
			if err != nil {
				return nil, err
			}
			if len(found) > 0 {
				out = append(out, it)
			}
		}
		return out, nil
	case "is":
		return r.find(p.inner, from, nil)
	case "not":
		found, err := r.find(p.inner, from, nil)
		if err != nil {
			return nil, err
		}
		drop := make(map[*Item]bool, len(found))
		for _, it := range found {
			drop[it] = true
		}
		return filter(from, func(it *Item) bool { return !drop[it] }), nil
	case "invalid":
		return nodes(func(n *resolver.Node) bool {
			for e := range n.EdgesIn {
				if e.Error() == resolver.EdgeInvalid {
					return true
				}
			}
			return false
		})
	case "link":
		return nodes(func(n *resolver.Node) bool { return n.IsLink() || n.IsTop() && !n.IsRoot() })
	case "missing":
		return r.missing(), nil
	case "overridden":
		return nodes((*resolver.Node).Overridden)
	case "path":
		return nodes(func(n *resolver.Node) bool {
			return p.arg == "" || underPath(n, p.arg)
		})
	case "private":
		return filter(from, func(it *Item) bool { return r.content(it).Get("private").Truthy() }), nil
	case "root":
		return nodes(func(n *resolver.Node) bool { return target != nil && n == target.Root() })
	case "scope":
		return nodes(func(n *resolver.Node) bool { return n == target })
	case "semver":
		return r.semver(p, from)
	case "type":
		return r.byType(p.arg, from), nil
	case "deduped":
		return nodes(func(n *resolver.Node) bool {
			count := 0
			for range n.Target().EdgesIn {
				count++
			}
			return count > 1
		})
	case "vuln":
		return r.vuln(p.vulns, from)
	case "outdated":
		return r.outdated(p.arg, from), nil
	}
	return nil, failf("EQUERYNOPSEUDO", "`:%s` is not a supported pseudo selector.", p.value)
}

func underPath(n *resolver.Node, pattern string) bool {
	if !path.IsAbs(pattern) {
		pattern = n.Root().Realpath() + "/" + pattern
	}
	return minimatch.Match(n.Realpath(), path.Clean(pattern), minimatch.Options{})
}

// missing gives an item for each dependency of the tree that is nowhere.
func (r *run) missing() []*Item {
	var out []*Item
	for _, it := range r.inventory {
		for e := range it.Node.EdgesOut {
			if e.Missing() {
				out = append(out, &Item{Missing: e, Context: []jsjson.Member{{Key: "missing", Value: jsjson.NewBool(true)}}})
			}
		}
	}
	return out
}

// byType gives what edges of a type lead to, as their wish is written.
func (r *run) byType(want string, from []*Item) []*Item {
	if want == "" {
		return from
	}
	var out []*Item
	for _, it := range from {
		if it.Node == nil {
			continue
		}
		for e := range it.Node.EdgesIn {
			s, err := spec.Parse(e.Name+"@"+e.Spec(), "")
			if err == nil && (want == "registry" && s.Registry || s.Type.String() == want) {
				out = append(out, r.items[e.To()])
			}
		}
	}
	return out
}

func (r *run) set(it *Item, key string, v jsjson.Value) {
	for i := range it.Context {
		if it.Context[i].Key == key {
			it.Context[i].Value = v
			return
		}
	}
	it.Context = append(it.Context, jsjson.Member{Key: key, Value: v})
}

func (r *run) vuln(vulns []vuln, from []*Item) ([]*Item, error) {
	if len(from) == 0 {
		return from, nil
	}
	if r.advised == nil {
		packages := map[string][]string{}
		for _, it := range from {
			if it.Node == nil || it.Node.IsProjectRoot() || r.content(it).Get("private").Truthy() {
				continue
			}
			if v := it.Node.Version(); !slices.Contains(packages[it.Node.Name], v) {
				packages[it.Node.Name] = append(packages[it.Node.Name], v)
			}
		}
		var err error
		if r.advised, err = r.o.Advisories(packages); err != nil {
			return nil, err
		}
	}
	return filter(from, func(it *Item) bool {
		if it.Node == nil {
			return false
		}
		var hits []jsjson.Value
		for _, a := range r.advised[it.Node.Name] {
			if nodesemver.Satisfies(it.Node.Version(), a.VulnerableVersions, false) && a.matches(vulns) {
				hits = append(hits, a.Raw)
			}
		}
		if len(hits) == 0 {
			return false
		}
		it.Context = []jsjson.Member{{Key: "advisories", Value: jsjson.NewArray(hits...)}}
		return true
	}), nil
}

func (a Advisory) matches(vulns []vuln) bool {
	if vulns == nil {
		return true
	}
	for _, v := range vulns {
		if v.severity != nil && !slices.Contains(v.severity, "*") && !slices.Contains(v.severity, a.Severity) {
			continue
		}
		switch {
		case slices.Contains(v.cwe, "*"):
			if len(a.CWE) == 0 {
				continue
			}
		case !every(v.cwe, func(c string) bool { return slices.Contains(a.CWE, "CWE-"+c) }):
			continue
		}
		return true
	}
	return false
}

func every(all []string, ok func(string) bool) bool {
	for _, s := range all {
		if !ok(s) {
			return false
		}
	}
	return true
}

func (r *run) outdated(what string, from []*Item) []*Item {
	if what == "" {
		what = "any"
	}
	return filter(from, func(it *Item) bool {
		n := it.Node
		if n == nil || n.IsProjectRoot() || r.content(it).Get("private").Truthy() {
			return false
		}
		all, ok := r.versions[n.Name]
		if !ok {
			all = r.o.Versions(n.Name)
			r.versions[n.Name] = all
		}
		r.set(it, "versions", texts(all))
		current, err := nodesemver.Parse(n.Version(), false)
		if err != nil {
			return false
		}
		var newer []string
		var diffs []string
		for _, s := range all {
			if v, err := nodesemver.Parse(s, false); err == nil && nodesemver.Compare(v, current) > 0 {
				newer = append(newer, s)
				diffs = append(diffs, nodesemver.Diff(current, v))
			}
		}
		switch {
		case len(newer) == 0:
			return false
		case what == "any":
			return true
		case what == "major" || what == "minor" || what == "patch":
			return slices.Contains(diffs, what)
		case what == "in-range":
			return r.ranged(it, newer, "inRange", true)
		case what == "out-of-range":
			return r.ranged(it, newer, "outOfRange", false)
		}
		return false
	})
}

// ranged notes for each dependent which of the versions are in its range, or
// out of it.
func (r *run) ranged(it *Item, versions []string, key string, in bool) bool {
	var out []jsjson.Value
	for e := range it.Node.EdgesIn {
		var hits []string
		for _, v := range versions {
			if nodesemver.Satisfies(v, e.Spec(), false) == in {
				hits = append(hits, v)
			}
		}
		if len(hits) > 0 {
			out = append(out, jsjson.NewObject(
				jsjson.Member{Key: "from", Value: jsjson.NewString(e.From().Location())},
				jsjson.Member{Key: "versions", Value: texts(hits)}))
		}
	}
	if len(out) == 0 {
		return false
	}
	known := jsjson.NewObject()
	for _, m := range it.Context {
		if m.Key == "outdated" {
			known = m.Value
		}
	}
	r.set(it, "outdated", known.With(key, jsjson.NewArray(out...)))
	return true
}

func texts(all []string) jsjson.Value {
	items := make([]jsjson.Value, 0, len(all))
	for _, s := range all {
		items = append(items, jsjson.NewString(s))
	}
	return jsjson.NewArray(items...)
}
