// Package version knows what ibid calls itself. It knows nothing else and
// imports nothing, so that everything may import it at no cost.
package version

// Ibid is the version of this program.
const Ibid = "0.1.0-dev"

// NPM is the version of npm whose behaviour ibid has, where a package, a script
// or a tool asks.
const NPM = "11.19.1"

// IsNPM says whether a program of this name was called as npm or npx.
func IsNPM(program string) bool {
	base := program
	for i := range len(program) {
		if c := program[i]; c == '/' || c == '\\' {
			base = program[i+1:]
		}
	}
	if n := len(base) - len(".exe"); n > 0 && base[n:] == ".exe" {
		base = base[:n]
	}
	return base == "npm" || base == "npx"
}

// For is the version that a program of this name says it has: called as npm,
// npm's, which tools compare with what they need.
func For(program string) string {
	if IsNPM(program) {
		return NPM
	}
	return Ibid
}
