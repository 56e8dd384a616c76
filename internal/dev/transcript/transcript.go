// Package transcript tells what npm sends to a registry: scenes, in which a
// command is run against a registry whose answers are written down, and what
// was sent then. Record asks npm; the test at the root of the module holds ibid
// to it.
package transcript

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// A Scene is a command, the folder that it is run in, and what the registry
// answers.
type Scene struct {
	Name  string
	Args  []string
	Files map[string]string
	// Config is added to the user's .npmrc. PROJECT in it is the folder, and
	// DART the registry's nerf dart.
	Config string
	// Anonymous leaves the token out of it.
	Anonymous bool
	// Environ is added to the environment; REGISTRY/ is replaced in it.
	Environ []string
	// Terminal says that somebody looks on: all streams are a terminal.
	Terminal bool
	// Prompts are answered as they appear: what is asked, then the answer.
	Prompts []string
	// Registry has answers by "METHOD /path", with the query, or by that and
	// " otp=123456" where a one-time password comes along. REGISTRY/ in them is
	// the registry's own address. What is not there is 404.
	Registry map[string]Reply
}

// A Reply is an answer of the registry. The zero Status is 200.
type Reply struct {
	Status int
	Header map[string]string
	Body   string
	// After is a file in the folder that has to be there before this is answered.
	After string
	// Next is the answer from the second time on; nil is this one again.
	Next *Reply
}

// A Sent is a request as it is compared: without what differs in each run.
type Sent struct {
	Method  string            `json:"method"`
	URI     string            `json:"uri"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body,omitempty"`
}

// A Recording is what npm did in a scene.
type Recording struct {
	Status int    `json:"status"`
	Code   string `json:"code,omitempty"` // npm's, where it failed
	Out    string `json:"out"`
	Opened string `json:"opened,omitempty"` // what was shown in the browser
	Sent   []Sent `json:"sent"`
}

// Recordings is the file that Record writes.
type Recordings struct {
	NPM    string               `json:"npm"`
	Node   string               `json:"node"`
	Scenes map[string]Recording `json:"scenes"`
}

// Server is the registry of a scene.
type Server struct {
	*httptest.Server
	mu      sync.Mutex
	sent    []Sent
	again   map[string]*Reply // what is answered to a request that was sent before
	project string
}

// Serve starts the registry of a scene.
func Serve(scene Scene) *Server {
	s := &Server{again: map[string]*Reply{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(io.LimitReader(q.Body, 64<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.sent = append(s.sent, s.plain(q, body))
		reply := s.reply(scene, q)
		project := s.project
		s.mu.Unlock()
		for reply.After != "" {
			if _, err := os.Stat(filepath.Join(project, reply.After)); err == nil || q.Context().Err() != nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		w.Header().Set("Content-Type", "application/json")
		for k, v := range reply.Header {
			w.Header().Set(k, v)
		}
		if reply.Status != 0 {
			w.WriteHeader(reply.Status)
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(reply.Body, "REGISTRY/", s.URL+"/"))
	}))
	return s
}

// reply is what the scene has for a request.
func (s *Server) reply(scene Scene, q *http.Request) Reply {
	key := q.Method + " " + q.RequestURI
	if otp := q.Header.Get("Npm-Otp"); otp != "" {
		if _, ok := scene.Registry[key+" otp="+otp]; ok {
			key += " otp=" + otp
		}
	}
	reply, ok := scene.Registry[key]
	switch {
	case !ok:
		return Reply{Status: http.StatusNotFound, Body: `{"error":"not found"}`}
	case s.again[key] != nil:
		return *s.again[key]
	case reply.Next != nil:
		s.again[key] = reply.Next
	}
	return reply
}

// Sent are the requests so far.
func (s *Server) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// headers are those that a registry may look at.
var headers = []string{
	"Accept", "Authorization", "Content-Encoding", "Content-Type", "Npm-Auth-Type", "Npm-Command", "Npm-Otp", "Npm-Scope", "Npm-Session", "User-Agent",
}

var (
	session = regexp.MustCompile(`^[0-9a-f]{16}$`)
	agent   = regexp.MustCompile(`^(ibid/\S+ )?npm/\S+ node/v\d\S+ \S+ \S+ workspaces/`)
	date    = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

func (s *Server) plain(q *http.Request, body []byte) Sent {
	out := Sent{Method: q.Method, URI: q.RequestURI, Headers: map[string]string{}}
	for _, key := range headers {
		value := strings.Join(q.Header.Values(key), ", ")
		switch {
		case value == "":
			continue
		case key == "Npm-Session" && session.MatchString(value):
			value = "SESSION"
		case key == "User-Agent":
			if strings.HasPrefix(q.RequestURI, "/identity") {
				continue // a CI service's, which npm asks without saying who asks
			}
			value = agent.ReplaceAllString(value, "npm/NPM node/NODE PLATFORM ARCH workspaces/")
		}
		out.Headers[key] = value
	}
	text := bytes.ReplaceAll(body, []byte(s.URL), []byte("REGISTRY"))
	if v, err := jsjson.Parse(text); err == nil {
		text = jsjson.Append(nil, still(v), "  ", "\n")
	}
	out.Body = string(text)
	return out
}

// still is v without what is another each time or with each version.
func still(v jsjson.Value) jsjson.Value {
	for _, m := range v.Members() {
		switch {
		case m.Key == "_nodeVersion" || m.Key == "_npmVersion":
			v = v.With(m.Key, jsjson.NewString("VERSION"))
		case m.Key == "date" && m.Value.IsString() && date.MatchString(m.Value.Str()):
			v = v.With(m.Key, jsjson.NewString("DATE"))
		case m.Value.IsObject():
			v = v.With(m.Key, still(m.Value))
		}
	}
	return v
}

// Out is what a program printed, as it is compared.
func (s *Server) Out(text string) string {
	text = length.ReplaceAllString(text, "")
	text = elapsed.ReplaceAllString(strings.ReplaceAll(text, s.URL, "REGISTRY"), "${1}TIME")
	if v, err := jsjson.Parse([]byte(text)); err == nil && v.Get("error").IsObject() {
		text = string(jsjson.Append(nil, v.With("error", wordless(v.Get("error"))), "  ", "\n"))
	}
	return text
}

// wordless is an error, or those of several workspaces, without the words: they are
// each program's own.
func wordless(v jsjson.Value) jsjson.Value {
	v = v.Without("summary").Without("detail")
	for _, m := range v.Members() {
		if m.Value.IsObject() {
			v = v.With(m.Key, wordless(m.Value))
		}
	}
	return v
}

var (
	elapsed = regexp.MustCompile(`("time": )\d+`)
	// length is what npm says of how long the registry's answer was on the wire.
	length = regexp.MustCompile(`(?m)^ *"_contentLength": \d+,\n`)
)

// Prepare writes the scene's folder and the user's .npmrc, and gives both.
func (s *Server) Prepare(scene Scene, dir string) (project, home string, err error) {
	project, home = filepath.Join(dir, "project"), filepath.Join(dir, "home")
	s.mu.Lock()
	s.project = project
	s.mu.Unlock()
	files := map[string]string{filepath.Join(project, "package.json"): `{"name":"project","version":"1.0.0"}`}
	for name, text := range scene.Files {
		files[filepath.Join(project, filepath.FromSlash(name))] = text
	}
	token := strings.TrimPrefix(s.URL, "http:") + "/:_authToken=a-token\n"
	if scene.Anonymous {
		token = ""
	}
	files[filepath.Join(home, ".npmrc")] = "registry=" + s.URL + "/\nfetch-retries=0\n" + token + strings.NewReplacer("PROJECT", project, "DART", strings.TrimPrefix(s.URL, "http:")+"/").Replace(scene.Config)
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", "", err
		}
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			return "", "", err
		}
	}
	return project, home, nil
}

// Browser is a program for a scene that notes what it is to show. In the folder
// under the name xdg-open it is what the system has, on Linux.
const Browser = "#!/bin/sh\nprintf %s \"$1\" >\"$0.part\" && mv \"$0.part\" \"$0.opened\"\n"

// Opened is what Browser, in the folder under the name xdg-open, was to show.
func (s *Server) Opened(project string) string {
	text, err := os.ReadFile(filepath.Join(project, "xdg-open.opened"))
	if err != nil {
		return ""
	}
	return s.Out(string(text))
}

// A Prompter writes the answers when it sees what is asked.
type Prompter struct {
	mu      sync.Mutex
	in      io.Writer
	prompts []string
	seen    string
}

// NewPrompter gives a Prompter for a scene's Prompts, whose answers go to in.
func NewPrompter(in io.Writer, prompts []string) *Prompter {
	return &Prompter{in: in, prompts: prompts}
}

// Write is given what a program prints.
func (p *Prompter) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen += string(b)
	for len(p.prompts) > 1 {
		_, rest, ok := strings.Cut(p.seen, p.prompts[0])
		if !ok {
			break
		}
		p.seen = rest
		_, _ = io.WriteString(p.in, p.prompts[1]+"\n")
		p.prompts = p.prompts[2:]
	}
	return len(b), nil
}

// Left is what was not asked.
func (p *Prompter) Left() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.prompts
}

// Environ is that of a program in home: nothing of the caller's but the PATH.
func (s *Server) Environ(scene Scene, home string) []string {
	all := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "USERPROFILE=" + home, "npm_config_cache=" + filepath.Join(home, "cache"),
		"npm_config_userconfig=" + filepath.Join(home, ".npmrc"), "npm_config_globalconfig=" + filepath.Join(home, "npmrc"),
		"npm_config_update_notifier=false", "npm_config_logs_max=0", "NO_COLOR=1",
	}
	if scene.Files["xdg-open"] != "" {
		all[0] = "PATH=" + s.project + string(os.PathListSeparator) + os.Getenv("PATH")
	}
	for _, kv := range scene.Environ {
		all = append(all, strings.ReplaceAll(kv, "REGISTRY/", s.URL+"/"))
	}
	return all
}
