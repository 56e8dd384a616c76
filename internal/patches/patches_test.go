package patches

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/folder"
)

// recorded is what npm 12 did.
type recorded struct {
	Files   map[string]string
	Applied []struct {
		Name, Patch, Code string
		After             map[string]string
	}
	Selected []struct {
		Keys          []string
		Name, Version string
		Key           *string
		Code          string
	}
	Made []struct {
		Name          string
		Before, After map[string]string
		Patch         string
		Manifest      bool
	}
	Integrity string
}

func recordings(t testing.TB) *recorded {
	data, err := os.ReadFile("testdata/npm.json")
	if err != nil {
		t.Fatal(err)
	}
	r := new(recorded)
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func put(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func apply(t testing.TB, dir, patch string) error {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return Apply([]byte(patch), f)
}

func codeOf(err error) string {
	var c interface{ Code() string }
	if errors.As(err, &c) {
		return c.Code()
	}
	return ""
}

func TestPatchesAreAppliedAsNpmDoes(t *testing.T) {
	r := recordings(t)
	for _, c := range r.Applied {
		t.Run(c.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "pkg")
			put(t, dir, r.Files)
			put(t, filepath.Dir(dir), map[string]string{"x": "a\n", "evil2": "x\n"})
			err := apply(t, dir, c.Patch)
			if c.Code == "none" { // an error, which npm gives no code
				c.Code = "EPATCHFAILED"
			}
			if got := codeOf(err); got != c.Code {
				t.Errorf("code %q (%v), npm's is %q", got, err, c.Code)
			}
			if got := tree(t, dir); !maps.Equal(got, c.After) {
				t.Errorf("left\n%q\nnpm leaves\n%q", got, c.After)
			}
			if got := tree(t, filepath.Dir(dir)); got["x"] != "a\n" || got["evil2"] != "x\n" || len(got) != len(c.After)+2 {
				t.Errorf("outside there is %q", got)
			}
		})
	}
}

func TestAChangedFileKeepsItsModeAndLeavesOtherNamesAlone(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"pkg/cli.js": "a\n"})
	at := filepath.Join(dir, "pkg", "cli.js")
	if err := os.Chmod(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(at, filepath.Join(dir, "stored")); err != nil {
		t.Skip(err)
	}
	if err := apply(t, filepath.Join(dir, "pkg"), "--- a/cli.js\n+++ b/cli.js\n@@ -1 +1 @@\n-a\n+b\n"); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(at); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "stored")); string(text) != "a\n" {
		t.Errorf("the file under its other name is %q", text)
	}
}

// A full disk is no fault of the patch.
func TestAFileThatCannotBeWrittenIsTheSystemsError(t *testing.T) {
	var mine *Error
	err := apply(t, t.TempDir(), "--- /dev/null\n+++ b/"+strings.Repeat("x", 300)+"\n@@ -0,0 +1 @@\n+a\n")
	if err == nil || errors.As(err, &mine) {
		t.Errorf("%v", err)
	}
}

func TestAPatchFollowsNoLinkAndLeavesOtherPackagesAlone(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, map[string]string{"out/x": "a\n", "pkg/node_modules/b/x": "a\n"})
	if err := os.Symlink(filepath.Join(dir, "out"), filepath.Join(dir, "pkg", "link")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(filepath.Join(dir, "out", "x"), filepath.Join(dir, "pkg", "file")); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	for _, name := range []string{"link/x", "file", "node_modules/b/x", "Node_Modules/b/x", `lib\..\..\out\x`, "C:/x"} {
		for _, patch := range []string{
			"--- a/" + name + "\n+++ b/" + name + "\n@@ -1 +1 @@\n-a\n+b\n",
			"--- a/" + name + "\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
			"--- /dev/null\n+++ b/" + name + "2\n@@ -0,0 +1 @@\n+a\n",
		} {
			if err := apply(t, filepath.Join(dir, "pkg"), patch); err == nil && !strings.Contains(patch, "file2") {
				t.Errorf("%q is applied", patch)
			}
		}
	}
	os.Remove(filepath.Join(dir, "pkg", "file2"))
	if after := tree(t, dir); !maps.Equal(before, after) {
		t.Errorf("left %q", after)
	}
}

func TestSelectorsAreChosenAsNpmDoes(t *testing.T) {
	for _, c := range recordings(t).Selected {
		t.Run(strings.Join(c.Keys, " ")+" for "+c.Name+"@"+c.Version, func(t *testing.T) {
			var all []Selector
			for _, key := range c.Keys {
				all = append(all, NewSelector(key, "x.patch"))
			}
			s, err := Match(all, c.Name, c.Version)
			switch {
			case codeOf(err) != c.Code:
				t.Errorf("%v, npm says %q", err, c.Code)
			case (s == nil) != (c.Key == nil), s != nil && s.Key != *c.Key:
				t.Errorf("chosen %v", s)
			}
		})
	}
}

func TestPatchesAreMadeAsNpmDoes(t *testing.T) {
	for _, c := range recordings(t).Made {
		t.Run(c.Name, func(t *testing.T) {
			before, after := t.TempDir(), t.TempDir()
			put(t, before, c.Before)
			put(t, after, c.After)
			patch, manifest, err := Make(before, after, ".npm-patch-update.json")
			if err != nil || patch != c.Patch || manifest != c.Manifest {
				t.Errorf("%v, %v\n%s\nnpm's, %v\n%s", err, manifest, patch, c.Manifest, c.Patch)
			}
		})
	}
}

func TestIntegrityIsNpms(t *testing.T) {
	if got, want := Integrity([]byte("hello\n")), recordings(t).Integrity; got != want {
		t.Errorf("%s, npm's is %s", got, want)
	}
}

// Whatever a patch says, nothing but the package's own files changes.
func FuzzApply(f *testing.F) {
	r := recordings(f)
	for _, c := range r.Applied {
		f.Add(c.Patch)
	}
	f.Add("--- a/link/x\n+++ b/link/x\n@@ -1 +1 @@\n-a\n+b\n")
	f.Add("--- a/node_modules/b/x\n+++ b/node_modules/b/x\n@@ -1 +1 @@\n-a\n+b\n")
	f.Fuzz(func(t *testing.T, patch string) {
		dir := t.TempDir()
		pkg := filepath.Join(dir, "pkg")
		put(t, pkg, r.Files)
		outside := map[string]string{"x": "a\n", "out/x": "a\n"}
		put(t, dir, outside)
		put(t, pkg, map[string]string{"node_modules/b/x": "a\n"})
		os.Symlink(filepath.Join(dir, "out"), filepath.Join(pkg, "link"))
		_ = apply(t, pkg, patch)
		got := tree(t, dir)
		for name, text := range got {
			if inside, ok := strings.CutPrefix(name, "pkg/"); ok && !strings.HasPrefix(inside, "node_modules/") {
				continue
			}
			if name != "pkg/node_modules/b/x" && outside[name] != text || text != "a\n" {
				t.Errorf("%s is %q", name, text)
			}
		}
		if _, ok := got["pkg/node_modules/b/x"]; !ok || got["x"] == "" || got["out/x"] == "" {
			t.Errorf("something outside is gone: %q", got)
		}
	})
}
