package cmd

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/minimatch"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

func newDiffCmd(a *App) *cobra.Command {
	var c *cobra.Command
	c = declare(&cobra.Command{
		Use: "diff [<path> ...]", Short: "Show what differs between two versions of a package",
		Long: "Without --diff the project is compared with what is published of it; with one --diff, the\n" +
			"project or an installed package with that; with two, the one with the other. Paths and globs\n" +
			"choose files.",
		Example: "  ibid diff\n  ibid diff --diff=react\n  ibid diff --diff=react@18 --diff=react@19 package.json",
	}, []string{"diff", "diff-name-only", "diff-unified", "diff-ignore-all-space", "diff-no-prefix", "diff-src-prefix", "diff-dst-prefix",
		"diff-text", "global", "tag", "workspace", "workspaces", "include-workspace-root"},
		func(_ *cobra.Command, args []string) error { return runDiff(c.Context(), a, c, args) })
	return c
}

// runDiff follows npm's lib/commands/diff.js.
func runDiff(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	if !a.inWorkspaces() {
		top := a.Config.LocalPrefix()
		if a.Config.Global() {
			top = filepath.Dir(a.Config.GlobalDir())
		}
		return (&differ{App: a, c: c, top: top, project: a.Config.LocalPrefix()}).run(ctx, args)
	}
	selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
	if err != nil {
		return err
	}
	for _, w := range selected {
		if err := (&differ{App: a, c: c, top: w.Path, project: w.Path}).run(ctx, args); err != nil {
			return err
		}
	}
	return nil
}

// differ compares the two packages that the configuration names.
type differ struct {
	*App
	c       *cobra.Command
	top     string // the folder that node_modules is in
	project string // the folder of package.json

	tree *resolver.Node // what is installed, nil where that cannot be known
}

func (d *differ) run(ctx context.Context, paths []string) error {
	var specs []string
	for _, s := range d.Config.Strings("diff") {
		if s != "" {
			specs = append(specs, s)
		}
	}
	if len(specs) > 2 {
		return d.usage(d.c, "Can't use more than two --diff arguments.")
	}
	pair, err := d.pair(ctx, specs)
	if err != nil {
		return err
	}
	d.log(levelInfo, config.RedactMessage("diff "+pair[0]+" "+pair[1]))
	var found [2]*diffable
	for i, raw := range pair {
		if found[i], err = d.find(ctx, raw); err != nil {
			return err
		}
	}
	var sides [2]*side
	for i, f := range found {
		if sides[i], err = d.contents(ctx, f, paths); err != nil {
			return err
		}
	}
	d.print(sides[0], sides[1])
	return nil
}

// pair finds out which two specs are compared.
func (d *differ) pair(ctx context.Context, specs []string) ([2]string, error) {
	here := "file:" + d.project
	name := d.projectName()
	switch len(specs) {
	case 0:
		if name == "" {
			return [2]string{}, d.nothingToCompare()
		}
		return [2]string{name + "@" + d.Config.String("tag"), here}, nil
	case 1:
		return d.withInstalled(ctx, specs[0], name, here)
	}
	return d.both(specs[0], specs[1], name)
}

func (d *differ) nothingToCompare() error {
	return d.usage(d.c, "Needs multiple arguments to compare or run from a project dir.")
}

func (d *differ) projectName() string {
	m, err := manifest.ReadDir(d.project)
	if err != nil {
		d.log(levelVerbose, "diff: could not read project dir package.json")
		return ""
	}
	return m.Name
}

func isRange(s string) bool {
	_, ok := nodesemver.ValidRange(s, nodesemver.Options{})
	return ok
}

// withInstalled is what one spec means: a range is of the project's own
// published versions, the name of a package that is installed is compared with
// what it could be updated to, and anything else with the project.
func (d *differ) withInstalled(ctx context.Context, raw, name, here string) ([2]string, error) {
	if isRange(raw) {
		if name == "" {
			return [2]string{}, d.nothingToCompare()
		}
		return [2]string{name + "@" + raw, here}, nil
	}
	s, err := spec.Parse(raw, d.Cwd)
	if err != nil {
		return [2]string{}, err
	}
	if !s.Registry {
		if s.Type == spec.Directory {
			return [2]string{"file:" + s.FetchSpec, here}, nil
		}
		return [2]string{}, d.usage(d.c, "Spec type "+s.Type.String()+" not supported.")
	}
	node := d.installed(s.Name)
	if node == nil {
		if _, err := manifest.ReadDir(d.project); err != nil {
			return [2]string{}, d.nothingToCompare()
		}
		return [2]string{s.Name + "@" + s.FetchSpec, here}, nil
	}
	target := s.RawSpec
	if target == "*" {
		if target, err = d.wanted(ctx, s, node); err != nil {
			return [2]string{}, err
		}
	}
	return [2]string{s.Name + "@file:" + filepath.FromSlash(node.Realpath()), s.Name + "@" + target}, nil
}

// wanted is the version that an installed package could be updated to, as
// "outdated" shows it.
func (d *differ) wanted(ctx context.Context, s *spec.Spec, node *resolver.Node) (string, error) {
	want := ""
	if e := node.Root().EdgeOut(s.Name); e != nil {
		want = e.Spec()
	}
	if want == "" {
		for e := range node.EdgesIn {
			want = e.Spec()
			break
		}
	}
	client, err := d.client()
	if err != nil {
		return "", err
	}
	p, err := client.FreshPackument(ctx, s.Name)
	if err != nil {
		return "", err
	}
	asked, err := spec.Parse(s.Name+"@"+want, d.top)
	if err != nil {
		return "", err
	}
	picked, err := registry.PickVersion(p, asked, d.pickOptions(s.Name))
	if err != nil {
		return "", err
	}
	return picked.Version, nil
}

// both gives a name to a version that has none: the other's, or the project's.
// A name without a version means what is installed, if it is.
func (d *differ) both(x, y, name string) ([2]string, error) {
	named := func(version, other string) (string, error) {
		s, err := spec.Parse(other, d.Cwd)
		if err != nil {
			return "", err
		}
		return s.Name + "@" + version, nil
	}
	var err error
	switch xRange, yRange := isRange(x), isRange(y); {
	case xRange && yRange:
		if name == "" {
			return [2]string{}, d.usage(d.c, "Needs to be run from a project dir in order to diff two versions.")
		}
		x, y = name+"@"+x, name+"@"+y
	case yRange:
		y, err = named(y, x)
	case xRange:
		x, err = named(x, y)
	}
	pair := [2]string{x, y}
	for i := range pair {
		if err != nil {
			return pair, err
		}
		var s *spec.Spec
		if s, err = spec.Parse(pair[i], d.Cwd); err != nil || s.RawSpec != "*" {
			continue
		}
		to := s.FetchSpec
		if node := d.installed(s.Name); node != nil {
			to = "file:" + filepath.FromSlash(node.Realpath())
		}
		pair[i] = s.Name + "@" + to
	}
	return pair, err
}

// installed is the first package with the name that is installed, nil if there
// is none that has a version.
func (d *differ) installed(name string) *resolver.Node {
	if d.tree == nil {
		tree, err := resolver.LoadActual(resolver.ActualOptions{Dir: d.top, Global: d.Config.Global()})
		if err != nil {
			d.log(levelVerbose, "diff: failed to load actual install tree")
			return nil
		}
		d.tree = tree
	}
	for n := range d.tree.Root().Named(name) {
		if n.Version() == "" {
			return nil
		}
		return n
	}
	return nil
}

// diffable is a package that was found and can be looked into.
type diffable struct {
	packable
	installed bool // a folder in a node_modules
}

// find looks up what a spec means.
func (d *differ) find(ctx context.Context, raw string) (*diffable, error) {
	s, err := spec.Parse(raw, d.top)
	if err != nil {
		return nil, err
	}
	f := &diffable{packable: packable{spec: s}}
	if s.Type != spec.Directory {
		return f, d.findFetched(ctx, &f.packable)
	}
	f.dir = s.FetchSpec
	if f.file, err = manifest.ReadFile(filepath.Join(f.dir, "package.json")); err != nil {
		return nil, err
	}
	m := f.file.Manifest()
	f.name, f.version = m.Name, m.Version
	if rel, err := filepath.Rel(d.top, f.dir); err == nil {
		f.installed = inNodeModules(filepath.ToSlash(rel))
	}
	return f, nil
}

// inNodeModules tells the path of a package in a node_modules from others.
func inNodeModules(p string) bool {
	dir, _ := path.Split(strings.TrimSuffix(p, "/"))
	dir = strings.TrimSuffix(dir, "/")
	if strings.HasPrefix(path.Base(dir), "@") {
		dir = path.Dir(dir)
	}
	return strings.HasSuffix(dir, "node_modules") // npm's expression has no start either
}

// side is one of the two packages: the files that were chosen, in the order in
// which they are packed.
type side struct {
	version string
	names   []string
	files   map[string]diffFile
}

type diffFile struct {
	mode string
	text string
}

// contents reads a package's files: of a folder in a node_modules those that are
// there, of another folder those that would be published.
func (d *differ) contents(ctx context.Context, f *diffable, paths []string) (*side, error) {
	s := &side{version: f.version, files: map[string]diffFile{}}
	if s.version == "" {
		s.version = "undefined"
	}
	add := func(name string, mode int64, read func() ([]byte, error)) error {
		if !chosen(name, paths) {
			return nil
		}
		data, err := read()
		if err != nil {
			return err
		}
		if i := strings.IndexByte(name, '/'); i > 0 {
			name = name[i+1:]
		} else if i < 0 {
			name = ""
		}
		if _, ok := s.files[name]; !ok {
			s.names = append(s.names, name)
		}
		s.files[name] = diffFile{mode: "100" + strconv.FormatInt(mode&0o7777, 8), text: js.ValidText(string(data))}
		return nil
	}
	if f.installed {
		return s, eachInstalled(f.dir, add)
	}
	var tgz []byte
	var err error
	if f.dir != "" {
		tgz, err = d.packFolder(ctx, f.dir)
	} else {
		tgz, err = d.packTarball(ctx, &f.packable, nil)
	}
	if err != nil {
		return nil, err
	}
	return s, eachPacked(f.name, tgz, func(h *tar.Header, r io.Reader) error {
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		return add(h.Name, h.Mode, func() ([]byte, error) { return io.ReadAll(r) })
	})
}

// eachInstalled visits the files of an installed package as npm would pack them:
// level by level, without what is installed in it unless it is bundled (npm:
// libnpmdiff lib/tarball.js).
func eachInstalled(dir string, visit func(name string, mode int64, read func() ([]byte, error)) error) error {
	m, err := manifest.ReadDir(dir)
	if err != nil {
		return err
	}
	queue, err := installedNames(dir, "")
	if err != nil {
		return err
	}
	queue = slices.DeleteFunc(queue, func(name string) bool { return name == "node_modules" })
	for _, name := range m.BundleDependencies {
		if spec.ValidForOldPackages(name) {
			queue = append(queue, "node_modules/"+name)
		}
	}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		file := filepath.Join(dir, filepath.FromSlash(name))
		st, err := os.Lstat(file)
		if err != nil {
			if os.IsNotExist(err) {
				continue
			}
			return err
		}
		switch {
		case st.IsDir():
			below, err := installedNames(dir, name)
			if err != nil {
				return err
			}
			queue = append(queue, below...)
		case st.Mode().IsRegular():
			mode := int64(st.Mode().Perm())
			if slices.ContainsFunc(m.Bin, func(b manifest.Bin) bool { return b.Path == name }) {
				mode |= 0o111
			}
			// What is packed can be read and changed by its owner, and changed
			// by nobody else.
			mode = (mode | 0o600) &^ 0o022
			if err := visit("package/"+name, mode, func() ([]byte, error) { return os.ReadFile(file) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func installedNames(dir, name string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = path.Join(name, e.Name())
	}
	slices.Sort(out)
	return out, nil
}

// chosen says whether the paths on the command line, if there are any, take a
// packed file: as globs, or as the beginning of its path (npm: libnpmdiff
// lib/untar.js).
func chosen(name string, paths []string) bool {
	if len(paths) == 0 {
		return true
	}
	name = diffPath(name)
	return slices.ContainsFunc(paths, func(p string) bool {
		p = diffPath(p)
		if strings.HasPrefix(name, p) || strings.HasPrefix(name, "package/"+p) {
			return true
		}
		anywhere := strings.HasPrefix(p, "*")
		for _, one := range minimatch.Braces("{package/,}" + p) {
			at := name
			if anywhere && !strings.Contains(one, "/") {
				at = path.Base(name)
			}
			if minimatch.Match(at, one, minimatch.Options{NoNegate: true, NoComment: true}) {
				return true
			}
		}
		return false
	})
}

// diffPath is a path or glob with slashes, without a "./" or "." in front.
func diffPath(s string) string {
	for strings.Contains(s, `\\`) {
		s = strings.ReplaceAll(s, `\\`, `\`)
	}
	s = strings.ReplaceAll(s, `\`, "/")
	if rest, ok := strings.CutPrefix(s, "./"); ok {
		return rest
	}
	return strings.TrimPrefix(s, ".")
}

// terminal says whether a person looks at what is printed.
func (a *App) terminal() bool {
	f, ok := a.Stdout.(*os.File)
	return ok && term.IsTerminal(f)
}
