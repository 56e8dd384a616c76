package cmd

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/resolver"
)

func newExplainCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "explain <package-spec> ...", Aliases: []string{"why"},
		Short:   "Say why a package is installed",
		Example: "  ibid why glob\n  ibid why node_modules/a/node_modules/b --json",
	}, []string{"json", "workspace"}, func(_ *cobra.Command, args []string) error { return runExplain(a, args) })
}

// runExplain follows npm's lib/commands/explain.js.
func runExplain(a *App, args []string) error {
	if len(args) == 0 {
		return &usageError{text: "explain needs a package", usage: a.heading + " explain <package-spec> ..."}
	}
	t, err := a.look(lookOptions{legacyPeerDeps: a.Config.Bool("legacy-peer-deps")})
	if err != nil {
		return err
	}
	set := t.filter(a, false)
	var nodes []*resolver.Node
	seen := map[*resolver.Node]bool{}
	for _, arg := range args {
		for _, n := range t.named(a, arg) {
			if !seen[n] && (len(set) == 0 || set[n]) {
				seen[n] = true
				nodes = append(nodes, n)
			}
		}
	}
	if len(nodes) == 0 {
		return &codedError{text: "No dependencies found matching " + strings.Join(args, ", ")}
	}
	if a.json() {
		var out []jsjson.Value
		w := explanationWriter{tree: t, asked: map[*resolver.NodeExplanation]*resolver.Node{}}
		for _, n := range nodes {
			w.asked[n.Explain()] = n
		}
		for _, n := range nodes {
			out = append(out, jsjson.NewObject(w.node(n.Explain())...))
		}
		a.printJSON(jsjson.NewArray(out...))
		return nil
	}
	p := explanationPrinter{ink: a.ink(), on: map[string]bool{}}
	var out []string
	for _, n := range nodes {
		out = append(out, p.node(n.Explain(), math.MaxInt32, kindsOf(n)))
	}
	a.out("%s", p.ink.safe(strings.Join(out, "\n\n")))
	return nil
}

// named gives the nodes that an argument means: a name, a location, a path, or
// a name with a range.
func (t *lookedAt) named(a *App, arg string) []*resolver.Node {
	var out []*resolver.Node
	if spec.ValidForOldPackages(arg) {
		for n := range t.root.Inventory {
			if n.Package.Name == arg {
				out = append(out, n)
			}
		}
		return out
	}
	loc := strings.TrimRight(strings.ReplaceAll(arg, `\`, "/"), "/")
	if n := t.root.At(loc); n != nil {
		return []*resolver.Node{n}
	}
	if rel, err := filepath.Rel(t.dir, absFrom(a.Config.Cwd(), filepath.FromSlash(loc))); err == nil {
		rel = filepath.ToSlash(rel)
		if rel == "." {
			rel = ""
		}
		if n := t.root.At(rel); n != nil {
			return []*resolver.Node{n}
		}
	}
	s, err := spec.Parse(arg, t.dir)
	if err != nil || s.Type != spec.Version && s.Type != spec.Range {
		return nil
	}
	for n := range t.root.Inventory {
		if n.Package.Name == s.Name && nodesemver.Satisfies(n.Package.Version, s.RawSpec, false) {
			out = append(out, n)
		}
	}
	return out
}

// kindsOf gives the words for what kind of dependency a node is, in npm's
// order.
func kindsOf(n *resolver.Node) []string {
	if n.Extraneous {
		return []string{"extraneous"}
	}
	var out []string
	for _, k := range []struct {
		on   bool
		word string
	}{{n.Dev, "dev"}, {n.Optional, "optional"}, {n.Peer, "peer"}, {n.InBundle(), "bundled"}, {n.Overridden(), "overridden"}} {
		if k.on {
			out = append(out, k.word)
		}
	}
	return out
}

// explanationWriter writes explanations as JSON, as npm's node.explain gives
// them.
type explanationWriter struct {
	tree *lookedAt
	// asked are the explanations that somebody asked for. npm notes in these what
	// kind of dependency they are of, and shows it wherever they come up
	// (npm: lib/commands/explain.js).
	asked map[*resolver.NodeExplanation]*resolver.Node
}

func (w explanationWriter) node(x *resolver.NodeExplanation) []jsjson.Member {
	out := w.plain(x)
	n := w.asked[x]
	if n == nil {
		return out
	}
	add := func(key string, b bool) { out = append(out, jsjson.Member{Key: key, Value: jsjson.NewBool(b)}) }
	if n.Extraneous {
		add("extraneous", true)
	} else {
		add("dev", n.Dev)
		add("optional", n.Optional)
		add("devOptional", n.DevOptional)
		add("peer", n.Peer)
		add("bundled", n.InBundle())
		add("overridden", n.Overridden())
	}
	return out
}

// plain writes an explanation without what is noted in it afterwards.
func (w explanationWriter) plain(x *resolver.NodeExplanation) []jsjson.Member {
	var out []jsjson.Member
	add := func(key string, v jsjson.Value) { out = append(out, jsjson.Member{Key: key, Value: v}) }
	text := func(key, s string) {
		if s != "" {
			add(key, jsjson.NewString(s))
		}
	}
	if x.Root {
		text("location", filepath.FromSlash(x.Location))
		return out
	}
	if x.Name == "" {
		add("name", jsjson.NewNull())
	}
	text("name", x.Name)
	text("version", x.Version)
	if n := w.tree.root.At(x.Location); len(x.Errors) > 0 || x.Version == "" || n != nil && n.Package.Name == "" {
		// npm puts Error objects here, of which JSON shows nothing.
		errs := make([]jsjson.Value, max(1, len(x.Errors)))
		for i := range errs {
			errs[i] = jsjson.NewObject()
		}
		add("errors", jsjson.NewArray(errs...))
		if n != nil {
			add("package", w.tree.content(n))
		}
	}
	if x.Location == "" && x.Dependents == nil {
		return out // met again on the way from itself
	}
	add("location", jsjson.NewString(x.Location))
	add("isWorkspace", jsjson.NewBool(x.IsWorkspace))
	deps := make([]jsjson.Value, 0, len(x.Dependents))
	for _, e := range x.Dependents {
		deps = append(deps, w.edge(e))
	}
	add("dependents", jsjson.NewArray(deps...))
	if len(x.LinksIn) > 0 {
		var links []jsjson.Value
		for _, l := range x.LinksIn {
			links = append(links, jsjson.NewObject(w.node(l)...))
		}
		add("linksIn", jsjson.NewArray(links...))
	}
	return out
}

func (w explanationWriter) edge(e *resolver.EdgeExplanation) jsjson.Value {
	out := []jsjson.Member{
		{Key: "type", Value: jsjson.NewString(e.Type.String())},
		{Key: "name", Value: jsjson.NewString(e.Name)},
		{Key: "spec", Value: jsjson.NewString(e.Spec)},
	}
	add := func(key string, v jsjson.Value) { out = append(out, jsjson.Member{Key: key, Value: v}) }
	if e.Overridden {
		add("rawSpec", jsjson.NewString(e.RawSpec))
		add("overridden", jsjson.NewBool(true))
	}
	if e.Bundled {
		add("bundled", jsjson.NewBool(true))
	}
	if e.Error.String() != "" {
		add("error", jsjson.NewString(e.Error.String()))
	}
	if e.From != nil {
		add("from", jsjson.NewObject(w.node(e.From)...))
	}
	return jsjson.NewObject(out...)
}

// explanationPrinter writes explanations for people (npm:
// lib/utils/explain-dep.js).
type explanationPrinter struct {
	ink ink
	on  map[string]bool // the nodes that are being explained: cycles end there
}

func (p explanationPrinter) node(x *resolver.NodeExplanation, depth int, kinds []string) string {
	return p.name(x, kinds) + p.dependents(x, depth) + p.links(x, depth)
}

func (p explanationPrinter) kind(word string) string {
	i := p.ink
	switch word {
	case "extraneous":
		return i.red(word)
	case "dev":
		return i.blue(word)
	case "optional":
		return i.magenta(word)
	case "peer":
		return i.paint("95", word)
	case "bundled":
		return i.underline(i.cyan(word))
	case "workspace":
		return i.workspace(word)
	case "overridden":
		return i.dim(word)
	}
	return word
}

func (p explanationPrinter) name(x *resolver.NodeExplanation, kinds []string) string {
	id := orUndefined(x.Name, "null") + "@" + orUndefined(x.Version, "undefined")
	if x.IsWorkspace {
		id = p.ink.workspace(id)
	}
	for _, k := range kinds {
		id += " " + p.kind(k)
	}
	if x.Location != "" {
		id += p.ink.dim("\n" + x.Location)
	}
	return id
}

func orUndefined(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

func indented(messages []string) string {
	return strings.ReplaceAll("\n"+strings.Join(messages, "\n"), "\n", "\n  ")
}

func (p explanationPrinter) links(x *resolver.NodeExplanation, depth int) string {
	if len(x.LinksIn) == 0 || depth <= 0 {
		return ""
	}
	var out []string
	for _, l := range x.LinksIn {
		out = append(out, p.node(l, depth-1, nil))
	}
	return indented(out)
}

func (p explanationPrinter) dependents(x *resolver.NodeExplanation, depth int) string {
	if len(x.Dependents) == 0 || depth <= 0 {
		return ""
	}
	most := (depth + 1) / 2
	var out []string
	for i, e := range x.Dependents {
		if i == most {
			out = append(out, rest(x.Dependents[i:]))
			break
		}
		out = append(out, p.edge(e, depth))
	}
	return indented(out)
}

// rest names the first of the dependents that there was no room for.
func rest(dependents []*resolver.EdgeExplanation) string {
	var names []string
	length := 0
	for i, e := range dependents {
		name := "the root project"
		if !e.From.Root {
			name = e.From.Name
		}
		if length += len(name); length >= 50 && i < len(dependents)-1 {
			names = append(names, "...")
			break
		}
		names = append(names, name)
	}
	return fmt.Sprintf("%d more (%s)", len(dependents), strings.Join(names, ", "))
}

func (p explanationPrinter) edge(e *resolver.EdgeExplanation, depth int) string {
	dep := e.Name + `@"` + e.Spec + `"`
	if e.Type == resolver.Workspace {
		rel, err := filepath.Rel(filepath.FromSlash(e.From.Location), filepath.FromSlash(strings.TrimPrefix(e.Spec, "file:")))
		if err == nil {
			dep = p.ink.bold(rel)
		}
	}
	if e.Overridden {
		dep = p.kind("overridden") + " " + dep + ` (was "` + e.RawSpec + `")`
	}
	if e.Bundled {
		dep = p.kind("bundled") + " " + dep
	}
	if e.Type != resolver.Prod {
		dep = p.kind(e.Type.String()) + " " + dep
	}
	return dep + " from " + p.from(e.From, depth)
}

func (p explanationPrinter) from(x *resolver.NodeExplanation, depth int) string {
	if x.Root || x.Name == "" && x.Version == "" {
		return "the root project"
	}
	id := x.Name + "@" + x.Version + ":" + x.Location
	if p.on[id] {
		return p.name(x, nil)
	}
	p.on[id] = true
	defer delete(p.on, id)
	return p.name(x, nil) + p.dependents(x, depth-1) + p.links(x, depth-1)
}
