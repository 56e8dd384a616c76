// Package spec reads what a person or a manifest wants of a package: a range,
// a tag, a folder, a tarball, a git repository, another name (npm:
// npm-package-arg and hosted-git-info).
package spec

// Type says what kind of place a Spec points to.
type Type uint8

const (
	Range     Type = iota // a semver range: "^1.2.0", "", "*"
	Version               // one version: "1.2.3"
	Tag                   // a dist-tag: "latest"
	Git                   // a git repository, hosted or not
	File                  // a tarball on this machine
	Directory             // a folder on this machine
	Remote                // a tarball's URL
	Alias                 // another package's range, version or tag under this name
)

// Spec is one parsed wish (npm-package-arg's Result). It is read-only.
type Spec struct {
	Type      Type
	Registry  bool   // range, version, tag, and aliases
	Raw       string // the whole text as given: "name@rawSpec"
	Name      string // "" where none was given
	Scope     string // "@scope", or ""
	RawSpec   string
	SaveSpec  string // "" where npm has null
	FetchSpec string // "" where npm has null
	Where     string // the directory that relative paths were resolved from

	Sub    *Spec   // Alias: what it stands for
	Hosted *Hosted // Git on a known host

	GitCommittish string
	GitRange      string // of "#semver:RANGE"
	GitSubdir     string // of "#path:DIR", with a leading slash
}
