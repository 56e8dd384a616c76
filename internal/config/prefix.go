package config

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"

	"github.com/ibid-pm/ibid/internal/workspaces"
)

// loadProject finds the project and reads its .npmrc.
func (c *Config) loadProject() error {
	if err := c.loadLocalPrefix(); err != nil {
		return err
	}
	p := &c.layers[Project]
	ignore := func(why string) {
		p.source = why
		c.sources[why] = Project
	}
	if c.Global() {
		ignore("(global mode enabled, ignored)")
		return nil
	}
	file := filepath.Join(c.localPrefix, ".npmrc")
	if file == c.String("userconfig") {
		ignore(`(same as "user" config, ignored)`)
		return nil
	}
	return c.loadFile(Project, file)
}

// loadLocalPrefix walks up from the working directory to the project: the first
// directory with a package.json or a node_modules, or the root of the
// workspaces that this directory is one of.
func (c *Config) loadLocalPrefix() error {
	if v, ok := c.layers[CLI].data.get("prefix"); ok && v.Truthy() {
		c.localPrefix = v.String()
		c.localPackage = isFile(filepath.Join(c.localPrefix, "package.json"))
		return nil
	}
	noWorkspaces, _ := c.layers[CLI].data.get("workspaces")
	alone := same(noWorkspaces, no) || c.Global()
	for dir := c.cwd; ; {
		hasPackage := isFile(filepath.Join(dir, "package.json"))
		switch {
		case c.localPrefix == "":
			if hasPackage || isDir(filepath.Join(dir, "node_modules")) {
				c.localPrefix, c.localPackage = dir, hasPackage
				if alone {
					return nil
				}
			}
		case hasPackage:
			is, err := workspaces.Contains(dir, c.localPrefix)
			if err != nil {
				return err
			}
			if is {
				if rc := filepath.Join(c.localPrefix, ".npmrc"); isFile(rc) {
					c.warn("warn", "config", "ignoring workspace config at "+rc)
				}
				c.layers[Default].data.set("workspace", NewStrings(c.localPrefix))
				c.localPrefix = dir
				c.warn("info", "config", "found workspace root at "+dir)
				return nil
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	if c.localPrefix == "" {
		c.localPrefix = c.cwd
	}
	return nil
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// nodePrefix is the default of prefix: the directory above the one that node is
// in, unless PREFIX says otherwise.
func (c *Config) nodePrefix() string {
	if p := c.environ["PREFIX"]; p != "" {
		return c.abs(p)
	}
	node := c.NodePath()
	if node == "" && c.windows {
		return filepath.Join(c.environ["APPDATA"], "npm")
	}
	if node == "" {
		return "/usr/local"
	}
	if c.windows {
		return filepath.Dir(node)
	}
	prefix := filepath.Dir(filepath.Dir(node))
	if dest := c.environ["DESTDIR"]; dest != "" {
		prefix = c.abs(filepath.Join(dest, prefix))
	}
	return prefix
}

// builtinFile returns the npmrc of the npm that came with node. Whoever packaged
// node says there where global packages go: %APPDATA%\npm on Windows.
func (c *Config) builtinFile() string {
	if c.env.BuiltinFile != "" {
		return c.env.BuiltinFile
	}
	node := c.NodePath()
	switch {
	case node == "":
		return ""
	case c.windows:
		return filepath.Join(filepath.Dir(node), "node_modules", "npm", "npmrc")
	}
	// Homebrew links its node into the folder that its npm is in.
	if c.nodeProgram != "" && c.nodeProgram != node {
		file := npmrcBeside(c.nodeProgram)
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return npmrcBeside(node)
}

func npmrcBeside(node string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(node)), "lib", "node_modules", "npm", "npmrc")
}

// NodePath returns the node binary: the one given to Load or the first on PATH,
// links resolved as node does itself for process.execPath; "" if there is none.
func (c *Config) NodePath() string {
	if c.env.NodePath != "" || c.noNode {
		return c.env.NodePath
	}
	path, ok := c.environ["PATH"]
	if !ok && c.windows {
		path = c.environ["Path"]
	}
	for _, dir := range filepath.SplitList(path) {
		if dir == "" || !filepath.IsAbs(dir) {
			continue // a relative entry would let a project choose the program
		}
		name := filepath.Join(dir, "node")
		if c.windows {
			name += ".exe"
		}
		if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() && (c.windows || st.Mode()&0o111 != 0) {
			c.nodeProgram = name
			c.env.NodePath = c.nodeBehind(name)
			return c.env.NodePath
		}
	}
	c.noNode = true
	return ""
}

// nodeBehind gives the node that a program on the PATH is. On Windows node resolves
// no links.
func (c *Config) nodeBehind(program string) string {
	file := program
	if real, err := filepath.EvalSymlinks(program); err == nil && !c.windows {
		file = real
	}
	if c.env.Node != nil {
		return c.env.Node(program, file)
	}
	return file
}

func systemHome(env map[string]string) string {
	if runtime.GOOS == "windows" {
		if p := env["USERPROFILE"]; p != "" {
			return p
		}
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

func nodePlatform(goos string) string {
	switch goos {
	case "windows":
		return "win32"
	case "solaris", "illumos":
		return "sunos"
	}
	return goos
}

func nodeArch(goarch string) string {
	switch goarch {
	case "amd64":
		return "x64"
	case "386":
		return "ia32"
	case "mipsle":
		return "mipsel"
	case "ppc64le":
		return "ppc64"
	}
	return goarch
}

// GlobalPrefix returns the directory that global packages live under, also when
// the command does not work on them.
func (c *Config) GlobalPrefix() string { return c.globalPrefix }

// LocalPrefix returns the project's directory.
func (c *Config) LocalPrefix() string { return c.localPrefix }

// HasLocalPackage reports whether the project has a package.json.
func (c *Config) HasLocalPackage() bool { return c.localPackage }

// Prefix returns the directory that the command works on.
func (c *Config) Prefix() string {
	if c.Global() {
		return c.globalPrefix
	}
	return c.localPrefix
}

// GlobalDir returns the directory of global packages, <prefix>/lib/node_modules.
func (c *Config) GlobalDir() string {
	if c.windows {
		return filepath.Join(c.globalPrefix, "node_modules")
	}
	return filepath.Join(c.globalPrefix, "lib", "node_modules")
}

// GlobalBin returns the directory that the executables of global packages are
// linked into.
func (c *Config) GlobalBin() string {
	if c.windows {
		return c.globalPrefix
	}
	return filepath.Join(c.globalPrefix, "bin")
}

// Home returns the user's home directory.
func (c *Config) Home() string { return c.home }

// Cwd returns the directory that the command was started in.
func (c *Config) Cwd() string { return c.cwd }
