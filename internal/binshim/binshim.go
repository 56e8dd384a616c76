// Package binshim makes the little scripts by which Windows starts a package's
// program, where other systems have a symbolic link, and reads whose they are.
//
// A Shim is three scripts that do the same: one for cmd.exe, one for
// PowerShell, one for a POSIX shell such as Git's. Each starts a target, a path
// relative to the folder that the scripts are in, with what the target's first
// line asks for. The scripts are npm's byte for byte (npm: cmd-shim), so that a
// project that both have installed does not change back and forth.
//
// The package reads and writes no file; who calls it says where the scripts go.
// A first line is a stranger's text and ends up in the scripts as it is, as it
// does with npm: starting the program runs the stranger's code anyway.
package binshim

import (
	"bytes"
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ibid-pm/ibid/internal/js"
)

// HeadSize is how many bytes of a program's beginning New has to see.
const HeadSize = 64 << 10

// A Shim is the texts of the three scripts.
type Shim struct {
	Sh         string // of the file with the program's name
	Cmd        string // of the one with ".cmd" behind it
	PowerShell string // of the one with ".ps1" behind it
}

// File is one script and the name that it has.
type File struct{ Name, Text string }

// Files gives the scripts of a program, in the order in which npm looks at them.
func (s Shim) Files(program string) [3]File {
	names := Names(program)
	return [3]File{{names[0], s.Sh}, {names[1], s.Cmd}, {names[2], s.PowerShell}}
}

// Names are the names that the scripts of a program have.
func Names(program string) [3]string {
	return [3]string{program, program + ".cmd", program + ".ps1"}
}

// Mode is the permission bits of each script.
const Mode = 0o755

const (
	// What JavaScript's \s matches and its trim removes, and what its dot does not match.
	space     = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
	lineBreak = "\n\r\u2028\u2029"
)

// MaxShebang is how much of a file is looked at for its first line.
const MaxShebang = 2048

// FixShebang takes the CR from the end of a first line "#!…", which else no
// system can run (npm: bin-links lib/fix-bin.js); data itself where there is none.
func FixShebang(data []byte) []byte {
	end := bytes.IndexByte(data[:min(len(data), MaxShebang)], '\n')
	if end < 1 || !bytes.HasPrefix(data, []byte("#!")) || data[end-1] != '\r' {
		return data
	}
	return append(bytes.Clone(data[:end-1]), data[end:]...)
}

// shebang takes a first line apart: variables, program, arguments. Go's regexp
// prefers the same of several matches as JavaScript's.
var shebang = sync.OnceValue(func() *regexp.Regexp {
	s := "[" + space + "]"
	return regexp.MustCompile(`^#!` + s + `*(?:/usr/bin/env` + s + `+(?:-S` + s + `+)?((?:[^ \t=]+=[^ \t=]+` + s + `+)*))?([^ \t]+)([^` + lineBreak + `]*)$`)
})

// New makes the scripts that start target, given with slashes, whose content
// begins with head.
func New(target string, head []byte) Shim {
	target = js.ValidText(target)
	line := js.Trim(js.ValidText(string(head)))
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = strings.TrimRight(line[:i], "\r")
	}
	m := shebang().FindStringSubmatch(line)
	if m == nil {
		return direct(target)
	}
	return by(m[2], js.Trim(m[3]), m[1], target)
}

// direct starts a target that says nothing of what runs it.
func direct(target string) Shim {
	file := `"$basedir/` + strings.ReplaceAll(target, `\`, "/") + `"`
	return Shim{
		Sh:  shHead + "exec " + file + `   "$@"` + "\n",
		Cmd: cmdHead + `"%dp0%\` + strings.ReplaceAll(target, "/", `\`) + `"   %*` + "\r\n",
		PowerShell: psHead +
			"# Support pipeline input\n" +
			"if ($MyInvocation.ExpectingInput) {\n" +
			"  $input | & " + file + "   $args\n" +
			"} else {\n" +
			"  & " + file + "   $args\n" +
			"}\n" +
			"exit $LASTEXITCODE\n",
	}
}

// by starts a target with another program: the one beside the scripts, or else
// the one on the PATH.
func by(prog, args, variables, target string) Shim {
	slashed := strings.ReplaceAll(prog, `\`, "/")
	file := `"$basedir/` + strings.ReplaceAll(target, `\`, "/") + `"`
	rest := " " + args + " " + file + " "

	near := js.Trim(`"$basedir/` + prog + `"`)
	sh := shHead +
		"if [ -x " + near + " ]; then\n" +
		"  exec " + variables + near + rest + `"$@"` + "\n" +
		"else \n" +
		"  exec " + variables + slashed + rest + `"$@"` + "\n" +
		"fi\n"

	cmd := cmdHead + setCommands(variables) + "\r\n" +
		`IF EXIST "%dp0%\` + prog + `.exe" (` + "\r\n" +
		`  SET "_prog=%dp0%\` + prog + `.exe"` + "\r\n" +
		") ELSE (\r\n" +
		`  SET "_prog=` + strings.TrimSuffix(strings.TrimPrefix(prog, `"`), `"`) + `"` + "\r\n" +
		"  SET PATHEXT=%PATHEXT:;.JS;=;%\r\n" +
		")\r\n" +
		"\r\n" +
		// A label that is not there ends the batch file, so that nobody is
		// asked on Ctrl-C whether to end it.
		`endLocal & goto #_undefined_# 2>NUL || title %COMSPEC% & "%_prog%" ` + args +
		` "%dp0%\` + strings.ReplaceAll(target, "/", `\`) + `" %*` + "\r\n"

	call := func(program string) string {
		return "  # Support pipeline input\n" +
			"  if ($MyInvocation.ExpectingInput) {\n" +
			"    $input | & " + program + rest + "$args\n" +
			"  } else {\n" +
			"    & " + program + rest + "$args\n" +
			"  }\n" +
			"  $ret=$LASTEXITCODE\n"
	}
	nearExe := `"$basedir/` + prog + `$exe"`
	ps := psHead +
		"$ret=0\n" +
		"if (Test-Path " + nearExe + ") {\n" +
		call(nearExe) +
		"} else {\n" +
		call(`"`+slashed+`$exe"`) +
		"}\n" +
		"exit $ret\n"
	return Shim{Sh: sh, Cmd: cmd, PowerShell: ps}
}

// %~dp0 names the called script only inside of a subroutine.
const cmdHead = "@ECHO off\r\nGOTO start\r\n:find_dp0\r\nSET dp0=%~dp0\r\nEXIT /b\r\n:start\r\nSETLOCAL\r\nCALL :find_dp0\r\n"

const shHead = `#!/bin/sh
basedir=$(dirname "$(echo "$0" | sed -e 's,\\,/,g')")

case ` + "`uname`" + ` in
    *CYGWIN*|*MINGW*|*MSYS*)
        if command -v cygpath > /dev/null 2>&1; then
            basedir=` + "`cygpath -w \"$basedir\"`" + `
        fi
    ;;
esac

`

const psHead = `#!/usr/bin/env pwsh
$basedir=Split-Path $MyInvocation.MyCommand.Definition -Parent

$exe=""
if ($PSVersionTable.PSVersion -lt "6.0" -or $IsWindows) {
  # Fix case when both the Windows and Linux builds of Node
  # are installed in the same directory
  $exe=".exe"
}
`

// setCommands has cmd.exe set the variables of a first line (npm: cmd-shim
// lib/to-batch-syntax.js). Of two with the same name the last one counts. They
// come in the order of a JavaScript object's keys: whole numbers first.
func setCommands(variables string) string {
	var names []string
	values := map[string]string{}
	for _, declaration := range strings.Split(variables, " ") {
		parts := strings.Split(declaration, "=")
		name := parts[0]
		if name == "__proto__" {
			continue // which JavaScript does not keep
		}
		if _, ok := values[name]; !ok {
			names = append(names, name)
		}
		values[name] = ""
		if len(parts) > 1 {
			values[name] = parts[1]
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(arrayIndex(a), arrayIndex(b)) })
	var b strings.Builder
	for _, name := range names {
		value := js.Trim(values[name])
		if name = js.Trim(name); name != "" && value != "" {
			b.WriteString("@SET " + name + "=" + expand(value) + "\r\n")
		}
	}
	return b.String()
}

const noIndex = math.MaxUint32

// arrayIndex is the number that a key is the canonical text of, or noIndex.
func arrayIndex(key string) uint64 {
	n, err := strconv.ParseUint(key, 10, 32)
	if err != nil || n == noIndex || strconv.FormatUint(n, 10) != key {
		return noIndex
	}
	return n
}

// expand writes a shell's $X and ${X} as cmd.exe's %X%.
func expand(value string) string {
	const end = "$@#?- \t{}:"
	var b strings.Builder
	for {
		i := strings.IndexByte(value, '$')
		if i < 0 {
			return b.String() + value
		}
		b.WriteString(value[:i])
		name := strings.TrimPrefix(value[i+1:], "{")
		n := strings.IndexAny(name, end)
		if n < 0 {
			n = len(name)
		}
		if n == 0 {
			b.WriteByte('$')
			value = value[i+1:]
			continue
		}
		b.WriteString("%" + name[:n] + "%")
		value = strings.TrimPrefix(name[n:], "}")
	}
}

// Target reads from a script what it starts, as it is written there: relative
// to the script's folder, with backslashes in a ".cmd". It is "" where the text
// is not that of a shim (npm: read-cmd-shim).
func Target(name, text string) string {
	s := "[" + space + "]"
	pattern := `"[$]basedir[/]([^"]+?)"` + s + `+"[$]@"`
	switch {
	case strings.HasSuffix(name, ".cmd"):
		pattern = `"%(?:~dp0|dp0%)\\([^"]+?)"` + s + `+%[*]`
	case strings.HasSuffix(name, ".ps1"):
		pattern = `"[$]basedir[/]([^"]+?)"` + s + `+[$]args`
	}
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}
