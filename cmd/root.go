package cmd

import (
	"fmt"
	"runtime/debug"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
)

// version is set by the linker when a release is built.
var version = ""

func versionText(*App) string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "0.0.0-dev"
}

func newRootCmd(a *App) *cobra.Command {
	root := &cobra.Command{
		Use:                "ibid <command>",
		Short:              "npm itself, only fast and safe",
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableFlagParsing: true,
		CompletionOptions:  cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.RunE = func(c *cobra.Command, args []string) error { return runHelp(a, root, args) }
	root.AddCommand(
		newInstallCmd(a),
		newCiCmd(a),
		newUninstallCmd(a),
		newUpdateCmd(a),
		newDedupeCmd(a),
		newPruneCmd(a),
		newCacheCmd(a),
		newHelpCmd(a, root),
	)
	return root
}

// declare completes a command: what it is called with, which keys of the
// configuration it listens to, and what it does.
func declare(c *cobra.Command, keys []string, run func(c *cobra.Command, args []string) error) *cobra.Command {
	c.DisableFlagParsing = true
	c.SilenceErrors = true
	c.SilenceUsage = true
	c.RunE = run
	c.SetHelpFunc(func(c *cobra.Command, _ []string) { printHelp(c, keys) })
	return c
}

func printHelp(c *cobra.Command, keys []string) {
	w := c.OutOrStdout()
	fmt.Fprintf(w, "%s\n\nUsage:\n", c.Short)
	for line := range strings.SplitSeq(c.Use, "\n") {
		fmt.Fprintf(w, "  ibid %s\n", line)
	}
	if c.Long != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.Long))
	}
	if len(keys) > 0 {
		fmt.Fprint(w, "\nOptions:\n")
		for _, k := range keys {
			d := config.Lookup(k)
			if d == nil {
				continue
			}
			flag, description, _, _ := d.Help()
			fmt.Fprintf(w, "  %s\n      %s\n", flag, description)
		}
	}
	if len(c.Aliases) > 0 {
		noun := "aliases"
		if len(c.Aliases) == 1 {
			noun = "alias"
		}
		fmt.Fprintf(w, "\n%s: %s\n", noun, strings.Join(c.Aliases, ", "))
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
}

// find gives the command that the words name and the words behind its name.
func find(root *cobra.Command, words []string) (*cobra.Command, []string) {
	if len(words) == 0 {
		return root, nil
	}
	c := child(root, words[0])
	if c == nil {
		return nil, nil
	}
	words = words[1:]
	for len(words) > 0 && c.HasSubCommands() {
		sub := child(c, words[0])
		if sub == nil {
			break
		}
		c, words = sub, words[1:]
	}
	return c, words
}

func child(c *cobra.Command, name string) *cobra.Command {
	for _, sub := range c.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

// canonical is the command's name as npm_command has it: "run", "cache".
func canonical(c *cobra.Command) string {
	for c.HasParent() && c.Parent().HasParent() {
		c = c.Parent()
	}
	return c.Name()
}

// unknownCommand says which commands were perhaps meant.
func (a *App) unknownCommand(root *cobra.Command, words []string) error {
	var near []string
	for _, s := range root.SuggestionsFor(words[0]) {
		near = append(near, a.heading+" "+s)
	}
	sort.Strings(near)
	hints := []string{a.heading + " help lists the commands"}
	if len(near) > 0 {
		hints = append([]string{"did you mean: " + strings.Join(near, ", ") + "?"}, hints...)
	}
	return &codedError{code: "EUNKNOWNCOMMAND", text: fmt.Sprintf("unknown command: %q", words[0]), hints: hints}
}

func newHelpCmd(a *App, root *cobra.Command) *cobra.Command {
	return declare(&cobra.Command{Use: "help [<command>]", Aliases: []string{"hlep"}, Short: "Show how ibid or one of its commands is used"},
		nil, func(c *cobra.Command, args []string) error { return runHelp(a, root, args) })
}

func runHelp(a *App, root *cobra.Command, args []string) error {
	if len(args) > 0 {
		c, _ := find(root, args)
		if c == nil {
			return a.unknownCommand(root, args)
		}
		c.SetOut(a.Stdout)
		return c.Help()
	}
	a.out("ibid <command>\n\nUsage:\n")
	for _, c := range root.Commands() {
		if !c.Hidden {
			a.out("  ibid %-14s %s", c.Name(), c.Short)
		}
	}
	a.out("\nibid help <command> tells more of one; every option of npm is taken anywhere on the line.")
	return nil
}

// validate checks the configuration for the command and says what is odd in it.
func (a *App) validate(c *cobra.Command) error {
	cfg := a.Config
	if canonical(c) != "config" {
		if err := cfg.CheckUnknown(); err != nil {
			return err
		}
		if err := cfg.Validate(); err != nil {
			return err
		}
	}
	for _, w := range cfg.Warnings() {
		a.logPrefixed(levelNamed(w.Level), w.Prefix, w.Text)
	}
	cfg.ClearWarnings()
	return nil
}
