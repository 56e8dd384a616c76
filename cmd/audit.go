package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

// advisories asks the registry which advisories there are for versions of
// packages; the answer has a list for each name that has any.
func (a *App) advisories(ctx context.Context, packages map[string][]string) (jsjson.Value, error) {
	client, err := a.client()
	if err != nil {
		return jsjson.Value{}, err
	}
	names := make([]string, 0, len(packages))
	for name := range packages {
		names = append(names, name)
	}
	sort.Strings(names)
	w := jsjson.NewWriter(nil, "", "")
	w.Object()
	for _, name := range names {
		w.Key(name)
		w.Array()
		for _, v := range packages[name] {
			w.Str(v)
		}
		w.End()
	}
	w.End()
	res, err := client.Do(ctx, registry.Request{
		Method: "POST", URL: "/-/npm/v1/security/advisories/bulk", Registry: a.Config.Registry(""), Body: w.Bytes(), Gzip: true, Public: true,
	})
	if err != nil {
		return jsjson.Value{}, err
	}
	return res.JSON()
}

func newAuditCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "audit [fix|signatures]", Short: "Look for known vulnerabilities in what the lock says",
		Long: "\"audit fix\" installs versions that are not vulnerable where package.json allows them, with\n" +
			"--force also where it does not. \"audit signatures\" checks that a registry has signed what is installed.",
		Annotations: map[string]string{exitAnnotation: "1 when something at or above --audit-level was found."},
	}, []string{"audit-level", "dry-run", "force", "json", "package-lock-only", "package-lock", "omit", "include", "foreground-scripts",
		"ignore-scripts", "include-attestations", "workspace", "workspaces", "include-workspace-root", "install-links"},
		func(c *cobra.Command, args []string) error { return runAudit(c.Context(), a, c, args) })
}

// runAudit follows npm's lib/commands/audit.js and arborist's audit-report.js.
func runAudit(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	fix := len(args) > 0 && args[0] == "fix"
	if len(args) > 0 && args[0] == "signatures" {
		return runAuditSignatures(ctx, a)
	}
	if fix && !a.Config.PackageLock() {
		return a.usage(c, "fix cannot be used without a package-lock")
	}
	if a.Config.Global() {
		return &codedError{code: "EAUDITGLOBAL", text: "`npm audit` does not support testing globals"}
	}
	t, err := a.look(lookOptions{lockOnly: a.Config.PackageLock(), legacyPeerDeps: a.Config.Bool("legacy-peer-deps")})
	if err != nil {
		return err
	}
	r := a.newAuditReport(t, t.filter(a, a.Config.Bool("include-workspace-root")))
	if err := r.load(ctx); err != nil {
		a.partial = refusedAudit(err)
		return &codedError{code: errorCode(err), text: "audit endpoint returned an error: " + err.Error(), hints: a.explained(err).hints}
	}
	if fix {
		return r.fix(ctx)
	}
	doc := r.json()
	if a.json() {
		a.printJSON(doc)
	} else {
		a.out("%s", a.ink().safe(auditText(doc, a.ink())))
	}
	return a.auditStatus(doc)
}

// refusedAudit is what --json prints beside the error where the registry does not say
// what is vulnerable (npm: lib/utils/audit-error.js). Its headers are left out.
func refusedAudit(err error) jsjson.Value {
	var refused *registry.Error
	if !errors.As(err, &refused) {
		return jsjson.Value{}
	}
	doc := jsjson.NewObject(textMember("message", refused.Summary()))
	if refused.Status == 0 {
		return doc
	}
	doc = doc.With("method", jsjson.NewString(refused.Method)).With("uri", jsjson.NewString(refused.URL)).
		With("statusCode", jsjson.NewNumber(float64(refused.Status)))
	body, err := jsjson.Parse(refused.Body)
	if err != nil {
		body = jsjson.NewString(string(refused.Body))
	}
	return doc.With("body", body)
}

func (a *App) newAuditReport(t *lookedAt, only map[*resolver.Node]bool) *auditReport {
	return &auditReport{app: a, tree: t, only: only, vulns: map[string]*vulnerable{},
		metas: map[metaKey]*advisory{}, packuments: map[string]*registry.Packument{}}
}

// auditStatus is the exit status that a report asks for.
func (a *App) auditStatus(doc jsjson.Value) error {
	level := severityRank(a.Config.String("audit-level"))
	if a.Config.String("audit-level") == "" {
		level = severityRank("low")
	}
	for _, m := range doc.Get("metadata").Get("vulnerabilities").Members() {
		if m.Key != "total" && m.Value.Num() > 0 && severityRank(m.Key) >= level {
			return statusError(1)
		}
	}
	return nil
}

// severityRank orders severities; one that is unknown is below all.
func severityRank(s string) int {
	return slices.Index([]string{"info", "low", "moderate", "high", "critical", "none"}, s)
}

// auditReport is what is vulnerable in a tree, and why.
type auditReport struct {
	app        *App
	tree       *lookedAt
	only       map[*resolver.Node]bool   // nil for all
	installed  func(*resolver.Node) bool // what counts in the metadata; nil for all
	byName     map[string][]*resolver.Node
	order      []*vulnerable
	vulns      map[string]*vulnerable
	metas      map[metaKey]*advisory
	packuments map[string]*registry.Packument
}

type metaKey struct {
	name   string
	source *advisory
}

// advisory is a range of a package's versions that are vulnerable: because the
// registry says so, or, for a metavuln, because none of them gets along without
// a vulnerable version of a dependency (npm: @npmcli/metavuln-calculator).
type advisory struct {
	name, dependency   string
	raw                jsjson.Value // of the registry's
	source             *advisory    // of a metavuln
	severity, rng      string
	packument          *registry.Packument // nil where the registry has none
	versions           []string            // the lowest first
	lines              [][]string          // those of each minor release
	marked             map[string]bool     // those that are vulnerable, or are taken for it
	tested, testedSpec map[string]bool
}

// vulnerable is a package with advisories that hold for some of its nodes.
type vulnerable struct {
	name       string
	advisories []*advisory
	nodes      []*resolver.Node
	topNodes   map[*resolver.Node]bool
	via        []*vulnerable
	effects    []*vulnerable
	fix        fixing
	blocked    *blockedFix // nil for none
}

// blockedFix is a version that would be free of a vulnerability, and that is too
// new to be taken.
type blockedFix struct {
	version string
	before  time.Time
}

// fixing says how a vulnerability can be fixed.
type fixing struct {
	kind          fixKind
	name, version string
	major         bool
}

type fixKind uint8

const (
	fixInRange fixKind = iota // by audit fix
	fixNone
	fixForced // by audit fix --force
)

// load asks the registry and finds out what follows.
func (r *auditReport) load(ctx context.Context) error {
	packages := r.packages()
	if len(packages) == 0 || r.app.Config.Bool("offline") {
		return nil
	}
	doc, err := r.app.advisories(ctx, packages)
	if err != nil {
		return err
	}
	r.prefetch(ctx, doc)
	r.follow(ctx, doc)
	return nil
}

// packages are the names and versions to ask about.
func (r *auditReport) packages() map[string][]string {
	packages := map[string][]string{}
	r.byName = map[string][]*resolver.Node{}
	for n := range r.tree.root.Inventory {
		if !r.audits(n) {
			continue
		}
		name := n.Package.Name
		r.byName[name] = append(r.byName[name], n)
		if !slices.Contains(packages[name], n.Version()) {
			packages[name] = append(packages[name], n.Version())
		}
	}
	return packages
}

// prefetch has the packuments of what the registry's answer names on their way,
// all at once.
func (r *auditReport) prefetch(ctx context.Context, doc jsjson.Value) {
	var names []string
	for _, m := range doc.Members() {
		names = append(names, m.Key)
	}
	r.warm(ctx, names)
}

// warm asks for packuments, so that the client has them when they are needed one
// after the other.
func (r *auditReport) warm(ctx context.Context, names []string) {
	client, err := r.app.client()
	if err != nil {
		return
	}
	var g errgroup.Group
	g.SetLimit(auditFetches)
	for _, name := range names {
		g.Go(func() error {
			client.Packument(ctx, name) // its error is told to who asks again
			return nil
		})
	}
	g.Wait()
}

// auditFetches is how many packuments are asked for at once: npm's maxsockets.
const auditFetches = 15

// follow finds out which nodes the registry's answer is about, and who cannot do
// without them.
func (r *auditReport) follow(ctx context.Context, doc jsjson.Value) {
	var queue []*advisory
	for _, m := range doc.Members() {
		for _, v := range m.Value.Items() {
			queue = append(queue, r.advisory(ctx, m.Key, v))
		}
	}
	queued := map[*advisory]bool{}
	for _, adv := range queue {
		queued[adv] = true
	}
	searched := map[string]bool{}
	for i := 0; i < len(queue); i++ {
		adv := queue[i]
		v := r.vulns[adv.name]
		if v == nil {
			v = &vulnerable{name: adv.name, topNodes: map[*resolver.Node]bool{}}
			r.vulns[adv.name] = v
			r.order = append(r.order, v)
		}
		v.advisories = append(v.advisories, adv)
		key := adv.name + "@" + adv.rng
		if searched[key] {
			continue
		}
		searched[key] = true
		r.warm(ctx, r.dependents(adv))
		for _, n := range r.byName[adv.name] {
			if !adv.hits(n.Version(), "") || slices.Contains(v.nodes, n) {
				continue
			}
			v.nodes = append(v.nodes, n)
			for e := range n.EdgesIn {
				dep := e.From()
				if dep.IsTop() && !v.topNodes[dep] {
					v.fix = r.fixFor(v, adv, e.Spec())
					if v.fix.kind != fixInRange {
						v.topNodes[dep] = true
					} else {
						v.blocked = r.blockedFix(v, adv, e.Spec())
					}
					continue
				}
				if meta := r.meta(ctx, dep.Package.Name, adv); meta.hits(dep.Version(), e.Spec()) && !queued[meta] {
					queued[meta] = true
					queue = append(queue, meta)
				}
			}
		}
		if len(v.nodes) == 0 {
			delete(r.vulns, adv.name)
			r.order = slices.DeleteFunc(r.order, func(x *vulnerable) bool { return x == v })
		}
	}
	for _, v := range r.order {
		for _, adv := range v.advisories {
			if from := r.vulns[adv.dependency]; adv.source != nil && from != nil && !slices.Contains(v.via, from) {
				v.via = append(v.via, from)
				from.effects = append(from.effects, v)
				v.spreadFix(v.fix)
			}
		}
	}
}

// dependents are the names of who asks for what an advisory is about, as far as
// they are not known yet.
func (r *auditReport) dependents(adv *advisory) []string {
	var names []string
	for _, n := range r.byName[adv.name] {
		if !adv.hits(n.Version(), "") {
			continue
		}
		for e := range n.EdgesIn {
			name := e.From().Package.Name
			if _, known := r.packuments[name]; !known && !e.From().IsTop() && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (r *auditReport) audits(n *resolver.Node) bool {
	if n.Version() == "" || n.IsRoot() || n.IsLink() || len(r.only) > 0 && !r.only[n] {
		return false
	}
	for range n.LinksIn {
		return false
	}
	return !r.app.omits(n)
}

// spreadFix makes what led to a vulnerability at least as hard to fix.
func (v *vulnerable) spreadFix(f fixing) {
	v.fix = f
	for _, from := range v.via {
		switch {
		case from.fix == f:
		case f.kind == fixNone, from.fix.kind == fixInRange:
			from.spreadFix(f)
		case f.kind == fixForced && (from.fix.kind != fixForced || !from.fix.major):
			from.spreadFix(f)
		}
	}
}

func loose() nodesemver.Options { return nodesemver.Options{Loose: true, IncludePrerelease: true} }

func (v *vulnerable) ranges() string {
	var all []string
	for _, adv := range v.advisories {
		all = append(all, adv.rng)
	}
	return strings.Join(all, " || ")
}

// fixFor says how the dependents with a wish at the top can be helped.
func (r *auditReport) fixFor(v *vulnerable, adv *advisory, wish string) fixing {
	s, err := spec.Resolve(v.name, wish, r.tree.dir)
	if err != nil || !s.Registry {
		return fixing{kind: fixNone}
	}
	if s.Type == spec.Alias {
		s = s.Sub
	}
	avoid := v.ranges()
	for _, version := range adv.versions {
		if nodesemver.Satisfies(version, s.RawSpec, false) && !nodesemver.SatisfiesWith(version, avoid, loose()) {
			return fixing{}
		}
	}
	if adv.packument == nil {
		return fixing{kind: fixNone}
	}
	o := r.app.pickOptions(v.name)
	o.Before, o.Avoid, o.AvoidStrict = time.Time{}, avoid, true
	picked, err := registry.PickVersion(adv.packument, s, o)
	if err != nil {
		return fixing{kind: fixNone}
	}
	return fixing{kind: fixForced, name: v.name, version: picked.Version, major: picked.IsSemVerMajor}
}

// blockedFix says whether the version that would fix the wish of a dependent at
// the top is newer than what may be installed (npm: min-release-age, before).
func (r *auditReport) blockedFix(v *vulnerable, adv *advisory, wish string) *blockedFix {
	o := r.app.pickOptions(v.name)
	before := r.app.Config.Before()
	if before.IsZero() || o.Before.After(before) || adv.packument == nil {
		return nil
	}
	s, err := spec.Resolve(v.name, wish, r.tree.dir)
	if err != nil || !s.Registry {
		return nil
	}
	if s.Type == spec.Alias {
		s = s.Sub
	}
	o.Avoid = v.ranges()
	within, err := registry.PickVersion(adv.packument, s, o)
	if err == nil && !within.ShouldAvoid {
		return nil
	}
	o.Before = time.Time{}
	free, err := registry.PickVersion(adv.packument, s, o)
	if err != nil {
		return nil
	}
	return &blockedFix{version: free.Version, before: before}
}

func (r *auditReport) advisory(ctx context.Context, name string, raw jsjson.Value) *advisory {
	adv := &advisory{name: name, dependency: name, raw: raw, severity: cmp.Or(str(raw, "severity"), "high"), rng: cmp.Or(str(raw, "vulnerable_versions"), "*")}
	r.fill(ctx, adv)
	adv.testAll()
	return adv
}

// meta gives the advisory for those who depend on what another is about.
func (r *auditReport) meta(ctx context.Context, name string, source *advisory) *advisory {
	key := metaKey{name, source}
	if adv := r.metas[key]; adv != nil {
		return adv
	}
	adv := &advisory{name: name, dependency: source.name, source: source, severity: source.severity}
	r.metas[key] = adv
	r.fill(ctx, adv)
	adv.testAll()
	adv.rng = adv.vulnerableRange()
	return adv
}

func (r *auditReport) fill(ctx context.Context, adv *advisory) {
	adv.tested, adv.testedSpec, adv.marked = map[string]bool{}, map[string]bool{}, map[string]bool{}
	p, ok := r.packuments[adv.name]
	if !ok {
		if client, err := r.app.client(); err == nil {
			p, _ = client.Packument(ctx, adv.name)
		}
		r.packuments[adv.name] = p
	}
	if p == nil {
		return
	}
	adv.packument = p
	adv.has(p.Versions())
}

// has sorts the versions that there are, and finds those of each minor release.
func (adv *advisory) has(versions []string) {
	all := make([]*nodesemver.Version, 0, len(versions))
	text := map[*nodesemver.Version]string{}
	for _, s := range versions {
		if v, err := nodesemver.Parse(s, true); err == nil {
			all = append(all, v)
			text[v] = s
		}
	}
	slices.SortStableFunc(all, nodesemver.Compare)
	for i, v := range all {
		adv.versions = append(adv.versions, text[v])
		if i == 0 || v.Major() != all[i-1].Major() || v.Minor() != all[i-1].Minor() {
			adv.lines = append(adv.lines, nil)
		}
		last := &adv.lines[len(adv.lines)-1]
		*last = append(*last, text[v])
	}
}

// testAll marks the vulnerable versions as npm does, which does not look at all of
// them (npm: advisory.js _testVersions). Of each minor release, what lies between two
// that are vulnerable is vulnerable; where its ends differ it is halved. Prereleases at
// an end go with the first of them, where there is a release as well.
func (adv *advisory) testAll() {
	prerelease := func(v string) bool { return strings.Contains(v, "-") }
	for sets := adv.lines; len(sets) > 0; sets = sets[1:] {
		set := sets[0]
		last := len(set) - 1
		mark := func(from, to int) {
			for _, v := range set[from:to] {
				adv.marked[v] = true
			}
		}
		head := adv.hits(set[0], "")
		h := 0
		for h < len(set) && prerelease(set[h]) {
			h++
		}
		if h == len(set) {
			h = 0
		} else if head {
			mark(0, h)
		}
		tail := adv.hits(set[last], "")
		t := last
		for t > h && prerelease(set[t]) {
			t--
		}
		if t == h {
			t = last
		} else if tail {
			mark(t+1, len(set))
		}
		if h != 0 {
			head = adv.hits(set[h], "")
		}
		if t != last {
			tail = adv.hits(set[t], "")
		}
		if head && tail {
			mark(h, max(h, t))
			continue
		}
		if t < h+2 {
			continue
		}
		mid := len(set) / 2
		pre, post := set[:mid], set[mid:]
		if !prerelease(pre[0]) {
			hit := adv.hits(pre[len(pre)-1], "")
			for ; prerelease(pre[len(pre)-1]); pre = pre[:len(pre)-1] {
				if hit {
					adv.marked[pre[len(pre)-1]] = true
				}
			}
		}
		if !prerelease(post[len(post)-1]) {
			hit := adv.hits(post[0], "")
			for ; prerelease(post[0]); post = post[1:] {
				if hit {
					adv.marked[post[0]] = true
				}
			}
		}
		sets = append(sets[:len(sets):len(sets)], pre, post)
	}
}

// hits says whether a version is vulnerable. For a version that the registry
// does not have, wish is what it asks of the dependency.
func (adv *advisory) hits(version, wish string) bool {
	hit, known := adv.tested[version]
	if !known {
		hit = adv.marked[version] || adv.test(version, wish)
		adv.tested[version] = hit
	}
	if hit {
		adv.marked[version] = true
	}
	return hit
}

func (adv *advisory) test(version, wish string) bool {
	if adv.source == nil {
		return nodesemver.SatisfiesWith(version, adv.rng, loose())
	}
	bundled := false
	if adv.packument != nil {
		if m, err := adv.packument.Manifest(version); err == nil {
			bundled = slices.Contains(m.BundleDependencies, adv.dependency)
			for _, deps := range []manifest.Deps{m.Dependencies, m.OptionalDependencies, m.PeerDependencies} {
				if s, ok := deps.Get(adv.dependency); ok && wish == "" {
					wish = s
				}
			}
		}
	}
	if wish == "" {
		return false
	}
	rng, err := nodesemver.ParseRange(wish, loose())
	if err != nil {
		return true // nothing that can be compared
	}
	if bundled {
		avoid, err := nodesemver.ParseRange(adv.source.rng, loose())
		return err == nil && nodesemver.Intersects(rng, avoid)
	}
	return adv.source.hitsAll(wish)
}

// hitsAll says whether nothing that a wish allows is free of the
// vulnerability.
func (adv *advisory) hitsAll(wish string) bool {
	if known, ok := adv.testedSpec[wish]; ok {
		return known
	}
	adv.testedSpec[wish] = true // for those who depend on themselves
	for _, v := range adv.versions {
		if nodesemver.SatisfiesWith(v, wish, loose()) && !adv.hits(v, "") {
			adv.testedSpec[wish] = false
			return false
		}
	}
	return true
}

// vulnerableRange writes a metavuln's vulnerable versions as a range. Prereleases
// that nobody has looked at belong to what follows them, at its beginning too
// (npm: advisory.js _calculateRange).
func (adv *advisory) vulnerableRange() string {
	var ranges []string
	newest := len(adv.versions) - 1
	for i := 0; i <= newest; i++ {
		first, last := i, -1
		for ; i <= newest; i++ {
			if adv.marked[adv.versions[i]] {
				last = i
			} else if !strings.Contains(adv.versions[i], "-") {
				break
			}
		}
		switch {
		case last < 0:
		case last == newest:
			ranges = append(ranges, ">="+adv.versions[first])
		case first == last:
			ranges = append(ranges, adv.versions[first])
		default:
			ranges = append(ranges, adv.versions[first]+" - "+adv.versions[last])
		}
	}
	if len(ranges) == 0 {
		return "<0.0.0-0"
	}
	return simplifyRange(adv.versions, strings.Join(ranges, " || "))
}

// severityInk colours how bad something is (npm: npm-audit-report lib/colors.js).
func severityInk(severity string, i ink) string {
	bold := i.bold(severity)
	switch strings.ToLower(severity) {
	case "moderate":
		return i.yellow(bold)
	case "high":
		return i.red(bold)
	case "critical":
		return i.magenta(bold)
	}
	return bold
}

// simplifyRange writes a range shorter if it means the same for the versions,
// which are sorted (npm: semver ranges/simplify.js).
func simplifyRange(versions []string, text string) string {
	rng, err := nodesemver.ParseRange(text, loose())
	if err != nil {
		return text
	}
	var ranges []string
	first, last := "", ""
	add := func(open bool) {
		switch {
		case first == "":
		case open && first == versions[0]:
			ranges = append(ranges, "*")
		case open:
			ranges = append(ranges, ">="+first)
		case first == last:
			ranges = append(ranges, first)
		case first == versions[0]:
			ranges = append(ranges, "<="+last)
		default:
			ranges = append(ranges, first+" - "+last)
		}
		first, last = "", ""
	}
	for _, v := range versions {
		if rng.MatchString(v) {
			first, last = cmp.Or(first, v), v
		} else {
			add(false)
		}
	}
	add(true)
	if simple := strings.Join(ranges, " || "); len(simple) < len(text) {
		return simple
	}
	return text
}

func (r *auditReport) json() jsjson.Value {
	number := func(key string, n int) jsjson.Member {
		return jsjson.Member{Key: key, Value: jsjson.NewNumber(float64(n))}
	}
	slices.SortStableFunc(r.order, func(a, b *vulnerable) int { return collate.Compare(a.name, b.name) })
	severities := map[string]int{}
	var vulns []jsjson.Member
	for _, v := range r.order {
		severities[v.severity()]++
		vulns = append(vulns, jsjson.Member{Key: v.name, Value: v.json()})
	}
	var counts []jsjson.Member
	for _, s := range []string{"info", "low", "moderate", "high", "critical"} {
		counts = append(counts, number(s, severities[s]))
	}
	prod, dev, optional, peer, total := 0, 0, 0, 0, -1
	for n := range r.tree.root.Inventory {
		if r.installed != nil && !n.IsProjectRoot() && !r.installed(n) {
			continue
		}
		total++
		if n.Dev {
			dev++
		}
		if n.Optional {
			optional++
		}
		if n.Peer {
			peer++
		}
		if !n.Dev && !n.Optional && !n.Peer {
			prod++
		}
	}
	return jsjson.NewObject(
		number("auditReportVersion", 2),
		jsjson.Member{Key: "vulnerabilities", Value: jsjson.NewObject(vulns...)},
		jsjson.Member{Key: "metadata", Value: jsjson.NewObject(
			jsjson.Member{Key: "vulnerabilities", Value: jsjson.NewObject(append(counts, number("total", len(r.order)))...)},
			jsjson.Member{Key: "dependencies", Value: jsjson.NewObject(number("prod", prod), number("dev", dev), number("optional", optional),
				number("peer", peer), number("peerOptional", 0), number("total", total))},
		)},
	)
}

func (v *vulnerable) severity() string {
	worst := ""
	for _, adv := range v.advisories {
		if severityRank(adv.severity) > severityRank(worst) {
			worst = adv.severity
		}
	}
	return worst
}

func (v *vulnerable) json() jsjson.Value {
	direct := false
	var places, effects []string
	for _, n := range v.nodes {
		places = append(places, n.Location())
		for e := range n.EdgesIn {
			direct = direct || e.From().IsProjectRoot() || e.From().IsWorkspace()
		}
	}
	for _, e := range v.effects {
		effects = append(effects, e.name)
	}
	slices.SortFunc(places, collate.Compare)
	slices.SortFunc(effects, collate.Compare)
	type via struct {
		key string
		v   jsjson.Value
	}
	var vias []via
	for _, adv := range v.advisories {
		if adv.source != nil {
			vias = append(vias, via{adv.dependency, jsjson.NewString(adv.dependency)})
			continue
		}
		members := []jsjson.Member{{Key: "source", Value: adv.raw.Get("id")}, text("name", adv.name), text("dependency", adv.dependency)}
		for _, key := range []string{"title", "url"} {
			members = append(members, jsjson.Member{Key: key, Value: adv.raw.Get(key)})
		}
		members = append(members, text("severity", adv.severity))
		for _, key := range []string{"cwe", "cvss"} {
			members = append(members, jsjson.Member{Key: key, Value: adv.raw.Get(key)})
		}
		vias = append(vias, via{adv.raw.Get("id").Text(), jsjson.NewObject(append(members, text("range", adv.rng))...)})
	}
	slices.SortStableFunc(vias, func(a, b via) int { return collate.Compare(a.key, b.key) })
	var list []jsjson.Value
	for _, x := range vias {
		list = append(list, x.v)
	}
	fix := jsjson.NewBool(v.fix.kind == fixInRange)
	if v.fix.kind == fixForced {
		fix = jsjson.NewObject(text("name", v.fix.name), text("version", v.fix.version), jsjson.Member{Key: "isSemVerMajor", Value: jsjson.NewBool(v.fix.major)})
	}
	out := jsjson.NewObject(
		text("name", v.name), text("severity", v.severity()), jsjson.Member{Key: "isDirect", Value: jsjson.NewBool(direct)},
		jsjson.Member{Key: "via", Value: jsjson.NewArray(list...)}, jsjson.Member{Key: "effects", Value: texts(effects)},
		text("range", simplifyRange(v.advisories[0].versions, v.ranges())), jsjson.Member{Key: "nodes", Value: texts(places)},
		jsjson.Member{Key: "fixAvailable", Value: fix},
	)
	if v.blocked != nil {
		out = out.With("fixBlockedByReleaseAge", jsjson.NewObject(text("version", v.blocked.version), text("before", jsDate(v.blocked.before))))
	}
	return out
}

// jsDate writes a time as JavaScript's JSON does.
func jsDate(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// auditText is the report for people (npm: npm-audit-report).
func auditText(doc jsjson.Value, i ink) string {
	summary := auditSummary(doc, i)
	vulns := doc.Get("vulnerabilities")
	if vulns.Len() == 0 {
		return summary
	}
	out := []string{i.bold("# npm audit report"), ""}
	printed := map[string]bool{}
	for _, m := range vulns.Members() {
		if slices.ContainsFunc(m.Value.Get("via").Items(), jsjson.Value.IsObject) {
			out = append(out, auditEntry(m.Value, vulns, printed, i, false)...)
		}
	}
	return strings.Join(append(out, summary), "\n")
}

func auditEntry(v, all jsjson.Value, printed map[string]bool, i ink, inner bool) []string {
	name := str(v, "name")
	if printed[name] {
		return nil
	}
	printed[name] = true
	out := []string{i.bold(name) + "  " + str(v, "range")}
	if !inner && str(v, "severity") != "low" {
		out = append(out, "Severity: "+severityInk(str(v, "severity"), i))
	}
	for _, via := range v.Get("via").Items() {
		switch {
		case via.IsString():
			out = append(out, "Depends on vulnerable versions of "+i.bold(via.Str()))
		case !inner:
			out = append(out, i.bold(via.Get("title").Text())+" - "+via.Get("url").Text())
		}
	}
	if !inner {
		switch fix := v.Get("fixAvailable"); {
		case fix.IsObject():
			how := "outside the stated dependency range"
			if fix.Get("isSemVerMajor").Bool() {
				how = "a breaking change"
			}
			out = append(out, i.yellow("fix available")+" via `npm audit fix --force`",
				"Will install "+str(fix, "name")+"@"+str(fix, "version")+", which is "+how)
		case fix.Bool():
			out = append(out, i.green("fix available")+" via `npm audit fix`")
		default:
			out = append(out, i.red("No fix available"))
		}
	}
	for _, n := range v.Get("nodes").Items() {
		out = append(out, i.dim(n.Str()))
	}
	for _, e := range v.Get("effects").Items() {
		out = append(out, auditEntry(all.Get(e.Str()), all, printed, i, true)...)
	}
	if !inner {
		return append(out, "")
	}
	for j := range out {
		out[j] = "  " + out[j]
	}
	return out
}

func auditSummary(doc jsjson.Value, i ink) string {
	counts := doc.Get("metadata").Get("vulnerabilities")
	total := int(counts.Get("total").Num())
	if total == 0 {
		return "found " + i.green("0") + " vulnerabilities"
	}
	var each []string
	single := ""
	for _, s := range []string{"low", "moderate", "high", "critical"} {
		if n := int(counts.Get(s).Num()); n > 0 {
			each = append(each, fmt.Sprintf("%d %s", n, s))
			single = fmt.Sprintf("%d %s severity vulnerabilit", n, s)
			if n == 1 {
				single += "y"
			} else {
				single += "ies"
			}
		}
	}
	out := []string{single}
	if len(each) != 1 {
		out[0] = fmt.Sprintf("%d vulnerabilities (%s)", total, strings.Join(each, ", "))
	}
	var easy, forced, major, none bool
	for _, m := range doc.Get("vulnerabilities").Members() {
		fix := m.Value.Get("fixAvailable")
		forced = forced || fix.IsObject()
		major = major || fix.Get("isSemVerMajor").Bool()
		easy = easy || fix.Bool()
		none = none || !fix.IsObject() && !fix.Bool()
	}
	if easy {
		what := "all issues"
		if forced || none {
			what = "issues that do not require attention"
		}
		out = append(out, "", "To address "+what+", run:\n  npm audit fix")
	}
	if forced {
		what := "To address all issues"
		if none {
			what += " possible"
		}
		if major {
			what += " (including breaking changes)"
		}
		out = append(out, "", what+", run:\n  npm audit fix --force")
	}
	if none {
		out = append(out, "", "Some issues need review, and may require choosing", "a different dependency.")
	}
	return strings.Join(out, "\n")
}
