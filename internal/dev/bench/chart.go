package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// chart draws a table as horizontal bars on a logarithmic scale, since npm and
// a run with nothing to do are four orders of magnitude apart.
func (r report) chart(t *table) string {
	const (
		left, width, bar, gap = 110, 560, 14, 12
		least                 = 0.001 // seconds at the left edge
	)
	colours := map[string]string{"ibid": "#1f6feb", "bun": "#d9a441", "pnpm": "#8a8f98", "npm": "#c0504d"}
	decades := 1.0
	for _, c := range t.Cells {
		decades = max(decades, math.Ceil(math.Log10(max(c.median().Wall.Seconds(), least)/least)))
	}
	x := func(d time.Duration) float64 {
		return math.Log10(max(d.Seconds(), least)/least) / decades * width
	}
	var bars strings.Builder
	y := 44
	for _, name := range t.rowNames() {
		top := y
		for _, c := range r.Contenders {
			at := t.cell(c[0], name)
			if len(at.Runs) == 0 {
				continue
			}
			m := at.median().Wall
			fmt.Fprintf(&bars, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, left, y, max(1, x(m)), bar-2, colours[c[0]])
			fmt.Fprintf(&bars, `<text x="%.1f" y="%d">%s %s s</text>`+"\n", left+x(m)+5, y+bar-4, c[0], seconds(m))
			y += bar
		}
		fmt.Fprintf(&bars, `<text x="%d" y="%d" text-anchor="end" font-weight="bold">%s</text>`+"\n", left-8, (top+y)/2+4, name)
		y += gap
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", left+width+130, y+20)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" fill="white"/>`+"\n"+`<text x="%d" y="18" font-size="13">%s: seconds, logarithmic</text>`+"\n", left, t.setting())
	for i := range int(decades) + 1 {
		at := left + float64(i)/decades*width
		fmt.Fprintf(&out, `<line x1="%.1f" y1="36" x2="%.1f" y2="%d" stroke="#ddd"/><text x="%.1f" y="32" text-anchor="middle" fill="#777">%g</text>`+"\n",
			at, at, y, at, least*math.Pow(10, float64(i)))
	}
	out.WriteString(bars.String())
	out.WriteString("</svg>\n")
	return out.String()
}
