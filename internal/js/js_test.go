package js

import (
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"testing"
)

// recording is what node says of the same texts. To make it again, in testdata:
//
//	node record.js > node.json
type recording struct {
	Spaces                             []rune
	Numbers, Lengths, Encoded, Trimmed [][2]string
	Sorted                             []string
	Decoded                            []struct {
		Bytes []byte
		Text  string
	}
}

func recorded(t *testing.T) (r recording) {
	t.Helper()
	data, err := os.ReadFile("testdata/node.json")
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSpaceAsNode(t *testing.T) {
	var got []rune
	for r := range rune(0x11000) {
		if Space(r) {
			got = append(got, r)
		}
	}
	if want := recorded(t).Spaces; !slices.Equal(got, want) {
		t.Errorf("white space is %x, in node %x", got, want)
	}
}

func TestCompareAsNode(t *testing.T) {
	want := recorded(t).Sorted
	got := slices.Clone(want)
	slices.Sort(got)
	if slices.SortFunc(got, Compare); !slices.Equal(got, want) {
		t.Errorf("sorted: %q, in node %q", got, want)
	}
}

func TestValidTextAsNode(t *testing.T) {
	for _, c := range recorded(t).Decoded {
		if got := ValidText(string(c.Bytes)); got != c.Text {
			t.Errorf("% x is %q, in node %q", c.Bytes, got, c.Text)
		}
	}
}

func TestTextsAsNode(t *testing.T) {
	r := recorded(t)
	for name, f := range map[string]struct {
		cases [][2]string
		do    func(string) string
	}{
		"Number":             {r.Numbers, func(s string) string { return FormatNumber(Number(s)) }},
		"length":             {r.Lengths, func(s string) string { return strconv.Itoa(Length(s)) }},
		"encodeURIComponent": {r.Encoded, EncodeURIComponent},
		"trim":               {r.Trimmed, Trim},
	} {
		if len(f.cases) == 0 {
			t.Errorf("%s: nothing is recorded", name)
		}
		for _, c := range f.cases {
			if got := f.do(c[0]); got != c[1] {
				t.Errorf("%s of %q is %q, in node %q", name, c[0], got, c[1])
			}
		}
	}
}
