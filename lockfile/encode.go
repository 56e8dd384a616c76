package lockfile

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// Encode gives the text of the lock as npm writes it with the lock's indent
// and line breaks; those of a file on one line count as npm's own. Version 1
// has no packages, versions from 3 on have no legacy tree, and 0 is 3.
func (f *Lockfile) Encode() []byte {
	indent, newline := f.Indent, f.Newline
	if indent == "" {
		indent = "  "
	}
	if newline == "" {
		newline = "\n"
	}
	return append(f.append(indent, newline), newline...)
}

// EncodeLine gives the text on one line that nothing follows, as
// format-package-lock=false has it.
func (f *Lockfile) EncodeLine() []byte { return f.append("", "") }

func (f *Lockfile) append(indent, newline string) []byte {
	version := f.LockfileVersion
	if version == 0 {
		version = DefaultVersion
	}
	size := len(f.Legacy) * 2
	if version > 1 {
		size += len(f.Packages) * bytesPerPackage
	}
	w := jsjson.NewWriter(make([]byte, 0, size+1024), indent, newline)
	fields := make(fields, 0, 8+len(f.Extra))
	if f.Name != "" {
		fields.str("name", f.Name)
	}
	if f.Version != "" {
		fields.str("version", f.Version)
	}
	fields = append(fields, field{key: "lockfileVersion", form: formInt, number: version})
	if f.Requires {
		fields.flag("requires", true)
	}
	if version > 1 {
		fields = append(fields, field{key: "packages", form: formPackages, object: true})
	}
	if version < 3 && f.Legacy != "" {
		fields = append(fields, field{key: "dependencies", form: formValue, object: true, value: nice(f.Legacy.Value())})
	}
	fields.extra(f.Extra)
	w.Object()
	for _, field := range fields.sorted() {
		if field.form != formPackages {
			field.write(w)
			continue
		}
		w.Key("packages")
		w.Object()
		for _, p := range sortedBy(f.Packages, func(p *Package) (string, bool) { return string(p.Location), true }) {
			if p.Location != protoKey {
				p.write(w)
			}
		}
		w.End()
	}
	w.End()
	return w.Bytes()
}

func (p *Package) write(w *jsjson.Writer) {
	w.Key(string(p.Location))
	w.Object()
	var room [16]field
	for _, field := range p.fields(room[:0]).sorted() {
		field.write(w)
	}
	w.End()
}

// fields gives the entry's members, nearly in the order that they end up in.
func (p *Package) fields(f fields) fields {
	m := p.Meta
	if m == nil {
		m = &manifest.Manifest{}
	}
	f.str("name", m.Name)
	f.str("version", m.Version)
	f.str("resolved", p.Resolved)
	f.str("integrity", p.Integrity)
	if len(m.BundleDependencies) > 0 {
		f = append(f, field{key: "bundleDependencies", form: formNames, names: m.BundleDependencies})
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
	f.deps("dependencies", m.Dependencies)
	f.deps("acceptDependencies", m.AcceptDependencies)
	if len(m.Bin) > 0 {
		f = append(f, field{key: "bin", form: formBins, object: true, bins: m.Bin})
	}
	f.deps("devDependencies", m.DevDependencies)
	f.raw("engines", m.Engines)
	f.raw("funding", m.Funding)
	f.raw("npmExtensionApplied", p.NpmExtensionApplied)
	f.deps("optionalDependencies", m.OptionalDependencies)
	f.raw("packageExtensionsApplied", p.PackageExtensionsApplied)
	f.raw("patched", p.Patched)
	f.deps("peerDependencies", m.PeerDependencies)
	if len(m.PeerDependenciesMeta) > 0 {
		f = append(f, field{key: "peerDependenciesMeta", form: formMetas, object: true, metas: m.PeerDependenciesMeta})
	}
	f.extra(p.Extra)
	return f
}

// form says how a field's value is held.
type form uint8

const (
	formString form = iota
	formFlag
	formInt
	formNames
	formDeps
	formBins
	formMetas
	formValue
	formPackages
)

// field is one member of an object that is about to be written.
type field struct {
	key    string
	form   form
	object bool // the value is an object, not an array

	text   string
	number int
	names  []string
	deps   manifest.Deps
	bins   []manifest.Bin
	metas  []manifest.PeerMeta
	value  jsjson.Value
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

func (f *fields) deps(key string, deps manifest.Deps) {
	if len(deps) > 0 {
		*f = append(*f, field{key: key, form: formDeps, object: true, deps: deps})
	}
}

// raw adds a value as published; what JavaScript's if does not take, and what
// is empty, npm leaves out.
func (f *fields) raw(key string, raw jsjson.Raw) {
	if raw == "" {
		return
	}
	if text, ok := plainString(raw); ok {
		f.str(key, text)
		return
	}
	v := raw.Value()
	if !v.Truthy() || (v.IsObject() || v.IsArray()) && v.Len() == 0 {
		return
	}
	*f = append(*f, field{key: key, form: formValue, object: v.IsObject(), value: nice(v)})
}

// plainString is the text of a string that has no escapes.
func plainString(raw jsjson.Raw) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' || strings.IndexByte(string(raw), '\\') >= 0 {
		return "", false
	}
	return string(raw[1 : len(raw)-1]), true
}

// extra adds members that are kept as read. They replace what has the same
// key, whose form npm would not have written.
func (f *fields) extra(members []jsjson.Member) {
	for _, m := range members {
		if m.Key == protoKey || m.Value.IsUndefined() {
			continue
		}
		kept := field{key: m.Key, form: formValue, object: m.Value.IsObject(), value: nice(m.Value)}
		for i := range *f {
			if (*f)[i].key == m.Key {
				(*f)[i] = kept
				kept.key = protoKey
				break
			}
		}
		if kept.key != protoKey {
			*f = append(*f, kept)
		}
	}
}

func (f fields) sorted() fields {
	return sortedBy(f, func(field field) (string, bool) { return field.key, field.object })
}

func (f *field) write(w *jsjson.Writer) {
	w.Key(f.key)
	switch f.form {
	case formString:
		w.Str(f.text)
	case formFlag:
		w.Bool(true)
	case formInt:
		w.Int(f.number)
	case formNames:
		w.Array()
		for _, name := range f.names {
			w.Str(name)
		}
		w.End()
	case formDeps:
		w.Object()
		for _, dep := range sortedDeps(f.deps) {
			if dep.Name != protoKey {
				w.Key(dep.Name)
				w.Str(dep.Spec)
			}
		}
		w.End()
	case formBins:
		w.Object()
		for _, bin := range sortedBy(f.bins, func(b manifest.Bin) (string, bool) { return b.Name, false }) {
			if bin.Name == protoKey {
				continue
			}
			w.Key(bin.Name)
			w.Str(bin.Path)
		}
		w.End()
	case formMetas:
		w.Object()
		metas := sortedBy(f.metas, func(m manifest.PeerMeta) (string, bool) { return m.Name, m.Raw == "" || m.Raw.Kind() == jsjson.Object })
		for _, meta := range metas {
			w.Key(meta.Name)
			if meta.Raw == "" {
				w.Object()
				w.Key("optional")
				w.Bool(meta.Optional)
				w.End()
				continue
			}
			w.Value(nice(meta.Raw.Value()))
		}
		w.End()
	case formValue:
		w.Value(f.value)
	}
}
