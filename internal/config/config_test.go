package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// load reads a configuration in a new home directory with these files.
func load(t *testing.T, args []string, environ []string, files map[string]string) *Config {
	t.Helper()
	c, err := tryLoad(t, args, environ, files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryLoad(t *testing.T, args []string, environ []string, files map[string]string) (*Config, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	home, project := filepath.Join(dir, "home"), filepath.Join(dir, "project")
	for _, d := range []string{home, project} {
		if err := os.MkdirAll(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	environ = append([]string{"HOME=" + home, "PREFIX=" + filepath.Join(dir, "prefix")}, environ...)
	return Load(Env{Args: args, Environ: environ, Cwd: project})
}

func TestHigherLayersWin(t *testing.T) {
	files := map[string]string{
		"project/package.json": "{}",
		"project/.npmrc":       "tag=project\naccess=public\n",
		"home/.npmrc":          "tag=user\naccess=restricted\ndepth=3\n",
		"prefix/etc/npmrc":     "depth=4\nheading=global\n",
	}
	c := load(t, []string{"install", "--tag", "cli", "x"}, []string{"npm_config_tag=env", "NPM_CONFIG_SAVE_PREFIX=~"}, files)
	for key, want := range map[string]string{"tag": "cli", "access": "public", "depth": "3", "heading": "global", "save-prefix": "~", "git": "git"} {
		if got := c.String(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if got := c.Args(); len(got) != 2 || got[0] != "install" || got[1] != "x" {
		t.Errorf("words are %q", got)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

// npm's packagers name the global prefix in a file beside npm.
func TestBuiltinFileBesideNode(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"node/bin/node": "", "node/lib/node_modules/npm/npmrc": "prefix=${HOME}/global\ntag=builtin\n", "home/.npmrc": ""} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(Env{Environ: []string{"HOME=" + dir + "/home", "PATH=bin:" + dir + "/node/bin"}, Cwd: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.GlobalDir(), filepath.Join(dir, "home/global/lib/node_modules"); got != want {
		t.Errorf("global packages are in %s, want %s", got, want)
	}
	if l, ok := c.Where("tag"); !ok || l != Builtin {
		t.Errorf("tag is in %v", l)
	}
}

// A repository may bring a program called node; and a node that is a link to
// another folder has its global packages there, unless the npm beside the link says
// where.
func TestNodeIsLookedForInFoldersThatNobodyElseChose(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("node has another name")
	}
	dir := t.TempDir()
	for _, name := range []string{"project/bin/node", "two/bin/node"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, nil, 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	one := filepath.Join(dir, "one", "bin")
	if err := errors.Join(os.MkdirAll(one, 0o777), os.Symlink("../../two/bin/node", filepath.Join(one, "node"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "project"))
	c, err := Load(Env{Environ: []string{"HOME=" + dir, "PATH=bin::./bin:" + one}, Cwd: filepath.Join(dir, "project")})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.NodePath(), filepath.Join(dir, "two/bin/node"); got != want {
		t.Errorf("node is %s, want %s", got, want)
	}
	if got, want := c.GlobalDir(), filepath.Join(dir, "two/lib/node_modules"); got != want {
		t.Errorf("global packages are in %s, want %s", got, want)
	}
	npm := filepath.Join(dir, "one/lib/node_modules/npm")
	if err := errors.Join(os.MkdirAll(npm, 0o777), os.WriteFile(filepath.Join(npm, "npmrc"), []byte("prefix="+dir+"/one\n"), 0o666)); err != nil {
		t.Fatal(err)
	}
	if c, err = Load(Env{Environ: []string{"HOME=" + dir, "PATH=" + one}, Cwd: dir}); err != nil {
		t.Fatal(err)
	}
	if got, want := c.GlobalDir(), filepath.Join(dir, "one/lib/node_modules"); got != want {
		t.Errorf("with an npmrc global packages are in %s, want %s", got, want)
	}
}

func TestEditTextShowsTheFileAndTheDefaults(t *testing.T) {
	c := load(t, nil, nil, map[string]string{"home/.npmrc": "tag=x\naccess=public\n"})
	file, text := c.EditText(User, "tag=x\r\naccess=public\r\n")
	if file != filepath.Join(c.Home(), ".npmrc") {
		t.Error(file)
	}
	for _, want := range []string{"\naccess=public\ntag=x\n", "\n; registry=https://registry.npmjs.org/\n", "\n; audit=true\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for key, v := range parseINI(text).values {
		if key != "tag" && key != "access" {
			t.Errorf("%s=%s is no comment", key, v)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	env := Env{Args: []string{"install"}, Environ: append(os.Environ(), "HOME="+dir), Cwd: dir}
	for b.Loop() {
		c, err := Load(env)
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListText(b *testing.B) {
	dir := b.TempDir()
	c, err := Load(Env{Environ: append(os.Environ(), "HOME="+dir), Cwd: dir})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c.ListText(true)
	}
}
