// Package first answers what can be answered before the rest of the program is
// ready. A program imports it for that effect.
//
// Go makes packages ready one by one before main runs, and what ibid is made of
// takes longer for that than many a run of it does: the tables of TLS, HTTP and
// Unicode, the regular expressions of a library. The order is fixed: of the
// packages whose imports are ready, the first by name. This one imports little,
// so its turn comes before theirs. That is the one reason for doing something in
// an init function; it must stay the only one in ibid that acts.
package first

import (
	"syscall"

	"github.com/ibid-pm/ibid/cmd/again"
	"github.com/ibid-pm/ibid/internal/version"
)

func init() {
	args := again.Args()
	if len(args) < 2 {
		return
	}
	if len(args) == 2 && (args[1] == "--version" || args[1] == "-v") {
		text := version.For(args[0]) + "\n"
		if n, err := syscall.Write(1, []byte(text)); n == len(text) && err == nil {
			syscall.Exit(0)
		}
		return
	}
	if call, ok := again.This(); ok && call.Try() {
		syscall.Exit(0)
	}
}
