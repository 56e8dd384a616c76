package manifest

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/regular"
	"github.com/ibid-pm/ibid/internal/spec"
)

// FieldError is an attribute of a package.json that forbids to publish it.
type FieldError struct {
	Field   string // "name", "version", "main"
	Value   string
	Problem string // "is not a valid version"
}

// Error gives `version "x" is not a valid version`.
func (e *FieldError) Error() string { return fmt.Sprintf("%s %q %s", e.Field, e.Value, e.Problem) }

// Fix corrects what is wrong in a package.json before it is published, and
// says what it changed, a sentence for each (npm: `npm pkg fix`,
// @npmcli/package-json fixSteps). An error is a *FieldError.
func Fix(content jsjson.Value) (fixed jsjson.Value, changes []string, err error) {
	e := editor{v: content}
	e.fixBin()
	if err := e.fixName(); err != nil {
		return content, nil, err
	}
	if err := e.fixVersion(); err != nil {
		return content, nil, err
	}
	e.expandBundle(true)
	e.fixScripts(true)
	e.fixRepository()
	e.fixDependencies()
	return e.v, e.changes, nil
}

// Prepare gives the manifest that is published for the package in dir, whose
// package.json has content (npm: @npmcli/package-json prepareSteps): what only
// the files know is filled in, and everything has one form. An error is a
// *FieldError.
func Prepare(dir string, content jsjson.Value) (jsjson.Value, error) {
	e := editor{v: content}
	e.addScripts(dir)
	e.addAuthors(dir)
	e.addReadme(dir)
	e.addMan(dir)
	if folder := e.get("directories").Get("bin"); folder.Truthy() && !e.get("bin").Truthy() {
		members := []jsjson.Member{}
		for _, bin := range binsIn(dir, folder.Text()) {
			members = append(members, jsjson.Member{Key: bin.Name, Value: jsjson.NewString(bin.Path)})
		}
		e.set("bin", jsjson.NewObject(members...))
	} else {
		e.fixBin()
	}
	if !e.get("gitHead").Truthy() {
		if head := gitHead(dir); head != "" {
			e.set("gitHead", jsjson.NewString(head))
		}
	}
	if err := e.addTypes(dir); err != nil {
		return content, err
	}
	// npm makes the ID of what stands there before it is cleaned.
	id := e.get("name").Text() + "@" + e.get("version").Text()
	if err := e.fixName(); err != nil {
		return content, err
	}
	if err := e.fixVersion(); err != nil {
		return content, err
	}
	for _, m := range e.v.Members() {
		if strings.HasPrefix(m.Key, "_") {
			e.remove(m.Key)
		}
	}
	if e.get("name").Truthy() && e.get("version").Truthy() {
		e.set("_id", jsjson.NewString(id))
	}
	if !e.v.Has("bundleDependencies") && e.v.Has("bundledDependencies") {
		e.set("bundleDependencies", e.get("bundledDependencies"))
	}
	e.remove("bundledDependencies")
	e.expandBundle(false)
	if overrides := e.get("overrides"); !overrides.IsObject() || overrides.Len() == 0 {
		e.remove("overrides")
	}
	e.fixScripts(true)
	e.fixRepository()
	e.fixDependencies()
	e.normalizeData()
	return e.v, nil
}

// An editor changes a package.json step by step and remembers why.
type editor struct {
	v       jsjson.Value
	changes []string
}

func (e *editor) get(key string) jsjson.Value        { return e.v.Get(key) }
func (e *editor) set(key string, value jsjson.Value) { e.v = e.v.With(key, value) }
func (e *editor) remove(key string)                  { e.v = e.v.Without(key) }

func (e *editor) changed(format string, args ...any) {
	e.changes = append(e.changes, fmt.Sprintf(format, args...))
}

func (e *editor) fixBin() {
	bin := e.get("bin")
	var members []jsjson.Member
	for _, b := range NormalizeBin(bin, e.get("name").Str()) {
		members = append(members, jsjson.Member{Key: b.Name, Value: jsjson.NewString(b.Path)})
	}
	if len(members) == 0 {
		if bin.Truthy() {
			e.changed(`"bin" names no executable and was removed`)
		}
		e.remove("bin")
		return
	}
	fixed := jsjson.NewObject(members...)
	if bin.Kind() != jsjson.Object {
		e.changed(`"bin" was made an object`)
	} else if !jsjson.Equal(bin, fixed) {
		e.changed(`names or paths in "bin" were cleaned`)
	}
	e.set("bin", fixed)
}

func (e *editor) fixName() error {
	name := e.get("name")
	if !name.Truthy() {
		e.changed(`a missing "name" was set to the empty string`)
		e.set("name", jsjson.NewString(""))
		return nil
	}
	if !name.IsString() {
		return &FieldError{"name", name.Text(), "is no string"}
	}
	trimmed := js.Trim(name.Str())
	if trimmed != name.Str() {
		e.changed(`blanks around "name" were removed`)
		e.set("name", jsjson.NewString(trimmed))
	}
	lower := strings.ToLower(trimmed)
	if strings.HasPrefix(trimmed, ".") || !publishable(trimmed) || lower == "node_modules" || lower == "favicon.ico" {
		return &FieldError{"name", trimmed, "is not a valid package name"}
	}
	return nil
}

// publishable says whether a name, or both halves of a scoped one, need no
// percent-encoding in a URL.
func publishable(name string) bool {
	plain := func(part string) bool {
		return part != "" && strings.IndexFunc(part, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r < 0x80 && strings.ContainsRune("-_.!~*'()", r))
		}) < 0
	}
	if rest, scoped := strings.CutPrefix(name, "@"); scoped {
		scope, base, ok := strings.Cut(rest, "/")
		return ok && plain(scope) && plain(base)
	}
	return name == "" || plain(name)
}

func (e *editor) fixVersion() error {
	version := e.get("version")
	if !version.Truthy() {
		e.set("version", jsjson.NewString(""))
		return nil
	}
	v, err := nodesemver.Parse(version.Str(), true)
	if err != nil || !version.IsString() {
		return &FieldError{"version", version.Text(), "is not a valid version"}
	}
	if cleaned, err := nodesemver.Clean(version.Str(), true); err == nil {
		v = cleaned
	}
	if v.String() != version.Str() {
		e.changed(`"version" was cleaned and set to %q`, v.String())
		e.set("version", jsjson.NewString(v.String()))
	}
	return nil
}

// expandBundle gives bundleDependencies as a list. A false is an empty one, or
// nothing, as the caller has it.
func (e *editor) expandBundle(keepFalse bool) {
	bundle := e.get("bundleDependencies")
	switch {
	case bundle.Kind() == jsjson.Bool && !bundle.Bool() && keepFalse:
		e.changed(`"bundleDependencies" was false and is now an empty list`)
		e.set("bundleDependencies", jsjson.NewArray())
	case bundle.Kind() == jsjson.Bool && bundle.Bool():
		e.changed(`"bundleDependencies" now lists all dependencies`)
		e.set("bundleDependencies", keysOf(e.get("dependencies")))
	case bundle.IsObject():
		e.changed(`"bundleDependencies" was an object and is now a list`)
		e.set("bundleDependencies", keysOf(bundle))
	case bundle.IsArray():
	case e.v.Has("bundleDependencies"):
		e.changed(`"bundleDependencies" was no list and was removed`)
		e.remove("bundleDependencies")
	}
}

func keysOf(v jsjson.Value) jsjson.Value {
	keys := []jsjson.Value{}
	for _, m := range v.Members() {
		keys = append(keys, jsjson.NewString(m.Key))
	}
	return jsjson.NewArray(keys...)
}

func (e *editor) fixScripts(stripPath bool) {
	scripts := e.get("scripts")
	if scripts.IsUndefined() || scripts.IsArray() || scripts.Kind() == jsjson.Null {
		return
	}
	if !scripts.IsObject() {
		e.changed(`"scripts" was no object and was removed`)
		e.remove("scripts")
		return
	}
	for _, m := range scripts.Members() {
		if !m.Value.IsString() {
			e.changed(`scripts.%q was no string and was removed`, m.Key)
			scripts = scripts.Without(m.Key)
		} else if command := withoutBinPath(m.Value.Str()); stripPath && command != m.Value.Str() {
			e.changed(`scripts.%q needs no path to node_modules/.bin`, m.Key)
			scripts = scripts.With(m.Key, jsjson.NewString(command))
		}
	}
	e.set("scripts", scripts)
}

// withoutBinPath drops "./node_modules/.bin/" from the front of a command;
// where npm's pattern has a dot, any character will do.
func withoutBinPath(command string) string {
	rest := command
	if len(rest) > 2 && rest[0] == '.' && isSlash(rest[1]) {
		rest = rest[2:]
	}
	rest, ok := strings.CutPrefix(rest, "node_modules")
	if !ok || len(rest) < 6 || !isSlash(rest[0]) {
		return command
	}
	after, ok := strings.CutPrefix(rest[2:], "bin")
	if !ok || after == "" || !isSlash(after[0]) {
		return command
	}
	return after[1:]
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

func (e *editor) fixRepository() {
	if list := e.get("repositories"); list.Truthy() {
		e.changed(`"repository" was set to the first of "repositories"`)
		e.set("repository", list.Index(0))
		defer func() {
			// The two are one object to npm, which is changed further on.
			if items := list.Items(); len(items) > 0 && items[0].IsObject() {
				items = append([]jsjson.Value{e.get("repository")}, items[1:]...)
				e.set("repositories", jsjson.NewArray(items...))
			}
		}()
	}
	repository := e.get("repository")
	if !repository.Truthy() {
		return
	}
	if repository.IsString() {
		e.changed(`"repository" was made an object`)
		repository = jsjson.NewObject(
			jsjson.Member{Key: "type", Value: jsjson.NewString("git")},
			jsjson.Member{Key: "url", Value: repository},
		)
	}
	if at := repository.Get("url"); at.IsString() && at.Str() != "" {
		if hosted := spec.ParseHosted(at.Str()); hosted != nil {
			normal := hosted.Format(spec.Format{})
			if hosted.Default == "shortcut" {
				normal = hosted.HTTPS(spec.Format{})
			}
			if normal != at.Str() {
				e.changed(`"repository.url" was made %q`, normal)
				repository = repository.With("url", jsjson.NewString(normal))
			}
		}
	}
	e.set("repository", repository)
}

func (e *editor) fixDependencies() {
	for _, key := range []string{"dependencies", "devDependencies", "optionalDependencies"} {
		deps := e.get(key)
		if deps.IsString() && deps.Str() != "" {
			var words []jsjson.Value
			for _, word := range strings.FieldsFunc(js.Trim(deps.Str()), func(r rune) bool { return r == ',' || js.Space(r) }) {
				words = append(words, jsjson.NewString(word))
			}
			deps = jsjson.NewArray(words...)
		}
		if deps.IsArray() {
			e.changed("%q was made an object", key)
			var members []jsjson.Member
			for _, item := range deps.Items() {
				if item.IsString() {
					name, want := splitDependency(js.Trim(item.Str()))
					members = append(members, jsjson.Member{Key: name, Value: jsjson.NewString(want)})
				}
			}
			e.set(key, jsjson.NewObject(members...))
		}
	}
	for _, key := range []string{"dependencies", "devDependencies"} {
		if !e.v.Has(key) {
			continue
		}
		deps := e.get(key)
		if !deps.IsObject() {
			e.changed("%q was no object and was removed", key)
			e.remove(key)
			continue
		}
		for _, m := range deps.Members() {
			if !m.Value.IsString() {
				e.changed("%q of %q was no string and was removed", m.Key, key)
				deps = deps.Without(m.Key)
				continue
			}
			if hosted := spec.ParseHosted(m.Value.Str()); hosted != nil {
				if normal := hosted.Format(spec.Format{}); normal != m.Value.Str() {
					e.changed("the git repository of %q in %q was made %q", m.Key, key, normal)
					deps = deps.With(m.Key, jsjson.NewString(normal))
				}
			}
		}
		e.set(key, deps)
	}
}

// splitDependency takes "name@range" or "name >= range" apart.
func splitDependency(text string) (name, want string) {
	at := strings.IndexFunc(text, func(r rune) bool { return strings.ContainsRune("@><=", r) || js.Space(r) })
	if at < 0 {
		return text, ""
	}
	name, want = text[:at], text[at:]
	if before, ok := strings.CutSuffix(name, ":"); ok {
		name, want = before, ":"+want
	}
	return name, js.Trim(strings.TrimPrefix(want, "@"))
}

func (e *editor) addScripts(dir string) {
	scripts := e.get("scripts")
	if !scripts.IsObject() {
		scripts = jsjson.NewObject()
	}
	gyp := e.get("gypfile")
	if !scripts.Get("install").Truthy() && !scripts.Get("preinstall").Truthy() && !(gyp.Kind() == jsjson.Bool && !gyp.Bool()) {
		if files := listFiles(dir, func(name string) bool { return strings.HasSuffix(name, ".gyp") }); len(files) > 0 {
			scripts = scripts.With("install", jsjson.NewString("node-gyp rebuild"))
			e.set("scripts", scripts)
			e.set("gypfile", jsjson.NewBool(true))
		}
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// listFiles gives the names in dir that match, without those that start with a
// dot, in order.
func listFiles(dir string, match func(name string) bool) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, ".") && match(name) {
			names = append(names, name)
		}
	}
	return names
}

func (e *editor) addAuthors(dir string) {
	if e.get("contributors").Truthy() {
		return
	}
	text, err := regular.ReadFile(filepath.Join(dir, "AUTHORS"))
	if err != nil {
		return
	}
	authors := []jsjson.Value{}
	for line := range strings.SplitSeq(js.ValidText(string(text)), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(js.Trim(line), "#") {
			continue
		}
		if line = js.Trim(line); line != "" {
			authors = append(authors, jsjson.NewString(line))
		}
	}
	e.set("contributors", jsjson.NewArray(authors...))
}

const noReadme = "ERROR: No README data found!"

func (e *editor) addReadme(dir string) {
	if e.get("readme").Truthy() {
		return
	}
	names := listFiles(dir, func(name string) bool {
		lower := strings.ToLower(name)
		return (lower == "readme" || strings.HasPrefix(lower, "readme.")) && !isFolder(filepath.Join(dir, name))
	})
	// npm takes the first Markdown file that the disk lists, which is any;
	// here it is the first by name.
	file := ""
	for _, name := range names {
		if isMarkdown(name) {
			file = name
			break
		}
		if strings.HasSuffix(name, "README") {
			file = name
		}
	}
	if file != "" {
		if text, err := regular.ReadFile(filepath.Join(dir, file)); err == nil {
			e.set("readme", jsjson.NewString(js.ValidText(strings.TrimPrefix(string(text), "\uFEFF"))))
			e.set("readmeFilename", jsjson.NewString(file))
		}
	}
	if !e.get("readme").Truthy() {
		e.set("readme", jsjson.NewString(noReadme))
	}
}

func isFolder(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.IsDir()
}

// isMarkdown says whether the extension is one of Markdown's many: a dot and
// the letters of "markdown" in order, any of them left out.
func isMarkdown(name string) bool {
	ext := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	if ext == strings.ToLower(name) {
		return false
	}
	ext = strings.TrimPrefix(ext, "m")
	for _, letter := range "arkdown" {
		ext = strings.TrimPrefix(ext, string(letter))
	}
	return ext == ""
}

func (e *editor) addMan(dir string) {
	if folder := e.get("directories").Get("man"); folder.Truthy() && !e.get("man").Truthy() {
		in := securePath(folder.Text())
		root := filepath.Join(dir, filepath.FromSlash(in))
		pages := []jsjson.Value{}
		_ = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || file == root {
				return nil
			}
			name := entry.Name()
			if strings.HasPrefix(name, ".") {
				if entry.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			if n := len(name); n > 2 && name[n-2] == '.' && name[n-1] >= '0' && name[n-1] <= '9' {
				if rel, err := filepath.Rel(dir, file); err == nil {
					pages = append(pages, jsjson.NewString(filepath.ToSlash(rel)))
				}
			}
			return nil
		})
		e.set("man", jsjson.NewArray(pages...))
	}
	man := e.get("man")
	list := []jsjson.Value{man}
	if man.IsArray() {
		list = man.Items()
	}
	pages := []jsjson.Value{}
	for _, page := range list {
		if page.IsString() && man.Truthy() {
			pages = append(pages, jsjson.NewString(securePath(page.Str())))
		}
	}
	if len(pages) == 0 {
		e.remove("man")
		return
	}
	e.set("man", jsjson.NewArray(pages...))
}

func (e *editor) addTypes(dir string) error {
	main := e.get("main")
	if !main.Truthy() {
		main = jsjson.NewString("index.js")
	}
	if !main.IsString() {
		return &FieldError{"main", main.Text(), "is no string"}
	}
	if e.v.Has("types") || e.v.Has("typings") {
		return nil
	}
	file := main.Str()
	base := baseName(file)
	if dot := strings.LastIndexByte(base, '.'); dot > 0 {
		base = base[:dot]
	}
	types := "./" + path.Join(path.Dir(file), base) + ".d.ts"
	if exists(filepath.Join(dir, filepath.FromSlash(types))) {
		e.set("types", jsjson.NewString(types))
	}
	return nil
}

// gitHead gives the commit that is checked out where dir is in a repository.
func gitHead(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	root := abs
	for !exists(filepath.Join(root, ".git")) {
		up := filepath.Dir(root)
		if up == root {
			return ""
		}
		root = up
	}
	git := filepath.Join(root, ".git")
	text, err := regular.ReadFile(filepath.Join(git, "HEAD"))
	if err != nil {
		return ""
	}
	ref, symbolic := strings.CutPrefix(string(text), "ref: ")
	ref = strings.TrimSpace(ref)
	if !symbolic {
		return ref
	}
	if filepath.IsLocal(filepath.FromSlash(ref)) {
		if text, err := regular.ReadFile(filepath.Join(git, filepath.FromSlash(ref))); err == nil {
			if head := strings.TrimSpace(strings.TrimPrefix(string(text), "ref: ")); head != "" {
				return head
			}
		}
	}
	packed, err := regular.ReadFile(filepath.Join(git, "packed-refs"))
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(packed), "\n") {
		sha, name, ok := strings.Cut(line, " ")
		if ok && len(sha) == 40 && strings.TrimSpace(name) == ref {
			return sha
		}
	}
	return ""
}

// normalizeData is npm's normalize-data.js.
func (e *editor) normalizeData() {
	e.describe()
	if e.get("modules").Truthy() {
		e.remove("modules")
	}
	e.stringList("files")
	if man := e.get("man"); man.IsString() && man.Str() != "" {
		e.set("man", jsjson.NewArray(man))
	}
	e.fixBugs()
	if words := e.get("keywords"); words.IsString() {
		e.set("keywords", splitKeywords(words.Str()))
	}
	e.stringList("keywords")
	e.completeBundle()
	e.fixHomepage()
	if !e.get("readme").Truthy() {
		e.set("readme", jsjson.NewString(noReadme))
	}
	if author := e.get("author"); author.Truthy() {
		e.set("author", person(author))
	}
	for _, key := range []string{"maintainers", "contributors"} {
		if list := e.get(key); list.IsArray() {
			people := make([]jsjson.Value, list.Len())
			for i, item := range list.Items() {
				people[i] = person(item)
			}
			e.set(key, jsjson.NewArray(people...))
		}
	}
}

func (e *editor) describe() {
	if d := e.get("description"); d.Truthy() && !d.IsString() {
		e.remove("description")
	}
	if readme := e.get("readme"); readme.IsString() && readme.Truthy() && readme.Str() != noReadme && !e.get("description").Truthy() {
		e.set("description", jsjson.NewString(firstParagraph(readme.Str())))
	}
}

// firstParagraph is the first text in a readme that is no heading.
func firstParagraph(readme string) string {
	lines := strings.Split(js.Trim(readme), "\n")
	start := 0
	for start < len(lines) && (js.Trim(lines[start]) == "" || strings.HasPrefix(js.Trim(lines[start]), "#")) {
		start++
	}
	end := start + 1
	for end < len(lines) && js.Trim(lines[end]) != "" {
		end++
	}
	if start >= len(lines) {
		return ""
	}
	return js.Trim(strings.Join(lines[start:min(end, len(lines))], " "))
}

// stringList keeps the strings of a list, and removes what is no list.
func (e *editor) stringList(key string) {
	list := e.get(key)
	if !list.Truthy() {
		return
	}
	if !list.IsArray() {
		e.remove(key)
		return
	}
	kept := []jsjson.Value{}
	for _, item := range list.Items() {
		if item.IsString() && item.Str() != "" {
			kept = append(kept, item)
		}
	}
	e.set(key, jsjson.NewArray(kept...))
}

// splitKeywords splits at commas that blanks follow.
func splitKeywords(text string) jsjson.Value {
	var words []jsjson.Value
	for {
		at := -1
		for i := 0; i+1 < len(text); i++ {
			if text[i] == ',' && strings.TrimLeftFunc(text[i+1:], js.Space) != text[i+1:] {
				at = i
				break
			}
		}
		if at < 0 {
			return jsjson.NewArray(append(words, jsjson.NewString(text))...)
		}
		words = append(words, jsjson.NewString(text[:at]))
		text = strings.TrimLeftFunc(text[at+1:], js.Space)
	}
}

func isEmail(text string) bool {
	at := strings.IndexByte(text, '@')
	return at >= 0 && at < strings.LastIndexByte(text, '.')
}

// isURL says whether a text is a URL by itself.
func isURL(text string) bool {
	u, err := url.Parse(js.Trim(text))
	return err == nil && u.Scheme != "" && (u.Opaque != "" || u.Host != "" || u.Path != "" && u.Scheme != "http" && u.Scheme != "https")
}

func (e *editor) fixBugs() {
	bugs := e.get("bugs")
	if !bugs.Truthy() {
		if at := e.get("repository").Get("url"); at.IsString() && at.Str() != "" {
			if hosted := spec.ParseHosted(at.Str()); hosted != nil && hosted.Bugs() != "" {
				e.set("bugs", jsjson.NewObject(jsjson.Member{Key: "url", Value: jsjson.NewString(hosted.Bugs())}))
			}
		}
		return
	}
	fixed := jsjson.NewObject()
	if bugs.IsString() {
		switch text := bugs.Str(); {
		case isEmail(text):
			fixed = fixed.With("email", bugs)
		case isURL(text):
			fixed = fixed.With("url", bugs)
		}
	} else {
		for _, key := range []string{"url", "web", "name"} {
			if at := bugs.Get(key); at.IsString() && isURL(at.Str()) {
				fixed = fixed.With("url", at)
			}
		}
		if mail := bugs.Get("email"); mail.IsString() && isEmail(mail.Str()) {
			fixed = fixed.With("email", mail)
		}
	}
	if fixed.Len() == 0 {
		e.remove("bugs")
		return
	}
	e.set("bugs", fixed)
}

// completeBundle makes what is bundled a dependency too.
func (e *editor) completeBundle() {
	bundle := e.get("bundleDependencies")
	if !bundle.Truthy() {
		return
	}
	e.stringList("bundleDependencies")
	for _, item := range e.get("bundleDependencies").Items() {
		deps := e.get("dependencies")
		if !deps.Has(item.Str()) {
			e.set("dependencies", deps.With(item.Str(), jsjson.NewString("*")))
		}
	}
}

func (e *editor) fixHomepage() {
	if !e.get("homepage").Truthy() {
		if at := e.get("repository").Get("url"); at.IsString() && at.Str() != "" {
			if hosted := spec.ParseHosted(at.Str()); hosted != nil {
				e.set("homepage", jsjson.NewString(hosted.Docs(spec.Format{})))
			}
		}
	}
	page := e.get("homepage")
	switch {
	case !page.Truthy():
	case !page.IsString():
		e.remove("homepage")
	case !isURL(page.Str()):
		e.set("homepage", jsjson.NewString("http://"+page.Str()))
	}
}

// person gives {name, email, url} of "Name <email> (url)" or of an object.
func person(v jsjson.Value) jsjson.Value {
	text := v.Str()
	if !v.IsString() {
		text = v.Get("name").Str()
		mail, page := v.Get("email"), v.Get("url")
		if !mail.Truthy() {
			mail = v.Get("mail")
		}
		if !page.Truthy() {
			page = v.Get("web")
		}
		if mail.Truthy() {
			text += " <" + mail.Text() + ">"
		}
		if page.Truthy() {
			text += " (" + page.Text() + ")"
		}
	}
	out := jsjson.NewObject()
	if end := strings.IndexAny(text, "(<"); end != 0 {
		name := text
		if end > 0 {
			name = text[:end]
		}
		if name = js.Trim(name); name != "" {
			out = out.With("name", jsjson.NewString(name))
		}
	}
	if mail := between(text, '<', '>'); mail != "" {
		out = out.With("email", jsjson.NewString(mail))
	}
	if page := between(text, '(', ')'); page != "" {
		out = out.With("url", jsjson.NewString(page))
	}
	return out
}

// between gives the first text in brackets that has no such brackets in it.
func between(text string, opening, closing byte) string {
	for start := strings.IndexByte(text, opening); start >= 0; {
		rest := text[start+1:]
		end := strings.IndexAny(rest, string([]byte{opening, closing}))
		if end < 0 {
			return ""
		}
		if rest[end] == closing && end > 0 {
			return rest[:end]
		}
		next := strings.IndexByte(rest[end:], opening)
		if next < 0 {
			return ""
		}
		start += 1 + end + next
	}
	return ""
}
