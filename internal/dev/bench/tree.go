package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkTree makes sure that an install did what it was timed for: every direct
// dependency of the project and its workspaces is there, and no file is missing
// of those that the contender's own first install made. extra says whether the
// package of the add row has to be there, or must not.
func (c *contender) checkTree(extra bool) error {
	manifests, err := filepath.Glob(filepath.Join(c.project, "packages", "*", "package.json"))
	if err != nil {
		return err
	}
	for _, path := range append(manifests, filepath.Join(c.project, "package.json")) {
		if err := c.checkDirect(path); err != nil {
			return err
		}
	}
	_, err = os.Stat(filepath.Join(c.project, "node_modules", extraPackage, "package.json"))
	if extra != (err == nil) {
		return fmt.Errorf("%s: %s in node_modules: %v, but it should be %v", c.name, extraPackage, err == nil, extra)
	}
	files, err := c.countFiles()
	if err != nil {
		return err
	}
	if c.files == 0 {
		c.files = files
	}
	// pnpm leaves in its own folder what is no longer linked, until it prunes.
	if extra && files <= c.files || !extra && files < c.files {
		return fmt.Errorf("%s: %d files in node_modules, %d after the first install", c.name, files, c.files)
	}
	return nil
}

func (c *contender) checkDirect(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var m struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	for _, deps := range []map[string]string{m.Dependencies, m.DevDependencies} {
		for name := range deps {
			_, err := os.Stat(filepath.Join(filepath.Dir(path), "node_modules", name, "package.json"))
			if errors.Is(err, fs.ErrNotExist) {
				_, err = os.Stat(filepath.Join(c.project, "node_modules", name, "package.json"))
			}
			if err != nil {
				return fmt.Errorf("%s: a direct dependency is missing: %w", c.name, err)
			}
		}
	}
	return nil
}

// countFiles counts the regular files below every node_modules of the project
// that belong to packages.
func (c *contender) countFiles() (int, error) {
	dirs, err := c.modules()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.Type().IsRegular() && filepath.Dir(path) != dir:
				n++
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	return n, nil
}

// modules names every node_modules of the project, its workspaces' too.
func (c *contender) modules() ([]string, error) {
	found, err := filepath.Glob(filepath.Join(c.project, "packages", "*", "node_modules"))
	return append(found, filepath.Join(c.project, "node_modules")), err
}
