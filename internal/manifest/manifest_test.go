package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
)

// recorded reads the cases that testdata/record.cjs took down from npm.
func recorded(t testing.TB, file string) []jsjson.Value {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsjson.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return v.Get("cases").Items()
}

// shown writes a manifest the way testdata/record.cjs writes npm's.
func shown(m *Manifest) string {
	var members []jsjson.Member
	add := func(key string, v jsjson.Value) { members = append(members, jsjson.Member{Key: key, Value: v}) }
	str := func(key, text string) {
		if text != "" {
			add(key, jsjson.NewString(text))
		}
	}
	deps := func(key string, deps Deps) {
		var list []jsjson.Member
		for _, d := range deps {
			list = append(list, jsjson.Member{Key: d.Name, Value: jsjson.NewString(d.Spec)})
		}
		if len(list) > 0 {
			add(key, jsjson.NewObject(list...))
		}
	}
	raw := func(key string, raw jsjson.Raw) {
		if v := raw.Value(); v.Truthy() && (v.Kind() < jsjson.Array || v.Len() > 0) {
			add(key, v)
		}
	}
	str("name", m.Name)
	str("version", m.Version)
	deps("dependencies", m.Dependencies)
	deps("devDependencies", m.DevDependencies)
	deps("optionalDependencies", m.OptionalDependencies)
	deps("peerDependencies", m.PeerDependencies)
	if len(m.PeerDependenciesMeta) > 0 {
		var list []jsjson.Member
		for _, meta := range m.PeerDependenciesMeta {
			list = append(list, jsjson.Member{Key: meta.Name, Value: meta.Raw.Value()})
		}
		add("peerDependenciesMeta", jsjson.NewObject(list...))
	}
	deps("acceptDependencies", m.AcceptDependencies)
	if m.BundleDependencies != nil {
		var list []jsjson.Value
		for _, name := range m.BundleDependencies {
			list = append(list, jsjson.NewString(name))
		}
		add("bundleDependencies", jsjson.NewArray(list...))
	}
	if len(m.Bin) > 0 {
		var list []jsjson.Member
		for _, bin := range m.Bin {
			list = append(list, jsjson.Member{Key: bin.Name, Value: jsjson.NewString(bin.Path)})
		}
		add("bin", jsjson.NewObject(list...))
	}
	raw("engines", m.Engines)
	raw("os", m.OS)
	raw("cpu", m.CPU)
	raw("libc", m.Libc)
	raw("license", m.License)
	raw("funding", m.Funding)
	raw("workspaces", m.Workspaces)
	deps("scripts", m.Scripts)
	add("hasInstallScript", jsjson.NewBool(m.HasInstallScript))
	add("hasShrinkwrap", jsjson.NewBool(m.HasShrinkwrap))
	return string(jsjson.NewObject(members...).Raw())
}

func TestManifestsAreNormalisedAsNPMDoes(t *testing.T) {
	for _, c := range recorded(t, "testdata/normalize.json") {
		t.Run(c.Get("name").Str(), func(t *testing.T) {
			text := c.Get("text").Str()
			m, err := Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := shown(m), c.Get("published").Str(); got != want {
				t.Errorf("in a packument\n got %s\nwant %s", got, want)
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			if m, err = ReadDir(dir); err != nil {
				t.Fatal(err)
			}
			if got, want := shown(m), c.Get("disk").Str(); got != want {
				t.Errorf("on disk\n got %s\nwant %s", got, want)
			}
		})
	}
}

func TestEditsAreWrittenAsNPMDoes(t *testing.T) {
	for _, c := range recorded(t, "testdata/edit.json") {
		t.Run(c.Get("name").Str(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "package.json")
			if err := os.WriteFile(path, []byte(c.Get("text").Str()), 0o666); err != nil {
				t.Fatal(err)
			}
			f, err := ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			update := c.Get("update")
			deps := func(key string) Deps { return decodeDeps(update.Get(key).Raw()) }
			f.UpdateDependencies(Dependencies{
				Prod: deps("dependencies"), Dev: deps("devDependencies"), Optional: deps("optionalDependencies"), Peer: deps("peerDependencies"),
				Bundle: decodeBundle(update.Get("bundleDependencies").Raw(), nil),
			})
			if err := f.Save(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if want := c.Get("after").Str(); string(got) != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestExecutablesInAFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"package.json": `{"name":"a","directories":{"bin":"../bin/"}}`,
		"bin/one":      "", "bin/.hidden": "", "bin/sub/two.js": "", "other/three": "",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, bin := range m.Bin {
		got[bin.Name] = bin.Path
	}
	want := map[string]string{"one": "bin//one", "sub": "bin//sub", "two.js": "bin//sub/two.js"}
	for name, file := range want {
		if got[name] != file {
			t.Errorf("%s is %q, npm has %q", name, got[name], file)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

func TestAPackageJSONThatIsNone(t *testing.T) {
	for name, text := range map[string]string{
		"an empty file": "", "a list": "[]", "a string": `"x"`, "a half": `{"name":`, "more than one": `{} {}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseFile("package.json", []byte(text))
			var bad *Error
			if !errors.As(err, &bad) || bad.Code() != "EJSONPARSE" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEditingAtAPath(t *testing.T) {
	f, err := ParseFile("package.json", []byte("{\n  \"a\": {\"b\": 1, \"c\": 2},\n  \"z\": 1\n}"))
	if err != nil {
		t.Fatal(err)
	}
	f.Set(jsjson.NewString("x"), "a", "b")
	f.Set(jsjson.NewBool(true), "new", "deep", "er")
	f.Delete("a", "c")
	f.Delete("a", "missing")
	f.Delete("nowhere", "at", "all")
	f.Set(jsjson.NewArray(jsjson.NewString("one"), jsjson.NewString("two")), "list")
	f.Set(jsjson.NewString("2"), "list", "1")
	f.Set(jsjson.NewString("3"), "list", "9")
	f.Delete("list", "0")
	if got := f.Get("list", "1").Str(); got != "3" {
		t.Errorf("list.1 is %q", got)
	}
	f.Delete("list")
	want := "{\n  \"a\": {\n    \"b\": \"x\"\n  },\n  \"z\": 1,\n  \"new\": {\n    \"deep\": {\n      \"er\": true\n    }\n  }\n}\n"
	if got := string(f.Bytes()); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestABlankAtTheEndIsNoChange(t *testing.T) {
	f, err := ParseFile("package.json", []byte("{\n  \"a\": 1\n}"))
	if err != nil {
		t.Fatal(err)
	}
	if f.Changed() {
		t.Error("a missing line break at the end would be written")
	}
}

func FuzzEdit(f *testing.F) {
	for _, c := range recorded(f, "testdata/edit.json") {
		f.Add([]byte(c.Get("text").Str()), "key")
	}
	f.Add([]byte("{\n}"), "0")
	f.Fuzz(func(t *testing.T, data []byte, key string) {
		file, err := ParseFile("package.json", data)
		if err != nil {
			return
		}
		before := file.Content()
		key = js.ValidText(key) // as arguments are
		file.Set(jsjson.NewString("value"), key)
		after, err := ParseFile("package.json", file.Bytes())
		if err != nil {
			t.Fatalf("what was written does not parse: %v", err)
		}
		if after.Get(key).Str() != "value" {
			t.Fatalf("the edit is gone: %q", file.Bytes())
		}
		for _, m := range before.Members() {
			if m.Key != key && !jsjson.Equal(after.Get(m.Key), jsjson.Raw(m.Value.Raw()).Value()) {
				t.Fatalf("%q changed too", m.Key)
			}
		}
		// Without an indent there is one line, which keeps nothing of the line
		// break that its end has, in npm too: the second time it is gone.
		indent, _ := file.Format()
		again := after.Bytes()
		if indent == "" {
			if string(again) != strings.TrimRight(string(file.Bytes()), "\r\n") {
				t.Fatalf("more than the line break at its end changed: %q, then %q", file.Bytes(), again)
			}
			return
		}
		if string(again) != string(file.Bytes()) {
			t.Fatalf("not a fixpoint: %q, then %q", file.Bytes(), again)
		}
	})
}

func FuzzNormalize(f *testing.F) {
	for _, c := range recorded(f, "testdata/normalize.json") {
		f.Add([]byte(c.Get("text").Str()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		for _, bin := range m.Bin {
			if base := baseName(bin.Name); base != bin.Name || bin.Name == ".." || !filepath.IsLocal(filepath.FromSlash(bin.Path)) {
				t.Fatalf("%q: executable %q at %q", data, bin.Name, bin.Path)
			}
		}
		again, err := Parse([]byte(shown(m)))
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Bin) != len(m.Bin) || len(again.Dependencies) != len(m.Dependencies) {
			t.Fatalf("normalising twice makes another manifest: %s and %s", shown(m), shown(again))
		}
	})
}

// Each was looked for among all.
func TestManyBinsAreReadOnce(t *testing.T) {
	const many = 300_000
	var text strings.Builder
	for i := range many {
		fmt.Fprintf(&text, `,"./b%d":"x"`, i)
	}
	v, err := jsjson.Parse([]byte("{" + text.String()[1:] + "}"))
	if err != nil {
		t.Fatal(err)
	}
	if bins := NormalizeBin(v, "a"); len(bins) != many || bins[many-1].Name != fmt.Sprint("b", many-1) {
		t.Errorf("%d of %d", len(bins), many)
	}
}
