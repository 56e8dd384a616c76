// Package nodesemver is npm's idea of versions and ranges (npm: semver): its
// versions are Masterminds', its ranges are its own, since npm's mean other
// things than Masterminds' constraints.
package nodesemver
