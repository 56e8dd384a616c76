package config

import (
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
	env := map[string]string{
		"INIT_CWD":                 c.cwd,
		"HOME":                     c.home,
		"npm_config_global_prefix": c.globalPrefix,
		"npm_config_local_prefix":  c.localPrefix,
	}
	for i := range definitions {
		if def := &definitions[i]; !def.Gone {
			c.export(env, def.Key, def)
		}
	}
	seen := make(map[string]bool)
	for layer := CLI; layer > Default; layer-- {
		for _, key := range c.layers[layer].data.keys {
			if c.lookup(key) == nil && !seen[key] {
				seen[key] = true
				c.export(env, key, nil)
			}
		}
	}
	if s := c.String("editor"); s != "" {
		env["EDITOR"] = s
	}
	if s := c.String("node-options"); s != "" {
		env["NODE_OPTIONS"] = s
	}
	env["npm_config_node_gyp"] = c.String("node-gyp")
	env["npm_config_npm_version"] = "unknown"
	if v := c.String("npm-version"); v != "" {
		env["npm_config_npm_version"] = v
	}
	if c.flat.production {
		env["NODE_ENV"] = "production"
	}
	return env
}

func (c *Config) export(env map[string]string, key string, def *Definition) {
	if def != nil && (def.Deprecated != "" || def.NoEnv) || key == "" || strings.ContainsRune("/@_", rune(key[0])) || isProtectedKey(key) {
		return
	}
	value, from := c.find(key)
	var initial Value
	if def != nil {
		initial = c.plainDefault(def)
	}
	inEnv, isInEnv := c.layers[Environment].data.get(key)
	switch {
	case sameSetting(initial, value):
		if !isInEnv {
			inEnv = c.inherit(key, Environment)
		}
		if sameSetting(inEnv, value) {
			return
		}
	case isInEnv && from == Environment:
		return
	}
	text, ok := envText(value)
	if !ok {
		return
	}
	env["npm_config_"+strings.ToLower(strings.ReplaceAll(key, "-", "_"))] = text
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
