package nodesemver

import "testing"

// Resolution compares and matches by the hundred thousand.
func TestComparingAndMatchingAllocateNothing(t *testing.T) {
	a, b := parse("1.2.3-beta.9", true), parse("1.2.3-beta.10", true)
	r, err := ParseRange("^1.0.0 || ^1.2.3-beta.2", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(){
		"Compare":       func() { Compare(a, b) },
		"CompareBuild":  func() { CompareBuild(a, b) },
		"Match":         func() { r.Match(b) },
		"String":        func() { _ = a.String() },
		"Valid, if not": func() { Valid("^1.2.3", true) },
		"IsRange":       func() { IsRange("^1.2.3", Options{Loose: true}) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
