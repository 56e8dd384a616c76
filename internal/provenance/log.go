package provenance

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math/bits"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// verify says whether one of the root's logs has the entry: by the promise that
// it gave, by a proof against a checkpoint that it signed, or both. What is there
// must be right. The time is the one that the log has signed, zero for none.
func (e *entry) verify(root *Root) (time.Time, error) {
	var at time.Time
	if e.promise != nil {
		at = time.Unix(e.integratedTime, 0)
		if !e.promised(root, at) {
			return at, errors.New("the log's promise to have the signature is not one of a log that is trusted")
		}
	}
	if e.proof != nil {
		if err := e.proof.verify(root, e.body); err != nil {
			return at, err
		}
	}
	if e.promise == nil && e.proof == nil {
		return at, errors.New("there is neither proof nor promise that the log has the signature")
	}
	return at, nil
}

// promised verifies the signed entry timestamp: the log's signature of canonical
// JSON that says what it got and when.
func (e *entry) promised(root *Root, at time.Time) bool {
	payload := jsjson.Append(nil, object(
		"body", str(base64.StdEncoding.EncodeToString(e.body)),
		"integratedTime", jsjson.NewNumber(float64(e.integratedTime)),
		"logID", str(hex.EncodeToString(e.logID)),
		"logIndex", jsjson.NewNumber(float64(e.index)),
	), "", "")
	for _, l := range root.logs {
		if bytes.Equal(l.id, e.logID) && l.valid.has(at) && verifies(l.key, payload, e.promise) {
			return true
		}
	}
	return false
}

// verify follows the hashes from the entry to the root of the tree that a log has
// signed (RFC 9162, 2.1.3.2).
func (p *inclusion) verify(root *Root, body []byte) error {
	size, tree, err := root.checkpoint(p.checkpoint)
	if err != nil {
		return err
	}
	if p.size != size || !bytes.Equal(p.root, tree) {
		return errors.New("the proof is of another log than the one that its checkpoint is of")
	}
	if p.index < 0 || p.index >= size {
		return errors.New("the proof is of an entry that the log does not have")
	}
	inner := bits.Len64(uint64(p.index) ^ uint64(size-1))
	border := bits.OnesCount64(uint64(p.index) >> inner)
	if len(p.hashes) != inner+border {
		return errors.New("the proof has not as many hashes as the log is high")
	}
	leaf := sha256.Sum256(append([]byte{0}, body...))
	sum := leaf[:]
	for i, h := range p.hashes {
		left, right := h, sum
		if i < inner && uint64(p.index)>>i&1 == 0 {
			left, right = sum, h
		}
		node := sha256.Sum256(append(append([]byte{1}, left...), right...))
		sum = node[:]
	}
	if !bytes.Equal(sum, tree) {
		return errors.New("the proof does not lead to what the log has signed")
	}
	return nil
}

// checkpoint verifies a signed note that says how large a log is and what the
// root of its tree is.
func (root *Root) checkpoint(envelope string) (size int64, tree []byte, err error) {
	if len(envelope) > 64<<10 {
		return 0, nil, errors.New("the log's checkpoint is larger than any could be")
	}
	note, signatures, ok := strings.Cut(envelope, "\n\n")
	if !ok {
		return 0, nil, errors.New("the log's checkpoint has no signature")
	}
	note += "\n"
	lines := strings.Split(note, "\n")
	if len(lines) < 4 {
		return 0, nil, errors.New("the log's checkpoint does not say what it is of")
	}
	if size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || size <= 0 {
		return 0, nil, errors.New("the log's checkpoint does not say how large the log is")
	}
	if tree, err = base64.StdEncoding.DecodeString(lines[2]); err != nil || len(tree) != sha256.Size {
		return 0, nil, errors.New("the log's checkpoint does not say what the log has")
	}
	for line := range strings.SplitSeq(signatures, "\n") {
		name, text, ok := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		sig, err := base64.StdEncoding.DecodeString(text)
		if !ok || !strings.HasPrefix(line, "— ") || err != nil || len(sig) < 5 {
			continue
		}
		for _, l := range root.logs {
			if len(l.id) >= 4 && bytes.Equal(l.id[:4], sig[:4]) && l.named(name) && verifies(l.key, []byte(note), sig[4:]) {
				return size, tree, nil
			}
		}
	}
	return 0, nil, errors.New("the log's checkpoint is signed by no log that is trusted")
}

// named says whether a log signs its checkpoints with name: the host of its
// address, with the path behind it where it has one.
func (l *log) named(name string) bool {
	u, err := url.Parse(l.baseURL)
	if err != nil {
		return false
	}
	return name == u.Host || name == u.Hostname() || name == u.Host+strings.TrimSuffix(u.Path, "/")
}
