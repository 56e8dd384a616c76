package resolver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/lockfile"
)

// edgesOf writes down every edge into every node, in order.
func edgesOf(root *Node) string {
	var b strings.Builder
	for n := range root.Inventory {
		b.WriteString(n.location + "\n")
		for e := range n.EdgesIn {
			b.WriteString("\t" + e.from.location + " " + e.Type.String() + " " + e.Name + "@" + e.Spec() + " " + e.Error().String() + "\n")
		}
		for c := range n.Children {
			b.WriteString("\tchild " + c.location + "\n")
		}
		for c := range n.FsChildren {
			b.WriteString("\tfolder " + c.location + "\n")
		}
	}
	return b.String()
}

// Loading all at once must give what loading one by one gives, down to the
// order of the edges.
func TestBulkLoadIsTheSame(t *testing.T) {
	r := newToy(t, examples+`
		big@1 a@1 q1@1 q2@1 nxz@1 c1@1
	`)
	req := project(t, "big@1 m@1 a@1 b@1||2 dev:q2@1 opt:lt@1")
	dir := req.Dir
	writeFile(t, dir+"/packages/one/package.json", `{"name":"one","version":"1.0.0","dependencies":{"b":"^1","two":"^1"}}`)
	writeFile(t, dir+"/packages/two/package.json", `{"name":"two","version":"1.2.0","dependencies":{"y":"^1"},"devDependencies":{"q1":"1"}}`)
	ws := &WorkspaceMap{}
	ws.Set("one", dir+"/packages/one")
	ws.Set("two", dir+"/packages/two")
	req.Workspaces = ws
	res, err := r.resolve(req)
	if err != nil {
		t.Fatal(err)
	}
	if problems := checkRequire(res.Tree, false); len(problems) > 0 {
		t.Error(problems)
	}
	lock, err := lockfile.Parse(res.Lockfile().Encode(), "package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	o := VirtualOptions{Dir: dir, Manifest: req.Manifest, Workspaces: ws}
	load := func(slow bool) string {
		rules := newRules(dir, false, false)
		rules.oneByOne = slow
		root, err := rules.virtualRootNode(lock, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := loadLockInto(root, lock, !rootEdgesMatch(root, lock)); err != nil {
			t.Fatal(err)
		}
		return edgesOf(root)
	}
	bulk, slow := load(false), load(true)
	if bulk != slow {
		t.Errorf("all at once:\n%s\none by one:\n%s", bulk, slow)
	}
	if again, err := LoadVirtual(lock, o); err != nil {
		t.Error(err)
	} else if got := string(again.Lockfile(LockOptions{Indent: "  ", Newline: "\n"}).Encode()); got != string(res.Lockfile().Encode()) {
		t.Errorf("the lock of the loaded lock is another:\n%s\nwas\n%s", got, res.Lockfile().Encode())
	}
}

// npm 11.19.1 wrote what is expected; internal/dev/diff has the whole case,
// an-entry-as-it-was-published.
func TestAnEntryOfAnOldLockIsNormalised(t *testing.T) {
	const old = `{
  "name": "app",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": {
      "name": "app",
      "dependencies": {
        "a": "^1"
      }
    },
    "node_modules/a": {
      "version": "1.0.0",
      "license": {
        "type": "MIT"
      },
      "funding": "https://example.com/fund",
      "dependencies": {
        "b": "^1"
      },
      "optionalDependencies": {
        "b": "^1"
      }
    },
    "node_modules/b": {
      "version": "1.0.0",
      "optional": true
    }
  }
}
`
	const want = `    "node_modules/a": {
      "version": "1.0.0",
      "license": "MIT",
      "funding": {
        "url": "https://example.com/fund"
      },
      "optionalDependencies": {
        "b": "^1"
      }
    },
`
	lock, err := lockfile.Parse([]byte(old), "package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	req := project(t, "a@^1")
	tree, err := LoadVirtual(lock, VirtualOptions{Dir: req.Dir, Manifest: req.Manifest})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(tree.Lockfile(LockOptions{Indent: "  ", Newline: "\n"}).Encode()); !strings.Contains(got, want) {
		t.Errorf("got\n%s", got)
	}
}

func TestLoadActual(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir+"/package.json", `{"name":"app","version":"1.0.0","dependencies":{"a":"^1","@s/b":"1","local":"file:local"}}`)
	writeFile(t, dir+"/local/package.json", `{"name":"local","version":"3.0.0","dependencies":{"c":"1"}}`)
	writeFile(t, dir+"/node_modules/a/package.json", `{"name":"a","version":"1.1.0","dependencies":{"c":"^2"}}`)
	writeFile(t, dir+"/node_modules/a/node_modules/c/package.json", `{"name":"c","version":"2.0.0"}`)
	writeFile(t, dir+"/node_modules/@s/b/package.json", `{"name":"@s/b","version":"1.0.0"}`)
	writeFile(t, dir+"/node_modules/c/package.json", `{"name":"c","version":"1.0.0"}`)
	writeFile(t, dir+"/node_modules/stray/package.json", `{"name":"stray","version":"1.0.0"}`)
	writeFile(t, dir+"/node_modules/.hidden/package.json", `{"name":"hidden","version":"1.0.0"}`)
	if err := os.Symlink("../local", dir+"/node_modules/local"); err != nil {
		t.Skip(err)
	}
	root, err := LoadActual(ActualOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	want := "@s/b@1.0.0 a>c@2.0.0 a@1.1.0 c@1.0.0 local@3.0.0 local→local stray@1.0.0(dev optional devOptional peer extraneous)"
	if got := draw(root); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if problems := checkRequire(root, false); len(problems) > 0 {
		t.Error(problems)
	}

	// Written last, the hidden lockfile is believed: the folders may say what
	// they like. Touched afterwards, they are read.
	hidden := root.Lockfile(LockOptions{Hidden: true})
	writeFile(t, dir+"/node_modules/a/package.json", `{"name":"a","version":"1.2.0","dependencies":{"c":"^2"}}`)
	writeFile(t, dir+"/node_modules/.package-lock.json", string(hidden.Encode()))
	if root, err = LoadActual(ActualOptions{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if v := root.Child("a").Version(); v != "1.1.0" {
		t.Errorf("a@%s, want the hidden lockfile's 1.1.0", v)
	}
	if err := os.Mkdir(dir+"/node_modules/newcomer", 0o755); err != nil {
		t.Fatal(err)
	}
	if root, err = LoadActual(ActualOptions{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if v := root.Child("a").Version(); v != "1.2.0" {
		t.Errorf("a@%s, want the folder's 1.2.0", v)
	}
}

// Whatever a lock says, loading it and deciding from it ends, and does not
// panic.
func FuzzResolveFromLock(f *testing.F) {
	f.Add([]byte(`{"lockfileVersion":3,"packages":{"":{"dependencies":{"a":"1"}},"node_modules/a":{"version":"1.0.0"}}}`), "a@1 b@1")
	f.Add([]byte(`{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"resolved":"b","link":true},"b":{"version":"1.0.0"},"b/node_modules/c":{"version":"2.0.0"}}}`), "a@*")
	f.Add([]byte(`{"lockfileVersion":3,"packages":{"node_modules/a/node_modules/b":{},"node_modules/A":{},"node_modules/a":{"version":"x"},"":{"workspaces":["p"]}}}`), "x@1")
	f.Add([]byte(`{"lockfileVersion":2,"packages":{"node_modules/x":{"link":true,"resolved":"node_modules/y"},"node_modules/y":{"resolved":"node_modules/x","link":true},"../z":{},"/q":{},"node_modules/..":{}}}`), "z@1")
	f.Add([]byte(`{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","requires":{"b":"^1"},"dependencies":{"b":{"version":"file:../q"}}}}}`), "m@1")
	f.Add([]byte(`{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"resolved":"","link":true}}}`), "c1@1")
	f.Fuzz(func(t *testing.T, data []byte, words string) {
		lock, err := lockfile.Parse(data, "package-lock.json")
		if err != nil || len(data) > 1<<14 || len(words) > 100 {
			return
		}
		stuck := time.AfterFunc(20*time.Second, func() { panic(fmt.Sprintf("stuck on %q with %q", data, words)) })
		defer stuck.Stop()
		var m *manifest.Manifest
		func() {
			defer func() {
				if recover() != nil {
					m = &manifest.Manifest{}
				}
			}()
			m = parseManifest("app", words)
		}()
		r := newToy(t, examples)
		req := project(t, "")
		req.Manifest, req.Lock = m, lock
		if lock.LockfileVersion < 2 {
			lock.Inflate(req.Dir, m)
		}
		if root, err := LoadVirtual(lock, VirtualOptions{Dir: req.Dir}); err == nil {
			root.Lockfile(LockOptions{Version: 2})
		}
		res, err := Resolve(context.Background(), r, req)
		if err != nil {
			return
		}
		res.Save()
		res.Lockfile().Encode()
	})
}

// What is in the folders and what the hidden lockfile speaks of has to be the
// same, however old it is.
func TestTrustedHidden(t *testing.T) {
	const lock = `{"name":"app","lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/a/node_modules/b":{"version":"1.0.0"},` +
		`"node_modules/@s/c":{"version":"1.0.0"},"node_modules/w":{"resolved":"w","link":true},"w":{"version":"1.0.0"},"w/node_modules/d":{"version":"1.0.0"},"v":{"version":"1.0.0"}}}`
	folders := []string{"node_modules/a/node_modules/b", "node_modules/@s/c", "w/node_modules/d", "v", "other/node_modules/x"}
	for _, c := range []struct {
		name     string
		change   func(dir string) error
		believed bool
	}{
		{"nothing was changed", func(string) error { return nil }, true},
		{"a hidden folder does not count", func(dir string) error { return os.MkdirAll(dir+"/node_modules/.cache/x", 0o755) }, true},
		{"a file does not count", func(dir string) error { return os.WriteFile(dir+"/node_modules/file", nil, 0o644) }, true},
		{"a package is not in the lock", func(dir string) error { return os.Mkdir(dir+"/node_modules/x", 0o755) }, false},
		{"a package of a scope is not in the lock", func(dir string) error { return os.Mkdir(dir+"/node_modules/@s/x", 0o755) }, false},
		{"a package inside another is not in the lock", func(dir string) error { return os.MkdirAll(dir+"/node_modules/@s/c/node_modules/x", 0o755) }, false},
		{"a link leads to what is not in the lock", func(dir string) error { return os.Symlink("../other", dir+"/node_modules/o") }, false},
		{"a package below a link's target is not in the lock", func(dir string) error { return os.Mkdir(dir+"/w/node_modules/x", 0o755) }, false},
		{"a package is missing", func(dir string) error { return os.Remove(dir + "/node_modules/@s/c") }, false},
		{"a link is missing", func(dir string) error { return os.Remove(dir + "/node_modules/w") }, false},
		{"a folder that no link leads to is missing", func(dir string) error { return os.Remove(dir + "/v") }, false},
		{"the lock is none", func(dir string) error {
			return os.WriteFile(dir+"/node_modules/.package-lock.json", []byte("{"), 0o644)
		}, false},
		{"there is no lock", func(dir string) error { return os.Remove(dir + "/node_modules/.package-lock.json") }, false},
		{"a package is newer", func(dir string) error {
			later := time.Now().Add(24 * time.Hour)
			return os.Chtimes(dir+"/node_modules/a/node_modules/b", later, later)
		}, false},
	} {
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range folders {
			if err := os.MkdirAll(dir+"/"+f, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("../w", dir+"/node_modules/w"); err != nil {
			t.Skip(err)
		}
		hidden := dir + "/node_modules/.package-lock.json"
		writeFile(t, hidden, lock)
		if err := c.change(dir); err != nil {
			t.Fatal(err)
		}
		soon := time.Now().Add(time.Hour)
		if err := os.Chtimes(hidden, soon, soon); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if got := TrustedHidden(dir) != nil; got != c.believed {
			t.Errorf("%s: believed: %v", c.name, got)
		}
	}
}
