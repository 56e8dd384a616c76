package packlist_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/packlist"
	"github.com/ibid-pm/ibid/internal/tarball"
)

// TestRealPackagesArePackedAsByNPM unpacks every 20th of the tarballs below
// IBID_TARBALLS and packs them again beside the npm in IBID_NPM. It needs
// node, and is skipped unless both are set.
func TestRealPackagesArePackedAsByNPM(t *testing.T) {
	from, npm := os.Getenv("IBID_TARBALLS"), os.Getenv("IBID_NPM")
	if from == "" || npm == "" {
		t.Skip("IBID_TARBALLS or IBID_NPM isn't set")
	}
	root := t.TempDir()
	var jobs []job
	n := 0
	err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if n++; n%20 != 0 {
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		a, err := tarball.Read(data, tarball.Options{})
		if err != nil || len(data) > 1<<20 {
			return nil
		}
		dir := filepath.Join(root, fmt.Sprint(n), "pkg")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		jobs = append(jobs, job{Name: filepath.Base(p), Path: dir})
		return tarball.Write(dir, a)
	})
	if err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(root, "jobs.json")
	data, _ := json.Marshal(jobs)
	if err := os.WriteFile(input, data, 0o666); err != nil {
		t.Fatal(err)
	}
	want := askNPM(t, npm, input)
	for _, j := range jobs {
		tree, err := packlist.Disk(j.Path, nil)
		if err != nil {
			t.Errorf("%s: %v", j.Name, err)
			continue
		}
		list, err := packlist.Files(tree, packlist.Options{})
		if err != nil {
			t.Errorf("%s: %v", j.Name, err)
			continue
		}
		archive, err := tarball.PackTar(j.Path, list.Files, tarball.PackOptions{Bins: tree.Bins()})
		if err != nil {
			t.Errorf("%s: %v", j.Name, err)
			continue
		}
		if fmt.Sprintf("%x", sha256.Sum256(archive)) != want[j.Name].Tar {
			t.Errorf("%s: archive differs from npm's\nours %s\nnpm's\n  %s %s", j.Name, strings.Join(list.Files, "\n  "), strings.Join(want[j.Name].Files, "\n  "), want[j.Name].Error)
		} else if sri(tarball.Gzip(archive)) != want[j.Name].Integrity {
			t.Errorf("%s: integrity differs from npm's", j.Name)
		}
	}
	t.Logf("%d packages", len(jobs))
}
