package nodesemver

import "slices"

// Intersects reports whether some version could be in both ranges (npm:
// ranges/intersects.js). The options are a's.
func Intersects(a, b *Range) bool {
	o := a.options
	for _, x := range a.sets {
		if !satisfiable(x, o) {
			continue
		}
		for _, y := range b.sets {
			if satisfiable(y, o) && setsIntersect(x, y, o) {
				return true
			}
		}
	}
	return false
}

// satisfiable reports whether the comparators of one set agree pairwise.
func satisfiable(set []Comparator, o Options) bool {
	for i := len(set) - 1; i > 0; i-- {
		for _, other := range set[:i] {
			if !intersects(set[i], other, o) {
				return false
			}
		}
	}
	return true
}

func setsIntersect(x, y []Comparator, o Options) bool {
	for _, c := range x {
		for _, d := range y {
			if !intersects(c, d, o) {
				return false
			}
		}
	}
	return true
}

func (op operator) upward() bool    { return op == opGT || op == opGE }
func (op operator) downward() bool  { return op == opLT || op == opLE }
func (op operator) inclusive() bool { return op == opGE || op == opLE }

func intersects(c, d Comparator, o Options) bool {
	switch {
	case c.op == opEqual:
		return c.any() || matchSet([]Comparator{d}, c.version, o.IncludePrerelease)
	case d.op == opEqual:
		return d.any() || matchSet([]Comparator{c}, d.version, o.IncludePrerelease)
	}
	for _, e := range [2]Comparator{c, d} {
		// Nothing is below the lowest version. Without prereleases that is
		// any 0.0.0.
		if o.IncludePrerelease && e.nothing() || !o.IncludePrerelease && e.op == opLT && isZero(e.version) {
			return false
		}
	}
	if c.op.upward() == d.op.upward() {
		return true
	}
	order := Compare(c.version, d.version)
	switch {
	case order == 0:
		return c.op.inclusive() && d.op.inclusive()
	case order < 0:
		return c.op.upward()
	}
	return c.op.downward()
}

// Subset reports whether every version of sub is in dom (npm:
// ranges/subset.js). The options are sub's.
func Subset(sub, dom *Range) bool {
	if sub == dom {
		return true
	}
	o := sub.options
	sawNonNull := false
	for _, s := range sub.sets {
		found := false
		for _, d := range dom.sets {
			result := subsetOf(s, d, o)
			sawNonNull = sawNonNull || result != nullSet
			if result == isSubset {
				found = true
				break
			}
		}
		// An empty set is part of all others and doesn't count, unless there
		// are only such.
		if !found && sawNonNull {
			return false
		}
	}
	return true
}

type subsetResult uint8

const (
	notSubset subsetResult = iota
	isSubset
	nullSet // the smaller set has no versions at all
)

func truth(b bool) subsetResult {
	if b {
		return isSubset
	}
	return notSubset
}

func isAnySet(set []Comparator) bool { return len(set) == 1 && set[0].any() }

// lowest is the comparator that "any" stands for.
func lowest(o Options) []Comparator {
	text := "0.0.0"
	if o.IncludePrerelease {
		text = "0.0.0-0"
	}
	return []Comparator{{op: opGE, version: parse(text, false)}}
}

// bounds are the strongest comparators of one set in each direction; an absent
// one has no version.
type bounds struct {
	equal    *Version
	gt, lt   Comparator
	adjacent bool // gt and lt are the same version, both included
}

// tightest finds a set's bounds; false means that nothing can be between them.
func tightest(set []Comparator) (b bounds, ok bool) {
	for _, c := range set {
		switch {
		case c.op.upward():
			b.gt = higher(b.gt, c)
		case c.op.downward():
			b.lt = lower(b.lt, c)
		case b.equal != nil:
			return b, false
		default:
			b.equal = c.version
		}
	}
	if !b.gt.any() && !b.lt.any() {
		switch order := Compare(b.gt.version, b.lt.version); {
		case order > 0, order == 0 && !(b.gt.op == opGE && b.lt.op == opLE):
			return b, false
		case order == 0:
			b.adjacent = true
		}
	}
	return b, true
}

// higher returns the stronger of two lower bounds.
func higher(a, b Comparator) Comparator {
	if a.any() {
		return b
	}
	order := Compare(a.version, b.version)
	if order < 0 || order == 0 && b.op == opGT && a.op == opGE {
		return b
	}
	return a
}

// lower returns the stronger of two upper bounds.
func lower(a, b Comparator) Comparator {
	if a.any() {
		return b
	}
	order := Compare(a.version, b.version)
	if order > 0 || order == 0 && b.op == opLT && a.op == opLE {
		return b
	}
	return a
}

func sameTriple(a, b *Version) bool { return compareMain(a.held(), b.held()) == 0 }

func subsetOf(sub, dom []Comparator, o Options) subsetResult {
	if slices.EqualFunc(sub, dom, Comparator.equal) {
		return isSubset // even where nothing is in them
	}
	if isAnySet(sub) {
		sub = lowest(o)
	}
	if isAnySet(dom) {
		if o.IncludePrerelease {
			return isSubset
		}
		dom = lowest(o)
	}
	b, ok := tightest(sub)
	if !ok {
		return nullSet
	}
	one := func(c Comparator, v *Version) bool { return matchSet([]Comparator{c}, v, o.IncludePrerelease) }
	if b.equal != nil {
		if !b.gt.any() && !one(b.gt, b.equal) || !b.lt.any() && !one(b.lt, b.equal) {
			return nullSet
		}
		for _, c := range dom {
			if !one(c, b.equal) {
				return notSubset
			}
		}
		return isSubset
	}
	hasGT, hasLT := !b.gt.any(), !b.lt.any()

	// A bound that is a prerelease lets in others of its version, so dom must
	// ask for one of that version, too. Except "<1.2.3-0", which lets in none.
	needGT := hasGT && !o.IncludePrerelease && b.gt.version.Prerelease() != ""
	needLT := hasLT && !o.IncludePrerelease && b.lt.version.Prerelease() != "" &&
		!(b.lt.op == opLT && b.lt.version.Prerelease() == "0")
	domGT, domLT := false, false
	for _, c := range dom {
		domGT = domGT || c.op.upward()
		domLT = domLT || c.op.downward()
		if hasGT {
			if c.version.Prerelease() != "" && sameTriple(c.version, b.gt.version) {
				needGT = false
			}
			if c.op.upward() {
				if h := higher(b.gt, c); h == c && h != b.gt {
					return notSubset
				}
			} else if b.gt.op == opGE && !c.match(b.gt.version) {
				return notSubset
			}
		}
		if hasLT {
			if c.version.Prerelease() != "" && sameTriple(c.version, b.lt.version) {
				needLT = false
			}
			if c.op.downward() {
				if l := lower(b.lt, c); l == c && l != b.lt {
					return notSubset
				}
			} else if b.lt.op == opLE && !c.match(b.lt.version) {
				return notSubset
			}
		}
		if c.op == opEqual && (hasGT || hasLT) && !b.adjacent {
			return notSubset
		}
	}
	if hasGT && domLT && !hasLT || hasLT && domGT && !hasGT {
		return notSubset // dom ends where sub goes on
	}
	return truth(!needGT && !needLT)
}

// MinVersion returns the lowest version that could be in the range, nil if
// none can (npm: ranges/min-version.js).
func (r *Range) MinVersion() *Version {
	for _, text := range [2]string{"0.0.0", "0.0.0-0"} {
		if v := parse(text, false); r.Match(v) {
			return v
		}
	}
	var best *Version
	for _, set := range r.sets {
		var low *Version
		for _, c := range set {
			if c.any() || c.op.downward() {
				continue
			}
			v := c.version
			if c.op == opGT {
				v = justAbove(v)
			}
			if low == nil || Compare(v, low) > 0 {
				low = v
			}
		}
		if low != nil && (best == nil || Compare(best, low) > 0) {
			best = low
		}
	}
	if best != nil && best.Patch() <= maxNumber && r.Match(best) {
		return best
	}
	return nil
}

// justAbove is the lowest version above v that npm can name. Its number may be
// too large for a version.
func justAbove(v *Version) *Version {
	if v.Prerelease() == "" {
		return build(v.Major(), v.Minor(), v.Patch()+1, "", "")
	}
	return build(v.Major(), v.Minor(), v.Patch(), v.Prerelease()+".0", "")
}

// Above reports whether v is higher than every version of the range, Below
// whether it is lower (npm: ranges/gtr.js, ltr.js, outside.js).
func (r *Range) Above(v *Version) bool { return r.outside(v, opGT, opGE, 1) }

// Below is Above's opposite.
func (r *Range) Below(v *Version) bool { return r.outside(v, opLT, opLE, -1) }

// outside reads as Above. Below turns it round: every comparison is multiplied
// with sign.
func (r *Range) outside(v *Version, op, inclusive operator, sign int) bool {
	if r.Match(v) {
		return false
	}
	for _, set := range r.sets {
		var high, low Comparator
		for i, c := range set {
			if c.any() {
				c = lowest(Options{})[0]
			}
			if i == 0 {
				high, low = c, c
				continue
			}
			if sign*Compare(c.version, high.version) > 0 {
				high = c
			} else if sign*Compare(c.version, low.version) < 0 {
				low = c
			}
		}
		if high.op == op || high.op == inclusive {
			return false // no end in that direction
		}
		order := sign * Compare(v, low.version)
		if (low.op == opEqual || low.op == op) && order <= 0 || low.op == inclusive && order < 0 {
			return false
		}
	}
	return true
}

// Simplify returns a range that has the same ones of the given versions as r,
// if it is shorter than r's own text, else that (npm: ranges/simplify.js).
// Versions must be in ascending order; texts are what stands in the result.
func (r *Range) Simplify(versions []*Version, texts []string) string {
	var ranges []byte
	add := func(parts ...string) {
		if len(ranges) > 0 {
			ranges = append(ranges, " || "...)
		}
		for _, p := range parts {
			ranges = append(ranges, p...)
		}
	}
	first := -1
	for i := 0; i <= len(versions); i++ {
		if i < len(versions) && r.Match(versions[i]) {
			if first < 0 {
				first = i
			}
			continue
		}
		if first < 0 {
			continue
		}
		switch low, last := texts[first], texts[i-1]; {
		case i == len(versions) && low == texts[0]:
			add("*")
		case i == len(versions):
			add(">=", low)
		case low == last:
			add(low)
		case low == texts[0]:
			add("<=", last)
		default:
			add(low, " - ", last)
		}
		first = -1
	}
	if len(ranges) < len(r.raw) {
		return string(ranges)
	}
	return r.raw
}
