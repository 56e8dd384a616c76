package nodesemver

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// Options are how a range is read and tested. The zero value is npm's default:
// strict, prereleases only where asked for.
type Options struct {
	Loose             bool
	IncludePrerelease bool
}

// Comparator is one condition on a version. Without a version it is "any".
type Comparator struct {
	op      operator
	version *Version
}

func (c Comparator) any() bool { return c.version == nil }

// nothing reports whether c is "<0.0.0-0", which no version satisfies.
func (c Comparator) nothing() bool {
	return c.op == opLT && isZero(c.version) && c.version.Prerelease() == "0"
}

// isZero reports whether v is some 0.0.0.
func isZero(v *Version) bool { return v.Major() == 0 && v.Minor() == 0 && v.Patch() == 0 }

// String returns the comparator as npm prints it; "" is "any".
func (c Comparator) String() string {
	if c.any() {
		return ""
	}
	return c.op.String() + c.version.String()
}

// match compares alone: that a prerelease must have been asked for is a matter
// of the whole set.
func (c Comparator) match(v *Version) bool {
	if c.any() {
		return true
	}
	order := Compare(v, c.version)
	switch c.op {
	case opGT:
		return order > 0
	case opGE:
		return order >= 0
	case opLT:
		return order < 0
	case opLE:
		return order <= 0
	}
	return order == 0
}

// Range is one or more comparator sets. It is read-only.
type Range struct {
	raw     string
	options Options
	sets    [][]Comparator
}

// ParseRange reads a range; "" is any version. Errors are *SyntaxError.
func ParseRange(s string, o Options) (*Range, error) {
	r := &Range{raw: collapse(s), options: o}
	for text := range strings.SplitSeq(r.raw, "||") {
		set, err := parseSet(js.Trim(text), o)
		if err != nil {
			return nil, err
		}
		// A set is empty when loose mode has dropped all of it. Others may
		// still make a range.
		if len(set) > 0 {
			r.sets = append(r.sets, set)
		}
	}
	if len(r.sets) == 0 {
		return nil, &SyntaxError{What: "range", Text: r.raw}
	}
	r.reduce()
	return r, nil
}

// reduce drops sets that match nothing, unless there are no others, and all
// others where one matches everything.
func (r *Range) reduce() {
	if len(r.sets) == 1 {
		return
	}
	first := r.sets[0]
	kept := r.sets[:0]
	for _, set := range r.sets {
		if set[0].any() || !set[0].nothing() {
			kept = append(kept, set)
		}
	}
	r.sets = kept
	if len(kept) == 0 {
		r.sets = [][]Comparator{first}
		return
	}
	for i, set := range kept {
		if len(set) == 1 && set[0].any() {
			r.sets = kept[i : i+1]
			return
		}
	}
}

// ValidRange returns the range as npm prints it, "*" for any, and whether s is
// a range at all (npm: ranges/valid.js).
func ValidRange(s string, o Options) (string, bool) {
	r, err := ParseRange(s, o)
	if err != nil {
		return "", false
	}
	return r.String(), true
}

// IsRange reports whether s is a range. For what manifests mostly have, that
// is cheaper than ParseRange: nothing is kept.
func IsRange(s string, o Options) bool {
	if isPlainRange(s) {
		return true
	}
	_, err := ParseRange(s, o)
	return err == nil
}

// isPlainRange is true for one strict comparator with small numbers, such as
// "^1.2.3" or "2.x"; it may be false for any range.
func isPlainRange(s string) bool {
	if s == "" {
		return true
	}
	start := 1
	if s[0] != '^' && s[0] != '~' {
		start = scanOperator(s, 0)
	}
	if start == len(s) || !isDigit(s[start]) {
		return s == "*"
	}
	p, end := scanXRange(s, start, false, true)
	return end == len(s) && len(s) < maxDigits &&
		len(p.major) < 16 && len(p.minor) < 16 && len(p.patch) < 16 &&
		(!isX(p.minor) || isX(p.patch))
}

// Raw returns the text that was parsed, white space tidied.
func (r *Range) Raw() string { return r.raw }

// Options returns the options that the range was parsed with.
func (r *Range) Options() Options { return r.options }

// Any reports whether every version matches, as in "*", "" and "x"; without
// IncludePrerelease, every release.
func (r *Range) Any() bool { return len(r.sets) == 1 && len(r.sets[0]) == 1 && r.sets[0][0].any() }

// String returns the range in comparators, "*" for any:
// ">=1.2.3 <2.0.0-0||>=3.0.0".
func (r *Range) String() string {
	if r.Any() {
		return "*"
	}
	var b strings.Builder
	for i, set := range r.sets {
		if i > 0 {
			b.WriteString("||")
		}
		for j, c := range set {
			if j > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(c.op.String())
			if c.version != nil {
				b.WriteString(c.version.String())
			}
		}
	}
	return b.String()
}

// Match reports whether v is in the range.
func (r *Range) Match(v *Version) bool {
	for _, set := range r.sets {
		if matchSet(set, v, r.options.IncludePrerelease) {
			return true
		}
	}
	return false
}

// MatchString is Match for text; what is no version is in no range.
func (r *Range) MatchString(version string) bool {
	v := parse(version, r.options.Loose)
	return v != nil && r.Match(v)
}

func matchSet(set []Comparator, v *Version, includePrerelease bool) bool {
	for i := range set {
		if !set[i].match(v) {
			return false
		}
	}
	if includePrerelease || v.Prerelease() == "" {
		return true
	}
	// A prerelease is wanted only by those who ask for one of that very
	// version: ^1.2.3-a takes 1.2.3-b and 1.3.0, but not 1.3.0-a.
	for i := range set {
		c := set[i].version
		if c != nil && c.Prerelease() != "" && compareMain(c.held(), v.held()) == 0 {
			return true
		}
	}
	return false
}

// Satisfies reports whether a version is in a range. Where either is not valid
// it is not (npm: functions/satisfies.js).
func Satisfies(version, rng string, loose bool) bool {
	return SatisfiesWith(version, rng, Options{Loose: loose})
}

// SatisfiesWith is Satisfies with all the options.
func SatisfiesWith(version, rng string, o Options) bool {
	r, err := ParseRange(rng, o)
	return err == nil && r.MatchString(version)
}

// MaxSatisfying returns the highest of the versions in the range, nil if there
// is none. Of equal ones the first wins.
func (r *Range) MaxSatisfying(versions []*Version) *Version {
	var best *Version
	for _, v := range versions {
		if r.Match(v) && (best == nil || Compare(best, v) < 0) {
			best = v
		}
	}
	return best
}

// MinSatisfying is MaxSatisfying's opposite.
func (r *Range) MinSatisfying(versions []*Version) *Version {
	var best *Version
	for _, v := range versions {
		if r.Match(v) && (best == nil || Compare(best, v) > 0) {
			best = v
		}
	}
	return best
}
