package cmd

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/config"
)

// optionsBeyondNPM are what ibid's help names and npm's does not. npm listens to
// most of them too, without saying so.
var optionsBeyondNPM = map[string]string{
	"json":                   "each command that prints JSON says so",
	"package-import-method":  "is ibid's own",
	"keyring":                "is ibid's own",
	"registry":               "decides where a request goes",
	"otp":                    "npm asks for one, and takes it from here",
	"parseable":              "npm prints so, and says it in its page only",
	"tag-version-prefix":     "npm says it in its page only",
	"message":                "npm says it in its page only",
	"ignore-scripts":         "npm says it in its page only",
	"yes":                    "npm says it in its page only",
	"long":                   "npm says it in its page only",
	"foreground-scripts":     "run's, which test, start, stop and restart are",
	"if-present":             "run's, which test, start, stop and restart are",
	"workspace":              "run's, which test, start, stop and restart are",
	"workspaces":             "run's, which test, start, stop and restart are",
	"include-workspace-root": "run's, which test, start, stop and restart are",
}

// optionsNotHere are what npm's help names and ibid's does not.
var optionsNotHere = map[string]string{
	"help viewer": "ibid prints its help: there are no pages for a viewer",
}

// TestHelpNamesTheOptionsOfNPM holds each command's options and aliases against
// those of npm, recorded by testdata/options/record.js.
func TestHelpNamesTheOptionsOfNPM(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "options", "npm.json"))
	if err != nil {
		t.Fatal(err)
	}
	var npm struct {
		Commands map[string]struct{ Options, Aliases []string }
	}
	if err := json.Unmarshal(data, &npm); err != nil {
		t.Fatal(err)
	}
	root := newRootCmd(&App{Env: Env{Stdout: io.Discard}, heading: "npm"})
	excused := map[string]bool{}
	for name, want := range npm.Commands {
		c, rest := find(root, strings.Fields(name))
		if c == nil || len(rest) > 0 {
			t.Errorf("%s is missing", name)
			continue
		}
		help := (&App{Env: Env{Stdout: io.Discard}, heading: "npm"}).helpOf(c, false)
		keys := strings.Fields(c.Annotations[keysAnnotation])
		for _, key := range want.Options {
			if optionsNotHere[name+" "+key] != "" {
				excused[name+" "+key] = true
			} else if !slices.Contains(keys, key) && !strings.Contains(help, "--"+key) {
				t.Errorf("the help of %s lacks --%s", name, key)
			}
		}
		for _, key := range keys {
			if !slices.Contains(want.Options, key) {
				excused[key] = true
				if optionsBeyondNPM[key] == "" {
					t.Errorf("the help of %s has --%s, which is nothing to it", name, key)
				}
			}
			if config.Lookup(key) == nil {
				t.Errorf("%s: nobody knows --%s", name, key)
			}
		}
		got := slices.Sorted(slices.Values(c.Aliases))
		if !slices.Equal(got, want.Aliases) {
			t.Errorf("%s is also called %q, with npm %q", name, got, want.Aliases)
		}
	}
	for _, excuses := range []map[string]string{optionsBeyondNPM, optionsNotHere} {
		for key := range excuses {
			if !excused[key] {
				t.Errorf("%q needs no excuse", key)
			}
		}
	}
}
