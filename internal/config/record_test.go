package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// recordedLoad is one case of testdata/load.json: what @npmcli/config makes of a
// command line, an environment and files.
type recordedLoad struct {
	Name    string
	Args    []string
	Environ map[string]*string // differences from the usual; null: not set
	Cwd     string
	Files   map[string]string
	Want    struct {
		Error *struct {
			Message, Code string
		}
		Remain                    []string
		LocalPrefix, GlobalPrefix string
		Layers, Validated         map[string]map[string]any
		Workspace                 []string
		Setenv                    map[string]*string // differences from Setenv of the file
		Flat                      map[string]any     // differences from Flat of the file
		FlatError                 string
		NodeEnv                   string
		Logs, ValidateLogs        [][]string
		Queued                    [][]string
		Invalid                   *struct{ Message, Code string }
		Unknown                   [][]any
	}
}

func readRecordings(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// layersOf returns the values of every layer but the defaults in the form that
// the recordings have.
func (c *Config) layersOf(t *testing.T, root string, derived bool) map[string]map[string]any {
	out := make(map[string]map[string]any)
	for layer := Builtin; layer < layerCount; layer++ {
		values := make(map[string]any)
		for _, key := range c.layers[layer].data.keys {
			v, _ := c.layers[layer].data.get(key)
			if derived {
				v, _ = c.own(key, layer)
			}
			values[strings.ReplaceAll(key, root, "ROOT")] = plain(t, v, root)
		}
		if derived {
			for _, key := range c.layers[layer].derived.keys {
				v, _ := c.own(key, layer)
				values[key] = plain(t, v, root)
			}
		}
		if len(values) > 0 {
			out[layer.String()] = values
		}
	}
	return out
}

func plain(t *testing.T, v Value, root string) any {
	if v.kind == Undefined {
		return "__undefined"
	}
	var x any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(v.JSON(), root, "ROOT")), &x); err != nil {
		t.Fatalf("%s: %v", v.JSON(), err)
	}
	return x
}

func jsonText(x any) string {
	b, err := json.Marshal(x)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func logText(c *Config, root string, queued bool) []string {
	var out []string
	for _, w := range c.warnings {
		if (w.Word != "" || w.Prefix == "" && strings.HasPrefix(w.Text, "Unknown env")) != queued {
			continue
		}
		text := strings.TrimSpace(w.Level + " " + w.Prefix)
		text = strings.TrimSpace(text + " " + w.Text)
		if rest, ok := strings.CutPrefix(text, "warn invalid config Must be one of: null, 127.0.0.1"); ok && rest != "" {
			text = "warn invalid config Must be one of: null, 127.0.0.1"
		}
		out = append(out, strings.ReplaceAll(text, root, "ROOT"))
	}
	return out
}

func wantLogs(logs [][]string) []string {
	var out []string
	for _, l := range logs {
		if l[0] == "warn" && l[1] == "config" && Lookup(l[2]) != nil && Lookup(l[2]).Deprecated != "" {
			l = []string{"warn", "config", l[2], "is deprecated:", Lookup(l[2]).Deprecated}
		}
		text := strings.Join(l, " ")
		if rest, ok := strings.CutPrefix(text, "warn invalid config Must be one of: null, 127.0.0.1"); ok && rest != "" {
			text = "warn invalid config Must be one of: null, 127.0.0.1" // addresses differ
		}
		out = append(out, text)
	}
	return out
}

// Every layer, warning, conclusion and exported variable is npm's.
func TestLoadAsNPM(t *testing.T) {
	var file struct {
		Flat   map[string]any
		Setenv map[string]string
		Cases  []recordedLoad
	}
	readRecordings(t, "load.json", &file)
	for i, rec := range file.Cases {
		switch rec.Name {
		case "project .npmrc: global", "project .npmrc: location", "project .npmrc: keys without =":
			continue // TestAProjectIsNotGlobal
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			environ := map[string]string{"TZ": "UTC", "LANG": "C.UTF-8", "SHELL": "/bin/sh", "HOME": "ROOT/home", "PREFIX": "ROOT/prefix"}
			override(environ, rec.Environ)
			setenv := maps.Clone(file.Setenv)
			override(setenv, rec.Want.Setenv)
			if rec.Cwd == "" {
				rec.Cwd = "project"
			}
			if rec.Files == nil {
				rec.Files = map[string]string{"project/package.json": "{}"}
			}
			rec.Want.LocalPrefix = cmp.Or(rec.Want.LocalPrefix, "ROOT/project")
			rec.Want.GlobalPrefix = cmp.Or(rec.Want.GlobalPrefix, "ROOT/prefix")
			flat := maps.Clone(file.Flat)
			maps.Copy(flat, rec.Want.Flat)
			compareLoad(t, rec, environ, setenv, flat)
		})
	}
}

func override(m map[string]string, with map[string]*string) {
	for k, v := range with {
		if v == nil {
			delete(m, k)
		} else {
			m[k] = *v
		}
	}
}

func compareLoad(t *testing.T, rec recordedLoad, environ, setenv map[string]string, flat map[string]any) {
	root := t.TempDir()
	if r, err := filepath.EvalSymlinks(root); err == nil {
		root = r
	}
	for _, dir := range []string{"home", "project", "prefix/bin", "cwd"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	in := func(s string) string { return strings.ReplaceAll(s, "ROOT", root) }
	for name, text := range rec.Files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(in(text)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	env := Env{Cwd: filepath.Join(root, rec.Cwd), NPMVersion: "12.2.0", NodePath: filepath.Join(root, "prefix/bin/node"), Platform: "linux", Arch: "x64", NodeGyp: "node-gyp.js"}
	for _, a := range rec.Args {
		env.Args = append(env.Args, in(a))
	}
	for _, k := range slices.Sorted(maps.Keys(environ)) {
		env.Environ = append(env.Environ, k+"="+in(environ[k]))
	}
	c, err := Load(env)
	w := rec.Want
	compare := func(what string, got, want any) {
		t.Helper()
		if g, w := strings.ReplaceAll(jsonText(got), root, "ROOT"), jsonText(want); g != w {
			t.Errorf("%s: %s:\n got %s\nwant %s", rec.Name, what, g, w)
		}
	}
	if w.Error != nil || err != nil {
		got, want := "", ""
		if err != nil {
			got = err.Error()
		}
		if w.Error != nil {
			want = w.Error.Message
		}
		compare("error", got, want)
		return
	}
	compare("words", append([]string{}, c.Args()...), w.Remain)
	compare("local prefix", c.LocalPrefix(), w.LocalPrefix)
	compare("global prefix", c.GlobalPrefix(), w.GlobalPrefix)
	// npm moves globalconfig to the default layer, where it loses against others.
	for _, layers := range []map[string]map[string]any{w.Layers, w.Validated} {
		for layer := range layerCount {
			if v, ok := c.layers[layer].data.get("globalconfig"); ok && layers != nil {
				if layers[layer.String()] == nil {
					layers[layer.String()] = make(map[string]any)
				}
				layers[layer.String()]["globalconfig"] = plain(t, v, root)
			}
		}
	}
	compare("layers", c.layersOf(t, root, false), w.Layers)
	compare("workspace", c.Strings("workspace"), append(make([]string, 0), w.Workspace...))
	compare("warnings", logText(c, root, false), wantLogs(w.Logs))
	compare("queued warnings", logText(c, root, true), wantLogs(w.Queued))

	got := make(map[string]string)
	for k, v := range c.ChildEnviron() {
		v = strings.ReplaceAll(v, root, "ROOT")
		if old, ok := environ[k]; !ok || old != v {
			got[k] = v
		}
	}
	// The caller's, and what ibid does not export.
	for _, k := range []string{"NODE", "npm_node_execpath", "npm_execpath", "npm_config_node_gyp", "NODE_ENV",
		"npm_config_password", "npm_config_username", "npm_config_email", "npm_config_certfile", "npm_config_keyfile"} {
		delete(setenv, k)
		delete(got, k)
	}
	compare("exported variables", got, setenv)
	compare("NODE_ENV", cmp.Or(c.ChildEnviron()["NODE_ENV"], environ["NODE_ENV"]), w.NodeEnv)

	if w.FlatError == "" {
		for key, want := range flat {
			if days, ok := want.(string); ok && key == "before" && strings.HasSuffix(days, "d") {
				if got := time.Since(c.Before()).Hours() / 24; fmt.Sprintf("-%.0fd", got) != days {
					t.Errorf("%s: before is %v, want %v", rec.Name, c.Before(), days)
				}
				continue
			}
			if want == nil && (key == "noProxy" || key == "scriptShell" || key == "saveType") {
				want = ""
			}
			compare(key, c.flatOption(key), want)
		}
	}
	c.ClearWarnings()
	verr := c.Validate()
	if w.Invalid != nil || verr != nil {
		got, want := "", ""
		if verr != nil {
			got = verr.Error()
			if strings.HasSuffix(got, "is no URL") {
				got = "Invalid URL"
			}
		}
		if w.Invalid != nil {
			want = w.Invalid.Message
		}
		compare("invalid", got, want)
		return
	}
	compare("validation warnings", logText(c, root, false), wantLogs(w.ValidateLogs))
	if w.Validated == nil {
		w.Validated = w.Layers
	}
	if !strings.Contains(rec.Name, "production") { // npm adds to a lower layer's list
		compare("validated layers", c.layersOf(t, root, true), w.Validated)
	}
	unknown := [][]any{}
	for _, u := range c.Unknown() {
		var base any
		if u.Base != "" {
			base = u.Base
		}
		unknown = append(unknown, []any{u.Layer.String(), u.Key, base})
	}
	compare("unknown keys", unknown, append(make([][]any, 0), w.Unknown...))
}

// flatOption returns the setting that npm's flat options have under this name.
func (c *Config) flatOption(name string) any {
	list := func(l []string) []string { return append([]string{}, l...) }
	switch name {
	case "omit":
		return list(c.Omit())
	case "include":
		return list(c.Include())
	case "installStrategy":
		return c.InstallStrategy()
	case "savePrefix":
		return c.SavePrefix()
	case "saveType":
		return c.SaveType()
	case "authType":
		return c.AuthType()
	case "preferOnline":
		return c.PreferOnline()
	case "preferOffline":
		return c.PreferOffline()
	case "packageLock":
		return c.PackageLock()
	case "lockfileVersion":
		if n := c.LockfileVersion(); n != 0 {
			return n
		}
		return nil
	case "location":
		return c.flat.location
	case "global":
		return c.flat.global
	case "allowScripts":
		return list(c.AllowScripts())
	case "minReleaseAgeExclude":
		return list(c.MinReleaseAgeExclude())
	case "noProxy":
		return c.NoProxy()
	case "userAgent":
		return c.UserAgent("12.2.0", "v20.20.2")
	case "scope":
		return c.Scope()
	case "access":
		if a := c.Access(); a != "" {
			return a
		}
		return nil
	case "ignoreExtension":
		return c.IgnoreExtension()
	case "saveBundle":
		return c.SaveBundle()
	case "workspacesEnabled":
		return c.WorkspacesEnabled()
	case "silent":
		return c.Silent()
	case "maxSockets":
		return c.Get("maxsockets").number()
	case "scriptShell":
		return c.String("script-shell")
	case "before":
		t := c.Before()
		switch {
		case t.IsZero():
			return nil
		default:
			return t.Format("2006-01-02T15:04:05.000Z")
		}
	}
	return fmt.Sprintf("no option %s", name)
}
