// Package provenance makes and verifies statements about how a package was
// built, signed by the CI job that built it.
//
// A statement (Statement) names one package by purl and SHA-512 and says what
// built it. Attest signs it with a key that lives for one signature: Fulcio gives
// out a certificate of the key for the identity in an OIDC token, and Rekor
// writes the signature into a public log. All of it together is a Sigstore bundle
// (Bundle), which is published beside the tarball. Verify checks a bundle
// against the keys and certificates of a Root: that of Sigstore's public
// instance unless another is given.
//
// Sigstore's own library for Go would make every command of ibid start several
// times as slowly, since all of it is made ready before main begins. So signing
// and verifying are here, on crypto/x509 and crypto/ecdsa; the module in
// testdata/sigstore holds them against that library, and against npm's.
//
// The package asks nobody for anything by itself: whoever calls Attest hands in
// what sends a request. It knows nothing of the environment but what it is given,
// and nothing of registries.
package provenance
