package cmd

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

func newOutdatedCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "outdated [<package> ...]", Short: "Show which packages have newer versions",
		Annotations: map[string]string{exitAnnotation: "1 when something is outdated."},
	}, []string{"all", "json", "long", "parseable", "global", "workspace", "before", "min-release-age", "min-release-age-exclude"},
		func(c *cobra.Command, args []string) error { return runOutdated(c.Context(), a, args) })
}

// dated is one dependency that is not at its latest.
type dated struct {
	name, path, kind, current, location, wanted, latest string
	dependent, dependentLocation, workspace, homepage   string
}

// runOutdated follows npm's lib/commands/outdated.js: it looks at what is
// installed and asks the registry for each dependency once.
func runOutdated(ctx context.Context, a *App, args []string) error {
	t, err := a.look(lookOptions{legacyPeerDeps: a.Config.Bool("legacy-peer-deps")})
	if err != nil {
		return err
	}
	wishes := t.wishes(a, args)
	found := make([]*dated, len(wishes))
	errs := make([]error, len(wishes))
	// After an error only what comes before it is asked for: which one is shown
	// does not depend on the network.
	last := len(wishes)
	var mu sync.Mutex
	before := func(i int) bool {
		mu.Lock()
		defer mu.Unlock()
		return i < last
	}
	failed := func(i int) {
		mu.Lock()
		defer mu.Unlock()
		last = min(last, i)
	}
	var group errgroup.Group
	group.SetLimit(max(1, a.Config.Int("maxsockets")))
	for i, w := range wishes {
		group.Go(func() error {
			if !before(i) {
				return nil
			}
			if found[i], errs[i] = a.dated(ctx, w); errs[i] != nil {
				failed(i)
			}
			return nil
		})
	}
	_ = group.Wait()
	if err := cmp.Or(errs...); err != nil {
		return err
	}
	list := slices.DeleteFunc(found, func(d *dated) bool { return d == nil })
	slices.SortStableFunc(list, func(x, y *dated) int {
		return cmp.Or(collate.Compare(x.name, y.name), collate.Compare(x.dependent, y.dependent))
	})
	long := a.Config.Bool("long")
	switch {
	case a.json():
		a.printJSON(datedJSON(list, long))
	case len(list) == 0:
	case a.Config.Bool("parseable"):
		a.out("%s", term.Safe(datedLines(list, long)))
	default:
		a.out("%s", a.ink().safe(datedTable(list, long, a.ink())))
	}
	if len(list) > 0 {
		return statusError(1)
	}
	return nil
}

// wish is a dependency that may be outdated: of a package in the project, or a
// package that is there globally, which nobody depends on.
type wish struct {
	name, spec          string
	dev, optional, peer bool
	missing             bool
	from, to            *resolver.Node // from is nil for what is there globally
}

// wishes gives the dependencies to look at: of the project and its workspaces,
// of everything, or those on the packages that are named.
func (t *lookedAt) wishes(a *App, args []string) []wish {
	set := t.filter(a, a.Config.Bool("include-workspace-root"))
	var out []wish
	seen := map[*resolver.Edge]bool{}
	track := func(e *resolver.Edge) {
		if !seen[e] && (len(set) == 0 || set[e.From().Target()]) {
			seen[e] = true
			out = append(out, wish{
				name: e.Name, spec: e.Spec(), dev: e.Type == resolver.Dev, optional: e.Optional(), peer: e.Peer(),
				missing: e.Missing(), from: e.From(), to: e.To(),
			})
		}
	}
	placed := map[*resolver.Node]bool{}
	outOf := func(n *resolver.Node) {
		if !t.global {
			for e := range n.EdgesOut {
				track(e)
			}
			return
		}
		for kid := range n.Children {
			if !placed[kid] {
				placed[kid] = true
				out = append(out, wish{name: kid.Name, dev: kid.Dev, optional: kid.Optional, peer: kid.Peer, to: kid})
			}
		}
	}
	if len(args) > 0 {
		for _, arg := range args {
			for n := range t.root.Named(arg) {
				for e := range n.EdgesIn {
					track(e)
				}
			}
		}
		return out
	}
	if a.Config.Bool("all") {
		for n := range t.root.Inventory {
			outOf(n)
		}
	}
	outOf(t.root.Target())
	if !t.global {
		for e := range t.root.EdgesOut {
			if to := e.To(); to != nil && to.Target() != nil && to.Target().IsWorkspace() {
				outOf(to.Target())
			}
		}
	}
	return out
}

// dated compares what is installed with what the registry has; nil where there
// is nothing to say.
func (a *App) dated(ctx context.Context, w wish) (*dated, error) {
	expected, name := w.spec, w.name
	alias := false
	s, err := spec.Parse(w.name+"@"+w.spec, "")
	if err == nil && s.Type == spec.Alias {
		alias, name, expected = true, s.Sub.Name, s.Sub.FetchSpec
	}
	d := &dated{name: w.name, kind: "dependencies"}
	switch {
	case w.optional:
		d.kind = "optionalDependencies"
	case w.peer:
		d.kind = "peerDependencies"
	case w.dev:
		d.kind = "devDependencies"
	}
	n := w.to
	for _, o := range a.Config.Omit() {
		dev, optional, peer := w.dev, w.optional, w.peer
		if n != nil {
			dev, optional, peer = n.Dev, n.Optional, n.Peer
		}
		if o == "dev" && dev || o == "optional" && optional || o == "peer" && peer {
			return nil, nil
		}
	}
	if w.missing && d.kind != "dependencies" || err != nil || !s.Registry {
		return nil, nil
	}
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	p, err := client.FreshPackument(ctx, name)
	if err != nil {
		return nil, unavailable(err)
	}
	o := a.pickOptions(name)
	wanted, err := registry.PickText(p, expected, o)
	if err != nil {
		return nil, unavailable(err)
	}
	latest, err := registry.PickText(p, "*", o)
	if err != nil {
		return nil, unavailable(err)
	}
	if n != nil {
		d.current, d.location, d.path = n.Package.Version, n.Location(), filepath.FromSlash(n.Path())
	}
	d.wanted, d.latest = wanted.Manifest.Version, latest.Manifest.Version
	if d.current != "" && d.current == d.wanted && d.wanted == d.latest {
		return nil, nil
	}
	if alias {
		d.name = strings.Replace(w.spec, "npm", w.name, 1)
	}
	d.dependent, d.dependentLocation = "global", "global"
	if w.from != nil {
		d.dependent, d.dependentLocation = w.from.Name, w.from.Location()
		if w.from.IsWorkspace() {
			d.workspace = w.from.ID()
		}
	}
	if a.Config.Bool("long") {
		if raw, err := p.Raw(); err == nil {
			d.homepage = str(raw.Value(), "homepage")
		}
	}
	return d, nil
}

// unavailable lets those errors pass that only mean that there is nothing to
// update to.
func unavailable(err error) error {
	var c coder
	if errors.As(err, &c) && slices.Contains([]string{"ETARGET", "E403", "E404"}, c.Code()) {
		return nil
	}
	return err
}

func datedJSON(list []*dated, long bool) jsjson.Value {
	var out []jsjson.Member
	for _, d := range list {
		var m []jsjson.Member
		add := func(key, s string) {
			if s != "" {
				m = append(m, jsjson.Member{Key: key, Value: jsjson.NewString(s)})
			}
		}
		add("current", d.current)
		add("wanted", d.wanted)
		add("latest", d.latest)
		add("dependent", d.dependent)
		add("location", d.path)
		if long {
			add("type", d.kind)
			add("homepage", d.homepage)
			m = append(m, jsjson.Member{Key: "dependedByLocation", Value: jsjson.NewString(d.dependentLocation)})
		}
		v := jsjson.NewObject(m...)
		if i := slices.IndexFunc(out, func(m jsjson.Member) bool { return m.Key == d.name }); i >= 0 {
			items := []jsjson.Value{out[i].Value}
			if out[i].Value.IsArray() {
				items = out[i].Value.Items()
			}
			out[i].Value = jsjson.NewArray(append(slices.Clip(items), v)...)
			continue
		}
		out = append(out, jsjson.Member{Key: d.name, Value: v})
	}
	return jsjson.NewObject(out...)
}

// datedLines has a line for each: where, what it should be, what it is, what
// is the latest, who wants it.
func datedLines(list []*dated, long bool) string {
	lines := make([]string, 0, len(list))
	for _, d := range list {
		current := "MISSING"
		if d.current != "" {
			current = d.name + "@" + d.current
		}
		parts := []string{d.path, d.name + "@" + d.wanted, current, d.name + "@" + d.latest, d.dependent}
		if long {
			parts = append(parts, d.kind, d.homepage, d.dependentLocation)
		}
		lines = append(lines, strings.Join(parts, ":"))
	}
	return strings.Join(lines, "\n")
}

func datedTable(list []*dated, long bool, i ink) string {
	head := []string{"Package", "Current", "Wanted", "Latest", "Location", "Depended by"}
	if long {
		head = append(head, "Package Type", "Homepage", "Depended By Location")
	}
	for j := range head {
		head[j] = i.bold(i.underline(head[j]))
	}
	rows := [][]string{head}
	for _, d := range list {
		name := i.red(d.name)
		if d.current == d.wanted {
			name = i.yellow(d.name)
		}
		by := d.dependent
		if d.workspace != "" {
			by = i.blue(d.workspace)
		}
		row := []string{name, cmp.Or(d.current, "MISSING"), i.cyan(d.wanted), i.blue(d.latest), cmp.Or(d.location, "-"), by}
		if long {
			row = append(row, d.kind, i.blue(d.homepage), d.dependentLocation)
		}
		rows = append(rows, row)
	}
	return columns(rows, false, true, true, true)
}
