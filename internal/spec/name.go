package spec

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// NameValidity is what npm finds in a name. Errors rule a name out for all
// packages, warnings only for new ones.
type NameValidity struct {
	Errors   []string
	Warnings []string
}

// ForOldPackages reports whether packages with such a name may exist.
func (v NameValidity) ForOldPackages() bool { return len(v.Errors) == 0 }

// ForNewPackages reports whether a package may be published under the name.
func (v NameValidity) ForNewPackages() bool { return len(v.Errors) == 0 && len(v.Warnings) == 0 }

// ValidForOldPackages is ValidateName(name).ForOldPackages().
func ValidForOldPackages(name string) bool {
	return isPlainName(name) || ValidateName(name).ForOldPackages()
}

// isPlainName is true for nearly all names, and then nothing is wrong with
// them.
func isPlainName(name string) bool {
	rest, scoped := strings.CutPrefix(name, "@")
	slashes := 0
	for i := range len(rest) {
		switch c := rest[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' || c == '_' || c == '.':
			if i == 0 || rest[i-1] == '/' {
				return false
			}
		case c == '/' && scoped && i > 0 && i < len(rest)-1 && slashes == 0:
			slashes++
		default:
			return false
		}
	}
	if scoped {
		return slashes == 1
	}
	return rest != "" && rest != "node_modules" && rest != "favicon.ico"
}

// ValidateName applies npm's rules for package names, in npm's words
// (npm: validate-npm-package-name lib/index.js).
func ValidateName(name string) NameValidity {
	var v NameValidity
	fail := func(problem string) { v.Errors = append(v.Errors, problem) }
	warn := func(problem string) { v.Warnings = append(v.Warnings, problem) }
	if name == "" {
		fail("name length must be greater than zero")
	}
	if strings.HasPrefix(name, ".") {
		fail("name cannot start with a period")
	}
	if strings.HasPrefix(name, "-") {
		fail("name cannot start with a hyphen")
	}
	if strings.HasPrefix(name, "_") {
		fail("name cannot start with an underscore")
	}
	if js.Trim(name) != name {
		fail("name cannot contain leading or trailing spaces")
	}
	lower := strings.ToLower(name)
	for _, excluded := range [2]string{"node_modules", "favicon.ico"} {
		if lower == excluded {
			fail(excluded + " is not a valid package name")
		}
	}
	if isCoreModule(lower) {
		warn(name + " is a core module name")
	}
	if len(name) > 214 && js.Length(name) > 214 {
		warn("name can no longer contain more than 214 characters")
	}
	if lower != name {
		warn("name can no longer contain capital letters")
	}
	if strings.ContainsAny(name[strings.LastIndexByte(name, '/')+1:], "~'!()*") {
		warn(`name can no longer contain special characters ("~'!()*")`)
	}
	if js.IsURIComponent(name) {
		return v
	}
	if user, pkg, scoped, ok := cutScope(name); ok {
		if strings.HasPrefix(pkg, ".") {
			fail("name cannot start with a period")
		}
		if scoped && js.IsURIComponent(user) && js.IsURIComponent(pkg) {
			return v
		}
	}
	fail("name can only contain URL-friendly characters")
	return v
}

// cutScope splits "@user/pkg"; ok is false where there are other slashes.
func cutScope(name string) (user, pkg string, scoped, ok bool) {
	if rest, found := strings.CutPrefix(name, "@"); found {
		user, pkg, found = strings.Cut(rest, "/")
		if found && user != "" && pkg != "" && !strings.Contains(pkg, "/") {
			return user, pkg, true, true
		}
	}
	return "", name, false, name != "" && !strings.Contains(name, "/")
}

// isCoreModule reports whether node has a module of that name.
func isCoreModule(name string) bool {
	switch name {
	case "_http_agent", "_http_client", "_http_common", "_http_incoming", "_http_outgoing", "_http_server",
		"_stream_duplex", "_stream_passthrough", "_stream_readable", "_stream_transform", "_stream_wrap", "_stream_writable",
		"_tls_common", "_tls_wrap",
		"assert", "assert/strict", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto",
		"dgram", "diagnostics_channel", "dns", "dns/promises", "domain", "events", "fs", "fs/promises", "http", "http2",
		"https", "inspector", "inspector/promises", "module", "net", "os", "path", "path/posix", "path/win32", "perf_hooks",
		"process", "punycode", "querystring", "readline", "readline/promises", "repl", "stream", "stream/consumers",
		"stream/promises", "stream/web", "string_decoder", "sys", "timers", "timers/promises", "tls", "trace_events", "tty",
		"url", "util", "util/types", "v8", "vm", "wasi", "worker_threads", "zlib",
		"node:sea", "node:sqlite", "node:test", "node:test/reporters":
		return true
	}
	return false
}
