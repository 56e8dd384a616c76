//go:build unix

package main

import (
	"bytes"
	"compress/gzip"
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
	"sort"
	"strings"
	"syscall"
	"time"
)

// A result is what is there after each command.
type result struct {
	Steps   []step  `json:"steps"`
	Seconds float64 `json:"seconds"`
	NPM     string  `json:"npm,omitempty"` // npm's version, in stored results
}

// A step is what one command left behind.
type step struct {
	Exit  int               `json:"exit"`
	Code  string            `json:"code,omitempty"` // npm's error code, as printed
	Files map[string]string `json:"files"`          // locks and manifests, by path
	Tree  []string          `json:"tree,omitempty"` // a line for each path of the folder
	Log   string            `json:"log,omitempty"`  // the end of what was printed, if it failed
}

// untilCrash is the result without what came after an exception of JavaScript's
// in npm: that says nothing of what npm means to do.
func (r result) untilCrash() result {
	for i, s := range r.Steps {
		if s.Exit != 0 && s.Code == "" && (strings.Contains(s.Log, "Cannot read properties of") ||
			strings.Contains(s.Log, "Invalid comparator: npm:")) { // an alias taken for a range
			r.Steps = r.Steps[:i]
			break
		}
	}
	return r
}

// A runner runs one program on projects, with a home of its own.
type runner struct {
	command  []string
	home     string // HOME: the program's caches survive from project to project
	scratch  string // projects are laid out in a folder below it
	registry string
	npmrc    string // more lines for the user's .npmrc
	timeout  time.Duration
	isNPM    bool
	version  string // npm's, for stored results
	stored   string // folder of npm's stored results
	npmDir   string // npm's own folder, if its commands are to run in one process
	oracle   *oracle
}

func (r *runner) run(ctx context.Context, p project) (result, error) {
	stored := ""
	if r.isNPM && r.stored != "" {
		stored = filepath.Join(r.stored, p.key()+".json.gz")
		if res, err := readResult(stored); err == nil && res.NPM == r.version {
			return res, nil
		}
	}
	if err := r.prepareHome(); err != nil {
		return result{}, err
	}
	dir := filepath.Join(r.scratch, "project")
	if err := lay(p, dir); err != nil {
		return result{}, err
	}
	start := time.Now()
	res := result{NPM: r.version}
	for _, args := range p.Commands {
		s, err := r.step(ctx, dir, args, p.Tree)
		if err != nil {
			return result{}, err
		}
		res.Steps = append(res.Steps, s)
	}
	res.Seconds = time.Since(start).Seconds()
	if stored != "" {
		if err := writeResult(stored, res); err != nil {
			return result{}, err
		}
	}
	return res, nil
}

func (r *runner) prepareHome() error {
	if err := os.MkdirAll(r.home, 0o755); err != nil {
		return err
	}
	npmrc := fmt.Sprintf("registry=%s/\naudit=false\nfund=false\nupdate-notifier=false\n%s", r.registry, r.npmrc)
	if err := os.WriteFile(filepath.Join(r.home, "empty-globalconfig"), nil, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.home, ".npmrc"), []byte(npmrc), 0o644)
}

func lay(p project, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name, f := range p.Files {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, f.bytes(), 0o644); err != nil {
			return err
		}
	}
	return os.MkdirAll(dir, 0o755)
}

// do runs one command and gives its exit status and all that it printed.
func (r *runner) do(ctx context.Context, dir string, args []string) (exit int, printed string, err error) {
	if r.npmDir != "" {
		return r.ask(ctx, dir, args)
	}
	argv := append(append([]string(nil), r.command...), args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = cleanEnv(r.home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return 0, "", err
	}
	if ctx.Err() != nil { // killed by us: that is no result
		return 0, "", fmt.Errorf("%s: %w", strings.Join(args, " "), ctx.Err())
	}
	return cmd.ProcessState.ExitCode(), out.String(), nil
}

// ask is do in npm's one process, which is started if it does not run. What ends
// that process, as npm rarely does, is done once more in one of its own.
func (r *runner) ask(ctx context.Context, dir string, args []string) (exit int, printed string, err error) {
	for range 2 {
		if r.oracle == nil {
			if r.oracle, err = startOracle(r.npmDir, r.scratch, r.home); err != nil {
				return 0, "", err
			}
		}
		var a oracleAnswer
		if a, err = r.oracle.run(ctx, dir, args); err == nil {
			return a.Exit, a.Out, nil
		}
		r.close()
		if ctx.Err() != nil {
			break
		}
	}
	return 0, "", fmt.Errorf("%s: %w", strings.Join(args, " "), err)
}

func (r *runner) close() {
	if r.oracle != nil {
		r.oracle.close()
		r.oracle = nil
	}
}

func (r *runner) step(ctx context.Context, dir string, args []string, tree bool) (step, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	exit, out, err := r.do(ctx, dir, args)
	if err != nil {
		return step{}, err
	}
	s := step{Exit: exit, Files: map[string]string{}}
	if s.Exit != 0 {
		s.Code = errorCode(out)
		s.Log = out[max(0, len(out)-3000):]
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() && d.Name() == "node_modules" && !tree {
			s.Files[rel] = "a folder"
			return fs.SkipDir
		}
		name := d.Name()
		inModules := strings.HasPrefix(rel, "node_modules/") || strings.Contains(rel, "/node_modules/")
		if !inModules && (name == "package-lock.json" || name == "package.json" || name == "npm-shrinkwrap.json" || name == "yarn.lock") ||
			rel == "node_modules/.package-lock.json" {
			b, err := os.ReadFile(path)
			s.Files[rel] = string(b)
			return err
		}
		if tree && rel != "." {
			line, err := describe(path, rel, d)
			s.Tree = append(s.Tree, line)
			return err
		}
		return nil
	})
	sort.Strings(s.Tree)
	return s, err
}

func describe(path, rel string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		to, err := os.Readlink(path)
		return rel + " -> " + to, err
	case info.IsDir():
		return fmt.Sprintf("%s/ %o", rel, info.Mode().Perm()), nil
	}
	b, err := os.ReadFile(path)
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%s %o %s", rel, info.Mode().Perm(), hex.EncodeToString(sum[:8])), err
}

// cleanEnv drops whatever could configure a package manager.
func cleanEnv(home string) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(strings.ToLower(kv), "=")
		if strings.HasPrefix(name, "npm_") || strings.HasPrefix(name, "ibid_") || strings.HasPrefix(name, "xdg_") ||
			name == "node_env" || name == "node_options" || name == "init_cwd" || name == "ci" || name == "home" {
			continue
		}
		env = append(env, kv)
	}
	return append(env, "HOME="+home, "XDG_CACHE_HOME="+home+"/.cache", "XDG_CONFIG_HOME="+home+"/.config",
		"XDG_DATA_HOME="+home+"/.local/share", "npm_config_globalconfig="+home+"/empty-globalconfig",
		"NO_COLOR=1", "TERM=dumb")
}

// errorCode finds the line "npm error code E…" whatever the program is called.
func errorCode(out string) string {
	for _, line := range strings.Split(out, "\n") {
		f := strings.Fields(line)
		if len(f) == 4 && (f[1] == "error" || f[1] == "ERR!") && f[2] == "code" {
			return f[3]
		}
	}
	return ""
}

func readResult(path string) (result, error) {
	var res result
	f, err := os.Open(path)
	if err != nil {
		return res, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return res, err
	}
	return res, json.NewDecoder(z).Decode(&res)
}

func writeResult(path string, res result) error {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(res); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".part", b.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
