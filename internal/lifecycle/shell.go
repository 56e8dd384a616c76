package lifecycle

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// shellCommand is what is started for one script.
type shellCommand struct {
	shell string   // as configured or the platform's: "sh", "C:\…\cmd.exe", "/bin/bash"
	args  []string // without the shell itself
	// verbatim means that args are joined by spaces as they are: cmd.exe reads
	// its command line itself, and quoting for it has been done.
	verbatim bool
}

// newShellCommand joins command and args for the shell (promise-spawn
// lib/index.js, spawnWithShell). An empty shell is the platform's. find
// resolves a program's name on the script's PATH, "" when there is none; it is
// only asked on cmd.exe.
func newShellCommand(shell, comSpec, command string, args []string, windows bool, find func(name string) string) shellCommand {
	if shell == "" {
		shell = "sh"
		if windows {
			if shell = comSpec; shell == "" {
				shell = "cmd.exe"
			}
		}
	}
	script := command
	if isCmdExe(shell) {
		if len(args) > 0 {
			first := firstWord(command)
			program := strings.ToLower(first)
			if found := find(first); found != "" {
				program = strings.ToLower(found)
			}
			double := strings.HasSuffix(program, ".cmd") || strings.HasSuffix(program, ".bat")
			for _, arg := range args {
				script += " " + QuoteCmd(arg, double)
			}
		}
		return shellCommand{shell: shell, args: []string{"/d", "/s", "/c", script}, verbatim: true}
	}
	for _, arg := range args {
		script += " " + QuoteSh(arg)
	}
	return shellCommand{shell: shell, args: []string{"-c", script}}
}

// cmd makes what starts program, which is the shell.
func (s shellCommand) cmd(program string) *exec.Cmd {
	c := &exec.Cmd{Path: program, Args: append([]string{s.shell}, s.args...)}
	if s.verbatim {
		setVerbatim(c, strings.Join(c.Args, " "))
	}
	return c
}

// isCmdExe matches "cmd" and "cmd.exe", alone or after a backslash, in any
// case.
func isCmdExe(shell string) bool {
	base := strings.ToLower(shell[strings.LastIndexByte(shell, '\\')+1:])
	return base == "cmd" || base == "cmd.exe"
}

// firstWord gives the text up to the first space outside quotes, quotes
// included.
func firstWord(command string) string {
	quoted := false
	for i := 0; i < len(command); i++ {
		switch command[i] {
		case ' ':
			if !quoted {
				return command[:i]
			}
		case '"', '\'':
			quoted = !quoted
		}
	}
	return command
}

// lookPath finds an executable on path, a PATH value. Relative folders on the
// PATH are passed over: what lies in the current folder was written by a
// stranger. A name with a slash is not looked up.
func lookPath(name, path, pathext string) string {
	if name == "" {
		return ""
	}
	if strings.ContainsRune(name, '/') || (runtime.GOOS == "windows" && strings.ContainsAny(name, `\:`)) {
		return executable(name, pathext)
	}
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found := executable(filepath.Join(dir, name), pathext); found != "" {
			return found
		}
	}
	return ""
}

// executable gives file, on Windows with the extension that makes it one, when
// it can be run; else "".
func executable(file, pathext string) string {
	if runtime.GOOS != "windows" {
		if st, err := os.Stat(file); err == nil && !st.IsDir() && st.Mode()&0o111 != 0 {
			return file
		}
		return ""
	}
	if pathext == "" {
		pathext = ".EXE;.CMD;.BAT;.COM"
	}
	extensions := strings.Split(pathext, ";")
	if strings.Contains(filepath.Base(file), ".") {
		extensions = append([]string{""}, extensions...)
	}
	for _, ext := range extensions {
		if st, err := os.Stat(file + ext); err == nil && !st.IsDir() {
			return file + ext
		}
	}
	return ""
}
