package cmd

import (
	"os"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

// TestInspect compares with what node prints; testdata/inspect.json has its
// version.
func TestInspect(t *testing.T) {
	data, err := os.ReadFile("testdata/inspect.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsjson.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range doc.Get("cases").Items() {
		if got, want := inspect(c.Get("value")), c.Get("text").Str(); got != want {
			t.Errorf("shows\n%s\nnode shows\n%s", got, want)
		}
	}
}
