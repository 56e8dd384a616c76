package spec

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var recording = flag.String("recording", "testdata/specs.jsonl", "what testdata/record.js has written")

// recorded is one line of testdata/specs.jsonl, npm's own answer.
type recorded struct {
	OS     string
	Fn     string
	Args   []string
	Result *recordedSpec
	Error  *struct{ Code, Message string }

	Home map[string]string // the header's
	Npm  string
}

type recordedSpec struct {
	Type, Raw, Name, Scope, EscapedName, RawSpec, SaveSpec, FetchSpec, Where string
	GitCommittish, GitRange, GitSubdir, String                               string
	Registry                                                                 bool
	Hosted                                                                   *recordedHosted
	Sub                                                                      *recordedSpec

	// Of names.
	ValidForNewPackages, ValidForOldPackages bool
	Warnings, Errors                         []string
}

type recordedHosted struct {
	Type, User, Auth, Project, Committish, Default string
	Forms                                          map[string]string
}

func showHosted(h *Hosted) *recordedHosted {
	if h == nil {
		return nil
	}
	all, bare := Format{}, Format{NoGitPlus: true, NoCommittish: true}
	return &recordedHosted{
		Type: h.Type, User: h.User, Auth: h.Auth, Project: h.Project, Committish: h.Committish, Default: h.Default,
		Forms: map[string]string{
			"string": h.Format(all), "string-": h.Format(bare),
			"ssh": h.SSH(all), "ssh-": h.SSH(bare),
			"sshurl": h.SSHURL(all), "sshurl-": h.SSHURL(bare),
			"https": h.HTTPS(all), "https-": h.HTTPS(bare),
			"git": h.Git(all), "shortcut": h.Shortcut(all), "path": h.Path(all), "tarball": h.Tarball(),
			"browse": h.Browse("", "", all), "browse-": h.Browse("", "", Format{NoCommittish: true}),
			"browsePath":         h.Browse("/a b/R.md", "", all),
			"browseFragment":     h.Browse("x/y", "-- Some / Heading!! 1", all),
			"browseFile":         h.BrowseFile("src/x.js", "", all),
			"browseFileFragment": h.BrowseFile("src/x.js", "L 1", Format{NoCommittish: true}),
			"docs":               h.Docs(all), "bugs": h.Bugs(),
			"file": h.File("/package.json", all), "edit": h.Edit("/x.js", all),
		},
	}
}

func show(s *Spec) *recordedSpec {
	if s == nil {
		return nil
	}
	return &recordedSpec{
		Type: s.Type.String(), Registry: s.Registry, Raw: s.Raw, Name: s.Name, Scope: s.Scope,
		EscapedName: s.EscapedName(), RawSpec: s.RawSpec, SaveSpec: s.SaveSpec, FetchSpec: s.FetchSpec, Where: s.Where,
		GitCommittish: s.GitCommittish, GitRange: s.GitRange, GitSubdir: s.GitSubdir, String: s.String(),
		Hosted: showHosted(s.Hosted), Sub: show(s.Sub),
	}
}

func asJSON(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

// difference names the members in which two values differ.
func difference(got, want any) string {
	var g, w map[string]any
	_ = json.Unmarshal([]byte(asJSON(got)), &g)
	_ = json.Unmarshal([]byte(asJSON(want)), &w)
	return differ("", g, w)
}

func differ(path string, g, w map[string]any) string {
	var b strings.Builder
	for key := range w {
		if key == "Forms" && w[key] == nil {
			continue // recorded for one flavour
		}
		x, ok1 := g[key].(map[string]any)
		y, ok2 := w[key].(map[string]any)
		if ok1 && ok2 {
			b.WriteString(differ(path+key+".", x, y))
		} else if asJSON(g[key]) != asJSON(w[key]) {
			fmt.Fprintf(&b, "%s%s: got %s, want %s\n", path, key, asJSON(g[key]), asJSON(w[key]))
		}
	}
	return b.String()
}

func TestSpecsAreWhatNpmMakesOfThem(t *testing.T) {
	f, err := os.Open(*recording)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var home map[string]string
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	cases := 0
	for lines.Scan() {
		var want recorded
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if want.Npm != "" {
			home = want.Home
			continue
		}
		cases++
		p := Parser{Windows: want.OS == "windows", Home: home[want.OS], Cwd: "/cwd"}
		if p.Windows {
			p.Cwd = `C:\cwd`
		}
		t.Run(want.OS+" "+want.Fn+" "+strings.Join(want.Args, " in "), func(t *testing.T) {
			var got *Spec
			var err error
			switch want.Fn {
			case "name":
				v := ValidateName(want.Args[0])
				r := &recordedSpec{ValidForNewPackages: v.ForNewPackages(), ValidForOldPackages: v.ForOldPackages(), Errors: v.Errors, Warnings: v.Warnings}
				if g, w := asJSON(r), asJSON(want.Result); g != w {
					t.Errorf("\n got %s\nwant %s", g, w)
				}
				if ValidForOldPackages(want.Args[0]) != v.ForOldPackages() {
					t.Error("the short cut is wrong")
				}
				return
			case "parse":
				got, err = p.Parse(want.Args[0], want.Args[1])
			case "resolve":
				got, err = p.Resolve(want.Args[0], want.Args[1], want.Args[2])
			}
			if want.Error != nil {
				if err == nil {
					t.Fatalf("no error, want %s %q; got %s", want.Error.Code, want.Error.Message, asJSON(show(got)))
				}
				code := ""
				if c, ok := err.(interface{ Code() string }); ok {
					code = c.Code()
				}
				if code != want.Error.Code {
					t.Errorf("code %q, want %q", code, want.Error.Code)
				}
				if err.Error() != want.Error.Message {
					t.Errorf("\n got %q\nwant %q", err.Error(), want.Error.Message)
				}
				return
			}
			if err != nil {
				t.Fatalf("error %v, want %s", err, asJSON(want.Result))
			}
			if diff := difference(show(got), want.Result); diff != "" {
				t.Error(diff)
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cases", cases)
}
