package registry_test

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/registry/registrytest"
)

// npmRetry is npm's default: two more tries, after 10 s and 60 s.
var npmRetry = registry.Retry{Count: 2, Factor: 10, MinTimeout: 10 * time.Second, MaxTimeout: time.Minute}

// clock is a time that tests set, and sleeps that take none.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept = append(c.slept, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

func (c *clock) Slept() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.slept...)
}

// fixture is a registry with two packages and what a client of it needs.
type fixture struct {
	*registrytest.Registry
	clock *clock
	cache string
	opts  registry.Options
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
}

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{Registry: registrytest.New(t), clock: newClock(), cache: t.TempDir()}
	f.fill(t)
	return f
}

func (f *fixture) fill(t *testing.T) {
	t.Helper()
	for _, pkg := range []string{
		`{"name":"a","version":"1.0.0","license":"MIT","devDependencies":{"x":"1"},"scripts":{"test":"t"},"description":"first"}`,
		`{"name":"a","version":"1.1.0","license":"MIT","scripts":{"postinstall":"p"},"dependencies":{"b":"^2"}}`,
		`{"name":"a","version":"2.0.0","license":"ISC","engines":{"node":">=99"}}`,
		`{"name":"@s/b","version":"0.1.0"}`,
	} {
		if err := f.Add(pkg, map[string]string{"index.js": "module.exports = 1\n"}); err != nil {
			t.Fatal(err)
		}
	}
	f.opts = registry.Options{
		Registry: f.URL, CacheDir: f.cache, Retry: npmRetry, IdleTimeout: 30 * time.Second,
		Now: f.clock.Now, Sleep: f.clock.Sleep,
	}
}

// client gives a new run's client.
func (f *fixture) client(t *testing.T, change ...func(*registry.Options)) *registry.Client {
	o := f.opts
	for _, c := range change {
		c(&o)
	}
	c := registry.New(o)
	if f.dial != nil {
		c.DialWith(f.dial)
	}
	t.Cleanup(c.Close)
	return c
}

func asError(t *testing.T, err error) *registry.Error {
	t.Helper()
	var e *registry.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T %v, not *registry.Error", err, err)
	}
	return e
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
