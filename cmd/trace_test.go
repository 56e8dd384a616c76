package cmd

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestProfileTakesItsFlagsFromAnywhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cpu")
	for _, asked := range [][]string{{"--cpuprofile=" + file}, {"--cpuprofile", file}} {
		os.Remove(file)
		args := slices.Concat([]string{"run"}, asked, []string{"x", "--", "--trace=mine"})
		rest, stop, err := profile(args)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if !slices.Equal(rest, []string{"run", "x", "--", "--trace=mine"}) {
			t.Errorf("of %q %q are left", args, rest)
		}
		if st, err := os.Stat(file); err != nil || st.Size() == 0 {
			t.Errorf("%q: no profile: %v", args, err)
		}
	}
	if rest, _, err := profile([]string{"run", "--trace"}); err != nil || !slices.Equal(rest, []string{"run", "--trace"}) {
		t.Errorf("a flag without a file leaves %q, %v", rest, err)
	}
	_, stop, err := profile([]string{"--trace=" + filepath.Join(file, "below")})
	stop()
	if err == nil {
		t.Error("a file that cannot be made is no error")
	}
}
