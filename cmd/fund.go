package cmd

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/resolver"
)

func newFundCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "fund [<package-spec>]", Short: "Show who asks for funding, or open where to give it"},
		[]string{"json", "browser", "unicode", "workspace", "which"},
		func(c *cobra.Command, args []string) error { return runFund(c.Context(), a, args) })
}

// runFund follows npm's lib/commands/fund.js and libnpmfund.
func runFund(ctx context.Context, a *App, args []string) error {
	which := 0
	if v := a.Config.Get("which"); v.Kind() != config.Null && v.Kind() != config.Undefined {
		if which = a.Config.Int("which"); which < 1 {
			return &codedError{code: "EFUNDNUMBER", text: "`npm fund [<package-spec>] --which=fundingSourceNumber` must be given a positive integer"}
		}
	}
	if a.Config.Global() {
		return &codedError{code: "EFUNDGLOBAL", text: "`npm fund` does not support global packages"}
	}
	t, err := a.look(lookOptions{legacyPeerDeps: a.Config.Bool("legacy-peer-deps")})
	if err != nil {
		return err
	}
	if len(args) > 0 {
		return a.openFunding(ctx, t, args[0], which)
	}
	f := &funding{tree: t, seen: map[string]bool{}}
	if len(t.selected) > 0 {
		f.only = t.workspaceDependencies(false)
	}
	info := f.read()
	if a.json() {
		a.printJSON(info)
		return nil
	}
	a.out("%s", a.ink().safe(drawFunding(info, a.ink(), a.Config.Bool("unicode"))))
	return nil
}

// funding collects who asks for funding.
type funding struct {
	tree  *lookedAt
	only  map[*resolver.Node]bool // nil for all
	seen  map[string]bool
	count int
}

func (f *funding) read() jsjson.Value {
	root := f.tree.root
	deps, trailing := f.below(root)
	content := f.tree.content(root)
	name := str(content, "name")
	if name == "" {
		name = root.Name
	}
	out := []jsjson.Member{
		{Key: "length", Value: jsjson.NewNumber(float64(f.count))},
		{Key: "name", Value: jsjson.NewString(name)},
	}
	if v := str(content, "version"); v != "" {
		out = append(out, jsjson.Member{Key: "version", Value: jsjson.NewString(v)})
	}
	if v := content.Get("funding"); v.Truthy() {
		out = append(out, jsjson.Member{Key: "funding", Value: sourcesAsWritten(v)})
	}
	return jsjson.NewObject(append(out, jsjson.Member{Key: "dependencies", Value: jsjson.NewObject(append(deps, trailing...)...)})...)
}

// below gives a node's dependencies that ask for funding, and those below
// others that do not ask themselves.
func (f *funding) below(n *resolver.Node) (deps, trailing []jsjson.Member) {
	type dep struct {
		node  *resolver.Node
		asks  jsjson.Value
		valid bool
	}
	var direct []dep
	for e := range n.EdgesOut {
		if e.To() == nil {
			continue
		}
		to := e.To().Target()
		if to == nil || len(f.only) > 0 && !f.only[to] {
			continue
		}
		id := to.Package.Name + to.Package.Version
		if f.seen[id] {
			continue
		}
		f.seen[id] = true
		d := dep{node: to}
		if v := f.tree.content(to).Get("funding"); validFunding(v) {
			d.asks, d.valid = sourcesAsWritten(v), true
			f.count++
		}
		direct = append(direct, d)
	}
	for _, d := range direct {
		inner, innerTrailing := f.below(d.node)
		all := jsjson.NewObject(append(inner, innerTrailing...)...)
		if !d.valid {
			trailing = append(trailing, all.Members()...)
			continue
		}
		var item []jsjson.Member
		if v := d.node.Package.Version; v != "" {
			item = append(item, jsjson.Member{Key: "version", Value: jsjson.NewString(v)})
		}
		item = append(item, jsjson.Member{Key: "funding", Value: d.asks})
		if all.Len() > 0 {
			item = append(item, jsjson.Member{Key: "dependencies", Value: all})
		}
		deps = append(deps, jsjson.Member{Key: d.node.Package.Name, Value: jsjson.NewObject(item...)})
	}
	return deps, trailing
}

func fundingSource(v jsjson.Value) jsjson.Value {
	if v.IsString() {
		return jsjson.NewObject(jsjson.Member{Key: "url", Value: v})
	}
	return v
}

// sourcesAsWritten gives one source or a list of them, each an object.
func sourcesAsWritten(v jsjson.Value) jsjson.Value {
	if !v.IsArray() {
		return fundingSource(v)
	}
	var out []jsjson.Value
	for _, s := range v.Items() {
		out = append(out, fundingSource(s))
	}
	return jsjson.NewArray(out...)
}

// sourcesOf gives the sources that have an address.
func sourcesOf(v jsjson.Value) []jsjson.Value {
	all := []jsjson.Value{v}
	if v.IsArray() {
		all = v.Items()
	}
	var out []jsjson.Value
	for _, s := range all {
		if validFunding(s) && !s.IsArray() {
			out = append(out, fundingSource(s))
		}
	}
	return out
}

func validFunding(v jsjson.Value) bool {
	if v.IsArray() {
		return !slices.ContainsFunc(v.Items(), func(s jsjson.Value) bool { return s.IsArray() || !validFunding(s) })
	}
	text := v.Str()
	if v.IsObject() {
		text = str(v, "url")
	}
	return webAddress(text)
}

// webAddress says whether a text is a URL that a browser may be sent to.
func webAddress(s string) bool {
	u, err := url.Parse(strings.TrimSpace(s))
	return err == nil && (strings.EqualFold(u.Scheme, "https") || strings.EqualFold(u.Scheme, "http")) && u.Host != ""
}

// drawFunding shows the packages under the addresses where they ask.
func drawFunding(info jsjson.Value, i ink, unicode bool) string {
	type entry struct {
		branch *branch
		label  string // the address
		ids    string
	}
	byURL := map[string]*entry{}
	var finish []*entry
	var visit func(name string, v jsjson.Value) *branch
	visit = func(name string, v jsjson.Value) *branch {
		id := name
		if version := str(v, "version"); version != "" {
			id += "@" + version
		}
		b := &branch{label: id}
		keep := true
		if s := sourcesOf(v.Get("funding")); len(s) > 0 {
			address := str(s[0], "url")
			if e := byURL[address]; e != nil {
				e.ids += i.dim(",") + " " + id
				keep = false
			} else {
				e := &entry{branch: b, label: i.blue(address), ids: id}
				byURL[address] = e
				finish = append(finish, e)
			}
		}
		for _, m := range v.Get("dependencies").Members() {
			if c := visit(m.Key, m.Value); c != nil && keep {
				b.nodes = append(b.nodes, c)
			}
		}
		if !keep {
			return nil
		}
		return b
	}
	root := visit(str(info, "name"), info)
	for _, e := range finish {
		e.branch.label = strings.TrimSpace(draw(&branch{label: e.label, nodes: []*branch{{label: e.ids}}}, unicode))
	}
	return draw(root, unicode)
}

func (a *App) openFunding(ctx context.Context, t *lookedAt, arg string, which int) error {
	s, err := spec.Parse(arg, t.dir)
	if err != nil {
		return err
	}
	content := t.fundingContent(s)
	if content.IsUndefined() && s.Type != spec.Directory {
		if m, err := a.packageManifest(ctx, s); err == nil {
			content = m
		}
	}
	sources := sourcesOf(content.Get("funding"))
	if len(sources) == 0 {
		return &codedError{code: "ENOFUND", text: "No valid funding method available for: " + arg}
	}
	message := func(s jsjson.Value) (title, address string) {
		title = "Funding"
		if typ := str(s, "type"); typ != "" {
			title = typ + " funding"
		}
		return title + " available at the following URL", str(s, "url")
	}
	switch {
	case which > 0 && which <= len(sources):
		title, address := message(sources[which-1])
		return a.openURL(ctx, title, address)
	case which == 0 && len(sources) == 1:
		title, address := message(sources[0])
		return a.openURL(ctx, title, address)
	}
	var lines []string
	if which > 0 {
		lines = append(lines, fmt.Sprintf("--which=%d is not a valid index", which))
	}
	for i, s := range sources {
		title, address := message(s)
		lines = append(lines, fmt.Sprintf("%d: %s: %s", i+1, title, address))
	}
	lines = append(lines, "Run `npm fund [<package-spec>] --which=1`, for example, to open the first funding URL listed in that package")
	a.out("%s", term.Safe(strings.Join(lines, "\n")))
	return nil
}

// fundingContent finds what the tree knows of a package: by folder, or the
// highest version of a name.
func (t *lookedAt) fundingContent(s *spec.Spec) jsjson.Value {
	var best *resolver.Node
	for n := range t.root.Inventory {
		if s.Type == spec.Directory {
			if filepath.FromSlash(n.Path()) == filepath.Clean(s.FetchSpec) {
				return t.content(n)
			}
			continue
		}
		if n.Name != s.Name || !nodesemver.Valid(n.Package.Version, false) {
			continue
		}
		if best == nil || higher(n.Package.Version, best.Package.Version) {
			best = n
		}
	}
	if best == nil {
		return jsjson.Value{}
	}
	return t.content(best)
}

func higher(a, b string) bool {
	x, errA := nodesemver.Parse(a, false)
	y, errB := nodesemver.Parse(b, false)
	return errA == nil && errB == nil && nodesemver.Compare(x, y) > 0
}
