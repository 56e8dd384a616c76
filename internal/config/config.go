package config

import (
	"fmt"
	"math"
	"time"
)

// Layer is a source of values. A higher layer wins.
type Layer uint8

// The layers, lowest first.
const (
	Default Layer = iota
	Builtin
	Global
	User
	Project
	Environment
	CLI
	layerCount
)

var layerNames = [layerCount]string{"default", "builtin", "global", "user", "project", "env", "cli"}

// String returns npm's name of the layer: "project".
func (l Layer) String() string {
	if l < layerCount {
		return layerNames[l]
	}
	return "none"
}

// LayerNamed returns the layer with npm's name for it.
func LayerNamed(name string) (Layer, bool) {
	for l := range layerCount {
		if layerNames[l] == name {
			return l, true
		}
	}
	return 0, false
}

// isFile reports whether the layer is a file that can be saved.
func (l Layer) isFile() bool { return l == Global || l == User || l == Project }

// Warning is something that npm would log while it reads its configuration.
type Warning struct {
	Level  string // "error", "warn", "info", "verbose"
	Prefix string // "config", "invalid config", or ""
	Text   string

	// Word is set when the warning says that this word after an unknown flag was
	// taken as an argument; it is void if the command knows the flag.
	Word string
}

// Error says that the configuration contradicts itself.
type Error struct {
	Message string
	code    string
	hints   []string
}

func (e *Error) Error() string { return e.Message }

// Code returns npm's code for the error, "" if npm has none.
func (e *Error) Code() string { return e.code }

// Hints returns what can be done about it.
func (e *Error) Hints() []string { return e.hints }

type layerData struct {
	source string
	data   table
	raw    *table // what the file said, before expansion and typing
	edits  []edit // what Set and Delete have made of raw since
	unread error  // why a file that is there could not be read

	derived table // what flatten concluded, over data
}

// An edit is what Set or Delete did to the values of a file.
type edit struct {
	key   string
	value Value
	gone  bool
}

// Config is the configuration of one run. It may be read from several
// goroutines once Load and Validate are done; Set, Delete, Validate and Save
// must not run beside anything else.
type Config struct {
	env     Env
	environ map[string]string
	cwd     string
	home    string
	windows bool
	started time.Time

	layers  [layerCount]layerData
	sources map[string]Layer
	args    arguments
	unknown []Unknown

	warnings []Warning

	published map[string]bool // what the command line has of a publishConfig

	noNode        bool   // there is no node on PATH
	nodeProgram   string // the node on PATH as it is named there
	defaultPrefix string // of node
	globalPrefix  string
	localPrefix   string
	localPackage  bool

	usesKeyring bool

	flat     flattened
	exported map[string]string // npm_config_* for children
}

func (c *Config) checkDeprecated(key string) {
	if def := Lookup(key); def != nil && def.Deprecated != "" {
		c.warn("warn", "config", key+" is deprecated: "+def.Deprecated)
	}
}

func (c *Config) warn(level, prefix, text string) {
	c.warnings = append(c.warnings, Warning{Level: level, Prefix: prefix, Text: text})
}

// refuse warns of values that their definition does not allow.
func (c *Config) refuse(key string, bad []Value, source string) {
	for _, v := range bad {
		c.warn("warn", "invalid config", key+"="+shown(key, v)+" set in "+source)
		c.warn("warn", "invalid config", Lookup(key).mustBe())
	}
}

// Format prints nothing of the configuration: it holds credentials.
func (c *Config) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("config")) }

// shown is a value as messages have it: JSON without secrets.
func shown(key string, v Value) string {
	if IsProtected(key) {
		return "(protected)"
	}
	return Redact(v.JSON())
}

// Warnings returns what there was to log, in order.
func (c *Config) Warnings() []Warning { return c.warnings }

// ClearWarnings forgets the warnings, when they have been shown.
func (c *Config) ClearWarnings() { c.warnings = nil }

// Args returns the words of the command line that are no flags, the command
// first.
func (c *Config) Args() []string { return c.args.words }

// AfterDash returns the words after "--", which are also the last of Args; ok
// is false if there was no "--".
func (c *Config) AfterDash() (words []string, ok bool) {
	if c.args.afterDash < 0 {
		return nil, false
	}
	return c.args.words[c.args.afterDash:], true
}

func (c *Config) getenv(name string) (string, bool) {
	v, ok := c.environ[name]
	return v, ok
}

// Getenv returns a variable of the environment that the Config was read from.
func (c *Config) Getenv(name string) string { return c.environ[name] }

// own returns the value of key in one layer.
func (c *Config) own(key string, layer Layer) (Value, bool) {
	if v, ok := c.layers[layer].derived.get(key); ok {
		return v, true
	}
	if v, ok := c.layers[layer].data.get(key); ok {
		return v, true
	}
	if layer == Default {
		return c.defaultOf(key)
	}
	return Value{}, false
}

// Get returns the value of key in the highest layer that has it; undefined if
// none does.
func (c *Config) Get(key string) Value {
	v, _ := c.find(key)
	return v
}

func (c *Config) find(key string) (Value, Layer) {
	for l := CLI; ; l-- {
		if v, ok := c.own(key, l); ok {
			return v, l
		}
		if l == Default {
			return Value{}, layerCount
		}
	}
}

// GetIn returns the value of key in one layer, undefined if it is not set there.
func (c *Config) GetIn(key string, layer Layer) Value {
	v, _ := c.own(key, layer)
	return v
}

// Where returns the highest layer that has key; ok is false if none has.
func (c *Config) Where(key string) (layer Layer, ok bool) {
	_, l := c.find(key)
	return l, l != layerCount
}

// IsDefault reports whether key has a default and is set nowhere.
func (c *Config) IsDefault(key string) bool {
	l, ok := c.Where(key)
	return ok && l == Default
}

// IsSet reports whether key is set anywhere, on the command line, in the
// environment or in a file.
func (c *Config) IsSet(key string) bool {
	l, ok := c.Where(key)
	return ok && l != Default
}

// Source returns where the values of a layer were read: a file, or a
// description.
func (c *Config) Source(layer Layer) string { return c.layers[layer].source }

// String returns the value of key as text, "" for null and undefined.
func (c *Config) String(key string) string {
	v := c.Get(key)
	if v.IsNull() {
		return ""
	}
	return v.String()
}

// Bool reports whether the value of key is true in JavaScript's sense.
func (c *Config) Bool(key string) bool { return c.Get(key).Truthy() }

// Int returns the value of key as a whole number, 0 for what is none.
func (c *Config) Int(key string) int {
	n := c.Get(key).number()
	switch {
	case math.IsNaN(n):
		return 0
	case n > math.MaxInt32:
		return math.MaxInt32
	case n < math.MinInt32:
		return math.MinInt32
	}
	return int(n)
}

// Strings returns the value of key as a list of texts.
func (c *Config) Strings(key string) []string {
	v := c.Get(key)
	if v.kind != List {
		if v.IsNull() {
			return nil
		}
		return []string{v.String()}
	}
	out := make([]string, len(v.list))
	for i, item := range v.list {
		out[i] = item.String()
	}
	return out
}

// Set gives key a value in one layer.
func (c *Config) Set(key string, v Value, layer Layer) {
	c.checkDeprecated(key)
	l := &c.layers[layer]
	l.data.set(key, v)
	l.derived.delete(key)
	if layer.isFile() {
		if l.raw == nil {
			l.raw = &table{}
		}
		l.raw.set(key, v)
		l.edits = append(l.edits, edit{key: key, value: v})
	}
	c.flatten()
}

// Delete removes key from one layer.
func (c *Config) Delete(key string, layer Layer) {
	l := &c.layers[layer]
	l.data.delete(key)
	if layer.isFile() {
		l.raw.delete(key)
		l.edits = append(l.edits, edit{key: key, gone: true})
	}
	c.flatten()
}
