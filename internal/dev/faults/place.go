//go:build unix

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
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

// A place is a home and a project in it.
type place struct {
	home, project string
}

// open makes an empty home and lays the recorded application out.
func (l *lab) open(home, project string) (place, error) {
	p := place{filepath.Join(l.scratch, home), filepath.Join(l.scratch, project)}
	if err := l.newHome(p.home); err != nil {
		return p, err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join(l.shared, "bench", name))
		if err != nil {
			return p, err
		}
		// the lock names the server that it was recorded from
		b = bytes.ReplaceAll(b, []byte(`"resolved": "http://127.0.0.1:4873/`), []byte(`"resolved": "`+l.registry.URL+"/"))
		if err := os.MkdirAll(p.project, 0o755); err != nil {
			return p, err
		}
		if err := os.WriteFile(filepath.Join(p.project, name), b, 0o644); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (l *lab) newHome(home string) error {
	if err := os.RemoveAll(home); err != nil {
		return err
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	npmrc := "registry=" + l.registry.URL + "/\naudit=false\nfund=false\nupdate-notifier=false\n"
	return os.WriteFile(filepath.Join(home, ".npmrc"), []byte(npmrc), 0o644)
}

func (p place) dropModules() error { return os.RemoveAll(filepath.Join(p.project, "node_modules")) }

// command prepares the candidate in a process group of its own.
func (l *lab) command(ctx context.Context, p place, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, l.pm[0], append(l.pm[1:len(l.pm):len(l.pm)], args...)...)
	cmd.Dir = p.project
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = []string{"HOME=" + p.home, "XDG_CACHE_HOME=" + p.home + "/.cache", "XDG_DATA_HOME=" + p.home + "/.local/share",
		"XDG_CONFIG_HOME=" + p.home + "/.config", "npm_config_globalconfig=" + p.home + "/globalconfig",
		"PATH=" + os.Getenv("PATH"), "NO_COLOR=1", "TERM=dumb"}
	said := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = said, said
	return cmd, said
}

func (l *lab) run(ctx context.Context, p place, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	cmd, said := l.command(ctx, p, args...)
	if err := cmd.Run(); err != nil {
		out := said.String()
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out[max(0, len(out)-1500):])
	}
	return nil
}

func (l *lab) ci(ctx context.Context, p place) error { return l.run(ctx, p, l.ciArgs()...) }

func (l *lab) ciArgs() []string { return append([]string{"ci", "--ignore-scripts"}, l.flags...) }

// sharedPackages is where a home's projects have the packages that they share.
func (p place) sharedPackages() string {
	return filepath.Join(p.home, ".local", "share", "ibid", "packages", "v1")
}

// tree is what the project has, the packages that it shares included, whatever
// the home is called. What killed runs have left aside is nobody's.
func (p place) tree() (tree, error) {
	t, err := snapshot(p.project)
	if err != nil {
		return nil, err
	}
	for at, what := range t {
		t[at] = strings.ReplaceAll(what, p.home, "HOME")
	}
	if _, err := os.Stat(p.sharedPackages()); err != nil {
		return t, nil
	}
	shared, err := snapshot(p.sharedPackages())
	for at, what := range shared {
		if strings.Contains(at, "/node_modules") && !strings.HasPrefix(at, ".new-") {
			t["HOME/"+at] = what
		}
	}
	return t, err
}

// clean installs without disturbance in a home of its own and tells the tree and the time.
func (l *lab) clean(ctx context.Context) (tree, time.Duration, error) {
	p, err := l.open("clean-home", "clean")
	if err != nil {
		return nil, 0, err
	}
	start := time.Now()
	if err := l.ci(ctx, p); err != nil {
		return nil, 0, err
	}
	took := time.Since(start)
	t, err := p.tree()
	return t, took, err
}

// sameTree checks a project against the clean tree.
func sameTree(want tree, p place) error {
	got, err := p.tree()
	if err != nil {
		return err
	}
	return want.compare(got)
}

// A tree is what a project's folder holds, by path.
type tree map[string]string

func snapshot(root string) (tree, error) {
	t := tree{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if rel == filepath.Join("node_modules", ".cache") {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case info.IsDir():
			t[rel] = fmt.Sprintf("folder %o", info.Mode().Perm())
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			t[rel] = "link to " + to
		default:
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(b)
			t[rel] = fmt.Sprintf("file %o %s", info.Mode().Perm(), hex.EncodeToString(sum[:12]))
		}
		return nil
	})
	return t, err
}

func (t tree) compare(got tree) error {
	var wrong []string
	for path, want := range t {
		if have, ok := got[path]; !ok {
			wrong = append(wrong, path+": missing")
		} else if have != want {
			wrong = append(wrong, path+": "+have+", should be "+want)
		}
	}
	for path := range got {
		if _, ok := t[path]; !ok {
			wrong = append(wrong, path+": should not be there")
		}
	}
	if wrong == nil {
		return nil
	}
	sort.Strings(wrong)
	n := len(wrong)
	return fmt.Errorf("%d of %d paths are wrong:\n%s", n, len(t), strings.Join(wrong[:min(n, 5)], "\n"))
}

// storeFiles lists the regular files that the candidate keeps under a home.
func storeFiles(home string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && filepath.Dir(path) != home && !strings.Contains(path, "/_logs/") {
			files = append(files, path)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = errors.New("the store is not under the home")
	}
	return files, err
}

// flip changes one byte of a file and keeps its size, mode and modification time.
func flip(r *rand.Rand, path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		defer os.Chmod(path, info.Mode().Perm())
		if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
			return err
		}
	}
	at := r.Int64N(info.Size())
	b := make([]byte, 1)
	if _, err = f.ReadAt(b, at); err == nil {
		b[0] ^= 0x20
		_, err = f.WriteAt(b, at)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Chtimes(path, info.ModTime(), info.ModTime())
}

// lockTarballs gives the distinct tarball addresses of a lock.
func lockTarballs(path string) (map[string]bool, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var lock struct {
		Packages map[string]struct {
			Resolved string   `json:"resolved"`
			OS       []string `json:"os"`
			CPU      []string `json:"cpu"`
			Optional bool     `json:"optional"`
		} `json:"packages"`
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, p := range lock.Packages {
		// what is for other machines may or may not be fetched
		if p.Resolved != "" && p.OS == nil && p.CPU == nil {
			out[p.Resolved] = true
		}
	}
	return out, nil
}
