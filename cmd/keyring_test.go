package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ibid-pm/ibid/registry/registrytest"
)

// fakeRing is a keyring in memory, or one that fails.
type fakeRing struct {
	mu     sync.Mutex
	tokens map[string]string
	asked  int
	err    error
}

func (r *fakeRing) Get(dart string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.tokens[dart], r.err
}

func (r *fakeRing) Set(dart, token string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.tokens[dart] = token
	}
	return r.err
}

func (r *fakeRing) Delete(dart string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		delete(r.tokens, dart)
	}
	return r.err
}

const keptSecret = "a-very-secret-token"

// newKeyringUser is somebody who can log in with a password, and has a keyring.
func newKeyringUser(t *testing.T) (p *publishing, ring *fakeRing, dart string) {
	t.Helper()
	p = newPublishing(t, examplePackage)
	p.registry.Heal()
	ring = &fakeRing{tokens: map[string]string{}}
	p.keyring, p.stdin = ring, "ann\na-password\n"
	p.registry.Fail(registrytest.Fault{
		Kind: registrytest.Replace, Method: "PUT", Path: "/-/user/org.couchdb.user:ann", Status: 201, Body: `{"token":"` + keptSecret + `"}`,
	})
	p.accept("PUT", 0, `{"ok":true}`)
	p.accept("DELETE", 0, `{"ok":true}`)
	return p, ring, strings.TrimPrefix(p.registry.URL, "http:")
}

func (p *publishing) npmrc() string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.home, ".npmrc"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	return string(text)
}

// nowhere checks that a secret is in no file of the home and was not printed.
func (p *publishing) nowhere(secret string) {
	p.t.Helper()
	if strings.Contains(p.out.String()+p.err.String(), secret) {
		p.t.Errorf("the secret is printed:\n%s%s", p.out.String(), p.err.String())
	}
	logs := 0
	err := filepath.WalkDir(p.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), secret) {
			p.t.Errorf("the secret is in %s", path)
		}
		if strings.Contains(path, "_logs") {
			logs++
		}
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
	if logs == 0 {
		p.t.Error("there is no log to look at")
	}
}

func TestATokenLivesInTheKeyring(t *testing.T) {
	p, ring, dart := newKeyringUser(t)
	if status := p.run("login", "--keyring", "--auth-type=legacy", "--loglevel=silly"); status != 0 {
		t.Fatalf("exit status %d\n%s", status, p.err.String())
	}
	if ring.tokens[dart] != keptSecret {
		t.Errorf("the keyring has %v", ring.tokens)
	}
	if got, want := p.npmrc(), "registry="+p.registry.URL+"\nkeyring=true\n"; got != want {
		t.Errorf(".npmrc is %q, want %q", got, want)
	}
	if st, err := os.Stat(filepath.Join(p.home, ".npmrc")); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	p.nowhere(keptSecret)

	p.stdin = ""
	for _, args := range [][]string{{"whoami"}, {"publish"}, {"deprecate", "@scope/example", "no more"}, {"token", "list"}, {"view", "@scope/example"}} {
		ring.asked = 0
		p.run(append(args, "--loglevel=silly")...)
		for _, r := range p.registry.Requests() {
			if got := r.Header.Get("Authorization"); got != "Bearer "+keptSecret {
				t.Errorf("%s sent %q to %s", args[0], got, r.URI)
			}
		}
		if ring.asked != 1 {
			t.Errorf("%s asked the keyring %d times", args[0], ring.asked)
		}
		p.nowhere(keptSecret)
	}

	if status := p.run("logout", "--loglevel=silly"); status != 0 {
		t.Fatalf("exit status %d\n%s", status, p.err.String())
	}
	if r := p.sent("DELETE"); r == nil || r.URI != "/-/user/token/"+keptSecret || r.Header.Get("Authorization") != "Bearer "+keptSecret {
		t.Errorf("sent %v", r)
	}
	if len(ring.tokens) != 0 {
		t.Errorf("the keyring still has %v", ring.tokens)
	}
	p.nowhere(keptSecret)
	if status := p.run("whoami"); status != 1 || !strings.Contains(p.err.String(), "ENEEDAUTH") {
		t.Errorf("%d\n%s", status, p.err.String())
	}
}

// Nothing falls back to a file, and nothing is asked of a registry without the
// token that it should be asked with.
func TestAKeyringThatCannotBeUsedIsAnError(t *testing.T) {
	p, ring, _ := newKeyringUser(t)
	before := p.npmrc()
	ring.err = errors.New("the collection is \x1b[31mlocked")
	for _, args := range [][]string{{"login", "--auth-type=legacy"}, {"logout"}, {"whoami"}, {"publish"}, {"publish", "--dry-run"}, {"view", "x"}, {"install", "x"}} {
		p.write(filepath.Join(p.home, ".npmrc"), "registry="+p.registry.URL+"\nkeyring=true\n")
		status := p.run(args...)
		text := p.err.String()
		if status != 1 || !strings.Contains(text, "error code EKEYRING") || !strings.Contains(text, "locked") || !strings.Contains(text, "--no-keyring") || strings.Contains(text, "\x1b[31m") {
			t.Errorf("%s: exit status %d\n%s", args[0], status, text)
		}
		if n := len(p.registry.Requests()); n != 0 {
			t.Errorf("%s sent %d requests", args[0], n)
		}
		if got := p.npmrc(); got != "registry="+p.registry.URL+"\nkeyring=true\n" {
			t.Errorf("%s wrote %q", args[0], got)
		}
	}
	// Who has the token in a file needs no keyring.
	p.write(filepath.Join(p.home, ".npmrc"), before+"keyring=true\n")
	if status := p.run("whoami"); status != 0 {
		t.Errorf("%d\n%s", status, p.err.String())
	}
	p.write(filepath.Join(p.home, ".npmrc"), "registry="+p.registry.URL+"\nkeyring=true\n")
	if status := p.run("login", "--no-keyring", "--auth-type=legacy"); status != 0 || !strings.Contains(p.npmrc(), ":_authToken="+keptSecret) {
		t.Errorf("%d\n%s", status, p.err.String())
	}
}

// forgetful is a keyring that can be read but not written.
type forgetful struct{ *fakeRing }

func (forgetful) Set(string, string) error { return errors.New("read only") }

func TestATokenThatCannotBeKeptIsRevoked(t *testing.T) {
	p, ring, _ := newKeyringUser(t)
	p.write(filepath.Join(p.home, ".npmrc"), "registry="+p.registry.URL+"\n")
	p.keyring = forgetful{ring}
	if status := p.run("login", "--keyring", "--auth-type=legacy"); status != 1 || !strings.Contains(p.err.String(), "EKEYRING") {
		t.Errorf("%d\n%s", status, p.err.String())
	}
	if r := p.sent("DELETE"); r == nil || r.URI != "/-/user/token/"+keptSecret {
		t.Errorf("sent %v", r)
	}
	if got := p.npmrc(); got != "registry="+p.registry.URL+"\n" {
		t.Errorf(".npmrc is %q", got)
	}
	p.nowhere(keptSecret)
}

// Neither a repository's .npmrc nor a package.json decides where tokens are kept.
func TestAProjectDoesNotDecideAboutTheKeyring(t *testing.T) {
	p, ring, dart := newKeyringUser(t)
	ring.tokens[dart] = keptSecret
	own := "registry=" + p.registry.URL + "\n"
	for _, c := range []struct {
		name, project, user string
		asks                bool
	}{
		{"turned on", "keyring=true\n", own, false},
		{"turned off", "keyring=false\n", own + "keyring=true\n", true},
		{"a file of its own that turns it on", "userconfig=PROJECT/rc\nregistry=" + p.registry.URL + "\n", own, false},
		{"a file of its own that says nothing", "userconfig=PROJECT/none\nregistry=" + p.registry.URL + "\n", own + "keyring=true\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.t = t
			p.write(filepath.Join(p.dir, "rc"), "keyring=true\n")
			p.write(filepath.Join(p.dir, ".npmrc"), strings.ReplaceAll(c.project, "PROJECT", p.dir))
			p.write(filepath.Join(p.home, ".npmrc"), c.user)
			ring.asked = 0
			p.run("whoami")
			if (ring.asked > 0) != c.asks {
				t.Errorf("the keyring was asked %d times\n%s", ring.asked, p.err.String())
			}
			if strings.HasPrefix(c.project, "keyring") && !strings.Contains(p.err.String(), "ignoring keyring from") {
				t.Errorf("nothing is said:\n%s", p.err.String())
			}
		})
	}
	t.Run("publishConfig", func(t *testing.T) {
		p.t = t
		if err := os.Remove(filepath.Join(p.dir, ".npmrc")); err != nil {
			t.Fatal(err)
		}
		p.write(filepath.Join(p.home, ".npmrc"), own+"keyring=true\n")
		p.write(filepath.Join(p.dir, "package.json"), `{"name":"x","version":"1.0.0","publishConfig":{"keyring":false}}`)
		if status := p.run("publish"); status != 0 {
			t.Fatalf("%d\n%s", status, p.err.String())
		}
		if r := p.sent("PUT"); r == nil || r.Header.Get("Authorization") != "Bearer "+keptSecret {
			t.Errorf("sent %v", r)
		}
	})
}
