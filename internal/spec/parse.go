package spec

import (
	"os"
	"runtime"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/weburl"
)

// Parser reads specs for one kind of machine. The zero value is for POSIX,
// with this user's home and this process's working directory.
type Parser struct {
	Windows bool
	Home    string // what "~/" means; "" asks the system when it is needed
	Cwd     string // what a relative or empty where starts from; "" as Home
}

func host() Parser { return Parser{Windows: runtime.GOOS == "windows"} }

// Parse reads an argument of a command line. Paths in it are relative to the
// directory where; "" is the working directory.
//
// Errors are *NameError, *TagError, *ProtocolError, *URLError and *Error.
func Parse(arg, where string) (*Spec, error) { return host().Parse(arg, where) }

// Resolve reads a dependency: its name and what a manifest says of it. Errors
// are Parse's.
func Resolve(name, raw, where string) (*Spec, error) { return host().Resolve(name, raw, where) }

// Parse is the package's Parse for this kind of machine.
func (p Parser) Parse(arg, where string) (*Spec, error) {
	nameEnd := -1
	if arg != "" {
		if i := strings.IndexByte(arg[1:], '@'); i >= 0 {
			nameEnd = i + 1
		}
	}
	namePart := arg
	if nameEnd > 0 {
		namePart = arg[:nameEnd]
	}
	switch {
	case isURL(arg):
		return p.resolve("", arg, where, arg)
	case isSCP(arg):
		return p.resolve("", "git+ssh://"+arg, where, arg)
	case !strings.HasPrefix(namePart, "@") && (p.hasSlash(namePart) || isTarballName(namePart)):
		return p.resolve("", arg, where, arg)
	case nameEnd > 0:
		spec := arg[nameEnd+1:]
		if spec == "" {
			spec = "*"
		}
		return p.resolve(namePart, spec, where, arg)
	case ValidForOldPackages(arg):
		return p.resolve(arg, "*", where, arg)
	}
	return p.resolve("", arg, where, arg)
}

// Resolve is the package's Resolve for this kind of machine.
func (p Parser) Resolve(name, raw, where string) (*Spec, error) {
	arg := raw
	if name != "" {
		arg = name + "@" + raw
	}
	return p.resolve(name, raw, where, arg)
}

func (p Parser) resolve(name, spec, where, raw string) (*Spec, error) {
	s := &Spec{Raw: raw, RawSpec: spec}
	if err := s.setName(name); err != nil {
		return nil, err
	}
	var err error
	switch {
	case p.isPath(spec):
		err = p.file(s, where)
	case hasPrefixFold(spec, "npm:"):
		err = p.alias(s, where)
	case s.hosted():
		err = s.setCommittish(s.Hosted.Committish)
	case isURL(spec):
		err = s.url()
	case p.hasSlash(spec) || isTarballName(spec):
		err = p.file(s, where)
	default:
		err = s.registry()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// isURL reports whether s starts with a scheme as npm sees one: letters, with
// "git+" before them or not.
func isURL(s string) bool {
	if hasPrefixFold(s, "git+") {
		s = s[len("git+"):]
	}
	i := 0
	for i < len(s) && isLetter(s[i]) {
		i++
	}
	return i > 0 && i < len(s) && s[i] == ':'
}

// isSCP reports whether s is "user@host.name:path".
func isSCP(s string) bool {
	at := strings.IndexByte(s, '@')
	if at < 1 {
		return false
	}
	host := s[at+1:]
	dot := strings.IndexAny(host, ":.")
	if dot < 1 || host[dot] != '.' {
		return false
	}
	colon := strings.IndexByte(host[dot+1:], ':')
	if colon < 1 {
		return false
	}
	path := host[dot+1+colon+1:]
	return path != "" && !strings.ContainsAny(path, "\n\r\u2028\u2029")
}

func (p Parser) hasSlash(s string) bool {
	return strings.IndexByte(s, '/') >= 0 || p.Windows && strings.IndexByte(s, '\\') >= 0
}

// isTarballName reports whether s ends as a tarball's name does.
func isTarballName(s string) bool {
	return hasSuffixFold(s, ".tgz") || hasSuffixFold(s, ".tar.gz") || hasSuffixFold(s, ".tar")
}

// isPath reports whether s says by its start that it is a path.
func (p Parser) isPath(s string) bool {
	switch {
	case s == "":
		return false
	case s[0] == '.', s[0] == '/', strings.HasPrefix(s, "~/"), len(s) > 1 && isLetter(s[0]) && s[1] == ':':
		return true
	case p.Windows && s[0] == '\\':
		return true
	}
	return hasPrefixFold(s, "file:")
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// hasPrefixFold is for ASCII.
func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

func (s *Spec) registry() error {
	s.Registry = true
	s.FetchSpec = js.Trim(s.RawSpec)
	if nodesemver.Valid(s.FetchSpec, true) {
		s.Type = Version
		return nil
	}
	if nodesemver.IsRange(s.FetchSpec, nodesemver.Options{Loose: true}) {
		s.Type = Range
		return nil
	}
	if !js.IsURIComponent(s.FetchSpec) {
		return &TagError{Tag: s.FetchSpec, Raw: s.Raw}
	}
	s.Type = Tag
	return nil
}

func (p Parser) alias(s *Spec, where string) error {
	sub, err := p.Parse(s.RawSpec[len("npm:"):], where)
	if err != nil {
		return err
	}
	switch {
	case sub.Type == Alias:
		return &Error{Raw: s.Raw, Problem: "nested aliases not supported"}
	case !sub.Registry:
		return &Error{Raw: s.Raw, Problem: "aliases only work for registry deps"}
	case sub.Name == "":
		return &Error{Raw: s.Raw, Problem: "aliases must have a name"}
	}
	s.Type = Alias
	s.Registry = true
	s.Sub = sub
	return nil
}

// hosted tries the text as a repository on a known host.
func (s *Spec) hosted() bool {
	s.Hosted = ParseHosted(s.RawSpec)
	if s.Hosted == nil {
		return false
	}
	s.Type = Git
	s.SaveSpec = s.Hosted.Format(Format{})
	if s.Hosted.Default != "shortcut" {
		s.FetchSpec = s.Hosted.Format(Format{NoGitPlus: true, NoCommittish: true})
	}
	return true
}

// url reads a URL that is not on a known host.
func (s *Spec) url() error {
	raw := s.RawSpec
	s.SaveSpec = raw
	if strings.HasPrefix(raw, "git+ssh:") {
		if repo, hash, ok := cutSCP(raw); ok {
			s.Type = Git
			s.FetchSpec = repo
			return s.setCommittish(hash)
		}
	} else if strings.HasPrefix(raw, "git+file://") {
		raw = strings.ReplaceAll(raw, `\`, "/")
	}
	u, ok := weburl.Parse(raw)
	if !ok {
		return &URLError{Spec: raw}
	}
	switch u.Protocol {
	case "git:", "git+http:", "git+https:", "git+rsync:", "git+ftp:", "git+file:", "git+ssh:":
		s.Type = Git
		if err := s.setCommittish(strings.TrimPrefix(u.Hash, "#")); err != nil {
			return err
		}
		u.Hash = ""
		s.FetchSpec = u.String()
		if u.Protocol == "git+file:" && hasDrive(raw[len("git+file:"):]) {
			// A drive's colon is not a port's: "git+file://C:/x".
			s.FetchSpec = "git+file://" + strings.ToLower(u.Host()) + ":" + u.Path
		}
		s.FetchSpec = strings.TrimPrefix(s.FetchSpec, "git+")
	case "http:", "https:":
		s.Type = Remote
		s.FetchSpec = s.SaveSpec
	default:
		return &ProtocolError{Protocol: u.Protocol, Spec: raw}
	}
	return nil
}

// hasDrive reports whether s is "//x:…".
func hasDrive(s string) bool {
	return len(s) >= 4 && s[:2] == "//" && isLetter(s[2]) && s[3] == ':'
}

// cutSCP splits "git+ssh://user@host:path#hash", which is no URL but what scp
// understands. A number after the colon is a port and makes it one.
func cutSCP(raw string) (repo, hash string, ok bool) {
	repo, ok = strings.CutPrefix(raw, "git+ssh://")
	if !ok {
		return "", "", false
	}
	repo, hash, _ = strings.Cut(repo, "#")
	colon := strings.IndexByte(repo, ':')
	if colon < 1 || colon == len(repo)-1 || strings.ContainsAny(hash, "\n\r\u2028\u2029") || hasPort(repo) {
		return "", "", false
	}
	return repo, hash, true
}

// hasPort reports whether some colon is followed by digits alone.
func hasPort(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != ':' {
			continue
		}
		j := i + 1
		for j < len(s) && '0' <= s[j] && s[j] <= '9' {
			j++
		}
		if j > i+1 && (j == len(s) || s[j] == '/') {
			return true
		}
	}
	return false
}

func (p Parser) home() (string, error) {
	if p.Home != "" {
		return p.Home, nil
	}
	return os.UserHomeDir()
}

func (p Parser) cwd() string {
	if p.Cwd != "" {
		return p.Cwd
	}
	cwd, err := os.Getwd()
	if err != nil {
		return "/"
	}
	return cwd
}
