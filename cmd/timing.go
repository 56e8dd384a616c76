package cmd

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
)

// timing collects where the time of a run goes, for --timing.
type timing struct {
	mu     sync.Mutex
	start  time.Time
	last   time.Time
	phases []phase
	counts map[string]int64
	slow   []fetch.Event // the packages that took longest to fetch
}

// slowest is how many packages are shown that took longest.
const slowest = 5

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

// fetched hears of each package that was fetched or unpacked.
func (t *timing) fetched(e fetch.Event) {
	if t == nil {
		return
	}
	if e.Unpacked {
		t.add("packages unpacked", 1)
		return
	}
	t.add("packages fetched", 1)
	t.mu.Lock()
	defer t.mu.Unlock()
	at := slices.IndexFunc(t.slow, func(x fetch.Event) bool { return x.Took < e.Took })
	if at < 0 {
		at = len(t.slow)
	}
	t.slow = slices.Insert(t.slow, at, e)
	t.slow = t.slow[:min(len(t.slow), slowest)]
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
	for _, e := range t.slow {
		fmt.Fprintf(a.Stderr, "%10.1f ms  to fetch %s, %s\n", float64(e.Took.Microseconds())/1000, term.SafeLine(e.ID), bytesText(e.Downloaded))
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
