package lockfile

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// Encode gives the text of the lock as npm writes it with the lock's indent
// and line breaks; those of a file on one line count as npm's own. Version 1
// has no packages, versions from 3 on have no legacy tree, and 0 is 3.
func (f *Lockfile) Encode() []byte { return f.encode(nil) }

func (f *Lockfile) encode(t *Texts) []byte {
	indent, newline := f.Indent, f.Newline
	if indent == "" {
		indent = "  "
	}
	if newline == "" {
		newline = "\n"
	}
	return append(f.append(indent, newline, t), newline...)
}

// EncodeLine gives the text on one line that nothing follows, as
// format-package-lock=false has it.
func (f *Lockfile) EncodeLine() []byte { return f.append("", "", nil) }

// Texts are the texts of entries that several locks have in common, as a
// project's and its hidden one do: each is made once. The entries must not be
// changed in between.
type Texts struct {
	mu              sync.Mutex
	indent, newline string
	text            []byte
	spans           map[*Package]span
}

type span struct{ from, to int }

// Encode is the lock's Encode. One call waits for another.
func (t *Texts) Encode(f *Lockfile) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return f.encode(t)
}

// known says whether there is a text for the entry in this form.
func (t *Texts) known(p *Package, indent, newline string) (text []byte, ok bool) {
	if t == nil || t.indent != indent || t.newline != newline {
		return nil, false
	}
	s, ok := t.spans[p]
	return t.text[s.from:s.to], ok
}

func (f *Lockfile) append(indent, newline string, t *Texts) []byte {
	version := f.LockfileVersion
	if version == 0 {
		version = DefaultVersion
	}
	size := len(f.Legacy) * 2
	if version > 1 {
		size += len(f.Packages) * bytesPerPackage
	}
	e := encoder{w: jsjson.NewWriter(make([]byte, 0, size+1024), indent, newline)}
	var fields fields
	fields.str("name", f.Name)
	fields.str("version", f.Version)
	fields = append(fields, field{key: "lockfileVersion", form: formRaw, text: strconv.Itoa(version)})
	fields.flag("requires", f.Requires)
	if version > 1 {
		fields = append(fields, field{key: "packages", form: formPackages, object: true})
	}
	if version < 3 && f.Legacy != "" {
		fields = append(fields, field{key: "dependencies", form: formRaw, object: true, text: string(f.Legacy)})
	}
	fields.extra(f.Extra)
	var spans map[*Package]span
	if t != nil && t.text == nil {
		spans = make(map[*Package]span, len(f.Packages))
	}
	e.w.Object()
	for _, field := range fields.sorted() {
		if field.form != formPackages {
			e.field(&field)
			continue
		}
		e.w.Key(field.key)
		e.w.Object()
		for _, p := range sortedBy(f.Packages, func(p *Package) (string, bool) { return string(p.Location), true }) {
			if p.Location == protoKey {
				continue
			}
			if text, ok := t.known(p, indent, newline); ok {
				e.w.Item(text)
				continue
			}
			from := e.w.Next()
			e.pkg(p)
			if spans != nil {
				spans[p] = span{from, len(e.w.Bytes())}
			}
		}
		e.w.End()
	}
	e.w.End()
	text := e.w.Bytes()
	if spans != nil {
		t.indent, t.newline, t.text, t.spans = indent, newline, text, spans
	}
	return text
}

// An encoder writes one lock. Its lists are room that is used again.
type encoder struct {
	w      *jsjson.Writer
	fields fields
	deps   manifest.Deps
}

func (e *encoder) pkg(p *Package) {
	e.w.Key(string(p.Location))
	e.w.Object()
	e.fields = p.fields(e.fields[:0])
	for _, field := range e.fields.sorted() {
		e.field(&field)
	}
	e.w.End()
}

// Empty says whether the entry would be written without any member.
func (p *Package) Empty() bool { return len(p.fields(nil)) == 0 }

// fields gives the entry's members, nearly in the order that they end up in.
func (p *Package) fields(f fields) fields {
	m := p.Meta
	if m == nil {
		m = &manifest.Manifest{}
	}
	f.str("name", m.Name)
	f.str("version", m.Version)
	if p.Link || p.Resolved != "" { // a link's "" is the project itself
		f = append(f, field{key: "resolved", text: p.Resolved})
	}
	f.str("integrity", p.Integrity)
	if len(m.BundleDependencies) > 0 {
		f = append(f, field{key: "bundleDependencies", form: formNames, meta: m})
	}
	f.raw("cpu", m.CPU)
	f.str("deprecated", m.Deprecated)
	f.flag("dev", p.Dev)
	f.flag("devOptional", p.DevOptional)
	f.flag("extraneous", p.Extraneous)
	f.flag("hasInstallScript", m.HasInstallScript)
	f.flag("hasShrinkwrap", p.HasShrinkwrap || m.HasShrinkwrap)
	f.flag("inBundle", p.InBundle)
	f.raw("libc", m.Libc)
	f.raw("license", m.License)
	f.flag("link", p.Link)
	f.str("npmExtensionHash", p.NpmExtensionHash)
	f.flag("optional", p.Optional)
	f.raw("os", m.OS)
	f.str("packageExtensionsHash", p.PackageExtensionsHash)
	f.flag("peer", p.Peer)
	f.raw("workspaces", m.Workspaces)
	f.deps("dependencies", &m.Dependencies)
	f.deps("acceptDependencies", &m.AcceptDependencies)
	if len(m.Bin) > 0 {
		f = append(f, field{key: "bin", form: formBins, object: true, meta: m})
	}
	// The one object that npm writes though it is empty.
	if m.DevDependencies != nil {
		f = append(f, field{key: "devDependencies", form: formDeps, object: true, deps: &m.DevDependencies})
	}
	f.raw("engines", m.Engines)
	f.raw("funding", m.Funding)
	f.raw("npmExtensionApplied", p.NpmExtensionApplied)
	f.deps("optionalDependencies", &m.OptionalDependencies)
	f.raw("packageExtensionsApplied", p.PackageExtensionsApplied)
	f.raw("patched", p.Patched)
	f.deps("peerDependencies", &m.PeerDependencies)
	if len(m.PeerDependenciesMeta) > 0 {
		f = append(f, field{key: "peerDependenciesMeta", form: formPeerMeta, object: true, meta: m})
	}
	f.extra(p.Extra)
	return f
}

// form says how a field's value is held.
type form uint8

const (
	formString   form = iota // in text
	formFlag                 // it is true
	formRaw                  // JSON in text
	formDeps                 // in deps
	formNames                // the manifest's BundleDependencies
	formBins                 // the manifest's Bin
	formPeerMeta             // the manifest's PeerDependenciesMeta
	formPackages             // the lock's Packages
)

// field is one member of an object that is about to be written.
type field struct {
	key    string
	text   string
	deps   *manifest.Deps
	meta   *manifest.Manifest
	form   form
	object bool // the value is an object, not an array
}

type fields []field

func (f *fields) str(key, text string) {
	if text != "" {
		*f = append(*f, field{key: key, text: text})
	}
}

func (f *fields) flag(key string, on bool) {
	if on {
		*f = append(*f, field{key: key, form: formFlag})
	}
}

func (f *fields) deps(key string, deps *manifest.Deps) {
	if len(*deps) > 0 {
		*f = append(*f, field{key: key, form: formDeps, object: true, deps: deps})
	}
}

// raw adds a value as published; what JavaScript's if does not take, and what
// is empty, npm leaves out.
func (f *fields) raw(key string, raw jsjson.Raw) {
	kind := raw.Kind()
	if kind == jsjson.Undefined || !raw.Truthy() || kind >= jsjson.Array && empty(raw) {
		return
	}
	*f = append(*f, field{key: key, form: formRaw, object: kind == jsjson.Object, text: string(raw)})
}

// empty says whether an array or object has nothing in it.
func empty(raw jsjson.Raw) bool {
	text := strings.TrimSpace(string(raw))
	return strings.TrimSpace(text[1:len(text)-1]) == ""
}

// extra adds members that are kept as read. They replace what has the same
// key, whose form npm would not have written.
func (f *fields) extra(members []jsjson.Member) {
	for _, m := range members {
		if m.Key == protoKey || m.Value.IsUndefined() {
			continue
		}
		kept := field{key: m.Key, form: formRaw, object: m.Value.IsObject(), text: string(m.Value.Raw())}
		if i := slices.IndexFunc(*f, func(f field) bool { return f.key == m.Key }); i >= 0 {
			(*f)[i] = kept
		} else {
			*f = append(*f, kept)
		}
	}
}

func (f fields) sorted() fields {
	return sortedBy(f, func(field field) (string, bool) { return field.key, field.object })
}

func (e *encoder) field(f *field) {
	w := e.w
	w.Key(f.key)
	switch f.form {
	case formString:
		w.Str(f.text)
	case formFlag:
		w.Bool(true)
	case formRaw:
		e.raw(jsjson.Raw(f.text))
	case formDeps:
		e.object(*f.deps)
	case formNames:
		w.Array()
		for _, name := range f.meta.BundleDependencies {
			w.Str(name)
		}
		w.End()
	case formBins:
		e.deps = e.deps[:0]
		for _, bin := range f.meta.Bin {
			e.deps = append(e.deps, manifest.Dep{Name: bin.Name, Spec: bin.Path})
		}
		e.object(e.deps)
	case formPeerMeta:
		w.Object()
		metas := sortedBy(f.meta.PeerDependenciesMeta, func(m manifest.PeerMeta) (string, bool) {
			return m.Name, m.Raw == "" || m.Raw.Kind() == jsjson.Object
		})
		for _, meta := range metas {
			switch {
			case meta.Name == protoKey:
			case meta.Raw == "":
				w.Key(meta.Name)
				w.Object()
				w.Key("optional")
				w.Bool(meta.Optional)
				w.End()
			default:
				w.Key(meta.Name)
				e.raw(meta.Raw)
			}
		}
		w.End()
	}
}

// object writes strings under names.
func (e *encoder) object(deps manifest.Deps) {
	e.w.Object()
	for _, dep := range sortedBy(deps, func(d manifest.Dep) (string, bool) { return d.Name, false }) {
		if dep.Name != protoKey {
			e.w.Key(dep.Name)
			e.w.Str(dep.Spec)
		}
	}
	e.w.End()
}

// raw writes a value as published, its keys sorted. The usual engines and
// funding are objects of a few strings, for which no tree is made.
func (e *encoder) raw(raw jsjson.Raw) {
	if len(raw) > 1 && raw[0] == '"' && strings.IndexByte(string(raw), '\\') < 0 {
		e.w.Str(string(raw[1 : len(raw)-1]))
		return
	}
	if len(raw) < shortRaw && raw.Kind() == jsjson.Object && e.strings(raw) {
		e.object(manifest.OrderDeps(e.deps))
		return
	}
	e.w.Value(nice(raw.Value()))
}

// shortRaw is the length up to which an object is tried for being only
// strings.
const shortRaw = 256

// strings decodes an object into deps; no where a member is no string.
func (e *encoder) strings(raw jsjson.Raw) bool {
	e.deps = e.deps[:0]
	s := raw.Scanner()
	s.Object()
	for s.More() {
		name := s.Key()
		if s.Kind() != jsjson.String {
			return false
		}
		e.deps = append(e.deps, manifest.Dep{Name: name, Spec: s.Str()})
	}
	return true
}
