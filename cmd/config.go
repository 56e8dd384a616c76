package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
)

func newConfigCmd(a *App) *cobra.Command {
	var c *cobra.Command
	c = declare(&cobra.Command{
		Use: "config set <key>=<value> [<key>=<value> ...]\nconfig get [<key> [<key> ...]]\nconfig delete <key> [<key> ...]\n" +
			"config list [--json]\nconfig edit\nconfig fix",
		Aliases: []string{"c"},
		Short:   "Read and change the settings in .npmrc files",
		Example: "  ibid config set save-exact=true --location=project\n  ibid config get registry\n  ibid config ls -l",
	}, []string{"json", "global", "editor", "location", "long"},
		func(_ *cobra.Command, args []string) error { return runConfig(c.Context(), a, c, args) })
	return c
}

func newConfigGetCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "get [<key> ...]", Short: "Print settings, as \"config get\" does"}, []string{"long"},
		func(_ *cobra.Command, args []string) error { return a.configGet(args) })
}

func newConfigSetCmd(a *App) *cobra.Command {
	var c *cobra.Command
	c = declare(&cobra.Command{Use: "set <key>=<value> [<key>=<value> ...]", Short: "Change settings, as \"config set\" does"},
		[]string{"global", "location"},
		func(_ *cobra.Command, args []string) error { return a.configSet(c, args) })
	return c
}

func runConfig(ctx context.Context, a *App, c *cobra.Command, args []string) error {
	action := ""
	if len(args) > 0 {
		action, args = args[0], args[1:]
	}
	switch action {
	case "set":
		return a.configSet(c, args)
	case "get":
		return a.configGet(args)
	case "delete", "rm", "del":
		if len(args) == 0 {
			return a.usage(c, "")
		}
		where := a.Config.Location()
		return a.inTurn(ctx, where, func() error { return a.Config.Remove(where, args) })
	case "list", "ls":
		return a.configList()
	case "edit":
		return a.configEdit(ctx)
	case "fix":
		return a.configFix(ctx)
	}
	return a.usage(c, "")
}

func (a *App) configSet(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return a.usage(c, "")
	}
	where := a.Config.Location()
	err := a.inTurn(c.Context(), where, func() error { return a.Config.Change(where, config.ParseSettings(args)) })
	a.tellWarnings()
	return err
}

// tellWarnings logs what the configuration has to say by now.
func (a *App) tellWarnings() {
	for _, w := range a.Config.Warnings() {
		a.logPrefixed(levelNamed(w.Level), w.Prefix, a.ownHelp(w.Text))
	}
	a.Config.ClearWarnings()
}

// saveConfig saves a layer of the configuration.
func (a *App) saveConfig(ctx context.Context, layer config.Layer) error {
	return a.inTurn(ctx, layer, func() error { return a.Config.Save(layer) })
}

// inTurn does what saves a layer while no other ibid saves the same file: of two at
// once the later keeps what the earlier has changed.
func (a *App) inTurn(ctx context.Context, layer config.Layer, save func() error) error {
	done, err := a.turn(ctx, a.Config.Source(layer))
	if err != nil {
		return err
	}
	defer done()
	return save()
}

func (a *App) configGet(keys []string) error {
	if len(keys) == 0 {
		return a.configList()
	}
	lines := make([]string, 0, len(keys))
	for _, key := range keys {
		value, err := a.Config.Show(key)
		if err != nil {
			return err
		}
		if len(keys) > 1 {
			value = key + "=" + value
		}
		lines = append(lines, value)
	}
	a.out("%s", strings.Join(lines, "\n"))
	return nil
}

func (a *App) configList() error {
	cfg := a.Config
	if a.json() {
		a.printJSONText(cfg.ListJSON())
		return nil
	}
	var b strings.Builder
	if text := cfg.ListText(cfg.Bool("long")); text != "" {
		b.WriteString(text + "\n\n")
	}
	if !cfg.Bool("long") {
		a.writeSurroundings(&b)
	}
	a.writePublishConfig(&b)
	a.out("%s", strings.TrimSpace(b.String()))
	return nil
}

// writeSurroundings lists what is no setting but decides like one.
func (a *App) writeSurroundings(b *strings.Builder) {
	cfg := a.Config
	var found []string
	seen := map[string]bool{}
	for _, line := range a.Environ {
		key, value, _ := strings.Cut(line, "=")
		lower := strings.ToLower(key)
		switch lower {
		case "proxy", "http_proxy", "https_proxy", "no_proxy":
			if !seen[lower] {
				seen[lower] = true
				found = append(found, "; "+key+" = "+config.NewString(config.Redact(value)).JSON())
			}
		}
	}
	if len(found) > 0 {
		b.WriteString("; environment-related config\n\n" + strings.Join(found, "\n") + "\n\n")
	}
	version := a.nodeVersion()
	if version != "" {
		version = "v" + version
	}
	fmt.Fprintf(b, "; node bin location = %s\n; node version = %s\n; npm local prefix = %s\n; npm version = %s\n",
		cfg.NodePath(), version, cfg.LocalPrefix(), compatible)
	if a.heading != "npm" {
		fmt.Fprintf(b, "; ibid version = %s\n", a.version())
	}
	fmt.Fprintf(b, "; cwd = %s\n; HOME = %s\n; Run `%s config ls -l` to show all defaults.\n\n", cfg.Cwd(), cfg.Home(), a.heading)
}

// writePublishConfig lists the settings that package.json has for publishing.
func (a *App) writePublishConfig(b *strings.Builder) {
	if a.Config.Global() {
		return
	}
	path := filepath.Join(a.Config.Prefix(), "package.json")
	f, err := manifest.ReadFile(path)
	if err != nil {
		return
	}
	settings := f.Get("publishConfig")
	if !settings.IsObject() {
		return
	}
	fmt.Fprintf(b, "; \"publishConfig\" from %s\n; This set of config values will be used at publish-time.\n\n", path)
	members := slices.Clone(settings.Members())
	slices.SortStableFunc(members, func(x, y jsjson.Member) int { return collate.Compare(x.Key, y.Key) })
	for _, m := range members {
		line := m.Key + " = (protected)"
		if !config.IsProtected(m.Key) {
			value := m.Value
			if value.IsString() {
				value = jsjson.NewString(config.Redact(value.Str()))
			}
			line = m.Key + " = " + string(jsjson.Append(nil, value, "", ""))
		}
		b.WriteString(line + "\n")
	}
	b.WriteByte('\n')
}

// configEdit opens the file of the location in the editor, its lines in order
// and with every default as a comment. The next change removes the comments.
func (a *App) configEdit(ctx context.Context) error {
	cfg := a.Config
	where := cfg.Location()
	if err := a.saveConfig(ctx, where); err != nil {
		return err
	}
	current, err := os.ReadFile(cfg.Source(where))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, text := cfg.EditText(where, strings.ReplaceAll(string(current), "\r\n", "\n"))
	if err := cfg.WriteText(where, text); err != nil {
		return err
	}
	words := strings.Fields(cfg.String("editor"))
	if len(words) == 0 {
		return errors.New("no editor is set: ibid config set editor=<program>")
	}
	err = lifecycle.Run(ctx, lifecycle.Options{
		Dir: cfg.Cwd(), Event: "edit", Command: shellWord(words[0]), Args: append(words[1:], file), Environ: a.Environ,
		Foreground: true, Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr,
	})
	var exit *lifecycle.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("editor process exited with code: %d", exit.ExitCode())
	}
	return err
}

// shellWord writes a program's name for the shell that starts it.
func shellWord(program string) string {
	if runtime.GOOS == "windows" {
		return lifecycle.QuoteCmd(program, false)
	}
	return lifecycle.QuoteSh(program)
}

// configFix repairs credentials that belong to no host, in the location that
// was named or in all files.
func (a *App) configFix(ctx context.Context) error {
	cfg := a.Config
	err := cfg.Validate()
	var invalid *config.InvalidAuthError
	if !errors.As(err, &invalid) {
		return err
	}
	problems := invalid.Problems
	if !cfg.IsDefault("location") {
		problems = slices.DeleteFunc(slices.Clone(problems), func(p config.AuthProblem) bool { return p.Layer != cfg.Location() })
	}
	cfg.Repair(problems)
	a.out("The following configuration problems have been repaired:\n")
	touched := map[config.Layer]bool{}
	var lines []string
	for _, p := range problems {
		touched[p.Layer] = true
		if p.Rename != "" {
			lines = append(lines, fmt.Sprintf("~ `%s` renamed to `%s` in %s config", p.Key, p.Rename, p.Layer))
		} else {
			lines = append(lines, fmt.Sprintf("- `%s` deleted from %s config", p.Key, p.Layer))
		}
	}
	a.out("%s", strings.Join(lines, "\n"))
	for layer := range touched {
		if err := a.saveConfig(ctx, layer); err != nil {
			return err
		}
	}
	return nil
}
