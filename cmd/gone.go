package cmd

import "github.com/spf13/cobra"

// newGoneCmds are the commands that npm had once. npm 12 knows them no more; so
// does ibid, but it says what has taken their place.
func newGoneCmds(a *App, root *cobra.Command) []*cobra.Command {
	stars := "the registry keeps no stars any more"
	gone := []struct {
		name, hint string
		aliases    []string
	}{
		{"adduser", a.heading + " login", []string{"add-user"}},
		{"shrinkwrap", "mv package-lock.json npm-shrinkwrap.json", nil},
		{"star", stars, nil},
		{"stars", stars, nil},
		{"unstar", stars, nil},
		{"hook", "the registry has no hooks any more", nil},
	}
	var out []*cobra.Command
	for _, g := range gone {
		c := declare(&cobra.Command{Use: g.name, Aliases: g.aliases, Short: "Gone from npm: " + g.hint, Hidden: true}, nil,
			func(*cobra.Command, []string) error { return a.sayUnknown(root, a.Config.Args()[0], g.hint) })
		out = append(out, c)
	}
	return out
}
