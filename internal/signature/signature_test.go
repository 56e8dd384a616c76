package signature

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// testdata/node.json has keys and signatures that node's crypto made, as npm
// checks them with it.
func recorded(t testing.TB) jsjson.Value {
	data, err := os.ReadFile("testdata/node.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsjson.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSignatures(t *testing.T) {
	doc := recorded(t)
	keys := ParseKeys(doc)
	if len(keys) != 3 {
		t.Fatalf("%d keys, 3 can be read", len(keys))
	}
	ec, rsa := doc.Get("ec").Str(), doc.Get("rsa").Str()
	at := func(s string) time.Time { x, _ := time.Parse(time.RFC3339, s); return x }
	for _, c := range []struct {
		name, id, integrity, key, sig string
		published                     time.Time
		code                          string
	}{
		{name: "an elliptic curve's", id: "a@1.0.0", integrity: "sha512-abc==", key: "ec", sig: ec},
		{name: "RSA's", id: "a@1.0.0", integrity: "sha512-abc==", key: "rsa", sig: rsa},
		{name: "of another version", id: "a@1.0.1", integrity: "sha512-abc==", key: "ec", sig: ec, code: "EINTEGRITYSIGNATURE"},
		{name: "of another tarball", id: "a@1.0.0", integrity: "sha512-xyz==", key: "ec", sig: ec, code: "EINTEGRITYSIGNATURE"},
		{name: "by another key", id: "a@1.0.0", integrity: "sha512-abc==", key: "rsa", sig: ec, code: "EINTEGRITYSIGNATURE"},
		{name: "no base64", id: "a@1.0.0", integrity: "sha512-abc==", key: "ec", sig: "%", code: "EINTEGRITYSIGNATURE"},
		{name: "empty", id: "a@1.0.0", integrity: "sha512-abc==", key: "ec", code: "EINTEGRITYSIGNATURE"},
		{name: "by a key that nobody knows", id: "a@1.0.0", integrity: "sha512-abc==", key: "bad", sig: ec, code: "EMISSINGSIGNATUREKEY"},
		{name: "by a key before it expired", id: "a@1.0.0", integrity: "sha512-abc==", key: "old", sig: ec, published: at("2019-01-01T00:00:00Z")},
		{name: "by a key after it expired", id: "a@1.0.0", integrity: "sha512-abc==", key: "old", sig: ec, published: at("2020-01-01T00:00:00Z"), code: "EEXPIREDSIGNATUREKEY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Verify(keys, c.id, c.integrity, c.published, Signature{KeyID: c.key, Sig: c.sig})
			var e *Error
			if errors.As(err, &e); (err == nil) != (c.code == "") || e != nil && e.Code() != c.code {
				t.Errorf("%v, want %q", err, c.code)
			}
		})
	}
}

// As npm has it: what cannot be read is no time that anything is before.
func TestWhenAKeyExpires(t *testing.T) {
	doc := recorded(t)
	ec, signed := doc.Get("keys").Index(0), doc.Get("ec").Str()
	for expires, good := range map[string]bool{
		`null`: true, `""`: true, `0`: true, `false`: true, `"2999-01-01"`: true, `"2999-01-01T00:00:00.000Z"`: true,
		`"2020-01-01"`: false, `4102444800000`: false, `true`: false, `[]`: false, `{}`: false, `"soon"`: false,
	} {
		v, err := jsjson.Parse([]byte(expires))
		if err != nil {
			t.Fatal(err)
		}
		keys := ParseKeys(jsjson.NewObject(jsjson.Member{Key: "keys", Value: jsjson.NewArray(ec.With("expires", v))}))
		var e *Error
		err = Verify(keys, "a@1.0.0", "sha512-abc==", time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Signature{KeyID: ec.Get("keyid").Str(), Sig: signed})
		if errors.As(err, &e); (err == nil) != good || e != nil && e.Code() != "EEXPIREDSIGNATUREKEY" {
			t.Errorf("%s: %v", expires, err)
		}
	}
}

func TestNpmsKeysCanBeRead(t *testing.T) {
	if n := len(Known("registry.npmjs.org")); n != 2 {
		t.Errorf("%d keys of 2", n)
	}
	if Known("registry.example.com") != nil {
		t.Error("another registry has npm's keys")
	}
}

func FuzzVerify(f *testing.F) {
	doc := recorded(f)
	f.Add(string(jsjson.Append(nil, doc, "", "")), "ec", doc.Get("ec").Str())
	f.Fuzz(func(t *testing.T, keys, id, sig string) {
		v, err := jsjson.Parse([]byte(keys))
		if err != nil {
			return
		}
		_ = Verify(ParseKeys(v), "a@1.0.0", "sha512-abc==", time.Time{}, Signature{KeyID: id, Sig: sig})
	})
}
