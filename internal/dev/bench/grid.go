package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"time"
)

// A row is one question of the grid: what is there, and what is asked for.
type row struct {
	name, meaning string
	args          func(verbs) []string
	prepare       func(context.Context, *contender, string) error
	quick         bool // part of -quick
	light         bool // tens of milliseconds, and nothing is installed
	extra         bool // the package of the add row is there afterwards
}

func rows() []row {
	install := func(v verbs) []string { return v.install }
	frozen := func(v verbs) []string { return v.frozen }
	cold := func(_ context.Context, c *contender, registry string) error {
		if err := c.dropModules(); err != nil {
			return err
		}
		return c.wipeHome(registry)
	}
	return []row{
		{name: "cold", meaning: "no cache, no lock, no node_modules", args: install, quick: true,
			prepare: func(ctx context.Context, c *contender, registry string) error {
				if err := c.dropLock(); err != nil {
					return err
				}
				return cold(ctx, c, registry)
			}},
		{name: "cold+lock", meaning: "no cache, no node_modules: CI's first run", args: frozen, quick: true,
			prepare: func(ctx context.Context, c *contender, registry string) error {
				if err := c.restoreLock(); err != nil {
					return err
				}
				return cold(ctx, c, registry)
			}},
		{name: "warm+lock", meaning: "cache and lock, no node_modules", args: frozen, quick: true,
			prepare: func(ctx context.Context, c *contender, _ string) error {
				if err := c.restoreLock(); err != nil {
					return err
				}
				return c.dropModules()
			}},
		{name: "warm", meaning: "cache, no lock, no node_modules", args: install, quick: true,
			prepare: func(ctx context.Context, c *contender, _ string) error {
				if err := c.dropLock(); err != nil {
					return err
				}
				return c.dropModules()
			}},
		{name: "no-op", meaning: "everything there already", args: install, quick: true, prepare: installed},
		{name: "add", meaning: "one package (and its one dependency) more", args: func(v verbs) []string { return v.add }, extra: true, prepare: installed},
		{name: "remove", meaning: "the same package less", args: func(v verbs) []string { return v.remove },
			prepare: func(ctx context.Context, c *contender, registry string) error {
				if _, err := os.Stat(filepath.Join(c.project, "node_modules", extraPackage)); err == nil {
					return nil // the add row has just put it there
				}
				if err := installed(ctx, c, registry); err != nil {
					return err
				}
				_, err := c.run(ctx, c.verbs.add)
				return err
			}},
		{name: "run", meaning: "a script that does nothing", args: func(v verbs) []string { return v.run }, light: true, prepare: installed},
		{name: "ls", meaning: "the direct dependencies", args: func(v verbs) []string { return v.list }, light: true, prepare: installed},
		{name: "--version", meaning: "start-up", args: func(verbs) []string { return []string{"--version"} }, light: true},
		// The last one: a cache that has lent out much has more to look through.
		{name: "second", meaning: "warm+lock while another project has what the cache lent out", args: frozen,
			prepare: func(ctx context.Context, c *contender, _ string) error {
				if err := c.restoreLock(); err != nil {
					return err
				}
				return c.lendModules()
			}},
	}
}

// installed makes sure that the project is as its first lock says and node_modules with it.
func installed(ctx context.Context, c *contender, _ string) error {
	_, err := os.Stat(filepath.Join(c.project, "node_modules"))
	_, extra := os.Lstat(filepath.Join(c.project, "node_modules", extraPackage))
	if err == nil && extra != nil {
		return nil
	}
	if extra == nil {
		if _, err := c.run(ctx, c.verbs.remove); err != nil {
			return err
		}
	}
	if err := c.restoreLock(); err != nil {
		return err
	}
	_, err = c.run(ctx, c.verbs.install)
	return err
}

// A cell is what one contender did in one row.
type cell struct {
	Contender string    `json:"contender"`
	Row       string    `json:"row"`
	Runs      []measure `json:"runs"`
	Files     int       `json:"files,omitempty"` // in node_modules after the first install
	Syscalls  int64     `json:"syscalls,omitempty"`
	Error     string    `json:"error,omitempty"` // the cell has no runs
}

func (c cell) median() measure {
	if len(c.Runs) == 0 {
		return measure{}
	}
	pick := func(key func(measure) int64) int64 {
		v := make([]int64, len(c.Runs))
		for i, m := range c.Runs {
			v[i] = key(m)
		}
		sort.Slice(v, func(i, j int) bool { return v[i] < v[j] })
		return v[len(v)/2]
	}
	return measure{
		Wall: time.Duration(pick(func(m measure) int64 { return int64(m.Wall) })),
		CPU:  time.Duration(pick(func(m measure) int64 { return int64(m.CPU) })),
		RSS:  pick(func(m measure) int64 { return m.RSS }),
	}
}

func (c cell) extremes() (least, most time.Duration) {
	for i, m := range c.Runs {
		if i == 0 || m.Wall < least {
			least = m.Wall
		}
		most = max(most, m.Wall)
	}
	return least, most
}

// A table is the grid in one setting.
type table struct {
	Size      string    `json:"size"`
	Disk      bool      `json:"disk"`
	Latency   string    `json:"latency,omitempty"`
	Bandwidth string    `json:"bandwidth,omitempty"`
	Packages  int       `json:"packages"` // in the lock
	Files     int       `json:"files"`
	Misses    int64     `json:"misses"` // requests that the recording could not answer
	Cells     []cell    `json:"cells"`
	Floor     *floor    `json:"floor,omitempty"`
	When      time.Time `json:"when"`
	Load      float64   `json:"load"` // of the machine when the setting began
}

func (t *table) cell(contender, row string) *cell {
	for i := range t.Cells {
		if t.Cells[i].Contender == contender && t.Cells[i].Row == row {
			return &t.Cells[i]
		}
	}
	t.Cells = append(t.Cells, cell{Contender: contender, Row: row})
	return &t.Cells[len(t.Cells)-1]
}

// leastRuns is how often a row is run whatever it takes.
const leastRuns = 3

// measureRow runs every contender in turn, as often as asked, or less often
// where that takes longer than the budget: A B C A B C.
func (t *table) measureRow(ctx context.Context, r row, contenders []contender, registry string, o options) {
	start := time.Now()
	for i := range o.runs {
		if i >= leastRuns && time.Since(start) > o.budget {
			break
		}
		for j := range contenders {
			c := &contenders[j]
			at := t.cell(c.name, r.name)
			if at.Error != "" || c.name == "npm" && i >= o.npmRuns || ctx.Err() != nil {
				continue
			}
			m, err := measureOnce(ctx, r, c, registry, o.sync)
			if err == nil && r.name == "cold" && i == 0 {
				c.files = 0
				err = c.keepLock()
			}
			if err == nil && !r.light {
				err = c.checkTree(r.extra)
			}
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				at.Error, at.Runs = err.Error(), nil
				fmt.Fprintf(os.Stderr, "bench: %s, %s: %v\n", r.name, c.name, err)
				continue
			}
			at.Runs = append(at.Runs, m)
			at.Files = c.files
		}
	}
	// What a program asks of the system depends neither on the disk nor on the link.
	if !o.syscalls || t.Disk || t.Latency != "" {
		return
	}
	for j := range contenders {
		c := &contenders[j]
		at := t.cell(c.name, r.name)
		if at.Error != "" || c.name == "npm" && !r.light || ctx.Err() != nil {
			continue
		}
		if r.prepare != nil {
			if err := r.prepare(ctx, c, registry); err != nil {
				continue
			}
		}
		n, err := c.countSyscalls(ctx, r.args(c.verbs))
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: counting system calls of %s, %s: %v\n", r.name, c.name, err)
			continue
		}
		at.Syscalls = n
	}
}

func measureOnce(ctx context.Context, r row, c *contender, registry string, flush bool) (measure, error) {
	if r.prepare != nil {
		if err := r.prepare(ctx, c, registry); err != nil {
			return measure{}, fmt.Errorf("preparing: %w", err)
		}
	}
	if flush { // what the last run left to be written is not this run's
		if err := exec.CommandContext(ctx, "sync").Run(); err != nil {
			return measure{}, err
		}
	}
	return c.run(ctx, r.args(c.verbs))
}
