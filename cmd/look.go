package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/internal/workspaces"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// What the commands share that look at a tree and change nothing. They print
// what was asked for to stdout: JSON as npm does, text for people in npm's
// layout; colours only where stdout is a terminal.

// newLookCmds declares the commands that only look.
func newLookCmds(a *App) []*cobra.Command {
	return []*cobra.Command{
		newLsCmd(a),
		newLlCmd(a),
		newExplainCmd(a),
		newOutdatedCmd(a),
		newQueryCmd(a),
		newFundCmd(a),
		newRootDirCmd(a),
		newPrefixCmd(a),
		newBinCmd(a),
		newPingCmd(a),
		newViewCmd(a),
		newSearchCmd(a),
		newFindDupesCmd(a),
		newLicensesCmd(a),
		newSbomCmd(a),
		newAuditCmd(a),
		newDiffCmd(a),
		newDoctorCmd(a),
		newBugsCmd(a),
		newRepoCmd(a),
		newDocsCmd(a),
	}
}

// lookedAt is a tree to look at and what only its files know.
type lookedAt struct {
	dir  string
	root *resolver.Node
	// rootErr is why the project's package.json could not be read.
	rootErr error
	// selected are the workspaces that -w names.
	selected []workspaces.Workspace

	global   bool
	lockOnly bool
	entries  map[string]jsjson.Raw // of the lock that the tree came from
	contents map[*resolver.Node]jsjson.Value
}

// lookOptions say which tree a command looks at.
type lookOptions struct {
	lockOnly       bool // what the lock says, not what is installed
	scan           bool // read each package.json, whatever the hidden lockfile says
	legacyPeerDeps bool
}

// look loads the tree that the configuration speaks of, without the network.
func (a *App) look(o lookOptions) (*lookedAt, error) {
	cfg := a.Config
	t := &lookedAt{dir: cfg.LocalPrefix(), lockOnly: o.lockOnly, contents: map[*resolver.Node]jsjson.Value{}}
	if cfg.Global() {
		t.dir, t.global = filepath.Dir(cfg.GlobalDir()), true
	}
	var ws []workspaces.Workspace
	var root *manifest.Manifest
	if !cfg.Global() {
		m, err := manifest.ReadDir(t.dir)
		if err == nil {
			root = m
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.rootErr = err
		}
		if root != nil {
			if ws, err = workspaces.Map(t.dir, root.Workspaces); err != nil {
				return nil, err
			}
		}
		if err := t.selectWorkspaces(a, root, ws); err != nil {
			return nil, err
		}
	} else if a.wantsWorkspaces() {
		return nil, errors.New("Workspaces not supported for global packages")
	}
	if o.lockOnly {
		lock, err := lockfile.Load(t.dir)
		if err != nil {
			if errors.Is(err, lockfile.ErrMissing) {
				return nil, &codedError{code: "ENOLOCK", text: "This command requires an existing lockfile.",
					hints: []string{a.heading + " install --package-lock-only makes one"}}
			}
			return nil, err
		}
		t.root, err = resolver.LoadVirtual(lock, resolver.VirtualOptions{
			Dir: t.dir, Manifest: root, Workspaces: resolver.NewWorkspaceMap(ws),
			LegacyPeerDeps: o.legacyPeerDeps, InstallLinks: cfg.Bool("install-links"),
		})
		return t, err
	}
	if _, err := os.Stat(t.dir); cfg.Global() && errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(t.dir, 0o777); err != nil {
			return nil, err
		}
	}
	var err error
	t.root, err = resolver.LoadActual(resolver.ActualOptions{
		Dir: t.dir, Global: cfg.Global(), Workspaces: resolver.NewWorkspaceMap(ws), Scan: o.scan,
		LegacyPeerDeps: o.legacyPeerDeps, InstallLinks: cfg.Bool("install-links"),
	})
	return t, err
}

// wantsWorkspaces says whether the command is asked for some workspaces.
func (a *App) wantsWorkspaces() bool {
	return a.Config.Get("workspaces").Truthy() || len(a.Config.Strings("workspace")) > 0
}

func (t *lookedAt) selectWorkspaces(a *App, root *manifest.Manifest, ws []workspaces.Workspace) error {
	cfg := a.Config
	if !a.wantsWorkspaces() {
		return nil
	}
	name := ""
	if root != nil {
		name = root.Name
	}
	var err error
	t.selected, err = workspaces.Select(ws, cfg.Strings("workspace"), workspaces.SelectOptions{
		Root: t.dir, Cwd: cfg.Cwd(), RootName: name,
	})
	return err
}

// workspaceNodes gives the nodes of the selected workspaces (npm: arborist
// workspaceNodes).
func (t *lookedAt) workspaceNodes() []*resolver.Node {
	var out []*resolver.Node
	for _, w := range t.selected {
		rel, err := filepath.Rel(filepath.FromSlash(t.root.Realpath()), w.Path)
		if err != nil {
			continue
		}
		if n := t.root.At(filepath.ToSlash(rel)); n != nil {
			out = append(out, n)
		}
	}
	return out
}

// filter gives the set of nodes that the selection of workspaces, or their
// exclusion, leaves; nil for all (npm: arborist workspaceDependencySet,
// excludeWorkspacesDependencySet).
func (t *lookedAt) filter(a *App, includeRoot bool) map[*resolver.Node]bool {
	if len(t.selected) > 0 {
		return t.workspaceDependencies(includeRoot)
	}
	if a.Config.WorkspacesEnabled() {
		return nil
	}
	set := map[*resolver.Node]bool{}
	seen := map[*resolver.Node]bool{}
	var walk func(n *resolver.Node)
	walk = func(n *resolver.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for e := range n.EdgesOut {
			to := e.To()
			if to == nil || to.IsWorkspace() {
				continue
			}
			for in := range to.EdgesIn {
				if in.From().IsRoot() || set[in.From()] {
					set[to] = true
				}
			}
		}
		for e := range n.EdgesOut {
			if e.To() != nil {
				walk(e.To())
			}
		}
	}
	walk(t.root)
	return set
}

func (t *lookedAt) workspaceDependencies(includeRoot bool) map[*resolver.Node]bool {
	list := t.workspaceNodes()
	if includeRoot {
		for e := range t.root.EdgesOut {
			if e.Type != resolver.Workspace && e.To() != nil {
				list = append(list, e.To())
			}
		}
	}
	set := map[*resolver.Node]bool{}
	for _, n := range list {
		set[n] = true
	}
	add := func(n *resolver.Node) {
		if n != nil && !set[n] {
			set[n] = true
			list = append(list, n)
		}
	}
	var extraneous []*resolver.Node
	for i := 0; i < len(list); i++ {
		for e := range list[i].EdgesOut {
			if to := e.To(); to != nil {
				add(to)
				add(to.Target())
			}
		}
		for c := range list[i].Children {
			if c.Extraneous {
				extraneous = append(extraneous, c)
			}
		}
	}
	for _, n := range extraneous {
		set[n] = true
	}
	return set
}

// content gives all that is known of a node's package, as npm has it in
// node.package: the entry of the lock that the tree was loaded from, else the
// package.json, either of them normalised.
//
// A link to a folder of the project's has the lock's word, the folder itself
// that of its package.json.
func (t *lookedAt) content(n *resolver.Node) jsjson.Value {
	if n.IsLink() {
		if n.Target() == nil {
			return jsjson.NewObject()
		}
		if v, ok := t.lockContent(n.Target()); ok {
			return v
		}
		n = n.Target()
	}
	if v, ok := t.contents[n]; ok {
		return v
	}
	v := t.findContent(n)
	t.contents[n] = v
	return v
}

func (t *lookedAt) findContent(n *resolver.Node) jsjson.Value {
	if n.IsProjectRoot() && t.global {
		return globalContent(n)
	}
	onDisk := n.IsProjectRoot() || n.Parent() == nil
	if !onDisk || !t.hasManifest(n) {
		if v, ok := t.lockContent(n); ok {
			return v
		}
	}
	data, err := regular.ReadFile(filepath.Join(filepath.FromSlash(n.Realpath()), "package.json"))
	if err != nil {
		return jsjson.NewObject()
	}
	v, err := jsjson.Parse(data)
	if err != nil || !v.IsObject() {
		return jsjson.NewObject()
	}
	v = normalContent(v, n.Package)
	if t.lockOnly && n.IsProjectRoot() && !v.Get("name").Truthy() {
		v = v.With("name", jsjson.NewString(n.Name)) // npm reads it as one of the lock's entries
	}
	return v
}

func (t *lookedAt) hasManifest(n *resolver.Node) bool {
	_, err := os.Stat(filepath.Join(filepath.FromSlash(n.Realpath()), "package.json"))
	return err == nil
}

func globalContent(n *resolver.Node) jsjson.Value {
	deps := make([]jsjson.Member, 0, len(n.Package.Dependencies))
	for _, d := range n.Package.Dependencies {
		deps = append(deps, jsjson.Member{Key: d.Name, Value: jsjson.NewString(d.Spec)})
	}
	return jsjson.NewObject(jsjson.Member{Key: "dependencies", Value: jsjson.NewObject(deps...)})
}

// lockContent gives what the lock says of a package.
func (t *lookedAt) lockContent(n *resolver.Node) (jsjson.Value, bool) {
	raw, ok := t.lockEntries()[n.Location()]
	if !ok {
		return jsjson.Value{}, false
	}
	entry := raw.Value()
	if !entry.Get("name").Truthy() {
		entry = entry.With("name", jsjson.NewString(n.Package.Name))
	}
	return normalContent(entry, n.Package), true
}

// lockEntries gives the entries of the lock whose word counts for the tree,
// as they are written.
func (t *lookedAt) lockEntries() map[string]jsjson.Raw {
	if t.entries != nil {
		return t.entries
	}
	t.entries = map[string]jsjson.Raw{}
	lock := t.root.Lock()
	if lock == nil || !t.lockOnly && filepath.Base(lock.Path) != filepath.Base(lockfile.HiddenName) {
		return t.entries
	}
	data, err := regular.ReadFile(lock.Path)
	if err != nil {
		return t.entries
	}
	entries := map[string]jsjson.Raw{}
	s := jsjson.NewScanner(data)
	s.Object()
	for s.More() {
		if s.Key() != "packages" {
			s.Skip()
			continue
		}
		clear(entries) // of two, the last counts
		if s.Kind() != jsjson.Object {
			s.Skip()
			continue
		}
		s.Object()
		for s.More() {
			location := s.Key()
			entries[location] = s.Raw()
		}
	}
	if s.End(); s.Err() == nil {
		t.entries = entries
	}
	return t.entries
}

// normalContent does to an object what npm does before it takes it for a
// package (npm: @npmcli/package-json lib/normalize.js normalizeSteps); m is
// the same package as ibid reads it.
func normalContent(v jsjson.Value, m *manifest.Manifest) jsjson.Value {
	for _, member := range v.Members() {
		if strings.HasPrefix(member.Key, "_") {
			v = v.Without(member.Key)
		}
	}
	name, version := v.Get("name"), v.Get("version")
	if name.Truthy() && version.Truthy() {
		v = v.With("_id", jsjson.NewString(name.Text()+"@"+version.Text()))
	}
	if v.Has("bundledDependencies") {
		if !v.Has("bundleDependencies") {
			v = v.With("bundleDependencies", v.Get("bundledDependencies"))
		}
		v = v.Without("bundledDependencies")
	}
	if v.Has("bundleDependencies") {
		v = v.With("bundleDependencies", bundleList(v))
	}
	if deps := v.Get("dependencies"); deps.Truthy() && v.Get("optionalDependencies").IsObject() {
		for _, d := range v.Get("optionalDependencies").Members() {
			deps = deps.Without(d.Key)
		}
		if deps.Len() == 0 {
			v = v.Without("dependencies")
		} else {
			v = v.With("dependencies", deps)
		}
	}
	if scripts := v.Get("scripts"); scripts.IsObject() {
		for _, s := range scripts.Members() {
			if !s.Value.IsString() {
				scripts = scripts.Without(s.Key)
			}
		}
		v = v.With("scripts", scripts)
	} else if v.Has("scripts") {
		v = v.Without("scripts")
	}
	if f := v.Get("funding"); f.IsString() && f.Str() != "" {
		v = v.With("funding", jsjson.NewObject(jsjson.Member{Key: "url", Value: f}))
	}
	switch {
	case len(m.Bin) > 0:
		bins := make([]jsjson.Member, 0, len(m.Bin))
		for _, b := range m.Bin {
			bins = append(bins, jsjson.Member{Key: b.Name, Value: jsjson.NewString(b.Path)})
		}
		v = v.With("bin", jsjson.NewObject(bins...))
	case v.Has("bin"):
		v = v.Without("bin")
	}
	return v
}

func bundleList(v jsjson.Value) jsjson.Value {
	bd := v.Get("bundleDependencies")
	keys := func(o jsjson.Value) jsjson.Value {
		var names []jsjson.Value
		for _, m := range o.Members() {
			names = append(names, jsjson.NewString(m.Key))
		}
		return jsjson.NewArray(names...)
	}
	switch {
	case bd.IsArray():
		return bd
	case bd.IsObject():
		return keys(bd)
	case bd.Kind() == jsjson.Bool && bd.Bool():
		return keys(v.Get("dependencies"))
	case bd.Kind() == jsjson.Bool:
		return jsjson.NewArray()
	}
	return jsjson.Value{}
}

// printJSON writes a value as npm prints JSON.
func (a *App) printJSON(v jsjson.Value) {
	out := jsjson.Append(nil, v, "  ", "\n")
	if strings.Contains(string(out), "://") {
		out = redactJSON(v, out)
	}
	a.printJSONText(out)
}

// printJSONText writes a JSON text; what a terminal would obey in it is escaped
// where one shows it.
func (a *App) printJSONText(text []byte) {
	if a.terminal() {
		text = term.SafeJSON(text)
	}
	a.write(text)
}

// redactJSON hides what is secret in the texts of v, as npm does before it
// prints; out is v as it stands.
func redactJSON(v jsjson.Value, out []byte) []byte {
	line := string(jsjson.Append(nil, v, "", ""))
	safe := config.RedactWords(line)
	if safe == line {
		return out
	}
	clean, err := jsjson.Parse([]byte(safe))
	if err != nil {
		return out
	}
	return jsjson.Append(nil, clean, "  ", "\n")
}

// failWith prints what a command found together with what is wrong with it:
// npm puts both into one JSON object.
func (a *App) failWith(doc jsjson.Value, err *codedError) error {
	if !a.json() {
		return err
	}
	code := jsjson.Value{}
	if err.code != "" {
		code = jsjson.NewString(err.code)
	}
	a.printJSON(doc.With("error", jsjson.NewObject(
		jsjson.Member{Key: "code", Value: code},
		jsjson.Member{Key: "summary", Value: jsjson.NewString(strings.TrimSpace(err.text))},
		jsjson.Member{Key: "detail", Value: jsjson.NewString(strings.Join(err.detail, "\n"))},
	)))
	if err.code != "" {
		a.log(levelError, "code "+err.code)
	}
	a.log(levelError, term.Safe(err.text))
	return statusError(1)
}

// ink colours what goes to stdout; the zero value leaves it plain.
type ink bool

func (a *App) ink() ink { return ink(a.colours(a.Stdout)) }

// safe is term.Safe for a text that has been coloured.
func (i ink) safe(s string) string {
	if i {
		return term.SafeColoured(s)
	}
	return term.Safe(s)
}

func (i ink) paint(code, s string) string {
	if !i || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (i ink) red(s string) string       { return i.paint("31", s) }
func (i ink) green(s string) string     { return i.paint("32", s) }
func (i ink) yellow(s string) string    { return i.paint("33", s) }
func (i ink) blue(s string) string      { return i.paint("34", s) }
func (i ink) magenta(s string) string   { return i.paint("35", s) }
func (i ink) cyan(s string) string      { return i.paint("36", s) }
func (i ink) dim(s string) string       { return i.paint("2", s) }
func (i ink) bold(s string) string      { return i.paint("1", s) }
func (i ink) underline(s string) string { return i.paint("4", s) }
func (i ink) workspace(s string) string { return i.paint("94", s) }

// branch is a label and what hangs below it.
type branch struct {
	label string
	nodes []*branch
}

// draw gives a tree with lines, as archy draws it; it ends with a line break.
func draw(b *branch, unicode bool) string {
	var out strings.Builder
	drawInto(&out, b, "", "", unicode)
	return out.String()
}

// strokes are what a tree's lines are made of.
type strokes struct{ bar, corner, tee, dash, down string }

func strokesFor(unicode bool) strokes {
	if unicode {
		return strokes{"│", "└", "├", "─", "┬"}
	}
	return strokes{"|", "`", "+", "-", "-"}
}

func drawInto(out *strings.Builder, b *branch, first, prefix string, unicode bool) {
	l := strokesFor(unicode)
	bar := " "
	if len(b.nodes) > 0 {
		bar = l.bar
	}
	out.WriteString(first)
	out.WriteString(strings.ReplaceAll(b.label, "\n", "\n"+prefix+bar+" "))
	out.WriteByte('\n')
	for i, n := range b.nodes {
		lead, below, more := l.tee, l.bar, l.dash
		if i == len(b.nodes)-1 {
			lead, below = l.corner, " "
		}
		if len(n.nodes) > 0 {
			more = l.down
		}
		drawInto(out, n, prefix+lead+l.dash+more+" ", prefix+below+" ", unicode)
	}
}

// columns lays rows out in columns two spaces apart; right says which are
// aligned to the right (npm: text-table).
func columns(rows [][]string, right ...bool) string {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], visible(c))
		}
	}
	var out strings.Builder
	for i, r := range rows {
		if i > 0 {
			out.WriteByte('\n')
		}
		var line strings.Builder
		for j, c := range r {
			if j > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[j]-visible(c))
			if j < len(right) && right[j] {
				c = pad + c
			} else {
				c += pad
			}
			line.WriteString(c)
		}
		out.WriteString(strings.TrimRight(line.String(), " "))
	}
	return out.String()
}

// visible counts what a text shows, in UTF-16 units as npm counts.
func visible(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] == '\x1b' {
			if end := strings.IndexByte(s[i:], 'm'); end > 0 {
				i += end + 1
				continue
			}
		}
		size := 1
		switch {
		case s[i] >= 0xf0:
			size, n = 4, n+1
		case s[i] >= 0xe0:
			size = 3
		case s[i] >= 0xc0:
			size = 2
		}
		n++
		i += size
	}
	return n
}

// str gives the member of an object if it is a text.
func str(v jsjson.Value, key string) string { return v.Get(key).Str() }
