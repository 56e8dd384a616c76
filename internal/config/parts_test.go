package config

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/weburl"
)

// parts.json has the answers of npm's own modules and of node, recorded with
// TZ=America/New_York.
type parts struct {
	INI        [][3]string
	Encode     [][2]string
	ExpandEnv  map[string]string
	Expand     [][2]string
	Dates      [][2]any
	Numbers    [][2]string
	Umask      [][2]any
	Semver     [][2]*string
	URLs       [][3]*string
	AuthConfig map[string]string
	Auth       [][6]string
	Redact     [][2]string
}

func recorded(t *testing.T) parts {
	var p parts
	readRecordings(t, "parts.json", &p)
	return p
}

func TestParseINIAsNPM(t *testing.T) {
	for _, c := range recorded(t).INI {
		got := parseINI(c[0])
		if text := (Value{kind: Object, obj: got}).JSON(); text != c[1] {
			t.Errorf("%q is %s, npm has %s", c[0], text, c[1])
		}
		if text := formatINI(got, "", "\n"); text != c[2] {
			t.Errorf("%q is written %q, npm writes %q", c[0], text, c[2])
		}
	}
}

func TestFormatINIAsNPM(t *testing.T) {
	for _, c := range recorded(t).Encode {
		v, ok := parseJSON(c[0])
		if !ok {
			t.Fatal(c[0])
		}
		if text := formatINI(v.obj, "", "\n"); text != c[1] {
			t.Errorf("%s is written %q, npm writes %q", c[0], text, c[1])
		}
	}
}

func TestExpandAsNPM(t *testing.T) {
	p := recorded(t)
	for _, c := range p.Expand {
		got := expand(c[0], func(name string) (string, bool) { v, ok := p.ExpandEnv[name]; return v, ok }, nil)
		if got != c[1] {
			t.Errorf("%q becomes %q, npm has %q", c[0], got, c[1])
		}
	}
}

func TestParseDateAsNode(t *testing.T) {
	loc, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip(err)
	}
	defer func(l *time.Location) { time.Local = l }(time.Local)
	time.Local = loc
	for _, c := range recorded(t).Dates {
		want := math.NaN()
		if c[1] != nil {
			want = c[1].(float64)
		}
		if got := parseDate(c[0].(string)); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("%q is %s, node has %s", c[0], formatDate(got), formatDate(want))
		}
	}
}

func TestParseNumberAsNode(t *testing.T) {
	for _, c := range recorded(t).Numbers {
		if got := js.FormatNumber(js.Number(c[0])); got != c[1] {
			t.Errorf("%q is %s, node has %s", c[0], got, c[1])
		}
	}
}

func TestParseUmaskAsNPM(t *testing.T) {
	for _, c := range recorded(t).Umask {
		n, ok := parseUmask(c[0].(string))
		if want, has := c[1].(float64); ok != has || ok && n != want {
			t.Errorf("%q is %v, %v, npm has %v", c[0], n, ok, c[1])
		}
	}
}

func TestValidVersionAsNPM(t *testing.T) {
	for _, c := range recorded(t).Semver {
		got, ok := new(Config).acceptAs(Type{Kind: TypeSemver}, NewString(*c[0]))
		if ok != (c[1] != nil) || ok && got.String() != *c[1] {
			t.Errorf("%q is %q, %v", *c[0], got, ok)
		}
	}
}

func TestParseURLAsNode(t *testing.T) {
	for _, c := range recorded(t).URLs {
		u, ok := weburl.Parse(*c[0])
		switch {
		case ok != (c[1] != nil):
			t.Errorf("%q: valid is %v", *c[0], ok)
		case !ok:
		case u.String() != *c[1]:
			t.Errorf("%q is %q, node has %q", *c[0], u.String(), *c[1])
		case NerfDart(*c[0]) != *c[2]:
			t.Errorf("nerf dart of %q is %q, npm has %q", *c[0], NerfDart(*c[0]), *c[2])
		}
	}
}

func TestAuthAsNPM(t *testing.T) {
	p := recorded(t)
	var rc strings.Builder
	for k, v := range p.AuthConfig {
		b, _ := json.Marshal(v)
		rc.WriteString(k + "=" + string(b) + "\n")
	}
	c := load(t, nil, nil, map[string]string{"home/.npmrc": rc.String()})
	for _, a := range p.Auth {
		cred := c.Auth(a[0], c.Registry(a[1]))
		got := [6]string{a[0], a[1], cred.Authorization(), cred.Key, cred.Field, cred.Elsewhere}
		want := a
		if want[5] != "" {
			want[3], want[4] = "", "" // npm repeats the other registry's there
		}
		if got != want {
			t.Errorf("\n got %q\nwant %q", got, want)
		}
	}
}

func TestAMessageHasNoSecretsOfURLs(t *testing.T) {
	for in, want := range map[string]string{
		"nothing":                                   "nothing",
		"https://a.example/@s/b@1":                  "https://a.example/@s/b@1",
		"x https://u:p@a.example/b: GET":            "x https://u:***@a.example/b: GET",
		"git+https://token@a.example/u/r.git":       "git+https://***@a.example/u/r.git",
		"git+ssh://git@a.example/u/r.git":           "git+ssh://git@a.example/u/r.git",
		"https://t1@a.example, 'https://t2@b.test'": "https://***@a.example, 'https://***@b.test'",
		"no://@":      "no://@",
		"https://@a/": "https://@a/",
		"123e4567-e89b-12d3-a456-426614174000.tgz": "123e4567-e89b-12d3-a456-426614174000.tgz",
	} {
		if got := RedactMessage(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestRedactAsNPM(t *testing.T) {
	for _, c := range recorded(t).Redact {
		// npm overlooks the second URL of a text.
		if got := Redact(c[0]); got != c[1] && strings.Count(got, "***") <= strings.Count(c[1], "***") {
			t.Errorf("%q becomes %q, npm has %q", c[0], got, c[1])
		}
	}
}
