package provenance

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// mediaTypeV3 is the media type of the bundles that Attest makes.
const mediaTypeV3 = "application/vnd.dev.sigstore.bundle.v0.3+json"

// mediaTypeV1 is that of the oldest ones, for which a log's promise is enough.
const mediaTypeV1 = "application/vnd.dev.sigstore.bundle+json;version=0.1"

// A Bundle is a statement, its signature, and what is needed to verify it.
type Bundle struct {
	JSON        jsjson.Value // all of it
	MediaType   string
	PayloadType string
	Payload     []byte // the statement
	KeyID       string // names the key in the envelope, "" where a certificate does
	signature   []byte
	certificate []byte // DER; nil where a key is named by hint
	hint        string
	entries     []entry
	timestamped bool // by an RFC 3161 authority
}

// An entry is what a log says of the signature.
type entry struct {
	index, integratedTime int64
	logID                 []byte
	kind, version         string
	promise               []byte // the signed entry timestamp, nil for none
	proof                 *inclusion
	body                  []byte
}

// inclusion is the proof that a log has an entry.
type inclusion struct {
	index, size int64
	root        []byte
	hashes      [][]byte
	checkpoint  string
}

// MaxBundle is the size from which on a bundle is none.
const MaxBundle = 4 << 20

const maxEntries = 32

// ParseBundle reads a bundle of any version that has a DSSE envelope.
func ParseBundle(data []byte) (*Bundle, error) {
	if len(data) > MaxBundle {
		return nil, errors.New("the bundle is larger than any could be")
	}
	v, err := jsjson.Parse(data)
	if err != nil {
		return nil, err
	}
	return NewBundle(v)
}

// NewBundle is ParseBundle for JSON that is decoded already.
func NewBundle(v jsjson.Value) (*Bundle, error) {
	r := &reader{}
	b := &Bundle{JSON: v, MediaType: v.Get("mediaType").Str()}
	switch b.MediaType {
	case mediaTypeV1, "application/vnd.dev.sigstore.bundle+json;version=0.2",
		"application/vnd.dev.sigstore.bundle+json;version=0.3", mediaTypeV3:
	default:
		return nil, fmt.Errorf("the bundle's media type is %q, which is none that is known", b.MediaType)
	}
	envelope := v.Get("dsseEnvelope")
	if !envelope.IsObject() {
		return nil, errors.New("the bundle has no dsseEnvelope")
	}
	b.PayloadType = envelope.Get("payloadType").Str()
	b.Payload = r.bytes(envelope, "payload")
	signatures := envelope.Get("signatures").Items()
	if len(signatures) != 1 {
		return nil, fmt.Errorf("the envelope has %d signatures, not one", len(signatures))
	}
	b.signature = r.bytes(signatures[0], "sig")
	b.KeyID = signatures[0].Get("keyid").Str()

	material := v.Get("verificationMaterial")
	switch chain := material.Get("x509CertificateChain").Get("certificates").Items(); {
	case material.Get("certificate").IsObject():
		b.certificate = r.bytes(material.Get("certificate"), "rawBytes")
	case len(chain) > 0:
		// What else is in the chain is a stranger's: the Root has its own.
		b.certificate = r.bytes(chain[0], "rawBytes")
	case material.Get("publicKey").IsObject():
		b.hint = material.Get("publicKey").Get("hint").Str()
	default:
		return nil, errors.New("the bundle has neither a certificate nor a key")
	}
	entries := material.Get("tlogEntries").Items()
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("the bundle has %d log entries, more than any needs", len(entries))
	}
	for _, e := range entries {
		b.entries = append(b.entries, r.entry(e))
	}
	if data := material.Get("timestampVerificationData"); r.optional(data, "timestampVerificationData") {
		b.timestamped = data.Get("rfc3161Timestamps").Len() > 0
	}
	if r.err != nil {
		return nil, r.err
	}
	return b, nil
}

// LogIndex is the place of the signature in the log, "" where it is in none.
func (b *Bundle) LogIndex() string {
	if len(b.entries) == 0 {
		return ""
	}
	return strconv.FormatInt(b.entries[0].index, 10)
}

// IntegratedTime is when the first log that has the signature says that it got
// it, in seconds since 1970; 0 where none does. Nobody has verified it.
func (b *Bundle) IntegratedTime() int64 {
	if len(b.entries) == 0 {
		return 0
	}
	return b.entries[0].integratedTime
}

// Subject is what the statement is about. npm wants exactly one.
func (b *Bundle) Subject() (Subject, error) {
	v, err := jsjson.Parse(append([]byte(nil), b.Payload...))
	if err != nil {
		return Subject{}, fmt.Errorf("Failed to parse payload from dsseEnvelope: %w", err)
	}
	switch all := v.Get("subject").Items(); len(all) {
	case 0:
		return Subject{}, errors.New("No subject found in sigstore bundle payload")
	case 1:
		return Subject{Name: all[0].Get("name").Str(), SHA512: all[0].Get("digest").Get("sha512").Str()}, nil
	default:
		return Subject{}, errors.New("Found more than one subject in the sigstore bundle payload")
	}
}

// preAuthEncoding is what is signed of an envelope.
func preAuthEncoding(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// reader keeps the first thing that is wrong with a stranger's JSON.
type reader struct{ err error }

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// optional says whether an object is there; what is there instead is wrong.
func (r *reader) optional(v jsjson.Value, key string) bool {
	if !v.IsObject() && v.Kind() > jsjson.Null {
		r.fail("%s is no object", key)
	}
	return v.IsObject()
}

// bytes decodes base64, of either alphabet as protobuf's JSON allows.
func (r *reader) bytes(v jsjson.Value, key string) []byte {
	text := v.Get(key).Str()
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		r.fail("%s is not base64 of anything", key)
	}
	return data
}

// number reads a 64-bit number, which protobuf's JSON writes as text.
func (r *reader) number(v jsjson.Value, key string) int64 {
	n := v.Get(key)
	if n.IsUndefined() {
		return 0
	}
	i, err := strconv.ParseInt(n.Text(), 10, 64)
	if err != nil || i < 0 || n.IsObject() || n.IsArray() {
		r.fail("%s is not a number", key)
	}
	return i
}

func (r *reader) entry(v jsjson.Value) entry {
	e := entry{
		index: r.number(v, "logIndex"), integratedTime: r.number(v, "integratedTime"),
		logID: r.bytes(v.Get("logId"), "keyId"),
		kind:  v.Get("kindVersion").Get("kind").Str(), version: v.Get("kindVersion").Get("version").Str(),
		body: r.bytes(v, "canonicalizedBody"),
	}
	if p := v.Get("inclusionPromise"); r.optional(p, "inclusionPromise") {
		e.promise = r.bytes(p, "signedEntryTimestamp")
	}
	if p := v.Get("inclusionProof"); r.optional(p, "inclusionProof") {
		e.proof = &inclusion{
			index: r.number(p, "logIndex"), size: r.number(p, "treeSize"), root: r.bytes(p, "rootHash"),
			checkpoint: p.Get("checkpoint").Get("envelope").Str(),
		}
		hashes := p.Get("hashes").Items()
		if len(hashes) > 64 {
			r.fail("a proof has %d hashes, more than any tree is high", len(hashes))
			hashes = nil
		}
		for _, h := range hashes {
			e.proof.hashes = append(e.proof.hashes, r.bytes(object("hash", h), "hash"))
		}
	}
	return e
}
