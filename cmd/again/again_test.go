//go:build linux && (amd64 || arm64)

package again

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAnAnswerHoldsUntilAMarkChanges(t *testing.T) {
	dir := t.TempDir()
	file, missing := filepath.Join(dir, "file"), filepath.Join(dir, "missing")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "one")
	call := &Call{Args: []string{"ibid", "i"}, Environ: []string{"HOME=/h", "SHLVL=1"}, Cwd: "/p", Exe: "/ibid", Umask: 0o22}
	keep := func() []byte {
		a := &Answer{Output: "out\n", Text: [2]string{"a\n", "b\n"}}
		for _, path := range []string{file, missing, dir} {
			m, err := Look(path)
			if err != nil {
				t.Fatal(err)
			}
			a.Marks = append(a.Marks, m)
		}
		return call.Encode(a)
	}
	data := keep()
	if a, ok := call.answer(data, look); !ok || a.Text != [2]string{"a\n", "b\n"} || a.Output != "out\n" || a.Program != nil {
		t.Fatalf("%+v, %v", a, ok)
	}
	same := *call
	same.Environ = []string{"HOME=/h", "SHLVL=2", "_=x"}
	if _, ok := same.answer(data, look); !ok {
		t.Error("what changes from call to call makes a difference")
	}
	for what, other := range map[string]Call{
		"an argument":      {Args: []string{"ibid", "i", "-D"}, Environ: call.Environ, Cwd: "/p", Exe: "/ibid", Umask: 0o22},
		"a variable":       {Args: call.Args, Environ: []string{"HOME=/h", "npm_config_omit=dev"}, Cwd: "/p", Exe: "/ibid", Umask: 0o22},
		"another folder":   {Args: call.Args, Environ: call.Environ, Cwd: "/q", Exe: "/ibid", Umask: 0o22},
		"another program":  {Args: call.Args, Environ: call.Environ, Cwd: "/p", Exe: "/old", Umask: 0o22},
		"another umask":    {Args: call.Args, Environ: call.Environ, Cwd: "/p", Exe: "/ibid", Umask: 0o77},
		"another terminal": {Args: call.Args, Environ: call.Environ, Cwd: "/p", Exe: "/ibid", Umask: 0o22, Terminals: [2]bool{false, true}},
	} {
		if _, ok := other.answer(data, look); ok {
			t.Errorf("%s makes no difference", what)
		}
	}
	for n := range data {
		if _, ok := call.answer(data[:n], look); ok {
			t.Fatalf("%d bytes of %d are an answer", n, len(data))
		}
	}
	write(missing, "")
	if _, ok := call.answer(data, look); ok {
		t.Error("a new file is not noticed")
	}
	data = keep()
	write(file, "two")
	if _, ok := call.answer(data, look); ok {
		t.Error("a changed file is not noticed")
	}
}

func TestAProgramIsStartedAsItWas(t *testing.T) {
	call := &Call{Args: []string{"ibid", "run", "x"}, Environ: []string{"HOME=/h", "SHLVL=1", "_=/ibid"}, Cwd: "/p", Exe: "/ibid"}
	kept := &Answer{
		Marks: []Mark{{Path: "package.json", Ino: 1}}, Text: [2]string{"x\n"},
		Program: &Program{Path: "/bin/sh", Args: []string{"sh", "-c", "", "x"}, Environ: []string{"HOME=/h", "SHLVL=1", "_=/ibid", "npm_command=run"}},
	}
	same := func(_ []byte, m *Mark) error { *m = Mark{Ino: 1}; return nil }
	data := call.Encode(kept)
	later := *call
	later.Environ = []string{"HOME=/h", "SHLVL=2", "OLDPWD=/q"}
	a, ok := later.answer(data, same)
	if !ok || a.Text != kept.Text || a.Program == nil || a.Program.Path != "/bin/sh" || !slices.Equal(a.Program.Args, kept.Program.Args) {
		t.Fatalf("%+v, %v", a, ok)
	}
	if got, want := a.Program.Environ, []string{"HOME=/h", "npm_command=run", "SHLVL=2", "OLDPWD=/q"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for n := range data {
		if _, ok := call.answer(data[:n], same); ok {
			t.Fatalf("%d bytes of %d are an answer", n, len(data))
		}
	}
	if _, ok := later.answer(data, func([]byte, *Mark) error { return nil }); ok {
		t.Error("a changed file is not noticed")
	}
}

func TestWhatAProgramHasFromTheCallIsNotKept(t *testing.T) {
	call := &Call{Args: []string{"ibid", "run", "x"}, Environ: []string{"HOME=/h", "A=old", "API_TOKEN=s3cret", "A=1", "SHLVL=1", "odd"}, Cwd: "/p", Exe: "/ibid"}
	environ := []string{"API_TOKEN=s3cret", "A=1", "HOME=/elsewhere", "npm_lifecycle_event=x", "EMPTY=", "SHLVL=1"}
	data := call.Encode(&Answer{Marks: []Mark{{Path: "x"}}, Program: &Program{Path: "/bin/sh", Args: []string{"sh"}, Environ: environ}})
	if bytes.Contains(data, []byte("s3cret")) {
		t.Errorf("a secret is kept: %q", data)
	}
	call.Environ[4] = "SHLVL=2"
	a, ok := call.answer(data, func([]byte, *Mark) error { return nil })
	if !ok || a.Program == nil {
		t.Fatal("no program")
	}
	want := []string{"API_TOKEN=s3cret", "A=1", "HOME=/elsewhere", "npm_lifecycle_event=x", "EMPTY=", "SHLVL=2"}
	if !slices.Equal(a.Program.Environ, want) {
		t.Errorf("%q", a.Program.Environ)
	}
}

func FuzzAnswer(f *testing.F) {
	call := &Call{Args: []string{"ibid"}, Cwd: "/"}
	f.Add(call.Encode(&Answer{Text: [2]string{"up to date in ", "\n"}, Marks: []Mark{{Path: "x", Ino: 1}}}))
	f.Add(call.Encode(&Answer{Marks: []Mark{{Path: "x", Ino: 1}}, Program: &Program{Path: "/bin/sh", Args: []string{"sh"}, Environ: []string{"A=b", "B"}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		call.answer(data, func([]byte, *Mark) error { return nil })
	})
}
