package config

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/regular"
)

// Save writes the file of a layer: the raw values, so that ${} stays, in the
// order they were read. Comments are lost, as with npm. A file without values is
// removed. The user's file gets mode 0600. Others keep theirs, and new ones get
// what the umask leaves of 0666, where npm would make them writable for everyone.
//
// The file is written beside and renamed, so that it is whole at any time; a
// symbolic link is followed and kept. What others have saved since it was read is
// kept too; that nobody does so meanwhile is the caller's to see to.
func (c *Config) Save(layer Layer) error {
	if err := c.Saveable(layer); err != nil {
		return err
	}
	l := &c.layers[layer]
	file := l.source
	if err := l.readAgain(); err != nil {
		return err
	}
	eol := "\n"
	if c.windows {
		eol = "\r\n"
	}
	text := js.Trim(formatINI(l.raw, "", eol))
	if text == "" {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return c.WriteText(layer, text+"\n")
}

// readAgain makes of raw what the file says by now, with this run's edits.
func (l *layerData) readAgain() error {
	data, err := readFile(l.source)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: not replacing a file that could not be read: %w", l.source, err)
	}
	now := parseFile(data)
	for _, e := range l.edits {
		if e.gone {
			now.delete(e.key)
		} else {
			now.set(e.key, e.value)
		}
	}
	l.raw, l.edits = now, nil
	return nil
}

// WriteText replaces the file of a layer, in one step and with the mode that Save
// gives it.
func (c *Config) WriteText(layer Layer, text string) error {
	mode := fs.FileMode(0)
	if layer == User {
		mode = 0o600
	}
	return writeFile(c.layers[layer].source, text, mode)
}

// Saveable says why Save would not write the file of a layer; nil if it would.
//
// A project does not choose where the user's settings and tokens are written to.
// It could have them in a file that is published, or have any file of the user's
// overwritten.
func (c *Config) Saveable(layer Layer) error {
	if !layer.isFile() {
		return &Error{Message: "invalid config location param: " + layer.String()}
	}
	l := &c.layers[layer]
	switch {
	case !filepath.IsAbs(l.source):
		return &Error{Message: layer.String() + " config has no file: " + l.source}
	case layer != Project && c.chosenByProject(layer):
		key := layer.String() + "config"
		own, _ := c.defaultOf(key)
		return &Error{
			Message: c.layers[Project].source + " has " + l.source + " in the place of your own " + key + ": nothing of yours is written there",
			code:    "EPROJECTCONFIG",
			hints: []string{
				"--" + key + "=" + own.String() + "  writes to your own",
				"--" + key + "=" + l.source + "  writes there, if that is what you want",
			},
		}
	case l.unread != nil:
		return fmt.Errorf("%s: not replacing a file that could not be read: %w", l.source, l.unread)
	}
	return nil
}

// writeFile replaces file atomically. A mode of 0 keeps that of the file.
func writeFile(file, text string, mode fs.FileMode) error {
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	created := fs.FileMode(0o666)
	if mode != 0 {
		created = mode // private from the start: it holds tokens
	} else if st, err := os.Stat(file); err == nil {
		mode = st.Mode().Perm()
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	// Names that begin with ._ never get into a package, should this one stay.
	tmp := filepath.Join(dir, "._npmrc-"+strconv.FormatUint(rand.Uint64(), 36))
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, created)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil && mode != 0 {
		err = f.Chmod(mode)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = regular.Replace(tmp, file, []byte(text))
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}

// Setting is one key=value of "config set".
type Setting struct{ Key, Value string }

// ParseSettings reads the arguments of "config set": key=value, or key and value
// as two words. A key given twice keeps its first place and last value.
func ParseSettings(args []string) []Setting {
	var out []Setting
	for i := 0; i < len(args); i++ {
		key, value, ok := strings.Cut(args[i], "=")
		if !ok && i+1 < len(args) {
			i++
			value = args[i]
		}
		s := Setting{js.Trim(key), js.Trim(value)}
		found := false
		for j := range out {
			if out[j].Key == s.Key {
				out[j], found = s, true
			}
		}
		if !found {
			out = append(out, s)
		}
	}
	return out
}

// Change applies settings to a layer and saves it: what "config set" does. An
// empty value deletes the key. Keys that npm does not know and deprecated ones
// are refused.
func (c *Config) Change(layer Layer, settings []Setting) error {
	for _, s := range settings {
		base := s.Key[strings.LastIndexByte(s.Key, ':')+1:]
		def := Lookup(base)
		if def == nil && !isNerfDartKey(base) {
			return &Error{Message: "`" + base + "` is not a valid npm option"}
		}
		if def != nil && def.Deprecated != "" {
			return &Error{Message: "The `" + base + "` option is deprecated, and cannot be set in this way: " + def.Deprecated}
		}
		if s.Value == "" {
			c.Delete(s.Key, layer)
		} else {
			c.Set(s.Key, NewString(s.Value), layer)
		}
		if !c.ValidateLayer(layer) {
			c.warn("warn", "config", "omitting invalid config values")
		}
	}
	return c.Save(layer)
}

// Remove deletes keys from a layer and saves it: what "config delete" does.
func (c *Config) Remove(layer Layer, keys []string) error {
	for _, key := range keys {
		c.Delete(key, layer)
	}
	return c.Save(layer)
}
