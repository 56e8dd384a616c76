//go:build unix

// Diff makes random projects out of the packages of a recorded registry, runs
// npm and a candidate on them, and compares what they leave behind: the bytes
// of the lock and of every package.json, or npm's error code.
//
//	go run ./internal/dev/diff -pm ./ibid -seeds 1-1000
//	go run ./internal/dev/diff -pm ./ibid -kind sequence -seeds 1-100
//	go run ./internal/dev/diff -pm ./ibid -seeds 17 -minimise -save internal/dev/diff/testdata/cases
//	go run ./internal/dev/diff -pm ./ibid -cases internal/dev/diff/testdata/cases
//	go run ./internal/dev/diff -npm-only -seeds 1-1000
//	go run ./internal/dev/diff -pm ./ibid -cases projects -record recording -together
//
// A project is one seed's: npm runs once for it and its result is stored (-results).
// Kinds: lock (a package.json, resolved with --package-lock-only), sequence (an
// install and five commands after it, lock only), tree (the same with real
// installs of packages whose tarballs are recorded; the whole tree is compared),
// wide and wide-tree (folders and tarballs of the project's own, bundled packages,
// old locks, edits by hand, and flags that change from command to command).
// A case without npm's result is a project like any other; with -record it may ask
// for packages that nothing has asked for yet.
//
// Exit status 1 if anything differs, 2 if it could not be tried.
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
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ibid-pm/ibid/internal/dev/recording"
)

type options struct {
	pm, npm, kind, seeds string
	shared, scratch      string
	results, save, cases string
	record               string
	npmOnly, minimise    bool
	verbose, print       bool
	tries                int
	timeout              time.Duration
	harvest, together    bool
}

func main() {
	var o options
	flag.StringVar(&o.pm, "pm", "", "the candidate's `command`; npm's arguments are put after it")
	flag.StringVar(&o.npm, "npm", "npm", "the reference `command`")
	flag.StringVar(&o.kind, "kind", "lock", "lock, sequence, tree, wide or wide-tree")
	flag.StringVar(&o.seeds, "seeds", "1-50", "seeds, as in 1-100,250")
	flag.StringVar(&o.shared, "shared", "../shared", "`folder` with the recording and replay-registry")
	flag.StringVar(&o.scratch, "scratch", filepath.Join(os.TempDir(), "diff"), "`folder` for homes and projects")
	flag.StringVar(&o.results, "results", "", "`folder` of npm's stored results (default SCRATCH/npm)")
	flag.BoolVar(&o.together, "together", false, "run npm's commands in one process, which is several times faster")
	flag.BoolVar(&o.npmOnly, "npm-only", false, "run npm only, and store its results")
	flag.BoolVar(&o.minimise, "minimise", false, "make each difference as small as it goes")
	flag.IntVar(&o.tries, "tries", 60, "most projects that minimising one difference may try")
	flag.StringVar(&o.save, "save", "", "`folder` that gets a case for each difference")
	flag.StringVar(&o.cases, "cases", "", "run the cases of this `folder` instead of seeds")
	flag.StringVar(&o.record, "record", "", "`folder` of a recording to use instead, which grows by what is asked for")
	flag.BoolVar(&o.print, "print", false, "print the projects, run nothing")
	flag.BoolVar(&o.verbose, "v", false, "a line for each project")
	flag.DurationVar(&o.timeout, "timeout", 5*time.Minute, "longest time for one command")
	flag.BoolVar(&o.harvest, "harvest", false, "write internal/dev/diff/pool.json anew from the recording")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	different, err := run(ctx, o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "diff:", err)
		os.Exit(2)
	case different:
		os.Exit(1)
	}
}

// A trial is a project with a name to print.
type trial struct {
	name    string
	project project
	stored  *result // npm's result, in a case that has it
}

func run(ctx context.Context, o options) (different bool, err error) {
	if o.scratch, err = filepath.Abs(o.scratch); err != nil {
		return false, err
	}
	if err := os.MkdirAll(o.scratch, 0o755); err != nil {
		return false, err
	}
	if o.harvest {
		dir, err := npmFolder(strings.Fields(o.npm))
		if err != nil {
			return false, err
		}
		return false, harvest(ctx, filepath.Join(o.shared, "bench", "registry"), dir, "internal/dev/diff/pool.json", o.scratch)
	}
	trials, err := o.trials()
	if err != nil {
		return false, err
	}
	if o.print {
		for _, t := range trials {
			fmt.Printf("# %s: %v\n", t.name, t.project.Commands)
			for _, name := range t.project.fileNames() {
				fmt.Printf("-- %s --\n%s", name, t.project.Files[name].show())
			}
		}
		return false, nil
	}
	if o.pm == "" && !o.npmOnly {
		return false, fmt.Errorf("-pm is needed")
	}
	reg, err := recording.Start(ctx, recording.Options{Shared: o.shared, Scratch: o.scratch, Cache: o.record, Record: o.record != ""})
	if err != nil {
		return false, err
	}
	defer reg.Close()
	npm, candidate, err := o.runners(reg.URL)
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(npm.scratch)
	defer npm.close()
	if candidate != nil {
		defer os.RemoveAll(candidate.scratch)
	}
	return o.compareAll(ctx, trials, npm, candidate)
}

func (o options) runners(url string) (npm, candidate *runner, err error) {
	npm = &runner{command: strings.Fields(o.npm), isNPM: true, registry: url, timeout: o.timeout,
		home: filepath.Join(o.scratch, "home-npm"), stored: o.results, npmrc: "prefer-offline=true\n"}
	if npm.stored == "" {
		npm.stored = filepath.Join(o.scratch, "npm")
	}
	out, err := exec.Command(npm.command[0], append(npm.command[1:], "--version")...).Output()
	if err != nil {
		return nil, nil, fmt.Errorf("%s --version: %w", o.npm, err)
	}
	npm.version = strings.TrimSpace(string(out))
	if npm.scratch, err = os.MkdirTemp(o.scratch, "run-npm-"); err != nil {
		return nil, nil, err
	}
	if o.together {
		if npm.npmDir, err = npmFolder(npm.command); err != nil {
			return nil, nil, err
		}
	}
	if o.npmOnly {
		return npm, nil, nil
	}
	command := strings.Fields(o.pm)
	if strings.ContainsRune(command[0], filepath.Separator) {
		if command[0], err = filepath.Abs(command[0]); err != nil {
			return nil, nil, err
		}
	}
	candidate = &runner{command: command, registry: url, timeout: o.timeout,
		home: filepath.Join(o.scratch, "home-pm-"+filepath.Base(command[0]))}
	candidate.scratch, err = os.MkdirTemp(o.scratch, "run-pm-")
	return npm, candidate, err
}

// npmFolder is where the npm that a command runs is unpacked.
func npmFolder(command []string) (string, error) {
	cli := command[len(command)-1]
	if filepath.Base(cli) != "npm-cli.js" {
		path, err := exec.LookPath(cli)
		if err != nil {
			return "", err
		}
		if cli, err = filepath.EvalSymlinks(path); err != nil {
			return "", err
		}
	}
	dir, err := filepath.Abs(filepath.Join(cli, "..", ".."))
	if err != nil {
		return "", err
	}
	_, err = os.Stat(filepath.Join(dir, "node_modules", "@npmcli", "arborist"))
	return dir, err
}

func (o options) compareAll(ctx context.Context, trials []trial, npm, candidate *runner) (bool, error) {
	start := time.Now()
	same, failedAlike, differ, unknown := 0, 0, 0, 0
	var npmSeconds, pmSeconds float64
	for _, t := range trials {
		var want result
		var err error
		if t.stored != nil {
			want = *t.stored
		} else if want, err = npm.run(ctx, t.project); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
				return false, fmt.Errorf("%s: npm: %w", t.name, err)
			}
			// there are trees that npm never has done with
			fmt.Printf("ENDLESS %s: npm takes longer than %s\n", t.name, o.timeout)
			unknown++
			continue
		}
		npmSeconds += want.Seconds
		if want = want.untilCrash(); len(want.Steps) == 0 {
			fmt.Printf("CRASH %s: npm ends by an exception\n", t.name)
			unknown++
			continue
		}
		if candidate == nil {
			if o.verbose {
				last := want.Steps[len(want.Steps)-1]
				fmt.Printf("%s: npm exits %d %s, %.1f s\n", t.name, last.Exit, last.Code, want.Seconds)
			}
			same++
			continue
		}
		got, err := candidate.run(ctx, t.project)
		if err != nil {
			return false, fmt.Errorf("%s: candidate: %w", t.name, err)
		}
		pmSeconds += got.Seconds
		d := compare(t.project, want, got)
		if d == "" {
			same++
			if want.Steps[len(want.Steps)-1].Exit != 0 {
				failedAlike++
			}
			if o.verbose {
				fmt.Printf("SAME %s\n", t.name)
			}
			continue
		}
		differ++
		fmt.Printf("DIFF %s: %s\n", t.name, d)
		if err := o.keep(ctx, t, npm, candidate); err != nil {
			return false, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	what := fmt.Sprintf("%d %s projects", len(trials), o.kind)
	if o.cases != "" {
		what = fmt.Sprintf("%d cases", len(trials))
	}
	if candidate == nil {
		fmt.Printf("npm's results of %s are stored, %.0f s\n", what, time.Since(start).Seconds())
		return false, nil
	}
	fmt.Printf("%s: %d the same (%d of them failing alike), %d different, %d where npm crashes or does not end; npm %.0f s, candidate %.0f s\n",
		what, same, failedAlike, differ, unknown, npmSeconds, pmSeconds)
	return differ > 0, nil
}

// keep minimises and saves a difference, as the flags say.
func (o options) keep(ctx context.Context, t trial, npm, candidate *runner) error {
	if !o.minimise && o.save == "" || t.stored != nil {
		return nil
	}
	p := t.project
	if o.minimise {
		p = minimise(p, o.tries, func(q project) bool {
			want, err := npm.run(ctx, q)
			if err != nil {
				return false
			}
			got, err := candidate.run(ctx, q)
			return err == nil && compare(q, want, got) != ""
		})
	}
	want, err := npm.run(ctx, p)
	if err != nil {
		return err
	}
	got, err := candidate.run(ctx, p)
	if err != nil {
		return err
	}
	d := compare(p, want, got)
	fmt.Printf("     %s as small as it went: %s\n", t.name, d)
	for _, name := range p.fileNames() {
		fmt.Printf("     -- %s --\n     %s\n", name, strings.ReplaceAll(strings.TrimSpace(string(p.Files[name].show())), "\n", "\n     "))
	}
	for _, c := range p.Commands {
		fmt.Printf("     $ npm %s\n", strings.Join(c, " "))
	}
	if o.save == "" {
		return nil
	}
	want.Seconds = 0
	return saveCase(filepath.Join(o.save, strings.ReplaceAll(t.name, " ", "-")+".json"), diffCase{Why: d, Project: p, NPM: want})
}

// A diffCase is a difference that was found once, with npm's result.
type diffCase struct {
	Why     string  `json:"why"`
	Project project `json:"project"`
	NPM     result  `json:"npm"`
}

func saveCase(path string, c diffCase) error {
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func (o options) trials() ([]trial, error) {
	if o.cases != "" {
		paths, err := filepath.Glob(filepath.Join(o.cases, "*.json"))
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("%s: no cases in it", o.cases)
		}
		sort.Strings(paths)
		var trials []trial
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			var c diffCase
			if err := json.Unmarshal(b, &c); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			t := trial{name: strings.TrimSuffix(filepath.Base(path), ".json"), project: c.Project}
			if len(c.NPM.Steps) > 0 {
				t.stored = &c.NPM
			}
			trials = append(trials, t)
		}
		return trials, nil
	}
	pool, err := loadPool()
	if err != nil {
		return nil, err
	}
	seeds, err := parseSeeds(o.seeds)
	if err != nil {
		return nil, err
	}
	var trials []trial
	for _, seed := range seeds {
		t := trial{name: fmt.Sprintf("%s %d", o.kind, seed)}
		switch o.kind {
		case "lock":
			t.project = pool.lockProject(seed)
		case "sequence", "tree":
			t.project = pool.sequenceProject(seed, o.kind == "tree")
		case "wide", "wide-tree":
			t.project = pool.wideProject(seed, o.kind == "wide-tree")
		default:
			return nil, fmt.Errorf("-kind %s: not lock, sequence, tree, wide or wide-tree", o.kind)
		}
		trials = append(trials, t)
	}
	return trials, nil
}

func parseSeeds(s string) ([]uint64, error) {
	var seeds []uint64
	for _, part := range strings.Split(s, ",") {
		from, to, ranged := strings.Cut(part, "-")
		a, err := strconv.ParseUint(from, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("-seeds %s: %w", s, err)
		}
		b := a
		if ranged {
			if b, err = strconv.ParseUint(to, 10, 32); err != nil {
				return nil, fmt.Errorf("-seeds %s: %w", s, err)
			}
		}
		for ; a <= b; a++ {
			seeds = append(seeds, a)
		}
	}
	return seeds, nil
}
