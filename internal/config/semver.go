package config

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// validVersion returns the canonical form of a full version, as node-semver's
// valid() does: white space around it and a leading v are dropped, build metadata too.
func validVersion(s string) (string, bool) {
	if len(s) > 256 {
		return "", false
	}
	s = strings.TrimPrefix(js.Trim(s), "v")
	rest, build, hasBuild := strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(rest, "-")
	if hasBuild && !identifiers(build, false) || hasPre && !identifiers(pre, true) {
		return "", false
	}
	parts := strings.Split(core, ".")
	if len(parts) != 3 {
		return "", false
	}
	for _, p := range parts {
		if !isNumeric(p) || len(p) > 16 || len(p) == 16 && p > "9007199254740991" {
			return "", false
		}
	}
	return rest, true
}

func isNumeric(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && (s == "0" || s[0] != '0')
}

// identifiers reports whether s is a list of identifiers with dots between;
// those of a prerelease must not be numbers with leading zeros.
func identifiers(s string, prerelease bool) bool {
	for _, id := range strings.Split(s, ".") {
		if id == "" {
			return false
		}
		digits := true
		for i := range len(id) {
			c := id[i]
			switch {
			case c >= '0' && c <= '9':
			case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-':
				digits = false
			default:
				return false
			}
		}
		if prerelease && digits && len(id) > 1 && id[0] == '0' {
			return false
		}
	}
	return true
}
