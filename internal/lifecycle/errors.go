package lifecycle

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// ExitError says that a script ended otherwise than with status 0 (npm's
// "command failed").
type ExitError struct {
	PackageID string // "name@version", "" where the package has none
	Event     string // "postinstall"
	Script    string // the command as the package has it
	Shell     string // what was started: "sh"
	Args      []string
	Dir       string
	Status    int    // exit status; 0 when a signal ended the script
	Signal    string // "SIGTERM"; "" when it exited
	Number    int    // the signal's number

	// What the script printed, trimmed, where nobody else was given it. Long
	// output keeps its end.
	Stdout, Stderr string
}

func (e *ExitError) Error() string {
	var b strings.Builder
	if e.PackageID != "" {
		b.WriteString(e.PackageID)
		b.WriteString(": ")
	}
	if e.Event != "" {
		fmt.Fprintf(&b, "running %s script: ", e.Event)
	}
	if e.Signal != "" {
		b.WriteString("ended by " + e.Signal)
	} else {
		fmt.Fprintf(&b, "exit status %d", e.Status)
	}
	return b.String()
}

// Code gives what npm prints as the error's code: the exit status, or the
// signal's name.
func (e *ExitError) Code() string {
	if e.Signal != "" {
		return e.Signal
	}
	return strconv.Itoa(e.Status)
}

// ExitCode is the status a program should end with that was asked to run this
// script: the script's own, or as a shell has it, 128 and the signal's number.
func (e *ExitError) ExitCode() int {
	if e.Signal != "" {
		return 128 + e.Number
	}
	return e.Status
}

// StartError says that a script's shell could not be started.
type StartError struct {
	PackageID, Event, Shell string
	Configured              bool // Shell is what script-shell says
	Err                     error
}

func (e *StartError) Error() string {
	id := e.PackageID
	if id == "" {
		id = e.Event + " script"
	}
	return fmt.Sprintf("%s: starting %s for the %s script: %v", id, e.Shell, e.Event, e.Err)
}

func (e *StartError) Unwrap() error { return e.Err }

// Code gives the system error's name.
func (e *StartError) Code() string { return errnoName(e.Err) }

// Hints say what can be done about a shell that is not there or is none.
func (e *StartError) Hints() []string {
	switch e.Code() {
	case "ENOENT", "EACCES", "ENOEXEC", "ENOTDIR":
	default:
		return nil
	}
	if e.Configured {
		return []string{"script-shell names the shell of scripts: ibid config ls shows where it is set; without it they have " + newShellCommand("", "", "", nil, runtime.GOOS == "windows", nil).shell}
	}
	return []string{"scripts need a shell: put " + e.Shell + " on the PATH, or set script-shell to the path of one"}
}
