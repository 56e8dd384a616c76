package workspaces

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

type tree struct {
	Dirs, NoPkg  []string
	Links, Names map[string]string
}

func (tr tree) make(t *testing.T, root string) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range append(slices.Clone(tr.Dirs), tr.NoPkg...) {
		check(os.MkdirAll(filepath.Join(root, d), 0o777))
	}
	for _, d := range tr.Dirs {
		text := `{"version":"1"}`
		if name := tr.Names[d]; name != "" {
			text = `{"name":"` + name + `"}`
		}
		check(os.WriteFile(filepath.Join(root, d, "package.json"), []byte(text), 0o666))
	}
	for link, target := range tr.Links {
		check(os.Symlink(target, filepath.Join(root, link)))
	}
}

// Globs find the directories that npm finds, in its order.
func TestMapAsNPM(t *testing.T) {
	data, err := os.ReadFile("testdata/map.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Trees []tree
		Cases []struct {
			Tree       int
			Workspaces json.RawMessage
			Want       json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	roots := make([]string, len(file.Trees))
	for i, tr := range file.Trees {
		roots[i] = t.TempDir()
		tr.make(t, roots[i])
	}
	for _, c := range file.Cases {
		root := roots[c.Tree]
		got, err := Map(root, jsjson.Raw(c.Workspaces))
		if text := result(root, got, err); text != want(t, c.Want) {
			t.Errorf("%d %s gives\n%s, npm\n%s", c.Tree, c.Workspaces, text, want(t, c.Want))
		}
	}
}

// result writes a list of workspaces or an error as the recordings have them.
func result(root string, list []Workspace, err error) string {
	if err != nil {
		return "error " + strings.ReplaceAll(err.Error(), root, "ROOT")
	}
	var b strings.Builder
	for _, w := range list {
		rel, _ := filepath.Rel(root, w.Path)
		if rel == "." {
			rel = ""
		}
		b.WriteString(w.Name + " " + rel + "\n")
	}
	return b.String()
}

func want(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var list [][2]string
	if json.Unmarshal(raw, &list) == nil {
		var b strings.Builder
		for _, w := range list {
			b.WriteString(w[0] + " " + w[1] + "\n")
		}
		return b.String()
	}
	var failed struct{ Message string }
	if err := json.Unmarshal(raw, &failed); err != nil {
		t.Fatal(err)
	}
	return "error " + failed.Message
}

// Filters pick the workspaces that npm picks, from any directory.
func TestSelectAsNPM(t *testing.T) {
	root := t.TempDir()
	tree{
		Dirs:  []string{"packages/a", "packages/b", "apps/web", "apps/deep/x", "@s/p"},
		Names: map[string]string{"packages/a": "a", "packages/b": "b", "apps/web": "web", "apps/deep/x": "x", "@s/p": "@s/p"},
	}.make(t, root)
	err := os.WriteFile(filepath.Join(root, "package.json"), []byte(`{"name":"root","workspaces":["packages/*","apps/**","@s/*"]}`), 0o666)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Read(root)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/select.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Cwd     string
			Filters []string
			Root    bool
			Want    json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		var filters []string
		for _, f := range c.Filters {
			filters = append(filters, strings.Replace(f, "ROOT", root, 1))
		}
		got, err := Select(all, filters, SelectOptions{Root: root, Cwd: filepath.Join(root, c.Cwd), IncludeRoot: c.Root, RootName: "root"})
		if text := result(root, got, err); text != want(t, c.Want) {
			t.Errorf("%q from %q gives\n%s, npm\n%s", c.Filters, c.Cwd, text, want(t, c.Want))
		}
	}
}

func TestContainsSaysWhetherADirectoryIsAWorkspace(t *testing.T) {
	root := t.TempDir()
	tree{Dirs: []string{"packages/a", "packages/b", "other"}, NoPkg: []string{"packages/c"}}.make(t, root)
	if err := os.WriteFile(filepath.Join(root, "package.json"), []byte(`{"workspaces":["packages/*","!packages/b"]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{"packages/a": true, "packages/b": false, "packages/c": false, "other": false, "packages": false} {
		if got, err := Contains(root, filepath.Join(root, dir)); err != nil || got != want {
			t.Errorf("%s: %v, %v", dir, got, err)
		}
	}
}
