package minimatch

import (
	"slices"
	"strings"
)

// hidden says that ** doesn't match a name.
func (p *Pattern) hidden(name string) bool {
	return name == "." || name == ".." || !p.opts.Dot && strings.HasPrefix(name, ".")
}

func (p *Pattern) matchParts(file []string, pattern []Part, partial bool) bool {
	first := slices.IndexFunc(pattern, Part.Globstar)
	if first < 0 {
		return matchSection(file, pattern, partial)
	}
	head, body := pattern[:first], pattern[first+1:]
	var tail []Part
	if !partial {
		last := len(pattern) - 1
		for !pattern[last].Globstar() {
			last--
		}
		tail = pattern[last+1:]
		body = nil
		if last > first {
			body = pattern[first+1 : last]
		}
	}

	at := 0
	if len(head) > 0 {
		if !matchSection(file[:min(len(head), len(file))], head, partial) {
			return false
		}
		at = len(head)
	}
	tailed := 0
	if len(tail) > 0 {
		if len(tail)+at > len(file) {
			return false
		}
		start := len(file) - len(tail)
		if matchSection(file[start:], tail, partial) {
			tailed = len(tail)
		} else {
			// a/**/* is to match a/b/, whose last component is empty.
			if file[len(file)-1] != "" || at+len(tail) == len(file) {
				return false
			}
			if start--; !matchSection(file[start:], tail, partial) {
				return false
			}
			tailed = len(tail) + 1
		}
	}
	if len(body) == 0 {
		some := tailed > 0
		for i := at; i < len(file)-tailed; i++ {
			some = true
			if p.hidden(file[i]) {
				return false
			}
		}
		return partial || some
	}

	// What is between the first and the last ** must be found in order, each
	// section before the latest place that leaves room for the others.
	var sections []section
	for rest := body; ; {
		i := slices.IndexFunc(rest, Part.Globstar)
		if i < 0 {
			sections = append(sections, section{parts: rest})
			break
		}
		sections = append(sections, section{parts: rest[:i]})
		rest = rest[i+1:]
	}
	// npm's sums count the parts before the section of the same number from
	// the other end, which only differs from counting the parts after it when
	// sections have unequal lengths; it is kept as it is.
	sums := []int{0}
	n := 0
	for i, s := range sections {
		n += len(s.parts)
		if i < len(sections)-1 {
			sums = append(sums, n)
		}
	}
	for i := range sections {
		sections[i].after = len(file) - tailed - (sums[len(sections)-1-i] + len(sections[i].parts))
	}
	return p.matchSections(file, sections, at, partial, 0, tailed > 0) == yes
}

type section struct {
	parts []Part
	after int // last index where it may begin
}

type answer int

const (
	no     answer = iota
	giveUp        // no, and moving on can't help
	yes
)

func (p *Pattern) matchSections(file []string, sections []section, at int, partial bool, depth int, some bool) answer {
	if depth == len(sections) {
		for ; at < len(file); at++ {
			some = true
			if p.hidden(file[at]) {
				return no
			}
		}
		if some {
			return yes
		}
		return no
	}
	s := sections[depth]
	for ; at <= s.after; at++ {
		const deepest = 200
		end := min(at+len(s.parts), len(file))
		if matchSection(file[min(at, end):end], s.parts, partial) && depth < deepest {
			if sub := p.matchSections(file, sections, at+len(s.parts), partial, depth+1, some); sub != no {
				return sub
			}
		}
		if at < len(file) && p.hidden(file[at]) {
			return no
		}
	}
	if partial {
		return yes
	}
	return giveUp
}

// matchSection matches parts without ** one by one.
func matchSection(file []string, pattern []Part, partial bool) bool {
	n := min(len(file), len(pattern))
	for i := range n {
		if pattern[i].Globstar() || !pattern[i].Match(file[i]) {
			return false
		}
	}
	switch {
	case len(file) == len(pattern):
		return true
	case len(file) == n:
		return partial
	}
	// a/* matches a/b/
	return n == len(file)-1 && file[n] == ""
}
