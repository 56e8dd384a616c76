// A junction is a link to us, as it is to node.
//go:debug winsymlink=0

// Command ibidx runs a command of a package, installed or not, as npx does.
package main

import (
	"os"

	"github.com/ibid-pm/ibid/cmd"
	_ "github.com/ibid-pm/ibid/cmd/first"
)

func main() { os.Exit(cmd.MainX(cmd.System())) }
