package ibid_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var recordDeps = flag.Bool("record-deps", false, "write testdata/deps.txt anew")

const depsHeader = `# Every package from outside that is linked into the ibid binary, on any of its
# platforms. A line more is a dependency more: say in the change who keeps it, its
# licence, and what it adds to the binary and to start-up.
# Written by: go test -run TestDeps -record-deps .
`

func TestDepsAreListed(t *testing.T) {
	var found []string
	for _, goos := range []string{"linux", "darwin", "windows"} {
		list := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/ibid")
		list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
		var stderr bytes.Buffer // modules that are being downloaded are named there
		list.Stderr = &stderr
		out, err := list.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v\n%s", goos, err, stderr.Bytes())
		}
		for _, p := range strings.Fields(string(out)) {
			if !strings.HasPrefix(p, module) {
				found = append(found, p)
			}
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)

	file := filepath.Join("testdata", "deps.txt")
	if *recordDeps {
		if err := os.WriteFile(file, []byte(depsHeader+strings.Join(found, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, line := range strings.Split(string(b), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			listed = append(listed, line)
		}
	}
	for _, p := range found {
		if !slices.Contains(listed, p) {
			t.Errorf("%s is in the binary and not in %s", p, file)
		}
	}
	for _, p := range listed {
		if !slices.Contains(found, p) {
			t.Errorf("%s is in %s and no longer in the binary", p, file)
		}
	}
}
