package manifest

import (
	"encoding/base64"
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// Parse decodes and normalises one version of a packument, or a manifest that
// is known to be free of leftovers in attributes that start with "_" (npm:
// pacote lib/registry.js manifest, @npmcli/package-json lib/normalize.js
// without the step _attributes). An error is a *jsjson.SyntaxError.
//
// The manifest shares raw's memory: the bytes must not be changed any more.
func Parse(raw []byte) (*Manifest, error) {
	return parse(jsjson.NewScanner(raw), true)
}

// ParsePackageJSON decodes and normalises the text of a package.json from a
// disk or a tarball: attributes that start with "_" count for nothing. The
// executables that "directories" names are not listed; ReadDir does that.
func ParsePackageJSON(data []byte) (*Manifest, error) {
	return parse(jsjson.NewScanner(data), false)
}

// FromValue normalises a package.json that is already decoded.
func FromValue(v jsjson.Value) (*Manifest, error) {
	return parse(v.Raw().Scanner(), false)
}

// Clone gives a copy whose fields may be assigned. The lists in it are still
// shared and must be replaced, not changed.
func (m *Manifest) Clone() *Manifest {
	c := *m
	return &c
}

// published has the fields of a manifest as they were published.
type published struct {
	name, version                                        jsjson.Raw
	dependencies, dev, optional, peer, accept, peerMeta  jsjson.Raw
	bundle, bundled, bin                                 jsjson.Raw
	license, funding, deprecated                         jsjson.Raw
	scripts, hasInstallScript, hasShrinkwrap, dist       jsjson.Raw
	directories                                          jsjson.Raw
	engines, os, cpu, libc, workspaces, gypfile          jsjson.Raw
	overrides, packageExtensions, allowScripts, devEngns jsjson.Raw
}

func parse(s *jsjson.Scanner, underscored bool) (*Manifest, error) {
	p, err := scan(s, underscored)
	if err != nil {
		return nil, err
	}
	return p.normalize(), nil
}

func scan(s *jsjson.Scanner, underscored bool) (*published, error) {
	var p published
	s.Object()
	for s.More() {
		if field := p.field(s.Key(), underscored); field != nil {
			*field = s.Raw()
		} else {
			s.Skip()
		}
	}
	s.End()
	return &p, s.Err()
}

// field gives the place of the attribute called key, nil for one that is of no
// interest.
func (p *published) field(key string, underscored bool) *jsjson.Raw {
	switch key {
	case "name":
		return &p.name
	case "version":
		return &p.version
	case "dependencies":
		return &p.dependencies
	case "devDependencies":
		return &p.dev
	case "optionalDependencies":
		return &p.optional
	case "peerDependencies":
		return &p.peer
	case "acceptDependencies":
		return &p.accept
	case "peerDependenciesMeta":
		return &p.peerMeta
	case "bundleDependencies":
		return &p.bundle
	case "bundledDependencies":
		return &p.bundled
	case "bin":
		return &p.bin
	case "directories":
		return &p.directories
	case "license":
		return &p.license
	case "funding":
		return &p.funding
	case "deprecated":
		return &p.deprecated
	case "scripts":
		return &p.scripts
	case "hasInstallScript":
		return &p.hasInstallScript
	case "dist":
		return &p.dist
	case "engines":
		return &p.engines
	case "os":
		return &p.os
	case "cpu":
		return &p.cpu
	case "libc":
		return &p.libc
	case "workspaces":
		return &p.workspaces
	case "gypfile":
		return &p.gypfile
	case "overrides":
		return &p.overrides
	case "packageExtensions":
		return &p.packageExtensions
	case "allowScripts":
		return &p.allowScripts
	case "devEngines":
		return &p.devEngns
	case "_hasShrinkwrap":
		if underscored {
			return &p.hasShrinkwrap
		}
	}
	return nil
}

// normalize does the steps of @npmcli/package-json lib/normalize.js in its
// order, which shows: bundling everything means everything that "dependencies"
// had before the optional ones were taken out of it.
func (p *published) normalize() *Manifest {
	m := &Manifest{
		Name:                 text(p.name),
		Version:              text(p.version),
		Dependencies:         decodeDeps(p.dependencies),
		DevDependencies:      decodeDevDeps(p.dev),
		OptionalDependencies: decodeDeps(p.optional),
		PeerDependencies:     decodeDeps(p.peer),
		AcceptDependencies:   decodeDeps(p.accept),
		PeerDependenciesMeta: DecodePeerMeta(p.peerMeta),
		Engines:              p.engines,
		OS:                   p.os,
		CPU:                  p.cpu,
		Libc:                 p.libc,
		License:              reduceLicense(p.license),
		Funding:              expandFunding(p.funding),
		Workspaces:           p.workspaces,
		Deprecated:           text(p.deprecated),
		Scripts:              decodeDeps(p.scripts),
		HasShrinkwrap:        p.hasShrinkwrap.Truthy(),
		GypFile:              p.gypfile,
		Overrides:            p.overrides,
		PackageExtensions:    p.packageExtensions,
		AllowScripts:         p.allowScripts,
		DevEngines:           p.devEngns,
		Dist:                 decodeDist(p.dist),
	}
	if p.bundle == "" {
		p.bundle = p.bundled
	}
	m.BundleDependencies = decodeBundle(p.bundle, m.Dependencies)
	m.Dependencies = m.Dependencies.Except(m.OptionalDependencies)
	m.HasInstallScript = p.hasInstallScript.Truthy() || m.scripted("install") || m.scripted("preinstall") || m.scripted("postinstall")
	if p.bin != "" {
		m.Bin = NormalizeBin(p.bin.Value(), m.Name)
	}
	return m
}

// Locked gives what npm makes of an entry of a lock: old npms wrote what the
// registry said, with an optional dependency among the dependencies as well.
// It is m itself where there is nothing to make, which is usual.
func (m *Manifest) Locked() *Manifest {
	deps := m.Dependencies.Except(m.OptionalDependencies)
	license, funding := m.License, m.Funding
	if len(license) > 0 {
		license = reduceLicense(license)
	}
	if len(funding) > 0 {
		funding = expandFunding(funding)
	}
	if len(deps) == len(m.Dependencies) && license == m.License && funding == m.Funding {
		return m
	}
	m = m.Clone()
	m.Dependencies, m.License, m.Funding = deps, license, funding
	return m
}

func (m *Manifest) scripted(event string) bool {
	command, _ := m.Scripts.Get(event)
	return command != ""
}

// Except gives d without the names that other has; d itself where it has none
// of them.
func (d Deps) Except(other Deps) Deps {
	if len(d) == 0 || len(other) == 0 {
		return d
	}
	drop := func(name string) bool { _, ok := other.Get(name); return ok }
	if len(other) > linearDeps {
		set := make(map[string]bool, len(other))
		for i := range other {
			set[other[i].Name] = true
		}
		drop = func(name string) bool { return set[name] }
	}
	if !slices.ContainsFunc(d, func(dep Dep) bool { return drop(dep.Name) }) {
		return d
	}
	rest := make(Deps, 0, len(d))
	for _, dep := range d {
		if !drop(dep.Name) {
			rest = append(rest, dep)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return rest
}

// linearDeps is the number of names up to which looking through them beats
// making a map; beyond it a hostile manifest could cost quadratic time.
const linearDeps = 32

// DecodeDeps takes the next value as a dependency map, in JavaScript's order.
// Entries that are no strings, and maps that are no objects, give nothing.
func DecodeDeps(s *jsjson.Scanner) Deps {
	if s.Kind() != jsjson.Object {
		s.Skip()
		return nil
	}
	var deps Deps
	s.Object()
	for s.More() {
		name := s.Key()
		if s.Kind() != jsjson.String {
			s.Skip()
			continue
		}
		deps = append(deps, Dep{name, s.Str()})
	}
	return OrderDeps(deps)
}

// OrderDeps puts entries that stand as written into JavaScript's order, in
// place: of a name given twice the last spec at the first place.
func OrderDeps(deps Deps) Deps {
	if len(deps) < 2 {
		return deps
	}
	return jsjson.Order(deps, func(d *Dep) string { return d.Name }, func(to, from *Dep) { to.Spec = from.Spec })
}

func decodeDeps(raw jsjson.Raw) Deps {
	if raw == "" {
		return nil
	}
	return DecodeDeps(raw.Scanner())
}

// decodeDevDeps keeps an empty object apart from none.
func decodeDevDeps(raw jsjson.Raw) Deps {
	deps := decodeDeps(raw)
	if deps == nil && raw.Kind() == jsjson.Object {
		return Deps{}
	}
	return deps
}

// DecodePeerMeta decodes peerDependenciesMeta.
func DecodePeerMeta(raw jsjson.Raw) []PeerMeta {
	if raw.Kind() != jsjson.Object {
		return nil
	}
	var metas []PeerMeta
	s := raw.Scanner()
	s.Object()
	for s.More() {
		meta := PeerMeta{Name: s.Key()}
		meta.Raw = s.Raw()
		if meta.Raw.Kind() == jsjson.Object {
			meta.Optional = meta.Raw.Value().Get("optional").Truthy()
		}
		metas = append(metas, meta)
	}
	return jsjson.Order(metas, func(m *PeerMeta) string { return m.Name },
		func(to, from *PeerMeta) { to.Optional, to.Raw = from.Optional, from.Raw })
}

// decodeBundle reads the many forms of bundleDependencies. The result is nil
// where the manifest has none, and empty where it says that it bundles nothing.
func decodeBundle(raw jsjson.Raw, dependencies Deps) []string {
	switch raw.Kind() {
	case jsjson.Bool:
		names := []string{}
		if raw.Truthy() {
			for _, dep := range dependencies {
				names = append(names, dep.Name)
			}
		}
		return names
	case jsjson.Array:
		names := []string{}
		for _, item := range raw.Value().Items() {
			if item.IsString() {
				names = append(names, item.Str())
			}
		}
		return names
	case jsjson.Object:
		names := []string{}
		for _, member := range raw.Value().Members() {
			names = append(names, member.Key)
		}
		return names
	}
	return nil
}

// reduceLicense gives what the lockfile writes for a license (npm: arborist
// lib/shrinkwrap.js metaFieldFromPkg).
func reduceLicense(raw jsjson.Raw) jsjson.Raw {
	if raw.Kind() == jsjson.Object {
		if kind := raw.Value().Get("type"); kind.Truthy() {
			return kind.Raw()
		}
	}
	return raw
}

func expandFunding(raw jsjson.Raw) jsjson.Raw {
	if raw.Kind() == jsjson.String && raw.Truthy() {
		return `{"url":` + raw + `}`
	}
	return raw
}

func decodeDist(raw jsjson.Raw) Dist {
	var dist Dist
	if raw.Kind() != jsjson.Object {
		return dist
	}
	shasum := ""
	s := raw.Scanner()
	s.Object()
	for s.More() {
		switch s.Key() {
		case "tarball":
			dist.Tarball = text(s.Raw())
		case "integrity":
			dist.Integrity = text(s.Raw())
		case "shasum":
			shasum = text(s.Raw())
		case "fileCount":
			dist.FileCount = int(count(s.Raw()))
		case "unpackedSize":
			dist.UnpackedSize = count(s.Raw())
		default:
			s.Skip()
		}
	}
	if dist.Integrity == "" {
		if sum, err := hex.DecodeString(shasum); err == nil && len(sum) == 20 {
			dist.Integrity = "sha1-" + base64.StdEncoding.EncodeToString(sum)
		}
	}
	return dist
}

// text gives a string's text, and "" for what is no string.
func text(raw jsjson.Raw) string {
	if raw.Kind() != jsjson.String {
		return ""
	}
	return raw.Scanner().Str()
}

// count gives a number that is a whole one and not negative, else 0.
func count(raw jsjson.Raw) int64 {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// NormalizeBin gives the executables that a "bin" attribute names: a string is
// the package's own name, a list are files that give the names, and neither a
// name nor a file gets out of its folder (npm: normalizePackageBin).
func NormalizeBin(bin jsjson.Value, name string) []Bin {
	var bins binSet
	switch bin.Kind() {
	case jsjson.String:
		if bin.Str() != "" && name != "" {
			bins.set(name, bin.Str())
		}
	case jsjson.Array:
		for _, item := range bin.Items() {
			if item.IsString() {
				bins.set(baseName(item.Str()), item.Str())
			}
		}
	case jsjson.Object:
		for _, member := range bin.Members() {
			if member.Value.IsString() {
				bins.set(member.Key, member.Value.Str())
			}
		}
	}
	// npm renames while it walks over the keys it found: a cleaned name goes
	// to the end, or takes the place of a key that is there already.
	for _, key := range bins.names() {
		i, ok := bins.at[key]
		if !ok {
			continue
		}
		base, target := baseName(securePath(key)), securePath(bins.all[i].Path)
		if base == "" || target == "" || base == "__proto__" && key != base {
			delete(bins.at, key)
			continue
		}
		if base != key {
			delete(bins.at, key)
		}
		bins.set(base, target)
	}
	return jsjson.Order(bins.left(), func(b *Bin) string { return b.Name }, func(to, from *Bin) { to.Path = from.Path })
}

// binSet is an object of JavaScript's: a bin that is set anew keeps its place, one
// that was deleted goes to the end.
type binSet struct {
	all []Bin
	at  map[string]int // of those that were not deleted
}

func (s *binSet) set(name, file string) {
	if i, ok := s.at[name]; ok {
		s.all[i].Path = file
		return
	}
	if s.at == nil {
		s.at = map[string]int{}
	}
	s.at[name] = len(s.all)
	s.all = append(s.all, Bin{name, file})
}

func (s *binSet) names() []string {
	names := make([]string, len(s.all))
	for i := range s.all {
		names[i] = s.all[i].Name
	}
	return names
}

// left is what was not deleted, nil for none.
func (s *binSet) left() []Bin {
	var bins []Bin
	for i, b := range s.all {
		if at, ok := s.at[b.Name]; ok && at == i {
			bins = append(bins, b)
		}
	}
	return bins
}

// baseName is path.basename of node: the last element, without the slashes
// that follow it.
func baseName(file string) string {
	file = strings.TrimRight(file, "/")
	return file[strings.LastIndexByte(file, '/')+1:]
}

// securePath gives ref as a path inside its folder, slashes forward and no
// leading "./", "" for the folder itself. A backslash and a colon are slashes,
// a slash at the end stays (npm: secureAndUnixifyPath).
func securePath(ref string) string {
	ref = strings.Map(func(r rune) rune {
		if r == '\\' || r == ':' {
			return '/'
		}
		return r
	}, ref)
	clean := strings.TrimPrefix(path.Join("/", ref), "/")
	if clean != "" && strings.HasSuffix(ref, "/") {
		clean += "/"
	}
	return clean
}
