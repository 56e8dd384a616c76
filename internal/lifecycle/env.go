package lifecycle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// environment is a child's environment with the order of a JavaScript object:
// a variable set twice keeps its first place and its last value.
type environment struct {
	keys []string
	vals map[string]string
}

func newEnvironment(size int) *environment {
	return &environment{keys: make([]string, 0, size), vals: make(map[string]string, size)}
}

// add takes "KEY=value" lines. Windows keeps hidden ones that start with "=".
func (e *environment) add(lines []string) {
	for _, line := range lines {
		if i := strings.IndexByte(line, '='); i > 0 {
			e.set(line[:i], line[i+1:])
		}
	}
}

func (e *environment) set(key, value string) {
	if _, there := e.vals[key]; !there {
		e.keys = append(e.keys, key)
	}
	e.vals[key] = value
}

// get finds key in any case, as PATH and ComSpec are looked up on Windows.
func (e *environment) get(key string) string {
	if v, ok := e.vals[key]; ok {
		return v
	}
	for _, k := range e.keys {
		if strings.EqualFold(k, key) {
			return e.vals[k]
		}
	}
	return ""
}

func (e *environment) lines() []string {
	lines := make([]string, 0, len(e.keys))
	for _, k := range e.keys {
		// A NUL would end the variable early, and exec refuses it.
		lines = append(lines, k+"="+strings.ReplaceAll(e.vals[k], "\x00", ""))
	}
	return lines
}

// searchPath puts the folders of a script's own programs before those of the
// PATH (run-script lib/set-path.js): binPaths, node_modules/.bin of dir and of
// every folder above it, the folder of the node-gyp wrapper. Windows may have
// both Path and PATH; they are merged and all get the result. Where no PATH is
// set at all npm sets none either.
func (e *environment) searchPath(dir string, binPaths []string, nodeGypDir string) {
	var path, all []string
	for _, k := range e.keys {
		if strings.EqualFold(k, "path") && e.vals[k] != "" {
			seen := path
			for _, p := range strings.Split(e.vals[k], string(os.PathListSeparator)) {
				if !slices.Contains(seen, p) {
					path = append(path, p)
				}
			}
		}
	}
	all = append(all, binPaths...)
	for p := dir; ; {
		all = append(all, filepath.Join(p, "node_modules", ".bin"))
		up := filepath.Dir(p)
		if up == p {
			break
		}
		p = up
	}
	if nodeGypDir != "" {
		all = append(all, nodeGypDir)
	}
	all = append(all, strings.Join(path, string(os.PathListSeparator)))
	value := strings.Join(all, string(os.PathListSeparator))
	for _, k := range e.keys {
		if strings.EqualFold(k, "path") {
			e.vals[k] = value
		}
	}
}

// credentialVariable says whether key is how a credential of the configuration
// would look as a variable: npm_config__auth, npm_config_//host/:_authToken.
// npm never exports those (@npmcli/config lib/set-envs.js, envKey), and no
// caller's slip shall.
func credentialVariable(key string) bool {
	const prefix = "npm_config_"
	if len(key) <= len(prefix) || !strings.EqualFold(key[:len(prefix)], prefix) {
		return false
	}
	switch key[len(prefix)] {
	case '_', '/', '@':
		return true
	}
	return false
}
