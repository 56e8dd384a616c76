package cmd

import (
	"fmt"
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
	a.progress.request(e)
	switch e.Kind {
	case registry.RequestDone:
		a.timing.add("requests", 1)
		a.timing.add("bytes received", e.Bytes)
		if e.Err == nil && (a.level >= levelHTTP || a.debug != nil) {
			a.logPrefixed(levelHTTP, "fetch", fmt.Sprintf("%s %d %s %dms", e.Method, e.Status, e.URL, e.Elapsed.Milliseconds()))
		}
	case registry.CacheHit, registry.CacheStale, registry.CacheValidated:
		a.timing.add("metadata from cache", 1)
	case registry.NoticeReceived:
		a.log(levelNotice, e.Text)
	}
}
