package cmd

import (
	"bytes"
	"io"
	"path/filepath"
	"regexp"
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
	total := 0
	for _, s := range scenes {
		total += len(s.Commands)
		t.Run(s.Name, func(t *testing.T) {
			answers, err := golden.Load(dir, s.Name)
			if err != nil {
				t.Fatal(err)
			}
			lab := newLab(t, s)
			defer lab.Close()
			// A command that nobody has asked npm is no test.
			var recorded []string
			for _, want := range answers.Answers {
				recorded = append(recorded, want.Command)
			}
			if !slices.Equal(recorded, s.Commands) {
				t.Fatalf("the answers are not those to the scene's commands: go run ./internal/dev/golden/record %s", s.Name)
			}
			for _, want := range answers.Answers {
				t.Run(want.Command, func(t *testing.T) {
					got, err := lab.Ask(want.Command, func(words []string) (string, string, int, error) {
						var stdout, stderr bytes.Buffer
						exit := Main(Env{
							Argv: append([]string{"npm"}, words...), Environ: lab.Environ(), Cwd: lab.Project,
							Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
						})
						return stdout.String(), stderr.String(), exit, nil
					})
					if err != nil {
						t.Fatal(err)
					}
					if s.Name == "signatures" {
						// npm shows a registry as a file has it, ibid with the slash
						// that it puts behind it for all else.
						for i := range got.Stdout {
							got.Stdout[i] = strings.NewReplacer("{REGISTRY}/)", "{REGISTRY})", `{REGISTRY}/"`, `{REGISTRY}"`).Replace(got.Stdout[i])
						}
					}
					if got.Exit != want.Exit {
						t.Errorf("exit status %d, npm's is %d; stderr:\n%s", got.Exit, want.Exit, strings.Join(got.Stderr, "\n"))
					}
					if want.Exit != 0 {
						got.Stdout, want.Stdout = ownWords(got.Stdout), ownWords(want.Stdout)
					}
					if unordered(s.Name, want.Command) {
						got.Stdout, want.Stdout = sorted(got.Stdout), sorted(want.Stdout)
					}
					if reports(want.Command) {
						// What npm says of its work on stdout, ibid says on stderr.
						for _, line := range want.Stdout {
							if line != "" && !slices.Contains(got.Stderr, line) && !slices.Contains(got.Stdout, line) {
								t.Errorf("did not say %q but:\n%s%s", line, strings.Join(got.Stdout, "\n"), strings.Join(got.Stderr, "\n"))
							}
						}
					} else if !slices.Equal(got.Stdout, want.Stdout) {
						t.Errorf("said:\n%s\nnpm says:\n%s\nstderr:\n%s", strings.Join(got.Stdout, "\n"), strings.Join(want.Stdout, "\n"), strings.Join(got.Stderr, "\n"))
					}
					for name, lines := range want.Changed {
						if !slices.Equal(got.Changed[name], lines) {
							t.Errorf("%s:\n%s\nnpm writes:\n%s", name, strings.Join(got.Changed[name], "\n"), strings.Join(lines, "\n"))
						}
					}
					for name, lines := range got.Changed {
						if _, ok := want.Changed[name]; !ok {
							t.Errorf("%s, which npm leaves alone:\n%s", name, strings.Join(lines, "\n"))
						}
					}
				})
			}
		})
	}
	if total < 700 {
		t.Errorf("npm was asked only %d questions", total)
	}
}

// reports is true of commands whose stdout is about what they did: npm's report
// is on stdout where ibid's is on stderr.
func reports(command string) bool {
	words := golden.Words(last(command))
	changes := []string{"init", "version", "install", "i", "add", "ci", "uninstall", "rm", "unlink", "update", "dedupe", "find-dupes", "prune", "link", "rebuild", "patch"}
	return slices.Contains(changes, words[0]) && !slices.Contains(words, "--json")
}

// last is the one that counts of several commands.
func last(command string) string {
	if i := strings.LastIndex(command, "&& "); i >= 0 {
		return command[i+len("&& "):]
	}
	return command
}

// ownWords leaves of an error in JSON its code: the words are ibid's own.
func ownWords(lines []string) []string {
	out := slices.Clone(lines)
	for i, l := range out {
		for _, key := range []string{`"summary": `, `"detail": `} {
			if at := strings.Index(l, key); at >= 0 {
				out[i] = l[:at] + key
			}
		}
	}
	return out
}

// unordered is true where npm does things all at once, and where one of its
// reads overtook another when it was asked.
func unordered(scene, command string) bool {
	words := golden.Words(command)
	if slices.Contains(words, "--json") && slices.ContainsFunc(words, func(w string) bool {
		return slices.Contains([]string{"install", "ci", "uninstall", "unlink", "link", "update", "dedupe", "find-dupes", "prune", "version", "install-test"}, w)
	}) {
		return true // the lists of what was done are as npm's walk through its trees went
	}
	return scene == "healthy" && command == "why c"
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

// newLab makes the project of a scene in a folder of its own; the caller closes it.
func newLab(t *testing.T, s *golden.Scene) *golden.Lab {
	t.Helper()
	tmp, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	lab, err := s.NewLab(tmp)
	if err != nil {
		t.Fatal(err)
	}
	return lab
}

// TestColoursChangeNoText holds what is said in colours against what is said
// without.
func TestColoursChangeNoText(t *testing.T) {
	scenes, err := golden.Scenes(filepath.Join("..", "testdata", "npm", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	colours := regexp.MustCompile("\x1b\\[\\d+m")
	asked := map[string]int{}
	for _, s := range scenes {
		lab := newLab(t, s)
		say := func(command string, more ...string) []string {
			answer, err := lab.Ask(command, func(words []string) (string, string, int, error) {
				var stdout bytes.Buffer
				exit := Main(Env{
					Argv: append(append([]string{"npm"}, words...), more...), Environ: lab.Environ()[:2], Cwd: lab.Project,
					Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: io.Discard,
				})
				return stdout.String(), "", exit, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return answer.Stdout
		}
		for _, command := range append([]string{"licenses --long"}, s.Commands...) {
			words := golden.Words(command)
			name := words[0]
			if !slices.Contains([]string{"ls", "explain", "outdated", "fund", "view", "search", "audit", "licenses", "diff"}, name) ||
				slices.Contains(words, "--json") || slices.Contains(words, "&&") || asked[name] > 4 {
				continue
			}
			plain, coloured := say(command), say(command, "--color=always")
			text := strings.Join(coloured, "\n")
			if bare := colours.ReplaceAllString(text, ""); bare != strings.Join(plain, "\n") {
				t.Errorf("%s: %s\n%s\nwithout colours:\n%s", s.Name, command, bare, strings.Join(plain, "\n"))
			}
			if colours.MatchString(text) {
				asked[name]++
			}
		}
		lab.Close()
	}
	for _, name := range []string{"ls", "explain", "outdated", "fund", "view", "audit", "licenses", "diff"} {
		if asked[name] == 0 {
			t.Errorf("%s was never seen in colours", name)
		}
	}
}
