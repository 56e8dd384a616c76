package resolver

import (
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// packageExtensions are the root's repairs of other people's manifests
// (npm 12: lib/package-extensions.js). They are applied before a manifest's
// dependencies are read.
type packageExtensions struct {
	selectors []extension
	hash      string // of the canonical form; "" for none
}

type extension struct {
	key, name, rng string // rng is "" for every version
	value          jsjson.Value
}

// extensionRecord says which repair a node's manifest had, for the lock.
type extensionRecord struct{ text jsjson.Raw }

func (r *extensionRecord) raw() jsjson.Raw {
	if r == nil {
		return ""
	}
	return r.text
}

func recordOf(raw jsjson.Raw) *extensionRecord {
	if raw == "" {
		return nil
	}
	return &extensionRecord{raw}
}

// ExtensionError is a packageExtensions rule that cannot be applied.
type ExtensionError struct {
	code    string
	message string
}

func (e *ExtensionError) Error() string { return e.message }

// Code is npm's: EEXTENSIONSELECTOR, EEXTENSIONVALUE and the like.
func (e *ExtensionError) Code() string { return e.code }

func extensionErrorf(code, format string, args ...any) error {
	return &ExtensionError{code, fmt.Sprintf(format, args...)}
}

var extensionFields = [...]string{"dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta"}

func newPackageExtensions(raw jsjson.Raw) (*packageExtensions, error) {
	p := &packageExtensions{}
	if raw == "" {
		return p, nil
	}
	v, err := raw.Parse()
	if err != nil {
		return nil, err
	}
	if !v.IsObject() {
		return nil, extensionErrorf("EEXTENSIONROOT", "packageExtensions must be an object")
	}
	for _, m := range v.Members() {
		x, err := parseExtension(m)
		if err != nil {
			return nil, err
		}
		p.selectors = append(p.selectors, x)
	}
	sum := sha512.Sum512([]byte(canonical(v)))
	p.hash = "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
	return p, nil
}

func parseExtension(m jsjson.Member) (extension, error) {
	x := extension{key: m.Key, name: m.Key, value: m.Value}
	start := 0
	if strings.HasPrefix(m.Key, "@") {
		start = 1
	}
	ranged := false
	if at := strings.IndexByte(m.Key[start:], '@'); at >= 0 {
		ranged = true
		x.name, x.rng = m.Key[:start+at], m.Key[start+at+1:]
	}
	if m.Key == "" || !spec.ValidForOldPackages(x.name) {
		return x, extensionErrorf("EEXTENSIONSELECTOR", "invalid package name in packageExtensions selector: %q", m.Key)
	}
	if ranged {
		if strings.TrimSpace(x.rng) == "" {
			return x, extensionErrorf("EEXTENSIONSELECTOR", "invalid packageExtensions selector: %q: the name alone matches every version", m.Key)
		}
		if _, ok := nodesemver.ValidRange(x.rng, nodesemver.Options{Loose: true}); !ok {
			return x, extensionErrorf("EEXTENSIONSELECTOR", "invalid version range in packageExtensions selector: %q", m.Key)
		}
	}
	if !m.Value.IsObject() {
		return x, extensionErrorf("EEXTENSIONVALUE", "packageExtensions[%q] must be an object", m.Key)
	}
	for _, f := range m.Value.Members() {
		if !slices.Contains(extensionFields[:], f.Key) {
			return x, extensionErrorf("EEXTENSIONFIELD", "packageExtensions[%q] has unsupported field %q", m.Key, f.Key)
		}
		if !f.Value.IsObject() {
			return x, extensionErrorf("EEXTENSIONVALUE", "packageExtensions[%q].%s must be an object", m.Key, f.Key)
		}
		for _, d := range f.Value.Members() {
			if f.Key == "peerDependenciesMeta" {
				if !d.Value.IsObject() {
					return x, extensionErrorf("EEXTENSIONVALUE", "packageExtensions[%q].%s.%s must be an object", m.Key, f.Key, d.Key)
				}
			} else if d.Value.Kind() == jsjson.Null || d.Value.Kind() == jsjson.Bool && !d.Value.Bool() || d.Value.IsString() && d.Value.Str() == "-" {
				return x, extensionErrorf("EEXTENSIONDELETE", "packageExtensions[%q].%s.%s attempts deletion, which is not supported", m.Key, f.Key, d.Key)
			}
		}
	}
	return x, nil
}

func (x *extension) matches(name, version string) bool {
	return x.name == name && (x.rng == "" || nodesemver.Valid(version, true) && nodesemver.Satisfies(version, x.rng, true))
}

func (p *packageExtensions) wouldMatch(name, version string) bool {
	if p == nil {
		return false
	}
	for i := range p.selectors {
		if p.selectors[i].matches(name, version) {
			return true
		}
	}
	return false
}

// apply gives the repaired manifest and the record of the repair; m itself and
// nil where no rule is about it.
func (p *packageExtensions) apply(m *manifest.Manifest) (*manifest.Manifest, *extensionRecord, error) {
	if p == nil || len(p.selectors) == 0 || m.Name == "" {
		return m, nil, nil
	}
	var match *extension
	for i := range p.selectors {
		if x := &p.selectors[i]; x.matches(m.Name, m.Version) {
			if match != nil {
				return nil, nil, extensionErrorf("EEXTENSIONCONFLICT", "multiple packageExtensions selectors match %s@%s: %q, %q", m.Name, m.Version, match.key, x.key)
			}
			match = x
		}
	}
	if match == nil {
		return m, nil, nil
	}
	next := m.Clone()
	record := []jsjson.Member{{Key: "selector", Value: jsjson.NewString(match.key)}}
	add := func(field string, names []jsjson.Value) {
		if len(names) > 0 {
			record = append(record, jsjson.Member{Key: field, Value: jsjson.NewArray(names...)})
		}
	}
	for _, field := range extensionFields[:2] {
		to := &next.Dependencies
		if field == "optionalDependencies" {
			to = &next.OptionalDependencies
		}
		var names []jsjson.Value
		for _, d := range match.value.Get(field).Members() {
			if hasDep(next.Dependencies, d.Key) || hasDep(next.OptionalDependencies, d.Key) {
				return nil, nil, extensionErrorf("EEXTENSIONDUPDEP", "packageExtensions[%q].%s.%s is a dependency of the package already", match.key, field, d.Key)
			}
			*to = setDep(*to, d.Key, d.Value.Str())
			names = append(names, jsjson.NewString(d.Key))
		}
		add(field, names)
	}
	var names []jsjson.Value
	for _, d := range match.value.Get("peerDependencies").Members() {
		next.PeerDependencies = setDep(next.PeerDependencies, d.Key, d.Value.Str())
		names = append(names, jsjson.NewString(d.Key))
	}
	add("peerDependencies", names)
	names = nil
	metas := slices.Clone(next.PeerDependenciesMeta)
	for _, d := range match.value.Get("peerDependenciesMeta").Members() {
		if !hasDep(next.PeerDependencies, d.Key) {
			return nil, nil, extensionErrorf("EEXTENSIONORPHANMETA", "packageExtensions[%q].peerDependenciesMeta.%s has no corresponding peer dependency", match.key, d.Key)
		}
		i := slices.IndexFunc(metas, func(p manifest.PeerMeta) bool { return p.Name == d.Key })
		merged := jsjson.NewObject()
		if i >= 0 {
			if old, err := metas[i].Raw.Parse(); err == nil {
				merged = old
			}
		}
		for _, m := range d.Value.Members() {
			merged = merged.With(m.Key, m.Value)
		}
		meta := manifest.PeerMeta{Name: d.Key, Optional: merged.Get("optional").Truthy(), Raw: merged.Raw()}
		if i >= 0 {
			metas[i] = meta
		} else {
			metas = append(metas, meta)
		}
		names = append(names, jsjson.NewString(d.Key))
	}
	next.PeerDependenciesMeta = metas
	add("peerDependenciesMeta", names)
	return next, &extensionRecord{jsjson.NewObject(record...).Raw()}, nil
}

// canonical is JSON with the keys sorted by their UTF-16 units and no blanks.
func canonical(v jsjson.Value) string {
	switch {
	case v.IsArray():
		parts := make([]string, 0, v.Len())
		for _, i := range v.Items() {
			parts = append(parts, canonical(i))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case v.IsObject():
		members := slices.Clone(v.Members())
		slices.SortStableFunc(members, func(a, b jsjson.Member) int {
			return js.Compare(a.Key, b.Key)
		})
		parts := make([]string, 0, len(members))
		for _, m := range members {
			parts = append(parts, string(jsjson.AppendString(nil, m.Key))+":"+canonical(m.Value))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return string(v.Raw())
}

// loadExtensions reads the root's rules and, where they differ from the
// lock's, drops the nodes that the old or the new ones are about.
func (b *builder) loadExtensions() error {
	root := b.tree.Target()
	if !b.req.LockfileV4 {
		return nil
	}
	p, err := newPackageExtensions(root.Package.PackageExtensions)
	if err != nil {
		return err
	}
	b.packageExts = p
	locked := ""
	if lock := b.tree.meta.lock; lock != nil {
		if e := lock.Root(); e != nil {
			locked = e.PackageExtensionsHash
		}
	}
	if !b.tree.meta.fromDisk || locked == p.hash {
		return nil
	}
	var affected []*Node
	for n := range b.tree.inventory.all {
		if !n.isMine() && !n.IsTop() && (n.extensions != nil || p.wouldMatch(n.PackageName(), n.Version())) {
			affected = append(affected, n)
		}
	}
	for _, n := range affected {
		for e := range n.edgesIn.all {
			b.queue.push(e.from)
		}
		n.SetParent(nil)
	}
	return nil
}
