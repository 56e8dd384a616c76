package registrytest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

type scriptKey struct{}

// Script starts a registry for one testscript, with the packages below the
// script's registry folder. It is the setup function's business to call it.
// The script sees its URL as $REGISTRY and as npm_config_registry. Tarball URLs
// are npm's own, which replace-registry-host turns back to this registry, so
// that lockfiles don't depend on the port.
func Script(env *testscript.Env) (*Registry, error) {
	r := NewHandler()
	r.TarballBase = Canonical
	if err := r.AddDir(filepath.Join(env.WorkDir, "registry")); err != nil {
		return nil, err
	}
	r.Start()
	env.Defer(r.Close)
	env.Setenv("REGISTRY", r.URL)
	env.Setenv("npm_config_registry", r.URL)
	if env.Values == nil {
		env.Values = map[any]any{}
	}
	env.Values[scriptKey{}] = r
	return r, nil
}

// Commands are the script commands that go with Script:
//
//	registry add DIR             publish the packages below DIR
//	registry remove NAME [VERSION]
//	registry fail KIND PATTERN [times=N] [skip=N] [at=N] [delay=D] [status=N] [retry-after=S] [body=TEXT] [location=URL]
//	registry heal
//	registry token TOKEN         ask for this bearer token from now on
//	registry shuffle SEED DELAY  answer in an order that depends on SEED
//	registry requests            write "METHOD PATH STATUS" lines to the file requests
//	registry count N PATTERN     fail unless PATTERN was asked for N times
//	registry reset               forget the requests
//	registry tls FILE            serve with https from now on; the certificate is in FILE
func Commands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){"registry": scriptCommand}
}

var kindNames = map[string]Kind{
	"refuse": Refuse, "truncate": Truncate, "stall": Stall, "silence": Silence, "reset": Reset, "drip": Drip,
	"wrong-length": WrongLength, "html": HTML, "malformed": Malformed, "corrupt": Corrupt, "redirect": Redirect,
	"slow": Slow, "replace": Replace,
}

func scriptCommand(ts *testscript.TestScript, neg bool, args []string) {
	r, _ := ts.Value(scriptKey{}).(*Registry)
	if r == nil {
		ts.Fatalf("registry: the script's setup started none")
	}
	if len(args) == 0 {
		ts.Fatalf("usage: registry add|remove|fail|heal|token|shuffle|requests|count|reset|tls")
	}
	need := func(n int) {
		if len(args) < n+1 {
			ts.Fatalf("registry %s: too few arguments", args[0])
		}
	}
	switch args[0] {
	case "add":
		need(1)
		ts.Check(r.AddDir(ts.MkAbs(args[1])))
	case "remove":
		need(1)
		version := ""
		if len(args) > 2 {
			version = args[2]
		}
		r.Remove(args[1], version)
	case "fail":
		need(2)
		f, err := parseFault(args[1], args[2], args[3:])
		ts.Check(err)
		r.Fail(f)
	case "heal":
		r.Heal()
	case "token":
		need(1)
		r.mu.Lock()
		r.Token = args[1]
		r.mu.Unlock()
	case "shuffle":
		need(2)
		seed, err := strconv.ParseUint(args[1], 10, 64)
		ts.Check(err)
		d, err := time.ParseDuration(args[2])
		ts.Check(err)
		r.Shuffle(seed, d)
	case "requests":
		var b strings.Builder
		for _, q := range r.Requests() {
			fmt.Fprintf(&b, "%s %s %d\n", q.Method, q.Path, q.Status)
		}
		ts.Check(os.WriteFile(ts.MkAbs("requests"), []byte(b.String()), 0o666))
	case "count":
		need(2)
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		if got := r.Count(args[2]); (got == n) == neg {
			ts.Fatalf("%s was asked for %d times, not %d", args[2], got, n)
		}
	case "reset":
		r.ResetRequests()
	case "tls":
		need(1)
		r.server.Close()
		r.StartTLS()
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(r.Certificate()), 0o666))
		ts.Setenv("REGISTRY", r.URL)
		ts.Setenv("npm_config_registry", r.URL)
	default:
		ts.Fatalf("registry: unknown command %s", args[0])
	}
}

func parseFault(kind, pattern string, args []string) (Fault, error) {
	k, ok := kindNames[kind]
	if !ok {
		return Fault{}, fmt.Errorf("registry fail: unknown kind %s", kind)
	}
	f := Fault{Kind: k, Path: pattern}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		var err error
		switch key {
		case "times":
			f.Times, err = strconv.Atoi(value)
		case "skip":
			f.Skip, err = strconv.Atoi(value)
		case "at":
			f.At, err = strconv.Atoi(value)
		case "status":
			f.Status, err = strconv.Atoi(value)
		case "delay":
			f.Delay, err = time.ParseDuration(value)
		case "retry-after":
			f.RetryAfter = value
		case "body":
			f.Body = value
		case "location":
			f.Location = value
		case "method":
			f.Method = value
		default:
			err = fmt.Errorf("unknown setting")
		}
		if err != nil {
			return f, fmt.Errorf("registry fail: %s: %w", arg, err)
		}
	}
	return f, nil
}
