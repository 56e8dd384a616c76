package linker

import (
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/binshim"
	"github.com/ibid-pm/ibid/internal/folder"
)

// writeShim writes the scripts that start a bin (npm: bin-links
// lib/shim-bin.js). One bin never takes a script of another that was written
// before it: of "x" and "x.cmd" the first has both names.
func (a *Applied) writeShim(b *Bin, bin *folder.Folder) error {
	for _, name := range binshim.Names(b.Path) {
		if a.taken[name] {
			return nil
		}
		a.taken[name] = true
	}
	shim, err := shimOf(b.Target, filepath.Join(a.root.dir, filepath.FromSlash(b.File)))
	if err != nil {
		return err
	}
	for _, f := range shim.Files(path.Base(b.Path)) {
		if was, err := bin.ReadFile(f.Name); err == nil && string(was) == f.Text {
			continue
		}
		at := path.Dir(b.Path) + "/" + f.Name
		if err := a.retire(at, nil); err != nil {
			return err
		}
		if err := bin.WriteFile(f.Name, []byte(f.Text), binshim.Mode); err != nil {
			return err
		}
		a.made = append(a.made, at)
	}
	return nil
}

// ownShim lists those of a bin's scripts that start what the plan knows of.
func ownShim(b Bin, bin *folder.Folder) (own []string) {
	for _, name := range binshim.Names(b.Path) {
		text, err := bin.ReadFile(path.Base(name))
		if err == nil && strings.ReplaceAll(binshim.Target(name, string(text)), `\`, "/") == b.Target {
			own = append(own, name)
		}
	}
	return own
}

// shimOf makes the scripts that start file, whose path from their folder is
// target.
func shimOf(target, file string) (binshim.Shim, error) {
	f, err := os.Open(file)
	if err != nil {
		return binshim.Shim{}, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, binshim.HeadSize))
	if err != nil {
		return binshim.Shim{}, err
	}
	return binshim.New(filepath.ToSlash(target), head), nil
}

// WriteShim writes the scripts of a program at path, in the place of whatever
// has their names. The program is the file at target, a path relative to the
// scripts' folder.
func WriteShim(at, target string) error {
	shim, err := shimOf(target, filepath.Join(filepath.Dir(at), target))
	if err != nil {
		return err
	}
	for _, f := range shim.Files(at) {
		if err := os.RemoveAll(f.Name); err != nil {
			return err
		}
		if err := os.WriteFile(f.Name, []byte(f.Text), binshim.Mode); err != nil {
			return err
		}
	}
	return nil
}

// RemoveShim removes the scripts of a program.
func RemoveShim(at string) error {
	var failed error
	for _, name := range binshim.Names(at) {
		failed = errors.Join(failed, os.RemoveAll(name))
	}
	return failed
}
