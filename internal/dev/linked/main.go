// Linked writes conformance cases for install-strategy=linked, out of those of
// the shared folder: the same projects with the flag, and what happens to them
// afterwards: packages added, removed and changed, workspaces, another strategy
// and back.
//
//	go run ./internal/dev/linked -out CASES
//	python3 ../shared/conform/conform run --cases CASES --pm ./ibid --mode install --mode cmd
//
// conform runs the npm on the PATH for what it has no result of; the results of
// two versions of npm do not mix. The program decides nothing about layouts.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

const linked = "--install-strategy=linked"

// sequences are commands by the case that they begin with. conform puts the
// case's flags behind each command; those that have the strategy spelled out
// get none.
var sequences = map[string][][]string{
	"syn-cmd-add":              nil, // the case's own commands
	"syn-cmd-prune":            nil,
	"syn-cmd-twice":            nil,
	"syn-cmd-uninstall":        nil,
	"syn-cmd-ws-add":           nil,
	"syn-ws-basic":             {{"install", linked}, {"install", "ms@2.0.0", linked}, {"install", "ms@2.1.3", linked}, {"uninstall", "ms", linked}},
	"syn-ws-conflicts":         {{"install"}, {"install", linked}, {"install", linked}},
	"syn-bin-conflict":         {{"install", linked}, {"install", "semver@7.5.4", linked}, {"uninstall", "semver", linked}},
	"syn-peer-react18":         {{"install", linked}, {"install", "react@18.2.0", "react-dom@18.2.0", linked}},
	"syn-platform-binaries":    {{"install", linked}, {"install"}},
	"syn-alias":                {{"install", linked}, {"install", "lodash@4.17.20", linked}},
	"syn-install-script-flags": {{"install", linked}, {"ci", linked}},
}

// installs are cases that are only installed. syn-file-tarball cannot be one:
// its key is made of the folder that the project is in, and the two sides are in
// two. Nor can syn-shrinkwrapped-dep: npm 11 lays out what a dependency's own lock
// says and forgets it in the project's, npm 12 knows no such locks. Nor can syn-bins have a sequence: see "A bin without a link" in
// docs/compatibility.md.
var installs = []string{
	"syn-alias", "syn-bin-conflict", "syn-bins", "syn-bundled-npm", "syn-bundled-overlay", "syn-cycles", "syn-dep-also-optional",
	"syn-file-dir", "syn-hoist-order", "syn-install-script-flags", "syn-nested-lodash", "syn-odd-tarballs", "syn-omit-dev",
	"syn-optional-missing", "syn-override-nested", "syn-override-peer", "syn-peer-eslint-airbnb", "syn-peer-host-shared", "syn-peer-nested-sets",
	"syn-peer-optional-meta", "syn-peer-react18", "syn-platform-binaries", "syn-platforms", "syn-sort-order",
	"syn-ws-basic", "syn-ws-conflicts", "syn-ws-globs", "syn-x-ranges",
}

// locked are real projects, installed from their locks.
var locked = []string{
	"electron-quick-start", "esbuild-scripts", "monaco-vite-react", "nodemailer", "octokit-rest", "proshop-backend", "cypress-kitchensink",
}

func main() {
	shared := flag.String("shared", "../shared", "`folder` with conform/cases")
	out := flag.String("out", "", "`folder` to write the cases to")
	flag.Parse()
	if err := run(filepath.Join(*shared, "conform", "cases"), *out); err != nil {
		fmt.Fprintln(os.Stderr, "linked:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	if to == "" {
		return fmt.Errorf("-out is missing")
	}
	for _, name := range installs {
		if err := write(from, to, name, "install", nil); err != nil {
			return err
		}
	}
	for _, name := range locked {
		if err := write(from, to, name, "ci", nil); err != nil {
			return err
		}
	}
	for name, commands := range maps.All(sequences) {
		if err := write(from, to, name, "cmd", commands); err != nil {
			return err
		}
	}
	return nil
}

// write makes a case of a case.
func write(from, to, name, mode string, commands [][]string) error {
	b, err := os.ReadFile(filepath.Join(from, name, "case.json"))
	if err != nil {
		return err
	}
	var c map[string]any
	if err := json.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	id := "linked-" + mode + "-" + name
	c["id"], c["modes"] = id, []string{mode}
	delete(c, "expect_failure")
	if commands != nil {
		c["commands"] = commands
	} else {
		flags, _ := c["flags"].([]any)
		c["flags"] = append(flags, linked)
	}
	dir := filepath.Join(to, id)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if b, err = json.MarshalIndent(c, "", "  "); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "case.json"), b, 0o644); err != nil {
		return err
	}
	return copyTree(filepath.Join(from, name, "project"), filepath.Join(dir, "project"))
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(dst, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, dst)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(dst, b, info.Mode().Perm()|0o200)
	})
}
