package weburl

import (
	"encoding/json"
	"os"
	"testing"
)

// TestParseAsNode compares with what node makes of the same texts. To record it
// again, in testdata:
//
//	node record.js > node.json
func TestParseAsNode(t *testing.T) {
	data, err := os.ReadFile("testdata/node.json")
	if err != nil {
		t.Fatal(err)
	}
	var urls []struct{ Text, Href, Host, Username, Password, Path string }
	if err := json.Unmarshal(data, &urls); err != nil {
		t.Fatal(err)
	}
	for _, want := range urls {
		u, ok := Parse(want.Text)
		switch {
		case ok != (want.Href != ""):
			t.Errorf("%q is %q, in node %q", want.Text, u.String(), want.Href)
		case !ok:
		case u.String() != want.Href, u.Host() != want.Host, u.Username != want.Username, u.Password != want.Password, u.Path != want.Path:
			t.Errorf("%q is %q %+v, in node %+v", want.Text, u.String(), u, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://u:p@h:1/a/../b?q#f", "http://[::1]/", "x:y", "http://0x7f.1/", "http://ä/%2e%2e", `http:\\a\b`, "file:C|/..", "foo:/.//x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, ok := Parse(s)
		if !ok {
			return
		}
		again, ok := Parse(u.String())
		if !ok || again.String() != u.String() {
			t.Errorf("%q is %q and then %q", s, u.String(), again.String())
		}
	})
}
