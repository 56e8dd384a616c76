package cmd

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ibid-pm/ibid/registry"
)

// timing collects where the time of a run goes, for --timing.
type timing struct {
	mu     sync.Mutex
	start  time.Time
	last   time.Time
	phases []phase
	counts map[string]int64
}

type phase struct {
	name string
	took time.Duration
}

func newTiming() *timing {
	now := time.Now()
	return &timing{start: now, last: now, counts: map[string]int64{}}
}

// done ends a phase that began when the one before it ended. A nil timing takes
// everything and keeps nothing.
func (t *timing) done(name string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.phases = append(t.phases, phase{name, now.Sub(t.last)})
	t.last = now
}

func (t *timing) add(name string, n int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.counts[name] += n
	t.mu.Unlock()
}

func (t *timing) print(a *App) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.phases {
		fmt.Fprintf(a.Stderr, "%10.1f ms  %s\n", float64(p.took.Microseconds())/1000, p.name)
	}
	fmt.Fprintf(a.Stderr, "%10.1f ms  in all\n", float64(time.Since(a.start).Microseconds())/1000)
	for _, name := range []string{"requests", "bytes received", "metadata from cache", "packages fetched", "packages unpacked", "packages linked"} {
		if n := t.counts[name]; n > 0 {
			fmt.Fprintf(a.Stderr, "%10d     %s\n", n, name)
		}
	}
}

// onRequest hears of every request, for timing and progress.
func (a *App) onRequest(e registry.Event) {
	switch e.Kind {
	case registry.RequestDone:
		a.timing.add("requests", 1)
		a.timing.add("bytes received", e.Bytes)
		if a.level >= levelHTTP && e.Err == nil {
			a.logPrefixed(levelHTTP, "fetch", fmt.Sprintf("%s %d %s %dms", e.Method, e.Status, e.URL, e.Elapsed.Milliseconds()))
		}
	case registry.CacheHit, registry.CacheStale, registry.CacheValidated:
		a.timing.add("metadata from cache", 1)
	case registry.NoticeReceived:
		a.log(levelNotice, e.Text)
	}
}

// profile starts the profiles that the environment asks for and gives what ends
// them: --cpuprofile and --trace, which are ibid's own.
func (a *App) profile() func() {
	var ends []func()
	for _, kv := range a.Environ {
		var file string
		switch {
		case len(kv) > 16 && kv[:16] == "IBID_CPUPROFILE=":
			file = kv[16:]
			if f, err := os.Create(file); err == nil && pprof.StartCPUProfile(f) == nil {
				ends = append(ends, func() { pprof.StopCPUProfile(); f.Close() })
			}
		case len(kv) > 11 && kv[:11] == "IBID_TRACE=":
			file = kv[11:]
			if f, err := os.Create(file); err == nil && trace.Start(f) == nil {
				ends = append(ends, func() { trace.Stop(); f.Close() })
			}
		case len(kv) > 16 && kv[:16] == "IBID_MEMPROFILE=":
			file = kv[16:]
			ends = append(ends, func() {
				if f, err := os.Create(file); err == nil {
					runtime.GC()
					pprof.WriteHeapProfile(f)
					f.Close()
				}
			})
		}
	}
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

// memProfileRate is Go's usual one where a profile is asked for, else 0.
func memProfileRate(environ []string) int {
	if slices.ContainsFunc(environ, func(kv string) bool { return strings.HasPrefix(kv, "IBID_MEMPROFILE=") }) {
		return runtime.MemProfileRate
	}
	return 0
}
