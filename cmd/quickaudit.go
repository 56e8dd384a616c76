package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

// How long an install that is done waits for the registry to say what is
// vulnerable in it. npm waits until it has an answer; a person who wants it
// can ask for it, and a program that reads JSON has asked.
const (
	auditGrace     = 250 * time.Millisecond
	auditGraceMost = 2 * time.Second
	auditGraceJSON = 3 * time.Second
)

// quickAudit asks the registry for advisories while an install lays out what
// they are about (npm: @npmcli/arborist lib/arborist/reify.js
// _submitQuickAudit).
type quickAudit struct {
	report *auditReport
	cancel context.CancelFunc
	done   chan struct{} // closed when doc and err are there
	doc    jsjson.Value
	err    error
}

// askAudit sends the request; nil where the configuration wants none. Only the
// network runs beside the install: which packages there are is settled before
// askAudit returns.
func (a *App) askAudit(ctx context.Context, o *outcome) *quickAudit {
	cfg := a.Config
	// link changes the global packages without --global.
	if cfg.Global() && cfg.IsDefault("audit") && a.Command != "link" || !cfg.Bool("audit") || cfg.Bool("offline") || cfg.Bool("dry-run") || a.Command == "audit" {
		return nil
	}
	t := &lookedAt{dir: o.project.dir, root: o.result.Tree, selected: o.project.selected}
	var only map[*resolver.Node]bool
	if len(t.selected) > 0 {
		only = t.workspaceDependencies(cfg.Bool("include-workspace-root"))
	}
	q := &quickAudit{report: a.newAuditReport(t, only), done: make(chan struct{})}
	q.report.installed = o.installs
	ctx, q.cancel = context.WithCancel(ctx)
	packages := q.report.packages()
	go func() {
		defer close(q.done)
		if q.doc, q.err = a.advisories(ctx, packages); q.err == nil {
			q.report.prefetch(ctx, q.doc)
		}
	}()
	return q
}

// stop ends the request of an install that does not report.
func (q *quickAudit) stop() {
	if q != nil {
		q.cancel()
		<-q.done
	}
}

// patience is how long an install that took so long waits for the answer: a fifth
// of that is not noticed, and saves asking once more.
func patience(took time.Duration, asJSON bool) time.Duration {
	if asJSON {
		return auditGraceJSON
	}
	return min(max(took/5, auditGrace), auditGraceMost)
}

// answer waits a little for what the registry says; ok is false where that is
// nothing, and late where it may still come.
func (q *quickAudit) answer(ctx context.Context, grace time.Duration) (doc jsjson.Value, ok, late bool) {
	defer q.stop()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-q.done:
	case <-timer.C:
		return doc, false, true
	}
	if q.err != nil {
		q.report.app.log(levelVerbose, "audit: "+term.Safe(q.err.Error()))
		return doc, false, false
	}
	// What follows from the advisories may take more packuments.
	ctx, cancel := context.WithTimeout(ctx, max(grace, time.Second))
	defer cancel()
	q.report.follow(ctx, q.doc)
	if ctx.Err() != nil {
		return doc, false, true
	}
	return q.report.json(), true, false
}

// installs says whether a node of the tree is, or is to be, in node_modules.
func (o *outcome) installs(n *resolver.Node) bool {
	switch {
	case o.plan != nil && o.part != nil:
		// What is of no chosen workspace counts where it was there before.
		return o.wanted.Get(lockfile.Location(n.Location())) != nil
	case n.Parent() == nil:
		return true // a folder that a link leads to is nobody's to leave out
	}
	return !n.Inert && (o.plan == nil || !o.app.omits(n))
}

// countInstalled counts the project and what it installs.
func (o *outcome) countInstalled() (total int) {
	for n := range o.result.Tree.Inventory {
		if n.IsProjectRoot() || o.installs(n) {
			total++
		}
	}
	return total
}

// extras are what an install reports beside what it did: how many packages were
// audited, and with what result.
func (a *App) extras(o *outcome) (line string) {
	if o.result == nil || o.quick == nil {
		return ""
	}
	doc, ok, late := o.quick.answer(context.Background(), patience(o.took, a.json()))
	if late {
		return fmt.Sprintf("the registry has not said yet what is vulnerable: `%s audit` asks again", a.heading)
	}
	if !ok {
		return ""
	}
	o.audited = o.countInstalled()
	o.audit = json.RawMessage(jsjson.Append(nil, doc.Get("metadata"), "", ""))
	line, _, _ = strings.Cut(auditSummary(doc, ink(a.colour)), "\n")
	if doc.Get("vulnerabilities").Len() > 0 {
		line += fmt.Sprintf(": `%s audit` has the details", a.heading)
	}
	return line
}

// countFunding counts the packages that ask for funding, one version of a name
// once, as far as the project's dependencies reach (npm: libnpmfund readTree).
func (o *outcome) countFunding() int {
	count := 0
	seen := map[string]bool{}
	valid := map[jsjson.Raw]bool{}
	var walk func(n *resolver.Node)
	walk = func(n *resolver.Node) {
		var below []*resolver.Node
		for e := range n.EdgesOut {
			if e.To() == nil || !o.installs(e.To()) {
				continue
			}
			to := e.To().Target()
			if to == nil {
				continue
			}
			id := to.Package.Name + to.Package.Version
			if seen[id] {
				continue
			}
			seen[id] = true
			below = append(below, to)
			if raw := to.Package.Funding; raw != "" {
				is, known := valid[raw]
				if !known {
					is = validFunding(raw.Value())
					valid[raw] = is
				}
				if is {
					count++
				}
			}
		}
		for _, to := range below {
			walk(to)
		}
	}
	walk(o.result.Tree)
	return count
}

// sayFunding is npm's word on it.
func (a *App) sayFunding(count int) {
	switch {
	case count == 0 || a.Config.Global():
	case count == 1:
		a.say("\n1 package is looking for funding\n  run `%s fund` for details", a.heading)
	default:
		a.say("\n%d packages are looking for funding\n  run `%s fund` for details", count, a.heading)
	}
}
