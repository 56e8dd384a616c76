package packlist

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/minimatch"
	"github.com/ibid-pm/ibid/internal/regular"
)

// Options say what surrounds the package.
type Options struct {
	// Prefix is the project's folder and Workspaces are those of its
	// workspaces that the command is about, both absolute. A workspace also
	// obeys the ignore files between the project and itself; the project
	// leaves out its workspaces. They may be empty.
	Prefix     string
	Workspaces []string

	// GlobalIgnore is the text of the global-ignore-file: more default rules,
	// which "files" in package.json overrides.
	GlobalIgnore string
}

// A List is what goes into a tarball.
type List struct {
	Files    []string // relative to the package's folder, with slashes, in npm's order; "@x" is "./@x"
	Warnings []Warning
}

// A Warning is npm's.
type Warning struct{ Title, Text string }

// Files lists what npm would pack of tree.
func Files(tree *Tree, o Options) (*List, error) {
	out := new(List)
	w := &walker{
		list:  out,
		tree:  tree,
		dir:   tree.Path,
		isPkg: true,
		seen:  make(map[string]bool),
		order: []source{defaultRules, globalRules, packageJSON, npmignore, gitignore, strictRules},
	}
	more, err := surroundings(tree.Path, o)
	if err != nil {
		return nil, err
	}
	w.start(more)
	if o.GlobalIgnore != "" {
		w.inject(globalRules, o.GlobalIgnore)
	}
	if out.Files, err = w.run(); err != nil {
		return nil, err
	}
	return out, nil
}

// A source is where rules come from; its order in a walker is their precedence.
type source int

const (
	defaultRules source = iota // ours, which others may override
	globalRules                // the user's; in the root only
	packageJSON                // "files"
	npmignore
	gitignore
	strictRules // ours, which nobody overrides
	sources
)

var fileOf = [sources]string{packageJSON: "package.json", npmignore: ".npmignore", gitignore: ".gitignore"}

// What is left out wherever it is, unless something includes it again.
const defaults = `.npmignore
.gitignore
**/.git
**/.svn
**/.hg
**/CVS
**/.git/**
**/.svn/**
**/.hg/**
**/CVS/**
/.lock-wscript
/.wafpickle-*
/build/config.gypi
npm-debug.log
**/.npmrc
.*.swp
.DS_Store
**/.DS_Store/**
._*
**/._*/**
*.orig
/archived-packages/**
`

// What is in or out of a package whatever anybody says; main, browser and bins
// come after it.
const strict = `/.git
!/package.json
!/readme{,.*[^~$]}
!/copying{,.*[^~$]}
!/license{,.*[^~$]}
!/licence{,.*[^~$]}
/.git
/node_modules
.npmrc
/package-lock.json
/npm-shrinkwrap.json
/yarn.lock
/pnpm-lock.yaml
/bun.lockb
/bun.lock
/.npm-extension.mjs
/.npm-extension.cjs
`

// surroundings are more default rules, from outside of the package.
func surroundings(dir string, o Options) (string, error) {
	if o.Prefix == "" || o.Workspaces == nil {
		return "", nil
	}
	if dir == o.Prefix {
		var b strings.Builder
		for _, ws := range o.Workspaces {
			rel, err := filepath.Rel(dir, ws)
			if err != nil {
				return "", err
			}
			b.WriteString(filepath.ToSlash(rel) + "\n")
		}
		return b.String(), nil
	}
	if !slices.Contains(o.Workspaces, dir) {
		return "", nil
	}
	rel, err := filepath.Rel(o.Prefix, filepath.Dir(dir))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	at := o.Prefix
	for names := strings.Split(filepath.ToSlash(rel), "/"); ; names = names[1:] {
		for _, name := range []string{".npmignore", ".gitignore"} {
			data, err := regular.ReadFile(filepath.Join(at, name))
			if err == nil {
				b.Write(data)
				b.WriteByte('\n')
				break
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return "", err
			}
		}
		if len(names) == 0 || names[0] == "." {
			return b.String(), nil
		}
		at = filepath.Join(at, names[0])
	}
}

// A walker is in one folder. It asks its parent's rules before its own.
type walker struct {
	list   *List
	tree   *Tree
	parent *walker
	root   *walker
	dir    string // absolute
	name   string // last component of dir
	order  []source
	rules  [sources][]rule
	has    [sources]bool // that there is a set of rules, which may be empty
	exact  bool          // a rule named this very folder
	isPkg  bool
	seen   map[string]bool

	// Of the root only.
	result []string
	in     map[string]bool
}

func (w *walker) start(more string) {
	if w.parent == nil {
		w.root = w
		w.in = make(map[string]bool)
	} else {
		w.root = w.parent.root
	}
	w.name = filepath.Base(w.dir)
	w.inject(defaultRules, defaults+more)
	if !w.isPkg {
		w.inject(strictRules, "/.git\n")
	}
}

// inject parses the lines of an ignore file.
func (w *walker) inject(s source, text string) {
	var rules []rule
	for line := range strings.SplitSeq(text, "\n") {
		line = js.Trim(line)
		if line == "" || line[0] == '#' {
			continue
		}
		rules = append(rules, parseRule(line))
	}
	w.rules[s], w.has[s] = rules, true
}

// run walks the package and what it bundles, and sorts.
func (w *walker) run() ([]string, error) {
	if err := w.walk(); err != nil {
		return nil, err
	}
	if err := w.bundles(); err != nil {
		return nil, err
	}
	for i, f := range w.result {
		if strings.HasPrefix(f, "@") {
			// tar would read another archive instead.
			w.result[i] = "./" + f
		}
	}
	slices.SortStableFunc(w.result, compare)
	return w.result, nil
}

func (w *walker) walk() error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	for _, s := range w.order {
		if fileOf[s] == "" {
			continue
		}
		if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == fileOf[s] }) {
			continue
		}
		if s == packageJSON && w.isPkg {
			if err := w.processPackage(); err != nil {
				return err
			}
			continue
		}
		// In a folder of a project with workspaces this is the package.json
		// of anything: npm reads its lines as patterns.
		data, err := regular.ReadFile(filepath.Join(w.dir, fileOf[s]))
		if err != nil {
			return err
		}
		w.inject(s, string(data))
	}

	// One of them counts.
	switch {
	case w.has[packageJSON]:
		w.rules[npmignore], w.rules[gitignore] = nil, nil
	case w.has[npmignore]:
		w.rules[gitignore] = nil
	case w.has[gitignore] && w.parent == nil:
		w.list.Warnings = append(w.list.Warnings, Warning{"gitignore-fallback", "No .npmignore file found, using .gitignore for file exclusion. Consider creating a .npmignore file to explicitly control published files."})
	}

	for _, e := range entries {
		// Windows can't have a * in a name; other characters are tar's business.
		if strings.Contains(e.Name(), "*") {
			continue
		}
		asFile := w.filter(e.Name(), false, "")
		asDir := w.filter(e.Name(), true, "")
		if !asFile && !asDir {
			continue
		}
		switch {
		case e.IsDir():
			if asDir {
				if err := w.descend(e.Name(), asFile); err != nil {
					return err
				}
			}
		case e.Type().IsRegular():
			if asFile {
				w.root.add(filepath.ToSlash(strings.TrimPrefix(w.dir[len(w.root.dir):], string(filepath.Separator))), e.Name())
			}
		}
	}
	return nil
}

func (w *walker) add(dir, name string) {
	p := path.Join(dir, name)
	if !w.in[p] {
		w.in[p] = true
		w.result = append(w.result, p)
	}
}

// descend walks a folder below.
func (w *walker) descend(name string, asFile bool) error {
	child := &walker{
		list:   w.list,
		tree:   w.tree,
		parent: w,
		dir:    filepath.Join(w.dir, name),
		exact:  asFile || w.filter(name+"/", false, ""),
		seen:   w.seen,
		order:  []source{defaultRules, npmignore, gitignore, strictRules},
	}
	if w.tree.Workspaces != nil {
		// npm means to do this for the folders of workspaces, but a slip
		// makes it do so for all folders.
		child.order = []source{defaultRules, packageJSON, npmignore, gitignore, strictRules}
	}
	child.start("")
	return child.walk()
}

// filter says whether the rules let entry in, a path relative to w.dir.
// partial asks it of a folder: whether anything below could be. base is the
// entry's own name where entry is a longer path.
func (w *walker) filter(entry string, partial bool, base string) bool {
	included := true
	if w.parent != nil {
		parentBase := base
		if parentBase == "" {
			parentBase = entry
		}
		included = w.parent.filter(w.name+"/"+entry, partial, parentBase)
		if !included && !w.exact {
			return false
		}
	}
	rooted, plain := minimatch.Split("/"+entry), minimatch.Split(entry)
	var rootedDir, plainDir, rootedBase, plainBase, rootedBaseDir, plainBaseDir []string
	if partial {
		rootedDir, plainDir = minimatch.Split("/"+entry+"/"), minimatch.Split(entry+"/")
		if base != "" {
			rootedBase, plainBase = minimatch.Split("/"+base), minimatch.Split(base)
			rootedBaseDir, plainBaseDir = minimatch.Split("/"+base+"/"), minimatch.Split(base+"/")
		}
	}
	for _, s := range w.order {
		for i := range w.rules[s] {
			r := &w.rules[s][i]
			if r.Negated() == included {
				continue
			}
			hit := r.Hits(rooted, false) || r.Hits(plain, false)
			if !hit && partial {
				hit = r.Hits(rootedDir, false) || r.Hits(plainDir, false) ||
					r.Negated() && (r.Hits(rooted, true) || r.Hits(plain, true))
				if !hit && base != "" && r.relative {
					hit = r.Hits(rootedBaseDir, false) || r.Hits(plainBaseDir, false) ||
						r.Negated() && (r.Hits(rootedBase, true) || r.Hits(plainBase, true))
				}
			}
			if hit {
				included = r.Negated()
			}
		}
	}
	return included
}

// processPackage makes rules of what package.json says.
func (w *walker) processPackage() error {
	p := w.tree.Package
	text := strict
	files, hasFiles, err := p.files()
	if err != nil {
		return fmt.Errorf("%s: reading files: %w", filepath.Join(w.dir, "package.json"), err)
	}
	var ignores []string
	if hasFiles {
		ignores = w.globFiles(files)
		w.inject(packageJSON, "*\n"+lines(ignores))
	}
	for _, must := range p.required() {
		text += "!/" + must + "\n"
	}
	if w.tree.IsRoot {
		text += w.patches(hasFiles, ignores)
	}
	w.inject(strictRules, text)
	return nil
}

func lines(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, "\n") + "\n"
}

// globFiles makes rules of "files": an entry stands for what it matches on disk
// now.
func (w *walker) globFiles(files []string) (ignores []string) {
	for _, entry := range files {
		sign := "!"
		pattern := entry
		if strings.HasPrefix(entry, "!") {
			sign = ""
			pattern = strings.TrimLeft(entry, "!")
		}
		if after, ok := strings.CutPrefix(pattern, "./"); ok {
			pattern = after
		} else {
			pattern = strings.TrimPrefix(pattern, "/")
		}
		if pattern = strings.TrimRight(pattern, "/"); pattern == "" {
			continue
		}
		seen := make(map[string]bool)
		for _, m := range expandGlob(w.dir, pattern) {
			if seen[m.path] {
				continue
			}
			seen[m.path] = true
			ignores = append(ignores, sign+"/"+m.path)
			if m.dir {
				ignores = append(ignores, sign+"/"+m.path+"/**")
			}
		}
	}
	return ignores
}

// patches are rules that leave out the files of patchedDependencies.
func (w *walker) patches(hasFiles bool, ignores []string) string {
	var b strings.Builder
	for _, m := range w.tree.Package.Content.Get("patchedDependencies").Members() {
		if !m.Value.IsString() {
			continue
		}
		rel := strings.ReplaceAll(m.Value.Str(), `\`, "/")
		if after, ok := strings.CutPrefix(rel, "./"); ok {
			rel = after
		} else {
			rel = strings.TrimPrefix(rel, "/")
		}
		rel = strings.TrimRight(rel, "/")
		if rel == "" || rel[0] == '/' || rel == ".." || strings.HasPrefix(rel, "../") || strings.Contains(rel, "/../") {
			continue
		}
		if hasFiles && (slices.Contains(ignores, "!/"+rel) || slices.Contains(ignores, "!/"+path.Dir(rel)+"/**")) {
			w.list.Warnings = append(w.list.Warnings, Warning{"patched-dependencies", fmt.Sprintf("excluding %q from the package tarball: patch files in patchedDependencies must not be published", rel)})
		}
		b.WriteString("/" + rel + "\n")
	}
	return b.String()
}

// bundles adds the files of bundled dependencies, and of theirs.
func (w *walker) bundles() error {
	id := w.tree.id()
	if w.seen[id] {
		return nil
	}
	w.seen[id] = true
	for _, name := range w.tree.toBundle() {
		if w.tree.Dependency == nil {
			return nil
		}
		dep, err := w.tree.Dependency(name)
		if err != nil {
			return err
		}
		if dep == nil {
			continue
		}
		inner := &walker{
			list:  w.list,
			tree:  dep,
			dir:   dep.Path,
			isPkg: true,
			seen:  w.seen,
			order: []source{packageJSON, strictRules},
		}
		if dep.IsLink {
			// What is linked wasn't packed before: its ignore files count.
			inner.order = []source{defaultRules, packageJSON, npmignore, gitignore, strictRules}
		}
		inner.start("")
		files, err := inner.run()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(w.dir, dep.Path)
		if err != nil {
			return err
		}
		for _, f := range files {
			w.add(filepath.ToSlash(rel), f)
		}
	}
	return nil
}

// compare orders files so that they compress well: by extension, name, path.
func compare(a, b string) int {
	if c := collate.Compare(strings.ToLower(extension(a)), strings.ToLower(extension(b))); c != 0 {
		return c
	}
	if c := collate.Compare(strings.ToLower(path.Base(a)), strings.ToLower(path.Base(b))); c != 0 {
		return c
	}
	return collate.Compare(a, b)
}

// extension is node's path.extname: that of .bashrc is empty.
func extension(p string) string {
	base := path.Base(p)
	i := strings.LastIndexByte(base, '.')
	if i <= 0 || base == ".." {
		return ""
	}
	return base[i:]
}

// text is how JavaScript writes a value into a template.
func text(v jsjson.Value) string {
	switch {
	case v.IsString():
		return v.Str()
	case v.IsArray():
		var items []string
		for _, item := range v.Items() {
			if item.IsUndefined() || item.Kind() == jsjson.Null {
				items = append(items, "")
			} else {
				items = append(items, text(item))
			}
		}
		return strings.Join(items, ",")
	case v.IsObject():
		return "[object Object]"
	}
	return v.Text()
}
