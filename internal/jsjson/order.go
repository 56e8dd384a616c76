package jsjson

import (
	"slices"
)

// maxIndex is the first integer that is no array index (2^32 - 1).
const maxIndex = 1<<32 - 1

// ArrayIndex says whether key is a canonical array index ("0", "42", but not
// "01" or "-1"), and which. Objects list such keys first.
func ArrayIndex(key string) (uint32, bool) {
	if key == "" || len(key) > 10 || key[0] == '0' && len(key) > 1 {
		return 0, false
	}
	n := uint64(0)
	for i := 0; i < len(key); i++ {
		c := key[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return uint32(n), n < maxIndex
}

// linearKeys is the number of keys up to which looking through all of them
// is cheaper than making a map.
const linearKeys = 16

// orderMembers puts members into JavaScript's order, in place.
func orderMembers(members []Member) []Member {
	return Order(members, func(m *Member) string { return m.Key }, func(to, from *Member) { to.Value = from.Value })
}

// Order puts entries, which stand as a document has them, into the order in
// which a JavaScript object lists them: array indexes first and ascending,
// then the others as written; of a key given twice the first place and the
// last value, which replace moves. It works in place and gives the entries
// that are left.
func Order[T any](entries []T, key func(*T) string, replace func(to, from *T)) []T {
	entries = dedupe(entries, key, replace)
	first := -1
	for i := range entries {
		if _, ok := ArrayIndex(key(&entries[i])); ok {
			first = i
			break
		}
	}
	if first < 0 {
		return entries
	}
	slices.SortStableFunc(entries, func(a, b T) int {
		i, iok := ArrayIndex(key(&a))
		j, jok := ArrayIndex(key(&b))
		switch {
		case iok && jok:
			if i < j {
				return -1
			} else if i > j {
				return 1
			}
			return 0
		case iok:
			return -1
		case jok:
			return 1
		}
		return 0
	})
	return entries
}

func dedupe[T any](entries []T, key func(*T) string, replace func(to, from *T)) []T {
	if len(entries) <= linearKeys {
		n := 0
	next:
		for i := range entries {
			k := key(&entries[i])
			for j := range entries[:n] {
				if key(&entries[j]) == k {
					replace(&entries[j], &entries[i])
					continue next
				}
			}
			if n != i {
				entries[n] = entries[i]
			}
			n++
		}
		return entries[:n]
	}
	seen := make(map[string]int, len(entries))
	n := 0
	for i := range entries {
		k := key(&entries[i])
		if j, ok := seen[k]; ok {
			replace(&entries[j], &entries[i])
			continue
		}
		seen[k] = n
		if n != i {
			entries[n] = entries[i]
		}
		n++
	}
	return entries[:n]
}
