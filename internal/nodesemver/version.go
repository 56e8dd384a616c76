package nodesemver

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/ibid-pm/ibid/internal/js"
)

const (
	maxLength = 256       // of a version's text, in UTF-16 units
	maxNumber = 1<<53 - 1 // JavaScript's Number.MAX_SAFE_INTEGER
)

// SyntaxError says that a text is no version, or no range.
type SyntaxError struct {
	What string // "version", "range", "comparator", …
	Text string
}

func (e *SyntaxError) Error() string { return "invalid " + e.What + " " + strconv.Quote(e.Text) }

// Version is one version, read-only. Two that differ in build metadata only
// are equal to Compare.
type Version semver.Version

func (v *Version) held() *semver.Version { return (*semver.Version)(v) }

// Major returns the first number.
func (v *Version) Major() uint64 { return v.held().Major() }

// Minor returns the second number.
func (v *Version) Minor() uint64 { return v.held().Minor() }

// Patch returns the third number.
func (v *Version) Patch() uint64 { return v.held().Patch() }

// Prerelease returns what stands after the hyphen, "" for a release. Numbers
// in it have lost their leading zeros.
func (v *Version) Prerelease() string { return v.held().Prerelease() }

// Build returns what stands after the plus sign.
func (v *Version) Build() string { return v.held().Metadata() }

// String returns the version as npm prints it: no "v", no build metadata.
func (v *Version) String() string {
	text := v.held().Original()
	if build := v.held().Metadata(); build != "" {
		return text[:len(text)-len(build)-1]
	}
	return text
}

// Raw returns the version with its build metadata.
func (v *Version) Raw() string { return v.held().Original() }

// Parse reads a version. Errors are *SyntaxError.
func Parse(s string, loose bool) (*Version, error) {
	v := parse(s, loose)
	if v == nil {
		return nil, &SyntaxError{What: "version", Text: s}
	}
	return v, nil
}

// Valid reports whether s is a version.
func Valid(s string, loose bool) bool { return parse(s, loose) != nil }

// Clean is Parse for text that people typed: a run of "=" and "v" in front is
// dropped even in strict mode (npm: functions/clean.js).
func Clean(s string, loose bool) (*Version, error) {
	return Parse(strings.TrimLeft(js.Trim(s), "=v"), loose)
}

// parse returns nil for what is no version: most texts that are tried as one
// are ranges, so this must cost nothing.
func parse(s string, loose bool) *Version {
	if len(s) > maxLength && js.Length(s) > maxLength {
		return nil
	}
	s = js.Trim(s)
	i := 0
	if loose {
		i = scanDecoration(s, 0)
	} else if strings.HasPrefix(s, "v") {
		i = 1
	}
	p, end := scanTriple(s, i, loose, true)
	if end != len(s) {
		return nil
	}
	return newVersion(p, s[i:])
}

// newVersion holds scanned parts; text is what they were scanned from.
func newVersion(p parts, text string) *Version {
	var n [3]uint64
	canonical := true
	for i, part := range [3]string{p.major, p.minor, p.patch} {
		if len(part) > 1 && part[0] == '0' {
			canonical = false
			part = strings.TrimLeft(part[:len(part)-1], "0") + part[len(part)-1:]
		}
		if len(part) > 16 {
			return nil
		}
		for j := range len(part) {
			n[i] = n[i]*10 + uint64(part[j]-'0')
		}
		if n[i] > maxNumber {
			return nil
		}
	}
	pre := canonicalPrerelease(p.pre)
	if canonical && pre == p.pre {
		// A loose "1.2.3beta" has no hyphen and is refused here, too.
		if held, err := semver.StrictNewVersion(text); err == nil && held.Prerelease() == pre {
			return (*Version)(held)
		}
	}
	return (*Version)(semver.New(n[0], n[1], n[2], pre, p.build))
}

// canonicalPrerelease drops leading zeros from numeric identifiers, which only
// loose text has. npm reads a numeric identifier as a number when it is below
// the largest safe integer and else leaves it as it stands.
func canonicalPrerelease(pre string) string {
	if !hasLeadingZero(pre) {
		return pre
	}
	ids := strings.Split(pre, ".")
	for i, id := range ids {
		if !isNumeric(id) {
			continue
		}
		short := strings.TrimLeft(id[:len(id)-1], "0") + id[len(id)-1:]
		if isSafeNumber(short) {
			ids[i] = short
		}
	}
	return strings.Join(ids, ".")
}

func hasLeadingZero(pre string) bool {
	for i := 0; i+1 < len(pre); i++ {
		if pre[i] == '0' && isDigit(pre[i+1]) && (i == 0 || pre[i-1] == '.') {
			return true
		}
	}
	return false
}

func isNumeric(id string) bool {
	for i := range len(id) {
		if !isDigit(id[i]) {
			return false
		}
	}
	return id != ""
}

// isSafeNumber reports whether an identifier of digits without leading zeros
// is a number to npm, not a word.
func isSafeNumber(id string) bool {
	const max = "9007199254740991"
	return len(id) < len(max) || len(id) == len(max) && id < max
}

// Compare returns -1, 0 or 1. Build metadata doesn't count.
func Compare(a, b *Version) int {
	x, y := a.held(), b.held()
	if c := compareMain(x, y); c != 0 {
		return c
	}
	return comparePrerelease(x.Prerelease(), y.Prerelease())
}

// CompareBuild is Compare, then build metadata, identifier by identifier: the
// order that "sort" and "rcompare" of published versions need.
func CompareBuild(a, b *Version) int {
	if c := Compare(a, b); c != 0 {
		return c
	}
	x, y := a.Build(), b.Build()
	switch {
	case x == y:
		return 0
	case x == "":
		return -1
	case y == "":
		return 1
	}
	return compareIdentifiers(x, y)
}

func compareMain(x, y *semver.Version) int {
	if c := cmp.Compare(x.Major(), y.Major()); c != 0 {
		return c
	}
	if c := cmp.Compare(x.Minor(), y.Minor()); c != 0 {
		return c
	}
	return cmp.Compare(x.Patch(), y.Patch())
}

func comparePrerelease(x, y string) int {
	switch {
	case x == y:
		return 0
	case x == "":
		return 1
	case y == "":
		return -1
	}
	return compareIdentifiers(x, y)
}

// compareIdentifiers compares two dotted lists, neither of them empty. The
// first identifiers that differ in text decide, even if they are found equal
// as numbers (two huge ones, or "1" and "01" in build metadata): npm stops
// there.
func compareIdentifiers(x, y string) int {
	for {
		a, restA, moreA := strings.Cut(x, ".")
		b, restB, moreB := strings.Cut(y, ".")
		if a != b {
			return compareIdentifier(a, b)
		}
		switch {
		case !moreA && !moreB:
			return 0
		case !moreB:
			return 1
		case !moreA:
			return -1
		}
		x, y = restA, restB
	}
}

// compareIdentifier puts numbers before words. Numbers are JavaScript's:
// beyond 2^53 neighbours are equal.
func compareIdentifier(a, b string) int {
	numA, numB := isNumeric(a), isNumeric(b)
	switch {
	case numA && numB:
		if len(a) < 16 && len(b) < 16 {
			x, _ := strconv.ParseUint(a, 10, 64)
			y, _ := strconv.ParseUint(b, 10, 64)
			return cmp.Compare(x, y)
		}
		// Out of range gives an infinity, as in JavaScript.
		x, _ := strconv.ParseFloat(a, 64)
		y, _ := strconv.ParseFloat(b, 64)
		return cmp.Compare(x, y)
	case numA:
		return -1
	case numB:
		return 1
	}
	return strings.Compare(a, b)
}

// Diff names the most significant difference of two versions: "major",
// "premajor", "minor", "preminor", "patch", "prepatch", "prerelease", or ""
// where they are equal (npm: functions/diff.js).
func Diff(a, b *Version) string {
	low, high := a, b
	switch Compare(a, b) {
	case 0:
		return ""
	case 1:
		low, high = b, a
	}
	if low.Prerelease() != "" && high.Prerelease() == "" {
		// From a prerelease to a release: 1.0.0-1 is on its way to a major
		// version whichever release follows it.
		if low.Patch() == 0 && low.Minor() == 0 {
			return "major"
		}
		if compareMain(low.held(), high.held()) == 0 {
			if low.Minor() != 0 && low.Patch() == 0 {
				return "minor"
			}
			return "patch"
		}
	}
	prefix := ""
	if high.Prerelease() != "" {
		prefix = "pre"
	}
	switch {
	case a.Major() != b.Major():
		return prefix + "major"
	case a.Minor() != b.Minor():
		return prefix + "minor"
	case a.Patch() != b.Patch():
		return prefix + "patch"
	}
	return "prerelease"
}
