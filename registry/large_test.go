package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
)

// zeros is a body of n bytes that counts those that were read.
type zeros struct{ n, read int }

func (z *zeros) Read(p []byte) (int, error) {
	n := min(len(p), z.n-z.read)
	if z.read += n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (z *zeros) Close() error { return nil }

func TestOnlySoMuchOfLargeDocumentsIsInMemory(t *testing.T) {
	c := New(Options{})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	read := func(ctx context.Context, size int, announced bool) (got int, leave func(), err error) {
		z := &zeros{n: size}
		res := &http.Response{Body: z, ContentLength: -1}
		if announced {
			res.ContentLength = int64(size)
		}
		buf := new([]byte)
		_, leave, err = c.readBody(ctx, buf, res)
		if err == nil && len(*buf) != size {
			t.Errorf("%d of %d bytes", len(*buf), size)
		}
		return z.read, leave, err
	}
	must := func(size int, announced bool) (leave func()) {
		t.Helper()
		_, leave, err := read(t.Context(), size, announced)
		if err != nil {
			t.Fatal(err)
		}
		return leave
	}
	wait := func(size int, announced bool, most int) {
		t.Helper()
		got, leave, err := read(gone, size, announced)
		if !errors.Is(err, context.Canceled) || got > most {
			t.Errorf("%d of %d bytes were read, %v", got, size, err)
		}
		leave()
	}
	// Nobody says how long the first will be: it has all.
	leave := must(6<<20, false)
	must(largeBody, true)()
	must(largeBody, false)()
	wait(6<<20, false, 5<<20)
	wait(6<<20, true, 0)
	leave()
	// Those that say it share.
	leave = must(30<<20, true)
	also := must(30<<20, true)
	wait(6<<20, true, 0)
	also()
	must(6<<20, true)()
	leave()
	must(100<<20, true)()
	if got, _, err := read(t.Context(), defaultMaxDocument+1, true); !errors.Is(err, errTooLarge) || got > 0 {
		t.Errorf("%d bytes were read, %v", got, err)
	}
}

// A document that no room has space for is decoded all the same.
func TestAGiantDocumentIsDecoded(t *testing.T) {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	io.WriteString(z, `{"name":"a","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"a","version":"1.0.0"}},"readme":"`)
	z.Write(bytes.Repeat([]byte("a"), roomSize))
	io.WriteString(z, `"}`)
	z.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(body.Bytes())
	}))
	defer server.Close()
	p, err := New(Options{Registry: server.URL + "/"}).Packument(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := p.DistTag("latest"); v != "1.0.0" {
		t.Errorf("latest is %q", v)
	}
}

// A tarball whose size nobody says asks for memory before it takes much.
func TestALargeTarballAsksForMemory(t *testing.T) {
	const size = 9 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/announced.tgz" {
			w.Header().Set("Content-Length", strconv.Itoa(size))
		}
		w.Write(make([]byte, size/2))
		w.(http.Flusher).Flush()
		w.Write(make([]byte, size/2))
	}))
	defer server.Close()
	for path, want := range map[string][]int{"announced.tgz": {size + 1}, "chunked.tgz": {4097, largestProof + 1}} {
		var asked []int
		data, err := New(Options{Registry: server.URL + "/"}).ReadTarball(t.Context(), TarballRequest{URL: server.URL + "/" + path}, func(n int) []byte {
			asked = append(asked, n)
			return make([]byte, 0, n)
		})
		if err != nil || len(data) != size || !slices.Equal(asked, want) {
			t.Errorf("%s: %d bytes, %v, asked for %v, want %v", path, len(data), err, asked, want)
		}
	}
}
