package cmd

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/manifest"
)

// npmCommands are npm's own, for what ibid does not have and for words cut short.
var npmCommands = [...]string{
	"access", "approve-scripts", "audit", "bugs", "cache", "ci", "completion", "config", "dedupe", "deny-scripts", "deprecate",
	"diff", "dist-tag", "docs", "doctor", "edit", "exec", "explain", "explore", "find-dupes", "fund", "get", "help", "help-search",
	"init", "install", "install-ci-test", "install-scripts", "install-test", "link", "ll", "login", "logout", "ls", "org",
	"outdated", "owner", "pack", "patch", "ping", "pkg", "prefix", "profile", "prune", "publish", "query", "rebuild", "repo",
	"restart", "root", "run", "sbom", "search", "set", "stage", "start", "stop", "team", "test", "token", "trust", "undeprecate",
	"uninstall", "unpublish", "update", "version", "view", "whoami",
}

// npmAliases are npm's other names of commands, as pairs (npm:
// lib/utils/cmd-list.js).
var npmAliases = [...][2]string{
	{"author", "owner"}, {"home", "docs"}, {"issues", "bugs"}, {"info", "view"}, {"show", "view"}, {"find", "search"}, {"add", "install"},
	{"unlink", "uninstall"}, {"remove", "uninstall"}, {"rm", "uninstall"}, {"r", "uninstall"}, {"un", "uninstall"}, {"rb", "rebuild"},
	{"list", "ls"}, {"ln", "link"}, {"create", "init"}, {"i", "install"}, {"it", "install-test"}, {"cit", "install-ci-test"},
	{"u", "update"}, {"up", "update"}, {"c", "config"}, {"s", "search"}, {"se", "search"}, {"tst", "test"}, {"t", "test"},
	{"ddp", "dedupe"}, {"v", "view"}, {"run-script", "run"}, {"clean-install", "ci"}, {"clean-install-test", "install-ci-test"},
	{"x", "exec"}, {"why", "explain"}, {"la", "ll"}, {"verison", "version"}, {"ic", "ci"}, {"innit", "init"}, {"in", "install"},
	{"ins", "install"}, {"inst", "install"}, {"insta", "install"}, {"instal", "install"}, {"isnt", "install"}, {"isnta", "install"},
	{"isntal", "install"}, {"isntall", "install"}, {"install-clean", "ci"}, {"isntall-clean", "ci"}, {"hlep", "help"},
	{"dist-tags", "dist-tag"}, {"upgrade", "update"}, {"udpate", "update"}, {"rum", "run"}, {"sit", "install-ci-test"},
	{"urn", "run"}, {"ogr", "org"},
}

// npmCommand gives the command of npm's that word stands for: its name, an
// alias, the name in camelCase, or the beginning of just one of all these.
func npmCommand(word string) string {
	var b strings.Builder
	for _, r := range word {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	word = b.String()
	if slices.Contains(npmCommands[:], word) {
		return word
	}
	if name := npmAlias(word); name != "" {
		return name
	}
	if word == "" {
		return ""
	}
	found := ""
	all := slices.Clone(npmCommands[:])
	for _, pair := range npmAliases {
		all = append(all, pair[0])
	}
	for _, name := range all {
		if strings.HasPrefix(name, word) {
			if found != "" {
				return ""
			}
			found = name
		}
	}
	if name := npmAlias(found); name != "" {
		return name
	}
	return found
}

func npmAlias(word string) string {
	for _, pair := range npmAliases {
		if pair[0] == word {
			return pair[1]
		}
	}
	return ""
}

// fallbackVariable lists the programs that ibid has handed over to. Should one of
// them start ibid again, as a script in place of npm may do, that tries the next,
// and does not go round in a circle.
const fallbackVariable = "IBID_FALLBACK"

// fallback has the real npm on PATH do what ibid cannot do yet, and says so.
func (a *App) fallback(name string) error {
	missing := func(why string) error {
		return &codedError{code: "ENOTSUP", text: name + ": ibid does not have this command yet, " + why,
			hints: []string{"with npm on PATH ibid leaves it to npm"}}
	}
	tried := filepath.SplitList(a.Config.Getenv(fallbackVariable))
	npm := a.realNPM(tried)
	switch {
	case npm == "" && len(tried) > 0:
		return missing("and the npm on PATH is ibid")
	case npm == "":
		return missing("and there is no npm on PATH")
	}
	a.log(levelNotice, name+": ibid does not have this command yet; "+npm+" does it")
	list := strings.Join(append(tried, npm), string(os.PathListSeparator))
	return runInstead(npm, a.Argv[1:], append(slices.Clone(a.Environ), fallbackVariable+"="+list), a.Cwd)
}

// realNPM finds the first npm on PATH that is not ibid, and none of those that
// were tried.
func (a *App) realNPM(tried []string) string {
	var self os.FileInfo
	if path, err := os.Executable(); err == nil {
		self, _ = os.Stat(path)
	}
	names := []string{"npm"}
	if runtime.GOOS == "windows" {
		names = []string{"npm.cmd", "npm.exe", "npm.bat"}
	}
	for _, dir := range filepath.SplitList(a.Config.Getenv("PATH")) {
		if !filepath.IsAbs(dir) {
			continue // what lies in the working directory is a stranger's
		}
		for _, name := range names {
			path := filepath.Join(dir, name)
			st, err := os.Stat(path)
			if err != nil || st.IsDir() || (runtime.GOOS != "windows" && st.Mode()&0o111 == 0) {
				continue
			}
			if self != nil && (os.SameFile(self, st) || st.Size() == self.Size()) {
				continue // ibid, linked or copied
			}
			if slices.Contains(tried, path) {
				continue
			}
			return path
		}
	}
	return ""
}

// ownManifest is the project's manifest, nil where there is none that parses.
func (a *App) ownManifest() *manifest.Manifest {
	m, err := manifest.ReadDir(a.Config.LocalPrefix())
	if err != nil {
		return nil
	}
	return m
}
