package resolver

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// JavaScript's Map and Set are walked in the order of insertion, may change
// while being walked (what is added is still visited, what is removed is
// not), and an entry that is removed and added again moves to the end. npm's
// decisions depend on all three, so the containers here do the same: removed
// entries leave a hole, walks go by index. Holes are never closed: there are
// few of them, and a walk may be going on.

// foldName gives the form under which npm takes two names for the same
// folder (npm: @npmcli/arborist lib/case-insensitive-map.js).
func foldName(s string) string {
	upper := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x80 {
			return strings.ToLower(norm.NFKD.String(s))
		}
		upper = upper || 'A' <= c && c <= 'Z'
	}
	if upper {
		return strings.ToLower(s)
	}
	return s
}

// smallMap is the number of entries up to which walking a list is faster than
// hashing a key.
const smallMap = 10

// nameMap is a map from folder names, case and form aside, in the order of
// insertion.
type nameMap[V any] struct {
	entries []nameEntry[V]
	index   map[string]int32 // folded name → entry; nil while small
	size    int
}

type nameEntry[V any] struct {
	name, folded string
	value        V
	live         bool
}

func (m *nameMap[V]) find(folded string) int {
	if m.index != nil {
		if i, ok := m.index[folded]; ok {
			return int(i)
		}
		return -1
	}
	for i := range m.entries {
		if e := &m.entries[i]; e.live && e.folded == folded {
			return i
		}
	}
	return -1
}

func (m *nameMap[V]) get(name string) (v V, ok bool) {
	return m.getFolded(foldName(name))
}

func (m *nameMap[V]) getFolded(folded string) (v V, ok bool) {
	if i := m.find(folded); i >= 0 {
		return m.entries[i].value, true
	}
	return v, false
}

func (m *nameMap[V]) set(name string, v V) {
	folded := foldName(name)
	m.deleteFolded(folded)
	m.entries = append(m.entries, nameEntry[V]{name, folded, v, true})
	m.size++
	if m.index != nil {
		m.index[folded] = int32(len(m.entries) - 1)
	} else if len(m.entries) > smallMap {
		m.makeIndex(2 * len(m.entries))
	}
}

// reserve makes room for n more entries.
func (m *nameMap[V]) reserve(n int) {
	m.entries = slices.Grow(m.entries, n)
	if m.index == nil && len(m.entries)+n > smallMap {
		m.makeIndex(len(m.entries) + n)
	}
}

func (m *nameMap[V]) makeIndex(size int) {
	m.index = make(map[string]int32, size)
	for i := range m.entries {
		if m.entries[i].live {
			m.index[m.entries[i].folded] = int32(i)
		}
	}
}

func (m *nameMap[V]) delete(name string) { m.deleteFolded(foldName(name)) }

func (m *nameMap[V]) deleteFolded(folded string) {
	i := m.find(folded)
	if i < 0 {
		return
	}
	m.entries[i] = nameEntry[V]{}
	m.size--
	if m.index != nil {
		delete(m.index, folded)
	}
}

// all walks the values; entries added meanwhile are visited.
func (m *nameMap[V]) all(yield func(V) bool) {
	for i := 0; i < len(m.entries); i++ {
		if m.entries[i].live && !yield(m.entries[i].value) {
			return
		}
	}
}

// values is a copy, for walks that must not see what they change.
func (m *nameMap[V]) values() []V {
	out := make([]V, 0, m.size)
	for i := range m.entries {
		if m.entries[i].live {
			out = append(out, m.entries[i].value)
		}
	}
	return out
}

// nodeSet is a set of nodes in the order of insertion.
type nodeSet struct {
	list  []*Node
	index map[*Node]int32 // nil while small
	size  int
}

func newNodeSet(nodes ...*Node) *nodeSet {
	s := &nodeSet{}
	for _, n := range nodes {
		s.add(n)
	}
	return s
}

func (s *nodeSet) find(n *Node) int {
	if s.index != nil {
		if i, ok := s.index[n]; ok {
			return int(i)
		}
		return -1
	}
	for i, m := range s.list {
		if m == n {
			return i
		}
	}
	return -1
}

func (s *nodeSet) has(n *Node) bool { return n != nil && s.find(n) >= 0 }

func (s *nodeSet) add(n *Node) {
	if s.find(n) >= 0 {
		return
	}
	s.list = append(s.list, n)
	s.size++
	if s.index != nil {
		s.index[n] = int32(len(s.list) - 1)
	} else if len(s.list) > smallMap {
		s.index = make(map[*Node]int32, 2*len(s.list))
		for i, m := range s.list {
			if m != nil {
				s.index[m] = int32(i)
			}
		}
	}
}

func (s *nodeSet) delete(n *Node) {
	i := s.find(n)
	if i < 0 {
		return
	}
	s.list[i] = nil
	s.size--
	if s.index != nil {
		delete(s.index, n)
	}
}

// all walks the set; nodes added meanwhile are visited.
func (s *nodeSet) all(yield func(*Node) bool) {
	for i := 0; i < len(s.list); i++ {
		if s.list[i] != nil && !yield(s.list[i]) {
			return
		}
	}
}

// inventory holds all nodes of one root by location (npm: lib/inventory.js).
type inventory struct {
	list   []*Node
	byLoc  map[string]int32 // nil while small
	byName map[string]*nodeSet
	links  map[string]*nodeSet // by realpath, links only
	size   int
}

func (inv *inventory) find(loc string) int {
	if inv.byLoc != nil {
		if i, ok := inv.byLoc[loc]; ok {
			return int(i)
		}
		return -1
	}
	for i, n := range inv.list {
		if n != nil && n.location == loc {
			return i
		}
	}
	return -1
}

func (inv *inventory) get(loc string) *Node {
	if inv == nil {
		return nil
	}
	if i := inv.find(loc); i >= 0 {
		return inv.list[i]
	}
	return nil
}

func (inv *inventory) add(n *Node) {
	if root := inv.get(""); root != nil && n.Root() != root && n.Root() != root.Root() {
		return
	}
	if i := inv.find(n.location); i >= 0 {
		if inv.list[i] == n {
			return
		}
		inv.deleteAt(i)
	}
	inv.list = append(inv.list, n)
	inv.size++
	if inv.byLoc != nil {
		inv.byLoc[n.location] = int32(len(inv.list) - 1)
		inv.indexName(n)
	} else if len(inv.list) > smallMap {
		inv.makeIndex(4 * len(inv.list))
	}
	if n.isLink {
		if inv.links == nil {
			inv.links = map[string]*nodeSet{}
		}
		s := inv.links[n.realpath]
		if s == nil {
			s = &nodeSet{}
			inv.links[n.realpath] = s
		}
		s.add(n)
	}
}

// reserve makes room for n more nodes.
func (inv *inventory) reserve(n int) {
	inv.list = slices.Grow(inv.list, n)
	if inv.byLoc == nil && len(inv.list)+n > smallMap {
		inv.makeIndex(len(inv.list) + n)
	}
}

func (inv *inventory) makeIndex(size int) {
	inv.byLoc = make(map[string]int32, size)
	inv.byName = make(map[string]*nodeSet, size)
	for i, n := range inv.list {
		if n != nil {
			inv.byLoc[n.location] = int32(i)
			inv.indexName(n)
		}
	}
}

func (inv *inventory) indexName(n *Node) {
	s := inv.byName[n.Name]
	if s == nil {
		s = &nodeSet{}
		inv.byName[n.Name] = s
	}
	s.add(n)
}

func (inv *inventory) delete(n *Node) {
	if inv == nil {
		return
	}
	if i := inv.find(n.location); i >= 0 && inv.list[i] == n {
		inv.deleteAt(i)
	}
}

func (inv *inventory) deleteAt(i int) {
	n := inv.list[i]
	inv.list[i] = nil
	inv.size--
	if inv.byLoc != nil {
		delete(inv.byLoc, n.location)
		if s := inv.byName[n.Name]; s != nil {
			s.delete(n)
		}
	}
	if n.isLink {
		if s := inv.links[n.realpath]; s != nil {
			s.delete(n)
		}
	}
}

// all walks the nodes in the order they came in.
func (inv *inventory) all(yield func(*Node) bool) {
	if inv == nil {
		return
	}
	for i := 0; i < len(inv.list); i++ {
		if inv.list[i] != nil && !yield(inv.list[i]) {
			return
		}
	}
}

// named walks the nodes of one name in the order they came in.
func (inv *inventory) named(name string) func(yield func(*Node) bool) {
	return func(yield func(*Node) bool) {
		if inv == nil {
			return
		}
		if inv.byName != nil {
			if s := inv.byName[name]; s != nil {
				s.all(yield)
			}
			return
		}
		for i := 0; i < len(inv.list); i++ {
			if n := inv.list[i]; n != nil && n.Name == name && !yield(n) {
				return
			}
		}
	}
}
