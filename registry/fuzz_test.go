package registry

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// FuzzScan holds the scan against a decoder: it takes what is JSON and nothing
// else, finds the same versions in the same order, and keeps what a manifest
// is made of.
func FuzzScan(f *testing.F) {
	for _, doc := range []string{
		`{"name":"a","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"a","version":"1.0.0","dist":{"tarball":"t","integrity":"i","signatures":[1]},"scripts":{"install":"x","test":"y"}}},"time":{"1.0.0":"2020-01-01T00:00:00.000Z"}}`,
		`{"versions":{"2":{},"1":{},"1.0.0":{"license":"MIT"},"1.0.0":{"deprecated":"no"}}}`,
		`{"versions":{"1.0.\u0030":{"\u0062in":"x"}},"versions":{"v1":{"engines":{"node":"*"}}}}`,
		` { "a" : [ 1 , -0.5e+3 , true , false , null , "\\\"\/\b\f\n\r\t\u00e9" ] } `,
		`{"versions":{"1.0.0":{"dist":null,"scripts":[],"deprecated":0}}}`,
		`{"versions":{"1.0.0":{"a":1,"bin":1},"1.0.1":{"a":12,"bin":1 },"1.0.2":{"a": 12,"bin":1,"deprecated":"x"},"1.0.3":{"deprecated":"x"}}}`,
		`{"versions":{"1.0.0":{"dist":{"shasum":"a","x":{}}},"1.0.1":{"name":"b","dist":{"shasum":"a","x":{}}},"1.0.2":{"dist":{"y":1,"shasum":"a","x":{}}}}}`,
		`{"versions":{"1.0.0":{"os":["a"],"os":["a"],"scripts":{"install":"x","b":1}},"1.0.1":{"os":["a"],"os":["a"],"scripts":{"install":"x","b":1}},"1.0.2":{"os":["a"]]}}`,
		`[]`, `{`, `{"a":01}`, `{"a":"` + "\x01" + `"}`, `{"a":1}x`, "{\"a\":\"\xff\"}", `{"a":1,}`, "\xef\xbb\xbf{}", `{"":{"":""}}`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if bytes.HasPrefix(doc, []byte("\xef\xbb\xbf")) {
			return
		}
		w := new(scratch)
		x, err := w.scan(append(bytes.Clone(doc), 0))
		value, parseErr := jsjson.Parse(bytes.Clone(doc))
		isDocument := parseErr == nil && value.IsObject()
		if (err == nil) != isDocument {
			// The standard library agrees with whom?
			t.Fatalf("scan gives %v, decoding %v (valid: %v)", err, parseErr, json.Valid(doc))
		}
		if err != nil {
			return
		}
		e := w.encode(x, validators{address: address{url: "u"}, etag: "e"}, slot{received: 1}, doc)
		if e == nil {
			t.Fatal("the entry can't be read back")
		}
		e.near, e.nearAt = bytes.Clone(w.out), 0
		p := &Packument{name: "a", index: &e.index}
		versions := value.Get("versions")
		if !versions.IsObject() {
			if p.index.count() != 0 {
				t.Fatal("versions where there are none")
			}
			return
		}
		var want []jsjson.Member
		for _, m := range versions.Members() {
			if m.Value.IsObject() {
				want = append(want, m)
			}
		}
		for key, text := range versionTexts(doc) {
			kept := new(scratch)
			if _, err := kept.scan([]byte(`{"versions":{"` + key + `":` + text + "}}\x00")); err != nil {
				t.Fatalf("%q alone: %v", key, err)
			}
			m := row(kept.table).manifest()
			if alone := kept.out[m.at : m.at+m.n]; !bytes.Contains(w.out, alone) {
				t.Fatalf("%q alone is %s, with the others %s", key, alone, w.out[beginning:])
			}
		}
		got := p.Versions()
		if len(want) != len(versions.Members()) {
			return // what is no object leaves no trace, not even its place
		}
		if len(got) != len(want) {
			t.Fatalf("versions are %q, want %d", got, len(want))
		}
		for i, m := range want {
			if got[i] != m.Key {
				t.Fatalf("version %d is %q, want %q", i, got[i], m.Key)
			}
			kept, err := p.manifestAt(i)
			if err != nil {
				t.Fatalf("%q: %v", m.Key, err)
			}
			whole, err := manifest.Parse(jsjson.Append(nil, m.Value, "", ""))
			if err != nil {
				continue
			}
			if kept.Name != whole.Name || kept.Version != whole.Version || kept.Deprecated != whole.Deprecated ||
				kept.Dist != whole.Dist || kept.HasInstallScript != whole.HasInstallScript || kept.HasShrinkwrap != whole.HasShrinkwrap ||
				len(kept.Dependencies) != len(whole.Dependencies) || len(kept.Bin) != len(whole.Bin) {
				t.Fatalf("%q is %+v, whole %+v", m.Key, kept, whole)
			}
			if flags := p.index.row(i).flags(); flags&flagLook == 0 && (flags&flagDeprecated != 0) != m.Value.Get("deprecated").Truthy() {
				t.Fatalf("%q: deprecated is %v", m.Key, flags&flagDeprecated != 0)
			}
		}
	})
}

// versionTexts gives the versions that a scan keeps, as written, by their keys.
func versionTexts(doc []byte) map[string]string {
	s := scanner{doc: append(bytes.Clone(doc), 0)}
	var texts map[string]string
	s.object(s.space(0), func(key []byte, at int) int {
		if string(key) != "versions" || s.doc[at] != '{' {
			return s.skip(at)
		}
		texts = map[string]string{}
		return s.object(at, func(key []byte, at int) int {
			end := s.skip(at)
			if s.doc[at] == '{' && len(key) <= maxKey {
				texts[string(key)] = string(s.doc[at:end])
			}
			return end
		})
	})
	return texts
}

// The files of an earlier ibid answer as long as their format has the same name.
func TestAddressesInTheCachesFiles(t *testing.T) {
	for text, want := range map[string]address{
		"http://r.example/a":             {"http://r.example/a", full},
		"http://r.example/a#abbreviated": {"http://r.example/a", abbreviated},
		"#abbreviated":                   {"", abbreviated},
		"":                               {},
	} {
		if got := addressOf(text); got != want || got.text() != text {
			t.Errorf("%q is %+v, written %q", text, got, got.text())
		}
	}
}

// FuzzEntry reads anything as a cache's file: nothing may panic.
func FuzzEntry(f *testing.F) {
	w := new(scratch)
	x, err := w.scan(append([]byte(`{"dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"a","version":"1.0.0"},"2.0.0":{"engines":{"node":"1"}}},"time":{"1.0.0":"2020-01-01T00:00:00.000Z"}}`), 0))
	if err != nil {
		f.Fatal(err)
	}
	if w.encode(x, validators{address: address{url: "http://r.example/a"}, etag: `"x"`}, slot{received: 5, lifetime: 7}, []byte("body")) == nil {
		f.Fatal("the entry can't be read back")
	}
	whole := append(bytes.Clone(w.out), "body"...)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(entryMagic))
	f.Fuzz(func(t *testing.T, file []byte) {
		nearAt, end, ok := headSpan(file)
		if !ok || end > len(file) {
			return
		}
		file = bytes.Clone(file)
		if headAt := int(binary.LittleEndian.Uint32(file[lengthsAt:])); headAt <= end {
			// Forge the checksum, to get behind it.
			binary.LittleEndian.PutUint32(file[sumAt:], headChecksum(file[:beginning], file[headAt:end]))
		}
		e := decodeEntry(file[:beginning], file[nearAt:end], nearAt)
		if e == nil {
			return
		}
		e.near, e.nearAt = file, 0
		p := &Packument{name: "a", index: &e.index, body: func() ([]byte, error) { return nil, os.ErrNotExist }}
		for _, v := range p.Versions() {
			_, _ = p.Manifest(v)
		}
		p.DistTags()
		p.Published("1.0.0")
		_, _ = PickText(p, "*", PickOptions{})
		_, _ = PickText(p, "^1.0.0", PickOptions{NodeVersion: "20.0.0"})
	})
}

// FuzzBasis reads anything as a basis: what is one is written as it was read.
func FuzzBasis(f *testing.F) {
	f.Add([]byte(nil))
	f.Add((&basis{since: 1, until: 2}).encode())
	f.Add((&basis{since: -1, until: 2, entries: []basisEntry{{name: "a", mark: mark{1, 2, 3, 4}}, {name: "@s/b", form: abbreviated}}}).encode())
	f.Fuzz(func(t *testing.T, text []byte) {
		b, ok := decodeBasis(text)
		if !ok {
			return
		}
		if again := b.encode(); !bytes.Equal(again, text) {
			t.Errorf("%q is written as %q", text, again)
		}
		New(Options{CacheDir: t.TempDir()}).Stands(text)
	})
}
