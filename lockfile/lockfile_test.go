package lockfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// readText reads a file, unpacked where it is compressed.
func readText(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return data
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// expectSame reports the first place where two texts differ.
func expectSame(t testing.TB, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	around := func(text []byte) []byte { return text[max(0, i-120):min(len(text), i+120)] }
	line, _ := jsjson.Position(string(want), i)
	t.Errorf("line %d differs: got\n%s\nwant\n%s", line, around(got), around(want))
}

func TestNPMsLocksAreWrittenBackByteForByte(t *testing.T) {
	files, err := filepath.Glob("testdata/npm/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no locks", err)
	}
	// More of them stand beside the repository where it is tested.
	for _, pattern := range []string{"conform/cases/*/project/package-lock.json*", "conform/cases/*/project/npm-shrinkwrap.json", "bench/package-lock.json"} {
		more, _ := filepath.Glob("../../shared/" + pattern)
		files = append(files, more...)
	}
	for _, file := range files {
		if strings.Contains(file, "syn-lock-no-resolved") {
			continue // written by hand
		}
		t.Run(filepath.ToSlash(file), func(t *testing.T) {
			text := readText(t, file)
			f, err := Parse(slices.Clone(text), file)
			if err != nil {
				t.Fatal(err)
			}
			if f.LockfileVersion < 2 {
				t.Skip("written by an npm that sorted otherwise")
			}
			expectSame(t, f.Encode(), text)
			f.Sort()
			expectSame(t, f.Encode(), text)
		})
	}
}

func TestOddLocksAreWrittenAsNPMDoes(t *testing.T) {
	for _, c := range recorded(t, "testdata/write.json") {
		f, err := Parse([]byte(c.Get("lock").Raw()), "package-lock.json")
		if err != nil {
			t.Fatal(err)
		}
		f.Indent, f.Newline = c.Get("indent").Str(), c.Get("newline").Str()
		expectSame(t, f.Encode(), []byte(c.Get("text").Str()))
	}
}

func TestTheFormatIsThatOfTheFile(t *testing.T) {
	f, err := Parse([]byte("{\r\n\t\"lockfileVersion\": 3,\r\n\t\"packages\": {}\r\n}\r\n"), "x")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(f.Encode()), "{\r\n\t\"lockfileVersion\": 3,\r\n\t\"packages\": {}\r\n}\r\n"; got != want {
		t.Errorf("got %q", got)
	}
	if got, want := string(f.EncodeLine()), `{"lockfileVersion":3,"packages":{}}`; got != want {
		t.Errorf("got %q", got)
	}
}

func TestAnEntryIsRead(t *testing.T) {
	f, err := Parse([]byte(`{"lockfileVersion": 3, "requires": true, "packages": {
		"": {"name": "app", "devDependencies": {"a": "1"}},
		"node_modules/x": {"name": "real", "version": "1.0.0", "resolved": "https://registry.npmjs.org/real/-/real-1.0.0.tgz", "integrity": "sha512-x",
			"dev": true, "optional": true, "devOptional": true, "peer": true, "inBundle": true, "hasShrinkwrap": true, "extraneous": true, "hasInstallScript": true,
			"bin": {"x": "bin/x.js"}, "bundleDependencies": ["b"], "engines": {"node": ">=1"}, "os": ["linux"], "deprecated": "do not",
			"dependencies": {"b": "1", "10": "1", "9": "1"}, "peerDependenciesMeta": {"p": {"optional": true}}, "custom": 1},
		"node_modules/l": {"resolved": "packages/l", "link": true},
		"packages/l": {"version": "2.0.0"}
	}}`), "x")
	if err != nil {
		t.Fatal(err)
	}
	p := f.Get("node_modules/x")
	if p == nil || p.Name() != "real" || p.Version() != "1.0.0" || p.ID() != "real@1.0.0" || p.Integrity != "sha512-x" || !strings.HasPrefix(p.Resolved, "https:") {
		t.Fatalf("got %+v", p)
	}
	if !p.Dev || !p.Optional || !p.DevOptional || !p.Peer || !p.InBundle || !p.HasShrinkwrap || !p.Extraneous || !p.Meta.HasInstallScript || p.Link {
		t.Errorf("flags: %+v", p)
	}
	if !slices.Equal(p.Meta.Bin, []manifest.Bin{{Name: "x", Path: "bin/x.js"}}) || !slices.Equal(p.Meta.BundleDependencies, []string{"b"}) || p.Meta.Deprecated != "do not" {
		t.Errorf("got %+v", p.Meta)
	}
	if want := (manifest.Deps{{Name: "9", Spec: "1"}, {Name: "10", Spec: "1"}, {Name: "b", Spec: "1"}}); !slices.Equal(p.Meta.Dependencies, want) {
		t.Errorf("dependencies %v", p.Meta.Dependencies)
	}
	if len(p.Meta.PeerDependenciesMeta) != 1 || !p.Meta.PeerDependenciesMeta[0].Optional {
		t.Errorf("got %+v", p.Meta.PeerDependenciesMeta)
	}
	if len(p.Extra) != 1 || p.Extra[0].Key != "custom" {
		t.Errorf("extra %+v", p.Extra)
	}
	link := f.Get("node_modules/l")
	if !link.Link || link.Target() != "packages/l" || link.Name() != "l" || f.Get(link.Target()).Version() != "2.0.0" {
		t.Errorf("link %+v", link)
	}
	if f.Root() == nil || f.Get("node_modules/none") != nil || f.Root().Name() != "app" {
		t.Error("wrong packages found")
	}
}

func TestUncleanExecutablesAreCleanedAndWrittenBack(t *testing.T) {
	const text = `{
  "lockfileVersion": 3,
  "packages": {
    "node_modules/a": {
      "version": "1.0.0",
      "bin": {
        "../x": "../../etc/passwd",
        "y": "./y.js"
      }
    }
  }
}
`
	f, err := Parse([]byte(text), "x")
	if err != nil {
		t.Fatal(err)
	}
	want := []manifest.Bin{{Name: "x", Path: "etc/passwd"}, {Name: "y", Path: "y.js"}}
	got := slices.Clone(f.Packages[0].Meta.Bin)
	slices.SortFunc(got, func(a, b manifest.Bin) int { return strings.Compare(a.Name, b.Name) })
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	expectSame(t, f.Encode(), []byte(text))
}

func TestLocations(t *testing.T) {
	for _, c := range []struct {
		l, parent Location
		name      string
		in        bool
		depth     int
	}{
		{"", "", "", false, 0},
		{"node_modules/a", "", "a", true, 1},
		{"node_modules/@s/a", "", "@s/a", true, 1},
		{"node_modules/a/node_modules/@s/b", "node_modules/a", "@s/b", true, 2},
		{"packages/a", "", "a", false, 0},
		{"packages/@s/a", "", "@s/a", false, 0},
		{"packages/a/node_modules/b", "packages/a", "b", true, 1},
		{"../x", "", "x", false, 0},
		{"not_node_modules/a", "", "a", false, 0},
		{"node_modules/a/lib", "", "lib", false, 0},
	} {
		parent, in := c.l.Parent()
		if c.l.Name() != c.name || in != c.in || c.l.InNodeModules() != c.in || parent != c.parent || c.l.Depth() != c.depth {
			t.Errorf("%q: name %q, in %v, parent %q, depth %d", c.l, c.l.Name(), in, parent, c.l.Depth())
		}
		if in && parent.Child(c.name) != c.l {
			t.Errorf("%q is not the child of %q", c.l, parent)
		}
	}
}

func TestErrorsNameFileLineAndColumn(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"packages\": {\n    \"a\": 1\n  }\n}":         "dir/package-lock.json:3:10: reading lockfile: expected an object that describes a package, found '1'",
		`{"packages": []}`:                                   "dir/package-lock.json:1:14: reading lockfile: expected an object of packages, found '['",
		`{"packages": {"a": {"version": 1}}}`:                "dir/package-lock.json:1:32: reading lockfile: expected a string, found '1'",
		`{"packages": {"a": {"dependencies": ["x"]}}}`:       "dir/package-lock.json:1:37: reading lockfile: expected an object of names and ranges, found '['",
		`{"packages": {"a": {"dependencies": {"x": null}}}}`: "dir/package-lock.json:1:43: reading lockfile: expected a string, found 'n'",
		`{"packages": {`:                                     "dir/package-lock.json:1:15: reading lockfile: expected a key or '}', found end of file",
		`[]`:                                                 "dir/package-lock.json:1:1: reading lockfile: expected an object, found '['",
		"{\n<<<<<<< a\n\"a\": 1\n|||||||\n\"b\":\n=======\n\"c\": 1\n>>>>>>> b": "dir/package-lock.json:5:5: merging the conflict: the common ancestor: expected a value, found end of file",
		"<<<<<<< a\n{}\n=======\n{}\n>>>>>>> b\n":                               "dir/package-lock.json:1:1: merging the conflict: the common ancestor: expected a value, found end of file",
	} {
		_, err := Parse([]byte(text), "dir/package-lock.json")
		var bad *ParseError
		if !errors.As(err, &bad) || err.Error() != want || bad.Code() != "EJSONPARSE" {
			t.Errorf("%q\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestALockFromTheFutureIsRefused(t *testing.T) {
	_, err := Parse([]byte(`{"lockfileVersion": 5, "packages": {}}`), "x")
	var tooNew *VersionError
	if !errors.As(err, &tooNew) || tooNew.Code() != "ELOCKFILEVERSION" {
		t.Errorf("got %v", err)
	}
}

func TestTheVersionIsWhatNPMTakesForANumber(t *testing.T) {
	for text, want := range map[string]int{"3": 3, `"2"`: 2, "null": 0, `"x"`: 0, "{}": 0, "-1": 0, "1e400": 0, "2.5": 2} {
		f, err := Parse([]byte(`{"lockfileVersion": `+text+`}`), "x")
		if err != nil || f.LockfileVersion != want {
			t.Errorf("%s: got %+v, %v", text, f, err)
		}
	}
}

func TestWhichFileIsRead(t *testing.T) {
	write := func(t *testing.T, files map[string]string) string {
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, c := range []struct {
		name    string
		files   map[string]string
		read    string // the "name" in it
		written string
	}{
		{"none", nil, "", LockName},
		{"a lock", map[string]string{LockName: `{"name":"lock"}`}, "lock", LockName},
		{"a shrinkwrap wins", map[string]string{LockName: `{"name":"lock"}`, ShrinkwrapName: `{"name":"wrap"}`}, "wrap", ShrinkwrapName},
		{"an empty shrinkwrap does not", map[string]string{LockName: `{"name":"lock"}`, ShrinkwrapName: ``}, "lock", LockName},
		{"an empty lock is none", map[string]string{LockName: ``}, "", LockName},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, c.files)
			if got := FileToWrite(dir); got != filepath.Join(dir, c.written) {
				t.Errorf("would write %s", got)
			}
			f, err := Load(dir)
			if c.read == "" {
				if !errors.Is(err, ErrMissing) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || f.Name != c.read {
				t.Errorf("read %+v, %v", f, err)
			}
		})
	}
}

func TestLoadingVersionOneReadsPackageJSON(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"package.json": `{"name":"app","version":"3.0.0","dependencies":{"a":"^1"}}`,
		LockName:       `{"name":"app","version":"1.0.0","lockfileVersion":1,"requires":true,"dependencies":{"a":{"version":"1.0.0","integrity":"sha512-x"}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f.LockfileVersion != 1 || f.Ancient() || f.WriteVersion(0) != 3 || f.Root().Version() != "3.0.0" || f.Get("node_modules/a").Version() != "1.0.0" {
		t.Errorf("got %+v", f)
	}
}

func TestTheLegacyTreeIsWritten(t *testing.T) {
	f := New()
	f.LockfileVersion = 1
	f.Name = "app"
	f.SetLegacy([]*LegacyEntry{
		{Name: "b", Version: "1.0.0", Resolved: "https://registry.npmjs.org/b/-/b-1.0.0.tgz", Integrity: "sha512-b", Dev: true, HasRequires: true,
			Dependencies: []*LegacyEntry{{Name: "c", Version: "npm:d@1.0.0", Bundled: true, Optional: true}}},
		{Name: "a", Version: "git+ssh://git@github.com/u/a.git#1", From: "a@u/a", Requires: manifest.Deps{{Name: "z", Spec: "1"}, {Name: "b", Spec: "^1"}}},
	})
	want := `{
  "name": "app",
  "lockfileVersion": 1,
  "requires": true,
  "dependencies": {
    "a": {
      "version": "git+ssh://git@github.com/u/a.git#1",
      "from": "a@u/a",
      "requires": {
        "b": "^1",
        "z": "1"
      }
    },
    "b": {
      "version": "1.0.0",
      "resolved": "https://registry.npmjs.org/b/-/b-1.0.0.tgz",
      "integrity": "sha512-b",
      "dev": true,
      "requires": {},
      "dependencies": {
        "c": {
          "version": "npm:d@1.0.0",
          "bundled": true,
          "optional": true
        }
      }
    }
  }
}
`
	expectSame(t, f.Encode(), []byte(want))
}

func TestEmptyDevDependenciesAreKept(t *testing.T) {
	const text = `{
  "name": "x",
  "lockfileVersion": 3,
  "packages": {
    "": {
      "devDependencies": {}
    },
    "w": {
      "version": "1.0.0"
    }
  }
}
`
	f, err := Parse([]byte(text), "package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	expectSame(t, f.Encode(), []byte(text))
}

func TestVersionFourKeepsWhatItAdds(t *testing.T) {
	const text = `{
  "name": "app",
  "lockfileVersion": 4,
  "requires": true,
  "packages": {
    "": {
      "name": "app",
      "npmExtensionHash": "sha512-b",
      "packageExtensionsHash": "sha512-a"
    },
    "node_modules/a": {
      "version": "1.0.0",
      "npmExtensionApplied": {
        "fields": [
          "dependencies"
        ]
      },
      "packageExtensionsApplied": {
        "selector": "a@1"
      },
      "patched": {
        "integrity": "sha512-p",
        "path": "patches/a.patch"
      }
    }
  }
}
`
	f, err := Parse([]byte(text), "x")
	if err != nil {
		t.Fatal(err)
	}
	if f.Root().PackageExtensionsHash != "sha512-a" || f.Root().NpmExtensionHash != "sha512-b" || f.Get("node_modules/a").Patched == "" || f.WriteVersion(0) != 4 {
		t.Errorf("got %+v", f.Root())
	}
	expectSame(t, f.Encode(), []byte(text))
}

// A link that leads to the project itself has an empty address.
func TestALinkToTheProjectItselfIsWrittenBack(t *testing.T) {
	const text = "{\n  \"name\": \"app\",\n  \"lockfileVersion\": 3,\n  \"requires\": true,\n  \"packages\": {\n" +
		"    \"node_modules/app\": {\n      \"resolved\": \"\",\n      \"link\": true\n    }\n  }\n}\n"
	l, err := Parse([]byte(text), LockName)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(l.Encode()); got != text {
		t.Errorf("written back as\n%s", got)
	}
}

func TestTheHiddenLockHasNoRoot(t *testing.T) {
	f, err := Parse(readText(t, "testdata/npm/tabs.json"), "x")
	if err != nil {
		t.Fatal(err)
	}
	f.LockfileVersion, f.Legacy = 2, "{}"
	expectSame(t, f.Hidden().Encode(), readText(t, "testdata/npm/tabs.hidden.json"))
	if f.Root() == nil || f.LockfileVersion != 2 {
		t.Error("the lock itself was changed")
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range []string{"ws-basic", "platforms", "bundled-overlay"} {
		f.Add(readText(f, "testdata/npm/"+file+".json"))
	}
	for _, file := range []string{"conflict", "write", "inflate"} {
		for _, c := range recorded(f, "testdata/"+file+".json") {
			if text := c.Get("text").Str(); text != "" {
				f.Add([]byte(text))
			} else {
				f.Add([]byte(c.Get("lock").Raw()))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Parse(slices.Clone(data), "x")
		if err != nil {
			var bad *ParseError
			var tooNew *VersionError
			if !errors.As(err, &bad) && !errors.As(err, &tooNew) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		text := first.Encode()
		second, err := Parse(slices.Clone(text), "x")
		if err != nil {
			t.Fatalf("%q: what was written does not parse: %v\n%s", data, err, text)
		}
		// As in npm, an indent with a line break in it grows at each writing.
		second.Indent, second.Newline = first.Indent, first.Newline
		expectSame(t, second.Encode(), text)
		for _, p := range second.Packages {
			if second.Get(p.Location) != p {
				t.Fatalf("%q is there twice", p.Location)
			}
			for _, bin := range p.Meta.Bin {
				if strings.Contains(bin.Name, "/") || !filepath.IsLocal(filepath.FromSlash(bin.Path)) {
					t.Fatalf("executable %q at %q", bin.Name, bin.Path)
				}
			}
		}
		first.Inflate(".", &manifest.Manifest{})
		first.Encode()
	})
}

func benchmarkLock(b *testing.B) []byte {
	file := "../../shared/bench/package-lock.json"
	if _, err := os.Stat(file); err != nil {
		file = "testdata/npm/sort-order.json"
	}
	data := readText(b, file)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	return data
}

func BenchmarkParse(b *testing.B) {
	data := benchmarkLock(b)
	for b.Loop() {
		if _, err := Parse(data, "package-lock.json"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	f, err := Parse(benchmarkLock(b), "package-lock.json")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f.Encode()
	}
}

// Locks that share entries are written as each would be alone, whichever comes
// first and however they are indented.
func TestSharedEntriesAreWrittenAlike(t *testing.T) {
	files, err := filepath.Glob("testdata/npm/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no locks", err)
	}
	for _, file := range files {
		lock, err := Parse(readText(t, file), file)
		if err != nil {
			t.Fatal(err)
		}
		for _, indent := range []string{lock.Indent, "\t"} {
			part := &Lockfile{Name: "part", LockfileVersion: 3, Requires: true, Indent: indent, Newline: lock.Newline}
			for i, p := range lock.Packages {
				if i%3 != 1 {
					part.Packages = append(part.Packages, p)
				}
			}
			for _, locks := range [][2]*Lockfile{{lock, part}, {part, lock}} {
				var texts Texts
				for _, l := range locks {
					expectSame(t, texts.Encode(l), l.Encode())
				}
			}
		}
	}
}
