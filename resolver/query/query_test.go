package query

import "testing"

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"*", "#a > .dev", ":root > *:not(.workspace)", `[name="@a/b" i]`, ":attr(author, [name=x])", ":attr(contributors, :attr([email=x]))",
		":semver(^1.0.0, [engines], satisfies)", ":vuln([severity=high][cwe], [cwe=79])", ":has(> #x, ~ #y)", ":path(packages/*)", ":is(", "[a", "#", ",",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := Parse(s); err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}
