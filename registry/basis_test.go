package registry_test

import (
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/folder"
	"github.com/ibid-pm/ibid/registry"
)

func TestABasisStandsUntilSomethingWouldBeAnsweredOtherwise(t *testing.T) {
	f := setup(t)
	ask := func(c *registry.Client) *registry.Client {
		t.Helper()
		for _, name := range []string{"a", "@s/b"} {
			if _, err := c.Packument(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		return c
	}
	c := ask(f.client(t))
	if c.Basis() != nil {
		t.Error("files that are being written are relied on")
	}
	time.Sleep(2 * folder.ClockSlack)
	basis := c.Basis()
	if basis == nil {
		t.Fatal("there is none")
	}
	stands := func(change ...func(*registry.Options)) bool { return f.client(t, change...).Stands(basis) }
	mode := func(m registry.CacheMode) func(*registry.Options) {
		return func(o *registry.Options) { o.Mode = m }
	}
	if !stands() || !stands(mode(registry.PreferOffline)) || !stands(mode(registry.Offline)) {
		t.Error("it does not stand")
	}
	if stands(mode(registry.PreferOnline)) {
		t.Error("it stands where the registry is asked each time")
	}
	if stands(func(o *registry.Options) {
		o.RegistryFor = func(scope string) string {
			if scope == "@s" {
				return "http://elsewhere.example/"
			}
			return ""
		}
	}) {
		t.Error("it stands where another registry would be asked")
	}
	if stands(func(o *registry.Options) { o.CacheDir = t.TempDir() }) || stands(func(o *registry.Options) { o.CacheDir = "" }) {
		t.Error("it stands without the cache")
	}
	f.clock.Advance(-time.Minute)
	if stands() {
		t.Error("it stands before there was any")
	}
	f.clock.Advance(time.Minute + 5*time.Minute)
	if stands() || !stands(mode(registry.Offline)) {
		t.Error("it stands although all is stale, or not offline")
	}

	// Validated, all is fresh again, but not the same file.
	again := ask(f.client(t))
	if stands() {
		t.Error("it stands although it was validated")
	}
	time.Sleep(2 * folder.ClockSlack)
	if basis = again.Basis(); !stands() {
		t.Error("what was validated does not stand")
	}
	if err := f.Add(`{"name":"a","version":"3.0.0"}`, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.client(t).FreshPackument(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if stands() {
		t.Error("it stands although there is a new version")
	}
	time.Sleep(2 * folder.ClockSlack)
	if again.Basis() != nil {
		t.Error("what another run has got since is relied on")
	}
}

func TestABasisIsOfWhatTheCacheHas(t *testing.T) {
	for _, control := range []string{"no-store", "max-age=300, must-revalidate", "no-cache"} {
		f := setup(t)
		f.CacheControl = control
		c := f.client(t)
		if _, err := c.Packument(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * folder.ClockSlack)
		if basis := c.Basis(); basis != nil && f.client(t).Stands(basis) {
			t.Errorf("%s: it stands", control)
		}
	}
}

func TestWhatABasisHasIsAskedForAtOnce(t *testing.T) {
	f := setup(t)
	c := f.client(t)
	for _, name := range []string{"a", "@s/b"} {
		if _, err := c.Packument(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * folder.ClockSlack)
	basis := c.Basis()
	f.clock.Advance(time.Hour)
	f.ResetRequests()
	c = f.client(t)
	c.AskAhead(t.Context(), basis)
	if n := len(f.Requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
	for _, name := range []string{"a", "@s/b"} {
		if _, err := c.Packument(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.Requests()); n != 2 {
		t.Errorf("%d requests for the same", n)
	}
	c.AskAhead(t.Context(), basis[1:])
}
