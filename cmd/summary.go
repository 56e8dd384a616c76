package cmd

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/linker"
	"github.com/ibid-pm/ibid/lockfile"
)

// installSummary is what commands that change the tree print with --json (npm:
// lib/utils/reify-output.js).
type installSummary struct {
	Add     []placed        `json:"add"`
	Added   int             `json:"added"`
	Audited int             `json:"audited"`
	Change  []changedPlaced `json:"change"`
	Changed int             `json:"changed"`
	Funding int             `json:"funding"`
	Remove  []placed        `json:"remove"`
	Removed int             `json:"removed"`

	Audit             json.RawMessage     `json:"audit,omitempty"`
	UnreviewedScripts []unreviewedScripts `json:"unreviewedScripts,omitempty"`
}

// placed is a package and where it is.
type placed struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Path    string `json:"path"`
}

func (p placed) String() string { return strings.TrimSuffix(p.Name+" "+p.Version, " ") }

type changedPlaced struct {
	From placed `json:"from"`
	To   placed `json:"to"`
}

func (a *App) summaryJSON(o *outcome) error {
	s := installSummary{Audited: o.audited, Funding: o.funding, Audit: o.audit, Add: []placed{}, Change: []changedPlaced{}, Remove: []placed{}}
	if o.plan != nil {
		for _, step := range slices.Concat(o.plan.Steps, o.plan.Within) {
			switch step.Action {
			case linker.Add:
				if !step.Package.InBundle {
					s.Add = append(s.Add, o.placed(step.Package))
				}
			case linker.Change:
				s.Change = append(s.Change, changedPlaced{o.placed(step.Was), o.placed(step.Package)})
			case linker.Remove:
				s.Remove = append(s.Remove, o.placed(step.Package))
			}
		}
		s.Added, s.Changed, s.Removed = o.plan.Added, o.plan.Changed, o.plan.Removed
	}
	s.UnreviewedScripts = unreviewedJSON(o.unreviewed)
	return a.outJSON(s)
}

// placed is what is said of a package: of a link, the version of the folder.
func (o *outcome) placed(p *lockfile.Package) placed {
	version := p.Version()
	if version == "" && p.Link && o.before != nil {
		if target := o.before.Get(lockfile.Location(p.Resolved)); target != nil {
			version = target.Version()
		}
	}
	if n := o.result.Tree.At(string(p.Location)); version == "" && n != nil && n.IsLink() {
		version = n.Version()
		// What npm made of a lock says what that says.
		if lock := o.project.lock; lock != nil {
			if old := lock.Get(p.Location); old != nil && old.Link && old.Resolved == p.Resolved {
				if target := lock.Get(lockfile.Location(old.Resolved)); target != nil {
					version = target.Version()
				}
			}
		}
	}
	return placed{p.Location.Name(), version, filepath.Join(o.project.dir, filepath.FromSlash(string(p.Location)))}
}
