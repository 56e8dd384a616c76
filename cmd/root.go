package cmd

import (
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newRootCmd(a *App) *cobra.Command {
	root := &cobra.Command{
		Use:                "ibid <command>",
		Short:              "npm itself, only fast and safe",
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableFlagParsing: true,
		CompletionOptions:  cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.RunE = func(*cobra.Command, []string) error { return runRoot(a, root) }
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if c == root {
			a.listCommands(root)
		} else {
			io.WriteString(a.Stdout, a.helpOf(c, false))
		}
	})
	root.AddCommand(
		newInstallCmd(a),
		newCiCmd(a),
		newUninstallCmd(a),
		newUpdateCmd(a),
		newDedupeCmd(a),
		newPruneCmd(a),
		newCacheCmd(a),
		newPkgCmd(a),
		newLinkCmd(a),
		newVersionCmd(a),
		newPackCmd(a),
		newConfigCmd(a), newConfigGetCmd(a), newConfigSetCmd(a),
		newCompletionCmd(a, root),
		newHelpCmd(a, root), newHelpSearchCmd(a, root),
	)
	root.AddCommand(newGoneCmds(a, root)...)
	root.AddCommand(newScriptCmds(a)...)
	root.AddCommand(newLookCmds(a)...)
	root.AddCommand(newPublishingCmds(a)...)
	return root
}

// declare completes a command: what it is called with, which keys of the
// configuration it listens to, and what it does.
func declare(c *cobra.Command, keys []string, run func(c *cobra.Command, args []string) error) *cobra.Command {
	c.DisableFlagParsing = true
	c.SilenceErrors = true
	c.SilenceUsage = true
	c.RunE = run
	if len(keys) > 0 {
		if c.Annotations == nil {
			c.Annotations = map[string]string{}
		}
		c.Annotations[keysAnnotation] = strings.Join(keys, " ")
	}
	return c
}

// find gives the command that the words name and the words behind its name.
func find(root *cobra.Command, words []string) (*cobra.Command, []string) {
	if len(words) == 0 {
		return root, nil
	}
	c := child(root, words[0])
	if c == nil {
		if c = child(root, npmCommand(words[0])); c == nil {
			return nil, nil
		}
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

// validate checks the configuration for the command and says what is odd in it.
func (a *App) validate(c *cobra.Command) error {
	cfg := a.Config
	_, own := c.Annotations[ownFlags]
	if canonical(c) != "config" {
		if !own {
			if err := cfg.CheckUnknown(); err != nil {
				return err
			}
		}
		if err := cfg.Validate(); err != nil {
			return err
		}
	}
	for _, w := range cfg.Warnings() {
		// A word behind a flag of the command's own is no mistake.
		if !own || w.Word == "" {
			a.logPrefixed(levelNamed(w.Level), w.Prefix, a.ownHelp(w.Text))
		}
	}
	cfg.ClearWarnings()
	return nil
}
