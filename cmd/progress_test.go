package cmd

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/registry"
)

// progressAt gives a progress whose time the test sets, and what it writes.
func progressAt(t *testing.T, live bool, now *time.Time) (*progress, *bytes.Buffer) {
	t.Helper()
	cfg, err := config.Load(config.Env{Cwd: t.TempDir(), Environ: []string{"HOME=" + t.TempDir(), "LANG=C.UTF-8"}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &App{Env: Env{Stderr: &out, Stdout: &out}, Config: cfg, heading: "ibid", level: levelNotice}
	a.progress = &progress{app: a, live: live, tries: 3, now: func() time.Time { return *now }}
	t.Cleanup(a.progress.finish)
	return a.progress, &out
}

func written(out *bytes.Buffer) string {
	s := strings.ReplaceAll(out.String(), clearLine, "<")
	out.Reset()
	for _, f := range brailleFrames {
		s = strings.ReplaceAll(s, f, "*")
	}
	return s
}

func TestTheLineOfATerminalTellsPhaseCountBytesAndRate(t *testing.T) {
	now := time.Unix(1000, 0)
	p, out := progressAt(t, true, &now)
	after := func(d time.Duration, want string) {
		t.Helper()
		now = now.Add(d)
		p.tick(now)
		if got := written(out); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p.start("deciding what to install", 0, "")
	after(100*time.Millisecond, "")
	after(200*time.Millisecond, "<* deciding what to install")
	p.start("installing", 20, "packages")
	p.step(5)
	p.received(1000)
	after(time.Second, "<* installing · 5 of 20 packages · 1.0 kB")
	p.received(2000000)
	after(2*time.Second, "<* installing · 5 of 20 packages · 2.0 MB · 1.0 MB/s")

	p.app.logPrefixed(levelWarn, "", "something")
	if got := written(out); got != "<ibid warn something\n" {
		t.Errorf("a line for people: %q", got)
	}
	release := p.hold()
	after(time.Second, "")
	release()
	after(100*time.Millisecond, "<* installing · 5 of 20 packages · 2.0 MB") // nothing came lately
	p.finish()
	if got := written(out); got != "<" {
		t.Errorf("the line stays: %q", got)
	}
	after(time.Second, "")
}

func TestAWaitIsTold(t *testing.T) {
	const url = "https://registry.example/a"
	now := time.Unix(1000, 0)
	p, out := progressAt(t, false, &now)
	after := func(d time.Duration, want string) {
		t.Helper()
		now = now.Add(d)
		p.tick(now)
		if got := written(out); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	event := func(kind registry.EventKind, attempt int) registry.Event {
		return registry.Event{Kind: kind, Method: "GET", URL: url, Attempt: attempt}
	}
	p.start("installing", 20, "packages")
	p.request(event(registry.RequestStarted, 1))
	p.request(registry.Event{Kind: registry.RequestStarted, Method: "GET", URL: url + "b", Attempt: 1})
	after(0, "")
	after(2900*time.Millisecond, "")
	after(100*time.Millisecond, "ibid notice waiting for 3 s: GET "+url+" (try 1 of 3), and 1 more\n")
	after(3*time.Second, "")
	after(4*time.Second, "ibid notice waiting for 10 s: GET "+url+" (try 1 of 3), and 1 more\n")

	p.received(10)
	after(time.Second, "")
	retried := event(registry.RequestRetried, 1)
	retried.Wait, retried.Err = 10*time.Second, &registry.Error{Method: "GET", URL: url, Err: errors.New("connection refused")}
	p.request(registry.Event{Kind: registry.RequestDone, Method: "GET", URL: url + "b", Attempt: 1})
	p.request(retried)
	after(time.Second, "")
	after(4*time.Second, "ibid notice waiting for 4 s: GET "+url+": connection refused; try 2 of 3 in 6 s\n")
	p.request(event(registry.RequestStarted, 2))
	p.request(event(registry.RequestDone, 2))
	after(time.Second, "")
	after(5*time.Second, "")
	after(5*time.Second, "ibid notice waiting for 10 s: still installing\n")

	done := p.await("a@1.0.0 postinstall")
	after(time.Second, "")
	after(3*time.Second, "ibid notice waiting for 3 s: a@1.0.0 postinstall\n")
	after(27*time.Second, "ibid notice waiting for 30 s: a@1.0.0 postinstall\n")
	done()
	p.request(event(registry.RequestStarted, 1))
	after(0, "")
	after(30*time.Second, "ibid notice waiting for 30 s: GET "+url+" (try 1 of 3)\nibid hint: ibid doctor looks at what may be wrong with the connection\n")
	after(time.Second, "")
	after(29*time.Second, "ibid notice waiting for 60 s: GET "+url+" (try 1 of 3)\n")
}

func TestAWaitIsOnTheLineOfATerminal(t *testing.T) {
	for _, x := range []struct{ name, url, want string }{
		{"with the counts where there is room", "http://r.ex/", "<* installing · 0 of 2 packages · waiting for 5 s: GET http://r.ex/ (try 1 of 3)"},
		{"without them", "https://registry.example/a", "<* installing · waiting for 5 s: GET https://registry.example/a (try 1 of 3)"},
		{"cut", "https://registry.example/@a-rather-long-scope/a", "<* installing · waiting for 5 s: GET https://registry.example/@a-rather-long-sc…"},
	} {
		t.Run(x.name, func(t *testing.T) {
			now := time.Unix(1000, 0)
			p, out := progressAt(t, true, &now)
			p.start("installing", 2, "packages")
			p.request(registry.Event{Kind: registry.RequestStarted, Method: "GET", URL: x.url, Attempt: 1})
			p.tick(now)
			now = now.Add(5 * time.Second)
			p.tick(now)
			if got := written(out); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}
