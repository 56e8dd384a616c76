//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// killed starts an install and kills its whole group after d. It tells whether
// the install had ended before.
func (l *lab) killed(ctx context.Context, p place, d time.Duration, signal syscall.Signal) (ended bool, said string, err error) {
	cmd, out := l.command(ctx, p, l.ciArgs()...)
	if err := cmd.Start(); err != nil {
		return false, "", err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
		return true, out.String(), nil
	case <-time.After(d):
	}
	if err := syscall.Kill(-cmd.Process.Pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return false, "", err
	}
	select {
	case <-done:
		return false, out.String(), nil
	case <-time.After(10 * time.Second):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it is reported below
		<-done
		return false, out.String(), fmt.Errorf("still running 10 s after %s", signal)
	}
}

func killCold(ctx context.Context, l *lab) error {
	return l.killEach(ctx, syscall.SIGKILL, true, l.kills)
}
func killWarm(ctx context.Context, l *lab) error {
	return l.killEach(ctx, syscall.SIGKILL, false, l.kills)
}

// killShared kills installs whose packages are every project's.
func killShared(ctx context.Context, l *lab) error {
	l.flags = []string{"--install-strategy=linked", "--enable-global-virtual-store=true"}
	defer func() { l.flags = nil }()
	return errors.Join(l.killEach(ctx, syscall.SIGKILL, true, (l.kills+1)/2), l.killEach(ctx, syscall.SIGKILL, false, (l.kills+1)/2))
}

func interrupt(ctx context.Context, l *lab) error {
	n := max(2, l.kills/5)
	return errors.Join(l.killEach(ctx, syscall.SIGINT, true, n), l.killEach(ctx, syscall.SIGINT, false, n))
}

// killEach kills at random moments. Cold tries begin with an empty home; warm
// ones go on with the store as the tries before left it.
func (l *lab) killEach(ctx context.Context, signal syscall.Signal, cold bool, tries int) error {
	want, took, err := l.clean(ctx)
	if err != nil {
		return err
	}
	p, err := l.open("home", "project")
	if err != nil {
		return err
	}
	if !cold {
		if err := l.ci(ctx, p); err != nil {
			return err
		}
		if err := p.dropModules(); err != nil {
			return err
		}
		start := time.Now()
		if err := l.ci(ctx, p); err != nil {
			return err
		}
		took = time.Since(start)
	}
	// How long an install takes depends on what else the machine does. One that had
	// ended before it could be killed tells how long it takes now, and is no try.
	for i, missed := 0, 0; i < tries; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if missed > tries+10 {
			return fmt.Errorf("only %d of %d tries met it running", i, i+missed)
		}
		if cold {
			if err := l.newHome(p.home); err != nil {
				return err
			}
		}
		if err := p.dropModules(); err != nil {
			return err
		}
		after := time.Duration(l.rand.Float64() * float64(took))
		start := time.Now()
		ended, _, err := l.killed(ctx, p, after, signal)
		if err != nil {
			return fmt.Errorf("try %d, %s after %v: %w", i+1, signal, after.Round(time.Millisecond), err)
		}
		if ended {
			missed++
			took = time.Since(start)
			continue
		}
		i++
		if err := l.ci(ctx, p); err != nil {
			return fmt.Errorf("try %d, %s after %v: the next run: %w", i, signal, after.Round(time.Millisecond), err)
		}
		if err := sameTree(want, p); err != nil {
			return fmt.Errorf("try %d, %s after %v: %w", i, signal, after.Round(time.Millisecond), err)
		}
		if err := l.run(ctx, p, "cache", "verify"); err != nil {
			return fmt.Errorf("try %d, %s after %v: %w", i, signal, after.Round(time.Millisecond), err)
		}
		l.say("%s after %v of %v: healed", signal, after.Round(time.Millisecond), took.Round(time.Millisecond))
	}
	l.met += tries
	return nil
}

// together installs eight different projects at once on one empty store.
func together(ctx context.Context, l *lab) error {
	b, err := os.ReadFile(filepath.Join(l.shared, "bench", "package.json"))
	if err != nil {
		return err
	}
	var app struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	if err := json.Unmarshal(b, &app); err != nil {
		return err
	}
	var names []string
	for name := range app.Dependencies {
		names = append(names, name)
	}
	sort.Strings(names)
	const n = 8
	var want [n]tree
	var places [n]place
	all := map[string]bool{}
	alone := filepath.Join(l.scratch, "alone-home")
	if err := l.newHome(alone); err != nil {
		return err
	}
	shared := filepath.Join(l.scratch, "home")
	for i := range n {
		deps := map[string]string{}
		for j, name := range names {
			if d := (j - i + n) % n; d < 3 { // each dependency is in three projects
				deps[name] = app.Dependencies[name]
			}
		}
		places[i] = place{alone, filepath.Join(l.scratch, fmt.Sprintf("project-%d", i))}
		m, err := json.MarshalIndent(map[string]any{"name": fmt.Sprintf("project-%d", i), "version": "1.0.0", "dependencies": deps}, "", "  ")
		if err != nil {
			return err
		}
		if err := os.MkdirAll(places[i].project, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(places[i].project, "package.json"), m, 0o644); err != nil {
			return err
		}
		// a third of an application lacks peers, or has them in other versions
		if err := os.WriteFile(filepath.Join(places[i].project, ".npmrc"), []byte("legacy-peer-deps=true\n"), 0o644); err != nil {
			return err
		}
		if err := l.run(ctx, places[i], "install", "--ignore-scripts"); err != nil {
			return err
		}
		if want[i], err = snapshot(places[i].project); err != nil {
			return err
		}
		tarballs, err := lockTarballs(filepath.Join(places[i].project, "package-lock.json"))
		if err != nil {
			return err
		}
		for t := range tarballs {
			all[t] = true
		}
		if err := places[i].dropModules(); err != nil {
			return err
		}
		places[i].home = shared
	}
	if err := l.newHome(shared); err != nil {
		return err
	}
	if err := l.registry.Reset(); err != nil {
		return err
	}
	var wait sync.WaitGroup
	var failed [n]error
	for i := range n {
		wait.Add(1)
		go func() {
			defer wait.Done()
			failed[i] = l.ci(ctx, places[i])
		}()
	}
	wait.Wait()
	for i := range n {
		if failed[i] == nil {
			failed[i] = sameTree(want[i], places[i])
		}
		if failed[i] != nil {
			failed[i] = fmt.Errorf("project %d: %w", i, failed[i])
		}
	}
	stats, err := l.registry.Stats()
	if err != nil {
		return err
	}
	l.say("%d distinct tarballs, %d requests for tarballs, %d for packuments", len(all), stats.Tarballs, stats.Packuments)
	err = errors.Join(failed[:]...)
	if foreign := 40; int(stats.Tarballs) > len(all)+foreign || int(stats.Tarballs) < len(all) {
		err = errors.Join(err, fmt.Errorf("%d tarballs in the locks, %d requests for tarballs", len(all), stats.Tarballs))
	}
	if stats.Packuments > 0 {
		err = errors.Join(err, fmt.Errorf("ci asked for %d packuments", stats.Packuments))
	}
	return errors.Join(err, l.run(ctx, places[0], "cache", "verify"))
}

// A deed is something done to a project's node_modules.
type deed struct {
	how string
	do  func(file func(name string) string) error
}

// tamper does what a person or a script might.
func tamper(ctx context.Context, l *lab) error {
	return l.deeds(ctx, []deed{
		{"a line appended to a file", func(file func(string) string) error { return appendTo(file("express/lib/express.js"), "x\n") }},
		{"a file emptied", func(file func(string) string) error { return os.Truncate(file("react/index.js"), 0) }},
		{"a mode changed", func(file func(string) string) error { return os.Chmod(file("axios/package.json"), 0o700) }},
		{"a file deleted", func(file func(string) string) error { return os.Remove(file("zod/package.json")) }},
		{"a package deleted", func(file func(string) string) error { return os.RemoveAll(file("qs")) }},
		{"a file added", func(file func(string) string) error { return os.WriteFile(file("yup/extra.js"), []byte("x"), 0o644) }},
		{"a package replaced by a link", func(file func(string) string) error {
			return errors.Join(os.RemoveAll(file("uuid")), os.Symlink("/nowhere", file("uuid")))
		}},
	})
}

// hiddenEdit does what someone does who does not want it to be seen.
func hiddenEdit(ctx context.Context, l *lab) error {
	return l.deeds(ctx, []deed{{"a byte changed in place, size and time kept", func(file func(string) string) error {
		return flip(l.rand, file("lodash/lodash.js"))
	}}})
}

func (l *lab) deeds(ctx context.Context, deeds []deed) error {
	want, _, err := l.clean(ctx)
	if err != nil {
		return err
	}
	one, err := l.open("home", "one")
	if err != nil {
		return err
	}
	two, err := l.open("home", "two")
	if err != nil {
		return err
	}
	if err := errors.Join(l.ci(ctx, one), l.ci(ctx, two)); err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(one.project, "node_modules", filepath.FromSlash(name)) }
	for _, t := range deeds {
		if err := t.do(file); err != nil {
			return fmt.Errorf("%s: %w", t.how, err)
		}
		if err := sameTree(want, two); err != nil {
			return fmt.Errorf("%s: the other project sees it: %w", t.how, err)
		}
		if err := l.run(ctx, two, "ci", "--ignore-scripts"); err != nil {
			return fmt.Errorf("%s: ci in the other project: %w", t.how, err)
		}
		if err := sameTree(want, two); err != nil {
			return fmt.Errorf("%s: ci in the other project installs it: %w", t.how, err)
		}
		if err := l.ci(ctx, one); err != nil {
			return fmt.Errorf("%s: ci after it: %w", t.how, err)
		}
		if err := sameTree(want, one); err != nil {
			return fmt.Errorf("%s: ci does not heal it: %w", t.how, err)
		}
		l.say("%s: healed, and not seen elsewhere", t.how)
	}
	return nil
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// alterStore flips bytes in the store. Noticing and refusing is as good as healing.
func alterStore(ctx context.Context, l *lab) error {
	want, _, err := l.clean(ctx)
	if err != nil {
		return err
	}
	p, err := l.open("home", "project")
	if err != nil {
		return err
	}
	for round := range 4 {
		if err := l.ci(ctx, p); err != nil {
			return err
		}
		if err := p.dropModules(); err != nil {
			return err
		}
		select { // see the flag
		case <-time.After(l.settle):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := l.damage(p.home, 25, round); err != nil {
			return err
		}
		if err := l.intact(ctx, want, p); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
		l.say("round %d: 25 files altered, nothing of it installed", round+1)
	}
	return nil
}

// damage flips bytes of n files of the store; odd rounds take the biggest ones.
func (l *lab) damage(home string, n, round int) error {
	files, err := storeFiles(home)
	if err != nil {
		return err
	}
	l.rand.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	if round%2 == 1 {
		size := func(path string) int64 {
			info, err := os.Stat(path)
			if err != nil {
				return 0
			}
			return info.Size()
		}
		slices.SortStableFunc(files, func(a, b string) int { return int(size(b) - size(a)) })
	}
	for _, f := range files[:min(n, len(files))] {
		if err := flip(l.rand, f); err != nil {
			return err
		}
	}
	return nil
}

// intact runs ci until it succeeds, at most three times: what it then has made
// must be the clean tree.
func (l *lab) intact(ctx context.Context, want tree, p place) error {
	var refused error
	for range 3 {
		if refused = l.ci(ctx, p); refused == nil {
			return sameTree(want, p)
		}
		l.say("refused: %s", strings.SplitN(refused.Error(), "\n", 3)[1])
	}
	return fmt.Errorf("it noticed and never healed: %w", refused)
}

// restoreStore copies the store away and back, as a CI cache does: other
// inodes, other times.
func restoreStore(ctx context.Context, l *lab) error {
	want, _, err := l.clean(ctx)
	if err != nil {
		return err
	}
	p, err := l.open("home", "project")
	if err != nil {
		return err
	}
	if err := l.ci(ctx, p); err != nil {
		return err
	}
	for round, altered := range []int{0, 25, 25} {
		if err := p.dropModules(); err != nil {
			return err
		}
		away := filepath.Join(l.scratch, "away")
		if err := os.RemoveAll(away); err != nil {
			return err
		}
		if said, err := exec.CommandContext(ctx, "cp", "-a", p.home, away).CombinedOutput(); err != nil {
			return fmt.Errorf("cp: %w\n%s", err, said)
		}
		if altered > 0 {
			if err := l.damage(away, altered, round); err != nil {
				return err
			}
		}
		if err := errors.Join(os.RemoveAll(p.home), os.Rename(away, p.home)); err != nil {
			return err
		}
		if err := l.registry.Reset(); err != nil {
			return err
		}
		if err := l.intact(ctx, want, p); err != nil {
			return fmt.Errorf("with %d files altered: %w", altered, err)
		}
		stats, err := l.registry.Stats()
		if err != nil {
			return err
		}
		l.say("restored with %d files altered: the clean tree, %d tarballs fetched", altered, stats.Tarballs)
		if altered == 0 && stats.Tarballs > 0 {
			return fmt.Errorf("a restored store that nobody altered made it fetch %d tarballs", stats.Tarballs)
		}
	}
	return nil
}

// diskFull mounts file systems that are too small.
func diskFull(ctx context.Context, l *lab) error {
	want, _, err := l.clean(ctx)
	if err != nil {
		return err
	}
	disk := filepath.Join(l.scratch, "disk")
	if err := os.MkdirAll(disk, 0o755); err != nil {
		return err
	}
	for _, megabytes := range []int{2, 30, 90, 200, 300} {
		if err := l.fill(ctx, want, disk, megabytes); err != nil {
			return fmt.Errorf("%d MB: %w", megabytes, err)
		}
	}
	return nil
}

func (l *lab) fill(ctx context.Context, want tree, disk string, megabytes int) (err error) {
	mount := func(options string) error {
		said, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", options, "tmpfs", disk).CombinedOutput()
		if err != nil {
			return fmt.Errorf("mounting a small tmpfs (needs root): %w: %s", err, said)
		}
		return nil
	}
	if err := mount(fmt.Sprintf("size=%dm", megabytes)); err != nil {
		return err
	}
	defer func() {
		// ctx may have ended
		if said, e := exec.Command("umount", disk).CombinedOutput(); e != nil {
			err = errors.Join(err, fmt.Errorf("umount: %w: %s", e, said))
		}
	}()
	p, err := l.open("disk/home", "disk/project")
	if err != nil {
		return err
	}
	before, err := snapshot(p.project)
	if err != nil {
		return err
	}
	for _, args := range [][]string{{"ci", "--ignore-scripts"}, {"install", "--ignore-scripts"}} {
		err = l.run(ctx, p, args...)
		switch {
		case err == nil:
			return fmt.Errorf("%s fits in: choose less", args[0])
		case !strings.Contains(err.Error(), "ENOSPC") && !strings.Contains(err.Error(), "no space left"):
			return fmt.Errorf("%s does not say that the disk is full: %w", args[0], err)
		}
		l.say("%d MB, %s: %s", megabytes, args[0], strings.Join(strings.Split(err.Error(), "\n")[1:min(3, strings.Count(err.Error(), "\n")+1)], " | "))
		after, err := snapshot(p.project)
		if err != nil {
			return err
		}
		for _, name := range []string{"package.json", "package-lock.json"} {
			if after[name] != before[name] {
				return fmt.Errorf("%s changed %s", args[0], name)
			}
		}
	}
	if err := mount("remount,size=2g"); err != nil {
		return err
	}
	if err := l.ci(ctx, p); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	if err := sameTree(want, p); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	return l.run(ctx, p, "cache", "verify")
}
