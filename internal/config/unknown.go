package config

import (
	"slices"
	"strings"
)

// Unknown is a key that no definition knows.
type Unknown struct {
	Layer  Layer
	Key    string
	Base   string // what follows the last colon, "" if there is none
	Source string // file name or description of the layer
}

// Settings of ibid's own, after pnpm's: npm's table has no place for them.
const (
	VerifyDepsBeforeRun = "verify-deps-before-run"
	GlobalVirtualStore  = "enable-global-virtual-store"
)

func (c *Config) checkUnknown(layer Layer, key, source string) {
	if Lookup(key) != nil {
		return
	}
	switch key {
	case "npm-version", "global-prefix", "local-prefix":
		return // exported by npm itself, and read back by its children
	case VerifyDepsBeforeRun, GlobalVirtualStore:
		return
	}
	base := ""
	if i := strings.LastIndexByte(key, ':'); i >= 0 {
		base = key[i+1:]
		if Lookup(base) != nil || isNerfDartKey(base) {
			return
		}
	}
	u := Unknown{Layer: layer, Key: key, Base: base, Source: source}
	c.unknown = append(c.unknown, u)
	if layer == Environment {
		c.warn("warn", "", "Unknown env config "+u.quoted()+". This will error in a future major version of npm. See `npm help npmrc` for supported config options.")
	}
}

func (u Unknown) quoted() string {
	if strings.Contains(u.Key, ":") {
		return `"` + u.Base + `" (` + u.Key + ")"
	}
	return `"` + u.Key + `"`
}

// Unknown returns the unknown keys of the command line and the files.
func (c *Config) Unknown() []Unknown {
	var out []Unknown
	for _, u := range c.unknown {
		if u.Layer != Environment {
			out = append(out, u)
		}
	}
	return out
}

// CheckUnknown refuses flags that neither npm nor the command knows; allowed
// are the command's own. Unknown keys in files are a warning, or refused as well
// with strict-npmrc. The error is an *UnknownFlagError.
func (c *Config) CheckUnknown(allowed ...string) error {
	var flags, keys []string
	var flagLines, keyLines []string
	strict := c.Bool("strict-npmrc")
	for _, u := range c.unknown {
		switch {
		case u.Layer == Environment:
		case u.Layer == CLI:
			if slices.Contains(allowed, u.Key) || u.Base != "" && slices.Contains(allowed, u.Base) {
				continue
			}
			line := "  - --" + u.Key
			if u.Base != "" {
				line = "  - --" + u.Base + " (" + u.Key + ")"
			}
			flags, flagLines = append(flags, u.Key), append(flagLines, line)
		case strict:
			keys = append(keys, u.Key)
			keyLines = append(keyLines, "  - "+u.Layer.String()+" config "+u.quoted()+" from "+u.Source)
		default:
			c.warn("warn", "", "Unknown "+u.Layer.String()+" config "+u.quoted()+". This will stop working in the next major version of npm. See `npm help npmrc` for supported config options.")
		}
	}
	if len(flags)+len(keys) == 0 {
		return nil
	}
	var sections []string
	if len(flags) > 0 {
		sections = append(sections, "Unknown cli flag"+plural(len(flags))+":")
		sections = append(sections, flagLines...)
		sections = append(sections, "Run `npm help config` for supported options.")
	}
	if len(keys) > 0 {
		if len(sections) > 0 {
			sections = append(sections, "")
		}
		sections = append(sections, "Unknown npm configuration key"+plural(len(keys))+":")
		sections = append(sections, keyLines...)
		sections = append(sections, "See `npm help npmrc` for supported config options.")
	}
	return &UnknownFlagError{Message: strings.Join(sections, "\n"), Keys: append(flags, keys...)}
}

func plural(n int) string {
	if n > 1 {
		return "s"
	}
	return ""
}
