package cmd

import (
	"slices"
	"strings"
	"testing"

	"github.com/ibid-pm/ibid/internal/manifest"
)

func TestIbidxTakesNpxsArguments(t *testing.T) {
	for _, x := range []struct{ name, args, want string }{
		{"all behind the first word is the program's", "cowsay --yes -p", "exec -- cowsay --yes -p"},
		{"flags before it are ibid's", "--yes cowsay hi", "exec --yes -- cowsay hi"},
		{"a flag's value is no program", "--package foo bar", "exec --package foo -- bar"},
		{"-p is not --parseable", "-p foo -p=baz bar", "exec --package foo --package=baz -- bar"},
		{"a shell is the scripts' shell", "--shell zsh foo", "exec --script-shell zsh -- foo"},
		{"what npx called no-install is a no", "--no-install foo", "exec --yes=false -- foo"},
		{"-c takes a command", "-c echo", "exec --call echo"},
		{"dashes end it", "-y -- foo", "exec --yes -- foo"},
		{"a negated switch takes the next word", "--no foo -- --bar", "exec --no-yes foo -- --bar"},
		{"and no flag", "--no-audit --yes foo --bar", "exec --no-audit --yes -- foo --bar"},
		{"what npx has no more is left out, with its value", "--shell-auto-fallback --node-arg x -n --foo y z", "exec -- y z shell-auto-fallback node-arg n"},
		{"nothing is a shell", "", "exec"},
	} {
		t.Run(x.name, func(t *testing.T) {
			args, removed := execArgs(strings.Fields(x.args))
			if got := strings.Join(append(args, removed...), " "); got != x.want {
				t.Errorf("got %q, want %q", got, x.want)
			}
		})
	}
}

func TestAnInitializerIsAPackage(t *testing.T) {
	for arg, want := range map[string]string{
		"react-app":        "create-react-app@*",
		"react-app@2":      "create-react-app@2",
		"@scope":           "@scope/create",
		"@scope@1":         "@scope/create@1",
		"@scope/x":         "@scope/create-x@*",
		"@scope/x@next":    "@scope/create-x@next",
		"user/repo":        "user/create-repo",
		"github:user/repo": "github:user/create-repo",
	} {
		if got, err := initializer(arg, "/"); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", arg, got, err, want)
		}
	}
	if _, err := initializer("https://example.com/x.tgz", "/"); err == nil {
		t.Error("a tarball's URL names no initializer")
	}
}

func TestAPackageIsRunByTheProgramWithItsName(t *testing.T) {
	bins := func(pairs ...string) []manifest.Bin {
		var all []manifest.Bin
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, manifest.Bin{Name: pairs[i], Path: pairs[i+1]})
		}
		return all
	}
	for _, x := range []struct {
		name, pkg, want string
		bins            []manifest.Bin
	}{
		{"or by its only one", "a", "b", bins("b", "x.js")},
		{"or by any when all are the same", "a", "b", bins("b", "x.js", "c", "x.js")},
		{"without the scope", "@s/a", "a", bins("b", "x.js", "a", "y.js")},
		{"or not at all", "a", "", bins("b", "x.js", "c", "y.js")},
		{"nothing is nothing", "a", "", nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, err := programOf(&manifest.Manifest{Name: x.pkg, Version: "1.0.0", Bin: x.bins})
			if got != x.want || (err != nil) != (x.want == "") {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestTargetsComeBehindWhatTheyDependOn(t *testing.T) {
	for _, x := range []struct{ name, deps, want string }{
		{"those without dependencies keep their order", "b: a:", "b a"},
		{"dependencies come first", "a:b b:c c:", "c b a"},
		{"a diamond", "a:b,c b:d c:d d:", "d b c a"},
		{"a circle is cut where it is met", "a:b b:c c:a", "c b a"},
		{"who depends on itself is no circle", "a:a b:a", "a b"},
	} {
		t.Run(x.name, func(t *testing.T) {
			byName := map[string]*target{}
			var all []*target
			for field := range strings.FieldsSeq(x.deps) {
				name, _, _ := strings.Cut(field, ":")
				byName[name] = &target{workspace: name}
				all = append(all, byName[name])
			}
			for field := range strings.FieldsSeq(x.deps) {
				name, deps, _ := strings.Cut(field, ":")
				for d := range strings.SplitSeq(deps, ",") {
					if other := byName[d]; other != nil && d != name {
						byName[name].after = append(byName[name].after, other)
					}
				}
			}
			var got []string
			for _, o := range inOrder(all) {
				got = append(got, o.workspace)
			}
			if s := strings.Join(got, " "); s != x.want {
				t.Errorf("got %q, want %q", s, x.want)
			}
			for i, o := range inOrder(all) {
				for _, before := range o.after {
					if !slices.Contains(got[:i], before.workspace) {
						t.Errorf("%s runs before %s", o.workspace, before.workspace)
					}
				}
			}
		})
	}
}

func TestTheDistanceOfWords(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"biuld", "build", 1}, {"tset", "test", 1}, {"ab", "ba", 1}, {"test", "test", 0}} {
		if got := editDistance(x.a, x.b); got != x.want {
			t.Errorf("%q and %q: got %d, want %d", x.a, x.b, got, x.want)
		}
	}
}

func TestAPathToAPackageInsidePackages(t *testing.T) {
	for arg, want := range map[string]string{
		"a": "a", "a/b": "a/node_modules/b", "@s/a/b": "@s/a/node_modules/b", "a/@s/b": "a/node_modules/@s/b",
		"a/node_modules/b": "a/node_modules/b", "../../etc": "etc",
	} {
		if got := packagePath(arg); got != want {
			t.Errorf("%s: got %s, want %s", arg, got, want)
		}
	}
}
