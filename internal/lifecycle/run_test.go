package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// TestMain lets the test program be a script's program: with DUMP_TO set it
// writes down what it was given.
func TestMain(m *testing.M) {
	if file := os.Getenv("DUMP_TO"); file != "" {
		dir, _ := os.Getwd()
		data, _ := json.Marshal(dumped{Env: os.Environ(), Args: os.Args[1:], Dir: dir})
		if err := os.WriteFile(file, data, 0o600); err != nil {
			os.Exit(70)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type dumped struct {
	Env, Args []string
	Dir       string
}

func needSh(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs sh")
	}
}

// base is a small environment with a PATH that has sh.
func base(more ...string) []string {
	return append([]string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent"}, more...)
}

func TestScriptsSeeTheEnvironmentThatNPMGivesThem(t *testing.T) {
	needSh(t)
	data, err := os.ReadFile("testdata/environment.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Cases []struct {
			Name, Dir string
			Package   json.RawMessage
			Argv      []string
			Env       map[string]string
		}
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range recorded.Cases {
		t.Run(c.Name, func(t *testing.T) {
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var above []string
			for p := root; ; p = filepath.Dir(p) {
				above = append(above, filepath.Join(p, "node_modules/.bin"))
				if p == filepath.Dir(p) {
					break
				}
			}
			unmask := strings.NewReplacer("{ROOT}", root, "{ABOVE}", strings.Join(above, ":"),
				"{NODE_GYP_BIN}", "/gyp/bin", "{NODE_GYP}", "/gyp/node-gyp.js")
			dir := unmask.Replace(c.Dir)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			m, err := manifest.Parse(c.Package)
			if err != nil {
				t.Fatal(err)
			}
			pkg, err := jsjson.Parse(c.Package)
			if err != nil {
				t.Fatal(err)
			}
			node := Node{
				Path: dir,
				Package: Package{
					Name: m.Name, Version: m.Version, Bin: m.Bin, Engines: m.Engines,
					Config: jsjson.Raw(jsjson.Append(nil, pkg.Get("config"), "", "")),
				},
				Resolved:  unmask.Replace(c.Env["npm_package_resolved"]),
				Integrity: c.Env["npm_package_integrity"],
			}
			env := node.Package.Env()
			if node.Resolved != "" {
				env = node.env(nil)
			}
			out := filepath.Join(root, "out.json")
			event := c.Env["npm_lifecycle_event"]
			command := `"$SELF"`
			if err := Run(t.Context(), Options{
				Dir: dir, Event: event, Command: command, Args: c.Argv, PackageID: node.Package.ID(),
				Environ: base("SELF="+self, "DUMP_TO="+out), Env: env,
				NodeGyp: NodeGyp{Script: "/gyp/node-gyp.js", BinDir: "/gyp/bin"},
			}); err != nil {
				t.Fatal(err)
			}
			var got dumped
			if data, err = os.ReadFile(out); err == nil {
				err = json.Unmarshal(data, &got)
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Args, c.Argv) {
				t.Errorf("arguments %q, want %q", got.Args, c.Argv)
			}
			if got.Dir != dir {
				t.Errorf("folder %q, want %q", got.Dir, dir)
			}
			c.Env["npm_lifecycle_script"] = command
			seen := map[string]string{}
			for _, line := range got.Env {
				key, value, _ := strings.Cut(line, "=")
				if key == "PATH" || strings.HasPrefix(key, "npm_") {
					seen[key] = value
				}
			}
			for key, want := range c.Env {
				value, ok := seen[key]
				if want = unmask.Replace(want); !ok || value != want {
					t.Errorf("%s=%q (set: %t), want %q", key, value, ok, want)
				}
				delete(seen, key)
			}
			for key, value := range seen {
				t.Errorf("%s=%q is not in npm's", key, value)
			}
		})
	}
}

func TestQuotesAsPromiseSpawnDoes(t *testing.T) {
	data, err := os.ReadFile("testdata/quote.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Cases []struct{ In, Sh, Cmd, Cmd2 string }
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	for _, c := range recorded.Cases {
		if got := QuoteSh(c.In); got != c.Sh {
			t.Errorf("QuoteSh(%q) = %q, want %q", c.In, got, c.Sh)
		}
		if got := QuoteCmd(c.In, false); got != c.Cmd {
			t.Errorf("QuoteCmd(%q) = %q, want %q", c.In, got, c.Cmd)
		}
		if got := QuoteCmd(c.In, true); got != c.Cmd2 {
			t.Errorf("QuoteCmd(%q, double) = %q, want %q", c.In, got, c.Cmd2)
		}
	}
}

func FuzzQuoteSh(f *testing.F) {
	for _, s := range []string{"", "'", "''a", "a'''b", "$(x)", "\n", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		if strings.ContainsRune(arg, 0) {
			t.Skip()
		}
		// Reads the word back as a POSIX shell would.
		var word strings.Builder
		quoted := false
		q := QuoteSh(arg)
		for i := 0; i < len(q); i++ {
			switch c := q[i]; {
			case c == '\'':
				quoted = !quoted
			case c == '\\' && !quoted && i+1 < len(q):
				i++
				word.WriteByte(q[i])
			case !quoted && strings.IndexByte("\t\n\r \"#$&()*;<>?\\`|~", c) >= 0:
				t.Fatalf("%q has a bare %q", q, c)
			default:
				word.WriteByte(c)
			}
		}
		if quoted || word.String() != arg {
			t.Fatalf("QuoteSh(%q) = %q reads as %q", arg, q, word.String())
		}
	})
}

func TestChoosesTheShell(t *testing.T) {
	for _, c := range []struct {
		name, shell, comSpec, command string
		args                          []string
		windows                       bool
		found                         string
		want                          string
	}{
		{name: "sh on POSIX", command: "a b", args: []string{"c d"}, want: "sh|-c|a b 'c d'"},
		{name: "ComSpec on Windows", comSpec: `C:\Windows\cmd.exe`, windows: true, command: "tsc -p .", want: `C:\Windows\cmd.exe|/d|/s|/c|tsc -p .`},
		{name: "cmd.exe without ComSpec", windows: true, command: "x", args: []string{"a b"}, found: `C:\x.exe`, want: `cmd.exe|/d|/s|/c|x ^"a^ b^"`},
		{name: "batch files get carets twice", windows: true, command: "x y", args: []string{"a b"}, found: `C:\x.CMD`, want: `cmd.exe|/d|/s|/c|x y ^^^"a^^^ b^^^"`},
		{name: "a script-shell is used as sh is", shell: "/bin/bash", command: "x", args: []string{"$y"}, windows: true, want: `/bin/bash|-c|x '$y'`},
		{name: "cmd as script-shell on POSIX", shell: "cmd", command: "x", args: []string{"y"}, want: `cmd|/d|/s|/c|x y`},
		{name: "a batch file by its name alone", windows: true, command: `x.bat`, args: []string{"%y%"}, want: `cmd.exe|/d|/s|/c|x.bat ^^^%y^^^%`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := newShellCommand(c.shell, c.comSpec, c.command, c.args, c.windows, func(string) string { return c.found })
			if s := strings.Join(append([]string{got.shell}, got.args...), "|"); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
		})
	}
}

func TestScriptsThatFail(t *testing.T) {
	needSh(t)
	for _, c := range []struct {
		name, command, code, signal string
		exit                        int
		stdout, stderr              string
	}{
		{name: "the exit status is passed on", command: "exit 7", code: "7", exit: 7},
		{name: "hidden output is kept", command: "echo out; echo err >&2; exit 1", code: "1", exit: 1, stdout: "out", stderr: "err"},
		{name: "an unknown command is 127", command: "no-such-command-here", code: "127", exit: 127, stderr: "*"},
		{name: "a signal is told apart", command: "kill -TERM $$", code: "SIGTERM", signal: "SIGTERM", exit: 143},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Run(t.Context(), Options{Dir: t.TempDir(), Event: "test", Command: c.command, PackageID: "a@1.0.0", Environ: base()})
			var exit *ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("got %v", err)
			}
			if exit.Code() != c.code || exit.Signal != c.signal || exit.ExitCode() != c.exit {
				t.Errorf("code %q signal %q exit %d", exit.Code(), exit.Signal, exit.ExitCode())
			}
			if exit.Stdout != c.stdout || (exit.Stderr != c.stderr && c.stderr != "*") {
				t.Errorf("stdout %q stderr %q", exit.Stdout, exit.Stderr)
			}
			if !strings.HasPrefix(exit.Error(), "a@1.0.0: running test script: ") {
				t.Errorf("error %q", exit.Error())
			}
		})
	}
}

func TestAShellThatIsMissingIsENOENT(t *testing.T) {
	needSh(t)
	err := Run(t.Context(), Options{Dir: t.TempDir(), Event: "test", Command: "true", Shell: "no-such-shell", Environ: base()})
	var start *StartError
	if !errors.As(err, &start) || start.Code() != "ENOENT" {
		t.Fatalf("got %v", err)
	}
}

func TestAShellThatCannotStartHasAHint(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	configured := "script-shell names the shell of scripts: ibid config ls shows where it is set; without it they have "
	for _, c := range []struct {
		name string
		err  StartError
		want string
	}{
		{"not there", StartError{Shell: "/nope", Configured: true, Err: syscall.ENOENT}, configured},
		{"not to be run", StartError{Shell: file, Configured: true, Err: &fs.PathError{Op: "fork/exec", Path: file, Err: syscall.EACCES}}, configured},
		{"none on the PATH", StartError{Shell: "sh", Err: &exec.Error{Name: "sh", Err: exec.ErrNotFound}}, "scripts need a shell: put sh on the PATH, or set script-shell to the path of one"},
		{"too many arguments", StartError{Shell: "sh", Err: syscall.E2BIG}, ""},
	} {
		if got := strings.Join(c.err.Hints(), "\n"); !strings.HasPrefix(got, c.want) || got != "" && c.want == "" {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestHiddenScriptsHaveNoInput(t *testing.T) {
	needSh(t)
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Dir: t.TempDir(), Event: "test", Command: "cat; echo end", Environ: base(), Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if out.String() != "end\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestADependencyCannotReplaceTheShell(t *testing.T) {
	needSh(t)
	dir := t.TempDir()
	bin := filepath.Join(dir, "node_modules", ".bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "sh"), []byte("#!/bin/sh\necho replaced\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Dir: dir, Event: "test", Command: "echo fine", Environ: base(), Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if out.String() != "fine\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestCredentialsOfTheConfigurationAreNotAdded(t *testing.T) {
	needSh(t)
	var out bytes.Buffer
	err := Run(t.Context(), Options{
		Dir: t.TempDir(), Event: "test", Command: "env", Stdout: &out,
		Environ: base("NPM_TOKEN=the-users-own"),
		Env:     []string{"npm_config__auth=secret", "npm_config_//registry.npmjs.org/:_authToken=secret", "npm_config_@x:registry=secret", "npm_config_audit="},
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "secret") {
		t.Errorf("a credential is in the environment:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "NPM_TOKEN=the-users-own") || !strings.Contains(out.String(), "npm_config_audit=") {
		t.Errorf("the rest is missing:\n%s", out.String())
	}
}

func TestCancelEndsAHiddenScript(t *testing.T) {
	needSh(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		// The script says that it runs before it is cancelled.
		_, _ = r.Read(make([]byte, 1))
		cancel()
	}()
	err = Run(ctx, Options{Dir: t.TempDir(), Event: "test", Command: "echo; exec sleep 60", Environ: base(), Stdout: w})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	_, _ = r.Close(), w.Close()
}

func TestPrefixWriterKeepsLinesWhole(t *testing.T) {
	var out bytes.Buffer
	w := &PrefixWriter{W: &out, Prefix: "a | "}
	for _, part := range []string{"one", " line\ntwo\n\nth", "ree"} {
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if want := "a | one line\na | two\na | \na | three\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestLongOutputKeepsItsEnd(t *testing.T) {
	var k tail
	for range 40 {
		_, _ = k.Write(bytes.Repeat([]byte("x"), keptOutput/10))
	}
	_, _ = k.Write([]byte("\nthe error\n"))
	if s := k.String(); !strings.HasSuffix(s, "\nthe error") || !strings.HasPrefix(s, "[") || len(s) > keptOutput+64 {
		t.Errorf("%d bytes, begins %.40q", len(s), s)
	}
}

func TestNotices(t *testing.T) {
	if got, want := Notice("a@1.0.0", "test", " one ", []string{"x", "y z"}), ([2]string{"a@1.0.0 test", "one x y z"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Notice("", "test", "one", nil), ([2]string{"test", "one"}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNodeGypIsFound(t *testing.T) {
	needSh(t)
	dir := t.TempDir()
	write := func(name string) string {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("#!/usr/bin/env node\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		real, err := filepath.EvalSymlinks(file)
		if err != nil {
			t.Fatal(err)
		}
		return real
	}
	own := write("lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js")
	write("lib/node_modules/npm/bin/npm-cli.js")
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../lib/node_modules/npm/bin/npm-cli.js", filepath.Join(bin, "npm")); err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + bin}
	if got := FindNodeGyp("", env); got != own {
		t.Errorf("npm's own: got %q, want %q", got, own)
	}
	global := write("lib/node_modules/node-gyp/bin/node-gyp.js")
	if err := os.Symlink("../lib/node_modules/node-gyp/bin/node-gyp.js", filepath.Join(bin, "node-gyp")); err != nil {
		t.Fatal(err)
	}
	if got := FindNodeGyp("", env); got != global {
		t.Errorf("on the PATH: got %q, want %q", got, global)
	}
	if got := FindNodeGyp("", append(env, "npm_config_node_gyp=/x.js")); got != "/x.js" {
		t.Errorf("by npm_config_node_gyp: got %q", got)
	}
	if got := FindNodeGyp("/y.js", env); got != "/y.js" {
		t.Errorf("by the setting: got %q", got)
	}
	if got := FindNodeGyp("", []string{"PATH=" + t.TempDir()}); got != "" {
		t.Errorf("found %q where there is none", got)
	}
}

func TestTheNodeGypWrapperSaysWhatToDo(t *testing.T) {
	needSh(t)
	dir := filepath.Join(t.TempDir(), "node-gyp-bin")
	for range 2 {
		if err := WriteNodeGypBin(dir); err != nil {
			t.Fatal(err)
		}
	}
	err := Run(t.Context(), Options{Dir: t.TempDir(), Event: "install", Command: GypInstall, Environ: base(), NodeGyp: NodeGyp{BinDir: dir}})
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Status != 127 || !strings.Contains(exit.Stderr, "node-gyp: not found") {
		t.Fatalf("got %v %+v", err, exit)
	}
}

func BenchmarkRunTrue(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		if err := Run(b.Context(), Options{Dir: dir, Event: "test", Command: "true", Environ: base()}); err != nil {
			b.Fatal(err)
		}
	}
}
