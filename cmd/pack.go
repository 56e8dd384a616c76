package cmd

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ibid-pm/ibid/fetch"
	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/lifecycle"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/packlist"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/tarball"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/registry"
	"github.com/ibid-pm/ibid/resolver"
)

func newPackCmd(a *App) *cobra.Command {
	return declare(&cobra.Command{
		Use:   "pack [<package-spec> ...]",
		Short: "Make the tarball that would be published",
		Long: "The tarball is written to the current folder or to --pack-destination. The scripts prepack,\n" +
			"prepare and postpack run. Files that look like secrets are warned of.",
		Example: "  ibid pack\n  ibid pack --dry-run\n  ibid pack --json -w packages/a",
	}, []string{"dry-run", "json", "pack-destination", "workspace", "workspaces", "include-workspace-root", "ignore-scripts"},
		func(c *cobra.Command, args []string) error { return runPack(c.Context(), a, args) })
}

func runPack(ctx context.Context, a *App, args []string) error {
	folders, err := a.packFolders(&args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	// All are looked at before the first is packed, so that what is wrong with
	// the last shows before any script has run.
	all := make([]*packable, len(args))
	for i, arg := range args {
		if all[i], err = a.packable(ctx, arg); err != nil {
			return err
		}
	}
	var done []*tarballContents
	for _, p := range all {
		tgz, err := a.packTarball(ctx, p, folders)
		if err != nil {
			return err
		}
		if !a.Config.Bool("dry-run") {
			if err := a.writeTarball(p, tgz); err != nil {
				return err
			}
		}
		t, err := readContents(p.name, p.version, tgz)
		if err != nil {
			return err
		}
		if p.dir != "" {
			a.warnSecrets(t, tgz)
		}
		done = append(done, t)
	}
	shown := jsjson.NewObject()
	for _, t := range done {
		if a.json() {
			shown = shown.With(t.name, t.json())
			continue
		}
		a.tellContents(t)
		a.out("%s", t.filename)
	}
	if a.json() {
		a.printJSON(shown)
	}
	return nil
}

// packFolders gives the folders of the workspaces that a command is for, and
// puts them in the place of "." among the words. Words that name something else
// win over workspaces.
func (a *App) packFolders(args *[]string) ([]string, error) {
	if !a.inWorkspaces() {
		return nil, nil
	}
	if len(*args) > 0 && !slices.Contains(*args, ".") {
		a.log(levelWarn, "Ignoring workspaces for specified package(s)")
		return nil, nil
	}
	selected, err := a.selectedWorkspaces(a.Config.Bool("include-workspace-root"))
	if err != nil {
		return nil, err
	}
	var folders, words []string
	for _, w := range selected {
		folders = append(folders, w.Path)
	}
	words = append(words, folders...)
	for _, arg := range *args {
		if arg != "." {
			words = append(words, arg)
		}
	}
	*args = words
	return folders, nil
}

// packable is a package that a tarball can be made or fetched of.
type packable struct {
	spec          *spec.Spec
	dir           string // its folder; "" for what is fetched
	file          *manifest.File
	name, version string
	request       *fetch.Request
	manifest      jsjson.Raw // the registry's whole manifest, where there is one
}

// packable finds out what a word names, without packing it.
func (a *App) packable(ctx context.Context, arg string) (*packable, error) {
	sp, err := spec.Parse(arg, a.Config.Cwd())
	if err != nil {
		return nil, err
	}
	p := &packable{spec: sp}
	if sp.Type == spec.Directory {
		p.dir = sp.FetchSpec
		if p.file, err = manifest.ReadFile(filepath.Join(p.dir, "package.json")); err != nil {
			return nil, err
		}
		m := p.file.Manifest()
		p.name, p.version = m.Name, m.Version
	} else if err := a.findFetched(ctx, p); err != nil {
		return nil, err
	}
	if p.name == "" || p.version == "" {
		return nil, errors.New("Invalid package, must have name and version")
	}
	return p, nil
}

// findFetched looks up a package that is no folder.
func (a *App) findFetched(ctx context.Context, p *packable) error {
	sp := p.spec
	s, err := a.source(a.fetcher())
	if err != nil {
		return err
	}
	if !sp.Registry {
		f, err := s.Manifest(ctx, sp, resolver.Wish{})
		if err != nil {
			return err
		}
		p.name, p.version = f.Manifest.Name, f.Manifest.Version
		p.request = requestFor(sp.String(), p.name, f.Resolved, f.Integrity)
		return nil
	}
	target := sp
	if sp.Type == spec.Alias {
		target = sp.Sub
	}
	packument, err := s.client.FreshPackument(ctx, target.Name)
	if err != nil {
		return err
	}
	o := s.pick
	if !excluded(a.Config.MinReleaseAgeExclude())(target.Name) {
		o.Before = a.Config.Before()
	}
	picked, err := registry.PickVersion(packument, target, o)
	if err != nil {
		return err
	}
	m := picked.Manifest
	p.name, p.version = m.Name, m.Version
	p.request = requestFor(p.name+"@"+p.version, p.name, m.Dist.Tarball, m.Dist.Integrity)
	p.manifest, err = packument.FullManifest(picked.Version)
	return err
}

// packTarball makes the tarball of a package, running its scripts, or fetches it
// (npm: libnpmpack lib/index.js). folders are those of the workspaces that the
// command is for.
func (a *App) packTarball(ctx context.Context, p *packable, folders []string) ([]byte, error) {
	if p.dir == "" {
		tgz, err := getter{a}.Tarball(ctx, p.request, nil)
		if err != nil {
			return nil, err
		}
		if p.request.Integrity != "" {
			if err := integrity.Parse(p.request.Integrity).CheckData(tgz); err != nil {
				return nil, fmt.Errorf("%s: checking its tarball: %w", p.request.ID, err)
			}
		}
		return tgz, nil
	}
	if err := a.checkBundle(p.dir, p.file.Content()); err != nil {
		return nil, err
	}
	if err := a.packScript(ctx, p.dir, "prepack", p.file); err != nil {
		return nil, err
	}
	// prepack may have written another package.json.
	file, err := manifest.ReadFile(filepath.Join(p.dir, "package.json"))
	if err != nil {
		return nil, err
	}
	if err := a.packScript(ctx, p.dir, "prepare", file, "npm_package_resolved="+p.dir, "npm_package_integrity="); err != nil {
		return nil, err
	}
	tgz, err := a.tarballOf(p.dir, folders)
	if err != nil {
		return nil, err
	}
	sri := integrity.SRI{integrity.Sum("sha512", tgz)}.String()
	return tgz, a.packScript(ctx, p.dir, "postpack", p.file,
		"npm_package_from=file:"+p.dir, "npm_package_resolved="+p.dir, "npm_package_integrity="+sri)
}

// tarballOf packs a folder as it is now.
func (a *App) tarballOf(dir string, folders []string) ([]byte, error) {
	m, err := manifest.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	ignore, err := a.globalIgnore()
	if err != nil {
		return nil, err
	}
	tgz, list, err := packTree(dir, m, packlist.Options{Prefix: a.Config.LocalPrefix(), Workspaces: folders, GlobalIgnore: ignore})
	if list != nil {
		for _, w := range list.Warnings {
			a.logPrefixed(levelWarn, w.Title, term.SafeLine(w.Text))
		}
	}
	return tgz, err
}

// globalIgnore is the user's own ignore file; most have none. A project can name
// another one, so that it is not read without end.
func (a *App) globalIgnore() (string, error) {
	const most = 1 << 20
	name := a.Config.String("global-ignore-file")
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(text) > most {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("more than 1 MB of ignore rules")}
	}
	return string(text), err
}

// checkBundle refuses to pack bundled packages that the project's overrides
// chose: whoever installs the package has no overrides, and would find the
// bundle wrong (npm: libnpmpack lib/index.js).
func (a *App) checkBundle(dir string, content jsjson.Value) error {
	bundles := func(key string) bool { v := content.Get(key); return v.Truthy() && (!v.IsArray() || v.Len() > 0) }
	if content.Get("overrides").Len() == 0 || !bundles("bundleDependencies") && !bundles("bundledDependencies") {
		return nil
	}
	tree, err := resolver.LoadActual(resolver.ActualOptions{Dir: dir})
	if err != nil {
		return err
	}
	var names []string
	for n := range tree.Inventory {
		if !n.IsProjectRoot() && n.InBundle() && !n.InDepBundle() && n.Overridden() {
			names = append(names, n.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return &codedError{
		code:  "EBUNDLEOVERRIDE",
		text:  "Cannot pack or publish: \"overrides\" decide the version of what is bundled: " + term.SafeLine(strings.Join(slices.Compact(names), ", ")),
		hints: []string{"whoever installs this package has no overrides: take these out of bundleDependencies or out of overrides"},
	}
}

// packScript runs a package's script for an event, if it has one. It has the
// terminal unless foreground-scripts was said to be false.
func (a *App) packScript(ctx context.Context, dir, event string, file *manifest.File, environ ...string) error {
	cfg := a.Config
	if cfg.Bool("ignore-scripts") {
		return nil
	}
	m := file.Manifest()
	command := lifecycle.Command(event, dir, m.Scripts, gypFile(m.GypFile))
	if command == "" {
		return nil
	}
	r := a.runner()
	r.environ = append(r.environ, environ...)
	hidden := !cfg.IsDefault("foreground-scripts") && !cfg.Bool("foreground-scripts")
	switch event {
	case "prepublishOnly", "publish", "postpublish":
		hidden = false
	}
	return r.run(ctx, script{dir: dir, event: event, command: command, pkg: packageOf(file), hidden: hidden})
}

// tarballName is the name of a package's tarball: "scope-name-1.0.0.tgz".
func tarballName(name, version string) string {
	return strings.NewReplacer("/", "-", `\`, "-").Replace(strings.TrimPrefix(name+"-"+version, "@")) + ".tgz"
}

func (a *App) writeTarball(p *packable, tgz []byte) error {
	dir := a.Config.String("pack-destination")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(a.Config.Cwd(), dir)
	}
	return writeFile(filepath.Join(dir, tarballName(p.name, p.version)), tgz)
}

// tarballContents says what is in a tarball (npm: lib/utils/tar.js).
type tarballContents struct {
	name, version string
	filename      string
	size          int   // of the tarball
	unpacked      int64 // of its files together
	shasum        string
	integrity     string
	files         []packedFile
	bundled       []string // names of bundled dependencies
}

type packedFile struct {
	path string
	size int64
	mode int64
}

func (t *tarballContents) id() string { return t.name + "@" + t.version }

func readContents(name, version string, tgz []byte) (*tarballContents, error) {
	t := &tarballContents{
		name: name, version: version, size: len(tgz),
		filename:  tarballName(name, version),
		shasum:    integrity.Sum("sha1", tgz).Hex(),
		integrity: integrity.SRI{integrity.Sum("sha512", tgz)}.String(),
	}
	err := eachPacked(name, tgz, func(h *tar.Header, _ io.Reader) error {
		if rest, ok := strings.CutPrefix(h.Name, "package/node_modules/"); ok && rest != "" {
			if dep := bundledName(rest); dep != "" && !slices.Contains(t.bundled, dep) {
				t.bundled = append(t.bundled, dep)
			}
		}
		t.unpacked += h.Size
		t.files = append(t.files, packedFile{strings.TrimPrefix(h.Name, "package/"), h.Size, h.Mode})
		return nil
	})
	if err != nil {
		return nil, err
	}
	sortPacked(t.files)
	return t, nil
}

// eachPacked calls visit for each entry of a tarball.
func eachPacked(name string, tgz []byte, visit func(*tar.Header, io.Reader) error) error {
	data, err := tarball.Inflate(tgz, tarball.Limits{}, nil)
	if err != nil {
		return fmt.Errorf("%s: reading its tarball: %w", name, err)
	}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: reading its tarball: %w", name, err)
		}
		if err := visit(h, r); err != nil {
			return err
		}
	}
}

// bundledName is the package that a path below node_modules belongs to.
func bundledName(path string) string {
	name, rest, _ := strings.Cut(path, "/")
	if strings.HasPrefix(name, "@") {
		second, _, _ := strings.Cut(rest, "/")
		if second == "" {
			return name
		}
		return name + "/" + second
	}
	return name
}

// sortPacked puts files into the order in which npm lists them: names that start
// with a capital, or with no letter at all, before the others; digits count as
// the numbers that they write.
func sortPacked(files []packedFile) {
	type key struct {
		lower bool
		text  string
	}
	keys := make(map[string]key, len(files))
	for _, f := range files {
		var first string
		for _, r := range f.path {
			if r <= 0xFFFF { // JavaScript sees half a character beyond, which has no case
				first = string(r)
			}
			break
		}
		keys[f.path] = key{first != strings.ToUpper(first) || slices.ContainsFunc(widening[:], func(r [2]rune) bool {
			return first != "" && r[0] <= []rune(first)[0] && []rune(first)[0] <= r[1]
		}), padNumbers(f.path)}
	}
	slices.SortStableFunc(files, func(x, y packedFile) int {
		kx, ky := keys[x.path], keys[y.path]
		if kx.lower != ky.lower {
			if kx.lower {
				return 1
			}
			return -1
		}
		return collate.Compare(kx.text, ky.text)
	})
}

// widening are the characters that JavaScript's toUpperCase makes several of,
// as it does "FI" of "ﬁ"; strings.ToUpper has one for one.
var widening = [...][2]rune{
	{0xdf, 0xdf}, {0x149, 0x149}, {0x1f0, 0x1f0}, {0x390, 0x390}, {0x3b0, 0x3b0}, {0x587, 0x587}, {0x1e96, 0x1e9a}, {0x1f50, 0x1f50},
	{0x1f52, 0x1f52}, {0x1f54, 0x1f54}, {0x1f56, 0x1f56}, {0x1f80, 0x1faf}, {0x1fb2, 0x1fb4}, {0x1fb6, 0x1fb7}, {0x1fbc, 0x1fbc},
	{0x1fc2, 0x1fc4}, {0x1fc6, 0x1fc7}, {0x1fcc, 0x1fcc}, {0x1fd2, 0x1fd3}, {0x1fd6, 0x1fd7}, {0x1fe2, 0x1fe4}, {0x1fe6, 0x1fe7},
	{0x1ff2, 0x1ff4}, {0x1ff6, 0x1ff7}, {0x1ffc, 0x1ffc}, {0xfb00, 0xfb06}, {0xfb13, 0xfb17},
}

// padNumbers gives every number in s the same width, so that comparing texts
// compares numbers.
func padNumbers(s string) string {
	const width = 24
	var b strings.Builder
	for i := 0; i < len(s); {
		n := i
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == i {
			b.WriteByte(s[i])
			i++
			continue
		}
		digits := strings.TrimLeft(s[i:n], "0")
		b.WriteString(strings.Repeat("0", max(0, width-len(digits))))
		b.WriteString(digits)
		i = n
	}
	return b.String()
}

// json is the tarball as --json shows it.
func (t *tarballContents) json() jsjson.Value {
	files := make([]jsjson.Value, len(t.files))
	for i, f := range t.files {
		files[i] = jsjson.NewObject(
			jsjson.Member{Key: "path", Value: jsjson.NewString(f.path)},
			jsjson.Member{Key: "size", Value: jsjson.NewNumber(float64(f.size))},
			jsjson.Member{Key: "mode", Value: jsjson.NewNumber(float64(f.mode))},
		)
	}
	bundled := make([]jsjson.Value, len(t.bundled))
	for i, name := range t.bundled {
		bundled[i] = jsjson.NewString(name)
	}
	return jsjson.NewObject(
		jsjson.Member{Key: "id", Value: jsjson.NewString(t.id())},
		jsjson.Member{Key: "name", Value: jsjson.NewString(t.name)},
		jsjson.Member{Key: "version", Value: jsjson.NewString(t.version)},
		jsjson.Member{Key: "size", Value: jsjson.NewNumber(float64(t.size))},
		jsjson.Member{Key: "unpackedSize", Value: jsjson.NewNumber(float64(t.unpacked))},
		jsjson.Member{Key: "shasum", Value: jsjson.NewString(t.shasum)},
		jsjson.Member{Key: "integrity", Value: jsjson.NewString(t.integrity)},
		jsjson.Member{Key: "filename", Value: jsjson.NewString(t.filename)},
		jsjson.Member{Key: "files", Value: jsjson.NewArray(files...)},
		jsjson.Member{Key: "entryCount", Value: jsjson.NewNumber(float64(len(t.files)))},
		jsjson.Member{Key: "bundled", Value: jsjson.NewArray(bundled...)},
	)
}

// tellContents lists a tarball for people.
func (a *App) tellContents(t *tarballContents) {
	say := func(format string, args ...any) { a.log(levelNotice, fmt.Sprintf(format, args...)) }
	mark := "package:"
	if a.Config.Bool("unicode") {
		mark = "📦 "
	}
	say("")
	say("%s %s", mark, term.SafeLine(t.id()))
	say("Tarball Contents")
	for _, f := range t.files {
		if !strings.HasPrefix(f.path, "node_modules/") {
			say("%s %s", formatBytes(f.size, ""), term.SafeLine(f.path))
		}
	}
	if len(t.bundled) > 0 {
		say("Bundled Dependencies")
		for _, name := range t.bundled {
			say("%s", term.SafeLine(name))
		}
	}
	say("Tarball Details")
	say("name: %s", term.SafeLine(t.name))
	say("version: %s", term.SafeLine(t.version))
	say("filename: %s", term.SafeLine(t.filename))
	say("package size: %s", formatBytes(int64(t.size), " "))
	say("unpacked size: %s", formatBytes(t.unpacked, " "))
	say("shasum: %s", t.shasum)
	say("integrity: %s[...]%s", t.integrity[:20], t.integrity[80:])
	if len(t.bundled) > 0 {
		say("bundled deps: %d", len(t.bundled))
		say("bundled files: 0") // npm counts them among the package's own
		say("own files: %d", len(t.files))
	}
	say("total files: %d", len(t.files))
	say("")
}

// formatBytes writes a size for people (npm: lib/utils/format-bytes.js).
func formatBytes(n int64, space string) string {
	switch f := float64(n); {
	case n < 1000:
		return strconv.FormatInt(n, 10) + space + "B"
	case n < 999950:
		return strconv.FormatFloat(f/1e3, 'f', 1, 64) + space + "kB"
	case n < 999950000:
		return strconv.FormatFloat(f/1e6, 'f', 1, 64) + space + "MB"
	default:
		return strconv.FormatFloat(f/1e9, 'f', 1, 64) + space + "GB"
	}
}

// secret is a file about to be packed that looks as if nobody else should see it.
type secret struct{ path, why string }

// warnSecrets says which of the files that are packed look like secrets.
func (a *App) warnSecrets(t *tarballContents, tgz []byte) []secret {
	found, err := findSecrets(t.name, tgz)
	if err != nil {
		a.log(levelVerbose, err.Error())
	}
	for _, s := range found {
		a.logPrefixed(levelWarn, "secrets", fmt.Sprintf("%s is packed and %s", term.SafeLine(s.path), s.why))
	}
	if len(found) > 0 {
		a.hint("leave them out with \"files\" in package.json or with an .npmignore")
	}
	return found
}

// secretsUpTo bounds the files that are searched for secrets.
const secretsUpTo = 1 << 20

// findSecrets looks at names and contents of a tarball's files, bundled
// dependencies left out.
func findSecrets(name string, tgz []byte) ([]secret, error) {
	var found []secret
	err := eachPacked(name, tgz, func(h *tar.Header, r io.Reader) error {
		path := strings.TrimPrefix(h.Name, "package/")
		if strings.HasPrefix(path, "node_modules/") {
			return nil
		}
		if why := secretName(path); why != "" {
			found = append(found, secret{path, why})
			return nil
		}
		if h.Size > secretsUpTo {
			return nil
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if why := secretContent(data); why != "" {
			found = append(found, secret{path, why})
		}
		return nil
	})
	slices.SortFunc(found, func(x, y secret) int { return cmp.Compare(x.path, y.path) })
	return found, err
}

// secretName says what a file's name gives away, "" for nothing.
func secretName(path string) string {
	base := strings.ToLower(path[strings.LastIndexByte(path, '/')+1:])
	if base == ".env" || strings.HasPrefix(base, ".env.") {
		switch strings.TrimPrefix(base, ".env.") {
		case "example", "sample", "template", "dist", "defaults", "schema":
			return ""
		}
		return "is an environment file"
	}
	switch base {
	case "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519":
		return "is a private SSH key"
	case ".npmrc", ".netrc", "_netrc", ".pypirc", ".git-credentials", ".htpasswd", ".dockercfg":
		return "usually holds credentials"
	}
	switch filepath.Ext(base) {
	case ".p12", ".pfx", ".jks", ".keystore", ".kdbx":
		return "is a store of keys"
	}
	return ""
}

// secretContent says what a file's content gives away, "" for nothing.
func secretContent(data []byte) string {
	if i := bytes.Index(data, []byte("-----BEGIN ")); i >= 0 {
		head := data[i:min(len(data), i+64)]
		end := bytes.Index(head, []byte("PRIVATE KEY-----"))
		// A program that knows how keys look has the line, but no key behind it.
		if end >= 0 {
			body := bytes.TrimLeft(data[i+end+len("PRIVATE KEY-----"):], "\r\n \\nr")
			if wordLength(body, 48) >= 40 {
				return "holds a private key"
			}
		}
	}
	for _, t := range [...]struct {
		prefix string
		length int // of what follows
		why    string
	}{
		{"npm_", 36, "holds what looks like an npm token"},
		{"ghp_", 36, "holds what looks like a GitHub token"},
		{"gho_", 36, "holds what looks like a GitHub token"},
		{"ghs_", 36, "holds what looks like a GitHub token"},
		{"github_pat_", 82, "holds what looks like a GitHub token"},
		{"glpat-", 20, "holds what looks like a GitLab token"},
		{"AKIA", 16, "holds what looks like an AWS key"},
	} {
		rest := data
		for {
			i := bytes.Index(rest, []byte(t.prefix))
			if i < 0 {
				break
			}
			alone := i == 0 || !wordByte(rest[i-1])
			rest = rest[i+len(t.prefix):]
			if alone && wordLength(rest, t.length+1) == t.length && bytes.ContainsAny(rest[:t.length], "0123456789") {
				return t.why
			}
		}
	}
	return ""
}

// wordLength counts the letters and digits that data starts with, up to most.
func wordLength(data []byte, most int) int {
	n := 0
	for n < len(data) && n < most && (wordByte(data[n]) || data[n] == '+' || data[n] == '/' || data[n] == '-') {
		n++
	}
	return n
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
