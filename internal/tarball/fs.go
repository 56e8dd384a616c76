package tarball

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// FS gives the archive's files for reading. They are copies: the archive's memory
// may be used for another one.
func (a *Archive) FS() fs.FS {
	m := memory{".": {name: ".", mode: fs.ModeDir | 0o777}}
	for _, dir := range a.Dirs {
		m.put(dir, &node{mode: fs.ModeDir | 0o777})
	}
	for _, f := range a.Files {
		m.put(f.Path, &node{mode: f.Mode, data: bytes.Clone(a.Content(f))})
	}
	for _, n := range m {
		slices.SortFunc(n.kids, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	}
	return m
}

// memory is a file system by path.
type memory map[string]*node

// node is a file or a folder, and what fs asks of either.
type node struct {
	name string
	mode fs.FileMode
	data []byte
	kids []*node
}

// put adds a node and the folders above it.
func (m memory) put(p string, n *node) {
	if m[p] != nil {
		return
	}
	dir := path.Dir(p)
	if m[dir] == nil {
		m.put(dir, &node{mode: fs.ModeDir | 0o777})
	}
	n.name = path.Base(p)
	m[p] = n
	m[dir].kids = append(m[dir].kids, n)
}

// Open is fs.FS's.
func (m memory) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	n := m[name]
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &opened{node: n, text: bytes.NewReader(n.data), kids: n.kids}, nil
}

func (n *node) Name() string               { return n.name }
func (n *node) Size() int64                { return int64(len(n.data)) }
func (n *node) Mode() fs.FileMode          { return n.mode }
func (n *node) Type() fs.FileMode          { return n.mode.Type() }
func (n *node) ModTime() time.Time         { return time.Time{} }
func (n *node) IsDir() bool                { return n.mode.IsDir() }
func (n *node) Sys() any                   { return nil }
func (n *node) Info() (fs.FileInfo, error) { return n, nil }

type opened struct {
	node *node
	text *bytes.Reader
	kids []*node // not read yet
}

func (o *opened) Stat() (fs.FileInfo, error) { return o.node, nil }
func (o *opened) Close() error               { return nil }

func (o *opened) Read(p []byte) (int, error) {
	if o.node.IsDir() {
		return 0, &fs.PathError{Op: "read", Path: o.node.name, Err: fs.ErrInvalid}
	}
	return o.text.Read(p)
}

// ReadDir is fs.ReadDirFile's.
func (o *opened) ReadDir(n int) ([]fs.DirEntry, error) {
	if !o.node.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: o.node.name, Err: fs.ErrInvalid}
	}
	k := len(o.kids)
	if n > 0 {
		if k == 0 {
			return nil, io.EOF
		}
		k = min(k, n)
	}
	out := make([]fs.DirEntry, k)
	for i := range out {
		out[i] = o.kids[i]
	}
	o.kids = o.kids[k:]
	return out, nil
}
