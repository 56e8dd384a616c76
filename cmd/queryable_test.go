package cmd

import (
	"testing"

	"github.com/ibid-pm/ibid/internal/jsjson"
)

func parsed(t testing.TB, text string) jsjson.Value {
	t.Helper()
	v, err := jsjson.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func oneLine(v jsjson.Value) string { return string(jsjson.Append(nil, v, "", "")) }

// What npm 12.2.0's "pkg get --json" printed, on one line.
func TestPkgGet(t *testing.T) {
	doc := parsed(t, `{"name":"app","version":"1.0.0","n":null,"f":false,"a":[],"o":[1],"p":[{"x":1}],"q":[{"x":1},{"x":2}],"r":[[1,2]],"e":{"./x.js":{"import":1}}}`)
	for _, c := range []struct {
		name, want string
		keys       []string
	}{
		{"a value has its name", `{"name":"app"}`, []string{"name"}},
		{"null is a value", `{"n":null}`, []string{"n"}},
		{"false is a value", `{"f":false}`, []string{"f"}},
		{"an empty list is a value", `{"a":[]}`, []string{"a"}},
		{"a list of one is a list", `{"o":[1]}`, []string{"o"}},
		{"through a list of one its item has a name", `{"p[0].x":1}`, []string{"p.x"}},
		{"through a list each item has its name", `{"q[0].x":1,"q[1].x":2}`, []string{"q.x"}},
		{"an index in brackets", `{"q[0].x":1}`, []string{"q[0].x"}},
		{"a list in a list of one", `{"r":[[1,2]]}`, []string{"r"}},
		{"dots in brackets belong to the key", `{"e[./x.js].import":1}`, []string{"e[./x.js].import"}},
		{"what is not there is an empty object", `{}`, []string{"zz"}},
		{"a text has a length", `{"name.length":3}`, []string{"name.length"}},
		{"several values have their names", `{"q[0].x":1,"q[1].x":2,"name":"app"}`, []string{"q.x", "name"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := pkgGet(doc, c.keys)
			if err != nil {
				t.Fatal(err)
			}
			if got := oneLine(mergeShown([]jsjson.Value{v})); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	for _, key := range []string{"o[]", "n.x"} {
		if v, err := pkgGet(doc, []string{key}); err == nil {
			t.Errorf("%s: %s, want an error", key, oneLine(v))
		}
	}
}

func TestQuerySet(t *testing.T) {
	for _, c := range []struct {
		name, doc, path, value string
		force                  bool
		want, code             string
	}{
		{name: "objects are made on the way", doc: `{}`, path: "a.b", value: `1`, want: `{"a":{"b":1}}`},
		{name: "lists are made where an index follows", doc: `{}`, path: "a[2]", value: `1`, want: `{"a":[null,null,1]}`},
		{name: "empty brackets append", doc: `{"a":[1]}`, path: "a[]", value: `2`, want: `{"a":[1,2]}`},
		{name: "and make the list", doc: `{}`, path: "a[].b", value: `2`, want: `{"a":[{"b":2}]}`},
		{name: "a key in brackets keeps its dots", doc: `{}`, path: "a[1.x].b", value: `2`, want: `{"a":{"1.x":{"b":2}}}`},
		{name: "a number is written as JavaScript does", doc: `{}`, path: "a[1.0]", value: `2`, want: `{"a":[null,2]}`},
		{name: "an item's member", doc: `{"a":[{"b":1},{}]}`, path: "a[0].c", value: `2`, want: `{"a":[{"b":1,"c":2},{}]}`},
		{name: "a value is replaced in its place", doc: `{"a":1,"b":2}`, path: "a", value: `{"x":[]}`, want: `{"a":{"x":[]},"b":2}`},
		{name: "a text has no members", doc: `{"a":"x"}`, path: "a.b", value: `1`, code: "EOVERRIDEVALUE"},
		{name: "but with force", doc: `{"a":"x"}`, path: "a.b", value: `1`, force: true, want: `{"a":{"b":1}}`},
		{name: "a list has no names", doc: `{"a":[1]}`, path: "a.b", value: `1`, code: "ENOADDPROP"},
		{name: "with force it becomes an object", doc: `{"a":[1]}`, path: "a.b", value: `1`, force: true, want: `{"a":{"0":1,"b":1}}`},
		{name: "an object has no end to append to", doc: `{"a":{"x":1}}`, path: "a[]", value: `1`, code: "ENOAPPEND"},
		{name: "no key may reach what all objects share", doc: `{}`, path: "a.constructor.b", value: `1`, code: "EFORBIDDENKEY"},
		{name: "an absurd index makes no list", doc: `{}`, path: "a[4000000000]", value: `1`, want: `{"a":[]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := querySet(parsed(t, c.doc), c.path, parsed(t, c.value), c.force)
			if errorCode(err) != c.code {
				t.Fatalf("error %v, want code %q", err, c.code)
			}
			if err == nil && oneLine(got) != c.want {
				t.Errorf("got %s, want %s", oneLine(got), c.want)
			}
		})
	}
}

func TestQueryDelete(t *testing.T) {
	for _, c := range []struct{ doc, path, want string }{
		{`{"a":{"b":1,"c":2}}`, "a.b", `{"a":{"c":2}}`},
		{`{"a":[1,2,3]}`, "a[1]", `{"a":[1,3]}`},
		{`{"a":[1,2,3]}`, "a[-1]", `{"a":[1,2]}`},
		{`{"a":[1]}`, "a[7]", `{"a":[1]}`},
		{`{"a":["x","y"]}`, "a[]", `{"a":["x","y"]}`},
		// npm makes what it looks for on the way.
		{`{}`, "a.b", `{"a":{}}`},
	} {
		got, err := queryDelete(parsed(t, c.doc), c.path)
		if err != nil || oneLine(got) != c.want {
			t.Errorf("%s without %s: %s, %v; want %s", c.doc, c.path, oneLine(got), err, c.want)
		}
	}
}

// Whatever the path, an edit gives JSON that parses again, and reading ends.
func FuzzQuery(f *testing.F) {
	for _, path := range []string{"a", "a.b[0].c", "a[]", "a[][1.0.0].x", "[", "]", "a[[]]", ".", "", "a[9999999999]", "__proto__", "a[-1]"} {
		f.Add(path, `{"a":[{"b":1},null,"x"]}`)
	}
	f.Fuzz(func(t *testing.T, path, doc string) {
		v, err := jsjson.Parse([]byte(doc))
		if err != nil || !v.IsObject() || len(path) > 1000 {
			return
		}
		queryGet(v, path, true)
		for _, force := range []bool{false, true} {
			if set, err := querySet(v, path, jsjson.NewString("x"), force); err == nil {
				parsed(t, oneLine(set))
			}
		}
		if without, err := queryDelete(v, path); err == nil {
			parsed(t, oneLine(without))
		}
	})
}

func TestNpmCommand(t *testing.T) {
	for word, want := range map[string]string{
		"install": "install", "isntall": "install", "installTest": "install-test", "uninst": "uninstall", "install-cl": "ci",
		"prof": "profile", "pro": "profile", "p": "", "nothing": "", "": "", "ver": "", "vers": "version",
	} {
		if got := npmCommand(word); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
