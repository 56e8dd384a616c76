package config

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// WithPublishConfig returns the configuration that publish and unpublish go by:
// the settings of a package.json's publishConfig override every layer but the
// command line. They may be any keys and are taken as they are, without
// expansion, but count as the project's: it may be a stranger's tarball that is
// published, and names no program and no proxy that reads the user's token. c
// itself does not change, but gets a warning for each unknown key.
func (c *Config) WithPublishConfig(settings jsjson.Value) *Config {
	out := *c
	flags := &c.layers[CLI].data
	merged := table{}
	for _, key := range flags.keys {
		v, _ := flags.get(key)
		merged.set(key, v)
	}
	out.published = map[string]bool{}
	for _, m := range settings.Members() {
		if _, ok := flags.get(m.Key); ok {
			continue
		}
		if namesProgram(m.Key) {
			c.warn("warn", "config", "ignoring "+m.Key+" from publishConfig: a project does not choose which programs are started")
			continue
		}
		c.warnUnknownPublishConfig(m.Key)
		merged.set(m.Key, fromJSON(m.Value))
		out.published[m.Key] = true
	}
	out.layers[CLI].data = merged
	out.warnings = nil
	out.flatten()
	return &out
}

// CheckPublishConfig warns of keys in a package.json's publishConfig that npm
// does not know.
func (c *Config) CheckPublishConfig(settings jsjson.Value) {
	for _, m := range settings.Members() {
		c.warnUnknownPublishConfig(m.Key)
	}
}

func (c *Config) warnUnknownPublishConfig(key string) {
	base := key[strings.LastIndexByte(key, ':')+1:]
	if Lookup(key) != nil || base != key && (Lookup(base) != nil || isNerfDartKey(base)) {
		return
	}
	u := Unknown{Key: key, Base: base}
	c.warn("warn", "", "Unknown publishConfig config "+u.quoted()+". This will stop working in the next major version of npm. See `npm help npmrc` for supported config options.")
}
