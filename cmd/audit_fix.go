package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/resolver"
)

// fix installs what is not vulnerable, as far as package.json allows it or
// --force is given, and reports what is left (npm: arborist
// lib/arborist/build-ideal-tree.js, queueVulnDependents).
func (r *auditReport) fix(ctx context.Context) error {
	a := r.app
	r.warnUnfixable()
	fixes := r.forcedFixes()
	o, err := a.reify(ctx, change{ask: func(q *resolver.Request) {
		q.Vulnerable, q.Avoid, q.Fixes = r.isVulnerable, r.avoid, fixes
	}})
	if err != nil {
		return err
	}
	doc := r.json()
	o.audited = o.countInstalled()
	if !a.Config.Bool("dry-run") {
		t := &lookedAt{dir: r.tree.dir, root: o.result.Tree, selected: r.tree.selected}
		left := a.newAuditReport(t, t.filter(a, a.Config.Bool("include-workspace-root")))
		left.installed = o.installs
		if err := left.load(ctx); err != nil {
			if !a.json() {
				a.summary(o)
			}
			return &codedError{code: errorCode(err), text: "audit endpoint returned an error: " + err.Error()}
		}
		doc = left.json()
	}
	if a.json() {
		o.audit = json.RawMessage(jsjson.Append(nil, doc, "", ""))
	}
	a.summary(o)
	if !a.json() && !a.Config.Silent() {
		a.out("%s", a.ink().safe(auditText(doc, a.ink())))
	}
	var blocked []string
	for _, v := range r.order {
		if v.blocked != nil {
			blocked = append(blocked, v.name)
		}
	}
	if len(blocked) > 0 {
		a.logPrefixed(levelWarn, "audit", fmt.Sprintf("left at a vulnerable version, since what would fix it is too new: %s\n"+
			"min-release-age-exclude makes an exception, min-release-age and before decide what is too new", strings.Join(blocked, ", ")))
		return statusError(1)
	}
	return a.auditStatus(doc)
}

// warnUnfixable says of packages that are bundled that they come as they are.
func (r *auditReport) warnUnfixable() {
	for _, v := range r.order {
		if b := v.blocked; b != nil {
			r.app.logPrefixed(levelWarn, "audit", fmt.Sprintf("%s@%s would fix it, but was published after %s", v.name, b.version, b.before.UTC().Format("2006-01-02")))
		}
		for _, n := range v.nodes {
			if by := n.Bundler(); by != nil {
				r.app.logPrefixed(levelWarn, "audit fix "+n.ID(), fmt.Sprintf("%s\nis bundled in %s at %s\nIt cannot be fixed by itself: look for a newer %s",
					n.Location(), by.ID(), by.Location(), by.Name))
			}
		}
	}
}

// forcedFixes are the versions that --force puts in the place of what the project
// and its workspaces ask for, by their location.
func (r *auditReport) forcedFixes() map[string][]string {
	if !r.app.Config.Bool("force") {
		return nil
	}
	out := map[string][]string{}
	warn := func(format string, args ...any) { r.app.logPrefixed(levelWarn, "audit", fmt.Sprintf(format, args...)) }
	for _, v := range r.order {
		var tops []*resolver.Node
		for n := range v.topNodes {
			tops = append(tops, n)
		}
		slices.SortFunc(tops, func(x, y *resolver.Node) int { return collate.Compare(x.Location(), y.Location()) })
		for _, top := range tops {
			switch {
			case !top.IsProjectRoot() && !top.IsWorkspace():
				warn("./%s: %s@%s has to be fixed there: it is a project of its own", top.Location(), v.name, v.shortRange())
			case v.fix.kind != fixForced:
				warn("%s@%s: no version is free of the vulnerability", v.name, v.shortRange())
			default:
				how := "outside your stated dependency range"
				if v.fix.major {
					how = "a SemVer major change"
				}
				warn("Updating %s to %s, which is %s.", v.fix.name, v.fix.version, how)
				spec := v.fix.name + "@" + v.fix.version
				if !slices.Contains(out[top.Location()], spec) {
					out[top.Location()] = append(out[top.Location()], spec)
				}
			}
		}
	}
	return out
}

// isVulnerable says whether a package has to go.
func (r *auditReport) isVulnerable(n *resolver.Node) bool {
	v := r.vulns[n.PackageName()]
	if v == nil || n.Version() == "" {
		return false
	}
	return slices.ContainsFunc(v.advisories, func(adv *advisory) bool { return adv.hits(n.Version(), "") })
}

// avoid is the range of a package's versions that are not to be taken.
func (r *auditReport) avoid(name string) string {
	if v := r.vulns[name]; v != nil {
		return v.ranges()
	}
	return ""
}

func (v *vulnerable) shortRange() string { return simplifyRange(v.advisories[0].versions, v.ranges()) }
