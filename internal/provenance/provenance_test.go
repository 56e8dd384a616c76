package provenance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance/sigstoretest"
)

func post(ctx context.Context, url string, body []byte) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 400 {
		err = errors.New(res.Status)
	}
	return data, err
}

var statement = []byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"pkg:npm/a@1.0.0","digest":{"sha512":"00"}}]}`)

func attest(t *testing.T, s *sigstoretest.Sigstore) (*Bundle, error) {
	t.Helper()
	signer := &Signer{Fulcio: s.URL + "/", Rekor: s.URL, Post: post}
	return signer.Attest(context.Background(), statement, sigstoretest.Token(map[string]any{"sub": "repo:a/b:ref", "iss": "https://issuer.test", "aud": "sigstore"}))
}

func start(t *testing.T) (*sigstoretest.Sigstore, *Root) {
	t.Helper()
	s := sigstoretest.Start()
	t.Cleanup(s.Close)
	root, err := ParseRoot(s.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	return s, root
}

func TestWhatIsAttestedVerifies(t *testing.T) {
	s, root := start(t)
	for range 4 {
		b, err := attest(t, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Verify(root, nil); err != nil {
			t.Fatal(err)
		}
		again, err := ParseBundle(jsjson.Append(nil, b.JSON, "", ""))
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Verify(root, nil); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(again.Payload, statement) {
			t.Errorf("the statement is %s", again.Payload)
		}
		if subject, err := b.Subject(); err != nil || subject != (Subject{"pkg:npm/a@1.0.0", "00"}) {
			t.Errorf("subject %v, %v", subject, err)
		}
	}
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, "log") && bytes.Contains(r.Body, []byte("oidcIdentityToken")) {
			t.Error("the token went to the log")
		}
	}
}

// at changes what stands at a path of a document.
func at(v jsjson.Value, path string, change func(jsjson.Value) jsjson.Value) jsjson.Value {
	key, rest, more := strings.Cut(path, ".")
	inner := change
	if more {
		inner = func(v jsjson.Value) jsjson.Value { return at(v, rest, change) }
	}
	if v.IsArray() {
		items := append([]jsjson.Value(nil), v.Items()...)
		items[0] = inner(items[0])
		return jsjson.NewArray(items...)
	}
	return v.With(key, inner(v.Get(key)))
}

func TestWhatIsWrongWithABundle(t *testing.T) {
	s, root := start(t)
	good, err := attest(t, s)
	if err != nil {
		t.Fatal(err)
	}
	other, err := attest(t, s)
	if err != nil {
		t.Fatal(err)
	}
	_, stranger := start(t)
	set := func(v jsjson.Value) func(jsjson.Value) jsjson.Value {
		return func(jsjson.Value) jsjson.Value { return v }
	}
	from := func(path string) jsjson.Value {
		v := other.JSON
		for key := range strings.SplitSeq(path, ".") {
			if v.IsArray() {
				v = v.Index(0)
			} else {
				v = v.Get(key)
			}
		}
		return v
	}
	const entry = "verificationMaterial.tlogEntries.0."
	public, err := PublicRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		change     func(jsjson.Value) jsjson.Value
		root       *Root
		want       string
	}{
		{"another statement", "dsseEnvelope.payload", set(encoded([]byte("{}"))), nil, "the log has the signature of another statement"},
		{"another type of statement", "dsseEnvelope.payloadType", set(str("text/plain")), nil, "the signature is not that of the statement"},
		{"another signature", "dsseEnvelope.signatures.0.sig", set(from("dsseEnvelope.signatures.0.sig")), nil, "the log has another signature"},
		{"another certificate", "verificationMaterial.certificate.rawBytes", set(from("verificationMaterial.certificate.rawBytes")), nil, "the signature is not that of the statement"},
		{"no log entry", "verificationMaterial.tlogEntries", set(list()), nil, "the signature is in no transparency log"},
		{"another entry's promise", entry + "inclusionPromise", set(from(entry + "inclusionPromise")), nil, "the log's promise to have the signature is not one of a log that is trusted"},
		{"another time", entry + "integratedTime", set(str("1700000000")), nil, "the log's promise to have the signature is not one of a log that is trusted"},
		{"another index", entry + "logIndex", set(str("1")), nil, "the log's promise to have the signature is not one of a log that is trusted"},
		{"another entry", entry + "canonicalizedBody", set(from(entry + "canonicalizedBody")), nil, "the log's promise to have the signature is not one of a log that is trusted"},
		{"another whole entry", "verificationMaterial.tlogEntries", set(from("verificationMaterial.tlogEntries")), nil, "the log has another signature"},
		{"no promise", entry + "inclusionPromise", set(jsjson.Value{}), nil, "no log vouches for the time of the signature"},
		{"no proof", entry + "inclusionProof", set(jsjson.Value{}), nil, "there is no proof that the log has the signature"},
		{"a proof of another tree", entry + "inclusionProof.rootHash", set(from(entry + "inclusionProof.rootHash")), nil, "the proof is of another log than the one that its checkpoint is of"},
		{"a proof of a larger tree", entry + "inclusionProof.treeSize", set(str("99")), nil, "the proof is of another log than the one that its checkpoint is of"},
		{"a proof of another place", entry + "inclusionProof.logIndex", set(str("0")), nil, "the proof does not lead to what the log has signed"},
		{"a proof beyond the log", entry + "inclusionProof.logIndex", set(str("99")), nil, "the proof is of an entry that the log does not have"},
		{"a proof that is too short", entry + "inclusionProof.hashes", func(v jsjson.Value) jsjson.Value { return jsjson.NewArray(v.Items()[1:]...) }, nil, "the proof has not as many hashes as the log is high"},
		{"a checkpoint that is made up", entry + "inclusionProof.checkpoint.envelope", func(v jsjson.Value) jsjson.Value { return str(strings.Replace(v.Str(), " - 1\n", " - 2\n", 1)) }, nil, "the log's checkpoint is signed by no log that is trusted"},
		{"a checkpoint without a signature", entry + "inclusionProof.checkpoint.envelope", set(str("x")), nil, "the log's checkpoint has no signature"},
		{"another kind of entry", entry + "kindVersion.kind", set(str("intoto")), nil, "the log entry is a dsse 0.0.1, not the intoto 0.0.1 that the bundle says"},
		{"another Sigstore", "x", set(str("")), stranger, "the log's promise to have the signature is not one of a log that is trusted"},
		{"the public Sigstore", "x", set(str("")), public, "the log's promise to have the signature is not one of a log that is trusted"},
		{"other authorities", "x", set(str("")), &Root{logs: root.logs, ctLogs: root.ctLogs, authorities: stranger.authorities}, "no authority that was trusted then has issued the certificate"},
		{"other certificate logs", "x", set(str("")), &Root{logs: root.logs, ctLogs: stranger.ctLogs, authorities: root.authorities}, "no certificate transparency log that is trusted has the certificate"},
		{"a key instead of a certificate", "verificationMaterial", func(v jsjson.Value) jsjson.Value {
			return v.Without("certificate").With("publicKey", object("hint", str("x")))
		}, nil, "the bundle is signed with a key that nobody knows"},
		{"a second entry", "verificationMaterial.tlogEntries", func(v jsjson.Value) jsjson.Value { return list(v.Index(0), v.Index(0)) }, nil, "a log vouches twice for the same time"},
	} {
		b, err := NewBundle(at(good.JSON, c.path, c.change))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		r := root
		if c.root != nil {
			r = c.root
		}
		if err := b.Verify(r, nil); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	for _, c := range []struct{ path, want string }{
		{"mediaType", `the bundle's media type is "", which is none that is known`},
		{"dsseEnvelope", "the bundle has no dsseEnvelope"},
		{"dsseEnvelope.signatures", "the envelope has 0 signatures, not one"},
		{"dsseEnvelope.payload", "payload is not base64 of anything"},
		{"verificationMaterial.certificate", "the bundle has neither a certificate nor a key"},
		{"verificationMaterial", "the bundle has neither a certificate nor a key"},
		{entry + "canonicalizedBody", "canonicalizedBody is not base64 of anything"},
		{entry + "logIndex", "logIndex is not a number"},
	} {
		v := at(good.JSON, c.path, func(v jsjson.Value) jsjson.Value {
			if v.IsString() {
				return object()
			}
			return jsjson.Value{}
		})
		if _, err := NewBundle(v); err == nil || err.Error() != c.want {
			t.Errorf("no %s: %v, want %s", c.path, err, c.want)
		}
	}
}

func TestACertificateWithoutAWordOfALogDoesNotCount(t *testing.T) {
	s, root := start(t)
	s.NoSCT = true
	b, err := attest(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(root, nil); err == nil || err.Error() != "the certificate is in no certificate transparency log" {
		t.Error(err)
	}
}

func TestACertificateCountsWhileItIsGood(t *testing.T) {
	s, root := start(t)
	start := time.Now()
	s.Now = func() time.Time { return start }
	certificates := 0
	s.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
		if certificates++; r.URL.Path == "/api/v1/log/entries" {
			s.Now = func() time.Time { return start.Add(time.Hour) }
		}
		return false
	}
	b, err := attest(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(root, nil); err == nil || !strings.HasPrefix(err.Error(), "the certificate does not count: ") {
		t.Error(err)
	}
}

// What a Sigstore answers is not taken on trust, and no error has the token in it.
func TestAttestingFailsInOneSentence(t *testing.T) {
	for _, c := range []struct {
		name, path, body, want string
	}{
		{"Fulcio has no certificate", "/api/v2/signingCert", "{}", "getting a certificate: the answer has no certificate"},
		{"Fulcio has no JSON", "/api/v2/signingCert", "<html>", "getting a certificate: reading the answer: line 1, column 1: expected a value, found '<'"},
		{"Rekor has no entry", "/api/v1/log/entries", "{}", "writing the signature into the transparency log: the answer does not have exactly one entry"},
		{"Rekor has another entry", "/api/v1/log/entries", `{"a":{"body":"e30=","logID":"00","logIndex":1,"integratedTime":1}}`, "writing the signature into the transparency log: the log entry is a  , which is none that is known"},
	} {
		s, _ := start(t)
		s.Fault = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != c.path {
				return false
			}
			io.WriteString(w, c.body)
			return true
		}
		_, err := attest(t, s)
		if err == nil || err.Error() != c.want || strings.Contains(err.Error(), "c2ln") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range []struct{ token, want string }{
		{"x", "the identity token is no JSON web token"},
		{sigstoretest.Token(map[string]any{"email": "a@b.test"}), "the identity token's address was not verified by its issuer"},
		{sigstoretest.Token(map[string]any{}), "the identity token says nobody's name: it has no sub"},
	} {
		if _, err := (&Signer{Post: post}).Attest(t.Context(), statement, c.token); err == nil || err.Error() != c.want {
			t.Errorf("%q: %v", c.token, err)
		}
	}
}

func FuzzBundle(f *testing.F) {
	s := sigstoretest.Start()
	defer s.Close()
	root, err := ParseRoot(s.TrustedRoot())
	if err != nil {
		f.Fatal(err)
	}
	signer := &Signer{Fulcio: s.URL, Rekor: s.URL, Post: post}
	b, err := signer.Attest(context.Background(), statement, sigstoretest.Token(map[string]any{"sub": "a"}))
	if err != nil {
		f.Fatal(err)
	}
	good := jsjson.Append(nil, b.JSON, "", "")
	f.Add(good)
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseBundle(bytes.Clone(data))
		if err != nil || got.Verify(root, nil) != nil {
			return
		}
		if !bytes.Equal(got.Payload, statement) || got.PayloadType != PayloadType {
			t.Errorf("verifies, but says %s", got.Payload)
		}
	})
}

func FuzzClaims(f *testing.F) {
	f.Add("a.e30.b")
	f.Add("..")
	f.Add("x.eyJhdWQiOiJucG06cmVnaXN0cnkubnBtanMub3JnIn0.x")
	f.Fuzz(func(t *testing.T, token string) {
		if claims, err := Claims(token); err == nil && !claims.IsObject() {
			t.Errorf("%q has the claims %v", token, claims)
		}
	})
}
