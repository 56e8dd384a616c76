package linker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/binshim"
	"github.com/ibid-pm/ibid/lockfile"
)

func installShims(t *testing.T, dir string, have, want *lockfile.Lockfile, s *shop) error {
	t.Helper()
	a, err := NewPlan(have, want, Options{}).Apply(t.Context(), dir, s, ApplyOptions{Limit: 1, Shims: true})
	if err != nil {
		return err
	}
	return a.Commit()
}

func binFolder(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "node_modules", ".bin"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, "node_modules", ".bin", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name()+" "+binshim.Target(e.Name(), string(text)))
	}
	return names
}

func TestOnWindowsScriptsStandForExecutables(t *testing.T) {
	dir := t.TempDir()
	one := lock("a@1.0.0 bin:x=cli.js", "@s/b@1.0.0 bin:y=cli.js bin:y.cmd=index.js")
	if err := installShims(t, dir, nil, one, &shop{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"x ../a/cli.js", `x.cmd ..\a\cli.js`, "x.ps1 ../a/cli.js",
		"y ../@s/b/cli.js", `y.cmd ..\@s\b\cli.js`, "y.ps1 ../@s/b/cli.js",
	}
	if got := binFolder(t, dir); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "node_modules/a/cli.js")); strings.Contains(string(text), "\r") {
		t.Errorf("the line's end is not mended: %q", text)
	}

	t.Run("what nobody wants any more goes, but not what is another's", func(t *testing.T) {
		mine := filepath.Join(dir, "node_modules", ".bin", "y.ps1")
		if err := os.WriteFile(mine, []byte("mine"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := installShims(t, dir, one, lock("a@2.0.0 bin:x=cli.js"), &shop{}); err != nil {
			t.Fatal(err)
		}
		want := []string{"x ../a/cli.js", `x.cmd ..\a\cli.js`, "x.ps1 ../a/cli.js", "y.ps1 "}
		if got := binFolder(t, dir); !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
	})

	t.Run("a failure leaves them as they were", func(t *testing.T) {
		before := tree(t, dir)
		plan := NewPlan(lock("a@2.0.0 bin:x=cli.js"), lock("b@1.0.0 bin:x=cli.js"), Options{})
		a, err := plan.Apply(t.Context(), dir, &shop{}, ApplyOptions{Limit: 1, Shims: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Undo(); err != nil {
			t.Fatal(err)
		}
		if after := tree(t, dir); after != before {
			t.Errorf("got\n%s\nwant\n%s", after, before)
		}
	})

	t.Run("a run that was killed is healed", func(t *testing.T) {
		a, err := NewPlan(nil, lock("c@1.0.0 bin:z=cli.js"), Options{}).Apply(t.Context(), dir, &shop{}, ApplyOptions{Limit: 1, Shims: true})
		if err != nil {
			t.Fatal(err)
		}
		a.root.close()
		if _, err := Heal(dir); err != nil {
			t.Fatal(err)
		}
		for _, name := range binFolder(t, dir) {
			if strings.HasPrefix(name, "z") {
				t.Errorf("%s is left", name)
			}
		}
	})
}
