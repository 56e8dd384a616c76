package query

import (
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// lookUp follows keys from an object; lists on the way are opened, and "" opens
// one more. ok is false where the path leads nowhere.
func lookUp(v jsjson.Value, path []string) (found []jsjson.Value, ok bool) {
	found = []jsjson.Value{v}
	for _, key := range path {
		var next []jsjson.Value
		for _, o := range found {
			if key != "" {
				if o = o.Get(key); !o.Truthy() {
					continue
				}
			}
			if o.IsArray() {
				next = append(next, o.Items()...)
			} else {
				next = append(next, o)
			}
		}
		found = next
		if key != "" && !slices.ContainsFunc(found, jsjson.Value.Truthy) {
			return nil, false
		}
	}
	return found, true
}

// matches says whether the attribute of an object is as the test wants it.
func (t attrTest) matches(o jsjson.Value) bool {
	v := o.Get(t.name)
	if t.operator == "" {
		return v.Truthy()
	}
	if v.IsArray() {
		return slices.ContainsFunc(v.Items(), t.compare)
	}
	return t.compare(v)
}

func (t attrTest) compare(v jsjson.Value) bool {
	text := ""
	switch {
	case v.IsString():
		text = v.Str()
	case v.Kind() == jsjson.Number && v.Truthy():
		text = v.Text()
	case v.Truthy():
		return false
	}
	want := t.value
	if t.insensitive {
		text, want = strings.ToLower(text), strings.ToLower(want)
	}
	switch t.operator {
	case "=":
		return text == want
	case "~=":
		return slices.Contains(words(text), want)
	case "*=":
		return strings.Contains(text, want)
	case "|=":
		return strings.HasPrefix(text, want+"-")
	case "^=":
		return strings.HasPrefix(text, want)
	case "$=":
		return strings.HasSuffix(text, want)
	}
	return false
}

// words are runs of ASCII letters, digits and "_".
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func (r *run) semver(p part, from []*Item) ([]*Item, error) {
	if p.arg == "" {
		if r.o.Warn != nil {
			r.o.Warn("usage of :semver() with no parameters is deprecated")
		}
		return from, nil
	}
	if !isRange(p.arg) && !nodesemver.Valid(p.arg, false) {
		return nil, failf("EQUERYINVALIDSEMVER", "`%s` is not a valid semver version or range", p.arg)
	}
	var bad error
	out := filter(from, func(it *Item) bool {
		objects := []jsjson.Value{r.content(it)}
		// npm looks no further than the first key, which for :attr is none.
		if len(p.path) > 0 {
			found, ok := lookUp(objects[0], p.path[:firstKey(p.path)])
			if !ok {
				return false
			}
			objects = found
		}
		return slices.ContainsFunc(objects, func(o jsjson.Value) bool {
			ok, err := semverMatch(p, o)
			if err != nil {
				bad = err
			}
			return ok
		})
	})
	return out, bad
}

// firstKey gives how much of a path leads to its first key.
func firstKey(path []string) int {
	for i, key := range path {
		if key != "" {
			return i + 1
		}
	}
	return len(path)
}

func isRange(s string) bool { return nodesemver.IsRange(s, nodesemver.Options{}) }

func semverMatch(p part, o jsjson.Value) (bool, error) {
	if p.attr.operator != "" && !p.attr.matches(o) {
		return false, nil
	}
	v := o.Get(p.attr.name)
	text := v.Str()
	if !v.IsString() || !nodesemver.Valid(text, false) && !isRange(text) {
		return false, nil
	}
	wantVersion, haveVersion := nodesemver.Valid(p.arg, false), nodesemver.Valid(text, false)
	f := p.called
	if f == "" || f == "infer" {
		switch {
		case wantVersion && haveVersion:
			f = "eq"
		case !wantVersion && !haveVersion:
			f = "intersects"
		default:
			f = "satisfies"
		}
	}
	switch f {
	case "eq", "neq", "gt", "gte", "lt", "lte":
		if !wantVersion || !haveVersion {
			return false, nil
		}
		return compareVersions(f, text, p.arg), nil
	case "gtr", "ltr", "satisfies":
		switch {
		case wantVersion:
			return againstRange(f, p.arg, text), nil
		case haveVersion:
			return againstRange(f, text, p.arg), nil
		}
		return false, nil
	case "intersects", "subset":
		a, errA := nodesemver.ParseRange(text, nodesemver.Options{})
		b, errB := nodesemver.ParseRange(p.arg, nodesemver.Options{})
		if errA != nil || errB != nil {
			return false, nil
		}
		if f == "subset" {
			return nodesemver.Subset(a, b), nil
		}
		return nodesemver.Intersects(a, b), nil
	}
	return false, failf("EQUERYINVALIDOPERATOR", "`semver.%s` is not a supported operator.", f)
}

func compareVersions(f, a, b string) bool {
	x, errA := nodesemver.Parse(a, false)
	y, errB := nodesemver.Parse(b, false)
	if errA != nil || errB != nil {
		return false
	}
	c := nodesemver.Compare(x, y)
	switch f {
	case "eq":
		return c == 0
	case "neq":
		return c != 0
	case "gt":
		return c > 0
	case "gte":
		return c >= 0
	case "lt":
		return c < 0
	}
	return c <= 0
}

func againstRange(f, version, text string) bool {
	v, errV := nodesemver.Parse(version, false)
	r, errR := nodesemver.ParseRange(text, nodesemver.Options{})
	if errV != nil || errR != nil {
		return false
	}
	switch f {
	case "gtr":
		return r.Above(v)
	case "ltr":
		return r.Below(v)
	}
	return r.Match(v)
}
