package git

import (
	"strings"
)

// schemes are those that npm-package-arg takes for git, without "git+".
var schemes = map[string]bool{"git": true, "http": true, "https": true, "ssh": true, "file": true, "ftp": true, "ftps": true, "rsync": true}

// repoURL takes "git+" off a URL and refuses what git would not read as the
// address of a repository: an option, a transport that runs a command
// ("ext::sh -c …"), a host that ssh would take for an option.
func repoURL(raw string) (string, error) {
	url := strings.TrimPrefix(raw, "git+")
	refuse := func(why string) (string, error) {
		return "", &UnsafeError{What: "repository URL", Text: Redact(raw), Why: why}
	}
	if url == "" {
		return refuse("it is empty")
	}
	if url[0] == '-' {
		return refuse("it starts with a dash")
	}
	for i := 0; i < len(url); i++ {
		if url[i] < ' ' || url[i] == 0x7f {
			return refuse("it has control characters")
		}
	}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || strings.ContainsAny(scheme, "/:@") {
		return scpURL(url, refuse)
	}
	if !schemes[strings.ToLower(scheme)] {
		return refuse("git+" + scheme + " is no transport for packages")
	}
	host, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		if strings.HasPrefix(host, "-") {
			return refuse("its user starts with a dash")
		}
		host = host[at+1:]
	}
	if strings.HasPrefix(host, "-") || strings.HasPrefix(strings.ToLower(host), "%2d") {
		return refuse("its host starts with a dash")
	}
	return url, nil
}

// scpURL checks "user@host:path".
func scpURL(url string, refuse func(string) (string, error)) (string, error) {
	host, path, ok := strings.Cut(url, ":")
	if !ok || strings.Contains(host, "/") || host == "" {
		return refuse("it has no scheme and no host")
	}
	if strings.HasPrefix(path, ":") {
		return refuse(host + ":: runs a program")
	}
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = host[at+1:]
	}
	if strings.HasPrefix(host, "-") || strings.HasPrefix(path, "-") {
		return refuse("its host or path starts with a dash")
	}
	return url, nil
}

// checkCommittish refuses what would be an option of git checkout.
func checkCommittish(ref string) error {
	if strings.HasPrefix(ref, "-") {
		return &UnsafeError{What: "committish", Text: ref, Why: "it starts with a dash"}
	}
	if strings.ContainsAny(ref, "\x00\n\r") {
		return &UnsafeError{What: "committish", Text: strings.ToValidUTF8(strings.Map(printable, ref), "?"), Why: "it has control characters"}
	}
	return nil
}

func printable(r rune) rune {
	if r < ' ' {
		return '?'
	}
	return r
}

// shallowHost says whether the host is known to serve shallow clones well. On
// others a failed attempt costs more than a full clone (@npmcli/git
// lib/clone.js).
func shallowHost(url string) bool {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		// An scp URL has no host for node's url.parse.
		return false
	}
	host, _, _ := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	switch strings.ToLower(host) {
	case "github.com", "gist.github.com", "gitlab.com", "bitbucket.com", "bitbucket.org":
		return true
	}
	return false
}

// Redact takes the credentials out of every URL in text: all between "//" and
// the last "@" before the path, but a user alone, as ssh's "git@", stays.
func Redact(text string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, "//")
		if i < 0 {
			break
		}
		b.WriteString(text[:i+2])
		text = text[i+2:]
		end := strings.IndexAny(text, "/?# \t\r\n'\"<>")
		if end < 0 {
			end = len(text)
		}
		at := strings.LastIndexByte(text[:end], '@')
		if at < 0 {
			continue
		}
		scheme := b.String()[:b.Len()-2]
		if user := text[:at]; strings.Contains(user, ":") || !strings.HasSuffix(scheme, "ssh:") {
			b.WriteString("***")
		} else {
			b.WriteString(user)
		}
		text = text[at:]
	}
	b.WriteString(text)
	return b.String()
}
