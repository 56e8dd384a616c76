//go:build unix

package inflate

import (
	"math"
	"testing"
)

func TestARoomThatTheSystemHasNotIsTheHeaps(t *testing.T) {
	if n := len(Room(math.MaxInt / 4)); n != heapRoom {
		t.Errorf("%d bytes", n)
	}
}
