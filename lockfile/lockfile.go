// Package lockfile reads and writes package-lock.json, npm-shrinkwrap.json and
// the hidden lockfile node_modules/.package-lock.json, byte for byte as npm
// does (npm: @npmcli/arborist lib/shrinkwrap.js).
//
// A Lockfile is the contract between the stages: the resolver makes one, fetch
// and the linker read it, what is wanted and what is installed have this same
// type. The package knows no registry and no node_modules.
package lockfile

import (
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// Location is a package's place: its path relative to the project, slashes
// forward: "" is the root, "node_modules/a/node_modules/b", "packages/c".
type Location string

// Package is one entry of "packages". It is read-only once its Lockfile is
// handed on.
type Package struct {
	Location Location

	// Meta has the manifest's fields that the entry holds. Meta.Name is the
	// entry's own "name" and is usually empty: see Package.Name.
	Meta *manifest.Manifest

	Resolved  string // URL, "file:…" or "git+…#sha"; of a link: its target's path, relative
	Integrity string // SRI

	Link          bool
	InBundle      bool
	HasShrinkwrap bool
	Extraneous    bool
	Peer          bool
	Dev           bool
	Optional      bool
	DevOptional   bool

	// Extra has the members that npm does not write itself, kept so that
	// decoding and encoding gives the same bytes.
	Extra []jsjson.Member
}

// Lockfile is a whole lock. Packages are in the file's order; Sort puts them
// into npm's.
type Lockfile struct {
	Name            string
	Version         string
	LockfileVersion int // as in the file: 1, 2, 3 or 4; 0 where it says none
	Requires        bool
	Packages        []*Package
	Legacy          jsjson.Raw      // "dependencies" of v1 and v2, as read
	Extra           []jsjson.Member // other top-level members, kept

	Indent  string // one level's, "" for a file on one line
	Newline string // "\n", "\r\n" or a run of them
}
