package term

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

func TestSafe(t *testing.T) {
	for name, c := range map[string][2]string{
		"plain text stays":                {"left-pad@1.0.0 …é", "left-pad@1.0.0 …é"},
		"an escape sequence is shown":     {"a\x1b[2Jb", `a\x1b[2Jb`},
		"a C1 control is shown":           {"a\u009bb", `a\x9bb`},
		"a carriage return is shown":      {"safe\rEVIL", `safe\x0dEVIL`},
		"text that runs backwards":        {"a\u202eb", `a\u{202e}b`},
		"a zero width joiner":             {"a\u200db", `a\u{200d}b`},
		"line breaks of a message remain": {"a\nb", "a\nb"},
	} {
		if got := Safe(c[0]); got != c[1] {
			t.Errorf("%s: got %q, want %q", name, got, c[1])
		}
	}
	if got := SafeLine("a\nb\tc"); got != "a b c" {
		t.Errorf("one line: %q", got)
	}
}

func TestColoursOfIbidsStay(t *testing.T) {
	for text, want := range map[string]string{
		"\x1b[1m\x1b[4mPackage\x1b[0m\x1b[0m": "\x1b[1m\x1b[4mPackage\x1b[0m\x1b[0m",
		"\x1b[94mw\x1b[0m":                    "\x1b[94mw\x1b[0m",
		"\x1b[2Jgone":                         `\x1b[2Jgone`,
		"\x1b[8mhidden\x1b[0m":                `\x1b[8mhidden` + "\x1b[0m",
		"\x1b[30;40mm":                        `\x1b[30;40mm`,
		"\x1b[3\x1b[31mm":                     `\x1b[3` + "\x1b[31mm",
		"\x1b]8;;x\a":                         `\x1b]8;;x\x07`,
		"\x1b[":                               `\x1b[`,
	} {
		if got := SafeColoured(text); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

func TestJSONMeansTheSameWhenItIsSafe(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"a\": \"é…\"\n}": "{\n  \"a\": \"é…\"\n}",
		"\"a\u009b2J\u007f\"":   `"a\u009b2J\u007f"`,
		"\"a\u202eb\\u001b\"":   `"a\u202eb\u001b"`,
		"\"\U000e0041\"":        `"\udb40\udc41"`,
	} {
		got := SafeJSON([]byte(text))
		if want != "" && string(got) != want {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
		var before, after any
		if json.Unmarshal([]byte(text), &before) == nil && (json.Unmarshal(got, &after) != nil || !reflect.DeepEqual(before, after)) {
			t.Errorf("%q means %v, and %q when it is safe", text, before, after)
		}
		if bytes.ContainsFunc(got, unsafe) {
			t.Errorf("%q is not safe", got)
		}
	}
}
