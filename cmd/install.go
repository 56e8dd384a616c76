package cmd

import "github.com/spf13/cobra"

// installKeys are what install and its relatives listen to.
var installKeys = []string{"save", "omit", "include"}

func newInstallCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "install [<package-spec> ...]", Short: "Install"}, installKeys, func(c *cobra.Command, args []string) error { return nil })
}
