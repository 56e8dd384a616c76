package registry

import (
	"strconv"
	"strings"
	"sync"

	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// semverRange is a range in the form that tests a release's three numbers
// without making a version of them: picking looks at many versions and takes
// one.
type semverRange struct {
	exact *nodesemver.Range
	sets  [][]bound // nil where only exact can tell
}

// bound is one comparator of a range.
type bound struct {
	op      string // "<", "<=", ">", ">=", "="
	numbers triple
	pre     bool // it has a prerelease, so that it is below its numbers
}

// wish is a text that was read as npm-package-arg reads what follows "name@".
type wish struct {
	kind    spec.Type    // Version, Range or Tag
	version string       // Version: without "v", "=" and build metadata
	r       *semverRange // Range
}

// wishCache keeps wishes by their text; the same few ranges are asked for by
// many packages. The zero value is ready, and so is nil, which keeps none.
type wishCache struct {
	mu      sync.Mutex
	wishes  map[string]*wish
	engines map[[2]string]bool
}

// engine says whether a version of node or npm is in a range of "engines".
func (c *wishCache) engine(version, wanted string) bool {
	test := func() bool {
		return nodesemver.SatisfiesWith(version, wanted, nodesemver.Options{IncludePrerelease: true})
	}
	if c == nil {
		return test()
	}
	key := [2]string{version, wanted}
	c.mu.Lock()
	ok, known := c.engines[key]
	c.mu.Unlock()
	if known {
		return ok
	}
	ok = test()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engines == nil {
		c.engines = map[[2]string]bool{}
	}
	c.engines[key] = ok
	return ok
}

func (c *wishCache) get(text string) *wish {
	if c == nil {
		return readWish(text)
	}
	c.mu.Lock()
	w := c.wishes[text]
	c.mu.Unlock()
	if w != nil {
		return w
	}
	w = readWish(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wishes == nil {
		c.wishes = map[string]*wish{}
	}
	c.wishes[text] = w
	return w
}

func readWish(text string) *wish {
	trimmed := strings.TrimSpace(text)
	if v, err := nodesemver.Parse(trimmed, true); err == nil {
		w := &wish{kind: spec.Version, version: v.String()}
		// npm cleans the text again, which takes any run of "v" and "=".
		if v, err = nodesemver.Clean(trimmed, true); err == nil {
			w.version = v.String()
		}
		return w
	}
	if r := parseSemverRange(text); r != nil {
		return &wish{kind: spec.Range, r: r}
	}
	return &wish{kind: spec.Tag}
}

func parseSemverRange(text string) *semverRange {
	exact, err := nodesemver.ParseRange(text, nodesemver.Options{Loose: true})
	if err != nil {
		return nil
	}
	r := &semverRange{exact: exact}
	for set := range strings.SplitSeq(exact.String(), "||") {
		bounds := []bound{}
		for _, word := range strings.Fields(set) {
			if word == "*" {
				continue
			}
			b, ok := parseBound(word)
			if !ok {
				r.sets = nil
				return r
			}
			bounds = append(bounds, b)
		}
		r.sets = append(r.sets, bounds)
	}
	return r
}

func parseBound(word string) (bound, bool) {
	version := strings.TrimLeft(word, "<>=")
	b := bound{op: word[:len(word)-len(version)]}
	if b.op == "" {
		b.op = "="
	}
	numbers, pre, _ := strings.Cut(version, "-")
	b.pre = pre != ""
	parts := strings.Split(numbers, ".")
	if len(parts) != len(b.numbers) {
		return b, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return b, false
		}
		b.numbers[i] = uint32(n)
	}
	return b, true
}

// matchRelease says whether a release, a version without a prerelease, is in
// the range.
func (r *semverRange) matchRelease(numbers triple) bool {
	for _, set := range r.sets {
		in := true
		for i := range set {
			b := &set[i]
			c := numbers.compare(b.numbers)
			if c == 0 && b.pre {
				c = 1
			}
			switch b.op {
			case "<":
				in = c < 0
			case "<=":
				in = c <= 0
			case ">":
				in = c > 0
			case ">=":
				in = c >= 0
			default:
				in = c == 0
			}
			if !in {
				break
			}
		}
		if in {
			return true
		}
	}
	return false
}

// namesPrerelease says whether the range has a prerelease of the version with
// these numbers: without one none of them is in it.
func (r *semverRange) namesPrerelease(numbers triple) bool {
	for _, set := range r.sets {
		for i := range set {
			if set[i].pre && set[i].numbers == numbers {
				return true
			}
		}
	}
	return false
}

// inRange says whether the version at a place of the index is in the range.
func (p *Packument) inRange(r *semverRange, i int) bool {
	if row := p.index.row(i); r.sets != nil && row.flags()&flagOdd == 0 {
		if row.flags()&flagPre == 0 {
			return r.matchRelease(row.numbers())
		}
		if !r.namesPrerelease(row.numbers()) {
			return false
		}
	}
	v := p.semver(i)
	return v != nil && r.exact.Match(v)
}
