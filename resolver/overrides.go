package resolver

import (
	"iter"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// OverrideSet is one rule of the root's "overrides" with the rules nested in
// it, or the whole of them (npm: lib/override-set.js). It does not change
// once it is made.
type OverrideSet struct {
	parent   *OverrideSet
	children []*OverrideSet // in the order of package.json
	key      string         // as written: "name", "name@range"
	name     string
	keySpec  string // what of the dependency's own range the rule is for, "*" for any
	value    string // what to take instead

	rules   *rules
	ruleset []*OverrideSet // computed once: the rules in force here
}

// OverrideError is an override that cannot be applied.
type OverrideError struct {
	Name, Spec string // a direct dependency that disagrees
	Reference  string // "$name" that is nowhere
	Key        string // a rule without a name, or one that holds for no range
	NotRange   string // what should be a range, of the rule or of what it is held against
}

func (e *OverrideError) Error() string {
	switch {
	case e.Reference != "":
		return "unable to resolve reference " + e.Reference
	case e.NotRange != "":
		return "override " + e.Key + ": " + strconv.Quote(e.NotRange) + " is not a range of versions"
	case e.Key != "":
		return "override without name: " + e.Key
	}
	return "override for " + e.Name + "@" + e.Spec + " conflicts with direct dependency"
}

// Code is npm's code; where npm ends by a plain exception there is none.
func (e *OverrideError) Code() string {
	if e.Reference != "" || e.Key != "" {
		return ""
	}
	return "EOVERRIDE"
}

func (r *rules) rootOverrides(m *manifest.Manifest) *OverrideSet {
	if m.Overrides == "" {
		return nil
	}
	v, err := m.Overrides.Parse()
	if err != nil || v.Kind() != jsjson.Object || len(v.Members()) == 0 {
		return nil
	}
	return r.newOverrideSet(v, "", nil)
}

func (r *rules) newOverrideSet(v jsjson.Value, key string, parent *OverrideSet) *OverrideSet {
	s := &OverrideSet{parent: parent, rules: r}
	value := ""
	if v.IsString() {
		if value = v.Str(); value == "" {
			value = "*"
		}
	} else if dot := v.Get("."); dot.IsString() {
		if value = dot.Str(); value == "" {
			value = "*"
		}
	}
	r.references = r.references || strings.HasPrefix(value, "$")
	if parent != nil {
		parsed, err := spec.Parse(key, r.where)
		if err != nil {
			r.fail(err)
			return s
		}
		if parsed.Name == "" {
			r.fail(&OverrideError{Key: key})
			return s
		}
		s.name = parsed.Name
		s.key = key
		for _, text := range [...]string{parsed.SaveSpec, parsed.FetchSpec, parsed.RawSpec} {
			if s.keySpec = text; text != "" {
				break
			}
		}
		if s.value = value; value == "" {
			s.value = s.keySpec
		}
	}
	if v.Kind() == jsjson.Object {
		for _, m := range v.Members() {
			if m.Key == "." {
				continue
			}
			if m.Value.Kind() != jsjson.Object && !m.Value.IsString() {
				continue
			}
			child := r.newOverrideSet(m.Value, m.Key, s)
			s.children = append(s.children, child)
		}
	}
	return s
}

func (s *OverrideSet) childByKey(key string) *OverrideSet {
	for _, c := range s.children {
		if c.key == key {
			return c
		}
	}
	return nil
}

func (s *OverrideSet) childrenEqual(o *OverrideSet) bool {
	if len(s.children) != len(o.children) {
		return false
	}
	for _, c := range s.children {
		d := o.childByKey(c.key)
		if d == nil || c.value != d.value || !c.childrenEqual(d) {
			return false
		}
	}
	return true
}

func (s *OverrideSet) isEqual(o *OverrideSet) bool {
	if s == o {
		return true
	}
	if s == nil || o == nil || s.key != o.key || s.value != o.value || !s.childrenEqual(o) {
		return false
	}
	if s.parent == nil {
		return o.parent == nil
	}
	return s.parent.isEqual(o.parent)
}

// inForce gives the rules that hold where s holds, the nearest first.
func (s *OverrideSet) inForce() []*OverrideSet {
	if s.ruleset != nil {
		return s.ruleset
	}
	seen := map[string]bool{}
	set := []*OverrideSet{}
	for a := range s.ancestry() {
		for _, c := range a.children {
			if !seen[c.key] {
				seen[c.key] = true
				set = append(set, c)
			}
		}
		if a.parent != nil && !seen[a.key] {
			seen[a.key] = true
			set = append(set, a)
		}
	}
	s.ruleset = set
	return set
}

func (s *OverrideSet) ancestry() iter.Seq[*OverrideSet] {
	return func(yield func(*OverrideSet) bool) {
		for a := s; a != nil; a = a.parent {
			if !yield(a) {
				return
			}
		}
	}
}

// edgeRule gives the rule that holds for an edge of a node for which s holds;
// s itself when none is about it.
func (s *OverrideSet) edgeRule(e *Edge) *OverrideSet {
	for _, rule := range s.inForce() {
		if rule.name != e.Name {
			continue
		}
		if rule.keySpec == "*" {
			return rule
		}
		raw := e.raw
		if raw == "" {
			raw = e.Spec()
		}
		parsed, err := spec.Parse(e.Name+"@"+raw, s.rules.where)
		if err != nil {
			s.rules.fail(err)
			return s
		}
		if parsed.Type == spec.Alias {
			parsed = parsed.Sub
		}
		switch parsed.Type {
		case spec.Git:
			if parsed.GitRange != "" && rule.keyIntersects(parsed.GitRange) {
				return rule
			}
		case spec.Range, spec.Version:
			if rule.keyIntersects(parsed.FetchSpec) {
				return rule
			}
		default:
			return rule // nothing to compare versions with
		}
	}
	return s
}

// keyIntersects says whether the rule is for some version of a range. Both are
// read strictly, unlike anywhere else: what is no range then, such as a dist-tag
// in the rule's key, ends npm by an exception of semver's.
func (s *OverrideSet) keyIntersects(rng string) bool {
	var parsed [2]*nodesemver.Range
	for i, text := range [...]string{rng, s.keySpec} {
		r, err := nodesemver.ParseRange(text, nodesemver.Options{})
		if err != nil {
			s.rules.fail(&OverrideError{Key: s.key, NotRange: text})
			return false
		}
		parsed[i] = r
	}
	return nodesemver.Intersects(parsed[0], parsed[1])
}

// nodeRule gives the rule for a node of that name and version, s if none is.
func (s *OverrideSet) nodeRule(name, version string) *OverrideSet {
	for _, rule := range s.inForce() {
		if rule.name == name && (nodesemver.Satisfies(version, rule.keySpec, false) || nodesemver.Satisfies(version, rule.value, false)) {
			return rule
		}
	}
	return s
}

// specificOverrides gives the one of two sets that is inside the other, the
// nearest set that both are inside of where neither is, and nil with ok false
// where they contradict each other.
func specificOverrides(first, second *OverrideSet) (set *OverrideSet, ok bool) {
	for a := range second.ancestry() {
		if a.isEqual(first) {
			return second, true
		}
	}
	for a := range first.ancestry() {
		if a.isEqual(second) {
			return first, true
		}
	}
	if conflictingRules(first, second) {
		return nil, false
	}
	for a := range second.ancestry() {
		for b := range first.ancestry() {
			if b.isEqual(a) {
				return b, true
			}
		}
	}
	return nil, true
}

func overridesConflict(first, second *OverrideSet) bool {
	if _, ok := specificOverrides(first, second); ok {
		return false
	}
	return conflictingRules(first, second)
}

// conflictingRules says whether a rule of both sets wants versions that
// cannot both be had.
func conflictingRules(first, second *OverrideSet) bool {
	for _, a := range first.inForce() {
		var b *OverrideSet
		for _, c := range second.inForce() {
			if c.key == a.key {
				b = c
				break
			}
		}
		if b == nil || a.isEqual(b) || strings.HasPrefix(a.value, "$") || strings.HasPrefix(b.value, "$") {
			continue
		}
		sa, errA := spec.Parse(a.name+"@"+a.value, a.rules.where)
		sb, errB := spec.Parse(b.name+"@"+b.value, b.rules.where)
		if errA != nil || errB != nil {
			continue
		}
		ranged := func(s *spec.Spec) bool { return s.Type == spec.Range || s.Type == spec.Version }
		if ranged(sa) && ranged(sb) {
			ra, errA := nodesemver.ParseRange(sa.FetchSpec, nodesemver.Options{})
			rb, errB := nodesemver.ParseRange(sb.FetchSpec, nodesemver.Options{})
			if errA == nil && errB == nil && !nodesemver.Intersects(ra, rb) {
				return true
			}
		}
	}
	return false
}

// overridesEdgeInAdded is told that an edge to which a rule applies now ends
// at the node: the more specific rule wins.
func (n *Node) overridesEdgeInAdded(added *OverrideSet) {
	if added == nil {
		return
	}
	if n.overrides == nil {
		n.overrides = added
		n.recalculateOverrides()
		return
	}
	if n.overrides.isEqual(added) {
		return
	}
	if set, _ := specificOverrides(n.overrides, added); set != nil && !n.overrides.isEqual(set) {
		n.overrides = set
		n.recalculateOverrides()
	}
}

func (n *Node) overridesEdgeInRemoved(removed *OverrideSet) {
	if n.overrides == nil || !n.overrides.isEqual(removed) {
		return
	}
	var set *OverrideSet
	for e := range n.edgesIn.all {
		if set != nil && e.overrides != nil {
			set, _ = specificOverrides(e.overrides, set)
		} else {
			set = e.overrides
		}
	}
	if n.overrides.isEqual(set) {
		return
	}
	if n.overrides = set; set != nil {
		n.recalculateOverrides()
	}
}

// recalculateOverrides hands changed rules on to what the node depends on. A
// link hands them to its target only if some rule is about a dependency
// there.
func (n *Node) recalculateOverrides() {
	if n.isLink {
		if n.target != nil && n.overrides != nil && n.overrides.matchesBelow(n.target) {
			n.target.overridesEdgeInAdded(n.overrides)
		}
		return
	}
	for e := range n.edgesOut.all {
		e.reload(true)
		if e.to != nil {
			e.to.overridesEdgeInAdded(e.overrides)
		}
	}
}

func (s *OverrideSet) matchesBelow(target *Node) bool {
	seen := map[*Node]bool{}
	stack := []*Node{target}
	for len(stack) > 0 {
		n := stack[len(stack)-1].Target()
		stack = stack[:len(stack)-1]
		if n == nil || seen[n] {
			continue
		}
		seen[n] = true
		for e := range n.edgesOut.all {
			if s.edgeRule(e).name == e.Name {
				return true
			}
			if e.to != nil {
				stack = append(stack, e.to)
			}
		}
	}
	return false
}

// assertRootOverrides fails where an override would change what the root
// itself asks for.
func (n *Node) assertRootOverrides() error {
	if !n.IsProjectRoot() || n.overrides == nil {
		return nil
	}
	for e := range n.edgesOut.all {
		s := e.Spec()
		if s != e.raw && !strings.HasPrefix(s, "$") {
			return &OverrideError{Name: e.Name, Spec: e.raw}
		}
	}
	return nil
}
