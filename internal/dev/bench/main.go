// Bench measures ibid beside bun, pnpm and npm on a recorded registry.
//
//	go run ./internal/dev/bench -quick                       # a minute: the main rows on tmpfs
//	go run ./internal/dev/bench -write                       # everything, into docs/benchmarks.md; till ^C
//	go run ./internal/dev/bench -write -resume               # what an interrupted run has left
//	go run ./internal/dev/bench -quick -contenders ibid,base -base ./old-ibid
//
// The grid is cache × lock × node_modules, then adding and removing a package,
// the overhead of run, ls and --version; in settings of size × file system ×
// link. A slow link is not combined with the disk: what either costs shows
// alone. The contenders take turns (A B C A B C …), and medians are compared.
// After each install the tree is looked at: one that did less than its first
// time has failed. The floor, the work that no installer can leave out, is
// measured in the same run.
//
// ibid is built from the checkout unless -ibid names one. The peers come from
// the npm registry, once, into -tools. npm takes part where -npm-in says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ibid-pm/ibid/internal/dev/recording"
)

type options struct {
	quick, write, sync, syscalls bool
	resume                       bool
	ibid, base, bun, pnpm, npm   string
	npmIn                        string
	budget                       time.Duration
	contenders, sizes, rows      string
	disks, links                 string
	shared, tools, tmpfs, disk   string
	gone                         string // folder on the disk for what is to be removed at the end
	docs, json                   string
	runs, npmRuns                int
}

func main() {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "tmpfs, no latency, 1300 packages, ibid and bun, 3 runs, five rows")
	flag.BoolVar(&o.write, "write", false, "write docs/benchmarks.md and docs/benchmarks.svg")
	flag.StringVar(&o.ibid, "ibid", "", "the ibid to measure (default: built from the checkout)")
	flag.StringVar(&o.base, "base", "", "another ibid, which takes part as the contender base")
	flag.StringVar(&o.bun, "bun", "", "the bun to measure (default: from the npm registry)")
	flag.StringVar(&o.pnpm, "pnpm", "", "the pnpm to measure (default: from the npm registry)")
	flag.StringVar(&o.npm, "npm", "", "the npm to measure (default: from the npm registry)")
	flag.StringVar(&o.contenders, "contenders", "ibid,bun,pnpm,npm", "who takes part")
	flag.StringVar(&o.sizes, "sizes", "100,1300,5000", "sizes of project")
	flag.StringVar(&o.rows, "rows", "", "rows to run (default all)")
	flag.StringVar(&o.disks, "on", "tmpfs,disk", "file systems: tmpfs, disk")
	flag.StringVar(&o.links, "links", "0,50ms/500Mbit", "links to the registry: latency/bandwidth")
	flag.StringVar(&o.shared, "shared", "../shared", "`folder` with the recording and replay-registry")
	flag.StringVar(&o.tools, "tools", filepath.Join(os.TempDir(), "ibid-bench-tools"), "`folder` for the peers")
	flag.StringVar(&o.tmpfs, "tmpfs", "/dev/shm", "a `folder` on a tmpfs")
	flag.StringVar(&o.disk, "disk", os.TempDir(), "a `folder` on a disk")
	flag.StringVar(&o.docs, "docs", "docs", "`folder` that -write writes to")
	flag.StringVar(&o.json, "json", filepath.Join(os.TempDir(), "ibid-bench.json"), "`file` for everything measured, written after each setting")
	flag.BoolVar(&o.resume, "resume", false, "keep the settings that the -json file has of the same versions")
	flag.DurationVar(&o.budget, "budget", 20*time.Second, "start no further round of a row after this; three rounds there are always")
	flag.StringVar(&o.npmIn, "npm-in", "100/tmpfs/0,1300/tmpfs/0", "settings in which npm takes part, as size/file system/link: it needs minutes for each")
	flag.IntVar(&o.runs, "runs", 7, "runs of each contender in a row, at most")
	flag.IntVar(&o.npmRuns, "npm-runs", 1, "runs of npm in a row: it takes half a minute for some")
	flag.BoolVar(&o.syscalls, "syscalls", true, "count system calls with strace, in a run of their own, where strace is there")
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.quick {
		for name, quick := range map[string]*string{"contenders": &o.contenders, "sizes": &o.sizes, "on": &o.disks, "links": &o.links} {
			if !given[name] {
				*quick = map[string]string{"contenders": "ibid,bun", "sizes": "1300", "on": "tmpfs", "links": "0"}[name]
			}
		}
		if !given["runs"] {
			o.runs = 3
		}
		o.syscalls = o.syscalls && given["syscalls"]
	}
	if _, err := exec.LookPath("strace"); err != nil {
		o.syscalls = false
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	work, err := os.MkdirTemp("", "ibid-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if o.ibid == "" {
		o.ibid = filepath.Join(work, "ibid")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", o.ibid, "./cmd/ibid")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building ibid: %w\n%s", err, said)
		}
	}
	if o.gone, err = os.MkdirTemp(o.disk, "ibid-bench-gone-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.gone)
	contenders, err := tools(ctx, o.tools, strings.Split(o.contenders, ","), o.ibid,
		map[string]string{"base": o.base, "bun": o.bun, "pnpm": o.pnpm, "npm": o.npm})
	if err != nil {
		return err
	}
	sizes, err := samples(o.shared, strings.Split(o.sizes, ","))
	if err != nil {
		return err
	}
	overlay := filepath.Join(work, "overlay")
	if err := writeOverlay(overlay, strings.Contains(o.sizes, "5000")); err != nil {
		return err
	}
	r := report{Contenders: names(contenders), Machine: machine(), Runs: o.runs, NPMRuns: o.npmRuns, Commit: commit(ctx)}
	var before report
	if o.resume {
		b, err := os.ReadFile(o.json)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(b, &before); err != nil {
			return fmt.Errorf("%s: %w", o.json, err)
		}
	}
	for _, size := range sizes {
		warmed := false
		for _, on := range strings.Split(o.disks, ",") {
			for _, link := range strings.Split(o.links, ",") {
				if on == "disk" && link != "0" && o.disks != on {
					continue
				}
				here := size.name + "/" + on + "/" + link
				if t := before.has(r, here); t != nil {
					r.Tables = append(r.Tables, t)
					continue
				}
				var taking []contender
				for _, c := range contenders {
					if c.name != "npm" || o.npmIn == "all" || contains(o.npmIn, here) {
						taking = append(taking, c)
					}
				}
				t, err := o.setting(ctx, taking, size, on, link, work, overlay, !warmed)
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					err = fmt.Errorf("%s: %w", here, err)
					if o.write && ctx.Err() != nil && len(r.Tables) > 0 {
						err = errors.Join(err, r.write(o.docs))
					}
					return err
				}
				warmed = true
				r.Tables = append(r.Tables, t)
				t.print(os.Stdout, taking)
				b, err := json.MarshalIndent(r, "", " ")
				if err != nil {
					return err
				}
				if err := os.WriteFile(o.json, append(b, '\n'), 0o644); err != nil {
					return err
				}
			}
		}
	}
	if o.write {
		if err := r.write(o.docs); err != nil {
			return err
		}
	}
	return r.failures()
}

// has gives the table of a setting in a report that was made of the same
// programs on the same machine; nil where there is none.
func (r report) has(now report, here string) *table {
	if r.Machine != now.Machine || r.Commit != now.Commit || !slices.Equal(r.Contenders, now.Contenders) {
		return nil
	}
	for _, t := range r.Tables {
		if t.place() == here {
			return t
		}
	}
	return nil
}

// failures is an error where something that was to be measured could not be.
func (r report) failures() error {
	var errs []error
	for _, t := range r.Tables {
		for _, c := range t.Cells {
			if c.Error != "" {
				first, _, _ := strings.Cut(c.Error, "\n")
				errs = append(errs, fmt.Errorf("%s, %s of %s: %s", t.place(), c.Row, c.Contender, first))
			}
		}
	}
	return errors.Join(errs...)
}

// commit names what is measured; "" outside of a checkout.
func commit(ctx context.Context) string {
	b, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=10", "HEAD").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func names(contenders []contender) [][2]string {
	var out [][2]string
	for _, c := range contenders {
		out = append(out, [2]string{c.name, c.version})
	}
	return out
}

func machine() string {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		kernel = []byte("unknown kernel")
	}
	return fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), strings.TrimSpace(string(kernel)))
}

// load is the machine's load average of the last minute; 0 where that is not known.
func load() float64 {
	var one float64
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(b), &one) // 0 then
	}
	return one
}

// setting measures the whole grid for one size, file system and link.
func (o options) setting(ctx context.Context, contenders []contender, size sample, on, link, work, overlay string, warm bool) (*table, error) {
	t := &table{Size: size.name, Disk: on == "disk", When: time.Now().UTC(), Load: load()}
	base := o.tmpfs
	if t.Disk {
		base = o.disk
	}
	here, err := os.MkdirTemp(base, "ibid-bench-")
	if err != nil {
		return nil, err
	}
	if t.Disk {
		defer os.Rename(here, filepath.Join(o.gone, "last-"+filepath.Base(here)))
	} else {
		defer os.RemoveAll(here)
	}
	serve := recording.Options{Shared: o.shared, Scratch: work, Rewrite: true, Overlay: overlay}
	if link != "0" {
		t.Latency, t.Bandwidth, _ = strings.Cut(link, "/")
		serve.Bandwidth = t.Bandwidth
		if serve.Latency, err = time.ParseDuration(t.Latency); err != nil {
			return nil, err
		}
	}
	registry, err := recording.Start(ctx, serve)
	if err != nil {
		return nil, err
	}
	defer registry.Close()
	for i := range contenders {
		contenders[i].aside = ""
		if t.Disk {
			contenders[i].aside = filepath.Join(o.gone, filepath.Base(here))
		}
		if err := contenders[i].place(here, size, registry.URL); err != nil {
			return nil, err
		}
	}
	o.sync = t.Disk
	if warm {
		if err := o.warmServer(ctx, contenders); err != nil {
			return nil, err
		}
	}
	if err := registry.Reset(); err != nil {
		return nil, err
	}
	for _, r := range rows() {
		if o.rows != "" && !contains(o.rows, r.name) && r.name != "cold" || o.rows == "" && o.quick && !r.quick {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: %s packages, %s, link %s: %s\n", size.name, on, link, r.name)
		t.measureRow(ctx, r, contenders, registry.URL, o)
	}
	stats, err := registry.Stats()
	if err != nil {
		return nil, err
	}
	t.Misses = stats.OfflineMisses
	return t, o.addFloor(t, contenders, here, overlay)
}

// warmServer lets each contender but npm install once, so that what the server
// derives from the recording is ready before anything is measured. npm asks for
// the same documents as the others do together.
func (o options) warmServer(ctx context.Context, contenders []contender) error {
	for i := range contenders {
		c := &contenders[i]
		if c.name == "npm" && len(contenders) > 1 {
			continue
		}
		if _, err := c.run(ctx, c.verbs.install); err != nil {
			return fmt.Errorf("first install: %w", err)
		}
	}
	return nil
}

func (o options) addFloor(t *table, contenders []contender, here, overlay string) error {
	for i := range contenders {
		c := &contenders[i]
		if c.verbs.lock != "package-lock.json" || t.cell(c.name, "cold").Error != "" {
			continue
		}
		tarballs, packages, err := lockTarballs(c.saved, filepath.Join(o.shared, "bench", "registry"), overlay)
		if err != nil {
			return err
		}
		t.Packages = packages
		modules := filepath.Join(c.project, "node_modules")
		if _, err := os.Stat(modules); err != nil {
			return nil
		}
		f, err := measureFloor(modules, here, tarballs, max(3, o.runs))
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			return nil
		}
		t.Floor, t.Files = f, f.Files
		return nil
	}
	return nil
}

func contains(list, name string) bool {
	return slices.Contains(strings.Split(list, ","), name)
}
