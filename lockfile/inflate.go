package lockfile

import (
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// Inflate makes packages of the legacy tree of version 1, as far as it tells
// what they are (npm: shrinkwrap.js #loadAll and #fixDependencies). The lock
// is that of the project in dir; root is the project's package.json, which
// fills the root's entry. A lock that has "packages" is left as it is.
//
// What each package requires is taken for its dependencies: the optional ones
// are those that are optional where the requirer is not. Most of the manifest
// stays unknown, so npm asks the registry for it before it uses such a lock.
func (f *Lockfile) Inflate(dir string, root *manifest.Manifest) {
	if f.hasPackages || f.Legacy == "" {
		return
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	in := inflater{dir: abs, at: map[Location]*inflated{}}
	in.load("", "", jsjson.NewObject(
		jsjson.Member{Key: "name", Value: jsjson.NewString(f.Name)},
		jsjson.Member{Key: "version", Value: jsjson.NewString(f.Version)},
		jsjson.Member{Key: "dependencies", Value: f.Legacy.Value()},
	), 0)
	in.fillRoot(root)
	in.fixDependencies()
	f.Packages = f.Packages[:0]
	for _, p := range in.order {
		f.Packages = append(f.Packages, p.Package)
	}
	f.Packages = jsjson.Order(f.Packages, func(p **Package) string { return string((*p).Location) }, func(_, _ **Package) {})
	f.Index()
	f.hasPackages = true
}

// inflated is a package in the making.
type inflated struct {
	*Package
	requires manifest.Deps
}

type inflater struct {
	dir   string
	order []*inflated
	at    map[Location]*inflated
}

// maxNesting is how deep a legacy tree may be nested: locations grow with it.
const maxNesting = 512

func (in *inflater) load(l Location, name string, lock jsjson.Value, depth int) {
	p := in.entry(l, name, lock)
	// What is nested under a link stands under the link's target.
	if p.Link {
		l = Location(p.Resolved)
	}
	if depth >= maxNesting {
		return
	}
	for _, member := range lock.Get("dependencies").Members() {
		if member.Value.IsObject() {
			in.load(l.Child(member.Key), member.Key, member.Value, depth+1)
		}
	}
}

// entry makes the package at l of its entry in the tree, where "version" and
// "from" can hold nearly anything (npm: #metaFromLock).
func (in *inflater) entry(l Location, name string, lock jsjson.Value) *inflated {
	version, resolved, integrity := lock.Get("version").Str(), lock.Get("resolved").Str(), lock.Get("integrity").Str()
	wanted := specFromLock(name, lock, in.dir)
	m := &manifest.Manifest{}
	p := &inflated{Package: &Package{Location: l, Meta: m}}

	if wanted != nil && wanted.Type == spec.Directory {
		target := in.relative(wanted.FetchSpec)
		p.Link, p.Resolved = true, target
		in.set(p)
		if in.at[Location(target)] == nil {
			in.entry(Location(target), name, lock.Without("version"))
		}
		return in.at[l]
	}

	if requires := lock.Get("requires"); requires.IsObject() {
		for _, member := range requires.Members() {
			if member.Value.IsString() {
				p.requires = append(p.requires, manifest.Dep{Name: member.Key, Spec: member.Value.Str()})
			}
		}
	}
	p.Optional = lock.Get("optional").Truthy()
	p.Dev = lock.Get("dev").Truthy()
	if l == "" {
		m.Name = lock.Get("name").Str()
	}
	p.Integrity = integrity

	if version != "" && integrity == "" && wanted != nil {
		// A git repository, or what was locked before there was integrity.
		if wanted.Type == spec.Git {
			p.Resolved = gitResolved(wanted)
			return in.set(p)
		}
		if wanted.Registry {
			m.Version = version
		}
	}
	if wanted != nil {
		switch {
		case wanted.Registry:
			p.Resolved = resolved
		case wanted.Type == spec.File:
			p.Resolved = "file:" + in.relative(wanted.FetchSpec)
		default:
			p.Resolved = wanted.FetchSpec
		}
	}
	if m.Version == "" && wanted != nil {
		switch wanted.Type {
		case spec.File, spec.Remote:
			packed, v, ok := versionFromTarball(wanted.Name, wanted.FetchSpec)
			if !ok {
				packed, v, ok = versionFromTarball(wanted.Name, p.Resolved)
			}
			if ok {
				m.Version = v
				if packed != name {
					m.Name = packed
				}
			}
		case spec.Alias:
			m.Name, m.Version = wanted.Sub.Name, wanted.Sub.FetchSpec
		case spec.Version:
			m.Version = wanted.FetchSpec
		}
	}
	p.InBundle = lock.Get("bundled").Truthy()
	return in.set(p)
}

func (in *inflater) set(p *inflated) *inflated {
	if old := in.at[p.Location]; old != nil {
		*old = *p
		return old
	}
	in.at[p.Location] = p
	in.order = append(in.order, p)
	return p
}

func (in *inflater) relative(path string) string {
	rel, err := filepath.Rel(in.dir, filepath.FromSlash(path))
	if err != nil {
		return filepath.ToSlash(path)
	}
	if rel == "." {
		return ""
	}
	return filepath.ToSlash(rel)
}

// fillRoot takes over what package.json says; what it does not say stays as
// the lock has it.
func (in *inflater) fillRoot(root *manifest.Manifest) {
	entry := in.at[""]
	if entry == nil || root == nil {
		return
	}
	meta := NewMeta(root, "", false)
	meta.Name = entry.Meta.Name
	meta.HasInstallScript = false // npm says so only once it has a tree
	if meta.Version == "" {
		meta.Version = entry.Meta.Version
	}
	entry.Meta = meta
	entry.HasShrinkwrap = meta.HasShrinkwrap
}

// fixDependencies sorts what each package requires into its dependency maps.
func (in *inflater) fixDependencies() {
	for _, p := range in.order {
		if p.Location == "" {
			continue
		}
		for _, dep := range p.requires {
			found := in.find(p.Location, dep.Name)
			m := p.Meta
			switch {
			case found != nil && found.Optional && !p.Optional:
				m.OptionalDependencies = append(m.OptionalDependencies, dep)
			case found != nil && found.Dev && !p.Dev:
				m.DevDependencies = append(m.DevDependencies, dep)
			default:
				m.Dependencies = append(m.Dependencies, dep)
			}
		}
	}
}

// find gives the package that require would find from l, asking every folder
// on the way up.
func (in *inflater) find(l Location, name string) *inflated {
	for {
		if p := in.at[l.Child(name)]; p != nil {
			return p
		}
		if l == "" {
			return nil
		}
		l = l[:max(strings.LastIndexByte(string(l), '/'), 0)]
	}
}

// specFromLock gives what an entry of the tree was locked to, nil where it is
// beyond understanding (npm: spec-from-lock.js).
func specFromLock(name string, lock jsjson.Value, where string) *spec.Spec {
	version, from, resolved := lock.Get("version").Str(), lock.Get("from").Str(), lock.Get("resolved").Str()
	try := func() (*spec.Spec, error) {
		if version != "" {
			s, err := spec.Resolve(name, version, where)
			if err != nil || lock.Get("integrity").Truthy() || s.Type == spec.Git {
				return s, err
			}
		}
		if from != "" {
			s, err := spec.Resolve(name, from, where)
			switch {
			case err != nil:
				return nil, err
			case s.Registry && version != "":
				return spec.Resolve(name, version, where)
			case resolved == "":
				return s, nil
			}
		}
		if resolved != "" {
			return spec.Resolve(name, resolved, where)
		}
		return nil, nil
	}
	if s, err := try(); err == nil && s != nil {
		return s
	}
	s, err := spec.Resolve(name, version, where)
	if err != nil {
		return nil
	}
	return s
}

// gitResolved writes a git spec as a lock has it: the whole ssh URL, or https
// where it has credentials (npm: consistent-resolve.js).
func gitResolved(s *spec.Spec) string {
	h := s.Hosted
	if h == nil {
		return s.SaveSpec
	}
	if h.Auth != "" {
		return "git+" + h.HTTPS(spec.Format{NoGitPlus: true})
	}
	return "git+" + h.SSHURL(spec.Format{NoGitPlus: true})
}

// versionFromTarball guesses a package's name and version from the path or URL
// of its tarball (npm: version-from-tgz.js).
func versionFromTarball(name, tarball string) (string, string, bool) {
	base := tarball[strings.LastIndexByte(strings.TrimRight(tarball, "/"), '/')+1:]
	if !strings.HasSuffix(base, ".tgz") {
		return "", "", false
	}
	if strings.HasPrefix(tarball, "http:/") || strings.HasPrefix(tarball, "https:/") {
		path := tarball
		if end := strings.IndexAny(path, "?#"); end >= 0 {
			path = path[:end]
		}
		if i := strings.Index(path, "://"); i >= 0 {
			if slash := strings.IndexByte(path[i+3:], '/'); slash >= 0 {
				path = path[i+3+slash+1:]
			}
		}
		if i := strings.LastIndex(path, "/-/"); i >= 0 && path[i+3:] == base {
			before := path[:i]
			if j := strings.LastIndex(before, "/-/"); j >= 0 {
				before = before[j+len("/-/"):]
			}
			return packed(base, before)
		}
	}
	return packed(base, name)
}

// packed splits a tarball's file name after the name of the package that it
// should be of.
func packed(base, name string) (string, string, bool) {
	name = strings.ReplaceAll(strings.ReplaceAll(name, "%2f", "/"), "%2F", "/")
	parts := strings.Split(name, "/")
	project, scope := parts[len(parts)-1], ""
	if len(parts) > 1 {
		scope = parts[len(parts)-2]
	}
	rest, ok := strings.CutPrefix(base, project+"-")
	if !ok {
		return "", "", false
	}
	v, err := nodesemver.Parse(strings.TrimSuffix(rest, ".tgz"), false)
	if err != nil {
		return "", "", false
	}
	if strings.HasPrefix(scope, "@") {
		project = scope + "/" + project
	}
	return project, v.String(), true
}
