package cmd

import (
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/resolver"
)

var lsKeys = []string{"all", "json", "long", "parseable", "global", "depth", "omit", "include", "link", "package-lock-only", "unicode",
	"workspace", "workspaces", "include-workspace-root", "install-links"}

func newLsCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "ls [<package-spec> ...]", Aliases: []string{"list"},
		Short:   "Show the packages that are installed, and what is wrong with them",
		Example: "  ibid ls --all\n  ibid ls react --json",
	}, lsKeys, func(_ *cobra.Command, args []string) error { return runLs(a, args) })
}

func newLlCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "ll [<package-spec> ...]", Aliases: []string{"la"},
		Short: "Show the packages that are installed, with their descriptions",
	}, lsKeys, func(_ *cobra.Command, args []string) error {
		a.Config.Set("long", config.NewBool(true), config.CLI)
		return runLs(a, args)
	})
}

// runLs follows npm's lib/commands/ls.js: the walk is breadth first, a package
// is shown where it is met first and as deduped where it is met again.
func runLs(a *App, args []string) error {
	t, err := a.look(lookOptions{lockOnly: a.Config.Bool("package-lock-only")})
	if err != nil {
		return err
	}
	l := newLister(a, t, args)
	if err := l.walk(); err != nil {
		return err
	}
	missed := len(args) > 0 && !l.root.shown && (a.json() || !l.parseable)
	doc := jsjson.Value{}
	switch {
	case a.json():
		doc = l.json()
	case l.parseable:
		a.out("%s", term.Safe(l.lines()))
	default:
		a.out("%s", l.ink.safe(l.tree(a.Config.Bool("unicode"))))
	}
	if t.rootErr != nil {
		return a.failWith(doc, &codedError{code: "EJSONPARSE", text: "Failed to parse root package.json",
			detail: []string{"Failed to parse JSON data.", "Note: package.json must be actual JSON, not just JavaScript."},
			hints:  []string{t.rootErr.Error()}})
	}
	for _, p := range l.problems {
		if !strings.HasPrefix(p, "extraneous:") {
			return a.failWith(doc, &codedError{code: "ELSPROBLEMS", text: strings.Join(l.problems, "\n")})
		}
	}
	if a.json() {
		a.printJSON(doc)
	}
	if missed {
		return statusError(1)
	}
	a.keepListing(t)
	return nil
}

// lister is one run of ls.
type lister struct {
	looked *lookedAt
	args   []string
	ink    ink
	root   *listed

	global, long, link, parseable bool
	includeRoot, workspaces       bool
	depth                         float64
	omit                          []string

	wanted   map[*resolver.Node]bool // the workspaces asked for; nil for all
	known    map[*resolver.Node]*listed
	paths    []*listed // those met first at their place, in order
	byPath   map[string]*listed
	items    []*listed // in the order of the walk
	problems []string
}

// listed is one line of the list: a node, a node that was listed before, or a
// dependency that is not there.
type listed struct {
	node *resolver.Node // nil for what is missing
	// deduped is a node that is listed elsewhere with all that it needs.
	copied, deduped bool

	id       string // name@version
	name     string
	missing  string // who wants it
	required string // the range it is wanted in
	kind     resolver.EdgeType
	invalid  string // which wishes it does not meet
	said     string // those that were known when it was visited, which is what npm shows

	parent            *listed
	include, filtered bool
	shown             bool // or something below it is
	depth             float64
	problems          []string
	children          []*listed
}

func newLister(a *App, t *lookedAt, args []string) *lister {
	cfg := a.Config
	l := &lister{
		looked: t, args: args, ink: a.ink(),
		global: cfg.Global(), long: cfg.Bool("long"), link: cfg.Bool("link"), parseable: cfg.Bool("parseable"),
		includeRoot: cfg.Bool("include-workspace-root"), workspaces: cfg.WorkspacesEnabled(),
		omit:  cfg.Omit(),
		known: map[*resolver.Node]*listed{}, byPath: map[string]*listed{},
	}
	depth := cfg.Get("depth")
	switch {
	case depth.Kind() != config.Number && (cfg.Bool("all") || len(args) > 0):
		l.depth = math.Inf(1)
	case depth.Kind() == config.Number:
		l.depth = float64(cfg.Int("depth"))
	}
	if nodes := t.workspaceNodes(); len(nodes) > 0 {
		l.wanted = map[*resolver.Node]bool{}
		for _, n := range nodes {
			l.wanted[n] = true
		}
	}
	return l
}

func (l *lister) of(n *resolver.Node) *listed {
	x := l.known[n]
	if x == nil {
		x = &listed{node: n, id: n.ID(), name: n.Name}
		l.known[n] = x
	}
	return x
}

func (l *lister) walk() error {
	root := l.of(l.looked.root)
	l.root = root
	root.include = len(l.args) == 0
	l.byPath[root.node.Path()] = root
	l.paths = append(l.paths, root)
	queue := []*listed{root}
	for len(queue) > 0 {
		x := queue[0]
		queue = queue[1:]
		l.visit(x)
		children, err := l.childrenOf(x)
		if err != nil {
			return err
		}
		queue = append(queue, children...)
	}
	return nil
}

func (l *lister) visit(x *listed) {
	extraneous := l.extraneous(x)
	if x.missing != "" && !x.optional() {
		x.problems = append(x.problems, "missing: "+x.id+", required by "+x.missing)
	}
	if x.said = x.invalid; x.said != "" {
		x.problems = append(x.problems, "invalid: "+x.id+" "+x.path())
	}
	if extraneous {
		x.problems = append(x.problems, "extraneous: "+x.id+" "+x.path())
	}
	if x.include {
		for _, p := range x.problems {
			if !slices.Contains(l.problems, p) {
				l.problems = append(l.problems, p)
			}
		}
		for p := x; p != nil; p = p.parent {
			p.shown = true
		}
	}
	l.items = append(l.items, x)
}

func (x *listed) path() string {
	if x.node == nil {
		return "undefined"
	}
	return filepath.FromSlash(x.node.Path())
}

func (x *listed) optional() bool {
	return x.kind == resolver.Optional || x.kind == resolver.PeerOptional
}

func (l *lister) extraneous(x *listed) bool {
	return x.node != nil && !x.copied && x.node.Extraneous && !l.global
}

func (l *lister) childrenOf(x *listed) ([]*listed, error) {
	if x.node == nil || x.copied {
		return nil, nil
	}
	depth := x.depth
	if x.node.IsWorkspace() {
		depth = 0
	}
	target := x.node.Target()
	if depth > l.depth || target == nil {
		return nil, nil
	}
	var out []*listed
	seen := map[string]bool{}
	for e := range target.EdgesOut {
		if l.selects(e) && (depth > 0 || l.shows(e)) {
			c := l.ofEdge(e)
			if c.node != nil {
				seen[c.node.Path()] = true
			}
			out = append(out, c)
		}
	}
	// Nobody's edge leads to what is extraneous.
	for c := range x.node.Children {
		if c.Extraneous && !seen[c.Path()] {
			out = append(out, l.of(c))
		}
	}
	slices.SortStableFunc(out, func(a, b *listed) int { return collate.Compare(a.id, b.id) })
	for i, c := range out {
		var err error
		if out[i], err = l.met(c, x, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// selects says whether the selection of workspaces leaves an edge.
func (l *lister) selects(e *resolver.Edge) bool {
	to := e.To()
	fromRoot := e.From().IsProjectRoot()
	if !l.workspaces && fromRoot && to != nil && to.IsWorkspace() {
		return false
	}
	if l.wanted == nil || l.includeRoot && to != nil && !to.IsWorkspace() {
		return true
	}
	if fromRoot {
		return to != nil && to.IsWorkspace() && l.wanted[to.Target()]
	}
	return true
}

// shows says whether --omit and --link leave one of the project's own edges.
func (l *lister) shows(e *resolver.Edge) bool {
	for _, o := range l.omit {
		if o == "dev" && e.Type == resolver.Dev || o == "optional" && e.Optional() || o == "peer" && e.Peer() {
			return false
		}
	}
	return !l.link || e.To() != nil && e.To().IsLink()
}

func (l *lister) ofEdge(e *resolver.Edge) *listed {
	var x *listed
	if e.Missing() || e.Optional() && e.To() == nil || e.To() == nil {
		x = &listed{id: e.Name + "@" + e.Spec(), name: e.Name, missing: e.From().ID()}
	} else {
		x = l.of(e.To())
	}
	x.required, x.kind = e.Spec(), e.Type
	if x.required == "" {
		x.required = "*"
	}
	if e.Error() == resolver.EdgeInvalid {
		from := e.From().Location()
		if from == "" {
			from = "the root project"
		}
		if x.invalid != "" {
			x.invalid += ", "
		}
		x.invalid += string(jsjson.AppendString(nil, x.required)) + " from " + from
	}
	return x
}

// met notes that x stands below parent: as itself the first time, else as a
// copy of it.
func (l *lister) met(x, parent *listed, depth float64) (*listed, error) {
	path := "" // what is missing has none, and so is "met again" the second time
	if x.node != nil {
		path = x.node.Path()
	}
	first := l.byPath[path]
	if first != nil {
		x = &listed{node: x.node, copied: true, deduped: x.missing == "", id: x.id, name: x.name, missing: x.missing,
			kind: x.kind, invalid: x.invalid}
	} else {
		first = x
		l.byPath[path] = x
		l.paths = append(l.paths, x)
	}
	x.parent = parent
	match, err := l.matches(first)
	if err != nil {
		return nil, err
	}
	x.include, x.filtered = match, match
	x.depth = depth + 1
	return x, nil
}

// matches says whether the arguments name the package.
func (l *lister) matches(x *listed) (bool, error) {
	if len(l.args) == 0 {
		return true, nil
	}
	if x.node == nil || x.copied {
		return false, nil
	}
	for _, arg := range l.args {
		ok, err := x.node.Satisfies(arg)
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// hang puts every item that is to be shown below its parent.
func (l *lister) hang() {
	for _, x := range l.items {
		if x.shown && x.parent != nil {
			x.parent.children = append(x.parent.children, x)
		}
	}
}

func (l *lister) tree(unicode bool) string {
	l.hang()
	var draft func(x *listed) *branch
	draft = func(x *listed) *branch {
		b := &branch{label: l.label(x)}
		for _, c := range x.children {
			b.nodes = append(b.nodes, draft(c))
		}
		return b
	}
	root := draft(l.root)
	if len(root.nodes) == 0 {
		root.nodes = []*branch{{label: "(empty)"}}
	}
	return draw(root, unicode)
}

func (l *lister) label(x *listed) string {
	i := l.ink
	name := x.id
	n := x.node
	own := n != nil && !x.copied
	if own && n.IsWorkspace() {
		name = i.workspace(name)
	}
	if own && n.IsRoot() {
		switch {
		case l.global || l.looked.content(n).Len() == 0:
			name = x.path()
		case l.long:
			name += "\n" + x.path()
		default:
			name += " " + x.path()
		}
	}
	label := name
	if len(l.args) > 0 && x.filtered {
		label = i.yellow(label)
	}
	switch {
	case x.missing == "":
	case x.optional():
		label = i.yellow("UNMET OPTIONAL DEPENDENCY") + " " + label
	default:
		label = i.red("UNMET DEPENDENCY") + " " + label
	}
	if x.deduped {
		label += " " + i.dim("deduped")
	}
	if x.said != "" {
		label += " " + i.red("invalid: "+x.said)
	}
	if l.extraneous(x) {
		label += " " + i.red("extraneous")
	}
	if own && n.Overridden() {
		label += " " + i.dim("overridden")
	}
	if own && isGit(n.Resolved()) {
		label += " (" + config.RedactWords(n.Resolved()) + ")"
	}
	if n != nil && n.IsLink() {
		rel, _ := filepath.Rel(filepath.FromSlash(n.Root().Realpath()), filepath.FromSlash(n.Realpath()))
		label += " -> ." + string(filepath.Separator) + rel
	}
	if l.long {
		label += "\n"
		if n != nil {
			label += str(l.looked.content(n), "description")
		}
	}
	return label
}

func isGit(resolved string) bool {
	if resolved == "" {
		return false
	}
	s, err := spec.Parse(resolved, "")
	return err == nil && s.Type == spec.Git
}

func (l *lister) json() jsjson.Value {
	l.hang()
	doc := l.item(l.root)
	if len(l.problems) > 0 {
		doc = append(doc, jsjson.Member{Key: "problems", Value: texts(l.problems)})
	}
	if l.looked.rootErr != nil {
		all := append(l.problems, "error in "+l.looked.dir+": Failed to parse root package.json")
		doc = append(doc, jsjson.Member{Key: "problems", Value: texts(all)}, jsjson.Member{Key: "invalid", Value: jsjson.NewBool(true)})
	}
	return jsjson.NewObject(append(doc, l.dependencies(l.root)...)...)
}

func (l *lister) dependencies(x *listed) []jsjson.Member {
	if len(x.children) == 0 {
		return nil
	}
	deps := make([]jsjson.Member, 0, len(x.children))
	for _, c := range x.children {
		deps = append(deps, jsjson.Member{Key: c.name, Value: jsjson.NewObject(append(l.item(c), l.dependencies(c)...)...)})
	}
	return []jsjson.Member{{Key: "dependencies", Value: jsjson.NewObject(deps...)}}
}

// item gives what is known of one line, without what is below it.
func (l *lister) item(x *listed) []jsjson.Member {
	var out []jsjson.Member
	add := func(key string, v jsjson.Value) { out = append(out, jsjson.Member{Key: key, Value: v}) }
	n := x.node
	own := n != nil && !x.copied
	if n != nil && n.Version() != "" {
		add("version", jsjson.NewString(n.Version()))
	}
	if own {
		if r := n.Resolved(); r != "" {
			add("resolved", jsjson.NewString(r))
		}
		if !n.IsProjectRoot() {
			add("overridden", jsjson.NewBool(n.Overridden()))
		}
		if content := l.looked.content(n); n.IsRoot() && content.Len() > 0 {
			name := content.Get("name")
			if !name.Truthy() {
				name = jsjson.NewString(n.Name)
			}
			add("name", name)
		}
	}
	if l.long && x.missing == "" {
		add("name", jsjson.NewString(x.name))
		content := l.looked.content(n)
		for _, m := range content.Members() {
			if m.Key != "dependencies" {
				add(m.Key, m.Value)
			}
		}
		object := func(key string) jsjson.Value {
			if v := content.Get(key); v.Truthy() {
				return v
			}
			return jsjson.NewObject()
		}
		add("extraneous", jsjson.NewBool(false))
		add("path", jsjson.NewString(x.path()))
		add("_dependencies", jsjson.NewObject(slices.Concat(object("dependencies").Members(), object("optionalDependencies").Members())...))
		add("devDependencies", object("devDependencies"))
		add("peerDependencies", object("peerDependencies"))
	}
	if l.extraneous(x) {
		add("extraneous", jsjson.NewBool(true))
	}
	if x.said != "" {
		add("invalid", jsjson.NewString(x.said))
	}
	if x.missing != "" && !x.optional() {
		if x.required != "" {
			add("required", jsjson.NewString(x.required))
		}
		add("missing", jsjson.NewBool(true))
	}
	if x.include && len(x.problems) > 0 {
		add("problems", texts(x.problems))
	}
	return out
}

func texts(all []string) jsjson.Value {
	items := make([]jsjson.Value, 0, len(all))
	for _, s := range all {
		items = append(items, jsjson.NewString(s))
	}
	return jsjson.NewArray(items...)
}

// lines is the parseable form: a path for each package and, long, what it is.
func (l *lister) lines() string {
	var out []string
	for _, x := range l.paths {
		if x.node == nil || !x.include {
			continue
		}
		line := x.path()
		if l.long {
			line += ":" + x.id
			if x.node.Path() != x.node.Realpath() {
				line += ":" + filepath.FromSlash(x.node.Realpath())
			}
			if l.extraneous(x) {
				line += ":EXTRANEOUS"
			}
			if x.invalid != "" {
				line += ":INVALID"
			}
			if x.node.Overridden() {
				line += ":OVERRIDDEN"
			}
		}
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}
