package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/binshim"
	"github.com/ibid-pm/ibid/linker"
)

// globalShim is the scripts that start an executable of a global package on
// Windows (npm: bin-links lib/shim-bin.js and lib/check-bin.js).
type globalShim globalLink

// taken gives the first of the scripts' names that belongs to something else
// than the package, or "".
func (s globalShim) taken() string {
	for _, name := range binshim.Names(s.path) {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) && !s.own(name) {
			return name
		}
	}
	return ""
}

// own says whether a script is there and starts something in the package.
func (s globalShim) own(name string) bool {
	text, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	target := binshim.Target(name, string(text))
	l := globalLink(s)
	return target != "" && l.within(filepath.FromSlash(strings.ReplaceAll(target, `\`, "/")))
}

func (g *globalLinks) removeShim(s globalShim) error {
	for _, name := range binshim.Names(s.path) {
		if !s.own(name) {
			continue
		}
		if err := g.clear(name); err != nil {
			return err
		}
	}
	return nil
}

// clear makes room for a script; what is no file cannot be brought back.
func (g *globalLinks) clear(name string) error {
	if text, err := os.ReadFile(name); err == nil {
		g.undo = append(g.undo, func() error { return os.WriteFile(name, text, binshim.Mode) })
	}
	return os.RemoveAll(name)
}

func (g *globalLinks) writeShim(s globalShim, target string) error {
	if s.taken() != "" && !g.app.Config.Bool("force") {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o777); err != nil {
		return err
	}
	for _, name := range binshim.Names(s.path) {
		if err := g.clear(name); err != nil {
			return err
		}
	}
	g.undo = append(g.undo, func() error { return linker.RemoveShim(s.path) })
	if err := linker.WriteShim(s.path, target); err != nil {
		return fmt.Errorf("%s: linking: %w", s.path, err)
	}
	return linker.FixBin(s.file, g.app.umask)
}
