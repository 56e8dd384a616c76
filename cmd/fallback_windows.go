package cmd

import (
	"context"
	"errors"
	"os"

	"github.com/ibid-pm/ibid/internal/lifecycle"
)

// runInstead runs the program with this process's streams and ends with its
// status.
func runInstead(program string, args, environ []string, dir string) error {
	err := lifecycle.Run(context.Background(), lifecycle.Options{
		Dir: dir, Event: "npm", Command: lifecycle.QuoteCmd(program, false), Args: args, Environ: environ,
		Foreground: true, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	})
	var exit *lifecycle.ExitError
	if errors.As(err, &exit) {
		return statusError(exit.ExitCode())
	}
	return err
}
