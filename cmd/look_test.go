package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/dev/golden"
)

// TestLook compares what the commands that look say with what npm says, by
// the answers that internal/dev/golden/record wrote down.
func TestLook(t *testing.T) {
	dir := filepath.Join("..", "testdata", "npm", "golden")
	scenes, err := golden.Scenes(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenes {
		t.Run(s.Name, func(t *testing.T) {
			answers, err := golden.Load(dir, s.Name)
			if err != nil {
				t.Fatal(err)
			}
			tmp, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			home, project := filepath.Join(tmp, "home"), filepath.Join(tmp, "project")
			server := s.Registry()
			defer server.Close()
			for _, d := range []string{filepath.Join(home, "global", "lib", "node_modules"), project} {
				if err := os.MkdirAll(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(home, ".npmrc"), []byte(golden.Config(server.URL)), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := s.Unpack(project); err != nil {
				t.Fatal(err)
			}
			for _, want := range answers.Answers {
				t.Run(want.Command, func(t *testing.T) {
					var stdout, stderr bytes.Buffer
					exit := Main(Env{
						Argv:    append([]string{"npm"}, golden.Words(want.Command)...),
						Environ: []string{"HOME=" + home, "PATH=" + home, "NO_COLOR=1"},
						Cwd:     project, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
					})
					got := golden.Mask(stdout.String(), map[string]string{project: "{DIR}", home: "{HOME}", server.URL: "{REGISTRY}"})
					if s.Name == "signatures" {
						// npm shows a registry as a file has it, ibid with the slash
						// that it puts behind it for all else.
						for i := range got {
							got[i] = strings.NewReplacer("{REGISTRY}/)", "{REGISTRY})", `{REGISTRY}/"`, `{REGISTRY}"`).Replace(got[i])
						}
					}
					if exit != want.Exit {
						t.Errorf("exit status %d, npm's is %d; stderr:\n%s", exit, want.Exit, stderr.String())
					}
					if unordered(s.Name, want.Command) {
						got, want.Stdout = sorted(got), sorted(want.Stdout)
					}
					if !slices.Equal(got, want.Stdout) {
						t.Errorf("said:\n%s\nnpm says:\n%s", strings.Join(got, "\n"), strings.Join(want.Stdout, "\n"))
					}
				})
			}
		})
	}
}

// unordered is true where npm reads folders all at once: the order of a
// package's dependents is then that in which the disk answered.
func unordered(scene, command string) bool {
	if strings.HasPrefix(command, "query") {
		return true
	}
	return (scene == "healthy" || scene == "broken") && (strings.HasPrefix(command, "explain") || strings.HasPrefix(command, "why"))
}

// sorted gives the lines in an order of their own, and without what depends on
// their order.
func sorted(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimSuffix(l, ",")
	}
	slices.Sort(out)
	return out
}
