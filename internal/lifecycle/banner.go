package lifecycle

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// Banner is what npm up to 11 prints to stdout before a script that has the
// terminal: an empty line, whose script it is, the command. id is
// "name@version", or "" (run-script 10, lib/run-script-pkg.js).
func Banner(id, event, command string, args []string) string {
	var b strings.Builder
	b.WriteString("\n> ")
	if id != "" {
		b.WriteString(id)
		b.WriteByte(' ')
	}
	b.WriteString(event)
	b.WriteString("\n> ")
	b.WriteString(strings.ReplaceAll(js.Trim(command), "\n", "\n> "))
	if len(args) > 0 {
		b.WriteByte(' ')
		b.WriteString(strings.Join(args, " "))
	}
	b.WriteByte('\n')
	return b.String()
}

// Notice is what npm from 12 on logs instead, each a notice with the prefix
// "run", on stderr (run-script 11, lib/run-script-pkg.js).
func Notice(id, event, command string, args []string) [2]string {
	who := event
	if id != "" {
		who = id + " " + event
	}
	return [2]string{who, js.Trim(js.Trim(command) + " " + strings.Join(args, " "))}
}
