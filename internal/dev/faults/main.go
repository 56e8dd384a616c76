//go:build unix

// Faults installs the recorded application with a candidate while things go
// wrong, and looks whether the next install is as if nothing had happened.
//
//	go run ./internal/dev/faults -pm ./ibid -kills 50
//	go run ./internal/dev/faults -pm ./ibid -only kill-warm,tamper
//
// A clean tree is one that the candidate makes in an empty home without
// disturbance; conform tells whether that is npm's. Needs root for disk-full,
// which mounts small file systems of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ibid-pm/ibid/internal/dev/recording"
)

// A lab is where the faults happen.
type lab struct {
	pm       []string
	flags    []string // behind each ci
	scratch  string   // emptied by each check
	shared   string
	registry *recording.Registry
	kills    int
	met      int // kills of this fault that met the candidate running
	rand     *rand.Rand
	settle   time.Duration
	verbose  bool
}

// A fault is one thing that goes wrong, and what must hold after it.
type fault struct {
	name, holds string
	try         func(context.Context, *lab) error
}

func faults() []fault {
	return []fault{
		{"kill-cold", "killed at random moments of a cold install, the next run makes the clean tree", killCold},
		{"kill-warm", "killed at random moments of a warm install, the next run makes the clean tree", killWarm},
		{"kill-shared", "killed at random moments while packages are shared, cold and warm, the next run makes the clean tree", killShared},
		{"interrupt", "interrupted as by Ctrl-C, it ends soon and the next run makes the clean tree", interrupt},
		{"together", "eight installs at once on one empty store: trees right, each tarball fetched once", together},
		{"tamper", "what is done to one project's node_modules stays there, and ci heals it", tamper},
		{"hidden-edit", "an edit in node_modules that keeps size and time is healed too", hiddenEdit},
		{"store", "a store altered behind its back, sizes and times kept, is not installed", alterStore},
		{"restored", "a store copied away and back still serves, and its alterations are seen", restoreStore},
		{"disk-full", "on a full disk it fails with ENOSPC, touches no manifest or lock, and heals with room", diskFull},
	}
}

func main() {
	var (
		pm      = flag.String("pm", "", "the candidate's `command`; npm's arguments are put after it")
		shared  = flag.String("shared", "../shared", "`folder` with the recording and replay-registry")
		scratch = flag.String("scratch", "", "`folder` for homes and projects (default: a new one on /dev/shm or the temporary folder)")
		only    = flag.String("only", "", "names of faults, with commas")
		kills   = flag.Int("kills", 50, "random moments to kill at")
		seed    = flag.Uint64("seed", 1, "of the random moments and alterations")
		settle  = flag.Duration("settle", 12*time.Second, "between removing a project and altering the store; docs/store.md says what may go unseen before")
		verbose = flag.Bool("v", false, "a line for each try")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := run(ctx, *pm, *shared, *scratch, *only, *kills, *seed, *settle, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(2)
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, pm, shared, scratch, only string, kills int, seed uint64, settle time.Duration, verbose bool) (failed int, err error) {
	if pm == "" {
		return 0, errors.New("-pm is needed")
	}
	command := strings.Fields(pm)
	if strings.ContainsRune(command[0], filepath.Separator) {
		if command[0], err = filepath.Abs(command[0]); err != nil {
			return 0, err
		}
	}
	if scratch == "" {
		base := "/dev/shm"
		if _, err := os.Stat(base); err != nil {
			base = os.TempDir()
		}
		if scratch, err = os.MkdirTemp(base, "ibid-faults-"); err != nil {
			return 0, err
		}
		defer os.RemoveAll(scratch)
	}
	if scratch, err = filepath.Abs(scratch); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return 0, err
	}
	server := filepath.Join(scratch, "server")
	if err := os.MkdirAll(server, 0o755); err != nil {
		return 0, err
	}
	registry, err := recording.Start(ctx, recording.Options{Shared: shared, Scratch: server})
	if err != nil {
		return 0, err
	}
	defer registry.Close()
	l := &lab{pm: command, scratch: filepath.Join(scratch, "lab"), shared: shared, registry: registry, kills: kills,
		rand: rand.New(rand.NewPCG(seed, 1)), settle: settle, verbose: verbose}
	passed := 0
	for _, f := range faults() {
		if only != "" && !strings.Contains(","+only+",", ","+f.name+",") {
			continue
		}
		if err := os.RemoveAll(l.scratch); err != nil {
			return failed, err
		}
		start := time.Now()
		l.met = 0
		if err := f.try(ctx, l); err != nil {
			failed++
			fmt.Printf("FAIL %-11s %s (%.0f s)\n     %s\n", f.name, f.holds, time.Since(start).Seconds(), strings.ReplaceAll(err.Error(), "\n", "\n     "))
			continue
		}
		passed++
		counted := ""
		if l.met > 0 {
			counted = fmt.Sprintf("%d while it ran, ", l.met)
		}
		fmt.Printf("PASS %-11s %s (%s%.0f s)\n", f.name, f.holds, counted, time.Since(start).Seconds())
	}
	fmt.Printf("faults: %d passed, %d failed\n", passed, failed)
	return failed, os.RemoveAll(l.scratch)
}

func (l *lab) say(format string, args ...any) {
	if l.verbose {
		fmt.Printf("     "+format+"\n", args...)
	}
}
