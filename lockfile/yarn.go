package lockfile

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/spec"
)

// YarnName is the file name of yarn's lock.
const YarnName = "yarn.lock"

// YarnLock is a yarn.lock of yarn's first format (npm: lib/yarn-lock.js). It
// does not say where packages stand, but pins what each "name@spec" means, and
// npm keeps one up to date that it finds beside a project's lock.
type YarnLock struct {
	specs   []string // in the order they came
	entries map[string]*YarnEntry
}

// YarnEntry is what one or more specs mean. It is read-only outside of its
// YarnLock.
type YarnEntry struct {
	Version              string
	Resolved             string // without yarn's "#sha1"
	Integrity            string
	Dependencies         manifest.Deps
	OptionalDependencies manifest.Deps

	specs []string
	extra []yarnField // what npm does not know, kept
}

// yarnField is one line of an entry, or one list under it.
type yarnField struct {
	key  string
	text string
	list bool
	deps manifest.Deps
}

// LoadYarn reads the yarn.lock of the project in dir; ErrMissing says that it
// has none. See ParseYarn.
func LoadYarn(dir string) (*YarnLock, error) {
	path := filepath.Join(dir, YarnName)
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return ParseYarn(data, path)
}

// ParseYarn decodes a yarn.lock. With an error, which is a *ParseError, it
// also gives what stands before the bad line: npm goes on with that.
func ParseYarn(data []byte, path string) (*YarnLock, error) {
	y := &YarnLock{entries: map[string]*YarnEntry{}}
	text := js.ValidText(string(data))
	var current *YarnEntry
	subkey := ""
	number := 0
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		number++
		line = strings.TrimSuffix(line, "\r")
		line = line[strings.LastIndexByte(line, '\r')+1:]
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case line == "":
			current, subkey = nil, ""
			continue
		case !startsBlank(line) && strings.HasSuffix(line, ":") && len(line) > 1:
			current, subkey = &YarnEntry{specs: splitQuoted(strings.TrimSuffix(line, ":"), ",")}, ""
			for _, s := range current.specs {
				y.set(s, current)
			}
			continue
		}
		if current != nil {
			if body, ok := indented(line, 2); ok && strings.HasSuffix(body, ":") && strings.IndexFunc(body, unicode.IsSpace) < 0 && len(body) > 1 {
				subkey = strings.TrimSuffix(body, ":")
				current.setList(subkey, nil)
				continue
			}
			if body, ok := indented(line, 4); ok && subkey != "" && strings.Contains(body, " ") {
				if pair := splitQuoted(body, " "); len(pair) == 2 {
					current.setList(subkey, &manifest.Dep{Name: pair[0], Spec: pair[1]})
					continue
				}
			}
			if body, ok := indented(line, 2); ok && strings.Contains(body, " ") {
				if pair := splitQuoted(body, " "); len(pair) == 2 {
					current.setText(pair[0], pair[1])
					continue
				}
			}
		}
		return y, &ParseError{File: path, Line: number, Column: 1, Expected: "an entry of a yarn.lock", Found: quoteLine(line)}
	}
	return y, nil
}

func quoteLine(line string) string {
	if runes := []rune(line); len(runes) > 40 {
		line = string(runes[:40]) + "…"
	}
	return fmt.Sprintf("%q", line)
}

func startsBlank(line string) bool {
	return line != "" && unicode.IsSpace([]rune(line[:min(len(line), 4)])[0])
}

// indented gives what follows exactly n spaces.
func indented(line string, n int) (string, bool) {
	body, ok := strings.CutPrefix(line, strings.Repeat(" ", n))
	return body, ok && body != "" && !startsBlank(body)
}

// splitQuoted splits at a delimiter, a comma with the spaces after it or one
// space, outside of quotes. What is escaped inside of them stays so.
func splitQuoted(text, delimiter string) []string {
	chunks := strings.Split(text, delimiter)
	if delimiter == "," {
		for i := range chunks[1:] {
			chunks[i+1] = strings.TrimLeft(chunks[i+1], " ")
		}
	}
	var out []string
	for i := 0; i < len(chunks); i++ {
		chunk := chunks[i]
		switch {
		case len(chunk) > 1 && chunk[0] == '"' && chunk[len(chunk)-1] == '"':
			out = append(out, chunk[1:len(chunk)-1])
		case strings.HasPrefix(chunk, `"`):
			// The delimiters inside of the quotes get lost, as in npm.
			collected := chunk[1:]
			for i++; i < len(chunks); i++ {
				if closesQuote(chunks[i]) {
					collected += strings.TrimSuffix(chunks[i], `"`)
					break
				}
				collected += chunks[i]
			}
			out = append(out, collected)
		default:
			out = append(out, strings.TrimSpace(chunk))
		}
	}
	return out
}

// closesQuote says whether chunk ends in a quote that is not escaped, with
// something before it.
func closesQuote(chunk string) bool {
	body, ok := strings.CutSuffix(chunk, `"`)
	if !ok {
		return false
	}
	plain := strings.TrimRight(body, `\`)
	return plain != "" && (len(body)-len(plain))%2 == 0
}

func (y *YarnLock) set(name string, e *YarnEntry) {
	if _, ok := y.entries[name]; !ok {
		y.specs = append(y.specs, name)
	}
	y.entries[name] = e
}

// Get gives the entry for "name@spec", or nil.
func (y *YarnLock) Get(nameAndSpec string) *YarnEntry { return y.entries[nameAndSpec] }

// Len is the number of specs that have an entry.
func (y *YarnLock) Len() int { return len(y.entries) }

func (e *YarnEntry) setText(key, text string) {
	switch key {
	case "version":
		e.Version = text
	case "resolved":
		e.Resolved, _, _ = strings.Cut(text, "#")
	case "integrity":
		e.Integrity = text
	default:
		*e.field(key) = yarnField{key: key, text: text}
	}
}

// setList adds to the list called key, which begins anew without dep.
func (e *YarnEntry) setList(key string, dep *manifest.Dep) {
	deps := &e.Dependencies
	switch key {
	case "dependencies":
	case "optionalDependencies":
		deps = &e.OptionalDependencies
	default:
		f := e.field(key)
		f.key, f.list = key, true
		deps = &f.deps
	}
	if dep == nil {
		*deps = nil
		return
	}
	*deps = append(*deps, *dep)
}

func (e *YarnEntry) field(key string) *yarnField {
	i := slices.IndexFunc(e.extra, func(f yarnField) bool { return f.key == key })
	if i < 0 {
		i = len(e.extra)
		e.extra = append(e.extra, yarnField{key: key})
	}
	return &e.extra[i]
}

const (
	yarnRegistry = "registry.yarnpkg.com/"
	npmRegistry  = "https://registry.npmjs.org/"
)

// Pin gives what the lock says that a spec means: the spec to use in its
// place, and the tarball's URL and integrity to expect (npm: shrinkwrap.js
// checkYarnLock). Yarn's own name for the public registry becomes npm's.
func (y *YarnLock) Pin(wanted *spec.Spec, where string) (pinned *spec.Spec, resolved, integrity string, ok bool) {
	e := y.Get(wanted.Raw)
	if e == nil || e.Version == "" || e.Resolved == "" {
		return wanted, "", "", false
	}
	host := strings.TrimPrefix(strings.TrimPrefix(e.Resolved, "https://"), "http://")
	onYarn := wanted.Registry && host != e.Resolved && strings.HasPrefix(host, yarnRegistry)
	onNPM := wanted.Registry && host != e.Resolved && strings.HasPrefix(host, "registry.npmjs.org/")
	use := e.Resolved
	if onYarn || onNPM {
		if name, version, found := versionFromTarball(wanted.Name, e.Resolved); found {
			if name == wanted.Name && version == e.Version {
				use = version
			} else {
				use = "npm:" + name + "@" + version
			}
		}
	}
	pinned, err := spec.Parse(wanted.Name+"@"+use, where)
	if err != nil {
		return wanted, "", "", false
	}
	return pinned, ToNPMRegistry(e.Resolved), e.Integrity, true
}

// ToNPMRegistry gives the URL with yarn's name for the public registry
// replaced by npm's.
func ToNPMRegistry(url string) string {
	for _, scheme := range []string{"https://", "http://"} {
		if rest, ok := strings.CutPrefix(url, scheme+yarnRegistry); ok {
			return npmRegistry + rest
		}
	}
	return url
}

// Reset forgets all entries, before Add is called for each package of a tree.
func (y *YarnLock) Reset() {
	y.specs, y.entries = nil, map[string]*YarnEntry{}
}

// Add puts one package of a tree into the lock: the specs "name@spec" of those
// who depend on it, and its data. It must be called for the shallowest package
// first, since a spec that means something already keeps its meaning: yarn's
// lock has no places (npm: addEntryFromNode).
func (y *YarnLock) Add(specs []string, data YarnEntry) {
	specs = slices.Clone(specs)
	slices.SortStableFunc(specs, collate.Compare)
	var prior *YarnEntry
	var fresh []string
	for _, s := range specs {
		prev := y.entries[s]
		switch {
		case prev == nil && prior != nil:
			// npm does not list the spec by itself here.
			prior.addSpec(s)
		case prev == nil:
			fresh = append(fresh, s)
		case !prev.matches(&data):
		case prior == nil:
			prior = prev
			for _, f := range fresh {
				prior.addSpec(f)
				y.set(f, prior)
			}
			fresh = nil
		default:
			prior.addSpec(s)
			y.set(s, prior)
		}
	}
	if prior == nil {
		e := data
		e.specs, e.extra = nil, nil
		for _, s := range fresh {
			e.addSpec(s)
			y.set(s, &e)
		}
		return
	}
	assign := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	assign(&prior.Version, data.Version)
	assign(&prior.Resolved, data.Resolved)
	assign(&prior.Integrity, data.Integrity)
	if data.Dependencies != nil {
		prior.Dependencies = data.Dependencies
	}
	if data.OptionalDependencies != nil {
		prior.OptionalDependencies = data.OptionalDependencies
	}
}

func (e *YarnEntry) addSpec(s string) {
	if !slices.Contains(e.specs, s) {
		e.specs = append(e.specs, s)
	}
}

func (e *YarnEntry) matches(other *YarnEntry) bool {
	switch {
	case e.Integrity != "" && other.Integrity != "":
		return e.Integrity == other.Integrity
	case e.Resolved != "" && other.Resolved != "":
		return e.Resolved == other.Resolved
	case e.Version != "" && other.Version != "":
		return e.Version == other.Version
	}
	return true
}

const yarnHeader = "# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\n"

// Encode gives the text of the lock as npm writes it.
func (y *YarnLock) Encode() []byte {
	type block struct{ text, key string }
	var blocks []block
	seen := map[*YarnEntry]bool{}
	for _, s := range y.specs {
		e := y.entries[s]
		if seen[e] {
			continue
		}
		seen[e] = true
		text := e.encode()
		blocks = append(blocks, block{text, strings.ReplaceAll(text, `"`, "")})
	}
	slices.SortStableFunc(blocks, func(a, b block) int { return collate.Compare(a.key, b.key) })
	out := []byte(yarnHeader)
	for i, b := range blocks {
		if i > 0 {
			out = append(out, "\n\n"...)
		}
		out = append(out, b.text...)
	}
	return append(out, '\n')
}

func (e *YarnEntry) encode() string {
	specs := slices.Clone(e.specs)
	slices.SortStableFunc(specs, collate.Compare)
	var b strings.Builder
	for i, s := range specs {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoteYarn(s))
	}
	b.WriteString(":\n")
	fields := slices.Clone(e.extra)
	for _, f := range []yarnField{{key: "version", text: e.Version}, {key: "resolved", text: e.Resolved}, {key: "integrity", text: e.Integrity}} {
		if f.text != "" {
			fields = append(fields, f)
		}
	}
	fields = append(fields, yarnField{key: "dependencies", list: true, deps: e.Dependencies},
		yarnField{key: "optionalDependencies", list: true, deps: e.OptionalDependencies})
	slices.SortStableFunc(fields, func(a, b yarnField) int {
		if pa, pb := yarnPriority(a.key), yarnPriority(b.key); pa != pb {
			return pa - pb
		}
		return collate.Compare(a.key, b.key)
	})
	for _, f := range fields {
		switch {
		case !f.list && f.key == "integrity":
			b.WriteString("  integrity " + f.text + "\n")
		case !f.list:
			b.WriteString("  " + f.key + " " + quoteJSON(f.text) + "\n")
		case len(f.deps) > 0:
			b.WriteString("  " + f.key + ":\n")
			deps := manifest.OrderDeps(slices.Clone(f.deps))
			slices.SortStableFunc(deps, func(a, b manifest.Dep) int { return collate.Compare(a.Name, b.Name) })
			for _, dep := range deps {
				b.WriteString("    " + quoteYarn(dep.Name) + " " + quoteYarn(dep.Spec) + "\n")
			}
		}
	}
	return strings.TrimSpace(b.String())
}

func yarnPriority(key string) int {
	switch key {
	case "name":
		return 1
	case "version":
		return 2
	case "uid":
		return 3
	case "resolved":
		return 4
	case "integrity":
		return 5
	case "registry":
		return 6
	case "dependencies":
		return 7
	}
	return 100
}

// quoteYarn quotes what yarn would read as something else than a plain word.
func quoteYarn(text string) string {
	if text == "" || !(text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z') ||
		strings.HasPrefix(text, "true") || strings.HasPrefix(text, "false") ||
		strings.ContainsAny(text, `:\",[]`) || strings.IndexFunc(text, unicode.IsSpace) >= 0 {
		return quoteJSON(text)
	}
	return text
}

func quoteJSON(text string) string { return string(jsjson.AppendString(nil, text)) }
