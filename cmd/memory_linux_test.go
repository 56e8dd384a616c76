package cmd

import (
	"runtime"
	"testing"
)

// The runtime promises nothing of what largePages relies on.
func TestLargePagesAreTheHeapsWithoutACollection(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	largePages()
	runtime.ReadMemStats(&after)
	if n := after.NumGC - before.NumGC; n != 0 {
		t.Errorf("%d collections", n)
	}
	// Something of it may be filled by now.
	if idle := after.HeapIdle - after.HeapReleased; idle < deepStack/2 {
		t.Errorf("the heap has %d bytes to fill, of %d", idle, deepStack)
	}
	if after.StackInuse >= deepStack {
		t.Errorf("%d bytes are stacks still", after.StackInuse)
	}
}
