package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// commands.json has what npm's own command line did.
type recordedCommands struct {
	Definitions [][]any // key, usage, type, deprecated, exported, short
	Lists       []recordedCommand
	Gets        []recordedCommand
	Sets        []recordedCommand
	Unknown     []recordedCommand
}

type recordedCommand struct {
	Files    map[string]string
	Args     []string
	Env      map[string]string
	After    map[string][2]string // text and mode
	Out, Err string
	Code     int
}

// in makes a home directory for the command and loads its configuration.
func (r recordedCommand) in(t *testing.T, files map[string]string) (c *Config, root string) {
	t.Helper()
	root = t.TempDir()
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	for _, dir := range []string{"home", "project", "prefix/bin", "prefix/etc"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]string{"project/package.json": "{}"}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	environ := []string{"HOME=" + root + "/home", "PREFIX=" + root + "/prefix", "TZ=UTC", "LANG=C.UTF-8", "SHELL=/bin/sh"}
	for k, v := range r.Env {
		environ = append(environ, k+"="+v)
	}
	c, err := Load(Env{Args: r.Args, Environ: environ, Cwd: root + "/project", NPMVersion: "12.2.0", NodeGyp: "NPM/node_modules/node-gyp/bin/node-gyp.js"})
	if err != nil {
		t.Fatal(err)
	}
	return c, root
}

// Every key of npm's table is here with its flag, types and default.
func TestDefinitionsAsNPM(t *testing.T) {
	var file recordedCommands
	readRecordings(t, "commands.json", &file)
	for _, d := range file.Definitions {
		key := d[0].(string)
		def := Lookup(key)
		if def == nil {
			t.Errorf("%s is missing", key)
			continue
		}
		// These depend on the machine and on the terminal.
		if got := def.Usage(); got != d[1] && key != "local-address" && key != "progress" {
			t.Errorf("usage of %s is %s, npm has %s", key, got, d[1])
		}
		if got := def.TypeText(); got != d[2] && d[2] != "" {
			t.Errorf("type of %s is %s, npm has %s", key, got, d[2])
		}
		if got := def.Deprecated != ""; got != d[3] {
			t.Errorf("%s: deprecated is %v", key, got)
		}
		if got := !def.NoEnv; got != d[4] {
			t.Errorf("%s: exported is %v", key, got)
		}
		if def.Short != d[5] {
			t.Errorf("%s: short is %s", key, def.Short)
		}
		if def.Description == "" {
			t.Errorf("%s has no description", key)
		}
	}
	if !slices.IsSortedFunc(Definitions(), func(a, b Definition) int { return strings.Compare(a.Key, b.Key) }) {
		t.Error("definitions are not sorted")
	}
	// shrinkwrap is gone from npm, keyring and package-import-method are ibid's own.
	if got, want := len(definitions), len(file.Definitions)+3; got != want {
		t.Errorf("%d definitions, npm has %d", got, want)
	}
}

func TestListAsNPM(t *testing.T) {
	var file recordedCommands
	readRecordings(t, "commands.json", &file)
	files := map[string]string{
		"home/.npmrc":    "tag=u\n//r.example/:_authToken=secret\n//r.example/:email=e\n@s:registry=https://u:pass@s.example/\nb=1\nA=2\n10=x\nomit[]=dev\nsave-exact=true\nmessage=npm_" + strings.Repeat("a", 36) + "\n",
		"project/.npmrc": "tag=p\ncache=~/c\nonly=prod\n_auth=x\n",
	}
	defer func(l *time.Location) { time.Local = l }(time.Local)
	time.Local = time.UTC
	for _, list := range file.Lists {
		c, root := list.in(t, files)
		var got string
		want := list.Out
		if c.Bool("json") {
			got = string(c.ListJSON()) + "\n"
		} else {
			got = c.ListText(c.Bool("long"))
			want, _, _ = strings.Cut(want, "\n\n; node bin")
			want = strings.TrimRight(want, "\n")
		}
		got = strings.ReplaceAll(got, root, "ROOT")
		want = strings.ReplaceAll(want, `["dev","dev"]`, `["dev"]`) // npm adds to the user's list
		compareLines(t, strings.Join(list.Args, " "), got, want)
	}
	for _, get := range file.Gets {
		c, root := recordedCommand{Args: get.Args[1:]}.in(t, files)
		var out []string
		var failed error
		keys := append(get.Args[:1:1], c.Args()...)
		for _, key := range keys {
			s, err := c.Show(key)
			if err != nil {
				failed = err
				break
			}
			if len(keys) > 1 {
				s = key + "=" + s
			}
			out = append(out, s)
		}
		got := strings.Join(out, "\n") + "\n"
		if failed != nil {
			got = ""
		}
		if got = strings.ReplaceAll(got, root, "ROOT"); got != get.Out || (failed != nil) != (get.Code != 0) {
			t.Errorf("get %q: %q, %v, npm prints %q", get.Args, got, failed, get.Out)
		}
	}
}

func compareLines(t *testing.T, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Errorf("%s, line %d:\n got %s\nwant %s", what, i+1, a, b)
			return
		}
	}
}

// config set, delete and fix leave the files that npm leaves.
func TestChangeAsNPM(t *testing.T) {
	var file recordedCommands
	readRecordings(t, "commands.json", &file)
	for _, set := range file.Sets {
		c, root := set.in(t, set.Files)
		words := c.Args()
		if words[0] == "config" {
			words = words[1:]
		}
		var err error
		out := ""
		switch words[0] {
		case "set":
			err = c.Change(c.Location(), ParseSettings(words[1:]))
		case "delete", "rm":
			err = c.Remove(c.Location(), words[1:])
		case "fix":
			out, err = fix(c)
		}
		if (err != nil) != (set.Code != 0) {
			t.Errorf("%q: %v", set.Args, err)
		}
		if words[0] == "fix" && out != set.Out {
			t.Errorf("%q prints %s, npm\n%s", set.Args, out, set.Out)
		}
		for _, name := range []string{"home/.npmrc", "project/.npmrc", "prefix/etc/npmrc"} {
			var got, want string
			if data, err := os.ReadFile(filepath.Join(root, name)); err == nil {
				got = strings.ReplaceAll(string(data), root, "ROOT")
			}
			if want = set.After[name][0]; got != want {
				t.Errorf("%q: %s is\n%s, npm leaves\n%s", set.Args, name, got, want)
			}
		}
		if _, changed := set.After["home/.npmrc"]; changed && set.After["home/.npmrc"][1] == "600" {
			if st, err := os.Stat(filepath.Join(root, "home/.npmrc")); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("%q: the user's file has mode %v, %v", set.Args, st.Mode(), err)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(root, "*", "._npmrc-*")); len(left) > 0 {
			t.Errorf("%q leaves %q", set.Args, left)
		}
	}
}

// fix is what npm's command does with Repair.
func fix(c *Config) (string, error) {
	var invalid *InvalidAuthError
	if err := c.Validate(); !errors.As(err, &invalid) {
		return "", err
	}
	problems := invalid.Problems
	if !c.IsDefault("location") {
		problems = slices.DeleteFunc(problems, func(p AuthProblem) bool { return p.Layer != c.Location() })
	}
	c.Repair(problems)
	out := "The following configuration problems have been repaired:\n\n"
	for _, p := range problems {
		out += p.String() + "\n"
		if err := c.Save(p.Layer); err != nil {
			return out, err
		}
	}
	return out, nil
}

func TestCheckUnknownAsNPM(t *testing.T) {
	var file recordedCommands
	readRecordings(t, "commands.json", &file)
	for _, u := range file.Unknown {
		if u.Args[len(u.Args)-1] == "--sav" || u.Args[len(u.Args)-1] == "-quiet" {
			continue // fails while loading
		}
		c, root := u.in(t, u.Files)
		err := c.CheckUnknown()
		var lines []string
		for _, w := range c.Warnings() {
			lines = append(lines, strings.TrimRight("npm "+w.Level+" "+w.Text, " "))
		}
		if err != nil {
			lines = append(lines, "npm error code EUNKNOWNCONFIG")
			for line := range strings.SplitSeq(err.Error(), "\n") {
				lines = append(lines, strings.TrimRight("npm error "+line, " "))
			}
		}
		got := strings.ReplaceAll(strings.Join(lines, "\n")+"\n", root, "ROOT")
		if got != u.Err {
			t.Errorf("%q says\n%s, npm\n%s", u.Args, got, u.Err)
		}
	}
}

func TestASettingOfIbidsOwnIsNotUnknown(t *testing.T) {
	c := load(t, []string{"run", "x", "--verify-deps-before-run=error", "--strict-npmrc"}, []string{"npm_config_verify_deps_before_run=false"},
		map[string]string{"project/.npmrc": "verify-deps-before-run=install\n"})
	if err := c.CheckUnknown(); err != nil {
		t.Error(err)
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Errorf("%+v", w)
	}
	if got := c.String("verify-deps-before-run"); got != "error" {
		t.Errorf("it is %q", got)
	}
}
