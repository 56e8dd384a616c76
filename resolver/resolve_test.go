package resolver

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// The packages, and what npm 11.19.1 made of them, are those of the worked
// examples that the rules of resolution were checked with.
const examples = `
	a@1 b@^1
	b@1.0.0
	b@1.1.0
	b@2.0.0
	lt@1.5.0 latest
	lt@1.9.0
	lt@2.0.0-rc.1
	y@1.0.0
	y@1.2.0
	y@2.0.0
	x@1 peer:y@^1
	z@1 peer:y@^2
	w@1 peer?:y@^1
	nx@1 x@*
	nz@1 z@*
	m@1 x@* z@*
	nxz@1 nx@* nz@*
	dep@0.9.0
	dep@1.0.0 deprecated
	eng@1.0.0
	eng@2.0.0 node:>=99
	c1@1.0.0 c2@1
	c1@2.0.0 c2@2
	c2@1.0.0 c1@2
	c2@2.0.0 c1@1
	q1@1 b@^2
	q2@1 b@^1
	opt@1 opt:nope@1 b@^1
	plat@1 os:sunos b@^1
	bref@1 devb@1
	devb@1 peer:b@* dev:b@^2
`

func TestWorkedExamples(t *testing.T) {
	r := newToy(t, examples)
	tests := []struct {
		name      string
		want      string // the project's dependencies
		overrides string
		options   string
		tree      string // or an error's code
		broken    bool   // require would not find everything, as in npm
	}{
		{name: "a version that others need deeper is not deduped with a range that allows it", want: "a@1 b@1||2",
			tree: "a>b@1.1.0 a@1.0.0 b@2.0.0"},
		{name: "prefer-dedupe replaces the newer by the older one", want: "a@1 q1@1 q2@1", options: "prefer-dedupe",
			tree: "a@1.0.0 b@1.1.0 q1>b@2.0.0 q1@1.0.0 q2@1.0.0"},
		{name: "latest wins when it satisfies, even if a newer one does", want: "lt@^1", tree: "lt@1.5.0"},
		{name: "the newest is taken when latest does not satisfy", want: "lt@>=1.6", tree: "lt@1.9.0"},
		{name: "a deprecated latest is avoided, and so are engines that do not fit", want: "dep@* eng@*", tree: "dep@0.9.0 eng@1.0.0"},
		{name: "a peer is installed", want: "x@1", tree: "x@1.0.0 y@1.2.0(peer)"},
		{name: "the root's own wish against a peer is a conflict", want: "x@1 y@2", tree: "ERESOLVE"},
		{name: "force accepts the conflict", want: "x@1 y@2", options: "force", tree: "x@1.0.0 y@2.0.0", broken: true},
		{name: "legacy-peer-deps does not see it", want: "x@1 y@2", options: "legacy-peer-deps", tree: "x@1.0.0 y@2.0.0"},
		{name: "an optional peer is not installed", want: "w@1", tree: "w@1.0.0"},
		{name: "an optional peer conflicts all the same", want: "w@1 y@2", tree: "ERESOLVE"},
		{name: "a peer nests with its dependent", want: "nx@1 y@2", tree: "nx>x@1.0.0 nx>y@1.2.0(peer) nx@1.0.0 y@2.0.0"},
		{name: "of two peer sets the first by name goes to the top", want: "m@1",
			tree: "m>y@2.0.0(peer) m>z@1.0.0 m@1.0.0 x@1.0.0 y@1.2.0(peer)"},
		{name: "peer sets of different dependents", want: "nxz@1",
			tree: "nx@1.0.0 nxz@1.0.0 nz>y@2.0.0(peer) nz>z@1.0.0 nz@1.0.0 x@1.0.0 y@1.2.0(peer)"},
		{name: "endless nesting ends in a link", want: "c1@1",
			tree: "c1@1.0.0 c2>c1@2.0.0 c2>c2>c1@1.0.0 c2>c2>c2→node_modules/c2 c2>c2@2.0.0 c2@1.0.0"},
		{name: "dev, optional and both", want: "opt@1 opt:plat@1 dev:q2@1",
			tree: "b@1.1.0 opt@1.0.0 plat@1.0.0(optional inert) q2@1.0.0(dev)"},
		{name: "needed by dev and by optional only", want: "dev:q2@1 opt:a@1", tree: "a@1.0.0(optional) b@1.1.0(devOptional) q2@1.0.0(dev)"},
		{name: "an override", want: "a@1", overrides: `{"b":"2.0.0"}`, tree: "a@1.0.0 b@2.0.0", broken: true},
		{name: "a nested override", want: "a@1 q2@1", overrides: `{"a":{"b":"2.0.0"}}`, tree: "a@1.0.0 b@2.0.0 q2>b@1.1.0 q2@1.0.0", broken: true},
		{name: "an override against the root's own wish", want: "a@1 b@^1", overrides: `{"b":"2.0.0"}`, tree: "EOVERRIDE"},
		{name: "an override for a dist-tag", want: "a@1 b@^1", overrides: `{"b@latest":"1.0.0"}`, tree: `override b@latest: "latest" is not a range of versions`},
		{name: "an override by reference to the root's own wish", want: "a@1 b@^2", overrides: `{"b":"$b"}`, tree: "a@1.0.0 b@2.0.0", broken: true},
		{name: "a reference is looked for in what a package was developed with while peers are brought together", want: "bref@1 b@^1",
			overrides: `{"bref":{"b":"$b"}}`, tree: "b@1.1.0 bref>devb@1.0.0 bref@1.0.0"},
		{name: "dev with a peer of the root", want: "dev:x@1 peer:y@1", tree: "x@1.0.0(dev) y@1.2.0(peer)"},
		{name: "peers of dev and prod disagree", want: "x@1 dev:z@1", tree: "ERESOLVE"},
		{name: "nested strategy", want: "a@1 q2@1", options: "nested", tree: "a>b@1.1.0 a@1.0.0 q2>b@1.1.0 q2@1.0.0"},
		{name: "an alias", want: "other@npm:b@1 b@2", tree: "b@2.0.0 other=b@1.1.0"},
		{name: "a required package that is nowhere", want: "nope@1", tree: "E404"},
		{name: "a version that is nowhere", want: "b@7", tree: "ETARGET"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := project(t, test.want)
			req.Manifest.Overrides = jsjson.Raw(test.overrides)
			for _, o := range strings.Fields(test.options) {
				switch o {
				case "prefer-dedupe":
					req.PreferDedupe = true
				case "force":
					req.Force = true
				case "legacy-peer-deps":
					req.LegacyPeerDeps = true
				case "nested":
					req.Strategy = Nested
				}
			}
			res, err := r.resolve(req)
			if err != nil {
				if got := codeOf(err); got != test.tree {
					t.Fatalf("%v (%s), want %s", err, got, test.tree)
				}
				return
			}
			if got := draw(res.Tree); got != test.tree {
				t.Errorf("got  %s\nwant %s", got, test.tree)
			}
			if problems := checkRequire(res.Tree, req.LegacyPeerDeps); len(problems) > 0 != test.broken {
				t.Errorf("require: %v", problems)
			}
		})
	}
}

// Steps are done one after the other, each from the lock of the one before.
func TestSequences(t *testing.T) {
	r := newToy(t, examples)
	type step struct {
		do   string // "add b@1", "rm a", "update y", "install"
		tree string
		deps string // the project's saved dependencies, "" not checked
	}
	tests := []struct {
		name  string
		start string
		lock  string // what the first lock has instead, by exact dependencies
		steps []step
	}{
		{name: "what is locked stays; a bare name takes the newest in range", start: "b@^1", lock: "b@1.0.0", steps: []step{
			{"add a@1", "a@1.0.0 b@1.0.0", "b@^1 a@^1.0.0"},
			{"rm a", "b@1.0.0", "b@^1"},
			{"add q1@1", "b@1.0.0 q1>b@2.0.0 q1@1.0.0", ""},
			{"add q2@1", "b@1.0.0 q1>b@2.0.0 q1@1.0.0 q2@1.0.0", ""},
			{"add b", "b@1.1.0 q1>b@2.0.0 q1@1.0.0 q2@1.0.0", "b@^1.1.0 q1@^1.0.0 q2@^1.0.0"},
			{"add b@latest", "b@2.0.0 q1@1.0.0 q2>b@1.1.0 q2@1.0.0", "b@^2.0.0 q1@^1.0.0 q2@^1.0.0"},
			{"add b@1", "b@1.1.0 q1>b@2.0.0 q1@1.0.0 q2@1.0.0", "b@^1.1.0 q1@^1.0.0 q2@^1.0.0"},
		}},
		{name: "update by name", start: "y@^1.0.0 x@1", lock: "y@1.0.0 x@1", steps: []step{
			{"install", "x@1.0.0 y@1.0.0", ""},
			{"update y", "x@1.0.0 y@1.2.0", "y@^1.0.0 x@1"},
			{"save-update y", "x@1.0.0 y@1.2.0", "y@^1.2.0 x@1"},
		}},
		{name: "an explicit request displaces a peer with a warning", start: "x@1 y@^1", steps: []step{
			{"install", "x@1.0.0 y@1.2.0", ""},
			{"add y@latest", "x@1.0.0 y@2.0.0", "x@1 y@^2.0.0"},
			{"add z@1", "ERESOLVE", ""},
		}},
		{name: "an optional peer of the root is not installed when asked for", start: "peer?:y@*", steps: []step{
			{"install", "", ""},
			{"add y@1", "", ""},
		}},
		{name: "removing what brought others in removes those too", start: "nxz@1", steps: []step{
			{"install", "nx@1.0.0 nxz@1.0.0 nz>y@2.0.0(peer) nz>z@1.0.0 nz@1.0.0 x@1.0.0 y@1.2.0(peer)", ""},
			{"rm nxz", "", ""},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := project(t, test.start)
			if test.lock != "" {
				first := req
				first.Manifest = parseManifest("app", test.lock)
				res, err := r.resolve(first)
				if err != nil {
					t.Fatal(err)
				}
				lock := res.Lockfile()
				root := lock.Root()
				root.Meta = root.Meta.Clone()
				root.Meta.Dependencies = req.Manifest.Dependencies
				req.Lock = lock
			}
			for _, s := range test.steps {
				step := req
				words := strings.Fields(s.do)
				switch words[0] {
				case "add":
					step.Add = words[1:]
				case "rm":
					step.Remove = words[1:]
				case "update":
					step.Update, step.NoSave = words[1:], true
				case "save-update":
					step.Update = words[1:]
				}
				res, err := r.resolve(step)
				if err != nil {
					if got := codeOf(err); got != s.tree {
						t.Fatalf("%s: %v (%s), want %s", s.do, err, got, s.tree)
					}
					continue
				}
				if got := draw(res.Tree); got != s.tree {
					t.Errorf("%s:\ngot  %s\nwant %s", s.do, got, s.tree)
				}
				edits, err := res.Save()
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range edits {
					m := req.Manifest.Clone()
					m.Dependencies, m.PeerDependencies = e.Dependencies.Prod, e.Dependencies.Peer
					req.Manifest = m
				}
				if s.deps != "" {
					var deps []string
					for _, d := range req.Manifest.Dependencies {
						deps = append(deps, d.Name+"@"+d.Spec)
					}
					if got := strings.Join(deps, " "); got != s.deps {
						t.Errorf("%s: saved %s, want %s", s.do, got, s.deps)
					}
				}
				req.Lock = res.Lockfile()
			}
		})
	}
}

// However the answers come in, the lock has the same bytes.
func TestTimingDoesNotMatter(t *testing.T) {
	r := newToy(t, examples)
	wish := "nxz@1 a@1 q1@1 c1@1 opt@1 opt:plat@1 dev:q2@1 lt@^1"
	res, err := r.resolve(project(t, wish))
	if err != nil {
		t.Fatal(err)
	}
	want := string(res.Lockfile().Encode())
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		ch := make(chan time.Duration, 1000)
		for range cap(ch) {
			ch <- time.Duration(rnd.IntN(2000)) * time.Microsecond
		}
		r.delay = func() time.Duration { return <-ch }
		res, err := r.resolve(project(t, wish))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(res.Lockfile().Encode()); got != want {
			t.Fatalf("timing %d gives another lock", seed)
		}
	}
}

// With -g nothing is shared: each package has its own dependencies, its peers
// too, and what it does not ask for is left alone.
func TestGlobal(t *testing.T) {
	r := newToy(t, examples)
	req := project(t, "")
	req.Global, req.Manifest = true, nil
	req.Add = []string{"q2@1", "x@1"}
	res, err := r.resolve(req)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(res.Tree), "q2>b@1.1.0 q2@1.0.0 x>y@1.2.0(peer) x@1.0.0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if edits, err := res.Save(); len(edits) > 0 || err != nil {
		t.Errorf("saves %v, %v", edits, err)
	}
}

// Tarballs are fetched ahead of what is going to be in the tree: not of a peer
// that something else stands for, nor of an optional one that nobody has.
func TestPrefetchLeavesOutPeersWithoutAPlace(t *testing.T) {
	r := newToy(t, `
		plugin@1 peer:host@>=1 peer?:other@1 peer:brought@1
		host@1
		host@2
		other@1
		brought@1 b@1
		b@1
	`)
	req := project(t, "plugin@1 host@1")
	var got []string
	req.Prefetch = func(m *manifest.Manifest) {
		if id := m.Name + "@" + m.Version; !slices.Contains(got, id) {
			got = append(got, id)
		}
	}
	if _, err := r.resolve(req); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if want := "b@1.0.0 brought@1.0.0 host@1.0.0 plugin@1.0.0"; strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// An optional peer is looked at with its own peers, and the version that a peer
// would have but does not get is looked at too: nobody asks the registry for
// what those depend on, neither ahead nor later.
func TestNothingIsFetchedForWhatIsOnlyLookedAt(t *testing.T) {
	r := newToy(t, `
		host@1 here@1
		host@2 away@1
		here@1
		away@1
		plugin@1 peer:host@>=1 peer?:other@1
		other@1 far@1 peer:near@1
		far@1
		near@1
	`)
	// What is asked for first is answered first.
	r.delay = func() time.Duration { return 5 * time.Millisecond }
	if _, err := r.resolve(project(t, "host@1 plugin@1")); err != nil {
		t.Fatal(err)
	}
	var got []string
	r.names.Range(func(name, _ any) bool {
		got = append(got, name.(string))
		return true
	})
	slices.Sort(got)
	if want := "here host near other plugin"; strings.Join(got, " ") != want {
		t.Errorf("asked for %s, want %s", strings.Join(got, " "), want)
	}
}

// npm 11.19.1 ends the first with ERESOLVE, and npm 12.2 leaves a out; they agree on
// the others.
func TestAConflictOfAnOptionalPeerIsDecidedAsByNPM12(t *testing.T) {
	r := newToy(t, `
		plugin@1 peer:host@1 peer?:a@1
		a@1 peer:host@2
		host@1
		host@2
	`)
	for wish, want := range map[string]string{
		"plugin@1":            "host@1.0.0(peer) plugin@1.0.0",
		"plugin@1 host@1":     "host@1.0.0 plugin@1.0.0",
		"plugin@1 host@2":     "",
		"plugin@1 a@1":        "",
		"plugin@1 a@1 host@1": "",
	} {
		req := project(t, wish)
		res, err := r.resolve(req)
		var conflict *ConflictError
		switch {
		case want == "" && !errors.As(err, &conflict):
			t.Errorf("%s: no conflict but %v", wish, err)
		case want == "":
		case err != nil:
			t.Errorf("%s: %v", wish, err)
		case draw(res.Tree) != want:
			t.Errorf("%s: got  %s\nwant %s", wish, draw(res.Tree), want)
		}
	}
}

func TestPackageExtensions(t *testing.T) {
	r := newToy(t, examples)
	req := project(t, "q2@1 w@1")
	req.LockfileV4 = true
	req.Manifest.PackageExtensions = `{"w@1":{"dependencies":{"lt":"1.5.0"},"peerDependencies":{"y":"^2"},"peerDependenciesMeta":{"y":{"optional":false}}}}`
	res, err := r.resolve(req)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(res.Tree), "b@1.1.0 lt@1.5.0 q2@1.0.0 w@1.0.0 y@2.0.0(peer)"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	lock := res.Lockfile()
	if lock.LockfileVersion != 4 || lock.Root().PackageExtensionsHash == "" || lock.Get("node_modules/w").PackageExtensionsApplied == "" {
		t.Errorf("%s", lock.Encode())
	}

	// The rules gone, so are their effects.
	req.Lock = lock
	req.Manifest = req.Manifest.Clone()
	req.Manifest.PackageExtensions = ""
	if res, err = r.resolve(req); err != nil {
		t.Fatal(err)
	}
	if got, want := draw(res.Tree), "b@1.1.0 q2@1.0.0 w@1.0.0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}

	req.Manifest.PackageExtensions = `{"w@1":{"scripts":{}}}`
	if _, err = r.resolve(req); err == nil || codeOf(err) != "EEXTENSIONFIELD" {
		t.Errorf("%v, want EEXTENSIONFIELD", err)
	}
}

// What is in disagreement before the request is so, even if the request would
// end it.
func TestOverrideConflictComesFirst(t *testing.T) {
	r := newToy(t, examples)
	req := project(t, "a@1 b@^1")
	req.Manifest.Overrides = `{"b":"2.0.0"}`
	req.Remove = []string{"b"}
	if _, err := r.resolve(req); err == nil || codeOf(err) != "EOVERRIDE" {
		t.Errorf("%v, want EOVERRIDE", err)
	}
}

// Of peers that all name each other there are more ways from one to another than
// can be walked: n! of them.
func TestPeersThatNameEachOtherComeToAnEnd(t *testing.T) {
	const n = 40
	var text strings.Builder
	all := func(but int) (words string) {
		for i := range n {
			if i != but {
				words += fmt.Sprintf(" peer:p%02d@1", i)
			}
		}
		return words
	}
	for i := range n {
		fmt.Fprintf(&text, "p%02d@1.0.0%s peer:x@2\n", i, all(i))
	}
	text.WriteString("user@1.0.0 p00@1\nx@1.0.0\nx@2.0.0\n")
	r := newToy(t, text.String())

	res, err := r.resolve(project(t, "p00@1"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(draw(res.Tree), "@"); got != n+1 {
		t.Errorf("%d packages, want %d", got, n+1)
	}
	if problems := checkRequire(res.Tree, false); len(problems) > 0 {
		t.Errorf("require: %v", problems)
	}

	res, err = r.resolve(project(t, "user@1 x@1"))
	if err != nil {
		t.Fatal(err)
	}
	if got := draw(res.Tree); !strings.Contains(got, "user>x@2.0.0") || strings.Count(got, "user>p") != n {
		t.Errorf("tree is %s", got)
	}

	if _, err := r.resolve(project(t, "p00@1 x@1")); err == nil || codeOf(err) != "ERESOLVE" {
		t.Errorf("error is %v, want ERESOLVE", err)
	}
}
