package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// pairs are entries as the recording has them.
type pairs []struct {
	key   string
	value jsjson.Value
}

func (p *pairs) UnmarshalJSON(data []byte) error {
	v, err := jsjson.Parse(data)
	if err != nil {
		return err
	}
	for _, item := range v.Items() {
		*p = append(*p, struct {
			key   string
			value jsjson.Value
		}{item.Index(0).Str(), item.Index(1)})
	}
	return nil
}

func (p pairs) entries() Entries {
	var entries Entries
	for _, pair := range p {
		entries = append(entries, Entry{pair.key, pair.value})
	}
	return entries
}

func sameEntries(a, b Entries) bool {
	return slices.EqualFunc(a, b, func(x, y Entry) bool { return x.Key == y.Key && jsjson.Equal(x.Value, y.Value) })
}

func show(e Entries) string { return string(jsjson.Append(nil, e.Value(), "", "")) }

type recordedNode struct {
	Name, Version, Path, RealPath, Resolved string
	Edges                                   [][2]string
	Links                                   []string
	InBundle                                bool

	Display               [2]string
	NameKey, VersionedKey string
	Registry              bool
}

func (n *recordedNode) subject() *Subject {
	s := &Subject{Resolved: n.Resolved, LinkedFrom: n.Links, Path: n.Path, RealPath: n.RealPath, InBundle: n.InBundle, Name: n.Name, Version: n.Version}
	for _, edge := range n.Edges {
		s.EdgesIn = append(s.EdgesIn, manifest.Dep{Name: edge[0], Spec: edge[1]})
	}
	return s
}

type recording struct {
	Nodes  map[string]*recordedNode
	Keys   []string
	Decide []struct {
		Node, Key   string
		Allow, Deny *bool
	}
	Edits []struct {
		Name, Op         string
		Pin              bool
		Existing, Result pairs
		Nodes            []string
		Changes          []Change
		Warning          string
	}
	Prune []struct {
		Name                string
		Existing, Remaining pairs
		Nodes               []json.RawMessage
		Removed             []struct {
			Key, Reason string
		}
	}
}

func readRecording(t *testing.T) *recording {
	t.Helper()
	if filepath.Separator != '/' {
		t.Skip("recorded with POSIX paths")
	}
	data, err := os.ReadFile("testdata/allow-scripts.json")
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestThePolicyDecidesAsNPMs(t *testing.T) {
	r := readRecording(t)
	word := func(b *bool) Verdict {
		switch {
		case b == nil:
			return Unreviewed
		case *b:
			return Allowed
		}
		return Denied
	}
	want := map[string]Verdict{}
	for _, d := range r.Decide {
		want[d.Node+" "+d.Key+" true"], want[d.Node+" "+d.Key+" false"] = word(d.Allow), word(d.Deny)
	}
	for name, node := range r.Nodes {
		s := node.subject()
		for _, key := range r.Keys {
			for _, value := range []bool{true, false} {
				if name == "old" {
					continue // recorded for the edits alone
				}
				policy := NewPolicy("package.json", Entries{{key, jsjson.NewBool(value)}}, "/proj")
				at := fmt.Sprintf("%s %s %t", name, key, value)
				if got := policy.Decide(s); got != want[at] {
					t.Errorf("%s: %d, want %d", at, got, want[at])
				}
			}
		}
		if display, version := s.Display(); [2]string{display, version} != node.Display {
			t.Errorf("%s: shown as %s@%s, want %v", name, display, version, node.Display)
		}
		if got := s.nameKey(); got != node.NameKey {
			t.Errorf("%s: named %q, want %q", name, got, node.NameKey)
		}
		if got := s.versionedKey(); got != node.VersionedKey {
			t.Errorf("%s: pinned as %q, want %q", name, got, node.VersionedKey)
		}
		if got := s.FromRegistry(); got != node.Registry {
			t.Errorf("%s: from a registry: %t", name, got)
		}
	}
}

func TestADenialWins(t *testing.T) {
	s := &Subject{Resolved: "https://registry.npmjs.org/a/-/a-1.0.0.tgz", EdgesIn: manifest.Deps{{Name: "a", Spec: "*"}}}
	for _, c := range []struct {
		name    string
		entries Entries
		want    Verdict
	}{
		{"denied after approved", Entries{{"a", jsjson.NewBool(true)}, {"a@1.0.0", jsjson.NewBool(false)}}, Denied},
		{"denied before approved", Entries{{"a", jsjson.NewBool(false)}, {"a@1.0.0", jsjson.NewBool(true)}}, Denied},
		{"other values decide nothing", Entries{{"a", jsjson.NewString("true")}, {"a@1.0.0", jsjson.NewNull()}}, Unreviewed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := NewPolicy("", c.entries, "/").Decide(s); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
	var none *Policy
	if none.Decide(s) != Unreviewed {
		t.Error("no policy decides")
	}
}

func TestEditsAllowScriptsAsNPMDoes(t *testing.T) {
	r := readRecording(t)
	for _, c := range r.Edits {
		op := c.Op
		if op == "approve" && !c.Pin {
			op = "approve by name"
		}
		t.Run(op+": "+c.Name, func(t *testing.T) {
			var subjects []*Subject
			for _, name := range c.Nodes {
				subjects = append(subjects, r.Nodes[name].subject())
			}
			groups := GroupByPackage(subjects)
			if len(groups) != 1 {
				t.Fatalf("%d groups", len(groups))
			}
			existing := c.Existing.entries()
			before := show(existing)
			var got Edited
			if c.Op == "deny" {
				got = Deny(existing, groups[0], "/proj")
			} else {
				got = Approve(existing, groups[0], c.Pin, "/proj")
			}
			if want := c.Result.entries(); !sameEntries(got.Entries, want) {
				t.Errorf("got %s, want %s", show(got.Entries), show(want))
			}
			if len(got.Changes)+len(c.Changes) > 0 && !slices.Equal(got.Changes, c.Changes) {
				t.Errorf("changes %v, want %v", got.Changes, c.Changes)
			}
			if want := strings.NewReplacer("`npm ", "`ibid ", "so npm ", "so ibid ").Replace(c.Warning); got.Warning != want {
				t.Errorf("warning %q, want %q", got.Warning, want)
			}
			if show(existing) != before {
				t.Errorf("the old entries have become %s", show(existing))
			}
		})
	}
}

func TestPrunesAsNPMDoes(t *testing.T) {
	r := readRecording(t)
	for _, c := range r.Prune {
		t.Run(c.Name, func(t *testing.T) {
			var candidates []*Candidate
			for _, raw := range c.Nodes {
				v, err := jsjson.Parse(raw)
				if err != nil {
					t.Fatal(err)
				}
				candidate := &Candidate{Subject: *r.Nodes[v.Index(0).Str()].subject()}
				if v.Index(1).Bool() {
					candidate.Scripts = manifest.Deps{{Name: "install", Spec: "x"}}
				}
				candidates = append(candidates, candidate)
			}
			remaining, removed := Prune(c.Existing.entries(), candidates, "/proj", nil)
			if !sameEntries(remaining, c.Remaining.entries()) {
				t.Errorf("remaining %s", show(remaining))
			}
			var got, want []string
			for _, u := range removed {
				got = append(got, u.Key+" "+u.Reason)
			}
			for _, u := range c.Removed {
				want = append(want, u.Key+" "+u.Reason)
			}
			if !slices.Equal(got, want) {
				t.Errorf("removed %q, want %q", got, want)
			}
		})
	}
}

func TestResolvesThePolicyFromItsSources(t *testing.T) {
	object := func(text string) jsjson.Value {
		v, err := jsjson.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name     string
		from     PolicySources
		source   string
		keys     string
		warnings []string
		code     string
	}{
		{name: "nothing is no policy"},
		{name: "an empty object is none", from: PolicySources{Project: true, Package: object(`{}`)}},
		{name: "package.json counts in a project", from: PolicySources{Project: true, Package: object(`{"a":true,"b":false}`)}, source: "package.json", keys: "a b"},
		{name: "but not outside of one", from: PolicySources{Package: object(`{"a":true}`)}},
		{name: "the first .npmrc with entries counts", from: PolicySources{RC: [][]string{{" , "}, {"a, b", "a"}, {"c"}}}, source: ".npmrc", keys: "a b"},
		{
			name: "package.json before .npmrc", source: "package.json", keys: "a",
			from:     PolicySources{Project: true, Package: object(`{"a":true}`), RC: [][]string{{"c"}}},
			warnings: []string{".npmrc allow-scripts setting is being ignored because package.json declares its own allowScripts field"},
		},
		{
			name: "the command line before .npmrc", source: "cli", keys: "a",
			from:     PolicySources{CLI: [][]string{{"a"}}, RC: [][]string{{"c"}}},
			warnings: []string{".npmrc allow-scripts setting is being ignored because --allow-scripts was passed on the command line"},
		},
		{name: "the command line is no place for a project's policy", from: PolicySources{Project: true, CLI: [][]string{{"a"}}}, code: "EALLOWSCRIPTS"},
		{
			name: "what nobody could have reviewed is dropped", source: ".npmrc", keys: "a@1.0.0 || 2.0.0 b@* c",
			from: PolicySources{RC: [][]string{{"a@1.0.0 || 2.0.0", "b@*", "c", "d@^1", "e@latest", "f@1.x", "not a spec@@"}}},
			warnings: []string{
				`.npmrc: ignoring "d@^1" — semver ranges (^, ~, >=, <) are not allowed; use exact versions joined by "||" instead`,
				`.npmrc: ignoring "e@latest" — dist-tag specs (@latest, @next, ...) are not allowed; use exact versions joined by "||", or the bare package name, instead`,
				`.npmrc: ignoring "f@1.x" — semver ranges (^, ~, >=, <) are not allowed; use exact versions joined by "||" instead`,
				`.npmrc: ignoring unparseable entry "not a spec@@"`,
			},
		},
		{
			name: "a layer of nothing valid is none", source: ".npmrc", keys: "c",
			from:     PolicySources{Project: true, Package: object(`{"a@^1":true}`), RC: [][]string{{"c"}}},
			warnings: []string{`package.json: ignoring "a@^1" — semver ranges (^, ~, >=, <) are not allowed; use exact versions joined by "||" instead`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			policy, warnings, err := ResolvePolicy(c.from)
			var coded interface{ Code() string }
			if errors.As(err, &coded) {
				if coded.Code() != c.code {
					t.Errorf("code %s", coded.Code())
				}
				return
			}
			if err != nil || c.code != "" {
				t.Fatalf("got %v", err)
			}
			var keys []string
			source := ""
			if policy != nil {
				source = policy.Source
				for _, e := range policy.Entries {
					keys = append(keys, e.Key)
				}
			}
			if got := strings.Join(keys, " "); source != c.source || got != c.keys {
				t.Errorf("got %q of %q, want %q of %q", got, source, c.keys, c.source)
			}
			if !slices.Equal(warnings, c.warnings) {
				t.Errorf("warnings %q, want %q", warnings, c.warnings)
			}
		})
	}
}

func TestListsWhatNobodyHasReviewed(t *testing.T) {
	gyp := t.TempDir()
	if err := os.WriteFile(filepath.Join(gyp, "binding.gyp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	registry := func(name string) Subject {
		return Subject{
			Name: name, Version: "1.0.0", Resolved: "https://registry.npmjs.org/" + name + "/-/" + name + "-1.0.0.tgz",
			EdgesIn: manifest.Deps{{Name: name, Spec: "^1"}}, Path: "/none/" + name,
		}
	}
	scripts := manifest.Deps{{Name: "postinstall", Spec: "p"}, {Name: "prepare", Spec: "r"}, {Name: "test", Spec: "t"}, {Name: "preinstall", Spec: "q"}}
	no := false
	git := registry("g")
	git.Resolved, git.EdgesIn = "git+ssh://git@github.com/u/g.git#"+strings.Repeat("1", 40), manifest.Deps{{Name: "g", Spec: "github:u/g"}}
	withGyp, gypOff, bundled := registry("gyp"), registry("off"), registry("bundled")
	withGyp.Path, gypOff.Path, bundled.InBundle = gyp, gyp, true
	candidates := []*Candidate{
		{Subject: registry("a"), Scripts: scripts},
		{Subject: git, Scripts: scripts},
		{Subject: withGyp},
		{Subject: gypOff, GypFile: &no},
		{Subject: registry("locked"), HasInstallScript: true},
		{Subject: registry("ondisk"), HasInstallScript: true},
		{Subject: registry("none"), Scripts: manifest.Deps{{Name: "test", Spec: "x"}}},
		{Subject: registry("allowed"), Scripts: scripts},
		{Subject: registry("denied"), Scripts: scripts},
		{Subject: bundled, Scripts: scripts},
		{Subject: registry("link"), Scripts: scripts, Link: true},
		{Subject: registry("ws"), Scripts: scripts, Workspace: true},
		{Subject: registry("root"), Scripts: scripts, ProjectRoot: true},
		{Subject: registry("inert"), Scripts: scripts, Inert: true},
	}
	policy := NewPolicy("package.json", Entries{{"allowed", jsjson.NewBool(true)}, {"denied", jsjson.NewBool(false)}}, "/")
	pending := CollectUnreviewed(candidates, policy, func(path string) (manifest.Deps, error) {
		if filepath.Base(path) == "ondisk" {
			return scripts, nil
		}
		return nil, os.ErrNotExist
	})
	want := []string{
		"5 packages had install scripts blocked because they are not covered by allowScripts:",
		"  a@1.0.0 (preinstall: q; postinstall: p)",
		"  g@1.0.0 (preinstall: q; postinstall: p; prepare: r)",
		"  gyp@1.0.0 (install: node-gyp rebuild)",
		"  locked@1.0.0 (install: (install scripts present))",
		"  ondisk@1.0.0 (preinstall: q; postinstall: p)",
		"",
		"Run `ibid install-scripts ls` to review, or `ibid install-scripts approve <pkg>` to allow.",
	}
	if got := BlockedLines(pending, false); !slices.Equal(got, want) {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
	one := BlockedLines(pending[:1], true)
	if one[0] != "1 package had install scripts blocked because they are not covered by allowScripts:" ||
		one[3] != "Run `ibid install -g --allow-scripts=a` to allow these scripts once, or `ibid config set allow-scripts=a --location=user` to allow them for all global installs." {
		t.Errorf("got %s", strings.Join(one, "\n"))
	}
	err := &StrictError{Pending: pending[:2]}
	if text := err.Error(); err.Code() != "ESTRICTALLOWSCRIPTS" || !strings.HasPrefix(text,
		"--strict-allow-scripts: 2 package(s) have install scripts not covered by allowScripts:\n  a (preinstall: q; postinstall: p)\n  g (") {
		t.Errorf("got %s", text)
	}
	matched, unmatched := FindInstalled([]string{"a", "a@^2", "g@1.x", "bundled", "nowhere"}, candidates)
	if len(matched) != 2 || !slices.Equal(unmatched, []string{"a@^2", "bundled", "nowhere"}) {
		t.Errorf("matched %d, not %q", len(matched), unmatched)
	}
}

func FuzzTarballIdentity(f *testing.F) {
	f.Add("https://registry.npmjs.org/@s/n/-/n-1.0.0.tgz")
	f.Add("https://h/a/-/../b/-/b-1.0.0.tgz")
	f.Add("http://h/%2f/-/-1.0.0.tgz")
	f.Fuzz(func(t *testing.T, url string) {
		id := tarballIdentity(url)
		if (id.name == "") != (id.version == "") {
			t.Fatalf("%q gives half an identity: %+v", url, id)
		}
		if id.name != "" && !strings.HasSuffix(url, ".tgz") {
			t.Fatalf("%q gives %+v", url, id)
		}
	})
}
