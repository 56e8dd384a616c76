package provenance

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance/sigstoretest"
)

// mirrorOf is a Mirror of files.
func mirrorOf(root []byte, files map[string][]byte) *Mirror {
	return &Mirror{URL: "https://tuf.test/", Root: root, Now: time.Now, Get: func(_ context.Context, url string, limit int64) ([]byte, bool, error) {
		name, ok := strings.CutPrefix(url, "https://tuf.test/")
		if !ok {
			return nil, false, errors.New("another address: " + url)
		}
		data, ok := files[name]
		if int64(len(data)) > limit {
			return nil, false, errors.New("too large")
		}
		return data, ok, nil
	}}
}

func TestAMirrorSaysWhomToTrust(t *testing.T) {
	s, _ := start(t)
	first := s.TUF()["1.root.json"]
	for range 3 {
		root, err := mirrorOf(first, s.TUF()).TrustedRoot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest(t, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Verify(root, nil); err != nil {
			t.Error(err)
		}
		s.Rotate()
	}
}

func TestAMirrorThatIsNotBelieved(t *testing.T) {
	s, _ := start(t)
	other, _ := start(t)
	first := s.TUF()["1.root.json"]
	old := s.TUF()
	s.Rotate()
	now := s.TUF()
	target := ""
	for name := range now {
		if strings.HasPrefix(name, "targets/") {
			target = name
		}
	}
	unsigned := func(data []byte, change func(signed jsjson.Value) jsjson.Value) []byte {
		v, err := jsjson.Parse(bytes.Clone(data))
		if err != nil {
			t.Fatal(err)
		}
		return jsjson.Append(nil, v.With("signed", change(v.Get("signed"))), "", "")
	}
	set := func(key string, value jsjson.Value) func(jsjson.Value) jsjson.Value {
		return func(v jsjson.Value) jsjson.Value { return v.With(key, value) }
	}
	for _, c := range []struct {
		name   string
		change func(files map[string][]byte)
		want   string
	}{
		{"another's root", func(f map[string][]byte) { other.Rotate(); f["2.root.json"] = other.TUF()["2.root.json"] }, "2.root.json: is signed by 0 keys that are trusted, not by 1"},
		{"the old root as a new one", func(f map[string][]byte) { f["2.root.json"] = f["1.root.json"] }, "2.root.json: is of version 1"},
		{"a changed root", func(f map[string][]byte) {
			f["2.root.json"] = unsigned(f["2.root.json"], set("expires", str("2099-01-01T00:00:00Z")))
		}, "2.root.json: is signed by 0 keys that are trusted, not by 1"},
		{"no new root", func(f map[string][]byte) { delete(f, "2.root.json") }, "timestamp.json: is signed by 0 keys that are trusted, not by 1"},
		{"an old timestamp", func(f map[string][]byte) { f["timestamp.json"] = old["timestamp.json"] }, "timestamp.json: is signed by 0 keys that are trusted, not by 1"},
		{"a snapshot as timestamp", func(f map[string][]byte) { f["timestamp.json"] = f["1.snapshot.json"] }, `timestamp.json: is a "snapshot", not a "timestamp"`},
		{"no timestamp", func(f map[string][]byte) { delete(f, "timestamp.json") }, "timestamp.json: the mirror has none"},
		{"another snapshot", func(f map[string][]byte) { f["1.snapshot.json"] = old["1.snapshot.json"] }, "1.snapshot.json: "},
		{"a longer snapshot", func(f map[string][]byte) { f["1.snapshot.json"] = append(bytes.Clone(f["1.snapshot.json"]), ' ') }, "1.snapshot.json: has "},
		{"other targets", func(f map[string][]byte) { f["1.targets.json"] = other.TUF()["1.targets.json"] }, "1.targets.json: "},
		{"another trusted root", func(f map[string][]byte) {
			f[target] = bytes.Replace(f[target], []byte("sigstore.test"), []byte("sigstore.evil"), 1)
		}, "trusted_root.json: is not the file that was signed"},
		{"no trusted root", func(f map[string][]byte) { delete(f, target) }, target + ": the mirror has none"},
		{"without end", func(f map[string][]byte) { f["timestamp.json"] = bytes.Repeat([]byte(" "), maxTimestampSize+1) }, "timestamp.json: too large"},
		{"no JSON", func(f map[string][]byte) { f["timestamp.json"] = []byte("<html>") }, "timestamp.json: line 1, column 1"},
	} {
		files := map[string][]byte{}
		for name, data := range now {
			files[name] = data
		}
		c.change(files)
		if _, err := mirrorOf(first, files).TrustedRoot(t.Context()); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	m := mirrorOf(first, now)
	m.Now = func() time.Time { return time.Now().Add(48 * time.Hour) }
	if _, err := m.TrustedRoot(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "root.json: expired ") {
		t.Error(err)
	}
}

// Sigstore's own root is signed as this package reads it.
func TestTheRootOfThePublicRepository(t *testing.T) {
	signed, err := checkSigned(publicTUFRoot, jsjson.Value{}, "root")
	if err != nil {
		t.Fatal(err)
	}
	if signed.Get("roles").Get("root").Get("threshold").Num() < 3 || signed.Get("version").Num() < 15 {
		t.Errorf("root is %s", jsjson.Append(nil, signed.Get("roles"), "", ""))
	}
	for _, field := range []string{"spec_version", "expires"} {
		wrong := bytes.Replace(publicTUFRoot, []byte(signed.Get(field).Str()), []byte("x"), 1)
		if _, err := checkSigned(wrong, jsjson.Value{}, "root"); err == nil {
			t.Errorf("another %s is signed as well", field)
		}
	}
}

func FuzzTUF(f *testing.F) {
	s := sigstoretest.Start()
	defer s.Close()
	files := s.TUF()
	root := files["1.root.json"]
	f.Add(root, files["timestamp.json"])
	f.Add([]byte(`{"signed":{"_type":"root","version":2}}`), []byte(`{"signed":{"_type":"timestamp"}}`))
	f.Fuzz(func(t *testing.T, next, timestamp []byte) {
		changed := map[string][]byte{}
		for name, data := range files {
			changed[name] = data
		}
		changed["2.root.json"], changed["timestamp.json"] = next, timestamp
		if _, err := mirrorOf(root, changed).TrustedRoot(t.Context()); err == nil {
			t.Error("a second root that nobody signed was believed")
		}
	})
}

func FuzzTrustedRoot(f *testing.F) {
	f.Add(publicGood)
	f.Add([]byte(`{"tlogs":[{"publicKey":{"rawBytes":"AA=="}}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = ParseRoot(data) })
}
