// Package spec reads what a person or a manifest wants of a package: a range,
// a tag, a folder, a tarball, a git repository, another name.
//
// A Spec is one such wish. It comes from an argument ("name@^1", "./x.tgz",
// "github:user/project#v2"; see Parse) or from a dependency's name and value
// (see Resolve). A Hosted is a git repository on a host whose URLs are known:
// GitHub, GitLab, Bitbucket, Gist, SourceHut.
//
// What a text means depends on the operating system where it is a path, so a
// Parser has a flavour; the functions Parse and Resolve use this machine's.
// Nothing here looks at the disk: "x.tgz" is a file by its name, "./x" a
// directory, whether they exist or not. Nothing asks a registry either.
//
// npm: npm-package-arg lib/npa.js, hosted-git-info lib/, validate-npm-package-name.
package spec

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
)

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

// String returns npm's word for the type.
func (t Type) String() string {
	switch t {
	case Range:
		return "range"
	case Version:
		return "version"
	case Tag:
		return "tag"
	case Git:
		return "git"
	case File:
		return "file"
	case Directory:
		return "directory"
	case Remote:
		return "remote"
	case Alias:
		return "alias"
	}
	return "unknown"
}

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
	Where     string // of files and directories: where a relative path started

	Sub    *Spec   // Alias: what it stands for
	Hosted *Hosted // Git on a known host

	GitCommittish string
	GitRange      string // of "#semver:RANGE"
	GitSubdir     string // of "#path:DIR", with a leading slash

	// Unknown has the names of "#name:value" parts that mean nothing to npm;
	// it warns of them.
	Unknown []string
}

// String returns the spec as npm prints it: the name, if there is one, and
// what would be saved.
func (s *Spec) String() string {
	want := s.SaveSpec
	if want == "" {
		want = s.FetchSpec
	}
	if want == "" {
		want = s.RawSpec
	}
	switch {
	case s.Name == "" && want == "":
		return s.Raw
	case s.Name == "":
		return want
	case want == "":
		return s.Name
	}
	return s.Name + "@" + want
}

// EscapedName returns the name as it stands in a registry's URL: "@a%2fb".
func (s *Spec) EscapedName() string { return strings.Replace(s.Name, "/", "%2f", 1) }

// setName checks the name by the rules for packages that exist.
func (s *Spec) setName(name string) error {
	if name == "" {
		return nil
	}
	if !ValidForOldPackages(name) {
		return &NameError{Name: name, Raw: s.Raw, Problems: ValidateName(name).Errors}
	}
	s.Name = name
	if name[0] == '@' {
		s.Scope, _, _ = strings.Cut(name, "/")
	}
	return nil
}

// setCommittish reads the part after "#": a commit-ish, "semver:RANGE" and
// "path:DIR", with "::" between.
func (s *Spec) setCommittish(hash string) error {
	if hash == "" {
		return nil
	}
	for part := range strings.SplitSeq(hash, "::") {
		key, value, ok := strings.Cut(part, ":")
		if !ok {
			if s.GitRange != "" {
				return s.gitError("cannot override existing semver range with a committish")
			}
			if s.GitCommittish != "" {
				return s.gitError("cannot override existing committish with a second committish")
			}
			s.GitCommittish = part
			continue
		}
		value, _, _ = strings.Cut(value, ":")
		switch key {
		case "semver":
			if s.GitCommittish != "" {
				return s.gitError("cannot override existing committish with a semver range")
			}
			if s.GitRange != "" {
				return s.gitError("cannot override existing semver range with a second semver range")
			}
			decoded, ok := js.DecodeURIComponent(value)
			if !ok {
				return s.gitError("semver range is not properly percent-encoded")
			}
			s.GitRange = decoded
		case "path":
			if s.GitSubdir != "" {
				return s.gitError("cannot override existing path with a second path")
			}
			s.GitSubdir = "/" + value
		default:
			s.Unknown = append(s.Unknown, key)
		}
	}
	return nil
}

func (s *Spec) gitError(problem string) error { return &Error{Raw: s.Raw, Problem: problem} }
