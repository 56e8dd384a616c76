package lifecycle

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
)

// ErrNoOpener says that there is no program here that shows addresses.
var ErrNoOpener = errors.New("there is no program that opens addresses")

// Open shows an address, https://…, in the person's browser (promise-spawn
// lib/index.js, open). command is what they have configured, words for a shell;
// "" is the system's way. environ is the environment to start it in.
//
// It waits until the program has ended, which most do at once, having handed the
// address to a browser; when ctx ends it leaves the program to itself.
func Open(ctx context.Context, address, command string, environ []string) error {
	env := newEnvironment(len(environ))
	env.add(environ)
	find := func(name string) string { return lookPath(name, env.get("PATH"), env.get("PATHEXT")) }
	var c *exec.Cmd
	switch {
	case command != "":
		sh := newShellCommand("", env.get("ComSpec"), command, []string{address}, runtime.GOOS == "windows", find)
		program := find(sh.shell)
		if program == "" {
			program = fallbackShell(sh.shell)
		}
		c = sh.cmd(program)
	case runtime.GOOS == "windows":
		// Without a shell, which would read the address as its own language.
		c = &exec.Cmd{Path: find("rundll32.exe"), Args: []string{"rundll32", "url.dll,FileProtocolHandler", address}}
	case runtime.GOOS == "darwin":
		c = &exec.Cmd{Path: "/usr/bin/open", Args: []string{"open", address}}
	default:
		c = &exec.Cmd{Path: find("xdg-open"), Args: []string{"xdg-open", address}}
	}
	if c.Path == "" {
		return ErrNoOpener
	}
	c.Env = env.lines()
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 127 {
			return ErrNoOpener // what a shell says of a program that it does not find
		}
		return err
	case <-ctx.Done():
		return nil
	}
}
