package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ibid-pm/ibid/internal/collate"
	"github.com/ibid-pm/ibid/internal/manifest"
)

// Node is one installed package as a Builder needs to know it. For a link it
// is the link's target, in the link's place.
type Node struct {
	Path     string // the package's real folder, absolute; scripts run there
	Location string // "node_modules/a", for messages
	Depth    int    // of the place in the tree; with Path it decides the order
	SortPath string // the place's path where it isn't Path: a link's own; "" is Path

	Package   Package       // whose script it is
	Scripts   manifest.Deps // as far as known; see HasInstallScript
	HasBin    bool
	GypFile   *bool  // package.json's gypfile where it is a boolean
	Resolved  string // "" becomes the text "null", as with npm
	Integrity string

	// HasInstallScript says that there are scripts in package.json that Scripts
	// doesn't have, as in a lockfile. ReadScripts is asked for them then.
	HasInstallScript bool

	Optional, Dev, Peer, DevOptional bool

	// NodePath is a folder to be put before NODE_PATH: a store package's
	// siblings, in the linked strategy. "" is none.
	NodePath string

	// ScriptsAllowed is the policy's word: false skips the scripts. Bins are
	// linked all the same.
	ScriptsAllowed bool

	// StoreLink marks a link to a store entry: bins only, its scripts run in
	// the store entry.
	StoreLink bool
}

// Event is what a Builder reports while it works.
type Event struct {
	Node   *Node
	Name   string // "postinstall"
	Script string
	Done   bool
	Took   time.Duration // when Done
	Err    error         // when Done: why it failed, optional or not
}

// Builder runs the scripts of installed packages (arborist
// lib/arborist/rebuild.js). Build is called once for the packages and then
// once for the links. A Builder is for one goroutine.
type Builder struct {
	// Environ, Shell, NodeGyp: as in Options.
	Environ []string
	Shell   string
	NodeGyp NodeGyp

	IgnoreScripts bool // only Bins

	// Foreground runs the scripts one after the other with these streams and,
	// before each, Banner. Otherwise they run at once, and silently.
	Foreground     bool
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Banner         func(n *Node, event, script string)

	// Limit is how many scripts run at once; 0 is one less than there are
	// processors.
	Limit int

	// ReadScripts gives the scripts, and whether gypfile is false, that
	// n.Path's package.json has. It is called for nodes with HasInstallScript
	// and no Scripts. An error means there are none.
	ReadScripts func(n *Node) (scripts manifest.Deps, gypfile *bool, err error)

	// Bins links the executables of the given nodes, which are in npm's order:
	// depth, then path. It is called between preinstall (for links: prepare)
	// and install. nil links none.
	Bins func(ctx context.Context, nodes []*Node) error

	// OptionalFailed is told of the failure of an optional node and gives the
	// paths of all that goes with it: nothing more is run there. When it is
	// nil a failure of an optional node is as any other (npm rebuild).
	OptionalFailed func(n *Node, err error) (dropped []string)

	Report func(Event)          // may be nil
	Warn   func(message string) // may be nil

	mu      sync.Mutex
	dropped map[string]bool
}

// events in the order that they run; prepare is for links.
var buildEvents = []string{"preinstall", "prepare", "install", "postinstall"}

// Build runs preinstall everywhere, then (links) prepare, then Bins, then
// install and postinstall. The first failure ends it: running scripts are
// ended, no others start.
func (b *Builder) Build(ctx context.Context, nodes []*Node, links bool) error {
	if b.IgnoreScripts && b.Bins == nil {
		return nil
	}
	if b.dropped == nil {
		b.dropped = make(map[string]bool)
	}
	queues := b.queues(nodes)
	for _, event := range buildEvents {
		if event == "install" && b.Bins != nil {
			if bins := b.left(queues["bin"]); len(bins) > 0 {
				if err := b.Bins(ctx, bins); err != nil {
					return err
				}
			}
		}
		if b.IgnoreScripts || (event == "prepare" && !links) {
			continue
		}
		if err := b.runAll(ctx, event, queues[event]); err != nil {
			return err
		}
	}
	return nil
}

// queues sorts nodes into what there is to do, each in npm's order.
func (b *Builder) queues(nodes []*Node) map[string][]*Node {
	queue := make([]*Node, 0, len(nodes))
	seen := make(map[*Node]bool, len(nodes))
	for _, n := range nodes {
		if seen[n] {
			continue
		}
		seen[n] = true
		b.complete(n)
		if n.HasBin || anyInstallScript(n.Scripts) {
			queue = append(queue, n)
		}
	}
	slices.SortStableFunc(queue, func(x, y *Node) int {
		if c := cmp.Compare(x.Depth, y.Depth); c != 0 {
			return c
		}
		return collate.Compare(x.sortPath(), y.sortPath())
	})
	queues := make(map[string][]*Node, 5)
	for _, n := range queue {
		if n.HasBin {
			queues["bin"] = append(queues["bin"], n)
		}
		if !n.ScriptsAllowed {
			continue
		}
		for _, event := range buildEvents {
			if script(n.Scripts, event) != "" {
				queues[event] = append(queues[event], n)
			}
		}
	}
	return queues
}

// complete finds the scripts that the node's description doesn't have: those
// on disk, and node-gyp's.
func (b *Builder) complete(n *Node) {
	if !n.ScriptsAllowed || b.IgnoreScripts {
		return
	}
	if !anyInstallScript(n.Scripts) && n.HasInstallScript && b.ReadScripts != nil {
		if scripts, gypfile, err := b.ReadScripts(n); err == nil {
			n.Scripts = scripts
			if gypfile != nil {
				n.GypFile = gypfile
			}
		}
	}
	if n.gyp() {
		n.Scripts = append(slices.Clone(n.Scripts), manifest.Dep{Name: "install", Spec: GypInstall})
	}
}

func (n *Node) gyp() bool {
	return (n.GypFile == nil || *n.GypFile) &&
		script(n.Scripts, "install") == "" && script(n.Scripts, "preinstall") == "" &&
		HasBindingGyp(n.Path)
}

func (n *Node) sortPath() string {
	if n.SortPath != "" {
		return n.SortPath
	}
	return n.Path
}

// script gives the command for event, "" for none. The last of several counts:
// node-gyp's is appended after an empty one.
func script(scripts manifest.Deps, event string) string {
	for i := len(scripts) - 1; i >= 0; i-- {
		if scripts[i].Name == event {
			return scripts[i].Spec
		}
	}
	return ""
}

func anyInstallScript(scripts manifest.Deps) bool {
	return slices.ContainsFunc(buildEvents, func(event string) bool { return script(scripts, event) != "" })
}

// left gives the nodes that no optional failure took along.
func (b *Builder) left(nodes []*Node) []*Node {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := make([]*Node, 0, len(nodes))
	for _, n := range nodes {
		if !b.dropped[n.Path] {
			kept = append(kept, n)
		}
	}
	return kept
}

func (b *Builder) isDropped(n *Node) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped[n.Path]
}

func (b *Builder) runAll(ctx context.Context, event string, queue []*Node) error {
	if len(queue) == 0 {
		return nil
	}
	limit := b.Limit
	if limit == 0 {
		// promise-call-limit's default.
		limit = max(1, runtime.NumCPU()-1)
	}
	if b.Foreground {
		limit = 1
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(limit)
	for _, n := range queue {
		group.Go(func() error {
			// Asked only now: a script that ran meanwhile may have taken it along.
			if n.StoreLink || b.isDropped(n) || ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return b.runOne(ctx, n, event)
		})
	}
	return group.Wait()
}

func (b *Builder) runOne(ctx context.Context, n *Node, event string) error {
	command := script(n.Scripts, event)
	if b.Foreground && b.Banner != nil {
		b.Banner(n, event, command)
	}
	b.report(Event{Node: n, Name: event, Script: command})
	started := time.Now()
	err := Run(ctx, Options{
		Dir: n.Path, Event: event, Command: command, PackageID: n.Package.ID(),
		Environ: b.Environ, Env: n.env(b.Environ),
		Shell: b.Shell, NodeGyp: b.NodeGyp,
		Foreground: b.Foreground, Stdin: b.Stdin, Stdout: b.Stdout, Stderr: b.Stderr,
		Warn: b.Warn,
	})
	b.report(Event{Node: n, Name: event, Script: command, Done: true, Took: time.Since(started), Err: err})
	if err == nil || !n.Optional || b.OptionalFailed == nil {
		return err
	}
	var exit *ExitError
	var start *StartError
	if !errors.As(err, &exit) && !errors.As(err, &start) {
		return err // cancelled: nobody's failure
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped[n.Path] = true
	for _, path := range b.OptionalFailed(n, err) {
		b.dropped[path] = true
	}
	return nil
}

func (b *Builder) report(e Event) {
	if b.Report != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.Report(e)
	}
}

// env is what a dependency's script finds in its environment beside what every
// script does.
func (n *Node) env(environ []string) []string {
	env := []string{
		"npm_package_resolved=" + orNull(n.Resolved),
		"npm_package_integrity=" + orNull(n.Integrity),
		"npm_package_optional=" + flag(n.Optional),
		"npm_package_dev=" + flag(n.Dev),
		"npm_package_peer=" + flag(n.Peer),
		"npm_package_dev_optional=" + flag(n.DevOptional && !n.Dev && !n.Optional),
	}
	if n.NodePath != "" {
		path := n.NodePath
		if old := lookupEnv(environ, "NODE_PATH"); old != "" {
			path += string(os.PathListSeparator) + old
		}
		env = append(env, "NODE_PATH="+path)
	}
	return append(env, n.Package.Env()...)
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return ""
}

func lookupEnv(environ []string, key string) string {
	if environ == nil {
		return os.Getenv(key)
	}
	for i := len(environ) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(environ[i], key+"="); ok {
			return v
		}
	}
	return ""
}
