package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ProxyRules says which proxy a request goes through (npm: @npmcli/agent
// lib/proxy.js).
type ProxyRules struct {
	// Proxy is https-proxy, or else proxy. It holds for both schemes; "" asks
	// the environment's values below.
	Proxy   string
	NoProxy []string // noproxy; empty asks EnvNoProxy

	EnvHTTPSProxy string
	EnvHTTPProxy  string
	EnvProxy      string
	EnvNoProxy    string // a comma list
}

// For gives the proxy for u, nil for none.
func (r ProxyRules) For(u *url.URL) (*url.URL, error) {
	proxy := r.Proxy
	if proxy == "" {
		// npm asks HTTP_PROXY for plain requests only, HTTPS_PROXY for all.
		proxy = r.EnvHTTPSProxy
		if proxy == "" && u.Scheme != "https" {
			if proxy = r.EnvHTTPProxy; proxy == "" {
				proxy = r.EnvProxy
			}
		}
	}
	no := r.NoProxy
	if len(no) == 0 && r.EnvNoProxy != "" {
		no = strings.Split(r.EnvNoProxy, ",")
	}
	if proxy == "" || noProxy(u.Hostname(), no) {
		return nil, nil
	}
	p, err := url.Parse(proxy)
	if err != nil || p.Host == "" {
		return nil, &proxyError{proxy: Redact(proxy)}
	}
	switch p.Scheme {
	case "http", "https", "socks5", "socks5h":
		return p, nil
	case "socks":
		p.Scheme = "socks5h"
		return p, nil
	}
	return nil, &proxyError{proxy: Redact(proxy)}
}

// noProxy matches whole dot segments from the right: "b.c" and ".b.c" match
// "a.b.c". There are no ports, wildcards or address ranges.
func noProxy(host string, rules []string) bool {
	segments := strings.Split(host, ".")
	for _, rule := range rules {
		want := strings.FieldsFunc(strings.TrimSpace(rule), func(r rune) bool { return r == '.' })
		if len(want) == 0 || len(want) > len(segments) {
			continue
		}
		match := true
		for i := 1; i <= len(want); i++ {
			if want[len(want)-i] != segments[len(segments)-i] {
				match = false
				break
			}
		}
		if match {
			return true
		}
	}
	return false
}

type proxyError struct{ proxy string }

func (e *proxyError) Error() string { return "proxy " + e.proxy + ": not an http, https or socks5 URL" }
func (e *proxyError) Code() string  { return "EINVALIDPROXY" }

// proxyRefusal is a proxy that makes no connection.
type proxyRefusal struct {
	proxy  string
	status int
}

func (e *proxyRefusal) Error() string {
	return fmt.Sprintf("the proxy %s answers %d %s", e.proxy, e.status, http.StatusText(e.status))
}
func (e *proxyRefusal) Code() string { return "E" + strconv.Itoa(e.status) }

// transport gives the connection pool for a client certificate; there is one
// for each, since connections made with one must not serve another.
func (c *Client) transport(cert, key string) (*http.Transport, error) {
	if cert == "" || key == "" {
		cert, key = c.opts.Cert, c.opts.Key
	}
	id := cert + "\x00" + key
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.transports[id]; t != nil {
		return t, nil
	}
	config := &tls.Config{InsecureSkipVerify: c.opts.InsecureTLS} //nolint:gosec // strict-ssl=false asks for it
	if cert != "" && key != "" {
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			return nil, fmt.Errorf("reading client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if c.opts.Roots != nil {
		own, extra, err := c.opts.Roots()
		if err != nil {
			return nil, err
		}
		config.RootCAs = roots(own, extra)
	}
	dialer := &net.Dialer{KeepAlive: 30 * time.Second}
	if a := c.opts.LocalAddress; a != "" {
		ip := net.ParseIP(a)
		if ip == nil {
			return nil, fmt.Errorf("local-address %s: not an IP address", Clean(a))
		}
		dialer.LocalAddr = &net.TCPAddr{IP: ip}
	}
	dial := c.dial
	if dial == nil {
		dial = dialer.DialContext
	}
	t := &http.Transport{
		Proxy:       func(r *http.Request) (*url.URL, error) { return c.opts.Proxy.For(r.URL) },
		DialContext: dial,
		OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode != http.StatusOK {
				return &proxyRefusal{proxy.Host, res.StatusCode}
			}
			return nil
		},
		TLSClientConfig:     config,
		TLSHandshakeTimeout: c.opts.IdleTimeout,
		// Bodies are decoded here, not there: the cache keeps them as they came.
		DisableCompression:  true,
		ForceAttemptHTTP2:   true,
		MaxConnsPerHost:     c.opts.MaxSockets,
		MaxIdleConnsPerHost: c.opts.MaxSockets,
		IdleConnTimeout:     90 * time.Second,
		// Tarballs and packuments are large: fewer, larger reads.
		ReadBufferSize:         32 << 10,
		WriteBufferSize:        16 << 10,
		MaxResponseHeaderBytes: 256 << 10,
	}
	if c.transports == nil {
		c.transports = map[string]*http.Transport{}
	}
	c.transports[id] = t
	return t, nil
}

// roots gives the certificates to trust; nil for the system's.
func roots(own, extra []string) *x509.CertPool {
	if own == nil && len(extra) == 0 {
		return nil
	}
	pool := x509.NewCertPool()
	if own == nil {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
	}
	for _, text := range slices.Concat(own, extra) {
		pool.AppendCertsFromPEM([]byte(text))
	}
	return pool
}
