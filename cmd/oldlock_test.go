package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What an old lock lacks npm asks of the registry in the form for installing,
// which has no license. A registry without that form, and whoever has to see the
// dates, answers in full (npm 11.19.1: build-ideal-tree.js #inflateAncientLockfile).
func TestAnOldLockGetsWhatTheRegistryTellsThoseWhoInstall(t *testing.T) {
	const lock = `{"name":"app","version":"1.0.0","lockfileVersion":1,"requires":true,"dependencies":{"a":{"version":"1.0.0"}}}`
	for _, c := range []struct {
		name     string
		fullOnly bool
		flags    []string
		license  bool
	}{
		{name: "a registry with an abbreviated form"},
		{name: "a registry without one", fullOnly: true, license: true},
		{name: "with a date", flags: []string{"--before=2999-01-01"}, license: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPublishing(t, map[string]string{"package.json": `{"name":"app","version":"1.0.0","dependencies":{"a":"1"}}`})
			p.registry.Heal()
			p.registry.FullOnly = c.fullOnly
			if err := p.registry.Add(`{"name":"a","version":"1.0.0","license":"MIT"}`, nil); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(p.dir, "package-lock.json")
			for _, more := range [][]string{nil, {"--prefer-offline"}} {
				p.write(path, lock)
				if status := p.run(append(append([]string{"install", "--package-lock-only", "--no-audit"}, c.flags...), more...)...); status != 0 {
					t.Fatalf("exit status %d: %s", status, p.err.String())
				}
				got, err := os.ReadFile(path)
				if err != nil || !strings.Contains(string(got), `"lockfileVersion": 3`) {
					t.Fatalf("%v: %s", err, got)
				}
				if has := strings.Contains(string(got), `"license": "MIT"`); has != c.license {
					t.Errorf("license: %v, want %v: %s", has, c.license, got)
				}
			}
		})
	}
	t.Run("without a network the full form will do", func(t *testing.T) {
		p := newPublishing(t, map[string]string{"package.json": `{"name":"app","version":"1.0.0","dependencies":{"a":"1"}}`})
		p.registry.Heal()
		if err := p.registry.Add(`{"name":"a","version":"1.0.0","license":"MIT","engines":{"node":"*"}}`, nil); err != nil {
			t.Fatal(err)
		}
		if status := p.run("install", "--package-lock-only", "--no-audit"); status != 0 {
			t.Fatalf("exit status %d: %s", status, p.err.String())
		}
		path := filepath.Join(p.dir, "package-lock.json")
		p.write(path, lock)
		if status := p.run("install", "--package-lock-only", "--offline"); status != 0 {
			t.Fatalf("exit status %d: %s", status, p.err.String())
		}
		got, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(got), `"engines"`) || strings.Contains(string(got), `"license"`) {
			t.Errorf("%v: %s", err, got)
		}
	})
}
