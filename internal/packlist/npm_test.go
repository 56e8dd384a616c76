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
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/packlist"
	"github.com/ibid-pm/ibid/internal/tarball"
)

var record = flag.String("record", "", "npm's folder: record what it packs of the trees in testdata/npm.json")

// job is a tree on disk and what is to be packed of it.
type job struct {
	Name       string   `json:"name"`
	Path       string   `json:"path"`
	Prefix     string   `json:"prefix,omitempty"`
	Workspaces []string `json:"workspaces,omitempty"`

	names map[string]string
}

// unpackTree writes testdata/trees/<name>.txtar below dir. The lines after
// the first of its comment do what files can't:
//
//	symlink <path> <target>     link <path> <existing>     mkdir <path>
//	write <path> <content>      chmod <mode> <path>
//	workspaces <name>=<path>…   pack <path>
func unpackTree(t *testing.T, dir, file string) job {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := func(p string) string { return filepath.Join(dir, filepath.FromSlash(p)) }
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(p, content string) {
		must(os.MkdirAll(filepath.Dir(at(p)), 0o777))
		must(os.WriteFile(at(p), []byte(content), 0o644))
		must(os.Chmod(at(p), 0o644))
	}
	for _, f := range a.Files {
		// txtar ends every file with a line break; a file of one line has none.
		content := string(f.Data)
		if strings.Count(content, "\n") == 1 {
			content = strings.TrimSuffix(content, "\n")
		}
		write(f.Name, content)
	}
	j := job{Name: strings.TrimSuffix(filepath.Base(file), ".txtar"), Path: dir}
	_, directives, _ := strings.Cut(string(a.Comment), "\n")
	for line := range strings.Lines(directives) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "symlink":
			must(os.Symlink(f[2], at(f[1])))
		case "link":
			must(os.Link(at(f[2]), at(f[1])))
		case "mkdir":
			must(os.MkdirAll(at(f[1]), 0o777))
		case "write":
			write(f[1], f[2])
		case "chmod":
			mode, err := strconv.ParseUint(f[1], 8, 32)
			must(err)
			must(chmod(at(f[2]), uint32(mode)))
		case "workspaces":
			j.Prefix, j.names = dir, map[string]string{}
			for _, ws := range f[1:] {
				name, p, _ := strings.Cut(ws, "=")
				j.Workspaces = append(j.Workspaces, at(p))
				j.names[name] = at(p)
			}
		case "pack":
			j.Path, j.names = at(f[1]), nil
		default:
			t.Fatalf("%s: unknown directive %q", file, line)
		}
	}
	return j
}

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
	var jobs []job
	for _, f := range files {
		// npm sees only the last component of the package's own path.
		dir := filepath.Join(root, strings.TrimSuffix(filepath.Base(f), ".txtar"), "pkg")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, unpackTree(t, dir, f))
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
			tree, err := packlist.Disk(j.Path, j.names)
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

func askNPM(t *testing.T, npm, input string) map[string]packed {
	return parseNPM(t, runNPM(t, npm, input))
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

// chmod sets all twelve bits.
func chmod(path string, mode uint32) error {
	m := os.FileMode(mode & 0o777)
	for bit, flag := range map[uint32]os.FileMode{0o4000: os.ModeSetuid, 0o2000: os.ModeSetgid, 0o1000: os.ModeSticky} {
		if mode&bit != 0 {
			m |= flag
		}
	}
	return os.Chmod(path, m)
}
