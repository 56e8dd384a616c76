package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/nodesemver"
	"github.com/ibid-pm/ibid/internal/spec"
)

// Verdict is what a Policy says of a package's install scripts. From npm 12
// on, what nobody has reviewed does not run.
type Verdict uint8

const (
	Unreviewed Verdict = iota
	Allowed
	Denied
)

// Entry is one entry of allowScripts: a package spec and, normally, true or
// false. Other values decide nothing and are kept.
type Entry struct {
	Key   string
	Value jsjson.Value
}

func (e Entry) is(allow bool) bool {
	return e.Value.Kind() == jsjson.Bool && e.Value.Bool() == allow
}

// Entries is an allowScripts object in its order.
type Entries []Entry

// EntriesOf reads package.json's allowScripts; what is no object has none.
func EntriesOf(v jsjson.Value) Entries {
	if v.Kind() != jsjson.Object {
		return nil
	}
	entries := make(Entries, 0, len(v.Members()))
	for _, m := range v.Members() {
		entries = append(entries, Entry{Key: m.Key, Value: m.Value})
	}
	return entries
}

// Value makes the object that package.json gets.
func (e Entries) Value() jsjson.Value {
	members := make([]jsjson.Member, len(e))
	for i := range e {
		members[i] = jsjson.Member{Key: e[i].Key, Value: e[i].Value}
	}
	return jsjson.NewObject(members...)
}

// Subject is a package as a Policy may know it. Nothing of it that decides
// comes from the package's own package.json: a tarball can claim any name.
type Subject struct {
	// Resolved is the lockfile's: a tarball's URL, "git+ssh://…#commit", "file:…",
	// or "" when it is not known.
	Resolved string

	// EdgesIn are the dependencies that lead to it, as their owners wrote them.
	EdgesIn manifest.Deps

	// LinkedFrom are the Resolved of the links that lead to it. They, RealPath
	// and Path count when it has none itself: a local folder.
	LinkedFrom     []string
	Path, RealPath string

	InBundle bool

	// Name (of its folder in node_modules) and Version are shown where there
	// is nothing better to show. They decide nothing.
	Name, Version string
}

// Policy decides whose install scripts run (arborist lib/script-allowed.js).
// The nil Policy has no entries. It is read-only.
type Policy struct {
	Source  string // "cli", "package.json", ".npmrc"; "" when there is none
	Entries Entries

	keys []*spec.Spec // of each entry, nil for what can't be parsed
}

// NewPolicy makes a policy of entries. Relative paths in keys start at root,
// the project's folder.
func NewPolicy(source string, entries Entries, root string) *Policy {
	p := &Policy{Source: source, Entries: entries, keys: make([]*spec.Spec, len(entries))}
	for i := range entries {
		if s, err := spec.Parse(entries[i].Key, root); err == nil {
			p.keys[i] = s
		}
	}
	return p
}

// Decide says whether the package's install scripts may run. A denial wins
// over an approval. Bundled packages are nobody's to approve: their names are
// their own claim.
func (p *Policy) Decide(s *Subject) Verdict {
	if p == nil || s.InBundle {
		return Unreviewed
	}
	verdict := Unreviewed
	for i, e := range p.Entries {
		switch key := p.keys[i]; {
		case key == nil:
		case e.is(false):
			if s.matches(key, true) {
				return Denied
			}
		case e.is(true) && verdict == Unreviewed:
			if s.matches(key, false) {
				verdict = Allowed
			}
		}
	}
	return verdict
}

// matches says whether a policy's key means this package. failClosed decides
// for a key with a version when the package's is not known.
func (s *Subject) matches(key *spec.Spec, failClosed bool) bool {
	switch key.Type {
	case spec.Range, spec.Version:
		return s.matchesRegistry(key, failClosed)
	case spec.Git:
		return s.matchesGit(key)
	case spec.File, spec.Directory:
		return s.matchesPath(key)
	case spec.Remote:
		return s.comesFrom(key.FetchSpec) || s.comesFrom(key.SaveSpec)
	}
	// A tag can't be verified, an alias is no package's name.
	return false
}

func (s *Subject) matchesRegistry(key *spec.Spec, failClosed bool) bool {
	if !s.FromRegistry() {
		return false
	}
	id := s.trusted()
	if id.name == "" || id.name != key.Name {
		return false
	}
	if isNameOnly(key) {
		return true
	}
	if key.Type == spec.Range && !isVersionList(key.FetchSpec) {
		return false
	}
	if id.version == "" {
		return failClosed
	}
	if key.Type == spec.Version {
		return id.version == key.FetchSpec
	}
	return nodesemver.Satisfies(id.version, key.FetchSpec, true)
}

// isNameOnly says whether a range key means every version: "pkg", "pkg@*".
func isNameOnly(key *spec.Spec) bool {
	return key.Type == spec.Range && (key.FetchSpec == "*" || key.RawSpec == "" || key.RawSpec == "*")
}

// isVersionList says whether a range is nothing but versions joined by "||".
// Others would let in versions that nobody has reviewed.
func isVersionList(rng string) bool {
	for part := range strings.SplitSeq(rng, "||") {
		if part = strings.TrimSpace(part); part == "" || !nodesemver.Valid(part, false) {
			return false
		}
	}
	return true
}

func (s *Subject) matchesGit(key *spec.Spec) bool {
	if !strings.HasPrefix(s.Resolved, "git") {
		return false
	}
	own, err := spec.Parse(s.Resolved, "")
	if err != nil || !sameRepository(key, own) {
		return false
	}
	wanted := committish(key)
	// The lock has the whole commit, people write its beginning; never the
	// other way round.
	return wanted == "" || strings.HasPrefix(committish(own), wanted)
}

func sameRepository(a, b *spec.Spec) bool {
	switch {
	case a.Hosted != nil && b.Hosted != nil:
		return hostedSSH(a) == hostedSSH(b)
	case a.FetchSpec != "" && b.FetchSpec != "":
		return a.FetchSpec == b.FetchSpec
	}
	return false
}

func hostedSSH(s *spec.Spec) string { return s.Hosted.SSH(spec.Format{NoCommittish: true}) }

func committish(s *spec.Spec) string {
	if s.GitCommittish == "" && s.Hosted != nil {
		return s.Hosted.Committish
	}
	return s.GitCommittish
}

func (s *Subject) matchesPath(key *spec.Spec) bool {
	return s.comesFrom(key.SaveSpec) || s.comesFrom(key.FetchSpec) || (key.FetchSpec != "" && s.comesFrom("file:"+key.FetchSpec))
}

// sources are the specs that the package may be named by.
func (s *Subject) sources() []string {
	if s.Resolved != "" {
		return []string{s.Resolved}
	}
	if len(s.LinkedFrom) == 0 {
		return nil
	}
	all := append(append([]string(nil), s.LinkedFrom...), s.RealPath, s.Path)
	kept := all[:0]
	for _, source := range all {
		if source != "" && !slices.Contains(kept, source) {
			kept = append(kept, source)
		}
	}
	return kept
}

func (s *Subject) comesFrom(source string) bool {
	return source != "" && slices.Contains(s.sources(), source)
}

// primarySource is the spec that a policy's key is made of.
func (s *Subject) primarySource() string {
	if sources := s.sources(); len(sources) > 0 {
		return sources[0]
	}
	return ""
}

// FromRegistry says whether all who depend on the package want it from a
// registry (arborist Node, isRegistryDependency).
func (s *Subject) FromRegistry() bool {
	for _, edge := range s.EdgesIn {
		if want, err := spec.Parse(edge.Spec, ""); err != nil || !want.Registry {
			return false
		}
	}
	return len(s.EdgesIn) > 0
}

// identity is a name and version that the package has not given itself; the
// version may be unknown.
type identity struct{ name, version string }

// trusted takes the identity from the tarball's URL, which was written down
// before anything was unpacked; else the name from who depends on it. The
// place in node_modules is no source: of an alias it has the alias.
func (s *Subject) trusted() identity {
	if id := tarballIdentity(s.Resolved); id.name != "" {
		return id
	}
	for _, edge := range s.EdgesIn {
		want, err := spec.Resolve(edge.Name, edge.Spec, "")
		switch {
		case err != nil:
		case want.Type == spec.Alias && want.Sub != nil && want.Sub.Registry:
			return identity{name: want.Sub.Name}
		case want.Registry:
			return identity{name: want.Name}
		}
	}
	return identity{}
}

// tarballIdentity reads "https://host/…/@scope/name/-/name-1.2.3.tgz" (arborist
// lib/version-from-tgz.js).
func tarballIdentity(url string) identity {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || (scheme != "http" && scheme != "https") || !strings.HasSuffix(url, ".tgz") {
		return identity{}
	}
	// What a URL parser would rewrite is not what it seems to be. A query or
	// a fragment would hide the path's real end.
	for i := range len(rest) {
		if c := rest[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\\?#\"<>`{}^|", c) >= 0 {
			return identity{}
		}
	}
	_, path, ok := strings.Cut(rest, "/")
	if !ok {
		return identity{}
	}
	parts := strings.Split(withoutDots(path), "/-/")
	if len(parts) < 2 {
		return identity{}
	}
	file, before := parts[len(parts)-1], parts[len(parts)-2]
	if strings.Contains(file, "/") {
		return identity{}
	}
	before = strings.ReplaceAll(strings.ReplaceAll(before, "%2f", "/"), "%2F", "/")
	scope, name := "", before
	if slash := strings.LastIndexByte(before, '/'); slash >= 0 {
		scope, name = before[:slash], before[slash+1:]
		scope = scope[strings.LastIndexByte(scope, '/')+1:]
	}
	text, ok := strings.CutPrefix(file, name+"-")
	if !ok || name == "" {
		return identity{}
	}
	version, err := nodesemver.Parse(strings.TrimSuffix(text, ".tgz"), false)
	if err != nil {
		return identity{}
	}
	if strings.HasPrefix(scope, "@") {
		name = scope + "/" + name
	}
	return identity{name, version.String()}
}

// withoutDots resolves "." and ".." in a URL's path, as whoever fetches it
// does before asking.
func withoutDots(path string) string {
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
		}
	}
	return strings.Join(kept, "/")
}

// Display gives name and version to be shown: those from the URL, else the
// package's place and its own version.
func (s *Subject) Display() (name, version string) {
	id := s.trusted()
	if id.name == "" {
		id.name = s.Name
	}
	if id.version == "" {
		id.version = s.Version
	}
	return id.name, id.version
}

// PolicySources are the settings that a policy can come from. The first that
// has any entry counts, alone.
type PolicySources struct {
	// CLI and RC are the values of the setting allow-scripts: of the command
	// line and the environment, and of the .npmrc files, project first. Each
	// is a layer; a layer without entries is passed over.
	CLI, RC [][]string

	Package jsjson.Value // the root package.json's allowScripts

	// Project is a project's install, as opposed to a global one or exec.
	Project bool
	Root    string // the project's folder
}

// PolicyError says that --allow-scripts was given where the project's own
// files must say it.
type PolicyError struct{}

func (e *PolicyError) Error() string {
	return `--allow-scripts is not allowed in project-scoped installs: add the entries to the "allowScripts" field in package.json, or to .npmrc, instead`
}

// Code gives EALLOWSCRIPTS.
func (e *PolicyError) Code() string { return "EALLOWSCRIPTS" }

// ResolvePolicy finds the policy that counts, and warnings about entries and
// settings that don't, for the log with the prefix "install-scripts" (npm
// lib/utils/resolve-allow-scripts.js).
func ResolvePolicy(from PolicySources) (policy *Policy, warnings []string, err error) {
	cli, rc := firstLayer(from.CLI), firstLayer(from.RC)
	if cli != nil && from.Project {
		return nil, nil, &PolicyError{}
	}
	var pkg Entries
	if from.Project {
		pkg = EntriesOf(from.Package)
	}
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	cli = validEntries("CLI flag", cli, warn)
	pkg = validEntries("package.json", pkg, warn)
	rc = validEntries(".npmrc", rc, warn)
	switch {
	case len(cli) > 0:
		if len(rc) > 0 {
			warn(".npmrc allow-scripts setting is being ignored because --allow-scripts was passed on the command line")
		}
		return NewPolicy("cli", cli, from.Root), warnings, nil
	case len(pkg) > 0:
		if len(rc) > 0 {
			warn(".npmrc allow-scripts setting is being ignored because package.json declares its own allowScripts field")
		}
		return NewPolicy("package.json", pkg, from.Root), warnings, nil
	case len(rc) > 0:
		return NewPolicy(".npmrc", rc, from.Root), warnings, nil
	}
	return nil, warnings, nil
}

// firstLayer reads "a, b" lists; all that is listed is allowed.
func firstLayer(layers [][]string) Entries {
	for _, values := range layers {
		var entries Entries
		for _, value := range values {
			for part := range strings.SplitSeq(value, ",") {
				if part = strings.TrimSpace(part); part != "" {
					entries = entries.with(part, jsjson.NewBool(true))
				}
			}
		}
		if len(entries) > 0 {
			return entries
		}
	}
	return nil
}

// validEntries drops keys that would let in what nobody has reviewed.
func validEntries(source string, entries Entries, warn func(string, ...any)) Entries {
	var kept Entries
	for _, e := range entries {
		key, err := spec.Parse(e.Key, "")
		switch {
		case err != nil:
			warn(`%s: ignoring unparseable entry "%s"`, source, e.Key)
		case key.Type == spec.Tag:
			warn(`%s: ignoring "%s" — dist-tag specs (@latest, @next, ...) are not allowed; use exact versions joined by "||", or the bare package name, instead`, source, e.Key)
		case key.Type == spec.Range && !isNameOnly(key) && !isVersionList(key.FetchSpec):
			warn(`%s: ignoring "%s" — semver ranges (^, ~, >=, <) are not allowed; use exact versions joined by "||" instead`, source, e.Key)
		default:
			kept = append(kept, e)
		}
	}
	return kept
}

// get gives the value of key.
func (e Entries) get(key string) (jsjson.Value, bool) {
	for i := range e {
		if e[i].Key == key {
			return e[i].Value, true
		}
	}
	return jsjson.Value{}, false
}

// with sets key in a copy: in its place, or at the end.
func (e Entries) with(key string, value jsjson.Value) Entries {
	for i := range e {
		if e[i].Key == key {
			copied := append(Entries(nil), e...)
			copied[i].Value = value
			return copied
		}
	}
	return append(e[:len(e):len(e)], Entry{key, value})
}

// without removes key from a copy.
func (e Entries) without(key string) Entries {
	kept := make(Entries, 0, len(e))
	for _, entry := range e {
		if entry.Key != key {
			kept = append(kept, entry)
		}
	}
	return kept
}
