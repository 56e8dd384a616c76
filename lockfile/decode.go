package lockfile

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/regular"
)

// File names of locks, in npm's order of priority.
const (
	ShrinkwrapName = "npm-shrinkwrap.json"
	LockName       = "package-lock.json"
	HiddenName     = "node_modules/.package-lock.json"
)

// ErrMissing says that a project has no lock, or an empty file for one.
var ErrMissing = errors.New("no lockfile")

// Load reads the lock of the project in dir: npm-shrinkwrap.json, or, where
// that is missing or empty, package-lock.json. ErrMissing says that there is
// none; other errors are a *ParseError, a *VersionError or one of reading.
// Version 1 is inflated with what the package.json in dir says.
func Load(dir string) (*Lockfile, error) {
	for _, name := range []string{ShrinkwrapName, LockName} {
		f, err := loadFile(filepath.Join(dir, name))
		if !errors.Is(err, ErrMissing) {
			return inflate(f, dir), err
		}
	}
	return nil, ErrMissing
}

func inflate(f *Lockfile, dir string) *Lockfile {
	if f != nil && !f.hasPackages && f.Legacy != "" {
		root, err := manifest.ReadDir(dir)
		if err != nil { // as npm: the lock still says what it says
			root = &manifest.Manifest{}
		}
		f.Inflate(dir, root)
	}
	return f
}

// LoadHidden reads what the last install left in dir's node_modules. Errors
// are those of Load.
func LoadHidden(dir string) (*Lockfile, error) {
	return loadFile(filepath.Join(dir, filepath.FromSlash(HiddenName)))
}

func loadFile(path string) (*Lockfile, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(data, path)
}

// readFile gives the bytes of a lock; ErrMissing says that there is none, or
// nothing in it.
func readFile(path string) ([]byte, error) {
	data, err := regular.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(data) == 0 {
		return nil, ErrMissing
	}
	return data, err
}

// FileToWrite gives the path to which npm writes the lock of the project in
// dir: its npm-shrinkwrap.json where it has one that is not empty.
func FileToWrite(dir string) string {
	shrinkwrap := filepath.Join(dir, ShrinkwrapName)
	if info, err := os.Stat(shrinkwrap); err == nil && info.Size() > 0 {
		return shrinkwrap
	}
	return filepath.Join(dir, LockName)
}

// Parse decodes the text of a lock; path is what errors call it. Where the
// text has the conflict markers of a merge, the two sides are merged as npm
// merges them. An error is a *ParseError or a *VersionError. Parse takes data
// over: the bytes must not be changed any more.
func Parse(data []byte, path string) (*Lockfile, error) {
	if hasConflict(data) {
		return parseConflict(data, path)
	}
	f, err := decode(data, path)
	if err != nil {
		return nil, err
	}
	f.Indent, f.Newline = jsjson.DetectFormat(string(data[:min(len(data), formatPrefix)]))
	return f, nil
}

// formatPrefix is how much of a file is searched for its first indent.
const formatPrefix = 4096

func decode(data []byte, path string) (*Lockfile, error) {
	d := decoder{s: jsjson.NewScanner(data), file: &Lockfile{Path: path}}
	d.packages(len(data))
	d.lockfile()
	d.s.End()
	if err := d.s.Err(); err != nil {
		var syntax *jsjson.SyntaxError
		if !errors.As(err, &syntax) {
			return nil, err
		}
		return nil, &ParseError{File: path, Line: syntax.Line, Column: syntax.Column, Expected: syntax.Expected, Found: syntax.Found}
	}
	if d.tooNew > 0 {
		return nil, &VersionError{path, d.tooNew}
	}
	return d.file, nil
}

// A decoder reads one lock. Packages, manifests and dependencies are cut from
// larger pieces: a lock has thousands of them, and they live and die together.
type decoder struct {
	s      *jsjson.Scanner
	file   *Lockfile
	tooNew float64

	entries []entry
	deps    []manifest.Dep
	scratch manifest.Deps
}

// entry is a package with its manifest, allocated together.
type entry struct {
	pkg  Package
	meta manifest.Manifest
}

// bytesPerPackage is about what an entry takes in a lock, to guess how many
// there are.
const bytesPerPackage = 512

func (d *decoder) packages(size int) {
	n := size/bytesPerPackage + 8
	d.file.Packages = make([]*Package, 0, n)
	d.file.index = make(map[Location]*Package, n)
}

func (d *decoder) lockfile() {
	f, s := d.file, d.s
	s.Object()
	for s.More() {
		switch key := s.Key(); key {
		case "name":
			f.Name = d.str()
		case "version":
			f.Version = d.str()
		case "lockfileVersion":
			// npm takes "3" for 3.
			text := string(s.Raw())
			if jsjson.Raw(text).Kind() == jsjson.String {
				text = jsjson.Raw(text).Value().Str()
			}
			number, err := strconv.ParseFloat(text, 64)
			switch {
			case err != nil || number < 0:
			case number > MaxVersion:
				d.tooNew = number
			default:
				f.LockfileVersion = int(number)
			}
		case "requires":
			f.Requires = s.Raw().Truthy()
		case "packages":
			if s.Kind() == jsjson.Null {
				s.Null()
				continue
			}
			d.locations()
		case "dependencies":
			switch s.Kind() {
			case jsjson.Object:
				f.Legacy = s.Raw()
			case jsjson.Null:
				s.Null()
			default:
				s.Fail("an object of dependencies")
			}
		default:
			f.Extra = append(f.Extra, jsjson.Member{Key: key, Value: s.Value()})
		}
	}
	f.Extra = orderExtra(f.Extra)
}

func orderExtra(extra []jsjson.Member) []jsjson.Member {
	if len(extra) < 2 {
		return extra
	}
	return jsjson.Order(extra, func(m *jsjson.Member) string { return m.Key },
		func(to, from *jsjson.Member) { to.Value = from.Value })
}

func (d *decoder) locations() {
	f, s := d.file, d.s
	f.hasPackages = true
	// A file with two "packages" means the last.
	f.Packages = f.Packages[:0]
	clear(f.index)
	indexes := false
	if s.Kind() != jsjson.Object {
		s.Fail("an object of packages")
	}
	s.Object()
	for s.More() {
		location := Location(s.Key())
		if s.Kind() != jsjson.Object {
			s.Fail("an object that describes a package")
		}
		e := d.entry()
		e.pkg.Location = location
		d.pkg(&e.pkg, &e.meta)
		if old := f.index[location]; old != nil {
			*old = e.pkg
			continue
		}
		f.index[location] = &e.pkg
		f.Packages = append(f.Packages, &e.pkg)
		if _, ok := jsjson.ArrayIndex(string(location)); ok {
			indexes = true
		}
	}
	if indexes {
		f.Packages = jsjson.Order(f.Packages, func(p **Package) string { return string((*p).Location) },
			func(_, _ **Package) {})
	}
}

func (d *decoder) entry() *entry {
	if len(d.entries) == 0 {
		d.entries = make([]entry, 64)
	}
	e := &d.entries[0]
	d.entries = d.entries[1:]
	return e
}

func (d *decoder) pkg(p *Package, m *manifest.Manifest) {
	p.Meta = m
	s := d.s
	var bin, bundle jsjson.Raw
	s.Object()
	for s.More() {
		switch key := s.Key(); key {
		case "name":
			m.Name = d.str()
		case "version":
			m.Version = d.str()
		case "resolved":
			p.Resolved = d.str()
		case "integrity":
			p.Integrity = d.str()
		case "link":
			p.Link = d.flag()
		case "inBundle":
			p.InBundle = d.flag()
		case "hasShrinkwrap":
			p.HasShrinkwrap = d.flag()
			m.HasShrinkwrap = p.HasShrinkwrap
		case "hasInstallScript":
			m.HasInstallScript = d.flag()
		case "extraneous":
			p.Extraneous = d.flag()
		case "peer":
			p.Peer = d.flag()
		case "dev":
			p.Dev = d.flag()
		case "optional":
			p.Optional = d.flag()
		case "devOptional":
			p.DevOptional = d.flag()
		case "dependencies":
			m.Dependencies = d.dependencies()
		case "devDependencies":
			none := s.Kind() == jsjson.Null
			if m.DevDependencies = d.dependencies(); m.DevDependencies == nil && !none {
				m.DevDependencies = manifest.Deps{}
			}
		case "optionalDependencies":
			m.OptionalDependencies = d.dependencies()
		case "peerDependencies":
			m.PeerDependencies = d.dependencies()
		case "acceptDependencies":
			m.AcceptDependencies = d.dependencies()
		case "peerDependenciesMeta":
			raw := s.Raw()
			m.PeerDependenciesMeta = manifest.DecodePeerMeta(raw)
			if raw.Truthy() && raw.Kind() != jsjson.Object {
				p.keep(key, raw)
			}
		case "bundleDependencies":
			bundle = s.Raw()
		case "bin":
			bin = s.Raw()
		case "engines":
			m.Engines = s.Raw()
		case "os":
			m.OS = s.Raw()
		case "cpu":
			m.CPU = s.Raw()
		case "libc":
			m.Libc = s.Raw()
		case "license":
			m.License = s.Raw()
		case "funding":
			m.Funding = s.Raw()
		case "workspaces":
			m.Workspaces = s.Raw()
		case "deprecated":
			if s.Kind() == jsjson.String {
				m.Deprecated = s.Str()
			} else if raw := s.Raw(); raw.Truthy() {
				p.keep(key, raw)
			}
		case "patched":
			p.Patched = s.Raw()
		case "packageExtensionsApplied":
			p.PackageExtensionsApplied = s.Raw()
		case "npmExtensionApplied":
			p.NpmExtensionApplied = s.Raw()
		case "packageExtensionsHash":
			p.PackageExtensionsHash = d.str()
		case "npmExtensionHash":
			p.NpmExtensionHash = d.str()
		default:
			p.keep(key, s.Raw())
		}
	}
	if bundle != "" {
		d.bundle(p, m, bundle)
	}
	if bin != "" {
		d.bin(p, m, bin)
	}
	p.Extra = orderExtra(p.Extra)
}

func (p *Package) keep(key string, raw jsjson.Raw) {
	p.Extra = append(p.Extra, jsjson.Member{Key: key, Value: raw.Value()})
}

// str takes a string; what JavaScript's if does not take counts as none.
func (d *decoder) str() string {
	switch d.s.Kind() {
	case jsjson.String:
		return d.s.Str()
	case jsjson.Null:
		d.s.Null()
		return ""
	case jsjson.Bool:
		d.s.Fail("a string")
		return ""
	}
	return d.s.Str() // says that it expected a string
}

// flag takes a value that only counts as true or not.
func (d *decoder) flag() bool {
	if d.s.Kind() == jsjson.Bool {
		return d.s.Bool()
	}
	return d.s.Raw().Truthy()
}

func (d *decoder) dependencies() manifest.Deps {
	s := d.s
	switch s.Kind() {
	case jsjson.Null:
		s.Null()
		return nil
	case jsjson.Object:
	default:
		s.Fail("an object of names and ranges")
		return nil
	}
	d.scratch = d.scratch[:0]
	s.Object()
	for s.More() {
		name := s.Key()
		d.scratch = append(d.scratch, manifest.Dep{Name: name, Spec: s.Str()})
	}
	deps := manifest.OrderDeps(d.scratch)
	n := len(deps)
	if n == 0 {
		return nil
	}
	if n > len(d.deps) {
		d.deps = make([]manifest.Dep, max(512, n))
	}
	out := d.deps[:n:n]
	d.deps = d.deps[n:]
	copy(out, deps)
	return out
}

// bundle takes bundleDependencies, which npm writes as a list of names.
func (d *decoder) bundle(p *Package, m *manifest.Manifest, raw jsjson.Raw) {
	if !raw.Truthy() {
		return
	}
	strange := raw.Kind() != jsjson.Array
	m.BundleDependencies = []string{}
	switch v := raw.Value(); v.Kind() {
	case jsjson.Array:
		for _, item := range v.Items() {
			if item.IsString() {
				m.BundleDependencies = append(m.BundleDependencies, item.Str())
			} else {
				strange = true
			}
		}
	case jsjson.Bool:
		for _, dep := range m.Dependencies {
			m.BundleDependencies = append(m.BundleDependencies, dep.Name)
		}
	case jsjson.Object:
		for _, member := range v.Members() {
			m.BundleDependencies = append(m.BundleDependencies, member.Key)
		}
	default:
		m.BundleDependencies = nil
	}
	if strange {
		p.keep("bundleDependencies", raw)
	}
}

// bin takes the executables. They are cleaned, since a lock can name any path;
// npm writes back what it read, so an unclean "bin" is kept beside.
func (d *decoder) bin(p *Package, m *manifest.Manifest, raw jsjson.Raw) {
	if raw.Kind() == jsjson.Object {
		if bins, clean := d.cleanBins(raw); clean {
			m.Bin = bins
			return
		}
	}
	m.Bin = manifest.NormalizeBin(raw.Value(), p.Name())
	if raw.Truthy() {
		p.keep("bin", raw)
	}
}

// cleanBins decodes the usual object of names and paths; no where one of them
// would have to be changed.
func (d *decoder) cleanBins(raw jsjson.Raw) ([]manifest.Bin, bool) {
	s := raw.Scanner()
	var bins []manifest.Bin
	s.Object()
	for s.More() {
		bin := manifest.Bin{Name: s.Key()}
		if s.Kind() != jsjson.String {
			return nil, false
		}
		bin.Path = s.Str()
		if !cleanBin(bin) || len(bins) > 64 {
			return nil, false
		}
		for i := range bins {
			if bins[i].Name == bin.Name {
				return nil, false
			}
		}
		bins = append(bins, bin)
	}
	return jsjson.Order(bins, func(b *manifest.Bin) string { return b.Name }, func(to, from *manifest.Bin) { to.Path = from.Path }), len(bins) > 0
}

// cleanBin says that manifest.NormalizeBin would leave bin as it is; it may
// say no too often.
func cleanBin(bin manifest.Bin) bool {
	if bin.Name == "" || bin.Name == "." || bin.Name == ".." || bin.Name == protoKey || strings.ContainsAny(bin.Name, `/\:`) ||
		strings.ContainsAny(bin.Path, `\:`) || bin.Path == "" {
		return false
	}
	for element := range strings.SplitSeq(bin.Path, "/") {
		if element == "" || element == "." || element == ".." {
			return false
		}
	}
	return true
}
