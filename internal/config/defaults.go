package config

import (
	"math"
	"path/filepath"
	"strings"
)

// defaultOf returns the value of key in the default layer, typed.
func (c *Config) defaultOf(key string) (Value, bool) {
	switch key {
	case "prefix":
		return NewString(c.defaultPrefix), true
	case "globalconfig":
		return NewString(filepath.Join(c.String("prefix"), "etc", "npmrc")), true
	case "global-ignore-file":
		return NewString(filepath.Join(c.String("prefix"), "etc", "npmignore")), true
	case "node-gyp":
		return NewString(c.env.NodeGyp), true
	case "npm-version":
		return NewString(c.env.NPMVersion), c.env.NPMVersion != ""
	}
	def := Lookup(key)
	if def == nil {
		return Value{}, false
	}
	return c.parseField(c.plainDefault(def), key, false, nil), true
}

// plainDefault returns the default as npm's table has it: with ~, and before
// lists are made of text. What the environment decides is filled in.
func (c *Config) plainDefault(def *Definition) Value {
	switch def.Key {
	case "cache":
		if local := c.environ["LOCALAPPDATA"]; c.windows && local != "" {
			return NewString(local + "/npm-cache")
		} else if c.windows {
			return NewString("~/npm-cache")
		}
	case "cache-max":
		return NewNumber(math.Inf(1))
	case "color":
		v := c.environ["NO_COLOR"]
		return NewBool(v == "" || v == "0")
	case "editor":
		for _, name := range []string{"EDITOR", "VISUAL"} {
			if v := c.environ[name]; v != "" {
				return NewString(v)
			}
		}
		if c.windows {
			return NewString(c.environ["SYSTEMROOT"] + `\notepad.exe`)
		}
		return NewString("vi")
	case "omit":
		if c.environ["NODE_ENV"] == "production" {
			return NewStrings("dev")
		}
	case "progress":
		return NewBool(c.env.Terminal && c.environ["TERM"] != "dumb" && !c.CI().IsCI)
	case "shell":
		name, other := "SHELL", "sh"
		if c.windows {
			name, other = "ComSpec", "cmd"
		}
		if v := c.environ[name]; v != "" {
			return NewString(v)
		}
		return NewString(other)
	case "unicode":
		for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
			if v := c.environ[name]; v != "" {
				v = strings.ToUpper(v)
				return NewBool(strings.HasSuffix(v, "UTF-8") || strings.HasSuffix(v, "UTF8"))
			}
		}
		return no
	case "viewer":
		if c.windows {
			return NewString("browser")
		}
	case "node-gyp":
		return NewString(c.env.NodeGyp)
	}
	return def.Default
}
