package cmd

import (
	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
)

func newFindDupesCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{Use: "find-dupes", Short: "Show what dedupe would change"}, findDupesKeys,
		func(c *cobra.Command, _ []string) error {
			a.Config.Set("dry-run", config.NewBool(true), config.CLI)
			return runDedupe(c.Context(), a)
		})
}
