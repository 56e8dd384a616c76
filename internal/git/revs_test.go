package git

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestReadsRefsAsNPMDoes(t *testing.T) {
	data, err := os.ReadFile("testdata/revs.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Cases []struct {
			Name, Output string
			Refs         map[string]struct{ SHA, Ref, RawRef, Type string }
			Versions     map[string]string
			Order        []string
			DistTags     map[string]string
			Picks        map[string]string
		}
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	types := map[string]RefType{"tag": TagRef, "branch": BranchRef, "pull": PullRef, "head": HeadRef, "other": OtherRef}
	for _, c := range recorded.Cases {
		t.Run(c.Name, func(t *testing.T) {
			revs := ParseRevs(c.Output)
			if got, want := slices.Sorted(maps.Keys(revs.refs)), slices.Sorted(maps.Keys(c.Refs)); !slices.Equal(got, want) {
				t.Errorf("refs %q, want %q", got, want)
			}
			for name, want := range c.Refs {
				got := revs.Ref(name)
				if got == nil || *got != (Rev{SHA: want.SHA, Ref: want.Ref, RawRef: want.RawRef, Type: types[want.Type]}) {
					t.Errorf("ref %s: %+v, want %+v", name, got, want)
				}
			}
			if !slices.Equal(revs.Versions(), c.Order) {
				t.Errorf("versions %q, want %q", revs.Versions(), c.Order)
			}
			for version, sha := range c.Versions {
				if got := revs.versions[version]; got == nil || got.SHA != sha {
					t.Errorf("version %s: %+v, want %s", version, got, sha)
				}
			}
			if !maps.Equal(revs.distTags, c.DistTags) {
				t.Errorf("dist-tags %v, want %v", revs.distTags, c.DistTags)
			}
			for wanted, sha := range c.Picks {
				got := ""
				rev, err := revs.find(want{name: "pkg", rng: wanted}, "repo")
				if err != nil {
					got = err.(*TargetError).Code()
				} else {
					got = rev.SHA
				}
				if got != sha {
					t.Errorf("range %q: %s, want %s", wanted, got, sha)
				}
			}
		})
	}
}

func TestPassesOverRefsThatAreNone(t *testing.T) {
	sha := strings.Repeat("a", 40)
	for _, line := range []string{
		sha + "\t--upload-pack=touch x", sha + "\trefs/heads/--upload-pack=x", sha + "\t-x", sha, "", "refs/heads/x",
		"zz\trefs/heads/x", sha[:39] + "\trefs/heads/x", sha + "\trefs/tags/" + strings.Repeat("1.", longestRef),
	} {
		if revs := ParseRevs(line + "\n"); len(revs.refs) != 0 {
			t.Errorf("%.60q gave %v", line, revs.refs)
		}
	}
}

func FuzzParseRevs(f *testing.F) {
	sha := strings.Repeat("1", 40)
	f.Add(sha + "\tHEAD\n" + sha + "\trefs/heads/main\n" + sha + "\trefs/tags/v1.0.0\n" + sha + "\trefs/tags/v1.0.0^{}\n")
	f.Add(sha + "\trefs/pull/1/head\r\n" + sha + "\t--x\n\x00\t\t")
	f.Add(sha + "\trefs/tags/^{}\n" + sha + "\trefs/tags/1.2.3-\xff\n")
	f.Fuzz(func(t *testing.T, output string) {
		revs := ParseRevs(output)
		for name, rev := range revs.refs {
			if rev == nil || !isHex(rev.SHA) || rev.Ref == "" || rev.Ref[0] == '-' || (rev.RawRef != "HEAD" && !strings.HasPrefix(rev.RawRef, "refs/")) {
				t.Fatalf("ref %q: %+v", name, rev)
			}
			if name != rev.Ref && name != rev.RawRef {
				t.Fatalf("ref %q: %+v", name, rev)
			}
			if revs.Commit(rev.SHA) == nil {
				t.Fatalf("no ref for %s", rev.SHA)
			}
		}
		for _, version := range revs.order {
			if revs.Pick(version) == nil {
				t.Fatalf("version %q can't be picked", version)
			}
		}
		revs.Pick("*")
		revs.Pick("latest")
	})
}
