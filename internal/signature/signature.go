// Package signature checks what a registry signs: "name@version:integrity" of
// each version that it serves, with one of its keys.
//
// A Key is one of these, with its id and the time from which on it signs nothing
// any more. Keys come from the registry itself ("/-/npm/v1/keys"), and for npm's
// own registry from here: Known are those that Sigstore's TUF repository vouches
// for, so that whoever speaks in the registry's place cannot bring their own.
//
// The package asks nobody for anything, and knows nothing of attestations.
package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// Key is a registry's public key.
type Key struct {
	ID      string
	Expires string // as the registry writes it
	public  crypto.PublicKey
	expires bool
	until   time.Time
}

// Error says why a signature does not count.
type Error struct {
	code  string
	KeyID string
	Sig   string // the signature, where it is one that is wrong
	text  string
}

func (e *Error) Error() string { return e.text }

// Code is npm's: EINTEGRITYSIGNATURE for a signature of something else,
// EMISSINGSIGNATUREKEY, EEXPIREDSIGNATUREKEY.
func (e *Error) Code() string { return e.code }

// Signature is one that a registry sends along.
type Signature struct{ KeyID, Sig string }

// ParseKeys reads a registry's answer about its keys. Keys that cannot be read
// are left out: a signature that needs one has no key then.
func ParseKeys(doc jsjson.Value) []Key {
	var out []Key
	for _, k := range doc.Get("keys").Items() {
		if key, err := newKey(k.Get("keyid").Str(), k.Get("key").Str(), k.Get("expires")); err == nil {
			out = append(out, key)
		}
	}
	return out
}

// newKey reads a key: base64 of its DER form.
func newKey(id, der string, expires jsjson.Value) (Key, error) {
	data, err := base64.StdEncoding.DecodeString(der)
	if err != nil {
		return Key{}, err
	}
	public, err := x509.ParsePKIXPublicKey(data)
	if err != nil {
		return Key{}, err
	}
	k := Key{ID: id, Expires: expires.Text(), public: public, expires: expires.Truthy()}
	// Nothing is before what is no time, such as a number, as with npm.
	if k.until, err = time.Parse(time.RFC3339, k.Expires); err != nil {
		k.until, _ = time.Parse(time.DateOnly, k.Expires)
	}
	return k, nil
}

// Known are the keys that are known of a registry by its host, in lower case and
// without the usual port; nil for none.
func Known(host string) []Key {
	if host != "registry.npmjs.org" {
		return nil
	}
	var out []Key
	for _, k := range [...][3]string{
		{
			"SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA",
			"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Olb3zMAFFxXKHiIkQO5cJ3Yhl5i6UPp+IhuteBJbuHcA5UogKo0EWtlWwW6KSaKoTNEYL7JlCQiVnkhBktUgg==",
			"2025-01-29T00:00:00.000Z",
		},
		{
			"SHA256:DhQ8wR5APBvFHLF/+Tc+AYvPOdTpcIDqOhxsBHRwC7U",
			"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEY6Ya7W++7aUPzvMTrezH6Ycx3c+HOKYCcNGybJZSCJq/fd7Qa8uuAKtdIkUQtQiEKERhAmE5lMMJhP8OkDOa2g==",
			"",
		},
	} {
		if key, err := newKey(k[0], k[1], jsjson.NewString(k[2])); err == nil {
			out = append(out, key)
		}
	}
	return out
}

// Public gives the key itself.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Find gives the key with an id, if it counts at a time; its errors are those of
// Verify.
func Find(keys []Key, id string, at time.Time) (*Key, error) {
	for i := range keys {
		if keys[i].ID != id {
			continue
		}
		if keys[i].expires && !at.Before(keys[i].until) {
			return nil, &Error{code: "EEXPIREDSIGNATUREKEY", KeyID: id, text: "signed with the key " + id + ", which expired " + keys[i].Expires}
		}
		return &keys[i], nil
	}
	return nil, &Error{code: "EMISSINGSIGNATUREKEY", KeyID: id, text: "signed with the key " + id + ", which nobody knows"}
}

// Verify says whether a registry has signed a package with one of its keys: id is
// "name@version", integrity its SRI, published the time at which it appeared,
// zero where nobody knows. Errors are *Error.
func Verify(keys []Key, id, integrity string, published time.Time, s Signature) error {
	key, err := Find(keys, s.KeyID, published)
	var unusable *Error
	if errors.As(err, &unusable) {
		unusable.text = id + ": " + unusable.text
		return unusable
	}
	if err := key.verify(id+":"+integrity, s.Sig); err != nil {
		return &Error{code: "EINTEGRITYSIGNATURE", KeyID: s.KeyID, Sig: s.Sig,
			text: fmt.Sprintf("%s has an invalid registry signature with keyid: %s and signature: %s", id, s.KeyID, s.Sig)}
	}
	return nil
}

func (k *Key) verify(message, sig string) error {
	data, err := base64.StdEncoding.DecodeString(sig)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(message))
	switch public := k.public.(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(public, sum[:], data) {
			return errors.New("not signed with this key")
		}
		return nil
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], data)
	}
	return errors.New("a key of an unknown kind")
}
