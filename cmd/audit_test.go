package cmd

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What npm finds vulnerable of a package that depends on something that is, and how
// it writes that down: testdata/metavuln/record.js asked it.
func TestVulnerableRangesAsNPMs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "metavuln", "metavuln.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Cases []struct {
			Versions   map[string]bool
			Vulnerable []string
			Range      string
		}
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded.Cases) < 200 {
		t.Errorf("npm was asked only %d times", len(recorded.Cases))
	}
	for _, c := range recorded.Cases {
		adv := &advisory{tested: maps.Clone(c.Versions), marked: map[string]bool{}}
		for v, hit := range c.Versions {
			if !hit {
				delete(adv.tested, v) // it asks for nothing
			}
		}
		adv.source = &advisory{}
		adv.has(slices.Collect(maps.Keys(c.Versions)))
		adv.testAll()
		var hits []string
		for _, v := range adv.versions {
			if adv.marked[v] {
				hits = append(hits, v)
			}
		}
		if got := adv.vulnerableRange(); got != c.Range || !slices.Equal(hits, c.Vulnerable) {
			t.Errorf("of %v: %v, %q; npm has %v, %q", adv.versions, hits, got, c.Vulnerable, c.Range)
		}
	}
}
