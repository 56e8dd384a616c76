package cmd

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// The runtime promises nothing of what largePages relies on.
func TestLargePagesAreTheHeapsWithoutACollection(t *testing.T) {
	// As limitHeap has it.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var err error
	for range 10 { // the runtime may just be giving idle memory back to the system
		runtime.GC() // none that another test began is under way
		if err = gainLargePages(); err == nil {
			return
		}
	}
	t.Error(err)
}

func gainLargePages() error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	largePages()
	// The goroutine ends some time after it has said that it is done.
	for start := time.Now(); ; runtime.Gosched() {
		runtime.ReadMemStats(&after)
		if after.StackInuse < deepStack || time.Since(start) > time.Minute {
			break
		}
	}
	var errs []error
	if n := after.NumGC - before.NumGC; n != 0 {
		errs = append(errs, fmt.Errorf("%d collections", n))
	}
	// Something of it may be filled by now.
	if idle := after.HeapIdle - after.HeapReleased; idle < deepStack/2 {
		errs = append(errs, fmt.Errorf("the heap has %d bytes to fill, of %d", idle, deepStack))
	}
	if after.StackInuse >= deepStack {
		errs = append(errs, fmt.Errorf("%d bytes are stacks still", after.StackInuse))
	}
	return errors.Join(errs...)
}
