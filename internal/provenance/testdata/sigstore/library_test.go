package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/provenance/sigstoretest"
)

// both verifies a bundle with ibid's code and with Sigstore's.
func both(t *testing.T, trusted, data []byte) (ours, theirs error) {
	t.Helper()
	r, err := provenance.ParseRoot(trusted)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := provenance.ParseBundle(append([]byte(nil), data...)); err != nil {
		ours = err
	} else {
		ours = b.Verify(r, nil)
	}
	material, err := root.NewTrustedRootFromJSON(trusted)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := verify.NewVerifier(material, verify.WithSignedCertificateTimestamps(1), verify.WithTransparencyLog(1), verify.WithIntegratedTimestamps(1))
	if err != nil {
		t.Fatal(err)
	}
	var b bundle.Bundle
	if err := b.UnmarshalJSON(data); err != nil {
		return ours, err
	}
	_, theirs = verifier.Verify(&b, verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithoutIdentitiesUnsafe()))
	return ours, theirs
}

// TestSigstoresLibraryVerifiesWhatIsAttested is the reverse of what package
// provenance tests: others verify what it signs.
func TestSigstoresLibraryVerifiesWhatIsAttested(t *testing.T) {
	s := sigstoretest.Start()
	defer s.Close()
	for range 3 {
		b, err := attest(s)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := both(t, s.TrustedRoot(), jsjson.Append(nil, b.JSON, "", ""))
		if ours != nil || theirs != nil {
			t.Errorf("ibid says %v, sigstore-go %v", ours, theirs)
		}
	}
}

// TestBothRefuseTheSame changes each text of a bundle and of a trusted root, and
// wants ibid to accept nothing that Sigstore's library refuses.
func TestBothRefuseTheSame(t *testing.T) {
	s := sigstoretest.Start()
	defer s.Close()
	one, err := attest(s)
	if err != nil {
		t.Fatal(err)
	}
	two, err := attest(s)
	if err != nil {
		t.Fatal(err)
	}
	trusted := s.TrustedRoot()
	refused, accepted := 0, 0
	try := func(what string, trusted []byte, v jsjson.Value) {
		ours, theirs := both(t, trusted, jsjson.Append(nil, v, "", ""))
		if ours == nil && theirs != nil {
			t.Errorf("%s: ibid accepts it, sigstore-go does not: %v", what, theirs)
		}
		if ours == nil {
			accepted++
		} else {
			refused++
		}
	}
	for _, change := range []struct {
		what string
		of   func(mine, other jsjson.Value) jsjson.Value
	}{
		{"left out", func(jsjson.Value, jsjson.Value) jsjson.Value { return jsjson.Value{} }},
		{"of another bundle", func(_, other jsjson.Value) jsjson.Value { return other }},
		{"with a bit less", func(mine, _ jsjson.Value) jsjson.Value { return flip(mine) }},
		{"empty", func(mine, _ jsjson.Value) jsjson.Value {
			if mine.IsString() {
				return jsjson.NewString("")
			}
			return jsjson.NewArray()
		}},
	} {
		each(one.JSON, two.JSON, "", change.of, func(path string, v jsjson.Value) { try(path+" "+change.what, trusted, v) })
	}
	if refused < 60 || accepted > refused {
		t.Errorf("%d refused, %d accepted", refused, accepted)
	}
	t.Logf("%d refused, %d accepted", refused, accepted)
}

// flip changes a character in the middle of a text.
func flip(v jsjson.Value) jsjson.Value {
	text := []byte(v.Text())
	if !v.IsString() || len(text) == 0 {
		return jsjson.Value{}
	}
	i := len(text) / 2
	switch c := text[i]; {
	case c == 'A' || c == '9':
		text[i] = 'B'
		if c == '9' {
			text[i] = '8'
		}
	case '0' <= c && c < '9':
		text[i]++
	default:
		text[i] = 'A'
	}
	return jsjson.NewString(string(text))
}

// each puts what change makes of each member in its place.
func each(v, other jsjson.Value, path string, change func(mine, other jsjson.Value) jsjson.Value, visit func(path string, whole jsjson.Value)) {
	for _, m := range v.Members() {
		key := m.Key
		put := func(x jsjson.Value) jsjson.Value {
			if x.IsUndefined() {
				return v.Without(key)
			}
			return v.With(key, x)
		}
		visit(path+"."+key, put(change(m.Value, other.Get(key))))
		each(m.Value, other.Get(key), path+"."+key, change, func(path string, inner jsjson.Value) { visit(path, put(inner)) })
	}
	if v.IsArray() && v.Len() > 0 {
		put := func(x jsjson.Value) jsjson.Value {
			items := append([]jsjson.Value(nil), v.Items()...)
			items[0] = x
			return jsjson.NewArray(items...)
		}
		each(v.Index(0), other.Index(0), path+"[0]", change, func(path string, inner jsjson.Value) { visit(path, put(inner)) })
		if x := change(v.Index(0), other.Index(0)); v.Index(0).IsString() && !x.IsUndefined() {
			visit(path+"[0]", put(x))
		}
	}
}

// TestBundlesOfTheRegistry verifies with the library what package provenance's
// tests verify.
func TestBundlesOfTheRegistry(t *testing.T) {
	dir := filepath.Join("..", "..")
	trusted, err := os.ReadFile(filepath.Join(dir, "trusted_root.json"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "testdata", "npm", "*provenance.json"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if ours, theirs := both(t, trusted, data); ours != nil || theirs != nil {
			t.Errorf("%s: ibid says %v, sigstore-go %v", file, ours, theirs)
		}
		wrong := []byte(strings.Replace(string(data), `"integratedTime"`, `"was"`, 1))
		if ours, theirs := both(t, trusted, wrong); ours == nil || theirs == nil {
			t.Errorf("%s: ibid says %v, sigstore-go %v", file, ours, theirs)
		}
	}
}
