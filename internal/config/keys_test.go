package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recordedKeys is testdata/keys.json: what keys are when they are set in each
// way to each of several values, and where that comes from.
type recordedKeys struct {
	Unset map[string]string
	Alike []struct {
		Keys []string
		Ways struct {
			Alone, No, Line string
			Flag            map[string][]string
			FlagEquals      map[string][]string `json:"flag="`
			Env, File       map[string][]string
		}
	}
}

// Every key of npm's table takes the values that npm takes, and its default
// otherwise, as a flag, in the environment and in a file.
func TestEachKeyAsNPM(t *testing.T) {
	var file recordedKeys
	readRecordings(t, "keys.json", &file)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"home", "project"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	rc := filepath.Join(root, "project", ".npmrc")
	if err := os.WriteFile(filepath.Join(root, "project", "package.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	written := ""
	ask := func(key, text string, args []string, environ ...string) string {
		if text != written {
			// ext4 waits for the disk where a file is emptied and written again.
			if err := os.Remove(rc); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := os.WriteFile(rc, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			written = text
		}
		environ = append([]string{"HOME=" + root + "/home", "PREFIX=" + root + "/prefix", "LANG=C.UTF-8", "SHELL=/bin/sh"}, environ...)
		c, err := Load(Env{Args: args, Environ: environ, Cwd: filepath.Join(root, "project"), NPMVersion: "12.2.0", NodeGyp: "NPM/node_modules/node-gyp/bin/node-gyp.js", Platform: "linux", Arch: "x64"})
		if err == nil {
			err = c.Validate()
		}
		var auth *InvalidAuthError
		switch {
		case errors.As(err, &auth):
			return "needs config fix"
		case err != nil:
			return "error " + strings.ReplaceAll(err.Error(), root, "ROOT")
		}
		v, layer := c.find(key)
		value := `"__undefined"`
		if v.kind != Undefined {
			value = v.JSON()
		}
		got := value + " " + layer.String()
		if words := c.Args(); len(words) > 0 {
			got += " and words " + jsonText(words)
		}
		return strings.ReplaceAll(got, root, "ROOT")
	}
	asked := 0
	for _, alike := range file.Alike {
		for i, key := range alike.Keys {
			check := func(how, want, got string) {
				t.Helper()
				asked++
				if want == "unset" {
					want = file.Unset[key]
				}
				if got != want && !elsewise(key, got, want) {
					t.Errorf("%s is\n  %s, npm has\n  %s", how, got, want)
				}
			}
			w := alike.Ways
			flag, variable := "--"+key, "npm_config_"+key[:1]+strings.ReplaceAll(key[1:], "-", "_")
			check(key+" where nothing says it", "unset", ask(key, "", nil))
			check(flag, w.Alone, ask(key, "", []string{flag}))
			check("--no-"+key, w.No, ask(key, "", []string{"--no-" + key}))
			check("a file with "+key, w.Line, ask(key, key+"\n", nil))
			each := func(results map[string][]string, do func(value string) (how, got string)) {
				for n, want := range slices.Sorted(maps.Keys(results)) {
					values := results[want]
					if i > 0 { // a few are enough for those that are like the first
						if values = values[:1]; n == 3 {
							break
						}
					}
					for _, value := range values {
						how, got := do(value)
						check(how, want, got)
					}
				}
			}
			each(w.FlagEquals, func(value string) (how, got string) {
				return fmt.Sprintf("%s=%s", flag, value), ask(key, "", []string{flag + "=" + value})
			})
			each(w.Flag, func(value string) (how, got string) {
				return fmt.Sprintf("%s %q", flag, value), ask(key, "", []string{flag, value})
			})
			each(w.Env, func(value string) (how, got string) {
				return variable + "=" + value, ask(key, "", nil, variable+"="+value)
			})
			each(w.File, func(value string) (how, got string) {
				return fmt.Sprintf("a file with %s=%s", key, value), ask(key, key+"="+value+"\n", nil)
			})
		}
	}
	var keys []string
	for key := range file.Unset {
		keys = append(keys, key)
	}
	for _, def := range Definitions() {
		if !slices.Contains(keys, def.Key) && def.Key != "shrinkwrap" && !def.Own {
			t.Errorf("npm has no %s", def.Key)
		}
	}
	t.Logf("%d keys, %d questions", len(keys), asked)
}

// elsewise says whether ibid's answer is as good as npm's, which is another.
func elsewise(key, got, want string) bool {
	switch key {
	case "git", "editor", "shell", "init-module": // a project does not choose programs
		return strings.HasSuffix(want, " project") && strings.HasSuffix(got, " default")
	case "global", "location": // nor does it change what is global
		return want == "true project" && got == "false default" || want == `"global" project` && got == `"user" default`
	case "globalconfig", "global-ignore-file":
		// npm moves these to the default layer, where what is no path stays what it
		// is: a setting of true or null is as good as none here.
		value, _, _ := strings.Cut(got, " ")
		other, layer, _ := strings.Cut(want, " ")
		return layer == "default" && (value == other || strings.HasPrefix(value, `"ROOT/prefix/etc/`) && !strings.HasPrefix(other, `"`))
	case "include", "omit": // a list without what was refused
		return strings.HasPrefix(got, "[] ") && strings.HasPrefix(want, `"__undefined" `)
	case "init.author.email", "init.author.name", "init.license": // deprecated, and null
		return got == `"null" project` && want == `"" default`
	case "prefix": // node's own error about a prefix of true, false or null
		return strings.HasPrefix(want, `error The "paths[0]" argument`) && got == `"ROOT/prefix" default`
	case "registry":
		return want == "error Invalid URL" && strings.HasPrefix(got, "error registry=") && strings.HasSuffix(got, " is no URL")
	}
	return false
}
