package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/resolver"
)

// newAllowScriptsCmds are the commands that edit allowScripts in package.json
// (npm: lib/utils/allow-scripts-cmd.js).
func newAllowScriptsCmds(a *App) []*cobra.Command {
	keys := []string{"all", "allow-scripts-pin", "dry-run", "json"}
	sub := func(use, short string, aliases []string, mode scriptsMode) *cobra.Command {
		return declare(&cobra.Command{Use: use, Aliases: aliases, Short: short}, keys,
			func(_ *cobra.Command, args []string) error { return a.runAllowScripts(mode, args) })
	}
	group := declare(&cobra.Command{
		Use:   "install-scripts ls\ninstall-scripts approve <package> ...\ninstall-scripts deny <package> ...\ninstall-scripts approve|deny --all\ninstall-scripts prune",
		Short: "Say whose install scripts may run",
	}, keys, func(_ *cobra.Command, args []string) error {
		text := "Say what is to be done: ls, approve, deny or prune."
		if len(args) > 0 {
			text = fmt.Sprintf("`%s` is not a recognized subcommand.", args[0])
		}
		return &usageError{text: text, usage: "ibid install-scripts ls|approve|deny|prune [<package> ...]"}
	})
	group.AddCommand(
		sub("approve <package> ...", "Let packages run their install scripts", nil, approveScripts),
		sub("deny <package> ...", "Forbid packages to run install scripts", nil, denyScripts),
		sub("ls", "List packages whose install scripts nobody has reviewed", []string{"list"}, listScripts),
		sub("prune", "Remove entries that no installed package needs", nil, pruneScripts),
	)
	keys = []string{"all", "allow-scripts-pending", "allow-scripts-pin", "json"}
	return []*cobra.Command{
		group,
		sub("approve-scripts <package> ...", "Let packages run their install scripts", nil, approveScripts),
		sub("deny-scripts <package> ...", "Forbid packages to run install scripts", nil, denyScripts),
	}
}

type scriptsMode uint8

const (
	approveScripts scriptsMode = iota
	denyScripts
	listScripts
	pruneScripts
)

// runAllowScripts lists what nobody has reviewed, or writes down what somebody
// has decided.
func (a *App) runAllowScripts(mode scriptsMode, args []string) error {
	cfg := a.Config
	if cfg.Global() {
		return &codedError{code: "EGLOBAL", text: fmt.Sprintf("`ibid %s` does not work for global installs", a.Command)}
	}
	all := cfg.Bool("all")
	pending := a.Command != "install-scripts" && cfg.Bool("allow-scripts-pending")
	usage := func(text string) error {
		return &usageError{text: text, usage: "ibid " + a.Command + " <package> ...\nibid " + a.Command + " --all"}
	}
	switch {
	case mode == pruneScripts && (all || len(args) > 0):
		return usage("`ibid install-scripts prune` cannot be combined with positional arguments or `--all`.")
	case mode == pruneScripts:
	case mode == denyScripts && pending:
		return usage("`ibid deny-scripts --allow-scripts-pending` is not supported; run `ibid install-scripts ls` to list unreviewed packages.")
	case (mode == listScripts || pending) && (all || len(args) > 0):
		what := "`--allow-scripts-pending`"
		if mode == listScripts {
			what = "`ibid install-scripts ls`"
		}
		return usage(what + " cannot be combined with positional arguments or `--all`.")
	case mode != listScripts && !pending && !all && len(args) == 0:
		return usage("Name packages, or give --all.")
	}
	p, err := a.project()
	if err != nil {
		return err
	}
	tree, err := p.actualTree(a)
	if err != nil {
		return err
	}
	if mode == pruneScripts {
		return a.pruneAllowScripts(p, tree)
	}
	s, err := a.installScripts(p, false)
	if err != nil {
		return err
	}
	// Also with ignore-scripts, so that one can get away from that.
	unreviewed := s.review(tree, nil)
	if mode == listScripts || pending {
		return a.listUnreviewed(unreviewed)
	}
	var subjects []*lifecycle.Subject
	if all {
		if len(unreviewed) == 0 {
			return a.listUnreviewed(nil)
		}
		for i := range unreviewed {
			subjects = append(subjects, &unreviewed[i].Subject)
		}
	} else {
		var unmatched []string
		subjects, unmatched = lifecycle.FindInstalled(args, candidatesOf(tree))
		if len(unmatched) > 0 {
			return &codedError{code: "ENOMATCH", text: "No installed packages match: " + strings.Join(unmatched, ", ")}
		}
	}
	groups := lifecycle.GroupByPackage(subjects)
	if len(groups) == 0 {
		return &codedError{code: "ENOMATCH", text: "No installed packages match: " + strings.Join(args, ", ")}
	}
	return a.decideScripts(p, mode, groups)
}

// actualTree is what is installed.
func (p *project) actualTree(a *App) (*resolver.Node, error) {
	return resolver.LoadActual(resolver.ActualOptions{
		Dir: p.dir, Global: a.Config.Global(), Workspaces: resolver.NewWorkspaceMap(p.workspaces),
		LegacyPeerDeps: a.Config.Bool("legacy-peer-deps"), InstallLinks: a.Config.Bool("install-links"),
	})
}

func candidatesOf(tree *resolver.Node) []*lifecycle.Candidate {
	var all []*lifecycle.Candidate
	for n := range tree.Inventory {
		all = append(all, candidateOf(n))
	}
	return all
}

// listUnreviewed prints the packages that wait for a decision.
func (a *App) listUnreviewed(pending []lifecycle.Pending) error {
	if !a.json() {
		for _, line := range lifecycle.ListLines(pending) {
			a.out("%s", term.Safe(a.asCalled(line)))
		}
		return nil
	}
	groups := []lifecycle.Changes{}
	for i := range pending {
		name, version := pending[i].Display()
		if name == "" {
			name = "<unknown>"
		}
		key := name
		if version != "" {
			key += "@" + version
		}
		change := lifecycle.Change{Key: key, Change: "pending"}
		if n := len(groups); n > 0 && groups[n-1].Name == name {
			groups[n-1].Changes = append(groups[n-1].Changes, change)
			continue
		}
		groups = append(groups, lifecycle.Changes{Name: name, Changes: []lifecycle.Change{change}})
	}
	return a.outJSON(map[string]any{"allowScripts": groups})
}

// outJSON prints a value as npm prints its own.
func (a *App) outJSON(v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	a.printJSONText(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	return nil
}

// decideScripts edits package.json.
func (a *App) decideScripts(p *project, mode scriptsMode, groups []lifecycle.Group) error {
	file, err := manifest.ReadFile(filepath.Join(p.dir, "package.json"))
	if err != nil {
		return err
	}
	entries := lifecycle.EntriesOf(file.Get("allowScripts"))
	pin := a.Config.Bool("allow-scripts-pin")
	summary := []lifecycle.Changes{}
	changed := false
	for _, g := range groups {
		var e lifecycle.Edited
		if mode == approveScripts {
			e = lifecycle.Approve(entries, g, pin, p.dir)
		} else {
			e = lifecycle.Deny(entries, g, p.dir)
		}
		if e.Warning != "" {
			a.logPrefixed(levelWarn, a.Command, term.Safe(e.Warning))
		}
		entries = e.Entries
		changed = changed || len(e.Changes) > 0
		changes := e.Changes
		if changes == nil {
			changes = []lifecycle.Change{}
		}
		summary = append(summary, lifecycle.Changes{Name: g.Key, Changes: changes})
	}
	if changed {
		file.Set(entries.Value(), "allowScripts")
		if err := writeFile(file.Path, file.Bytes()); err != nil {
			return err
		}
	}
	if a.json() {
		return a.outJSON(map[string]any{"allowScripts": summary})
	}
	done, todo := "Approved", "approve"
	if mode == denyScripts {
		done, todo = "Denied", "deny"
	}
	touched := false
	for _, c := range summary {
		if len(c.Changes) == 0 {
			continue
		}
		touched = true
		a.out("%s %s:", done, term.SafeLine(c.Name))
		for _, change := range c.Changes {
			a.out("  %s %s", change.Change, term.SafeLine(change.Key))
		}
	}
	if !touched {
		a.out("Nothing to %s; allowScripts unchanged.", todo)
	}
	return nil
}

// pruneAllowScripts drops the entries that no installed package needs.
func (a *App) pruneAllowScripts(p *project, tree *resolver.Node) error {
	file, err := manifest.ReadFile(filepath.Join(p.dir, "package.json"))
	if err != nil {
		return err
	}
	dry := a.Config.Bool("dry-run")
	removed := []lifecycle.Unused{}
	if entries := lifecycle.EntriesOf(file.Get("allowScripts")); len(entries) > 0 {
		remaining, unused := lifecycle.Prune(entries, candidatesOf(tree), p.dir, readScripts)
		removed = append(removed, unused...)
		if len(unused) > 0 && !dry {
			if len(remaining) == 0 {
				file.Delete("allowScripts")
			} else {
				file.Set(remaining.Value(), "allowScripts")
			}
			if err := writeFile(file.Path, file.Bytes()); err != nil {
				return err
			}
		}
	}
	if a.json() {
		type unused struct {
			Key    string `json:"key"`
			Value  any    `json:"value"`
			Reason string `json:"reason"`
		}
		list := make([]unused, len(removed))
		for i, u := range removed {
			list[i] = unused{u.Key, json.RawMessage(rawOf(u.Value)), u.Reason}
		}
		return a.outJSON(map[string]any{"allowScripts": struct {
			Removed []unused `json:"removed"`
			DryRun  bool     `json:"dryRun"`
		}{list, dry}})
	}
	if len(removed) == 0 {
		a.out("No unused allowScripts entries.")
		return nil
	}
	verb, noun := "Removed", "entries"
	if dry {
		verb = "Would remove"
	}
	if len(removed) == 1 {
		noun = "entry"
	}
	a.out("%s %d unused allowScripts %s:", verb, len(removed), noun)
	for _, u := range removed {
		why := "no install scripts"
		if u.Reason == "not-installed" {
			why = "package not installed"
		}
		a.out("  %s (%s)", term.SafeLine(u.Key), why)
	}
	return nil
}
