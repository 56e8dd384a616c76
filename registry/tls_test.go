package registry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ibid-pm/ibid/registry"
)

// The certificate of httptest may sign others and is signed by itself: it is at depth
// zero all the same, as OpenSSL counts.
func TestASelfSignedServerIsAtDepthZero(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	if !s.Certificate().IsCA {
		t.Fatal("it may not sign others")
	}
	c := registry.New(registry.Options{Registry: s.URL})
	defer c.Close()
	_, err := c.Packument(t.Context(), "a")
	if e := asError(t, err); e.Code() != "DEPTH_ZERO_SELF_SIGNED_CERT" {
		t.Errorf("code %s of %v", e.Code(), err)
	}
}
