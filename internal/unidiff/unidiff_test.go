package unidiff

import (
	"encoding/json"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// recorded is what the jsdiff of an npm made of texts and of patches.
type recorded struct {
	Made []struct {
		Old, New    string
		Context     int
		IgnoreSpace bool
		Patch       string
	}
	Applied []struct {
		Source, Patch string
		Result        string
		Fails, Error  bool
	}
}

func recordings(t testing.TB) *recorded {
	data, err := os.ReadFile("testdata/jsdiff.json")
	if err != nil {
		t.Fatal(err)
	}
	r := new(recorded)
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHunksAreThoseOfJsdiff(t *testing.T) {
	for i, c := range recordings(t).Made {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			if got := Text(Diff(c.Old, c.New, Options{Context: c.Context, IgnoreSpace: c.IgnoreSpace})); got != c.Patch {
				t.Errorf("from %q to %q\ngot  %q\nwant %q", c.Old, c.New, got, c.Patch)
			}
		})
	}
}

func TestPatchesAreAppliedAsJsdiffDoes(t *testing.T) {
	for i, c := range recordings(t).Applied {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			files, err := Parse(c.Patch)
			if (err != nil || len(files) > 1) != c.Error {
				t.Fatalf("%q is read with %v, jsdiff's error is %v", c.Patch, err, c.Error)
			}
			if c.Error {
				return
			}
			got, ok := Apply(c.Source, files[0].Hunks)
			if ok == c.Fails || got != c.Result {
				t.Errorf("%q\nto %q\ngot  %q, %v\nwant %q, %v", c.Patch, c.Source, got, ok, c.Result, !c.Fails)
			}
		})
	}
}

// With nothing in common the search is not made: this is what it would find.
func TestTextsWithNothingInCommonAreReplaced(t *testing.T) {
	for n := range 5 {
		for m := range 5 {
			if n+m == 0 {
				continue
			}
			was, is := strings.Repeat("-\n", n), strings.Repeat("+\n", m)
			// One line in common, at the start, has the search made.
			searched := compare(splitLines("=\n"+was), splitLines("=\n"+is), false)[1:]
			direct := compare(splitLines(was), splitLines(is), false)
			if !slices.EqualFunc(searched, direct, func(a, b *run) bool { return a.kind == b.kind && a.count == b.count }) {
				t.Errorf("%d and %d lines: the search finds another way", n, m)
			}
		}
	}
}

func TestADiffTurnsTheOneIntoTheOther(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	text := func() string {
		var b strings.Builder
		for range r.Intn(40) {
			b.WriteString([]string{"a\n", "b\n", "c\n", "\n", "long line\n"}[r.Intn(5)])
		}
		if r.Intn(3) == 0 {
			b.WriteString("end")
		}
		return b.String()
	}
	for range 500 {
		was, is := text(), text()
		hunks := Diff(was, is, Options{Context: 3})
		files, err := Parse("--- a/x\n+++ b/x\n" + Text(hunks))
		if err != nil || len(files) != 1 {
			t.Fatalf("%q: %v", Text(hunks), err)
		}
		if got, ok := Apply(was, files[0].Hunks); !ok || got != is {
			t.Fatalf("from %q: got %q, want %q", was, got, is)
		}
	}
}

func TestAHunkFarOutsideFitsNowhereAndCostsNothing(t *testing.T) {
	for _, patch := range []string{
		"@@ -99999999999999999999,0 +1 @@\n+x\n",
		"@@ -2147483647,1 +1,1 @@\n-a\n+x\n",
		"@@ -1000000,0 +1,1 @@\n+x\n",
	} {
		files, err := Parse(patch)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := Apply("b\n", files[0].Hunks); ok && len(got) > 10 {
			t.Errorf("%q gives %q", patch, got)
		}
	}
}

func TestHunksOutOfOrderDoNotFit(t *testing.T) {
	files, err := Parse("@@ -3,1 +3,0 @@\n-3\n@@ -2,1 +2,0 @@\n-2\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := Apply("1\n2\n3\n4\n", files[0].Hunks); ok {
		t.Errorf("got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range recordings(f).Applied {
		f.Add(c.Patch, c.Source)
	}
	f.Fuzz(func(t *testing.T, patch, source string) {
		files, err := Parse(patch)
		if err != nil {
			return
		}
		for _, file := range files {
			added := 0
			for _, h := range file.Hunks {
				for _, line := range h.Lines {
					added += len(line) + 2
				}
			}
			// What is not UTF-8 grows threefold.
			if got, ok := Apply(source, file.Hunks); ok && len(got) > 3*len(source)+added+2 {
				t.Errorf("%q: %d bytes from %d", patch, len(got), len(source))
			}
		}
	})
}
