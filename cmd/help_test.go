package cmd

import (
	"bytes"
	"strings"
	"testing"
)

// TestEachCommandsHelpHasAllParts: what a command listens to, and examples that
// can be copied. No other line is wider than people like to read.
func TestEachCommandsHelpHasAllParts(t *testing.T) {
	a := &App{Env: Env{Stdout: new(bytes.Buffer)}, heading: "npm"}
	for _, c := range commandList(newRootCmd(a)) {
		text := a.helpOf(c, true)
		if len(c.Commands()) == 0 && c.Name() != "completion" && !strings.Contains(text, "\nOptions:\n") {
			t.Errorf("%s: no options", c.Name())
		}
		before, examples, ok := strings.Cut(text, "\nExamples:\n")
		if !ok || !strings.HasPrefix(examples, "  npm ") {
			t.Errorf("%s: no examples", c.Name())
		}
		for line := range strings.Lines(before) {
			if line = strings.TrimSuffix(line, "\n"); len(line) > 80 && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%s: wider than 80 columns: %s", c.Name(), line)
			}
		}
	}
}

func TestLinesOfHelpBreakAtWords(t *testing.T) {
	for _, x := range []struct {
		name, text, want string
		width            int
	}{
		{"a short line stays", "one two\n", "one two\n", 7},
		{"an indent is kept", "  one two three\n", "  one two\n  three\n", 10},
		{"a second column too", "  add  one two three four\n", "  add  one two\n       three\n       four\n", 16},
		{"a word that is too long stays whole", "incredibly long\n", "incredibly\nlong\n", 5},
		{"nothing but one word", "  incredibly\n", "  incredibly\n", 5},
		{"an empty line stays", "a\n\nb\n", "a\n\nb\n", 5},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := fit(x.text, x.width); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}
