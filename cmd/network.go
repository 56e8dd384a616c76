package cmd

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/version"
	"github.com/ibid-pm/ibid/registry"
)

// openClient makes the registry's client from the configuration.
func (a *App) openClient() (*registry.Client, error) {
	// net/http says on stderr what a server sent behind the end of an answer.
	log.SetOutput(io.Discard)
	cfg := a.Config
	o := registry.Options{
		Registry:    cfg.String("registry"),
		RegistryFor: cfg.Registry,
		Credentials: a.credentials,
		Proxy:       a.proxyRules(),
		Overheard:   a.overheard,
		Roots:       a.roots,
		Cert:        cfg.String("cert"),
		Key:         cfg.String("key"),
		InsecureTLS: !cfg.Bool("strict-ssl"),

		LocalAddress: cfg.String("local-address"),
		MaxSockets:   a.maxSockets(),
		Decoders:     processors,
		Retry: registry.Retry{
			Count:      cfg.Int("fetch-retries"),
			Factor:     float64(cfg.Int("fetch-retry-factor")),
			MinTimeout: time.Duration(cfg.Int("fetch-retry-mintimeout")) * time.Millisecond,
			MaxTimeout: time.Duration(cfg.Int("fetch-retry-maxtimeout")) * time.Millisecond,
		},
		IdleTimeout: time.Duration(cfg.Int("fetch-timeout")) * time.Millisecond,
		UserAgent:   a.userAgent(),
		AuthType:    cfg.AuthType(),
		Command:     a.Command,
		Scope:       cfg.Scope(),
		OTP:         cfg.String("otp"),
		CacheDir:    a.packumentDir(),
		Mode:        a.cacheMode(),
		Logger:      slog.New(&logHandler{app: a}),
		Report:      a.onRequest,
		Received:    a.progress.received,
	}
	return registry.New(o), nil
}

// userAgent says to registries that it is ibid that asks, with npm's own text
// behind it for those that look for npm's version. Who was called as npm, or has
// set user-agent, says no more than that.
func (a *App) userAgent() string {
	text := a.Config.UserAgent(compatible, "v"+a.nodeVersion())
	if a.heading == "npm" || !a.Config.IsDefault("user-agent") {
		return text
	}
	return "ibid/" + version.Ibid + " " + text
}

// roots reads the certificates that servers' are to be signed with. A file of
// NODE_EXTRA_CA_CERTS that cannot be read counts for nothing, as in node.
func (a *App) roots() (own, extra []string, err error) {
	if own, err = a.Config.CAs(); err != nil {
		return nil, nil, fmt.Errorf("cafile: %w", err)
	}
	if file := a.Config.Getenv("NODE_EXTRA_CA_CERTS"); file != "" {
		if pem, err := os.ReadFile(file); err == nil {
			extra = []string{string(pem)}
		}
	}
	return own, extra, nil
}

// maxSockets is how many connections a host gets: what the user says, else 0,
// for as many as the client finds good, or as may be open beside all else.
func (a *App) maxSockets() int {
	if !a.Config.IsDefault("maxsockets") {
		return a.Config.Int("maxsockets")
	}
	if n := folder.MaxOpen() / openShare; n < manySockets {
		return max(1, n)
	}
	return 0
}

// manySockets is what the client finds good.
const manySockets = 64

// packagesAtOnce is how many packages are waited for at once.
func (a *App) packagesAtOnce() int {
	return max(1, min(max(24, a.Config.Int("maxsockets")), folder.MaxOpen()/openShare))
}

func (a *App) cacheMode() registry.CacheMode {
	switch cfg := a.Config; {
	case cfg.Bool("offline"):
		return registry.Offline
	case cfg.PreferOffline():
		return registry.PreferOffline
	case cfg.PreferOnline():
		return registry.PreferOnline
	}
	return registry.CacheDefault
}

// credentials finds what may be sent with a request.
func (a *App) credentials(requestURL, registryURL string) registry.Credentials {
	c := a.Config.Auth(requestURL, registryURL)
	out := registry.Credentials{Authorization: c.Authorization(), Err: c.Err, ScopeKey: c.Elsewhere, OfProject: c.OfProject}
	if cert, key, err := c.Certificate(); err == nil {
		out.Cert, out.Key = string(cert), string(key)
	}
	return out
}

func (a *App) proxyRules() registry.ProxyRules {
	cfg := a.Config
	env := func(name string) string {
		if v := cfg.Getenv(strings.ToUpper(name)); v != "" {
			return v
		}
		return cfg.Getenv(name)
	}
	r := registry.ProxyRules{
		Proxy:         cfg.String("https-proxy"),
		EnvHTTPSProxy: env("https_proxy"),
		EnvHTTPProxy:  env("http_proxy"),
		EnvProxy:      env("proxy"),
		EnvNoProxy:    env("no_proxy"),
	}
	if r.Proxy == "" {
		r.Proxy = cfg.String("proxy")
	}
	if no := cfg.NoProxy(); no != "" {
		r.NoProxy = strings.Split(no, ",")
	}
	return r
}

// overheard says whether the project reads what is sent to u: its .npmrc names the
// proxy, and the connection is not encrypted, or so that the proxy can pass for the
// server.
func (a *App) overheard(u *url.URL) bool {
	cfg := a.Config
	unchecked := !cfg.Bool("strict-ssl") && cfg.ProjectDecides("strict-ssl") || cfg.ProjectDecides("ca") || cfg.ProjectDecides("cafile")
	if u.Scheme == "https" && !unchecked {
		return false
	}
	key := "https-proxy"
	if cfg.String(key) == "" {
		key = "proxy"
	}
	if !cfg.ProjectDecides(key) {
		return false
	}
	// A proxy that is none is no proxy; the request says so.
	p, err := a.proxyRules().For(u)
	return p != nil && err == nil
}

// getter is the fetch.Getter that asks registries.
type getter struct{ app *App }

// Tarball downloads a package's tarball from where the lock says it is, the
// registry's host being put in the place of npm's (replace-registry-host).
func (g getter) Tarball(ctx context.Context, r *fetch.Request, alloc func(size int) []byte) ([]byte, error) {
	switch {
	case strings.HasPrefix(r.URL, "file:"):
		return g.fromFile(ctx, g.app.filePath(r.URL))
	case strings.HasPrefix(r.URL, "git"):
		return g.fromGit(ctx, r)
	}
	client, err := g.app.client()
	if err != nil {
		return nil, err
	}
	address := r.URL
	if address == "" {
		m, err := g.manifest(ctx, client, r)
		if err != nil {
			return nil, err
		}
		if err := checkPublished(m); err != nil {
			return nil, err
		}
		address, r.Published = m.Dist.Tarball, m.Dist.Integrity
	}
	target, ok := g.app.replacer().Replace(address)
	if !ok {
		return nil, fmt.Errorf("%s: not a URL that a tarball can be fetched from", registry.Redact(address))
	}
	return client.ReadTarball(ctx, registry.TarballRequest{
		URL:       target,
		Package:   r.Name,
		ID:        "registry:" + r.ID,
		Integrity: r.Integrity,
		MaxSize:   maxTarball,
	}, alloc)
}

// fromRegistry gives a function, for one goroutine, that says whether a locked
// tarball is on the registry that packages of its name come from, its host being
// rewritten as it is when it is fetched (npm: @npmcli/arborist
// lib/arborist/reify.js #isRegistryResolvedTarball).
func (a *App) fromRegistry() func(name, resolved string) bool {
	bases := map[string]string{} // by scope
	return func(name, resolved string) bool {
		scope := ""
		if strings.HasPrefix(name, "@") {
			scope, _, _ = strings.Cut(name, "/")
		}
		base := bases[scope]
		if base == "" {
			base = strings.TrimSuffix(a.Config.Registry(scope), "/") + "/"
			bases[scope] = base
		}
		if liesPlainlyOn(base, resolved) {
			return true
		}
		target, ok := a.replacer().Replace(resolved)
		return ok && (liesPlainlyOn(base, target) || liesOn(base, target))
	}
}

// liesPlainlyOn says whether a URL is below a registry's address as it is written.
func liesPlainlyOn(base, address string) bool {
	return strings.HasPrefix(address, base) && !strings.Contains(address, "/.")
}

// liesOn says whether a URL is below a registry's address.
func liesOn(base, address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	r, err := url.Parse(base)
	return err == nil && u.Scheme == r.Scheme && strings.EqualFold(u.Host, r.Host) &&
		strings.HasPrefix(path.Clean("/"+u.Path)+"/", r.Path)
}

// manifest asks the registry for a package whose lock does not say where its
// tarball is.
func (g getter) manifest(ctx context.Context, client *registry.Client, r *fetch.Request) (*manifest.Manifest, error) {
	p, err := client.Packument(ctx, r.Name)
	if err != nil {
		return nil, err
	}
	_, version, _ := strings.Cut(strings.TrimPrefix(r.ID, "@"), "@")
	picked, err := registry.PickText(p, version, g.app.pickOptions(r.Name))
	if err != nil {
		return nil, err
	}
	return picked.Manifest, nil
}

// maxTarball is the largest tarball that is accepted: several times the largest
// one that anybody has published.
const maxTarball = 2 << 30

// isURL tells a tarball's URL from a file's or a repository's.
func isURL(resolved string) bool {
	u, err := url.Parse(resolved)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && !strings.HasPrefix(resolved, "git+")
}

// logHandler shows a stage's log lines as the command line's own.
type logHandler struct {
	app   *App
	attrs []slog.Attr
}

func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool {
	return logLevel(l) <= h.app.level || h.app.debug != nil
}

func logLevel(l slog.Level) level {
	switch {
	case l >= slog.LevelError:
		return levelError
	case l >= slog.LevelWarn:
		return levelWarn
	case l >= slog.LevelInfo:
		return levelInfo
	}
	return levelSilly
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	add := func(at slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", at.Key, at.Value)
		return true
	}
	for _, at := range h.attrs {
		add(at)
	}
	r.Attrs(add)
	h.app.log(logLevel(r.Level), b.String())
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{app: h.app, attrs: append(append([]slog.Attr(nil), h.attrs...), attrs...)}
}
func (h *logHandler) WithGroup(string) slog.Handler { return h }
