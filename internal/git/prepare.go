package git

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/manifest"
)

// NoPrepare is the variable that lists what is being prepared, one resolved
// URL a line, so that repositories that need each other don't clone each other
// for ever.
const NoPrepare = "_PACOTE_NO_PREPARE_"

// NeedsPrepare says whether a clone's dependencies have to be installed before
// it can be packed: it has workspaces, or a script that could build it (pacote
// lib/git.js, #prepareDir). With ignore-scripts nothing is prepared.
func NeedsPrepare(scripts manifest.Deps, hasWorkspaces bool) bool {
	return hasWorkspaces || slices.ContainsFunc(scripts, func(s manifest.Dep) bool {
		switch s.Name {
		case "postinstall", "build", "preinstall", "install", "prepack", "prepare":
			return s.Spec != ""
		}
		return false
	})
}

// PrepareOptions are the settings that an install in a clone shares with the
// install that it is done for.
type PrepareOptions struct {
	Cache                                string // the setting cache
	PreferOffline, PreferOnline, Offline bool
	Before                               time.Time // zero is no limit
}

// PrepareArgs is the command line, without the program, that installs a
// clone's dependencies, to be run in it with PrepareEnv's environment (pacote
// lib/fetcher.js, npmInstallCmd and npmCliConfig).
func PrepareArgs(o PrepareOptions) []string {
	args := []string{
		"install", "--force",
		"--cache=" + o.Cache,
		"--prefer-offline=" + strconv.FormatBool(o.PreferOffline),
		"--prefer-online=" + strconv.FormatBool(o.PreferOnline),
		"--offline=" + strconv.FormatBool(o.Offline),
	}
	if !o.Before.IsZero() {
		args = append(args, "--before="+o.Before.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return append(args,
		"--no-progress", "--no-save", "--no-audit",
		// Whatever is omitted outside, building needs it.
		"--include=dev", "--include=peer", "--include=optional",
		"--no-package-lock-only", "--no-dry-run",
		// An npm_config_global from outside must not make it install elsewhere.
		"--global=false",
	)
}

// PrepareEnv adds resolved to the list of what is being prepared. It says
// false when it is on it already, and nothing is to be prepared.
func PrepareEnv(environ []string, resolved string) ([]string, bool) {
	var list []string
	env := make([]string, 0, len(environ)+1)
	for _, line := range environ {
		if value, ok := strings.CutPrefix(line, NoPrepare+"="); ok {
			list = nil
			if value != "" {
				list = strings.Split(value, "\n")
			}
			continue
		}
		env = append(env, line)
	}
	if slices.Contains(list, resolved) {
		return environ, false
	}
	return append(env, NoPrepare+"="+strings.Join(append(list, resolved), "\n")), true
}

// packageDir gives the folder of the package inside a working folder: dir
// itself, or for "#path:sub" the sub folder, which must be inside.
func packageDir(dir, subdir string) (string, error) {
	if subdir == "" {
		return dir, nil
	}
	refuse := func(why string) (string, error) {
		return "", &UnsafeError{What: "path", Text: subdir, Why: why}
	}
	sub := filepath.FromSlash(strings.TrimLeft(subdir, "/"))
	if sub == "" {
		return dir, nil
	}
	if !filepath.IsLocal(sub) {
		return refuse("it leaves the repository")
	}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(filepath.Join(root, sub))
	if err != nil {
		return "", err
	}
	if real != root && !strings.HasPrefix(real, root+string(filepath.Separator)) {
		return refuse("it leaves the repository by a link")
	}
	return real, nil
}
