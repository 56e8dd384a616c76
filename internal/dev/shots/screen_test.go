package main

import (
	"strings"
	"testing"
)

func TestTheScreenShowsWhatATerminalWould(t *testing.T) {
	for _, c := range []struct{ name, written, want string }{
		{"lines", "a\r\nb\r\n", "a\nb\n\n"},
		{"a line that is written over", "loading\rdone\x1b[K\r\n", "done\n\n"},
		{"a line that is cleared", "loading\r\x1b[2K", "\n"},
		{"going up", "a\r\nb\r\n\x1b[1Ac", "a\nc\n\n"},
		{"what is below is cleared", "a\r\nb\r\n\x1b[2A\x1b[J", "\n"},
		{"a long line", "abcdefghijkl", "abcdefghij\nkl\n"},
		{"a full line has one end", "abcdefghij\r\nk", "abcdefghij\nk\n"},
		{"colours", "\x1b[31mred\x1b[0m \x1b[1mbold", "red bold\n"},
		{"nothing that is not known", "\x1b[?25l\x1b]0;title\ax\x1b[?25h", "x\n"},
	} {
		whole, bytewise := newScreen(10), newScreen(10)
		whole.write(c.written)
		for i := range len(c.written) {
			bytewise.write(c.written[i : i+1])
		}
		if got := strings.TrimSuffix(whole.text(), "\n") + "\n"; got != c.want && whole.text() != c.want {
			t.Errorf("%s: %q, want %q", c.name, whole.text(), c.want)
		}
		if whole.text() != bytewise.text() {
			t.Errorf("%s: byte by byte %q", c.name, bytewise.text())
		}
	}
}

func TestAPictureHasColoursAndNoMarkup(t *testing.T) {
	s := newScreen(20)
	s.write("\x1b[31m<b>\x1b[0m & so on")
	got := string(s.svg("x < y"))
	for _, want := range []string{`fill="#f48771">&lt;b&gt;</text>`, "&amp; so on", "<title>x &lt; y</title>"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}
