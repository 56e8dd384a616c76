package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/unidiff"
)

// lab is where clients are tried.
type lab struct {
	scratch string
	npm     string // the real one's file
	ibid    string
	verbose bool
	version string // the real one's
}

// result is what trying a client showed. It is kept beside the client's folders,
// for the page that tells of all.
type result struct {
	client      client
	Version     string
	NPM         string   // the version that it was compared with
	Calls       []string // of npm that the client made, with ibid
	Differences []string
}

func (l *lab) keep(r result) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(l.kept(r.client), data, 0o644)
}

// earlier gives the result of an earlier run in the same scratch folder.
func (l *lab) earlier(c client) (result, bool) {
	r := result{client: c}
	data, err := os.ReadFile(l.kept(c))
	return r, err == nil && json.Unmarshal(data, &r) == nil
}

func (l *lab) kept(c client) string { return filepath.Join(l.place(c), "result.json") }

func (l *lab) place(c client) string {
	return filepath.Join(l.scratch, strings.NewReplacer("/", "-", "@", "").Replace(c.name))
}

// visit is what happened with one package manager.
type visit struct {
	answers []answer
	files   map[string]string // path to content, or what stands for it
	version string
	calls   []string
}

type answer struct {
	command string
	status  int
	output  string // stdout and stderr
}

// patience is how long one step may take.
const patience = 10 * time.Minute

func (l *lab) try(c client) (result, error) {
	var visits [2]*visit
	for i, pm := range [...]string{"npm", "ibid"} {
		v, err := l.visit(c, pm)
		if err != nil {
			return result{}, fmt.Errorf("with %s: %w", pm, err)
		}
		visits[i] = v
	}
	r := result{client: c, NPM: l.version, Version: visits[1].version, Calls: visits[1].calls}
	for i, want := range visits[0].answers {
		got := visits[1].answers[i]
		if got.status != want.status {
			r.Differences = append(r.Differences, fmt.Sprintf("$ %s\nexit status %d with npm, %d with ibid\n%s", want.command, want.status, got.status, got.output))
		}
		if d := diff("$ "+want.command, want.output, got.output); d != "" {
			r.Differences = append(r.Differences, d)
		}
	}
	var names []string
	for name := range visits[0].files {
		names = append(names, name)
	}
	for name := range visits[1].files {
		if _, ok := visits[0].files[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		want, had := visits[0].files[name]
		got, has := visits[1].files[name]
		switch {
		case had && !has:
			r.Differences = append(r.Differences, name+": only with npm")
		case has && !had:
			r.Differences = append(r.Differences, name+": only with ibid")
		case want != got && !slices.ContainsFunc(c.free, func(part string) bool { return strings.Contains(name, part) }):
			r.Differences = append(r.Differences, diff(name, want, got))
		}
	}
	return r, l.keep(r)
}

func diff(name, want, got string) string {
	if want == got {
		return ""
	}
	return "--- npm: " + name + "\n+++ ibid\n" + unidiff.Text(unidiff.Diff(want, got, unidiff.Options{Context: 2}))
}

// visit makes the project anew and has the client work in it. The folders have
// the same names for both package managers, and are moved aside afterwards.
func (l *lab) visit(c client, pm string) (*visit, error) {
	place := l.place(c)
	kept := filepath.Join(place, "with-"+pm)
	dir := filepath.Join(place, "project")
	for _, old := range []string{kept, dir, filepath.Join(place, "home"), filepath.Join(place, "origin.git"), filepath.Join(place, "bin"), filepath.Join(place, "prefix")} {
		if err := os.RemoveAll(old); err != nil {
			return nil, err
		}
	}
	for name, text := range c.files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("node_modules\ndist\n.nx\n.turbo\n"), 0o644); err != nil {
		return nil, err
	}
	calls := filepath.Join(place, "calls")
	os.Remove(calls)
	w := &work{lab: l, dir: dir, place: place, pm: pm}
	if err := w.stand(calls); err != nil {
		return nil, err
	}
	prepare := []string{"git init -q -b main .", "npm install --no-audit --no-fund --save-dev " + strings.Join(append([]string{c.name}, c.install...), " "),
		"git add -A", "git commit -q -m 'chore: start'"}
	if c.remote {
		prepare = append(prepare, "git init -q --bare -b main ../origin.git", "git remote add origin \"$PWD/../origin.git\"")
	}
	for _, step := range prepare {
		if a := w.step(step); a.status != 0 {
			return nil, fmt.Errorf("$ %s: status %d\n%s", step, a.status, a.output)
		}
	}
	os.Remove(calls)
	v := &visit{version: versionIn(filepath.Join(dir, "node_modules", c.name))}
	for _, step := range c.steps {
		if hidden, ok := strings.CutPrefix(step, "# "); ok {
			if a := w.step(hidden); a.status != 0 {
				return nil, fmt.Errorf("$ %s: status %d\n%s", hidden, a.status, a.output)
			}
			continue
		}
		a := w.step(step)
		if l.verbose {
			fmt.Printf("%s $ %s\n%s[%d]\n", pm, a.command, a.output, a.status)
		}
		a.output = w.mask(a.output)
		v.answers = append(v.answers, a)
	}
	v.calls = readCalls(calls, dir, c.steps)
	var err error
	if v.files, err = w.files(); err != nil {
		return nil, err
	}
	return v, os.Rename(dir, kept)
}

func versionIn(dir string) string {
	var m struct{ Version string }
	data, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil || json.Unmarshal(data, &m) != nil {
		return "?"
	}
	return m.Version
}

// readCalls gives the calls of npm that were noted, each once, without those
// that a step made itself.
func readCalls(file, dir string, steps []string) []string {
	data, _ := os.ReadFile(file)
	var out []string
	for line := range strings.Lines(string(data)) {
		line = strings.ReplaceAll(strings.TrimSpace(line), dir, "$PWD")
		if slices.Contains(out, line) || slices.ContainsFunc(steps, func(s string) bool { return strings.Contains(strings.ReplaceAll(s, "'", ""), line) }) {
			continue
		}
		out = append(out, line)
	}
	return out
}

// work is one package manager in one project.
type work struct {
	*lab
	dir, place, pm string
	env            []string
}

// stand makes the folder with npm and npx that comes first on the PATH, and
// the environment. Both note how they were called and become the real thing.
func (w *work) stand(calls string) error {
	bin := filepath.Join(w.place, "bin")
	home := filepath.Join(w.place, "home")
	real := filepath.Join(w.scratch, "pm-"+w.pm)
	for _, dir := range []string{bin, home, real} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"npm", "npx"} {
		target := filepath.Join(filepath.Dir(w.npm), name)
		if w.pm == "ibid" {
			target = filepath.Join(real, name)
			os.Remove(target)
			if err := os.Symlink(w.ibid, target); err != nil {
				return err
			}
		}
		script := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\n' \"%s $*\" >>'%s'\nexec '%s' \"$@\"\n", name, calls, target)
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			return err
		}
	}
	config := "[user]\nname = Somebody\nemail = somebody@example.com\n[safe]\ndirectory = *\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o644); err != nil {
		return err
	}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case strings.HasPrefix(strings.ToLower(name), "npm_"), strings.HasPrefix(name, "GIT_"), strings.HasPrefix(name, "GITHUB_"), name == "CI", name == "HOME", name == "PATH":
		default:
			w.env = append(w.env, kv)
		}
	}
	w.env = append(w.env,
		"HOME="+home, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"npm_config_cache="+filepath.Join(w.scratch, "cache-"+w.pm), "npm_config_prefix="+filepath.Join(w.place, "prefix"),
		"npm_config_update_notifier=false", "npm_config_audit=false", "npm_config_fund=false",
		"NX_DAEMON=false", "NX_NO_CLOUD=true", "TURBO_TELEMETRY_DISABLED=1", "DO_NOT_TRACK=1", "NO_UPDATE_NOTIFIER=1",
		"GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z", "NO_COLOR=1", "CI=true", "TZ=UTC", "LC_ALL=C",
	)
	return nil
}

func (w *work) step(command string) answer {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.Env = w.dir, w.env
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	a := answer{command: command, output: out.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		a.status = exit.ExitCode()
	case err != nil:
		a.status = -1
		a.output += err.Error()
	}
	return a
}

// masks are what differs from run to run, and what npm and ibid say to people
// in words of their own.
var masks = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`), ""},
	{regexp.MustCompile(`(?m)^.*\b(npm (warn|notice|error|hint|info)|npm ERR!|npm hint:)(.*)\n`), ""},
	{regexp.MustCompile(`(?m)^(added|removed|changed|up to date|audited)\b.* in .*\n`), ""},
	// npm 11 announces a script on stdout, npm 12 and ibid on stderr.
	{regexp.MustCompile(`(?m)^(\S+:)? ?> .*\n`), ""},
	{regexp.MustCompile(`(?m)^@mono/\w+:build:[ ]*\n`), ""},
	{regexp.MustCompile(`\(node:\d+\)`), "(node:PID)"},
	{regexp.MustCompile(`(?m)^ +at process\.processTicksAndRejections .*\n`), ""}, // there or not, as it happens
	{regexp.MustCompile(`\b\d+(\.\d+)? ?(ms|s|secs?|seconds?|m)\b`), "TIME"},
	{regexp.MustCompile(`\[\d+:\d+:\d+ [AP]M\]`), "[CLOCK]"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\dT[\d:.]+Z`), "DATE"},
	{regexp.MustCompile(`\b[0-9a-f]{7,40}\b`), "HASH"},
	{regexp.MustCompile(`"(timestamp|serialNumber)": "[^"]*"`), `"$1": ""`},
	{regexp.MustCompile(`(?m)[ \t]+$`), ""},
	{regexp.MustCompile(`\n{2,}`), "\n"},
}

func (w *work) mask(text string) string {
	for _, m := range masks {
		text = m.what.ReplaceAllString(text, m.with)
	}
	text = strings.ReplaceAll(text, "cache-"+w.pm, "CACHE")
	text = strings.ReplaceAll(text, "pm-"+w.pm, "PM")
	return strings.TrimLeft(text, "\n")
}

// files is what is left in the project: content, and of node_modules the lists
// of what is installed.
func (w *work) files() (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(w.dir, path)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			switch d.Name() {
			case ".git", ".nx", ".turbo":
				return filepath.SkipDir
			case "node_modules":
				if data, err := os.ReadFile(filepath.Join(path, ".package-lock.json")); err == nil {
					out[rel+"/.package-lock.json"] = string(data)
				}
				entries, err := os.ReadDir(filepath.Join(path, ".bin"))
				for _, e := range entries {
					target, _ := os.Readlink(filepath.Join(path, ".bin", e.Name()))
					out[rel+"/.bin/"+e.Name()] = target
				}
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				return filepath.SkipDir
			}
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.IndexByte(data, 0) >= 0 || bytes.HasPrefix(data, []byte("\x1f\x8b")) {
			sum := sha256.Sum256(data)
			out[rel] = "sha256 " + hex.EncodeToString(sum[:])
			return nil
		}
		out[rel] = w.mask(string(data))
		return nil
	})
	return out, err
}
