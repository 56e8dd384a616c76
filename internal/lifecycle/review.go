package lifecycle

import (
	"fmt"
	"strings"

	"github.com/ibid-pm/ibid/internal/manifest"
)

// Candidate is a node of a tree that may have install scripts.
type Candidate struct {
	Subject

	ProjectRoot, Workspace, Link bool
	// Inert is an optional package that is not installed here.
	Inert bool

	// What its package.json, or the lockfile, says.
	PackageName, PackageVersion string
	Scripts                     manifest.Deps
	GypFile                     *bool // gypfile where it is a boolean
	HasInstallScript            bool
}

// ReadScriptsFunc reads the scripts in the package.json at path.
type ReadScriptsFunc func(path string) (manifest.Deps, error)

// InstallScripts are the scripts that installing the package would run, events
// as names (arborist lib/install-scripts.js): of a lockfile's entry without
// scripts those on disk, or, when it isn't there yet, a text in their place.
func (c *Candidate) InstallScripts(read ReadScriptsFunc) manifest.Deps {
	collected := c.eventsOf(c.Scripts)
	if script(collected, "preinstall") == "" && script(collected, "install") == "" &&
		(c.GypFile == nil || *c.GypFile) && c.Path != "" && HasBindingGyp(c.Path) {
		collected = append(collected, manifest.Dep{Name: "install", Spec: GypInstall})
	}
	if len(collected) > 0 || !c.HasInstallScript {
		return collected
	}
	if read != nil {
		if scripts, err := read(c.Path); err == nil {
			collected = c.eventsOf(scripts)
		}
	}
	if len(collected) == 0 {
		collected = manifest.Deps{{Name: "install", Spec: "(install scripts present)"}}
	}
	return collected
}

func (c *Candidate) eventsOf(scripts manifest.Deps) manifest.Deps {
	var found manifest.Deps
	for _, event := range []string{"preinstall", "install", "postinstall", "prepare"} {
		// From a registry a package comes prepared.
		if event == "prepare" && c.FromRegistry() {
			continue
		}
		if command := script(scripts, event); command != "" {
			found = append(found, manifest.Dep{Name: event, Spec: command})
		}
	}
	return found
}

// Pending is a package with install scripts that no entry of the policy
// covers.
type Pending struct {
	*Candidate
	Events manifest.Deps
}

// CollectUnreviewed finds the packages whose install scripts nobody has
// approved or denied, in the order given (arborist lib/unreviewed-scripts.js).
// With ignore-scripts, or when all scripts are allowed, an install has none;
// the commands that list and approve ask all the same.
func CollectUnreviewed(candidates []*Candidate, policy *Policy, read ReadScriptsFunc) []Pending {
	var pending []Pending
	for _, c := range candidates {
		if c.ProjectRoot || c.Workspace || c.Link || c.InBundle || c.Inert || policy.Decide(&c.Subject) != Unreviewed {
			continue
		}
		if events := c.InstallScripts(read); len(events) > 0 {
			pending = append(pending, Pending{c, events})
		}
	}
	return pending
}

// events writes "preinstall: x; install: y".
func eventsText(events manifest.Deps) string {
	parts := make([]string, len(events))
	for i, e := range events {
		parts[i] = e.Name + ": " + e.Spec
	}
	return strings.Join(parts, "; ")
}

// label is the package as listings show it.
func (p *Pending) label() string {
	name, version := p.Display()
	if name == "" {
		name = "<unknown>"
	}
	if version != "" {
		return name + "@" + version
	}
	return name
}

func (p *Pending) line() string { return "  " + p.label() + " (" + eventsText(p.Events) + ")" }

func pendingNames(pending []Pending) string {
	names := make([]string, len(pending))
	for i := range pending {
		if names[i], _ = pending[i].Display(); names[i] == "" {
			names[i] = "<unknown>"
		}
	}
	return strings.Join(names, ",")
}

// BlockedLines is the warning after an install whose scripts were blocked, for
// the log with the prefix "install-scripts"; nil when none were (npm
// lib/utils/reify-output.js).
func BlockedLines(pending []Pending, global bool) []string {
	if len(pending) == 0 {
		return nil
	}
	had := "packages had"
	if len(pending) == 1 {
		had = "package had"
	}
	lines := []string{fmt.Sprintf("%d %s install scripts blocked because they are not covered by allowScripts:", len(pending), had)}
	for i := range pending {
		lines = append(lines, pending[i].line())
	}
	lines = append(lines, "")
	if global {
		names := pendingNames(pending)
		return append(lines, "Run `ibid install -g --allow-scripts="+names+"` to allow these scripts once, or `"+
			configSetCommand(names)+"` to allow them for all global installs.")
	}
	return append(lines, "Run `ibid install-scripts ls` to review, or `ibid install-scripts approve <pkg>` to allow.")
}

// ListLines is what `install-scripts ls` prints (npm
// lib/utils/allow-scripts-cmd.js).
func ListLines(pending []Pending) []string {
	if len(pending) == 0 {
		return []string{"No packages with unreviewed install scripts."}
	}
	have := "packages have"
	if len(pending) == 1 {
		have = "package has"
	}
	lines := []string{fmt.Sprintf("%d %s install scripts blocked because they are not covered by allowScripts:", len(pending), have)}
	for i := range pending {
		lines = append(lines, pending[i].line())
	}
	return append(lines, "", "Run `ibid install-scripts approve <pkg>` to allow, or `ibid install-scripts deny <pkg>` to deny.")
}

func configSetCommand(names string) string {
	return "ibid config set allow-scripts=" + names + " --location=user"
}

// StrictError stops an install with strict-allow-scripts before anything is
// changed (npm lib/utils/strict-allow-scripts-preflight.js).
type StrictError struct {
	Pending []Pending
	Global  bool
}

func (e *StrictError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "--strict-allow-scripts: %d package(s) have install scripts not covered by allowScripts:\n", len(e.Pending))
	for _, p := range e.Pending {
		// npm shows the package's own name here.
		name := p.PackageName
		if name == "" {
			name = p.Name
		}
		if p.PackageVersion != "" {
			name += "@" + p.PackageVersion
		}
		b.WriteString("  " + name + " (" + eventsText(p.Events) + ")\n")
	}
	if e.Global {
		b.WriteString("Allow them with `--allow-scripts`, persist them with `" + configSetCommand(pendingNames(e.Pending)) +
			"`, or bypass this check with `--dangerously-allow-all-scripts`.")
	} else {
		b.WriteString("Approve them with `ibid install-scripts approve`, deny them with `ibid install-scripts deny`, " +
			"or bypass this check with `--dangerously-allow-all-scripts`.")
	}
	return b.String()
}

// Code gives ESTRICTALLOWSCRIPTS.
func (e *StrictError) Code() string { return "ESTRICTALLOWSCRIPTS" }

// WorkspaceWarning is the warning about a workspace's allowScripts, which
// counts for nothing (npm lib/utils/warn-workspace-allow-scripts.js).
func WorkspaceWarning(name, path string) string {
	return "allowScripts in workspace " + name + " (" + path + ") is ignored. Move the field to the project root package.json."
}
