package patches

import (
	"fmt"
	"path"
	"strings"

	"github.com/ibid-pm/ibid/internal/integrity"
	"github.com/ibid-pm/ibid/internal/nodesemver"
)

// Selector says which packages a patch is for.
type Selector struct {
	Key  string // as it stands in package.json: "a", "a@1.0.0", "@s/a@^1"
	Path string // of the patch, as it stands in package.json

	Name string
	Spec string // a version or a range, "" for any
}

// NewSelector reads one member of "patchedDependencies".
func NewSelector(key, path string) Selector {
	name, spec := SplitKey(key)
	return Selector{Key: key, Path: path, Name: name, Spec: spec}
}

// SplitKey takes a selector's key apart.
func SplitKey(key string) (name, spec string) {
	if key == "" {
		return "", ""
	}
	if i := strings.IndexByte(key[1:], '@'); i >= 0 {
		return key[:i+1], key[i+2:]
	}
	return key, ""
}

// Exact says whether the selector is for one version.
func (s *Selector) Exact() bool { return nodesemver.Valid(s.Spec, false) }

// matches says whether the selector has a range, and the version is in it.
func (s *Selector) matches(version string) bool {
	return s.Spec != "" && !s.Exact() && nodesemver.Satisfies(version, s.Spec, true)
}

// AmbiguousError says that two ranges want a package and neither is part of the
// other.
type AmbiguousError struct {
	Name, Version string
	Keys          [2]string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s@%s: the patches of %q and %q are both for it, and neither range is part of the other", e.Name, e.Version, e.Keys[0], e.Keys[1])
}

// Code is npm's.
func (e *AmbiguousError) Code() string { return "EPATCHAMBIGUOUS" }

// Hints say what can be done.
func (e *AmbiguousError) Hints() []string {
	return []string{fmt.Sprintf("an entry %q in patchedDependencies decides", e.Name+"@"+e.Version)}
}

// Match finds the selector for a package, nil for none: one with its version
// before one with a range, the narrowest of these, before one with the name
// alone. Errors are *AmbiguousError.
func Match(selectors []Selector, name, version string) (*Selector, error) {
	var bare, best *Selector
	for i := range selectors {
		s := &selectors[i]
		if s.Name != name {
			continue
		}
		if s.Exact() && equal(s.Spec, version) {
			return s, nil
		}
		if s.Spec == "" && bare == nil && !strings.HasSuffix(s.Key, "@") {
			bare = s
		}
	}
	for i := range selectors {
		s := &selectors[i]
		if s.Name != name || !s.matches(version) {
			continue
		}
		switch {
		case best == nil || within(s.Spec, best.Spec):
			best = s
		case !within(best.Spec, s.Spec):
			return nil, &AmbiguousError{Name: name, Version: version, Keys: [2]string{best.Key, s.Key}}
		}
	}
	if best != nil {
		return best, nil
	}
	return bare, nil
}

// Ambiguous says whether the selector is one of several ranges for a package.
func (s *Selector) Ambiguous(name, version string) bool { return s.Name == name && s.matches(version) }

func equal(a, b string) bool {
	v, err := nodesemver.Parse(a, true)
	if err != nil {
		return false
	}
	w, err := nodesemver.Parse(b, true)
	return err == nil && nodesemver.Compare(v, w) == 0
}

func within(sub, dom string) bool {
	o := nodesemver.Options{Loose: true}
	s, err := nodesemver.ParseRange(sub, o)
	if err != nil {
		return false
	}
	d, err := nodesemver.ParseRange(dom, o)
	return err == nil && nodesemver.Subset(s, d)
}

// Integrity is the hash by which a lock knows a patch.
func Integrity(patch []byte) string {
	return integrity.SRI{integrity.Sum("sha512", patch)}.String()
}

// Contained says whether a path with slashes, relative to a folder, leads to
// something inside of it, and gives it cleaned.
func Contained(p string) (string, bool) {
	if p == "" || strings.ContainsAny(p, "\\\x00") || path.IsAbs(p) {
		return "", false
	}
	p = path.Clean(p)
	if p == "." || strings.HasPrefix(p, "..") || len(p) > 1 && p[1] == ':' {
		return "", false
	}
	return p, true
}
