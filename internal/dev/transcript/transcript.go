// Package transcript tells what npm sends to a registry: scenes, in which a
// command is run against a registry whose answers are written down, and what
// was sent then. Record asks npm; the test at the root of the module holds ibid
// to it.
package transcript

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// A Scene is a command, the folder that it is run in, and what the registry
// answers.
type Scene struct {
	Name  string
	Args  []string
	Files map[string]string
	// Config is added to the user's .npmrc.
	Config string
	// Prompts are answered as they appear: what is asked, then the answer.
	Prompts []string
	// Registry has answers by "METHOD /path", with the query. REGISTRY/ in them
	// is the registry's own address. What is not there is 404.
	Registry map[string]Reply
}

// A Reply is an answer of the registry. The zero Status is 200.
type Reply struct {
	Status int
	Header map[string]string
	Body   string
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
	mu   sync.Mutex
	sent []Sent
}

// Serve starts the registry of a scene.
func Serve(scene Scene) *Server {
	s := new(Server)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(io.LimitReader(q.Body, 64<<20))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.sent = append(s.sent, s.plain(q, body))
		s.mu.Unlock()
		reply, ok := scene.Registry[q.Method+" "+q.RequestURI]
		if !ok {
			reply = Reply{Status: http.StatusNotFound, Body: `{"error":"not found"}`}
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
func (s *Server) Out(text string) string { return strings.ReplaceAll(text, s.URL, "REGISTRY") }

// Prepare writes the scene's folder and the user's .npmrc, and gives both.
func (s *Server) Prepare(scene Scene, dir string) (project, home string, err error) {
	project, home = filepath.Join(dir, "project"), filepath.Join(dir, "home")
	files := map[string]string{filepath.Join(project, "package.json"): `{"name":"project","version":"1.0.0"}`}
	for name, text := range scene.Files {
		files[filepath.Join(project, filepath.FromSlash(name))] = text
	}
	dart := strings.TrimPrefix(s.URL, "http:") + "/"
	files[filepath.Join(home, ".npmrc")] = "registry=" + s.URL + "/\n" + dart + ":_authToken=a-token\nfetch-retries=0\n" + scene.Config
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", "", err
		}
	}
	return project, home, nil
}

// Environ is that of a program in home: nothing of the caller's but the PATH.
func Environ(home string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "USERPROFILE=" + home, "npm_config_cache=" + filepath.Join(home, "cache"),
		"npm_config_userconfig=" + filepath.Join(home, ".npmrc"), "npm_config_globalconfig=" + filepath.Join(home, "npmrc"),
		"npm_config_update_notifier=false", "npm_config_logs_max=0", "NO_COLOR=1",
	}
}
