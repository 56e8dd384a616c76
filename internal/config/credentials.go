package config

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/weburl"
)

// Credential is what may be sent with one request. The zero Credential is
// none. It prints without its secrets.
type Credential struct {
	Token string // sent as Bearer
	Basic string // sent as Basic, base64 of user:password

	// CertFile and KeyFile are a client certificate, used beside Token or Basic.
	CertFile, KeyFile string

	// Key is the nerf dart that the credential was found under, "" if none was.
	Key string
	// Field is the key that made it one: "_authToken", "_auth", "username" or
	// "certfile", or "keyring" where it came from there. It tells logout what to
	// delete.
	Field string
	// OfProject says that the project's .npmrc has it, where it may come from the
	// environment.
	OfProject bool
	// Err says why the keyring could not be asked. Whether there is a credential
	// is not known then.
	Err error
	// Elsewhere is set when there is none for the request although there is one
	// for the registry of the package's scope: where that one belongs. An error
	// of the server then deserves an explanation.
	Elsewhere string
}

// Authorization returns the value of the Authorization header, "" for none.
func (c Credential) Authorization() string {
	switch {
	case c.Token != "":
		return "Bearer " + c.Token
	case c.Basic != "":
		return "Basic " + c.Basic
	}
	return ""
}

// IsZero reports whether there is nothing to send.
func (c Credential) IsZero() bool {
	return c.Token == "" && c.Basic == "" && c.CertFile == "" && c.Err == nil
}

// String says what kind of credential it is and whose, without the secret.
func (c Credential) String() string {
	kind := "none"
	switch {
	case c.Token != "":
		kind = "token"
	case c.Basic != "":
		kind = "basic"
	case c.CertFile != "":
		kind = "certificate"
	}
	if c.Key == "" {
		return "credential(" + kind + ")"
	}
	return "credential(" + kind + " for " + c.Key + ")"
}

// GoString is String: %#v must not print secrets either.
func (c Credential) GoString() string { return c.String() }

// LogValue is String.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Certificate reads the client certificate and its key, PEM. Both are nil if
// there is none or one of the files does not exist.
func (c Credential) Certificate() (cert, key []byte, err error) {
	if c.CertFile == "" || c.KeyFile == "" {
		return nil, nil, nil
	}
	if cert, err = readFile(c.CertFile); err == nil {
		key, err = readFile(c.KeyFile)
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && (len(cert) == 0 || len(key) == 0) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return cert, key, nil
}

// Registry returns the registry of packages with this scope ("@s" or "s"; ""
// for none): @scope:registry, else that of the scope setting, else registry.
func (c *Config) Registry(scope string) string {
	if scope != "" {
		if scope[0] != '@' {
			scope = "@" + scope
		}
		if v := c.Get(scope + ":registry"); v.Truthy() {
			return v.String()
		}
	}
	if s := c.Scope(); s != "" {
		if v := c.Get(s + ":registry"); v.Truthy() {
			return v.String()
		}
	}
	return c.String("registry")
}

// Registries returns every registry that is set, registry first and then those
// of scopes, without repetition.
func (c *Config) Registries() []string {
	out := []string{c.String("registry")}
	for layer := CLI; ; layer-- {
		for _, key := range c.layers[layer].data.orderedKeys() {
			if strings.HasPrefix(key, "@") && strings.HasSuffix(key, ":registry") {
				if v := c.Get(key); v.Truthy() && !slices.Contains(out, v.String()) {
					out = append(out, v.String())
				}
			}
		}
		if layer == Default {
			return out
		}
	}
}

// Auth returns the credential for a request to requestURL about a package of
// registryURL. It is found under the longest nerf dart that the URL starts with,
// tried with and without the last slash. If there is none and the request goes
// to the registry's host (and port), the registry's is used; tarballs may be
// under another path than metadata. Otherwise nothing is sent
// (npm-registry-fetch lib/auth.js).
//
// A nerf dart has no protocol: a credential for https is also sent to http, if
// the registry is configured so.
func (c *Config) Auth(requestURL, registryURL string) Credential {
	u, ok := weburl.Parse(requestURL)
	if !ok {
		return Credential{}
	}
	if cred, ok := c.authFor(u); ok {
		return cred
	}
	reg, ok := weburl.Parse(registryURL)
	if !ok {
		return Credential{}
	}
	if requestURL != registryURL && u.Host() == reg.Host() {
		cred, _ := c.authFor(reg)
		return cred
	}
	if registryURL != c.String("registry") {
		if cred, ok := c.authFor(reg); ok {
			return Credential{Elsewhere: cred.Key}
		}
	}
	return Credential{}
}

func (c *Config) authFor(u weburl.URL) (Credential, bool) {
	// Asked for every tarball: most people have no credentials at all.
	any := c.UsesKeyring()
	for l := range c.layers {
		any = any || c.layers[l].derived.forHosts() || c.layers[l].data.forHosts()
	}
	if !any {
		return Credential{}, false
	}
	get := func(key string) string {
		if v := c.Get(key); v.Truthy() {
			return v.String()
		}
		return ""
	}
	for key := "//" + u.Host() + u.Path; len(key) > 2; {
		cred := Credential{Key: key}
		token, basic := get(key+":_authToken"), get(key+":_auth")
		user, password := get(key+":username"), get(key+":_password")
		cert, certKey := get(key+":certfile"), get(key+":keyfile")
		switch {
		case token != "":
			cred.Field = "_authToken"
		case basic != "":
			cred.Field = "_auth"
		case user != "" && password != "":
			cred.Field = "username"
		case cert != "" && certKey != "":
			cred.Field = "certfile"
		}
		if cred.Field == "" || cred.Field == "certfile" {
			var err error
			if token, err = c.fromKeyring(key); err != nil {
				return Credential{Key: key, Err: err}, true
			}
			if token != "" {
				cred.Field = "keyring"
			}
		}
		if cred.Field == "" {
			// Take off what follows the last slash, or the slash itself.
			if strings.HasSuffix(key, "/") {
				key = key[:len(key)-1]
			} else {
				key = key[:strings.LastIndexByte(key, '/')+1]
			}
			continue
		}
		switch {
		case token != "":
			cred.Token = token
		case basic != "":
			cred.Basic = basic
		case user != "" && password != "":
			cred.Basic = base64.StdEncoding.EncodeToString([]byte(user + ":" + decodeBase64(password)))
		}
		if cert != "" && certKey != "" {
			cred.CertFile, cred.KeyFile = cert, certKey
		}
		if cred.Field != "keyring" {
			cred.OfProject = c.ProjectDecides(key+":"+cred.Field) && (cred.Field != "username" || c.ProjectDecides(key+":_password"))
		}
		return cred, true
	}
	return Credential{}, false
}

// decodeBase64 reads base64 as node's Buffer does: URL-safe or not, padded or
// not, other characters skipped, up to the first =.
func decodeBase64(s string) string {
	s, _, _ = strings.Cut(s, "=")
	clean := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c == '-':
			clean = append(clean, '+')
		case c == '_':
			clean = append(clean, '/')
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	out, err := base64.RawStdEncoding.DecodeString(string(clean))
	if err != nil {
		return ""
	}
	return string(out)
}

// Login is what is known of the user of one registry
// (@npmcli/config getCredentialsByURI). It prints without secrets.
type Login struct {
	Token              string
	Username, Password string // Password is decoded
	Basic              string // base64 of Username:Password
	Email              string
	CertFile, KeyFile  string

	Err error // why the keyring could not be asked
}

// String says who logs in, without secrets.
func (l Login) String() string {
	if l.Token != "" {
		return "login(token)"
	}
	return "login(" + l.Username + ")"
}

// GoString is String.
func (l Login) GoString() string { return l.String() }

// LogValue is String.
func (l Login) LogValue() slog.Value { return slog.StringValue(l.String()) }

// Login returns what the configuration says under the nerf dart of registry
// alone, without looking at shorter ones.
func (c *Config) Login(registry string) Login {
	dart, ok := nerfDart(registry)
	if !ok {
		return Login{}
	}
	get := func(key string) string {
		if v := c.Get(key); v.Truthy() {
			return v.String()
		}
		return ""
	}
	l := Login{Email: get(dart + ":email")}
	if l.Email == "" {
		l.Email = get("email")
	}
	if cert, key := get(dart+":certfile"), get(dart+":keyfile"); cert != "" && key != "" {
		l.CertFile, l.KeyFile = cert, key
	}
	if l.Token = get(dart + ":_authToken"); l.Token != "" {
		return l
	}
	if user, password := get(dart+":username"), get(dart+":_password"); user != "" && password != "" {
		l.Username, l.Password = user, decodeBase64(password)
		l.Basic = base64.StdEncoding.EncodeToString([]byte(l.Username + ":" + l.Password))
		return l
	}
	if basic := get(dart + ":_auth"); basic != "" {
		l.Basic = basic
		l.Username, l.Password, _ = strings.Cut(decodeBase64(basic), ":")
		return l
	}
	l.Token, l.Err = c.fromKeyring(dart)
	return l
}

// SetLogin puts the credentials of registry into the user layer: a token, or a
// user name and password; and a client certificate. Save writes the file.
func (c *Config) SetLogin(registry string, l Login) error {
	dart, ok := nerfDart(registry)
	if !ok {
		return &Error{Message: "Invalid URL", code: "ERR_INVALID_URL"}
	}
	c.Delete(dart+":always-auth", User)
	hasCert := l.CertFile != "" && l.KeyFile != ""
	if hasCert {
		c.Set(dart+":certfile", NewString(l.CertFile), User)
		c.Set(dart+":keyfile", NewString(l.KeyFile), User)
	}
	switch {
	case l.Token != "":
		c.Set(dart+":_authToken", NewString(l.Token), User)
		c.Delete(dart+":_password", User)
		c.Delete(dart+":username", User)
	case l.Username != "" || l.Password != "":
		if l.Username == "" {
			return &Error{Message: "must include username"}
		}
		if l.Password == "" {
			return &Error{Message: "must include password"}
		}
		c.Delete(dart+":_authToken", User)
		c.Set(dart+":username", NewString(l.Username), User)
		c.Set(dart+":_password", NewString(base64.StdEncoding.EncodeToString([]byte(l.Password))), User)
	case !hasCert:
		return &Error{Message: "No credentials to set."}
	}
	return nil
}

// ClearLogin removes the credentials of registry from a layer, and with those of
// the default registry the ones that belong to no host.
func (c *Config) ClearLogin(registry string, layer Layer) {
	dart, ok := nerfDart(registry)
	if !ok {
		return
	}
	if def, _ := nerfDart(c.String("registry")); def == dart {
		for _, key := range []string{"-authtoken", "_authToken", "_authtoken", "_auth", "_password", "username"} {
			c.Delete(key, layer)
		}
	}
	for _, key := range nerfDarts {
		c.Delete(dart+":"+key, layer)
	}
}

// nerfDart turns a URL into the prefix of its credentials' keys: "//host/path/"
// (@npmcli/config lib/nerf-dart.js). ok is false if s is no URL.
func nerfDart(s string) (dart string, ok bool) {
	u, ok := weburl.Parse(s)
	if ok && !u.HasHost {
		u, ok = weburl.Parse(u.Protocol + "//" + u.Path) // "host:4873" is read as a scheme
	}
	if !ok {
		return "", false
	}
	path := u.Path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		path = path[:i+1]
	} else {
		path = "/"
	}
	return "//" + u.Host() + path, true
}

// NerfDart returns the prefix of the keys that hold the credentials of a
// registry: "//registry.npmjs.org/" for the public one. It is "" if registry is
// no URL.
func NerfDart(registry string) string {
	dart, _ := nerfDart(registry)
	return dart
}
