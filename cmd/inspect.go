package cmd

import (
	"math"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// inspect shows a value as node's util.inspect does with depth 5 and all items
// of lists: what npm's view prints of anything but a text.
func inspect(v jsjson.Value) string { return inspectTo(v, 5) }

// inspectTo goes so many levels deep; in what npm logs that is node's own 2.
func inspectTo(v jsjson.Value, depth int) string {
	p := inspector{depth: depth}
	return p.value(v, 0)
}

const (
	inspectWidth   = 80
	inspectCompact = 3 // levels that share a line if they fit
)

type inspector struct {
	depth   int
	indent  int
	current int // the level that was entered last
}

func (p *inspector) value(v jsjson.Value, level int) string {
	switch v.Kind() {
	case jsjson.Undefined:
		return "undefined"
	case jsjson.String:
		return p.text(v.Str())
	case jsjson.Array, jsjson.Object:
	default:
		return v.Text()
	}
	list := v.IsArray()
	if level > p.depth {
		if list {
			return "[Array]"
		}
		return "[Object]"
	}
	if v.Len() == 0 {
		if list {
			return "[]"
		}
		return "{}"
	}
	p.current = level
	var out []string
	p.indent += 2
	if list {
		for _, item := range v.Items() {
			out = append(out, p.value(item, level+1))
		}
	} else {
		for _, m := range v.Members() {
			out = append(out, inspectedKey(m.Key)+": "+p.value(m.Value, level+1))
		}
	}
	p.indent -= 2
	return p.join(out, v, level)
}

func (p *inspector) join(out []string, v jsjson.Value, level int) string {
	open, end := "{", "}"
	entries := len(out)
	if v.IsArray() {
		open, end = "[", "]"
		if entries > 6 {
			out = p.group(out, v)
		}
	}
	if p.current-level < inspectCompact && entries == len(out) {
		total := 2*len(out) + p.indent + len(open) + 10
		for _, s := range out {
			total += units(s)
		}
		if line := strings.Join(out, ", "); total <= inspectWidth && !strings.Contains(line, "\n") {
			return open + " " + line + " " + end
		}
	}
	pad := "\n" + strings.Repeat(" ", p.indent)
	return open + pad + "  " + strings.Join(out, ","+pad+"  ") + pad + end
}

// group puts several items of a long list on each line.
func (p *inspector) group(out []string, v jsjson.Value) []string {
	total, longest := 0, 0
	lengths := make([]int, len(out))
	for i, s := range out {
		lengths[i] = units(s)
		total += lengths[i] + 2
		longest = max(longest, lengths[i])
	}
	width := longest + 2
	if width*3+p.indent >= inspectWidth || float64(total)/float64(width) <= 5 && longest > 6 {
		return out
	}
	bias := math.Sqrt(float64(width) - float64(total)/float64(len(out)))
	biased := math.Max(float64(width)-3-bias, 1)
	columns := min(int(math.Floor(math.Sqrt(2.5*biased*float64(len(out)))/biased+0.5)), (inspectWidth-p.indent)/width, inspectCompact*4, 15)
	if columns <= 1 {
		return out
	}
	widths := make([]int, columns)
	for i, n := range lengths {
		widths[i%columns] = max(widths[i%columns], n+2)
	}
	numbers := true
	for _, item := range v.Items() {
		numbers = numbers && item.Kind() == jsjson.Number
	}
	var rows []string
	for i := 0; i < len(out); i += columns {
		var row strings.Builder
		last := min(i+columns, len(out)) - 1
		for j := i; j <= last; j++ {
			cell, n := out[j], lengths[j]
			if j < last {
				cell, n = cell+", ", n+2
			}
			pad := strings.Repeat(" ", max(0, widths[j-i]-n))
			switch {
			case numbers && j == last:
				row.WriteString(strings.Repeat(" ", max(0, widths[j-i]-2-n)) + cell)
			case numbers:
				row.WriteString(pad + cell)
			case j == last:
				row.WriteString(cell)
			default:
				row.WriteString(cell + pad)
			}
		}
		rows = append(rows, row.String())
	}
	return rows
}

// text quotes a text; a long one is broken after its line breaks.
func (p *inspector) text(s string) string {
	if n := units(s); n > 16 && n > inspectWidth-p.indent-4 && strings.Contains(strings.TrimSuffix(s, "\n"), "\n") {
		parts := strings.SplitAfter(s, "\n")
		if parts[len(parts)-1] == "" {
			parts = parts[:len(parts)-1]
		}
		for i := range parts {
			parts[i] = inspectQuote(parts[i])
		}
		return strings.Join(parts, " +\n"+strings.Repeat(" ", p.indent+2))
	}
	return inspectQuote(s)
}

func inspectedKey(s string) string {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return inspectQuote(s)
		}
	}
	if s == "" {
		return "''"
	}
	return s
}

func inspectQuote(s string) string {
	quote := "'"
	if strings.Contains(s, "'") {
		if !strings.Contains(s, `"`) {
			quote = `"`
		} else if !strings.Contains(s, "`") && !strings.Contains(s, "${") {
			quote = "`"
		}
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.WriteString(quote)
	for _, c := range s {
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\b':
			b.WriteString(`\b`)
		case c == '\f':
			b.WriteString(`\f`)
		case c == '\v':
			b.WriteString(`\v`)
		case c == '\\':
			b.WriteString(`\\`)
		case string(c) == quote && quote == "'":
			b.WriteString(`\'`)
		case c < 0x20 || c >= 0x7f && c <= 0x9f:
			b.WriteString(`\x` + string(hex[c>>4]) + string(hex[c&15]))
		default:
			b.WriteRune(c)
		}
	}
	b.WriteString(quote)
	return b.String()
}

// units counts UTF-16 units.
func units(s string) int {
	n := 0
	for _, c := range s {
		if n++; c > 0xffff {
			n++
		}
	}
	return n
}
