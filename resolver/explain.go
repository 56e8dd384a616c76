package resolver

import (
	"slices"
	"strconv"
	"strings"
)

// NodeExplanation says what a node is and why it is there: npm's explain
// data, as it stood when it was asked for.
type NodeExplanation struct {
	// Root marks the project itself, of which npm gives only the folder.
	Root     bool
	Name     string
	Version  string
	Location string // the folder for the project itself, else relative to it

	IsWorkspace bool
	Errors      []error
	// WhileInstalling is the dependent for which the node was considered
	// without being in the tree yet.
	WhileInstalling *NodeExplanation
	Dependents      []*EdgeExplanation
	LinksIn         []*NodeExplanation
}

// EdgeExplanation says what an edge wants and who has it.
type EdgeExplanation struct {
	Type       EdgeType
	Name       string
	Spec       string
	RawSpec    string // where an override changed it
	Overridden bool
	Bundled    bool
	Error      EdgeError
	From       *NodeExplanation
}

// Explain says why the node is there; the answer is kept until its manifest
// changes (npm: node.explain).
func (n *Node) Explain() *NodeExplanation { return n.explain(nil, nil) }

func (n *Node) explain(edge *Edge, seen []*Node) *NodeExplanation {
	if n.explanation == nil {
		n.explanation = n.explainNow(edge, seen)
	}
	return n.explanation
}

func (n *Node) explainNow(edge *Edge, seen []*Node) *NodeExplanation {
	if n.IsProjectRoot() && n.sourceReference == nil {
		return &NodeExplanation{Root: true, Location: n.path}
	}
	why := &NodeExplanation{Name: n.Name, Version: n.Package.Version}
	if n.IsProjectRoot() || n.IsTop() {
		why.Name = n.Package.Name
	}
	if len(n.Errors) > 0 {
		why.Errors = n.Errors
	}
	if root := n.Root(); root.sourceReference != nil {
		why.WhileInstalling = &NodeExplanation{
			Name:     root.Package.Name,
			Version:  root.Package.Version,
			Location: root.sourceReference.path,
		}
	}
	if n.sourceReference != nil {
		return n.sourceReference.explain(edge, seen)
	}
	if slices.Contains(seen, n) {
		return why
	}
	why.Location = n.location
	why.IsWorkspace = n.IsWorkspace()
	seen = append(seen[:len(seen):len(seen)], n)
	if edge != nil {
		why.Dependents = append(why.Dependents, edge.explain(seen))
	} else {
		for e := range n.edgesIn.all {
			// An edge that is not content does not hold the node here.
			if e.Valid() || e.from.IsProjectRoot() {
				why.Dependents = append(why.Dependents, e.explain(seen))
			}
		}
	}
	for l := range n.linksIn.all {
		why.LinksIn = append(why.LinksIn, l.explainNow(edge, seen))
	}
	return why
}

// Explain says what the edge wants and for whom.
func (e *Edge) Explain() *EdgeExplanation { return e.explain(nil) }

func (e *Edge) explain(seen []*Node) *EdgeExplanation {
	if e.explanation == nil {
		x := &EdgeExplanation{Type: e.Type, Name: e.Name, Spec: e.Spec(), Bundled: e.Bundled()}
		if x.Spec != e.raw {
			x.RawSpec, x.Overridden = e.raw, true
		}
		if err := e.Error(); err != EdgeOK {
			x.Error = err
		}
		if e.from != nil {
			x.From = e.from.explain(nil, seen)
		}
		e.explanation = x
	}
	return e.explanation
}

// Explanation is what npm knows of a conflict (npm: the fields of its
// ERESOLVE error).
type Explanation struct {
	Edge        *EdgeExplanation // that cannot be satisfied
	Dep         *NodeExplanation // what was to satisfy it, if it came that far
	Current     *NodeExplanation // what is in its place
	CurrentEdge *EdgeExplanation // that holds Current there
	// PeerCurrent and PeerWanted are the two that exclude each other, where
	// they are not Current and Dep.
	PeerCurrent, PeerWanted *NodeExplanation

	Force, StrictPeerDeps, IsMine bool
}

// ConflictError is ERESOLVE: no tree satisfies everyone.
type ConflictError struct {
	// Stage is npm's message: a set of peers that cannot be brought together
	// at all, or one for which there is no place.
	Stage string
	Explanation

	wishes  []*Edge // the one that cannot be met first, then who holds what is there
	builder *builder
}

func (e *ConflictError) Error() string { return e.Stage }

// Code is ERESOLVE.
func (e *ConflictError) Code() string { return "ERESOLVE" }

// Warning is something that npm would print and go on.
type Warning struct {
	Heading string // "ERESOLVE", "EBADENGINE", "idealTree", "old lockfile"…
	Message string
	// Conflict is set for ERESOLVE: a conflict that was accepted.
	Conflict *Explanation
	// Err is set where the warning is an error that was let pass:
	// EBADENGINE's is a *platform.EngineError.
	Err error
}

func (p *placeDep) explainConflict(edge *Edge, dep *Node) Explanation {
	x := Explanation{
		Force:          p.b.req.Force,
		StrictPeerDeps: p.b.req.StrictPeerDeps,
		IsMine:         p.isMine(),
		Edge:           edge.Explain(),
		Dep:            dep.explain(edge, nil),
	}
	current := edge.from.resolve(edge.Name)
	if p.parent != nil {
		if current != nil {
			x.Current = current.explain(edge, nil)
		}
		if p.current != nil {
			x.PeerCurrent = p.current.explain(p.edge, nil)
		}
		return x
	}
	if current != nil {
		x.Current = current.explain(nil, nil)
	}
	if p.canSelf != nil && p.canSelf.self != Conflict {
		for _, c := range p.canSelf.conflictChildren() {
			if c.current != nil {
				x.PeerCurrent = c.current.explain(nil, nil)
				x.PeerWanted = c.dep.explain(c.edge, nil)
				break
			}
		}
		return x
	}
	if p.current != nil {
		x.PeerCurrent = p.current.explain(nil, nil)
	}
	x.PeerWanted = p.dep.explain(p.edge, nil)
	return x
}

func (p *placeDep) warnPeerConflict(edge *Edge, dep *Node) {
	edge.PeerConflicted = true
	x := p.explainConflict(edge, dep)
	p.b.warn(Warning{Heading: "ERESOLVE", Message: "overriding peer dependency", Conflict: &x})
}

func (p *placeDep) failPeerConflict() error {
	top := p.top()
	e := &ConflictError{Stage: "could not resolve", Explanation: p.explainConflict(top.edge, top.dep), builder: p.b}
	// A peer may be what cannot be placed, not what it came with.
	failing, current := p.edge, p.edge.from.resolve(p.edge.Name)
	if p.canSelf != nil && p.canSelf.self != Conflict {
		for _, c := range p.canSelf.conflictChildren() {
			if c.current != nil {
				failing, current = c.edge, c.current
				break
			}
			if c.targetEdge != nil {
				e.wishes = []*Edge{c.edge, c.targetEdge}
				return e
			}
		}
	}
	e.wishes = wishesFor(failing, current)
	return e
}

// wishesFor gives an edge that cannot be met and those that hold what is in
// its place.
func wishesFor(failing *Edge, current *Node) []*Edge {
	wishes := []*Edge{failing}
	if current != nil {
		for e := range current.edgesIn.all {
			if e != failing {
				wishes = append(wishes, e)
			}
		}
	}
	return wishes
}

// Report is npm's text for the conflict, depth levels of dependents deep; it
// is what the report file holds, without bounds, for a negative depth
// (npm: lib/utils/explain-eresolve.js).
func (x *Explanation) Report(depth int) string {
	var b strings.Builder
	budget := reportBudget
	p := explainer{map[string]bool{}, &budget}
	var while *NodeExplanation
	switch {
	case x.Dep != nil && x.Dep.WhileInstalling != nil:
		while = x.Dep.WhileInstalling
	case x.Current != nil && x.Current.WhileInstalling != nil:
		while = x.Current.WhileInstalling
	case x.Edge != nil && x.Edge.From != nil:
		while = x.Edge.From.WhileInstalling
	}
	if depth < 0 {
		depth = 1 << 20
	}
	if while != nil {
		b.WriteString("While resolving: " + p.node(&NodeExplanation{Name: while.Name, Version: while.Version}) + "\n")
	}
	switch {
	case x.Current != nil:
		b.WriteString("Found: " + p.explainNode(x.Current, depth) + "\n")
	case x.PeerCurrent != nil:
		b.WriteString("Found: " + p.explainNode(x.PeerCurrent, depth) + "\n")
	case x.CurrentEdge != nil:
		b.WriteString("Found: " + p.explainEdge(x.CurrentEdge, depth) + "\n")
	case x.Edge != nil:
		b.WriteString("Found: " + p.explainEdge(x.Edge, depth) + "\n")
	}
	b.WriteString("\nCould not resolve dependency:\n" + p.explainEdge(x.Edge, depth))
	if x.PeerWanted != nil {
		b.WriteString("\n\nConflicting peer dependency: " + p.explainNode(x.PeerWanted, depth))
	}
	return b.String()
}

// ReportFile is the text of npm's report file.
func (x *Explanation) ReportFile() string {
	return "# npm resolution error report\n\n" + x.Report(-1) + "\n\n" + x.Advice()
}

// Advice is npm's last sentence, of how to get on regardless.
func (x *Explanation) Advice() string {
	flags := "--force or --legacy-peer-deps"
	if x.StrictPeerDeps {
		flags = "--no-strict-peer-deps, --force, or --legacy-peer-deps"
	}
	return "Fix the upstream dependency conflict, or retry this command with " + flags +
		" to accept an incorrect (and potentially broken) dependency resolution."
}

// explainer writes explanations as npm's explain-dep.js does, without colour.
type explainer struct {
	seen map[string]bool // on the way from the root of the explanation
	left *int
}

// reportBudget is how many dependents a report tells of. Without bounds it
// would tell of every path through the graph, of which there may be any number.
const reportBudget = 5000

func (p explainer) node(n *NodeExplanation) string {
	s := strings.TrimSuffix(n.Name+"@"+n.Version, "@")
	if n.Location != "" {
		s += "\n" + n.Location
	}
	return s
}

func (p explainer) explainNode(n *NodeExplanation, depth int) string {
	if n.Root {
		return "the root project"
	}
	return p.node(n) + p.dependents(n, depth) + p.links(n, depth)
}

func (p explainer) links(n *NodeExplanation, depth int) string {
	if len(n.LinksIn) == 0 || depth <= 0 {
		return ""
	}
	s := ""
	for _, l := range n.LinksIn {
		s += "\n" + p.explainNode(l, depth-1)
	}
	return strings.ReplaceAll(s, "\n", "\n  ")
}

func (p explainer) dependents(n *NodeExplanation, depth int) string {
	if len(n.Dependents) == 0 || depth <= 0 || *p.left <= 0 {
		return ""
	}
	*p.left -= len(n.Dependents)
	max := (depth + 1) / 2
	s := ""
	for i, e := range n.Dependents {
		if i == max {
			break
		}
		s += "\n" + p.explainEdge(e, depth)
	}
	if more := len(n.Dependents) - max; more > 0 {
		var names []string
		length := 0
		for i := max; i < len(n.Dependents); i++ {
			name := "the root project"
			if from := n.Dependents[i].From; from != nil && !from.Root {
				name = from.Name
			}
			length += len(name)
			if length >= 50 && i < len(n.Dependents)-1 {
				names = append(names, "...")
				break
			}
			names = append(names, name)
		}
		s += "\n" + strconv.Itoa(more) + " more (" + strings.Join(names, ", ") + ")"
	}
	return strings.ReplaceAll(s, "\n", "\n  ")
}

func (p explainer) explainEdge(e *EdgeExplanation, depth int) string {
	dep := e.Name + `@"` + e.Spec + `"`
	if e.Type == Workspace {
		dep = relPath(e.From.Location, strings.TrimPrefix(e.Spec, "file:"))
	}
	if e.Overridden {
		dep = "overridden " + dep + ` (was "` + e.RawSpec + `")`
	}
	s := ""
	if e.Type != Prod {
		s = e.Type.String() + " "
	}
	if e.Bundled {
		s += "bundled "
	}
	return s + dep + " from " + p.from(e.From, depth)
}

func (p explainer) from(n *NodeExplanation, depth int) string {
	if n == nil || n.Root || n.Name == "" && n.Version == "" {
		return "the root project"
	}
	id := n.Name + "@" + n.Version + ":" + n.Location
	if p.seen[id] {
		return p.node(n)
	}
	p.seen[id] = true
	s := p.node(n) + p.dependents(n, depth-1) + p.links(n, depth-1)
	delete(p.seen, id)
	return s
}
