package cmd

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/registry/registrytest"
)

// connecting is somebody who installs a package from a registry that is not easily
// reached. https://example.com is what its certificate says of it.
type connecting struct {
	*testing.T
	dir, home string
	packages  *registrytest.Registry // a handler
	server    *httptest.Server       // with https
	ca        string                 // the file with its certificate
	out, err  bytes.Buffer
}

func newConnecting(t *testing.T) *connecting {
	t.Helper()
	c := &connecting{T: t, dir: t.TempDir(), home: t.TempDir(), packages: registrytest.NewHandler()}
	if err := c.packages.Add(`{"name":"a","version":"1.0.0"}`, map[string]string{"index.js": "1"}); err != nil {
		t.Fatal(err)
	}
	c.server = quiet(c.packages)
	c.server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	c.server.StartTLS()
	t.Cleanup(c.server.Close)
	t.Cleanup(c.packages.Close)
	c.ca = c.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw})))
	c.write("package.json", `{"name":"app","version":"1.0.0","dependencies":{"a":"1"}}`)
	c.write("package-lock.json", `{"name":"app","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"app","version":"1.0.0","dependencies":{"a":"1"}},
"node_modules/a":{"version":"1.0.0","resolved":"https://registry.npmjs.org/a/-/a-1.0.0.tgz"}}}`)
	return c
}

func quiet(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // those who are refused are what it is about
	return s
}

func (c *connecting) write(name, text string) (path string) {
	c.Helper()
	path = filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	return path
}

// ci installs, from nothing.
func (c *connecting) ci(environ []string, args ...string) int {
	c.Helper()
	c.out.Reset()
	c.err.Reset()
	for _, dir := range []string{filepath.Join(c.dir, "node_modules"), filepath.Join(c.home, "cache")} {
		if err := os.RemoveAll(dir); err != nil {
			c.Fatal(err)
		}
	}
	if c.ca != "" {
		args = append([]string{"--cafile=" + c.ca}, args...)
	}
	return Main(Env{
		Argv: append([]string{"ibid", "ci", "--audit=false", "--fetch-retries=0"}, args...),
		Environ: append([]string{"HOME=" + c.home, "USERPROFILE=" + c.home, "PATH=" + os.Getenv("PATH"),
			"npm_config_cache=" + filepath.Join(c.home, "cache"), "npm_config_loglevel=silly"}, environ...),
		Cwd: c.dir, Stdin: strings.NewReader(""), Stdout: &c.out, Stderr: &c.err,
	})
}

func (c *connecting) installed() bool {
	_, err := os.Stat(filepath.Join(c.dir, "node_modules", "a", "index.js"))
	return err == nil
}

// nowhere fails if a secret was printed, logged or stored.
func (c *connecting) nowhere(secret string) {
	c.Helper()
	if strings.Contains(c.out.String()+c.err.String(), secret) {
		c.Errorf("%s was printed:\n%s", secret, c.err.String())
	}
	err := filepath.WalkDir(c.home, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(secret)) {
			c.Errorf("%s is in %s", secret, path)
		}
		return err
	})
	if err != nil {
		c.Error(err)
	}
}

// A proxy reaches the registry whatever its name is. It may want to know who asks.
type proxy struct {
	c     *connecting
	wants string // Proxy-Authorization, for SOCKS "user:password"

	mu    sync.Mutex
	asked []string // what it was asked for
}

func (p *proxy) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, what)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.note(r.Method + " " + r.RequestURI)
	if got := r.Header.Get("Proxy-Authorization"); got != p.wants {
		w.Header().Set("Proxy-Authenticate", "Basic")
		http.Error(w, "who are you?", http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		p.c.packages.ServeHTTP(w, r)
		return
	}
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		p.c.Error(err)
		return
	}
	fmt.Fprint(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	p.join(here)
}

// join passes on what one side says to the other.
func (p *proxy) join(here net.Conn) {
	there, err := net.Dial("tcp", p.c.server.Listener.Addr().String())
	if err != nil {
		p.c.Error(err)
		here.Close()
		return
	}
	go func() { _, _ = io.Copy(there, here); there.Close() }()
	_, _ = io.Copy(here, there)
	here.Close()
}

// socks serves RFC 1928, with RFC 1929 where it wants to know who asks.
func (p *proxy) socks(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			if err := p.greet(conn); err != nil {
				conn.Close()
				return
			}
			p.join(conn)
		}()
	}
}

func (p *proxy) greet(conn net.Conn) error {
	read := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(conn, b); err != nil {
			return make([]byte, n)
		}
		return b
	}
	read(int(read(2)[1])) // the methods it knows
	if p.wants == "" {
		_, _ = conn.Write([]byte{5, 0})
	} else {
		_, _ = conn.Write([]byte{5, 2})
		user := read(int(read(2)[1]))
		password := read(int(read(1)[0]))
		if got := string(user) + ":" + string(password); got != p.wants {
			_, _ = conn.Write([]byte{1, 1})
			return fmt.Errorf("it is %q", got)
		}
		_, _ = conn.Write([]byte{1, 0})
	}
	if head := read(4); head[1] != 1 || head[3] != 3 {
		return fmt.Errorf("not a CONNECT to a name: %v", head)
	}
	host := read(int(read(1)[0]))
	p.note(fmt.Sprintf("SOCKS %s:%d", host, binary.BigEndian.Uint16(read(2))))
	_, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return err
}

func TestProxies(t *testing.T) {
	const https, plain = "--registry=https://example.com/", "--registry=http://example.com/"
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:pass word"))
	for _, test := range []struct {
		name  string
		kind  string // of the proxy
		wants string
		args  []string // %s is the proxy's host
		env   []string
		asked string // "" is that it was not asked
		fails string // what is said
	}{
		{name: "http, of http", kind: "http", args: []string{plain, "--proxy=http://%s"}, asked: "GET http://example.com/a/-/a-1.0.0.tgz"},
		{name: "http, of https", kind: "http", args: []string{https, "--https-proxy=http://%s"}, asked: "CONNECT example.com:443"},
		{name: "proxy is for https as well", kind: "http", args: []string{https, "--proxy=http://%s"}, asked: "CONNECT example.com:443"},
		{name: "HTTPS_PROXY", kind: "http", args: []string{https}, env: []string{"HTTPS_PROXY=http://%s"}, asked: "CONNECT example.com:443"},
		{name: "http_proxy", kind: "http", args: []string{plain}, env: []string{"http_proxy=http://%s"}, asked: "GET http://example.com/a/-/a-1.0.0.tgz"},
		{name: "who asks", kind: "http", wants: basic, args: []string{https, "--proxy=http://user:pass%%20word@%s"}, asked: "CONNECT example.com:443"},
		{name: "who asks, of http", kind: "http", wants: basic, args: []string{plain, "--proxy=http://user:pass%%20word@%s"}, asked: "GET http://example.com/a/-/a-1.0.0.tgz"},
		{name: "somebody else asks", kind: "http", wants: basic, args: []string{https, "--proxy=http://user:s3cret-w0rd@%s"}, asked: "CONNECT example.com:443", fails: "ibid hint: the proxy wants to know who asks"},
		{name: "somebody else asks, of http", kind: "http", wants: basic, args: []string{plain, "--proxy=http://user:s3cret-w0rd@%s"}, asked: "GET http://example.com/a/-/a-1.0.0.tgz", fails: "ibid hint: the proxy wants to know who asks"},
		{name: "https, of https", kind: "https", args: []string{https, "--https-proxy=https://%s"}, asked: "CONNECT example.com:443"},
		{name: "https, who asks", kind: "https", wants: basic, args: []string{https, "--https-proxy=https://user:pass%%20word@%s"}, asked: "CONNECT example.com:443"},
		{name: "socks5", kind: "socks", args: []string{https, "--https-proxy=socks5://%s"}, asked: "SOCKS example.com:443"},
		{name: "socks", kind: "socks", args: []string{https, "--https-proxy=socks://%s"}, asked: "SOCKS example.com:443"},
		{name: "socks5h, who asks", kind: "socks", wants: "user:pass word", args: []string{https, "--https-proxy=socks5h://user:pass%%20word@%s"}, asked: "SOCKS example.com:443"},
		{name: "noproxy", kind: "http", args: []string{"--registry=%r", "--proxy=http://%s", "--noproxy=127.0.0.1"}},
		{name: "NO_PROXY", kind: "http", args: []string{"--registry=%r", "--proxy=http://%s"}, env: []string{"NO_PROXY=other.example,127.0.0.1"}},
		{name: "nobody there", args: []string{https, "--proxy=http://user:s3cret-w0rd@127.0.0.1:1"}, fails: "connection refused"},
		{name: "what is none", args: []string{https, "--proxy=ftp://user:s3cret-w0rd@127.0.0.1:1"}, fails: "not an http, https or socks5 URL"},
		{name: "SOCKS 4", args: []string{https, "--proxy=socks4://127.0.0.1:1"}, fails: "not an http, https or socks5 URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConnecting(t)
			p := &proxy{c: c, wants: test.wants}
			var at string
			switch test.kind {
			case "http":
				s := quiet(p)
				s.Start()
				t.Cleanup(s.Close)
				at = s.Listener.Addr().String()
			case "https": // with the certificate that httptest has for all
				s := quiet(p)
				s.StartTLS()
				t.Cleanup(s.Close)
				at = s.Listener.Addr().String()
			case "socks":
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { l.Close() })
				go p.socks(l)
				at = l.Addr().String()
			}
			fill := strings.NewReplacer("%%", "%", "%s", at, "%r", c.server.URL+"/")
			var args, env []string
			for _, a := range test.args {
				args = append(args, fill.Replace(a))
			}
			for _, e := range test.env {
				env = append(env, fill.Replace(e))
			}
			status := c.ci(env, args...)
			if failed := status != 0; failed != (test.fails != "") || failed == c.installed() || !strings.Contains(c.err.String(), test.fails) {
				t.Errorf("ended with %d:\n%s", status, c.err.String())
			}
			var asked string
			p.mu.Lock()
			if len(p.asked) > 0 {
				asked = p.asked[0]
			}
			p.mu.Unlock()
			if asked != test.asked {
				t.Errorf("the proxy was asked for %q, want %q", asked, test.asked)
			}
			for _, q := range c.packages.Requests() {
				if test.kind == "http" && strings.HasPrefix(test.asked, "GET") {
					break // it is the proxy that is asked
				}
				if got := q.Header.Get("Proxy-Authorization"); got != "" {
					t.Errorf("the registry was told %s", got)
				}
			}
			for _, secret := range []string{"pass%20word", "pass word", "s3cret-w0rd"} {
				c.nowhere(secret)
			}
		})
	}
}

// A project's proxy gets nobody's credentials where it could read them.
func TestAProjectsProxyGetsNoCredentials(t *testing.T) {
	const plain, https = "registry=http://example.com/\n", "registry=https://example.com/\n"
	for _, test := range []struct {
		name          string
		project, user string // %s is the proxy's host
		args          []string
		sent          bool
	}{
		{name: "plain text", project: plain + "proxy=http://%s\n"},
		{name: "unchecked certificates", project: https + "https-proxy=http://%s\nstrict-ssl=false\n"},
		{name: "certificates of its own", project: https + "https-proxy=http://%s\ncafile=${CA}\n"},
		{name: "the project's token", project: plain + "proxy=http://%s\n//example.com/:_authToken=s3cret-w0rd\n", sent: true},
		{name: "encrypted", project: https + "proxy=http://%s\n", args: []string{"--cafile=${CA}"}, sent: true},
		{name: "the user's proxy", project: plain, user: "proxy=http://%s\n", sent: true},
		{name: "the user says so", project: plain + "proxy=http://%s\n", args: []string{"--proxy=http://%s"}, sent: true},
		{name: "no proxy at all", project: "registry=%r\nproxy=http://%s\nstrict-ssl=false\n", args: []string{"--noproxy=127.0.0.1"}, sent: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConnecting(t)
			s := quiet(&proxy{c: c})
			s.Start()
			t.Cleanup(s.Close)
			fill := strings.NewReplacer("%s", s.Listener.Addr().String(), "%r", c.server.URL+"/", "${CA}", c.ca)
			c.write(".npmrc", fill.Replace(test.project))
			user := fill.Replace(test.user) + "//example.com/:_authToken=s3cret-w0rd\n//" + c.server.Listener.Addr().String() + "/:_authToken=s3cret-w0rd\n"
			if err := os.WriteFile(filepath.Join(c.home, ".npmrc"), []byte(user), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"--otp=123456"}
			for _, a := range test.args {
				args = append(args, fill.Replace(a))
			}
			ca := c.ca
			c.ca = "" // what the test says counts
			status := c.ci(nil, args...)
			c.ca = ca
			if status != 0 || !c.installed() {
				t.Fatalf("ended with %d:\n%s", status, c.err.String())
			}
			for _, q := range c.packages.Requests() {
				if got := q.Header.Get("Authorization") != ""; got != test.sent {
					t.Errorf("the token was sent: %v", got)
				}
				if got := q.Header.Get("Npm-Otp") != ""; got != (test.sent && test.name != "the project's token") {
					t.Errorf("the one-time password was sent: %v", got)
				}
			}
			if len(c.packages.Requests()) == 0 {
				t.Error("nothing was asked for")
			}
			if got := strings.Contains(c.err.String(), "ibid warn no credentials are sent to example.com"); got == test.sent {
				t.Errorf("warned: %v\n%s", got, c.err.String())
			}
		})
	}
}

// What is published may be a stranger's tarball, with settings of its own.
func TestAPublishConfigsProxyGetsNoCredentials(t *testing.T) {
	c := newConnecting(t)
	c.ca = ""
	s := quiet(&proxy{c: c})
	s.Start()
	t.Cleanup(s.Close)
	c.write("package.json", `{"name":"app","version":"1.0.0","publishConfig":{"proxy":"http://`+s.Listener.Addr().String()+`"}}`)
	if err := os.WriteFile(filepath.Join(c.home, ".npmrc"), []byte("registry=http://example.com/\n//example.com/:_authToken=s3cret-w0rd\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"publish", "unpublish"} {
		c.err.Reset()
		status := Main(Env{
			Argv:    []string{"ibid", command, "--force", "--fetch-retries=0"},
			Environ: []string{"HOME=" + c.home, "USERPROFILE=" + c.home, "PATH=" + os.Getenv("PATH")},
			Cwd:     c.dir, Stdin: strings.NewReader(""), Stdout: &c.out, Stderr: &c.err,
		})
		if status == 0 {
			t.Errorf("%s ended with 0:\n%s", command, c.err.String())
		}
	}
	for _, q := range c.packages.Requests() {
		if q.Header.Get("Authorization") != "" {
			t.Errorf("%s %s has the token", q.Method, q.Path)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "somebody"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	keyPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	for _, test := range []struct {
		name  string
		npmrc string // %h is the registry's host, %d the project
		shown bool
	}{
		{"none", "", false},
		{"of this registry", "//%h/:certfile=%d/cert.pem\n//%h/:keyfile=%d/key.pem\n", true},
		{"of another registry", "//other.example/:certfile=%d/cert.pem\n//other.example/:keyfile=%d/key.pem\n", false},
		{"for all", "cert=\"" + strings.ReplaceAll(certPEM, "\n", `\n`) + "\"\nkey=\"" + strings.ReplaceAll(keyPEM, "\n", `\n`) + "\"\n", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newConnecting(t)
			var mu sync.Mutex
			var shown []string
			c.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				for _, cert := range r.TLS.PeerCertificates {
					shown = append(shown, cert.Subject.CommonName)
				}
				mu.Unlock()
				c.packages.ServeHTTP(w, r)
			})
			c.write("cert.pem", certPEM)
			c.write("key.pem", keyPEM)
			npmrc := strings.NewReplacer("%h", c.server.Listener.Addr().String(), "%d", filepath.ToSlash(c.dir)).Replace(test.npmrc)
			if err := os.WriteFile(filepath.Join(c.home, ".npmrc"), []byte(npmrc), 0o600); err != nil {
				t.Fatal(err)
			}
			if status := c.ci(nil, "--registry="+c.server.URL+"/"); status != 0 || !c.installed() {
				t.Fatalf("ended with %d:\n%s", status, c.err.String())
			}
			if (len(shown) > 0) != test.shown {
				t.Errorf("the registry saw %q", shown)
			}
		})
	}
}
