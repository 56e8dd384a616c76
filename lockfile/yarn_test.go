package lockfile

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
)

func TestYarnLocksAreReadAndWrittenAsNPMDoes(t *testing.T) {
	for _, c := range recorded(t, "testdata/yarn.json") {
		t.Run(c.Get("name").Str(), func(t *testing.T) {
			y, err := ParseYarn([]byte(c.Get("text").Str()), "yarn.lock")
			if (err != nil) != c.Get("error").Bool() {
				t.Fatalf("got %v, npm fails: %v", err, c.Get("error").Bool())
			}
			if got, want := y.Len(), int(c.Get("entries").Num()); got != want {
				t.Errorf("%d entries, npm has %d", got, want)
			}
			expectSame(t, y.Encode(), []byte(c.Get("written").Str()))
		})
	}
}

func TestYarnLocksAreMadeFromTreesAsNPMDoes(t *testing.T) {
	data, err := os.ReadFile("testdata/yarn.json")
	if err != nil {
		t.Fatal(err)
	}
	record, err := jsjson.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range record.Get("trees").Items() {
		var y YarnLock
		y.Reset()
		for _, node := range c.Get("nodes").Items() {
			var specs []string
			for _, s := range node.Index(1).Items() {
				specs = append(specs, node.Index(0).Str()+"@"+s.Str())
			}
			deps := func(key string) manifest.Deps {
				if v := node.Index(2).Get(key); v.IsObject() {
					return append(manifest.Deps{}, manifest.DecodeDeps(v.Raw().Scanner())...)
				}
				return nil
			}
			y.Add(specs, YarnEntry{
				Version: node.Index(2).Get("version").Str(), Resolved: node.Index(2).Get("resolved").Str(), Integrity: node.Index(2).Get("integrity").Str(),
				Dependencies: deps("dependencies"), OptionalDependencies: deps("optionalDependencies"),
			})
		}
		expectSame(t, y.Encode(), []byte(c.Get("written").Str()))
	}
}

func TestAYarnLockPinsVersions(t *testing.T) {
	y, err := ParseYarn([]byte(strings.ReplaceAll(`a@^1:
  version "1.2.3"
  resolved "https://registry.yarnpkg.com/a/-/a-1.2.3.tgz#abc"
  integrity sha512-a

b@^1:
  version "1.0.0"
  resolved "https://registry.yarnpkg.com/other/-/other-1.0.0.tgz"

c@^1:
  version "1.0.0"
  resolved "https://example.com/c-1.0.0.tgz"
`, "\r", "")), "yarn.lock")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, pinned, resolved, integrity string }{
		{"a", "a@1.2.3", "https://registry.npmjs.org/a/-/a-1.2.3.tgz", "sha512-a"},
		{"b", "b@npm:other@1.0.0", "https://registry.npmjs.org/other/-/other-1.0.0.tgz", ""},
		{"c", "c@https://example.com/c-1.0.0.tgz", "https://example.com/c-1.0.0.tgz", ""},
	} {
		wanted, err := spec.Resolve(c.name, "^1", "/p")
		if err != nil {
			t.Fatal(err)
		}
		pinned, resolved, integrity, ok := y.Pin(wanted, "/p")
		if !ok || pinned.Raw != c.pinned || resolved != c.resolved || integrity != c.integrity {
			t.Errorf("%s: got %q, %q, %q, %v", c.name, pinned.Raw, resolved, integrity, ok)
		}
	}
	wanted, _ := spec.Resolve("none", "^1", "/p")
	if pinned, _, _, ok := y.Pin(wanted, "/p"); ok || pinned != wanted {
		t.Error("pinned what the lock doesn't have")
	}
}

func FuzzParseYarn(f *testing.F) {
	for _, c := range recorded(f, "testdata/yarn.json") {
		f.Add([]byte(c.Get("text").Str()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		y, _ := ParseYarn(slices.Clone(data), "x")
		y.Encode()
	})
}
