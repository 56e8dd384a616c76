package cmd

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/provenance"
	"github.com/ibid-pm/ibid/internal/provenance/sigstoretest"
	"github.com/ibid-pm/ibid/registry/registrytest"
)

// attested is a project with a package that its registry has signed and that has
// two attestations: the registry's own and that of the job which built it.
type attested struct {
	t         *testing.T
	registry  *registrytest.Registry
	sigstore  *sigstoretest.Sigstore
	key       *ecdsa.PrivateKey
	home, dir string
	out, err  bytes.Buffer
	subject   provenance.Subject
}

const registryKey = "SHA256:registry"

func newAttested(t *testing.T) *attested {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &attested{t: t, registry: registrytest.New(t), sigstore: sigstoretest.Start(), key: key, home: t.TempDir(), dir: t.TempDir()}
	t.Cleanup(a.sigstore.Close)
	if err := a.registry.Add(`{"name":"@s/pkg","version":"1.0.0"}`, map[string]string{"index.js": "\n"}); err != nil {
		t.Fatal(err)
	}
	tgz, _ := a.registry.TarballOf("@s/pkg", "1.0.0")
	sum := sha512.Sum512(tgz)
	a.subject = provenance.Subject{Name: "pkg:npm/%40s/pkg@1.0.0", SHA512: fmt.Sprintf("%x", sum)}
	message := sha256.Sum256([]byte("@s/pkg@1.0.0:sha512-" + base64.StdEncoding.EncodeToString(sum[:])))
	sig, err := ecdsa.SignASN1(rand.Reader, key, message[:])
	if err != nil {
		t.Fatal(err)
	}
	patch := fmt.Sprintf(`{"versions":{"1.0.0":{"dist":{"signatures":[{"keyid":"%s","sig":"%s"}],"attestations":{"url":"https://registry.npmjs.org/-/npm/v1/attestations/@s%%2fpkg@1.0.0","provenance":{"predicateType":"https://slsa.dev/provenance/v1"}}}}}}`,
		registryKey, base64.StdEncoding.EncodeToString(sig))
	if err := a.registry.Patch("@s/pkg", patch); err != nil {
		t.Fatal(err)
	}
	a.keys("null")
	for name, data := range map[string]string{
		filepath.Join(a.home, ".npmrc"):      "registry=" + a.registry.URL + "\n",
		filepath.Join(a.home, "root.json"):   string(a.sigstore.TrustedRoot()),
		filepath.Join(a.dir, "package.json"): `{"name":"app","version":"1.0.0","dependencies":{"@s/pkg":"1"}}`,
	} {
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if status := a.run("install"); status != 0 {
		t.Fatal(a.err.String())
	}
	return a
}

func (a *attested) answer(path, body string) {
	a.registry.Fail(registrytest.Fault{Kind: registrytest.Replace, Path: path, Body: body})
}

func (a *attested) run(args ...string) int {
	return a.runWith("IBID_SIGSTORE_ROOT="+filepath.Join(a.home, "root.json"), args...)
}

func (a *attested) runWith(environ string, args ...string) int {
	a.out.Reset()
	a.err.Reset()
	return Main(Env{
		Argv: append([]string{"ibid"}, args...), Cwd: a.dir, Stdin: strings.NewReader(""), Stdout: &a.out, Stderr: &a.err,
		Environ: append([]string{"HOME=" + a.home, "USERPROFILE=" + a.home, "PATH=" + os.Getenv("PATH"), "npm_config_cache=" + filepath.Join(a.home, "cache")}, strings.Split(environ, " ")...),
	})
}

func (a *attested) built(subject provenance.Subject) []byte {
	a.t.Helper()
	signer := &provenance.Signer{Fulcio: a.sigstore.URL, Rekor: a.sigstore.URL, Post: func(ctx context.Context, url string, body []byte) ([]byte, error) {
		res, err := http.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		return io.ReadAll(res.Body)
	}}
	statement := provenance.Statement(provenance.GitHub, subject, func(string) (string, bool) { return "", false })
	b, err := signer.Attest(a.t.Context(), statement, sigstoretest.Token(map[string]any{"sub": "a"}))
	if err != nil {
		a.t.Fatal(err)
	}
	return jsjson.Append(nil, b.JSON, "", "")
}

func (a *attested) published(key *ecdsa.PrivateKey, keyID string, subject provenance.Subject) []byte {
	payload, err := json.Marshal(map[string]any{"subject": []any{map[string]any{"name": subject.Name, "digest": map[string]string{"sha512": subject.SHA512}}}})
	if err != nil {
		a.t.Fatal(err)
	}
	return a.sigstore.KeyBundle(key, keyID, provenance.PayloadType, payload)
}

func (a *attested) serve(bundles ...[]byte) {
	items := make([]string, len(bundles))
	for i, b := range bundles {
		items[i] = fmt.Sprintf(`{"predicateType":"https://type.test/%d","bundle":%s}`, i, b)
	}
	a.answer("/-/npm/v1/attestations/@s/pkg@1.0.0", `{"attestations":[`+strings.Join(items, ",")+`]}`)
}

func TestAttestationsAreVerified(t *testing.T) {
	a := newAttested(t)
	a.serve(a.published(a.key, registryKey, a.subject), a.built(a.subject))
	if status := a.run("audit", "signatures"); status != 0 {
		t.Errorf("exit status %d\n%s%s", status, a.out.String(), a.err.String())
	}
	want := "1 package has a verified registry signature\n\n1 package has a verified attestation\n(use --json --include-attestations to view attestation details)\n\n"
	if _, rest, _ := strings.Cut(a.out.String(), "\n\n"); rest != want {
		t.Errorf("printed\n%s", a.out.String())
	}
	if status := a.run("audit", "signatures", "--json", "--include-attestations"); status != 0 {
		t.Errorf("exit status %d", status)
	}
	var found struct {
		Invalid, Missing []any
		Verified         []struct {
			Name               string
			Attestations       struct{ URL string }
			AttestationBundles []any
		}
	}
	if err := json.Unmarshal(a.out.Bytes(), &found); err != nil || len(found.Verified) != 1 || len(found.Verified[0].AttestationBundles) != 2 || len(found.Invalid)+len(found.Missing) > 0 {
		t.Errorf("%v: printed\n%s", err, a.out.String())
	}
}

// A mirror may say whom to trust, if the root that it is trusted by has signed that.
func TestAMirrorSaysWhomAttestationsAreTrustedFrom(t *testing.T) {
	a := newAttested(t)
	a.serve(a.published(a.key, registryKey, a.subject), a.built(a.subject))
	stranger := sigstoretest.Start()
	defer stranger.Close()
	write := func(s *sigstoretest.Sigstore) string {
		file := filepath.Join(a.home, "tuf.json")
		if err := os.WriteFile(file, s.TUF()["1.root.json"], 0o600); err != nil {
			t.Fatal(err)
		}
		return "IBID_SIGSTORE_TUF=" + a.sigstore.URL + "/tuf IBID_SIGSTORE_TUF_ROOT=" + file
	}
	environ := write(a.sigstore)
	a.sigstore.Rotate()
	if status := a.runWith(environ, "audit", "signatures"); status != 0 || !strings.Contains(a.out.String(), "1 package has a verified attestation\n") {
		t.Errorf("exit status %d\n%s%s", status, a.out.String(), a.err.String())
	}
	if status := a.runWith(write(stranger), "audit", "signatures"); status != 1 || !strings.Contains(a.err.String(), "2.root.json: is signed by 0 keys that are trusted, not by 1") {
		t.Errorf("exit status %d\n%s%s", status, a.out.String(), a.err.String())
	}
	if status := a.runWith("IBID_SIGSTORE_TUF="+a.sigstore.URL, "audit", "signatures"); status != 1 || !strings.Contains(a.err.String(), "EUSAGE") {
		t.Errorf("exit status %d\n%s%s", status, a.out.String(), a.err.String())
	}
}

func TestAttestationsThatDoNotVerify(t *testing.T) {
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := provenance.Subject{Name: "pkg:npm/%40s/pkg@1.0.0", SHA512: strings.Repeat("ab", 64)}
	for _, c := range []struct {
		name    string
		bundles func(a *attested) [][]byte
		code    string // of the command's own error
		want    string // in stdout, or in stderr where there is a code
	}{
		{"another's key", func(a *attested) [][]byte { return [][]byte{a.published(stranger, registryKey, a.subject)} }, "", "@s/pkg@1.0.0 failed to verify attestation: the signature is not that of the statement"},
		{"a key that nobody knows", func(a *attested) [][]byte { return [][]byte{a.published(stranger, "SHA256:x", a.subject)} }, "EMISSINGSIGNATUREKEY", "signed with the key SHA256:x, which nobody knows"},
		{"another tarball", func(a *attested) [][]byte { return [][]byte{a.built(other)} }, "EATTESTATIONSUBJECT", "doesn't match what was signed: abab"},
		{"another package", func(a *attested) [][]byte { return [][]byte{a.built(provenance.Subject{Name: "pkg:npm/x@1.0.0"})} }, "EATTESTATIONSUBJECT", "@s/pkg@1.0.0 package name and version (PURL): pkg:npm/%40s/pkg@1.0.0 doesn't match what was signed: pkg:npm/x@1.0.0"},
		{"no bundle", func(*attested) [][]byte { return [][]byte{[]byte("{}")} }, "", "failed to verify attestation: the bundle's media type is"},
		{"another Sigstore", func(a *attested) [][]byte {
			s := a.sigstore
			a.sigstore = sigstoretest.Start()
			defer func() { a.sigstore.Close(); a.sigstore = s }()
			return [][]byte{a.built(a.subject)}
		}, "", "failed to verify attestation: the log's promise to have the signature is not one of a log that is trusted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newAttested(t)
			a.serve(c.bundles(a)...)
			if status := a.run("audit", "signatures", "--json"); status != 1 {
				t.Errorf("exit status %d", status)
			}
			if c.code != "" {
				if said := a.err.String(); !strings.Contains(said, "ibid error code "+c.code+"\n") || !strings.Contains(said, c.want) {
					t.Errorf("said\n%s", said)
				}
				return
			}
			if !strings.Contains(a.out.String(), `"code": "EATTESTATIONVERIFY"`) || !strings.Contains(a.out.String(), c.want) || !strings.Contains(a.out.String(), `"predicateType"`+": "+`"https://type.test/0"`) {
				t.Errorf("printed\n%s\n%s", a.out.String(), a.err.String())
			}
			if status := a.run("audit", "signatures"); status != 1 || !strings.Contains(a.out.String(), "1 package has an invalid attestation:\n\n@s/pkg@1.0.0 (") {
				t.Errorf("exit status %d\n%s", status, a.out.String())
			}
		})
	}
}

// keys has the registry answer with its key, which expires as said.
func (a *attested) keys(expires string) {
	a.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&a.key.PublicKey)
	if err != nil {
		a.t.Fatal(err)
	}
	a.answer("/-/npm/v1/keys", fmt.Sprintf(`{"keys":[{"keyid":"%s","key":"%s","expires":%s}]}`, registryKey, base64.StdEncoding.EncodeToString(der), expires))
}

// A list without an attestation verifies nothing.
func TestNoAttestationIsNone(t *testing.T) {
	a := newAttested(t)
	a.serve()
	if status := a.run("audit", "signatures"); status != 0 || strings.Contains(a.out.String(), "attestation") {
		t.Errorf("exit status %d\n%s%s", status, a.out.String(), a.err.String())
	}
	if status := a.run("audit", "signatures", "--json", "--include-attestations"); status != 0 || !strings.Contains(a.out.String(), `"verified": []`) {
		t.Errorf("exit status %d\n%s%s", status, a.out.String(), a.err.String())
	}
}

// The time at which a key was used is the one that a log vouches for, not the one
// that an entry only says.
func TestAnExpiredKeyDoesNotAttest(t *testing.T) {
	a := newAttested(t)
	v, err := jsjson.Parse(a.published(a.key, registryKey, a.subject))
	if err != nil {
		t.Fatal(err)
	}
	material := v.Get("verificationMaterial")
	entry := material.Get("tlogEntries").Index(0)
	said := jsjson.NewObject(slices.DeleteFunc(slices.Clone(entry.Members()), func(m jsjson.Member) bool { return m.Key == "inclusionPromise" })...)
	said = said.With("integratedTime", jsjson.NewString("1000000000"))
	v = v.With("verificationMaterial", material.With("tlogEntries", jsjson.NewArray(said, entry)))
	bundle := jsjson.Append(nil, v, "", "")
	a.serve(bundle)
	if status := a.run("audit", "signatures"); status != 0 {
		t.Errorf("a key that does not expire: exit status %d\n%s%s", status, a.out.String(), a.err.String())
	}
	a.registry.Heal()
	a.serve(bundle)
	a.keys(`"2002-01-01T00:00:00.000Z"`)
	if err := a.registry.Patch("@s/pkg", `{"time":{"1.0.0":"2001-01-01T00:00:00.000Z"}}`); err != nil {
		t.Fatal(err)
	}
	if status := a.run("audit", "signatures", "--json", "--prefer-online"); status != 1 || !strings.Contains(a.out.String(), "which expired 2002-01-01T00:00:00.000Z") {
		t.Errorf("exit status %d\n%s%s", status, a.out.String(), a.err.String())
	}
}

// What is signed is the tarball that the registry has; a lock may have led to
// another one.
func TestWhatIsInstalledIsWhatIsSigned(t *testing.T) {
	a := newAttested(t)
	a.serve(a.published(a.key, registryKey, a.subject))
	hidden := filepath.Join(a.dir, "node_modules", ".package-lock.json")
	data, err := os.ReadFile(hidden)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(hidden)
	if err != nil {
		t.Fatal(err)
	}
	for integrity, good := range map[string]bool{
		"sha512-" + base64.StdEncoding.EncodeToString(make([]byte, 64)): false,
		"sha1-" + base64.StdEncoding.EncodeToString(make([]byte, 20)):   true, // nothing to compare it with
	} {
		other := regexp.MustCompile(`sha512-[^"]+`).ReplaceAll(data, []byte(integrity))
		if err := os.WriteFile(hidden, other, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(hidden, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		status := a.run("audit", "signatures")
		if good && status != 0 || !good && (status != 1 || !strings.Contains(a.out.String(), "1 package has an invalid registry signature:\n\n@s/pkg@1.0.0 (") ||
			!strings.Contains(a.err.String(), "ibid warn audit @s/pkg@1.0.0 is installed with the integrity "+integrity+", not with sha512-")) {
			t.Errorf("%s: exit status %d\n%s%s", integrity, status, a.out.String(), a.err.String())
		}
	}
}
