package lockfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// Location is a package's place: its path relative to the project, slashes
// forward: "" is the root, "node_modules/a/node_modules/b", "packages/c".
type Location string

const nodeModules = "node_modules"

// InNodeModules says whether l is a package's place inside a node_modules
// folder, and so no root, workspace or other folder of the project.
func (l Location) InNodeModules() bool {
	_, name := l.split()
	return name != ""
}

// Name is the name that a package has by its place: what follows the last
// "node_modules/", or the last folder's name with its scope.
func (l Location) Name() string {
	if _, name := l.split(); name != "" {
		return name
	}
	if l == "" {
		return ""
	}
	return manifest.NameFromFolder(string(l))
}

// Parent is the place whose node_modules folder l stands in; no for a place
// that is in none.
func (l Location) Parent() (Location, bool) {
	parent, name := l.split()
	return parent, name != ""
}

// Child is the place of the package called name in l's node_modules.
func (l Location) Child(name string) Location {
	if l == "" {
		return Location(nodeModules + "/" + name)
	}
	return l + "/" + nodeModules + "/" + Location(name)
}

// Depth is how many node_modules folders l stands in.
func (l Location) Depth() int {
	depth := 0
	for {
		parent, ok := l.Parent()
		if !ok {
			return depth
		}
		depth++
		l = parent
	}
}

// split cuts l at its last node_modules folder; the name is "" where l is no
// package in one.
func (l Location) split() (parent Location, name string) {
	const sep = nodeModules + "/"
	i := strings.LastIndex(string(l), sep)
	if i < 0 || i > 0 && l[i-1] != '/' {
		return "", ""
	}
	name = string(l[i+len(sep):])
	if slash := strings.IndexByte(name, '/'); name == "" || slash >= 0 && (name[0] != '@' || strings.Contains(name[slash+1:], "/")) {
		return "", "" // a folder inside of a package
	}
	if i == 0 {
		return "", name
	}
	return l[:i-1], name
}

// Package is one entry of "packages". It is read-only once its Lockfile is
// handed on.
type Package struct {
	Location Location

	// Meta has the manifest's fields that the entry holds. Meta.Name is the
	// entry's own "name" and is usually empty: see Package.Name. Meta may be
	// nil, as for a link.
	Meta *manifest.Manifest

	Resolved  string // URL, "file:…" or "git+…#sha"; of a link: its target's path, relative
	Integrity string // SRI

	Link          bool
	InBundle      bool
	HasShrinkwrap bool
	Extraneous    bool
	Peer          bool
	Dev           bool
	Optional      bool
	DevOptional   bool

	// What version 4 of the format adds, from npm 12 on.
	Patched                  jsjson.Raw
	PackageExtensionsApplied jsjson.Raw
	NpmExtensionApplied      jsjson.Raw
	PackageExtensionsHash    string // of the root
	NpmExtensionHash         string // of the root

	// Extra has the members that npm does not write itself, and those whose
	// value has another form than npm gives it, kept so that decoding and
	// encoding gives the same bytes.
	Extra []jsjson.Member
}

// Name is the package's name: its entry's own, or that of its place.
func (p *Package) Name() string {
	if p.Meta != nil && p.Meta.Name != "" {
		return p.Meta.Name
	}
	return p.Location.Name()
}

// Version is the package's version, "" where the entry has none.
func (p *Package) Version() string {
	if p.Meta == nil {
		return ""
	}
	return p.Meta.Version
}

// ID is "name@version", as messages call the package.
func (p *Package) ID() string {
	if v := p.Version(); v != "" {
		return p.Name() + "@" + v
	}
	return p.Name()
}

// Target is the place that a link points to.
func (p *Package) Target() Location { return Location(strings.ReplaceAll(p.Resolved, `\`, "/")) }

// NewMeta gives the part of a manifest that an entry holds, ready for the
// Meta of the package at a location (npm: metaFromNode). The name is kept only
// where the location does not say it: the resolver, which knows the folders,
// sets it for the root and for what stands outside node_modules. Development
// dependencies are kept for a top: the root, a workspace or a link's target.
func NewMeta(m *manifest.Manifest, l Location, top bool) *manifest.Manifest {
	meta := &manifest.Manifest{
		Name:                 m.Name,
		Version:              m.Version,
		Dependencies:         m.Dependencies,
		OptionalDependencies: m.OptionalDependencies,
		PeerDependencies:     m.PeerDependencies,
		AcceptDependencies:   m.AcceptDependencies,
		PeerDependenciesMeta: m.PeerDependenciesMeta,
		BundleDependencies:   m.BundleDependencies,
		Bin:                  m.Bin,
		Engines:              m.Engines,
		OS:                   m.OS,
		CPU:                  m.CPU,
		Libc:                 m.Libc,
		License:              m.License,
		Funding:              m.Funding,
		Workspaces:           m.Workspaces,
		Deprecated:           m.Deprecated,
		HasInstallScript:     m.HasInstallScript,
		HasShrinkwrap:        m.HasShrinkwrap,
	}
	if top {
		meta.DevDependencies = m.DevDependencies
	}
	if l.InNodeModules() && m.Name == l.Name() {
		meta.Name = ""
	}
	return meta
}

// Lockfile is a whole lock. Packages are in the file's order; Sort puts them
// into npm's.
type Lockfile struct {
	Name            string
	Version         string
	LockfileVersion int // as in the file: 1, 2, 3 or 4; 0 where it says none
	Requires        bool
	Packages        []*Package
	Legacy          jsjson.Raw      // "dependencies" of v1 and v2, as read
	Extra           []jsjson.Member // other top-level members, kept

	Path    string // of the file it was read from, if any
	Indent  string // one level's, "" for a file on one line
	Newline string // "\n", "\r\n" or a run of them

	hasPackages bool                  // the file has "packages", if only an empty one
	index       map[Location]*Package // of Packages, as Parse and Index made it
}

// Default and newest versions of the format.
const (
	DefaultVersion = 3
	MaxVersion     = 4
)

// New gives an empty lock of the default version and format.
func New() *Lockfile {
	return &Lockfile{LockfileVersion: DefaultVersion, Requires: true, Indent: "  ", Newline: "\n"}
}

// Get gives the package at l, or nil. It is fast for a lock that Parse made or
// that Index was called for, and may then be called from several goroutines.
func (f *Lockfile) Get(l Location) *Package {
	if len(f.index) == len(f.Packages) {
		return f.index[l]
	}
	for _, p := range f.Packages {
		if p.Location == l {
			return p
		}
	}
	return nil
}

// Index prepares Get after Packages was assigned.
func (f *Lockfile) Index() {
	f.index = make(map[Location]*Package, len(f.Packages))
	for _, p := range f.Packages {
		f.index[p.Location] = p
	}
}

// Root gives the entry of the project itself, or nil.
func (f *Lockfile) Root() *Package { return f.Get("") }

// Sort puts the packages into the order in which npm writes them.
func (f *Lockfile) Sort() {
	f.Packages = sortedBy(f.Packages, func(p *Package) (string, bool) { return string(p.Location), true })
}

// Ancient says whether the lock is from before npm 5.1: it says nothing of
// what each package requires.
func (f *Lockfile) Ancient() bool { return f.LockfileVersion < 2 && !f.Requires }

// WriteVersion is the version of the format that npm writes back after it
// read this one: version 1 becomes 3, unless wanted, which is not 0, says
// another. What patches or extensions did to the tree needs version 4, which
// older programs refuse rather than lose it.
func (f *Lockfile) WriteVersion(wanted int) int {
	version := DefaultVersion
	switch {
	case wanted > 0:
		version = wanted
	case f.LockfileVersion > 1:
		version = f.LockfileVersion
	}
	if version < MaxVersion && slices.ContainsFunc(f.Packages, (*Package).extended) {
		return MaxVersion
	}
	return version
}

func (p *Package) extended() bool {
	return p.Patched.Truthy() || p.PackageExtensionsApplied.Truthy() || p.NpmExtensionApplied.Truthy() ||
		p.PackageExtensionsHash != "" || p.NpmExtensionHash != ""
}

// Hidden gives the lock as it is left in node_modules: always version 3, and
// without an entry for the root. What is not installed is for the caller to
// leave out.
func (f *Lockfile) Hidden() *Lockfile {
	c := f.Clone()
	c.LockfileVersion = 3
	c.Legacy = ""
	c.Packages = slices.DeleteFunc(c.Packages, func(p *Package) bool { return p.Location == "" })
	return c
}

// Clone gives a copy with a list of packages of its own; the packages are
// shared.
func (f *Lockfile) Clone() *Lockfile {
	c := *f
	c.Packages = slices.Clone(f.Packages)
	c.index = nil
	return &c
}

// ParseError says where the text of a lock stops making sense.
type ParseError struct {
	File     string
	Line     int    // from 1
	Column   int    // from 1, in characters
	Expected string // "an object", "',' or '}'"
	Found    string // "end of file", "'x'"
	Side     string // of a merge conflict: "the common ancestor"; "" without one
}

// Error gives "package-lock.json:3:7: reading lockfile: expected …, found …".
func (e *ParseError) Error() string {
	doing := "reading lockfile"
	if e.Side != "" {
		doing = "merging the conflict: " + e.Side
	}
	return fmt.Sprintf("%s:%d:%d: %s: expected %s, found %s", e.File, e.Line, e.Column, doing, e.Expected, e.Found)
}

// Code is npm's code for a file that does not parse.
func (e *ParseError) Code() string { return "EJSONPARSE" }

// VersionError is a lock whose format is newer than any known, which must
// neither be used nor overwritten (npm 12: lib/shrinkwrap.js load).
type VersionError struct {
	File    string
	Version float64
}

// Error says which version the file has and which are known.
func (e *VersionError) Error() string {
	return fmt.Sprintf("%s: reading lockfile: lockfileVersion %v is newer than %d, the newest known", e.File, e.Version, MaxVersion)
}

// Code is npm's code for it.
func (e *VersionError) Code() string { return "ELOCKFILEVERSION" }
