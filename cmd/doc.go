// Package cmd is the command line: it reads what was asked for, has the stages
// do it in the order that a person would tell, and prints the result. It is the
// one place that prints, exits and reads the environment.
//
// A command is a file: newXCmd only declares it, runX only does it. Flags are
// not declared by commands: all of them, everywhere on the line, come from the
// table in internal/config, and a command only names those it listens to.
package cmd
