package unidiff

import (
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// Options says how texts are compared.
type Options struct {
	// Context is how many lines around a change are shown.
	Context int
	// IgnoreSpace has lines be equal that differ in white space at their ends.
	IgnoreSpace bool
}

// Hunk is one run of changed lines, with their context.
type Hunk struct {
	// Lines count from 1. An empty range has the number of the line that it is
	// before; when printed, of the one that it is behind.
	OldStart, OldLines int
	NewStart, NewLines int
	// Lines are without their line break, with '-', '+', ' ' or '\' in front.
	Lines []string
}

// File is what a patch says of one file.
type File struct {
	OldName, NewName string // as written, without header; "" where there is none
	Hunks            []Hunk
}

const noLineBreak = `\ No newline at end of file`

// Diff gives what changes one text into another. What is not UTF-8 in them is
// taken for U+FFFD.
func Diff(was, is string, o Options) []Hunk {
	oldLines, newLines := splitLines(js.ValidText(was)), splitLines(js.ValidText(is))
	c := &collector{context: max(o.Context, 0), oldLine: 1, newLine: 1}
	runs := compare(oldLines, newLines, o.IgnoreSpace)
	oldAt, newAt := 0, 0
	for i, r := range runs {
		switch r.kind {
		case removed:
			c.change('-', oldLines[oldAt:oldAt+r.count])
			oldAt += r.count
		case added:
			c.change('+', newLines[newAt:newAt+r.count])
			newAt += r.count
		default:
			c.same(newLines[newAt:newAt+r.count], i < len(runs)-1)
			oldAt += r.count
			newAt += r.count
		}
	}
	c.same(nil, false)
	for i := range c.hunks {
		c.hunks[i].Lines = endLines(c.hunks[i].Lines)
	}
	return c.hunks
}

// splitLines splits a text behind each line break.
func splitLines(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// endLines takes the line breaks off, and says where one is missing.
func endLines(lines []string) []string {
	out := make([]string, 0, len(lines)+1)
	for _, line := range lines {
		bare, ok := strings.CutSuffix(line, "\n")
		out = append(out, bare)
		if !ok {
			out = append(out, noLineBreak)
		}
	}
	return out
}

// collector makes hunks of runs of lines (jsdiff: patch/create.js,
// diffLinesResultToPatch).
type collector struct {
	context          int
	oldLine, newLine int
	last             []string // the lines that stayed last
	open             bool
	hunk             Hunk
	hunks            []Hunk
}

func (c *collector) change(sign byte, lines []string) {
	if !c.open {
		c.open = true
		before := c.last[max(0, len(c.last)-c.context):]
		c.hunk = Hunk{OldStart: c.oldLine - len(before), NewStart: c.newLine - len(before)}
		c.add(' ', before)
	}
	c.add(sign, lines)
	if sign == '+' {
		c.newLine += len(lines)
	} else {
		c.oldLine += len(lines)
	}
	c.last = nil
}

func (c *collector) add(sign byte, lines []string) {
	for _, line := range lines {
		c.hunk.Lines = append(c.hunk.Lines, string(sign)+line)
	}
}

// same takes lines that stay; more says whether anything follows.
func (c *collector) same(lines []string, more bool) {
	switch {
	case !c.open:
	case len(lines) <= 2*c.context && more:
		c.add(' ', lines)
	default:
		size := min(len(lines), c.context)
		c.add(' ', lines[:size])
		c.hunk.OldLines = c.oldLine - c.hunk.OldStart + size
		c.hunk.NewLines = c.newLine - c.hunk.NewStart + size
		c.hunks = append(c.hunks, c.hunk)
		c.open = false
	}
	c.oldLine += len(lines)
	c.newLine += len(lines)
	c.last = lines
}

// Text writes hunks as they stand in a patch, each line ended.
func Text(hunks []Hunk) string {
	var b strings.Builder
	for i := range hunks {
		h := &hunks[i]
		oldStart, newStart := h.OldStart, h.NewStart
		if h.OldLines == 0 {
			oldStart--
		}
		if h.NewLines == 0 {
			newStart--
		}
		b.WriteString("@@ -" + strconv.Itoa(oldStart) + "," + strconv.Itoa(h.OldLines) +
			" +" + strconv.Itoa(newStart) + "," + strconv.Itoa(h.NewLines) + " @@\n")
		for _, line := range h.Lines {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}
