package lifecycle

import (
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// Change is one edit of allowScripts.
type Change struct {
	Key    string `json:"key"`
	Change string `json:"change"` // "added", "removed-stale", "removed-pinned-allow", "replaced-by-pin", "pending"
}

// Changes are the edits for one package, as the commands' --json lists them.
type Changes struct {
	Name    string   `json:"name"`
	Changes []Change `json:"changes"`
}

// Edited is the result of approving or denying a package's scripts.
type Edited struct {
	Entries Entries // the new object; the old one is as it was
	Changes []Change
	Warning string // for the log with the prefix of the command; "" is none
}

// Group is the installed versions of one package, by the key that names it in
// allowScripts.
type Group struct {
	Key      string
	Subjects []*Subject
}

// GroupByPackage puts together what one name-only key covers, in order. A
// package without a trusted name can't be named in a policy and is passed
// over.
func GroupByPackage(subjects []*Subject) []Group {
	var groups []Group
	at := make(map[string]int)
	for _, s := range subjects {
		key := s.nameKey()
		if key == "" {
			continue
		}
		i, there := at[key]
		if !there {
			i = len(groups)
			at[key] = i
			groups = append(groups, Group{Key: key})
		}
		groups[i].Subjects = append(groups[i].Subjects, s)
	}
	return groups
}

// FindInstalled finds the packages that arguments mean: a name, or a name and
// a version or range. unmatched are the arguments that mean none, an ENOMATCH
// error (npm lib/utils/allow-scripts-cmd.js).
func FindInstalled(args []string, candidates []*Candidate) (matched []*Subject, unmatched []string) {
	for _, arg := range args {
		name, rng := arg, ""
		if s, err := spec.Parse(arg, ""); err == nil {
			if s.Name != "" {
				name = s.Name
			}
			if s.Type == spec.Version || (s.Type == spec.Range && !isNameOnly(s)) {
				rng = s.FetchSpec
			}
		}
		found := false
		for _, c := range candidates {
			if c.ProjectRoot || c.Workspace || c.InBundle {
				continue
			}
			has, version := c.Display()
			if has == "" || has != name || (rng != "" && (version == "" || !nodesemver.Satisfies(version, rng, true))) {
				continue
			}
			found = true
			matched = append(matched, &c.Subject)
		}
		if !found {
			unmatched = append(unmatched, arg)
		}
	}
	return matched, unmatched
}

// nameKey is the key that covers every version of the package, "" when it has
// no trusted name (npm lib/utils/allow-scripts-writer.js, nameKeyFor).
func (s *Subject) nameKey() string {
	source := s.primarySource()
	switch {
	case strings.HasPrefix(source, "git"):
		if parsed, err := spec.Parse(source, ""); err == nil && parsed.Hosted != nil {
			return parsed.Hosted.Shortcut(spec.Format{NoCommittish: true})
		}
		return ""
	case isLocalSource(source):
		return source
	}
	return s.trusted().name
}

// versionedKey is the key for the installed version alone, "" when that can't
// be told from what is trusted.
func (s *Subject) versionedKey() string {
	source := s.primarySource()
	switch {
	case strings.HasPrefix(source, "git"):
		parsed, err := spec.Parse(source, "")
		if err != nil || parsed.Hosted == nil {
			return ""
		}
		key := parsed.Hosted.Shortcut(spec.Format{NoCommittish: true})
		if at := committish(parsed); at != "" {
			key += "#" + at
		}
		return key
	case strings.HasPrefix(source, "http://"), strings.HasPrefix(source, "https://"):
		if id := s.trusted(); id.name != "" && id.version != "" {
			return id.name + "@" + id.version
		}
		return ""
	case isLocalSource(source):
		return source
	}
	return ""
}

func isLocalSource(source string) bool {
	return strings.HasPrefix(source, "file:") || strings.HasPrefix(source, "/")
}

// targeted says whether a key names the package, whatever version it says.
func (s *Subject) targeted(key, root string) bool {
	parsed, err := spec.Parse(key, root)
	if err != nil {
		return false
	}
	switch parsed.Type {
	case spec.Tag, spec.Range, spec.Version:
		name := s.trusted().name
		return name != "" && name == parsed.Name
	case spec.Git:
		own, err := spec.Parse(s.primarySource(), "")
		return err == nil && parsed.Hosted != nil && own.Hosted != nil && hostedSSH(parsed) == hostedSSH(own)
	case spec.File, spec.Directory:
		return s.matchesPath(parsed)
	case spec.Remote:
		return s.comesFrom(parsed.SaveSpec) || s.comesFrom(parsed.FetchSpec)
	}
	return false
}

func isPin(key string) bool {
	parsed, err := spec.Parse(key, "")
	return err == nil && parsed.Type == spec.Version
}

func coversAllVersions(key string) bool {
	parsed, err := spec.Parse(key, "")
	return err == nil && (parsed.Type == spec.Tag || isNameOnly(parsed))
}

// Approve allows the scripts of a group: of the installed versions (pin), or
// by name. A denial that is there stays, and is the warning. root is the
// project's folder.
func Approve(old Entries, g Group, pin bool, root string) Edited {
	e := Edited{Entries: old}
	if len(g.Subjects) == 0 {
		return e
	}
	name, sample := g.Key, g.Subjects[0]
	for _, s := range g.Subjects {
		for _, entry := range old {
			if entry.is(false) && s.targeted(entry.Key, root) {
				e.Warning = denyWarning(entry.Key, name)
				return e
			}
		}
	}
	if !pin {
		e.dropPins(sample, root, "", func(key string) bool { return key == name })
		e.allow(name)
		return e
	}
	pins := make([]string, 0, len(g.Subjects))
	for _, s := range g.Subjects {
		key := s.versionedKey()
		if key == "" {
			// Nothing pins what has no trusted version: the whole package it is.
			e.dropPins(sample, root, "removed-pinned-allow", func(key string) bool { return key == name })
			e.allow(name)
			if len(e.Changes) > 0 {
				e.Warning = name + `: approved by name (all versions) because its package-lock.json entry has no "resolved" URL, ` +
					"so ibid can't pin a specific version. Run `ibid install` to refresh the lockfile and enable pinning."
			}
			return e
		}
		if !slices.Contains(pins, key) {
			pins = append(pins, key)
		}
	}
	e.dropPins(sample, root, "removed-stale", func(key string) bool { return slices.Contains(pins, key) })
	for _, key := range pins {
		e.allow(key)
	}
	if v, ok := e.Entries.get(name); ok && !slices.Contains(pins, name) && (Entry{name, v}).is(true) {
		e.Entries = e.Entries.without(name)
		e.Changes = append(e.Changes, Change{name, "replaced-by-pin"})
	}
	return e
}

// dropPins removes allowed single versions of the package but those to keep.
// The change is listed under the name given, if there is one.
func (e *Edited) dropPins(s *Subject, root, change string, keep func(key string) bool) {
	for _, entry := range e.Entries {
		if keep(entry.Key) || !entry.is(true) || !isPin(entry.Key) || !s.targeted(entry.Key, root) {
			continue
		}
		e.Entries = e.Entries.without(entry.Key)
		if change != "" {
			e.Changes = append(e.Changes, Change{entry.Key, change})
		}
	}
}

func (e *Edited) allow(key string) { e.put(key, true) }

func (e *Edited) put(key string, allow bool) {
	if v, ok := e.Entries.get(key); ok && (Entry{key, v}).is(allow) {
		return
	}
	e.Entries = e.Entries.with(key, jsjson.NewBool(allow))
	e.Changes = append(e.Changes, Change{key, "added"})
}

func denyWarning(key, name string) string {
	if coversAllVersions(key) {
		return key + " is denied; remove the entry from allowScripts to approve " + name + "."
	}
	return key + " is a versioned deny; run `ibid install-scripts deny " + name + "` to widen the deny to all versions of " + name +
		", or remove the entry to approve " + name + "."
}

// Deny forbids the scripts of a group, always by name: the next version is no
// better for not having been looked at.
func Deny(old Entries, g Group, root string) Edited {
	e := Edited{Entries: old}
	if len(g.Subjects) == 0 || g.Key == "" {
		return e
	}
	for _, entry := range old {
		if entry.Key != g.Key && g.Subjects[0].targeted(entry.Key, root) {
			e.Entries = e.Entries.without(entry.Key)
			e.Changes = append(e.Changes, Change{entry.Key, "removed-pinned-allow"})
		}
	}
	e.put(g.Key, false)
	return e
}

// Unused is an entry of allowScripts that no installed package needs.
type Unused struct {
	Key    string
	Value  jsjson.Value
	Reason string // "not-installed", "no-scripts"
}

// Prune tells the entries that are in use from those that aren't (npm
// lib/utils/allow-scripts-prune.js). An entry that can't be parsed is kept.
// candidates may be the whole tree: what can have no entry is passed over.
func Prune(entries Entries, candidates []*Candidate, root string, read ReadScriptsFunc) (remaining Entries, removed []Unused) {
	type installed struct {
		*Candidate
		hasScripts bool
	}
	var nodes []installed
	for _, c := range candidates {
		if !c.ProjectRoot && !c.Workspace && !c.Link && !c.InBundle && !c.Inert {
			nodes = append(nodes, installed{c, len(c.InstallScripts(read)) > 0})
		}
	}
	for _, e := range entries {
		key, err := spec.Parse(e.Key, root)
		if err != nil {
			remaining = append(remaining, e)
			continue
		}
		reason := "not-installed"
		for _, n := range nodes {
			if n.matches(key, false) {
				if reason = "no-scripts"; n.hasScripts {
					reason = ""
					break
				}
			}
		}
		if reason == "" {
			remaining = append(remaining, e)
		} else {
			removed = append(removed, Unused{e.Key, e.Value, reason})
		}
	}
	return remaining, removed
}
