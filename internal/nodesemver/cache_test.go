package nodesemver

import (
	"sync"
	"testing"
)

func TestCacheAnswersAsWithoutIt(t *testing.T) {
	var c Cache
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, v := range []string{"1.2.3", "v1.2.3", "1.2.3-beta", "none"} {
				for _, r := range []string{"^1", "1.2.3-alpha || 2", "no range at all", ""} {
					for _, o := range modes {
						for range 2 { // not remembered, then remembered
							if got, want := c.Satisfies(v, r, o), SatisfiesWith(v, r, o); got != want {
								t.Errorf("%q in %q with %+v: %v, want %v", v, r, o, got, want)
							}
						}
					}
				}
			}
		})
	}
	wg.Wait()
	one, err := c.Range("^1", Options{})
	two, _ := c.Range("^1", Options{})
	if err != nil || one != two {
		t.Error("a range is parsed twice")
	}
	if _, err := c.Range("no range at all", Options{}); err == nil {
		t.Error("an error is forgotten")
	}
}
