package fetch

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/tarball/tarballtest"
)

// What grows is copied, time and again, and all the copies are in memory: an archive
// of a GB took four.
func TestALargeTarballIsNotCopied(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("memory that is asked for counts as taken")
	}
	const size = 100 << 20
	block := make([]byte, 4<<10)
	for i := range block {
		block[i] = byte(rand.IntN(256))
	}
	tgz := tarballtest.Package("x", strings.Repeat(string(block), size/len(block)))
	f := New(Options{})
	buf := f.buffer(true)
	defer f.reuse(buf, true)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := f.read(&Request{ID: "x@1.0.0"}, tgz, buf); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > size/10 {
		t.Errorf("the heap gave %d bytes for %d", n, size)
	}
}

func TestMemoryServesAgain(t *testing.T) {
	var m memory
	b := m.get(100_000)
	if len(b) != 0 || cap(b) != 1<<17 {
		t.Fatalf("room for %d", cap(b))
	}
	b = append(b, 1)
	m.put(b)
	if m.kept != 1<<17 {
		t.Errorf("%d bytes wait", m.kept)
	}
	again := m.get(1 << 16) // half of it
	if cap(again) != 1<<17 || len(again) != 0 || again[:1][0] != 1 || m.kept != 0 {
		t.Errorf("got %d bytes with room for %d, %d wait", len(again), cap(again), m.kept)
	}
	if other := m.get(1 << 16); cap(other) != 1<<16 {
		t.Errorf("room for %d", cap(other))
	}

	m.put(make([]byte, 0, 3<<16)) // not from get
	if b := m.get(1 << 17); cap(b) != 3<<16 {
		t.Errorf("room for %d", cap(b))
	}
	m.put(make([]byte, 0, 100))
	m.put(make([]byte, 0, 1<<(maxClass+1)))
	m.put(nil)
	if m.kept != 0 {
		t.Errorf("%d bytes wait that are too few or too many", m.kept)
	}
	for range 10 {
		m.put(make([]byte, 0, mostKept/4))
	}
	if m.kept > mostKept {
		t.Errorf("%d bytes wait", m.kept)
	}
	if b := m.get(1<<maxClass + 1); cap(b) < 1<<maxClass+1 {
		t.Errorf("room for %d", cap(b))
	}
}
