package provenance

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	_ "embed" // the root of Sigstore's public repository
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// PublicTUF is where Sigstore's public instance says whom to trust.
const PublicTUF = "https://tuf-repo-cdn.sigstore.dev"

//go:embed tuf_root.json
var publicTUFRoot []byte

// A Mirror is a repository of The Update Framework that says whom Sigstore trusts.
// Its keys may change: each root says which keys sign the next, so that whoever
// trusts one can follow.
//
// Nothing is kept from one time to the next. What an attacker who speaks for the
// mirror can show again is what is not expired yet.
type Mirror struct {
	URL  string
	Root []byte // a root.json that is trusted; nil is that of the public instance
	// Get reads a file of at most limit bytes; found is false where there is none.
	Get func(ctx context.Context, url string, limit int64) (data []byte, found bool, err error)
	Now func() time.Time
}

// Sizes are those that TUF's clients allow.
const (
	maxRootSize      = 512 << 10
	maxTimestampSize = 16 << 10
	maxSnapshotSize  = 2 << 20
	maxTargetsSize   = 5 << 20
	maxRoots         = 256
)

// TrustedRoot follows the mirror's roots to the newest, and from there what they
// sign to trusted_root.json (TUF's specification, 5).
func (m *Mirror) TrustedRoot(ctx context.Context) (*Root, error) {
	root, err := m.newestRoot(ctx)
	if err != nil {
		return nil, err
	}
	timestamp, err := m.role(ctx, root, "timestamp", "timestamp.json", maxTimestampSize, jsjson.Value{})
	if err != nil {
		return nil, err
	}
	snapshot, err := m.listed(ctx, root, "snapshot", timestamp, maxSnapshotSize)
	if err != nil {
		return nil, err
	}
	targets, err := m.listed(ctx, root, "targets", snapshot, maxTargetsSize)
	if err != nil {
		return nil, err
	}
	const name = "trusted_root.json"
	target := targets.Get("targets").Get(name)
	hash := target.Get("hashes").Get("sha256").Str()
	if len(hash) != 2*sha256.Size || strings.Trim(hash, "0123456789abcdef") != "" {
		return nil, errors.New("targets.json: has no " + name)
	}
	data, err := m.read(ctx, "targets/"+hash+"."+name, MaxBundle)
	if err != nil {
		return nil, err
	}
	if err := hashed(data, target, name); err != nil {
		return nil, err
	}
	return ParseRoot(data)
}

// newestRoot goes from one root to the next, each signed by the keys of both.
func (m *Mirror) newestRoot(ctx context.Context) (jsjson.Value, error) {
	data := m.Root
	if data == nil {
		data = publicTUFRoot
	}
	signed, err := checkSigned(data, jsjson.Value{}, "root")
	if err != nil {
		return signed, fmt.Errorf("the root that is trusted: %w", err)
	}
	for range maxRoots {
		version := signed.Get("version").Num() + 1
		name := strconv.FormatFloat(version, 'f', -1, 64) + ".root.json"
		data, found, err := m.Get(ctx, m.address(name), maxRootSize)
		if err != nil {
			return signed, fmt.Errorf("%s: %w", name, err)
		}
		if !found {
			return signed, m.fresh(signed, "root.json")
		}
		if _, err := checkSigned(data, signed, "root"); err != nil {
			return signed, fmt.Errorf("%s: %w", name, err)
		}
		next, err := checkSigned(data, jsjson.Value{}, "root")
		if err != nil {
			return signed, fmt.Errorf("%s: %w", name, err)
		}
		if next.Get("version").Num() != version {
			return signed, fmt.Errorf("%s: is of version %s", name, next.Get("version").Text())
		}
		signed = next
	}
	return signed, fmt.Errorf("more than %d roots came after the one that is trusted", maxRoots)
}

// role reads the file of a role, signed by its keys, and as said lists it if that
// is anything.
func (m *Mirror) role(ctx context.Context, root jsjson.Value, role, name string, limit int64, said jsjson.Value) (jsjson.Value, error) {
	data, err := m.read(ctx, name, limit)
	if err != nil {
		return jsjson.Value{}, err
	}
	if said.IsObject() {
		if err := hashed(data, said, name); err != nil {
			return jsjson.Value{}, err
		}
	}
	signed, err := checkSigned(data, root, role)
	if err != nil {
		return signed, fmt.Errorf("%s: %w", name, err)
	}
	if said.IsObject() && signed.Get("version").Num() != said.Get("version").Num() {
		return signed, fmt.Errorf("%s: is of version %s, not of %s", name, signed.Get("version").Text(), said.Get("version").Text())
	}
	return signed, m.fresh(signed, name)
}

// listed reads the file of a role in the version that another role's file says.
func (m *Mirror) listed(ctx context.Context, root jsjson.Value, role string, in jsjson.Value, limit int64) (jsjson.Value, error) {
	said := in.Get("meta").Get(role + ".json")
	version := said.Get("version")
	if version.Kind() != jsjson.Number || version.Num() < 1 || version.Num() != float64(int64(version.Num())) {
		return jsjson.Value{}, errors.New(in.Get("_type").Text() + ".json: has no version of " + role + ".json")
	}
	name := role + ".json"
	if root.Get("consistent_snapshot").Truthy() {
		name = version.Text() + "." + name
	}
	return m.role(ctx, root, role, name, limit, said)
}

func (m *Mirror) address(name string) string { return strings.TrimRight(m.URL, "/") + "/" + name }

func (m *Mirror) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, found, err := m.Get(ctx, m.address(name), limit)
	if err == nil && !found {
		err = errors.New("the mirror has none")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

func (m *Mirror) fresh(signed jsjson.Value, name string) error {
	expires, err := time.Parse(time.RFC3339, signed.Get("expires").Str())
	if err != nil {
		return fmt.Errorf("%s: does not say when it expires", name)
	}
	if !m.Now().Before(expires) {
		return fmt.Errorf("%s: expired %s", name, expires.UTC().Format(time.RFC3339))
	}
	return nil
}

// hashed compares a file with the length and the hashes that are said of it;
// either may be missing, but for a target no hash is no hash.
func hashed(data []byte, said jsjson.Value, name string) error {
	if n := said.Get("length"); n.Kind() == jsjson.Number && n.Num() != float64(len(data)) {
		return fmt.Errorf("%s: has %d bytes, not %s", name, len(data), n.Text())
	}
	for _, h := range said.Get("hashes").Members() {
		var sum []byte
		switch h.Key {
		case "sha256":
			s := sha256.Sum256(data)
			sum = s[:]
		case "sha512":
			s := sha512.Sum512(data)
			sum = s[:]
		default:
			continue
		}
		if h.Value.Str() != hex.EncodeToString(sum) {
			return fmt.Errorf("%s: is not the file that was signed", name)
		}
	}
	return nil
}

// checkSigned gives what a file says if enough keys of a role have signed it: the
// keys that root names, or for a root, if there is no other, its own.
func checkSigned(data []byte, root jsjson.Value, role string) (jsjson.Value, error) {
	v, err := jsjson.Parse(bytes.Clone(data))
	if err != nil {
		return v, err
	}
	signed := v.Get("signed")
	if kind := signed.Get("_type").Str(); kind != role {
		return signed, fmt.Errorf("is a %q, not a %q", kind, role)
	}
	if n := signed.Get("version"); n.Kind() != jsjson.Number || n.Num() < 1 || n.Num() > 1<<50 {
		return signed, errors.New("has no version")
	}
	if root.IsUndefined() {
		root = signed
	}
	trusted := root.Get("roles").Get(role)
	threshold := trusted.Get("threshold")
	if threshold.Kind() != jsjson.Number || threshold.Num() < 1 {
		return signed, errors.New("nobody says how many keys have to sign it")
	}
	text, err := canonical(nil, signed)
	if err != nil {
		return signed, err
	}
	var ids []string
	for _, id := range trusted.Get("keyids").Items() {
		ids = append(ids, id.Str())
	}
	counted := map[string]bool{} // by the key itself: one key under two names is one
	signatures := v.Get("signatures").Items()
	for _, s := range signatures[:min(len(signatures), 256)] {
		id := s.Get("keyid").Str()
		sig, err := hex.DecodeString(s.Get("sig").Str())
		if err != nil || !slices.Contains(ids, id) {
			continue
		}
		public := root.Get("keys").Get(id).Get("keyval").Get("public").Str()
		if key := tufKey(public); key != nil && verifies(key, text, sig) {
			counted[public] = true
		}
	}
	if float64(len(counted)) < threshold.Num() {
		return signed, fmt.Errorf("is signed by %d keys that are trusted, not by %s", len(counted), threshold.Text())
	}
	return signed, nil
}

// tufKey reads a key: PEM, or the hexadecimal of an Ed25519 key.
func tufKey(public string) crypto.PublicKey {
	if block, _ := pem.Decode([]byte(public)); block != nil {
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil
		}
		return key
	}
	raw, err := hex.DecodeString(public)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil
	}
	return ed25519.PublicKey(raw)
}

// canonical writes JSON as it is signed: keys in the order of their bytes, no
// space, nothing escaped in texts but quotes and backslashes, whole numbers only.
func canonical(dst []byte, v jsjson.Value) ([]byte, error) {
	var err error
	switch v.Kind() {
	case jsjson.Object:
		members := slices.Clone(v.Members())
		slices.SortFunc(members, func(a, b jsjson.Member) int { return strings.Compare(a.Key, b.Key) })
		dst = append(dst, '{')
		for i, m := range members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(canonicalText(dst, m.Key), ':')
			if dst, err = canonical(dst, m.Value); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	case jsjson.Array:
		dst = append(dst, '[')
		for i, item := range v.Items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = canonical(dst, item); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case jsjson.String:
		return canonicalText(dst, v.Str()), nil
	case jsjson.Number:
		if n := v.Num(); n != float64(int64(n)) {
			return nil, errors.New("has a number that is not whole")
		}
		return strconv.AppendInt(dst, int64(v.Num()), 10), nil
	}
	return append(dst, v.Text()...), nil // true, false, null
}

func canonicalText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}
