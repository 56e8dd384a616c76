package cmd

import "testing"

func TestWordsOfASearchAreMarked(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"foo-bar", "\x1b[36mfoo\x1b[0m\x1b[34m-bar\x1b[0m"},
		{"a Foot", "\x1b[34ma \x1b[0m\x1b[36mFoot\x1b[0m"},
		{"İfoo", "\x1b[34mİfoo\x1b[0m"}, // longer in lower case
		{"", ""},
	} {
		if got := ink(true).mark(c.text, []string{"foo", "foot"}, ink(true).blue); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
