package cmd

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/resolver"
)

func newLicensesCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use: "licenses", Short: "List the installed packages by licence",
		Example: "  ibid licenses --omit=dev\n  ibid licenses --json",
	}, []string{"json", "long", "omit", "global", "package-lock-only", "workspace"},
		func(*cobra.Command, []string) error { return runLicenses(a) })
}

// licensed is one package and its licence.
type licensed struct{ name, version, license, path string }

// runLicenses has no model in npm. Its JSON is a list of objects with name,
// version, license and path.
func runLicenses(a *App) error {
	lockOnly := a.Config.Bool("package-lock-only")
	t, err := a.look(lookOptions{lockOnly: lockOnly, scan: !lockOnly})
	if err != nil {
		return err
	}
	var list []licensed
	seen := map[string]bool{}
	set := t.filter(a, a.Config.Bool("include-workspace-root"))
	for n := range t.root.Inventory {
		if n.IsRoot() || n.IsLink() || n.IsWorkspace() || len(set) > 0 && !set[n] || a.omits(n) {
			continue
		}
		name, version := cmp.Or(n.Package.Name, n.Name), n.Package.Version
		if seen[name+"@"+version] {
			continue
		}
		seen[name+"@"+version] = true
		list = append(list, licensed{name, version, cmp.Or(licenseIn(t.content(n)), "unknown"), filepath.FromSlash(n.Path())})
	}
	slices.SortFunc(list, func(x, y licensed) int {
		return cmp.Or(collate.Compare(x.license, y.license), collate.Compare(x.name, y.name), collate.Compare(x.version, y.version))
	})
	if a.json() {
		out := make([]jsjson.Value, 0, len(list))
		for _, l := range list {
			out = append(out, jsjson.NewObject(
				jsjson.Member{Key: "name", Value: jsjson.NewString(l.name)},
				jsjson.Member{Key: "version", Value: jsjson.NewString(l.version)},
				jsjson.Member{Key: "license", Value: jsjson.NewString(l.license)},
				jsjson.Member{Key: "path", Value: jsjson.NewString(l.path)}))
		}
		a.printJSON(jsjson.NewArray(out...))
		return nil
	}
	i := a.ink()
	for len(list) > 0 {
		license := list[0].license
		n := slices.IndexFunc(list, func(l licensed) bool { return l.license != license })
		if n < 0 {
			n = len(list)
		}
		a.out("%s", i.safe(fmt.Sprintf("%s (%d)", i.bold(term.SafeLine(license)), n)))
		for _, l := range list[:n] {
			line := "  " + l.name + "@" + l.version
			if a.Config.Bool("long") {
				line += " " + i.dim(l.path)
			}
			a.out("%s", i.safe(line))
		}
		list = list[n:]
	}
	return nil
}

// omits says whether --omit leaves a package out.
func (a *App) omits(n *resolver.Node) bool {
	cfg := a.Config
	return n.Dev && cfg.Omits("dev") || n.Optional && cfg.Omits("optional") || n.Peer && cfg.Omits("peer") ||
		n.DevOptional && cfg.Omits("dev") && cfg.Omits("optional")
}

// licenseIn gives the licence, from "licenses" too, which old packages have.
func licenseIn(m jsjson.Value) string {
	if l := licenseOf(m); l != "" {
		return l
	}
	var all []string
	for _, l := range m.Get("licenses").Items() {
		text := l.Str()
		if l.IsObject() {
			text = str(l, "type")
		}
		if text != "" {
			all = append(all, text)
		}
	}
	return strings.Join(all, " OR ")
}
