package ibid_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/ibid-pm/ibid/cmd"
	"github.com/ibid-pm/ibid/internal/dev/transcript"
)

// transcriptsDiffer says where a command sends something else than npm, and why.
var transcriptsDiffer = map[string]string{
	"team create without a team":         "npm gives an error of its library's types instead of the usage",
	"team add nobody":                    "npm adds nobody, and says so",
	"team ls of what":                    "npm asks for the teams of no organization",
	"profile enable-2fa with a password": "npm uses the password on, where there is a token already",
	"login by its other name":            "the hint names the program",
}

// TestTranscripts holds what ibid sends to a registry against what npm sent
// (internal/dev/transcript/record), request by request, and what it then says.
func TestTranscripts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "npm", "transcripts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded transcript.Recordings
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	withQuickNode(t)
	code := regexp.MustCompile(`(?m)ibid (?:\x1b\[31m)?error(?:\x1b\[0m)? code (\S+?)\r?$`)
	for _, scene := range transcript.Scenes() {
		t.Run(scene.Name, func(t *testing.T) {
			want, ok := recorded.Scenes[scene.Name]
			if !ok {
				t.Fatal("npm was not asked: go run ./internal/dev/transcript/record")
			}
			if why := transcriptsDiffer[scene.Name]; why != "" {
				t.Skip(why)
			}
			server := transcript.Serve(scene)
			defer server.Close()
			project, home, err := server.Prepare(scene, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			env := cmd.Env{Argv: append([]string{"ibid"}, scene.Args...), Environ: server.Environ(scene, home), Cwd: project, Stdout: &stdout, Stderr: &stderr}
			var status int
			if scene.Terminal {
				status = mainOnTerminal(t, env, scene.Prompts, &stderr)
			} else {
				var answers strings.Builder
				for i := 1; i < len(scene.Prompts); i += 2 {
					answers.WriteString(scene.Prompts[i] + "\n")
				}
				env.Stdin = strings.NewReader(answers.String())
				status = cmd.Main(env)
			}
			if got := server.Opened(project); got != want.Opened {
				t.Errorf("opened %q, npm %q", got, want.Opened)
			}
			if status != want.Status {
				t.Errorf("exit status %d, npm's is %d\n%s", status, want.Status, stderr.String())
			}
			if m := code.FindStringSubmatch(stderr.String()); want.Code != "" && (m == nil || m[1] != want.Code) {
				t.Errorf("code %q, npm's is %q\n%s", m, want.Code, stderr.String())
			}
			if len(scene.Prompts) == 0 && !scene.Terminal {
				if got, want := server.Out(stdout.String()), server.Out(want.Out); got != want {
					t.Errorf("printed\n%s\nnpm printed\n%s", got, want)
				}
			}
			got := server.Sent()
			for i := range max(len(got), len(want.Sent)) {
				switch {
				case i >= len(got):
					t.Errorf("npm also sent %s %s", want.Sent[i].Method, want.Sent[i].URI)
				case i >= len(want.Sent):
					t.Errorf("npm did not send %s %s", got[i].Method, got[i].URI)
				default:
					g, w := asText(t, got[i]), asText(t, want.Sent[i])
					if g != w {
						t.Errorf("request %d is\n%s\nnpm's is\n%s", i+1, g, w)
					}
				}
			}
		})
	}
}

// withQuickNode puts a node on the PATH that only says its version, which is all
// that these scenes ask of it, each anew.
func withQuickNode(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "node"), []byte("#!/bin/sh\necho v24.0.0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func asText(t *testing.T, s transcript.Sent) string {
	t.Helper()
	body := s.Body
	s.Body = ""
	head, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(head) + "\n" + body
}

// mainOnTerminal runs ibid with all streams on a terminal, where the prompts are
// answered; what is shown there goes to seen.
func mainOnTerminal(t *testing.T, env cmd.Env, prompts []string, seen io.Writer) (status int) {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if errors.Is(err, pty.ErrUnsupported) {
		t.Skip("there are no terminals for tests here")
	}
	if err != nil {
		t.Fatal(err)
	}
	p := transcript.NewPrompter(keyboard, prompts)
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.MultiWriter(seen, p), keyboard) // its end is an error
	}()
	env.Stdin, env.Stdout, env.Stderr = tty, tty, tty
	status = cmd.Main(env)
	tty.Close()
	<-read
	keyboard.Close()
	if left := p.Left(); len(left) > 0 {
		t.Errorf("ibid did not ask %q", left[0])
	}
	return status
}
