//go:build unix

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"time"
)

// A project is what is handed to both programs: files, and commands to run one
// after the other in the folder that holds them.
type project struct {
	Files    map[string]file `json:"files"`
	Commands [][]string      `json:"commands"`
	// Tree asks for the whole tree to be compared, not only locks and manifests.
	Tree bool `json:"tree,omitempty"`
}

// A file is text, or a manifest that the minimiser can take apart, or a tarball
// of files.
type file struct {
	Text     string          `json:"text,omitempty"`
	Packed   map[string]file `json:"packed,omitempty"`
	Manifest object          `json:"manifest,omitempty"`
	Indent   string          `json:"indent,omitempty"`
	Newline  bool            `json:"newline,omitempty"`
}

func (f file) bytes() []byte {
	if f.Packed != nil {
		return f.pack()
	}
	if f.Manifest == nil {
		return []byte(f.Text)
	}
	var raw, out bytes.Buffer
	f.Manifest.write(&raw)
	if err := json.Indent(&out, raw.Bytes(), "", f.Indent); err != nil {
		panic(err) // written by object.write
	}
	if f.Newline {
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// show is the file for people to read.
func (f file) show() []byte {
	if f.Packed == nil {
		return f.bytes()
	}
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(f.Packed)) {
		fmt.Fprintf(&out, "(packed) %s\n%s\n", name, f.Packed[name].show())
	}
	return out.Bytes()
}

// pack makes a tarball as npm's are, the same one each time.
func (f file) pack() []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(f.Packed)) {
		content := f.Packed[name].bytes()
		h := &tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(499162500, 0)}
		if err := t.WriteHeader(h); err != nil {
			panic(err) // names are short, and a buffer takes all
		}
		if _, err := t.Write(content); err != nil {
			panic(err)
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// key names the project by its content: stored results are found by it.
func (p project) key() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // maps, slices and strings
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:10])
}

func (p project) clone() project {
	q := project{Files: map[string]file{}, Tree: p.Tree}
	for name, f := range p.Files {
		q.Files[name] = f.clone()
	}
	for _, c := range p.Commands {
		q.Commands = append(q.Commands, append([]string(nil), c...))
	}
	return q
}

func (f file) clone() file {
	f.Manifest = f.Manifest.clone()
	if f.Packed != nil {
		packed := map[string]file{}
		for name, inner := range f.Packed {
			packed[name] = inner.clone()
		}
		f.Packed = packed
	}
	return f
}

func (p project) fileNames() []string {
	names := make([]string, 0, len(p.Files))
	for name := range p.Files {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// An object is a JSON object that keeps its order.
type object []member

type member struct {
	Key   string
	Value any // string, bool, []string or object
}

func (o object) get(key string) (any, bool) {
	for _, m := range o {
		if m.Key == key {
			return m.Value, true
		}
	}
	return nil, false
}

func (o object) object(key string) object {
	v, _ := o.get(key)
	sub, _ := v.(object)
	return sub
}

func (o *object) set(key string, value any) {
	for i := range *o {
		if (*o)[i].Key == key {
			(*o)[i].Value = value
			return
		}
	}
	*o = append(*o, member{key, value})
}

func (o object) clone() object {
	if o == nil {
		return nil
	}
	c := make(object, len(o))
	for i, m := range o {
		if sub, ok := m.Value.(object); ok {
			m.Value = sub.clone()
		}
		c[i] = m
	}
	return c
}

func (o object) write(b *bytes.Buffer) {
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSON(b, m.Key)
		b.WriteByte(':')
		if sub, ok := m.Value.(object); ok {
			sub.write(b)
		} else {
			writeJSON(b, m.Value)
		}
	}
	b.WriteByte('}')
}

func writeJSON(b *bytes.Buffer, v any) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, bools and lists of strings
	}
	b.Truncate(b.Len() - 1)
}

// MarshalJSON keeps the order, so that key depends on it.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	o.write(&b)
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *object) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil {
		return err
	}
	*o = object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		var value any
		switch raw[0] {
		case '{':
			var sub object
			err = json.Unmarshal(raw, &sub)
			value = sub
		case '[':
			var list []string
			err = json.Unmarshal(raw, &list)
			value = list
		case 't', 'f':
			var yes bool
			err = json.Unmarshal(raw, &yes)
			value = yes
		default:
			var s string
			err = json.Unmarshal(raw, &s)
			value = s
		}
		if err != nil {
			return err
		}
		*o = append(*o, member{key.(string), value})
	}
	return nil
}
