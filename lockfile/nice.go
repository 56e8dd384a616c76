package lockfile

import (
	"slices"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
)

// rank is a key's place among those that npm puts first in every object, even
// where they are names of packages; 0 for all others.
func rank(key string) int {
	switch key {
	case "name":
		return 1
	case "version":
		return 2
	case "lockfileVersion":
		return 3
	case "resolved":
		return 4
	case "integrity":
		return 5
	case "requires":
		return 6
	case "packages":
		return 7
	case "dependencies":
		return 8
	}
	return 0
}

// compareKeys orders the members of an object as json-stringify-nice does
// with npm's preferred keys: what is no object first, arrays included.
func compareKeys(a string, aObject bool, b string, bObject bool) int {
	if aObject != bObject {
		if aObject {
			return 1
		}
		return -1
	}
	ra, rb := rank(a), rank(b)
	switch {
	case ra != 0 && rb != 0:
		return ra - rb
	case ra != 0:
		return -1
	case rb != 0:
		return 1
	}
	return collate.Compare(a, b)
}

// sortedBy gives items in the order in which npm writes them as members of one
// object: by compareKeys, then array indexes to the front, which is
// JavaScript's doing. Items that are in order already are not copied.
func sortedBy[T any](items []T, key func(T) (name string, object bool)) []T {
	compare := func(a, b T) int {
		x, xo := key(a)
		y, yo := key(b)
		i, xi := jsjson.ArrayIndex(x)
		j, yi := jsjson.ArrayIndex(y)
		switch {
		case xi && yi:
			return int(int64(i) - int64(j))
		case xi:
			return -1
		case yi:
			return 1
		}
		return compareKeys(x, xo, y, yo)
	}
	if slices.IsSortedFunc(items, compare) {
		return items
	}
	items = slices.Clone(items)
	slices.SortStableFunc(items, compare)
	return items
}

// protoKey is a key that npm's sorting loses: assigning it sets a prototype.
const protoKey = "__proto__"

// nice gives v with the members of every object in npm's order.
func nice(v jsjson.Value) jsjson.Value {
	switch v.Kind() {
	case jsjson.Array:
		if !slices.ContainsFunc(v.Items(), func(item jsjson.Value) bool { return item.IsObject() || item.IsArray() }) {
			return v
		}
		items := make([]jsjson.Value, v.Len())
		for i, item := range v.Items() {
			items[i] = nice(item)
		}
		return jsjson.NewArray(items...)
	case jsjson.Object:
		members := make([]jsjson.Member, 0, v.Len())
		for _, m := range v.Members() {
			if m.Key != protoKey {
				members = append(members, jsjson.Member{Key: m.Key, Value: nice(m.Value)})
			}
		}
		members = sortedBy(members, func(m jsjson.Member) (string, bool) { return m.Key, m.Value.IsObject() })
		return jsjson.NewObject(members...)
	}
	return v
}
