package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/term"
)

func newExploreCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "explore <package> [ -- <command>]", Short: "Run a command, or a shell, in an installed package's folder",
	}, []string{"shell"}, func(c *cobra.Command, args []string) error { return runExplore(c.Context(), a, args) })
}

func runExplore(ctx context.Context, a *App, args []string) error {
	usage := &usageError{text: "Which package is to be explored?", usage: "ibid explore <package> [ -- <command>]"}
	if len(args) == 0 || args[0] == "" {
		return usage
	}
	// A name with dots in it does not get out of node_modules.
	modules := a.modulesDir()
	dir := filepath.Join(modules, filepath.Join(string(filepath.Separator), args[0]))
	if dir == modules {
		return usage
	}
	file, err := manifest.ReadFile(filepath.Join(dir, "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return &codedError{code: "ENOENT", text: "It doesn't look like " + args[0] + " is installed.", detail: []string{"path " + filepath.Join(dir, "package.json")}, cause: err}
	}
	if err != nil {
		return err
	}
	s := script{dir: dir, event: "_explore", command: strings.TrimSpace(strings.Join(args[1:], " ")), pkg: packageOf(file)}
	interactive := s.command == ""
	if interactive {
		s.command = a.shellProgram()
		a.out("\nExploring %s\nType 'exit' or ^D when finished\n", term.SafeLine(dir))
	}
	err = a.runner().run(ctx, s)
	var exit *lifecycle.ExitError
	if interactive && errors.As(err, &exit) {
		return statusError(max(exit.ExitCode(), 1))
	}
	return err
}

// modulesDir is the node_modules that the command works on.
func (a *App) modulesDir() string {
	if a.Config.Global() {
		return a.Config.GlobalDir()
	}
	return filepath.Join(a.Config.LocalPrefix(), "node_modules")
}

// shellProgram is the shell that people type into.
func (a *App) shellProgram() string {
	if shell := a.Config.String("shell"); shell != "" {
		return shell
	}
	if runtime.GOOS == "windows" {
		return os.Getenv("ComSpec")
	}
	return "sh"
}
