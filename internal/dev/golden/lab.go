package golden

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Lab is a scene laid out on the disk: its project, a home of its own, and its
// registry. Close ends the registry; the folder is the caller's.
type Lab struct {
	Home, Project string
	scene         *Scene
	server        *httptest.Server
	before        map[string]string
}

// Run is one call of the program that is asked.
type Run func(words []string) (stdout, stderr string, exit int, err error)

// NewLab lays a scene out below an empty folder, which is to be named without
// symbolic links.
func (s *Scene) NewLab(dir string) (*Lab, error) {
	l := &Lab{Home: filepath.Join(dir, "home"), Project: filepath.Join(dir, "project"), scene: s, server: s.Registry()}
	if err := l.reset(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close ends the registry.
func (l *Lab) Close() { l.server.Close() }

// reset puts everything back as the scene has it.
func (l *Lab) reset() error {
	if err := os.RemoveAll(l.Project); err != nil {
		return err
	}
	entries, err := os.ReadDir(l.Home)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		// What programs keep for themselves makes the next one faster only.
		if !slices.Contains(kept, "home/"+e.Name()) {
			if err := os.RemoveAll(filepath.Join(l.Home, e.Name())); err != nil {
				return err
			}
		}
	}
	for _, dir := range []string{filepath.Join(l.Home, "global", "lib", "node_modules"), l.Project} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{
		".npmrc":     Config(l.server.URL) + l.scene.config,
		".gitconfig": "[user]\n\tname = Tester\n\temail = tester@example.com\n[init]\n\tdefaultBranch = main\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(l.Home, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := l.scene.Unpack(l.Project); err != nil {
		return err
	}
	if l.scene.git {
		for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"commit", "-q", "-m", "start"}} {
			if _, err := l.git(args...); err != nil {
				return err
			}
		}
	}
	l.before, err = l.state()
	return err
}

func (l *Lab) git(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = l.Project
	cmd.Env = l.Environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

// Environ is the environment that every command runs in.
func (l *Lab) Environ() []string {
	return []string{"HOME=" + l.Home, "PATH=" + os.Getenv("PATH"), "NO_COLOR=1", "GIT_CONFIG_NOSYSTEM=1"}
}

// Ask runs a command line, which may be several with && between, and tells what
// came of it. The scene is laid out anew if that changed anything.
func (l *Lab) Ask(command string, run Run) (Answer, error) {
	a := Answer{Command: command}
	var stdout, stderr strings.Builder
	for part := range strings.SplitSeq(command, " && ") {
		out, log, exit, err := run(Words(part))
		if err != nil {
			return a, err
		}
		stdout.WriteString(out)
		stderr.WriteString(log)
		if a.Exit = exit; exit != 0 {
			break
		}
	}
	a.Stdout = l.mask(stdout.String())
	a.Stderr = l.mask(stderr.String())
	after, err := l.state()
	if err != nil {
		return a, err
	}
	a.Changed = l.changes(after)
	if len(a.Changed) > 0 {
		err = l.reset()
	}
	return a, err
}

func (l *Lab) mask(text string) []string {
	return Mask(text, map[string]string{l.Project: "{DIR}", l.Home: "{HOME}", l.server.URL: "{REGISTRY}"})
}

// changes gives the lines of what is new or different, none for what is gone.
func (l *Lab) changes(after map[string]string) map[string][]string {
	out := map[string][]string{}
	for name, text := range after {
		if was, ok := l.before[name]; !ok || was != text {
			out[name] = l.mask(text)
		}
	}
	for name := range l.before {
		if _, ok := after[name]; !ok {
			out[name] = []string{"(gone)"}
		}
	}
	for name, lines := range out {
		out[name] = maskFile(lines)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

var (
	hashes = regexp.MustCompile(`sha512-[A-Za-z0-9+/]+=*`)
	script = regexp.MustCompile(`patches/\.[^"]*`)
)

func maskFile(lines []string) []string {
	for i, line := range lines {
		lines[i] = script.ReplaceAllString(hashes.ReplaceAllString(line, "sha512-masked"), "patches/masked")
	}
	return lines
}

// kept are the folders of a home that hold what programs keep for themselves,
// and a project's that are another program's.
var kept = []string{"home/.npm", "home/.cache", "home/.local", "home/.gitconfig", "project/.git"}

// state reads what a command may change. Of packages' own files it is told that
// they are there.
func (l *Lab) state() (map[string]string, error) {
	out := map[string]string{}
	top := filepath.Dir(l.Project)
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if slices.Contains(kept, rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		name := strings.TrimPrefix(strings.Replace(rel, "home/", "~/", 1), "project/")
		switch {
		case d.IsDir():
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			out[name] = "-> " + to
		case strings.Contains(name, "node_modules/") && !strings.HasSuffix(name, ".package-lock.json"):
			out[name] = "(file)"
		default:
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if out[name] = string(data); !utf8.Valid(data) {
				out[name] = "(binary)"
			}
		}
		return nil
	})
	if err != nil || !l.scene.git {
		return out, err
	}
	log, err := l.git("log", "--format=%s%d")
	if err != nil {
		return nil, err
	}
	tags, err := l.git("tag", "-n9")
	status, err2 := l.git("status", "--porcelain")
	out["(git)"] = log + tags + status
	return out, errors.Join(err, err2)
}
