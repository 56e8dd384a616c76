package cmd

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A run is short and frees little: collecting garbage only pays once there is
// more of it than a small machine should give. That is the lower limit while
// little of what is filled is in use, as when packages are unpacked, and up to
// the upper one where much is, as when a large tree is decided: as much garbage
// as there is in use. A tree that is larger still gets half of what is in use for
// garbage: less, and the collector would hardly ever stop.
const (
	heapLeast = 48 << 20
	heapLimit = 80 << 20
)

// limitHeap sets when garbage is collected. Before there is a limit, and before
// there is anything that a collection would have to look through, ready is called.
func limitHeap(ready func()) {
	debug.SetGCPercent(-1)
	ready()
	debug.SetMemoryLimit(heapLeast)
	limit := int64(heapLeast)
	afterCollection(func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if live[0].Value.Kind() != metrics.KindUint64 {
			return
		}
		inUse := int64(live[0].Value.Uint64())
		if want := max(min(2*inUse, heapLimit), 3*inUse/2); want > limit {
			limit = want
			debug.SetMemoryLimit(limit)
		}
	})
}

// afterCollection calls f each time that garbage was collected.
func afterCollection(f func()) {
	type garbage [32]byte // more than shares an allocation with others
	var again func(*garbage)
	again = func(g *garbage) {
		f()
		runtime.SetFinalizer(g, again)
	}
	runtime.SetFinalizer(new(garbage), again)
}
