package unidiff

import (
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// Apply gives source with the hunks applied, or false where they do not fit
// (jsdiff: patch/apply.js, with no fuzz). Where jsdiff makes up lines, for a hunk
// that names one far behind the end, or takes back what an earlier hunk did, for
// one that comes before it, the hunk fits nowhere.
func Apply(source string, hunks []Hunk) (string, bool) {
	source = js.ValidText(source)
	if len(hunks) == 0 {
		return source, true
	}
	switch {
	case onlyCRLF(source) && !slices.ContainsFunc(hunks, func(h Hunk) bool { return slices.ContainsFunc(h.Lines, endsInCR) }):
		hunks = convert(hunks, toCRLF)
	case onlyLF(source) && allCRLF(hunks):
		hunks = convert(hunks, toLF)
	}
	lines := strings.Split(source, "\n")
	lines, ok := lastBreak(lines, hunks[len(hunks)-1].Lines)
	if !ok {
		return "", false
	}
	var out []string
	from, offset := 0, 0
	for i := range hunks {
		h := &hunks[i]
		at, part, ok := h.find(lines, from, h.OldStart+offset-1)
		if !ok {
			return "", false
		}
		out = append(out, lines[from:at]...)
		out = append(out, part.lines...)
		from = part.next
		offset = at + 1 - h.OldStart
	}
	return strings.Join(append(out, lines[from:]...), "\n"), true
}

// fit is what a hunk makes of the lines it fits; the lines of its end that stay
// are left to the hunk behind it.
type fit struct {
	lines []string
	next  int // the first line behind
}

// find looks for the place where a hunk fits, nearest to where it should first:
// start, a line later, a line before, and so on.
func (h *Hunk) find(lines []string, from, start int) (int, fit, bool) {
	last := len(lines) - h.OldLines
	if start >= from && start <= len(lines) {
		if f, ok := h.fitAt(lines, start); ok {
			return start, f, true
		}
	}
	// A start far outside of the text is a stranger's number: nothing is there.
	for d := max(1, start-last, from-start); start+d <= last || start-d >= from; d++ {
		for _, at := range [2]int{start + d, start - d} {
			if at < from || at > last {
				continue
			}
			if f, ok := h.fitAt(lines, at); ok {
				return at, f, true
			}
		}
	}
	return 0, fit{}, false
}

func (h *Hunk) fitAt(lines []string, at int) (fit, bool) {
	var out []string
	trailing := 0
	for _, line := range h.Lines {
		sign, text := byte(' '), line
		if line != "" {
			sign, text = line[0], line[1:]
		}
		switch sign {
		case '+':
			out = append(out, text)
			trailing = 0
		case '-', ' ':
			if at < 0 || at >= len(lines) || lines[at] != text {
				return fit{}, false
			}
			at++
			if sign == '-' {
				trailing = 0
			} else {
				out = append(out, text)
				trailing++
			}
		}
	}
	return fit{lines: out[:len(out)-trailing], next: at - trailing}, true
}

// lastBreak adds or takes away the line break at the end of the text, as the last
// hunk says; false where that is done already.
func lastBreak(lines, hunk []string) ([]string, bool) {
	remove, add := false, false
	before := byte(0)
	for _, line := range hunk {
		if strings.HasPrefix(line, `\`) {
			remove = remove || before == '+'
			add = add || before == '-'
		}
		before = 0
		if line != "" {
			before = line[0]
		}
	}
	ended := lines[len(lines)-1] == ""
	switch {
	case remove && add:
		return lines, !ended
	case remove:
		if !ended {
			return nil, false
		}
		return lines[:len(lines)-1], true
	case add:
		if ended {
			return nil, false
		}
		return append(lines, ""), true
	}
	return lines, true
}

func onlyCRLF(s string) bool {
	if !strings.Contains(s, "\r\n") {
		return false
	}
	return strings.Count(s, "\n") == strings.Count(s, "\r\n")
}

func onlyLF(s string) bool { return strings.Contains(s, "\n") && !strings.Contains(s, "\r\n") }

func endsInCR(line string) bool {
	return !strings.HasPrefix(line, `\`) && strings.HasSuffix(line, "\r")
}

// unbroken says that a line of a hunk has no line break in the file.
func unbroken(lines []string, i int) bool {
	return i+1 < len(lines) && strings.HasPrefix(lines[i+1], `\`)
}

// allCRLF says whether each line of the hunks ends in CRLF.
func allCRLF(hunks []Hunk) bool {
	some := false
	for _, h := range hunks {
		for i, line := range h.Lines {
			ends := strings.HasSuffix(line, "\r")
			some = some || ends
			if !ends && !strings.HasPrefix(line, `\`) && !unbroken(h.Lines, i) {
				return false
			}
		}
	}
	return some
}

func convert(hunks []Hunk, line func(lines []string, i int) string) []Hunk {
	out := slices.Clone(hunks)
	for i := range out {
		lines := make([]string, len(out[i].Lines))
		for j := range lines {
			lines[j] = line(out[i].Lines, j)
		}
		out[i].Lines = lines
	}
	return out
}

func toCRLF(lines []string, i int) string {
	if line := lines[i]; strings.HasPrefix(line, `\`) || strings.HasSuffix(line, "\r") || unbroken(lines, i) {
		return line
	}
	return lines[i] + "\r"
}

func toLF(lines []string, i int) string { return strings.TrimSuffix(lines[i], "\r") }
