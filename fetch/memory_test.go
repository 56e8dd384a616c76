package fetch

import "testing"

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
