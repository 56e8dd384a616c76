package packlist

import (
	"slices"

	"github.com/ibid-pm/ibid/internal/minimatch"
)

// A rule is one line of an ignore file.
type rule struct {
	*minimatch.Pattern
	// relative is set when the pattern, or one of its expansions, is a
	// single name, which then matches in any folder.
	relative bool
}

// parseRule reads a trimmed, non-empty line that is no comment (ignore-walk
// lib/index.js).
func parseRule(line string) rule {
	r := rule{Pattern: minimatch.Compile(line, minimatch.Options{MatchBase: true, Dot: true, NoCase: true})}
	r.relative = slices.ContainsFunc(r.Alternatives(), func(parts []minimatch.Part) bool {
		return len(parts) == 1 || len(parts) == 2 && parts[1].Text == ""
	})
	return r
}
