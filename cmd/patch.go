package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/patches"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/lockfile"
	"github.com/ibid-pm/ibid/resolver"
)

func newPatchCmd(a *App) *cobra.Command {
	keys := []string{"patches-dir", "allow-unused-patches", "ignore-patch-failures", "edit-dir", "ignore-existing", "keep-edit-dir", "to", "registry"}
	var c *cobra.Command
	run := func(do func(p *patcher, ctx context.Context, arg string) error) func(*cobra.Command, []string) error {
		return func(sub *cobra.Command, args []string) error {
			if len(args) != 1 {
				return a.usage(c, "")
			}
			return do(&patcher{App: a, root: a.Config.LocalPrefix()}, sub.Context(), args[0])
		}
	}
	c = declare(&cobra.Command{
		Use:   "patch <package>[@<version>]\npatch add <package>[@<version>]\npatch commit <folder>\npatch update <package>[@<version>]\npatch ls\npatch rm <package>[@<version>]",
		Short: "Change installed packages, for every install to come",
		Long: "\"patch add\" unpacks a package into a folder for you to edit; \"patch commit\" makes a patch of what\n" +
			"you changed there, registers it in package.json and installs it. \"patch update\" moves a patch to\n" +
			"another version of its package.",
		Example: "  ibid patch add lodash\n  ibid patch commit /tmp/ibid-patch-lodash\n  ibid patch ls\n  ibid patch rm lodash",
	}, keys, run((*patcher).add))
	c.AddCommand(
		declare(&cobra.Command{Use: "add <package>[@<version>]", Short: "Unpack a package for editing"}, keys, run((*patcher).add)),
		declare(&cobra.Command{Use: "commit <folder>", Short: "Make a patch of an edited package"}, keys, run((*patcher).commit)),
		declare(&cobra.Command{Use: "update <package>[@<version>]", Short: "Move a patch to another version"}, keys, run((*patcher).update)),
		declare(&cobra.Command{Use: "ls", Short: "List the patches and how many packages have them"}, keys,
			func(*cobra.Command, []string) error { return (&patcher{App: a, root: a.Config.LocalPrefix()}).ls() }),
		declare(&cobra.Command{Use: "rm <package>[@<version>]", Short: "Remove patches"}, keys, run((*patcher).rm)),
	)
	return c
}

// patcher looks after the patches of a project (npm 12: lib/commands/patch.js).
type patcher struct {
	*App
	root string // the project's folder
}

// updateMarker is a file in an edit folder that says that it belongs to an
// update that did not go through by itself.
const updateMarker = ".npm-patch-update.json"

type marker struct {
	Name      string  `json:"name"`
	RemoveKey *string `json:"removeKey"`
}

// add unpacks a package for editing.
func (p *patcher) add(ctx context.Context, raw string) error {
	name, version, err := p.target(ctx, raw)
	if err != nil {
		return err
	}
	dir, err := p.editDir(name, version)
	if err != nil {
		return err
	}
	if err := p.extract(ctx, name, version, dir); err != nil {
		return err
	}
	p.out("You can now edit the following directory: %s", dir)
	p.out("When done, run: %s patch commit %s", p.heading, dir)
	return nil
}

// target finds the one version that a spec means.
func (p *patcher) target(ctx context.Context, raw string) (name, version string, err error) {
	s, err := spec.Parse(raw, p.Cwd)
	if err != nil {
		return "", "", err
	}
	if !s.Registry {
		return "", "", notFromRegistry(raw)
	}
	tree, err := p.actual()
	if err != nil {
		return "", "", err
	}
	installed := map[string][]*resolver.Node{}
	var versions []string
	for n := range tree.Inventory {
		if n.Name == s.Name && !n.IsProjectRoot() && n.Version() != "" {
			if installed[n.Version()] == nil {
				versions = append(versions, n.Version())
			}
			installed[n.Version()] = append(installed[n.Version()], n)
		}
	}
	only := func(version string) (string, string, error) {
		if slices.ContainsFunc(installed[version], fromElsewhere) {
			return "", "", notFromRegistry(s.Name + "@" + version)
		}
		return s.Name, version, nil
	}
	if s.RawSpec != "" && s.RawSpec != "*" && s.RawSpec != "latest" {
		if nodesemver.Valid(s.FetchSpec, false) {
			v, err := nodesemver.Parse(s.FetchSpec, false)
			if err != nil {
				return "", "", err
			}
			return only(v.String())
		}
		matching := slices.DeleteFunc(slices.Clone(versions), func(v string) bool { return !nodesemver.Satisfies(v, s.FetchSpec, false) })
		switch len(matching) {
		case 0:
			found, err := p.packable(ctx, raw)
			if err != nil {
				return "", "", err
			}
			return found.name, found.version, nil
		case 1:
			return only(matching[0])
		}
		return "", "", p.severalVersions(s.Name, matching, installed)
	}
	switch len(versions) {
	case 0:
		return "", "", &codedError{code: "EPATCHNOTINSTALLED", text: s.Name + ": no version is installed",
			hints: []string{p.heading + " install", "or name a version: " + p.heading + " patch add " + s.Name + "@<version>"}}
	case 1:
		return only(versions[0])
	}
	return "", "", p.severalVersions(s.Name, versions, installed)
}

func notFromRegistry(what string) error {
	return &codedError{code: "EPATCHNONREGISTRY", text: what + ": only packages of a registry can be patched",
		hints: []string{"edit the package where it comes from"}}
}

func (p *patcher) severalVersions(name string, versions []string, installed map[string][]*resolver.Node) error {
	var lines []string
	for _, v := range versions {
		via := "(root)"
		for e := range installed[v][0].EdgesIn {
			if loc := e.From().Location(); loc != "" {
				via = loc
			}
			break
		}
		lines = append(lines, fmt.Sprintf("%s@%s  (via %s)", name, v, via))
	}
	return &codedError{code: "EPATCHAMBIGUOUS", text: name + ": several versions are installed", detail: lines,
		hints: []string{p.heading + " patch add " + name + "@" + versions[0]}}
}

func (p *patcher) actual() (*resolver.Node, error) {
	t, err := p.look(lookOptions{})
	if err != nil {
		return nil, err
	}
	return t.root, nil
}

// editDir makes the folder that a package is unpacked into. What somebody names
// must be empty, or be thrown away in so many words: unpacking empties it.
func (p *patcher) editDir(name, version string) (string, error) {
	dir := p.Config.String("edit-dir")
	if dir == "" {
		return os.MkdirTemp("", "ibid-patch-"+strings.ReplaceAll(name, "/", "+")+"@"+version+"-")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(p.Cwd, dir)
	}
	if rel, err := filepath.Rel(dir, p.root); err == nil && !strings.HasPrefix(rel, "..") {
		return "", &codedError{code: "EPATCHUNSAFE", text: dir + ": the project lies in this folder, which would be emptied"}
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if len(entries) > 0 {
		if !p.Config.Bool("ignore-existing") {
			return "", &codedError{code: "EEXIST", text: dir + ": there is something in this folder",
				hints: []string{"--ignore-existing throws it away"}}
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	return dir, os.MkdirAll(dir, 0o777)
}

// extract unpacks a version of a package as it was published.
func (p *patcher) extract(ctx context.Context, name, version, dir string) error {
	found, err := p.packable(ctx, name+"@"+version)
	if err != nil {
		return err
	}
	return p.fetcher().Extract(ctx, found.request, func(ar *tarball.Archive) error { return tarball.Write(dir, ar) })
}

// commit makes a patch of an edited folder.
func (p *patcher) commit(ctx context.Context, dir string) error {
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(p.Cwd, dir)
	}
	m, err := manifest.ReadDir(dir)
	if err != nil {
		return &codedError{code: "EPATCHNOEDITDIR", text: dir + ": no package.json that can be read: this is no folder of patch add"}
	}
	if m.Name == "" || m.Version == "" {
		return errors.New(filepath.Join(dir, "package.json") + ": name or version is missing")
	}
	mark, err := readMarker(dir)
	if err != nil {
		return err
	}
	if !spec.ValidForOldPackages(m.Name) || !nodesemver.Valid(m.Version, true) {
		return &codedError{code: "EPATCHUNSAFE", text: fmt.Sprintf("%q@%q: not a package's name and version", m.Name, m.Version)}
	}
	base, err := os.MkdirTemp("", "ibid-patch-base-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(base)
	if err := p.extract(ctx, m.Name, m.Version, base); err != nil {
		return err
	}
	patch, manifestDiffers, err := patches.Make(base, dir, updateMarker)
	if err != nil {
		return err
	}
	switch {
	case patch == "" && manifestDiffers:
		p.logPrefixed(levelWarn, "patch", "only package.json changed in "+dir+", which is not patchable; nothing to commit")
		return nil
	case patch == "":
		p.logPrefixed(levelWarn, "patch", "no changes detected in "+dir+"; nothing to commit")
		return nil
	case manifestDiffers:
		p.logPrefixed(levelWarn, "patch", "changes to package.json are not included in patches and were ignored")
	}
	file, err := manifest.ReadFile(filepath.Join(p.root, "package.json"))
	if err != nil {
		return err
	}
	key := m.Name + "@" + m.Version
	rel, undo, err := p.writePatch(m.Name, m.Version, patch)
	if err != nil {
		return err
	}
	file.Set(jsjson.NewString(rel), "patchedDependencies", key)
	orphan, update := "", mark != nil && mark.Name == m.Name
	if update && mark.RemoveKey != nil && *mark.RemoveKey != key {
		if name, _ := patches.SplitKey(*mark.RemoveKey); name == m.Name {
			orphan = dropSelector(file, *mark.RemoveKey)
		}
	}
	if update {
		p.recordOnly()
	}
	if err := p.record(ctx, file, undo); err != nil {
		return err
	}
	if err := p.removePatch(orphan); err != nil {
		return err
	}
	if !p.Config.Bool("keep-edit-dir") {
		if err := discardEdited(dir, os.RemoveAll); err != nil {
			return err
		}
	}
	p.out("Patched %s -> %s", key, rel)
	return nil
}

// discardEdited removes an edited folder, and first what makes it a folder of patch
// add: of half of it, should this be killed, another commit would make a patch that
// removes the other half.
func discardEdited(dir string, removeAll func(string) error) error {
	os.Remove(filepath.Join(dir, "package.json"))
	return removeAll(dir)
}

func readMarker(dir string) (*marker, error) {
	data, err := regular.ReadFile(filepath.Join(dir, updateMarker))
	if err != nil {
		return nil, nil
	}
	m := new(marker)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, &codedError{code: "EPATCHBADMARKER", text: filepath.Join(dir, updateMarker) + ": " + err.Error()}
	}
	return m, nil
}

// writePatch writes a patch where package.json will say that it is, and gives
// that path, relative to the project. undo has there what was there before.
func (p *patcher) writePatch(name, version, patch string) (at string, undo func() error, err error) {
	dir := p.Config.String("patches-dir")
	abs := filepath.Join(p.root, filepath.FromSlash(dir), filepath.FromSlash(name+"@"+version+".patch"))
	if filepath.IsAbs(dir) {
		abs = filepath.Join(dir, filepath.FromSlash(name+"@"+version+".patch"))
	}
	rel, err := filepath.Rel(p.root, abs)
	if err == nil {
		if clean, ok := patches.Contained(filepath.ToSlash(rel)); ok {
			if err := os.MkdirAll(filepath.Dir(abs), 0o777); err != nil {
				return "", nil, err
			}
			undo := func() error { return os.Remove(abs) }
			switch before, err := regular.ReadFile(abs); {
			case err == nil:
				undo = func() error { return writeOwn(abs, before) }
			case !errors.Is(err, fs.ErrNotExist):
				return "", nil, err
			}
			return clean, undo, writeOwn(abs, []byte(patch))
		}
	}
	return "", nil, &codedError{code: "EPATCHUNSAFE", text: fmt.Sprintf("patches-dir %q: outside of the project", dir)}
}

// dropSelector removes a selector and gives the path of its patch where no other
// has the same, else "".
func dropSelector(file *manifest.File, key string) string {
	at := file.Get("patchedDependencies", key).Str()
	file.Delete("patchedDependencies", key)
	for _, m := range file.Get("patchedDependencies").Members() {
		if m.Value.Str() == at {
			return ""
		}
	}
	return at
}

// removePatch deletes a patch of the project; "" is none.
func (p *patcher) removePatch(at string) error {
	if at == "" {
		return nil
	}
	clean, ok := patches.Contained(filepath.ToSlash(at))
	if !ok {
		return nil
	}
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return err
	}
	defer root.Close()
	err = root.Remove(filepath.FromSlash(clean))
	var system syscall.Errno
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.As(err, &system):
		return err
	}
	// A folder of the project that is a link may lead anywhere: npm follows it.
	p.logPrefixed(levelWarn, "patch", term.SafeLine(at)+": not removed: it lies outside of the project")
	return nil
}

// recordOnly has the next install write the lock and nothing else.
func (p *patcher) recordOnly() {
	p.Config.Set("package-lock-only", config.NewBool(true), config.CLI)
	p.Config.Set("allow-unused-patches", config.NewBool(true), config.CLI)
}

// record saves package.json and installs. Where that fails, package.json is as it
// was, and undo, which may be nil, has the patch as it was: the same command can be
// run again.
func (p *patcher) record(ctx context.Context, file *manifest.File, undo func() error) error {
	at := filepath.Join(p.root, "package.json")
	before, err := regular.ReadFile(at)
	if err == nil {
		err = saveFile(file)
	}
	if err == nil {
		if err = p.install(ctx); err == nil {
			return nil
		}
		if back := writeOwn(at, before); back != nil {
			// What it says is there has to stay.
			p.logPrefixed(levelWarn, "patch", back.Error())
			return err
		}
	}
	if undo != nil {
		if back := undo(); back != nil {
			p.logPrefixed(levelWarn, "patch", back.Error())
		}
	}
	return err
}

func (p *patcher) install(ctx context.Context) error {
	o, err := p.reify(ctx, change{})
	if err != nil {
		return err
	}
	p.summary(o)
	return nil
}

// ls lists the patches and how many packages each is for.
func (p *patcher) ls() error {
	file, err := manifest.ReadFile(filepath.Join(p.root, "package.json"))
	if err != nil {
		return nil // npm says nothing then
	}
	selectors := patchSelectors(file.Get("patchedDependencies"))
	if len(selectors) == 0 {
		return nil
	}
	tree, err := p.actual()
	if err != nil {
		return err
	}
	count, ambiguous := map[string]int{}, map[string]bool{}
	for n := range tree.Inventory {
		if n.IsProjectRoot() || n.IsLink() || n.Version() == "" {
			continue
		}
		s, err := patches.Match(selectors, n.Name, n.Version())
		switch {
		case err != nil:
			for i := range selectors {
				if selectors[i].Ambiguous(n.Name, n.Version()) {
					ambiguous[selectors[i].Key] = true
				}
			}
		case s != nil:
			count[s.Key]++
		}
	}
	for _, s := range selectors {
		what := fmt.Sprintf("(%d nodes)", count[s.Key])
		if count[s.Key] == 1 {
			what = "(1 node)"
		}
		if ambiguous[s.Key] {
			what = "(error: ambiguous selectors)"
		}
		p.out("%s\t%s\t%s", term.SafeLine(s.Path), term.SafeLine(s.Key), what)
	}
	return nil
}

// rm removes the patches of a package, or that of one version.
func (p *patcher) rm(ctx context.Context, raw string) error {
	s, err := spec.Parse(raw, p.Cwd)
	if err != nil {
		return err
	}
	version := wantedSpec(s)
	file, err := manifest.ReadFile(filepath.Join(p.root, "package.json"))
	if err != nil {
		return err
	}
	var removed, orphans []string
	for _, x := range patchSelectors(file.Get("patchedDependencies")) {
		if x.Name == s.Name && (version == "" || x.Spec == version) {
			removed = append(removed, x.Key)
			if _, ok := patches.Contained(filepath.ToSlash(x.Path)); !ok {
				return &codedError{code: "EPATCHUNSAFE", text: x.Path + ": the patch lies outside of the project"}
			}
			orphans = append(orphans, dropSelector(file, x.Key))
		}
	}
	if len(removed) == 0 {
		return &codedError{code: "EPATCHNOTFOUND", text: raw + ": no patch is registered", hints: []string{p.heading + " patch ls"}}
	}
	if file.Get("patchedDependencies").Len() == 0 {
		file.Delete("patchedDependencies")
	}
	if err := p.record(ctx, file, nil); err != nil {
		return err
	}
	for _, at := range orphans {
		if err := p.removePatch(at); err != nil {
			return err
		}
	}
	noun := "patch"
	if len(removed) > 1 {
		noun = "patches"
	}
	p.out("Removed %s: %s", noun, strings.Join(removed, ", "))
	return nil
}

// wantedSpec is the version or range that a spec names, "" where it names none.
func wantedSpec(s *spec.Spec) string {
	if s.RawSpec == "" || s.RawSpec == "*" {
		return ""
	}
	return s.FetchSpec
}

// patchVersion is the version that a patch was made for: its name says it.
func patchVersion(file string) string {
	_, version := patches.SplitKey(strings.TrimSuffix(path.Base(filepath.ToSlash(file)), ".patch"))
	v, err := nodesemver.Parse(version, false)
	if err != nil {
		return ""
	}
	return v.String()
}

// lockedVersions are the versions of a package that the lock has, nil where there
// is no lock that can be read.
func (p *patcher) lockedVersions(name string) []string {
	lock, err := lockfile.Load(p.root)
	if err != nil {
		return nil
	}
	out := []string{}
	for _, x := range lock.Packages {
		if x.Location.Name() == name && !x.Link && x.Version() != "" && strings.Contains("/"+string(x.Location), "/node_modules/") && !slices.Contains(out, x.Version()) {
			out = append(out, x.Version())
		}
	}
	return out
}
