package resolver

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/lockfile"
)

// AllowError is a package of a kind that the configuration does not allow.
type AllowError struct {
	Type    spec.Type
	Package string
	NonRoot bool // the project itself might have asked for it
	Mine    bool // the project itself, or a workspace of it, asks for it
}

func (e *AllowError) Error() string {
	what := "packages of type "
	if e.NonRoot {
		what = "non-root packages of type "
	}
	return e.Package + ": fetching " + what + `"` + e.Type.String() + `" has been disabled`
}

// Code is npm's: EALLOWGIT and the like.
func (e *AllowError) Code() string { return "EALLOW" + strings.ToUpper(e.Type.String()) }

// Hints say what allows it, and no more than it.
func (e *AllowError) Hints() []string {
	key, value := "allow-"+e.Type.String(), "all"
	if e.Mine {
		value = "root"
	}
	return []string{
		"if you trust where it comes from: run the same command again with --" + key + "=" + value,
		"ibid config set " + key + "=" + value + " --location=project  says so for all who work on the project",
	}
}

// FolderError is a folder or a file of this machine that a package from elsewhere
// has for a dependency: its npm-shrinkwrap.json can name one of its own folders, and
// packing a folder runs the scripts that it has for that.
type FolderError struct{ Package string }

func (e *FolderError) Error() string {
	return e.Package + ": only the project, and folders that it depends on, may have a package from this machine"
}

// Code is EALLOWDIRECTORY.
func (e *FolderError) Code() string { return "EALLOWDIRECTORY" }

func (b *builder) checkAllow(s *spec.Spec, e *Edge) error {
	return b.req.Allowed(s, e != nil && e.from.isMine())
}

// Allowed gives an *AllowError for a kind of spec that the project has not
// allowed, or not to others than itself; mine is true of what it wants itself.
func (r *Request) Allowed(s *spec.Spec, mine bool) error {
	var allow Allow
	switch s.Type {
	case spec.Git:
		allow = r.AllowGit
	case spec.Remote:
		allow = r.AllowRemote
	case spec.File:
		allow = r.AllowFile
	case spec.Directory:
		allow = r.AllowDirectory
	}
	if allow == AllowAll || allow == AllowRoot && mine {
		return nil
	}
	return &AllowError{Type: s.Type, Package: s.String(), NonRoot: allow == AllowRoot, Mine: mine}
}

// Refused gives the errors of the packages in the tree whose files must not be
// fetched: git repositories, tarballs from elsewhere than the registry, files,
// where the configuration does not allow them. While a tree is decided they are
// refused when they are asked about; what a lock says is not asked about until
// it is laid out (npm 12: @npmcli/arborist lib/arborist/reify.js, where it calls
// pacote.extract).
func (r *Result) Refused() map[lockfile.Location]error {
	var refused map[lockfile.Location]error
	for n := range r.Tree.Inventory {
		if n.IsLink() || n.IsProjectRoot() || n.resolved == "" || n.InBundle() {
			continue
		}
		if err := r.builder.contentAllowed(n); err != nil {
			if refused == nil {
				refused = map[lockfile.Location]error{}
			}
			refused[lockfile.Location(n.Location())] = err
		}
	}
	return refused
}

// contentAllowed refuses the files of a node that come from where the
// configuration does not allow it.
func (b *builder) contentAllowed(n *Node) error {
	t := spec.Remote
	switch {
	case strings.HasPrefix(n.resolved, "git"):
		t = spec.Git
	case strings.HasPrefix(n.resolved, "file:"):
		t = spec.File
	case b.req.AllowRemote == AllowAll || b.req.FromRegistry != nil && b.req.FromRegistry(n.Name, n.resolved) && n.isRegistryDependency():
		return nil // nearly all of them
	}
	s := &spec.Spec{Name: n.Name, SaveSpec: n.resolved, Type: t}
	if t == spec.File && !n.isWantedHere(map[*Node]bool{}) {
		return &FolderError{Package: s.String()}
	}
	return b.req.Allowed(s, n.isWantedByRoot())
}

// isWantedHere says whether somebody on this machine wants the node: the project, a
// folder that it links to, or what comes from such a folder itself.
func (n *Node) isWantedHere(seen map[*Node]bool) bool {
	seen[n] = true
	for e := range n.edgesIn.all {
		from := e.from
		switch {
		case from == nil || seen[from]:
		case from.isMine(), !lockfile.Location(from.location).InNodeModules(), e.isProjectsOverride():
			return true
		case strings.HasPrefix(from.resolved, "file:") && from.isWantedHere(seen):
			return true
		}
	}
	return false
}

// isProjectsOverride says whether what the edge asks for stands in the project's
// package.json: an override, and not one that leads back to what a package says.
func (e *Edge) isProjectsOverride() bool {
	o := e.overrides
	if o == nil || o.name != e.Name || o.value == "" || o.value == "*" {
		return false
	}
	ref, ok := strings.CutPrefix(o.value, "$")
	return !ok || referencedSpec(e.from.Root(), ref) != ""
}

// isWantedByRoot says whether the project, or a workspace of it, depends on the
// node itself.
func (n *Node) isWantedByRoot() bool {
	for e := range n.edgesIn.all {
		if e.from != nil && e.from.isMine() && e.Valid() {
			return true
		}
	}
	return false
}
