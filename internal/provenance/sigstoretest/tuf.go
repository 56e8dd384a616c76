package sigstoretest

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Rotate has the TUF repository sign with a new key from now on, after a root that
// the old one signs as well.
func (s *Sigstore) Rotate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tufKeys = append(s.tufKeys, newKey())
	s.tufFiles = nil
}

// TUF is the repository that says whom to trust, by the paths of its files. Its
// roles share one key.
func (s *Sigstore) TUF() map[string][]byte {
	s.mu.Lock()
	keys := append([]*ecdsa.PrivateKey(nil), s.tufKeys...)
	trusted := s.TrustedRoot()
	s.mu.Unlock()
	describe := func(k *ecdsa.PrivateKey) (id string, key map[string]any) {
		public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der(&k.PublicKey)}))
		key = map[string]any{"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": map[string]any{"public": public}}
		sum := sha256.Sum256(canonical(key))
		return hex.EncodeToString(sum[:]), key
	}
	signed := func(body map[string]any, version int, by ...*ecdsa.PrivateKey) []byte {
		body["spec_version"] = "1.0.31"
		body["version"] = version
		body["expires"] = s.now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		var signatures []any
		for _, k := range by {
			id, _ := describe(k)
			signatures = append(signatures, map[string]any{"keyid": id, "sig": hex.EncodeToString(sign(k, canonical(body)))})
		}
		return must(json.Marshal(map[string]any{"signed": body, "signatures": signatures}))
	}
	hashed := func(data []byte) (string, map[string]any) {
		sum := sha256.Sum256(data)
		hash := hex.EncodeToString(sum[:])
		return hash, map[string]any{"length": len(data), "hashes": map[string]any{"sha256": hash}}
	}
	meta := func(data []byte) map[string]any {
		_, m := hashed(data)
		m["version"] = 1
		return m
	}
	files := map[string][]byte{}
	for i, k := range keys {
		id, key := describe(k)
		role := map[string]any{"keyids": []string{id}, "threshold": 1}
		name := fmt.Sprintf("%d.root.json", i+1)
		files[name] = signed(map[string]any{
			"_type": "root", "consistent_snapshot": true, "keys": map[string]any{id: key},
			"roles": map[string]any{"root": role, "timestamp": role, "snapshot": role, "targets": role},
		}, i+1, keys[max(i-1, 0):i+1]...)
		files["root.json"] = files[name]
	}
	last := keys[len(keys)-1]
	hash, target := hashed(trusted)
	targets := signed(map[string]any{"_type": "targets", "targets": map[string]any{"trusted_root.json": target}}, 1, last)
	snapshot := signed(map[string]any{"_type": "snapshot", "meta": map[string]any{"targets.json": meta(targets)}}, 1, last)
	files["1.targets.json"], files["1.snapshot.json"] = targets, snapshot
	files["timestamp.json"] = signed(map[string]any{"_type": "timestamp", "meta": map[string]any{"snapshot.json": meta(snapshot)}}, 1, last)
	files["targets/"+hash+".trusted_root.json"] = trusted
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tufFiles = files
	return files
}

// canonical is OLPC's canonical JSON of what has no strings that need more than
// quotes, backslashes escaped.
func canonical(v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		return canonicalObject(v)
	case []string:
		out := []byte{'['}
		for i, x := range v {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, canonical(x)...)
		}
		return append(out, ']')
	case string:
		out := []byte{'"'}
		for i := range len(v) {
			if v[i] == '"' || v[i] == '\\' {
				out = append(out, '\\')
			}
			out = append(out, v[i])
		}
		return append(out, '"')
	}
	return must(json.Marshal(v))
}

func canonicalObject(v map[string]any) []byte {
	out := []byte{'{'}
	for i, k := range slices.Sorted(maps.Keys(v)) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, canonical(k)...), ':'), canonical(v[k])...)
	}
	return append(out, '}')
}
