package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/resolver"
	"github.com/ibid-pm/ibid/resolver/query"
)

func newQueryCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:     "query <selector>",
		Short:   "Find packages in the tree by a selector",
		Example: "  ibid query ':root > .prod'\n  ibid query '[license=MIT]:not(.dev)'\n  ibid query ':outdated(in-range)'",
	}, []string{"global", "workspace", "workspaces", "include-workspace-root", "package-lock-only", "expect-results", "before", "min-release-age",
		"min-release-age-exclude"}, func(c *cobra.Command, args []string) error { return runQuery(c.Context(), a, args) })
}

// runQuery follows npm's lib/commands/query.js; all its output is JSON.
func runQuery(ctx context.Context, a *App, args []string) error {
	a.Config.Set("json", config.NewBool(true), config.CLI)
	o := lookOptions{lockOnly: a.Config.Bool("package-lock-only"), scan: true, legacyPeerDeps: a.Config.Bool("legacy-peer-deps")}
	t, err := a.look(o)
	if err != nil {
		var coded *codedError
		if o.lockOnly && errors.As(err, &coded) && coded.code == "ENOLOCK" {
			return &usageError{text: "A package lock or shrinkwrap file is required in package-lock-only mode", usage: a.heading + " query <selector>"}
		}
		return err
	}
	text := ""
	if len(args) > 0 {
		text = args[0]
	}
	s, err := query.Parse(text)
	if err != nil {
		return err
	}
	targets := []*resolver.Node{t.root}
	if len(t.selected) > 0 {
		targets = t.workspaceNodes()
		if a.Config.Bool("include-workspace-root") {
			targets = append([]*resolver.Node{t.root}, targets...)
		}
	}
	q := querier{ctx: ctx, app: a, tree: t, at: map[string]int{}}
	for _, target := range targets {
		if err := q.run(s, target); err != nil {
			return err
		}
	}
	status := a.checkExpected("query", len(q.found))
	out := make([]jsjson.Value, 0, len(q.found))
	for _, it := range q.found {
		out = append(out, t.queryItem(it))
	}
	a.printJSON(jsjson.NewArray(out...))
	return status
}

// checkExpected holds the number of results against what --expect-results and
// --expect-result-count say.
func (a *App) checkExpected(command string, n int) error {
	cfg := a.Config
	switch {
	case !cfg.IsDefault("expect-results"):
		if want := cfg.Bool("expect-results"); want != (n > 0) {
			not := "no "
			if want {
				not = ""
			}
			a.logPrefixed(levelWarn, command, fmt.Sprintf("Expected %sresults, got %d", not, n))
			return statusError(1)
		}
	case !cfg.IsDefault("expect-result-count"):
		if want := cfg.Int("expect-result-count"); want != n {
			s := "s"
			if want == 1 {
				s = ""
			}
			a.logPrefixed(levelWarn, command, fmt.Sprintf("Expected %d result%s, got %d", want, s, n))
			return statusError(1)
		}
	}
	return nil
}

// querier runs a selector on one tree, for one target after the other.
type querier struct {
	ctx   context.Context
	app   *App
	tree  *lookedAt
	found []*query.Item
	at    map[string]int // where in found a place is
}

func (q *querier) run(s *query.Selector, target *resolver.Node) error {
	items, err := s.Run(query.Options{
		Target: target, Content: q.tree.content, Versions: q.versions, Advisories: q.advisories,
		Warn: func(text string) { q.app.logPrefixed(levelWarn, "query", text) },
	})
	if err != nil {
		return err
	}
	for _, it := range items {
		location := ""
		if it.Node != nil && it.Node.Target() != nil {
			location = it.Node.Target().Location()
		}
		if location == "" {
			q.found = append(q.found, it)
			continue
		}
		i, ok := q.at[location]
		if !ok {
			q.at[location] = len(q.found)
			q.found = append(q.found, it)
		} else if placeRank(it.Node) > placeRank(q.found[i].Node) {
			q.found[i] = it
		}
	}
	return nil
}

// placeRank says which of several ways to the same files npm reports.
func placeRank(n *resolver.Node) int {
	switch {
	case !strings.Contains(n.Location(), "node_modules/.store/"):
		return 2
	case n.IsLink():
		return 0
	}
	return 1
}

// queryItem gives what query prints of an item: its package.json and where it
// is.
func (t *lookedAt) queryItem(it *query.Item) jsjson.Value {
	var members []jsjson.Member
	add := func(key string, v jsjson.Value) { members = append(members, jsjson.Member{Key: key, Value: v}) }
	text := func(key, s string) {
		if s == "" {
			add(key, jsjson.NewNull())
		} else {
			add(key, jsjson.NewString(s))
		}
	}
	context := jsjson.NewObject(it.Context...)
	if it.Node == nil {
		e := it.Missing
		id := e.Name + "@" + e.Spec()
		add("name", jsjson.NewString(e.Name))
		add("version", jsjson.NewString(e.Spec()))
		add("_id", jsjson.NewString(id))
		add("pkgid", jsjson.NewString(id))
		add("path", jsjson.NewNull())
		add("realpath", jsjson.NewNull())
		add("resolved", jsjson.NewNull())
		add("from", texts([]string{e.From().Location()}))
		add("to", texts(nil))
		add("dev", jsjson.NewBool(true))
		add("inBundle", jsjson.NewBool(false))
		add("deduped", jsjson.NewBool(false))
		add("overridden", jsjson.NewBool(false))
		add("queryContext", context)
		return jsjson.NewObject(members...)
	}
	target := it.Node.Target()
	members = append(members, t.content(target).Members()...)
	place := target
	if strings.Contains(target.Location(), "node_modules/.store/") {
		place = it.Node
	}
	add("pkgid", jsjson.NewString(target.ID()))
	add("location", jsjson.NewString(place.Location()))
	add("path", jsjson.NewString(filepath.FromSlash(place.Path())))
	add("realpath", jsjson.NewString(filepath.FromSlash(target.Realpath())))
	text("resolved", target.Resolved())
	var from, to []string
	for e := range target.EdgesIn {
		from = append(from, e.From().Location())
	}
	for e := range target.EdgesOut {
		if e.To() != nil {
			to = append(to, e.To().Location())
		}
	}
	add("from", texts(from))
	add("to", texts(to))
	add("dev", jsjson.NewBool(target.Dev))
	add("inBundle", jsjson.NewBool(target.InBundle()))
	add("deduped", jsjson.NewBool(false))
	add("overridden", jsjson.NewBool(it.Node.Overridden()))
	add("queryContext", context)
	return jsjson.NewObject(members...)
}

// versions gives the published versions of a package that count by now, the
// lowest first.
func (q *querier) versions(name string) []string {
	client, err := q.app.client()
	if err != nil {
		return nil
	}
	p, err := client.Packument(q.ctx, name)
	if err != nil {
		q.app.logPrefixed(levelWarn, "query", fmt.Sprintf("could not retrieve packument for %s: %v", name, err))
		return nil
	}
	var all []*nodesemver.Version
	text := map[*nodesemver.Version]string{}
	before := q.app.Config.Before()
	limited := !before.IsZero() && !excluded(q.app.Config.MinReleaseAgeExclude())(name)
	for _, s := range p.Versions() {
		if limited {
			if at, ok := p.Published(s); !ok || at.After(before) {
				continue
			}
		}
		if v, err := nodesemver.Parse(s, false); err == nil {
			all = append(all, v)
			text[v] = s
		}
	}
	slices.SortStableFunc(all, nodesemver.Compare)
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = text[v]
	}
	return out
}

func (q *querier) advisories(packages map[string][]string) (map[string][]query.Advisory, error) {
	doc, err := q.app.advisories(q.ctx, packages)
	if err != nil {
		return nil, err
	}
	out := map[string][]query.Advisory{}
	for _, m := range doc.Members() {
		for _, v := range m.Value.Items() {
			adv := query.Advisory{VulnerableVersions: str(v, "vulnerable_versions"), Severity: str(v, "severity"), Raw: v}
			for _, c := range v.Get("cwe").Items() {
				adv.CWE = append(adv.CWE, c.Str())
			}
			out[m.Key] = append(out[m.Key], adv)
		}
	}
	return out, nil
}
