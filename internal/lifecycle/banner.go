package lifecycle

import "strings"

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
	b.WriteString(strings.ReplaceAll(trimJS(command), "\n", "\n> "))
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
	return [2]string{who, trimJS(trimJS(command) + " " + strings.Join(args, " "))}
}

// trimJS trims what String.prototype.trim does.
func trimJS(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		switch r {
		case '\t', '\n', '\v', '\f', '\r', ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
			return true
		}
		return r >= 0x2000 && r <= 0x200a
	})
}
