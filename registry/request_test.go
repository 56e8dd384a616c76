package registry

import (
	"bytes"
	"errors"
	"testing"
)

func TestABodyGrowsNoFurtherThanIsAllowed(t *testing.T) {
	for _, limit := range []int64{1, 5000, 66_000, 100_000, 1<<20 + 100} {
		text, err := readInto(nil, bytes.NewReader(make([]byte, limit+1)), limit)
		if !errors.Is(err, errTooLarge) || int64(cap(text)) > limit+limit/2+4096 {
			t.Errorf("limit %d: %v, room for %d", limit, err, cap(text))
		}
		text, err = readInto(nil, bytes.NewReader(make([]byte, limit)), limit)
		if err != nil || int64(len(text)) != limit {
			t.Errorf("limit %d: %d bytes, %v", limit, len(text), err)
		}
	}
}
