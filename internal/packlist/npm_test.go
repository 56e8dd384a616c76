package packlist_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/packlist"
	"github.com/ibid-pm/ibid/internal/packlist/packlisttest"
	"github.com/ibid-pm/ibid/internal/tarball"
)

var record = flag.String("record", "", "npm's folder: record what it packs of the trees in testdata/npm.json")

func TestTreesArePackedAsByNPM(t *testing.T) {
	const recorded = "testdata/npm.json"
	if runtime.GOOS == "windows" {
		t.Skip("the trees have names and modes that Windows can't have")
	}
	files, err := filepath.Glob("testdata/trees/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if root, err = filepath.EvalSymlinks(root); err != nil {
		t.Fatal(err)
	}
	var jobs []*packlisttest.Tree
	for _, f := range files {
		// npm sees only the last component of the package's own path.
		dir := filepath.Join(root, strings.TrimSuffix(filepath.Base(f), ".txtar"), "pkg")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		tree, err := packlisttest.Unpack(dir, f)
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, tree)
	}
	if *record != "" {
		data, err := json.Marshal(jobs)
		if err != nil {
			t.Fatal(err)
		}
		input := filepath.Join(root, "jobs.json")
		if err := os.WriteFile(input, data, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recorded, runNPM(t, *record, input), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	npm := parseNPM(t, data)
	for _, j := range jobs {
		t.Run(j.Name, func(t *testing.T) {
			want, ok := npm[j.Name]
			if !ok {
				t.Fatal("npm was not asked; run with -record")
			}
			tree, err := packlist.Disk(j.Path, j.Names)
			if err != nil {
				t.Fatal(err)
			}
			list, err := packlist.Files(tree, packlist.Options{Prefix: j.Prefix, Workspaces: j.Workspaces})
			if err != nil {
				if want.Error == "" {
					t.Fatal(err)
				}
				return
			}
			if want.Error != "" {
				t.Fatalf("npm fails: %s", want.Error)
			}
			var warnings []string
			for _, w := range list.Warnings {
				warnings = append(warnings, w.Text)
			}
			if got := strings.Join(warnings, "\n"); got != strings.Join(want.Warnings, "\n") {
				t.Errorf("warnings %q, npm's are %q", warnings, want.Warnings)
			}
			archive, err := tarball.PackTar(j.Path, list.Files, tarball.PackOptions{Bins: tree.Bins(), Contents: stripped(t, j.Path)})
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprintf("%x", sha256.Sum256(archive)) != want.Tar {
				t.Errorf("archive differs from npm's\nours %s\nnpm's\n  %s", strings.Join(list.Files, "\n  "), strings.Join(want.Files, "\n  "))
			}
			if got := sri(tarball.Gzip(archive)); got != want.Integrity {
				t.Errorf("integrity %s, npm's is %s", got, want.Integrity)
			}
		})
	}
}

// stripped is package.json as npm packs it.
func stripped(t *testing.T, dir string) map[string][]byte {
	f, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !f.Content().Has("patchedDependencies") {
		return nil
	}
	f.Delete("patchedDependencies")
	return map[string][]byte{"package.json": f.Bytes()}
}

// packed is what npm made of a tree (testdata/pack.cjs).
type packed struct {
	Files          []string // with modes and link targets
	Tar, Integrity string
	Error          string
	Warnings       []string
}

func parseNPM(t *testing.T, data []byte) map[string]packed {
	var npm struct{ Trees map[string]packed }
	if err := json.Unmarshal(data, &npm); err != nil {
		t.Fatal(err)
	}
	return npm.Trees
}

func runNPM(t *testing.T, npm, input string) []byte {
	cmd := exec.Command("node", "testdata/pack.cjs", npm, input)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sri(data []byte) string {
	sum := sha512.Sum512(data)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}
