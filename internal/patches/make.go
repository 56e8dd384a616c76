package patches

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/unidiff"
)

// context is how many lines npm keeps around a change.
const context = 4

// Make compares the files of two folders and gives the patch that makes the one
// into the other; "" where nothing differs. The package.json of the folder
// itself never is part of it, since dependencies are resolved by the published
// one: manifest says whether it differs. Neither are the files that ignore
// names, nor what lies in a folder node_modules or .git.
func Make(before, after string, ignore ...string) (patch string, manifest bool, err error) {
	names, err := files(before)
	if err != nil {
		return "", false, err
	}
	edited, err := files(after)
	if err != nil {
		return "", false, err
	}
	names = append(names, edited...)
	slices.SortFunc(names, js.Compare)
	var b strings.Builder
	for _, name := range slices.Compact(names) {
		was, isOld, err := read(before, name)
		if err != nil {
			return "", false, err
		}
		is, isNew, err := read(after, name)
		if err != nil {
			return "", false, err
		}
		switch {
		case isOld == isNew && was == is:
			continue
		case name == "package.json":
			manifest = true
			continue
		case slices.Contains(ignore, name):
			continue
		}
		oldName, newName := "a/"+name, "b/"+name
		if !isOld {
			oldName = "/dev/null"
		}
		if !isNew {
			newName = "/dev/null"
		}
		b.WriteString("--- " + oldName + "\t\n+++ " + newName + "\t\n")
		b.WriteString(unidiff.Text(unidiff.Diff(was, is, unidiff.Options{Context: context})))
	}
	return b.String(), manifest, nil
}

// files lists the regular files below a folder, with slashes.
func files(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && p != dir && (e.Name() == "node_modules" || e.Name() == ".git") {
			return fs.SkipDir
		}
		if !e.Type().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		if err == nil {
			out = append(out, filepath.ToSlash(rel))
		}
		return err
	})
	return out, err
}

// read gives a file's text; there is false where there is none.
func read(dir, name string) (text string, there bool, err error) {
	data, err := regular.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return js.ValidText(string(data)), err == nil, err
}
