package query

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, code string }{
		{"an unknown attribute of :vuln is refused", ":vuln([x=y])", "EQUERYATTR"},
		{"an operator of :vuln other than = is refused", ":vuln([severity^=y])", "EQUERYATTR"},
		{":attr ends with an attribute", ":attr(a, b)", "EQUERYATTR"},
		{"one of two arguments of :semver is a version", ":semver([a], [b])", "ESEMVERVALUE"},
		{"a function of :semver is a name", ":semver(1, [b], [c])", "ESEMVERFUNC"},
		{"a bracket that is not closed has no code", "[a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(c.text)
			var e *Error
			if !errors.As(err, &e) || e.Code() != c.code {
				t.Errorf("%q: %v", c.text, err)
			}
		})
	}
	for _, text := range []string{"", "*", "#@a/b", ":root > *, .dev:not(#a)", ":attr(a, :attr([b=c]))", `[a="b\"c" i]`, ":semver(>=1 <2)", ":has(~ #x)"} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

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
