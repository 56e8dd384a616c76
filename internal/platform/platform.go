// Package platform checks whether a package may be installed here: for its
// "engines" (versions of node and npm), its "os", "cpu" and "libc" lists, and
// a project's "devEngines".
//
// An Environment says what here is. Its words are node's ("win32", "x64"), not
// Go's. The version of node is passed in: finding it means running node, which
// this package doesn't do. Whether a problem ends an install, skips a package
// or is a warning is the caller's business, too.
//
// npm: npm-install-checks lib/.
package platform

import (
	"fmt"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// Environment is where packages are installed. An empty text is unknown.
type Environment struct {
	OS        string // node's process.platform: "linux", "darwin", "win32"
	OSVersion string // the kernel's release
	CPU       string // node's process.arch: "x64", "arm64"
	Libc      string // "glibc", "musl", or "" outside Linux
	Node      string // "v22.1.0" or "22.1.0"
	NPM       string // the version of npm whose behaviour this is
}

// Versions are those of the engines.
type Versions struct {
	Node string `json:"node"`
	NPM  string `json:"npm"`
}

// EngineError says that a package wants another node or npm.
type EngineError struct {
	ID       string // "name@version", empty if either is missing
	Current  Versions
	Required jsjson.Raw // the package's "engines"
}

func (e *EngineError) Error() string { return "Unsupported engine" }

// Detail compares what is wanted with what there is.
func (e *EngineError) Detail() []string {
	return []string{
		"Required: " + string(e.Required),
		fmt.Sprintf(`Actual:   {"npm":%q,"node":%q}`, e.Current.NPM, "v"+strings.TrimPrefix(e.Current.Node, "v")),
	}
}

// Hints say what a person can do about it.
func (e *EngineError) Hints() []string {
	return []string{"ibid config get engine-strict  says why it counts; --no-engine-strict makes it a warning"}
}

// Code returns npm's error code.
func (e *EngineError) Code() string { return "EBADENGINE" }

// CheckEngine compares a package's engines with the versions of env; one that
// is unknown is not checked. With force, node's isn't either. Errors are
// *EngineError.
//
// Prereleases of node count, and the ranges are read strictly: what is no
// range is never satisfied.
func CheckEngine(m *manifest.Manifest, env Environment, force bool) error {
	if m.Engines == "" {
		return nil
	}
	engines := m.Engines.Value()
	node := env.Node
	if force {
		node = ""
	}
	if satisfied(node, engines.Get("node")) && satisfied(env.NPM, engines.Get("npm")) {
		return nil
	}
	err := &EngineError{Current: Versions{Node: env.Node, NPM: env.NPM}, Required: m.Engines}
	if m.Name != "" && m.Version != "" {
		err.ID = m.Name + "@" + m.Version
	}
	return err
}

func satisfied(version string, wanted jsjson.Value) bool {
	if version == "" || !wanted.Truthy() {
		return true
	}
	return wanted.IsString() &&
		nodesemver.SatisfiesWith(version, wanted.Str(), nodesemver.Options{IncludePrerelease: true})
}

// Lists are a package's platforms as published, each a text or a list of
// texts; empty where it has none.
type Lists struct {
	OS, CPU, Libc jsjson.Raw
}

// PlatformError says that a package is not made for this system.
type PlatformError struct {
	ID       string
	Current  Environment // OS, CPU and Libc count
	Required Lists
}

func (e *PlatformError) Error() string { return "Unsupported platform" }

// Detail compares what is wanted with what there is.
func (e *PlatformError) Detail() []string {
	var lines []string
	for _, x := range []struct {
		name, actual string
		valid        jsjson.Raw
	}{{"os", e.Current.OS, e.Required.OS}, {"cpu", e.Current.CPU, e.Required.CPU}, {"libc", e.Current.Libc, e.Required.Libc}} {
		if x.valid != "" {
			lines = append(lines, fmt.Sprintf("Valid %-6s%s", x.name+":", x.valid), fmt.Sprintf("Actual %-5s%s", x.name+":", x.actual))
		}
	}
	return lines
}

// Hints say what a person can do about it.
func (e *PlatformError) Hints() []string {
	return []string{"--force installs it all the same; as one of optionalDependencies it is left out here"}
}

// Code returns npm's error code.
func (e *PlatformError) Code() string { return "EBADPLATFORM" }

// CheckPlatform compares a package's os, cpu and libc with env. Errors are
// *PlatformError.
func CheckPlatform(m *manifest.Manifest, env Environment) error {
	if m.OS == "" && m.CPU == "" && m.Libc == "" {
		return nil
	}
	if allows(m.OS, env.OS) && allows(m.CPU, env.CPU) && allows(m.Libc, env.Libc) &&
		(env.Libc != "" || !m.Libc.Truthy()) {
		return nil
	}
	return &PlatformError{
		ID:       m.Name + "@" + m.Version,
		Current:  env,
		Required: Lists{OS: m.OS, CPU: m.CPU, Libc: m.Libc},
	}
}

// allows reports whether a list has the value: none of the "!other" entries is
// it, and one of the rest is it, if there are such. ["any"] has all.
func allows(list jsjson.Raw, value string) bool {
	if list == "" {
		return true
	}
	v := list.Value()
	var entries []jsjson.Value
	switch {
	case v.IsString() && v.Str() != "":
		entries = []jsjson.Value{v}
	case v.IsArray():
		entries = v.Items()
	default:
		return true // nothing that npm would take for a list
	}
	if len(entries) == 1 && entries[0].Str() == "any" {
		return true
	}
	negated, matched := 0, false
	for _, e := range entries {
		entry := e.Str()
		if entry == "" || entry[0] != '!' {
			matched = matched || e.IsString() && entry == value
			continue
		}
		negated++
		if entry[1:] == value {
			return false
		}
	}
	return matched || negated == len(entries)
}
