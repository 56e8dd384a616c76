// A junction is a link to us, as it is to node.
//go:debug winsymlink=0

// Command ibid installs and publishes npm packages.
package main

import (
	"os"

	"github.com/ibid-pm/ibid/cmd"
	_ "github.com/ibid-pm/ibid/cmd/first"
)

func main() { os.Exit(cmd.Main(cmd.System())) }
