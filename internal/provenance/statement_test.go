package provenance

import (
	"encoding/json"
	"os"
	"testing"
)

func TestStatementsAreNPMs(t *testing.T) {
	data, err := os.ReadFile("testdata/statements.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Subject struct {
			Name   string
			Digest struct{ SHA512 string }
		}
		Cases []struct {
			Name      string
			Env       map[string]string
			Statement string
		}
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded.Cases) < 8 {
		t.Fatalf("%d cases", len(recorded.Cases))
	}
	subject := Subject{Name: PURL("@scope/example", "1.2.3"), SHA512: recorded.Subject.Digest.SHA512}
	if subject.Name != recorded.Subject.Name {
		t.Errorf("purl %s", subject.Name)
	}
	for _, c := range recorded.Cases {
		ci := GitHub
		if c.Env["GITLAB_CI"] != "" {
			ci = GitLab
		}
		got := string(Statement(ci, subject, func(name string) (string, bool) { v, ok := c.Env[name]; return v, ok }))
		if got != c.Statement {
			t.Errorf("%s:\n%s\nnpm has\n%s", c.Name, got, c.Statement)
		}
	}
}
