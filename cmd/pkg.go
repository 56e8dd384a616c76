package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/internal/workspaces"
)

func newPkgCmd(a *App) *cobra.Command {
	var c *cobra.Command
	c = declare(&cobra.Command{
		Use: "pkg set <key>=<value> [<key>=<value> ...]\npkg get [<key> [<key> ...]]\npkg delete <key> [<key> ...]\n" +
			"pkg set [<array>[<index>].<key>=<value> ...]\npkg set [<array>[].<key>=<value> ...]\npkg fix",
		Short:   "Read and change package.json",
		Example: "  ibid pkg set scripts.test=\"node --test\"\n  ibid pkg set private=true --json\n  ibid pkg get name version\n  ibid pkg delete devDependencies.left-pad",
	}, []string{"force", "json", "workspace", "workspaces"},
		func(_ *cobra.Command, args []string) error { return runPkg(c.Context(), a, c, args) })
	return c
}

func runPkg(_ context.Context, a *App, c *cobra.Command, args []string) error {
	if a.Config.Global() {
		return &codedError{code: "EPKGGLOBAL", text: "There's no package.json file to manage on global mode"}
	}
	var places []place
	if a.inWorkspaces() {
		selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
		if err != nil {
			return err
		}
		for _, w := range selected {
			places = append(places, place{w.Path, w.Name})
		}
	} else {
		places = []place{{dir: a.Config.LocalPrefix()}}
	}
	if len(args) == 0 {
		return a.usage(c, "")
	}
	var shown []jsjson.Value
	for _, p := range places {
		f, err := manifest.ReadFile(filepath.Join(p.dir, "package.json"))
		if err != nil {
			return err
		}
		switch args[0] {
		case "get":
			var v jsjson.Value
			if v, err = pkgGet(f.Content(), args[1:]); err != nil {
				break
			}
			if !a.json() {
				a.showFields(p.workspace, v, args[1:])
				break
			}
			if p.workspace != "" {
				v = jsjson.NewObject(jsjson.Member{Key: p.workspace, Value: v})
			}
			shown = append(shown, v)
		case "set":
			err = a.pkgSet(c, f, args[1:])
		case "delete":
			err = a.pkgDelete(c, f, args[1:])
		case "fix":
			err = a.pkgFix(f)
		default:
			return a.usage(c, "")
		}
		if err != nil {
			return err
		}
		if args[0] != "get" {
			if err := saveFile(f); err != nil {
				return err
			}
		}
	}
	if len(shown) > 0 {
		a.printJSONText(jsjson.Append(nil, mergeShown(shown), "  ", "\n"))
	}
	return nil
}

// showFields prints what "pkg get" found for people: the only one as it is,
// several by their names.
func (a *App) showFields(workspace string, v jsjson.Value, keys []string) {
	lead := ""
	if workspace != "" {
		lead = workspace + " "
	}
	if len(keys) == 1 && v.Has(keys[0]) {
		// One text, list or object is shown as console.log shows it.
		text := v.Get(keys[0])
		shown := text.Text()
		if !text.IsString() && workspace == "" {
			shown = inspect(text)
		}
		a.out("%s", term.Safe(lead+shown))
		return
	}
	for _, m := range v.Members() {
		a.out("%s", term.Safe(lead+m.Key+" = "+inspect(m.Value)))
	}
}

// place is a folder that a command works in; workspace is its name where it was
// chosen as one.
type place struct{ dir, workspace string }

// inWorkspaces says whether the command is for workspaces: they were asked for,
// or the command was started in one.
func (a *App) inWorkspaces() bool {
	return a.Config.Get("workspaces").Truthy() || len(a.Config.Strings("workspace")) > 0
}

// selectedWorkspaces are the workspaces that the command is for, in npm's order.
func (a *App) selectedWorkspaces(includeRoot bool) ([]workspaces.Workspace, error) {
	cfg := a.Config
	if cfg.Global() {
		return nil, errors.New("Workspaces not supported for global packages")
	}
	root := cfg.LocalPrefix()
	f, err := manifest.ReadFile(filepath.Join(root, "package.json"))
	if err != nil {
		return nil, err
	}
	m := f.Manifest()
	all, err := workspaces.Map(root, m.Workspaces)
	if err != nil {
		return nil, err
	}
	return workspaces.Select(all, cfg.Strings("workspace"), workspaces.SelectOptions{
		Root: root, Cwd: cfg.Cwd(), IncludeRoot: includeRoot, RootName: m.Name,
	})
}

// pkgGet is what "pkg get" shows: all, or an object of what was asked for.
func pkgGet(content jsjson.Value, keys []string) (jsjson.Value, error) {
	if len(keys) == 0 {
		return content, nil
	}
	result := jsjson.NewObject()
	for _, key := range keys {
		members, err := queryGet(content, key, false)
		if err != nil {
			return content, err
		}
		for _, m := range members {
			if !m.Value.IsUndefined() {
				result = result.With(m.Key, m.Value)
			}
		}
	}
	return result, nil
}

// mergeShown makes one object of what several places had to show.
func mergeShown(values []jsjson.Value) jsjson.Value {
	merged := jsjson.NewObject()
	for _, v := range values {
		for _, m := range v.Members() {
			merged = merged.With(m.Key, m.Value)
		}
	}
	return merged
}

func (a *App) pkgSet(c *cobra.Command, f *manifest.File, args []string) error {
	if len(args) == 0 {
		return a.usage(c, a.heading+" pkg set expects a key=value pair of args.")
	}
	content := f.Content()
	for _, arg := range args {
		key, text, _ := strings.Cut(arg, "=")
		if key == "" || text == "" {
			return a.usage(c, a.heading+" pkg set expects a key=value pair of args.")
		}
		value := jsjson.NewString(text)
		if a.json() {
			var err error
			if value, err = jsjson.Parse([]byte(text)); err != nil {
				return fmt.Errorf("%s: reading its value as JSON: %s", key, err.Error())
			}
		}
		var err error
		if content, err = querySet(content, key, value, a.Config.Bool("force")); err != nil {
			return err
		}
	}
	return updateContent(f, content)
}

func (a *App) pkgDelete(c *cobra.Command, f *manifest.File, args []string) error {
	if len(args) == 0 || slices.Contains(args, "") {
		return a.usage(c, a.heading+" pkg delete expects key args.")
	}
	content := f.Content()
	for _, key := range args {
		var err error
		if content, err = queryDelete(content, key); err != nil {
			return err
		}
	}
	return updateContent(f, content)
}

func (a *App) pkgFix(f *manifest.File) error {
	fixed, _, err := manifest.Fix(f.Content())
	if err != nil {
		return err
	}
	a.warnOfBins(f, fixed)
	f.SetContent(fixed)
	return nil
}

// warnOfBins names the executables that a package.json has and the folder has not
// (npm: @npmcli/package-json lib/normalize.js, binRefs).
func (a *App) warnOfBins(f *manifest.File, fixed jsjson.Value) {
	for _, m := range fixed.Get("bin").Members() {
		if _, err := os.Stat(filepath.Join(filepath.Dir(f.Path), m.Value.Text())); err != nil {
			id := f.Get("name").Text() + "@" + f.Get("version").Text()
			a.logPrefixed(levelWarn, "package-json", term.Safe(id+" No bin file found at "+m.Value.Text()))
		}
	}
}

// updateContent gives a package.json new content, in which npm keeps the
// dependencies in order and takes no scripts or workspaces that it could not
// use (npm: @npmcli/package-json lib/index.js, update).
func updateContent(f *manifest.File, content jsjson.Value) error {
	optional := content.Get("optionalDependencies")
	peer := content.Get("peerDependencies")
	both := content.Get("dependencies")
	for _, key := range [...]string{"dependencies", "optionalDependencies", "devDependencies", "peerDependencies"} {
		deps := content.Get(key)
		if !deps.IsObject() {
			continue
		}
		sorted := slices.Clone(deps.Members())
		slices.SortStableFunc(sorted, func(x, y jsjson.Member) int { return collate.Compare(x.Key, y.Key) })
		if key == "dependencies" {
			sorted = slices.DeleteFunc(sorted, func(m jsjson.Member) bool { return optional.Has(m.Key) })
		}
		if len(sorted) == 0 {
			content = content.Without(key)
		} else {
			content = content.With(key, jsjson.NewObject(sorted...))
		}
	}
	for _, m := range peer.Members() {
		if both.Has(m.Key) {
			content = content.With("dependencies", content.Get("dependencies").With(m.Key, m.Value))
		}
	}
	for _, m := range content.Get("scripts").Members() {
		if !m.Value.IsString() {
			return &codedError{code: "ESCRIPTSINVALID", text: "package.json scripts should be a key-value pair of strings."}
		}
	}
	if w := content.Get("workspaces"); w.Truthy() {
		if w.IsObject() {
			return &codedError{code: "EWORKSPACESINVALID", text: "workspaces should be an array of strings."}
		}
		text := func(v jsjson.Value) bool { return !v.IsString() }
		if w.Len() == 0 || slices.ContainsFunc(w.Items(), text) {
			return &codedError{code: "EWORKSPACESINVALID", text: "workspaces should be an array of strings."}
		}
	}
	f.SetContent(content)
	return nil
}

// saveFile writes a package.json if it was changed. One that is a link stays one.
func saveFile(f *manifest.File) error {
	if !f.Changed() {
		return nil
	}
	return replaceFile(f.Path, f.Bytes())
}

// replaceFile is writeFile for a file that may be a link.
func replaceFile(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return writeFile(path, data)
}
