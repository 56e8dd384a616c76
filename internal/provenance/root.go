package provenance

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	_ "embed" // Sigstore's own root
	"errors"
	"fmt"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// A Root says whom to trust: the authorities that give out certificates, and the
// logs of signatures and of certificates. It is read-only once it is made.
type Root struct {
	authorities []authority
	logs        []log
	ctLogs      []log
}

// authority gives out certificates; its own come from the issuing one up to the
// root.
type authority struct {
	chain []*x509.Certificate
	valid span
}

type log struct {
	baseURL string
	id      []byte
	key     crypto.PublicKey
	valid   span
}

// span is the time in which a key counts; a zero end is none.
type span struct{ start, end time.Time }

func (s span) has(t time.Time) bool {
	return !t.Before(s.start) && (s.end.IsZero() || !t.After(s.end))
}

//go:embed trusted_root.json
var publicGood []byte

// PublicRoot is the Root of Sigstore's public instance, as it was when ibid was
// built.
func PublicRoot() (*Root, error) { return ParseRoot(publicGood) }

// ParseRoot reads Sigstore's trusted_root.json. Keys of a kind that is not known
// are left out: a signature that needs one has none then.
func ParseRoot(data []byte) (*Root, error) {
	v, err := jsjson.Parse(append([]byte(nil), data...))
	if err != nil {
		return nil, fmt.Errorf("reading the trusted root: %w", err)
	}
	r := &reader{}
	root := &Root{}
	for _, ca := range v.Get("certificateAuthorities").Items() {
		a := authority{valid: r.span(ca.Get("validFor"))}
		for _, c := range ca.Get("certChain").Get("certificates").Items() {
			cert, err := x509.ParseCertificate(r.bytes(c, "rawBytes"))
			if err != nil {
				r.fail("reading an authority's certificate: %w", err)
				break
			}
			a.chain = append(a.chain, cert)
		}
		if len(a.chain) > 0 {
			root.authorities = append(root.authorities, a)
		}
	}
	root.logs = r.logs(v.Get("tlogs").Items())
	root.ctLogs = r.logs(v.Get("ctlogs").Items())
	if r.err != nil {
		return nil, fmt.Errorf("reading the trusted root: %w", r.err)
	}
	if len(root.logs) == 0 || len(root.authorities) == 0 {
		return nil, errors.New("the trusted root trusts nobody")
	}
	return root, nil
}

func (r *reader) logs(items []jsjson.Value) []log {
	var all []log
	for _, v := range items {
		public := v.Get("publicKey")
		der := r.bytes(public, "rawBytes")
		l := log{baseURL: v.Get("baseUrl").Str(), valid: r.span(public.Get("validFor"))}
		if v.Has("checkpointKeyId") {
			l.id = r.bytes(v.Get("checkpointKeyId"), "keyId")
		} else if v.Has("logId") {
			l.id = r.bytes(v.Get("logId"), "keyId")
		} else {
			sum := sha256.Sum256(der)
			l.id = sum[:]
		}
		key, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			rsa, err := x509.ParsePKCS1PublicKey(der)
			if err != nil {
				continue
			}
			key = rsa
		}
		l.key = key
		all = append(all, l)
	}
	return all
}

func (r *reader) span(v jsjson.Value) span {
	at := func(key string) time.Time {
		text := v.Get(key).Str()
		if text == "" {
			return time.Time{}
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			r.fail("%s is not a time", key)
		}
		return t
	}
	return span{at("start"), at("end")}
}
