package config

import (
	"maps"
	"strings"
)

// ChildEnviron returns the variables that npm sets for the programs it starts
// (@npmcli/config lib/set-envs.js): npm_config_* of every key whose value is not
// its default, so that a child sees the same configuration, and what goes with
// them. Keys of credentials are never among them, nor is "password".
//
// npm_execpath, npm_node_execpath, NODE, npm_command, npm_config_user_agent and
// COLOR are the caller's: they say who runs.
func (c *Config) ChildEnviron() map[string]string {
	env := maps.Clone(c.exported)
	if env == nil {
		env = make(map[string]string)
	}
	env["INIT_CWD"] = c.cwd
	env["HOME"] = c.home
	env["npm_config_global_prefix"] = c.globalPrefix
	env["npm_config_local_prefix"] = c.localPrefix
	env["npm_config_node_gyp"] = c.String("node-gyp")
	env["npm_config_npm_version"] = "unknown"
	if v := c.String("npm-version"); v != "" {
		env["npm_config_npm_version"] = v
	}
	if s := c.String("editor"); s != "" {
		env["EDITOR"] = s
	}
	if s := c.String("node-options"); s != "" {
		env["NODE_OPTIONS"] = s
	}
	if c.flat.production {
		env["NODE_ENV"] = "production"
	}
	return env
}

// exports returns the npm_config_* variables as of now, when everything is read
// and nothing is validated or concluded.
func (c *Config) exports() map[string]string {
	env := make(map[string]string, 16)
	// The defaults that are never what the table says: paths are made absolute
	// and a text becomes a list.
	for _, key := range [...]string{"cache", "globalconfig", "global-ignore-file", "init-module", "noproxy", "prefix", "userconfig"} {
		c.export(env, key)
	}
	for layer := CLI; layer > Default; layer-- {
		for _, key := range c.layers[layer].data.keys {
			c.export(env, key)
		}
	}
	return env
}

func (c *Config) export(env map[string]string, key string) {
	def := Lookup(key)
	if def != nil && (def.Deprecated != "" || def.NoEnv) || key == "" || strings.ContainsRune("/@_", rune(key[0])) || isProtectedKey(key) {
		return
	}
	value, from := c.find(key)
	var initial Value
	if def != nil {
		initial = c.plainDefault(def)
	}
	if sameSetting(initial, value) {
		// The default, although the environment may say otherwise.
		if sameSetting(c.inherit(key, Environment), value) {
			return
		}
	} else if from == Environment {
		return
	}
	if text, ok := envText(value); ok {
		env["npm_config_"+strings.ToLower(strings.ReplaceAll(key, "-", "_"))] = text
	}
}

func sameSetting(a, b Value) bool {
	if a.kind != List || b.kind != List {
		return same(a, b)
	}
	if len(a.list) != len(b.list) {
		return false
	}
	for i := range a.list {
		if !same(a.list[i], b.list[i]) {
			return false
		}
	}
	return true
}

// envText returns v as a variable holds it: lists with an empty line between
// items, false and null as "". Dates and sections are not exported.
func envText(v Value) (string, bool) {
	switch v.kind {
	case Undefined, Null:
		return "", true
	case Bool:
		if v.num == 0 {
			return "", true
		}
	case Date, Object:
		return "", false
	case List:
		parts := make([]string, len(v.list))
		for i, item := range v.list {
			parts[i], _ = envText(item)
		}
		return strings.Join(parts, "\n\n"), true
	}
	return v.String(), true
}
