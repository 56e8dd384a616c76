package unidiff

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

type kind uint8

const (
	stays kind = iota
	removed
	added
)

// run is a number of lines with the same fate.
type run struct {
	kind  kind
	count int
	prev  *run
}

// path is the furthest way found on one diagonal.
type path struct {
	oldPos int // the last old line it has used
	last   *run
	ok     bool
}

// compare finds the shortest way from old to new (Myers), preferring as jsdiff
// does where there are several (diff/base.js, diffWithOptionsObj).
func compare(oldLines, newLines []string, ignoreSpace bool) []*run {
	before, after, shared := intern(oldLines, newLines, ignoreSpace)
	if !shared {
		// What the search would come to, in time that grows with the square.
		var out []*run
		if len(before) > 0 {
			out = append(out, &run{kind: removed, count: len(before)})
		}
		if len(after) > 0 {
			out = append(out, &run{kind: added, count: len(after)})
		}
		return out
	}
	most := len(before) + len(after)
	best := make([]path, 2*most+3) // by diagonal, old position less new position
	const zero = 1
	at := func(diagonal int) *path { return &best[diagonal+most+zero] }

	// follow goes along equal lines and gives the new position.
	follow := func(p *path, diagonal int) int {
		oldPos, count := p.oldPos, 0
		newPos := oldPos - diagonal
		for newPos+1 < len(after) && oldPos+1 < len(before) && before[oldPos+1] == after[newPos+1] {
			newPos++
			oldPos++
			count++
		}
		if count > 0 {
			p.last = &run{kind: stays, count: count, prev: p.last}
		}
		p.oldPos = oldPos
		return newPos
	}
	grow := func(p path, k kind) path {
		if p.last != nil && p.last.kind == k {
			p.last = &run{kind: k, count: p.last.count + 1, prev: p.last.prev}
		} else {
			p.last = &run{kind: k, count: 1, prev: p.last}
		}
		if k == removed {
			p.oldPos++
		}
		return p
	}

	start := path{oldPos: -1, ok: true}
	newPos := follow(&start, 0)
	if start.oldPos+1 >= len(before) && newPos+1 >= len(after) {
		return unroll(start.last)
	}
	*at(0) = start
	lowest, highest := -most, most
	for length := 1; length <= most; length++ {
		for d := max(lowest, -length); d <= min(highest, length); d += 2 {
			removing, adding := *at(d - 1), *at(d + 1)
			at(d - 1).ok = false
			canAdd := false
			if adding.ok {
				n := adding.oldPos - d
				canAdd = 0 <= n && n < len(after)
			}
			canRemove := removing.ok && removing.oldPos+1 < len(before)
			if !canAdd && !canRemove {
				at(d).ok = false
				continue
			}
			var p path
			if !canRemove || canAdd && removing.oldPos < adding.oldPos {
				p = grow(adding, added)
			} else {
				p = grow(removing, removed)
			}
			newPos := follow(&p, d)
			if p.oldPos+1 >= len(before) && newPos+1 >= len(after) {
				return unroll(p.last)
			}
			*at(d) = p
			if p.oldPos+1 >= len(before) {
				highest = min(highest, d-1)
			}
			if newPos+1 >= len(after) {
				lowest = max(lowest, d+1)
			}
		}
	}
	return nil
}

func unroll(last *run) []*run {
	n := 0
	for r := last; r != nil; r = r.prev {
		n++
	}
	out := make([]*run, n)
	for r := last; r != nil; r = r.prev {
		n--
		out[n] = r
	}
	return out
}

// intern gives equal lines equal numbers; shared says whether there are any that
// both texts have.
func intern(oldLines, newLines []string, ignoreSpace bool) (before, after []int, shared bool) {
	numbers := make(map[string]int, len(oldLines))
	key := func(line string) string {
		if ignoreSpace {
			return strings.TrimFunc(line, js.Space)
		}
		return line
	}
	before, after = make([]int, len(oldLines)), make([]int, len(newLines))
	number := func(line string) int {
		n, ok := numbers[line]
		if !ok {
			n = len(numbers)
			numbers[line] = n
		}
		return n
	}
	for i, line := range oldLines {
		before[i] = number(key(line))
	}
	known := len(numbers)
	for i, line := range newLines {
		after[i] = number(key(line))
		shared = shared || after[i] < known
	}
	return before, after, shared
}
