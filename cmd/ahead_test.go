package cmd

import (
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
)

func TestWhatIsAskedForIsFetchedEarly(t *testing.T) {
	lock, err := lockfile.Parse([]byte(`{"lockfileVersion": 3, "packages": {
		"": {"dependencies": {"y": "1"}, "devDependencies": {"z": "1"}},
		"node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"version": "1.0.0"}, "node_modules/c": {"version": "1.0.0"},
		"node_modules/d": {"version": "1.0.0"}, "node_modules/e": {"version": "1.0.0"}, "node_modules/f": {"version": "1.0.0"},
		"node_modules/g": {"version": "1.0.0"}, "node_modules/w": {"link": true, "resolved": "w"},
		"node_modules/x": {"version": "1.0.0"}, "node_modules/y": {"version": "1.0.0"}, "node_modules/y/node_modules/x": {"version": "1.0.0"},
		"node_modules/z": {"version": "1.0.0"}, "w": {"optionalDependencies": {"x": "1"}}, "w/node_modules/x": {"version": "1.0.0"}
	}}`), "package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range bigFirst(linker.NewPlan(nil, lock, linker.Options{}), askedFor(lock)) {
		got = append(got, strings.ReplaceAll(string(p.Location), "node_modules/", ""))
	}
	if want := "x a b c d y e f g w z y/x w/x"; strings.Join(got, " ") != want {
		t.Errorf("the order is %q, not %q", strings.Join(got, " "), want)
	}
}
