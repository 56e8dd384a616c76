package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/dev/transcript"
)

// accounts has both sides log in as somebody new, each in a home of its own,
// look around and log out, and compares what they print, how they end and what
// they write. Verdaccio has no login in the browser, which both find out.
func accounts(ctx context.Context, ours, theirs *side) error {
	login := []string{"Username:", "bob", "Password:", "bobs-password"}
	steps := []struct {
		args    []string
		prompts []string
	}{
		{[]string{"whoami"}, nil},
		{[]string{"login", "--auth-type=legacy"}, login},
		{[]string{"whoami"}, nil},
		{[]string{"whoami", "--json"}, nil},
		{[]string{"profile", "get"}, nil},
		{[]string{"profile", "get", "--json"}, nil},
		{[]string{"profile", "set", "password"}, []string{"Current password:", "bobs-password", "New password:", "another-password", "Again:", "another-password"}},
		{[]string{"token", "list", "--json"}, nil},
		{[]string{"token", "create", "--name=ci"}, []string{"password:", "another-password"}},
		{[]string{"token", "revoke", "nothing"}, nil},
		{[]string{"logout"}, nil},
		{[]string{"whoami"}, nil},
		{[]string{"logout"}, nil},
		{[]string{"login", "--auth-type=legacy"}, login}, // with the old password
		{[]string{"login"}, []string{"Username:", "bob", "Password:", "another-password"}},
		{[]string{"whoami"}, nil},
		{[]string{"login", "--scope=@bob", "--auth-type=legacy"}, []string{"Username:", "bob", "Password:", "another-password"}},
		{[]string{"logout", "--scope=@bob"}, nil},
	}
	homes := map[*side]string{}
	for _, s := range []*side{ours, theirs} {
		homes[s] = filepath.Join(filepath.Dir(s.home), "bob")
		if err := os.MkdirAll(homes[s], 0o755); err != nil {
			return err
		}
	}
	secrets := map[string]bool{"bobs-password": true, "another-password": true}
	for i, step := range steps {
		did := map[*side]string{}
		for s, home := range homes {
			r, err := s.interact(ctx, home, step.args, step.prompts)
			if err != nil {
				return err
			}
			npmrc, mode, err := readNpmrc(home)
			if err != nil {
				return err
			}
			for _, m := range tokenLine.FindAllStringSubmatch(npmrc, -1) {
				secrets[m[1]] = true
				if mode != 0o600 {
					return fmt.Errorf("%s: .npmrc has the mode %o after %s", s.name, mode, strings.Join(step.args, " "))
				}
			}
			mask := strings.NewReplacer(s.server.url, "REGISTRY/", strings.TrimPrefix(s.server.url, "http:"), "//REGISTRY/")
			shown := ""
			if len(step.prompts) == 0 && r.status == 0 { // npm asks on stdout, and errors have words of their own
				shown = dates.ReplaceAllString(r.stdout, "DATE")
			}
			did[s] = mask.Replace(fmt.Sprintf("status %d %s\n%s\n.npmrc:\n%s", r.status, r.code, shown, tokenLine.ReplaceAllString(npmrc, "_authToken=TOKEN")))
			if s == ours {
				for secret := range secrets {
					if strings.Contains(r.stdout+r.stderr, secret) {
						return fmt.Errorf("%s prints a secret:\n%s%s", strings.Join(step.args, " "), r.stdout, r.stderr)
					}
				}
			}
		}
		if did[ours] != did[theirs] {
			return fmt.Errorf("step %d, %s: the candidate has\n%s\nnpm has\n%s", i+1, strings.Join(step.args, " "), did[ours], did[theirs])
		}
	}
	if len(secrets) < 4 {
		return fmt.Errorf("nobody was given a token")
	}
	if err := nowhere(homes[ours], secrets); err != nil {
		return err
	}
	fmt.Printf("%d steps of logging in and out are the same, and no log has one of %d secrets\n", len(steps), len(secrets))
	return nil
}

var (
	tokenLine = regexp.MustCompile(`_authToken=(\S+)`)
	dates     = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`)
	errorCode = regexp.MustCompile(`(?m)\S+ error code (\S+)$`)
)

// said is how a program answered.
type said struct {
	status               int
	code, stdout, stderr string
}

// interact runs the program for somebody whose home is home, and answers what it
// asks.
func (s *side) interact(ctx context.Context, home string, args, prompts []string) (r said, err error) {
	c := exec.CommandContext(ctx, s.command[0], append(slices.Clone(s.command[1:]), args...)...)
	c.Dir = home
	c.Env = append(s.environ(home, s.server), "npm_config_fetch_retries=0")
	in, err := c.StdinPipe()
	if err != nil {
		return r, err
	}
	p := transcript.NewPrompter(in, prompts)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = io.MultiWriter(&stdout, p), io.MultiWriter(&stderr, p)
	if len(prompts) == 0 {
		in.Close()
	}
	err = c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return r, err
	}
	r = said{status: c.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if m := errorCode.FindStringSubmatch(r.stderr); m != nil {
		r.code = m[1]
	}
	return r, nil
}

func readNpmrc(home string) (text string, mode fs.FileMode, err error) {
	path := filepath.Join(home, ".npmrc")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	return string(data), st.Mode().Perm(), nil
}

// nowhere looks for secrets in the logs below a home.
func nowhere(home string, secrets map[string]bool) error {
	logs := 0
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Base(filepath.Dir(path)) != "_logs" {
			return err
		}
		logs++
		text, err := os.ReadFile(path)
		for secret := range secrets {
			if strings.Contains(string(text), secret) {
				return fmt.Errorf("a secret is in %s", path)
			}
		}
		return err
	})
	if err == nil && logs == 0 {
		err = errors.New("there are no logs to look at")
	}
	return err
}
