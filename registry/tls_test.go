package registry_test

import (
	"errors"
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

// A certificate file that cannot be read is as unreadable a minute later.
func TestAWrongSettingIsNotTriedAgain(t *testing.T) {
	for name, set := range map[string]func(*registry.Options){
		"cafile": func(o *registry.Options) {
			o.Roots = func() (own, extra []string, err error) { return nil, nil, errors.New("more than 16 MB") }
		},
		"local-address": func(o *registry.Options) { o.LocalAddress = "here" },
		"cert":          func(o *registry.Options) { o.Cert, o.Key = "x", "y" },
	} {
		o := registry.Options{Registry: "http://127.0.0.1:1/", Retry: registry.Retry{Count: 2}}
		tries := 0
		o.Report = func(e registry.Event) {
			if e.Kind == registry.RequestStarted {
				tries++
			}
		}
		set(&o)
		c := registry.New(o)
		if _, err := c.Packument(t.Context(), "a"); err == nil || tries > 0 {
			t.Errorf("%s: %d tries, %v", name, tries, err)
		}
		c.Close()
	}
}
