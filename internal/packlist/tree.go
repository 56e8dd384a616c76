package packlist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/regular"
)

// A Package is what is read of a package.json: the normalised manifest, and
// the file itself for files, main and browser, which normalising leaves alone.
type Package struct {
	Manifest *manifest.Manifest
	Content  jsjson.Value
}

// ReadPackage reads dir's package.json.
func ReadPackage(dir string) (*Package, error) {
	m, err := manifest.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	data, err := regular.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return nil, err
	}
	content, err := jsjson.Parse(data)
	if err != nil {
		return nil, err
	}
	return &Package{Manifest: m, Content: content}, nil
}

// files is the list of "files"; ok is false without one. npm goes through
// whatever is there: a text letter by letter.
func (p *Package) files() (list []string, ok bool, err error) {
	v := p.Content.Get("files")
	if !v.Truthy() {
		return nil, false, nil
	}
	switch {
	case v.IsString():
		for _, r := range v.Str() {
			list = append(list, string(r))
		}
	case v.IsArray():
		for i, item := range v.Items() {
			if !item.IsString() {
				return nil, false, fmt.Errorf("item %d is not a string", i+1)
			}
			list = append(list, item.Str())
		}
	default:
		return nil, false, errors.New("not a list of strings")
	}
	return list, true, nil
}

// required are the files that other fields name.
func (p *Package) required() []string {
	var all []string
	for _, key := range []string{"browser", "main"} {
		if v := p.Content.Get(key); v.Truthy() {
			all = append(all, text(v))
		}
	}
	for _, b := range p.Manifest.Bin {
		all = append(all, b.Path)
	}
	return all
}

// A Tree is a package folder to be packed, or one that is bundled in another.
type Tree struct {
	Path    string // absolute: where it is linked to, for a link
	Target  string // absolute: where it really is; "" means Path
	IsLink  bool
	IsRoot  bool // the package that is packed, not one that is bundled
	Package *Package

	// Workspaces are the folders of the package's workspaces. It isn't nil
	// when package.json has workspaces, even if there are none.
	Workspaces []string

	// Dependency finds the package that a dependency of this one resolves
	// to. It gives nil for what isn't installed, isn't depended on, or is a
	// development or peer dependency: those are never bundled. nil is a
	// package that can't bundle anything.
	Dependency func(name string) (*Tree, error)
}

// Bins are the paths of the package's bins, as tarball.PackOptions wants them.
func (t *Tree) Bins() map[string]bool {
	bins := make(map[string]bool, len(t.Package.Manifest.Bin))
	for _, b := range t.Package.Manifest.Bin {
		bins[b.Path] = true
	}
	return bins
}

func (t *Tree) id() string {
	if t.Target != "" {
		return t.Target
	}
	return t.Path
}

// toBundle names what goes into the tarball with t: the root's bundled
// dependencies, and everything that they need.
func (t *Tree) toBundle() []string {
	m := t.Package.Manifest
	if t.IsRoot {
		return m.BundleDependencies
	}
	var names []string
	for _, d := range m.Dependencies {
		names = append(names, d.Name)
	}
	for _, d := range m.OptionalDependencies {
		names = append(names, d.Name)
	}
	return names
}

// Disk makes a Tree of the package in dir whose dependencies are looked up as
// node would, in the node_modules folders from the package up to dir.
// workspaces maps the names of dir's workspaces to their folders; nil if it
// has none.
func Disk(dir string, workspaces map[string]string) (*Tree, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p, err := ReadPackage(dir)
	if err != nil {
		return nil, err
	}
	d := &disk{root: dir, workspaces: workspaces}
	t := &Tree{Path: dir, IsRoot: true, Package: p}
	if workspaces != nil {
		t.Workspaces = []string{}
		for _, ws := range workspaces {
			t.Workspaces = append(t.Workspaces, ws)
		}
		slices.Sort(t.Workspaces)
	}
	t.Dependency = d.lookup(t)
	return t, nil
}

type disk struct {
	root       string
	workspaces map[string]string
}

func (d *disk) lookup(from *Tree) func(string) (*Tree, error) {
	return func(name string) (*Tree, error) {
		if !d.wants(from, name) || !localName(name) {
			return nil, nil
		}
		for at := from.id(); ; at = filepath.Dir(at) {
			if filepath.Base(at) != "node_modules" {
				t, err := d.load(filepath.Join(at, "node_modules", filepath.FromSlash(name)))
				if t != nil || err != nil {
					return t, err
				}
			}
			if at == d.root || filepath.Dir(at) == at || !strings.HasPrefix(at, d.root) {
				return nil, nil
			}
		}
	}
}

// wants says whether name is a dependency of a kind that may be bundled. A
// name in several maps is what the last of them in npm's order says.
func (d *disk) wants(from *Tree, name string) bool {
	m := from.Package.Manifest
	if from.IsRoot {
		if _, ok := d.workspaces[name]; ok {
			return true
		}
		if _, ok := m.DevDependencies.Get(name); ok {
			return false
		}
	}
	if _, ok := m.Dependencies.Get(name); ok {
		return true
	}
	_, ok := m.OptionalDependencies.Get(name)
	return ok
}

// load makes a Tree of what is installed at p; nil if there is nothing.
func (d *disk) load(p string) (*Tree, error) {
	fi, err := os.Lstat(p)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !fi.IsDir() && fi.Mode()&fs.ModeSymlink == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t := &Tree{Path: p}
	if fi.Mode()&fs.ModeSymlink != 0 {
		t.IsLink = true
		if t.Target, err = filepath.EvalSymlinks(p); err != nil {
			return nil, nil // a link to nowhere is not installed
		}
	}
	if t.Package, err = ReadPackage(p); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		t.Package = &Package{Manifest: new(manifest.Manifest)}
	}
	t.Dependency = d.lookup(t)
	return t, nil
}

// localName refuses names that aren't a folder below node_modules.
func localName(name string) bool {
	return filepath.IsLocal(filepath.FromSlash(name)) && !strings.Contains(name, `\`) && strings.Count(name, "/") <= 1
}
