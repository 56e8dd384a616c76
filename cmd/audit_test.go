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

// npm's registry is known however its address is written, and asked for no keys.
func TestTheKeysOfNPMsRegistryAreKnown(t *testing.T) {
	for _, address := range []string{"https://registry.npmjs.org/", "https://registry.npmjs.org:443/", "https://Registry.NPMjs.org"} {
		v := &signatureVerifier{keys: map[string]*registryKeys{}} // without an App there is no network
		if keys, err := v.keysOf(t.Context(), address); err != nil || len(keys) == 0 {
			t.Errorf("%s: %d keys, %v", address, len(keys), err)
		}
	}
}
