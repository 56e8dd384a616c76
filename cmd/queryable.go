package cmd

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
)

// A queryPath is a path into a package.json as "pkg" and "view" take it:
// "scripts.test", "contributors[0].name", "exports[./x.js]", "files[]" (npm:
// lib/utils/queryable.js). It is kept as the steps from one value to the next.
type queryPath []queryStep

// queryStep is one step: a key or an index, or with add the place behind an
// array's last item.
type queryStep struct {
	key string
	add bool
}

// number is the step as JavaScript's Number() has it; NaN for what is none.
func (s queryStep) number() float64 {
	if s.add {
		return math.NaN()
	}
	return js.Number(s.key)
}

// parseQuery takes a path apart. What is in brackets is one key, dots and all;
// empty brackets are the place behind the last item.
func parseQuery(text string) queryPath {
	var q queryPath
	var whole func(string)
	var plain func(string)
	split := func(s string) {
		for key := range strings.SplitSeq(s, ".") {
			q = append(q, queryStep{key: key})
		}
	}
	plain = func(s string) {
		at := strings.LastIndex(s, "[]")
		if at < 0 {
			split(s)
			return
		}
		if at > 0 {
			plain(s[:at])
		}
		q = append(q, queryStep{add: true})
		if rest := strings.TrimPrefix(s[at+2:], "."); rest != "" {
			split(rest)
		}
	}
	whole = func(s string) {
		for at := strings.LastIndexByte(s, '['); at > 0; at = strings.LastIndexByte(s[:at], '[') {
			end := strings.IndexByte(s[at:], ']')
			if end < 2 {
				continue
			}
			whole(s[:at])
			q = append(q, queryStep{key: s[at+1 : at+end]})
			if rest := strings.TrimPrefix(s[at+end+1:], "."); rest != "" {
				whole(rest)
			}
			return
		}
		plain(s)
	}
	whole(strings.TrimSpace(text))
	return q
}

// queryError is npm's refusal of a path or of what it leads to.
func queryError(code, text string) error { return &codedError{code: code, text: text} }

// queryGet gives what the path text leads to, under the names that npm prints:
// the path itself, or where it leads through all items of an array a name for
// each of them. No members: there is nothing. With unwrap a list of one is its
// item, and an empty one nothing.
func queryGet(data jsjson.Value, text string, unwrap bool) ([]jsjson.Member, error) {
	label := ""
	for _, step := range parseQuery(text) {
		if step.add {
			return nil, queryError("EINVALIDSYNTAX", "Empty brackets are not valid syntax for retrieving values.")
		}
		if n := step.number(); data.IsArray() && (math.IsNaN(n) || math.IsInf(n, 0) || n != math.Trunc(n)) {
			var each []jsjson.Member
			for i, item := range data.Items() {
				if k := item.Kind(); k == jsjson.Null || k == jsjson.Undefined {
					return nil, queryError("", "Cannot read properties of null (reading '"+step.key+"')")
				}
				each = append(each, jsjson.Member{Key: label + "[" + strconv.Itoa(i) + "]." + step.key, Value: item.Get(step.key)})
			}
			return each, nil
		}
		switch data.Kind() {
		case jsjson.Null, jsjson.Undefined:
			return nil, queryError("", "Cannot convert undefined or null to object")
		case jsjson.Array:
			i, ok := jsjson.ArrayIndex(step.key)
			if !ok || int(i) >= data.Len() {
				return nil, nil
			}
			data = data.Index(int(i))
		case jsjson.String:
			if step.key != "length" {
				return nil, nil
			}
			data = jsjson.NewNumber(float64(js.Length(data.Str())))
		default:
			if !data.Has(step.key) {
				return nil, nil
			}
			data = data.Get(step.key)
		}
		label += step.key
	}
	if unwrap && data.IsArray() && data.Len() <= 1 {
		data = data.Index(0)
	}
	return []jsjson.Member{{Key: text, Value: data}}, nil
}

// queryEdit is one change at the end of a path.
type queryEdit struct {
	path   string
	value  jsjson.Value // undefined: delete what is there
	force  bool         // put it there whatever is in its way
	remain queryPath
}

func (e *queryEdit) deletes() bool { return e.value.IsUndefined() }

// querySet gives data with the value at the path set, objects and lists being
// made on the way.
func querySet(data jsjson.Value, path string, value jsjson.Value, force bool) (jsjson.Value, error) {
	return (&queryEdit{path: path, value: value, force: force}).apply(data)
}

// queryDelete gives data without the value at the path.
func queryDelete(data jsjson.Value, path string) (jsjson.Value, error) {
	return (&queryEdit{path: path}).apply(data)
}

func (e *queryEdit) apply(data jsjson.Value) (jsjson.Value, error) {
	e.remain = parseQuery(e.path)
	out, err := e.step(data)
	if err != nil {
		return data, err
	}
	if out.Kind() != data.Kind() {
		// An empty object that an index would make a list of stays what it is.
		return data, nil
	}
	return out, nil
}

func (e *queryEdit) step(data jsjson.Value) (jsjson.Value, error) {
	step := e.remain[0]
	e.remain = e.remain[1:]
	switch step.key {
	case "__proto__", "constructor", "prototype":
		return data, queryError("EFORBIDDENKEY", `Forbidden key: "`+step.key+`"`)
	}
	n := step.number()
	index := step.add || !math.IsNaN(n)
	if index && data.Len() == 0 && !data.IsArray() {
		data = jsjson.NewArray()
	}
	if e.force && data.IsArray() && !index {
		object := jsjson.NewObject()
		for i, item := range data.Items() {
			object = object.With(strconv.Itoa(i), item)
		}
		data = object
	}
	key := step.key
	switch {
	case step.add && !data.IsArray():
		return data, queryError("ENOAPPEND", "Can't use append syntax in non-Array element")
	case step.add:
		n = float64(data.Len())
		key = strconv.Itoa(data.Len())
	case index:
		key = js.FormatNumber(n)
	}
	now := member(data, key)
	if len(e.remain) > 0 {
		next, err := e.next(now, key)
		if err != nil {
			return data, err
		}
		value, err := e.step(next)
		if err != nil {
			return data, err
		}
		return withMember(data, key, value), nil
	}
	if e.deletes() && data.IsArray() {
		return splice(data, n), nil
	}
	return withMember(data, key, e.value), nil
}

// next is the value that the path goes on in, and the refusal to put something
// into what cannot hold it.
func (e *queryEdit) next(now jsjson.Value, key string) (jsjson.Value, error) {
	k := now.Kind()
	object := k == jsjson.Object || k == jsjson.Array
	if !e.force && !e.deletes() && k != jsjson.Undefined && k != jsjson.Null {
		if !object {
			return now, queryError("EOVERRIDEVALUE", "Property "+key+" already exists and is not an Array or Object.")
		}
		if following := e.remain[0]; !following.add && now.IsArray() && math.IsNaN(following.number()) {
			return now, queryError("ENOADDPROP", "Can't add property "+e.path+" to an Array.")
		}
	}
	if !object {
		return jsjson.NewObject(), nil
	}
	return now, nil
}

func member(v jsjson.Value, key string) jsjson.Value {
	if !v.IsArray() {
		return v.Get(key)
	}
	if i, ok := jsjson.ArrayIndex(key); ok && int(i) < v.Len() {
		return v.Index(int(i))
	}
	return jsjson.Value{}
}

// maxIndex is the largest index that is set: a list with as many holes as
// somebody can type would fill the memory.
const maxIndex = 1 << 20

func withMember(v jsjson.Value, key string, value jsjson.Value) jsjson.Value {
	if !v.IsArray() {
		return v.With(key, value)
	}
	i, ok := jsjson.ArrayIndex(key)
	if !ok || i > maxIndex {
		return v // a property of a list is not written to JSON
	}
	items := slices.Clone(v.Items())
	for len(items) <= int(i) {
		items = append(items, jsjson.NewNull())
	}
	items[i] = value
	return jsjson.NewArray(items...)
}

// splice removes the item at n as JavaScript's splice(n, 1) does.
func splice(v jsjson.Value, n float64) jsjson.Value {
	if math.IsNaN(n) {
		n = 0
	}
	at := int(max(min(n, float64(v.Len())), -float64(v.Len())))
	if at < 0 {
		at += v.Len()
	}
	if at >= v.Len() {
		return v
	}
	return jsjson.NewArray(slices.Delete(slices.Clone(v.Items()), at, at+1)...)
}
