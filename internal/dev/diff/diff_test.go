//go:build unix

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestASeedAlwaysMakesTheSameProject(t *testing.T) {
	p, err := loadPool()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(50) {
		for kind, make := range map[string]func() project{
			"lock":     func() project { return p.lockProject(seed) },
			"sequence": func() project { return p.sequenceProject(seed, false) },
			"tree":     func() project { return p.sequenceProject(seed, true) },
			"wide":     func() project { return p.wideProject(seed, false) },
		} {
			if a, b := make(), make(); a.key() != b.key() {
				t.Errorf("%s %d: two different projects", kind, seed)
			}
		}
	}
}

func TestProjectsAreReadAsTheyWereWritten(t *testing.T) {
	p, err := loadPool()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(50) {
		want := p.wideProject(seed, false)
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got project
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got.key() != want.key() {
			t.Errorf("seed %d: another project", seed)
		}
		for name, f := range want.Files {
			if string(f.bytes()) != string(got.Files[name].bytes()) {
				t.Errorf("seed %d: %s differs", seed, name)
			}
		}
	}
}

func TestMinimisingKeepsOnlyWhatTheDifferenceNeeds(t *testing.T) {
	p := project{
		Files: map[string]file{"package.json": {Indent: "  ", Manifest: object{
			{"name", "app"},
			{"dependencies", object{{"a", "1"}, {"b", "1"}, {"guilty", "2"}, {"c", "1"}, {"d", "1"}}},
			{"devDependencies", object{{"e", "1"}}},
		}}, ".npmrc": {Text: "x=1\n"}},
		Commands: [][]string{{"install", "--force"}, {"update"}, {"dedupe"}},
	}
	got := minimise(p, 200, func(q project) bool {
		return strings.Contains(string(q.Files["package.json"].bytes()), "guilty") &&
			slices.ContainsFunc(q.Commands, func(c []string) bool { return c[0] == "update" })
	})
	if want := `{"name":"app","dependencies":{"guilty":"2"}}`; compact(t, got) != want {
		t.Errorf("got %s", compact(t, got))
	}
	if len(got.Commands) != 1 || len(got.Files) != 1 {
		t.Errorf("left over: %v, %v", got.Commands, got.fileNames())
	}
	if compact(t, p) == compact(t, got) {
		t.Error("the project that was handed in has changed")
	}
}

func compact(t *testing.T, p project) string {
	t.Helper()
	b, err := json.Marshal(p.Files["package.json"].Manifest)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDifferencesAreNamedByPath(t *testing.T) {
	for _, c := range []struct{ name, npm, got, want string }{
		{"a value", `{"packages":{"x":{"version":"1"}}}`, `{"packages":{"x":{"version":"2"}}}`, `[packages][x][version]: npm "1", candidate "2"`},
		{"a key that is missing", `{"a":1,"b":2}`, `{"a":1}`, `[b]: npm 2, candidate has none`},
		{"a key too many", `{"a":1}`, `{"a":1,"b":2}`, `[b]: npm has none, candidate 2`},
		{"the order", `{"a":1,"b":2}`, `{"b":2,"a":1}`, ` order: npm a, candidate b`},
		{"only the bytes", `{"a":1}`, `{"a": 1}`, `same JSON, bytes differ at 5`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := firstDifference(c.npm, c.got); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
