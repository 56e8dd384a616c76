// Package nodesemver reads and compares versions and ranges as node-semver
// does: npm's meaning of "^1.2.3-beta", "~0.0", "1.x || >=2", "" and "latest
// that satisfies".
//
// A Version is one point: major.minor.patch, prerelease, build. A Comparator
// is an operator and a Version, or "any". A comparator set is a list of
// Comparators that must all hold, a Range a list of sets of which one must.
// All are read-only once made and may be shared by goroutines.
//
// Strict text is what the semver standard allows; loose text is what the
// registry has: "v1.2.3", "=1.2.3", "1.2.3beta", "01.02.03". Loose is chosen
// by the caller, as in npm: nearly all of installing is loose, overrides and
// engines are strict.
//
// Parsing a range follows node-semver's own road, a text rewritten step by
// step (hyphens, then spaces, carets, tildes, x-ranges, stars), because what
// odd input means falls out of that order and of nothing else: "> = 1" is
// "1" in loose mode and an error in strict mode.
//
// Versions are held by Masterminds/semver; its constraints mean other things
// than npm's ranges and are not used. The package knows no registry, no tags
// and no packages.
//
// npm: semver (classes/, functions/, ranges/, internal/re.js).
package nodesemver
