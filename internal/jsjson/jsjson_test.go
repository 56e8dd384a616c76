package jsjson

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ibid-pm/ibid/internal/js"
)

// recorded gives what testdata/record.cjs took down from node.
func recorded(t testing.TB) Value {
	t.Helper()
	data, err := os.ReadFile("testdata/parse.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTextsAreReadAndWrittenAsInNode(t *testing.T) {
	record := recorded(t)
	indents := record.Get("indents").Items()
	for _, c := range record.Get("cases").Items() {
		text := c.Get("text").Str()
		v, err := Parse([]byte(text))
		if c.Get("error").Bool() {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Line < 1 || syntax.Column < 1 {
				t.Errorf("%q: node reports an error, got %v", text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for i, indent := range indents {
			if got, want := string(Append(nil, v, indent.Str(), "\n")), c.Get("written").Index(i).Str(); got != want {
				t.Errorf("%q with indent %q: got %q, node writes %q", text, indent.Str(), got, want)
			}
		}
		if !c.Has("indent") {
			continue
		}
		indent, newline := DetectFormat(text)
		if indent != c.Get("indent").Str() || newline != c.Get("newline").Str() {
			t.Errorf("%q: indent %q and newline %q, npm finds %q and %q", text, indent, newline, c.Get("indent").Str(), c.Get("newline").Str())
		}
	}
}

func TestErrorsSayWhereAndWhatWasExpected(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "line 1, column 1: expected a value, found end of file",
		"{":                   "line 1, column 2: expected a key or '}', found end of file",
		"[":                   "line 1, column 2: expected a value or ']', found end of file",
		"{a":                  "line 1, column 2: expected a key in double quotes, found 'a'",
		`{"a" 1}`:             "line 1, column 6: expected ':', found '1'",
		`[1,]`:                "line 1, column 4: expected a value after the comma, found ']'",
		"{\"a\":1 ,\n}":       "line 2, column 1: expected a key in double quotes after the comma, found '}'",
		"{\n  \"é\": é\n}":    "line 2, column 8: expected a value, found 'é'",
		"{\n\"a\":1\n\"b\":2": "line 3, column 1: expected ',' or '}', found '\"'",
		`"a`:                  "line 1, column 3: expected '\"' at the end of a string, found end of file",
		"\"a\n\"":             "line 1, column 3: expected no control character in a string, found '\\n'",
		`"\u12x4"`:            "line 1, column 6: expected four hexadecimal digits, found 'x'",
		"1 2":                 "line 1, column 3: expected end of file, found '2'",
	} {
		_, err := Parse([]byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
		s := NewScanner([]byte(text))
		s.Skip()
		s.End()
		if err := s.Err(); err == nil || err.Error() != want {
			t.Errorf("%q skipped: got %v, want %s", text, err, want)
		}
	}
}

func TestDeepNestingIsAnErrorAndNoCrash(t *testing.T) {
	for _, unit := range []string{"[", `{"a":`} {
		text := strings.Repeat(unit, 1_000_000)
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "levels") {
			t.Errorf("%s: got %v", unit, err)
		}
	}
}

func TestBytesThatAreNoTextBecomeReplacementCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"a\xffb":         "a\uFFFDb",
		"\xe2\x82":       "\uFFFD",
		"\xe2\x82\xe2":   "\uFFFD\uFFFD",
		"\xed\xa0\x80":   "\uFFFD\uFFFD\uFFFD",
		"\xf0\x9f\x98x":  "\uFFFDx",
		"\xc0\xaf":       "\uFFFD\uFFFD",
		"\xf4\x90\x80":   "\uFFFD\uFFFD\uFFFD",
		"é\x80":          "é\uFFFD",
		"\xf0\x80\x80 x": "\uFFFD\uFFFD\uFFFD x",
	} {
		v, err := Parse([]byte(`"` + in + `"`))
		if err != nil || v.Str() != want {
			t.Errorf("%q: got %q, %v", in, v.Str(), err)
		}
	}
}

func TestMembersAreReplacedInPlaceAndAddedAtTheEnd(t *testing.T) {
	v := Raw(`{"b":1,"a":2,"7":3}`).Value()
	v = v.With("b", NewString("x")).With("c", NewNull()).With("3", NewBool(true)).Without("a").Without("nothing")
	if got, want := string(v.Raw()), `{"3":true,"7":3,"b":"x","c":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTextIsWhatStringGives(t *testing.T) {
	for raw, want := range map[Raw]string{
		`1e3`: "1000", `"x"`: "x", `[1,[2,"a"],null,true]`: "1,2,a,,true", `{}`: "[object Object]", `null`: "null", ``: "undefined", `false`: "false",
	} {
		if got := raw.Value().Text(); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}

func TestTruthyIsJavaScripts(t *testing.T) {
	for raw, want := range map[Raw]bool{
		``: false, `null`: false, `false`: false, `true`: true, `0`: false, `-0.0`: false, `1`: true, `""`: false, `"0"`: true, `[]`: true, `{}`: true,
	} {
		if raw.Truthy() != want || raw.Value().Truthy() != want {
			t.Errorf("%q is %v", raw, !want)
		}
	}
}

func TestManyKeysGivenTwice(t *testing.T) {
	var b strings.Builder
	b.WriteString("{")
	for i := range 100 {
		b.WriteString(`"k` + js.FormatNumber(float64(i%60)) + `":` + js.FormatNumber(float64(i)) + ",")
	}
	b.WriteString(`"5":0,"k0":"last"}`)
	v, err := Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if v.Len() != 61 || v.Members()[0].Key != "5" || v.Members()[1].Value.Str() != "last" || v.Get("k39").Num() != 99 {
		t.Errorf("got %s", v.Raw())
	}
}

// pull reads a document with the Scanner's typed methods, as decoders do.
func pull(s *Scanner) {
	switch s.Kind() {
	case Object:
		s.Object()
		for s.More() {
			s.Key()
			pull(s)
		}
	case Array:
		s.Array()
		for s.More() {
			pull(s)
		}
	case String:
		s.Str()
	case Number:
		s.Number()
	case Bool:
		s.Bool()
	default:
		s.Null()
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range recorded(f).Get("cases").Items() {
		f.Add([]byte(c.Get("text").Str()))
	}
	f.Add([]byte("\xff\"\xed\xa0\x80\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		text := slices.Clone(data)
		v, err := Parse(data)
		if plain := !strings.HasPrefix(string(text), "\uFEFF") && strings.Count(string(text), "[")+strings.Count(string(text), "{") < maxDepth; plain {
			if valid := json.Valid(text); valid != (err == nil) {
				t.Fatalf("%q: encoding/json says %v, got %v", text, valid, err)
			}
		}
		for name, read := range map[string]func(*Scanner){"skipping": (*Scanner).Skip, "pulling": pull} {
			s := NewScanner(slices.Clone(text))
			read(s)
			s.End()
			if (s.Err() == nil) != (err == nil) {
				t.Fatalf("%q: %s gives %v, parsing %v", text, name, s.Err(), err)
			}
		}
		if err != nil {
			return
		}
		for _, indent := range []string{"", "  "} {
			written := Append(nil, v, indent, "\n")
			if !utf8.Valid(written) || !json.Valid(written) {
				t.Fatalf("%q: wrote %q", text, written)
			}
			again, err := Parse(slices.Clone(written))
			if err != nil {
				t.Fatal(err)
			}
			if rewritten := Append(nil, again, indent, "\n"); string(rewritten) != string(written) {
				t.Fatalf("%q: wrote %q and then %q", text, written, rewritten)
			}
		}
	})
}

func FuzzString(f *testing.F) {
	f.Add("plain", "\x00\u2028")
	f.Fuzz(func(t *testing.T, a, b string) {
		text := AppendString(nil, a+b)
		v, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(a+b) && v.Str() != a+b {
			t.Fatalf("%q became %q", a+b, v.Str())
		}
	})
}

func TestNumbersThatAreNotFinite(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1)} {
		if k := NewNumber(f).Kind(); k != Null {
			t.Errorf("%v is %v", f, k)
		}
	}
}

func packument() []byte {
	version := `"1.0.%":{"name":"a","version":"1.0.0","description":"some text that \"nobody\" reads, of the usual length","dependencies":{"b":"^1.0.0","c":"~2.1.0"},"dist":{"shasum":"0123456789012345678901234567890123456789","tarball":"https://registry.npmjs.org/a/-/a-1.0.0.tgz","fileCount":12,"integrity":"sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==","unpackedSize":12345}},`
	return []byte(`{"versions":{` + strings.Repeat(version, 16000) + `"x":{}}}`)
}

func BenchmarkSkip(b *testing.B) {
	data := packument()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		NewScanner(data).Skip()
	}
}

func BenchmarkParse(b *testing.B) {
	data := packument()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
