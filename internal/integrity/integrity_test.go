package integrity

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// text is a recorded value, or one of ours, "null" where there is none.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case SRI:
		if v == nil {
			return "null"
		}
		return v.String()
	case Hash:
		if v.Digest == "" {
			return "null"
		}
		return v.String()
	}
	return fmt.Sprint(v)
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func TestAnswersAreSsris(t *testing.T) {
	f, err := os.Open("testdata/ssri.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	lines.Scan()
	var header struct{ Data map[string]string }
	if err := json.Unmarshal(lines.Bytes(), &header); err != nil {
		t.Fatal(err)
	}
	cases := 0
	for lines.Scan() {
		var row []any
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		cases++
		arg := text(row[1])
		var ours []string
		npms := row[2:]
		switch row[0] {
		case "parse":
			sri := Parse(arg)
			var strongest []string
			for _, h := range sri.Strongest() {
				strongest = append(strongest, h.String())
			}
			hex := "null"
			if sri != nil {
				hex = ParseHash(sri.String()).Hex()
			}
			single := ParseHash(arg)
			singleHex := "null"
			if single.Digest != "" {
				singleHex = single.Hex()
			}
			ours = []string{text(sri), orNull(sri.Algorithm()), orNull(strings.Join(strongest, " ")), hex, text(single), singleHex}
		case "check":
			sri := Parse(arg)
			if a := sri.Algorithm(); a != "" && New(a) == nil {
				// npm can compute these. Here they match nothing.
				if sri.CheckData([]byte(header.Data[row[2].(string)])) == nil {
					t.Errorf("%s is taken unseen", arg)
				}
				continue
			}
			// npm's answer is false where there is nothing to check against.
			data := []byte(header.Data[row[2].(string)])
			ours = []string{fmt.Sprint(sri != nil && sri.CheckData(data) == nil)}
			npms = row[3:]
		case "pair":
			a, b := Parse(arg), Parse(text(row[2]))
			match := "null"
			if h, ok := a.Match(b); ok {
				match = h.String()
			}
			merged, err := a.Merge(b)
			m := merged.String()
			if err != nil {
				m = err.Error()
			}
			ours = []string{match, m, a.Concat(b).String()}
			npms = row[3:]
		case "hex":
			ours = []string{text(FromSHA1Hex(arg))}
		case "data":
			a := row[2].(string)
			if New(a) == nil {
				continue
			}
			ours = []string{Sum(a, []byte(header.Data[arg])).String()}
			npms = row[3:]
		}
		for i := range ours {
			if i >= len(npms) || ours[i] != text(npms[i]) {
				t.Errorf("%s\n answer %d is %q", lines.Text(), i+1, ours[i])
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases", cases)
}

func TestAMismatchSaysWhatWasWantedAndFound(t *testing.T) {
	data := []byte("bytes")
	err := Parse("sha1-x sha512-a sha512-b?o").Check(int64(len(data)), Sum("sha512", data), Sum("sha1", data))
	var mismatch *Error
	if !errors.As(err, &mismatch) || mismatch.Code() != "EINTEGRITY" {
		t.Fatalf("got %v", err)
	}
	want := "sha1-x sha512-a sha512-b?o integrity checksum failed when using sha512: wanted sha512-a,sha512-b?o but got " +
		Sum("sha512", data).String() + " " + Sum("sha1", data).String() + ". (5 bytes)"
	if err.Error() != want {
		t.Errorf("\n got %s\nwant %s", err, want)
	}
	if len(mismatch.Wanted) != 2 || len(mismatch.Found) != 2 || mismatch.Size != 5 {
		t.Errorf("%+v", mismatch)
	}
}

func TestAWeakHashDoesNotSaveAWrongStrongOne(t *testing.T) {
	data := []byte("bytes")
	sri := Parse(Sum("sha1", data).String() + " " + Sum("sha512", []byte("others")).String())
	if sri.CheckData(data) == nil {
		t.Error("taken for its sha1")
	}
}

// What was read once is read the same again, and nothing panics.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "sha512-YQ==", "sha1-a sha512-b?x sha1-c", "md5-a\tblake2b512-b", "sha512-?", "sha512-Y!Q=="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sri := Parse(s)
		if again := Parse(sri.String()); again.String() != sri.String() {
			t.Fatalf("%q is %q is %q", s, sri, again)
		}
		if len(sri) > 0 && len(sri.Strongest()) == 0 {
			t.Fatalf("%q has hashes but no strongest", s)
		}
		for _, h := range sri {
			h.Hex()
		}
		if len(sri) > 0 && sri.CheckData([]byte("not what anybody wanted")) == nil {
			t.Fatalf("%q takes anything", s)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	s := Sum("sha512", nil).String()
	b.ReportAllocs()
	for b.Loop() {
		Parse(s)
	}
}
