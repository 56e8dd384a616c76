package cmd

import (
	"context"
	"crypto"
	"fmt"
	"net/url"
	"time"

	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/signature"
	"github.com/ibid-pm/ibid/registry"
)

// maxAttestations is how many attestations of one package are looked at; npm's
// registry has two.
const maxAttestations = 64

// verifyAttestations asks the registry for the attestations that a manifest
// speaks of. Each must verify, and speak of the package that is served (npm:
// pacote lib/registry.js). Those that the registry itself makes are signed with a
// key of the registry, the others with a certificate.
func (v *signatureVerifier) verifyAttestations(ctx context.Context, p *signedPackage, said jsjson.Value, keys []signature.Key) error {
	id := p.name + "@" + p.version
	address, err := attestationsURL(said.Get("url").Str(), p.registry)
	if err != nil {
		return fmt.Errorf("%s: the address of its attestations: %w", id, err)
	}
	doc, err := v.app.api(ctx, registry.Request{URL: address, Registry: p.registry, Package: p.name, MaxBody: 32 << 20})
	if err != nil {
		return err
	}
	p.bundles = doc.Get("attestations")
	if !p.bundles.IsArray() || p.bundles.Len() > maxAttestations {
		return fmt.Errorf("%s: the registry's answer has no list of attestations that could be one", id)
	}
	root, err := v.root()
	if err != nil {
		return err
	}
	for _, item := range p.bundles.Items() {
		envelope := item.Get("bundle").Get("dsseEnvelope").Get("signatures").Index(0)
		invalid := func(err error) *invalidSignature {
			return &invalidSignature{
				code: "EATTESTATIONVERIFY", text: registry.Clean(id + " failed to verify attestation: " + err.Error()),
				keyID: envelope.Get("keyid").Str(), sig: envelope.Get("sig").Str(), predicateType: item.Get("predicateType").Str(),
			}
		}
		b, err := provenance.NewBundle(item.Get("bundle"))
		if err != nil {
			p.invalid = invalid(err)
			return nil
		}
		if err := p.isSubjectOf(b); err != nil {
			return err
		}
		var keyFor provenance.KeyFor
		if b.KeyID != "" {
			if _, err := signature.Find(keys, b.KeyID, time.Unix(b.IntegratedTime(), 0)); err != nil {
				return fmt.Errorf("%s has attestations %w", id, err)
			}
			// Nobody has verified that time yet.
			keyFor = func(_ string, at time.Time) (crypto.PublicKey, error) {
				key, err := signature.Find(keys, b.KeyID, at)
				if err != nil {
					return nil, err
				}
				return key.Public(), nil
			}
		}
		if err := b.Verify(root, keyFor); err != nil {
			p.invalid = invalid(err)
			return nil
		}
	}
	if p.bundles.Len() > 0 {
		p.attestations = said
	}
	return nil
}

// attestationsURL is where a registry has attestations: at the path that is said,
// on the registry's own host.
func attestationsURL(said, reg string) (string, error) {
	at, err := url.Parse(said)
	if err != nil {
		return "", err
	}
	base, err := url.Parse(reg)
	if err != nil {
		return "", err
	}
	if at.Host == "" {
		return "", fmt.Errorf("%q is none", registry.Redact(said))
	}
	return (&url.URL{Scheme: base.Scheme, User: base.User, Host: base.Host, Path: at.Path, RawPath: at.RawPath}).String(), nil
}

// isSubjectOf compares what an attestation says that it is about with the
// package.
func (p *signedPackage) isSubjectOf(b *provenance.Bundle) error {
	id := p.name + "@" + p.version
	subject, err := b.Subject()
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	if purl := provenance.PURL(p.name, p.version); subject.Name != purl {
		return &codedError{code: "EATTESTATIONSUBJECT", text: fmt.Sprintf("%s package name and version (PURL): %s doesn't match what was signed: %s", id, purl, registry.Clean(subject.Name))}
	}
	digest := ""
	if sri := integrity.Parse(p.integrity); len(sri) > 0 {
		digest = sri[0].Hex()
	}
	if subject.SHA512 != digest {
		return &codedError{code: "EATTESTATIONSUBJECT", text: fmt.Sprintf("%s package integrity (hex digest): %s doesn't match what was signed: %s", id, digest, registry.Clean(subject.SHA512))}
	}
	return nil
}

// attestationsJSON lists the packages with attestations that verify.
func attestationsJSON(packages []*signedPackage) jsjson.Value {
	var all []jsjson.Value
	for _, p := range packages {
		if p.invalid == nil && p.attestations.Truthy() {
			all = append(all, jsjson.NewObject(text("name", p.name), text("version", p.version), text("location", p.location), text("registry", p.registry),
				jsjson.Member{Key: "attestations", Value: p.attestations}, jsjson.Member{Key: "attestationBundles", Value: p.bundles}))
		}
	}
	return jsjson.NewArray(all...)
}
