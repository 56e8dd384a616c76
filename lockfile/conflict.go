package lockfile

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
)

// hasConflict says whether data looks like a file with unresolved conflicts:
// git's three kinds of marks, anywhere (npm: parse-conflict-json isDiff).
func hasConflict(data []byte) bool {
	return bytes.Contains(data, []byte(oursMark)) && bytes.Contains(data, []byte(theirsMark)) && bytes.Contains(data, []byte(endMark))
}

const (
	parentMark = "|||||||"
	oursMark   = "<<<<<<<"
	theirsMark = "======="
	endMark    = ">>>>>>>"
)

// parseConflict merges the sides of a file with conflict marks: what changed
// from the common parent to our side is applied to their side (npm:
// parse-conflict-json lib/index.js). The result counts as a file on one line.
func parseConflict(data []byte, path string) (*Lockfile, error) {
	parent, ours, theirs := splitConflict(data)
	var values [3]jsjson.Value
	for i, side := range []*side{parent, ours, theirs} {
		v, err := jsjson.Parse([]byte(side.text.String()))
		if err == nil && !v.IsObject() {
			err = &jsjson.SyntaxError{Expected: "an object", Found: v.Kind().String()}
		}
		if err != nil {
			var syntax *jsjson.SyntaxError
			if !errors.As(err, &syntax) {
				return nil, err
			}
			line, column := side.position(syntax.Offset)
			// Where two branches added the file there is no ancestor that is JSON.
			of := [...]string{"the common ancestor", "our side", "their side"}[i]
			return nil, &ParseError{path, line, column, syntax.Expected, syntax.Found, of}
		}
		values[i] = v
	}
	merged := merge(values[0], values[1], values[2])
	return decode([]byte(merged.Raw()), path)
}

// side is one of the three texts that a file with conflicts stands for. Its
// lines are joined: npm drops the line breaks.
type side struct {
	text  strings.Builder
	lines []sideLine
}

type sideLine struct {
	start int // in text
	line  int // in the file, from 1
}

func (s *side) add(line string, number int) {
	s.lines = append(s.lines, sideLine{s.text.Len(), number})
	s.text.WriteString(line)
}

// position gives the line and the column in the file of a byte in text.
func (s *side) position(offset int) (line, column int) {
	at := sideLine{0, 1}
	for _, l := range s.lines {
		if l.start > offset {
			break
		}
		at = l
	}
	text := s.text.String()
	return at.line, utf8.RuneCountInString(text[min(at.start, len(text)):min(max(offset, at.start), len(text))]) + 1
}

func splitConflict(data []byte) (parent, ours, theirs *side) {
	text := strings.TrimPrefix(js.ValidText(string(data)), "\uFEFF")
	parent, ours, theirs = new(side), new(side), new(side)
	to := []*side{parent, ours, theirs}
	number := 1
	for text != "" {
		end := strings.IndexAny(text, "\r\n")
		line := text
		if end >= 0 {
			line = text[:end]
		}
		switch {
		case strings.Contains(line, parentMark):
			to = []*side{parent}
		case strings.Contains(line, oursMark):
			to = []*side{ours}
		case strings.Contains(line, theirsMark):
			to = []*side{theirs}
		case strings.Contains(line, endMark):
			to = []*side{parent, ours, theirs}
		default:
			for _, s := range to {
				s.add(line, number)
			}
		}
		if end < 0 {
			break
		}
		if text[end] == '\n' || end+1 == len(text) || text[end+1] != '\n' {
			number++
		}
		text = text[end+1:]
	}
	return parent, ours, theirs
}

// A step is one key of a path: a name, or an index into an array.
type step struct {
	name  string
	index int
	array bool
}

// change is one difference between two values.
type change struct {
	op    changeOp
	path  []step
	value jsjson.Value // undefined for a removal
}

type changeOp uint8

const (
	opRemove changeOp = iota
	opReplace
	opAdd
)

// merge gives theirs with the changes from parent to ours applied. A change
// that finds no place there copies our value.
func merge(parent, ours, theirs jsjson.Value) jsjson.Value {
	merged, source := newTree(theirs), newTree(ours)
	for _, c := range diff(parent, ours) {
		if slices.ContainsFunc(c.path, func(s step) bool { return !s.array && onEveryObject(s.name) }) {
			continue
		}
		if !merged.apply(c) {
			merged.copyPath(source, c.path)
		}
	}
	return merged.value()
}

// onEveryObject says whether a JavaScript object always has a property called
// name, for which reason npm leaves such keys alone.
func onEveryObject(name string) bool {
	switch name {
	case "__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString",
		"valueOf", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__":
		return true
	}
	return false
}

// diff lists what changed from a to b as npm's just-diff does: removals, the
// last first, then replacements, then additions.
func diff(a, b jsjson.Value) []change {
	var d differ
	d.compare(a, b, nil, nil)
	slices.Reverse(d.remove)
	return slices.Concat(d.remove, d.replace, d.add)
}

type differ struct{ remove, replace, add []change }

// compare compares two objects or two arrays. Removals have a path of their
// own: they are applied first, when the indexes are still the old ones.
func (d *differ) compare(a, b jsjson.Value, path, removePath []step) {
	if !a.IsArray() || !b.IsArray() {
		before, after := memberMap(a), memberMap(b)
		for _, m := range a.Members() {
			if _, kept := after[m.Key]; !kept && !onEveryObject(m.Key) {
				d.remove = append(d.remove, change{op: opRemove, path: extend(removePath, step{name: m.Key})})
			}
		}
		for _, m := range b.Members() {
			to := extend(path, step{name: m.Key})
			old, had := before[m.Key]
			d.member(old, had, m.Value, to, to)
		}
		return
	}
	delta := a.Len() - b.Len()
	shift := 0
	if delta > 0 {
		if trimsRight(a, b, delta) {
			for i := b.Len(); i < a.Len(); i++ {
				d.remove = append(d.remove, change{op: opRemove, path: extend(removePath, step{index: i, array: true})})
			}
		} else {
			shift = delta
			for i := range delta {
				d.remove = append(d.remove, change{op: opRemove, path: extend(removePath, step{index: i, array: true})})
			}
		}
	}
	for i, item := range b.Items() {
		to := extend(path, step{index: i, array: true})
		from := extend(path, step{index: i + shift, array: true})
		d.member(a.Index(i+shift), i+shift < a.Len(), item, to, from)
	}
}

func (d *differ) member(old jsjson.Value, had bool, now jsjson.Value, path, removePath []step) {
	both := func(is func(jsjson.Value) bool) bool { return is(old) && is(now) }
	switch {
	case !had:
		d.add = append(d.add, change{opAdd, path, now})
	case both(jsjson.Value.IsObject) || both(jsjson.Value.IsArray):
		d.compare(old, now, path, removePath)
	case !jsjson.Equal(old, now):
		d.replace = append(d.replace, change{opReplace, path, now})
	}
}

// trimsRight says whether the items that b lacks count as gone from a's end
// rather than from its start: whichever leaves more of the rest alike.
func trimsRight(a, b jsjson.Value, delta int) bool {
	left, right := 0, 0
	for i := 0; i < b.Len() && a.Index(i).Text() == b.Index(i).Text(); i++ {
		left++
	}
	// npm begins one past the end, where both have nothing, and stops before
	// the first item.
	for j := b.Len(); j > 0 && a.Index(j+delta).Text() == b.Index(j).Text(); j-- {
		right++
	}
	return left >= right
}

func extend(path []step, s step) []step { return append(slices.Clone(path), s) }

func memberMap(v jsjson.Value) map[string]jsjson.Value {
	members := make(map[string]jsjson.Value, v.Len())
	for _, m := range v.Members() {
		members[m.Key] = m.Value
	}
	return members
}

// A tree is a value that can be changed in place: a lock has thousands of
// members, and a merge may touch them all.
type tree struct {
	leaf  jsjson.Value // where it is neither an object nor an array
	kind  jsjson.Kind
	keys  []string        // of an object, in order; see slot
	under map[string]slot // of an object
	items []*tree         // of an array
}

// slot is one member of an object. Its key counts only where it stands at pos:
// keys that went are not taken out of the list, which would cost much.
type slot struct {
	tree *tree
	pos  int
}

func newTree(v jsjson.Value) *tree {
	t := &tree{leaf: v, kind: v.Kind()}
	switch t.kind {
	case jsjson.Object:
		t.leaf = jsjson.Value{}
		t.under = make(map[string]slot, v.Len())
		for i, m := range v.Members() {
			t.keys = append(t.keys, m.Key)
			t.under[m.Key] = slot{newTree(m.Value), i}
		}
	case jsjson.Array:
		t.leaf = jsjson.Value{}
		for _, item := range v.Items() {
			t.items = append(t.items, newTree(item))
		}
	}
	return t
}

func (t *tree) value() jsjson.Value {
	switch {
	case t == nil:
		return jsjson.Value{}
	case t.kind == jsjson.Object:
		members := make([]jsjson.Member, 0, len(t.under))
		for i, key := range t.keys {
			if at, ok := t.under[key]; ok && at.pos == i {
				members = append(members, jsjson.Member{Key: key, Value: at.tree.value()})
			}
		}
		return jsjson.NewObject(members...)
	case t.kind == jsjson.Array:
		items := make([]jsjson.Value, len(t.items))
		for i, item := range t.items {
			items[i] = item.value()
		}
		return jsjson.NewArray(items...)
	}
	return t.leaf
}

// at gives what t has at key, nil where it has nothing or is a scalar.
func (t *tree) at(key step) *tree {
	if t.kind == jsjson.Object {
		return t.under[key.text()].tree
	}
	if i, ok := key.position(); ok && i < len(t.items) {
		return t.items[i]
	}
	return nil
}

func (t *tree) put(key step, sub *tree) {
	switch t.kind {
	case jsjson.Object:
		name := key.text()
		at, ok := t.under[name]
		if !ok {
			at.pos = len(t.keys)
			t.keys = append(t.keys, name)
		}
		at.tree = sub
		t.under[name] = at
	case jsjson.Array:
		i, ok := key.position()
		if !ok || i > len(t.items)+maxHole {
			return
		}
		for i >= len(t.items) {
			t.items = append(t.items, newTree(jsjson.NewNull()))
		}
		t.items[i] = sub
	}
}

// maxHole is how far past its end an array may be extended by a merge.
const maxHole = 1000

func (t *tree) drop(key step) {
	if t.kind == jsjson.Object {
		delete(t.under, key.text())
	} else if i, ok := key.position(); ok && i < len(t.items) {
		t.items = slices.Delete(t.items, i, i+1)
	}
}

// apply makes one change and says whether there was a place for it. Objects
// that are missing on the way are made, and stay even where there was not
// (npm: just-diff-apply).
func (t *tree) apply(c change) bool {
	last := len(c.path) - 1
	for _, key := range c.path[:last] {
		if t.kind < jsjson.Array {
			return false
		}
		if t.at(key) == nil {
			t.put(key, newTree(jsjson.NewObject()))
		}
		if t = t.at(key); t == nil {
			return false
		}
	}
	key := c.path[last]
	switch {
	case t.kind < jsjson.Array:
		return t.shrugs(key, c.op)
	case c.op != opAdd && t.at(key) == nil:
		return false
	case c.op == opRemove:
		t.drop(key)
	default:
		t.put(key, newTree(c.value))
	}
	return true
}

// shrugs says whether JavaScript takes a change inside of a scalar without an
// error, in which case it does nothing: nearly everything may be assigned to
// but null, and a string has its characters as properties.
func (t *tree) shrugs(key step, op changeOp) bool {
	if op == opAdd {
		return t.kind != jsjson.Null
	}
	i, ok := key.position()
	return t.kind == jsjson.String && ok && i < js.Length(t.leaf.Str())
}

// copyPath gives t what from has at path, from the first place on where the
// two are not both objects or both arrays.
func (t *tree) copyPath(from *tree, path []step) {
	for ; t.kind >= jsjson.Array; path = path[1:] {
		key := path[0]
		to, source := t.at(key), from.at(key)
		both := to != nil && source != nil && to.kind == source.kind && to.kind >= jsjson.Array
		if len(path) > 1 && both {
			t, from = to, source
			continue
		}
		if source == nil {
			t.drop(key)
		} else {
			t.put(key, newTree(source.value()))
		}
		return
	}
}

func (s step) text() string {
	if s.array {
		return strconv.Itoa(s.index)
	}
	return s.name
}

func (s step) position() (int, bool) {
	if s.array {
		return s.index, true
	}
	i, ok := jsjson.ArrayIndex(s.name)
	return int(i), ok
}
