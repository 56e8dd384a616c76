package manifest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

func TestManifestsArePublishedAsNPMDoes(t *testing.T) {
	for _, c := range recorded(t, "testdata/publish.json") {
		t.Run(c.Get("name").Str(), func(t *testing.T) {
			content := c.Get("content")
			fixed, changes, err := Fix(content)
			var bad *FieldError
			if errors.As(err, &bad) != c.Get("fixError").Bool() {
				t.Errorf("fixing: %v, npm fails: %v", err, c.Get("fixError").Bool())
			} else if err == nil {
				if got, want := string(fixed.Raw()), c.Get("fixed").Str(); got != want {
					t.Errorf("fixing\n got %s\nwant %s", got, want)
				}
				if got, want := len(changes) > 0, c.Get("changes").Bool(); got != want {
					t.Errorf("changes %q, npm has some: %v", changes, want)
				}
			}
			dir := t.TempDir()
			for _, file := range c.Get("files").Members() {
				path := filepath.Join(dir, filepath.FromSlash(file.Key))
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(file.Value.Str()), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			prepared, err := Prepare(dir, content)
			if errors.As(err, &bad) != c.Get("prepareError").Bool() {
				t.Errorf("preparing: %v, npm fails: %v", err, c.Get("prepareError").Bool())
			}
			if err != nil {
				return
			}
			if got, want := string(prepared.Without("man").Without("bin").Raw()), c.Get("prepared").Str(); got != want {
				t.Errorf("preparing\n got %s\nwant %s", got, want)
			}
			sorted := func(v jsjson.Value) string {
				if v.IsUndefined() {
					return "null"
				}
				items, members := slices.Clone(v.Items()), slices.Clone(v.Members())
				slices.SortFunc(items, func(a, b jsjson.Value) int { return strings.Compare(a.Str(), b.Str()) })
				slices.SortFunc(members, func(a, b jsjson.Member) int { return strings.Compare(a.Key, b.Key) })
				if v.IsArray() {
					return string(jsjson.NewArray(items...).Raw())
				}
				return string(jsjson.NewObject(members...).Raw())
			}
			if got, want := sorted(prepared.Get("man")), c.Get("man").Str(); got != want {
				t.Errorf("man %s, npm has %s", got, want)
			}
			if got, want := sorted(prepared.Get("bin")), c.Get("bin").Str(); got != want {
				t.Errorf("bin %s, npm has %s", got, want)
			}
		})
	}
}
