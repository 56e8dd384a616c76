package cmd

import (
	_ "embed"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/workspaces"
)

// The scripts that a shell loads. Each asks "completion" for the words that may
// follow, with COMP_CWORD, COMP_LINE and COMP_POINT in the environment.
var (
	//go:embed completion/ibid.sh
	completionSh string
	//go:embed completion/ibid.fish
	completionFish string
	//go:embed completion/ibid.ps1
	completionPowerShell string
)

func newCompletionCmd(a *App, root *cobra.Command) *cobra.Command {
	return declare(&cobra.Command{
		Use:   "completion [bash | zsh | fish | powershell]",
		Short: "Print a script that completes commands and options in a shell",
		Example: "  ibid completion bash >> ~/.bashrc\n  ibid completion zsh >> ~/.zshrc\n" +
			"  ibid completion fish > ~/.config/fish/completions/ibid.fish\n  ibid completion powershell >> $PROFILE",
		Annotations: map[string]string{ownFlags: "true"},
	}, nil, func(_ *cobra.Command, args []string) error { return runCompletion(a, root, args) })
}

func runCompletion(a *App, root *cobra.Command, args []string) error {
	get := a.Config.Getenv
	word, line, point := get("COMP_CWORD"), get("COMP_LINE"), get("COMP_POINT")
	if word != "" && line != "" && point != "" {
		if words, ok := a.Config.AfterDash(); ok {
			args = words
		}
		at, _ := strconv.Atoi(word)
		for _, answer := range a.complete(root, args, at) {
			a.out("%s", answer)
		}
		return nil
	}
	shell := ""
	if len(args) > 0 {
		shell = args[0]
	} else {
		shell = strings.TrimSuffix(filepath.Base(get("SHELL")), ".exe")
		if shell == "." && runtime.GOOS == "windows" {
			shell = "powershell"
		}
	}
	script := completionSh
	switch shell {
	case "fish":
		script = completionFish
	case "powershell", "pwsh":
		script = completionPowerShell
	case "bash", "zsh", "sh":
	default:
		if len(args) > 0 {
			return &usageError{text: shell + ": no shell that is known: bash, zsh, fish or powershell"}
		}
	}
	_, err := a.Stdout.Write([]byte(strings.ReplaceAll(script, "@name@", a.heading)))
	return err
}

// complete lists what the word at a place of a command line may become.
func (a *App) complete(root *cobra.Command, words []string, at int) []string {
	if at < 1 || len(words) == 0 {
		return nil
	}
	for len(words) <= at {
		words = append(words, "")
	}
	partial := words[at]
	var before, chosen []string
	var open *config.Definition // the option whose value comes next
	for _, w := range words[1:at] {
		d, value, given := optionOf(w)
		switch {
		case w == "--":
			return nil
		case open != nil:
			d, value, given, open = open, w, true, nil
		case d == nil && !strings.HasPrefix(w, "-"):
			before = append(before, w)
		case d != nil && !given:
			open = d
		}
		if given && d != nil && d.Key == "workspace" {
			chosen = append(chosen, value)
		}
	}
	var all []string
	d, _, given := optionOf(partial)
	switch {
	case open != nil:
		all = a.flagValues(open)
	case d != nil && given:
		flag, _, _ := strings.Cut(partial, "=")
		for _, v := range a.flagValues(d) {
			all = append(all, flag+"="+v)
		}
	case strings.HasPrefix(partial, "-"):
		all = completeFlags(root, before)
	case len(before) == 0:
		all = completeCommands(root, partial)
	default:
		all = a.completeArguments(root, before, chosen)
	}
	var out []string
	for _, w := range all {
		if strings.HasPrefix(w, partial) && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// completeCommands lists the commands; where aliases lead to the same one as all
// that fits, just that (npm: lib/commands/completion.js).
func completeCommands(root *cobra.Command, partial string) []string {
	var names, all []string
	for _, c := range commandList(root) {
		all = append(all, c.Name())
		fits := strings.HasPrefix(c.Name(), partial)
		for _, alias := range c.Aliases {
			fits = fits || strings.HasPrefix(alias, partial)
		}
		if fits {
			names = append(names, c.Name())
		}
	}
	if len(names) == 1 && strings.HasPrefix(names[0], partial) {
		return names
	}
	return all
}

// completeFlags lists the options of the command, or all where it has none.
func completeFlags(root *cobra.Command, before []string) []string {
	var keys, out []string
	if c, _ := find(root, before); c != nil && len(before) > 0 {
		keys = strings.Fields(c.Annotations[keysAnnotation])
		if c.Name() == "run" {
			for _, d := range runFlags() {
				out = append(out, "--"+d.Key)
			}
		}
	}
	if len(keys) == 0 {
		defs := config.Definitions()
		for i := range defs {
			keys = append(keys, defs[i].Key)
		}
	}
	for _, k := range keys {
		d := config.Lookup(k)
		if d == nil || d.Deprecated != "" {
			continue
		}
		out = append(out, "--"+k)
		if d.IsBoolean() {
			out = append(out, "--no-"+k)
		}
		for _, e := range d.Exclusive {
			out = append(out, "--"+e)
		}
	}
	return out
}

// optionOf gives the option that a word is if it has a value, and its value if
// that is in the word as well.
func optionOf(word string) (d *config.Definition, value string, given bool) {
	if !strings.HasPrefix(word, "-") {
		return nil, "", false
	}
	flag, value, given := strings.Cut(word, "=")
	if !strings.HasPrefix(flag, "--") {
		to := config.Shorthands()[flag[1:]]
		if len(to) != 1 {
			return nil, "", false
		}
		flag = to[0]
	}
	if d = config.Lookup(strings.TrimLeft(flag, "-")); d == nil || d.IsBoolean() {
		return nil, "", false
	}
	return d, value, given
}

// flagValues are the words that an option may have as its value.
func (a *App) flagValues(d *config.Definition) []string {
	if d.Key == "workspace" {
		return a.workspaceNames()
	}
	var out []string
	for _, t := range d.Types {
		if t.Kind == config.TypeLiteral {
			out = append(out, t.Literal)
		}
	}
	return out
}

// completeArguments lists what a command may be given.
// In workspaces that were chosen a script is one of theirs.
func (a *App) completeArguments(root *cobra.Command, before, chosen []string) []string {
	c, rest := find(root, before)
	if c == nil {
		return nil
	}
	var subs []string
	for _, s := range c.Commands() {
		subs = append(subs, s.Name())
	}
	if len(subs) > 0 && len(rest) == 0 {
		return subs
	}
	if words := actions[c.Name()]; len(words) > 0 && len(rest) == 0 {
		return words
	}
	switch c.Name() {
	case "run", "test", "start", "stop", "restart":
		if c.Name() == "run" && len(rest) == 0 {
			for _, m := range a.manifestsOf(chosen) {
				for _, s := range m.Scripts {
					subs = append(subs, s.Name)
				}
			}
		}
	case "uninstall", "update", "explain", "explore", "outdated", "rebuild":
		return a.dependencyNames()
	case "link":
		return packagesIn(a.Config.GlobalDir())
	case "pkg":
		if f, err := manifest.ReadFile(filepath.Join(a.Config.LocalPrefix(), "package.json")); err == nil {
			for _, m := range f.Content().Members() {
				subs = append(subs, m.Key)
			}
		}
	case "config", "get", "set":
		return configKeys()
	case "help":
		for _, x := range commandList(root) {
			subs = append(subs, x.Name())
		}
	case "exec":
		entries, _ := os.ReadDir(filepath.Join(a.Config.LocalPrefix(), "node_modules", ".bin"))
		for _, e := range entries {
			subs = append(subs, e.Name())
		}
	}
	return subs
}

// actions are the words that a command takes as its first.
var actions = map[string][]string{
	"access":     {"get", "grant", "list", "revoke", "set"},
	"audit":      {"fix", "signatures"},
	"completion": {"bash", "zsh", "fish", "powershell"},
	"config":     {"get", "set", "delete", "ls", "rm", "edit", "fix", "list"},
	"dist-tag":   {"add", "rm", "ls"},
	"doctor":     {"connection", "registry", "versions", "environment", "permissions", "cache"},
	"org":        {"set", "rm", "ls"},
	"owner":      {"add", "rm", "ls"},
	"pkg":        {"get", "set", "delete", "fix"},
	"profile":    {"enable-2fa", "disable-2fa", "get", "set"},
	"team":       {"create", "destroy", "add", "rm", "ls"},
	"token":      {"list", "revoke", "create"},
	"version":    {"major", "minor", "patch", "premajor", "preminor", "prepatch", "prerelease", "from-git"},
}

// projectWorkspaces are the project's, none where they cannot be read.
func (a *App) projectWorkspaces() []workspaces.Workspace {
	m := a.ownManifest()
	if m == nil {
		return nil
	}
	ws, err := workspaces.Map(a.Config.LocalPrefix(), m.Workspaces)
	if err != nil {
		return nil
	}
	return ws
}

func (a *App) workspaceNames() []string {
	var out []string
	for _, w := range a.projectWorkspaces() {
		out = append(out, w.Name)
	}
	return out
}

// manifestsOf gives the manifests of the chosen workspaces, or of the project
// where none were chosen.
func (a *App) manifestsOf(chosen []string) []*manifest.Manifest {
	if len(chosen) == 0 {
		if m := a.ownManifest(); m != nil {
			return []*manifest.Manifest{m}
		}
		return nil
	}
	selected, err := workspaces.Select(a.projectWorkspaces(), chosen, workspaces.SelectOptions{Root: a.Config.LocalPrefix(), Cwd: a.Config.Cwd()})
	if err != nil {
		return nil
	}
	var out []*manifest.Manifest
	for _, w := range selected {
		if m, err := manifest.ReadDir(w.Path); err == nil {
			out = append(out, m)
		}
	}
	return out
}

func configKeys() []string {
	var out []string
	defs := config.Definitions()
	for i := range defs {
		out = append(out, defs[i].Key)
	}
	return out
}

func (a *App) dependencyNames() []string {
	if a.Config.Global() {
		return packagesIn(a.Config.GlobalDir())
	}
	m := a.ownManifest()
	if m == nil {
		return nil
	}
	var out []string
	for _, deps := range []manifest.Deps{m.Dependencies, m.DevDependencies, m.OptionalDependencies, m.PeerDependencies} {
		for _, d := range deps {
			out = append(out, d.Name)
		}
	}
	return out
}

// packagesIn lists the packages in a node_modules folder, scopes looked into.
func packagesIn(dir string) []string {
	var out []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.ContainsRune("._-", rune(name[0])):
		case name[0] == '@':
			inner, _ := os.ReadDir(filepath.Join(dir, name))
			for _, x := range inner {
				out = append(out, name+"/"+x.Name())
			}
		default:
			out = append(out, name)
		}
	}
	return out
}
