package registry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/internal/inflate"
)

// recorded gives the packuments that installing a real app asks for, gzipped,
// by name.
func recorded(b *testing.B) map[string][]byte {
	files, _ := filepath.Glob("../../shared/bench/registry/packuments/*/*.json.gz")
	if len(files) == 0 {
		b.Skip("no recording beside the repository")
	}
	docs := map[string][]byte{}
	for _, file := range files {
		name, err := url.PathUnescape(strings.TrimSuffix(filepath.Base(file), ".json.gz"))
		if err != nil {
			b.Fatal(err)
		}
		if docs[name], err = os.ReadFile(file); err != nil {
			b.Fatal(err)
		}
	}
	return docs
}

func BenchmarkInflate(b *testing.B) {
	docs := recorded(b)
	var d inflate.Decoder
	var text []byte
	for b.Loop() {
		size := 0
		for _, doc := range docs {
			var err error
			if text, err = d.Gunzip(text[:0], doc, 1<<30); err != nil {
				b.Fatal(err)
			}
			size += len(text)
		}
		b.SetBytes(int64(size))
	}
}

func BenchmarkScan(b *testing.B) {
	var d inflate.Decoder
	var texts [][]byte
	size := 0
	for _, doc := range recorded(b) {
		text, err := d.Gunzip(nil, doc, 1<<30)
		if err != nil {
			b.Fatal(err)
		}
		texts = append(texts, append(text, 0))
		size += len(text)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	w := new(scratch)
	for b.Loop() {
		for _, text := range texts {
			if _, err := w.scan(text); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// resolve asks for every packument, and for two versions of each.
func resolve(b *testing.B, o Options, docs map[string][]byte) {
	c := New(o)
	defer c.Close()
	names := make(chan string)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for name := range names {
				p, err := c.Packument(b.Context(), name)
				if err != nil {
					b.Error(err)
					continue
				}
				for _, wanted := range []string{"*", "^1.0.0"} {
					_, _ = PickText(p, wanted, PickOptions{NodeVersion: "20.0.0", NPMVersion: "11.0.0"})
				}
			}
		})
	}
	for name := range docs {
		names <- name
	}
	close(names)
	wg.Wait()
}

func serve(b *testing.B, docs map[string][]byte) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		doc, ok := docs[strings.TrimPrefix(q.URL.Path, "/")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Content-Encoding", "gzip")
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("Etag", fmt.Sprintf(`"%d"`, len(doc)))
		h.Set("Content-Length", fmt.Sprint(len(doc)))
		_, _ = w.Write(doc)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

func BenchmarkCold(b *testing.B) {
	docs := recorded(b)
	o := Options{Registry: serve(b, docs)}
	dir := b.TempDir()
	for i := 0; b.Loop(); i++ {
		o.CacheDir = filepath.Join(dir, fmt.Sprint(i))
		resolve(b, o, docs)
	}
}

func BenchmarkWarm(b *testing.B) {
	docs := recorded(b)
	o := Options{Registry: serve(b, docs), CacheDir: b.TempDir()}
	resolve(b, o, docs)
	o.Mode = Offline
	b.ReportAllocs()
	for b.Loop() {
		resolve(b, o, docs)
	}
}

// BenchmarkStands is what it takes to know that BenchmarkWarm would say the same.
func BenchmarkStands(b *testing.B) {
	docs := recorded(b)
	c := New(Options{Registry: serve(b, docs), CacheDir: b.TempDir()})
	defer c.Close()
	for name := range docs {
		if _, err := c.Packument(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
	time.Sleep(2 * folder.ClockSlack)
	basis := c.Basis()
	b.ReportAllocs()
	for b.Loop() {
		if !c.Stands(basis) {
			b.Fatal("it does not")
		}
	}
}
