package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// Error is a request that brought no usable answer: the registry refused it,
// or none came. It holds no credentials, and what a stranger wrote in it has
// no control characters.
type Error struct {
	// ErrCode is npm's code: E404, E401, EOTP, ENOTFOUND, ENOTCACHED …
	ErrCode string
	Method  string
	URL     string // redacted
	Package string // the package's name where one was asked for

	Status     int    // 0 where no answer came
	StatusText string // the server's words for Status
	Message    string // what the body said, where it said something short

	// Attempts is how often it was tried; RetryAfter what the last refusal
	// asked for.
	Attempts   int
	RetryAfter time.Duration

	// Authenticated says that credentials were sent, at least to the first
	// host.
	Authenticated bool
	// NeedsAuth says that no credentials were sent although some are
	// configured for the package's scope: npm warns about this.
	NeedsAuth string

	// Body is the refusal's body as far as it was read, for commands that
	// look into it. It is not cleaned.
	Body []byte
	// Header has the refusal's headers.
	Header http.Header

	Err error // the cause where no answer came

	final bool // trying again cannot help, whatever the code
}

// Code gives npm's error code.
func (e *Error) Code() string { return e.ErrCode }

func (e *Error) Unwrap() error { return e.Err }

// Error names the request and then what went wrong.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Package != "" {
		b.WriteString(Clean(e.Package))
		b.WriteString(": ")
	}
	switch e.ErrCode {
	case "ENOTCACHED":
		fmt.Fprintf(&b, "%s %s: not in the cache, and offline", e.Method, e.URL)
		return b.String()
	}
	fmt.Fprintf(&b, "%s %s: ", e.Method, e.URL)
	switch {
	case e.ErrCode == "EOTP":
		b.WriteString("a one-time password is required")
	case e.ErrCode == "EAUTHIP":
		b.WriteString("login is not allowed from this IP address")
	case e.Status != 0:
		fmt.Fprintf(&b, "%d %s", e.Status, e.StatusText)
		if said := strings.TrimRight(e.Message, ". "); said != "" && !strings.EqualFold(said, e.StatusText) {
			b.WriteString(": ")
			b.WriteString(e.Message)
		}
	case e.Message != "" && e.Err != nil:
		fmt.Fprintf(&b, "%s: %v", e.Message, e.Err)
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Err != nil:
		b.WriteString(Clean(e.Err.Error()))
	default:
		b.WriteString(e.ErrCode)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " (tried %d times)", e.Attempts)
	}
	return b.String()
}

// Summary is the sentence that npm's JSON output has (npm: lib/utils/error-message.js,
// npm-registry-fetch lib/errors.js, make-fetch-happen, minipass-fetch).
func (e *Error) Summary() string {
	challenge := e.Header.Get("Www-Authenticate")
	switch {
	case e.ErrCode == "ENOTCACHED":
		return "request to " + e.URL + " failed: cache mode is 'only-if-cached' but no cached response is available."
	case e.ErrCode == "EOTP":
		if auth, _ := e.AuthURLs(); auth != "" {
			return "This operation requires a one-time password."
		}
		return "This operation requires a one-time password from your authenticator."
	case e.ErrCode == "EAUTHIP":
		return "Login is not allowed from your IP address"
	case e.Status == http.StatusUnauthorized && challenge != "":
		switch schemes := strings.FieldsFunc(challenge, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }); {
		case slices.Contains(schemes, "Bearer"):
			return "Unable to authenticate, your authentication token seems to be invalid."
		case slices.Contains(schemes, "Basic"):
			return "Incorrect or missing password."
		}
		return "Unable to authenticate, need: " + Clean(challenge)
	case e.Status != 0:
		s := fmt.Sprintf("%s - %s %s", e.StatusText, e.Method, e.URL)
		if e.Status != http.StatusNotFound {
			s = fmt.Sprintf("%d %s", e.Status, s)
		}
		if e.Message != "" {
			s += " - " + e.Message
		}
		return s
	case e.Err != nil:
		return "request to " + e.URL + " failed, reason: " + Clean(e.Err.Error())
	}
	return e.Message
}

// AuthURLs are the addresses that a registry names where it wants a one-time
// password: where a person says yes in a browser, and where the password is to be
// had then. They are "" where it names none, or none of the web.
func (e *Error) AuthURLs() (auth, done string) {
	if e.ErrCode != "EOTP" {
		return "", ""
	}
	body, err := jsjson.Parse(e.Body)
	if err != nil {
		return "", ""
	}
	auth, done = Clean(body.Get("authUrl").Str()), Clean(body.Get("doneUrl").Str())
	if !IsWebURL(auth) || !IsWebURL(done) {
		return "", ""
	}
	return auth, done
}

// IsWebURL says whether a text is an address that a browser can be sent to.
func IsWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// Temporary says whether the same request may succeed later: npm would try it
// again.
func (e *Error) Temporary() bool {
	if e.Status != 0 {
		return retriableStatus(e.Status)
	}
	return !e.final && !permanent(e.ErrCode)
}

// Redact gives rawURL without user, password and secrets in its query.
func Redact(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		// Not a URL, so it names no host that could be lost: cut everything
		// that might be a password.
		if i := strings.LastIndexByte(rawURL, '@'); i >= 0 {
			if j := strings.Index(rawURL, "//"); j >= 0 && j < i {
				rawURL = rawURL[:j+2] + "***@" + rawURL[i+1:]
			}
		}
		return Clean(rawURL)
	}
	return redactURL(u)
}

func redactURL(u *url.URL) string {
	c := *u
	if c.User != nil {
		if _, has := c.User.Password(); has {
			c.User = url.UserPassword(c.User.Username(), "***")
		} else {
			// A lone user name is how tokens are put into URLs.
			c.User = url.User("***")
		}
	}
	if c.RawQuery != "" {
		parts := strings.Split(c.RawQuery, "&")
		for i, p := range parts {
			k, _, ok := strings.Cut(p, "=")
			if !ok {
				continue
			}
			switch l := strings.ToLower(k); {
			case strings.Contains(l, "token"), strings.Contains(l, "signature"), strings.Contains(l, "secret"),
				strings.Contains(l, "password"), strings.Contains(l, "credential"), l == "sig", l == "key", l == "auth":
				parts[i] = k + "=***"
			}
		}
		c.RawQuery = strings.Join(parts, "&")
	}
	s := c.String()
	// url.String escapes the stars of a password; they are ours.
	s = strings.Replace(s, "%2A%2A%2A@", "***@", 1)
	return Clean(s)
}

// Clean gives text that a stranger wrote without control and formatting
// characters, so that printing it moves no cursor, colours nothing and hides
// nothing. Newlines become spaces.
func Clean(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case r == utf8.RuneError && n == 1:
			b.WriteRune(utf8.RuneError)
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

var (
	errIdle        = errors.New("nothing came in time") // the cause of a waitError
	errTooLarge    = errors.New("answer is larger than allowed")
	errShort       = errors.New("connection closed before the whole answer arrived")
	errBadEncoding = errors.New("content-encoding is not understood")
)

// waitStep is what is awaited of a host.
type waitStep uint8

const (
	stepBody waitStep = iota // more of an answer that has begun
	stepConnect
	stepAnswer
)

// waitError is a host that was waited for in vain.
type waitError struct {
	host  string
	step  waitStep
	limit time.Duration // fetch-timeout

	slow   bool // something came, but too little
	bytes  int64
	waited time.Duration
}

func (e *waitError) Code() string { return "EIDLETIMEOUT" }

func (e *waitError) Error() string {
	switch {
	case e.slow:
		return fmt.Sprintf("%s is too slow: %d bytes of its answer came in %v, less than %d a second", e.host, e.bytes, e.waited.Round(time.Second), leastRate)
	case e.step == stepConnect:
		return fmt.Sprintf("no connection to %s within %v (fetch-timeout)", e.host, e.limit)
	case e.step == stepAnswer:
		return fmt.Sprintf("no answer from %s within %v (fetch-timeout)", e.host, e.limit)
	}
	return fmt.Sprintf("%s sent nothing for %v (fetch-timeout), after %d bytes of its answer", e.host, e.limit, e.bytes)
}

// permanent says that trying again cannot help. npm does try these again; the
// answer is the same, only later.
func permanent(code string) bool {
	switch code {
	case "E407", "EINVALIDPROXY", "EMAXREDIRECT", "EINVALIDREDIRECT", "EUNSUPPORTEDPROTOCOL", "EFBIG", "ENOTCACHED",
		"CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "ERR_TLS_CERT_ALTNAME_INVALID", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
		"SELF_SIGNED_CERT_IN_CHAIN", "DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
		return true
	}
	return false
}

func retriableStatus(status int) bool {
	return status == 408 || status == 420 || status == 429 || status >= 500
}

// codeOf names a transport's error as node and npm name it.
func codeOf(err error) string {
	var coded interface{ Code() string }
	if errors.As(err, &coded) {
		return coded.Code()
	}
	switch {
	case errors.Is(err, errTooLarge):
		return "EFBIG"
	case errors.Is(err, errBadEncoding):
		return "EINVALIDRESPONSE"
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		if dns.IsNotFound {
			return "ENOTFOUND"
		}
		return "EAI_AGAIN"
	}
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		if c := unknown.Cert; c != nil && c.Issuer.String() == c.Subject.String() {
			// The server's own certificate is one, or the last of a chain that it sent.
			var chain *tls.CertificateVerificationError
			if errors.As(err, &chain) && len(chain.UnverifiedCertificates) > 0 && !chain.UnverifiedCertificates[0].Equal(c) {
				return "SELF_SIGNED_CERT_IN_CHAIN"
			}
			return "DEPTH_ZERO_SELF_SIGNED_CERT"
		}
		return "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
	case errors.As(err, &invalid):
		if invalid.Reason == x509.Expired {
			if invalid.Cert != nil && time.Now().Before(invalid.Cert.NotBefore) {
				return "CERT_NOT_YET_VALID"
			}
			return "CERT_HAS_EXPIRED"
		}
		return "UNABLE_TO_VERIFY_LEAF_SIGNATURE"
	case errors.As(err, &host):
		return "ERR_TLS_CERT_ALTNAME_INVALID"
	}
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return "EPROTO"
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if name := errnoName(errno); name != "" {
			return name
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return "ETIMEDOUT"
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "ETIMEDOUT"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errShort) || errors.Is(err, net.ErrClosed) {
		return "ECONNRESET"
	}
	return "FETCH_ERROR"
}

func errnoName(e syscall.Errno) string {
	switch e {
	case syscall.ECONNREFUSED:
		return "ECONNREFUSED"
	case syscall.ECONNRESET:
		return "ECONNRESET"
	case syscall.ECONNABORTED:
		return "ECONNABORTED"
	case syscall.EPIPE:
		return "EPIPE"
	case syscall.ETIMEDOUT:
		return "ETIMEDOUT"
	case syscall.EHOSTUNREACH:
		return "EHOSTUNREACH"
	case syscall.ENETUNREACH:
		return "ENETUNREACH"
	case syscall.EADDRNOTAVAIL:
		return "EADDRNOTAVAIL"
	case syscall.EADDRINUSE:
		return "EADDRINUSE"
	case syscall.EACCES:
		return "EACCES"
	case syscall.EMFILE:
		return "EMFILE"
	case syscall.ENOSPC:
		return "ENOSPC"
	}
	if runtime.GOOS != "windows" {
		return ""
	}
	// Winsock has numbers of its own.
	switch uintptr(e) {
	case 10013:
		return "EACCES"
	case 10024:
		return "EMFILE"
	case 10048:
		return "EADDRINUSE"
	case 10049:
		return "EADDRNOTAVAIL"
	case 10051:
		return "ENETUNREACH"
	case 10053:
		return "ECONNABORTED"
	case 10054:
		return "ECONNRESET"
	case 10060:
		return "ETIMEDOUT"
	case 10061:
		return "ECONNREFUSED"
	case 10065:
		return "EHOSTUNREACH"
	}
	return ""
}
