package provenance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// Where Sigstore's public instance is.
const (
	PublicFulcio = "https://fulcio.sigstore.dev"
	PublicRekor  = "https://rekor.sigstore.dev"
)

// A Signer signs statements. Fulcio and Rekor are addresses; Post sends JSON to
// one of them, without any credentials but what body has, and gives the answer.
type Signer struct {
	Fulcio, Rekor string
	Post          func(ctx context.Context, url string, body []byte) ([]byte, error)
}

// Attest signs a statement as the identity in an OIDC token for the audience
// "sigstore", and gives the bundle (npm: @sigstore/sign). The token goes to
// Fulcio alone, and into no error.
func (s *Signer) Attest(ctx context.Context, statement []byte, token string) (*Bundle, error) {
	subject, err := identity(token)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := s.certificate(ctx, key, subject, token)
	if err != nil {
		return nil, fmt.Errorf("getting a certificate: %w", err)
	}
	sum := sha256.Sum256(preAuthEncoding(PayloadType, statement))
	signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	entry, err := s.publish(ctx, statement, signature, der)
	if err != nil {
		return nil, fmt.Errorf("writing the signature into the transparency log: %w", err)
	}
	b, err := NewBundle(object(
		"mediaType", str(mediaTypeV3),
		"verificationMaterial", object(
			"certificate", object("rawBytes", encoded(der)),
			"tlogEntries", list(entry),
			"timestampVerificationData", object("rfc3161Timestamps", list()),
		),
		"dsseEnvelope", object(
			"payload", encoded(statement), "payloadType", str(PayloadType),
			"signatures", list(object("sig", encoded(signature), "keyid", str(""))),
		),
	))
	if err == nil {
		// A log that has something else would be found out by whoever installs the
		// package, when it is too late.
		err = b.entries[0].speaksOf(b)
	}
	if err != nil {
		return nil, fmt.Errorf("writing the signature into the transparency log: %w", err)
	}
	return b, nil
}

// certificate has Fulcio certify a key. That the key is there is shown by a
// signature of whose it is.
func (s *Signer) certificate(ctx context.Context, key *ecdsa.PrivateKey, subject, token string) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(subject))
	proof, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	answer, err := s.post(ctx, s.Fulcio, "/api/v2/signingCert", object(
		"credentials", object("oidcIdentityToken", str(token)),
		"publicKeyRequest", object(
			"publicKey", object("algorithm", str("ECDSA"), "content", str(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})))),
			"proofOfPossession", encoded(proof),
		),
	))
	if err != nil {
		return nil, err
	}
	given := answer.Get("signedCertificateEmbeddedSct")
	if !given.IsObject() {
		given = answer.Get("signedCertificateDetachedSct")
	}
	block, _ := pem.Decode([]byte(given.Get("chain").Get("certificates").Index(0).Str()))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("the answer has no certificate")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("the certificate is of another key")
	}
	return block.Bytes, nil
}

// publish writes a signature into Rekor's log and gives the entry as bundles have
// it.
func (s *Signer) publish(ctx context.Context, statement, signature, certificate []byte) (jsjson.Value, error) {
	envelope := jsjson.Append(nil, object(
		"payload", encoded(statement), "payloadType", str(PayloadType),
		"signatures", list(object("sig", encoded(signature), "keyid", str(""))),
	), "", "")
	verifier := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	answer, err := s.post(ctx, s.Rekor, "/api/v1/log/entries", object(
		"apiVersion", str("0.0.1"),
		"kind", str("dsse"),
		"spec", object("proposedContent", object("envelope", str(string(envelope)), "verifiers", list(encoded(verifier)))),
	))
	if err != nil {
		return jsjson.Value{}, err
	}
	if len(answer.Members()) != 1 {
		return jsjson.Value{}, errors.New("the answer does not have exactly one entry")
	}
	e := answer.Members()[0].Value
	r := &reader{}
	body := r.bytes(e, "body")
	kind, err := jsjson.Parse(append([]byte(nil), body...))
	if err != nil {
		return jsjson.Value{}, fmt.Errorf("reading the entry: %w", err)
	}
	unhex := func(v jsjson.Value) jsjson.Value {
		data, err := hex.DecodeString(v.Str())
		if err != nil || len(data) == 0 {
			r.fail("a hash is not hexadecimal")
		}
		return encoded(data)
	}
	number := func(v jsjson.Value, key string) jsjson.Value { return str(strconv.FormatInt(r.number(v, key), 10)) }
	var promise, proof jsjson.Value
	verification := e.Get("verification")
	if set := verification.Get("signedEntryTimestamp"); set.Truthy() {
		promise = object("signedEntryTimestamp", encoded(r.bytes(verification, "signedEntryTimestamp")))
	}
	if p := verification.Get("inclusionProof"); p.IsObject() {
		var hashes []jsjson.Value
		for _, h := range p.Get("hashes").Items() {
			hashes = append(hashes, unhex(h))
		}
		proof = object(
			"logIndex", number(p, "logIndex"), "rootHash", unhex(p.Get("rootHash")), "treeSize", number(p, "treeSize"),
			"hashes", list(hashes...), "checkpoint", object("envelope", str(p.Get("checkpoint").Str())),
		)
	}
	entry := object(
		"logIndex", number(e, "logIndex"),
		"logId", object("keyId", unhex(e.Get("logID"))),
		"kindVersion", object("kind", str(kind.Get("kind").Str()), "version", str(kind.Get("apiVersion").Str())),
		"integratedTime", number(e, "integratedTime"),
		"inclusionPromise", promise,
		"inclusionProof", proof,
		"canonicalizedBody", encoded(body),
	)
	if r.err != nil {
		return jsjson.Value{}, fmt.Errorf("reading the entry: %w", r.err)
	}
	return entry, nil
}

func (s *Signer) post(ctx context.Context, base, path string, body jsjson.Value) (jsjson.Value, error) {
	data, err := s.Post(ctx, strings.TrimRight(base, "/")+path, jsjson.Append(nil, body, "", ""))
	if err != nil {
		return jsjson.Value{}, err
	}
	v, err := jsjson.Parse(data)
	if err != nil {
		return jsjson.Value{}, fmt.Errorf("reading the answer: %w", err)
	}
	return v, nil
}

func encoded(data []byte) jsjson.Value { return str(base64.StdEncoding.EncodeToString(data)) }

// Claims are what a JSON web token says, read without verifying it: whoever the
// token is for does that.
func Claims(token string) (jsjson.Value, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return jsjson.Value{}, errors.New("the identity token is no JSON web token")
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(parts[1]), "="))
	if err != nil {
		return jsjson.Value{}, errors.New("the identity token is no JSON web token")
	}
	claims, err := jsjson.Parse(data)
	if err != nil || !claims.IsObject() {
		return jsjson.Value{}, errors.New("the identity token is no JSON web token")
	}
	return claims, nil
}

// identity is whom a token is about, as Fulcio wants it signed.
func identity(token string) (string, error) {
	claims, err := Claims(token)
	if err != nil {
		return "", err
	}
	if email := claims.Get("email"); email.Truthy() {
		if !claims.Get("email_verified").Truthy() {
			return "", errors.New("the identity token's address was not verified by its issuer")
		}
		return email.Text(), nil
	}
	if sub := claims.Get("sub"); sub.Truthy() {
		return sub.Text(), nil
	}
	return "", errors.New("the identity token says nobody's name: it has no sub")
}
