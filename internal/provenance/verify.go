package provenance

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// KeyFor finds the key that a bundle names by hint; the time is when it was used.
type KeyFor func(hint string, at time.Time) (crypto.PublicKey, error)

// Verify says whether a bundle's statement was signed by whom it says, while its
// certificate was good, and whether the logs of root have both (npm:
// @sigstore/verify lib/verifier.js, with its default thresholds). keys is asked
// for the key of a bundle without a certificate, and may be nil.
func (b *Bundle) Verify(root *Root, keys KeyFor) error {
	if len(b.entries) == 0 {
		return errors.New("the signature is in no transparency log")
	}
	var times []time.Time
	for i := range b.entries {
		e := &b.entries[i]
		if e.proof == nil && b.MediaType != mediaTypeV1 {
			return errors.New("there is no proof that the log has the signature")
		}
		at, err := e.verify(root)
		if err != nil {
			return err
		}
		if !at.IsZero() {
			times = append(times, at)
		}
		if err := e.speaksOf(b); err != nil {
			return err
		}
	}
	if len(times) == 0 {
		if b.timestamped {
			return errors.New("the time of the signature comes from a timestamp authority, which ibid does not verify")
		}
		return errors.New("no log vouches for the time of the signature")
	}
	for i, t := range times {
		for j := range i {
			if t.Equal(times[j]) && bytes.Equal(b.entries[i].logID, b.entries[j].logID) {
				return errors.New("a log vouches twice for the same time")
			}
		}
	}
	key, err := b.key(root, keys, times)
	if err != nil {
		return err
	}
	if !verifies(key, preAuthEncoding(b.PayloadType, b.Payload), b.signature) {
		return errors.New("the signature is not that of the statement")
	}
	return nil
}

// key is the key that the bundle says it is signed with, if it was good at all
// times.
func (b *Bundle) key(root *Root, keys KeyFor, times []time.Time) (crypto.PublicKey, error) {
	if b.certificate == nil {
		if keys == nil {
			return nil, errors.New("the bundle is signed with a key that nobody knows")
		}
		var key crypto.PublicKey
		for _, at := range times {
			var err error
			if key, err = keys(b.hint, at); err != nil {
				return nil, err
			}
		}
		return key, nil
	}
	leaf, err := x509.ParseCertificate(b.certificate)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	var issuer *x509.Certificate
	for _, at := range times {
		if issuer, err = root.issuer(leaf, at); err != nil {
			return nil, err
		}
	}
	if err := root.verifySCTs(leaf, issuer); err != nil {
		return nil, err
	}
	return leaf.PublicKey, nil
}

// verifies says whether key has signed data: SHA-256 for the curve P-256 and RSA,
// as Sigstore's keys are used, and the curve's own for the larger ones.
func verifies(key crypto.PublicKey, data, signature []byte) bool {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(data)
		digest := sum[:]
		if key.Curve.Params().BitSize > 256 {
			if ecdsa.VerifyASN1(key, digest, signature) {
				return true
			}
			if key.Curve.Params().BitSize == 384 {
				sum := sha512.Sum384(data)
				digest = sum[:]
			} else {
				sum := sha512.Sum512(data)
				digest = sum[:]
			}
		}
		return ecdsa.VerifyASN1(key, digest, signature)
	case *rsa.PublicKey:
		sum := sha256.Sum256(data)
		return key.Size() >= 256 && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(key, data, signature)
	}
	return false
}

// speaksOf compares what the log wrote down with the bundle: its kind, the
// signature and the hash of what was signed.
func (e *entry) speaksOf(b *Bundle) error {
	body, err := jsjson.Parse(bytes.Clone(e.body))
	if err != nil {
		return fmt.Errorf("reading the log entry: %w", err)
	}
	if body.Get("kind").Str() != e.kind || body.Get("apiVersion").Str() != e.version {
		return fmt.Errorf("the log entry is a %s %s, not the %s %s that the bundle says", body.Get("kind").Text(), body.Get("apiVersion").Text(), e.kind, e.version)
	}
	spec := body.Get("spec")
	r := &reader{}
	var signatures []jsjson.Value
	var signature, hash []byte
	hashed := b.Payload
	switch e.kind + " " + e.version {
	case "dsse 0.0.1":
		signatures = spec.Get("signatures").Items()
		if len(signatures) == 1 {
			signature = r.bytes(signatures[0], "signature")
		}
		hash, err = hex.DecodeString(spec.Get("payloadHash").Get("value").Str())
	case "intoto 0.0.2":
		content := spec.Get("content")
		signatures = content.Get("envelope").Get("signatures").Items()
		if len(signatures) == 1 {
			// The log has base64 of base64.
			signature = r.bytes(object("sig", str(string(r.bytes(signatures[0], "sig")))), "sig")
		}
		hash, err = hex.DecodeString(content.Get("payloadHash").Get("value").Str())
	case "dsse 0.0.2":
		spec = spec.Get("dsseV002")
		signatures = spec.Get("signatures").Items()
		if len(signatures) == 1 {
			signature = r.bytes(signatures[0], "content")
		}
		hash = r.bytes(spec.Get("payloadHash"), "digest")
	case "hashedrekord 0.0.2":
		spec = spec.Get("hashedRekordV002")
		signatures = []jsjson.Value{spec.Get("signature")}
		signature = r.bytes(signatures[0], "content")
		hash, hashed = r.bytes(spec.Get("data"), "digest"), preAuthEncoding(b.PayloadType, b.Payload)
	default:
		return fmt.Errorf("the log entry is a %s %s, which is none that is known", e.kind, e.version)
	}
	if err == nil {
		err = r.err
	}
	sum := sha256.Sum256(hashed)
	switch {
	case err != nil:
		return fmt.Errorf("reading the log entry: %w", err)
	case len(signatures) != 1:
		return fmt.Errorf("the log entry has %d signatures, not one", len(signatures))
	case !bytes.Equal(signature, b.signature):
		return errors.New("the log has another signature")
	case !bytes.Equal(hash, sum[:]):
		return errors.New("the log has the signature of another statement")
	}
	return nil
}
