package spec

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/weburl"
)

// Hosted is a git repository on a host whose URLs are known (npm:
// hosted-git-info's GitHost). It is read-only.
//
// Texts may be empty where npm has null. Two of them are written "null" by
// npm's templates, a shortcut's missing user for one ("github:project"), and
// so they are here.
type Hosted struct {
	Type       string // "github", "gitlab", "bitbucket", "gist", "sourcehut"
	Domain     string
	User       string
	Auth       string // "user:password", percent-encoded; a credential
	Project    string
	Committish string
	Default    string // which form it came in: "shortcut", "sshurl", "https", "git", "http"
}

// Format are the ways to write a repository.
type Format struct {
	NoGitPlus    bool // without the "git+" in front
	NoCommittish bool // without "#committish"
}

// hostKind has what differs between hosts.
type hostKind struct {
	name      string
	domain    string
	protocols string // space around each
	tree      string // the path that shows a folder
	blob      string // the path that shows a file
	edit      string
}

func kindOf(name string) (hostKind, bool) {
	switch name {
	case "github":
		return hostKind{name, "github.com", " git: http: git+ssh: git+https: ssh: https: ", "tree", "blob", "edit"}, true
	case "bitbucket":
		return hostKind{name, "bitbucket.org", " git+ssh: git+https: ssh: https: ", "src", "src", "?mode=edit"}, true
	case "gitlab":
		return hostKind{name, "gitlab.com", " git+ssh: git+https: ssh: https: ", "tree", "tree", "-/edit"}, true
	case "gist":
		return hostKind{name, "gist.github.com", " git: git+ssh: git+https: ssh: https: ", "", "", "edit"}, true
	case "sourcehut":
		return hostKind{name, "git.sr.ht", " git+ssh: https: ", "tree", "tree", ""}, true
	}
	return hostKind{}, false
}

func kindOfDomain(domain string) (hostKind, bool) {
	switch strings.TrimPrefix(domain, "www.") {
	case "github.com":
		return kindOf("github")
	case "bitbucket.org":
		return kindOf("bitbucket")
	case "gitlab.com":
		return kindOf("gitlab")
	case "gist.github.com":
		return kindOf("gist")
	case "git.sr.ht":
		return kindOf("sourcehut")
	}
	return hostKind{}, false
}

// ParseHosted reads a shortcut ("user/project", "gitlab:user/project#v1") or a
// URL, scp's form among them. Nil if it is on no known host.
func ParseHosted(s string) *Hosted {
	if s == "" {
		return nil
	}
	if isGitHubShorthand(s) {
		s = "github:" + s
	} else if strings.IndexByte(s, ':') < 0 && strings.IndexByte(s, '@') < 0 {
		return nil // most specs: ranges and tags
	}
	u, ok := parseGitURL(s)
	if !ok {
		return nil
	}
	if kind, ok := kindOf(strings.TrimSuffix(u.Protocol, ":")); ok {
		return fromShortcut(kind, &u)
	}
	kind, ok := kindOfDomain(u.Hostname)
	if !ok || !strings.Contains(kind.protocols, " "+u.Protocol+" ") {
		return nil
	}
	h := &Hosted{Type: kind.name, Domain: kind.domain}
	switch u.Protocol {
	case "git+https:", "git:", "http:", "https:", "git+http:":
		h.Auth = u.Username
		if u.Password != "" {
			h.Auth += ":" + u.Password
		}
	}
	switch u.Protocol {
	case "git+ssh:", "ssh:":
		h.Default = "sshurl"
	case "git+https:":
		h.Default = "https"
	default:
		h.Default = strings.TrimSuffix(u.Protocol, ":")
	}
	if !h.extract(&u) {
		return nil
	}
	var ok1, ok2, ok3 bool
	h.User, ok1 = js.DecodeURIComponent(h.User)
	h.Project, ok2 = js.DecodeURIComponent(h.Project)
	h.Committish, ok3 = js.DecodeURIComponent(h.Committish)
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	return h
}

// isGitHubShorthand reports whether s is "user/project" with or without a
// "#committish", and nothing that looks like a path, a scope or a URL. npm is
// content with a slash in the committish: "project#feature/x" is one, too.
func isGitHubShorthand(s string) bool {
	before, _, _ := strings.Cut(s, "#")
	return strings.IndexByte(s, '/') > 0 &&
		strings.Count(before, "/") <= 1 &&
		!strings.HasSuffix(before, "/") &&
		s[0] != '.' &&
		!strings.ContainsAny(before, "@:") &&
		strings.IndexFunc(before, js.Space) < 0
}

func fromShortcut(kind hostKind, u *weburl.URL) *Hosted {
	h := &Hosted{Type: kind.name, Domain: kind.domain, Default: "shortcut"}
	path := strings.TrimPrefix(u.Path, "/")
	if _, rest, ok := strings.Cut(path, "@"); ok {
		path = rest // credentials mean nothing in a shortcut
	}
	user, project := "", path
	if slash := strings.LastIndexByte(path, '/'); slash >= 0 {
		user, project = path[:slash], path[slash+1:]
	}
	var ok1, ok2, ok3 bool
	h.User, ok1 = js.DecodeURIComponent(user)
	h.Project, ok2 = js.DecodeURIComponent(project)
	h.Committish, ok3 = js.DecodeURIComponent(strings.TrimPrefix(u.Hash, "#"))
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	h.Project = strings.TrimSuffix(h.Project, ".git")
	return h
}

// extract finds user, project and committish in a URL of the host, still
// encoded. False means that it is not a repository's.
func (h *Hosted) extract(u *weburl.URL) bool {
	h.Committish = strings.TrimPrefix(u.Hash, "#")
	if h.Type == "gitlab" {
		path := strings.TrimPrefix(u.Path, "/")
		if strings.Contains(path, "/-/") || strings.Contains(path, "/archive.tar.gz") {
			return false
		}
		slash := strings.LastIndexByte(path, '/')
		if slash < 0 {
			return false
		}
		h.User, h.Project = path[:slash], strings.TrimSuffix(path[slash+1:], ".git")
		return h.User != "" && h.Project != ""
	}
	var segments [5]string // the first is what stands before the first slash
	n := copy(segments[:], strings.Split(u.Path, "/"))
	h.User, h.Project = segments[1], segments[2]
	aux := segments[3]
	switch h.Type {
	case "github":
		if aux != "" && aux != "tree" {
			return false
		}
		if aux == "tree" {
			h.Committish = segments[4]
			if n < 5 {
				h.Committish = "undefined" // npm decodes what isn't there
			}
		}
	case "bitbucket":
		if aux == "get" {
			return false
		}
	case "gist":
		if aux == "raw" {
			return false
		}
		if h.Project == "" {
			h.User, h.Project = "", h.User
		}
		if h.Project == "" {
			return false
		}
		h.Project = strings.TrimSuffix(h.Project, ".git")
		return true
	case "sourcehut":
		if aux == "archive" {
			return false
		}
	}
	h.Project = strings.TrimSuffix(h.Project, ".git")
	return h.User != "" && h.Project != ""
}

// parseGitURL reads a URL after repairing what people write instead of one.
func parseGitURL(s string) (weburl.URL, bool) {
	s = correctProtocol(s)
	if u, ok := weburl.Parse(s); ok {
		return u, true
	}
	return weburl.Parse(correctSCP(s))
}

// correctProtocol puts the slashes into "proto:host/path".
func correctProtocol(s string) string {
	colon := strings.IndexByte(s, ':')
	switch s[:colon+1] {
	case "git+ssh:", "ssh:", "git+https:", "git:", "http:", "https:", "git+http:",
		"github:", "bitbucket:", "gitlab:", "gist:", "sourcehut:":
		return s
	}
	if colon >= 0 && strings.HasPrefix(s[colon:], "://") {
		return s
	}
	switch at := strings.IndexByte(s, '@'); {
	case at > colon:
		return "git+ssh://" + s
	case at >= 0:
		return s
	}
	return s[:colon+1] + "//" + s[colon+1:]
}

// correctSCP makes a path of what follows the last colon.
func correctSCP(s string) string {
	end := strings.IndexByte(s, '#')
	if end < 0 {
		end = len(s)
	}
	at := strings.LastIndexByte(s[:end], '@')
	colon := strings.LastIndexByte(s[:end], ':')
	if colon > at {
		s = s[:colon] + "/" + s[colon+1:]
		colon = strings.LastIndexByte(s[:end], ':')
	}
	if colon < 0 && !strings.Contains(s, "//") {
		s = "git+ssh://" + s
	}
	return s
}

// orNull is what a JavaScript template makes of null.
func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func (h *Hosted) path(slashed string) string { return orNull(h.User) + "/" + slashed }

// finish appends the committish and drops "git+", as the format says.
func (h *Hosted) finish(s string, f Format) string {
	if h.Committish != "" && !f.NoCommittish {
		s += "#" + h.Committish
	}
	if f.NoGitPlus {
		s = strings.TrimPrefix(s, "git+")
	}
	return s
}

func (h *Hosted) authAt() string {
	if h.Auth == "" {
		return ""
	}
	return h.Auth + "@"
}

// Format writes the repository in the form it came in.
func (h *Hosted) Format(f Format) string {
	switch h.Default {
	case "shortcut":
		return h.Shortcut(f)
	case "https":
		return h.HTTPS(f)
	case "git":
		return h.Git(f)
	}
	return h.SSHURL(f)
}

// SSH returns "git@github.com:user/project.git".
func (h *Hosted) SSH(f Format) string {
	if h.Type == "gist" {
		return h.finish("git@"+h.Domain+":"+h.Project+".git", f)
	}
	return h.finish("git@"+h.Domain+":"+h.path(h.Project)+".git", f)
}

// SSHURL returns "git+ssh://git@github.com/user/project.git".
func (h *Hosted) SSHURL(f Format) string {
	if h.Type == "gist" {
		return h.finish("git+ssh://git@"+h.Domain+"/"+h.Project+".git", f)
	}
	return h.finish("git+ssh://git@"+h.Domain+"/"+h.path(h.Project)+".git", f)
}

// HTTPS returns "git+https://github.com/user/project.git", with the
// credentials that it came with.
func (h *Hosted) HTTPS(f Format) string {
	switch h.Type {
	case "gist":
		return h.finish("git+https://"+h.Domain+"/"+h.Project+".git", f)
	case "sourcehut":
		return h.finish("https://"+h.Domain+"/"+h.path(h.Project), f)
	}
	return h.finish("git+https://"+h.authAt()+h.Domain+"/"+h.path(h.Project)+".git", f)
}

// Git returns "git://github.com/user/project.git", "" where the host doesn't
// speak that protocol.
func (h *Hosted) Git(f Format) string {
	switch h.Type {
	case "github":
		return h.finish("git://"+h.authAt()+h.Domain+"/"+h.path(h.Project)+".git", f)
	case "gist":
		return h.finish("git://"+h.Domain+"/"+h.Project+".git", f)
	}
	return ""
}

// Shortcut returns "github:user/project".
func (h *Hosted) Shortcut(f Format) string { return h.finish(h.Type+":"+h.slug(), f) }

// Path returns "user/project".
func (h *Hosted) Path(f Format) string { return h.finish(h.slug(), f) }

func (h *Hosted) slug() string {
	if h.Type == "gist" {
		return h.Project
	}
	return h.path(h.Project)
}

// ref is a committish in a URL; without one, the default.
func (h *Hosted) ref(f Format, otherwise string) string {
	if h.Committish == "" || f.NoCommittish {
		return otherwise
	}
	return js.EncodeURIComponent(h.Committish)
}

// Tarball returns the URL of an archive of the committish.
func (h *Hosted) Tarball() string {
	ref := h.ref(Format{}, "HEAD")
	switch h.Type {
	case "github":
		return "https://codeload." + h.Domain + "/" + h.path(h.Project) + "/tar.gz/" + ref
	case "gitlab":
		return "https://" + h.Domain + "/api/v4/projects/" + js.EncodeURIComponent(h.path(h.Project)) + "/repository/archive.tar.gz?sha=" + ref
	case "bitbucket":
		return "https://" + h.Domain + "/" + h.path(h.Project) + "/get/" + ref + ".tar.gz"
	case "gist":
		return "https://codeload.github.com/gist/" + h.Project + "/tar.gz/" + ref
	case "sourcehut":
		return "https://" + h.Domain + "/" + h.path(h.Project) + "/archive/" + ref + ".tar.gz"
	}
	return ""
}

// File returns the URL of one file's content.
func (h *Hosted) File(path string, f Format) string {
	path = strings.TrimPrefix(path, "/")
	switch h.Type {
	case "github":
		return "https://" + h.authAt() + "raw.githubusercontent.com/" + h.path(h.Project) + "/" + h.ref(f, "HEAD") + "/" + path
	case "gist":
		return "https://gist.githubusercontent.com/" + h.path(h.Project) + "/raw" + slashed(h.ref(f, "")) + "/" + path
	case "sourcehut":
		return "https://" + h.Domain + "/" + h.path(h.Project) + "/blob/" + h.ref(f, "HEAD") + "/" + path
	}
	return "https://" + h.Domain + "/" + h.path(h.Project) + "/raw/" + h.ref(f, "HEAD") + "/" + path
}

func slashed(s string) string {
	if s == "" {
		return ""
	}
	return "/" + s
}

// page is the repository's page at its committish.
func (h *Hosted) page(f Format) string {
	ref := h.ref(f, "")
	if h.Type == "gist" {
		return "https://" + h.Domain + "/" + h.Project + slashed(ref)
	}
	kind, _ := kindOf(h.Type)
	if ref != "" {
		ref = "/" + kind.tree + "/" + ref
	}
	return "https://" + h.Domain + "/" + h.path(h.Project) + ref
}

// Browse returns the URL of the repository's page, or of a path's in it with a
// fragment's heading.
func (h *Hosted) Browse(path, fragment string, f Format) string {
	if path == "" {
		return h.page(f)
	}
	kind, _ := kindOf(h.Type)
	return h.browse(kind.tree, path, fragment, f)
}

// BrowseFile is Browse for what is known to be a file.
func (h *Hosted) BrowseFile(path, fragment string, f Format) string {
	kind, _ := kindOf(h.Type)
	return h.browse(kind.blob, path, fragment, f)
}

func (h *Hosted) browse(view, path, fragment string, f Format) string {
	path = strings.TrimPrefix(path, "/")
	if h.Type == "gist" {
		// A gist's files are headings of its one page.
		if path == "" {
			return h.page(f)
		}
		return h.page(f) + "#file-" + hashFragment(path)
	}
	s := "https://" + h.Domain + "/" + h.path(h.Project) + "/" + view + "/" + h.ref(f, "HEAD") + "/" + path
	if heading := hashFragment(fragment); heading != "" {
		s += "#" + heading
	}
	return s
}

// hashFragment makes a heading's anchor of its text.
func hashFragment(s string) string {
	isWord := func(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' || c == '_' }
	s = strings.ToLower(s)
	for s != "" && !isWord(s[0]) {
		s = s[1:]
	}
	for s != "" && !isWord(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	s = strings.ReplaceAll(s, "/", "")
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if isWord(s[i]) {
			b.WriteByte(s[i])
		} else if i == 0 || isWord(s[i-1]) {
			b.WriteByte('-')
		}
	}
	return b.String()
}

// Edit returns the URL where a file is edited.
func (h *Hosted) Edit(path string, f Format) string {
	path = strings.TrimPrefix(path, "/")
	kind, _ := kindOf(h.Type)
	switch {
	case h.Type == "gist":
		return "https://" + h.Domain + "/" + h.path(h.Project) + slashed(h.ref(f, "")) + "/edit"
	case path == "" || kind.edit == "":
		return "https://" + h.Domain + "/" + h.path(h.Project)
	case h.Type == "bitbucket":
		return "https://" + h.Domain + "/" + h.path(h.Project) + "/" + kind.tree + "/" + h.ref(f, "HEAD") + "/" + path + kind.edit
	}
	return "https://" + h.Domain + "/" + h.path(h.Project) + "/" + kind.edit + "/" + h.ref(f, "HEAD") + "/" + path
}

// Docs returns the URL of the readme.
func (h *Hosted) Docs(f Format) string {
	if h.Type == "gist" {
		return h.page(f)
	}
	return h.page(f) + "#readme"
}

// Bugs returns the URL of the issues, "" where the host has none.
func (h *Hosted) Bugs() string {
	switch h.Type {
	case "gist":
		return "https://" + h.Domain + "/" + h.Project
	case "sourcehut":
		return ""
	}
	return "https://" + h.Domain + "/" + h.path(h.Project) + "/issues"
}
