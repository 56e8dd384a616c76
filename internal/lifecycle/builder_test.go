package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// yard is a project in which each script writes its name into one log.
type yard struct {
	t    *testing.T
	root string
	log  string
}

func newYard(t *testing.T) *yard {
	t.Helper()
	needSh(t)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &yard{t: t, root: root, log: filepath.Join(root, "log")}
}

// node makes a package at place whose scripts log "event place".
func (y *yard) node(place string, depth int, events ...string) *Node {
	y.t.Helper()
	n := &Node{
		Path: filepath.Join(y.root, place), Location: place, Depth: depth, ScriptsAllowed: true,
		Package: Package{Name: filepath.Base(place), Version: "1.0.0"},
	}
	if err := os.MkdirAll(n.Path, 0o755); err != nil {
		y.t.Fatal(err)
	}
	for _, event := range events {
		n.Scripts = append(n.Scripts, manifest.Dep{Name: event, Spec: fmt.Sprintf("echo $npm_lifecycle_event %s >> '%s'", place, y.log)})
	}
	return n
}

func (y *yard) lines() []string {
	data, err := os.ReadFile(y.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		y.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// bins logs what is linked, among the scripts.
func (y *yard) bins(_ context.Context, nodes []*Node) error {
	f, err := os.OpenFile(y.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		fmt.Fprintln(f, "bin", n.Location)
	}
	return f.Close()
}

func withBin(n *Node) *Node {
	n.HasBin = true
	return n
}

func (y *yard) expect(want ...string) {
	y.t.Helper()
	if got := y.lines(); !slices.Equal(got, want) {
		y.t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestScriptsRunEventByEventShallowestFirst(t *testing.T) {
	y := newYard(t)
	b := &Builder{Environ: base(), Limit: 1, Bins: y.bins}
	err := b.Build(t.Context(), []*Node{
		y.node("node_modules/b/node_modules/c", 2, "preinstall", "postinstall", "prepare"),
		withBin(y.node("node_modules/b", 1, "postinstall", "install")),
		withBin(y.node("node_modules/a", 1, "postinstall", "install", "preinstall", "test")),
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	y.expect(
		"preinstall node_modules/a", "preinstall node_modules/b/node_modules/c",
		"bin node_modules/a", "bin node_modules/b",
		"install node_modules/a", "install node_modules/b",
		"postinstall node_modules/a", "postinstall node_modules/b", "postinstall node_modules/b/node_modules/c",
	)
}

func TestLinksArePreparedBeforeTheirBins(t *testing.T) {
	y := newYard(t)
	b := &Builder{Environ: base(), Limit: 1, Bins: y.bins}
	if err := b.Build(t.Context(), []*Node{withBin(y.node("ws", 1, "postinstall", "prepare", "preinstall"))}, true); err != nil {
		t.Fatal(err)
	}
	y.expect("preinstall ws", "prepare ws", "bin ws", "postinstall ws")
}

func TestWhatMayNotRunGetsItsBins(t *testing.T) {
	y := newYard(t)
	blocked := withBin(y.node("a", 1, "install"))
	blocked.ScriptsAllowed = false
	b := &Builder{Environ: base(), Limit: 1, Bins: y.bins}
	if err := b.Build(t.Context(), []*Node{blocked, y.node("b", 1, "install")}, false); err != nil {
		t.Fatal(err)
	}
	y.expect("bin a", "install b")

	y = newYard(t)
	b = &Builder{Environ: base(), IgnoreScripts: true, Bins: y.bins}
	if err := b.Build(t.Context(), []*Node{withBin(y.node("a", 1, "install"))}, false); err != nil {
		t.Fatal(err)
	}
	y.expect("bin a")
}

func TestScriptsThatOnlyDiskKnows(t *testing.T) {
	y := newYard(t)
	locked := y.node("locked", 1)
	locked.HasInstallScript = true
	gyp, off, own := y.node("gyp", 1), y.node("off", 1), y.node("own", 1, "preinstall")
	no := false
	off.GypFile = &no
	for _, n := range []*Node{gyp, off, own} {
		if err := os.WriteFile(filepath.Join(n.Path, "binding.gyp"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(y.root, "fake")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "node-gyp"), []byte("#!/bin/sh\necho node-gyp $1 in $(basename $PWD) >> '"+y.log+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	b := &Builder{
		Environ: base(), Limit: 1, NodeGyp: NodeGyp{BinDir: bin},
		ReadScripts: func(n *Node) (manifest.Deps, *bool, error) {
			return y.node("locked", 1, "postinstall").Scripts, nil, nil
		},
	}
	if err := b.Build(t.Context(), []*Node{locked, gyp, off, own}, false); err != nil {
		t.Fatal(err)
	}
	y.expect("preinstall own", "node-gyp rebuild in gyp", "postinstall locked")
}

func TestAFailureEndsTheBuild(t *testing.T) {
	y := newYard(t)
	bad := y.node("a", 1)
	bad.Scripts = manifest.Deps{{Name: "install", Spec: "echo sorry >&2; exit 3"}}
	var events []Event
	b := &Builder{Environ: base(), Limit: 1, Report: func(e Event) { events = append(events, e) }}
	err := b.Build(t.Context(), []*Node{bad, y.node("b", 1, "install", "postinstall")}, false)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Status != 3 || exit.Stderr != "sorry" || exit.PackageID != "a@1.0.0" || exit.Dir != bad.Path {
		t.Fatalf("got %v", err)
	}
	y.expect("")
	if len(events) != 2 || events[0].Done || !events[1].Done || events[1].Err == nil || events[1].Name != "install" {
		t.Errorf("events %+v", events)
	}
}

func TestAnOptionalFailureTakesItsOwnAlong(t *testing.T) {
	y := newYard(t)
	bad := y.node("a", 1, "postinstall")
	bad.Optional = true
	bad.Scripts = append(bad.Scripts, manifest.Dep{Name: "install", Spec: "exit 3"})
	needed := withBin(y.node("a/node_modules/b", 2, "install", "postinstall"))
	var failed error
	b := &Builder{Environ: base(), Limit: 1, Bins: y.bins, OptionalFailed: func(n *Node, err error) []string {
		if n != bad {
			t.Errorf("%s failed", n.Location)
		}
		failed = err
		return []string{needed.Path}
	}}
	if err := b.Build(t.Context(), []*Node{bad, needed, y.node("c", 1, "postinstall")}, false); err != nil {
		t.Fatal(err)
	}
	if failed == nil {
		t.Error("nobody was told")
	}
	y.expect("bin a/node_modules/b", "postinstall c")

	t.Run("but not in a rebuild", func(t *testing.T) {
		b := &Builder{Environ: base(), Limit: 1}
		if err := b.Build(t.Context(), []*Node{bad}, false); err == nil {
			t.Error("tolerated")
		}
	})
}

func TestScriptsOfAnEventRunAtTheSameTime(t *testing.T) {
	y := newYard(t)
	// Each waits for the other's file.
	meet := func(own, other string) *Node {
		n := y.node(own, 1)
		n.Scripts = manifest.Deps{{Name: "install", Spec: fmt.Sprintf("touch ../%s.here; until [ -e ../%s.here ]; do sleep 0.01; done", own, other)}}
		return n
	}
	b := &Builder{Environ: base(), Limit: 2}
	if err := b.Build(t.Context(), []*Node{meet("a", "b"), meet("b", "a")}, false); err != nil {
		t.Fatal(err)
	}
}

func TestForegroundScriptsComeWithBanners(t *testing.T) {
	y := newYard(t)
	out, err := os.Create(filepath.Join(y.root, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	n := y.node("a", 1)
	n.Scripts = manifest.Deps{{Name: "install", Spec: "echo hello"}}
	b := &Builder{
		Environ: base(), Foreground: true, Stdout: out, Stderr: out,
		Banner: func(n *Node, event, script string) { fmt.Fprintln(out, n.Package.ID(), event, script) },
	}
	if err := b.Build(t.Context(), []*Node{n}, false); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out.Name())
	if want := "a@1.0.0 install echo hello\nhello\n"; err != nil || string(data) != want {
		t.Errorf("got %q, want %q", data, want)
	}
}

func TestAStorePackageSeesItsSiblings(t *testing.T) {
	y := newYard(t)
	n := y.node("node_modules/.store/@s+n@1/node_modules/@s/n", 1)
	n.NodePath = filepath.Join(y.root, "node_modules/.store/@s+n@1/node_modules")
	n.Scripts = manifest.Deps{{Name: "install", Spec: "echo $NODE_PATH >> '" + y.log + "'"}}
	b := &Builder{Environ: base("NODE_PATH=/old")}
	if err := b.Build(t.Context(), []*Node{n}, false); err != nil {
		t.Fatal(err)
	}
	y.expect(n.NodePath + ":/old")
}

func TestTheCommandOfAnEvent(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"binding.gyp", "server.js"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	no := false
	for _, c := range []struct {
		name, event string
		scripts     manifest.Deps
		gypFile     *bool
		want        string
	}{
		{name: "its script", event: "install", scripts: manifest.Deps{{Name: "install", Spec: "x"}}, want: "x"},
		{name: "node-gyp for install", event: "install", want: "node-gyp rebuild"},
		{name: "not beside a preinstall", event: "install", scripts: manifest.Deps{{Name: "preinstall", Spec: "x"}}},
		{name: "not with gypfile false", event: "install", gypFile: &no},
		{name: "no server for start", event: "start"},
		{name: "nothing for test", event: "test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Command(c.event, dir, c.scripts, c.gypFile); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPackageEnvFlattensWhatRunScriptDoes(t *testing.T) {
	p := Package{Name: "a", Config: jsjson.Raw(`{"2":"two","a":{"b":[]},"c":[[1]],"d":1e21,"e":{"f":null}}`), Engines: `"node 1"`}
	got := p.Env()
	want := []string{"npm_package_name=a", "npm_package_config_2=two", "npm_package_config_c_0_0=1", "npm_package_config_d=1e+21", "npm_package_config_e_f=", "npm_package_engines=node 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if p.ID() != "" {
		t.Errorf("id %q", p.ID())
	}
}
