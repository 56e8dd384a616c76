package cmd

import (
	"bytes"
	"context"

	"github.com/spf13/cobra"
)

// newInstallTestCmds are an install and the project's tests behind it.
func newInstallTestCmds(a *App) []*cobra.Command {
	return []*cobra.Command{
		declare(&cobra.Command{
			Use: "install-test [<package-spec> ...]", Aliases: []string{"it"}, Short: "Install, and run the tests",
		}, installKeys, func(c *cobra.Command, args []string) error {
			return a.thenTest(c.Context(), func(ctx context.Context) error {
				a.Command = "install"
				return runInstall(ctx, a, args)
			})
		}),
		declare(&cobra.Command{
			Use: "install-ci-test", Aliases: []string{"cit", "clean-install-test", "sit"}, Short: "Install what the lock says, and run the tests",
		}, ciKeys, func(c *cobra.Command, _ []string) error {
			return a.thenTest(c.Context(), func(ctx context.Context) error {
				a.Command = "ci"
				return runCi(ctx, a)
			})
		}),
	}
}

func (a *App) thenTest(ctx context.Context, install func(context.Context) error) error {
	if a.json() {
		// What the tests print comes first, as npm's JSON is always the last.
		var report bytes.Buffer
		stdout := a.Stdout
		a.Stdout = &report
		defer func() { stdout.Write(report.Bytes()) }()
		err := install(ctx)
		a.Stdout = stdout
		if err != nil {
			return err
		}
	} else if err := install(ctx); err != nil {
		return err
	}
	a.Command = "test"
	return a.runScripts(ctx, runOptions{event: "test", ifPresent: a.Config.Bool("if-present")})
}
