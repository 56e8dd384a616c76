package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/regular"
)

// Error is a package.json that is there but is no JSON object.
type Error struct {
	Path string // of the file
	Err  error  // a *jsjson.SyntaxError
}

// Error gives "PATH: reading package.json: line 3, column 7: …".
func (e *Error) Error() string { return fmt.Sprintf("%s: reading package.json: %v", e.Path, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Code is npm's code for it.
func (e *Error) Code() string { return "EJSONPARSE" }

// ReadDir reads and normalises dir/package.json as npm reads a package on disk
// (npm: PackageJson.normalize): attributes that start with "_" are dropped and
// the files under directories.bin become executables where there is no "bin".
// Errors are those of reading the file, or an *Error.
func ReadDir(dir string) (*Manifest, error) {
	file := filepath.Join(dir, "package.json")
	data, err := regular.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := scan(jsjson.NewScanner(data), false)
	if err != nil {
		return nil, &Error{file, err}
	}
	m := p.normalize()
	if p.directories != "" && !p.bin.Truthy() {
		if folder := p.directories.Value().Get("bin"); folder.IsString() && folder.Str() != "" {
			m.Bin = binsIn(dir, folder.Str())
		}
	}
	return m, nil
}

// binsIn lists what is under a package's directories.bin, folders too, as
// npm's glob "**" does; what starts with a dot is left out.
func binsIn(dir, folder string) []Bin {
	folder = securePath(folder)
	var bins []Bin
	root := filepath.Join(dir, filepath.FromSlash(folder))
	// What can't be read has no executables, which npm doesn't mind either.
	_ = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == root {
			return nil
		}
		if strings.HasPrefix(entry.Name(), ".") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err == nil {
			bins = append(bins, Bin{entry.Name(), folder + "/" + securePath(filepath.ToSlash(rel))})
		}
		return nil
	})
	return jsjson.Order(bins, func(b *Bin) string { return b.Name }, func(to, from *Bin) { to.Path = from.Path })
}

// File is a package.json on disk that is to be edited (npm:
// @npmcli/package-json lib/index.js). It is for one goroutine.
type File struct {
	Path string // of the file; "" for one that is only in memory

	content         jsjson.Value
	indent, newline string
	read            string // as it was read or last saved
	exists          bool
}

// ReadFile reads a package.json for editing. Errors are those of reading the
// file, or an *Error.
func ReadFile(path string) (*File, error) {
	data, err := regular.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseFile(path, data)
}

// ReadOrCreateFile is ReadFile, but gives an empty object where there is no
// file yet. Save will make it.
func ReadOrCreateFile(path string) (*File, error) {
	f, err := ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return NewFile(path), nil
	}
	return f, err
}

// NewFile gives an empty package.json that is not on disk yet.
func NewFile(path string) *File {
	return &File{Path: path, content: jsjson.NewObject(), indent: "  ", newline: "\n"}
}

// ParseFile is ReadFile for text that was already read.
func ParseFile(path string, data []byte) (*File, error) {
	f := &File{Path: path, read: string(data), exists: true}
	content, err := jsjson.Parse([]byte(f.read))
	if err == nil && !content.IsObject() {
		line, column := jsjson.Position(f.read, 0)
		err = &jsjson.SyntaxError{Line: line, Column: column, Expected: "an object", Found: content.Kind().String()}
	}
	if err != nil {
		return nil, &Error{path, err}
	}
	f.content = content
	f.indent, f.newline = jsjson.DetectFormat(f.read)
	return f, nil
}

// Content is the file's object as it stands now, edits included.
func (f *File) Content() jsjson.Value { return f.content }

// SetContent replaces the whole object.
func (f *File) SetContent(content jsjson.Value) { f.content = content }

// Format gives the indent of one level and the line break, both "" for a file
// on one line.
func (f *File) Format() (indent, newline string) { return f.indent, f.newline }

// Manifest is the file's content, normalised.
func (f *File) Manifest() *Manifest {
	m, err := FromValue(f.content)
	if err != nil { // what was parsed and written again parses
		return &Manifest{}
	}
	return m
}

// Get gives the value at a path of keys, or of indexes where there is an
// array, undefined where there is none.
func (f *File) Get(path ...string) jsjson.Value {
	v := f.content
	for _, key := range path {
		if i, ok := jsjson.ArrayIndex(key); ok && v.IsArray() {
			v = v.Index(int(i))
		} else {
			v = v.Get(key)
		}
	}
	return v
}

// Set puts value at a path of keys, or of indexes where there is an array. A
// key that is new goes to the end of its object, an index past the end to the
// end of its array; objects that are missing on the way are made.
func (f *File) Set(value jsjson.Value, path ...string) {
	f.content = set(f.content, value, path)
}

func set(v, value jsjson.Value, path []string) jsjson.Value {
	if len(path) == 0 {
		return value
	}
	i, isIndex := jsjson.ArrayIndex(path[0])
	if !v.IsArray() || !isIndex {
		return v.With(path[0], set(v.Get(path[0]), value, path[1:]))
	}
	items := slices.Clone(v.Items())
	at := min(int(i), len(items))
	item := set(v.Index(at), value, path[1:])
	switch {
	case item.IsUndefined():
		items = slices.Delete(items, at, min(at+1, len(items)))
	case at == len(items):
		items = append(items, item)
	default:
		items[at] = item
	}
	return jsjson.NewArray(items...)
}

// Delete removes the value at a path of keys; that there is none is no error.
func (f *File) Delete(path ...string) {
	if len(path) > 0 && !f.Get(path...).IsUndefined() {
		f.content = set(f.content, jsjson.Value{}, path)
	}
}

// Dependencies are the maps of a package.json that installing can change.
type Dependencies struct {
	Prod, Dev, Optional, Peer Deps
	Bundle                    []string // nil for no bundleDependencies at all
}

// UpdateDependencies replaces the four dependency maps and bundleDependencies
// (npm: lib/update-dependencies.js): each map is sorted, an empty one removed,
// a new one added at the end, and optional dependencies leave "dependencies".
// A name that stood in peerDependencies and in dependencies stays in both.
func (f *File) UpdateDependencies(d Dependencies) {
	old := f.content
	prod := d.Prod.Except(d.Optional)
	content := old
	for _, m := range []struct {
		key  string
		deps Deps
	}{
		{"dependencies", prod}, {"optionalDependencies", d.Optional}, {"devDependencies", d.Dev}, {"peerDependencies", d.Peer},
	} {
		if len(m.deps) == 0 {
			content = content.Without(m.key)
		} else {
			content = content.With(m.key, sortedObject(m.deps))
		}
	}
	oldProd, oldPeer := old.Get("dependencies"), old.Get("peerDependencies")
	for _, member := range oldPeer.Members() {
		spec, ok := d.Peer.Get(member.Key)
		if ok && oldProd.Has(member.Key) {
			deps := content.Get("dependencies")
			content = content.With("dependencies", deps.With(member.Key, jsjson.NewString(spec)))
		}
	}
	if d.Bundle == nil {
		content = content.Without("bundleDependencies")
	} else {
		names := make([]jsjson.Value, len(d.Bundle))
		for i, name := range d.Bundle {
			names[i] = jsjson.NewString(name)
		}
		content = content.With("bundleDependencies", jsjson.NewArray(names...))
	}
	f.content = content
}

func sortedObject(deps Deps) jsjson.Value {
	deps = slices.Clone(deps)
	slices.SortStableFunc(deps, func(a, b Dep) int { return collate.Compare(a.Name, b.Name) })
	members := make([]jsjson.Member, len(deps))
	for i, dep := range deps {
		members[i] = jsjson.Member{Key: dep.Name, Value: jsjson.NewString(dep.Spec)}
	}
	return jsjson.NewObject(members...)
}

// Bytes gives the text to write: the whole object in the file's own format. A
// file that was on one line stays so and gets no line break at its end.
func (f *File) Bytes() []byte {
	text := jsjson.Append(make([]byte, 0, len(f.read)+256), f.content, f.indent, f.newline)
	return append(text, f.newline...)
}

// Changed says whether Save would write: whether the text differs from what
// was read by more than blanks around it.
func (f *File) Changed() bool {
	return !f.exists || js.Trim(string(f.Bytes())) != js.Trim(js.ValidText(f.read))
}

// Save writes the file if it is Changed.
func (f *File) Save() error {
	if !f.Changed() {
		return nil
	}
	text := f.Bytes()
	if err := os.WriteFile(f.Path, text, 0o666); err != nil {
		return err
	}
	f.read, f.exists = string(text), true
	return nil
}

// NameFromFolder is the name of a package that says none: that of its folder,
// with its scope where the folder above starts with "@" (npm:
// @npmcli/name-from-folder).
func NameFromFolder(dir string) string {
	dir = filepath.ToSlash(dir)
	base, parent := path.Base(dir), path.Base(path.Dir(dir))
	if strings.HasPrefix(parent, "@") {
		return parent + "/" + base
	}
	return base
}
