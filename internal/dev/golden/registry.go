package golden

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Registry serves the files in the scene's folder "-registry": a file is the
// answer to a request for its path, "ms.json" to one for "/ms" and
// "@a/b.json" to one for "/@a%2fb". For a POST the file is "PATH.post.json".
// {REGISTRY} in a file stands for the server's own address. Everything else is
// not found. The caller closes it.
func (s *Scene) Registry() *httptest.Server {
	files := map[string]string{}
	for _, f := range s.files {
		if name, ok := strings.CutPrefix(f.Name, "-registry/"); ok {
			files[name] = string(f.Data)
		}
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if r.Method == http.MethodPost {
			name += ".post"
		}
		body, ok := files[name+".json"]
		w.Header().Set("Content-Type", "application/json")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"error":"Not found"}`)
			return
		}
		io.WriteString(w, strings.ReplaceAll(body, "{REGISTRY}", "http://"+r.Host))
	}))
}
