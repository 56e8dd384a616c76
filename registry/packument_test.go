package registry_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/registry/registrytest"
)

func TestAPackumentHasWhatAResolverReads(t *testing.T) {
	f := setup(t)
	check := func(t *testing.T, c *registry.Client) {
		p, err := c.Packument(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.Versions(), " "); got != "1.0.0 1.1.0 2.0.0" {
			t.Errorf("versions are %s", got)
		}
		if v, ok := p.DistTag("latest"); v != "2.0.0" || !ok {
			t.Errorf("latest is %q", v)
		}
		m, err := p.Manifest("1.1.0")
		if err != nil {
			t.Fatal(err)
		}
		if string(m.License) != `"MIT"` || !m.HasInstallScript || m.Dist.Tarball != f.URL+"a/-/a-1.1.0.tgz" || !strings.HasPrefix(m.Dist.Integrity, "sha512-") {
			t.Errorf("manifest is %+v", m)
		}
		if spec, _ := m.Dependencies.Get("b"); spec != "^2" {
			t.Errorf("dependency b is %q", spec)
		}
		if again, _ := p.Manifest("1.1.0"); again != m {
			t.Error("a manifest is decoded twice")
		}
		if _, err := p.Manifest("9.9.9"); !errors.Is(err, registry.ErrNoVersion) {
			t.Errorf("missing version gives %v", err)
		}
		if at, ok := p.Published("1.1.0"); !ok || at.Format("2006-01-02") != "2020-01-02" {
			t.Errorf("published %v %v", at, ok)
		}
		full, err := p.FullManifest("1.0.0")
		if err != nil || !strings.Contains(string(full), `"devDependencies":{"x":"1"}`) {
			t.Errorf("full manifest is %s, %v", full, err)
		}
		want, _ := f.Registry.Packument("a")
		if raw, err := p.Raw(); err != nil || string(raw) != string(want) {
			t.Errorf("raw document differs, %v", err)
		}
	}
	t.Run("when it was fetched", func(t *testing.T) { check(t, f.client(t)) })
	t.Run("when it came from the cache", func(t *testing.T) {
		f.ResetRequests()
		check(t, f.client(t))
		if n := len(f.Requests()); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("when there is no cache", func(t *testing.T) {
		check(t, f.client(t, func(o *registry.Options) { o.CacheDir = "" }))
	})
	t.Run("when the registry does not compress", func(t *testing.T) {
		f.NoGzip = true
		check(t, f.client(t, func(o *registry.Options) { o.CacheDir = t.TempDir() }))
	})
}

func TestAScopedNameIsEscaped(t *testing.T) {
	f := setup(t)
	if _, err := f.client(t).Packument(t.Context(), "@s/b"); err != nil {
		t.Fatal(err)
	}
	if got := f.Requests()[0].URI; got != "/@s%2fb" {
		t.Errorf("asked for %s", got)
	}
}

func TestAPackumentIsAskedForOnce(t *testing.T) {
	f := setup(t)
	f.Delay(func(string) time.Duration { return 20 * time.Millisecond })
	c := f.client(t)
	var wg sync.WaitGroup
	found := make([]*registry.Packument, 20)
	for i := range found {
		wg.Go(func() { found[i], _ = c.Packument(t.Context(), "a") })
	}
	wg.Wait()
	for _, p := range found {
		if p == nil || p != found[0] {
			t.Fatal("callers have different packuments")
		}
	}
	if n := f.Count("/a"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestAFailureIsRememberedWithinARun(t *testing.T) {
	f := setup(t)
	c := f.client(t)
	for range 2 {
		_, err := c.Packument(t.Context(), "nothing")
		if e := asError(t, err); e.Code() != "E404" || e.Package != "nothing" {
			t.Errorf("error is %v", err)
		}
	}
	if n := f.Count("/nothing"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestOneCallerGoingAwayDoesNotHurtTheOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.Delay(func(string) time.Duration { return 20 * time.Second })
		c := f.client(t)
		ask := func(ctx context.Context, name string) <-chan error {
			answer := make(chan error, 1)
			go func() { _, err := c.Packument(ctx, name); answer <- err }()
			synctest.Wait() // until it waits for the registry
			return answer
		}
		ctx, cancel := context.WithCancel(t.Context())
		first, second := ask(ctx, "a"), ask(t.Context(), "a")
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("the one that left has %v", err)
		}
		if err := <-second; err != nil {
			t.Errorf("the one that stayed has %v", err)
		}
		if n := f.Count("/a"); n != 1 {
			t.Errorf("%d requests", n)
		}
		// When the last one leaves, the next one starts anew.
		ctx, cancel = context.WithCancel(t.Context())
		last := ask(ctx, "@s/b")
		cancel()
		if err := <-last; !errors.Is(err, context.Canceled) {
			t.Errorf("the last one has %v", err)
		}
		if err := <-ask(t.Context(), "@s/b"); err != nil {
			t.Errorf("the next one has %v", err)
		}
		if n := f.Count("/@s/b"); n != 2 {
			t.Errorf("%d requests of the two who asked alone", n)
		}
	})
}

func TestTheCacheIsRevalidated(t *testing.T) {
	online := func(o *registry.Options) { o.Mode = registry.PreferOnline }
	preferOffline := func(o *registry.Options) { o.Mode = registry.PreferOffline }
	offline := func(o *registry.Options) { o.Mode = registry.Offline }
	get := func(t *testing.T, f *fixture, change ...func(*registry.Options)) (statuses []int) {
		t.Helper()
		f.ResetRequests()
		if _, err := f.client(t, change...).Packument(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		for _, q := range f.Requests() {
			statuses = append(statuses, q.Status)
		}
		return statuses
	}
	want := func(t *testing.T, got []int, want ...int) {
		t.Helper()
		if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
			t.Errorf("answers were %v, want %v", got, want)
		}
	}
	f := setup(t)
	want(t, get(t, f), 200)
	want(t, get(t, f))
	f.clock.Advance(299 * time.Second)
	want(t, get(t, f))
	f.clock.Advance(2 * time.Second)
	want(t, get(t, f), 304)
	want(t, get(t, f))
	want(t, get(t, f, online), 304)
	f.clock.Advance(time.Hour)
	want(t, get(t, f, preferOffline))
	want(t, get(t, f, offline))
	if err := f.Add(`{"name":"a","version":"3.0.0"}`, nil); err != nil {
		t.Fatal(err)
	}
	want(t, get(t, f), 200)
	p, err := f.client(t).Packument(t.Context(), "a")
	if err != nil || !p.Has("3.0.0") {
		t.Errorf("the new version is missing, %v", err)
	}

	t.Run("offline and not cached is ENOTCACHED", func(t *testing.T) {
		_, err := f.client(t, offline).Packument(t.Context(), "@s/b")
		e := asError(t, err)
		if e.Code() != "ENOTCACHED" {
			t.Errorf("code is %s", e.Code())
		}
		if want := "request to " + f.URL + "@s%2fb failed: cache mode is 'only-if-cached' but no cached response is available."; e.Summary() != want {
			t.Errorf("summary is %s", e.Summary())
		}
	})
	t.Run("a stale entry answers when the registry can't be reached", func(t *testing.T) {
		f.clock.Advance(time.Hour)
		f.Fail(registrytest.Fault{Kind: registrytest.Reset})
		defer f.Heal()
		if _, err := f.client(t).Packument(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	})
	t.Run("but not when it says must-revalidate", func(t *testing.T) {
		f := setup(t)
		f.CacheControl = "max-age=300, must-revalidate"
		want(t, get(t, f), 200)
		want(t, get(t, f), 304)
		f.Fail(registrytest.Fault{Kind: registrytest.Reset})
		if _, err := f.client(t).Packument(t.Context(), "a"); err == nil {
			t.Error("it answered")
		}
	})
	t.Run("no-store keeps nothing", func(t *testing.T) {
		f := setup(t)
		f.CacheControl = "no-store"
		want(t, get(t, f), 200)
		want(t, get(t, f), 200)
		if q := f.Requests()[0]; q.Header.Get("If-None-Match") != "" {
			t.Error("it was kept")
		}
	})
	t.Run("an error status is an error even with a stale entry", func(t *testing.T) {
		f.clock.Advance(time.Hour)
		f.Fail(registrytest.Fault{Status: 403})
		defer f.Heal()
		_, err := f.client(t).Packument(t.Context(), "a")
		if e := asError(t, err); e.Code() != "E403" {
			t.Errorf("code is %s", e.Code())
		}
	})
	t.Run("a fresh packument asks although the run knows one", func(t *testing.T) {
		c := f.client(t)
		if _, err := c.Packument(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		f.ResetRequests()
		if _, err := c.FreshPackument(t.Context(), "a"); err != nil || f.Count("/a") != 1 {
			t.Errorf("%d requests, %v", f.Count("/a"), err)
		}
	})
}

// entries lists the cache's files.
func entries(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestADamagedCacheIsAsGoodAsNone(t *testing.T) {
	f := setup(t)
	if _, err := f.client(t).Packument(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	files := entries(t, f.cache)
	if len(files) != 1 {
		t.Fatalf("cache has %v", files)
	}
	whole := readFile(t, files[0])
	use := func(t *testing.T) {
		t.Helper()
		p, err := f.client(t).Packument(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{"1.0.0", "1.1.0", "2.0.0"} {
			m, err := p.Manifest(v)
			if err != nil || m.Version != v {
				t.Fatalf("%s: %+v, %v", v, m, err)
			}
		}
		if at, ok := p.Published("2.0.0"); !ok || at.Year() != 2020 {
			t.Fatalf("published %v", at)
		}
		want, _ := f.Registry.Packument("a")
		if raw, err := p.Raw(); err != nil || string(raw) != string(want) {
			t.Fatalf("raw differs, %v", err)
		}
	}
	t.Run("each byte changed", func(t *testing.T) {
		for i := 0; i < len(whole); i += 7 {
			b := bytes.Clone(whole)
			b[i] ^= 0x04
			if err := os.WriteFile(files[0], b, 0o666); err != nil {
				t.Fatal(err)
			}
			use(t)
		}
	})
	t.Run("cut short", func(t *testing.T) {
		for n := 0; n < len(whole); n += 13 {
			if err := os.WriteFile(files[0], whole[:n], 0o666); err != nil {
				t.Fatal(err)
			}
			use(t)
		}
	})
	t.Run("an entry of another URL", func(t *testing.T) {
		if _, err := f.client(t).Packument(t.Context(), "@s/b"); err != nil {
			t.Fatal(err)
		}
		for _, file := range entries(t, f.cache) {
			if file != files[0] {
				if err := os.WriteFile(files[0], readFile(t, file), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
		use(t)
	})
	t.Run("cut short while it is used", func(t *testing.T) {
		use(t)
		p, err := f.client(t).Packument(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(files[0], 0); err != nil {
			t.Fatal(err)
		}
		if m, err := p.Manifest("1.1.0"); err != nil || m.Version != "1.1.0" {
			t.Errorf("manifest is %+v, %v", m, err)
		}
	})
	t.Run("a cache that can't be written", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := f.client(t, func(o *registry.Options) { o.CacheDir = file }).Packument(t.Context(), "a"); err != nil {
			t.Error(err)
		}
	})
}

func TestAGuessDoesNotAskForWhatWasNotThere(t *testing.T) {
	f := setup(t)
	if _, err := f.client(t).Guess(t.Context(), "c"); asError(t, err).Code() != "E404" {
		t.Errorf("the first guess has %v", err)
	}
	c := f.client(t)
	f.ResetRequests()
	if _, err := c.Guess(t.Context(), "c"); !errors.Is(err, registry.ErrNotWorthAsking) || !errors.Is(err, context.Canceled) {
		t.Errorf("the second guess has %v", err)
	}
	if n := len(f.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
	if err := f.Add(`{"name":"c","version":"1.0.0"}`, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Packument(t.Context(), "c"); err != nil {
		t.Errorf("the question has %v", err)
	}
	if _, err := c.Guess(t.Context(), "c"); err != nil {
		t.Errorf("a guess of what is known has %v", err)
	}
	f.Remove("c", "")
	f.clock.Advance(25 * time.Hour)
	if _, err := f.client(t, func(o *registry.Options) { o.CacheDir = t.TempDir() }).Guess(t.Context(), "c"); asError(t, err).Code() != "E404" {
		t.Errorf("a day later the guess has %v", err)
	}
}

func TestEveryAnswerThatIsNoPackumentIsAnError(t *testing.T) {
	for name, body := range map[string]string{
		"empty":                "",
		"not JSON":             "nonsense",
		"a list":               "[]",
		"a text":               `"a"`,
		"cut off":              `{"name":"a","versions":{"1.0.0":{"na`,
		"two documents":        `{"name":"a"} {"name":"b"}`,
		"a bad escape":         `{"name":"\x"}`,
		"a control character":  "{\"name\":\"\x01\"}",
		"a trailing comma":     `{"name":"a",}`,
		"a number with a zero": `{"n":01}`,
		"very deep":            `{"n":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`,
		"a NUL":                "{\"name\":\"a\"}\x00",
	} {
		t.Run(name, func(t *testing.T) {
			f := setup(t)
			f.Fail(registrytest.Fault{Kind: registrytest.Replace, Body: body})
			_, err := f.client(t).Packument(t.Context(), "a")
			if e := asError(t, err); e.Code() != "FETCH_ERROR" {
				t.Errorf("code is %s: %v", e.Code(), err)
			}
			if len(entries(t, f.cache)) != 0 {
				t.Error("it was kept")
			}
		})
	}
}

func TestOddDocumentsAreReadAsJavaScriptReadsThem(t *testing.T) {
	for _, c := range []struct{ name, doc, versions, check string }{
		{"no versions at all", `{"name":"a"}`, "", ""},
		{"versions null", `{"versions":null}`, "", ""},
		{"array indexes come first", `{"versions":{"1.0.0":{"version":"1.0.0"},"7":{"version":"7"}}}`, "7 1.0.0", ""},
		{"a version twice has the last value", `{"versions":{"1.0.0":{"version":"1.0.0","license":"A"},"2.0.0":{},"1.0.0":{"version":"1.0.0","license":"B"}}}`, "1.0.0 2.0.0", `"B"`},
		{"versions twice has the last", `{"versions":{"9.0.0":{}},"versions":{"1.0.0":{"license":"C"}}}`, "1.0.0", `"C"`},
		{"keys written with escapes", `{"versions":{"1.0.\u0030":{"licen\u0073e":"D"}}}`, "1.0.0", `"D"`},
		{"space everywhere", " {\n\t\"versions\" : { \"1.0.0\" : { \"license\" : \"E\" , \"x\" : [ 1 , { } ] } } }\r\n", "1.0.0", `"E"`},
		{"a byte order mark", "\xef\xbb\xbf" + `{"versions":{"1.0.0":{"license":"F"}}}`, "1.0.0", `"F"`},
		{"a version that is no object", `{"versions":{"1.0.0":{"license":"G"},"2.0.0":null,"3.0.0":"x"}}`, "1.0.0", `"G"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := setup(t)
			f.Fail(registrytest.Fault{Kind: registrytest.Replace, Body: c.doc})
			for _, from := range []string{"network", "cache"} {
				p, err := f.client(t).Packument(t.Context(), "a")
				if err != nil {
					t.Fatal(from, err)
				}
				if got := strings.Join(p.Versions(), " "); got != c.versions {
					t.Errorf("%s: versions are %s", from, got)
				}
				if c.check != "" {
					if m, err := p.Manifest("1.0.0"); err != nil || string(m.License) != c.check {
						t.Errorf("%s: license is %s, %v", from, m.License, err)
					}
				}
			}
		})
	}
}

func TestADocumentLargerThanAllowedIsRefused(t *testing.T) {
	f := setup(t)
	for _, zip := range []bool{true, false} {
		f.NoGzip = !zip
		_, err := f.client(t, func(o *registry.Options) { o.MaxDocument = 1000 }).Packument(t.Context(), "a")
		if e := asError(t, err); e.Code() != "EFBIG" || e.Attempts != 1 {
			t.Errorf("error is %v", err)
		}
	}
}

func TestWritingForgetsWhatWasKnown(t *testing.T) {
	f := setup(t)
	c := f.client(t)
	if _, err := c.Packument(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	_, err := c.Do(t.Context(), registry.Request{Method: http.MethodPut, URL: "-/package/a/dist-tags/next", Package: "a", Body: []byte(`"1.0.0"`)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Packument(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := p.DistTag("next"); v != "1.0.0" {
		t.Errorf("next is %q", v)
	}
}

func TestTheAbbreviatedFormIsKeptApart(t *testing.T) {
	f := setup(t)
	check := func(c *registry.Client) {
		t.Helper()
		short, err := c.AbbreviatedPackument(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		full, err := c.Packument(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		m, err := short.Manifest("1.1.0")
		if err != nil || m.License != "" || !m.HasInstallScript {
			t.Errorf("abbreviated: license %q, install script %v, %v", m.License, m.HasInstallScript, err)
		}
		if m, err := full.Manifest("1.1.0"); err != nil || m.License == "" {
			t.Errorf("full: license %q, %v", m.License, err)
		}
		if short.URL() != full.URL() {
			t.Errorf("the forms are at %s and %s", short.URL(), full.URL())
		}
	}
	c := f.client(t)
	check(c)
	check(c)
	if n := f.Count("/a"); n != 2 {
		t.Errorf("%d requests", n)
	}
	for i, q := range f.Requests() {
		if q.URI != "/a" || (i == 0) != strings.HasPrefix(q.Header.Get("Accept"), "application/vnd.npm.install-v1+json;") {
			t.Errorf("request %d is for %s as %s", i, q.URI, q.Header.Get("Accept"))
		}
	}
	f.ResetRequests()
	later := f.client(t)
	check(later)
	if n := len(f.Requests()); n != 0 {
		t.Errorf("%d requests with a cache", n)
	}
	known := 0
	for p := range later.Cached {
		known++
		if m, err := p.Manifest("1.1.0"); err != nil || m.License == "" {
			t.Errorf("in the cache: %v, %v", m, err)
		}
	}
	if known != 1 {
		t.Errorf("%d packuments in the cache", known)
	}
}
