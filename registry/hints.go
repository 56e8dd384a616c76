package registry

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// Hints are what a person can do about the error: commands, or a sentence.
func (e *Error) Hints() []string {
	host := e.URL
	if u, err := url.Parse(e.URL); err == nil {
		host = u.Host
	}
	switch e.ErrCode {
	case "E401", "E404":
		if e.ErrCode == "E404" && e.Method != "" && e.Method != http.MethodGet && e.Authenticated {
			return []string{"it is not there, or whoever the credentials are of may not change it: ibid whoami"}
		}
		if e.ErrCode == "E404" && e.Authenticated && strings.HasPrefix(e.Package, "@") {
			// To those who may not read it, a private package is not there.
			return []string{"if it is there and private, whoever the credentials are of may not read it: ibid whoami --registry=" + e.root()}
		}
		if e.ErrCode == "E404" && (e.Package == "" || e.Authenticated) {
			return nil
		}
		if e.Authenticated {
			return []string{"the credentials for " + host + " were refused: ibid login --registry=" + e.root()}
		}
		if e.NeedsAuth != "" {
			return []string{"credentials are configured for " + Clean(e.NeedsAuth) + ", but not for this address; none were sent"}
		}
		if e.ErrCode == "E401" || strings.HasPrefix(e.Package, "@") {
			// To those who aren't logged in, a private package is not there.
			return []string{"no credentials were sent; if the package is private: ibid login --registry=" + e.root()}
		}
		if strings.Contains(e.Package, "://") {
			return nil
		}
		name := Clean(e.Package)
		if strings.HasSuffix(e.URL, ".tgz") {
			return []string{"the registry names this tarball and does not have it, as after a version was unpublished: ibid view " + name + " versions"}
		}
		if lower := strings.ToLower(name); lower != name {
			return []string{"names are in lower case, but for old ones: ibid view " + lower}
		}
		return []string{"ibid search " + name + "  finds names like it"}
	case "E403":
		if strings.Contains(e.Message, "previously published versions") {
			return []string{"ibid version patch, minor or major gives it another"}
		}
		if e.Authenticated {
			return []string{"ibid whoami shows whose credentials were sent"}
		}
		return []string{"no credentials were sent: ibid login --registry=" + e.root()}
	case "E402":
		return []string{"private packages are paid for: --access=public publishes for everybody; else whoever runs " + host + " knows what your account lacks"}
	case "E409":
		return []string{"somebody changed it at the same time, or it is there already: run the same command again, and look at what it says"}
	case "EOTP":
		if auth, _ := e.AuthURLs(); auth != "" {
			return []string{"run the same command again with --otp=TOKEN, the one that you get there; at a terminal it waits for your yes"}
		}
		return []string{"run the same command again with --otp=CODE, the code that your authenticator shows"}
	case "ENOTCACHED":
		return []string{"run the same command once without --offline, or with --prefer-offline"}
	case "E429":
		if e.RetryAfter > 0 {
			return []string{host + " asks to wait " + e.RetryAfter.Round(time.Second).String()}
		}
		return []string{host + " wants fewer requests: wait a few minutes, then run the same command again"}
	case "E500", "E502", "E503", "E504":
		return []string{host + " has trouble of its own; nothing is wrong here: run the same command again later"}
	case "E407":
		return []string{"the proxy wants to know who asks: ibid config set https-proxy=http://USER:PASSWORD@PROXY"}
	case "EPROJECTPROXY":
		return []string{"ibid config ls shows what the project's .npmrc and publishConfig have; --https-proxy=URL on the command line says that the proxy is yours"}
	case "EINVALIDPROXY":
		return []string{"ibid config get proxy https-proxy"}
	case "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "ETIMEDOUT", "EIDLETIMEOUT", "ECONNRESET":
		return []string{"ibid config get registry proxy https-proxy", "ibid ping"}
	case "EPROTO":
		return []string{"if " + host + " does not speak TLS, write its address with http: instead of https:", "ibid config get registry proxy https-proxy"}
	case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "SELF_SIGNED_CERT_IN_CHAIN", "DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
		return []string{"if a company's proxy signs connections: ibid config set cafile=PATH, the file with its certificate"}
	case "FETCH_ERROR":
		var malformed *malformedError
		var syntax *jsjson.SyntaxError
		if errors.As(e.Err, &malformed) && malformed.deep || errors.As(e.Err, &syntax) && syntax.TooDeep() {
			return []string{"no package needs that: whoever runs " + host + " can say where it is from"}
		}
		if e.final {
			return []string{"something answered in the place of " + host + ": a login page or a proxy?"}
		}
	}
	return nil
}

// root is the registry that was asked, as login wants it. It is the address
// without the package: a registry's own path stays.
func (e *Error) root() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return DefaultRegistry
	}
	path := u.EscapedPath()
	if i := strings.Index(path, "/-/"); i >= 0 {
		path = path[:i]
	}
	if e.Package != "" {
		path, _, _ = strings.Cut(path, "/"+EscapeName(e.Package))
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(path, "/") + "/"
}

// Detail has the registry's own words where Error leaves them out.
func (e *Error) Detail() []string {
	if auth, done := e.AuthURLs(); auth != "" {
		return []string{"Open this URL in your browser to authenticate:", "  " + auth, "", "After authenticating, your token can be retrieved from:", "  " + done}
	}
	if e.ErrCode == "EOTP" || e.ErrCode == "EAUTHIP" || e.Status == 0 || e.Status == http.StatusNotFound {
		return nil
	}
	if e.Message == "" && len(e.Body) > 0 && len(e.Body) < 300 && !strings.Contains(string(e.Body), "<") {
		return []string{Clean(string(e.Body))}
	}
	return nil
}

// Hints are what a person can do about the error.
func (e *PickError) Hints() []string {
	name := Clean(e.Name)
	switch {
	case e.ErrCode == "E403", e.NoneAvoidable:
		return nil
	case len(e.RuledOut) > 0:
		return []string{"before or min-release-age leaves newer versions out: ibid config get before min-release-age"}
	}
	return []string{"ibid view " + name + " versions dist-tags"}
}
