package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/lifecycle"
)

func newEditCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "edit <package>[/<package> ...]", Short: "Open an installed package's folder in an editor, and rebuild the package",
	}, []string{"editor"}, func(c *cobra.Command, args []string) error { return runEdit(c.Context(), a, args) })
}

func runEdit(ctx context.Context, a *App, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return &usageError{text: "Which package is to be edited?", usage: "ibid edit <package>[/<package> ...]"}
	}
	dir := filepath.Join(a.modulesDir(), packagePath(args[0]))
	if _, err := os.Lstat(dir); err != nil {
		return err
	}
	// The editor is a word or several, as in "code --wait"; the folder is one.
	words := strings.Fields(a.Config.String("editor"))
	if len(words) == 0 {
		return &usageError{text: "No editor is configured.", usage: "ibid config set editor <program>"}
	}
	s := script{dir: a.Config.Cwd(), event: "edit", command: strings.Join(words, " "), args: []string{dir}, quiet: true}
	err := a.runner().run(ctx, s)
	var exit *lifecycle.ExitError
	if errors.As(err, &exit) {
		return &codedError{text: fmt.Sprintf("editor process exited with code: %d", exit.ExitCode())}
	}
	if err != nil {
		return err
	}
	return runRebuild(ctx, a, []string{dir})
}

// packagePath turns "a/@s/b/c" into the path below node_modules of c in @s/b in
// a. Dots lead nowhere.
func packagePath(arg string) string {
	var names []string
	for _, part := range strings.Split(filepath.ToSlash(filepath.Join("/", arg))[1:], "/") {
		if n := len(names); n > 0 && strings.HasPrefix(names[n-1], "@") && !strings.Contains(names[n-1], "/") {
			names[n-1] += "/" + part
			continue
		}
		if part != "node_modules" {
			names = append(names, part)
		}
	}
	return filepath.FromSlash(strings.Join(names, "/node_modules/"))
}
