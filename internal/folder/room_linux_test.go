package folder

import (
	"bufio"
	"fmt"
	"os"
	"testing"
)

func tableSize(t *testing.T) int {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "FDSize: %d", &n); err == nil {
			return n
		}
	}
	t.Fatal("the kernel does not say how large the table of files is")
	return 0
}

func TestMakeRoom(t *testing.T) {
	want := min(2*tableSize(t), MaxOpen())
	MakeRoom(want)
	if got := tableSize(t); got < want {
		t.Errorf("room for %d files, not %d", got, want)
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == fmt.Sprint(want-1) {
			t.Error("the descriptor that made room is still there")
		}
	}
}
