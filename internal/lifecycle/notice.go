package lifecycle

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

// Notice is what npm from 12 on logs before a script that has the terminal:
// whose script it is and the command, each a notice with the prefix "run", on
// stderr (run-script 11, lib/run-script-pkg.js). id is "name@version", or "".
func Notice(id, event, command string, args []string) [2]string {
	who := event
	if id != "" {
		who = id + " " + event
	}
	return [2]string{who, js.Trim(js.Trim(command) + " " + strings.Join(args, " "))}
}
