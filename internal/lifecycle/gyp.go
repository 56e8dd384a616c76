package lifecycle

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/regular"
)

// GypInstall is the install script of a package that has a binding.gyp and
// says nothing else (@npmcli/node-gyp).
const GypInstall = "node-gyp rebuild"

// HasBindingGyp says whether the package in dir is built by node-gyp.
func HasBindingGyp(dir string) bool {
	st, err := os.Stat(filepath.Join(dir, "binding.gyp"))
	return err == nil && st.Mode().IsRegular()
}

// Command is what is run for event in the package in dir: its script; for
// install without install and preinstall, node-gyp, unless gypfile is false. ""
// is nothing (run-script 11, lib/run-script-pkg.js).
func Command(event, dir string, scripts manifest.Deps, gypFile *bool) string {
	if command := script(scripts, event); command != "" {
		return command
	}
	if event == "install" && script(scripts, "preinstall") == "" && (gypFile == nil || *gypFile) && HasBindingGyp(dir) {
		return GypInstall
	}
	return ""
}

// NodeGyp is where node-gyp is. npm carries its own copy; ibid uses the one
// that is there.
type NodeGyp struct {
	// Script is node-gyp.js, exported as npm_config_node_gyp; "" when none was
	// found.
	Script string
	// BinDir has a "node-gyp" program that runs Script with node; see
	// WriteNodeGypBin. It stands on every script's PATH.
	BinDir string
}

// FindNodeGyp looks for node-gyp.js: what the setting node-gyp says
// (configured, or npm_config_node_gyp of environ), node-gyp on the PATH, the
// copy inside the npm that is on the PATH. It gives "" when there is none,
// which is no error until a script asks for node-gyp.
func FindNodeGyp(configured string, environ []string) string {
	if configured != "" {
		return configured
	}
	env := newEnvironment(len(environ))
	env.add(environ)
	if set := env.vals["npm_config_node_gyp"]; set != "" {
		return set
	}
	path, pathext := env.get("PATH"), env.get("PATHEXT")
	if script := scriptBehind(lookPath("node-gyp", path, pathext), "node_modules/node-gyp/bin/node-gyp.js"); script != "" {
		return script
	}
	return scriptBehind(lookPath("npm", path, pathext), "node_modules/npm/node_modules/node-gyp/bin/node-gyp.js")
}

// scriptBehind gives the node-gyp.js that belongs to a program of a global
// installation: the program is a link into its package on POSIX and a shim
// beside node_modules on Windows. rest is node-gyp.js's path from the folder
// that holds the program (Windows) or from its lib (POSIX).
func scriptBehind(program, rest string) string {
	if program == "" {
		return ""
	}
	target, err := filepath.EvalSymlinks(program)
	if err != nil {
		return ""
	}
	if filepath.Base(target) == "node-gyp.js" {
		return target
	}
	var candidates []string
	// …/npm/bin/npm-cli.js: the package's own node_modules.
	candidates = append(candidates, filepath.Join(filepath.Dir(target), "..", "node_modules", "node-gyp", "bin", "node-gyp.js"))
	dir := filepath.Dir(program)
	if runtime.GOOS == "windows" {
		candidates = append(candidates, filepath.Join(dir, filepath.FromSlash(rest)))
	}
	candidates = append(candidates, filepath.Join(dir, "..", "lib", filepath.FromSlash(rest)))
	for _, file := range candidates {
		if st, err := os.Stat(file); err == nil && st.Mode().IsRegular() {
			return file
		}
	}
	return ""
}

// The wrapper that stands on the PATH: npm's runs whatever npm_config_node_gyp
// names; ours says what to do when it names nothing.
const (
	nodeGypSh = `#!/usr/bin/env sh
if [ -z "$npm_config_node_gyp" ]; then
  echo "node-gyp: not found: install it (npm install --global node-gyp) or set the setting node-gyp to its node-gyp.js" >&2
  exit 127
fi
exec node "$npm_config_node_gyp" "$@"
`
	nodeGypCmd = "@if not defined npm_config_node_gyp (\r\n" +
		"@echo node-gyp: not found: install it (npm install --global node-gyp) or set the setting node-gyp to its node-gyp.js 1>&2\r\n" +
		"@exit /b 127\r\n)\r\n" +
		"@node \"%npm_config_node_gyp%\" %*\r\n"
)

// WriteNodeGypBin puts the node-gyp wrapper into dir, making dir if needed.
// Files that are right already are left alone, so it costs two reads.
func WriteNodeGypBin(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("node-gyp wrapper: making folder: %w", err)
	}
	for name, content := range map[string]string{"node-gyp": nodeGypSh, "node-gyp.cmd": nodeGypCmd} {
		file := filepath.Join(dir, name)
		if old, err := regular.ReadFile(file); err == nil && string(old) == content {
			continue
		}
		tmp, err := os.CreateTemp(dir, "."+strings.TrimSuffix(name, ".cmd")+"-*")
		if err != nil {
			return fmt.Errorf("node-gyp wrapper: %w", err)
		}
		_, err = tmp.WriteString(content)
		if err == nil {
			err = tmp.Chmod(0o755)
		}
		if cerr := tmp.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = os.Rename(tmp.Name(), file)
		}
		if err != nil {
			_ = os.Remove(tmp.Name())
			return fmt.Errorf("node-gyp wrapper: writing %s: %w", name, err)
		}
	}
	return nil
}
