package tarball_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/inflate"
	"github.com/ibid-pm/ibid/internal/tarball"
	tt "github.com/ibid-pm/ibid/internal/tarball/tarballtest"
)

// A cleared buffer serves the next tarball, whether the last one was as large as
// its room or larger.
func TestAClearedBufferServesTheNextTarball(t *testing.T) {
	room := inflate.Room(64 << 10)
	buf := tarball.NewBuffer(room)
	for _, size := range []int{1, 40 << 10, 200 << 10, 40 << 10} {
		content := strings.Repeat("x", size)
		a, err := tarball.Read(tt.Package("x", content), tarball.Options{Buffer: buf})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Content(a.Files[0]); !bytes.Equal(got, []byte(content)) {
			t.Errorf("%d bytes came out as %d others", size, len(got))
		}
		inRoom := len(a.Data) <= len(room)
		if inRoom != (&a.Data[0] == &room[0]) {
			t.Errorf("%d bytes: in the room? %v", size, !inRoom)
		}
		buf.Clear()
		if runtime.GOOS == "linux" && bytes.IndexFunc(room, func(r rune) bool { return r != 0 }) >= 0 {
			t.Error("the room's memory was not given back: it still has what was written")
		}
	}
}
