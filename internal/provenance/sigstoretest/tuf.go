package sigstoretest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"time"
)

// TUF is the repository that says whom to trust, by the paths of its files. Its
// roles share one key.
func (s *Sigstore) TUF() map[string][]byte {
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der(&s.tufKey.PublicKey)}))
	key := map[string]any{"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": map[string]any{"public": public}}
	sum := sha256.Sum256(canonical(key))
	id := hex.EncodeToString(sum[:])
	role := map[string]any{"keyids": []string{id}, "threshold": 1}
	signed := func(body map[string]any) []byte {
		body["spec_version"] = "1.0.31"
		body["version"] = 1
		body["expires"] = time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		return must(json.Marshal(map[string]any{
			"signed": body, "signatures": []any{map[string]any{"keyid": id, "sig": hex.EncodeToString(sign(s.tufKey, canonical(body)))}},
		}))
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
	trusted := s.trustedOnce()
	hash, target := hashed(trusted)
	root := signed(map[string]any{
		"_type": "root", "consistent_snapshot": true, "keys": map[string]any{id: key},
		"roles": map[string]any{"root": role, "timestamp": role, "snapshot": role, "targets": role},
	})
	targets := signed(map[string]any{"_type": "targets", "targets": map[string]any{"trusted_root.json": target}})
	snapshot := signed(map[string]any{"_type": "snapshot", "meta": map[string]any{"targets.json": meta(targets)}})
	timestamp := signed(map[string]any{"_type": "timestamp", "meta": map[string]any{"snapshot.json": meta(snapshot)}})
	return map[string][]byte{
		"1.root.json": root, "root.json": root, "timestamp.json": timestamp, "1.snapshot.json": snapshot, "1.targets.json": targets,
		fmt.Sprintf("targets/%s.trusted_root.json", hash): trusted,
	}
}

func (s *Sigstore) trustedOnce() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.TrustedRoot()
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
