package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/folder"
)

// A contender is a package manager with a home and a project of its own.
type contender struct {
	name    string
	version string
	command []string
	verbs   verbs

	home    string // wiped for a cold run: every cache and store is below it
	project string
	saved   string // the lock as the first cold install wrote it
	files   int    // below its node_modules after that install
	aside   string // where what is cleared is moved to; "" where it is removed
}

// verbs are a manager's words for what is measured; nil if it has none.
type verbs struct {
	lock                                    string
	install, frozen, add, remove, list, run []string
}

var npmVerbs = verbs{
	lock:    "package-lock.json",
	install: []string{"install", "--ignore-scripts", "--no-audit", "--no-fund"},
	frozen:  []string{"ci", "--ignore-scripts", "--no-audit", "--no-fund"},
	add:     []string{"install", "--ignore-scripts", "--no-audit", "--no-fund", extraPackage},
	remove:  []string{"uninstall", "--ignore-scripts", "--no-audit", "--no-fund", extraPackage},
	list:    []string{"ls"},
	run:     []string{"run", "nothing"},
}

var bunVerbs = verbs{
	lock:    "bun.lock",
	install: []string{"install", "--ignore-scripts"},
	frozen:  []string{"install", "--ignore-scripts", "--frozen-lockfile"},
	add:     []string{"add", "--ignore-scripts", extraPackage},
	remove:  []string{"remove", "--ignore-scripts", extraPackage},
	list:    []string{"pm", "ls"},
	run:     []string{"run", "nothing"},
}

var pnpmVerbs = verbs{
	lock:    "pnpm-lock.yaml",
	install: []string{"install", "--ignore-scripts", "--no-frozen-lockfile", "--config.strict-dep-builds=false"},
	frozen:  []string{"install", "--ignore-scripts", "--frozen-lockfile"},
	add:     []string{"add", "--ignore-scripts", extraPackage},
	remove:  []string{"remove", "--config.strict-dep-builds=false", extraPackage},
	list:    []string{"ls"},
	run:     []string{"run", "nothing"},
}

// peers are installed from the npm registry in these versions.
var peers = []struct {
	name, version string
	verbs         verbs
}{
	{"bun", "1.4.5", bunVerbs},
	{"pnpm", "12.21", pnpmVerbs},
	{"npm", "11.19.1", npmVerbs},
}

// tools gives the commands of the contenders asked for, installing the peers
// below dir unless they are there.
func tools(ctx context.Context, dir string, names []string, ibid string, given map[string]string) ([]contender, error) {
	var out []contender
	for _, name := range names {
		c := contender{name: name}
		if name == "ibid" || name == "base" {
			path, err := filepath.Abs(map[string]string{"ibid": ibid, "base": given["base"]}[name])
			if err != nil {
				return nil, err
			}
			c.command, c.verbs = []string{path}, npmVerbs
		}
		for _, p := range peers {
			if p.name != name {
				continue
			}
			c.verbs = p.verbs
			c.command = []string{given[name]}
			if given[name] == "" {
				bin := filepath.Join(dir, name, "node_modules", ".bin", name)
				if _, err := os.Stat(bin); err != nil {
					if err := installPeer(ctx, filepath.Join(dir, name), name+"@"+p.version); err != nil {
						return nil, err
					}
				}
				c.command = []string{bin}
			}
		}
		if c.command == nil {
			return nil, fmt.Errorf("contender %q: not ibid, base, bun, pnpm or npm", name)
		}
		v, err := exec.CommandContext(ctx, c.command[0], "--version").Output()
		if err != nil {
			return nil, fmt.Errorf("%s --version: %w", c.command[0], err)
		}
		c.version = strings.TrimSpace(string(v))
		out = append(out, c)
	}
	return out, nil
}

func installPeer(ctx context.Context, dir, what string) error {
	fmt.Fprintf(os.Stderr, "bench: installing %s from the npm registry\n", what)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{}\n"), 0o644); err != nil {
		return err
	}
	npm := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", what)
	npm.Dir = dir
	if said, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install %s: %w\n%s", what, err, said)
	}
	return nil
}

// place gives the contender its folders in work and its copy of the project.
func (c *contender) place(work string, p sample, registry string) error {
	c.home = filepath.Join(work, c.name, "home")
	c.project = filepath.Join(work, c.name, "project")
	c.saved = filepath.Join(work, c.name, "lock")
	if err := os.RemoveAll(filepath.Join(work, c.name)); err != nil {
		return err
	}
	if err := p.write(c.project, c.name == "pnpm"); err != nil {
		return err
	}
	return c.wipeHome(registry)
}

func (c *contender) wipeHome(registry string) error {
	if _, err := c.clear(c.home); err != nil {
		return err
	}
	if err := os.MkdirAll(c.home, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.home, "globalconfig"), nil, 0o644); err != nil {
		return err
	}
	npmrc := "registry=" + registry + "/\naudit=false\nfund=false\nupdate-notifier=false\n"
	return os.WriteFile(filepath.Join(c.home, ".npmrc"), []byte(npmrc), 0o644)
}

func (c *contender) lockPath() string { return filepath.Join(c.project, c.verbs.lock) }

// keepLock remembers the lock that a first install wrote.
func (c *contender) keepLock() error {
	b, err := os.ReadFile(c.lockPath())
	if err != nil {
		return fmt.Errorf("%s wrote no lock: %w", c.name, err)
	}
	return os.WriteFile(c.saved, b, 0o644)
}

func (c *contender) dropLock() error {
	if err := os.Remove(c.lockPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (c *contender) restoreLock() error {
	b, err := os.ReadFile(c.saved)
	if err != nil {
		return err
	}
	return os.WriteFile(c.lockPath(), b, 0o644)
}

// dropModules removes every node_modules.
func (c *contender) dropModules() error {
	dirs, err := c.modules()
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		at, err := c.clear(dir)
		if err != nil {
			return err
		}
		if err := removeShared(at); err != nil {
			return err
		}
	}
	return nil
}

// lendModules gives every node_modules to another project, which has it from then on.
func (c *contender) lendModules() error {
	dirs, err := c.modules()
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		other, err := os.MkdirTemp(filepath.Dir(c.project), "other-")
		if err != nil {
			return err
		}
		if err := os.Rename(dir, filepath.Join(other, filepath.Base(dir))); err != nil {
			return err
		}
	}
	return nil
}

// clear takes a folder out of the way. On a disk it is removed only when
// everything was measured: for a minute or more ext4 does not use the inodes of
// removed files again, and looks at each of them whenever it needs one. It says
// where the folder is now, "" for nowhere.
func (c *contender) clear(dir string) (string, error) {
	if c.aside == "" {
		return "", os.RemoveAll(dir)
	}
	if err := os.MkdirAll(c.aside, 0o755); err != nil {
		return "", err
	}
	to, err := os.MkdirTemp(c.aside, "")
	if err != nil {
		return "", err
	}
	to = filepath.Join(to, filepath.Base(dir))
	err = os.Rename(dir, to)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return to, err
}

// removeShared removes the files below a folder that have another name: a cache
// has them, and who looks there for files that nobody uses must find them so. No
// inode goes by that.
func removeShared(dir string) error {
	if dir == "" {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		var st folder.Stat
		if err := folder.LstatPath(path, &st); err != nil || st.Nlink == 1 {
			return err
		}
		return os.Remove(path)
	})
}

// run measures one command in the project.
func (c *contender) run(ctx context.Context, args []string) (measure, error) {
	return measured(ctx, c.project, c.environ(), append(c.command[:len(c.command):len(c.command)], args...))
}

func (c *contender) environ() []string {
	env := []string{"HOME=" + c.home, "XDG_CACHE_HOME=" + c.home + "/.cache", "XDG_CONFIG_HOME=" + c.home + "/.config",
		"XDG_DATA_HOME=" + c.home + "/.local/share", "XDG_STATE_HOME=" + c.home + "/.local/state",
		"npm_config_globalconfig=" + c.home + "/globalconfig", "NO_COLOR=1", "TERM=dumb", "DO_NOT_TRACK=1"}
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(strings.ToLower(kv), "=")
		if name == "path" || name == "lang" || name == "tmpdir" {
			env = append(env, kv)
		}
	}
	return env
}

// A measure is what one run cost.
type measure struct {
	Wall     time.Duration `json:"wall"`
	CPU      time.Duration `json:"cpu"` // user and system, of the whole process tree
	RSS      int64         `json:"rss"` // bytes, of the biggest process
	Syscalls int64         `json:"syscalls,omitempty"`
}

func measured(ctx context.Context, dir string, env, argv []string) (measure, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = env
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	// Linux counts the most that we had ourselves among what the process had: give
	// back what checking trees took, and have the count begin again.
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200) // not there elsewhere
	start := time.Now()
	err := cmd.Run()
	m := measure{Wall: time.Since(start)}
	if err != nil {
		out := said.String()
		return m, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, out[max(0, len(out)-2000):])
	}
	m.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	m.RSS = peakRSS(cmd.ProcessState)
	return m, nil
}

// countSyscalls runs the command once more under strace.
func (c *contender) countSyscalls(ctx context.Context, args []string) (int64, error) {
	report := filepath.Join(filepath.Dir(c.home), "strace")
	argv := append([]string{"strace", "-f", "-c", "-o", report}, c.command...)
	if _, err := measured(ctx, c.project, c.environ(), append(argv, args...)); err != nil {
		return 0, err
	}
	b, err := os.ReadFile(report)
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) >= 4 && f[len(f)-1] == "total" {
			var n int64
			_, err := fmt.Sscan(f[3], &n)
			return n, err
		}
	}
	return 0, errors.New("strace -c printed no total")
}
