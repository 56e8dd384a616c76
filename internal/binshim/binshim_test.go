package binshim

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// recorded is what npm's cmd-shim wrote for a file, and what npm's
// read-cmd-shim read from that.
type recorded struct {
	Name, File, Target, Sh, Cmd, Ps1 string
	Read                             [3]string
}

func recordings(t testing.TB) []recorded {
	data, err := os.ReadFile("testdata/cmd-shim.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []recorded }
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all.Cases
}

func TestTheScriptsAreNpms(t *testing.T) {
	for _, c := range recordings(t) {
		t.Run(c.Name, func(t *testing.T) {
			for i, f := range New(c.Target, []byte(c.File)).Files("x") {
				if want := [3]string{c.Sh, c.Cmd, c.Ps1}[i]; f.Text != want {
					t.Errorf("%s is\n%q\nnpm's is\n%q", f.Name, f.Text, want)
				}
			}
		})
	}
}

func TestAScriptsTargetIsReadAsNpmReadsIt(t *testing.T) {
	for _, c := range recordings(t) {
		t.Run(c.Name, func(t *testing.T) {
			for i, name := range Names("x") {
				want := c.Read[i]
				if want == "ENOTASHIM" {
					want = ""
				}
				if got := Target(name, [3]string{c.Sh, c.Cmd, c.Ps1}[i]); got != want {
					t.Errorf("%s starts %q, npm reads %q", name, got, want)
				}
			}
		})
	}
}

func TestWhatIsNoShimStartsNothing(t *testing.T) {
	for _, text := range []string{"", "#!/bin/sh\necho hello\n", "@ECHO off\r\n", "$basedir"} {
		for _, name := range Names("x") {
			if got := Target(name, text); got != "" {
				t.Errorf("%s %q starts %q", name, text, got)
			}
		}
	}
}

// Whatever a program begins with, the scripts start the target they are for.
func FuzzNew(f *testing.F) {
	for _, c := range recordings(f) {
		f.Add(c.File)
	}
	f.Add("#!/usr/bin/env \xff\xfe node\n")
	f.Fuzz(func(t *testing.T, head string) {
		s := New("../a/cli.js", []byte(head))
		for _, c := range []struct{ text, start, end string }{
			{s.Sh, "#!/bin/sh\n", "\"$basedir/../a/cli.js\""},
			{s.Cmd, "@ECHO off\r\n", "\"%dp0%\\..\\a\\cli.js\""},
			{s.PowerShell, "#!/usr/bin/env pwsh\n", "\"$basedir/../a/cli.js\""},
		} {
			if !strings.HasPrefix(c.text, c.start) || !strings.Contains(c.text, c.end) {
				t.Errorf("%q gives %q", head, c.text)
			}
		}
	})
}
