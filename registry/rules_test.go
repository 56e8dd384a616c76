package registry_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/ibid-pm/ibid/registry"
)

// noticing is a registry that has something to say, and notes who asks.
type noticing struct {
	*httptest.Server
	mu    sync.Mutex
	peers []string
}

func newNoticing(t *testing.T) *noticing {
	n := &noticing{}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.mu.Lock()
		n.peers = append(n.peers, r.RemoteAddr)
		n.mu.Unlock()
		w.Header().Set("Npm-Notice", "maintenance on Sunday")
		w.Write([]byte(`{"name":"a","versions":{"1.0.0":{"name":"a","version":"1.0.0"}},"dist-tags":{"latest":"1.0.0"}}`))
	}))
	t.Cleanup(n.Close)
	return n
}

func TestTheRegistrysNoticeIsPassedOn(t *testing.T) {
	n := newNoticing(t)
	var mu sync.Mutex
	var heard []string
	c := registry.New(registry.Options{Registry: n.URL, Report: func(e registry.Event) {
		if e.Kind == registry.NoticeReceived {
			mu.Lock()
			heard = append(heard, e.Text)
			mu.Unlock()
		}
	}})
	defer c.Close()
	if _, err := c.Packument(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(heard, "|"); got != "maintenance on Sunday" {
		t.Errorf("heard %q", got)
	}
}

func TestRequestsLeaveFromTheLocalAddress(t *testing.T) {
	n := newNoticing(t)
	ask := func(address string) error {
		c := registry.New(registry.Options{Registry: n.URL, LocalAddress: address})
		defer c.Close()
		_, err := c.Packument(t.Context(), "a")
		return err
	}
	if l, err := net.Listen("tcp", "127.0.0.2:0"); err == nil { // not everywhere
		l.Close()
		if err := ask("127.0.0.2"); err != nil {
			t.Fatal(err)
		}
		if len(n.peers) == 0 || !strings.HasPrefix(n.peers[0], "127.0.0.2:") {
			t.Errorf("asked from %v", n.peers)
		}
	}
	if err := ask("no address"); err == nil || !strings.Contains(err.Error(), "local-address") {
		t.Errorf("error is %v", err)
	}
}
