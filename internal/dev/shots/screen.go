package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// screen is as much of a terminal as ibid and the scripts of scenes use: text,
// line ends, colours, going up and to the start of a line, clearing.
type screen struct {
	cols     int
	rows     [][]cell
	row, col int
	style    style
	wrapped  bool // the last column is full
	rest     string
}

type cell struct {
	r rune
	style
}

type style struct {
	colour    int // 0 is the default, else 30 to 37 and 90 to 97
	bold, dim bool
}

func newScreen(cols int) *screen { return &screen{cols: cols, rows: [][]cell{nil}} }

func (s *screen) write(text string) {
	text = s.rest + text
	s.rest = ""
	for text != "" {
		if text[0] == 0x1b {
			n := s.escape(text)
			if n == 0 {
				s.rest = text // the rest of it is still to come
				return
			}
			text = text[n:]
			continue
		}
		if !utf8.FullRuneInString(text) {
			s.rest = text
			return
		}
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		switch r {
		case '\n':
			s.down()
		case '\r':
			s.col, s.wrapped = 0, false
		case '\b':
			s.col = max(s.col-1, 0)
		case '\t':
			s.col = min(s.col/8*8+8, s.cols-1)
		default:
			if r >= ' ' {
				s.put(r)
			}
		}
	}
}

func (s *screen) down() {
	s.row++
	s.wrapped = false
	if s.row == len(s.rows) {
		s.rows = append(s.rows, nil)
	}
}

func (s *screen) put(r rune) {
	if s.wrapped {
		s.down()
		s.col = 0
	}
	line := s.rows[s.row]
	for len(line) <= s.col {
		line = append(line, cell{r: ' '})
	}
	line[s.col] = cell{r, s.style}
	s.rows[s.row] = line
	if s.col++; s.col == s.cols {
		s.col, s.wrapped = s.cols-1, true
	}
}

// escape obeys a sequence at the start of text and gives its length; 0 where it
// is not whole.
func (s *screen) escape(text string) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '[':
	case ']': // a title
		if i := strings.IndexAny(text, "\a"); i > 0 {
			return i + 1
		}
		return 0
	default:
		return 2
	}
	end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' && r <= '~' })
	if end < 0 {
		return 0
	}
	parameters, final := text[2:2+end], text[2+end]
	n, _ := strconv.Atoi(parameters)
	switch final {
	case 'm':
		s.paint(parameters)
	case 'A':
		s.row, s.wrapped = max(s.row-max(n, 1), 0), false
	case 'G':
		s.col, s.wrapped = max(n, 1)-1, false
	case 'K':
		if n == 2 {
			s.rows[s.row] = nil
		} else if s.col < len(s.rows[s.row]) {
			s.rows[s.row] = s.rows[s.row][:s.col]
		}
	case 'J':
		if s.col < len(s.rows[s.row]) {
			s.rows[s.row] = s.rows[s.row][:s.col]
		}
		s.rows = s.rows[:s.row+1]
	}
	return 2 + end + 1
}

func (s *screen) paint(parameters string) {
	for p := range strings.SplitSeq(parameters, ";") {
		switch n, _ := strconv.Atoi(p); {
		case n == 0:
			s.style = style{}
		case n == 1:
			s.style.bold = true
		case n == 2:
			s.style.dim = true
		case n == 22:
			s.style.bold, s.style.dim = false, false
		case n == 39:
			s.style.colour = 0
		case n >= 30 && n <= 37, n >= 90 && n <= 97:
			s.style.colour = n
		}
	}
}

// text is what the screen shows, without colours.
func (s *screen) text() string {
	var b strings.Builder
	for _, line := range s.rows {
		var l strings.Builder
		for _, c := range line {
			l.WriteRune(c.r)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return b.String()
}

var palette = map[int]string{
	0: "#d4d4d4", 30: "#666666", 31: "#f48771", 32: "#89d185", 33: "#e2c08d", 34: "#75beff", 35: "#d38bd0", 36: "#4ec9b0", 37: "#e5e5e5",
	90: "#808080", 91: "#f48771", 92: "#89d185", 93: "#e2c08d", 94: "#75beff", 95: "#d38bd0", 96: "#4ec9b0", 97: "#ffffff",
}

// Sizes of the picture, in its pixels.
const (
	cellWidth, lineHeight = 8.4, 19
	margin                = 14
)

// svg draws the screen. Each run of one style says how wide it is, so that the
// columns stand under each other in any font.
func (s *screen) svg(title string) []byte {
	width := int(float64(s.cols)*cellWidth) + 2*margin
	height := len(s.rows)*lineHeight + 2*margin
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">
<title>%s</title>
<rect width="%d" height="%d" rx="8" fill="#1e1e1e"/>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" xml:space="preserve">
`, width, height, width, height, html.EscapeString(title), width, height)
	for i, line := range s.rows {
		for start := 0; start < len(line); {
			end := start
			var run strings.Builder
			for ; end < len(line) && line[end].style == line[start].style; end++ {
				run.WriteRune(line[end].r)
			}
			if strings.TrimSpace(run.String()) != "" {
				st := line[start].style
				extra := ""
				if st.bold {
					extra += ` font-weight="bold"`
				}
				if st.dim {
					extra += ` opacity="0.6"`
				}
				fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" fill=\"%s\"%s>%s</text>\n",
					margin+float64(start)*cellWidth, margin+i*lineHeight+14, float64(end-start)*cellWidth, palette[st.colour], extra, html.EscapeString(run.String()))
			}
			start = end
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

// cast is the recording in asciinema's format, version 2.
func (s *scene) cast() []byte {
	var b bytes.Buffer
	line := func(v any) {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err) // texts and numbers
		}
		b.Write(append(data, '\n'))
	}
	line(map[string]any{"version": 2, "width": s.cols, "height": max(len(s.screen.rows), 10), "title": s.title})
	for _, e := range s.events {
		line([]any{float64(e.at.Milliseconds()) / 1000, "o", e.text})
	}
	return b.Bytes()
}
