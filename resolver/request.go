package resolver

import (
	"iter"
	"time"

	"github.com/ibid-pm/ibid/internal/manifest"
	"github.com/ibid-pm/ibid/internal/platform"
	"github.com/ibid-pm/ibid/internal/spec"
	"github.com/ibid-pm/ibid/internal/workspaces"
	"github.com/ibid-pm/ibid/lockfile"
)

// Strategy says how deep packages are put.
type Strategy uint8

const (
	Hoisted Strategy = iota // as high as possible
	Nested                  // as deep as possible
	Shallow                 // only what the project asks for at the top
	Linked                  // decided as Hoisted, laid out by the linker
)

// SaveType is the map of package.json that a new dependency goes to.
type SaveType uint8

const (
	SaveWhereItIs SaveType = iota // where it was, else dependencies
	SaveProd
	SaveDev
	SaveOptional
	SavePeer
	SavePeerOptional
)

// Allow is a policy for packages that do not come from a registry.
type Allow uint8

const (
	AllowAll  Allow = iota
	AllowRoot       // only where the project or a workspace asks
	AllowNone
)

// Omit names kinds of dependencies that are not installed. The tree and the
// lock have them all the same.
type Omit struct{ Dev, Optional, Peer bool }

// Request is all that Resolve goes by. The zero value of every option is
// npm's default.
type Request struct {
	// Dir is the project's folder, or with Global the one that holds
	// node_modules.
	Dir string
	// Manifest is the root's package.json; nil for none. Resolve does not
	// change it.
	Manifest *manifest.Manifest
	// Indent and Newline are package.json's format, which is the lock's; both
	// are "" where package.json is on one line, and Newline is "" for none.
	Indent, Newline string
	// HasFormat is false where there is no package.json.
	HasFormat bool
	// Workspaces are the root's, as NewWorkspaceMap gives them; nil for none.
	Workspaces *WorkspaceMap
	// Lock is the project's lock as loaded, nil for none.
	Lock *lockfile.Lockfile
	// Yarn is the yarn.lock beside, nil for none: it pins versions where there
	// is no Lock.
	Yarn *lockfile.YarnLock
	// LockName is the file's name, which warnings name.
	LockName string

	Add       []string // specs as given on the command line
	AddFrom   string   // the folder they are relative to; "" is Dir
	Remove    []string // names
	Update    []string // names
	UpdateAll bool
	// Dedupe marks npm's dedupe, whose Update names are those that are in the
	// tree more than once: a root without a name gets its folder's in the lock.
	Dedupe     bool
	SaveType   SaveType
	SaveBundle bool
	// NoSave is save=false: neither package.json nor, without an update, the
	// lock will be written.
	NoSave     bool
	SavePrefix string // "^", "~" or ""; nothing is the default here

	// InWorkspaces names the workspaces that Add and Remove are for; none is
	// the root. IncludeRoot adds the root to them.
	InWorkspaces []string
	IncludeRoot  bool
	NoWorkspaces bool // workspaces=false: what the root needs, see Part

	Global          bool
	Strategy        Strategy
	PreferDedupe    bool
	LegacyPeerDeps  bool
	StrictPeerDeps  bool
	Force           bool
	InstallLinks    bool
	NoPrune         bool
	NoPackageLock   bool // package-lock=false
	LockUnread      bool // there is a lock that NoPackageLock leaves alone
	IgnoreActual    bool // never start from what is installed
	Follow          bool // go into links that lead out of the project
	Omit            Omit
	OmitResolved    bool // omit-lockfile-registry-resolved
	LockfileVersion int  // 0: the lock's own, else 3
	Complete        bool // look into bundles and shrinkwraps now: for a lock or a dry run only
	LayOut          bool // look into bundles and shrinkwraps when all is decided, where they are laid out
	EngineStrict    bool
	Host            platform.Environment // this machine
	Target          platform.Environment // --os, --cpu and --libc; "" is the machine's
	Before          time.Time
	NoBefore        func(name string) bool // min-release-age-exclude
	AllowGit        Allow
	AllowRemote     Allow
	AllowFile       Allow
	AllowDirectory  Allow
	// FromRegistry says whether a URL lies on the registry that a package of this
	// name comes from, and so is no remote one; nil: none does.
	FromRegistry func(name, url string) bool
	LockfileV4   bool // honour packageExtensions, which needs version 4 of the lock
	// Vulnerable and Avoid are an audit fix's: whether a node must go, and
	// which versions of a name not to take.
	Vulnerable func(*Node) bool
	// Fixes are specs to add, by the location of the root or workspace that
	// depends on them: what audit fix --force takes in the place of versions
	// that are vulnerable.
	Fixes map[string][]string
	Avoid func(name string) string

	// Prefetch is told of each registry package that is taken into
	// consideration, of a peer only once it has a place: most of them end up in
	// the tree. It must not block.
	Prefetch func(*manifest.Manifest)

	// Warn is told what npm would warn of; nil for nobody.
	Warn func(Warning)
}

// WorkspaceMap is the root's workspaces in npm's order: name to absolute
// folder. It is read-only once it is handed on.
type WorkspaceMap struct {
	names []string
	dirs  map[string]string
}

// NewWorkspaceMap gives the workspaces that internal/workspaces found.
func NewWorkspaceMap(all []workspaces.Workspace) *WorkspaceMap {
	m := &WorkspaceMap{}
	for _, w := range all {
		m.Set(w.Name, w.Path)
	}
	return m
}

// Set adds a workspace, or moves one to another folder.
func (w *WorkspaceMap) Set(name, dir string) {
	if w.dirs == nil {
		w.dirs = map[string]string{}
	}
	if _, ok := w.dirs[name]; !ok {
		w.names = append(w.names, name)
	}
	w.dirs[name] = cleanPath(dir)
}

// Len is the number of workspaces.
func (w *WorkspaceMap) Len() int {
	if w == nil {
		return 0
	}
	return len(w.names)
}

// Get gives a workspace's folder.
func (w *WorkspaceMap) Get(name string) (dir string, ok bool) {
	if w == nil {
		return "", false
	}
	dir, ok = w.dirs[name]
	return dir, ok
}

// All walks the workspaces.
func (w *WorkspaceMap) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		if w == nil {
			return
		}
		for _, name := range w.names {
			if !yield(name, w.dirs[name]) {
				return
			}
		}
	}
}

// addRequest is one thing to add, once its name is known.
type addRequest struct {
	name string
	spec *spec.Spec
	tree *Node
}
