package ibid_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/cmd"
	"github.com/ibid-pm/ibid/internal/dev/transcript"
)

// transcriptsDiffer says where a command sends something else than npm, and why.
var transcriptsDiffer = map[string]string{}

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
	code := regexp.MustCompile(`(?m)^ibid error code (\S+)$`)
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
			var answers strings.Builder
			for i := 1; i < len(scene.Prompts); i += 2 {
				answers.WriteString(scene.Prompts[i] + "\n")
			}
			var stdout, stderr bytes.Buffer
			status := cmd.Main(cmd.Env{
				Argv: append([]string{"ibid"}, scene.Args...), Environ: transcript.Environ(home), Cwd: project,
				Stdin: strings.NewReader(answers.String()), Stdout: &stdout, Stderr: &stderr,
			})
			if status != want.Status {
				t.Errorf("exit status %d, npm's is %d\n%s", status, want.Status, stderr.String())
			}
			if m := code.FindStringSubmatch(stderr.String()); want.Code != "" && (m == nil || m[1] != want.Code) {
				t.Errorf("code %q, npm's is %q\n%s", m, want.Code, stderr.String())
			}
			if len(scene.Prompts) == 0 {
				if got := server.Out(stdout.String()); got != want.Out {
					t.Errorf("printed\n%s\nnpm printed\n%s", got, want.Out)
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
