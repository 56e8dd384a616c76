package config

import (
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/js"
)

// Entry is one key of one layer, as "config list" shows it.
type Entry struct {
	Key   string
	Value Value
	By    Layer // the layer that decides; another one than the entry's if it is overridden
	layer Layer
}

// Overridden reports whether a higher layer has the key as well.
func (e Entry) Overridden() bool { return e.By != e.layer }

// String writes the entry as npm does, without secrets: `tag = "latest"`.
func (e Entry) String() string {
	line := DisplayLine(e.Key, e.Value)
	if e.Overridden() {
		return "; " + line + " ; overridden by " + e.By.String()
	}
	return line
}

// DisplayLine writes one setting without secrets: `tag = "latest"`.
func DisplayLine(key string, v Value) string {
	if IsProtected(key) {
		return key + " = (protected)"
	}
	if v.kind == String {
		v = NewString(Redact(v.str))
	}
	if v.kind == Undefined {
		return key + " = undefined"
	}
	return key + " = " + v.JSON()
}

// Entries returns the keys of a layer in the order of npm's list.
func (c *Config) Entries(layer Layer) []Entry {
	keys := c.keysIn(layer)
	slices.SortStableFunc(keys, collate.Compare)
	out := make([]Entry, 0, len(keys))
	for _, key := range keys {
		v, _ := c.own(key, layer)
		_, by := c.find(key)
		out = append(out, Entry{Key: key, Value: v, By: by, layer: layer})
	}
	return out
}

// keysIn returns the keys of a layer as they were set; the defaults are in the
// order of npm's table.
func (c *Config) keysIn(layer Layer) []string {
	l := &c.layers[layer]
	keys := l.data.orderedKeys()
	if layer == Default {
		keys = make([]string, 0, len(definitions)+1)
		for i := range definitions {
			if !definitions[i].Gone && !definitions[i].Own {
				keys = append(keys, definitions[i].Key)
			}
		}
		slices.SortFunc(keys, func(a, b string) int { return Lookup(a).order - Lookup(b).order })
		if c.env.NPMVersion != "" {
			keys = append(keys, "npm-version")
		}
		return keys
	}
	for _, key := range l.derived.keys {
		if _, ok := l.data.get(key); !ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// ListText returns what "config list" prints of the layers, with the defaults if
// long. It ends without a line break; it is "" if nothing is set.
func (c *Config) ListText(long bool) string {
	var b strings.Builder
	for layer := range layerCount {
		if layer == Default && !long {
			continue
		}
		entries := c.Entries(layer)
		if len(entries) == 0 {
			continue
		}
		b.WriteString("; \"" + layer.String() + "\" config from " + c.Source(layer) + "\n\n")
		for _, e := range entries {
			b.WriteString(e.String() + "\n")
		}
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}

// ListJSON returns every key that is no secret with its value, as "config list
// --json" prints it: the highest layer's keys first, without a line break at the
// end.
func (c *Config) ListJSON() []byte {
	t := &table{}
	for layer := CLI; ; layer-- {
		for _, key := range c.keysIn(layer) {
			if _, ok := t.get(key); ok {
				continue
			}
			if v := c.Get(key); v.kind != Undefined && !isPrivate(key, v) {
				t.set(key, v)
			}
		}
		if layer == Default {
			break
		}
	}
	return Value{kind: Object, obj: t}.AppendJSON(nil, "", "  ")
}

// isPrivate reports whether key must not be shown, or its value holds a secret.
func isPrivate(key string, v Value) bool {
	return IsProtected(key) || v.kind == String && Redact(v.str) != v.str
}

// Show returns what "config get" prints for one key. It refuses secrets.
func (c *Config) Show(key string) (string, error) {
	v := c.Get(key)
	if isPrivate(key, v) {
		return "", &Error{Message: "The " + key + " option is protected, and cannot be retrieved in this way"}
	}
	return v.String(), nil
}

// EditText returns the file of a layer and the text that "config edit" opens an
// editor with: the file's lines, sorted, and every default as a comment. Save
// removes the comments again.
func (c *Config) EditText(layer Layer, current string) (file, text string) {
	file = c.Source(layer)
	lines := strings.Split(strings.ReplaceAll(current, "\r\n", "\n"), "\n")
	slices.SortStableFunc(lines, collate.Compare)
	var b strings.Builder
	b.WriteString(";;;;\n; " + layer.String() + " configuration: " + file + "\n" +
		"; Each line is key=value; lines that begin with ; are comments.\n" +
		";\n" +
		"; @scope:registry=URL takes the packages of a scope from another registry,\n" +
		"; //host/path/:_authToken=TOKEN is sent to that registry and to no other.\n\n")
	b.WriteString(js.Trim(strings.Join(lines, "\n")))
	b.WriteString("\n\n;;;;\n; The defaults:\n;;;;\n\n")
	for _, key := range c.keysIn(Default) {
		if def := Lookup(key); def != nil {
			t := &table{}
			t.set(key, c.plainDefault(def))
			for line := range strings.SplitSeq(strings.TrimSuffix(formatINI(t, "", "\n"), "\n"), "\n") {
				if line != "" {
					b.WriteString("; " + line + "\n")
				}
			}
		}
	}
	return file, b.String()
}
