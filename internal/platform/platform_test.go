package platform

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// recorded is one line of testdata/checks.jsonl, npm's own answer.
type recorded struct {
	Kind                    string
	Engines, OS, CPU, Libc  json.RawMessage
	NodeVersion, NpmVersion string
	Force                   bool
	Here                    struct{ OS, CPU, Libc string }
	Wanted                  json.RawMessage
	Current                 string

	Result []recordedDev
	Error  *struct {
		Code, Message, Pkgid string
		Current              map[string]string
		Required             json.RawMessage
	}
}

type recordedDev struct {
	Engine, Message string
	Problems        []string
	IsWarn, IsError bool
	Current         Engine
	Required        json.RawMessage
}

func rawOf(m json.RawMessage) jsjson.Raw { return jsjson.Raw(m) }

func TestAnswersAreNpmInstallChecks(t *testing.T) {
	f, err := os.Open("testdata/checks.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan() // who was asked
	cases := 0
	for lines.Scan() {
		var c recorded
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases++
		m := &manifest.Manifest{
			Name: "x", Version: "1.0.0", Engines: rawOf(c.Engines), OS: rawOf(c.OS), CPU: rawOf(c.CPU), Libc: rawOf(c.Libc),
		}
		var err error
		switch c.Kind {
		case "engine":
			env := Environment{Node: c.NodeVersion, NPM: c.NpmVersion}
			err = CheckEngine(m, env, c.Force)
			var e *EngineError
			if errors.As(err, &e) && c.Error != nil {
				if e.Current.Node != c.Error.Current["node"] || e.Current.NPM != c.Error.Current["npm"] || e.ID != c.Error.Pkgid {
					t.Errorf("%s\n got %+v", lines.Text(), e)
				}
			}
		case "platform":
			env := Environment{OS: c.Here.OS, CPU: c.Here.CPU, Libc: c.Here.Libc}
			err = CheckPlatform(m, env)
			var e *PlatformError
			if errors.As(err, &e) && c.Error != nil && e.ID != c.Error.Pkgid {
				t.Errorf("%s\n got %+v", lines.Text(), e)
			}
		case "dev":
			env := Environment{OS: "linux", OSVersion: "6.8.0-45-generic", CPU: "x64", Libc: "glibc", Node: "v20.20.2", NPM: "11.19.1"}
			if c.Current == "unknown" {
				env.Libc, env.Node = "", ""
			}
			if c.Wanted == nil {
				continue // there is no devEngines, and npm doesn't ask
			}
			var unmet []*DevEngineError
			unmet, err = CheckDevEngines(rawOf(c.Wanted), env)
			if len(unmet) != len(c.Result) {
				t.Errorf("%s\n got %d problems", lines.Text(), len(unmet))
				break
			}
			for i, u := range unmet {
				want := c.Result[i]
				got := recordedDev{u.Engine, "Invalid devEngines." + u.Engine, u.Problems, u.IsWarn, u.IsError, u.Current, json.RawMessage(u.Required)}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("\n got %+v\nwant %+v", got, want)
				}
			}
		}
		switch {
		case err == nil && c.Error == nil:
		case err == nil || c.Error == nil:
			t.Errorf("%s\n got %v", lines.Text(), err)
		default:
			code := ""
			if coded, ok := err.(interface{ Code() string }); ok {
				code = coded.Code()
			}
			if code != c.Error.Code || err.Error() != c.Error.Message {
				t.Errorf("%s\n got %s %v", lines.Text(), code, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases", cases)
}

func TestLibcIsWhatLddOrTheLoadersSay(t *testing.T) {
	for _, c := range []struct {
		name, os, file, text, want string
	}{
		{"ldd of the GNU C library", "linux", "usr/bin/ldd", "#! /bin/sh\n# This file is part of the GNU C Library.\n", "glibc"},
		{"ldd of musl", "linux", "usr/bin/ldd", "#!/bin/sh\nexec /lib/ld-musl-x86_64.so.1 --list -- \"$@\"\n", "musl"},
		{"an ldd that says nothing", "linux", "usr/bin/ldd", "#!/bin/sh\n", ""},
		{"no ldd but glibc's loader", "linux", "lib64/ld-linux-x86-64.so.2", "", "glibc"},
		{"no ldd but glibc's loader in a multiarch folder", "linux", "lib/aarch64-linux-gnu/ld-linux-aarch64.so.1", "", "glibc"},
		{"no ldd but musl's loader", "linux", "lib/ld-musl-aarch64.so.1", "", "musl"},
		{"nothing at all", "linux", "etc/hosts", "", ""},
		{"not Linux", "darwin", "usr/bin/ldd", "GNU C Library", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			file := filepath.Join(root, filepath.FromSlash(c.file))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := detectLibc(c.os, root); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNamesAreNodes(t *testing.T) {
	for goos, want := range map[string]string{"windows": "win32", "linux": "linux", "darwin": "darwin", "illumos": "sunos", "freebsd": "freebsd"} {
		if got := nodeOS(goos); got != want {
			t.Errorf("%s is %q, want %q", goos, got, want)
		}
	}
	for goarch, want := range map[string]string{"amd64": "x64", "386": "ia32", "arm64": "arm64", "arm": "arm", "ppc64le": "ppc64", "s390x": "s390x", "riscv64": "riscv64", "loong64": "loong64"} {
		if got := nodeCPU(goarch); got != want {
			t.Errorf("%s is %q, want %q", goarch, got, want)
		}
	}
	if OSRelease() == "" && runtime.GOOS == "linux" {
		t.Error("the kernel has no release")
	}
}

// Whatever a manifest says, the checks answer.
func FuzzChecks(f *testing.F) {
	for _, s := range []string{`{"node":">=1"}`, `["linux","!x64"]`, `"any"`, `[null,5,{}]`, `{"runtime":[{"name":"node"}]}`, `null`, ``} {
		f.Add(s)
	}
	env := Environment{OS: "linux", CPU: "x64", Libc: "glibc", Node: "v22.0.0", NPM: "11.0.0"}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := jsjson.Parse([]byte(s)); err != nil && s != "" {
			return
		}
		raw := jsjson.Raw(s)
		_ = CheckEngine(&manifest.Manifest{Engines: raw}, env, false)
		_ = CheckPlatform(&manifest.Manifest{OS: raw, CPU: raw, Libc: raw}, env)
		_, _ = CheckDevEngines(raw, env)
	})
}
