package fetch

import (
	"math/bits"
	"sync"
)

// memory lends buffers for downloads. What is given back serves the next
// tarball of about its size: there are thousands, most are small, and memory
// that is touched for the first time costs more than what is read into it.
type memory struct {
	mu   sync.Mutex
	free [maxClass + 1][][]byte // by the power of two of their size
	kept int                    // bytes in free
}

const (
	minClass = 14       // 16 KB, the smallest buffer
	maxClass = 23       // 8 MB, the largest that is kept
	mostKept = 24 << 20 // bytes that may wait for use
)

// get gives an empty buffer with room for size bytes.
func (m *memory) get(size int) []byte {
	class := max(minClass, bits.Len(uint(max(size, 1)-1)))
	if class > maxClass {
		return make([]byte, 0, size)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// One that is some times as large will do: it was touched already.
	for c := class; c <= min(class+2, maxClass); c++ {
		if n := len(m.free[c]); n > 0 {
			b := m.free[c][n-1]
			m.free[c] = m.free[c][:n-1]
			m.kept -= cap(b)
			return b
		}
	}
	return make([]byte, 0, 1<<class)
}

// put takes a buffer back, whether or not it came from get.
func (m *memory) put(b []byte) {
	class := bits.Len(uint(cap(b))) - 1 // it has room for 1<<class
	if class < minClass || class > maxClass {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept+cap(b) > mostKept {
		return
	}
	m.kept += cap(b)
	m.free[class] = append(m.free[class], b[:0])
}
