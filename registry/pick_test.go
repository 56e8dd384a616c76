package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/spec"
)

// packumentOf makes a packument of a document's text.
func packumentOf(t testing.TB, name, doc string) *Packument {
	t.Helper()
	w := new(scratch)
	x, err := w.scan(append([]byte(doc), 0))
	if err != nil {
		t.Fatal(err)
	}
	e := w.encode(x, validators{}, slot{}, nil)
	e.near, e.nearAt = w.out, 0
	return &Packument{name: name, index: &e.index}
}

type recordedPick struct {
	Doc    int
	Wanted string
	Opts   struct {
		NodeVersion, NPMVersion, Before, DefaultTag, Avoid string
		AvoidStrict, IncludeStaged                         bool
	}
	Version, Code, Message string
	ShouldAvoid            bool `json:"_shouldAvoid"`
	Outside                bool `json:"_outsideDependencyRange"`
	Major                  bool `json:"_isSemVerMajor"`
}

func TestPickAsNPMDoes(t *testing.T) {
	b, err := os.ReadFile("testdata/pick/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		NPM        string
		Packuments []json.RawMessage
		Cases      []recordedPick
	}
	if err := json.Unmarshal(b, &recorded); err != nil {
		t.Fatal(err)
	}
	packuments := make([]*Packument, len(recorded.Packuments))
	for i, doc := range recorded.Packuments {
		packuments[i] = packumentOf(t, "pkg", string(doc))
	}
	for i, c := range recorded.Cases {
		o := PickOptions{
			DefaultTag: c.Opts.DefaultTag, NodeVersion: c.Opts.NodeVersion, NPMVersion: c.Opts.NPMVersion,
			Avoid: c.Opts.Avoid, AvoidStrict: c.Opts.AvoidStrict, IncludeStaged: c.Opts.IncludeStaged,
		}
		if c.Opts.Before != "" {
			if o.Before, err = time.Parse(time.RFC3339, c.Opts.Before); err != nil {
				t.Fatal(err)
			}
		}
		p := packuments[c.Doc]
		got, want := "", fmt.Sprintf("%s %s %v %v %v", c.Version, c.Code, c.ShouldAvoid, c.Outside, c.Major)
		picked, err := PickText(p, c.Wanted, o)
		var e *PickError
		switch {
		case err == nil:
			got = fmt.Sprintf("%s %s %v %v %v", picked.Manifest.Version, "", picked.ShouldAvoid, picked.OutsideDependencyRange, picked.IsSemVerMajor)
		case errors.As(err, &e):
			got = fmt.Sprintf(" %s false false false", e.Code())
			if c.Message != "" && e.Summary() != c.Message {
				t.Errorf("case %d: %q: message is %q, npm's is %q", i, c.Wanted, e.Summary(), c.Message)
			}
		default:
			t.Errorf("case %d: %v", i, err)
		}
		if got != want {
			opts, _ := json.Marshal(c.Opts)
			t.Errorf("case %d: %q with %s\n got %s\nnpm: %s\n%s", i, c.Wanted, opts, got, want, recorded.Packuments[c.Doc])
		}
	}
}

func TestPickErrorSaysWhatThereIs(t *testing.T) {
	const doc = `{"name":"b","dist-tags":{"latest":"2.0.0"},"versions":{"1.0.0":{"name":"b","version":"1.0.0"},"2.0.0":{"name":"b","version":"2.0.0"}},
		"time":{"1.0.0":"2020-01-01T00:00:00.000Z","2.0.0":"2024-05-06T07:08:09.000Z"}}`
	for _, c := range []struct {
		name, doc, wanted string
		o                 PickOptions
		code, text        string
	}{
		{"the newest where nothing fits", doc, "^9", PickOptions{}, "ETARGET", "b@^9: no matching version; newest is 2.0.0"},
		{"what is too new", doc, "^2", PickOptions{Before: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)}, "ETARGET",
			"b@^2: no matching version published before 2021-01-01T00:00:00Z; 2.0.0 was published 2024-05-06T07:08:09.000Z"},
		{"that there is nothing", `{"name":"b","versions":{}}`, "*", PickOptions{}, "ENOVERSIONS", "b@*: the package has no versions"},
		{"a policy's reason, without its escape sequences",
			`{"name":"b","versions":{},"policyRestrictions":{"message":"mal\u001b[31mware","versions":{"1.0.0":{"name":"b","version":"1.0.0"}}}}`, "1.0.0", PickOptions{}, "E403",
			"b@1.0.0: forbidden by the registry's policy: mal[31mware"},
		{"that all are to be avoided", doc, "^1", PickOptions{Avoid: "*", AvoidStrict: true}, "ETARGET", "b@^1: every version is to be avoided (*)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := PickText(packumentOf(t, "b", c.doc), c.wanted, c.o)
			var e *PickError
			if !errors.As(err, &e) {
				t.Fatalf("error is %v", err)
			}
			if e.Code() != c.code || e.Error() != c.text {
				t.Errorf("%s %s\nwant %s %s", e.Code(), e.Error(), c.code, c.text)
			}
		})
	}
}

func TestPickErrorSaysHowOldTheNewestIs(t *testing.T) {
	const versions = `{"versions":{"2.0.0":{"name":"b","version":"2.0.0"}}`
	for _, c := range []struct{ name, doc, want string }{
		{"its date", versions + `,"time":{"2.0.0":"2024-05-06T07:08:09.000Z"}}`, "2.0.0 was published 2024-05-06"},
		{"nothing where there is none", versions + "}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := PickText(packumentOf(t, "b", c.doc), "^9", PickOptions{})
			var e *PickError
			if !errors.As(err, &e) {
				t.Fatalf("error is %v", err)
			}
			if got := strings.Join(e.Detail(), "\n"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPickTakesAnAliasByItsTarget(t *testing.T) {
	s, err := spec.Resolve("c", "npm:b@^1", "/")
	if err != nil {
		t.Fatal(err)
	}
	picked, err := PickVersion(packumentOf(t, "b", `{"versions":{"1.0.0":{"name":"b","version":"1.0.0"},"2.0.0":{"name":"b","version":"2.0.0"}}}`), s, PickOptions{})
	if err != nil || picked.Manifest.Version != "1.0.0" {
		t.Errorf("picked %+v, %v", picked, err)
	}
}

func TestTheSameQuestionHasTheSameAnswer(t *testing.T) {
	p := packumentOf(t, "b", `{"versions":{"1.0.0":{"name":"b","version":"1.0.0"}}}`)
	a, _ := PickText(p, "^1", PickOptions{})
	b, _ := PickText(p, "^1", PickOptions{})
	if a == nil || a != b {
		t.Error("answers differ")
	}
}

// FuzzRange holds the quick test of releases against the exact one.
func FuzzRange(f *testing.F) {
	for _, r := range []string{"*", "^1.2.3", "~0.1", "1 || 2 || >=3.4.5-rc.1", "<2.0.0-0", ">1 <3", "1.0.0 - 2", "^0.0.0", ">=1.0.0-alpha <1.0.1", "=1.2.3"} {
		for _, v := range []string{"1.2.3", "0.1.0", "2.0.0", "2.0.0-rc.1", "3.4.5-rc.1", "1.0.0-alpha.1", "0.0.0", "1.02.3", "1.2.3+b"} {
			f.Add(r, v)
		}
	}
	f.Fuzz(func(t *testing.T, text, version string) {
		r := parseSemverRange(text)
		if r == nil || len(version) > maxKey || strings.ContainsAny(version, "\"\\") || version != strings.ToValidUTF8(version, "x") {
			return
		}
		for i := range len(version) {
			if version[i] < ' ' {
				return
			}
		}
		p := packumentOf(t, "p", `{"versions":{"`+version+`":{}}}`)
		if got, want := p.inRange(r, 0), r.exact.MatchString(version); got != want {
			t.Errorf("%q in %q is %v, exactly %v", version, text, got, want)
		}
	})
}
