package manifest

import "github.com/ibid-pm/ibid/internal/jsjson"

// Dep is one entry of a dependency map: a name and what is wanted of it.
type Dep struct{ Name, Spec string }

// Deps is one dependency map in JavaScript's key order (see jsjson). Lookup is
// linear on purpose: the maps are short and their order is data.
type Deps []Dep

// Get gives the spec for name and whether there is one.
func (d Deps) Get(name string) (string, bool) {
	for i := range d {
		if d[i].Name == name {
			return d[i].Spec, true
		}
	}
	return "", false
}

// PeerMeta is one entry of peerDependenciesMeta.
type PeerMeta struct {
	Name     string
	Optional bool
	Raw      jsjson.Raw // as published; the lockfile keeps it
}

// Bin is one executable of a package: its command name and the cleaned path of
// its file inside the package, slashes forward, no leading "./".
type Bin struct{ Name, Path string }

// Manifest is a package's normalised description (npm: @npmcli/package-json
// lib/normalize.js). It is not changed after it was returned, so it may be
// shared between nodes and goroutines; a change is made on a Clone.
type Manifest struct {
	Name    string
	Version string

	Dependencies         Deps // without the names in OptionalDependencies
	DevDependencies      Deps // empty, not nil, where they are said to be none: the lock says so as well
	OptionalDependencies Deps
	PeerDependencies     Deps
	AcceptDependencies   Deps
	PeerDependenciesMeta []PeerMeta
	BundleDependencies   []string

	Bin        []Bin
	Engines    jsjson.Raw // as published: usually an object of strings
	OS         jsjson.Raw // as published: a string or a list
	CPU        jsjson.Raw
	Libc       jsjson.Raw
	License    jsjson.Raw // as the lockfile writes it: an object with "type" is reduced to that
	Funding    jsjson.Raw // a string has become {"url": …}
	Workspaces jsjson.Raw
	Deprecated string // why not to use it; "" where it is fine

	Scripts          Deps // name and command
	HasInstallScript bool // said so, or has preinstall, install or postinstall
	HasShrinkwrap    bool // _hasShrinkwrap
	GypFile          jsjson.Raw

	// Only ever read from the root's package.json.
	Overrides         jsjson.Raw
	PackageExtensions jsjson.Raw
	AllowScripts      jsjson.Raw
	DevEngines        jsjson.Raw

	// Only in a packument's versions.
	Dist Dist
}

// Dist says where a published version's tarball is.
type Dist struct {
	Tarball      string // absolute URL
	Integrity    string // SRI; from shasum ("sha1-" + base64) where integrity is missing
	FileCount    int
	UnpackedSize int64
}
