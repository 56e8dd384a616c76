package unidiff

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// SyntaxError says which line of a patch means nothing.
type SyntaxError struct {
	Line int // from 1
	Why  string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d of the patch: %s", e.Line, e.Why) }

// Parse reads a patch (jsdiff: patch/parse.js). What stands before the names of a
// file or between files, such as git's "index" lines, has no meaning.
func Parse(text string) ([]File, error) {
	p := &parser{lines: strings.Split(js.ValidText(text), "\n")}
	var out []File
	for p.at < len(p.lines) {
		f, err := p.file()
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

type parser struct {
	lines []string
	at    int
}

func (p *parser) fail(line int, format string, args ...any) error {
	return &SyntaxError{Line: line + 1, Why: fmt.Sprintf(format, args...)}
}

func (p *parser) file() (File, error) {
	var f File
	for p.at < len(p.lines) && !starts(p.lines[p.at], "---") && !starts(p.lines[p.at], "+++") && !starts(p.lines[p.at], "@@") {
		p.at++
	}
	p.name(&f)
	p.name(&f)
	for p.at < len(p.lines) {
		line := p.lines[p.at]
		switch {
		case starts(line, "Index:"), starts(line, "diff"), starts(line, "---"), starts(line, "+++"), strings.HasPrefix(line, underline):
			return f, nil
		case strings.HasPrefix(line, "@@"):
			h, err := p.hunk()
			if err != nil {
				return f, err
			}
			f.Hunks = append(f.Hunks, h)
		case line != "":
			return f, p.fail(p.at, "%q is no line of a patch", line)
		default:
			p.at++
		}
	}
	return f, nil
}

const underline = "==================================================================="

// starts says whether a line is a word and white space behind it.
func starts(line, word string) bool {
	rest, ok := strings.CutPrefix(line, word)
	if !ok {
		return false
	}
	for _, r := range rest {
		return js.Space(r)
	}
	return false
}

// name reads a line "--- name" or "+++ name", if there is one.
func (p *parser) name(f *File) {
	if p.at >= len(p.lines) {
		return
	}
	line := p.lines[p.at]
	isOld := starts(line, "---")
	if !isOld && !starts(line, "+++") {
		return
	}
	p.at++
	name, _, _ := strings.Cut(strings.TrimFunc(line[3:], js.Space), "\t")
	name = strings.ReplaceAll(name, `\\`, `\`)
	if strings.HasPrefix(name, `"`) && strings.HasSuffix(name, `"`) {
		name = strings.TrimSuffix(name[1:], `"`)
	}
	if isOld {
		f.OldName = name
	} else {
		f.NewName = name
	}
}

func (p *parser) hunk() (Hunk, error) {
	head := p.at
	h, ok := hunkHead(p.lines[head])
	if !ok {
		return h, p.fail(head, "%q does not say which lines", p.lines[head])
	}
	p.at++
	came, went := 0, 0
	for p.at < len(p.lines) && (went < h.OldLines || came < h.NewLines || strings.HasPrefix(p.lines[p.at], `\`)) {
		line := p.lines[p.at]
		sign := byte(0)
		switch {
		case line != "":
			sign = line[0]
		case p.at != len(p.lines)-1:
			sign = ' '
		}
		switch sign {
		case '+':
			came++
		case '-':
			went++
		case ' ':
			came++
			went++
		case '\\':
		default:
			return h, p.fail(p.at, "%q is no line of the hunk at line %d", line, head+1)
		}
		h.Lines = append(h.Lines, line)
		p.at++
	}
	if came == 0 && h.NewLines == 1 {
		h.NewLines = 0
	}
	if went == 0 && h.OldLines == 1 {
		h.OldLines = 0
	}
	if came != h.NewLines {
		return h, p.fail(head, "the hunk has %d new lines, not %d", came, h.NewLines)
	}
	if went != h.OldLines {
		return h, p.fail(head, "the hunk has %d old lines, not %d", went, h.OldLines)
	}
	return h, nil
}

// hunkHead reads "@@ -1,2 +3,4 @@"; a count that is not there is 1.
func hunkHead(line string) (h Hunk, ok bool) {
	for {
		i := strings.Index(line, "@@ -")
		if i < 0 {
			return h, false
		}
		line = line[i+len("@@ -"):]
		rest := line
		if h.OldStart, h.OldLines, rest, ok = lineRange(rest); !ok || !strings.HasPrefix(rest, " +") {
			continue
		}
		if h.NewStart, h.NewLines, rest, ok = lineRange(rest[2:]); !ok || !strings.HasPrefix(rest, " @@") {
			continue
		}
		// Of no lines the one before is named.
		if h.OldLines == 0 {
			h.OldStart++
		}
		if h.NewLines == 0 {
			h.NewStart++
		}
		return h, true
	}
}

func lineRange(s string) (start, count int, rest string, ok bool) {
	start, rest, ok = number(s)
	if !ok {
		return
	}
	count = 1
	if behind, is := strings.CutPrefix(rest, ","); is {
		if n, after, isNumber := number(behind); isNumber {
			count, rest = n, after
		}
	}
	return
}

// number reads digits; one too large to be of a line counts as very large.
func number(s string) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return 0, s, false
	}
	n, err := strconv.Atoi(s[:i])
	if err != nil || n > math.MaxInt32 {
		n = math.MaxInt32
	}
	return n, s[i:], true
}
