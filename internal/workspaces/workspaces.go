// Package workspaces finds the workspaces of a project and picks some of them.
//
// A project's package.json lists globs in its workspaces field; every directory
// that one of them matches and that has a package.json is a workspace. Its name
// is the one in that file, or that of its directory. The order is that of the
// globs, and by path within each. The rules are those of @npmcli/map-workspaces
// and of npm's lib/utils/get-workspaces.js.
//
// The package reads names and nothing else: it knows nothing of dependencies,
// lockfiles or configuration.
package workspaces

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/jsjson"
	"github.com/ibid-pm/ibid/internal/minimatch"
	"github.com/ibid-pm/ibid/internal/regular"
)

// Workspace is one package of a project.
type Workspace struct {
	Name string
	Path string // absolute
}

// Error says what is wrong with the workspaces of a project.
type Error struct {
	Message string
	code    string
	hints   []string
}

func (e *Error) Error() string { return e.Message }

// Hints returns what can be done about it.
func (e *Error) Hints() []string { return e.hints }

// Code returns npm's code: EWORKSPACESCONFIG, EDUPLICATEWORKSPACE, or "".
func (e *Error) Code() string { return e.code }

// Map returns the workspaces of the project in root, an absolute path, in npm's
// order. field is the workspaces field of its package.json: a list of globs or
// an object with such a list as packages; undefined gives none.
//
// Errors are *Error, and *jsjson.SyntaxError for a workspace's package.json,
// with its path before.
func Map(root string, field jsjson.Raw) ([]Workspace, error) {
	globs, err := parseField(field)
	if err != nil || globs == nil {
		return nil, err
	}
	matches := globs.walk(root)
	slices.SortFunc(matches, collate.Compare)
	type found struct {
		name  string
		paths []string
	}
	var names []found
	index := make(map[string]int)
	seen := make(map[string]bool)
	for _, match := range globs.order(matches) {
		if seen[match] {
			continue
		}
		seen[match] = true
		path := filepath.Join(root, filepath.FromSlash(match))
		name, ok, err := readName(path)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		i, ok := index[name]
		if !ok {
			i = len(names)
			index[name] = i
			names = append(names, found{name: name})
		}
		names[i].paths = append(names[i].paths, path)
	}
	out := make([]Workspace, 0, len(names))
	var conflicts []string
	for _, n := range names {
		if len(n.paths) > 1 {
			conflicts = append(conflicts, "package '"+n.name+"' has conflicts in the following paths:")
			for _, path := range n.paths {
				conflicts = append(conflicts, "    "+path)
			}
		}
		out = append(out, Workspace{n.name, n.paths[0]})
	}
	if conflicts != nil {
		return nil, &Error{
			Message: "must not have multiple workspaces with the same name\n" + strings.Join(conflicts, "\n"),
			code:    "EDUPLICATEWORKSPACE",
		}
	}
	return out, nil
}

// Among returns those of some folders, relative and with slashes, that the globs
// of a workspaces field name, be they on the disk or not: what a lock has for
// workspaces (npm: @npmcli/map-workspaces virtual).
func Among(field jsjson.Raw, folders []string) []string {
	globs, err := parseField(field)
	if err != nil || globs == nil {
		return nil
	}
	var patterns []*minimatch.Pattern
	for _, p := range globs.patterns {
		patterns = append(patterns, minimatch.Compile(p, minimatch.Options{}))
	}
	var out []string
	for _, f := range folders {
		if !globs.ignored(f) && slices.ContainsFunc(patterns, func(p *minimatch.Pattern) bool { return p.Match(f) }) {
			out = append(out, f)
		}
	}
	return out
}

// Read returns the workspaces of the project in root as its package.json has
// them now. A project without package.json has none.
func Read(root string) ([]Workspace, error) {
	field, err := readField(root)
	if err != nil {
		return nil, err
	}
	return Map(root, field)
}

// Contains reports whether dir is one of the workspaces of the project in root;
// both are absolute. Unlike Map it reads no other workspaces, and so does not
// see that two of them have the same name. A package.json in root that cannot be
// read has no workspaces.
func Contains(root, dir string) (bool, error) {
	field, err := readField(root)
	if err != nil {
		return false, nil
	}
	if !field.Truthy() {
		return false, nil
	}
	globs, err := parseField(field)
	if err != nil || globs == nil {
		return false, err
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return false, nil
	}
	rel = filepath.ToSlash(rel)
	if globs.ignored(rel) || !slices.ContainsFunc(globs.patterns, func(p string) bool {
		return minimatch.Match(rel, slashes(p), minimatch.Options{})
	}) {
		return false, nil
	}
	_, ok, err := readName(dir)
	return ok && err == nil, nil
}

// readField returns the workspaces field of the package.json in root.
func readField(root string) (jsjson.Raw, error) {
	file := filepath.Join(root, "package.json")
	data, err := regular.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var field jsjson.Raw
	err = scanObject(data, func(key string, s *jsjson.Scanner) {
		if key == "workspaces" {
			field = s.Raw()
		} else {
			s.Skip()
		}
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return field, nil
}

// readName returns the name of the package in dir; ok is false if there is no
// package.json.
func readName(dir string) (name string, ok bool, err error) {
	file := filepath.Join(dir, "package.json")
	data, err := regular.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	err = scanObject(data, func(key string, s *jsjson.Scanner) {
		if key == "name" && s.Kind() == jsjson.String {
			name = s.Str()
		} else {
			s.Skip()
		}
	})
	if err != nil {
		return "", false, fmt.Errorf("%s: %w", file, err)
	}
	if name == "" {
		name = filepath.Base(dir)
		if scope := filepath.Base(filepath.Dir(dir)); strings.HasPrefix(scope, "@") {
			name = scope + "/" + name
		}
	}
	return name, true, nil
}

// scanObject calls member for each member of the object in data; it must take
// the value.
func scanObject(data []byte, member func(key string, s *jsjson.Scanner)) error {
	s := jsjson.NewScanner(data)
	if s.Kind() != jsjson.Object {
		s.Skip()
	} else {
		s.Object()
		for s.More() {
			member(s.Key(), s)
		}
	}
	s.End()
	return s.Err()
}

// globs are the patterns of a workspaces field.
type globs struct {
	patterns []string // as written, without leading ./ and /
	negated  []string

	ignore []*minimatch.Pattern
}

func parseField(field jsjson.Raw) (*globs, error) {
	if field == "" {
		return nil, nil
	}
	v := field.Value()
	if list := v.Get("packages"); v.IsObject() && list.IsArray() {
		v = list
	}
	if !v.IsArray() {
		return nil, &Error{Message: "workspaces config expects an Array", code: "EWORKSPACESCONFIG"}
	}
	g := &globs{}
	for _, item := range v.Items() {
		if !item.IsString() {
			return nil, &Error{Message: "workspaces config expects an Array of strings", code: "EWORKSPACESCONFIG"}
		}
		g.add(item.Str())
	}
	for _, negated := range g.negated {
		m := minimatch.Compile(negated, minimatch.Options{})
		g.patterns = slices.DeleteFunc(g.patterns, m.Match)
	}
	if len(g.patterns) == 0 && len(g.negated) == 0 {
		return nil, nil
	}
	for _, p := range append([]string{"**/node_modules/**"}, g.negated...) {
		g.ignore = append(g.ignore, minimatch.Compile(p, minimatch.Options{Dot: true, NoComment: true, NoNegate: true}))
	}
	return g, nil
}

// add adds one pattern. With an odd number of ! in front it takes directories
// away, until a later pattern that it matches brings them back.
func (g *globs) add(pattern string) {
	bare := strings.TrimLeft(pattern, "!")
	negate := (len(pattern)-len(bare))%2 == 1
	// "./a", "/a" and "//a" are a.
	if t := strings.TrimPrefix(bare, "."); strings.HasPrefix(t, "/") {
		bare = strings.TrimLeft(t, "/")
	}
	if negate {
		g.negated = append(g.negated, bare)
		return
	}
	for i := 0; i < len(g.negated); i++ {
		if minimatch.Match(bare, g.negated[i], minimatch.Options{}) {
			g.negated = slices.Delete(g.negated, i, i+1)
			// npm goes on at the next index, and so passes over one.
		}
	}
	g.patterns = append(g.patterns, bare)
}

// slashes turns backslashes into slashes: there are no escapes in the globs of
// workspaces.
func slashes(pattern string) string { return strings.ReplaceAll(pattern, `\`, "/") }

// ignored reports whether the directory rel is taken away.
func (g *globs) ignored(rel string) bool {
	for _, m := range g.ignore {
		if m.Match(rel) || m.Match(rel+"/") {
			return true
		}
	}
	return false
}

// order lists matches by the pattern that they belong to. A match may come
// twice.
func (g *globs) order(matches []string) []string {
	var out []string
	for _, p := range g.patterns {
		m := minimatch.Compile(slashes(p), minimatch.Options{Partial: true})
		for _, match := range matches {
			if m.Match(match) {
				out = append(out, match)
			}
		}
	}
	return out
}
