package weburl

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// domains is what the standard asks of names outside ASCII (UTS 46, domain to
// ASCII, not strict).
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.BidiRule())

// toASCII writes a domain in lower case, and what is outside ASCII as xn--.
func toASCII(domain string) (string, bool) {
	ascii := true
	for i := range len(domain) {
		ascii = ascii && domain[i] < utf8.RuneSelf
	}
	if ascii {
		if domain = strings.ToLower(domain); !strings.Contains(domain, "xn--") {
			return domain, true
		}
	}
	if !utf8.ValidString(domain) {
		return "", false
	}
	domain, err := domains.ToASCII(domain)
	return domain, err == nil && domain != ""
}
