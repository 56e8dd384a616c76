package registry_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/ibid-pm/ibid/registry/registrytest"
)

// inBubble runs a test of what takes its time. The registry is behind pipes, in a
// bubble whose time passes when all in it wait: what the machine does meanwhile
// makes no difference, and hours cost nothing.
func inBubble(t *testing.T, test func(*testing.T, *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{Registry: registrytest.NewHandler(), clock: newClock(), cache: t.TempDir()}
		f.URL = "http://registry.example/"
		f.fill(t)
		l := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: f}
		f.dial = l.dial
		done := make(chan struct{})
		go func() { _ = server.Serve(l); close(done) }()
		defer func() {
			f.Close()
			_ = server.Close()
			<-done
		}()
		test(t, f)
	})
}

// pipes is a listener of connections that are no network's.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	dials    int // Accept is called by one goroutine
}

func (l *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.accepted <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accepted:
		l.dials++
		return numbered{conn, pipeAddr(fmt.Sprintf("pipe %d", l.dials))}, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error   { close(l.closed); return nil }
func (l *pipes) Addr() net.Addr { return pipeAddr("pipes") }

// numbered is a connection whose requests can be told from another's.
type numbered struct {
	net.Conn
	remote pipeAddr
}

func (c numbered) RemoteAddr() net.Addr { return c.remote }

type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }
