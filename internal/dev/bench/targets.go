package main

import (
	"fmt"
	"strings"
	"time"
)

// targets are what ibid has to reach, as a ratio to another contender's median
// or to the floor of the same setting.
var targets = []struct {
	row, against string
	most         float64
}{
	{"cold", "bun", 0.9},
	{"cold+lock", "bun", 0.9},
	{"warm+lock", "bun", 0.9},
	{"warm", "bun", 0.8},
	{"no-op", "bun", 0.15},
	{"add", "bun", 0.7},
	{"cold", "npm", 1.0 / 15},
	{"cold+lock", "npm", 1.0 / 15},
	{"warm+lock", "npm", 1.0 / 60},
	{"warm", "npm", 1.0 / 60},
	{"no-op", "npm", 1.0 / 60},
	{"add", "npm", 1.0 / 15},
	{"warm+lock", "floor", 1.2},
	{"cold+lock", "floor", 1.3},
}

// memoryTargets bound the peak RSS: by bun's in the same row, or in MB.
var memoryTargets = []struct {
	row  string
	most int64 // MB; 0: as bun
}{{"cold", 0}, {"cold+lock", 0}, {"warm+lock", 60}, {"warm", 60}, {"no-op", 25}}

func met(ok bool) string {
	if ok {
		return "yes"
	}
	return "**no**"
}

// targets writes how far a table reaches what is asked for.
func (r report) targets(b *strings.Builder, t *table) {
	fmt.Fprintf(b, "\n## What is aimed at\n\n%s. Ratios of medians.\n\n| row | against | ratio | aim | reached |\n| --- | --- | ---: | ---: | --- |\n", t.setting())
	for _, aim := range targets {
		mine := t.cell("ibid", aim.row).median().Wall
		other := t.cell(aim.against, aim.row).median().Wall
		if aim.against == "floor" && t.Floor != nil {
			other = map[string]time.Duration{"warm+lock": t.Floor.Warm, "cold+lock": t.Floor.Cold}[aim.row]
		}
		if mine == 0 || other == 0 {
			continue
		}
		got := mine.Seconds() / other.Seconds()
		if aim.against == "npm" { // the other way round, as one says it
			fmt.Fprintf(b, "| %s | npm | npm takes %.0f × | ≥ %.0f × | %s |\n", aim.row, 1/got, 1/aim.most, met(got <= aim.most))
			continue
		}
		fmt.Fprintf(b, "| %s | %s | %.2f | ≤ %.2f | %s |\n", aim.row, aim.against, got, aim.most, met(got <= aim.most))
	}
	if noop := t.cell("ibid", "no-op").median().Wall; noop > 0 {
		fmt.Fprintf(b, "| no-op | a clock | %s ms | ≤ 10 ms | %s |\n", seconds(noop*1000), met(noop <= 10*time.Millisecond))
	}
	for _, aim := range memoryTargets {
		mine, most, against := t.cell("ibid", aim.row).median().RSS>>20, aim.most, "a limit"
		if most == 0 {
			most, against = t.cell("bun", aim.row).median().RSS>>20, "bun"
		}
		if mine == 0 || most == 0 {
			continue
		}
		fmt.Fprintf(b, "| peak RSS of %s | %s | %d MB | ≤ %d MB | %s |\n", aim.row, against, mine, most, met(mine <= most))
	}
}

// slowLink writes how ibid compares with bun where answers take their time.
func (r report) slowLink(b *strings.Builder) {
	head := false
	for _, t := range r.Tables {
		if t.Latency == "" {
			continue
		}
		if !head {
			b.WriteString("\nWith latency no row should be slower than bun's:\n\n| setting | slowest row against bun | ratio | reached |\n| --- | --- | ---: | --- |\n")
			head = true
		}
		worst, at := 0.0, ""
		for _, name := range t.rowNames() {
			mine, other := t.cell("ibid", name).median().Wall, t.cell("bun", name).median().Wall
			if mine > 0 && other > 0 && mine.Seconds()/other.Seconds() > worst {
				worst, at = mine.Seconds()/other.Seconds(), name
			}
		}
		if at != "" {
			fmt.Fprintf(b, "| %s | %s | %.2f | %s |\n", t.setting(), at, worst, met(worst <= 1))
		}
	}
}

// growth writes how the rows grow with the project, on tmpfs without latency.
func (r report) growth(b *strings.Builder) {
	var sizes []*table
	for _, t := range r.Tables {
		if !t.Disk && t.Latency == "" {
			sizes = append(sizes, t)
		}
	}
	if len(sizes) < 2 {
		return
	}
	b.WriteString("\n## Growth\n\nMedians on tmpfs without latency; the columns are packages in the lock.\n\n| row | who |")
	line := "| --- | --- |"
	for _, t := range sizes {
		fmt.Fprintf(b, " %d |", t.Packages)
		line += " ---: |"
	}
	b.WriteString("\n" + line + "\n")
	for _, name := range sizes[0].rowNames() {
		for _, who := range []string{"ibid", "bun"} {
			fmt.Fprintf(b, "| %s | %s |", name, who)
			for _, t := range sizes {
				if m := t.cell(who, name).median().Wall; m > 0 {
					fmt.Fprintf(b, " %s |", seconds(m))
				} else {
					b.WriteString(" – |")
				}
			}
			b.WriteString("\n")
		}
	}
}
