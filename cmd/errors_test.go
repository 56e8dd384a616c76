package cmd

import (
	"errors"
	"io/fs"
	"net"
	"syscall"
	"testing"
)

func TestCalledAsNPMSystemErrorsHaveNodesNumbers(t *testing.T) {
	missing := &fs.PathError{Op: "open", Path: "package.json", Err: syscall.Errno(2)}
	for _, c := range []struct {
		name, heading string
		err           error
		want          int
	}{
		{"a missing file", "npm", missing, 254},
		{"one with words of ibid's own", "npm", &codedError{code: "ENOENT", text: "no package.json", cause: missing}, 254},
		{"for ibid it is an error like any other", "ibid", missing, 1},
		{"the network's have none with npm", "npm", &net.OpError{Op: "dial", Err: syscall.Errno(111)}, 1},
		{"what is no system's", "npm", errors.New("other"), 1},
		{"a script's own status", "npm", statusError(7), 7},
	} {
		if got := (&App{heading: c.heading}).status(c.err); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
