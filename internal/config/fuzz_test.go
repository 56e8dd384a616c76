package config

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is read from a file is written so that it is read the same again.
func FuzzParseINI(f *testing.F) {
	for _, s := range []string{"a=1\nb[]=2\n[s]\nc=3", "a='{\"b\":[1]}'", "a = x ; y\n#\n\"q\"=\\;", "[a.b]\n[a]\nx", "[]\n=\n[[x]", "a=\"\n'=b", "10=a\n9=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := parseINI(text)
		written := formatINI(once, "", "\n")
		twice := parseINI(written)
		if hasOddValues(once) {
			return
		}
		if a, b := (Value{kind: Object, obj: once}).JSON(), (Value{kind: Object, obj: twice}).JSON(); a != b {
			t.Errorf("%q is\n%s, written\n%q, and then\n%s", text, a, written, b)
		}
	})
}

// hasOddValues reports whether npm itself does not write t so that it can be
// read again: texts that look typed, keys with brackets or that are empty,
// objects in lists, backslashes and sections.
func hasOddValues(t *table) bool {
	for _, key := range t.keys {
		if key == "" || strings.ContainsAny(key, "[]\\\"'.;#\r\n\u2028\u2029=") || strings.TrimSpace(key) != key {
			return true
		}
		v := t.values[key]
		items := []Value{v}
		if v.kind == List {
			items = v.list
			if len(items) == 0 {
				return true
			}
		}
		for _, item := range items {
			switch item.kind {
			case Object, List, Number:
				return true
			case String:
				if item.str == "" || item.str == "true" || item.str == "false" || item.str == "null" || strings.ContainsAny(item.str, "\\\"'\u2028\u2029\ufffd") || !strings.EqualFold(item.str, strings.ToValidUTF8(item.str, "")) {
					return true
				}
			}
		}
	}
	return false
}

// Nothing that a stranger's .npmrc or a command line says makes Load panic.
func FuzzLoad(f *testing.F) {
	f.Add("registry=${A}\n//h/:_authToken=${TOKEN}\nomit[]=dev", "--omit dev -gD --no-x=1 -- y", "value")
	f.Add("a[]=\n[s]\nb", "--before --umask", "\n\n")
	f.Add("umask=0777\nproxy=http://[::1]:0\nlocation=global", "-C . --depth", "")
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}"), 0o666); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, npmrc, args, env string) {
		if err := os.WriteFile(filepath.Join(dir, ".npmrc"), []byte(npmrc), 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := Load(Env{Args: strings.Fields(args), Environ: []string{"HOME=" + dir + "/home", "PREFIX=" + dir, "A=" + env, "npm_config_x=" + env}, Cwd: dir})
		if c == nil {
			t.Fatal("no configuration")
		}
		if err == nil {
			err = c.Validate()
		}
		if err != nil && err.Error() == "" {
			t.Error("an error without text")
		}
		c.ChildEnviron()
		c.ListText(true)
		c.ListJSON()
		c.Omit()
		_ = c.CheckUnknown()
		c.Auth("https://h/x", c.Registry(""))
		c.UserAgent("1", "v2")
	})
}

func FuzzNerfDart(f *testing.F) {
	for _, s := range []string{"https://u:p@h:1/a/../b?q#f", "http://[::1]/", "x:y", "http://0x7f.1/", "http://ä/%2e%2e", `http:\\a\b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if dart := NerfDart(s); dart != "" && !strings.HasPrefix(dart, "//") {
			t.Errorf("%q has %q", s, dart)
		}
		Redact(s)
	})
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2020-01-02T03:04:05.678Z", "Tue, 15 Nov 1994 12:45:26 GMT", "1/2/2024 3pm (x)", "+275760-09-13"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ms := parseDate(s); !math.IsNaN(ms) && math.Abs(ms) > 8.64e15 {
			t.Errorf("%q is %v", s, ms)
		}
	})
}

// Each line copied those before it: a repository with 16 MB of these would have taken
// days.
func TestALongListIsReadOnce(t *testing.T) {
	const lines = 300_000
	v, _ := parseINI(strings.Repeat("ca[]=x\n", lines)).get("ca")
	if len(v.list) != lines {
		t.Errorf("%d of %d", len(v.list), lines)
	}
}
