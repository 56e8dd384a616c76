package cmd

import (
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
)

func newRootDirCmd(a *App) *cobra.Command {
	return placeCmd(a, "root", "Print where packages are installed", func() string {
		if a.Config.Global() {
			return a.Config.GlobalDir()
		}
		return filepath.Join(a.Config.LocalPrefix(), "node_modules")
	})
}

func newPrefixCmd(a *App) *cobra.Command {
	return placeCmd(a, "prefix", "Print the folder of the project", a.Config.Prefix)
}

// newBinCmd declares what npm had until version 9 and people still type.
func newBinCmd(a *App) *cobra.Command {
	return placeCmd(a, "bin", "Print where executables of packages are linked", func() string {
		switch {
		case !a.Config.Global():
			return filepath.Join(a.Config.LocalPrefix(), "node_modules", ".bin")
		case runtime.GOOS == "windows":
			return a.Config.GlobalPrefix()
		}
		return a.Config.GlobalBin()
	})
}

func placeCmd(a *App, name, short string, place func() string) *cobra.Command {
	return declare(&cobra.Command{Use: name, Short: short}, []string{"global"}, func(*cobra.Command, []string) error {
		a.out("%s", place())
		return nil
	})
}
