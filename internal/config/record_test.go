package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// recordedLoad is one case of testdata/load.json: what @npmcli/config makes of a
// command line, an environment and files.
type recordedLoad struct {
	Name    string
	Args    []string
	Environ map[string]string
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
		Setenv                    map[string]string
		Flat                      map[string]any
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
		out = append(out, strings.Join(l, " "))
	}
	return out
}

// Every layer, warning, conclusion and exported variable is npm's.
func TestLoadAsNPM(t *testing.T) {
	var file struct{ Cases []recordedLoad }
	readRecordings(t, "load.json", &file)
	for _, rec := range file.Cases {
		t.Run(rec.Name, func(t *testing.T) {
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
			for _, k := range slices.Sorted(maps.Keys(rec.Environ)) {
				env.Environ = append(env.Environ, k+"="+in(rec.Environ[k]))
			}
			c, err := Load(env)
			w := rec.Want
			compare := func(what string, got, want any) {
				t.Helper()
				if g, w := strings.ReplaceAll(jsonText(got), root, "ROOT"), jsonText(want); g != w {
					t.Errorf("%s:\n got %s\nwant %s", what, g, w)
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
			compare("layers", c.layersOf(t, root, false), w.Layers)
			compare("workspace", append([]string{}, c.Strings("workspace")...), w.Workspace)
			compare("warnings", logText(c, root, false), wantLogs(w.Logs))
			compare("queued warnings", logText(c, root, true), wantLogs(w.Queued))

			got := make(map[string]string)
			for k, v := range c.ChildEnviron() {
				if v = strings.ReplaceAll(v, root, "ROOT"); rec.Environ[k] != v || rec.Environ[k] == "" && !hasKey(rec.Environ, k) {
					got[k] = v
				}
			}
			want := maps.Clone(w.Setenv)
			for _, k := range []string{"NODE", "npm_node_execpath", "npm_execpath", "npm_config_node_gyp"} {
				delete(want, k)
				delete(got, k)
			}
			delete(got, "NODE_ENV")
			delete(want, "npm_config_password")
			delete(want, "npm_config_username")
			delete(want, "npm_config_email")
			delete(want, "npm_config_certfile")
			delete(want, "npm_config_keyfile")
			compare("exported variables", got, want)
			compare("NODE_ENV", firstOf(c.ChildEnviron()["NODE_ENV"], rec.Environ["NODE_ENV"]), w.NodeEnv)

			if w.FlatError == "" {
				for key, want := range w.Flat {
					compare(key, c.flatOption(key), want)
				}
			}
			c.ClearWarnings()
			verr := c.Validate()
			if w.Invalid != nil || verr != nil {
				got, want := "", ""
				if verr != nil {
					got = verr.Error()
				}
				if w.Invalid != nil {
					want = w.Invalid.Message
				}
				compare("invalid", got, want)
				return
			}
			compare("validation warnings", logText(c, root, false), wantLogs(w.ValidateLogs))
			compare("validated layers", c.layersOf(t, root, true), w.Validated)
			var unknown [][]any
			for _, u := range c.Unknown() {
				var base any
				if u.Base != "" {
					base = u.Base
				}
				unknown = append(unknown, []any{u.Layer.String(), u.Key, base})
			}
			compare("unknown keys", append([][]any{}, unknown...), append([][]any{}, w.Unknown...))
		})
	}
}

func hasKey(m map[string]string, k string) bool { _, ok := m[k]; return ok }

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
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
		return c.Global()
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
