package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ibid-pm/ibid/internal/binshim"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/linker"
)

func TestAGlobalPackagesScriptsTakeNobodysPlace(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("node_modules/a/cli.js", "#!/usr/bin/env node\r\n")
	write("node_modules/b/cli.js", "#!/usr/bin/env node\n")
	shim := func(pkg string) globalShim {
		return globalShim{path: filepath.Join(dir, "x"), file: filepath.Join(dir, "node_modules", pkg, "cli.js"), pkg: filepath.Join(dir, "node_modules", pkg), shim: true}
	}
	g := &globalLinks{app: &App{Config: &config.Config{}}, dir: dir}
	if err := linker.WriteShim(filepath.Join(dir, "x"), filepath.Join("node_modules", "a", "cli.js")); err != nil {
		t.Fatal(err)
	}
	if other := shim("a").taken(); other != "" {
		t.Errorf("%s is not the package's own", other)
	}
	if other := shim("b").taken(); other != filepath.Join(dir, "x") {
		t.Errorf("another's script is %q", other)
	}
	if err := g.removeShim(shim("b")); err != nil {
		t.Fatal(err)
	}
	for _, name := range binshim.Names(filepath.Join(dir, "x")) {
		if _, err := os.Stat(name); err != nil {
			t.Errorf("another's script was removed: %v", err)
		}
	}
	write("x.ps1", "mine")
	if other := shim("a").taken(); other != filepath.Join(dir, "x.ps1") {
		t.Errorf("what is no script is %q", other)
	}
	os.Remove(filepath.Join(dir, "x.ps1"))
	if err := g.removeShim(shim("a")); err != nil {
		t.Fatal(err)
	}
	for _, name := range binshim.Names(filepath.Join(dir, "x")) {
		if _, err := os.Stat(name); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	if err := g.takeBack(); err != nil {
		t.Fatal(err)
	}
	if other := shim("a").taken(); other != "" || !shim("a").own(filepath.Join(dir, "x.cmd")) {
		t.Errorf("the scripts did not come back: %q", other)
	}
}
