// Command ibidx runs a command of a package, installed or not, as npx does.
package main

import (
	"os"

	"github.com/ibid-pm/ibid/cmd"
)

func main() { os.Exit(cmd.MainX(cmd.System())) }
