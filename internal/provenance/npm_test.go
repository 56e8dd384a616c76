package provenance

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The bundles in testdata/npm were published on npm's registry: sigstore's own,
// kept as an example by sigstore-go. othername.json is that library's test of
// names that crypto/x509 does not read, made by a Sigstore of its own.
func TestBundlesOfThePublicRegistry(t *testing.T) {
	root, err := PublicRoot()
	if err != nil {
		t.Fatal(err)
	}
	der, err := base64.StdEncoding.DecodeString("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i6UPp+IhuteBJbuHcA5UogKo0EWtlWwW6KSaKoTNEYL7JlCQiVnkhBktUgg==")
	if err != nil {
		t.Fatal(err)
	}
	registry, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	keys := func(hint string, _ time.Time) (crypto.PublicKey, error) {
		if hint != "SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA" {
			return nil, errors.New("nobody knows " + hint)
		}
		return registry, nil
	}
	for _, c := range []struct{ file, subject string }{
		{"bundle-provenance.json", "pkg:npm/sigstore@1.3.0"},
		{"bundle-publish.json", "pkg:npm/sigstore@1.3.0"},
		{"sigstore-2.0.0-provenance.json", "pkg:npm/sigstore@2.0.0"},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "npm", c.file))
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseBundle(data)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if subject, err := b.Subject(); err != nil || subject.Name != c.subject {
			t.Errorf("%s: subject %v, %v", c.file, subject, err)
		}
		if err := b.Verify(root, keys); err != nil {
			t.Errorf("%s: %v", c.file, err)
		}
		b.Payload = append(b.Payload, ' ')
		if err := b.Verify(root, keys); err == nil {
			t.Errorf("%s: another statement verifies as well", c.file)
		}
	}
}
