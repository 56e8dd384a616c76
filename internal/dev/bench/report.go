package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// A report is everything that one run of the program measured.
type report struct {
	Contenders [][2]string `json:"contenders"` // name, version
	Machine    string      `json:"machine"`
	Commit     string      `json:"commit"`
	Runs       int         `json:"runs"`
	NPMRuns    int         `json:"npm_runs"`
	Tables     []*table    `json:"tables"`
}

// place names the setting as -npm-in does.
func (t *table) place() string {
	s := t.Size + "/tmpfs"
	if t.Disk {
		s = t.Size + "/disk"
	}
	if t.Latency == "" {
		return s + "/0"
	}
	return s + "/" + t.Latency + "/" + t.Bandwidth
}

func (t *table) setting() string {
	s := t.Size + " packages"
	if t.Packages > 0 {
		s = fmt.Sprintf("%d packages, %d files", t.Packages, t.Files)
	}
	if t.Disk {
		s += ", disk"
	} else {
		s += ", tmpfs"
	}
	if t.Latency != "" {
		return s + ", " + t.Latency + " " + t.Bandwidth
	}
	return s + ", no latency"
}

func seconds(d time.Duration) string {
	switch s := d.Seconds(); {
	case s < 0.1:
		return fmt.Sprintf("%.4f", s)
	case s < 10:
		return fmt.Sprintf("%.3f", s)
	default:
		return fmt.Sprintf("%.1f", s)
	}
}

func ratio(a, b time.Duration) string {
	if a == 0 || b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", a.Seconds()/b.Seconds())
}

func (t *table) rowNames() []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range t.Cells {
		if !seen[c.Row] {
			seen[c.Row] = true
			out = append(out, c.Row)
		}
	}
	return out
}

// print writes the table as a person reads it in a terminal.
func (t *table) print(w io.Writer, contenders []contender) {
	fmt.Fprintf(w, "\n%s\n", t.setting())
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "row\twho\tmedian s\tmin\tmax\tCPU s\tRSS MB\tsyscalls\tibid/it")
	for _, r := range t.rowNames() {
		mine := t.cell("ibid", r).median().Wall
		for _, c := range contenders {
			at := t.cell(c.name, r)
			if at.Error != "" {
				first, _, _ := strings.Cut(at.Error, "\n")
				fmt.Fprintf(tw, "%s\t%s\tfailed: %s\n", r, c.name, first)
				continue
			}
			m := at.median()
			least, most := at.extremes()
			calls := ""
			if at.Syscalls > 0 {
				calls = fmt.Sprint(at.Syscalls)
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", r, c.name, seconds(m.Wall), seconds(least), seconds(most),
				seconds(m.CPU), m.RSS>>20, calls, ratio(mine, m.Wall))
		}
	}
	if err := tw.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if f := t.Floor; f != nil {
		fmt.Fprintf(w, "floor: warm %s s (ibid %s×), cold+lock %s s = inflate %s + write %s + link %s (ibid %s×); %d folders, %d files\n",
			seconds(f.Warm), ratio(t.cell("ibid", "warm+lock").median().Wall, f.Warm),
			seconds(f.Cold), seconds(f.Inflate), seconds(f.Write), seconds(f.Warm),
			ratio(t.cell("ibid", "cold+lock").median().Wall, f.Cold), f.Dirs, f.Files)
	}
	if t.Misses > 0 {
		fmt.Fprintf(w, "%d requests were not in the recording\n", t.Misses)
	}
}

const caveats = `# Benchmarks

Written by ` + "`go run ./internal/dev/bench -write`" + `. Read the caveats first.

## Caveats

- The registry is a recording on loopback. What a real registry, its caches and the way to it add
  is the same for everybody only roughly: see the rows with latency.
- Scripts are off for everybody. Packages that compile or download something take as long as that takes.
- pnpm lays out another tree (isolated, links into a store of its own), so it does less on the warm
  rows and something else. bun and ibid both make a hoisted tree; bun's is not npm's, ibid's is.
- bun resolves with its own rules: its rows without a lock answer another question than npm's and
  ibid's, and the versions that come out differ in places.
- The warm rows are about the file system more than about the program: a tmpfs, an ext4 and a laptop's
  APFS differ more among themselves than the programs do. The floor says what this machine allows.
- On a disk nothing but further names of a cache's files is removed before all is measured, since an
  ext4 that has just removed many files takes several times as long to make new ones. Twenty GB should
  be free there.
- bun and pnpm give every project the same files, so that an edit in one reaches all others. ibid lends
  files to one project at a time (docs/store.md): the row "second" says what that costs the first time.
- On the row "warm" ibid goes by what it decided the time before of the same files and the same fresh
  metadata, as after ` + "`rm -rf node_modules package-lock.json`" + `; where either is another one, it decides
  anew, which takes some 0.08 s more here.
- npm runs once in a row where the others run several times, and in two settings only; its figures are
  for scale. A row that takes long is run fewer times than the others, three times at least.
- After each install the tree is compared with the contender's own first one: no file may be missing.
- System calls are counted on tmpfs without latency, under strace -f, in a run of their own.
- Peak RSS is that of the biggest process; files mapped into memory count.
- The made-up packages of the monorepo have twelve small files each; real ones have more.
- A quiet machine matters. Runs are interleaved (A B C A B C) and medians compared, which helps
  against drift and not against noise: look at min and max.

`

// write makes docs/benchmarks.md and docs/benchmarks.svg.
func (r report) write(docs string) error {
	var b strings.Builder
	b.WriteString(caveats)
	fmt.Fprintf(&b, "## What was run\n\n%s. Medians of up to %d runs (npm: %d). ibid is commit %s.\n\n", r.Machine, r.Runs, r.NPMRuns, r.Commit)
	for _, c := range r.Contenders {
		fmt.Fprintf(&b, "- %s %s\n", c[0], c[1])
	}
	b.WriteString("\n| row | what is there before, what is asked |\n| --- | --- |\n")
	for _, row := range rows() {
		fmt.Fprintf(&b, "| %s | %s |\n", row.name, row.meaning)
	}
	b.WriteString("\n![Seconds by row](benchmarks.svg)\n")
	main := r.main()
	r.targets(&b, main)
	r.slowLink(&b)
	before, err := os.ReadFile(filepath.Join(docs, "benchmarks.md"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r.times(&b, main, string(before))
	r.growth(&b)
	for _, t := range r.Tables {
		r.markdown(&b, t)
	}
	if err := os.MkdirAll(docs, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(docs, "benchmarks.md"), []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "benchmarks.svg"), []byte(r.chart(main)), 0o644)
}

// timesHead begins the table of runs at different times.
const timesHead = "\n## At different times\n\n"

// keptTimes is how many earlier runs are kept.
const keptTimes = 5

// times writes the ratios to bun's medians of this run, below those that the
// document so far has of earlier ones.
func (r report) times(b *strings.Builder, t *table, before string) {
	fmt.Fprintf(b, "%sibid/bun, %s, of the last runs that were written here.\n\n| when | commit |", timesHead, t.setting())
	line := "\n| --- | --- |"
	this := fmt.Sprintf("| %s | %s |", t.When.Format("2006-01-02 15:04 UTC"), r.Commit)
	for _, name := range t.rowNames() {
		if t.cell("bun", name).median().Wall == 0 {
			continue
		}
		b.WriteString(" " + name + " |")
		line += " ---: |"
		this += " " + ratio(t.cell("ibid", name).median().Wall, t.cell("bun", name).median().Wall) + " |"
	}
	b.WriteString(line + "\n")
	_, rest, _ := strings.Cut(before, timesHead)
	rest, _, _ = strings.Cut(rest, "\n## ")
	var earlier []string
	for row := range strings.Lines(rest) {
		if strings.HasPrefix(row, "| 2") && strings.Count(row, "|") == strings.Count(this, "|") {
			earlier = append(earlier, row)
		}
	}
	for _, row := range earlier[max(0, len(earlier)-keptTimes):] {
		b.WriteString(row)
	}
	b.WriteString(this + "\n")
}

// main is the table that stands for the others: the recorded application on a
// tmpfs, where that was measured.
func (r report) main() *table {
	for _, t := range r.Tables {
		if t.place() == "1300/tmpfs/0" {
			return t
		}
	}
	return r.Tables[0]
}

func (r report) markdown(b *strings.Builder, t *table) {
	on, link := "tmpfs", "0"
	if t.Disk {
		on = "disk"
	}
	if t.Latency != "" {
		link = t.Latency + "/" + t.Bandwidth
	}
	fmt.Fprintf(b, "\n## %s\n\n    go run ./internal/dev/bench -sizes %s -on %s -links %s -runs %d -npm-in %s\n\n",
		strings.ToUpper(t.setting()[:1])+t.setting()[1:], t.Size, on, link, r.Runs, t.place())
	fmt.Fprintf(b, "%s; the machine's load was %.1f before. Files in node_modules:", t.When.Format("2006-01-02 15:04 UTC"), t.Load)
	for i, c := range r.Contenders {
		if n := t.cell(c[0], "cold").Files; n > 0 {
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(b, " %s %d", c[0], n)
		}
	}
	b.WriteString(".\n\n")
	b.WriteString("| seconds, median (min–max) |")
	line := "| --- |"
	for _, c := range r.Contenders {
		fmt.Fprintf(b, " %s |", c[0])
		line += " ---: |"
	}
	b.WriteString(" ibid/bun | npm/ibid |\n" + line + " ---: | ---: |\n")
	for _, name := range t.rowNames() {
		fmt.Fprintf(b, "| %s |", name)
		for _, c := range r.Contenders {
			at := t.cell(c[0], name)
			if len(at.Runs) == 0 {
				b.WriteString(" – |")
				continue
			}
			least, most := at.extremes()
			if len(at.Runs) == 1 {
				fmt.Fprintf(b, " %s (one run) |", seconds(least))
				continue
			}
			fmt.Fprintf(b, " %s (%s–%s) |", seconds(at.median().Wall), seconds(least), seconds(most))
		}
		mine := t.cell("ibid", name).median().Wall
		fmt.Fprintf(b, " %s | %s |\n", ratio(mine, t.cell("bun", name).median().Wall), ratio(t.cell("npm", name).median().Wall, mine))
	}
	b.WriteString("\n| CPU seconds / peak MB / system calls |")
	for _, c := range r.Contenders {
		fmt.Fprintf(b, " %s |", c[0])
	}
	b.WriteString("\n| --- |" + strings.Repeat(" ---: |", len(r.Contenders)) + "\n")
	for _, name := range t.rowNames() {
		fmt.Fprintf(b, "| %s |", name)
		for _, c := range r.Contenders {
			at := t.cell(c[0], name)
			if len(at.Runs) == 0 {
				b.WriteString(" – |")
				continue
			}
			calls := "–"
			if at.Syscalls > 0 {
				calls = fmt.Sprint(at.Syscalls)
			}
			m := at.median()
			fmt.Fprintf(b, " %s / %d / %s |", seconds(m.CPU), m.RSS>>20, calls)
		}
		b.WriteString("\n")
	}
	if f := t.Floor; f != nil {
		fmt.Fprintf(b, "\nThe floor, measured in the same run with two threads: warm %s s (mkdir and linkat of %d folders and %d files), "+
			"so ibid's warm+lock is %s × the floor; cold with a lock %s s (%s reading, hashing and inflating %d tarballs, %s open/write/close, and the linking), "+
			"ibid's cold+lock is %s × that.\n", seconds(f.Warm), f.Dirs, f.Files,
			ratio(t.cell("ibid", "warm+lock").median().Wall, f.Warm), seconds(f.Cold), seconds(f.Inflate), f.Tarballs, seconds(f.Write),
			ratio(t.cell("ibid", "cold+lock").median().Wall, f.Cold))
	}
	if t.Misses > 0 {
		fmt.Fprintf(b, "\n%d requests were not in the recording and got 404.\n", t.Misses)
	}
}
