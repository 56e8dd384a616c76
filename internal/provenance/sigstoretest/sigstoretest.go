// Package sigstoretest is a Sigstore for tests: a Fulcio that gives certificates
// to whoever brings a token, a certificate transparency log, a Rekor with a real
// tree, and a TUF repository that says whom to trust.
//
// Start gives a Sigstore on a loopback address. All its keys are made anew.
package sigstoretest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Sigstore is an instance of Sigstore.
type Sigstore struct {
	URL string // of Fulcio, Rekor and, with /tuf behind it, the TUF repository

	// Fault, if not nil, may answer a request in Sigstore's place.
	Fault func(w http.ResponseWriter, r *http.Request) bool
	// NoSCT leaves the log's word out of certificates.
	NoSCT bool
	// Now is when things happen; nil is the present.
	Now func() time.Time

	server   *httptest.Server
	root, ca *x509.Certificate
	caKey    *ecdsa.PrivateKey
	ctKey    *ecdsa.PrivateKey
	rekorKey *ecdsa.PrivateKey
	tufKeys  []*ecdsa.PrivateKey
	tufFiles map[string][]byte // as last served

	mu     sync.Mutex
	leaves [][]byte // hashes
	seen   []Request
}

// Request is one that was answered.
type Request struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// Start starts a Sigstore, with entries in its log already.
func Start() *Sigstore {
	s := &Sigstore{caKey: newKey(), ctKey: newKey(), rekorKey: newKey(), tufKeys: []*ecdsa.PrivateKey{newKey()}}
	rootKey := newKey()
	now := time.Now()
	certificate := func(name string, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
		id := sha256.Sum256(der(public))
		template := &x509.Certificate{
			SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{Organization: []string{"sigstore.test"}, CommonName: name},
			NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			BasicConstraintsValid: true, IsCA: true, SubjectKeyId: id[:20],
		}
		if parent == nil {
			parent = template
		} else {
			template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		}
		return parse(must(x509.CreateCertificate(rand.Reader, template, parent, public, key)))
	}
	s.root = certificate("root", nil, &rootKey.PublicKey, rootKey)
	s.ca = certificate("intermediate", s.root, &s.caKey.PublicKey, rootKey)
	for i := range 5 {
		s.leaves = append(s.leaves, leafHash([]byte{byte(i)}))
	}
	s.server = httptest.NewServer(s)
	s.URL = s.server.URL
	return s
}

// Close stops it.
func (s *Sigstore) Close() { s.server.Close() }

// Requests are those so far.
func (s *Sigstore) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.seen...)
}

// Token is an OIDC token for somebody, signed by nobody.
func Token(claims map[string]any) string {
	encode := func(v any) string { return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))) }
	return encode(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." + encode(claims) + ".c2ln"
}

func (s *Sigstore) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Sigstore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.seen = append(s.seen, Request{r.Method, r.URL.Path, r.Header.Clone(), body})
	s.mu.Unlock()
	if s.Fault != nil && s.Fault(w, r) {
		return
	}
	var answer any
	var err error
	status := http.StatusOK
	switch {
	case r.Method == "POST" && r.URL.Path == "/api/v2/signingCert":
		answer, err = s.certify(body)
	case r.Method == "POST" && r.URL.Path == "/api/v1/log/entries":
		status = http.StatusCreated
		answer, err = s.log(body)
	case r.Method == "GET" && strings.HasPrefix(r.URL.Path, "/tuf/"):
		s.mu.Lock()
		files := s.tufFiles
		s.mu.Unlock()
		if files == nil {
			files = s.TUF()
		}
		data, ok := files[strings.TrimPrefix(r.URL.Path, "/tuf/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(data)
		return
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]any{"code": 3, "message": err.Error()}
	} else {
		w.WriteHeader(status)
	}
	json.NewEncoder(w).Encode(answer)
}

// certify is Fulcio.
func (s *Sigstore) certify(body []byte) (any, error) {
	var q struct {
		Credentials      struct{ OIDCIdentityToken string }
		PublicKeyRequest struct {
			PublicKey         struct{ Algorithm, Content string }
			ProofOfPossession []byte
		}
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	parts := strings.Split(q.Credentials.OIDCIdentityToken, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("There was an error processing the identity token")
	}
	var claims struct{ Sub, Iss string }
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(q.PublicKeyRequest.PublicKey.Content))
	if block == nil {
		return nil, fmt.Errorf("The public key supplied in the request could not be parsed")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(claims.Sub))
	if public, ok := key.(*ecdsa.PublicKey); !ok || !ecdsa.VerifyASN1(public, sum[:], q.PublicKeyRequest.ProofOfPossession) {
		return nil, fmt.Errorf("The signature supplied in the request could not be verified")
	}
	leaf := s.Certificate(key, claims.Sub, claims.Iss)
	chain := make([]string, 0, 3)
	for _, c := range [][]byte{leaf, s.ca.Raw, s.root.Raw} {
		chain = append(chain, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c})))
	}
	return map[string]any{"signedCertificateEmbeddedSct": map[string]any{"chain": map[string]any{"certificates": chain}}}, nil
}

// Certificate makes a certificate as Fulcio does, first without and then with
// the log's word for it.
func (s *Sigstore) Certificate(key crypto.PublicKey, subject, issuer string) []byte {
	now := s.now()
	san, err := url.Parse("https://github.com/" + strings.ReplaceAll(url.PathEscape(subject), "%2F", "/"))
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now.Add(-time.Minute), NotAfter: now.Add(10 * time.Minute),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, URIs: []*url.URL{san},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}, Value: must(asn1.MarshalWithParams(issuer, "utf8"))}},
	}
	if !s.NoSCT {
		before := parse(must(x509.CreateCertificate(rand.Reader, template, s.ca, key, s.caKey)))
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: s.sct(before)})
	}
	return must(x509.CreateCertificate(rand.Reader, template, s.ca, key, s.caKey))
}

// sct is the certificate log's word for a certificate (RFC 6962, 3.2).
func (s *Sigstore) sct(before *x509.Certificate) []byte {
	issuer := sha256.Sum256(s.ca.RawSubjectPublicKeyInfo)
	at := uint64(s.now().UnixMilli())
	data := binary.BigEndian.AppendUint64([]byte{0, 0}, at)
	data = append(append(data, 0, 1), issuer[:]...)
	tbs := before.RawTBSCertificate
	data = append(append(data, byte(len(tbs)>>16), byte(len(tbs)>>8), byte(len(tbs))), tbs...)
	data = append(data, 0, 0)
	signature := sign(s.ctKey, data)
	id := sha256.Sum256(der(&s.ctKey.PublicKey))
	one := binary.BigEndian.AppendUint64(append([]byte{0}, id[:]...), at)
	one = append(one, 0, 0, 4, 3)
	one = append(binary.BigEndian.AppendUint16(one, uint16(len(signature))), signature...)
	list := append(binary.BigEndian.AppendUint16(nil, uint16(len(one)+2)), binary.BigEndian.AppendUint16(nil, uint16(len(one)))...)
	return must(asn1.Marshal(append(list, one...)))
}

// log is Rekor.
func (s *Sigstore) log(body []byte) (any, error) {
	var q struct {
		APIVersion, Kind string
		Spec             struct {
			ProposedContent struct {
				Envelope  string
				Verifiers []string
			}
		}
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	if q.Kind != "dsse" || q.APIVersion != "0.0.1" || len(q.Spec.ProposedContent.Verifiers) != 1 {
		return nil, fmt.Errorf("error processing entry: invalid entry")
	}
	var envelope struct {
		Payload     []byte
		PayloadType string
		Signatures  []struct{ Sig []byte }
	}
	if err := json.Unmarshal([]byte(q.Spec.ProposedContent.Envelope), &envelope); err != nil {
		return nil, err
	}
	verifier, err := base64.StdEncoding.DecodeString(q.Spec.ProposedContent.Verifiers[0])
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(verifier)
	if block == nil || len(envelope.Signatures) != 1 {
		return nil, fmt.Errorf("error processing entry: invalid entry")
	}
	signed := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(envelope.PayloadType), envelope.PayloadType, len(envelope.Payload), envelope.Payload)
	sum := sha256.Sum256(signed)
	if !ecdsa.VerifyASN1(parse(block.Bytes).PublicKey.(*ecdsa.PublicKey), sum[:], envelope.Signatures[0].Sig) {
		return nil, fmt.Errorf("error processing entry: could not verify envelope")
	}
	return s.Entry(s.dsseBody(q.Spec.ProposedContent.Envelope, envelope.Payload, envelope.Signatures[0].Sig, verifier)), nil
}

func (s *Sigstore) dsseBody(envelope string, payload, signature, verifier []byte) []byte {
	hash := func(data []byte) map[string]string {
		sum := sha256.Sum256(data)
		return map[string]string{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}
	}
	return must(json.Marshal(map[string]any{"apiVersion": "0.0.1", "kind": "dsse", "spec": map[string]any{
		"envelopeHash": hash([]byte(envelope)), "payloadHash": hash(payload),
		"signatures": []map[string]any{{"signature": signature, "verifier": verifier}},
	}}))
}

// Entry puts a body into the log and says so, as Rekor does.
func (s *Sigstore) Entry(body []byte) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	index := len(s.leaves)
	s.leaves = append(s.leaves, leafHash(body))
	for i := range 3 { // more come before it is asked for
		s.leaves = append(s.leaves, leafHash([]byte{byte(i), byte(index)}))
	}
	id := sha256.Sum256(der(&s.rekorKey.PublicKey))
	logID := hex.EncodeToString(id[:])
	at := s.now().Unix()
	set := must(json.Marshal(struct {
		Body           []byte `json:"body"`
		IntegratedTime int64  `json:"integratedTime"`
		LogID          string `json:"logID"`
		LogIndex       int    `json:"logIndex"`
	}{body, at, logID, index}))
	tree := treeHash(s.leaves)
	note := fmt.Sprintf("%s - 1\n%d\n%s\n", s.host(), len(s.leaves), base64.StdEncoding.EncodeToString(tree))
	line := base64.StdEncoding.EncodeToString(append(id[:4:4], sign(s.rekorKey, []byte(note))...))
	hashes := []string{}
	for _, h := range proof(index, s.leaves) {
		hashes = append(hashes, hex.EncodeToString(h))
	}
	return map[string]any{strconv.Itoa(index): map[string]any{
		"body": body, "integratedTime": at, "logID": logID, "logIndex": index,
		"verification": map[string]any{
			"signedEntryTimestamp": sign(s.rekorKey, set),
			"inclusionProof": map[string]any{
				"logIndex": index, "treeSize": len(s.leaves), "rootHash": hex.EncodeToString(tree), "hashes": hashes,
				"checkpoint": note + "\n— " + s.host() + " " + line + "\n",
			},
		},
	}}
}

func (s *Sigstore) host() string { return strings.TrimPrefix(s.URL, "http://") }

// TrustedRoot is the trusted_root.json that trusts this Sigstore.
func (s *Sigstore) TrustedRoot() []byte {
	valid := map[string]string{"start": s.root.NotBefore.UTC().Format(time.RFC3339)}
	log := func(key *ecdsa.PrivateKey) map[string]any {
		id := sha256.Sum256(der(&key.PublicKey))
		return map[string]any{
			"baseUrl": s.URL, "hashAlgorithm": "SHA2_256", "logId": map[string]any{"keyId": id[:]},
			"publicKey": map[string]any{"rawBytes": der(&key.PublicKey), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid},
		}
	}
	return must(json.MarshalIndent(map[string]any{
		"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"tlogs":     []any{log(s.rekorKey)}, "ctlogs": []any{log(s.ctKey)},
		"certificateAuthorities": []any{map[string]any{
			"subject": map[string]string{"organization": "sigstore.test", "commonName": "root"}, "uri": s.URL, "validFor": valid,
			"certChain": map[string]any{"certificates": []any{map[string]any{"rawBytes": s.ca.Raw}, map[string]any{"rawBytes": s.root.Raw}}},
		}},
		"timestampAuthorities": []any{},
	}, "", " "))
}

func leafHash(data []byte) []byte {
	sum := sha256.Sum256(append([]byte{0}, data...))
	return sum[:]
}

func nodeHash(left, right []byte) []byte {
	sum := sha256.Sum256(append(append([]byte{1}, left...), right...))
	return sum[:]
}

// split is the largest power of two below n.
func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

func treeHash(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := split(len(leaves))
	return nodeHash(treeHash(leaves[:k]), treeHash(leaves[k:]))
}

// proof is the path of a leaf (RFC 6962, 2.1.1).
func proof(index int, leaves [][]byte) [][]byte {
	if len(leaves) == 1 {
		return nil
	}
	if k := split(len(leaves)); index < k {
		return append(proof(index, leaves[:k]), treeHash(leaves[k:]))
	} else {
		return append(proof(index-k, leaves[k:]), treeHash(leaves[:k]))
	}
}

func newKey() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func der(key *ecdsa.PublicKey) []byte { return must(x509.MarshalPKIXPublicKey(key)) }

func parse(der []byte) *x509.Certificate { return must(x509.ParseCertificate(der)) }

func sign(key *ecdsa.PrivateKey, data []byte) []byte {
	sum := sha256.Sum256(data)
	return must(ecdsa.SignASN1(rand.Reader, key, sum[:]))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// KeyBundle is a bundle of a statement that is signed with a key, as registries
// sign what they have published: keyID names the key.
func (s *Sigstore) KeyBundle(key *ecdsa.PrivateKey, keyID, payloadType string, payload []byte) []byte {
	signature := sign(key, fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload))
	envelope := map[string]any{"payload": payload, "payloadType": payloadType, "signatures": []any{map[string]any{"sig": signature, "keyid": keyID}}}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der(&key.PublicKey)})
	body := s.dsseBody(string(must(json.Marshal(envelope))), payload, signature, public)
	var entry map[string]any
	for _, e := range s.Entry(body).(map[string]any) {
		entry = e.(map[string]any)
	}
	verification := entry["verification"].(map[string]any)
	proof := verification["inclusionProof"].(map[string]any)
	hashes := [][]byte{}
	for _, h := range proof["hashes"].([]string) {
		hashes = append(hashes, must(hex.DecodeString(h)))
	}
	return must(json.Marshal(map[string]any{
		"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1", "dsseEnvelope": envelope,
		"verificationMaterial": map[string]any{
			"publicKey": map[string]any{"hint": keyID},
			"tlogEntries": []any{map[string]any{
				"logIndex": strconv.Itoa(entry["logIndex"].(int)), "integratedTime": strconv.FormatInt(entry["integratedTime"].(int64), 10),
				"logId":            map[string]any{"keyId": must(hex.DecodeString(entry["logID"].(string)))},
				"kindVersion":      map[string]string{"kind": "dsse", "version": "0.0.1"},
				"inclusionPromise": map[string]any{"signedEntryTimestamp": verification["signedEntryTimestamp"]}, "canonicalizedBody": body,
				"inclusionProof": map[string]any{
					"logIndex": strconv.Itoa(proof["logIndex"].(int)), "treeSize": strconv.Itoa(proof["treeSize"].(int)),
					"rootHash": must(hex.DecodeString(proof["rootHash"].(string))), "hashes": hashes,
					"checkpoint": map[string]any{"envelope": proof["checkpoint"]},
				},
			}},
		},
	}))
}
