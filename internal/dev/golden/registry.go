package golden

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ibid-pm/ibid/registry/registrytest"
)

// Registry serves the files in the scene's folder "-registry": a file is the
// answer to a request for its path, "ms.json" to one for "/ms" and
// "@a/b.json" to one for "/@a%2fb". For a POST the file is "PATH.post.json".
// {REGISTRY} in a file stands for the server's own address. The folder
// "-tarballs" holds what is packed: "a/-/a-1.0.0.tgz/package/x.js" is in the
// tarball at "/a/-/a-1.0.0.tgz", with a mode where one is behind its name, as in
// "x.js 755". What stands in the folder "registry" is served by registrytest.
// Everything else is not found. The caller closes it.
func (s *Scene) Registry() *httptest.Server {
	files := map[string]string{}
	for _, f := range s.files {
		if name, ok := strings.CutPrefix(f.Name, "-registry/"); ok {
			files[name] = string(f.Data)
		}
	}
	tarballs := s.tarballs()
	packages := registrytest.NewHandler()
	for _, f := range s.files {
		if strings.HasPrefix(f.Name, "registry/") && len(files) == 0 {
			if err := packages.AddTxtar(&txtar.Archive{Files: s.files}); err != nil {
				panic(err) // the scene is wrong
			}
			packages.Start()
			return packages.Server()
		}
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if tgz, ok := tarballs[name]; ok {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Write(tgz)
			return
		}
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

// tarballs packs the folder "-tarballs".
func (s *Scene) tarballs() map[string][]byte {
	type archive struct {
		b   bytes.Buffer
		zip *gzip.Writer
		tar *tar.Writer
	}
	all := map[string]*archive{}
	for _, f := range s.files {
		name, ok := strings.CutPrefix(f.Name, "-tarballs/")
		if !ok {
			continue
		}
		at := strings.Index(name, ".tgz/") + len(".tgz")
		a := all[name[:at]]
		if a == nil {
			a = &archive{}
			a.zip = gzip.NewWriter(&a.b)
			a.tar = tar.NewWriter(a.zip)
			all[name[:at]] = a
		}
		path, mode, _ := strings.Cut(name[at+1:], " ")
		bits, err := strconv.ParseInt(mode, 8, 64)
		if err != nil {
			bits = 0o644
		}
		// A bytes.Buffer takes everything.
		a.tar.WriteHeader(&tar.Header{Name: path, Mode: bits, Size: int64(len(f.Data))})
		a.tar.Write(f.Data)
	}
	out := map[string][]byte{}
	for name, a := range all {
		a.tar.Close()
		a.zip.Close()
		out[name] = a.b.Bytes()
	}
	return out
}
