package provenance

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

var (
	oidSCT = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	oidSAN = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// issuer gives the certificate that has signed leaf, which must lead to an
// authority that counts at a time, and all of it must be good then.
func (root *Root) issuer(leaf *x509.Certificate, at time.Time) (*x509.Certificate, error) {
	// Fulcio may have names of a form that crypto/x509 does not read in a critical
	// extension. They identify the signer, and nothing here depends on who it is.
	unhandled := leaf.UnhandledCriticalExtensions
	leaf.UnhandledCriticalExtensions = nil
	for _, oid := range unhandled {
		if !oid.Equal(oidSAN) {
			leaf.UnhandledCriticalExtensions = append(leaf.UnhandledCriticalExtensions, oid)
		}
	}
	err := errors.New("no authority that was trusted then has issued the certificate")
	for _, a := range root.authorities {
		if !a.valid.has(at) {
			continue
		}
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(a.chain[len(a.chain)-1])
		for _, c := range a.chain[:len(a.chain)-1] {
			between.AddCert(c)
		}
		chains, verr := leaf.Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		})
		if verr == nil && len(chains[0]) > 1 {
			return chains[0][1], nil
		}
		var invalid x509.CertificateInvalidError
		if errors.As(verr, &invalid) {
			err = fmt.Errorf("the certificate does not count: %w", verr)
		}
	}
	return nil, err
}

// verifySCTs says whether a log of certificates that is trusted has the
// certificate: Fulcio puts the log's word for it into the certificate itself (RFC
// 6962, 3.2 and 3.3). All that are there must be right.
func (root *Root) verifySCTs(leaf, issuer *x509.Certificate) error {
	var list []byte
	for _, ext := range leaf.Extensions {
		if ext.Id.Equal(oidSCT) {
			if _, err := asn1.Unmarshal(ext.Value, &list); err != nil {
				return errors.New("the certificate's SCTs cannot be read")
			}
		}
	}
	scts, err := splitSCTs(list)
	if err != nil {
		return err
	}
	if len(scts) == 0 {
		return errors.New("the certificate is in no certificate transparency log")
	}
	tbs, err := withoutSCTs(leaf.RawTBSCertificate)
	if err != nil {
		return err
	}
	issuerHash := sha256.Sum256(issuer.RawSubjectPublicKeyInfo)
	for i, s := range scts {
		for j := range i {
			if bytes.Equal(s.logID, scts[j].logID) {
				return errors.New("the certificate has two SCTs of one log")
			}
		}
		data := []byte{0, 0}
		data = binary.BigEndian.AppendUint64(data, s.time)
		data = append(data, 0, 1)
		data = append(data, issuerHash[:]...)
		data = append(data, byte(len(tbs)>>16), byte(len(tbs)>>8), byte(len(tbs)))
		data = append(data, tbs...)
		data = binary.BigEndian.AppendUint16(data, uint16(len(s.extensions)))
		data = append(data, s.extensions...)
		if !root.logged(s, data) {
			return errors.New("no certificate transparency log that is trusted has the certificate")
		}
	}
	return nil
}

func (root *Root) logged(s sct, data []byte) bool {
	at := time.UnixMilli(int64(s.time))
	for _, l := range root.ctLogs {
		if bytes.Equal(l.id, s.logID) && l.valid.has(at) && verifies(l.key, data, s.signature) {
			return true
		}
	}
	return false
}

// An sct is a log's signed word that it has a certificate.
type sct struct {
	logID, extensions, signature []byte
	time                         uint64
}

// splitSCTs takes TLS's encoding apart.
func splitSCTs(data []byte) ([]sct, error) {
	bad := errors.New("the certificate's SCTs cannot be read")
	if len(data) == 0 {
		return nil, nil
	}
	data, rest, ok := vector(data)
	if !ok || len(rest) > 0 {
		return nil, bad
	}
	var all []sct
	for len(data) > 0 {
		one, rest, ok := vector(data)
		if !ok || len(one) < 1+32+8 || one[0] != 0 || len(all) == 16 {
			return nil, bad
		}
		data = rest
		s := sct{logID: one[1:33], time: binary.BigEndian.Uint64(one[33:41])}
		if s.extensions, one, ok = vector(one[41:]); !ok || len(one) < 2 || one[0] != 4 { // SHA-256
			return nil, bad
		}
		if s.signature, one, ok = vector(one[2:]); !ok || len(one) > 0 {
			return nil, bad
		}
		all = append(all, s)
	}
	return all, nil
}

// vector takes a length of 16 bits and as many bytes off the front of data.
func vector(data []byte) (item, rest []byte, ok bool) {
	if len(data) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(data))
	if len(data) < 2+n {
		return nil, nil, false
	}
	return data[2 : 2+n], data[2+n:], true
}

// withoutSCTs is a certificate's signed part as the log saw it: without the
// extension that holds the log's own words.
func withoutSCTs(raw []byte) ([]byte, error) {
	bad := errors.New("the certificate cannot be taken apart")
	var tbs asn1.RawValue
	if rest, err := asn1.Unmarshal(raw, &tbs); err != nil || len(rest) > 0 {
		return nil, bad
	}
	var content []byte
	found := false
	for rest := tbs.Bytes; len(rest) > 0; {
		var field asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			return nil, bad
		}
		if field.Class != asn1.ClassContextSpecific || field.Tag != 3 {
			content = append(content, field.FullBytes...)
			continue
		}
		var extensions []asn1.RawValue
		if _, err := asn1.Unmarshal(field.Bytes, &extensions); err != nil {
			return nil, bad
		}
		var kept []byte
		for _, e := range extensions {
			var id asn1.ObjectIdentifier
			if _, err := asn1.Unmarshal(e.Bytes, &id); err != nil {
				return nil, bad
			}
			if id.Equal(oidSCT) {
				found = true
				continue
			}
			kept = append(kept, e.FullBytes...)
		}
		inner, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: kept})
		if err != nil {
			return nil, bad
		}
		outer, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 3, IsCompound: true, Bytes: inner})
		if err != nil {
			return nil, bad
		}
		content = append(content, outer...)
	}
	if !found {
		return nil, bad
	}
	return asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content})
}
