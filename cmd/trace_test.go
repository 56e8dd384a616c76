package cmd

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestProfileTakesItsFlagsFromAnywhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cpu")
	rest, stop, err := profile([]string{"run", "--cpuprofile=" + file, "x", "--", "--trace=mine"})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if !slices.Equal(rest, []string{"run", "x", "--", "--trace=mine"}) {
		t.Errorf("%q are left", rest)
	}
	if st, err := os.Stat(file); err != nil || st.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
	_, stop, err = profile([]string{"--trace=" + filepath.Join(file, "below")})
	stop()
	if err == nil {
		t.Error("a file that cannot be made is no error")
	}
}
